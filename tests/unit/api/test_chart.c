// SPDX-License-Identifier: Apache-2.0
// Charts: well-formed SVG with the right places, also for one point, none, and names that try to be markup.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "api/chart.h"

static void assert_balanced(const char *text)
{
	long depth = 0;
	for (const char *p = text; *p; p++) {
		depth += *p == '<';
		depth -= *p == '>';
		assert_true(depth == 0 || depth == 1);
	}
	assert_int_equal(0, depth);
	assert_null(strstr(text, "nan"));
	assert_null(strstr(text, "inf"));
}

static void test_lines(void **state)
{
	(void)state;
	const double x[] = {1, 2, 3}, y[] = {1.0, 0.5, 0.25};
	const struct chart_series series[] = {{.name = S_INIT("<b>&\"x'"), .x = x, .y = y, .count = 3}};
	const struct chart chart = {
		.x_label = "round", .y_label = "loss", .series = series, .series_count = 1, .from_zero = true};
	struct buf out = {0};
	chart_write(&chart, &out);
	const char *text = buf_cstr(&out);
	assert_balanced(text);
	assert_non_null(strstr(text, "&lt;b&gt;&amp;&quot;x&#39;"));
	assert_non_null(strstr(text, "points=\"64.0,12.0 404.0,114.0 744.0,165.0 \""));
	assert_non_null(strstr(text, ">round</text>"));
	buf_free(&out);
}

static void test_stacked(void **state)
{
	(void)state;
	const double x[] = {0, 1}, y[] = {1, 1};
	const struct chart_series series[] = {
		{.name = S_INIT("a"), .x = x, .y = y, .count = 2}, {.name = S_INIT("b"), .x = x, .y = y, .count = 2}};
	const struct chart chart = {
		.x_label = "s", .y_label = "n", .series = series, .series_count = 2, .stacked = true};
	struct buf out = {0};
	chart_write(&chart, &out);
	const char *text = buf_cstr(&out);
	assert_balanced(text);
	// The first lies on the axis (216) up to the middle (114), the second on top of it up to the top (12).
	assert_non_null(strstr(text, "points=\"64.0,114.0 744.0,114.0 744.0,216.0 64.0,216.0 \""));
	assert_non_null(strstr(text, "points=\"64.0,12.0 744.0,12.0 744.0,114.0 64.0,114.0 \""));
	buf_free(&out);
}

static void test_one_point_and_none(void **state)
{
	(void)state;
	const double x[] = {5}, y[] = {0};
	const struct chart_series one[] = {{.name = S_INIT("a"), .x = x, .y = y, .count = 1}};
	const struct chart chart = {.x_label = "", .y_label = "", .series = one, .series_count = 1};
	const struct chart empty = {.x_label = "", .y_label = ""};
	struct buf out = {0};
	chart_write(&chart, &out);
	assert_balanced(buf_cstr(&out));
	buf_clear(&out);
	chart_write(&empty, &out);
	assert_string_equal("<p class=\"none\">Nothing was recorded.</p>\n", buf_cstr(&out));
	buf_free(&out);
}

static void test_timeline(void **state)
{
	(void)state;
	const struct str rows[] = {S_INIT("alert <x>"), S_INIT("override")};
	const struct chart_span spans[] = {
		{.row = 0, .from = 10, .to = 20, .text = S_INIT("lost & found"), .color = 4},
		{.row = 1, .from = 15, .to = 14, .text = S_INIT("moment"), .color = 3},
	};
	const struct chart_timeline t = {
		.rows = rows, .row_count = 2, .spans = spans, .span_count = 2, .from = 0, .to = 100};
	const struct chart_timeline none = {0};
	struct buf out = {0};
	chart_write_timeline(&t, &out);
	const char *text = buf_cstr(&out);
	assert_balanced(text);
	assert_non_null(strstr(text, "<rect class=\"span c4\" x=\"245.4\""));
	assert_non_null(strstr(text, "<title>lost &amp; found</title></rect>"));
	assert_non_null(strstr(text, "<circle class=\"dot c3\""));
	assert_non_null(strstr(text, "alert &lt;x&gt;"));
	buf_clear(&out);
	chart_write_timeline(&none, &out);
	assert_non_null(strstr(buf_cstr(&out), "Nothing was recorded"));
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_stacked),
		cmocka_unit_test(test_one_point_and_none),
		cmocka_unit_test(test_timeline),
	};
	return cmocka_run_group_tests_name("api-chart", tests, NULL, NULL);
}
