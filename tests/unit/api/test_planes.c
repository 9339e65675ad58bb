// SPDX-License-Identifier: Apache-2.0
// Control planes that share a state: who lives, whose turn it is, runs that are open; and where the state is opened.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api/open_state.h"
#include "api/planes.h"
#include "base/time.h"
#include "fixture_state.h"

struct bench {
	struct fixture f;
	struct state state;
	struct str one, two;
};

static int setup(void **out)
{
	struct bench *b = calloc(1, sizeof(*b));
	fixture_open_state(&b->f, &b->state);
	assert_ok(&b->f, planes_name(&b->f.call, &b->f.arena, &b->one));
	assert_ok(&b->f, planes_name(&b->f.call, &b->f.arena, &b->two));
	*out = b;
	return 0;
}

static int teardown(void **out)
{
	struct bench *b = *out;
	fixture_close_state(&b->f, &b->state);
	free(b);
	return 0;
}

static void test_those_that_live_are_listed(void **out)
{
	struct bench *b = *out;
	struct held *one, *two;
	assert_false(str_eq(b->one, b->two));
	assert_ok(&b->f, planes_join(&b->f.call, &b->state, b->one, S("/a"), &one));
	assert_ok(&b->f, planes_join(&b->f.call, &b->state, b->two, S("/b"), &two));
	AUTO(json) both = NULL;
	assert_ok(&b->f, planes_list(&b->f.call, &b->state, b->one, &both));
	assert_int_equal(json_array_size(both), 2);
	planes_leave(&b->f.call, &b->state, b->one, one);
	// One that died: its record is there, and nobody holds its lease.
	AUTO(json) dead = json_pack("{s:s}", "plane", "host/1/dead");
	assert_ok(&b->f, state_put(&b->f.call, &b->state, S("plane/host/1/dead"), dead, 0, NULL));
	AUTO(json) left = NULL;
	assert_ok(&b->f, planes_list(&b->f.call, &b->state, b->one, &left));
	assert_int_equal(json_array_size(left), 1);
	assert_string_equal(json_text(json_array_get(left, 0), "folder"), "/b");
	assert_str(json_str(json_array_get(left, 0), "plane"), b->two);
	struct record r;
	assert_ok(&b->f, state_get(&b->f.call, &b->state, S("plane/host/1/dead"), &r));
	assert_int_equal(r.revision, 0);
	planes_leave(&b->f.call, &b->state, b->two, two);
}

static void test_one_changes_the_workspace_at_a_time(void **out)
{
	struct bench *b = *out;
	struct held *turn, *other, *deploy, *monitor;
	atomic_bool lost = false;
	assert_ok(&b->f, planes_take_turn(&b->f.call, &b->state, b->one, &turn));
	assert_int_equal(planes_take_turn(&b->f.call, &b->state, b->two, &other), ERR_IN_USE);
	assert_non_null(strstr(b->f.call.err.message, "another isobar works on this workspace"));
	err_clear(&b->f.call.err);
	assert_fails(&b->f, planes_take_turn(&b->f.call, &b->state, b->one, &other),
		ERR_IN_USE); // nor its own second request
	assert_ok(&b->f, planes_take_service(&b->f.call, &b->state, b->one, "deploy", &lost, &deploy));
	assert_fails(&b->f, planes_take_service(&b->f.call, &b->state, b->two, "deploy", &lost, &other), ERR_IN_USE);
	assert_ok(&b->f, planes_take_service(&b->f.call, &b->state, b->two, "monitor", &lost, &monitor));
	held_give_back(&b->f.call, turn);
	assert_ok(&b->f, planes_take_turn(&b->f.call, &b->state, b->two, &other));
	held_give_back(&b->f.call, other);
	held_give_back(&b->f.call, deploy);
	held_give_back(&b->f.call, monitor);
	assert_false(lost);
}

