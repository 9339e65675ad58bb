// SPDX-License-Identifier: Apache-2.0
// The reconcile loop: a toy world (files in a folder) is brought to its goal under a simulated clock, killed at every
// boundary of the journal and started again; nothing may be lost, done twice, or left unrecorded.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/time.h"
#include "state/reconcile.h"

enum { THINGS = 3 };

// The goal: THINGS things are made, then each is sealed, then the whole is closed.
struct toy {
	char folder[64];
	struct state state;
	struct edges_fake fake;
	atomic_int acts; // calls of act
	int fail_first;  // so many acts of "thing-1" fail
	int fail_code;
	bool cancel_in_act;
	atomic_bool cancel;
	bool end_for_good; // decide says that the goal cannot be reached
	bool give_up;      // it says so once no more acts are to fail
};
struct view {
	bool made[THINGS], sealed[THINGS], closed, hopeless;
};

static void world_path(const struct toy *t, const char *name, char *out, size_t size)
{
	snprintf(out, size, "%s/%s", t->folder, name);
}

static bool world_has(const struct toy *t, const char *name)
{
	char path[128];
	world_path(t, name, path, sizeof(path));
	return file_exists(path);
}

static int toy_observe(struct call *c, void *ctx, void **out)
{
	struct toy *t = ctx;
	struct view *v = arena_new(c->arena, struct view);
	for (int i = 0; i < THINGS; i++) {
		char name[32];
		snprintf(name, sizeof(name), "thing-%d", i);
		v->made[i] = world_has(t, name);
		snprintf(name, sizeof(name), "seal-%d", i);
		v->sealed[i] = world_has(t, name);
	}
	v->closed = world_has(t, "close");
	v->hopeless = t->end_for_good || (t->give_up && t->fail_first == 0);
	*out = v;
	return 0;
}

static void want(struct arena *a, struct actions *out, const char *name, int i)
{
	static const json_t *input;
	out->items[out->count++] = (struct action){
		.name = i < 0 ? arena_printf(a, "%s", name) : arena_printf(a, "%s-%d", name, i),
		.type = S("toy.make"),
		.address = S("toy/world"),
		.input = input,
	};
}

static int toy_decide(struct arena *a, const void *ctx, UNUSED int64_t now_ns, struct actions *out)
{
	const struct view *v = ctx;
	out->items = arena_new_array(a, 2 * THINGS + 1, struct action);
	if (v->hopeless)
		(void)err_set(&out->failed, ERR_FAILED, "the goal is out of reach");
	bool all_made = true, all_sealed = true;
	for (int i = 0; i < THINGS; i++) {
		if (!v->made[i])
			want(a, out, "thing", i);
		all_made = all_made && v->made[i];
	}
	for (int i = 0; all_made && i < THINGS; i++) {
		if (!v->sealed[i])
			want(a, out, "seal", i);
		all_sealed = all_sealed && v->sealed[i];
	}
	if (all_made && all_sealed && !v->closed)
		want(a, out, "close", -1);
	out->finished = v->closed;
	return 0;
}

static int note_creation(struct toy *t, struct str name)
{
	char path[128];
	world_path(t, "created", path, sizeof(path));
	AUTO(fd) fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
	char line[64];
	int n = snprintf(line, sizeof(line), "%.*s\n", STR(name));
	return write(fd, line, (size_t)n) == n ? 0 : ERR_IO;
}

// Idempotent under the name: the second time finds the file.
static int toy_act(struct call *c, void *ctx, const struct action *action, json_t **output)
{
	struct toy *t = ctx;
	char path[128], name[64];
	assert_true(str_copy(name, sizeof(name), action->name));
	atomic_fetch_add(&t->acts, 1);
	if (t->cancel_in_act) {
		atomic_store(&t->cancel, true);
		return call_check(c);
	}
	if (t->fail_first > 0 && str_eq(action->name, S("thing-1"))) {
		t->fail_first--;
		return call_fail(c, t->fail_code, "the toy broke");
	}
	world_path(t, name, path, sizeof(path));
	AUTO(fd) fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	if (fd < 0 && errno != EEXIST)
		return call_errno(c, "make %s", path);
	if (fd >= 0 && note_creation(t, action->name) < 0)
		return call_fail(c, ERR_IO, "note %s", name);
	*output = json_pack("{s:s}", "path", name);
	return 0;
}

