// SPDX-License-Identifier: Apache-2.0
// Leases that are held: renewal, fenced writes, loss, giving back.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <unistd.h>

#include "base/time.h"
#include "fixture_state.h"
#include "state/held.h"

struct bench {
	struct fixture f;
	struct state state;
};

static int setup(void **out)
{
	struct bench *b = calloc(1, sizeof(*b));
	fixture_open_state(&b->f, &b->state);
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

static int take(struct bench *b, const char *holder, int64_t ttl_ns, atomic_bool *lost, struct held **out)
{
	const struct held_options o = {
		.state = &b->state, .name = S("service/x"), .holder = str_of(holder), .ttl_ns = ttl_ns, .lost = lost};
	return held_take(&b->f.call, &o, out);
}

static void test_a_lease_outlives_its_time_to_live(void **out)
{
	struct bench *b = *out;
	struct held *one, *two;
	atomic_bool lost = false;
	assert_ok(&b->f, take(b, "one", 1500 * NS_PER_MS, &lost, &one));
	int64_t until = call_mono_ns(&b->f.call) + 1600 * NS_PER_MS;
	while (call_mono_ns(&b->f.call) < until) {
		assert_fails(&b->f, take(b, "two", NS_PER_S, NULL, &two), ERR_IN_USE);
		usleep(60000);
	}
	assert_false(lost);
	assert_false(held_is_lost(one));
	assert_ok(&b->f, state_append_one(&b->f.call, held_state(one), S("a"), S(""), json_object(), NULL));
	held_give_back(&b->f.call, one);
	assert_ok(&b->f, take(b, "two", NS_PER_S, NULL, &two));
	held_give_back(&b->f.call, two);
}

static void test_writes_after_its_loss_are_refused(void **out)
{
	struct bench *b = *out;
	struct held *one;
	struct lease other;
	struct record r;
	atomic_bool lost = false;
	AUTO(json) v = json_object();
	assert_ok(&b->f, take(b, "one", 3600 * NS_PER_S, &lost, &one));
	assert_ok(&b->f, state_put(&b->f.call, held_state(one), S("k"), v, 0, NULL));
	// As if it had been paused for longer than an hour: another took the lease meanwhile.
	const struct lease its = {.name = S("service/x"), .holder = S("one"), .fence = 1};
	assert_ok(&b->f, b->state.ops->release(&b->f.call, b->state.ctx, &its));
	assert_ok(&b->f, b->state.ops->lease(&b->f.call, b->state.ctx, S("service/x"), S("two"), NS_PER_S, &other));
	assert_fails(&b->f, state_put(&b->f.call, held_state(one), S("k"), NULL, UINT64_MAX, NULL), ERR_DENIED);
	assert_true(lost);
	assert_true(held_is_lost(one));
	assert_fails(
		&b->f, state_append_one(&b->f.call, held_state(one), S("a"), S(""), json_object(), NULL), ERR_DENIED);
	assert_ok(&b->f, state_get(&b->f.call, held_state(one), S("k"), &r));
	assert_true(r.revision > 0);
	held_give_back(&b->f.call, one); // takes nothing away from the other
	assert_fails(&b->f, take(b, "three", NS_PER_S, NULL, &one), ERR_IN_USE);
}

static void test_losing_it_is_noticed_without_a_write(void **out)
{
	struct bench *b = *out;
	struct held *one;
	struct lease other;
	atomic_bool lost = false;
	assert_ok(&b->f, take(b, "one", 90 * NS_PER_MS, &lost, &one));
	const struct lease its = {.name = S("service/x"), .holder = S("one"), .fence = 1};
	int rc;
	do { // its renewals come every 30 ms: until ours falls between release and the next
		assert_ok(&b->f, b->state.ops->release(&b->f.call, b->state.ctx, &its));
		rc = b->state.ops->lease(&b->f.call, b->state.ctx, S("service/x"), S("two"), 60 * NS_PER_S, &other);
	} while (rc == ERR_IN_USE && !lost);
	for (int i = 0; i < 2000 && !lost; i++)
		usleep(10000);
	assert_true(lost);
	held_give_back(&b->f.call, one);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_lease_outlives_its_time_to_live),
		TEST(test_writes_after_its_loss_are_refused),
		TEST(test_losing_it_is_noticed_without_a_write),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
