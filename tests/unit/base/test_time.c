// SPDX-License-Identifier: Apache-2.0
// Times and durations: exact texts both ways, and what is refused.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/time.h"

// 2026-11-24T10:15:31.123456789Z
#define POINT (INT64_C(1795515331) * NS_PER_S + 123456789)
#define WHOLE (INT64_C(1795515331) * NS_PER_S)

static void test_write(UNUSED void **state)
{
	char text[TIME_TEXT_SIZE];
	time_rfc3339(POINT, 9, text);
	assert_string_equal(text, "2026-11-24T10:15:31.123456789Z");
	time_rfc3339(POINT, 6, text);
	assert_string_equal(text, "2026-11-24T10:15:31.123456Z");
	time_rfc3339(POINT, 3, text);
	assert_string_equal(text, "2026-11-24T10:15:31.123Z");
	time_rfc3339(POINT, 0, text);
	assert_string_equal(text, "2026-11-24T10:15:31Z");
	time_rfc3339(-1, 9, text);
	assert_string_equal(text, "1969-12-31T23:59:59.999999999Z");
	time_http_date(POINT, text);
	assert_string_equal(text, "Tue, 24 Nov 2026 10:15:31 GMT");
	time_iso_basic(POINT, text);
	assert_string_equal(text, "20261124T101531Z");
	time_rfc3339(INT64_MAX, 9, text);
	assert_string_equal(text, "2262-04-11T23:47:16.854775807Z");
	time_rfc3339(INT64_MIN, 9, text);
	assert_string_equal(text, "1677-09-21T00:12:43.145224192Z");
}

static void test_rfc3339(UNUSED void **state)
{
	static const struct {
		const char *text;
		int64_t ns;
	} rows[] = {
		{"2026-11-24T10:15:31.123456789Z", POINT},
		{"2026-11-24T10:15:31Z", WHOLE},
		{"2026-11-24T10:15:31.5Z", WHOLE + 500000000},
		{"2026-11-24T11:15:31+01:00", WHOLE},
		{"2026-11-24T04:45:31-05:30", WHOLE},
		{"1970-01-01T00:00:00Z", 0},
		{"1969-12-31T23:59:59.999999999Z", -1},
		{"2024-02-29T00:00:00Z", INT64_C(1709164800) * NS_PER_S},
		{"2000-02-29T00:00:00Z", INT64_C(951782400) * NS_PER_S},
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		int64_t ns = 7;
		assert_int_equal(time_parse_rfc3339(str_of(rows[i].text), &ns), 0);
		assert_int_equal(ns, rows[i].ns);
	}
}

static void test_rfc3339_refuses(UNUSED void **state)
{
	static const char *const texts[] = {"", "2026-11-24", "2026-11-24T10:15:31", "2026-11-24 10:15:31Z",
		"2026-13-24T10:15:31Z", "2026-00-24T10:15:31Z", "2026-11-31T10:15:31Z", "2026-11-00T10:15:31Z",
		"2025-02-29T10:15:31Z", "1900-02-29T10:15:31Z", "2026-11-24T24:15:31Z", "2026-11-24T10:60:31Z",
		"2026-11-24T10:15:60Z", "2026-11-24T10:15:31.Z", "2026-11-24T10:15:31.1234567891Z",
		"2026-11-24T10:15:31+1:00", "2026-11-24T10:15:31+24:00", "2026-11-24T10:15:31ZZ",
		" 2026-11-24T10:15:31Z", "2026-1-24T10:15:31Z", "9999-11-24T10:15:31Z", "1000-11-24T10:15:31Z",
		"+026-11-24T10:15:31Z", "2026-11-24T10:15:3"};
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		int64_t ns = 7;
		assert_int_equal(time_parse_rfc3339(str_of(texts[i]), &ns), ERR_INVALID);
		assert_int_equal(ns, 7);
	}
}

