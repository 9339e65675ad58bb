// SPDX-License-Identifier: Apache-2.0
// The client: in this process, and over HTTP against a small server that answers as the control plane does: events,
// results, errors, lines cut anywhere, answers of strangers.
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "client/client.h"
#include "net/http_server.h"

struct plane { // a stand-in of `isobar up`
	char folder[64];
	struct loop *loop;
	struct http_server *server;
	pthread_t thread;
	const char *answer; // body of the next answer
	int status;
	char seen_path[128], seen_token[128], seen_body[256];
};

static void got_body(struct http_exchange *x, struct str body)
{
	struct plane *p = x->ctx;
	snprintf(p->seen_path, sizeof(p->seen_path), "%.*s %.*s", STR(x->request.method_text), STR(x->request.target));
	snprintf(p->seen_token, sizeof(p->seen_token), "%.*s",
		STR(http_header_get(&x->request.headers, "authorization")));
	snprintf(p->seen_body, sizeof(p->seen_body), "%.*s", STR(body));
	http_reply_text(x, p->status, "application/x-ndjson", str_of(p->answer));
}

static void on_begin(struct http_exchange *x)
{
	http_body_collect(x, 1 << 20, got_body);
}

static const struct http_service service = {.begin = on_begin};

static void *run(void *ctx)
{
	struct plane *p = ctx;
	struct err e;
	assert_int_equal(0, loop_run(p->loop, &e));
	return NULL;
}

static void put(const struct plane *p, const char *name, const char *text)
{
	char path[256];
	struct err e;
	snprintf(path, sizeof(path), "%s/.isobar/%s", p->folder, name);
	assert_int_equal(0, file_write_atomic(path, str_of(text), 0600, &e));
}

static void start(struct plane *p)
{
	struct err e = {0};
	char text[512];
	memset(p, 0, sizeof(*p));
	snprintf(p->folder, sizeof(p->folder), "/tmp/isobar-client-XXXXXX");
	assert_non_null(mkdtemp(p->folder));
	snprintf(text, sizeof(text), "%s/.isobar", p->folder);
	assert_int_equal(0, file_make_dirs(text, 0700, &e));
	assert_int_equal(0, loop_new(&p->loop, &e));
	const struct http_server_options options = {
		.loop = p->loop, .service = &service, .ctx = p, .listen = S("127.0.0.1:0")};
	assert_int_equal(0, http_server_new(&options, &p->server, &e));
	snprintf(text, sizeof(text), "{\"url\":\"%s\",\"pid\":%d}", http_server_url(p->server), (int)getpid());
	put(p, "control.json", text);
	put(p, "control.token", "secret-token\n");
	p->status = 200;
	assert_int_equal(0, pthread_create(&p->thread, NULL, run, p));
}

static void end(struct plane *p)
{
	struct err e;
	loop_stop(p->loop);
	pthread_join(p->thread, NULL);
	http_server_free(p->server);
	loop_free(p->loop);
	assert_int_equal(0, file_remove_tree(p->folder, &e));
}

struct asked {
	struct arena arena;
	struct call call;
	struct client *client;
	json_t *result;
	size_t events;
	char last[64];
	int rc;
};

static void on_event(void *ctx, const json_t *event)
{
	struct asked *a = ctx;
	a->events++;
	snprintf(a->last, sizeof(a->last), "%s", json_text(event, "event"));
}

static void open_client(struct asked *a, const char *folder, const struct client_local *local)
{
	memset(a, 0, sizeof(*a));
	call_init(&a->call, &a->arena, edges_real(), S("user/test"));
	const struct client_options options = {
		.state_folder = arena_printf(&a->arena, "%s/.isobar", folder), .local = local};
	a->rc = client_open(&a->call, &options, &a->client);
}

static void request(struct asked *a, const json_t *body)
{
	const struct client_request r = {
		.method = "POST", .path = "/v1/x?y=1", .body = body, .on_event = on_event, .ctx = a};
	a->rc = client_call(&a->call, a->client, &r, &a->result);
}

static void close_client(struct asked *a)
{
	json_decref(a->result);
	client_close(a->client);
	arena_free(&a->arena);
}

static void ask(struct plane *p, struct asked *a, const char *answer)
{
	p->answer = answer;
	open_client(a, p->folder, NULL);
	assert_int_equal(0, a->rc);
	assert_true(client_is_remote(a->client));
	request(a, NULL);
}

