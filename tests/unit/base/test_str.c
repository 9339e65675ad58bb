// SPDX-License-Identifier: Apache-2.0
// Borrowed text: cutting, numbers, UTF-8, distances, exact at the edges.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/str.h"

static void assert_str(struct str s, const char *expected)
{
	if (!str_eq(s, str_of(expected)))
		fail_msg("\"%.*s\" is not \"%s\"", STR(s), expected);
}

static void test_make_and_compare(UNUSED void **state)
{
	assert_int_equal(str_of(NULL).n, 0);
	assert_int_equal(S("a\0b").n, 3);
	assert_int_equal(str_bytes("abc", 2).n, 2);
	assert_true(str_eq(S("abc"), str_of("abc")));
	assert_true(str_eq((struct str){0}, S("")));
	assert_false(str_eq(S("abc"), S("abd")));
	assert_false(str_eq(S("abc"), S("ab")));
	assert_true(str_eq_nocase(S("Content-TYPE"), S("content-type")));
	assert_false(str_eq_nocase(S("\xc3\x84"), S("\xc3\xa4"))); // ASCII only
	assert_false(str_eq_nocase(S("a"), S("ab")));
	assert_true(str_cmp(S("a"), S("b")) < 0);
	assert_true(str_cmp(S("ab"), S("a")) > 0);
	assert_true(str_cmp(S("a"), S("ab")) < 0);
	assert_true(str_cmp(S("\x80"), S("a")) > 0);
	assert_int_equal(str_cmp(S(""), (struct str){0}), 0);
}

