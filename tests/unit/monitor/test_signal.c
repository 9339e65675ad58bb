// SPDX-License-Identifier: Apache-2.0
// Signals out of an exposition: which counters count, per cloud and per route, and the verdict over what they did.
#include "monitor/signal.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const char exposition[] =
	"# HELP isobar_gateway_attempts_total x\n# TYPE isobar_gateway_attempts_total counter\n"
	"isobar_gateway_attempts_total{route=\"r\",endpoint=\"classify\",cloud=\"aws-us\",outcome=\"ok\"} 90\n"
	"isobar_gateway_attempts_total{route=\"r\",endpoint=\"classify\",cloud=\"aws-us\",outcome=\"failed\"} 10\n"
	"isobar_gateway_attempts_total{route=\"r\",endpoint=\"classify\",cloud=\"gcp-eu\",outcome=\"ok\"} 50\n"
	"isobar_gateway_attempts_total{route=\"r\",endpoint=\"other\",cloud=\"aws-us\",outcome=\"failed\"} 7\n"
	"isobar_gateway_requests_total{route=\"classify\",code=\"200\"} 1000\n"
	"isobar_gateway_requests_total{route=\"classify\",code=\"401\"} 5\n"
	"isobar_gateway_requests_total{route=\"classify\",code=\"503\"} 2\n";

static struct monitor_rule rule_of(const char *signal)
{
	return (struct monitor_rule){.signal = str_of(signal), .quantile = 0.5};
}

static struct signal_target target_of(const char *kind, const char *name, const char *cloud)
{
	return (struct signal_target){.watch = {.kind = str_of(kind), .name = str_of(name)}, .cloud = str_of(cloud)};
}

static void attempts_of_one_cloud(void **state)
{
	struct monitor_rule rule = rule_of("failed_attempts");
	struct signal_target one = target_of("endpoint", "classify", "aws-us"), all = target_of("endpoint", "classify", "");
	double values[SIGNAL_MAX_WIDTH] = {0};
	(void)state;
	assert_int_equal(signal_width(SIGNAL_FAILED_ATTEMPTS), 2);
	assert_int_equal(signal_collect(&rule, &one, str_of(exposition), values, NULL), 0);
	assert_true(values[0] == 100 && values[1] == 10);
	memset(values, 0, sizeof(values));
	assert_int_equal(signal_collect(&rule, &all, str_of(exposition), values, NULL), 0);
	assert_true(values[0] == 150 && values[1] == 10);
	struct reading r = signal_judge(&rule, values);
	assert_true(r.known && fabs(r.value - 10.0 / 150) < 1e-12);
}

static void errors_of_a_route_are_5xx(void **state)
{
	struct monitor_rule rule = rule_of("errors");
	struct signal_target target = target_of("route", "classify", "");
	double values[SIGNAL_MAX_WIDTH] = {0};
	(void)state;
	assert_int_equal(signal_collect(&rule, &target, str_of(exposition), values, NULL), 0);
	assert_true(values[0] == 1007 && values[1] == 2);
}

static void latency_is_a_quantile(void **state)
{
	struct monitor_rule rule = rule_of("latency");
	struct signal_target target = target_of("route", "classify", "");
	double values[SIGNAL_MAX_WIDTH] = {0};
	struct histogram h = {0};
	AUTO(buf) text = {0};
	(void)state;
	for (int i = 1; i <= 100; i++)
		histogram_add(&h, i * 0.001);
	metrics_histogram(&text, "isobar_gateway_request_seconds", "route=\"classify\"", &h);
	assert_int_equal(signal_collect(&rule, &target, buf_str(&text), values, NULL), 0);
	struct reading r = signal_judge(&rule, values);
	assert_true(r.known);
	assert_true(fabs(r.value - histogram_quantile(&h, 0.5)) < 1e-9);
}

static void no_traffic_is_no_verdict(void **state)
{
	struct monitor_rule rule = rule_of("errors"), latency = rule_of("latency");
	double nothing[SIGNAL_MAX_WIDTH] = {0};
	(void)state;
	assert_false(signal_judge(&rule, nothing).known);
	assert_false(signal_judge(&latency, nothing).known);
}

static void what_is_not_there_is_said(void **state)
{
	struct monitor_rule rule = rule_of("failed_attempts");
	struct signal_target route = target_of("route", "classify", ""), endpoint = target_of("endpoint", "classify", "");
	double values[SIGNAL_MAX_WIDTH] = {0};
	struct err e = {0};
	(void)state;
	assert_int_equal(signal_collect(&rule, &route, str_of(exposition), values, &e), ERR_UNSUPPORTED);
	assert_string_equal(e.message, "route has no signal failed_attempts");
	assert_int_equal(signal_collect(&rule, &endpoint, S("no exposition {"), values, &e), ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(attempts_of_one_cloud),
		cmocka_unit_test(errors_of_a_route_are_5xx),
		cmocka_unit_test(latency_is_a_quantile),
		cmocka_unit_test(no_traffic_is_no_verdict),
		cmocka_unit_test(what_is_not_there_is_said),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
