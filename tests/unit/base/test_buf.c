// SPDX-License-Identifier: Apache-2.0
// The growing buffer: contents, its limit, and that a failure is remembered.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/buf.h"

static void test_append(UNUSED void **state)
{
	AUTO(buf) b = {0};
	struct err e = {0};
	assert_string_equal(buf_cstr(&b), "");
	assert_int_equal(buf_str(&b).n, 0);
	assert_non_null(buf_str(&b).p);
	buf_add(&b, S("one"));
	buf_add_char(&b, ' ');
	buf_add_bytes(&b, "two\0", 4);
	buf_add_bytes(&b, NULL, 0);
	buf_printf(&b, "%d-%s", 3, "four");
	assert_true(str_eq(buf_str(&b), S("one two\0003-four")));
	assert_int_equal(buf_cstr(&b)[b.n], '\0');
	assert_int_equal(buf_check(&b, &e), 0);
	for (int i = 0; i < 10000; i++)
		buf_printf(&b, "%04d", i);
	assert_int_equal(b.n, 14 + 40000);
	assert_memory_equal(b.p + 14 + 4 * 9999, "9999", 4);
}

static void test_drop_and_clear(UNUSED void **state)
{
	AUTO(buf) b = {.limit = 10};
	buf_add(&b, S("abcdef"));
	buf_drop(&b, 2);
	assert_true(str_eq(buf_str(&b), S("cdef")));
	buf_drop(&b, 0);
	buf_drop(&b, 100);
	assert_int_equal(b.n, 0);
	buf_add(&b, S("more than ten bytes"));
	assert_true(b.failed);
	buf_clear(&b);
	assert_false(b.failed);
	assert_int_equal(b.limit, 10);
	buf_free(&b);
	assert_int_equal(b.limit, 10);
	assert_null(b.p);
	buf_free(NULL);
}

static void test_limit(UNUSED void **state)
{
	AUTO(buf) b = {.limit = 5};
	struct err e = {0};
	buf_add(&b, S("abc"));
	buf_add(&b, S("def"));
	assert_true(b.failed);
	assert_true(str_eq(buf_str(&b), S("abc")));
	buf_add_char(&b, 'x'); // nothing is added behind a gap
	buf_printf(&b, "y");
	assert_true(str_eq(buf_str(&b), S("abc")));
	assert_int_equal(buf_check(&b, &e), ERR_LIMIT);
	assert_string_equal(e.message, "more than 5 bytes");
	AUTO(buf) exact = {.limit = 5};
	buf_add(&exact, S("abcde"));
	assert_int_equal(buf_check(&exact, &e), 0);
	assert_string_equal(buf_cstr(&exact), "abcde");
}

static void test_absurd_sizes(UNUSED void **state)
{
	AUTO(buf) b = {0};
	struct err e = {0};
	buf_add(&b, S("abc"));
	assert_false(buf_reserve(&b, SIZE_MAX));
	assert_int_equal(buf_check(&b, &e), ERR_NO_MEMORY);
	buf_clear(&b);
	assert_false(buf_reserve(&b, SIZE_MAX - 1));
	buf_clear(&b);
	assert_true(buf_reserve(&b, 100));
	assert_true(b.cap >= 101);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_append),
		cmocka_unit_test(test_drop_and_clear),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_absurd_sizes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
