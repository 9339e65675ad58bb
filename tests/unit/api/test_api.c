// SPDX-License-Identifier: Apache-2.0
// The API on a workspace of toy kinds without clouds: routes, permissions, requests in this process and over HTTP.
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api/server.h"
#include "base/file.h"
#include "net/http_call.h"
#include "security/principal.h"
#include "toy_kinds.h"

#define WORKSPACE                                                                                                      \
	"isobar: 1\nworkspace: w\nenvironments: {pocket: {pocket: true}}\ntransforms:\n  one: {}\n  two: {after: "     \
	"[one]}\n"

static const struct resource_handler handlers[] = {{.kind = &toy_job_kind}, {.kind = &toy_cloud_kind}};

static int bind_nothing(struct call *c, const struct binding *b, struct resource_handler *rows)
{
	(void)c, (void)rows;
	assert_non_null(b->state);
	return 0;
}

static int describe_nothing(struct call *c, const struct binding *b, json_t *into)
{
	(void)c, (void)b;
	json_object_set_new(into, "gateways", json_array());
	return 0;
}

static size_t published; // gateways were told so often
static int publish(struct call *c, const struct binding *b)
{
	(void)c;
	assert_non_null(b->state);
	published++;
	return 0;
}

static const struct control_parts parts = {
	.kinds = toy_kinds,
	.handlers = handlers,
	.handler_count = COUNT_OF(handlers),
	.bind = bind_nothing,
	.describe = describe_nothing,
	.publish = publish,
};

struct fixture {
	char folder[64];
	struct arena arena;
	struct call call;
	struct control *control;
	size_t events;
	json_t *last;
	json_t *result;
	int rc;
};

static void emit(void *ctx, json_t *event)
{
	struct fixture *f = ctx;
	f->events++;
	json_decref(f->last);
	f->last = event;
}

static void put(const struct fixture *f, const char *text)
{
	char path[128];
	struct err e;
	snprintf(path, sizeof(path), "%s/isobar.yaml", f->folder);
	assert_int_equal(0, file_write_atomic(path, str_of(text), 0600, &e));
}

static void begin(struct fixture *f, const char *workspace)
{
	memset(f, 0, sizeof(*f));
	snprintf(f->folder, sizeof(f->folder), "/tmp/isobar-api-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	put(f, workspace);
	call_init(&f->call, &f->arena, edges_real(), (struct str){0});
	f->call.principal = principal_of_process(&f->arena);
	const struct control_options options = {.path = f->folder, .parts = &parts};
	assert_int_equal(0, control_open(&f->call, &options, &f->control));
}

static void end(struct fixture *f)
{
	struct err e;
	json_decref(f->last);
	json_decref(f->result);
	control_close(f->control);
	arena_free(&f->arena);
	assert_int_equal(0, file_remove_tree(f->folder, &e));
}

static void ask(struct fixture *f, const char *method, const char *target, const char *body)
{
	json_t *object = NULL;
	if (body)
		assert_int_equal(0, json_parse(str_of(body), &object, NULL));
	json_decref(f->result);
	f->result = NULL;
	err_clear(&f->call.err);
	const struct api_call call = {
		.method = str_of(method), .target = str_of(target), .body = object, .emit = emit, .emit_ctx = f};
	f->rc = api_dispatch(&f->call, f->control, &call, &f->result);
	json_decref(object);
}

static void assert_fails(struct fixture *f, int code, const char *message)
{
	assert_int_equal(code, f->rc);
	assert_null(f->result);
	if (!strstr(f->call.err.message, message))
		fail_msg("%s", f->call.err.message);
}

// ---------------------------------------------------------------- routes
static void test_routes(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f, WORKSPACE);
	ask(&f, "GET", "/v1/nothing", NULL);
	assert_fails(&f, ERR_NOT_FOUND, "the API has no /v1/nothing");
	ask(&f, "PUT", "/v1/plan", NULL);
	assert_fails(&f, ERR_UNSUPPORTED, "/v1/plan does not answer to PUT");
	ask(&f, "POST", "/v1/plan", "[1]");
	assert_fails(&f, ERR_INVALID, "must be a JSON object");
	ask(&f, "DELETE", "/v1/overrides/", NULL);
	assert_fails(&f, ERR_NOT_FOUND, "the API has no");
	ask(&f, "DELETE", "/v1/overrides/%zz", NULL);
	assert_fails(&f, ERR_INVALID, "not well encoded");
	ask(&f, "DELETE", "/v1/overrides/endpoint%2Fx%20on%20a", NULL);
	assert_fails(&f, ERR_NOT_FOUND, "endpoint/x on a has no override");
	ask(&f, "GET", "/v1/health", NULL);
	assert_int_equal(0, f.rc);
	assert_string_equal("ok", json_text(f.result, "status"));
	end(&f);
}

