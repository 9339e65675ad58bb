// SPDX-License-Identifier: Apache-2.0
// Held leases: see held.h. The wrapped state differs in its writes alone.
#include "state/held.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/time.h"
#include "state/state_impl.h"
#include "state/transfer.h"

struct held {
	struct arena arena;
	struct state state; // what works under the lease writes through
	struct state inner; // borrowed
	struct lease lease;
	int64_t ttl_ns;
	const struct edges *edges;
	struct str principal;
	atomic_bool *told;
	atomic_bool lost;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool stop; // under lock
	pthread_t thread;
	bool started;
};

static void lose(struct held *h)
{
	atomic_store(&h->lost, true);
	if (h->told)
		atomic_store(h->told, true);
}

// ---------------------------------------------------------------- renewing
static bool pause_for(struct held *h, int64_t ns)
{
	struct timespec until;
	clock_gettime(CLOCK_MONOTONIC, &until);
	int64_t at = (int64_t)until.tv_sec * NS_PER_S + until.tv_nsec + ns;
	until = (struct timespec){.tv_sec = at / NS_PER_S, .tv_nsec = at % NS_PER_S};
	pthread_mutex_lock(&h->lock);
	while (!h->stop && pthread_cond_timedwait(&h->wake, &h->lock, &until) != ETIMEDOUT)
		;
	bool go_on = !h->stop;
	pthread_mutex_unlock(&h->lock);
	return go_on;
}

// A fence that grew tells that another had it in between: what was written since may rest on what it changed.
static bool renew(struct held *h, int64_t *good_ns)
{
	AUTO(arena) arena = {0};
	struct call c;
	struct lease now;
	call_init(&c, &arena, h->edges, h->principal);
	int64_t before = call_mono_ns(&c);
	c.deadline_ns = *good_ns + h->ttl_ns;
	int rc = h->inner.ops->lease(&c, h->inner.ctx, h->lease.name, h->lease.holder, h->ttl_ns, &now);
	if (rc == 0 && now.fence != h->lease.fence)
		return false;
	if (rc == 0)
		*good_ns = before;
	return rc == 0 || (rc != ERR_IN_USE && call_mono_ns(&c) < *good_ns + h->ttl_ns);
}

static void *keep(void *ctx)
{
	struct held *h = ctx;
	int64_t good = h->edges->mono_ns(h->edges->ctx);
	while (pause_for(h, h->ttl_ns / 3)) {
		if (atomic_load(&h->lost) || !renew(h, &good)) {
			lose(h);
			break;
		}
	}
	return NULL;
}

// ---------------------------------------------------------------- the state under the lease
static int held_commit(struct call *c, void *ctx, const struct state_batch *batch)
{
	struct held *h = ctx;
	struct state_batch fenced = *batch;
	if (!fenced.fence_lease.n) {
		fenced.fence_lease = h->lease.name;
		fenced.fence = h->lease.fence;
	}
	int rc = h->inner.ops->commit(c, h->inner.ctx, &fenced);
	if (rc == ERR_DENIED)
		lose(h);
	return rc;
}

static int held_append(struct call *c, void *ctx, uint64_t expected_head, struct event *events, size_t count)
{
	const struct state_batch batch = {.expected_head = expected_head, .events = events, .event_count = count};
	return held_commit(c, ctx, &batch);
}

static int held_put(
	struct call *c, void *ctx, struct record *record, uint64_t expected, struct str fence_lease, uint64_t fence)
{
	struct state_write write = {.record = record, .expected = expected};
	const struct state_batch batch = {.expected_head = UINT64_MAX,
		.writes = &write,
		.write_count = 1,
		.fence_lease = fence_lease,
		.fence = fence};
	return held_commit(c, ctx, &batch);
}

static int held_read(struct call *c, void *ctx, const struct state_query *query, struct event **out, size_t *count)
{
	struct held *h = ctx;
	return h->inner.ops->read(c, h->inner.ctx, query, out, count);
}

static int held_watch(struct call *c, void *ctx, uint64_t after, int64_t timeout_ns, uint64_t *head)
{
	struct held *h = ctx;
	return h->inner.ops->watch(c, h->inner.ctx, after, timeout_ns, head);
}

static int held_get(struct call *c, void *ctx, struct str key, struct record *out)
{
	struct held *h = ctx;
	return h->inner.ops->get(c, h->inner.ctx, key, out);
}

