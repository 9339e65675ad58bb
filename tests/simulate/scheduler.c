// SPDX-License-Identifier: Apache-2.0
// One thread at a time: see scheduler.h. Each thread has a semaphore; whoever gives up its turn chooses the next and posts it.
#include "scheduler.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "math/rng.h"

enum { MOST_THREADS = 64, MOST_LOCKS = 4096, PREEMPT_ONE_IN = 4 };
enum state { FREE, READY, LOCK, CONDITION, JOIN, SLEEP, DONE };

struct thread {
	sem_t turn;
	pthread_t id;
	enum state state;
	const void *on;   // lock, condition or thread that it waits for
	int64_t until_ns; // of SLEEP and of a timed CONDITION; 0: no end
	void *(*body)(void *);
	void *argument;
};
struct held {
	const void *lock;
	struct thread *owner;
};

static struct { // the one scheduler of the program
	bool on, held;
	struct thread threads[MOST_THREADS];
	struct thread *now;
	struct held locks[MOST_LOCKS];
	struct edges_fake *edges;
	int64_t clock_off_ns; // of the wall clock, by those who set it
	struct rng rng;
} s;

int __real_pthread_create(pthread_t *id, const pthread_attr_t *attributes, void *(*body)(void *), void *argument);
int __real_pthread_join(pthread_t id, void **result);
int __real_pthread_mutex_lock(pthread_mutex_t *m);
int __real_pthread_mutex_unlock(pthread_mutex_t *m);
int __real_pthread_cond_wait(pthread_cond_t *c, pthread_mutex_t *m);
int __real_pthread_cond_timedwait(pthread_cond_t *c, pthread_mutex_t *m, const struct timespec *until);
int __real_pthread_cond_signal(pthread_cond_t *c);
int __real_pthread_cond_broadcast(pthread_cond_t *c);
int __wrap_pthread_create(pthread_t *id, const pthread_attr_t *attributes, void *(*body)(void *), void *argument);
int __wrap_pthread_join(pthread_t id, void **result);
int __wrap_pthread_mutex_lock(pthread_mutex_t *m);
int __wrap_pthread_mutex_unlock(pthread_mutex_t *m);
int __wrap_pthread_cond_wait(pthread_cond_t *c, pthread_mutex_t *m);
int __wrap_pthread_cond_timedwait(pthread_cond_t *c, pthread_mutex_t *m, const struct timespec *until);
int __wrap_pthread_cond_signal(pthread_cond_t *c);
int __wrap_pthread_cond_broadcast(pthread_cond_t *c);

uint64_t scheduler_draw(uint64_t bound)
{
	return rng_below(&s.rng, bound);
}

// ---------------------------------------------------------------- turns
static void wake(enum state state, const void *on, bool one)
{
	for (size_t i = 0; i < MOST_THREADS; i++) {
		struct thread *t = &s.threads[i];
		if (t->state != state || t->on != on)
			continue;
		t->state = READY;
		if (one)
			return;
	}
}

// Nobody can run: time passes to the first who sleeps.
static void pass_time(void)
{
	int64_t first = INT64_MAX;
	for (size_t i = 0; i < MOST_THREADS; i++) {
		const struct thread *t = &s.threads[i];
		if ((t->state == SLEEP || t->state == CONDITION) && t->until_ns && t->until_ns < first)
			first = t->until_ns;
	}
	if (first == INT64_MAX) {
		fprintf(stderr, "simulate: every thread waits for another\n");
		abort();
	}
	if (s.edges->now_ns < first)
		s.edges->now_ns = first;
	for (size_t i = 0; i < MOST_THREADS; i++) {
		struct thread *t = &s.threads[i];
		if ((t->state == SLEEP || t->state == CONDITION) && t->until_ns && t->until_ns <= first)
			t->state = READY;
	}
}

static struct thread *choose(void)
{
	struct thread *ready[MOST_THREADS];
	size_t count = 0;
	while (count == 0) {
		for (size_t i = 0; i < MOST_THREADS; i++)
			if (s.threads[i].state == READY)
				ready[count++] = &s.threads[i];
		if (count == 0)
			pass_time();
	}
	return ready[scheduler_draw(count)];
}

// The calling thread's state says whether it may be chosen again at once.
static void give_turn(void)
{
	struct thread *me = s.now, *next = choose();
	s.now = next;
	if (next == me)
		return;
	sem_post(&next->turn);
	if (me->state == DONE)
		return;
	while (sem_wait(&me->turn) != 0) {
	}
}

static void may_give_turn(void)
{
	if (!s.held && scheduler_draw(PREEMPT_ONE_IN) == 0)
		give_turn();
}

void scheduler_hold(bool hold)
{
	s.held = hold;
}

static void wait_for(enum state state, const void *on, int64_t until_ns)
{
	s.now->state = state;
	s.now->on = on;
	s.now->until_ns = until_ns;
	give_turn();
}

void scheduler_yield(void)
{
	if (s.on)
		give_turn();
}

static void sleep_virtually(void *ctx, int64_t ns)
{
	struct edges_fake *f = ctx;
	wait_for(SLEEP, NULL, f->now_ns + (ns > 0 ? ns : 1));
}

