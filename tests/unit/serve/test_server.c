// SPDX-License-Identifier: Apache-2.0
// The model server over loopback: a small model from a folder, every route, and damaged folders that must not be served.
#include "serve/server.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/time.h"
#include "net/http_call.h"

static const char description[] =
	"{\"name\":\"m\",\"version\":\"3\",\"format\":\"mlp\",\"inputs\":[{\"name\":\"image\",\"datatype\":\"FP32\",\"shape\":[-1,2]}],"
	"\"outputs\":[{\"name\":\"class\",\"datatype\":\"INT64\",\"shape\":[-1,1]}],\"layers\":[2,2],"
	"\"sketch\":{\"elements\":2,\"bins\":10,\"low\":0,\"high\":1,\"samples\":0,\"counts\":[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]}}";

struct fixture {
	char folder[64];
	struct served_model model;
	struct model_server server;
	struct loop *loop;
	pthread_t thread;
	struct arena arena;
	struct call call;
	struct guard *guard;
};

static void write_file(const struct fixture *f, const char *name, struct str text)
{
	char path[128];
	snprintf(path, sizeof(path), "%s/%s", f->folder, name);
	assert_int_equal(file_write_atomic(path, text, 0600, NULL), 0);
}

// Class 0 when the first number is the larger one.
static void write_model(const struct fixture *f)
{
	AUTO(arena) a = {0};
	AUTO(mlp) m = {0};
	struct safetensors s = {0};
	char path[128];
	const size_t sizes[] = {2, 2};
	assert_int_equal(mlp_new(&m, sizes, 2, NULL), 0);
	m.weight[0][0] = m.weight[0][3] = 1;
	assert_int_equal(mlp_describe(&m, &a, &s, NULL), 0);
	snprintf(path, sizeof(path), "%s/weights.safetensors", f->folder);
	assert_int_equal(safetensors_write_file(path, &s, NULL, NULL), 0);
	write_file(f, "model.json", str_of(description));
}

static void *run(void *ctx)
{
	struct fixture *f = ctx;
	assert_int_equal(loop_run(f->loop, NULL), 0);
	return NULL;
}

