// SPDX-License-Identifier: Apache-2.0
// Percent-encoding and queries as signatures see them.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "cloud/sign/sign_request.h"

static void check_encoded(const char *in, const char *keep, const char *expected)
{
	AUTO(buf) out = {0};
	sign_uri_encode(str_of(in), keep, &out);
	assert_string_equal(buf_cstr(&out), expected);
}

static void test_encode(void **state)
{
	(void)state;
	check_encoded("AZaz09-_.~", "", "AZaz09-_.~");
	check_encoded("a b/c+d", "/", "a%20b/c%2Bd");
	check_encoded("a b/c+d", "", "a%20b%2Fc%2Bd");
	check_encoded("\xc3\xa9*'()", "", "%C3%A9%2A%27%28%29");
}

static void test_decode(void **state)
{
	(void)state;
	AUTO(buf) out = {0};
	assert_int_equal(sign_uri_decode(S("a%20b+c%2fd"), false, &out), 0);
	assert_string_equal(buf_cstr(&out), "a b+c/d");
	buf_clear(&out);
	assert_int_equal(sign_uri_decode(S("a+b"), true, &out), 0);
	assert_string_equal(buf_cstr(&out), "a b");
	assert_int_equal(sign_uri_decode(S("%4"), false, &out), ERR_INVALID);
	assert_int_equal(sign_uri_decode(S("%zz"), false, &out), ERR_INVALID);
	assert_int_equal(sign_uri_decode(S("%"), false, &out), ERR_INVALID);
}

static void test_parameters(void **state)
{
	(void)state;
	struct err e = {0};
	AUTO(sign_parameters) p = {0};
	assert_int_equal(sign_parameters_parse(S("prefix=a%2Fb&acl&&x=1&x=2&y=a=b"), &p, &e), 0);
	assert_int_equal(p.count, 5);
	assert_true(str_eq(sign_parameters_get(&p, S("prefix")), S("a/b")));
	assert_true(sign_parameters_have(&p, S("acl")));
	assert_int_equal(sign_parameters_get(&p, S("acl")).n, 0);
	assert_true(str_eq(sign_parameters_get(&p, S("x")), S("1")));
	assert_true(str_eq(p.items[3].value, S("2")));
	assert_true(str_eq(sign_parameters_get(&p, S("y")), S("a=b")));
	assert_false(sign_parameters_have(&p, S("z")));
}

static void test_bad_parameters(void **state)
{
	(void)state;
	struct err e = {0};
	struct sign_parameters p = {0};
	assert_int_equal(sign_parameters_parse(S("a=%x"), &p, &e), ERR_INVALID);
	char many[2 * SIGN_MAX_PARAMETERS + 3];
	for (size_t i = 0; i < sizeof(many); i++)
		many[i] = i % 2 ? '&' : 'a';
	assert_int_equal(sign_parameters_parse(str_bytes(many, sizeof(many)), &p, &e), ERR_LIMIT);
	assert_null(p.items);
}

static void test_headers(void **state)
{
	(void)state;
	const struct sign_header headers[] = {{S("Host"), S("a")}, {S("X-Amz-Date"), S("b")}, {S("host"), S("c")}};
	struct sign_request r = {.headers = headers, .header_count = 3};
	assert_true(str_eq(sign_header_get(&r, S("HOST")), S("a")));
	assert_int_equal(sign_header_get(&r, S("range")).n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_encode),
		cmocka_unit_test(test_decode),
		cmocka_unit_test(test_parameters),
		cmocka_unit_test(test_bad_parameters),
		cmocka_unit_test(test_headers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
