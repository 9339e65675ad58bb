// SPDX-License-Identifier: Apache-2.0
// The transport on libcurl, and exchanges over it: where calls may go, how they end, how the way fails.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <unistd.h>

#include "cloud/http/exchange.h"
#include "store_test.h"

static int perform(struct store_test *x, const char *url, struct transport_response *out)
{
	struct transport_request request = {.method = "GET", .url = str_of(url)};
	err_clear(&x->c->err);
	return x->transport.perform(x->c, x->transport.ctx, &request, out);
}

static void test_answer(void **state)
{
	(void)state;
	const struct script_step steps[] = {
		{.status = 404, .headers = "X-One:  1 \r\nx-two:\r\n", .body = S("the body")}, {.status = 200}};
	struct store_test x;
	struct transport_response answer;
	store_test_start(&x, steps, 2);
	assert_int_equal(perform(&x, script_server_url(x.server), &answer), 0);
	assert_int_equal(answer.status, 404);
	assert_true(str_eq(answer.body, S("the body")));
	assert_true(str_eq(transport_header(&answer, S("x-one")), S("1")));
	assert_int_equal(transport_header(&answer, S("x-two")).n, 0);
	const struct sign_header headers[] = {{S("x-empty"), S("")}, {S("x-a"), S("b c")}};
	struct transport_request request = {.method = "PUT",
		.url = arena_printf(&x.t.arena, "%.*s/a//../b%%20c?d=%%2F", STR(x.url)),
		.headers = headers,
		.header_count = 2,
		.body = S("")};
	assert_int_equal(x.transport.perform(x.c, x.transport.ctx, &request, &answer), 0);
	store_test_request(&x, 1, "PUT", "/a//../b%20c?d=%2F"); // the path stays as it is
	store_test_header(&x, 1, "x-a", "b c");
	store_test_header(&x, 1, "content-length", "0");
	store_test_header(&x, 1, "expect", "");
	store_test_header(&x, 1, "accept", "");
	x.transport.close(x.transport.ctx);
	store_test_stop(&x, 2);
}

// A second answer to a request is never taken for the answer to the next one.
static void test_answered_twice(void **state)
{
	(void)state;
	static char large[40000];
	memset(large, 'x', sizeof(large));
	const struct script_step steps[] = {{.status = 200, .body = S("first"), .fault = SCRIPT_TWICE},
		{.status = 200, .body = S("second")},
		{.status = 200, .body = {large, sizeof(large)}, .fault = SCRIPT_TWICE},
		{.status = 201, .body = S(""), .fault = SCRIPT_TWICE}, {.status = 200, .body = S("last")}};
	struct store_test x;
	struct transport_response answer;
	store_test_start(&x, steps, COUNT_OF(steps));
	for (size_t i = 0; i < COUNT_OF(steps); i++) {
		assert_int_equal(perform(&x, script_server_url(x.server), &answer), 0);
		assert_int_equal(answer.status, steps[i].status);
		assert_true(str_eq(answer.body, steps[i].body));
	}
	x.transport.close(x.transport.ctx);
	store_test_stop(&x, COUNT_OF(steps));
}

static void test_guard(void **state)
{
	(void)state;
	struct store_test x;
	struct transport_response answer;
	store_test_start(&x, NULL, 0);
	int port = script_server_port(x.server);
	static const char *const refused[] = {"http://127.0.0.1:%d", "http://localhost:%d", "http://example.com:%d",
		"http://169.254.169.254:%d", "https://127.0.0.2:%d", "ftp://127.0.0.1:%d", "file:///etc/passwd"};
	for (size_t i = 0; i < COUNT_OF(refused); i++) {
		char url[100];
		AUTO(buf) text = {0};
		struct str start, end;
		str_cut(str_of(refused[i]), '%', &start, &end);
		buf_printf(&text, "%.*s%d", STR(start), i ? port : port + 1); // the right host, but another port
		snprintf(url, sizeof(url), "%s", buf_cstr(&text));
		int r = perform(&x, url, &answer);
		if (r != ERR_DENIED && r != ERR_INVALID)
			fail_msg("%s: %d", url, r);
	}
	x.transport.close(x.transport.ctx);
	store_test_stop(&x, 0);
}