static struct reconciler toy_reconciler(struct toy *t)
{
	return (struct reconciler){
		.name = "toy", .observe = toy_observe, .decide = toy_decide, .act = toy_act, .ctx = t};
}

static int toy_run(struct toy *t, size_t parallel)
{
	AUTO(arena) arena = {0};
	struct call c;
	call_init(&c, &arena, parallel > 1 ? edges_real() : &t->fake.edges, S("reconciler/toy"));
	c.cancel = &t->cancel;
	struct reconciler r = toy_reconciler(t);
	r.parallel = parallel;
	int rc = reconcile_run(&c, &t->state, &r);
	if (rc < 0 && c.err.message[0] == 0)
		return -1000;
	return rc;
}

static void toy_open(struct toy *t)
{
	AUTO(arena) arena = {0};
	struct call c;
	char path[128];
	edges_fake_init(&t->fake, 1000 * NS_PER_S, 1);
	call_init(&c, &arena, edges_real(), S("user/test"));
	world_path(t, "state.db", path, sizeof(path));
	assert_int_equal(state_open_sqlite(&c, path, &t->state), 0);
}

static int setup(void **out)
{
	struct toy *t = calloc(1, sizeof(*t));
	snprintf(t->folder, sizeof(t->folder), "/tmp/isobar-toy-XXXXXX");
	assert_non_null(mkdtemp(t->folder));
	toy_open(t);
	*out = t;
	return 0;
}

static int teardown(void **out)
{
	struct toy *t = *out;
	struct err e = {0};
	state_close(&t->state);
	assert_int_equal(file_remove_tree(t->folder, &e), 0);
	free(t);
	return 0;
}

struct journal { // what a test looks at
	struct arena arena;
	struct call call;
	struct event *events;
	size_t count;
};

static void journal_read(struct toy *t, struct journal *j)
{
	memset(j, 0, sizeof(*j));
	call_init(&j->call, &j->arena, &t->fake.edges, S("user/test"));
	assert_int_equal(state_read_all(&j->call, &t->state, S("action."), S(""), &j->events, &j->count), 0);
}

static size_t journal_count(const struct journal *j, const char *type, const char *action)
{
	size_t n = 0;
	for (size_t i = 0; i < j->count; i++)
		n += str_eq(j->events[i].type, str_of(type)) &&
		     (!action || str_eq(json_str(j->events[i].data, "action"), str_of(action)));
	return n;
}

static size_t open_intents(struct toy *t, struct journal *j)
{
	struct record *records;
	size_t n;
	assert_int_equal(state_list(&j->call, &t->state, S("intent/"), &records, &n), 0);
	return n;
}

// Everything made exactly once, each intent and each result recorded exactly once, nothing open.
static void assert_goal(struct toy *t)
{
	struct journal j;
	journal_read(t, &j);
	static const char *const names[] = {"thing-0", "thing-1", "thing-2", "seal-0", "seal-1", "seal-2", "close"};
	AUTO(buf) created = {0};
	char path[128];
	world_path(t, "created", path, sizeof(path));
	assert_int_equal(file_read(path, 4096, &created, NULL), 0);
	size_t lines = 0;
	for (size_t i = 0; i < created.n; i++)
		lines += created.p[i] == '\n';
	assert_int_equal(lines, COUNT_OF(names));
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		json_t *output;
		assert_int_equal(journal_count(&j, "action.intended", names[i]), 1);
		assert_int_equal(journal_count(&j, "action.done", names[i]), 1);
		assert_int_equal(reconcile_result(&j.call, &t->state, str_of(names[i]), &output), 0);
		assert_string_equal(json_text(output, "path"), names[i]);
	}
	assert_int_equal(open_intents(t, &j), 0);
	arena_free(&j.arena);
}

static void test_reaches_the_goal(void **out)
{
	struct toy *t = *out;
	assert_int_equal(toy_run(t, 1), 0);
	assert_goal(t);
	assert_int_equal(t->acts, 7);
	assert_int_equal(t->fake.now_ns, 1000 * NS_PER_S); // something happened in each pass: no pause
	assert_int_equal(toy_run(t, 1), 0);                // a second run has nothing to do
	assert_int_equal(t->acts, 7);
}