static void test_an_open_run_is_known(void **out)
{
	struct bench *b = *out;
	struct str goal;
	assert_ok(&b->f, planes_run_open(&b->f.call, &b->state, &goal));
	assert_int_equal(goal.n, 0);
	assert_ok(&b->f, planes_run_begin(&b->f.call, &b->state, b->one, S("model/m@champion")));
	assert_ok(&b->f, planes_run_open(&b->f.call, &b->state, &goal));
	assert_str(goal, S("model/m@champion"));
	assert_ok(&b->f, planes_run_end(&b->f.call, &b->state));
	assert_ok(&b->f, planes_run_open(&b->f.call, &b->state, &goal));
	assert_int_equal(goal.n, 0);
}

// ---------------------------------------------------------------- opening
static int open_in(struct bench *b, bool untrusted, bool moving, struct state *out, bool *shared)
{
	struct workspace_place place;
	assert_ok(&b->f, workspace_place_find(b->f.folder, S(""), &b->f.arena, &place, &b->f.call.err));
	const struct open_state_options o = {
		.path = b->f.folder, .place = &place, .untrusted = untrusted, .moving = moving};
	return open_state(&b->f.call, &o, out, shared);
}

static void test_a_state_is_not_left_behind(void **out)
{
	struct bench *b = *out;
	struct state s;
	bool shared = true;
	fixture_write(&b->f, "isobar.yaml", S("isobar: 1\nworkspace: w\n"));
	assert_ok(&b->f, open_in(b, false, false, &s, &shared));
	assert_false(shared);
	state_close(&s);
	assert_false(file_exists(fixture_path(&b->f, ".isobar/state.place")));
	// As if PostgreSQL had been used until yesterday.
	fixture_write(&b->f, ".isobar/state.place", S("db:5432/state (schema x)"));
	assert_int_equal(open_in(b, false, false, &s, &shared), ERR_CONFLICT);
	assert_non_null(strstr(b->f.call.err.message, "lies in db:5432/state (schema x) so far"));
	assert_non_null(strstr(b->f.call.err.message, "isobar restore FILE"));
	err_clear(&b->f.call.err);
	assert_ok(&b->f, open_in(b, false, true, &s, &shared)); // a restore may
	assert_ok(&b->f, state_append_one(&b->f.call, &s, S("a"), S(""), json_object(), NULL));
	state_close(&s);
	assert_str(fixture_read(&b->f, ".isobar/state.place"), S("state.db"));
	assert_ok(&b->f, open_in(b, false, false, &s, &shared));
	state_close(&s);
}

static void test_servers_are_for_the_trusted(void **out)
{
	struct bench *b = *out;
	struct state s;
	bool shared;
	fixture_write(&b->f, "isobar.yaml",
		S("isobar: 1\nworkspace: w\nstate: {url: \"postgresql://u@127.0.0.1:1/x\", credentials: "
		  "secret/state}\n"));
	fixture_write(&b->f, "operator.yaml", S("isobar: 1\n"));
	uint64_t head = 9;
	assert_ok(&b->f, open_in(b, true, false, &s, &shared)); // no connection: as if nothing were there yet
	assert_false(shared);
	assert_ok(&b->f, state_append_one(&b->f.call, &s, S("a"), S(""), json_object(), NULL));
	assert_ok(&b->f, state_watch(&b->f.call, &s, UINT64_MAX, 0, &head));
	assert_int_equal(head, 1);
	state_close(&s);
	assert_false(file_exists(fixture_path(&b->f, ".isobar/state.db")));
	assert_false(file_exists(":memory:"));
	setenv("ISOBAR_OPERATOR", fixture_path(&b->f, "operator.yaml"), 1);
	assert_int_equal(
		open_in(b, false, false, &s, &shared), ERR_NOT_FOUND); // the secret is not in the operator's file
	assert_non_null(strstr(b->f.call.err.message, "127.0.0.1:1"));
	unsetenv("ISOBAR_OPERATOR");
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_those_that_live_are_listed),
		TEST(test_one_changes_the_workspace_at_a_time),
		TEST(test_an_open_run_is_known),
		TEST(test_a_state_is_not_left_behind),
		TEST(test_servers_are_for_the_trusted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
