// SPDX-License-Identifier: Apache-2.0
// A training that dies at any write of its journal goes on and comes out the same, without a job run twice; also without its files.
#include <pthread.h>
#include <stdatomic.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "toy_world.h"

struct dying { // a state that dies at its n-th commit, before or after it is durable
	struct state real;
	pthread_mutex_t lock; // of commits: the reconciler's threads share the state
	int left;
	bool after;
	atomic_bool dead;
};

static int dying_commit(struct call *c, void *s, const struct state_batch *batch)
{
	struct dying *d = s;
	int rc = 0;
	pthread_mutex_lock(&d->lock);
	bool now = !d->dead && --d->left == 0;
	if (!d->dead && (!now || d->after))
		rc = d->real.ops->commit(c, d->real.ctx, batch);
	if (now)
		d->dead = true;
	pthread_mutex_unlock(&d->lock);
	return d->dead ? call_fail(c, ERR_INTERNAL, "killed") : rc;
}

static int dying_get(struct call *c, void *s, struct str key, struct record *out)
{
	struct dying *d = s;
	return d->dead ? call_fail(c, ERR_INTERNAL, "killed") : d->real.ops->get(c, d->real.ctx, key, out);
}

static int dying_list(struct call *c, void *s, struct str prefix, struct record **out, size_t *count)
{
	struct dying *d = s;
	return d->dead ? call_fail(c, ERR_INTERNAL, "killed") : d->real.ops->list(c, d->real.ctx, prefix, out, count);
}

static int dying_watch(struct call *c, void *s, uint64_t after, int64_t timeout_ns, uint64_t *head)
{
	struct dying *d = s;
	return d->dead ? call_fail(c, ERR_INTERNAL, "killed") : d->real.ops->watch(c, d->real.ctx, after, timeout_ns, head);
}

static int dying_read(struct call *c, void *s, const struct state_query *query, struct event **out, size_t *count)
{
	struct dying *d = s;
	return d->dead ? call_fail(c, ERR_INTERNAL, "killed") : d->real.ops->read(c, d->real.ctx, query, out, count);
}

static const struct state_ops dying_ops = {
	.name = "dying", .commit = dying_commit, .get = dying_get, .list = dying_list, .watch = dying_watch, .read = dying_read};

// Runs until the state dies; true when it was done before.
static bool run_until(struct toy_world *w, int commits, bool after)
{
	struct dying d = {.real = w->s, .lock = PTHREAD_MUTEX_INITIALIZER, .left = commits, .after = after};
	struct state state = {.ops = &dying_ops, .ctx = &d};
	struct step step = w->step;
	json_t *outputs = NULL;
	step.state = &state;
	int rc = training_make(&w->f.call, NULL, &step, &outputs);
	if (rc == 0)
		json_decref(outputs);
	err_clear(&w->f.call.err);
	return rc == 0;
}

static void check_after_crash(int commits, bool after, bool lose_scratch, struct str expected)
{
	struct toy_world w;
	struct resource r;
	toy_open(&w);
	toy_declare_federated(&w, "20s", &r);
	(void)run_until(&w, commits, after);
	for (size_t i = 0; i < TOY_CLOUDS; i++) // jobs are processes of their own: stopped ones were stopped by a failure, not a kill
		assert_int_equal(w.engines[i].stops, 0);
	if (lose_scratch) {
		assert_ok(&w.f, file_remove_tree(w.step.scratch, &w.f.call.err));
		assert_ok(&w.f, file_make_dirs(w.step.scratch, 0700, &w.f.call.err));
	}
	json_t *outputs = toy_make(&w);
	assert_str(json_str(outputs, "sha256"), expected);
	assert_int_equal(fixture_events(&w.f, &w.s, "round.accepted", NULL), 3);
	assert_int_equal(fixture_events(&w.f, &w.s, "round.aggregated", NULL), 3);
	for (size_t i = 0; i < TOY_CLOUDS; i++) {
		assert_int_equal(w.engines[i].count, 3);
		for (size_t k = 0; k < 3; k++)
			assert_int_equal(w.engines[i].jobs[k].ran, 1);
		assert_digest(toy_final(&w, i), expected);
	}
	toy_close(&w);
}

static void test_crashes(void **state)
{
	(void)state;
	struct toy_world w;
	struct resource r;
	toy_open(&w);
	toy_declare_federated(&w, "20s", &r);
	struct str sha256 = json_str(toy_make(&w), "sha256");
	for (int n = 1; n < 60; n += 9)
		check_after_crash(n, n % 3 == 0, n % 2 == 0, sha256);
	check_after_crash(30, true, true, sha256);
	check_after_crash(44, false, true, sha256);
	toy_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_crashes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