static int64_t wall_virtually(void *ctx)
{
	const struct edges_fake *f = ctx;
	return f->now_ns + s.clock_off_ns;
}

void scheduler_set_clock(int64_t by_ns)
{
	s.clock_off_ns += by_ns;
}

void scheduler_begin(struct edges_fake *edges, uint64_t seed)
{
	memset(&s, 0, sizeof(s));
	rng_seed(&s.rng, seed, 1);
	s.edges = edges;
	s.now = &s.threads[0];
	s.now->state = READY;
	s.now->id = pthread_self();
	sem_init(&s.now->turn, 0, 0);
	edges->edges.sleep_ns = sleep_virtually;
	edges->edges.wall_ns = wall_virtually;
	s.on = true;
}

void scheduler_end(void)
{
	for (size_t i = 1; i < MOST_THREADS; i++)
		if (s.threads[i].state != FREE) {
			fprintf(stderr, "simulate: a thread was left running\n");
			abort();
		}
	s.on = false;
	sem_destroy(&s.threads[0].turn);
}

// ---------------------------------------------------------------- threads
static void *run(void *argument)
{
	struct thread *t = argument;
	while (sem_wait(&t->turn) != 0) {
	}
	void *result = t->body(t->argument);
	t->state = DONE;
	wake(JOIN, t, false);
	give_turn();
	return result;
}

int __wrap_pthread_create(pthread_t *id, const pthread_attr_t *attributes, void *(*body)(void *), void *argument)
{
	if (!s.on)
		return __real_pthread_create(id, attributes, body, argument);
	for (size_t i = 0; i < MOST_THREADS; i++) {
		struct thread *t = &s.threads[i];
		if (t->state != FREE)
			continue;
		*t = (struct thread){.state = READY, .body = body, .argument = argument};
		sem_init(&t->turn, 0, 0);
		int rc = __real_pthread_create(&t->id, attributes, run, t);
		*id = t->id;
		return rc;
	}
	return EAGAIN;
}

int __wrap_pthread_join(pthread_t id, void **result)
{
	if (!s.on)
		return __real_pthread_join(id, result);
	for (size_t i = 0; i < MOST_THREADS; i++) {
		struct thread *t = &s.threads[i];
		if (t->state == FREE || !pthread_equal(t->id, id))
			continue;
		while (t->state != DONE)
			wait_for(JOIN, t, 0);
		int rc = __real_pthread_join(id, result);
		sem_destroy(&t->turn);
		t->state = FREE;
		return rc;
	}
	return ESRCH;
}

// ---------------------------------------------------------------- locks and conditions
static struct held *held_of(const void *lock)
{
	size_t at = ((uintptr_t)lock >> 4) % MOST_LOCKS;
	for (size_t i = 0; i < MOST_LOCKS; i++, at = (at + 1) % MOST_LOCKS) {
		if (!s.locks[at].lock)
			s.locks[at].lock = lock;
		if (s.locks[at].lock == lock)
			return &s.locks[at];
	}
	fprintf(stderr, "simulate: too many locks\n");
	abort();
}

int __wrap_pthread_mutex_lock(pthread_mutex_t *m)
{
	if (!s.on)
		return __real_pthread_mutex_lock(m);
	struct held *h = held_of(m);
	may_give_turn();
	while (h->owner)
		wait_for(LOCK, m, 0);
	h->owner = s.now;
	return 0;
}

int __wrap_pthread_mutex_unlock(pthread_mutex_t *m)
{
	if (!s.on)
		return __real_pthread_mutex_unlock(m);
	held_of(m)->owner = NULL;
	wake(LOCK, m, false);
	may_give_turn();
	return 0;
}

int __wrap_pthread_cond_timedwait(pthread_cond_t *c, pthread_mutex_t *m, const struct timespec *until)
{
	if (!s.on)
		return __real_pthread_cond_timedwait(c, m, until);
	int64_t end_ns = s.edges->now_ns + 100 * NS_PER_MS; // the caller's clock is another: a while is a while
	held_of(m)->owner = NULL;
	wake(LOCK, m, false);
	wait_for(CONDITION, c, end_ns);
	bool late = s.edges->now_ns >= end_ns;
	__wrap_pthread_mutex_lock(m);
	return late ? ETIMEDOUT : 0;
}

int __wrap_pthread_cond_wait(pthread_cond_t *c, pthread_mutex_t *m)
{
	if (!s.on)
		return __real_pthread_cond_wait(c, m);
	held_of(m)->owner = NULL;
	wake(LOCK, m, false);
	wait_for(CONDITION, c, 0);
	return __wrap_pthread_mutex_lock(m);
}

int __wrap_pthread_cond_signal(pthread_cond_t *c)
{
	if (!s.on)
		return __real_pthread_cond_signal(c);
	wake(CONDITION, c, true);
	return 0;
}

int __wrap_pthread_cond_broadcast(pthread_cond_t *c)
{
	if (!s.on)
		return __real_pthread_cond_broadcast(c);
	wake(CONDITION, c, false);
	return 0;
}
