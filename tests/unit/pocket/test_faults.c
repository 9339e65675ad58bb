// SPDX-License-Identifier: Apache-2.0
// Rules of faults: what is read, what is refused, which requests they concern, and that a seed repeats.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/time.h"
#include "pocket/faults.h"

static struct faults *parse(const char *text)
{
	struct faults *f = NULL;
	struct err e = {0};
	if (faults_parse(str_of(text), &f, &e) < 0)
		fail_msg("%s", e.message);
	return f;
}

static enum fault_act meet_at(struct faults *f, const char *method, const char *path, int64_t ms)
{
	const struct fault_request r = {.method = str_of(method), .path = str_of(path), .now_ns = ms * NS_PER_MS};
	return faults_meet(f, &r).act;
}

static enum fault_act meet(struct faults *f, const char *method, const char *path)
{
	return meet_at(f, method, path, 0);
}

static void test_every_act_is_read(UNUSED void **state)
{
	static const struct {
		const char *text;
		enum fault_act act;
		int64_t ns;
	} cases[] = {
		{"lose-reply", FAULT_LOSE_REPLY, 0},
		{"act-twice", FAULT_ACT_TWICE, 0},
		{"answer-twice", FAULT_ANSWER_TWICE, 0},
		{"stall 200ms", FAULT_STALL, 200 * NS_PER_MS},
		{"throttle 2s", FAULT_THROTTLE, 2 * NS_PER_S},
		{"error", FAULT_ERROR, 0},
		{"cut", FAULT_CUT, 0},
		{"cut-request", FAULT_CUT_REQUEST, 0},
		{"partition", FAULT_PARTITION, 0},
		{"error-after", FAULT_ERROR_AFTER, 0},
		{"interrupt", FAULT_INTERRUPT, 0},
		{"expire", FAULT_EXPIRE, 0},
	};
	const struct fault_request r = {.method = S("GET"), .path = S("/x")};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct faults *f = parse(cases[i].text);
		struct fault fault = faults_meet(f, &r);
		assert_int_equal(fault.act, cases[i].act);
		assert_int_equal(fault.ns, cases[i].ns);
		faults_free(f);
	}
	assert_int_equal(faults_meet(NULL, &r).act, FAULT_NONE);
	faults_free(NULL);
}

static void test_wrong_rules(UNUSED void **state)
{
	static const struct {
		const char *text, *says;
	} cases[] = {
		{"loose-reply", "there is no fault \"loose-reply\""},
		{"stall", "a duration is missing"},
		{"stall soon", "\"soon\""},
		{"error nth=0", "\"0\""},
		{"error nth=x", "\"x\""},
		{"error p=1.5", "\"1.5\""},
		{"error p=nan", "\"nan\""},
		{"error until=3s", "there is no setting \"until\""},
		{"error put", "what is \"put\""},
		{"partition for=-3s", "\"-3s\""},
		{"seed=x", "\"x\""},
		{"error; cut nth=", "the fault \"cut nth=\""},
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct faults *f = NULL;
		struct err e = {0};
		assert_int_equal(faults_parse(str_of(cases[i].text), &f, &e), ERR_INVALID);
		assert_null(f);
		if (!strstr(e.message, cases[i].says))
			fail_msg("\"%s\" does not say %s", e.message, cases[i].says);
	}
	char many[FAULTS_MAX_RULES * 6 + 16] = "";
	for (size_t i = 0; i <= FAULTS_MAX_RULES; i++)
		memcpy(many + i * 6, "error;", 7);
	struct faults *f = NULL;
	struct err e = {0};
	assert_int_equal(faults_parse(str_of(many), &f, &e), ERR_LIMIT);
	static char long_text[FAULTS_MAX_TEXT + 1];
	assert_int_equal(faults_parse(str_bytes(long_text, sizeof(long_text)), &f, &e), ERR_LIMIT);
}

