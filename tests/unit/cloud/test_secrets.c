// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cloud/secrets.h"
#include "cloud_test.h"

static void test_names(void **state)
{
	(void)state;
	struct cloud_test t;
	struct secret_names names = {0};
	cloud_test_init(&t);
	secret_names_sort(&names);
	for (int i = 99; i >= 0; i--)
		assert_int_equal(secret_names_add(&t.call, &names, arena_printf(&t.arena, "s%02d", i)), 0);
	secret_names_sort(&names);
	assert_int_equal(names.count, 100);
	assert_true(str_eq(names.items[0], S("s00")) && str_eq(names.items[99], S("s99")));
	cloud_test_free(&t);
}

static void test_values(void **state)
{
	(void)state;
	struct cloud_test t;
	AUTO(secret) value = {0};
	AUTO(secret) other = {0};
	struct str text;
	cloud_test_init(&t);
	assert_int_equal(secret_to_base64(&t.call, S("p\0ss"), &text), 0);
	assert_string_equal(text.p, "cABzcw==");
	assert_int_equal(secret_of_base64(&t.call, text, &value), 0);
	assert_true(str_eq(secret_str(&value), S("p\0ss")));
	assert_int_equal(secret_of_base64(&t.call, S("cABzcw"), &other), ERR_PROTOCOL);
	assert_false(secret_equal(&value, &other));
	assert_int_equal(secret_set(&other, S("p\0ss"), NULL), 0);
	assert_true(secret_equal(&value, &other));
	assert_int_equal(secret_set(&other, S("p\0sz"), NULL), 0);
	assert_false(secret_equal(&value, &other));
	cloud_test_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_names), cmocka_unit_test(test_values)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
