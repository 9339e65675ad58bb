// SPDX-License-Identifier: Apache-2.0
// The arena: alignment, zeroes, its limit, big and small pieces side by side.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/arena.h"

static void test_pieces(UNUSED void **state)
{
	AUTO(arena) a = {0};
	char *pieces[600];
	for (size_t i = 0; i < COUNT_OF(pieces); i++) {
		size_t size = i % 7 == 0 ? 3000 : i % 100;
		pieces[i] = arena_alloc(&a, size);
		assert_non_null(pieces[i]);
		assert_int_equal((uintptr_t)pieces[i] % 16, 0);
		for (size_t n = 0; n < size; n++)
			assert_int_equal(pieces[i][n], 0);
		memset(pieces[i], (int)(i % 251) + 1, size);
	}
	for (size_t i = 0; i < COUNT_OF(pieces); i++) // no piece reaches into another
		for (size_t n = 0; n < (i % 7 == 0 ? 3000 : i % 100); n++)
			assert_int_equal((unsigned char)pieces[i][n], i % 251 + 1);
	arena_free(&a);
	assert_int_equal(a.used, 0);
	assert_non_null(arena_alloc(&a, 1)); // usable again
	arena_free(NULL);
}

static void test_limit(UNUSED void **state)
{
	AUTO(arena) a = {.limit = 64};
	assert_non_null(arena_alloc(&a, 33)); // rounded up to 48
	assert_int_equal(a.used, 48);
	assert_null(arena_alloc(&a, 17));
	assert_non_null(arena_alloc(&a, 16));
	assert_null(arena_alloc(&a, 0));
	AUTO(arena) any = {0};
	assert_null(arena_alloc(&any, SIZE_MAX));
	assert_null(arena_alloc_array(&any, SIZE_MAX / 2, 3));
	assert_null(arena_alloc_array(&any, SIZE_MAX / 4, 3));
	struct pair {
		int a, b;
	} *pairs = arena_new_array(&any, 3, struct pair);
	assert_int_equal(pairs[2].b, 0);
}

static void test_text(UNUSED void **state)
{
	AUTO(arena) a = {0};
	struct str copy = arena_str(&a, S("a\0b"));
	assert_true(str_eq(copy, S("a\0b")));
	assert_int_equal(copy.p[3], '\0');
	assert_non_null(arena_str(&a, (struct str){0}).p);
	assert_string_equal(arena_cstr(&a, S("text")), "text");
	assert_string_equal(arena_cstr(&a, (struct str){0}), "");
	assert_true(str_eq(arena_printf(&a, "%s-%d", "x", 7), S("x-7")));
	const struct str parts[] = {S("bucket"), S("/"), (struct str){0}, S("a\0b")};
	struct str joined = arena_join(&a, parts, COUNT_OF(parts));
	assert_true(str_eq(joined, S("bucket/a\0b")));
	assert_int_equal(joined.p[joined.n], '\0');
	assert_true(str_eq(arena_join(&a, parts, 0), S("")));
	const struct str huge[] = {{.p = "", .n = SIZE_MAX - 1}, {.p = "", .n = 2}};
	assert_null(arena_join(&a, huge, COUNT_OF(huge)).p);
	AUTO(arena) small = {.limit = 16};
	assert_null(arena_join(&small, (const struct str[]){S("longer than sixteen "), S("bytes")}, 2).p);
	assert_null(arena_str(&small, S("longer than sixteen bytes")).p);
	assert_null(arena_cstr(&small, S("longer than sixteen bytes")));
	assert_int_equal(arena_printf(&small, "%100d", 1).n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_text),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
