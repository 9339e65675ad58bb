// SPDX-License-Identifier: Apache-2.0
// The event loop: timers in order, tasks, posts from another thread, signals, watchers removed inside a batch; names by
// dns.h.
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/time.h"
#include "net/dns.h"
#include "net/loop.h"

static struct loop *loop;

static int set_up(void **state)
{
	(void)state;
	return loop_new(&loop, NULL);
}

static int tear_down(void **state)
{
	(void)state;
	loop_free(loop);
	return 0;
}

static void rounds(int n)
{
	struct err e = {0};
	for (int i = 0; i < n; i++)
		assert_int_equal(loop_round(loop, NS_PER_MS, &e), 0);
}

struct numbered {
	struct loop_timer timer;
	int number;
};
static int fired[300], fired_count;

static void note(struct loop_timer *t)
{
	fired[fired_count++] = CONTAINER_OF(t, struct numbered, timer)->number;
}

static void fires_timers_in_order(void **state)
{
	(void)state;
	static struct numbered timers[200];
	int64_t now = loop_now_ns(loop);
	fired_count = 0;
	for (int i = 0; i < 200; i++) {
		int place = i * 77 % 200;
		timers[place].number = place;
		timers[place].timer.fire = note;
		assert_int_equal(loop_timer_set(loop, &timers[place].timer, now + place * 10000), 0);
	}
	for (int i = 0; i < 200; i += 10)
		loop_timer_clear(loop, &timers[i].timer);
	assert_int_equal(loop_timer_set(loop, &timers[1].timer, now + 5 * NS_PER_MS), 0); // later
	assert_int_equal(loop_timer_set(loop, &timers[199].timer, now - NS_PER_MS), 0);   // sooner
	rounds(20);
	assert_int_equal(fired_count, 180);
	assert_int_equal(fired[0], 199);
	assert_int_equal(fired[179], 1);
	for (int i = 2; i < 179; i++)
		assert_true(fired[i - 1] < fired[i] || i == 1);
}

struct counted {
	struct loop_task task;
	int runs, again;
};

static void count(struct loop_task *t)
{
	struct counted *c = CONTAINER_OF(t, struct counted, task);
	c->runs++;
	if (c->again-- > 0)
		loop_later(loop, t);
}

static void runs_tasks_once_a_round(void **state)
{
	(void)state;
	struct counted again = {.task.run = count, .again = 2}, cancelled = {.task.run = count};
	loop_later(loop, &again.task);
	loop_later(loop, &again.task);
	loop_later(loop, &cancelled.task);
	loop_later_cancel(loop, &cancelled.task);
	rounds(1);
	assert_int_equal(again.runs, 1);
	rounds(5);
	assert_int_equal(again.runs, 3);
	assert_int_equal(cancelled.runs, 0);
}

static struct counted posted = {.task.run = count};

static void *post(void *ctx)
{
	(void)ctx;
	loop_post(loop, &posted.task);
	loop_stop(loop);
	return NULL;
}

static void takes_posts_from_threads(void **state)
{
	(void)state;
	pthread_t thread;
	struct err e = {0};
	assert_int_equal(pthread_create(&thread, NULL, post, NULL), 0);
	assert_int_equal(loop_run(loop, &e), 0);
	pthread_join(thread, NULL);
	rounds(1);
	assert_int_equal(posted.runs, 1);
}

static int signalled;

static void on_signal(void *ctx, int number)
{
	(void)ctx;
	signalled = number;
}

static void delivers_signals(void **state)
{
	(void)state;
	sigset_t set;
	struct err e = {0};
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	assert_int_equal(loop_signals(loop, &set, on_signal, NULL, &e), 0);
	raise(SIGUSR1);
	rounds(2);
	assert_int_equal(signalled, SIGUSR1);
}

static struct loop_io pipes[2];
static int calls;