static void test_way_fails(void **state)
{
	(void)state;
	const struct script_step steps[] = {{.fault = SCRIPT_CLOSE},
		{.status = 200, .body = S("0123456789"), .fault = SCRIPT_CUT},
		{.status = 200, .body = S("0123456789"), .fault = SCRIPT_HEAD}, {.status = 200, .fault = SCRIPT_HEAD}};
	struct store_test x;
	struct transport_response answer;
	store_test_start(&x, steps, COUNT_OF(steps));
	char url[64];
	snprintf(url, sizeof(url), "%s", script_server_url(x.server));
	for (size_t i = 0; i < COUNT_OF(steps); i++) {
		assert_int_equal(perform(&x, url, &answer), ERR_UNAVAILABLE);
		assert_true(x.c->err.retryable);
		assert_non_null(strstr(x.c->err.message, "was cut"));
	}
	struct http_transport transport = x.transport;
	size_t served = script_server_served(x.server);
	assert_int_equal(served, COUNT_OF(steps));
	script_server_stop(x.server);
	assert_int_equal(perform(&x, url, &answer), ERR_UNAVAILABLE);
	assert_non_null(strstr(x.c->err.message, "cannot be reached"));
	transport.close(transport.ctx);
	cloud_test_free(&x.t);
}

static void test_deadline_and_cancel(void **state)
{
	(void)state;
	struct store_test x;
	struct transport_response answer;
	atomic_bool cancel = true;
	store_test_start(&x, NULL, 0);
	x.c->deadline_ns = call_mono_ns(x.c) - 1;
	assert_int_equal(perform(&x, script_server_url(x.server), &answer), ERR_TIMEOUT);
	x.c->deadline_ns = 0;
	x.c->cancel = &cancel;
	assert_int_equal(perform(&x, script_server_url(x.server), &answer), ERR_CANCELLED);
	x.transport.close(x.transport.ctx);
	store_test_stop(&x, 0);
}

// A server that accepts and never answers.
static void test_deadline_passes(void **state)
{
	(void)state;
	struct store_test x;
	struct transport_response answer;
	const struct script_step steps[] = {{.status = 200, .body = {NULL, 0}}};
	store_test_start(&x, steps, 1);
	struct transport_request request = {.method = "GET", .url = x.url};
	x.c->deadline_ns = call_mono_ns(x.c) + 50000000;
	script_server_hold(x.server);
	assert_int_equal(x.transport.perform(x.c, x.transport.ctx, &request, &answer), ERR_TIMEOUT);
	x.transport.close(x.transport.ctx);
	store_test_stop(&x, 0);
}

enum { THREADS = 4, CALLS = 8 };

static void *call_often(void *ctx)
{
	const struct store_test *x = ctx;
	struct arena arena = {0};
	struct call c;
	uintptr_t wrong = 0;
	call_init(&c, &arena, edges_real(), S("test"));
	for (int i = 0; i < CALLS; i++) {
		struct transport_response answer = {0};
		struct transport_request request = {.method = "PUT", .url = x->url, .body = S("12345")};
		wrong += x->transport.perform(&c, x->transport.ctx, &request, &answer) ||
			 !str_eq(answer.body, S("the body"));
	}
	arena_free(&arena);
	return (void *)wrong;
}

static void test_threads(void **state)
{
	(void)state;
	struct script_step steps[THREADS * CALLS];
	struct store_test x;
	pthread_t threads[THREADS];
	for (size_t i = 0; i < COUNT_OF(steps); i++)
		steps[i] = (struct script_step){.status = 200, .body = S("the body")};
	store_test_start(&x, steps, COUNT_OF(steps));
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, call_often, &x), 0);
	for (size_t i = 0; i < THREADS; i++) {
		void *wrong = NULL;
		assert_int_equal(pthread_join(threads[i], &wrong), 0);
		assert_null(wrong);
	}
	x.transport.close(x.transport.ctx);
	store_test_stop(&x, THREADS * CALLS);
}

static void test_bad_headers(void **state)
{
	(void)state;
	struct store_test x;
	struct transport_response answer;
	store_test_start(&x, NULL, 0);
	const struct sign_header header = {S("x-a"), S("b\r\nx-evil: 1")};
	struct transport_request request = {.method = "GET", .url = x.url, .headers = &header, .header_count = 1};
	assert_int_equal(x.transport.perform(x.c, x.transport.ctx, &request, &answer), ERR_INVALID);
	x.transport.close(x.transport.ctx);
	store_test_stop(&x, 0);
}

static int authorize(struct call *c, struct provider *p, const struct sign_request *r, struct exchange *x)
{
	(void)p;
	exchange_header(
		x, "x-signed", arena_printf(c->arena, "%.*s?%.*s %zu", STR(r->path), STR(r->query), r->header_count));
	return 0;
}

static int refused(struct call *c, struct provider *p, const struct transport_response *r)
{
	(void)p;
	call_fail(c, r->status == 500 ? ERR_UNAVAILABLE : ERR_INVALID, "status %d", r->status);
	return c->err.code;
}

