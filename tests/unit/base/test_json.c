// SPDX-License-Identifier: Apache-2.0
// JSON: what is read, what is refused and where, and exact bytes written.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"

static json_t *parse(const char *text)
{
	struct err e = {0};
	json_t *j = NULL;
	if (json_parse(str_of(text), &j, &e) < 0)
		fail_msg("%s: %s", text, e.message);
	return j;
}

static void assert_written(const char *text, const char *expected)
{
	AUTO(json) j = parse(text);
	AUTO(buf) out = {0};
	assert_int_equal(json_write(j, &out, NULL), 0);
	assert_string_equal(buf_cstr(&out), expected);
}

static void test_write_is_canonical(UNUSED void **state)
{
	assert_written(" {\"b\":1, \"a\" : [true,false,null,\"x\"], \"aa\":{} }\n",
		"{\"a\":[true,false,null,\"x\"],\"aa\":{},\"b\":1}");
	assert_written("[0.1,1.0,1e300,-2.5e-7,123456789012345680.0,0.30000000000000004,-0.0]",
		"[0.1,1.0,1e+300,-2.5e-07,1.2345678901234568e+17,0.30000000000000004,-0.0]");
	assert_written("[9223372036854775807,-9223372036854775808]", "[9223372036854775807,-9223372036854775808]");
	assert_written("\"\\u0001\\n\\t\\r\\b\\f\\\"\\\\/\\u00fc\\ud83d\\ude00\\u007f bfnrt\"",
		"\"\\u0001\\n\\t\\r\\b\\f\\\"\\\\/\xc3\xbc\xf0\x9f\x98\x80\x7f bfnrt\"");
	assert_written("[]", "[]");
	assert_written("\"\"", "\"\"");
}

static void test_write_pretty(UNUSED void **state)
{
	AUTO(json) j = parse("{\"b\":[1,{}],\"a\":{\"x\":[]}}");
	AUTO(buf) out = {0};
	assert_int_equal(json_write_pretty(j, &out, NULL), 0);
	assert_string_equal(buf_cstr(&out), "{\n  \"b\": [\n    1,\n    {}\n  ],\n  \"a\": {\n    \"x\": []\n  }\n}");
}

static void test_write_fails(UNUSED void **state)
{
	struct err e = {0};
	AUTO(buf) out = {0};
	buf_add(&out, S("kept"));
	assert_int_equal(json_write(NULL, &out, &e), ERR_INVALID);
	assert_int_equal(json_write_real((double)NAN, &out), ERR_INVALID);
	AUTO(json) deep = json_array();
	for (int i = 0; i < JSON_MAX_DEPTH + 1; i++) {
		json_t *outer = json_array();
		json_array_append_new(outer, deep);
		deep = outer;
	}
	assert_int_equal(json_write(deep, &out, &e), ERR_INVALID);
	assert_string_equal(e.message, "write JSON: nested too deep");
	assert_string_equal(buf_cstr(&out), "kept");
	AUTO(json) j = parse("[1,2,3]");
	AUTO(buf) small = {.limit = 3};
	assert_int_equal(json_write(j, &small, &e), ERR_LIMIT);
	assert_int_equal(small.n, 0);
}

static void test_parse_refuses(UNUSED void **state)
{
	static const struct str texts[] = {S_INIT(""), S_INIT("{\"a\":1,\"a\":2}"), S_INIT("[1] x"), S_INIT("[1,]"),
		S_INIT("{'a':1}"), S_INIT("\"\\u0000\""), S_INIT("\"a\0b\""), S_INIT("\"\xff\""),
		S_INIT("\"\xed\xa0\x80\""), S_INIT("\"\xc0\xaf\""), S_INIT("\"\\ud800\""), S_INIT("01"), S_INIT("+1"),
		S_INIT(".5"), S_INIT("NaN"), S_INIT("Infinity"), S_INIT("1e999"), S_INIT("9223372036854775808"),
		S_INIT("\xef\xbb\xbf{}"), S_INIT("[1"), S_INIT("\"tab\there\""), S_INIT("[1]\0"), S_INIT("// c\n1"),
		S_INIT("nul")};
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		struct err e = {0};
		json_t *j = NULL;
		assert_int_equal(json_parse(texts[i], &j, &e), ERR_INVALID);
		assert_null(j);
		assert_true(str_starts(str_of(e.message), S("JSON, line ")));
	}
	struct err e = {0};
	json_t *j = NULL;
	assert_int_equal(json_parse(S("{\n \"a\": 1,\n \"a\": 2}"), &j, &e), ERR_INVALID);
	assert_string_equal(e.message, "JSON, line 3 column 4: duplicate object key near '\"a\"'");
}

static void test_depth(UNUSED void **state)
{
	AUTO(buf) text = {0};
	for (int i = 0; i < JSON_MAX_DEPTH; i++)
		buf_add_char(&text, '[');
	buf_add(&text, S("\"[[[[\\\"[[{{\""));
	for (int i = 0; i < JSON_MAX_DEPTH; i++)
		buf_add_char(&text, ']');
	AUTO(json) j = parse(buf_cstr(&text));
	assert_non_null(j);
	AUTO(buf) out = {0};
	assert_int_equal(json_write(j, &out, NULL), 0);
	assert_true(str_eq(buf_str(&out), buf_str(&text)));
	struct err e = {0};
	json_t *deeper = NULL;
	buf_clear(&text);
	for (int i = 0; i < 100000; i++)
		buf_add_char(&text, i % 2 ? '[' : '{');
	assert_int_equal(json_parse(buf_str(&text), &deeper, &e), ERR_LIMIT);
	assert_string_equal(e.message, "JSON is nested deeper than 128");
}

