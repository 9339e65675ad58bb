// SPDX-License-Identifier: Apache-2.0
// Which calls go through a proxy, and going through one: NO_PROXY in all its forms, what a tunnel is asked for, TLS
// with the target itself, refusals, and the outbound guard, which a proxy does not get around.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "net/http_call.h"
#include "net/http_client.h"
#include "net/proxy.h"
#include "proxy_lab.h"

static struct proxy way(const struct proxy_settings *s, const char *target)
{
	struct url url;
	struct proxy out;
	struct err e = {0};
	if (url_parse(str_of(target), &url, &e) || proxy_for(s, &url, &out, &e))
		fail_msg("%s: %s", target, e.message);
	return out;
}

static void test_no_proxy(void **state)
{
	(void)state;
	static const struct {
		const char *no, *target;
		bool direct;
	} rows[] = {
		{"", "https://a.example", false},
		{"a.example", "https://a.example", true},
		{"A.Example", "https://a.example", true},
		{"example", "https://a.example", true},
		{"ample", "https://a.example", false},
		{".example", "https://a.example", true},
		{".a.example", "https://a.example", false},
		{"*.example", "https://a.example", true},
		{"*", "https://a.example", true},
		{"x, a.example ,y", "https://a.example", true},
		{"x a.example", "https://a.example", true},
		{"a.example:443", "https://a.example", true},
		{"a.example:8443", "https://a.example", false},
		{"a.example:8443", "https://a.example:8443", true},
		{"10.0.0.0/8", "https://10.1.2.3", true},
		{"10.0.0.0/9", "https://10.200.2.3", false},
		{"10.0.0.0/33", "https://10.0.0.0", false},
		{"10.1.2.3", "https://10.1.2.3", true},
		{"10.1.2.3:8443", "https://10.1.2.3", false},
		{"10.1.2.3", "https://10.1.2.30", false},
		{"fd00::/8", "https://[fd12::1]", true},
		{"[fd12::1]:443", "https://[fd12::1]", true},
		{"fd12::1", "https://[fd12::2]", false},
		{"10.0.0.0/8", "https://10.example", false},
		{",,, ,", "https://a.example", false},
		// Loopback needs no rule.
		{"", "https://localhost:1", true},
		{"", "http://127.0.0.1:1", true},
		{"", "https://127.9.9.9", true},
		{"", "https://[::1]", true},
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct proxy_settings s = {
			.https = S("proxy.example:3128"), .http = S("proxy.example:3128"), .no = str_of(rows[i].no)};
		if (way(&s, rows[i].target).used == rows[i].direct)
			fail_msg("NO_PROXY=%s %s", rows[i].no, rows[i].target);
	}
}

static void test_address(void **state)
{
	(void)state;
	static const struct {
		const char *text, *host, *user;
		unsigned port;
	} rows[] = {
		{"http://proxy.example:3128", "proxy.example", "", 3128},
		{"proxy.example:3128/", "proxy.example", "", 3128},
		{"proxy.example", "proxy.example", "", 80},
		{"http://me:p@ss@[fd00::1]:8080", "fd00::1", "me:p@ss", 8080},
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct proxy_settings s = {.https = str_of(rows[i].text)};
		struct proxy p = way(&s, "https://a.example");
		assert_true(p.used);
		assert_true(str_eq(p.url.authority.host, str_of(rows[i].host)));
		assert_true(str_eq(p.user, str_of(rows[i].user)));
		assert_int_equal(p.url.port, rows[i].port);
	}
	static const struct {
		const char *text;
		int code;
	} wrong[] = {{"socks5://p:1", ERR_UNSUPPORTED}, {"https://p:1", ERR_UNSUPPORTED},
		{"http://u:hunter2@", ERR_INVALID}, {"u:hunter2@p:99999", ERR_INVALID}, {"p q", ERR_INVALID}};
	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		struct proxy_settings s = {.https = str_of(wrong[i].text)};
		struct url url;
		struct proxy out;
		struct err e = {0};
		assert_int_equal(url_parse(S("https://a.example"), &url, &e), 0);
		assert_int_equal(proxy_for(&s, &url, &out, &e), wrong[i].code);
		assert_non_null(strstr(e.message, "HTTPS_PROXY"));
		assert_null(strstr(e.message, "hunter2"));
	}
}

static void test_environment(void **state)
{
	(void)state;
	struct proxy_settings s;
	setenv("HTTPS_PROXY", "upper:1", 1);
	setenv("HTTP_PROXY", "plain:1", 1);
	setenv("NO_PROXY", " a ", 1);
	proxy_of_environment(&s);
	assert_true(str_eq(s.https, S("upper:1")) && str_eq(s.http, S("plain:1")) && str_eq(s.no, S("a")));
	setenv("https_proxy", "lower:1", 1);
	setenv("REQUEST_METHOD", "GET", 1);
	proxy_of_environment(&s);
	assert_true(str_eq(s.https, S("lower:1")));
	assert_int_equal(s.http.n, 0);
	unsetenv("HTTPS_PROXY");
	unsetenv("https_proxy");
	unsetenv("HTTP_PROXY");
	unsetenv("NO_PROXY");
	unsetenv("REQUEST_METHOD");
	proxy_of_environment(&s);
	assert_int_equal(s.https.n + s.http.n + s.no.n, 0);
}

