// SPDX-License-Identifier: Apache-2.0
// Needs of an alias: what is read, what is refused with which words, when one holds; and the kind that carries them.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "models/model_kind.h"

static void test_reads(UNUSED void **state)
{
	struct need n;
	struct err e = {0};
	assert_int_equal(need_parse(S("accuracy >= 0.87 on prepared/test"), &n, &e), 0);
	assert_true(str_eq(n.metric, S("accuracy")) && n.comparison == NEED_AT_LEAST && n.bound == 0.87);
	assert_true(str_eq(n.on.name, S("prepared")) && str_eq(n.on.qualifier, S("test")) && n.on.kind.n == 0);
	assert_true(str_eq(n.text, S("accuracy >= 0.87 on prepared/test")));
	assert_int_equal(need_parse(S("  loss   <  2  on  images "), &n, &e), 0);
	assert_true(str_eq(n.metric, S("loss")) && n.comparison == NEED_LESS && n.bound == 2 && n.on.qualifier.n == 0);
	assert_int_equal(need_parse(S("a > -1e-3 on d"), &n, &e), 0);
	assert_true(n.comparison == NEED_MORE && n.bound == -1e-3);
	assert_int_equal(need_parse(S("a <= 1 on d"), &n, &e), 0);
	assert_true(n.comparison == NEED_AT_MOST);
}

static void refuse(const char *text, const char *because)
{
	struct need n = {.bound = 7};
	struct err e = {0};
	assert_int_equal(need_parse(str_of(text), &n, &e), ERR_INVALID);
	if (!strstr(e.message, because))
		fail_msg("\"%s\" does not say \"%s\"", e.message, because);
	assert_true(n.bound == 7);
}

static void test_refuses(UNUSED void **state)
{
	refuse("", "expected METRIC");
	refuse("accuracy", "must follow \"accuracy\"");
	refuse("accuracy = 0.8 on x", ">=, >, <= or < must follow");
	refuse("accuracy >= much on x", "a number must follow");
	refuse("accuracy >= nan on x", "a number must follow");
	refuse("accuracy >= 0.8", "does not say on which data");
	refuse("accuracy >= 0.8 of x", "does not say on which data");
	refuse("accuracy >= 0.8 on", "does not say on which data");
	refuse("accuracy >= 0.8 on /test", "names no data set");
	refuse("accuracy >= 0.8 on x/", "names no data set");
	refuse("accuracy >= 0.8 on x y", "\"y\" is too much");
	refuse("-x >= 0.8 on x", "expected METRIC");
}

static void test_holds(UNUSED void **state)
{
	struct need n = {.bound = 0.5, .comparison = NEED_AT_LEAST};
	assert_true(need_holds(&n, 0.5) && need_holds(&n, 0.6) && !need_holds(&n, 0.4999) && !need_holds(&n, NAN));
	n.comparison = NEED_MORE;
	assert_true(!need_holds(&n, 0.5) && need_holds(&n, 0.6) && !need_holds(&n, NAN));
	n.comparison = NEED_AT_MOST;
	assert_true(need_holds(&n, 0.5) && !need_holds(&n, 0.6) && !need_holds(&n, NAN));
	n.comparison = NEED_LESS;
	assert_true(!need_holds(&n, 0.5) && need_holds(&n, 0.4) && !need_holds(&n, NAN));
}

static int decode(const char *yaml, struct arena *a, struct model *out, struct findings *f)
{
	struct node *root = NULL;
	*f = (struct findings){.arena = a};
	assert_int_equal(node_parse_yaml(str_of(yaml), "test.yaml", f, &root), 0);
	return kind_decode(&model_kind, root, a, out, f);
}

static void test_kind(UNUSED void **state)
{
	AUTO(arena) a = {0};
	struct model m = {0};
	struct findings f;
	assert_int_equal(decode("from: training/classifier\n"
				"input: {image: {type: fp32, shape: [784]}}\n"
				"output: {class: {type: int64, shape: [1]}}\n"
				"aliases:\n"
				"  champion: {needs: [accuracy >= 0.87 on prepared/test]}\n",
				 &a, &m, &f), 0);
	assert_true(str_eq(m.from.kind, S("training")) && str_eq(m.from.name, S("classifier")));
	const struct model_tensor *in = m.input.items;
	assert_int_equal(m.input.count, 1);
	assert_true(str_eq(in->name, S("image")) && str_eq(in->type, S("fp32")));
	assert_true(in->shape.count == 1 && *(const int64_t *)in->shape.items == 784);
	const struct model_alias *alias = m.aliases.items;
	assert_true(str_eq(alias->name, S("champion")) && alias->needs.count == 1);
	assert_true(((const struct need *)alias->needs.items)->bound == 0.87);
	assert_string_equal(model_datatype(S("fp32")), "FP32");
	assert_null(model_datatype(S("float")));
}

static void test_kind_refuses(UNUSED void **state)
{
	AUTO(arena) a = {0};
	struct model m = {0};
	struct findings f;
	assert_int_equal(decode("from: training/classifier\n"
				"input: {image: {type: float, shape: [784]}}\n"
				"aliases:\n"
				"  champion: {needs: [accuracy >= high on prepared/test, [x]]}\n"
				"  second: {needs: accuracy}\n",
				 &a, &m, &f), ERR_INVALID);
	assert_int_equal(f.count, 4);
	const struct finding *one = f.first;
	assert_int_equal(one->at.line, 2);
	one = one->next;
	assert_true(one->at.line == 4 && strstr(one->problem.p, "a number must follow"));
	assert_true(str_eq(one->field, S("aliases.champion.needs[0]")));
	one = one->next;
	assert_int_equal(one->at.line, 4);
	one = one->next;
	assert_true(one->at.line == 5 && strstr(one->problem.p, "expected a list of needs"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads),
		cmocka_unit_test(test_refuses),
		cmocka_unit_test(test_holds),
		cmocka_unit_test(test_kind),
		cmocka_unit_test(test_kind_refuses),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
