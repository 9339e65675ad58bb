// SPDX-License-Identifier: Apache-2.0
// What a round decides: all are awaited until the deadline, then a quorum is enough; the accepted set is written before anything is
// aggregated, and holds. Pure: no clock, no cloud.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "base/time.h"
#include "train/rounds_impl.h"

enum { CLOUDS = 3 };
static struct site_view sites[CLOUDS];
static struct round_view view;
static struct arena arena;

static int setup(UNUSED void **state)
{
	static const char *const names[] = {"aws", "azure", "gcp"};
	for (size_t i = 0; i < CLOUDS; i++)
		sites[i] = (struct site_view){.name = str_of(names[i]), .loss = NAN, .seconds = NAN};
	view = (struct round_view){.prefix = S("train/t/run"), .address = S("training/t"), .begun = true, .round = 2, .rounds = 5,
		.deadline_ns = 1000, .allowed_ns = 60 * NS_PER_S, .need = 2, .pace_ns = 7, .sites = sites, .count = CLOUDS};
	return 0;
}

static int teardown(UNUSED void **state)
{
	arena_free(&arena);
	return 0;
}

static struct actions decide(int64_t now)
{
	struct actions out = {0};
	assert_int_equal(rounds_decide(&arena, &view, now, &out), 0);
	return out;
}

static void expect_actions(const struct actions *out, const char *names)
{
	AUTO(buf) text = {0};
	for (size_t i = 0; i < out->count; i++)
		buf_printf(&text, "%s%.*s", i ? " " : "", STR(out->items[i].name));
	assert_string_equal(buf_cstr(&text), names);
}

static void test_begins(UNUSED void **state)
{
	view.begun = false;
	struct actions out = decide(0);
	expect_actions(&out, "train/t/run/begin");
	assert_true(str_eq(out.items[0].type, S("round.begin")) && str_eq(out.items[0].address, S("training/t")));
}

static void test_starts_all(UNUSED void **state)
{
	struct actions out = decide(0);
	expect_actions(&out, "train/t/run/round-2/aws/start train/t/run/round-2/azure/start train/t/run/round-2/gcp/start");
	assert_string_equal(json_text(out.items[1].input, "site"), "azure");
	assert_int_equal(json_int(out.items[1].input, "round", 0), 2);
	assert_int_equal(out.again_ns, 0);
	assert_false(out.finished);
	sites[2].failing = true; // its pause must not outlast the deadline
	out = decide(0);
	assert_int_equal(out.again_ns, 7);
}

static void test_each_state_asks_for_its_next(UNUSED void **state)
{
	sites[0].state = SITE_RUNNING;
	sites[1].state = SITE_LOST;
	sites[1].again = 1;
	sites[2].state = SITE_ENDED;
	struct actions out = decide(0);
	expect_actions(&out, "train/t/run/round-2/azure/again-2 train/t/run/round-2/gcp/collect");
	assert_int_equal(out.again_ns, 7);
}

// Two of three are ready, which would be enough; before the deadline the third is awaited all the same.
static void test_awaits_all_until_the_deadline(UNUSED void **state)
{
	sites[0].state = sites[1].state = SITE_READY;
	sites[2].state = SITE_RUNNING;
	struct actions out = decide(999);
	expect_actions(&out, "");
	assert_false(out.finished);
	assert_int_equal(out.failed.code, 0);
	out = decide(1000);
	expect_actions(&out, "train/t/run/round-2/accept");
}

static void expect_set(const struct action *a, const char *json)
{
	AUTO(buf) text = {0};
	struct err e = {0};
	assert_int_equal(json_write(a->input, &text, &e), 0);
	assert_string_equal(buf_cstr(&text), json);
}

static void test_accepts_what_is_ready(UNUSED void **state)
{
	sites[0] = (struct site_view){.name = S("aws"), .state = SITE_READY, .samples = 5, .sha256 = S("aa"), .loss = 0.5, .seconds = 1.5};
	sites[1].state = SITE_RUNNING;
	sites[2] = (struct site_view){.name = S("gcp"), .state = SITE_READY, .samples = 7, .sha256 = S("bb"), .loss = NAN, .seconds = NAN};
	struct actions out = decide(2000);
	expect_actions(&out, "train/t/run/round-2/accept");
	expect_set(&out.items[0], "{\"accepted\":[{\"loss\":0.5,\"samples\":5,\"seconds\":1.5,\"sha256\":\"aa\",\"site\":\"aws\"},"
				  "{\"samples\":7,\"sha256\":\"bb\",\"site\":\"gcp\"}],\"late\":[\"azure\"],\"lost\":[],\"round\":2}");
}

