// SPDX-License-Identifier: Apache-2.0
// Runs one batch of actions: on the calling thread, or on a few threads that take them in order. Only the calling
// thread journals, so that the order of the journal is one that happened, and results are on disk as soon as they are
// known.
#include <pthread.h>
#include <stdlib.h>

#include "state/reconcile_impl.h"

enum { MAX_THREADS = 16 };

struct pool {
	struct batch *batch;
	pthread_mutex_t lock;
	pthread_cond_t news;
	size_t next;               // index of the next one to take
	bool stop;                 // take no more
	struct work *first, *last; // ended, not journaled yet
};

static void act(struct batch *b, struct work *w)
{
	w->rc = call_check(&w->call);
	w->begun = w->rc == 0;
	if (!w->begun)
		return;
	w->rc = b->reconciler->act(&w->call, b->reconciler->ctx, w->action, &w->output);
	if (w->rc < 0 && w->call.err.code == 0) // an actor that forgot to say why
		(void)call_fail(&w->call, w->rc, "%.*s failed", STR(w->action->name));
}

static void work_free(struct work *w)
{
	json_decref(w->output);
	w->output = NULL;
	arena_free(&w->arena);
}

static struct work *take(struct pool *p)
{
	pthread_mutex_lock(&p->lock);
	struct work *w = !p->stop && p->next < p->batch->count ? &p->batch->works[p->next++] : NULL;
	pthread_mutex_unlock(&p->lock);
	return w;
}

static void give(struct pool *p, struct work *w)
{
	pthread_mutex_lock(&p->lock);
	if (p->last)
		p->last->next_ended = w;
	else
		p->first = w;
	p->last = w;
	pthread_cond_signal(&p->news);
	pthread_mutex_unlock(&p->lock);
}

static void *worker(void *ctx)
{
	struct pool *p = ctx;
	struct work *w;
	while ((w = take(p))) {
		act(p->batch, w);
		give(p, w);
	}
	return NULL;
}

static struct work *wait_ended(struct pool *p)
{
	pthread_mutex_lock(&p->lock);
	while (!p->first)
		pthread_cond_wait(&p->news, &p->lock);
	struct work *w = p->first;
	p->first = w->next_ended;
	if (!p->first)
		p->last = NULL;
	pthread_mutex_unlock(&p->lock);
	return w;
}

static void stop(struct pool *p)
{
	pthread_mutex_lock(&p->lock);
	p->stop = true;
	p->batch->count = p->next; // those never taken will not end
	pthread_mutex_unlock(&p->lock);
}

static int run_threads(struct batch *b, size_t threads)
{
	struct pool p = {.batch = b};
	pthread_t ids[MAX_THREADS];
	size_t started = 0;
	int rc = 0;
	pthread_mutex_init(&p.lock, NULL);
	pthread_cond_init(&p.news, NULL);
	while (started < threads && pthread_create(&ids[started], NULL, worker, &p) == 0)
		started++;
	if (started == 0)
		rc = call_fail(b->call, ERR_NO_MEMORY, "the system starts no thread");
	for (size_t i = 0; started > 0 && i < b->count; i++) {
		struct work *w = wait_ended(&p);
		if (rc == 0 && (rc = b->ended(b, w)) < 0)
			stop(&p);
		work_free(w);
	}
	for (size_t i = 0; i < started; i++)
		pthread_join(ids[i], NULL);
	pthread_mutex_destroy(&p.lock);
	pthread_cond_destroy(&p.news);
	return rc;
}

int batch_run(struct batch *b)
{
	size_t threads = MIN(MIN(b->reconciler->parallel, b->count), MAX_THREADS);
	for (size_t i = 0; i < b->count; i++) // before any thread runs: the parent is this thread's alone
		call_child(&b->works[i].call, b->call, &b->works[i].arena, 0);
	if (threads > 1)
		return run_threads(b, threads);
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < b->count; i++) {
		act(b, &b->works[i]);
		rc = b->ended(b, &b->works[i]);
		work_free(&b->works[i]);
	}
	return rc;
}