// Whichever of the two is told first removes the other, which must then not be told.
static void remove_other(struct loop_io *io, unsigned events)
{
	assert_int_equal(events & LOOP_READ, LOOP_READ);
	calls++;
	loop_io_remove(loop, io == &pipes[0] ? &pipes[1] : &pipes[0]);
}

static void forgets_removed_watchers(void **state)
{
	(void)state;
	int fds[2][2];
	for (int i = 0; i < 2; i++) {
		assert_int_equal(pipe(fds[i]), 0);
		assert_int_equal(write(fds[i][1], "x", 1), 1);
		pipes[i].ready = remove_other;
		assert_int_equal(loop_io_add(loop, &pipes[i], fds[i][0], LOOP_READ, NULL), 0);
	}
	rounds(1);
	assert_int_equal(calls, 1);
	for (int i = 0; i < 2; i++) {
		loop_io_remove(loop, &pipes[i]);
		close(fds[i][0]);
		close(fds[i][1]);
	}
}

struct answer {
	size_t count;
	int code, calls;
	struct address first;
};

static void on_answer(void *ctx, const struct address *addresses, size_t n, const struct err *e)
{
	struct answer *a = ctx;
	a->calls++;
	a->count = n;
	a->code = e->code;
	if (n)
		a->first = addresses[0];
}

static int ask(struct dns *d, struct str host, struct answer *a, struct dns_query **q)
{
	const struct dns_question question = {host, 80, on_answer, a};
	return dns_resolve(d, &question, q, NULL);
}

static void answers_literals_without_asking(void **state)
{
	(void)state;
	struct dns *d;
	struct dns_query *q;
	struct err e = {0};
	static const char *const hosts[] = {"127.0.0.1", "::1", "localhost"};
	assert_int_equal(dns_new(loop, &d, &e), 0);
	for (size_t i = 0; i < COUNT_OF(hosts); i++) {
		struct answer a = {0};
		assert_int_equal(ask(d, str_of(hosts[i]), &a, &q), 0);
		assert_int_equal(a.calls, 0);
		rounds(1);
		assert_int_equal(a.calls, 1);
		assert_int_equal(a.count, i == 2 ? 2 : 1);
		assert_true(address_is_loopback(&a.first) && address_port(&a.first) == 80);
	}
	struct answer cancelled = {0};
	assert_int_equal(ask(d, S("127.0.0.1"), &cancelled, &q), 0);
	dns_cancel(q);
	rounds(1);
	assert_int_equal(cancelled.calls, 0);
	struct answer open = {0};
	assert_int_equal(ask(d, S("127.0.0.1"), &open, &q), 0);
	dns_free(d);
	rounds(1);
	assert_int_equal(open.calls, 0);
}

static void says_when_a_name_is_unknown(void **state)
{
	(void)state;
	struct dns *d;
	struct dns_query *q;
	struct err e = {0};
	struct answer a = {0};
	assert_int_equal(dns_new(loop, &d, &e), 0);
	char long_name[300];
	memset(long_name, 'a', sizeof(long_name));
	assert_int_equal(ask(d, str_bytes(long_name, sizeof(long_name)), &a, &q), ERR_INVALID);
	// "invalid." is reserved (RFC 6761): c-ares may ask nobody or find nobody; either way there is one answer,
	// without addresses. Given up after a second, since a machine without a network may have to wait for its
	// resolver.
	assert_int_equal(ask(d, S("host.invalid"), &a, &q), 0);
	for (int i = 0; i < 1000 && a.calls == 0; i++)
		rounds(1);
	assert_true(a.calls <= 1);
	assert_int_equal(a.count, 0);
	assert_true(a.calls == 0 || a.code != 0);
	dns_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fires_timers_in_order),
		cmocka_unit_test(runs_tasks_once_a_round),
		cmocka_unit_test(takes_posts_from_threads),
		cmocka_unit_test(delivers_signals),
		cmocka_unit_test(forgets_removed_watchers),
		cmocka_unit_test(answers_literals_without_asking),
		cmocka_unit_test(says_when_a_name_is_unknown),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