static int start(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	snprintf(f->folder, sizeof(f->folder), "/tmp/isobar-serve-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	write_model(f);
	call_init(&f->call, &f->arena, edges_real(), S("system"));
	assert_int_equal(served_model_load(f->folder, S("m"), S("3"), &f->model, &f->call.err), 0);
	assert_int_equal(loop_new(&f->loop, &f->call.err), 0);
	f->server.model = &f->model;
	f->server.health_path = S("/health-of-mine");
	f->server.predict_path = S("/predict-of-mine");
	assert_int_equal(model_server_start(&f->server, f->loop, S("127.0.0.1:0"), &f->call.err), 0);
	assert_int_equal(guard_new_loopback(&f->guard, &f->call.err), 0);
	assert_int_equal(pthread_create(&f->thread, NULL, run, f), 0);
	*state = f;
	return 0;
}

static int stop(void **state)
{
	struct fixture *f = *state;
	loop_stop(f->loop);
	pthread_join(f->thread, NULL);
	model_server_stop(&f->server);
	loop_free(f->loop);
	served_model_free(&f->model);
	guard_free(f->guard);
	assert_int_equal(file_remove_tree(f->folder, NULL), 0);
	arena_free(&f->arena);
	free(f);
	return 0;
}

static int ask(struct fixture *f, const char *method, const char *path, const char *body, struct str *answer)
{
	struct http_call_response response;
	struct http_call_request request = {
		.method = str_of(method),
		.url = arena_printf(&f->arena, "%s%s", http_server_url(f->server.http), path),
		.body = str_of(body),
		.guard = f->guard,
	};
	assert_int_equal(http_call(&f->call, &request, &response), 0);
	*answer = response.body;
	return response.status;
}

static void it_classifies(void **state)
{
	struct fixture *f = *state;
	struct str body;
	assert_int_equal(ask(f, "POST", "/v2/models/m/infer",
				 "{\"id\":\"1\",\"inputs\":[{\"name\":\"image\",\"datatype\":\"FP32\",\"shape\":[3,2],\"data\":[[1,0],[0,1],[0.5,0.7]]}]}", &body),
		200);
	assert_true(str_eq(body, S("{\"model_name\":\"m\",\"model_version\":\"3\",\"id\":\"1\",\"outputs\":[{\"name\":\"class\",\"datatype\":"
				   "\"INT64\",\"shape\":[3,1],\"data\":[0,1,1]}]}")));
	assert_int_equal(ask(f, "POST", "/v2/models/m/versions/3/infer",
				 "{\"inputs\":[{\"name\":\"image\",\"datatype\":\"FP32\",\"shape\":[2],\"data\":[1,0]}]}", &body), 200);
	assert_int_equal(ask(f, "GET", "/sketch", "", &body), 200);
	AUTO(json) j = NULL;
	assert_int_equal(json_parse(body, &j, NULL), 0);
	assert_int_equal(json_int(json_object_get(j, "input"), "samples", 0), 4);
	assert_int_equal(ask(f, "GET", "/metrics", "", &body), 200);
	assert_true(str_find(body, S("isobar_serve_requests_total{model=\"m\"} 2\n")) >= 0);
	assert_true(str_find(body, S("isobar_serve_samples_total{model=\"m\"} 4\n")) >= 0);
}

static void it_describes_itself(void **state)
{
	struct fixture *f = *state;
	struct str body;
	assert_int_equal(ask(f, "GET", "/v2", "", &body), 200);
	assert_int_equal(ask(f, "GET", "/v2/health/live", "", &body), 200);
	assert_int_equal(ask(f, "GET", "/v2/health/ready", "", &body), 200);
	assert_int_equal(ask(f, "GET", "/v2/models/m/ready", "", &body), 200);
	assert_true(str_eq(body, S("{\"name\":\"m\",\"ready\":true}")));
	assert_int_equal(ask(f, "GET", "/v2/models/m", "", &body), 200);
	assert_true(str_find(body, S("\"inputs\":[{\"name\":\"image\",\"datatype\":\"FP32\",\"shape\":[-1,2]}]")) >= 0);
	assert_int_equal(ask(f, "GET", "/v2/models/m/versions/3/ready", "", &body), 200);
}

static void it_answers_as_providers_ask(void **state)
{
	static const char one[] = "{\"inputs\":[{\"name\":\"image\",\"datatype\":\"FP32\",\"shape\":[2],\"data\":[0,1]}]}";
	static const char *const health[] = {"/ping", "/", "/health-of-mine"};
	static const char *const infer[] = {"/invocations", "/score", "/predict-of-mine"};
	struct fixture *f = *state;
	struct str body;
	for (size_t i = 0; i < COUNT_OF(health); i++)
		assert_int_equal(ask(f, "GET", health[i], "", &body), 200);
	for (size_t i = 0; i < COUNT_OF(infer); i++) {
		assert_int_equal(ask(f, "POST", infer[i], one, &body), 200);
		assert_true(str_find(body, S("\"data\":[1]")) > 0);
	}
	assert_int_equal(ask(f, "GET", "/invocations", "", &body), 405);
}

// As Triton's clients for SageMaker send it: [0, 1] as eight bytes behind the JSON, the answer in the same form.
static void it_takes_binary_tensors(void **state)
{
	struct fixture *f = *state;
	struct http_call_response response;
	struct str json = S("{\"inputs\":[{\"name\":\"image\",\"datatype\":\"FP32\",\"shape\":[2],\"parameters\":{\"binary_data_size\":8}}],"
			    "\"parameters\":{\"binary_data_output\":true}}");
	const unsigned char bytes[] = {0, 0, 0, 0, 0, 0, 0x80, 0x3f};
	const struct http_header type = {S("content-type"),
		arena_printf(&f->arena, "application/vnd.sagemaker-triton.binary+json;json-header-size=%zu", json.n)};
	struct http_call_request request = {
		.method = S("POST"),
		.url = arena_printf(&f->arena, "%s/invocations", http_server_url(f->server.http)),
		.headers = &type,
		.header_count = 1,
		.body = arena_join(&f->arena, (struct str[]){json, str_bytes(bytes, sizeof(bytes))}, 2),
		.guard = f->guard,
	};
	assert_int_equal(http_call(&f->call, &request, &response), 0);
	assert_int_equal(response.status, 200);
	struct str answered = http_header_get(&response.headers, "content-type"), prefix = S("application/vnd.sagemaker-triton.binary+json;json-header-size=");
	uint64_t size = 0;
	assert_true(str_starts(answered, prefix));
	assert_int_equal(str_to_u64(str_drop(answered, prefix.n), &size), 0);
	assert_int_equal(response.body.n, size + 8);
	const unsigned char class_one[] = {1, 0, 0, 0, 0, 0, 0, 0};
	assert_memory_equal(response.body.p + size, class_one, 8);
}

static void wrong_requests_get_an_error(void **state)
{
	static const struct {
		const char *method, *path, *body, *message;
		int status;
	} cases[] = {
		{"GET", "/v2/models/other", "", "no such path", 404},
		{"GET", "/v2/models/m/versions/4", "", "no such path", 404},
		{"GET", "/v2/models/mm", "", "no such path", 404},
		{"GET", "/v2/models/m/infer", "", "not allowed", 405},
		{"POST", "/v2", "", "not allowed", 405},
		{"POST", "/v2/models/m/infer", "{", "no valid JSON object", 400},
		{"POST", "/v2/models/m/infer", "{\"inputs\":[{\"name\":\"x\",\"datatype\":\"FP32\",\"shape\":[2],\"data\":[1,0]}]}",
			"takes one input, \\\"image\\\"", 400},
		{"POST", "/v2/models/m/infer", "{\"inputs\":[{\"name\":\"image\",\"datatype\":\"INT8\",\"shape\":[2],\"data\":[1,0]}]}",
			"is FP32, got INT8", 400},
		{"POST", "/v2/models/m/infer", "{\"inputs\":[{\"name\":\"image\",\"datatype\":\"FP32\",\"shape\":[3],\"data\":[1,0,2]}]}",
			"has the shape [2] or [n, 2]", 400},
		{"POST", "/v2/models/m/infer",
			"{\"outputs\":[{\"name\":\"y\"}],\"inputs\":[{\"name\":\"image\",\"datatype\":\"FP32\",\"shape\":[2],\"data\":[1,0]}]}",
			"has one output", 400},
	};
	struct fixture *f = *state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct str body;
		int status = ask(f, cases[i].method, cases[i].path, cases[i].body, &body);
		if (status != cases[i].status || str_find(body, str_of(cases[i].message)) < 0)
			fail_msg("%s %s: %d %.*s", cases[i].method, cases[i].path, status, STR(body));
	}
}

