// SPDX-License-Identifier: Apache-2.0
// The outbound guard by tables: which URLs and which resolved addresses it lets through.
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "net/guard.h"

static const struct str patterns[] = {S_INIT("api.example.org:443"), S_INIT("*.s3.example.org:443"),
	S_INIT("127.0.0.1:*"), S_INIT("localhost:8080"), S_INIT("10.1.2.3:9000"), S_INIT("[::1]:80"),
	S_INIT("169.254.169.254:443")};

static void judges_urls(void **state)
{
	(void)state;
	static const struct {
		const char *url;
		int code;
	} cases[] = {
		{"https://api.example.org/x", 0},
		{"https://API.Example.org/", 0},
		{"https://api.example.org:444/", ERR_DENIED},
		{"http://api.example.org:443/", ERR_DENIED},
		{"https://b.s3.example.org/", 0},
		{"https://a.b.s3.example.org/", 0},
		{"https://s3.example.org/", ERR_DENIED},
		{"https://xs3.example.org/", ERR_DENIED},
		{"https://b.s3.example.org.evil/", ERR_DENIED},
		{"http://127.0.0.1:1234/", 0},
		{"https://127.0.0.1/", 0},
		{"http://127.0.0.2/", ERR_DENIED},
		{"http://localhost:8080/", 0},
		{"http://localhost:8081/", ERR_DENIED},
		{"http://10.1.2.3:9000/", ERR_DENIED},
		{"https://10.1.2.3:9000/", 0},
		{"http://[::1]/", 0},
		{"https://169.254.169.254/", 0},
		{"http://169.254.169.254/", ERR_DENIED},
		{"https://evil.org/", ERR_DENIED},
	};
	struct guard *g;
	struct err e = {0};
	assert_int_equal(guard_new(patterns, COUNT_OF(patterns), &g, &e), 0);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct url u;
		assert_int_equal(url_parse(str_of(cases[i].url), &u, &e), 0);
		if (guard_check_url(g, &u, &e) != cases[i].code)
			fail_msg("%s", cases[i].url);
	}
	guard_free(g);
}

static void judges_addresses(void **state)
{
	(void)state;
	static const struct {
		const char *url, *address;
		int code;
	} cases[] = {
		{"https://api.example.org/", "93.184.216.34", 0},
		{"https://api.example.org/", "2606:2800::1", 0},
		{"https://api.example.org/", "10.0.0.1", 0},
		{"https://b.s3.example.org/", "10.0.0.1", ERR_DENIED},
		{"https://b.s3.example.org/", "192.168.1.1", ERR_DENIED},
		{"https://b.s3.example.org/", "172.20.0.1", ERR_DENIED},
		{"https://b.s3.example.org/", "100.64.0.1", ERR_DENIED},
		{"https://b.s3.example.org/", "fd00::1", ERR_DENIED},
		{"https://b.s3.example.org/", "172.32.0.1", 0},
		{"https://api.example.org/", "127.0.0.1", ERR_DENIED},
		{"https://api.example.org/", "::1", ERR_DENIED},
		{"https://api.example.org/", "::ffff:127.0.0.1", ERR_DENIED},
		{"https://api.example.org/", "::ffff:169.254.169.254", ERR_DENIED},
		{"https://api.example.org/", "169.254.169.254", ERR_DENIED},
		{"https://api.example.org/", "64:ff9b::a9fe:a9fe", ERR_DENIED},
		{"https://api.example.org/", "fe80::1", ERR_DENIED},
		{"https://api.example.org/", "fd00:ec2::254", ERR_DENIED},
		{"https://api.example.org/", "0.0.0.0", ERR_DENIED},
		{"https://api.example.org/", "::", ERR_DENIED},
		{"https://api.example.org/", "224.0.0.1", ERR_DENIED},
		{"https://api.example.org/", "255.255.255.255", ERR_DENIED},
		{"https://169.254.169.254/", "169.254.169.254", 0},
		{"https://10.1.2.3:9000/", "10.1.2.3", 0},
		{"http://localhost:8080/", "127.0.0.1", 0},
		{"http://localhost:8080/", "::1", 0},
		{"http://localhost:8080/", "93.184.216.34", ERR_DENIED},
		{"https://evil.org/", "93.184.216.34", ERR_DENIED},
	};
	struct guard *g;
	struct err e = {0};
	assert_int_equal(guard_new(patterns, COUNT_OF(patterns), &g, &e), 0);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct url u;
		struct address a;
		assert_int_equal(url_parse(str_of(cases[i].url), &u, &e), 0);
		assert_int_equal(address_of_literal(str_of(cases[i].address), u.port, &a), 0);
		if (guard_check_address(g, &u, &a, &e) != cases[i].code)
			fail_msg("%s at %s", cases[i].url, cases[i].address);
	}
	guard_free(g);
}

static void allows_only_loopback(void **state)
{
	(void)state;
	static const struct {
		const char *url;
		int code;
	} cases[] = {{"http://127.0.0.1:1/", 0}, {"http://localhost/", 0}, {"https://[::1]:5/", 0},
		{"http://10.0.0.1/", ERR_DENIED}, {"https://example.org/", ERR_DENIED},
		{"http://localhost.example.org/", ERR_DENIED}};
	struct guard *g;
	struct err e = {0};
	assert_int_equal(guard_new_loopback(&g, &e), 0);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct url u;
		assert_int_equal(url_parse(str_of(cases[i].url), &u, &e), 0);
		assert_int_equal(guard_check_url(g, &u, &e), cases[i].code);
	}
	guard_free(g);
}

static void refuses_loose_patterns(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"", "*", "*:443", "*.org:443", "*.1.2.3.4:443", "a", "a:", "a:0", "a*b.org:443", "https://a:443"};
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct guard *g = NULL;
		struct err e = {0};
		struct str pattern = str_of(bad[i]);
		if (guard_new(&pattern, 1, &g, &e) != ERR_INVALID)
			fail_msg("accepted %s", bad[i]);
	}
}

static void reads_and_writes_addresses(void **state)
{
	(void)state;
	static const char *const good[] = {"127.0.0.1:80", "[::1]:8080", "0.0.0.0:0", "[::]:0"};
	struct address a;
	struct err e = {0};
	for (size_t i = 0; i < COUNT_OF(good); i++) {
		char text[ADDRESS_TEXT_SIZE];
		assert_int_equal(address_parse(str_of(good[i]), &a, &e), 0);
		address_text(&a, text);
		assert_string_equal(text, good[i]);
	}
	assert_int_equal(address_parse(S("localhost:81"), &a, &e), 0);
	assert_true(address_is_loopback(&a) && address_port(&a) == 81);
	assert_int_equal(address_parse(S("a.example:81"), &a, &e), ERR_INVALID);
	assert_int_equal(address_parse(S("127.0.0.1"), &a, &e), ERR_INVALID);
	assert_int_equal(address_of_literal(S("[::1]"), 1, &a), ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(judges_urls),
		cmocka_unit_test(judges_addresses),
		cmocka_unit_test(allows_only_loopback),
		cmocka_unit_test(refuses_loose_patterns),
		cmocka_unit_test(reads_and_writes_addresses),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
