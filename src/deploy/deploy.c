// SPDX-License-Identifier: Apache-2.0
// Deploying: one thread a cloud, each running that cloud's reconciler. See deploy.h.
#include "deploy/deploy.h"

#include <pthread.h>

#include "base/log.h"
#include "base/time.h"
#include "deploy/deploy_impl.h"
#include "state/override.h"

enum { MAX_CLOUDS = 64 };
static const int64_t default_pace_ns = 500 * NS_PER_MS, error_pause_ns = NS_PER_S;

struct lane { // of one cloud
	const struct deploy_ctx *deploy;
	const struct cloud *cloud;
	struct arena arena;
	struct call call;
	struct cloud_runner runner;
	int rc;
};

static int64_t pace_of(const struct deploy_ctx *d)
{
	return d->pace_ns ? d->pace_ns : default_pace_ns;
}

static void *pass_lane(void *ctx)
{
	struct lane *l = ctx;
	struct reconciler r = cloud_reconciler(&l->runner, l->deploy, l->cloud);
	l->runner.began_ns = call_now_ns(&l->call);
	l->rc = reconcile_run(&l->call, l->deploy->state, &r);
	return NULL;
}

// One look and what follows from it; then waits for news of the journal or the pace.
static int look_once(struct lane *l, const struct reconciler *r)
{
	AUTO(arena) arena = {0};
	struct call round;
	bool finished;
	uint64_t head = 0;
	call_child(&round, &l->call, &arena, 0);
	int rc = state_watch(&round, l->deploy->state, UINT64_MAX, 0, &head);
	if (rc == 0)
		rc = reconcile_once(&round, l->deploy->state, r, &finished);
	if (rc == 0)
		rc = state_watch(&round, l->deploy->state, head, pace_of(l->deploy), &head);
	if (rc < 0)
		l->call.err = round.err;
	return rc;
}

static void *endless_lane(void *ctx)
{
	struct lane *l = ctx;
	struct reconciler r = cloud_reconciler(&l->runner, l->deploy, l->cloud);
	int told = 0;
	for (;;) {
		int rc = look_once(l, &r);
		struct call probe = l->call;
		l->rc = call_check(&probe);
		if (l->rc < 0)
			return NULL;
		// This thread is the boundary: there is nobody above to tell. The same error again is not news.
		if (rc < 0 && rc != told)
			log_err(LOG_WARNING, &l->call.err, "deploy");
		told = rc;
		if (rc < 0 && call_sleep(&l->call, error_pause_ns) < 0)
			return NULL;
	}
}

static int start_lanes(
	struct call *c, const struct deploy_ctx *d, void *(*body)(void *), struct lane *lanes, pthread_t *ids)
{
	size_t n = d->clouds->count;
	for (size_t i = 0; i < n; i++) {
		lanes[i].deploy = d;
		lanes[i].cloud = &d->clouds->items[i];
		call_child(&lanes[i].call, c, &lanes[i].arena, 0);
		if (pthread_create(&ids[i], NULL, body, &lanes[i]) != 0)
			return (int)i;
	}
	return (int)n;
}

static int open_lanes(struct call *c, const struct deploy_ctx *d, struct lane **lanes, pthread_t **ids)
{
	if (d->clouds->count > MAX_CLOUDS)
		return call_fail(c, ERR_LIMIT, "%zu clouds are more than the %d that one control plane deploys to",
			d->clouds->count, MAX_CLOUDS);
	*lanes = arena_new_array(c->arena, d->clouds->count + 1, struct lane);
	*ids = arena_new_array(c->arena, d->clouds->count + 1, pthread_t);
	return *lanes && *ids ? 0 : call_no_memory(c);
}

static void join_lanes(struct lane *lanes, const pthread_t *ids, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		pthread_join(ids[i], NULL);
		arena_free(&lanes[i].arena);
	}
}

int deploy_pass(struct call *c, const struct deploy_ctx *d, size_t *pending)
{
	struct lane *lanes;
	pthread_t *ids;
	int rc = open_lanes(c, d, &lanes, &ids);
	if (rc < 0)
		return rc;
	size_t started = (size_t)start_lanes(c, d, pass_lane, lanes, ids), left = 0;
	join_lanes(lanes, ids, started);
	if (started < d->clouds->count)
		rc = call_fail(c, ERR_NO_MEMORY, "the system starts no thread");
	for (size_t i = 0; i < started; i++) {
		left += lanes[i].runner.pending;
		if (lanes[i].rc < 0 && rc == 0) {
			c->err = lanes[i].call.err;
			rc = lanes[i].rc;
		}
	}
	if (rc == 0)
		*pending = left;
	return rc;
}

// The calling thread meanwhile ends overrides that have run out.
static int expire_overrides(struct call *c, const struct deploy_ctx *d)
{
	for (;;) {
		AUTO(arena) arena = {0};
		struct call round;
		size_t ended;
		call_child(&round, c, &arena, 0);
		if (override_expire(&round, d->state, &ended) < 0)
			err_clear(
				&round.err); // the next round tries again; a state that is broken is told by the lanes
		int rc = call_sleep(c, NS_PER_S);
		if (rc < 0)
			return rc;
	}
}

int deploy_run(struct call *c, const struct deploy_ctx *d)
{
	struct lane *lanes;
	pthread_t *ids;
	atomic_bool stop = false; // ends the lanes, when this call ends or one of them cannot start
	int rc = open_lanes(c, d, &lanes, &ids);
	if (rc < 0)
		return rc;
	struct call inner = *c;
	inner.cancel = &stop;
	size_t started = (size_t)start_lanes(&inner, d, endless_lane, lanes, ids);
	if (started == d->clouds->count)
		rc = expire_overrides(c, d);
	else
		rc = call_fail(c, ERR_NO_MEMORY, "the system starts no thread for each cloud");
	atomic_store(&stop, true);
	join_lanes(lanes, ids, started);
	return rc;
}