static void test_every_route_has_a_permission_and_words(void **state)
{
	(void)state;
	for (size_t i = 0; i < api_route_count; i++) {
		const struct api_route *r = &api_routes[i];
		assert_non_null(strchr(r->permission, '.'));
		assert_non_null(r->handle);
		assert_true(strlen(r->summary) > 10);
		assert_non_null(r->response);
		assert_int_equal(0, strncmp(r->pattern, "/v1/", 4));
		for (size_t j = 0; j < i; j++)
			assert_false(strcmp(r->pattern, api_routes[j].pattern) == 0 &&
				     strcmp(r->method, api_routes[j].method) == 0);
	}
}

static void test_permission(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f, WORKSPACE);
	f.call.principal = S("user/somebody-else");
	ask(&f, "POST", "/v1/plan", NULL);
	assert_fails(&f, ERR_DENIED, "user/somebody-else may not do workspace.plan");
	f.call.principal = S("");
	ask(&f, "GET", "/v1/health", NULL);
	assert_int_equal(ERR_DENIED, f.rc);
	end(&f);
}

// ---------------------------------------------------------------- the workspace
static void test_validate(void **state)
{
	(void)state;
	struct fixture f;
	char hidden[128];
	begin(&f, WORKSPACE "bukets: {}\n");
	ask(&f, "POST", "/v1/validate", NULL);
	assert_int_equal(0, f.rc);
	assert_false(json_flag(f.result, "valid", true));
	assert_int_equal(1, json_array_size(json_object_get(f.result, "findings")));
	assert_int_equal(1, f.events);
	assert_string_equal("finding", json_text(f.last, "event"));
	assert_string_equal("bukets", json_text(f.last, "field"));
	ask(&f, "POST", "/v1/plan", NULL);
	assert_fails(&f, ERR_INVALID, "has 1 mistake");
	put(&f, WORKSPACE);
	ask(&f, "POST", "/v1/validate", NULL);
	assert_true(json_flag(f.result, "valid", false));
	assert_int_equal(2, json_int(f.result, "resources", 0));
	snprintf(hidden, sizeof(hidden), "%s/.isobar", f.folder);
	assert_false(file_exists(hidden)); // looking leaves nothing behind
	end(&f);
}

static void test_plan_and_apply(void **state)
{
	(void)state;
	struct fixture f;
	char body[128];
	begin(&f, WORKSPACE);
	ask(&f, "POST", "/v1/plan", "{}");
	assert_int_equal(0, f.rc);
	assert_int_equal(2, json_int(f.result, "create", 0));
	assert_false(json_flag(f.result, "empty", true));
	assert_non_null(strstr(json_text(f.result, "text"), "Plan: 2 to create"));
	snprintf(body, sizeof(body), "{\"digest\":\"%s\"}", json_text(f.result, "digest"));
	put(&f, WORKSPACE "  three: {}\n");
	ask(&f, "POST", "/v1/apply", body);
	assert_fails(&f, ERR_CONFLICT, "no longer what was approved");
	put(&f, WORKSPACE);
	f.events = 0;
	published = 0;
	ask(&f, "POST", "/v1/apply", body);
	assert_int_equal(0, f.rc);
	assert_int_equal(1, published);
	assert_int_equal(2, json_int(f.result, "done", 0));
	assert_int_equal(4, f.events);
	assert_string_equal("change", json_text(f.last, "event"));
	assert_string_equal("transform/two", json_text(f.last, "address"));
	ask(&f, "POST", "/v1/plan", NULL);
	assert_true(json_flag(f.result, "empty", false));
	ask(&f, "GET", "/v1/resources", NULL);
	assert_int_equal(2, json_array_size(json_object_get(f.result, "resources")));
	ask(&f, "GET", "/v1/status", NULL);
	assert_int_equal(2, json_int(json_object_get(f.result, "resources"), "ready", 0));
	assert_int_equal(1, json_int(json_object_get(f.result, "revision"), "number", 0));
	ask(&f, "POST", "/v1/destroy", NULL);
	assert_int_equal(2, json_int(f.result, "done", 0));
	assert_int_equal(2, published);
	ask(&f, "GET", "/v1/resources", NULL);
	assert_int_equal(0, json_array_size(json_object_get(f.result, "resources")));
	end(&f);
}