static void test_http_date(UNUSED void **state)
{
	int64_t ns = 0;
	assert_int_equal(time_parse_http_date(S("Tue, 24 Nov 2026 10:15:31 GMT"), &ns), 0);
	assert_int_equal(ns, WHOLE);
	ns = 0;
	assert_int_equal(time_parse_http_date(S("Tuesday, 24-Nov-26 10:15:31 GMT"), &ns), 0);
	assert_int_equal(ns, WHOLE);
	assert_int_equal(time_parse_http_date(S("Tue Nov 24 10:15:31 2026"), &ns), 0);
	assert_int_equal(ns, WHOLE);
	assert_int_equal(time_parse_http_date(S("Sunday, 06-Nov-94 08:49:37 GMT"), &ns), 0);
	assert_int_equal(ns, INT64_C(784111777) * NS_PER_S);
	assert_int_equal(time_parse_http_date(S("Sun Nov  6 08:49:37 1994"), &ns), 0);
	assert_int_equal(ns, INT64_C(784111777) * NS_PER_S);
	static const char *const texts[] = {"", "Tue", "Xyz, 24 Nov 2026 10:15:31 GMT", "Tue, 24 Nov 2026 10:15:31 UTC",
		"Tue, 24 nov 2026 10:15:31 GMT", "Tue, 4 Nov 2026 10:15:31 GMT", "Tue,24 Nov 2026 10:15:31 GMT",
		"Tue, 24 Nov 2026 10:15:31 GMT ", "Tue, 31 Nov 2026 10:15:31 GMT", "Tue-24"};
	ns = 7;
	for (size_t i = 0; i < COUNT_OF(texts); i++)
		assert_int_equal(time_parse_http_date(str_of(texts[i]), &ns), ERR_INVALID);
	assert_int_equal(ns, 7);
}

static void test_iso_basic(UNUSED void **state)
{
	int64_t ns = 0;
	assert_int_equal(time_parse_iso_basic(S("20261124T101531Z"), &ns), 0);
	assert_int_equal(ns, WHOLE);
	assert_int_equal(time_parse_iso_basic(S("20261124T101531"), &ns), ERR_INVALID);
	assert_int_equal(time_parse_iso_basic(S("20261324T101531Z"), &ns), ERR_INVALID);
	assert_int_equal(time_parse_iso_basic(S("2026-11-24T10:15:31Z"), &ns), ERR_INVALID);
	assert_int_equal(ns, WHOLE);
}

static void test_duration(UNUSED void **state)
{
	static const struct {
		const char *text;
		int64_t ns;
		const char *back;
	} rows[] = {
		{"90d", 90 * 86400 * NS_PER_S, "90d"},
		{"36h", 36 * 3600 * NS_PER_S, "36h"},
		{"48h", 48 * 3600 * NS_PER_S, "2d"},
		{"5m", 300 * NS_PER_S, "5m"},
		{"60s", 60 * NS_PER_S, "1m"},
		{"250ms", 250 * NS_PER_MS, "250ms"},
		{"1500us", 1500000, "1500us"},
		{"7ns", 7, "7ns"},
		{"0s", 0, "0s"},
		{"0d", 0, "0s"},
		{"2w", 14 * 86400 * NS_PER_S, "14d"},
		{"2y", 730 * 86400 * NS_PER_S, "730d"},
		{"18 months", 540 * 86400 * NS_PER_S, "540d"},
		{"1 year", 365 * 86400 * NS_PER_S, "365d"},
		{"3 weeks", 21 * 86400 * NS_PER_S, "21d"},
		{"1 day", 86400 * NS_PER_S, "1d"},
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		int64_t ns = -7;
		char back[TIME_TEXT_SIZE];
		assert_int_equal(duration_parse(str_of(rows[i].text), &ns), 0);
		assert_int_equal(ns, rows[i].ns);
		duration_text(ns, back);
		assert_string_equal(back, rows[i].back);
	}
	char text[TIME_TEXT_SIZE];
	duration_text(-3 * NS_PER_S, text);
	assert_string_equal(text, "-3s");
	duration_text(INT64_MIN, text);
	assert_string_equal(text, "-9223372036854775808ns");
}

static void test_duration_refuses(UNUSED void **state)
{
	static const char *const texts[] = {"", "d", "5", "5 d", "-5d", "+5d", "1.5h", "5D", "5d ", " 5d", "5dd",
		"18months", "18  months", "1h30m", "1:30", "soon", "99999999999999999999d", "200000000000d",
		"5 fortnights"};
	int64_t ns = 7;
	for (size_t i = 0; i < COUNT_OF(texts); i++)
		assert_int_equal(duration_parse(str_of(texts[i]), &ns), ERR_INVALID);
	assert_int_equal(ns, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_write),
		cmocka_unit_test(test_rfc3339),
		cmocka_unit_test(test_rfc3339_refuses),
		cmocka_unit_test(test_http_date),
		cmocka_unit_test(test_iso_basic),
		cmocka_unit_test(test_duration),
		cmocka_unit_test(test_duration_refuses),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
