// SPDX-License-Identifier: Apache-2.0
// How long an action is tried in one run, and that progress may go to nobody.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "data/attempts.h"
#include "data/progress.h"
#include "fixture_state.h"

static void fail_times(struct fixture *f, const struct state *s, int attempts)
{
	AUTO(json)
	j = json_pack("{s:s,s:i,s:{s:s,s:s}}", "state", "failed", "attempts", attempts, "error", "code", "UNAVAILABLE",
		"message", "away");
	assert_ok(f, state_put(&f->call, s, S("action/a"), j, UINT64_MAX, NULL));
}

static void test_attempts(void **state)
{
	(void)state;
	struct fixture f;
	struct state s;
	struct err failed = {0};
	int64_t before = ATTEMPTS_UNKNOWN;
	fixture_open_state(&f, &s);
	assert_ok(&f, attempts_check(&f.call, &s, S("a"), &before, &failed));
	assert_int_equal(before, 0);
	before = ATTEMPTS_UNKNOWN;
	fail_times(&f, &s, 40); // in earlier runs: this one starts counting here
	assert_ok(&f, attempts_check(&f.call, &s, S("a"), &before, &failed));
	assert_int_equal(before, 40);
	fail_times(&f, &s, 40 + ATTEMPTS_MAX - 1);
	assert_ok(&f, attempts_check(&f.call, &s, S("a"), &before, &failed));
	assert_int_equal(failed.code, 0);
	fail_times(&f, &s, 40 + ATTEMPTS_MAX);
	assert_ok(&f, attempts_check(&f.call, &s, S("a"), &before, &failed));
	assert_int_equal(failed.code, ERR_UNAVAILABLE);
	fixture_close_state(&f, &s);
}

static void count(void *ctx, const struct progress_event *e)
{
	*(double *)ctx += e->done;
}

static void test_progress(void **state)
{
	(void)state;
	double sum = 0;
	const struct progress p = {.ctx = &sum, .report = count}, empty = {0};
	const struct progress_event e = {.done = 2};
	progress_report(&p, &e);
	progress_report(&empty, &e);
	progress_report(NULL, &e);
	assert_true(sum == 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_attempts), cmocka_unit_test(test_progress)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