static void test_intents_come_before_results_in_order(void **out)
{
	struct toy *t = *out;
	struct journal j;
	assert_int_equal(toy_run(t, 1), 0);
	journal_read(t, &j);
	static const char *const types[] = {"action.intended", "action.intended", "action.intended", "action.done",
		"action.done", "action.done", "action.intended", "action.intended", "action.intended", "action.done",
		"action.done", "action.done", "action.intended", "action.done"};
	assert_int_equal(j.count, COUNT_OF(types));
	for (size_t i = 0; i < j.count; i++)
		assert_true(str_eq(j.events[i].type, str_of(types[i])));
	assert_string_equal(json_text(j.events[0].data, "reconciler"), "toy");
	assert_string_equal(json_text(json_object_get(j.events[3].data, "output"), "path"), "thing-0");
	assert_true(str_eq(j.events[0].address, S("toy/world")));
	arena_free(&j.arena);
}

static void test_parallel_actions(void **out)
{
	struct toy *t = *out;
	assert_int_equal(toy_run(t, 8), 0);
	assert_goal(t);
	assert_int_equal(t->acts, 7);
}

// Runs a child until it ends; crash_at counts from the child's start, 0: no crash.
static int run_in_child(struct toy *t, uint64_t crash_at)
{
	int status;
	state_close(&t->state); // a handle must not cross a fork
	pid_t child = fork();
	if (child == 0) {
		char text[32];
		snprintf(text, sizeof(text), "%llu", (unsigned long long)(journal_boundary_count() + crash_at));
		if (crash_at)
			setenv("ISOBAR_CRASH_AT", text, 1);
		toy_open(t);
		int rc = toy_run(t, 1);
		state_close(&t->state);
		_exit(rc == 0 ? 0 : 1);
	}
	waitpid(child, &status, 0);
	toy_open(t);
	return status;
}

static void start_over(struct toy *t)
{
	struct err e = {0};
	state_close(&t->state);
	assert_int_equal(file_remove_tree(t->folder, &e), 0);
	assert_int_equal(file_make_dirs(t->folder, 0700, &e), 0);
	toy_open(t);
}

static void test_killed_at_every_boundary(void **out)
{
	struct toy *t = *out;
	uint64_t crashes = 0;
	for (uint64_t at = 1;; at++) {
		start_over(t);
		int status = run_in_child(t, at);
		if (WIFEXITED(status)) {
			assert_int_equal(status, 0);
			break;
		}
		assert_int_equal(WTERMSIG(status), SIGKILL);
		crashes++;
		assert_int_equal(run_in_child(t, 0), 0);
		assert_goal(t);
	}
	assert_int_equal(crashes, 20); // 3 commits of intents, 7 of results, a boundary before and after each
}

static void test_killed_again_and_again(void **out)
{
	struct toy *t = *out;
	int status, rounds = 0;
	do
		status = run_in_child(t, 3); // dies after each second commit
	while (WIFSIGNALED(status) && ++rounds < 50);
	assert_int_equal(status, 0);
	assert_true(rounds > 5);
	assert_goal(t);
}

static void test_a_retryable_failure_is_repeated_with_pauses(void **out)
{
	struct toy *t = *out;
	struct journal j;
	struct reconcile_failures past;
	t->fail_first = 3;
	t->fail_code = ERR_UNAVAILABLE;
	assert_int_equal(toy_run(t, 1), 0);
	journal_read(t, &j);
	assert_int_equal(journal_count(&j, "action.failed", "thing-1"), 3);
	assert_int_equal(journal_count(&j, "action.intended", "thing-1"), 4);
	assert_int_equal(journal_count(&j, "action.done", "thing-1"), 1);
	assert_int_equal(journal_count(&j, "action.done", "thing-2"), 1); // was not held up
	int64_t waited = t->fake.now_ns - 1000 * NS_PER_S;
	assert_true(waited >= 700 * NS_PER_MS && waited < 800 * NS_PER_MS); // 100 + 200 + 400 ms
	assert_int_equal(reconcile_failures(&j.call, &t->state, S("thing-1"), &past), 0);
	assert_int_equal(past.attempts, 0); // succeeded since
	arena_free(&j.arena);
}

