// SPDX-License-Identifier: Apache-2.0
// Models and endpoints in a pocket Google Cloud: real servers behind :predict and :rawPredict. The server is this very
// program in another role.
#include "vertex_fixture.h"

#include "net/http_server.h"
#include "pocket/gcp/vertex.h"

// ---------------------------------------------------------------- the server

static void serve_body(struct http_exchange *x, struct str body)
{
	struct str text;
	if (str_find(body, S("\"instances\"")) > 0)
		text = arena_printf(&x->arena, "{\"predictions\":[\"%s\"]}", getenv("WORD"));
	else
		text = arena_printf(&x->arena, "%s %.*s %.*s", getenv("WORD"),
			STR(http_header_get(&x->request.headers, "content-type")), STR(body));
	http_reply_text(x, str_eq(body, S("fail")) ? 418 : 200, "text/special", text);
}

static void serve(struct http_exchange *x)
{
	if (str_eq(x->request.path, str_of(getenv("AIP_HEALTH_ROUTE"))))
		http_reply_text(x, 200, "text/plain", S("\n"));
	else if (str_eq(x->request.path, str_of(getenv("AIP_PREDICT_ROUTE"))))
		http_body_collect(x, 1 << 20, serve_body);
	else
		http_reply_error(x, 404, "no");
}

static int serve_role(void)
{
	static const struct http_service service = {.begin = serve};
	struct err e = {0};
	struct loop *loop = NULL;
	struct http_server *server = NULL;
	char listen_on[64];
	if (strcmp(getenv("WORD"), "broken") == 0)
		return 3;
	snprintf(listen_on, sizeof(listen_on), "127.0.0.1:%s", getenv("AIP_HTTP_PORT"));
	if (loop_new(&loop, &e) < 0)
		return 1;
	const struct http_server_options options = {.loop = loop, .service = &service, .listen = str_of(listen_on)};
	if (http_server_new(&options, &server, &e) < 0)
		return 1;
	printf("%s at %s\n", getenv("WORD"), getenv("AIP_STORAGE_URI"));
	fflush(stdout);
	return loop_run(loop, &e) < 0;
}

// ---------------------------------------------------------------- steps

#define ENDPOINT LOCATION "/endpoints/e1"

static void upload(const char *id, const char *word)
{
	asked(200, "POST", LOCATION "/models:upload",
		arena_printf(&cloud.arena,
			"{\"modelId\":\"%s\",\"model\":{\"displayName\":\"m\",\"artifactUri\":\"gs://b/m/\",\"containerSpec\":"
			"{\"imageUri\":\"isobar\",\"args\":[\"serve\"],\"env\":[{\"name\":\"WORD\",\"value\":\"%s\"}],"
			"\"healthRoute\":\"/ok\",\"predictRoute\":\"/p\"}}}",
			id, word)
			.p);
	await_operation();
	const json_t *response = json_object_get(answer, "response");
	assert_contains(json_str(response, "@type"), S("v1.UploadModelResponse"));
	assert_true(str_ends(json_str(response, "model"), str_of(id)));
}

static void deploy(const char *model, const char *id, const char *split)
{
	asked(200, "POST", ENDPOINT ":deployModel",
		arena_printf(&cloud.arena,
			"{\"deployedModel\":{\"id\":\"%s\",\"displayName\":\"d%s\",\"model\":\"projects/unit-test/locations/"
			"europe-west4/models/%s\",\"dedicatedResources\":{\"machineSpec\":{\"machineType\":\"n1-standard-2\"},"
			"\"minReplicaCount\":1}},\"trafficSplit\":%s}",
			id, id, model, split)
			.p);
	await_operation();
}

static void undeploy(const char *id, const char *split)
{
	asked(200, "POST", ENDPOINT ":undeployModel",
		arena_printf(&cloud.arena, "{\"deployedModelId\":\"%s\"%s}", id, split).p);
	await_operation();
	assert_null(json_object_get(answer, "error"));
}

static const char *predict(void)
{
	asked(200, "POST", ENDPOINT ":predict", "{\"instances\":[1]}");
	return json_string_value(json_array_get(json_object_get(answer, "predictions"), 0));
}