static void test_events(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f, WORKSPACE);
	ask(&f, "POST", "/v1/apply", NULL);
	ask(&f, "GET", "/v1/events?type=revision.", NULL);
	const json_t *events = json_object_get(f.result, "events");
	assert_int_equal(1, json_array_size(events));
	assert_string_equal("revision.committed", json_text(json_array_get(events, 0), "type"));
	int64_t head = json_int(f.result, "head", 0);
	assert_true(head > 1);
	ask(&f, "GET", "/v1/events?limit=1", NULL);
	assert_int_equal(1, json_array_size(json_object_get(f.result, "events")));
	char target[64];
	snprintf(target, sizeof(target), "/v1/events?since=%lld", (long long)head);
	ask(&f, "GET", target, NULL);
	assert_int_equal(0, json_array_size(json_object_get(f.result, "events")));
	ask(&f, "GET", "/v1/events?since=x", NULL);
	assert_fails(&f, ERR_INVALID, "expected a number");
	end(&f);
}

static void test_reads_of_an_empty_workspace(void **state)
{
	(void)state;
	static const char *const reads[][2] = {{"/v1/models", "models"}, {"/v1/endpoints", "endpoints"},
		{"/v1/alerts", "alerts"}, {"/v1/overrides", "overrides"}, {"/v1/cost", "transfers"},
		{"/v1/audit/verify", "gateways"}};
	struct fixture f;
	begin(&f, WORKSPACE);
	for (size_t i = 0; i < COUNT_OF(reads); i++) {
		ask(&f, "GET", reads[i][0], NULL);
		assert_int_equal(0, f.rc);
		assert_int_equal(0, json_array_size(json_object_get(f.result, reads[i][1])));
	}
	ask(&f, "GET", "/v1/report", NULL);
	assert_int_equal(0, f.rc);
	struct str html = json_str(f.result, "html");
	assert_true(str_starts(html, S("<!doctype html>")));
	assert_true(str_find(html, S("http")) == str_find(html, S("http-equiv"))); // no address of anything outside
	ask(&f, "POST", "/v1/runs", "{\"goal\":\"model/x@y\"}");
	assert_fails(&f, ERR_WAITING, "run `isobar apply` first");
	ask(&f, "POST", "/v1/runs", "{}");
	assert_fails(&f, ERR_INVALID, "say what to make");
	end(&f);
}

static void test_one_change_at_a_time(void **state)
{
	(void)state;
	struct fixture f;
	char path[128];
	struct err e;
	begin(&f, WORKSPACE);
	snprintf(path, sizeof(path), "%s/.isobar", f.folder);
	assert_int_equal(0, file_make_dirs(path, 0700, &e));
	snprintf(path, sizeof(path), "%s/.isobar/control.lock", f.folder);
	int lock = file_lock(path, &e);
	assert_true(lock >= 0);
	ask(&f, "POST", "/v1/apply", NULL);
	assert_fails(&f, ERR_IN_USE, "another isobar works on this workspace");
	ask(&f, "POST", "/v1/plan", NULL);
	assert_int_equal(0, f.rc); // looking is always allowed
	fd_close(&lock);
	end(&f);
}

// ---------------------------------------------------------------- over HTTP
struct served {
	struct fixture f;
	struct loop *loop;
	struct api_server *server;
	pthread_t thread;
};

static void *run(void *ctx)
{
	struct err e;
	assert_int_equal(0, loop_run(((struct served *)ctx)->loop, &e));
	return NULL;
}

