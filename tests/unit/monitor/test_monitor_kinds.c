// SPDX-License-Identifier: Apache-2.0
// Channels, rules of quality, budgets and metrics:.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/kind_scalars.h"
#include "kind_test.h"
#include "monitor/budget_kind.h"
#include "monitor/channel_kind.h"
#include "monitor/metrics_kind.h"
#include "monitor/monitor_kind.h"

static void test_channels(UNUSED void **state)
{
	AUTO(arena) a = {0};
	struct channel c;
	kind_test_decode(&channel_kind, "pagerduty: {routing_key: secret/pagerduty}", &a, &c, "");
	assert_true(str_eq(c.pagerduty.routing_key, S("secret/pagerduty")));
	kind_test_later(&channel_kind, "pagerduty: {routing_key: secret/pagerduty}", "", "pagerduty");
	kind_test_later(&channel_kind, "email: dpo@lumen.example", "", "email");
	kind_test_later(&channel_kind, "webhook: \"https://x.example/y\"", "", "");
	kind_test_wrong(&channel_kind, "email: dpo", "1:8: email: expected an e-mail address, got \"dpo\"; write it as "
						    "oncall@example.org\n");
	kind_test_wrong(&channel_kind, "{email: a@b, webhook: \"https://x.example/y\"}",
		"1:1: a channel is exactly one of webhook, email and pagerduty; write webhook: URL\n");
	kind_test_wrong(&channel_kind, "pagerduty: {routing_key: R0123456789}",
		"1:26: pagerduty.routing_key: expected the name of a secret (secret/NAME), got something else\n");
}

static void test_quality_rules(UNUSED void **state)
{
	AUTO(arena) a = {0};
	struct monitor m;
	static const char text[] =
		"watch: endpoint/fraud\nper: cloud\nrules: [{signal: errors, above: 0.5%, over: 5m}, "
		"{signal: auc, below: 0.90, over: 7d, labels: dataset/returns, join: order_id}]\nthen: [roll back]\n";
	kind_test_decode(&monitor_kind, text, &a, &m, "");
	const struct monitor_rule *rules = m.rules.items;
	assert_int_equal(monitor_signal_of(rules[0].signal), SIGNAL_ERRORS);
	assert_int_equal(monitor_signal_of(rules[1].signal), SIGNAL_COUNT);
	assert_true(str_eq(rules[1].labels.name, S("returns")) && str_eq(rules[1].join, S("order_id")));
	kind_test_later(&monitor_kind, text, "rules[1].signal, rules[1].labels, rules[1].join, then", "");
	kind_test_wrong(&monitor_kind, "watch: route/x\nrules: [{signal: auc, below: 0.9}]\nthen: [shift traffic, fly]\n",
		"2:9: rules[0]: a rule of quality needs the data that says what was right, and the column that joins it; add "
		"labels: dataset/NAME and join: COLUMN\n"
		"3:7: then: traffic can only be shifted away from one cloud of an endpoint; watch an endpoint with per: cloud\n"
		"3:7: then: no fix is called \"fly\"; write \"shift traffic\", \"roll back\" or \"run pipeline/NAME\"\n");
}

// 5% and 0.05, 50ms and 0.05 say the same.
static void test_thresholds(UNUSED void **state)
{
	static const char *const alike[] = {"5%", "0.05", "5.0%", "50ms", "5e-2"};
	const struct field *rules = kind_field(&monitor_kind, S("rules"));
	const struct field *above = kind_field(rules->block, S("above"));
	for (size_t i = 0; i < COUNT_OF(alike); i++) {
		const struct node n = {.type = NODE_SCALAR, .text = str_of(alike[i])};
		AUTO(json) j = scalar_to_normal(above, &n);
		assert_true(json_is_real(j) && json_real_value(j) > 0.05 - 1e-12 && json_real_value(j) < 0.05 + 1e-12);
		AUTO(json) five = json_real(0.05);
		assert_true(json_equal(j, five));
	}
}

static void test_budget(UNUSED void **state)
{
	AUTO(arena) a = {0};
	struct budget b;
	kind_test_decode(&budget_kind,
		"{of: {owner: group/ml, labels: {team: a}}, at_most: 200 EUR/month, when_spent: stop new jobs, notify: [oncall]}", &a,
		&b, "");
	assert_true(b.at_most.amount == 200 && b.warn_at == 0.8 && b.of.clouds.all && b.of.labels.count == 1);
	kind_test_wrong(&budget_kind, "at_most: 200 EUR",
		"1:10: at_most: a budget is money for a day, week, month or year; write it as 200 EUR/month\n");
	kind_test_later(&budget_kind, "at_most: 1 EUR/day", "", "budgets");
	assert_ptr_equal(budget_handler.kind, &budget_kind);
}

static void test_metrics(UNUSED void **state)
{
	AUTO(arena) a = {0};
	struct metrics_target m;
	kind_test_decode(&metrics_kind, "{prometheus: \"https://p.example\", rules: [prometheus/*.yml]}", &a, &m, "");
	assert_true(str_eq(((const struct str *)m.rules.items)[0], S("prometheus/*.yml")));
	kind_test_later(&metrics_kind, "{prometheus: \"https://p.example\"}", "", "metrics");
	kind_test_wrong(&metrics_kind, "{prometheus: \"https://p.example\", rules: [/etc/x.yml]}",
		"1:43: rules[0]: expected a path inside the workspace's folder, such as sql/features.sql, got \"/etc/x.yml\"\n");
	assert_true(metrics_kind.single && metrics_handler.kind == &metrics_kind);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_channels),
		cmocka_unit_test(test_quality_rules),
		cmocka_unit_test(test_thresholds),
		cmocka_unit_test(test_budget),
		cmocka_unit_test(test_metrics),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