static struct exchange raw(const char *body)
{
	struct exchange x = {.method = S("POST"), .target = S(ENDPOINT ":rawPredict"), .body = str_of(body)};
	exchange_add(&x, "authorization", arena_printf(&cloud.arena, "Bearer %.*s", STR(token_for(SCOPE))));
	exchange_add(&x, "content-type", S("a/b"));
	exchange_send(&x);
	return x;
}

// ---------------------------------------------------------------- tests

static void test_made(UNUSED void **state)
{
	upload("one", "first");
	assert_int_equal(ask("POST", LOCATION "/models:upload",
				 "{\"modelId\":\"one\",\"model\":{\"displayName\":\"m\",\"containerSpec\":{\"imageUri\":\"x\"}}}"),
		409);
	asked(200, "POST", LOCATION "/endpoints?endpointId=e1",
		"{\"displayName\":\"e\",\"labels\":{\"a\":\"b\"},\"dedicatedEndpointEnabled\":true}");
	assert_false(json_flag(answer, "done", false));
	int before = ask("GET", ENDPOINT, "");
	asked(409, "POST", LOCATION "/endpoints?endpointId=e1", "{\"displayName\":\"e\"}");
	asked(200, "GET", ENDPOINT "/operations", "");
	answer = json_array_get(json_object_get(answer, "operations"), 0);
	// While its operation goes on there is no endpoint; on a slow machine it may have ended between the two looks.
	assert_int_equal(before, json_flag(answer, "done", false) && before == 200 ? 200 : 404);
	await_operation();
	assert_string_equal(json_text(json_object_get(answer, "response"), "displayName"), "e");
	asked(200, "GET", ENDPOINT, "");
	assert_str(json_str(answer, "dedicatedEndpointDns"), cloud_host());
	assert_int_equal(ask("POST", ENDPOINT ":predict", "{\"instances\":[1]}"), 400);
	assert_string_equal(error_status(), "FAILED_PRECONDITION");
}

static void test_deployed(UNUSED void **state)
{
	deploy("one", "1", "{\"0\":100}");
	const json_t *deployed = json_object_get(json_object_get(answer, "response"), "deployedModel");
	assert_string_equal(json_text(deployed, "id"), "1");
	assert_string_equal(predict(), "first");
	assert_string_equal(text("deployedModelId"), "1");
	assert_string_equal(text("modelDisplayName"), "m");
	struct exchange x = raw("bytes");
	assert_status(&x, 200);
	assert_str(x.text, S("first a/b bytes"));
	assert_str(answered(&x, "content-type"), S("text/special"));
	assert_str(answered(&x, "x-vertex-ai-endpoint-id"), S("e1"));
	assert_str(answered(&x, "x-vertex-ai-deployed-model-id"), S("1"));
	x = raw("fail");
	assert_status(&x, 418);
	asked(409, "POST", ENDPOINT ":deployModel",
		"{\"deployedModel\":{\"id\":\"1\",\"model\":\"projects/unit-test/locations/europe-west4/models/one\"}}");
	asked(400, "DELETE", ENDPOINT, "");
	asked(400, "DELETE", LOCATION "/models/one", "");
	asked(200, "POST", "/v2/entries:list",
		"{\"resourceNames\":[\"projects/unit-test\"],\"filter\":\"resource.labels.endpoint_id=e1\"}");
	const json_t *entry = json_array_get(json_object_get(answer, "entries"), 0);
	assert_string_equal(json_text(json_object_get(entry, "jsonPayload"), "message"), "first at gs://b/m/");
}

static void test_updated(UNUSED void **state)
{
	int seconds = 0;
	upload("two", "second");
	deploy("two", "2", "{\"1\":75,\"0\":25}");
	for (int i = 0; i < 100; i++)
		seconds += strcmp(predict(), "second") == 0;
	assert_int_equal(seconds, 25);
	assert_int_equal(ask("POST", ENDPOINT ":undeployModel", "{\"deployedModelId\":\"1\"}"), 400);
	assert_int_equal(ask("PATCH", ENDPOINT "?updateMask=trafficSplit", "{\"trafficSplit\":{\"2\":99}}"), 400);
	assert_int_equal(ask("PATCH", ENDPOINT "?updateMask=trafficSplit", "{\"trafficSplit\":{\"3\":100}}"), 400);
	asked(200, "PATCH", ENDPOINT "?updateMask=traffic_split", "{\"trafficSplit\":{\"2\":100}}");
	undeploy("1", "");
	assert_string_equal(predict(), "second");
	asked(200, "DELETE", LOCATION "/models/one", "");
	await_operation();
	asked(404, "GET", LOCATION "/models/one", "");
}