static void test_exchange(void **state)
{
	(void)state;
	static const struct provider_ops ops = {.name = "test", .authorize = authorize, .refused = refused};
	static const struct cloud_call call = {
		.operation = "GetThing", .method = "GET", .path = "/{key}", .query = "", .permissions = ""};
	const struct script_step steps[] = {
		{.status = 500}, {.status = 200}, {.status = 500}, {.status = 308}, {.status = 302}, {.status = 400}};
	struct store_test x;
	struct transport_response answer;
	struct provider p = {0};
	store_test_start(&x, steps, COUNT_OF(steps));
	struct str base = arena_printf(&x.t.arena, "%.*s/acct/", STR(x.url));
	assert_int_equal(provider_init(&p, &ops, base, &x.t.arena, NULL), 0);
	p.transport = x.transport;
	assert_true(str_eq(p.base_path, S("/acct")));
	assert_false(p.secure);
	struct exchange e = {.call = &call, .path = S("/x"), .query = S("q=1")};
	assert_int_equal(exchange_run(x.c, &p, &e, &answer), 0);
	assert_int_equal(e.attempts, 2);
	assert_int_equal(e.header_count, 0); // what was added for an attempt is gone
	store_test_request(&x, 1, "GET", "/acct/x?q=1");
	store_test_header(&x, 1, "x-signed", "/acct/x?q=1 1");
	assert_true(str_eq(script_server_header(x.server, 1, "host"), p.host));
	e = (struct exchange){.call = &call, .path = S("/x"), .once = true};
	assert_int_equal(exchange_run(x.c, &p, &e, &answer), ERR_UNAVAILABLE);
	e = (struct exchange){.call = &call, .path = S("/x"), .accept = 308};
	assert_int_equal(exchange_run(x.c, &p, &e, &answer), 0);
	assert_int_equal(answer.status, 308);
	assert_int_equal(exchange_run(x.c, &p, &e, &answer), ERR_PROTOCOL); // a redirect
	assert_int_equal(exchange_run(x.c, &p, &e, &answer), ERR_INVALID);
	for (int i = 0; i < EXCHANGE_MAX_HEADERS + 3; i++)
		exchange_header(&e, "x-many", S("1"));
	assert_int_equal(exchange_run(x.c, &p, &e, &answer), ERR_INTERNAL);
	// What is not in the driver's table is not sent.
	e = (struct exchange){.path = S("/x")};
	assert_int_equal(exchange_run(x.c, &p, &e, &answer), ERR_INTERNAL);
	e = (struct exchange){.call = &call, .path = S("/")};
	assert_int_equal(exchange_run(x.c, &p, &e, &answer), ERR_INTERNAL);
	assert_string_equal(x.c->err.message, "/? is not what the driver's table says of GetThing");
	AUTO(buf) query = {0};
	exchange_parameter(&query, "a", S("b/c d"));
	exchange_parameter(&query, "e", S(""));
	assert_string_equal(buf_cstr(&query), "a=b%2Fc%20d&e=");
	x.transport.close(x.transport.ctx);
	store_test_stop(&x, COUNT_OF(steps));
}

static void test_addresses(void **state)
{
	(void)state;
	AUTO(arena) a = {0};
	struct provider p;
	struct str host;
	struct err e = {0};
	assert_int_equal(provider_init(&p, NULL, S("https://s3.eu-west-1.amazonaws.com"), &a, &e), 0);
	assert_true(p.secure && str_eq(p.host, S("s3.eu-west-1.amazonaws.com")) && p.base_path.n == 0);
	assert_int_equal(provider_init(&p, NULL, S("http://[::1]:80/a"), &a, &e), 0);
	assert_true(str_eq(p.host, S("[::1]:80")));
	assert_int_equal(provider_init(&p, NULL, S("http://h/?x"), &a, &e), ERR_INVALID);
	assert_int_equal(provider_init(&p, NULL, S("s3.amazonaws.com"), &a, &e), ERR_INVALID);
	assert_int_equal(transport_host(S("https://h.example/x"), &a, &host, &e), 0);
	assert_true(str_eq(host, S("h.example:443")));
	assert_int_equal(transport_host(S("http://[::1]:8080"), &a, &host, &e), 0);
	assert_true(str_eq(host, S("[::1]:8080")));
	assert_int_equal(transport_host(S("h"), &a, &host, &e), ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answer),
		cmocka_unit_test(test_answered_twice),
		cmocka_unit_test(test_guard),
		cmocka_unit_test(test_way_fails),
		cmocka_unit_test(test_deadline_and_cancel),
		cmocka_unit_test(test_deadline_passes),
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_bad_headers),
		cmocka_unit_test(test_exchange),
		cmocka_unit_test(test_addresses),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