static void test_paths(UNUSED void **state)
{
	static const struct {
		const char *pattern, *path, *query;
		bool matches;
	} cases[] = {
		{"/lake/**", "/lake/a/b", "", true},
		{"/lake/*", "/lake/a", "", true},
		{"/lake/*", "/lake/a/b", "", false},
		{"/*/a", "/lake/a", "", true},
		{"/**/weights*", "/lake/m/1/weights.bin", "", true},
		{"/**/weights*", "/lake/m/1/other", "", false},
		{"/lake", "/lake/", "", false},
		{"/lake", "/lake", "uploads=", true},
		{"/lake/*?uploads=", "/lake/a", "uploads=", true},
		{"/lake/*?*uploadId=*", "/lake/a", "partNumber=1&uploadId=x", true},
		{"/lake/*?uploadId=*", "/lake/a", "", false},
		{"/a*b*c", "/aXbYbZc", "", true},
		{"/", "/", "", true},
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		if (faults_path_matches(str_of(cases[i].pattern), str_of(cases[i].path), str_of(cases[i].query)) !=
			cases[i].matches)
			fail_msg("%s against %s?%s", cases[i].pattern, cases[i].path, cases[i].query);
}

static void test_counting(UNUSED void **state)
{
	struct faults *f = parse("# a comment\nlose-reply PUT /lake/* nth=2; error GET every=3 times=2\n");
	assert_int_equal(meet(f, "PUT", "/lake/a"), FAULT_NONE);
	assert_int_equal(meet(f, "GET", "/lake/a"), FAULT_NONE); // another method does not count
	assert_int_equal(meet(f, "PUT", "/lake/a"), FAULT_LOSE_REPLY);
	assert_int_equal(meet(f, "PUT", "/lake/a"), FAULT_NONE);
	size_t errors = 0;
	for (size_t i = 0; i < 12; i++)
		errors += meet(f, "GET", "/x") == FAULT_ERROR;
	assert_int_equal(errors, 2);
	json_t *told = faults_json(f);
	const json_t *rules = json_object_get(told, "rules");
	assert_string_equal(json_text(json_array_get(rules, 0), "rule"), "lose-reply PUT /lake/* nth=2");
	assert_int_equal(json_int(json_array_get(rules, 0), "matched", 0), 3);
	assert_int_equal(json_int(json_array_get(rules, 0), "fired", 0), 1);
	assert_int_equal(json_int(json_array_get(rules, 1), "matched", 0), 13);
	json_decref(told);
	assert_int_equal(faults_text(f).n, strlen("# a comment\nlose-reply PUT /lake/* nth=2; error GET every=3 times=2\n"));
	faults_free(f);
	assert_int_equal(faults_text(NULL).n, 0);
}

static void draw(const char *text, char *out, size_t n)
{
	struct faults *f = parse(text);
	for (size_t i = 0; i < n; i++)
		out[i] = meet(f, "GET", "/x") == FAULT_ERROR ? 'x' : '.';
	out[n] = '\0';
	faults_free(f);
}

static void test_a_seed_repeats(UNUSED void **state)
{
	char first[401], again[401], other[401];
	draw("seed=7\nerror p=0.25", first, 400);
	draw("seed=7\nerror p=0.25", again, 400);
	draw("seed=8\nerror p=0.25", other, 400);
	assert_string_equal(first, again);
	assert_string_not_equal(first, other);
	size_t hits = 0;
	for (size_t i = 0; i < 400; i++)
		hits += first[i] == 'x';
	assert_in_range(hits, 70, 130);
	draw("error p=0", first, 400);
	assert_null(strchr(first, 'x'));
}

// A partition takes in all from its first request until its time is over, and does not come again.
static void test_partition(UNUSED void **state)
{
	struct faults *f = parse("partition nth=2 for=300ms");
	assert_int_equal(meet_at(f, "GET", "/x", 1000), FAULT_NONE);
	assert_int_equal(meet_at(f, "GET", "/x", 2000), FAULT_PARTITION);
	const struct fault_request r = {.method = S("PUT"), .path = S("/y"), .now_ns = 2299 * NS_PER_MS};
	struct fault fault = faults_meet(f, &r);
	assert_int_equal(fault.act, FAULT_PARTITION);
	assert_int_equal(fault.until_ns, 2300 * NS_PER_MS);
	assert_int_equal(meet_at(f, "GET", "/x", 2300), FAULT_NONE);
	assert_int_equal(meet_at(f, "GET", "/x", 9000), FAULT_NONE);
	faults_free(f);
	f = parse("stall 1ms for=1s");
	assert_int_equal(meet_at(f, "GET", "/x", 1000), FAULT_STALL);
	assert_int_equal(meet_at(f, "GET", "/x", 1999), FAULT_STALL);
	assert_int_equal(meet_at(f, "GET", "/x", 2000), FAULT_NONE);
	faults_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_act_is_read),
		cmocka_unit_test(test_wrong_rules),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_counting),
		cmocka_unit_test(test_a_seed_repeats),
		cmocka_unit_test(test_partition),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
