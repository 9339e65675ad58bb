// SPDX-License-Identifier: Apache-2.0
// Choosing among targets: by latency, load, weight and rotation; and what they learn. No network: the outcomes are
// told.
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/time.h"
#include "gateway/target.h"

struct world {
	struct loop *loop;
	struct target_table table;
	struct snapshot *snapshot;
};

static struct snapshot *make_snapshot(const double weights[3])
{
	AUTO(json) json = NULL;
	struct err e = {0};
	struct snapshot *s = NULL;
	json_t *targets = json_array();
	for (int i = 0; i < 3; i++) {
		static const char *const clouds[] = {"a", "b", "c"};
		json_array_append_new(
			targets, json_pack("{s:s, s:s, s:s, s:f}", "endpoint", "e", "cloud", clouds[i], "url",
					 i == 2 ? "http://127.0.0.1:3" : "http://127.0.0.1:2", "weight", weights[i]));
	}
	json = json_pack("{s:s, s:s, s:{s:s}, s:[], s:[], s:[{s:s, s:s, s:s, s:o}]}", "name", "edge", "listen",
		"127.0.0.1:0", "audit", "mode", "none", "api_keys", "roles", "routes", "name", "r", "path", "/**",
		"endpoint", "e", "targets", targets);
	if (snapshot_of_json(json, &s, &e))
		fail_msg("%s", e.message);
	return s;
}

static int set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct err e = {0};
	assert_int_equal(loop_new(&w->loop, &e), 0);
	assert_int_equal(targets_init(&w->table, w->loop, &e), 0);
	struct http_client_options o = {.loop = w->loop, .guard = w->table.guard};
	assert_int_equal(http_client_new(&o, &w->table.client, &e), 0);
	w->snapshot = make_snapshot((const double[]){1, 1, 1});
	if (targets_bind(&w->table, w->snapshot, &e))
		fail_msg("%s", e.message);
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;
	struct http_client *client = w->table.client;
	targets_unbind(&w->table, w->snapshot);
	snapshot_release(w->snapshot);
	assert_null(w->table.targets);
	targets_free(&w->table);
	http_client_free(client);
	loop_free(w->loop);
	free(w);
	return 0;
}

static void outcome(struct world *w, int i, bool ok, int64_t latency_ms)
{
	struct snapshot_target *t = &w->snapshot->routes[0].targets[i];
	target_begin(t->target);
	target_end(t->target, t->attempts, &(struct target_outcome){.ok = ok, .latency_ns = latency_ms * NS_PER_MS});
}

static int pick(struct world *w, uint32_t excluded)
{
	const struct target_choice choice = {&w->snapshot->routes[0], excluded};
	return target_pick(&choice, loop_now_ns(w->loop));
}

static struct target *target(struct world *w, int i)
{
	return w->snapshot->routes[0].targets[i].target;
}

static void prefers_the_fast_and_the_idle(void **state)
{
	struct world *w = *state;
	outcome(w, 0, true, 30);
	outcome(w, 1, true, 10);
	assert_int_equal(pick(w, 0), 2); // not measured yet
	outcome(w, 2, true, 20);
	assert_int_equal(pick(w, 0), 1);
	assert_int_equal(pick(w, 1 << 1), 2);
	assert_int_equal(pick(w, 1 << 1 | 1 << 2), 0);
	assert_int_equal(pick(w, 7), -1);
	target_begin(target(w, 1));
	target_begin(target(w, 1));
	assert_int_equal(pick(w, 0), 2); // 10 ms x 3 is more than 20 ms
	target_abandon(target(w, 1));
	target_abandon(target(w, 1));
	assert_int_equal(pick(w, 0), 1);
	// An average moves by an eighth of the difference.
	outcome(w, 1, true, 90);
	assert_int_equal(target(w, 1)->latency_ns, 20 * NS_PER_MS);
}

static void forgets_old_measurements(void **state)
{
	struct world *w = *state;
	for (int i = 0; i < 3; i++)
		outcome(w, i, true, i == 0 ? 50 : 30);
	assert_int_equal(pick(w, 0), 1);
	target(w, 0)->measured_ns -= 60 * NS_PER_S; // 50 ms a minute ago count as 7
	assert_int_equal(pick(w, 0), 0);
}

static void ejects_what_fails(void **state)
{
	struct world *w = *state;
	for (int i = 0; i < 3; i++)
		outcome(w, i, true, 10);
	outcome(w, 0, false, 1);
	outcome(w, 0, false, 1);
	assert_false(target(w, 0)->ejected);
	outcome(w, 0, true, 10); // in a row, not in all
	outcome(w, 0, false, 1);
	outcome(w, 0, false, 1);
	assert_false(target(w, 0)->ejected);
	outcome(w, 0, false, 1);
	assert_true(target(w, 0)->ejected);
	target_begin(target(w, 1));
	target_end(target(w, 1), NULL, &(struct target_outcome){.unreachable = true});
	assert_true(target(w, 1)->ejected);
	assert_int_equal(pick(w, 0), 2);
	assert_true(pick(w, 1 << 2) >= 0); // better one that failed than none
	assert_int_equal(w->snapshot->routes[0].targets[0].attempts->ok, 2);
	assert_int_equal(w->snapshot->routes[0].targets[0].attempts->failed, 5);
	assert_int_equal(target(w, 0)->stats->seconds.count, 7);
}

static void keeps_targets_over_snapshots(void **state)
{
	struct world *w = *state;
	struct err e = {0};
	struct target *old = target(w, 1);
	outcome(w, 1, true, 10);
	struct snapshot *fresh = make_snapshot((const double[]){1, 4, 0});
	assert_int_equal(targets_bind(&w->table, fresh, &e), 0);
	targets_unbind(&w->table, w->snapshot);
	snapshot_release(w->snapshot);
	w->snapshot = fresh;
	assert_true(target(w, 1) == old);
	assert_int_equal(target(w, 1)->latency_ns, 10 * NS_PER_MS);
	outcome(w, 0, true, 5);
	assert_int_equal(pick(w, 0), 1);      // 10 ms with four times the weight
	assert_int_equal(pick(w, 1 | 2), -1); // no weight: never
}

static void counts_statuses(void **state)
{
	struct world *w = *state;
	struct route_stats *s = stats_of_route(&w->table, S("r"));
	assert_true(s == w->snapshot->routes[0].stats);
	stats_count(s, 200, 0.5);
	stats_count(s, 401, 0.5);
	stats_count(s, 200, 0.5);
	assert_int_equal(s->code_count, 2);
	assert_true(s->codes[0].status == 200 && s->codes[0].count == 2);
	assert_int_equal(s->seconds.count, 3);
	stats_count(NULL, 200, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(prefers_the_fast_and_the_idle, set_up, tear_down),
		cmocka_unit_test_setup_teardown(forgets_old_measurements, set_up, tear_down),
		cmocka_unit_test_setup_teardown(ejects_what_fails, set_up, tear_down),
		cmocka_unit_test_setup_teardown(keeps_targets_over_snapshots, set_up, tear_down),
		cmocka_unit_test_setup_teardown(counts_statuses, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
