// SPDX-License-Identifier: Apache-2.0
// The life of an alert: fires once, clears once, says nothing without data; and its JSON form.
#include "monitor/alert.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const struct monitor_rule rule = {
	.signal = {.p = "failed_attempts", .n = 15},
	.above = {.set = true, .value = 0.05},
	.over_ns = 2000000000,
};

static void it_fires_and_clears_once(void **state)
{
	struct alert a = {0};
	(void)state;
	assert_int_equal(alert_step(&a, &rule, (struct reading){.known = true, .value = 0.05}, 10), ALERT_SAME);
	assert_int_equal(alert_step(&a, &rule, (struct reading){.known = true, .value = 0.06}, 20), ALERT_FIRED);
	assert_int_equal(a.since_ns, 20);
	assert_int_equal(alert_step(&a, &rule, (struct reading){.known = true, .value = 0.9}, 30), ALERT_SAME);
	assert_int_equal(alert_step(&a, &rule, (struct reading){.known = false}, 40), ALERT_SAME);
	assert_int_equal(a.state, ALERT_FIRING);
	assert_int_equal(alert_step(&a, &rule, (struct reading){.known = true, .value = 0}, 50), ALERT_CLEARED);
	assert_int_equal(a.state, ALERT_RESOLVED);
	assert_int_equal(a.ended_ns, 50);
	assert_int_equal(alert_step(&a, &rule, (struct reading){.known = true, .value = 0}, 60), ALERT_SAME);
	assert_int_equal(alert_step(&a, &rule, (struct reading){.known = true, .value = 1}, 70), ALERT_FIRED);
	assert_int_equal(a.ended_ns, 0);
}

static void below_fires_below(void **state)
{
	const struct monitor_rule low = {.below = {.set = true, .value = 0.9}};
	(void)state;
	assert_true(alert_breaches(&low, 0.89));
	assert_false(alert_breaches(&low, 0.9));
}

static void it_survives_as_json(void **state)
{
	AUTO(arena) arena = {0};
	struct alert a = {.state = ALERT_FIRING, .since_ns = 1764000000000000000, .value = 0.963}, b;
	struct alert_place place = {.monitor = S("cloud-lost"), .watch = S("endpoint/classify"), .cloud = S("azure-eu")};
	(void)state;
	assert_true(str_eq(alert_summary(&arena, &a, &place, &rule),
		S("failed_attempts of endpoint/classify on azure-eu is 96.3% (above 5% over 2s)")));
	AUTO(json) j = alert_to_json(&a, &place, &rule);
	assert_string_equal(json_text(j, "state"), "firing");
	assert_string_equal(json_text(j, "since"), "2025-11-24T16:00:00.000Z");
	alert_of_json(j, &b);
	assert_int_equal(b.state, a.state);
	assert_int_equal(b.since_ns, a.since_ns);
	assert_int_equal(b.ended_ns, a.ended_ns);
	assert_true(b.value == a.value);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_fires_and_clears_once),
		cmocka_unit_test(below_fires_below),
		cmocka_unit_test(it_survives_as_json),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