static void test_broken_server(UNUSED void **state)
{
	upload("three", "broken");
	deploy("three", "3", "{\"2\":0,\"0\":100}");
	const json_t *error = json_object_get(answer, "error");
	assert_int_equal(json_int(error, "code", 0), 9);
	assert_contains(json_str(error, "message"), S("exit_code: 3"));
	assert_string_equal(predict(), "second");
	asked(200, "GET", ENDPOINT, "");
	assert_int_equal(json_array_size(json_object_get(answer, "deployedModels")), 1);
	deploy("two", "3", "{\"2\":100}"); // its id is free again
	assert_null(json_object_get(answer, "error"));
	undeploy("3", "");
}

// The pocket is killed and comes back: the server goes on.
static void test_outlives_the_pocket(UNUSED void **state)
{
	int64_t began = edges_real()->mono_ns(NULL);
	cloud_stop();
	cloud_start();
	while (ask("POST", ENDPOINT ":predict", "{\"instances\":[1]}") != 200)
		pause_briefly(began);
	assert_string_equal(predict(), "second");
}

static void test_wrong(UNUSED void **state)
{
	static const struct {
		const char *target, *body;
		int status;
	} wrong[] = {
		{LOCATION "/models:upload", "{\"model\":{\"displayName\":\"m\"}}", 400},
		{LOCATION "/models:upload", "{\"modelId\":\"A\",\"model\":{\"displayName\":\"m\",\"containerSpec\":{\"imageUri\":\"x\"}}}",
			400},
		{LOCATION "/endpoints", "{}", 400},
		{LOCATION "/endpoints/no:deployModel", "{}", 404},
		{ENDPOINT ":deployModel", "{}", 400},
		{ENDPOINT ":deployModel", "{\"deployedModel\":{\"id\":\"x\"}}", 400},
		{ENDPOINT ":undeployModel", "{\"deployedModelId\":\"9\"}", 404},
		{ENDPOINT ":predict", "{}", 400},
		{ENDPOINT ":predict", "[", 400},
		{LOCATION "/endpoints/no:rawPredict", "", 404},
	};
	for (size_t i = 0; i < COUNT_OF(wrong); i++)
		if (ask("POST", wrong[i].target, wrong[i].body) != wrong[i].status)
			fail_msg("case %zu: %s", i, json_dumps(answer, 0));
	struct str reader = token_for(SCOPE ".read-only");
	assert_int_equal(ask_as(reader, "POST", ENDPOINT ":predict", "{\"instances\":[1]}"), 200);
	assert_int_equal(ask_as(reader, "POST", ENDPOINT ":undeployModel", "{}"), 403);
	assert_int_equal(ask_as(S(""), "POST", ENDPOINT ":rawPredict", "{}"), 401);
	assert_string_equal(vertex_service.name, "aiplatform");
}

static void test_deleted(UNUSED void **state)
{
	undeploy("2", "");
	asked(200, "GET", ENDPOINT, "");
	assert_null(json_object_get(answer, "trafficSplit"));
	asked(200, "DELETE", ENDPOINT, "");
	await_operation();
	assert_null(json_object_get(answer, "error"));
	asked(404, "GET", ENDPOINT, "");
	asked(200, "GET", LOCATION "/models", "");
	assert_int_equal(json_array_size(json_object_get(answer, "models")), 2);
}

int main(int argc, char **argv)
{
	int role = vertex_role(argc, argv);
	if (role >= 0)
		return role;
	if (argc == 2 && strcmp(argv[1], "serve") == 0)
		return serve_role();
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_made, cloud_test_end),
		cmocka_unit_test_teardown(test_deployed, cloud_test_end),
		cmocka_unit_test_teardown(test_updated, cloud_test_end),
		cmocka_unit_test_teardown(test_broken_server, cloud_test_end),
		cmocka_unit_test_teardown(test_outlives_the_pocket, cloud_test_end),
		cmocka_unit_test_teardown(test_wrong, cloud_test_end),
		cmocka_unit_test_teardown(test_deleted, cloud_test_end),
	};
	return cmocka_run_group_tests(tests, vertex_setup, vertex_teardown);
}
