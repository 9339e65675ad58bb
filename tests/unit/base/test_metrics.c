// SPDX-License-Identifier: Apache-2.0
// Histograms against hand-computed quantiles; Prometheus text both ways.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/metrics.h"

static bool near(double a, double b)
{
	return fabs(a - b) <= 1e-12 * fmax(fabs(a), fabs(b));
}

static void test_bounds(UNUSED void **state)
{
	assert_true(histogram_bound(0) == 0.00001);
	assert_true(near(histogram_bound(10), 0.00001 * pow(1.5, 10)));
	assert_true(isinf(histogram_bound(HISTOGRAM_BUCKETS - 1)));
	assert_true(isinf(histogram_bound(1000)));
	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
		char text[32];
		double read = 0;
		snprintf(text, sizeof(text), "%.6g", histogram_bound(i));
		read = strtod(text, NULL);
		assert_int_equal(histogram_bucket_of(read), i);
	}
	assert_int_equal(histogram_bucket_of(0.00002), HISTOGRAM_BUCKETS);
	assert_int_equal(histogram_bucket_of(-(double)INFINITY), HISTOGRAM_BUCKETS);
}

static void test_add_uses_the_bounds(UNUSED void **state)
{
	struct histogram h = {0};
	for (size_t i = 0; i < HISTOGRAM_BUCKETS - 1; i++)
		histogram_add(&h, histogram_bound(i)); // a value at the bound belongs to its bucket
	histogram_add(&h, 1e9);
	histogram_add(&h, 0);
	assert_int_equal(h.counts[0], 2);
	for (size_t i = 1; i < HISTOGRAM_BUCKETS; i++)
		assert_int_equal(h.counts[i], 1);
	assert_int_equal(h.count, HISTOGRAM_BUCKETS + 1);
}

static void test_quantile(UNUSED void **state)
{
	struct histogram h = {0};
	assert_true(isnan(histogram_quantile(&h, 0.5)));
	for (int i = 0; i < 4; i++)
		histogram_add(&h, histogram_bound(10));
	for (int i = 0; i < 4; i++)
		histogram_add(&h, histogram_bound(20));
	double low = histogram_bound(9), high = histogram_bound(10);
	assert_true(near(histogram_quantile(&h, 0.25), low + (high - low) * 0.5));
	assert_true(near(histogram_quantile(&h, 0.5), high));
	assert_true(near(histogram_quantile(&h, 0), low));
	assert_true(near(histogram_quantile(&h, 1), histogram_bound(20)));
	assert_true(isnan(histogram_quantile(&h, 1.1)));
	assert_true(isnan(histogram_quantile(&h, -0.1)));
	struct histogram far = {0};
	histogram_add(&far, 1e9);
	assert_true(histogram_quantile(&far, 0.5) == histogram_bound(HISTOGRAM_BUCKETS - 2));
	struct histogram first = {0};
	histogram_add(&first, 0.000001);
	assert_true(near(histogram_quantile(&first, 0.5), 0.000005));
}

static void test_since(UNUSED void **state)
{
	struct histogram before = {0}, after;
	histogram_add(&before, 1);
	after = before;
	histogram_add(&after, 2);
	histogram_add(&after, 2);
	struct histogram delta = histogram_since(&after, &before);
	assert_int_equal(delta.count, 2);
	assert_true(delta.sum == 4);
	struct histogram restarted = histogram_since(&before, &after);
	assert_int_equal(restarted.count, 1);
}

static void test_write(UNUSED void **state)
{
	AUTO(buf) labels = {0};
	AUTO(buf) out = {0};
	metrics_label(&labels, "route", S("a\"b\\c\nd"));
	metrics_label(&labels, "code", S("200"));
	assert_string_equal(buf_cstr(&labels), "route=\"a\\\"b\\\\c\\nd\",code=\"200\"");
	metrics_head(&out, "x_total", "counter", "Back\\slash and\nline.");
	metrics_sample(&out, "x_total", buf_cstr(&labels), 3);
	metrics_sample(&out, "y", "", 0.1);
	metrics_sample(&out, "y", "", (double)INFINITY);
	metrics_sample(&out, "y", "", -(double)INFINITY);
	metrics_sample(&out, "y", "", (double)NAN);
	assert_string_equal(buf_cstr(&out),
		"# HELP x_total Back\\\\slash and\\nline.\n# TYPE x_total counter\n"
		"x_total{route=\"a\\\"b\\\\c\\nd\",code=\"200\"} 3\ny 0.1\ny +Inf\ny -Inf\ny NaN\n");
}