static void damaged_models_are_not_served(void **state)
{
	static const struct {
		const char *file, *text, *message;
		int code;
	} cases[] = {
		{"model.json", "{", "model.json", ERR_INVALID},
		{"model.json", "{\"format\":\"onnx\"}", "format \"onnx\" is not served here", ERR_UNSUPPORTED},
		{"model.json", "{\"format\":\"mlp\"}", "needs one named input and output", ERR_CORRUPT},
		{"weights.safetensors", "12345", "weights.safetensors", ERR_CORRUPT},
	};
	struct fixture *f = *state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct served_model m;
		struct err e = {0};
		write_model(f);
		write_file(f, cases[i].file, str_of(cases[i].text));
		assert_int_equal(served_model_load(f->folder, S("m"), S("3"), &m, &e), cases[i].code);
		if (!strstr(e.message, cases[i].message))
			fail_msg("case %zu: %s", i, e.message);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(it_classifies, start, stop),
		cmocka_unit_test_setup_teardown(it_describes_itself, start, stop),
		cmocka_unit_test_setup_teardown(it_answers_as_providers_ask, start, stop),
		cmocka_unit_test_setup_teardown(it_takes_binary_tensors, start, stop),
		cmocka_unit_test_setup_teardown(wrong_requests_get_an_error, start, stop),
		cmocka_unit_test_setup_teardown(damaged_models_are_not_served, start, stop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