static void test_is(UNUSED void **state)
{
	static const struct {
		struct str text;
		const char *c;
		bool same;
	} rows[] = {
		{S_INIT("abc"), "abc", true},
		{{0}, "", true},
		{S_INIT("abc"), "ab", false},
		{S_INIT("abc"), "abcd", false},
		{S_INIT("abc"), "abd", false},
		{S_INIT("ab\0d"), "ab", false},
		{S_INIT(""), "a", false},
		{S_INIT("a"), "", false},
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		assert_int_equal(str_is(rows[i].text, rows[i].c), rows[i].same);
}

static void test_parts(UNUSED void **state)
{
	assert_true(str_starts(S("abc"), S("ab")));
	assert_true(str_starts(S("abc"), S("")));
	assert_false(str_starts(S("ab"), S("abc")));
	assert_true(str_ends(S("abc"), S("bc")));
	assert_false(str_ends(S("bc"), S("abc")));
	assert_str(str_drop(S("abc"), 1), "bc");
	assert_str(str_drop(S("abc"), 9), "");
	assert_str(str_take(S("abc"), 2), "ab");
	assert_str(str_take(S("abc"), 9), "abc");
	assert_str(str_trim(S(" \t\r\na b\n ")), "a b");
	assert_str(str_trim(S(" \n")), "");
	assert_int_equal(str_find_char(S("abcb"), 'b'), 1);
	assert_int_equal(str_find_char(S("abc"), 'x'), -1);
	assert_int_equal(str_find_char((struct str){0}, 'x'), -1);
	assert_int_equal(str_find(S("aab"), S("ab")), 1);
	assert_int_equal(str_find(S("aab"), S("")), 0);
	assert_int_equal(str_find(S("ab"), S("abc")), -1);
}

static void test_cut_and_next(UNUSED void **state)
{
	struct str head, tail, rest = S("a,,b"), piece;
	assert_true(str_cut(S("key=va=lue"), '=', &head, &tail));
	assert_str(head, "key");
	assert_str(tail, "va=lue");
	assert_false(str_cut(S("key"), '=', &head, &tail));
	assert_str(head, "key");
	assert_str(tail, "");
	assert_true(str_next(&rest, ',', &piece));
	assert_str(piece, "a");
	assert_true(str_next(&rest, ',', &piece));
	assert_str(piece, "");
	assert_true(str_next(&rest, ',', &piece));
	assert_str(piece, "b");
	assert_false(str_next(&rest, ',', &piece));
	rest = S("a,");
	assert_true(str_next(&rest, ',', &piece) && str_next(&rest, ',', &piece));
	assert_str(piece, "");
	assert_false(str_next(&rest, ',', &piece));
}

static void test_utf8(UNUSED void **state)
{
	static const struct {
		struct str text;
		size_t prefix;
	} rows[] = {
		{S_INIT(""), 0},
		{S_INIT("plain\x7f"), 6},
		{S_INIT("\xc2\x80\xdf\xbf"), 4},
		{S_INIT("\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf"), 12},
		{S_INIT("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"), 8},
		{S_INIT("a\x80"), 1},     // a continuation alone
		{S_INIT("a\xc0\xaf"), 1}, // longer than needed
		{S_INIT("a\xc1\xbf"), 1},
		{S_INIT("a\xe0\x9f\xbf"), 1},
		{S_INIT("a\xf0\x8f\xbf\xbf"), 1},
		{S_INIT("a\xed\xa0\x80"), 1},     // a surrogate
		{S_INIT("a\xf4\x90\x80\x80"), 1}, // beyond U+10FFFF
		{S_INIT("a\xf5\x80\x80\x80"), 1},
		{S_INIT("ab\xe2\x82"), 2}, // cut
		{S_INIT("ab\xe2(\x82"), 2},
		{S_INIT("\xff"), 0},
		{S_INIT("sixteen of ASCII and then \xc3\xa4 in between"), 39},
		{S_INIT("12345678\x80"), 8}, // behind a word that is good, at its start, at its end
		{S_INIT("\x80" "2345678"), 0},
		{S_INIT("1234567\xc3"), 7},
		{S_INIT("1234567\xc3\xa4"), 9},
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		assert_int_equal(str_utf8_prefix(rows[i].text), rows[i].prefix);
		assert_int_equal(str_utf8_valid(rows[i].text), rows[i].prefix == rows[i].text.n);
	}
	assert_str(str_clip(S("abc"), 5), "abc");
	assert_str(str_clip(S("abc"), 2), "ab");
	assert_str(str_clip(S("a\xe2\x82\xac"
			      "b"),
			   3),
		"a");
	assert_str(str_clip(S("a\xe2\x82\xac"
			      "b"),
			   4),
		"a\xe2\x82\xac");
	assert_str(str_clip(S("\xf0\x9f\x98\x80\xf0\x9f\x98\x80"), 7), "\xf0\x9f\x98\x80");
}

static void test_whole_numbers(UNUSED void **state)
{
	uint64_t u = 7;
	int64_t i = 7;
	assert_int_equal(str_to_u64(S("18446744073709551615"), &u), 0);
	assert_true(u == UINT64_MAX);
	assert_int_equal(str_to_u64(S("007"), &u), 0);
	assert_int_equal(u, 7);
	static const char *const bad_u[] = {
		"", "18446744073709551616", "-1", "+1", " 1", "1 ", "0x1", "1.0", "99999999999999999999999"};
	for (size_t n = 0; n < COUNT_OF(bad_u); n++)
		assert_int_equal(str_to_u64(str_of(bad_u[n]), &u), ERR_INVALID);
	assert_int_equal(u, 7);
	assert_int_equal(str_to_i64(S("-9223372036854775808"), &i), 0);
	assert_true(i == INT64_MIN);
	assert_int_equal(str_to_i64(S("9223372036854775807"), &i), 0);
	assert_true(i == INT64_MAX);
	static const char *const bad_i[] = {"", "-", "--1", "9223372036854775808", "-9223372036854775809", "+1"};
	for (size_t n = 0; n < COUNT_OF(bad_i); n++)
		assert_int_equal(str_to_i64(str_of(bad_i[n]), &i), ERR_INVALID);
	assert_true(i == INT64_MAX);
}

static void test_reals(UNUSED void **state)
{
	double d = 7;
	assert_int_equal(str_to_f64(S("-1.5e-3"), &d), 0);
	assert_true(d == -1.5e-3);
	assert_int_equal(str_to_f64(S("1E5"), &d), 0);
	assert_true(d == 1e5);
	static const char *const bad[] = {
		"", "+1", " 1", "1 ", "0x1p3", "inf", "nan", "1e999", "1e", "--1", "1,5", "1.2.3"};
	for (size_t n = 0; n < COUNT_OF(bad); n++)
		assert_int_equal(str_to_f64(str_of(bad[n]), &d), ERR_INVALID);
	assert_true(d == 1e5);
	char text[DOUBLE_TEXT_SIZE];
	static const double values[] = {0, 0.1, 1.0 / 3, 1e300, 5e-324, DBL_MAX, -2.5, 123456789012345678.0, 1e15};
	for (size_t n = 0; n < COUNT_OF(values); n++) {
		double_text(values[n], text);
		assert_true(strtod(text, NULL) == values[n]);
	}
	double_text(0.1, text);
	assert_string_equal(text, "0.1");
	double_text(1.0 / 3, text);
	assert_string_equal(text, "0.3333333333333333");
	double_text((double)NAN, text);
	assert_string_equal(text, "nan");
}

static struct str name_at(const void *ctx, size_t i)
{
	const char *const *names = ctx;
	return str_of(names[i]);
}

static void test_distance(UNUSED void **state)
{
	assert_int_equal(str_distance(S(""), S("")), 0);
	assert_int_equal(str_distance(S("abc"), S("")), 3);
	assert_int_equal(str_distance(S("kitten"), S("sitting")), 3);
	assert_int_equal(str_distance(S("ab"), S("ba")), 1);
	assert_int_equal(str_distance(S("clouds"), S("cluods")), 1);
	char a[100], b[100];
	memset(a, 'a', sizeof(a));
	memset(b, 'b', sizeof(b));
	assert_int_equal(str_distance(str_bytes(a, 100), str_bytes(b, 100)), 64);
	static const char *const names[] = {"clouds", "encrypt_with", "to"};
	assert_str(str_closest(S("cloud"), name_at, names, 3), "clouds");
	assert_str(str_closest(S("Encrypt-With"), name_at, names, 3), "encrypt_with");
	assert_str(str_closest(S("encryptwit"), name_at, names, 3), "encrypt_with");
	assert_str(str_closest(S("ot"), name_at, names, 3), "to");
	assert_str(str_closest(S("xx"), name_at, names, 3), "");
	assert_str(str_closest(S("bucket"), name_at, names, 3), "");
	assert_str(str_closest(S("cloud"), name_at, names, 0), "");
}

static void test_copy(UNUSED void **state)
{
	char text[4] = "xxx";
	assert_true(str_copy(text, sizeof(text), S("abc")));
	assert_string_equal(text, "abc");
	assert_false(str_copy(text, sizeof(text), S("abcd")));
	assert_string_equal(text, "");
	assert_false(str_copy(text, sizeof(text), S("a\0b")));
	assert_true(str_copy(text, sizeof(text), (struct str){0}));
	assert_false(str_copy(text, 0, S("")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_make_and_compare),
		cmocka_unit_test(test_is),
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_cut_and_next),
		cmocka_unit_test(test_utf8),
		cmocka_unit_test(test_whole_numbers),
		cmocka_unit_test(test_reals),
		cmocka_unit_test(test_distance),
		cmocka_unit_test(test_copy),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