struct seen {
	size_t count;
	double sum;
	struct histogram h;
	char last_labels[64];
};

static void see(void *ctx, const struct metrics_sample_read *s)
{
	struct seen *seen = ctx;
	seen->count++;
	seen->sum += s->value;
	str_copy(seen->last_labels, sizeof(seen->last_labels), s->labels);
	if (str_eq(s->name, S("h_count")))
		seen->h.count = (uint64_t)s->value;
}

static void test_histogram_round_trip(UNUSED void **state)
{
	struct histogram h = {0};
	AUTO(buf) out = {0};
	histogram_add(&h, 0.5);
	histogram_add(&h, 1e9);
	metrics_histogram(&out, "h", "route=\"x\"", &h);
	assert_true(str_starts(
		buf_str(&out), S("h_bucket{route=\"x\",le=\"1e-05\"} 0\nh_bucket{route=\"x\",le=\"1.5e-05\"} 0\n")));
	assert_true(str_ends(buf_str(&out),
		S("h_bucket{route=\"x\",le=\"+Inf\"} 2\nh_sum{route=\"x\"} 1000000000.5\nh_count{route=\"x\"} 2\n")));
	struct seen seen = {0};
	assert_int_equal(metrics_parse(buf_str(&out), see, &seen, NULL), 0);
	assert_int_equal(seen.count, HISTOGRAM_BUCKETS + 2);
	assert_int_equal(seen.h.count, 2);
	buf_clear(&out);
	metrics_histogram(&out, "h", "", &h);
	assert_true(str_ends(buf_str(&out), S("h_bucket{le=\"+Inf\"} 2\nh_sum 1000000000.5\nh_count 2\n")));
}

static void test_parse(UNUSED void **state)
{
	struct seen seen = {0};
	struct err e = {0};
	struct str text = S("# HELP a b\n\n  a 1\nb{} 2 1700000000000\r\nc{x=\"1\" , y=\"}\\\"{\",} -3.5e1\nd +Inf\n");
	assert_int_equal(metrics_parse(text, see, &seen, &e), 0);
	assert_int_equal(seen.count, 4);
	assert_true(isinf(seen.sum));
	seen = (struct seen){0};
	assert_int_equal(metrics_parse(S("c{x=\"1\",y=\"}\\\"{\"} 5"), see, &seen, &e), 0);
	assert_string_equal(seen.last_labels, "x=\"1\",y=\"}\\\"{\"");
	static const char *const bad[] = {
		"a", "1a 2", "a{x=1} 2", "a{x=\"1} 2", "a{x=\"1\" 2", "a x", "a 1 x", "{} 1", "a{x} 1", "a{x=\"\\"};
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_int_equal(metrics_parse(str_of(bad[i]), see, &seen, &e), ERR_INVALID);
	assert_int_equal(metrics_parse(S("a 1\nb zwei\n"), see, &seen, &e), ERR_INVALID);
	assert_string_equal(e.message, "metrics, line 2: the value is no number: b zwei");
}

static void test_label_get(UNUSED void **state)
{
	AUTO(arena) a = {0};
	struct str labels = S("route=\"a\\\"b\\\\c\\nd\", code=\"200\",empty=\"\"");
	assert_true(str_eq(metrics_label_get(labels, "route", &a), S("a\"b\\c\nd")));
	assert_true(str_eq(metrics_label_get(labels, "code", &a), S("200")));
	assert_true(str_eq(metrics_label_get(labels, "empty", &a), S("")));
	assert_true(str_eq(metrics_label_get(labels, "cod", &a), S("")));
	assert_true(str_eq(metrics_label_get(S(""), "code", &a), S("")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_add_uses_the_bounds),
		cmocka_unit_test(test_quantile),
		cmocka_unit_test(test_since),
		cmocka_unit_test(test_write),
		cmocka_unit_test(test_histogram_round_trip),
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_label_get),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