// What failed often in an earlier run is tried at once in the next: nobody waits for pauses that others earned.
static void test_a_new_run_begins_without_a_pause(void **out)
{
	struct toy *t = *out;
	struct journal j;
	struct reconcile_failures past;
	t->fail_first = 4;
	t->fail_code = ERR_UNAVAILABLE;
	t->give_up = true;
	assert_int_equal(toy_run(t, 1), ERR_FAILED);
	int64_t then = t->fake.now_ns += 1;
	t->give_up = false;
	assert_int_equal(toy_run(t, 1), 0);
	assert_true(t->fake.now_ns - then < 10 * NS_PER_MS);
	journal_read(t, &j);
	assert_int_equal(journal_count(&j, "action.failed", "thing-1"), 4);
	assert_int_equal(reconcile_failures(&j.call, &t->state, S("thing-1"), &past), 0);
	assert_int_equal(past.attempts, 0);
	arena_free(&j.arena);
}

// A clock that is set back by an hour makes nobody wait for an hour.
static void test_a_clock_set_back(void **out)
{
	struct toy *t = *out;
	t->fail_first = 4;
	t->fail_code = ERR_UNAVAILABLE;
	t->give_up = true;
	assert_int_equal(toy_run(t, 1), ERR_FAILED);
	int64_t then = t->fake.now_ns -= 3600 * NS_PER_S;
	t->give_up = false;
	assert_int_equal(toy_run(t, 1), 0);
	assert_true(t->fake.now_ns - then < NS_PER_S);
}

static void test_another_failure_ends_the_loop(void **out)
{
	struct toy *t = *out;
	struct journal j;
	struct reconcile_failures past;
	json_t *output;
	t->fail_first = 1;
	t->fail_code = ERR_DENIED;
	assert_int_equal(toy_run(t, 1), ERR_DENIED);
	journal_read(t, &j);
	assert_int_equal(journal_count(&j, "action.done", "thing-2"), 1); // the pass went on to its end
	assert_int_equal(reconcile_failures(&j.call, &t->state, S("thing-1"), &past), 0);
	assert_int_equal(past.attempts, 1);
	assert_true(past.at_ns > 0);
	assert_int_equal(past.last.code, ERR_DENIED);
	assert_string_equal(past.last.message, "the toy broke");
	assert_int_equal(reconcile_result(&j.call, &t->state, S("thing-1"), &output), ERR_NOT_FOUND);
	assert_int_equal(reconcile_result(&j.call, &t->state, S("never"), &output), ERR_NOT_FOUND);
	assert_int_equal(open_intents(t, &j), 0);
	arena_free(&j.arena);
	assert_int_equal(toy_run(t, 1), 0); // a later run tries again
}

static void test_a_cancelled_act_stays_open_and_is_resumed(void **out)
{
	struct toy *t = *out;
	struct journal j;
	t->cancel_in_act = true;
	assert_int_equal(toy_run(t, 1), ERR_CANCELLED);
	journal_read(t, &j);
	assert_int_equal(open_intents(t, &j), 3);
	assert_int_equal(journal_count(&j, "action.failed", NULL), 0);
	arena_free(&j.arena);
	t->cancel_in_act = false;
	atomic_store(&t->cancel, false);
	assert_int_equal(toy_run(t, 1), 0);
	assert_goal(t);
}

static void test_a_goal_out_of_reach_ends_the_loop(void **out)
{
	struct toy *t = *out;
	t->end_for_good = true;
	assert_int_equal(toy_run(t, 1), ERR_FAILED);
	assert_int_equal(t->acts, 0);
}

static void test_one_pass(void **out)
{
	struct toy *t = *out;
	AUTO(arena) arena = {0};
	struct call c;
	bool finished = true;
	call_init(&c, &arena, &t->fake.edges, S("reconciler/toy"));
	struct reconciler r = toy_reconciler(t);
	assert_int_equal(reconcile_once(&c, &t->state, &r, &finished), 0);
	assert_false(finished);
	assert_int_equal(t->acts, 3);
	for (int i = 0; i < 3; i++)
		assert_int_equal(reconcile_once(&c, &t->state, &r, &finished), 0);
	assert_true(finished);
	assert_int_equal(t->acts, 7);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_reaches_the_goal),
		TEST(test_intents_come_before_results_in_order),
		TEST(test_parallel_actions),
		TEST(test_killed_at_every_boundary),
		TEST(test_killed_again_and_again),
		TEST(test_a_retryable_failure_is_repeated_with_pauses),
		TEST(test_a_new_run_begins_without_a_pause),
		TEST(test_a_clock_set_back),
		TEST(test_another_failure_ends_the_loop),
		TEST(test_a_cancelled_act_stays_open_and_is_resumed),
		TEST(test_a_goal_out_of_reach_ends_the_loop),
		TEST(test_one_pass),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
