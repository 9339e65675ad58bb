// SPDX-License-Identifier: Apache-2.0
// Calls and edges: deadlines on a fake clock, cancellation from another thread, the real clock and randomness.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "base/call.h"
#include "base/time.h"

static void test_init(UNUSED void **state)
{
	AUTO(arena) a = {0};
	struct edges_fake fake;
	struct call c, other;
	edges_fake_init(&fake, 5 * NS_PER_S, 1);
	call_init(&c, &a, &fake.edges, S("user/root"));
	call_init(&other, &a, &fake.edges, S("system"));
	assert_int_equal(strlen(c.trace), 32);
	assert_int_equal(strspn(c.trace, "0123456789abcdef"), 32);
	assert_string_not_equal(c.trace, other.trace);
	assert_true(str_eq(c.principal, S("user/root")));
	assert_ptr_equal(c.arena, &a);
	assert_int_equal(call_now_ns(&c), 5 * NS_PER_S);
	assert_true(call_left_ns(&c) == INT64_MAX);
	assert_int_equal(call_check(&c), 0);
}

static void test_deadline(UNUSED void **state)
{
	AUTO(arena) a = {0};
	struct edges_fake fake;
	struct call c, child, grandchild;
	edges_fake_init(&fake, 100 * NS_PER_S, 1);
	call_init(&c, &a, &fake.edges, S("system"));
	call_child(&child, &c, &a, 10 * NS_PER_S);
	assert_int_equal(call_left_ns(&child), 10 * NS_PER_S);
	assert_string_equal(child.trace, c.trace);
	call_child(&grandchild, &child, &a, 60 * NS_PER_S); // never later than its parent's
	assert_int_equal(call_left_ns(&grandchild), 10 * NS_PER_S);
	call_child(&grandchild, &child, &a, 0);
	assert_int_equal(call_left_ns(&grandchild), 10 * NS_PER_S);
	call_child(&grandchild, &child, &a, INT64_MAX);
	assert_int_equal(call_left_ns(&grandchild), 10 * NS_PER_S);
	call_child(&grandchild, &c, &a, INT64_MAX);
	assert_int_equal(call_check(&grandchild), 0);
	fake.now_ns += 10 * NS_PER_S;
	assert_int_equal(call_left_ns(&child), 0);
	assert_int_equal(call_check(&child), ERR_TIMEOUT);
	assert_string_equal(child.err.message, "deadline passed");
	assert_true(child.err.retryable);
	assert_int_equal(call_check(&c), 0);
	call_child(&grandchild, &child, &a, 0);
	assert_int_equal(grandchild.err.code, 0);
}

static void test_sleep(UNUSED void **state)
{
	AUTO(arena) a = {0};
	struct edges_fake fake;
	struct call c, child;
	atomic_bool cancel = false;
	edges_fake_init(&fake, 0, 1);
	call_init(&c, &a, &fake.edges, S("system"));
	assert_int_equal(call_sleep(&c, 3 * NS_PER_S), 0);
	assert_int_equal(fake.now_ns, 3 * NS_PER_S);
	assert_int_equal(call_sleep(&c, -5), 0);
	assert_int_equal(fake.now_ns, 3 * NS_PER_S);
	call_child(&child, &c, &a, NS_PER_S);
	assert_int_equal(call_sleep(&child, INT64_MAX), ERR_TIMEOUT);
	assert_int_equal(fake.now_ns, 4 * NS_PER_S);
	c.cancel = &cancel;
	cancel = true;
	assert_int_equal(call_sleep(&c, INT64_MAX), ERR_CANCELLED);
	assert_int_equal(c.err.code, ERR_CANCELLED);
}

static void *cancel_soon(void *ctx)
{
	usleep(20000);
	atomic_store((atomic_bool *)ctx, true);
	return NULL;
}

static void test_cancel_from_another_thread(UNUSED void **state)
{
	AUTO(arena) a = {0};
	struct call c;
	atomic_bool cancel = false;
	pthread_t thread;
	call_init(&c, &a, edges_real(), S("system"));
	c.cancel = &cancel;
	assert_int_equal(pthread_create(&thread, NULL, cancel_soon, &cancel), 0);
	int64_t before = call_mono_ns(&c);
	assert_int_equal(call_sleep(&c, 60 * NS_PER_S), ERR_CANCELLED);
	assert_true(call_mono_ns(&c) - before < 5 * NS_PER_S);
	pthread_join(thread, NULL);
}

static void test_real_edges(UNUSED void **state)
{
	const struct edges *real = edges_real();
	char bytes[64] = {0}, more[64] = {0}, zero[64] = {0};
	assert_true(real->wall_ns(real->ctx) > INT64_C(1700000000) * NS_PER_S);
	int64_t first = real->mono_ns(real->ctx);
	real->sleep_ns(real->ctx, 2 * NS_PER_MS);
	real->sleep_ns(real->ctx, -1);
	assert_true(real->mono_ns(real->ctx) >= first + NS_PER_MS);
	assert_int_equal(real->random(real->ctx, bytes, sizeof(bytes)), 0);
	assert_int_equal(real->random(real->ctx, more, sizeof(more)), 0);
	assert_memory_not_equal(bytes, more, sizeof(bytes));
	assert_memory_not_equal(bytes, zero, sizeof(bytes));
}

static void test_fake_edges_repeat(UNUSED void **state)
{
	struct edges_fake one, two;
	char a[37], b[37];
	edges_fake_init(&one, 7, 42);
	edges_fake_init(&two, 7, 42);
	assert_int_equal(one.edges.random(&one, a, sizeof(a)), 0);
	assert_int_equal(two.edges.random(&two, b, sizeof(b)), 0);
	assert_memory_equal(a, b, sizeof(a));
	one.edges.sleep_ns(&one, 5);
	assert_int_equal(one.edges.mono_ns(&one), 12);
	assert_int_equal(one.edges.wall_ns(&one), 12);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_init),
		cmocka_unit_test(test_deadline),
		cmocka_unit_test(test_sleep),
		cmocka_unit_test(test_cancel_from_another_thread),
		cmocka_unit_test(test_real_edges),
		cmocka_unit_test(test_fake_edges_repeat),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
