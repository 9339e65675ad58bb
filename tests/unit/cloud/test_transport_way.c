// SPDX-License-Identifier: Apache-2.0
// How the transport gets to a provider: through a proxy, with a private CA in each of the places where one may stand,
// and what becomes of a server that takes a request and hangs.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "proxy_lab.h"
#include "store_test.h"

static int ask(struct cloud_test *t, const struct transport_options *options, const char *url, struct str *body)
{
	struct http_transport transport;
	struct transport_response answer = {0};
	err_clear(&t->call.err);
	assert_int_equal(curl_transport_open(options, &transport, &t->call.err), 0);
	const struct transport_request request = {.method = "GET", .url = str_of(url)};
	int code = transport.perform(&t->call, transport.ctx, &request, &answer);
	transport.close(transport.ctx);
	*body = answer.body;
	return code;
}

static const struct str allowed = S_INIT("target.example:443");

static void test_proxy_and_private_ca(void **state)
{
	(void)state;
	struct cloud_test t;
	struct proxy_lab *lab = proxy_lab_start(0);
	struct str body;
	assert_non_null(lab);
	cloud_test_init(&t);
	const struct proxy_settings proxy = {.https = str_of(proxy_lab_url(lab))};
	struct transport_options o = {
		.ca_file = str_of(proxy_lab_ca(lab)), .proxy = &proxy, .hosts = &allowed, .host_count = 1};
	if (ask(&t, &o, "https://target.example/x", &body))
		fail_msg("%s", t.call.err.message);
	assert_true(str_eq(body, S("hello")));
	assert_true(str_starts(proxy_lab_asked(lab), S("CONNECT target.example:443 HTTP/1.1\r\n")));
	assert_true(str_find(proxy_lab_asked(lab), S("dXNlcjpwYSBzcw==")) > 0);
	// The same CA beside the system's, then from the environment, then not at all.
	o.trust_file = o.ca_file;
	o.ca_file = S("");
	assert_int_equal(ask(&t, &o, "https://target.example/x", &body), 0);
	o.trust_file = S("");
	setenv("SSL_CERT_FILE", proxy_lab_ca(lab), 1);
	assert_int_equal(ask(&t, &o, "https://target.example/x", &body), 0);
	unsetenv("SSL_CERT_FILE");
	assert_int_equal(ask(&t, &o, "https://target.example/x", &body), ERR_DENIED);
	assert_non_null(strstr(t.call.err.message, "certificate of target.example is not trusted"));
	// The guard comes before the proxy.
	int before = proxy_lab_count(lab);
	assert_int_equal(ask(&t, &o, "https://other.example/x", &body), ERR_DENIED);
	assert_int_equal(ask(&t, &o, "http://target.example:443/x", &body), ERR_DENIED);
	assert_int_equal(proxy_lab_count(lab), before);
	cloud_test_free(&t);
	proxy_lab_stop(lab);
}

static void test_environment(void **state)
{
	(void)state;
	struct cloud_test t;
	struct proxy_lab *lab = proxy_lab_start(0);
	struct str body;
	assert_non_null(lab);
	cloud_test_init(&t);
	struct transport_options o = {.ca_file = str_of(proxy_lab_ca(lab)), .hosts = &allowed, .host_count = 1};
	setenv("HTTPS_PROXY", proxy_lab_url(lab), 1);
	assert_int_equal(ask(&t, &o, "https://target.example/x", &body), 0);
	assert_int_equal(proxy_lab_count(lab), 1);
	// Where somebody said which proxies there are, the environment has no say, not even with libcurl itself.
	const struct proxy_settings none = {.no = S("x")};
	o.proxy = &none;
	assert_int_equal(ask(&t, &o, "https://target.example/x", &body), ERR_UNAVAILABLE);
	assert_int_equal(proxy_lab_count(lab), 1);
	unsetenv("HTTPS_PROXY");
	cloud_test_free(&t);
	proxy_lab_stop(lab);
}

static void test_refusal(void **state)
{
	(void)state;
	static const struct {
		int status, code;
	} rows[] = {{407, ERR_DENIED}, {403, ERR_DENIED}, {503, ERR_UNAVAILABLE}};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct cloud_test t;
		struct proxy_lab *lab = proxy_lab_start(rows[i].status);
		struct str body;
		assert_non_null(lab);
		cloud_test_init(&t);
		const struct proxy_settings proxy = {.https = str_of(proxy_lab_url(lab))};
		const struct transport_options o = {.proxy = &proxy, .hosts = &allowed, .host_count = 1};
		assert_int_equal(ask(&t, &o, "https://target.example/x", &body), rows[i].code);
		if (!strstr(t.call.err.message, "opens no tunnel to target.example:443"))
			fail_msg("%s", t.call.err.message);
		assert_null(strstr(t.call.err.message, "pa%20ss"));
		cloud_test_free(&t);
		proxy_lab_stop(lab);
	}
}

// It reads the request and keeps the connection: no deadline is needed to get away from it.
static void test_server_that_hangs(void **state)
{
	(void)state;
	struct store_test x;
	const struct script_step steps[] = {{.status = 200, .body = {NULL, 0}}};
	store_test_start(&x, steps, 1);
	struct str host, body;
	assert_int_equal(transport_host(x.url, &x.t.arena, &host, NULL), 0);
	const struct transport_options o = {.hosts = &host, .host_count = 1, .head_ns = 100 * NS_PER_MS};
	script_server_hold(x.server);
	assert_int_equal(ask(&x.t, &o, script_server_url(x.server), &body), ERR_UNAVAILABLE);
	assert_non_null(strstr(x.t.call.err.message, "does not answer: no answer for"));
	assert_true(x.t.call.err.retryable);
	x.transport.close(x.transport.ctx);
	store_test_stop(&x, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_proxy_and_private_ca),
		cmocka_unit_test(test_environment),
		cmocka_unit_test(test_refusal),
		cmocka_unit_test(test_server_that_hangs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