static void test_getters(UNUSED void **state)
{
	AUTO(json) j = parse("{\"s\":\"text\",\"i\":-7,\"r\":2.5,\"t\":true,\"f\":false,\"n\":null}");
	assert_true(str_eq(json_str(j, "s"), S("text")));
	assert_true(str_eq(json_str(j, "i"), S("")));
	assert_string_equal(json_text(j, "s"), "text");
	assert_string_equal(json_text(j, "absent"), "");
	assert_string_equal(json_text(NULL, "s"), "");
	assert_int_equal(json_int(j, "i", 3), -7);
	assert_int_equal(json_int(j, "r", 3), 3);
	assert_int_equal(json_int(NULL, "i", 3), 3);
	assert_true(json_num(j, "r", 0) == 2.5);
	assert_true(json_num(j, "i", 0) == -7);
	assert_true(json_num(j, "s", 0.5) == 0.5);
	assert_true(json_flag(j, "t", false));
	assert_false(json_flag(j, "f", true));
	assert_true(json_flag(j, "n", true));
	assert_true(str_eq(json_value_str(json_object_get(j, "s")), S("text")));
	assert_true(str_eq(json_value_str(NULL), S("")));
}

static void test_need(UNUSED void **state)
{
	AUTO(json) j = parse("{\"s\":\"text\",\"i\":-7}");
	struct err e = {0};
	struct str s = S("kept");
	int64_t i = 1;
	assert_int_equal(json_need_str(j, "i", &s, &e), ERR_INVALID);
	assert_string_equal(e.message, "member \"i\": expected a string, got an integer");
	assert_true(str_eq(s, S("kept")));
	assert_int_equal(json_need_str(j, "s", &s, &e), 0);
	assert_true(str_eq(s, S("text")));
	assert_int_equal(json_need_int(j, "absent", &i, &e), ERR_INVALID);
	assert_string_equal(e.message, "member \"absent\": expected an integer, got nothing");
	assert_int_equal(i, 1);
	assert_int_equal(json_need_int(j, "i", &i, &e), 0);
	assert_int_equal(i, -7);
}

static void test_strings(UNUSED void **state)
{
	assert_null(json_of_str(S("a\xff")));
	assert_null(json_of_str(S("a\0b")));
	AUTO(json) good = json_of_str(S("\xc3\xbc"));
	assert_string_equal(json_string_value(good), "\xc3\xbc");
	AUTO(json) none = json_of_str((struct str){0});
	assert_string_equal(json_string_value(none), "");
	AUTO(json) object = json_object();
	json_set_str(object, "a", S("plain"));
	json_set_str(object, "b", S("x\xff\xc3\xbc\0y\xe2\x82"));
	assert_string_equal(json_text(object, "a"), "plain");
	assert_string_equal(json_text(object, "b"), "x\xef\xbf\xbd\xc3\xbc\xef\xbf\xbdy\xef\xbf\xbd\xef\xbf\xbd");
}

static void test_file(UNUSED void **state)
{
	char folder[] = "/tmp/isobar-test-json-XXXXXX", path[64];
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/x.json", folder);
	struct err e = {0};
	json_t *j = NULL;
	assert_int_equal(json_parse_file(path, 100, &j, &e), ERR_NOT_FOUND);
	assert_int_equal(file_write_atomic(path, S("{\"a\":"), 0600, &e), 0);
	assert_int_equal(json_parse_file(path, 100, &j, &e), ERR_INVALID);
	assert_true(str_starts(str_of(e.message), str_of(path)));
	assert_int_equal(json_parse_file(path, 4, &j, &e), ERR_LIMIT);
	assert_null(j);
	assert_int_equal(file_write_atomic(path, S("{\"a\":5}"), 0600, &e), 0);
	assert_int_equal(json_parse_file(path, 100, &j, &e), 0);
	assert_int_equal(json_int(j, "a", 0), 5);
	json_decref(j);
	assert_int_equal(file_remove_tree(folder, &e), 0);
}

static void test_values_die_with_their_arena(UNUSED void **state)
{
	struct arena a = {0};
	json_t *value = json_object();
	json_incref(value); // ours, to look at it afterwards
	assert_ptr_equal(json_in_arena(&a, value), value);
	assert_int_equal(value->refcount, 2);
	arena_free(&a);
	assert_int_equal(value->refcount, 1);
	assert_null(json_in_arena(&a, NULL));
	struct arena full = {.limit = 1};
	json_incref(value);
	assert_null(json_in_arena(&full, value));
	assert_int_equal(value->refcount, 1);
	json_decref(value);
}

// What is freed cannot be looked at, so this only says that the door is taken and leads through.
static void test_freed_values_are_wiped(UNUSED void **state)
{
	json_malloc_t allocate, allocate_before;
	json_free_t release, release_before;
	json_get_alloc_funcs(&allocate_before, &release_before);
	json_wipe_freed();
	json_get_alloc_funcs(&allocate, &release);
	assert_true(release != release_before && release != free);
	release(NULL);
	assert_written("{\"secret_access_key\":\"abc\"}", "{\"secret_access_key\":\"abc\"}");
	json_set_alloc_funcs(allocate_before, release_before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values_die_with_their_arena),
		cmocka_unit_test(test_write_is_canonical),
		cmocka_unit_test(test_write_pretty),
		cmocka_unit_test(test_write_fails),
		cmocka_unit_test(test_parse_refuses),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_getters),
		cmocka_unit_test(test_need),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_freed_values_are_wiped),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
