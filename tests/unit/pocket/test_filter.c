// SPDX-License-Identifier: Apache-2.0
// Filters of Google's lists and logs: what matches, what is no filter, and bounds.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "pocket/gcp/filter.h"

static const char resource_text[] =
	"{\"displayName\":\"Job A\",\"state\":\"JOB_STATE_RUNNING\",\"labels\":{\"isobar-job\":\"x-1\",\"empty\":\"\"},"
	"\"createTime\":\"2026-11-24T10:00:00.5Z\",\"count\":3,\"on\":true,\"severity\":\"ERROR\",\"tags\":[\"a\",\"b\"],"
	"\"jobId\":\"7446744073709551615\",\"resource\":{\"labels\":{\"job_id\":\"7\"}},\"text\":\"a \\\"quoted\\\" one\"}";

static bool matches(const char *filter)
{
	AUTO(arena) arena = {0};
	AUTO(json) resource = NULL;
	const struct google_filter *f = NULL;
	struct err e = {0};
	assert_int_equal(json_parse(str_of(resource_text), &resource, NULL), 0);
	if (google_filter_parse(str_of(filter), &arena, &f, &e) < 0)
		fail_msg("%s: %s", filter, e.message);
	return google_filter_matches(f, resource);
}

static void test_matches(UNUSED void **state)
{
	static const char *const yes[] = {"", "  ", "display_name=\"Job A\"", "displayName='job a'", "state=JOB_STATE_RUNNING",
		"labels.isobar-job=\"x-1\"", "labels.\"isobar-job\" = x-1", "labels:isobar-job", "labels.empty:*",
		"state!=JOB_STATE_FAILED", "absent!=1", "createTime>=\"2026-11-24T10:00:00Z\"",
		"createTime<2026-11-24T11:00:00+01:00 OR count=3", "count>2 count<4", "count>=3 AND count<=3.0", "on=true",
		"severity>=WARNING", "severity<CRITICAL", "tags:b", "text:QUOTED", "text=\"a \\\"quoted\\\" one\"",
		"jobId=\"7446744073709551615\"", "resource.labels.job_id=\"7\"", "NOT state=JOB_STATE_FAILED",
		"(state=A OR state=JOB_STATE_RUNNING) AND NOT (count=4)",
		"count=3 AND state=B OR state=JOB_STATE_RUNNING AND count=9 OR count=3"};
	static const char *const no[] = {"display_name=\"Job\"", "labels.other=1", "labels:other", "absent=1", "absent:*",
		"count>3", "severity>ERROR", "state=A count=3", "jobId=\"7446744073709551614\"", "on=false",
		// OR binds tighter: state=A AND (count=3 OR count=3)
		"state=A AND count=3 OR count=3", "NOT (count=3)", "tags:c"};
	for (size_t i = 0; i < COUNT_OF(yes); i++)
		if (!matches(yes[i]))
			fail_msg("does not match: %s", yes[i]);
	for (size_t i = 0; i < COUNT_OF(no); i++)
		if (matches(no[i]))
			fail_msg("matches: %s", no[i]);
}

static void test_wrong(UNUSED void **state)
{
	AUTO(arena) arena = {0};
	const struct google_filter *f = NULL;
	struct err e = {0};
	static const char *const wrong[] = {"a", "a=", "=1", "a=1)", "(a=1", "a=\"1", "a=1 AND", "a=1 OR", "NOT", "a..b=1",
		"a.=1", "()", "a=1 &", "a.b.c.d.e.f.g.h.i=1", "a?b"};
	for (size_t i = 0; i < COUNT_OF(wrong); i++)
		if (google_filter_parse(str_of(wrong[i]), &arena, &f, &e) != ERR_INVALID)
			fail_msg("is taken: %s", wrong[i]);
	assert_int_equal(google_filter_parse(S("a=1 b"), &arena, &f, &e), ERR_INVALID);
	assert_string_equal(e.message, "the filter has no comparison at character 6");
}

static void test_bounds(UNUSED void **state)
{
	AUTO(arena) arena = {0};
	AUTO(buf) deep = {0};
	AUTO(buf) broad = {0};
	const struct google_filter *f = NULL;
	for (int i = 0; i < FILTER_MAX_DEPTH + 1; i++)
		buf_add_char(&deep, '(');
	assert_int_equal(google_filter_parse(buf_str(&deep), &arena, &f, NULL), ERR_LIMIT);
	for (int i = 0; i < FILTER_MAX_NODES; i++)
		buf_add(&broad, S("a=1 "));
	assert_int_equal(google_filter_parse(buf_str(&broad), &arena, &f, NULL), ERR_LIMIT);
	for (int i = 0; broad.n <= FILTER_MAX_SIZE; i++)
		buf_add(&broad, S("a"));
	assert_int_equal(google_filter_parse(buf_str(&broad), &arena, &f, NULL), ERR_LIMIT);
}

static void test_equal(UNUSED void **state)
{
	AUTO(arena) arena = {0};
	const struct google_filter *f = NULL;
	struct str field = S("resource.labels.job_id");
	assert_int_equal(google_filter_parse(
				 S("resource.type=\"ml_job\" AND (severity>INFO) AND resource.labels.job_id=\"7\""), &arena, &f, NULL),
		0);
	assert_true(str_eq(google_filter_equal(f, field), S("7")));
	assert_null(google_filter_equal(f, S("resource.labels")).p);
	assert_int_equal(google_filter_parse(S("resource.labels.job_id=7 OR a=1"), &arena, &f, NULL), 0);
	assert_null(google_filter_equal(f, field).p);
	assert_null(google_filter_equal(NULL, field).p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_matches),
		cmocka_unit_test(test_wrong),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_equal),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
