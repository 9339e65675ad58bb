// SPDX-License-Identifier: Apache-2.0
// What Google's APIs of a pocket share, without a pocket: pages, enumerations, durations.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "pocket/gcp/google.h"

static void ask(struct front_request *r, struct arena *a, const char *size, struct str token)
{
	*r = (struct front_request){.arena = a};
	assert_int_equal(pairs_add(&r->query, a, S("pageSize"), str_of(size)), 0);
	assert_int_equal(pairs_add(&r->query, a, S("pageToken"), token), 0);
}

static void test_page(UNUSED void **state)
{
	AUTO(arena) arena = {0};
	struct front_request r;
	struct google_page page;
	ask(&r, &arena, "", S(""));
	assert_int_equal(google_page_read(&r, 100, 500, &page), 0);
	assert_int_equal(page.limit, 100);
	assert_int_equal(page.after.n, 0);
	ask(&r, &arena, "7000", google_page_token(&r, S("projects/p/x\xc3\xa9")));
	assert_int_equal(google_page_read(&r, 100, 500, &page), 0);
	assert_int_equal(page.limit, 500);
	assert_true(str_eq(page.after, S("projects/p/x\xc3\xa9")));
}

static void test_page_refused(UNUSED void **state)
{
	AUTO(arena) arena = {0};
	struct front_request r;
	struct google_page page;
	static const struct {
		const char *size, *token, *message;
	} wrong[] = {
		{"-1", "", "The page size must not be negative."},
		{"a", "", "Invalid value at 'page_size' (TYPE_INT32), \"a\""},
		{"1", "eDEueA", "Page token is invalid."},
		{"1", "!", "Page token is invalid."},
	};
	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		ask(&r, &arena, wrong[i].size, str_of(wrong[i].token));
		assert_int_equal(google_page_read(&r, 1, 1, &page), ERR_INVALID);
		assert_string_equal(r.err.message, wrong[i].message);
		assert_string_equal(r.err.provider_code, "INVALID_ARGUMENT");
		assert_int_equal(r.err.http_status, 400);
	}
}

static void test_enum(UNUSED void **state)
{
	static const char *const names[] = {"NONE", "ONE", NULL, "THREE"};
	AUTO(json) values = json_pack("[s, i, i, i, s, n]", "ONE", 3, 2, 4, "TWO");
	const char *wanted[] = {"ONE", "THREE", NULL, NULL, NULL, NULL};
	for (size_t i = 0; i < COUNT_OF(wanted); i++) {
		const char *got = google_enum(json_array_get(values, i), names, COUNT_OF(names));
		assert_true(wanted[i] ? got && strcmp(got, wanted[i]) == 0 : !got);
	}
}

static void test_duration(UNUSED void **state)
{
	int64_t ns = 7;
	assert_int_equal(google_duration(S("3.5s"), &ns), 0);
	assert_int_equal(ns, INT64_C(3500000000));
	assert_int_equal(google_duration(S("0s"), &ns), 0);
	assert_int_equal(ns, 0);
	const char *wrong[] = {"", "s", "3", "-1s", "3m", "1e99s", "nans"};
	for (size_t i = 0; i < COUNT_OF(wrong); i++)
		assert_int_equal(google_duration(str_of(wrong[i]), &ns), ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_page),
		cmocka_unit_test(test_page_refused),
		cmocka_unit_test(test_enum),
		cmocka_unit_test(test_duration),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
