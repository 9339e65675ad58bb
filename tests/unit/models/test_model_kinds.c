// SPDX-License-Identifier: Apache-2.0
// Models of our own and of others, their aliases, and tracking:.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "kind_test.h"
#include "models/model_kind.h"
#include "models/tracking_kind.h"

#define COMMIT "0123456789abcdef0123456789abcdef01234567"

static void test_own_model(UNUSED void **state)
{
	AUTO(arena) a = {0};
	struct model m;
	static const char text[] =
		"from: training/fraud\ncard: cards/fraud.md\nai_act: {role: provider and deployer, risk: limited, system: AIS-3}\n"
		"aliases:\n  candidate: {needs: [accuracy >= 0.91 on features/test]}\n"
		"  champion: {needs: [auc >= 0.92 on features/test, demographic parity by age_band within 0.05], "
		"approve: {by: group/risk, not_by: author}}\n";
	kind_test_decode(&model_kind, text, &a, &m, "");
	const struct model_alias *aliases = m.aliases.items;
	const struct need *needs = aliases[1].needs.items;
	assert_true(str_eq(needs[1].by, S("age_band")) && needs[1].bound == 0.05 && needs[1].on.name.n == 0);
	assert_true(needs[1].comparison == NEED_AT_MOST && need_holds(&needs[1], 0.05) && !need_holds(&needs[1], 0.06));
	assert_true(str_eq(aliases[1].approve.by.kind, S("group")) && str_eq(aliases[1].approve.not_by, S("author")));
	kind_test_later(&model_kind, text, "card, ai_act", "aliases.champion.needs, aliases.champion.approve");
}

static void test_foreign_model(UNUSED void **state)
{
	AUTO(arena) a = {0};
	struct model m;
	kind_test_decode(&model_kind, "{source: \"hf://org/model-8b@" COMMIT "\", licence: apache-2.0}", &a, &m, "");
	assert_true(m.from.name.n == 0 && str_eq(m.licence, S("apache-2.0")));
	kind_test_later(&model_kind, "{source: \"hf://org/model-8b@" COMMIT "\"}", "", "source");
	kind_test_wrong(&model_kind, "source: hf://org/model@main\n",
		"1:9: source: expected a source that is pinned to a commit of 40 hexadecimal digits; write "
		"hf://ORG/NAME@COMMIT\n");
	kind_test_wrong(&model_kind, "{from: a, source: \"hf://org/m@" COMMIT "\"}",
		"1:19: source: a model comes either from a training (from:) or from somebody else (source:); write from: "
		"training/NAME\n");
	kind_test_wrong(&model_kind, "licence: mit",
		"1:1: a model comes either from a training (from:) or from somebody else (source:); write from: training/NAME\n");
}

static void assert_need(const char *text, const char *expected)
{
	struct need n;
	struct err e = {0};
	assert_int_equal(need_parse(str_of(text), &n, &e), ERR_INVALID);
	assert_non_null(strstr(e.message, expected));
}

static void test_parity(UNUSED void **state)
{
	assert_need("demographic parity", "by which column?");
	assert_need("demographic parity by -x within 1", "by which column?");
	assert_need("demographic parity by age above 1", "\"within\" must follow \"age\"");
	assert_need("demographic parity by age within 2", "a number from 0 to 1 must follow");
	assert_need("demographic parity by age within 0.1 of", "\"of\" is too much");
	assert_need("demographic parity by age within 0.1 on t/x y", "\"y\" is too much");
	struct need n;
	struct err e = {0};
	assert_int_equal(need_parse(S("demographic parity by age within 0.1 on t/x"), &n, &e), 0);
	assert_true(str_eq(n.on.name, S("t")) && str_eq(n.on.qualifier, S("x")));
	AUTO(arena) a = {0};
	assert_true(need_list_is_measured(kind_test_node(&a, "[accuracy > 0.5 on t]")));
	assert_false(need_list_is_measured(kind_test_node(&a, "[accuracy > 0.5 on t, f1 > 0.5 on t]")));
}

static void test_tracking(UNUSED void **state)
{
	AUTO(arena) a = {0};
	struct tracking t;
	kind_test_decode(&tracking_kind, "{mlflow: \"https://mlflow.example\"}", &a, &t, "");
	assert_true(str_eq(t.mode, S("mirror")) && tracking_kind.single && tracking_handler.kind == &tracking_kind);
	kind_test_later(&tracking_kind, "{mlflow: \"https://mlflow.example\"}", "", "tracking");
	kind_test_wrong(&tracking_kind, "{mlflow: \"https://m.example\", credentials: hunter2}",
		"1:44: credentials: expected the name of a secret (secret/NAME), got something else\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_own_model),
		cmocka_unit_test(test_foreign_model),
		cmocka_unit_test(test_parity),
		cmocka_unit_test(test_tracking),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