static void serve(struct served *s)
{
	begin(&s->f, WORKSPACE);
	assert_int_equal(0, loop_new(&s->loop, &s->f.call.err));
	const struct api_server_options options = {.loop = s->loop,
		.control = s->f.control,
		.listen = S("127.0.0.1:0"),
		.token = S("t0ken"),
		.edges = edges_real()};
	assert_int_equal(0, api_server_new(&options, &s->server, &s->f.call.err));
	assert_int_equal(0, pthread_create(&s->thread, NULL, run, s));
}

struct drain {
	struct loop_task task;
	struct served *served;
};

static void drained(void *ctx)
{
	loop_stop(((struct served *)ctx)->loop);
}

static void begin_drain(struct loop_task *t)
{
	struct drain *d = CONTAINER_OF(t, struct drain, task);
	api_server_drain(d->served->server, drained, d->served);
}

static void stop(struct served *s)
{
	struct drain d = {.task = {.run = begin_drain}, .served = s};
	loop_post(s->loop, &d.task);
	pthread_join(s->thread, NULL);
	api_server_free(s->server);
	loop_free(s->loop);
	end(&s->f);
}

struct asked {
	const char *method, *path, *token, *accept, *body;
};

static struct http_call_response get(struct served *s, struct asked a)
{
	struct guard *guard;
	struct http_call_response answer = {0};
	assert_int_equal(0, guard_new_loopback(&guard, &s->f.call.err));
	const struct http_header headers[] = {
		{S("authorization"), arena_printf(&s->f.arena, "Bearer %s", a.token)}, {S("accept"), str_of(a.accept)}};
	const struct http_call_request r = {
		.method = str_of(a.method),
		.url = arena_printf(&s->f.arena, "%s%s", api_server_url(s->server), a.path),
		.headers = headers,
		.header_count = COUNT_OF(headers),
		.body = str_of(a.body),
		.guard = guard,
	};
	if (http_call(&s->f.call, &r, &answer) < 0)
		fail_msg("%s", s->f.call.err.message);
	guard_free(guard);
	return answer;
}

static void test_http(void **state)
{
	(void)state;
	struct served s;
	serve(&s);
	struct http_call_response a = get(&s, (struct asked){"GET", "/v1/health", "wrong", "*/*", ""});
	assert_int_equal(401, a.status);
	a = get(&s, (struct asked){"GET", "/v1/health", "t0ken", "*/*", ""});
	assert_int_equal(200, a.status);
	assert_true(str_find(a.body, S("\"status\":\"ok\"")) > 0);
	a = get(&s, (struct asked){"GET", "/v1/nothing", "t0ken", "*/*", ""});
	assert_int_equal(404, a.status);
	assert_true(str_find(a.body, S("\"code\":\"NOT_FOUND\"")) > 0);
	a = get(&s, (struct asked){"POST", "/v1/plan", "t0ken", "*/*", "{"});
	assert_int_equal(400, a.status);
	a = get(&s, (struct asked){"POST", "/v1/apply", "t0ken", "application/x-ndjson", "{}"});
	assert_int_equal(200, a.status);
	struct str rest = str_trim(a.body), line = {0};
	size_t lines = 0;
	while (str_next(&rest, '\n', &line))
		lines++;
	assert_int_equal(5, lines); // two started, two done, the result
	assert_true(str_starts(line, S("{\"result\":{\"done\":2,")));
	a = get(&s, (struct asked){"POST", "/v1/runs", "t0ken", "application/x-ndjson", "{}"});
	assert_int_equal(200, a.status);
	assert_true(str_starts(a.body, S("{\"error\":{\"code\":\"INVALID\"")));
	stop(&s);
}

static void test_reference(void **state)
{
	(void)state;
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	api_write_reference(out);
	fclose(out);
	for (size_t i = 0; i < api_route_count; i++)
		assert_non_null(strstr(text, api_routes[i].pattern));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_routes),
		cmocka_unit_test(test_every_route_has_a_permission_and_words),
		cmocka_unit_test(test_permission),
		cmocka_unit_test(test_validate),
		cmocka_unit_test(test_plan_and_apply),
		cmocka_unit_test(test_events),
		cmocka_unit_test(test_reads_of_an_empty_workspace),
		cmocka_unit_test(test_one_change_at_a_time),
		cmocka_unit_test(test_http),
		cmocka_unit_test(test_reference),
	};
	return cmocka_run_group_tests_name("api", tests, NULL, NULL);
}
