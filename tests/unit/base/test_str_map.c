// SPDX-License-Identifier: Apache-2.0
// The table of names: against what was put in, through growing, and without memory.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/str_map.h"

static void test_many_names(void **state)
{
	(void)state;
	enum { COUNT = 20000 };
	AUTO(arena) arena = {0};
	struct str_map m;
	static int values[COUNT];
	assert_true(str_map_init(&m, &arena, 0));
	for (int i = 0; i < COUNT; i++) {
		struct str key = arena_printf(&arena, "name-%d", i);
		assert_null(str_map_get(&m, key));
		assert_true(str_map_put(&m, key, &values[i]));
	}
	assert_int_equal(COUNT, m.count);
	for (int i = 0; i < COUNT; i++) {
		char key[32];
		snprintf(key, sizeof(key), "name-%d", i);
		assert_ptr_equal(&values[i], str_map_get(&m, str_of(key)));
	}
	assert_null(str_map_get(&m, S("name-")));
	assert_null(str_map_get(&m, S("")));
}

static void test_a_later_value_replaces(void **state)
{
	(void)state;
	AUTO(arena) arena = {0};
	struct str_map m;
	int one, two;
	assert_true(str_map_init(&m, &arena, 100));
	assert_true(str_map_put(&m, S(""), &one));
	assert_true(str_map_put(&m, S(""), &two));
	assert_true(str_map_put(&m, S("eight888"), &one));
	assert_true(str_map_put(&m, S("nine99999"), &one));
	assert_int_equal(3, m.count);
	struct str keys[3];
	assert_int_equal(3, str_map_keys(&m, keys));
	assert_true(str_eq(S(""), keys[0]) && str_eq(S("eight888"), keys[1]) && str_eq(S("nine99999"), keys[2]));
	assert_ptr_equal(&two, str_map_get(&m, S("")));
	assert_ptr_equal(&one, str_map_get(&m, S("eight888")));
	assert_null(str_map_get(&m, S("nine9999")));
}

static void test_without_memory(void **state)
{
	(void)state;
	AUTO(arena) arena = {.limit = 64};
	struct str_map m;
	int value;
	assert_false(str_map_init(&m, &arena, 1000));
	assert_null(str_map_get(&m, S("a")));
	assert_false(str_map_put(&m, S("a"), &value));
	assert_null(str_map_get(&m, S("a")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_many_names),
		cmocka_unit_test(test_a_later_value_replaces),
		cmocka_unit_test(test_without_memory),
	};
	return cmocka_run_group_tests_name("base-str_map", tests, NULL, NULL);
}