// When all that are left have answered there is nothing to wait for.
static void test_accepts_early_when_none_is_awaited(UNUSED void **state)
{
	sites[0].state = sites[2].state = SITE_READY;
	sites[1].state = SITE_OUT;
	sites[1].reason = S("exit code 1");
	struct actions out = decide(0);
	expect_actions(&out, "train/t/run/round-2/accept");
	expect_set(&out.items[0], "{\"accepted\":[{\"samples\":0,\"sha256\":\"\",\"site\":\"aws\"},{\"samples\":0,\"sha256\":\"\",\"site\":\"gcp\"}],"
				  "\"late\":[],\"lost\":[{\"reason\":\"exit code 1\",\"site\":\"azure\"}],\"round\":2}");
	for (size_t i = 0; i < CLOUDS; i++)
		sites[i].state = SITE_READY;
	out = decide(0);
	expect_actions(&out, "train/t/run/round-2/accept");
}

static void test_fails_without_a_quorum(UNUSED void **state)
{
	sites[0].state = SITE_READY;
	sites[1].state = SITE_RUNNING;
	sites[2].state = SITE_ENDED;
	struct actions out = decide(1001);
	assert_int_equal(out.failed.code, ERR_TIMEOUT);
	assert_string_equal(out.failed.message, "training/t, round 2: 1 of 3 clouds answered in 1m, 2 are needed; azure has not answered; "
						"gcp has not answered");
	assert_int_equal(out.count, 0);
	sites[1].state = sites[2].state = SITE_OUT;
	sites[1].reason = S("no space");
	sites[2].reason = S("exit code 3");
	out = decide(0);
	assert_int_equal(out.failed.code, ERR_FAILED);
	assert_string_equal(out.failed.message, "training/t, round 2: 1 of 3 clouds are left, 2 are needed; azure: no space; gcp: exit code 3");
}

// A quorum that can no longer be reached is not awaited.
static void test_fails_early(UNUSED void **state)
{
	view.need = 3;
	sites[0].state = sites[1].state = SITE_RUNNING;
	sites[2].state = SITE_OUT;
	sites[2].reason = S("exit code 3");
	struct actions out = decide(0);
	assert_int_equal(out.failed.code, ERR_FAILED);
	assert_string_equal(out.failed.message, "training/t, round 2: 2 of 3 clouds are left, 3 are needed; aws has not answered; "
						"azure has not answered; gcp: exit code 3");
}

static void test_aggregates_what_was_accepted(UNUSED void **state)
{
	AUTO(json) set = json_pack("{s:[], s:[s], s:[]}", "accepted", "late", "gcp", "lost");
	view.accepted = true;
	view.accepted_set = set;
	sites[0].state = SITE_ENDED; // whatever it may look like now
	struct actions out = decide(0);
	expect_actions(&out, "train/t/run/round-2/aggregate train/t/run/round-2/gcp/stop");
	assert_true(str_eq(out.items[0].type, S("round.aggregate")) && str_eq(out.items[1].type, S("round.stop")));
}

static void test_result_goes_back(UNUSED void **state)
{
	view.round = 6;
	struct actions out = decide(0);
	expect_actions(&out, "train/t/run/final/aws/finish train/t/run/final/azure/finish train/t/run/final/gcp/finish");
	sites[0].state = sites[1].state = SITE_READY;
	out = decide(0);
	expect_actions(&out, "train/t/run/final/gcp/finish");
	assert_false(out.finished);
	out = decide(1000); // goes on without the third, and tidies where the result is
	expect_actions(&out, "train/t/run/final/aws/sweep train/t/run/final/azure/sweep");
	assert_false(out.finished);
	sites[0].swept = sites[1].swept = true;
	out = decide(1000);
	assert_true(out.finished);
	assert_int_equal(out.count, 0);
	sites[2].state = SITE_READY;
	out = decide(0);
	expect_actions(&out, "train/t/run/final/gcp/sweep");
	sites[2].swept = true;
	out = decide(0);
	assert_true(out.finished);
	sites[1].state = sites[2].state = SITE_IDLE;
	out = decide(1000);
	assert_int_equal(out.failed.code, ERR_TIMEOUT);
	assert_non_null(strstr(out.failed.message, "training/t, the result: 1 of 3"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_begins, setup, teardown),
		cmocka_unit_test_setup_teardown(test_starts_all, setup, teardown),
		cmocka_unit_test_setup_teardown(test_each_state_asks_for_its_next, setup, teardown),
		cmocka_unit_test_setup_teardown(test_awaits_all_until_the_deadline, setup, teardown),
		cmocka_unit_test_setup_teardown(test_accepts_what_is_ready, setup, teardown),
		cmocka_unit_test_setup_teardown(test_accepts_early_when_none_is_awaited, setup, teardown),
		cmocka_unit_test_setup_teardown(test_fails_without_a_quorum, setup, teardown),
		cmocka_unit_test_setup_teardown(test_fails_early, setup, teardown),
		cmocka_unit_test_setup_teardown(test_aggregates_what_was_accepted, setup, teardown),
		cmocka_unit_test_setup_teardown(test_result_goes_back, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
