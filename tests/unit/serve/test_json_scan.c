// SPDX-License-Identifier: Apache-2.0
// The strict JSON reader: exact numbers, and everything that JSON forbids.
#include "serve/json_scan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static bool number(const char *text, double *out)
{
	struct json_scan s;
	json_scan_init(&s, str_of(text));
	return json_scan_number(&s, out) && json_scan_end(&s);
}

static void numbers_are_exact(void **state)
{
	static const char *const texts[] = {"0", "-0", "1", "-1.5", "0.1", "3.14159265358979", "1e10", "1E-7", "123456789012345678901234",
		"0.000123", "5e-324", "1.7976931348623157e308", "9007199254740993", "0.1e1", "255", "0.49803922"};
	(void)state;
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		double got = 99;
		assert_true(number(texts[i], &got));
		assert_true(got == strtod(texts[i], NULL));
	}
}

static void random_numbers_are_exact(void **state)
{
	(void)state;
	uint64_t x = 88172645463325252u;
	for (int i = 0; i < 20000; i++) {
		char text[64];
		double got;
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		snprintf(text, sizeof(text), i & 1 ? "%.9g" : "%.17g", (double)(int64_t)x / (double)(1u << (x & 31)));
		assert_true(number(text, &got));
		assert_true(got == strtod(text, NULL));
	}
}

static void bad_numbers_are_refused(void **state)
{
	static const char *const texts[] = {"", "-", "+1", "01", "-01", ".5", "1.", "1e", "1e+", "0x10", "NaN", "Infinity", "1e999", "--1",
		"1 2", "1_0", "١"};
	(void)state;
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		double got;
		if (number(texts[i], &got))
			fail_msg("accepted %s", texts[i]);
	}
}

static bool whole(const char *text)
{
	struct json_scan s;
	json_scan_init(&s, str_of(text));
	return json_scan_skip(&s) && json_scan_end(&s);
}

static void values_are_skipped(void **state)
{
	(void)state;
	assert_true(whole(" {\"a\": [1, 2, {\"b\": null}], \"c\\u00e9\": \"x\\n\", \"d\": true, \"e\": false} "));
	assert_true(whole("[]"));
	assert_true(whole("{}"));
	assert_true(whole("\"\xc3\xa9\""));
}

static void bad_values_are_refused(void **state)
{
	static const char *const texts[] = {"", "[", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "{", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}",
		"{\"a\":1 \"b\":2}", "\"", "\"\\x\"", "\"\\u12g4\"", "\"\n\"", "\"\xff\"", "\"\xed\xa0\x80\"", "tru", "nul", "truex", "[1}", "1]",
		"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"};
	(void)state;
	for (size_t i = 0; i < COUNT_OF(texts); i++)
		if (whole(texts[i]))
			fail_msg("accepted %s", texts[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_exact),
		cmocka_unit_test(random_numbers_are_exact),
		cmocka_unit_test(bad_numbers_are_refused),
		cmocka_unit_test(values_are_skipped),
		cmocka_unit_test(bad_values_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
