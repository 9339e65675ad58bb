// SPDX-License-Identifier: Apache-2.0
// The ordered index against a plain sorted array, over many random puts and removals.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pocket/store/index.h"

enum { KEYS = 500, STEPS = 20000 };

static char names[KEYS][16];
static bool present[KEYS];

static struct str name_of(size_t i)
{
	return str_of(names[i]);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void assert_same_order(const struct index *x)
{
	const struct index_node *node = index_seek(x, S(""));
	size_t count = 0;
	for (size_t i = 0; i < KEYS; i++) {
		if (!present[i])
			continue;
		assert_non_null(node);
		assert_true(str_eq(node->key, name_of(i)));
		assert_ptr_equal(node->value, names[i]);
		node = index_next(node);
		count++;
	}
	assert_null(node);
	assert_int_equal(x->count, count);
}

static void test_random_steps(UNUSED void **state)
{
	struct index x = {0};
	struct err e = {0};
	unsigned seed = 11;
	for (size_t i = 0; i < KEYS; i++)
		snprintf(names[i], sizeof(names[i]), "%x", rand_r(&seed) & 0xfffff);
	qsort(names, KEYS, sizeof(names[0]), by_text);
	for (size_t step = 0; step < STEPS; step++) {
		size_t i = (size_t)rand_r(&seed) % KEYS;
		void *old = NULL;
		if (i > 0 && strcmp(names[i], names[i - 1]) == 0)
			continue;
		if (rand_r(&seed) % 2) {
			assert_int_equal(index_put(&x, name_of(i), names[i], &old, &e), 0);
			assert_ptr_equal(old, present[i] ? names[i] : NULL);
			present[i] = true;
		} else {
			assert_ptr_equal(index_remove(&x, name_of(i)), present[i] ? names[i] : NULL);
			present[i] = false;
		}
		assert_ptr_equal(index_get(&x, name_of(i)), present[i] ? names[i] : NULL);
	}
	assert_same_order(&x);
	index_free(&x, NULL);
	assert_int_equal(x.count, 0);
	assert_null(index_seek(&x, S("")));
}

static void test_seek_between_keys(UNUSED void **state)
{
	struct index x = {0};
	struct err e = {0};
	void *old = NULL;
	static char a[] = "a", c[] = "c";
	assert_int_equal(index_put(&x, S("a"), a, &old, &e), 0);
	assert_int_equal(index_put(&x, S("c"), c, &old, &e), 0);
	assert_ptr_equal(index_seek(&x, S("b"))->value, c);
	assert_ptr_equal(index_seek(&x, S("a"))->value, a);
	assert_ptr_equal(index_seek(&x, S("a\x01"))->value, c);
	assert_null(index_seek(&x, S("c\x01")));
	assert_null(index_get(&x, S("b")));
	index_free(&x, NULL);
}

static size_t freed;
static void count_free(UNUSED void *value)
{
	freed++;
}

static void test_free_frees_values(UNUSED void **state)
{
	struct index x = {0};
	struct err e = {0};
	void *old = NULL;
	assert_int_equal(index_put(&x, S("a"), &x, &old, &e), 0);
	assert_int_equal(index_put(&x, S("b"), &x, &old, &e), 0);
	index_free(&x, count_free);
	assert_int_equal(freed, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_steps),
		cmocka_unit_test(test_seek_between_keys),
		cmocka_unit_test(test_free_frees_values),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
