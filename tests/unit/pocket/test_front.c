// SPDX-License-Identifier: Apache-2.0
// Reading requests: paths, queries, headers, base64. What needs a connection is tested through each front end.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "pocket/front.h"

static struct arena arena;

static int end_test(UNUSED void **state)
{
	arena_free(&arena);
	return 0;
}

static void test_paths(UNUSED void **state)
{
	static const struct {
		const char *path, *first, *rest;
	} cases[] = {
		{"/", "", ""},
		{"/bucket", "bucket", ""},
		{"/bucket/", "bucket", ""},
		{"/bucket/a/b", "bucket", "a/b"},
		{"/bucket//a", "bucket", "/a"},
		{"/b%20c/%2e%2e/%C3%BC+", "b c", "../\xc3\xbc+"},
		{"/b%2Fc/d", "b/c", "d"},
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct front_request r = {.arena = &arena};
		struct str first, rest;
		assert_int_equal(front_cut_path(&r, str_of(cases[i].path), &first, &rest), 0);
		assert_true(str_eq(first, str_of(cases[i].first)));
		assert_true(str_eq(rest, str_of(cases[i].rest)));
	}
	static const char *const broken[] = {"/%", "/%2", "/a/%zz", "/a/b%"};
	for (size_t i = 0; i < COUNT_OF(broken); i++) {
		struct front_request r = {.arena = &arena};
		struct str first, rest;
		assert_int_equal(front_cut_path(&r, str_of(broken[i]), &first, &rest), ERR_INVALID);
		assert_true(r.err.message[0] != '\0');
	}
}

static void test_query_and_headers(UNUSED void **state)
{
	struct http_header headers[] = {HTTP_HEADER("range", "bytes=0-1"), HTTP_HEADER("empty", "")};
	struct http_exchange x = {.request = {.headers = {.items = headers, .count = COUNT_OF(headers)}}};
	struct pair query[] = {{S_INIT("a"), S_INIT("1")}, {S_INIT("uploads"), S_INIT("")}, {S_INIT("a"), S_INIT("2")}};
	struct front_request r = {.x = &x, .arena = &arena, .query = {.items = query, .count = COUNT_OF(query)}};
	assert_true(str_eq(front_query(&r, "a"), S("1")));
	assert_int_equal(front_query(&r, "A").n, 0); // case matters
	assert_true(front_query_has(&r, "uploads"));
	assert_false(front_query_has(&r, "upload"));
	assert_true(str_eq(front_header(&r, "range"), S("bytes=0-1")));
	assert_int_equal(front_header(&r, "none").n, 0);
	assert_non_null(front_header(&r, "none").p);
}

static void test_base64(UNUSED void **state)
{
	unsigned char bytes[4];
	struct front_request r = {.arena = &arena};
	assert_int_equal(front_base64(S("y/Q5Jg=="), bytes, 4), 0);
	assert_memory_equal(bytes, "\xcb\xf4\x39\x26", 4);
	assert_true(str_eq(front_base64_text(&r, str_bytes(bytes, 4)), S("y/Q5Jg==")));
	static const char *const wrong[] = {"", "y/Q5", "y/Q5JgAA", "y/Q5Jg", "y/Q5Jg=", "y_Q5Jg==", " y/Q5Jg=="};
	for (size_t i = 0; i < COUNT_OF(wrong); i++)
		assert_int_equal(front_base64(str_of(wrong[i]), bytes, 4), ERR_INVALID);
}

static void test_digests_of_a_body(UNUSED void **state)
{
	struct front_request r = {.arena = &arena};
	struct digests d = {0};
	assert_int_equal(front_digests(&r, S("123456789"), HASH_CRC32 | HASH_CRC32C, &d), 0);
	assert_int_equal(d.have, HASH_CRC32 | HASH_CRC32C);
	assert_int_equal(d.crc32, 0xcbf43926);
	assert_int_equal(d.crc32c, 0xe3069283);
}

// Names and values that HTTP cannot carry are left out: stored texts may hold them.
static void test_headers_of_an_answer(UNUSED void **state)
{
	struct front_request r = {.arena = &arena};
	front_add(&r, "a", S("1"));
	front_add(&r, "b", S(""));
	front_add(&r, "c", S("x\r\ny: z"));
	front_add(&r, "d", S("\xc3\xbc"));
	front_addf(&r, "e", "%d-%s", 5, "x");
	front_add_date(&r, "f", 0);
	assert_int_equal(r.out.count, 3);
	assert_true(str_eq(http_header_get(&r.out, "e"), S("5-x")));
	assert_true(str_eq(http_header_get(&r.out, "f"), S("Thu, 01 Jan 1970 00:00:00 GMT")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_paths, end_test),
		cmocka_unit_test_teardown(test_query_and_headers, end_test),
		cmocka_unit_test_teardown(test_base64, end_test),
		cmocka_unit_test_teardown(test_digests_of_a_body, end_test),
		cmocka_unit_test_teardown(test_headers_of_an_answer, end_test),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