// ---------------------------------------------------------------- through one
static int call(struct call *c, const char *url, const char *ca, struct http_call_response *out)
{
	AUTO(guard) guard = NULL;
	const struct str allowed = S("target.example:443");
	assert_int_equal(guard_new(&allowed, 1, &guard, &c->err), 0);
	err_clear(&c->err);
	const struct http_call_request r = {.url = str_of(url), .guard = guard, .ca_file = ca};
	return http_call(c, &r, out);
}

static void test_tunnel(void **state)
{
	(void)state;
	AUTO(arena) arena = {0};
	struct call c;
	struct http_call_response answer;
	struct proxy_lab *lab = proxy_lab_start(0);
	assert_non_null(lab);
	call_init(&c, &arena, edges_real(), S("user/test"));
	setenv("HTTPS_PROXY", proxy_lab_url(lab), 1);
	if (call(&c, "https://target.example/x", proxy_lab_ca(lab), &answer))
		fail_msg("%s", c.err.message);
	assert_int_equal(answer.status, 200);
	assert_true(str_eq(answer.body, S("hello")));
	assert_true(str_eq(proxy_lab_asked(lab), S("CONNECT target.example:443 HTTP/1.1\r\nhost: target.example:443\r\n"
						   "proxy-authorization: Basic dXNlcjpwYSBzcw==\r\n\r\n")));
	// The proxy changes nothing about whom we believe, or whom we may call.
	assert_int_equal(call(&c, "https://target.example/x", NULL, &answer), ERR_DENIED);
	assert_non_null(strstr(c.err.message, "certificate"));
	int before = proxy_lab_count(lab);
	assert_int_equal(call(&c, "https://other.example/x", proxy_lab_ca(lab), &answer), ERR_DENIED);
	assert_int_equal(call(&c, "https://169.254.169.254/x", proxy_lab_ca(lab), &answer), ERR_DENIED);
	assert_int_equal(proxy_lab_count(lab), before);
	unsetenv("HTTPS_PROXY");
	proxy_lab_stop(lab);
}

static void test_ca_of_environment(void **state)
{
	(void)state;
	AUTO(arena) arena = {0};
	struct call c;
	struct http_call_response answer;
	struct proxy_lab *lab = proxy_lab_start(0);
	assert_non_null(lab);
	call_init(&c, &arena, edges_real(), S("user/test"));
	setenv("HTTPS_PROXY", proxy_lab_url(lab), 1);
	setenv("SSL_CERT_FILE", proxy_lab_ca(lab), 1);
	if (call(&c, "https://target.example/x", NULL, &answer))
		fail_msg("%s", c.err.message);
	assert_int_equal(answer.status, 200);
	unsetenv("SSL_CERT_FILE");
	unsetenv("HTTPS_PROXY");
	proxy_lab_stop(lab);
}

static void test_refusals(void **state)
{
	(void)state;
	static const struct {
		int status, code;
	} rows[] = {{407, ERR_DENIED}, {403, ERR_DENIED}, {502, ERR_UNAVAILABLE}};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		AUTO(arena) arena = {0};
		struct call c;
		struct http_call_response answer;
		struct proxy_lab *lab = proxy_lab_start(rows[i].status);
		assert_non_null(lab);
		call_init(&c, &arena, edges_real(), S("user/test"));
		setenv("https_proxy", proxy_lab_url(lab), 1);
		assert_int_equal(call(&c, "https://target.example/x", proxy_lab_ca(lab), &answer), rows[i].code);
		assert_non_null(strstr(c.err.message, "opens no tunnel"));
		assert_null(strstr(c.err.message, "pa%20ss"));
		unsetenv("https_proxy");
		proxy_lab_stop(lab);
	}
	AUTO(arena) arena = {0};
	struct call c;
	struct http_call_response answer;
	call_init(&c, &arena, edges_real(), S("user/test"));
	setenv("https_proxy", "http://127.0.0.1:1", 1);
	assert_int_equal(call(&c, "https://target.example/x", NULL, &answer), ERR_UNAVAILABLE);
	setenv("https_proxy", "socks5://127.0.0.1:1", 1);
	assert_int_equal(call(&c, "https://target.example/x", NULL, &answer), ERR_UNSUPPORTED);
	unsetenv("https_proxy");
}

static void test_guard_of_the_proxy(void **state)
{
	(void)state;
	struct proxy_settings s = {.https = S("http://proxy.example:3128")};
	struct proxy p = way(&s, "https://a.example");
	AUTO(guard) guard = NULL;
	struct err e = {0};
	struct address inside, loopback, metadata;
	assert_int_equal(proxy_guard(&p, &guard, &e), 0);
	assert_int_equal(address_of_literal(S("10.0.0.1"), 3128, &inside), 0);
	assert_int_equal(address_of_literal(S("127.0.0.1"), 3128, &loopback), 0);
	assert_int_equal(address_of_literal(S("169.254.169.254"), 3128, &metadata), 0);
	assert_int_equal(proxy_check_address(guard, &p, &inside, &e), 0);
	assert_int_equal(proxy_check_address(guard, &p, &loopback, &e), ERR_DENIED);
	assert_int_equal(proxy_check_address(guard, &p, &metadata, &e), ERR_DENIED);
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_proxy),
		cmocka_unit_test(test_address),
		cmocka_unit_test(test_environment),
		cmocka_unit_test(test_tunnel),
		cmocka_unit_test(test_ca_of_environment),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_guard_of_the_proxy),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
