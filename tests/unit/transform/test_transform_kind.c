// SPDX-License-Identifier: Apache-2.0
// Transforms by SQL: several inputs, a split of the result; programs of one's own.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kind_test.h"
#include "transform/transform_kind.h"

static void test_sql(UNUSED void **state)
{
	AUTO(arena) a = {0};
	struct transform t;
	static const char text[] = "input: {returns: returns, catalogue: dataset/catalogue}\nsql: ./sql/features.sql\n"
				   "split: {train: 80%, test: 20%, by: customer_id}\n";
	kind_test_decode(&transform_kind, text, &a, &t, "");
	const struct field_named_ref *inputs = t.input.items;
	const struct transform_share *shares = t.split.shares.items;
	assert_true(t.input.count == 2 && str_eq(inputs[1].name, S("catalogue")) && str_eq(t.sql, S("sql/features.sql")));
	assert_true(t.split.shares.count == 2 && shares[0].share == 0.8 && str_eq(t.split.by, S("customer_id")));
	assert_true(str_eq(transform_first_input(&t).name, S("returns")));
	kind_test_later(&transform_kind, text, "", "sql, split");
	kind_test_later(&transform_kind, "{input: a, command: [x]}", "", "");
	assert_int_equal(transform_first_input(&(struct transform){0}).name.n, 0);
}

static void test_wrong(UNUSED void **state)
{
	kind_test_wrong(&transform_kind, "input: {a: x, b: y}\ncommand: [go]\n",
		"1:8: input: a program has one input; only SQL joins several; write one, or use sql:\n");
	kind_test_wrong(&transform_kind, "input: a\nsql: x.sql\nrun: builtin/images\ndeadline: soon\n",
		"4:11: deadline: expected a duration such as 30d, 5m or 250ms, got \"soon\"\n"
		"1:1: expected exactly one of `run:`, `command:` and `sql:`; run: builtin/images\n");
	kind_test_wrong(&transform_kind, "input: a\nsql: x.sql\nsplit: {train: 80%, test: 30%}\n",
		"3:8: split: the shares add up to 110%; let them add up to 100%\n");
	kind_test_wrong(&transform_kind, "input: a\nsql: x.sql\nsplit: {train: most, by: [x]}\n",
		"3:16: split.train: expected a share of the records; write it as 80%\n"
		"3:26: split.by: expected the name of a column\n");
	kind_test_wrong(&transform_kind, "input: a\nsql: ../x.sql\n",
		"2:6: sql: expected a path inside the workspace's folder, such as sql/features.sql, got \"../x.sql\"\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sql),
		cmocka_unit_test(test_wrong),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
