// SPDX-License-Identifier: Apache-2.0
// Answers that wait for their audit record: see audit_gate.h.
#include "gateway/audit_gate.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/log.h"

enum { RESULTS = 64, SIGN_EVERY_S = 5 };

struct result {
	uint64_t upto;
	bool written;
};
struct audit_gate {
	struct loop *loop;
	struct audit *audit;
	struct audit_wait *first, *last; // by ticket
	uint64_t appended;
	struct loop_task task; // brings results to the loop
	pthread_t thread;
	pthread_mutex_t lock; // of all below
	pthread_cond_t work, room;
	bool pending, ending;
	struct result results[RESULTS];
	size_t result_first, result_count;
};

static void unlink_wait(struct audit_gate *g, struct audit_wait *w)
{
	if (w->previous)
		w->previous->next = w->next;
	else
		g->first = w->next;
	if (w->next)
		w->next->previous = w->previous;
	else
		g->last = w->previous;
	w->waiting = false;
}

static void deliver(struct audit_gate *g, struct result r)
{
	while (g->first && g->first->ticket <= r.upto) {
		struct audit_wait *w = g->first;
		unlink_wait(g, w);
		w->done(w, r.written);
	}
}

static void take_results(struct loop_task *t)
{
	struct audit_gate *g = CONTAINER_OF(t, struct audit_gate, task);
	for (;;) {
		pthread_mutex_lock(&g->lock);
		bool any = g->result_count > 0;
		struct result r = g->results[g->result_first];
		if (any) {
			g->result_first = (g->result_first + 1) % RESULTS;
			g->result_count--;
			pthread_cond_signal(&g->room);
		}
		pthread_mutex_unlock(&g->lock);
		if (!any)
			return;
		deliver(g, r);
	}
}

// With the lock held on entry and return.
static void commit(struct audit_gate *g)
{
	struct err e = {0};
	struct result r = {0};
	g->pending = false;
	pthread_mutex_unlock(&g->lock);
	r.written = audit_commit(g->audit, &r.upto, &e) == 0;
	if (!r.written)
		log_err(LOG_ERROR, &e, "write the audit log; answers are refused");
	pthread_mutex_lock(&g->lock);
	while (g->result_count == RESULTS && !g->ending)
		pthread_cond_wait(&g->room, &g->lock);
	if (g->result_count == RESULTS)
		return;
	g->results[(g->result_first + g->result_count++) % RESULTS] = r;
	loop_post(g->loop, &g->task);
}

static void sign(struct audit_gate *g)
{
	struct err e = {0};
	pthread_mutex_unlock(&g->lock);
	if (audit_sign_head(g->audit, &e))
		log_err(LOG_WARNING, &e, "sign the head of the audit log");
	pthread_mutex_lock(&g->lock);
}

static void *run(void *ctx)
{
	struct audit_gate *g = ctx;
	struct timespec next;
	clock_gettime(CLOCK_MONOTONIC, &next);
	pthread_mutex_lock(&g->lock);
	while (!g->ending) {
		struct timespec now;
		clock_gettime(CLOCK_MONOTONIC, &now);
		if (now.tv_sec >= next.tv_sec) {
			sign(g);
			next.tv_sec = now.tv_sec + SIGN_EVERY_S;
		}
		if (g->pending)
			commit(g);
		else
			pthread_cond_timedwait(&g->work, &g->lock, &next);
	}
	pthread_mutex_unlock(&g->lock);
	return NULL;
}

int audit_gate_new(struct loop *l, struct audit *audit, struct audit_gate **out, struct err *e)
{
	struct audit_gate *g = calloc(1, sizeof(*g));
	pthread_condattr_t monotonic;
	if (!g) {
		audit_close(audit);
		return err_set(e, ERR_NO_MEMORY, "out of memory for the audit log");
	}
	g->loop = l;
	g->audit = audit;
	g->task.run = take_results;
	pthread_mutex_init(&g->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&g->work, &monotonic);
	pthread_condattr_destroy(&monotonic);
	pthread_cond_init(&g->room, NULL);
	if (pthread_create(&g->thread, NULL, run, g)) {
		audit_close(audit);
		free(g);
		return err_set(e, ERR_LIMIT, "no thread for the audit log");
	}
	*out = g;
	return 0;
}

void audit_gate_free(struct audit_gate *g)
{
	if (!g)
		return;
	pthread_mutex_lock(&g->lock);
	g->ending = true;
	pthread_cond_signal(&g->work);
	pthread_cond_signal(&g->room);
	pthread_mutex_unlock(&g->lock);
	pthread_join(g->thread, NULL);
	audit_close(g->audit);
	pthread_cond_destroy(&g->work);
	pthread_cond_destroy(&g->room);
	pthread_mutex_destroy(&g->lock);
	free(g);
}

int audit_gate_append(struct audit_gate *g, const struct audit_event *event, struct audit_wait *w, struct err *e)
{
	uint64_t ticket;
	int code = audit_append(g->audit, event, &ticket, e);
	if (code)
		return code;
	g->appended++;
	if (w) {
		w->ticket = ticket;
		w->waiting = true;
		w->next = NULL;
		w->previous = g->last;
		*(g->last ? &g->last->next : &g->first) = w;
		g->last = w;
	}
	pthread_mutex_lock(&g->lock);
	if (!g->pending) {
		g->pending = true;
		pthread_cond_signal(&g->work);
	}
	pthread_mutex_unlock(&g->lock);
	return 0;
}

void audit_gate_forget(struct audit_gate *g, struct audit_wait *w)
{
	if (w->waiting)
		unlink_wait(g, w);
}

struct audit *audit_gate_log(struct audit_gate *g)
{
	return g->audit;
}

uint64_t audit_gate_records(const struct audit_gate *g)
{
	return g->appended;
}

bool audit_gate_idle(const struct audit_gate *g)
{
	return g->first == NULL;
}