static int held_list(struct call *c, void *ctx, struct str prefix, struct record **out, size_t *count)
{
	struct held *h = ctx;
	return h->inner.ops->list(c, h->inner.ctx, prefix, out, count);
}

static int held_lease(struct call *c, void *ctx, struct str name, struct str holder, int64_t ttl_ns, struct lease *out)
{
	struct held *h = ctx;
	return h->inner.ops->lease(c, h->inner.ctx, name, holder, ttl_ns, out);
}

static int held_release(struct call *c, void *ctx, const struct lease *lease)
{
	struct held *h = ctx;
	return h->inner.ops->release(c, h->inner.ctx, lease);
}

static int held_dump(struct call *c, void *ctx, const struct state_sink *sink)
{
	struct held *h = ctx;
	return state_dump(c, &h->inner, sink);
}

// Under the lease alone, without its fence: what loads excludes everybody else by its transaction.
static int held_load(struct call *c, void *ctx, const struct state_source *source, bool replace)
{
	struct held *h = ctx;
	return state_load(c, &h->inner, source, replace);
}

static void held_close(void *ctx)
{
	(void)ctx; // the lease ends by held_give_back, the state below by its owner
}

static int held_scan(struct call *c, void *s, struct str prefix, const struct state_scan *scan)
{
	struct held *h = s;
	return state_scan(c, &h->inner, prefix, scan);
}

// ---------------------------------------------------------------- taking and giving back
static void free_held(struct held *h)
{
	pthread_mutex_destroy(&h->lock);
	pthread_cond_destroy(&h->wake);
	arena_free(&h->arena);
	free(h);
}

static struct held *new_held(struct call *c, const struct held_options *o)
{
	static const struct state_ops ops = {
		.name = "held",
		.commit = held_commit,
		.append = held_append,
		.read = held_read,
		.watch = held_watch,
		.get = held_get,
		.put = held_put,
		.list = held_list,
		.scan = held_scan,
		.lease = held_lease,
		.release = held_release,
		.dump = held_dump,
		.load = held_load,
		.close = held_close,
	};
	struct held *h = calloc(1, sizeof(*h));
	if (!h)
		return NULL;
	pthread_condattr_t monotonic;
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_mutex_init(&h->lock, NULL);
	pthread_cond_init(&h->wake, &monotonic);
	pthread_condattr_destroy(&monotonic);
	h->state = (struct state){.ops = &ops, .ctx = h};
	h->inner = *o->state;
	h->ttl_ns = o->ttl_ns ? o->ttl_ns : HELD_TTL_MS * NS_PER_MS;
	h->edges = c->edges;
	h->told = o->lost;
	h->principal = arena_str(&h->arena, c->principal);
	h->lease.name = arena_str(&h->arena, o->name);
	h->lease.holder = arena_str(&h->arena, o->holder);
	if (h->principal.p && h->lease.name.p && h->lease.holder.p)
		return h;
	free_held(h);
	return NULL;
}

int held_take(struct call *c, const struct held_options *options, struct held **out)
{
	struct held *h = new_held(c, options);
	if (!h)
		return call_no_memory(c);
	int rc = h->inner.ops->lease(c, h->inner.ctx, h->lease.name, h->lease.holder, h->ttl_ns, &h->lease);
	if (rc < 0) {
		free_held(h);
		return rc;
	}
	h->started = pthread_create(&h->thread, NULL, keep, h) == 0;
	if (!h->started) {
		held_give_back(c, h);
		return call_fail(c, ERR_LIMIT, "hold the lease \"%.*s\": out of threads", STR(options->name));
	}
	*out = h;
	return 0;
}

const struct state *held_state(const struct held *h)
{
	return &h->state;
}

bool held_is_lost(const struct held *h)
{
	return atomic_load(&h->lost);
}

void held_give_back(struct call *c, struct held *h)
{
	if (!h)
		return;
	pthread_mutex_lock(&h->lock);
	h->stop = true;
	pthread_cond_signal(&h->wake);
	pthread_mutex_unlock(&h->lock);
	if (h->started)
		pthread_join(h->thread, NULL);
	AUTO(arena) arena = {0};
	struct call last; // neither the end of the call nor its deadline keeps a lease from being given back
	call_init(&last, &arena, c->edges, c->principal);
	last.deadline_ns = call_mono_ns(&last) + 2 * NS_PER_S;
	if (!atomic_load(&h->lost) && h->inner.ops->release(&last, h->inner.ctx, &h->lease) < 0)
		lose(h); // it runs out by itself
	free_held(h);
}