static void test_events_then_result(void **state)
{
	(void)state;
	struct plane p;
	struct asked a;
	start(&p);
	ask(&p, &a, "{\"event\":\"one\"}\n\n{\"event\":\"two\",\"n\":1}\n{\"result\":{\"done\":3}}\n");
	assert_int_equal(0, a.rc);
	assert_int_equal(2, a.events);
	assert_string_equal("two", a.last);
	assert_int_equal(3, json_int(a.result, "done", 0));
	assert_string_equal("POST /v1/x?y=1", p.seen_path);
	assert_string_equal("Bearer secret-token", p.seen_token);
	close_client(&a);
	end(&p);
}

static void test_body_is_sent(void **state)
{
	(void)state;
	struct plane p;
	struct asked a;
	start(&p);
	p.answer = "{\"result\":{}}"; // without a last LF
	open_client(&a, p.folder, NULL);
	json_t *body = json_pack("{s:s}", "goal", "x");
	request(&a, body);
	assert_int_equal(0, a.rc);
	assert_string_equal("{\"goal\":\"x\"}", p.seen_body);
	json_decref(body);
	close_client(&a);
	end(&p);
}

static void test_errors_keep_their_code(void **state)
{
	(void)state;
	struct plane p;
	struct asked a;
	start(&p);
	ask(&p, &a,
		"{\"event\":\"one\"}\n{\"error\":{\"code\":\"CONFLICT\",\"message\":\"plan "
		"again\",\"retryable\":true}}\n");
	assert_int_equal(ERR_CONFLICT, a.rc);
	assert_string_equal("plan again", a.call.err.message);
	assert_true(a.call.err.retryable);
	assert_null(a.result);
	close_client(&a);
	p.status = 401;
	ask(&p, &a, "{\"error\":\"who are you\"}");
	assert_int_equal(ERR_PROTOCOL, a.rc);
	assert_non_null(strstr(a.call.err.message, "who are you"));
	close_client(&a);
	end(&p);
}

static void test_strange_answers(void **state)
{
	(void)state;
	static const char *const answers[] = {
		"", "{\"event\":\"one\"}\n", "<html>", "{\"result\":", "{\"result\":{}} trailing"};
	struct plane p;
	struct asked a;
	start(&p);
	for (size_t i = 0; i < COUNT_OF(answers); i++) {
		ask(&p, &a, answers[i]);
		assert_true(a.rc == ERR_PROTOCOL || a.rc == ERR_INVALID);
		assert_null(a.result);
		close_client(&a);
	}
	end(&p);
}

static void test_nobody_runs(void **state)
{
	(void)state;
	struct plane p;
	struct asked a;
	start(&p);
	put(&p, "control.json", "{\"url\":\"http://127.0.0.1:1\",\"pid\":2147483646}");
	open_client(&a, p.folder, NULL);
	assert_int_equal(ERR_UNAVAILABLE, a.rc);
	assert_non_null(strstr(a.call.err.message, "has ended: start it again"));
	close_client(&a);
	char path[128];
	snprintf(path, sizeof(path), "%s/.isobar/control.json", p.folder);
	assert_int_equal(0, unlink(path));
	open_client(&a, p.folder, NULL);
	assert_int_equal(ERR_UNAVAILABLE, a.rc);
	assert_non_null(strstr(a.call.err.message, "isobar up"));
	close_client(&a);
	end(&p);
}

static int local_dispatch(struct call *c, void *ctx, const struct client_request *r, json_t **result)
{
	(void)c;
	assert_string_equal("/v1/x?y=1", r->path);
	json_t *event = json_pack("{s:s}", "event", "local");
	r->on_event(r->ctx, event);
	json_decref(event);
	*result = json_pack("{s:i}", "from", *(int *)ctx);
	return 0;
}

static void test_local(void **state)
{
	(void)state;
	struct asked a;
	int number = 7;
	const struct client_local local = {.ctx = &number, .dispatch = local_dispatch};
	open_client(&a, "/tmp/isobar-no-such-folder", &local);
	assert_int_equal(0, a.rc);
	assert_false(client_is_remote(a.client));
	assert_int_equal(0, client_url(a.client).n);
	request(&a, NULL);
	assert_int_equal(0, a.rc);
	assert_int_equal(7, json_int(a.result, "from", 0));
	assert_string_equal("local", a.last);
	close_client(&a);
}

static void test_escape(void **state)
{
	(void)state;
	struct arena arena = {0};
	struct str text = client_escape(&arena, S("endpoint/classify on aws-us"));
	assert_true(str_eq(S("endpoint%2Fclassify%20on%20aws-us"), text));
	arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_events_then_result),
		cmocka_unit_test(test_body_is_sent),
		cmocka_unit_test(test_errors_keep_their_code),
		cmocka_unit_test(test_strange_answers),
		cmocka_unit_test(test_nobody_runs),
		cmocka_unit_test(test_local),
		cmocka_unit_test(test_escape),
	};
	return cmocka_run_group_tests_name("client", tests, NULL, NULL);
}
