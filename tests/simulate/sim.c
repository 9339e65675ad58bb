// SPDX-License-Identifier: Apache-2.0
// The state that dies, the clouds that fail, the laws of the journal: see sim.h.
#include "sim.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "scheduler.h"

_Noreturn void sim_fail(const struct sim *sim, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	fprintf(stderr, "simulate: world %s, seed %llu: ", sim->world, (unsigned long long)sim->seed);
	vfprintf(stderr, format, args);
	fprintf(stderr, "\n    play it again: simulate --world %s --seeds %llu:1\n", sim->world, (unsigned long long)sim->seed);
	va_end(args);
	exit(1);
}

// ---------------------------------------------------------------- laws of the journal
struct act { // of one name
	unsigned intended, done, failed;
};

static void check_act(struct sim *sim, const struct event *e)
{
	struct str name = json_str(e->data, "action");
	struct act *a = str_map_get(&sim->acts, name);
	if (!a) {
		a = arena_new(&sim->arena, struct act);
		struct str kept = arena_str(&sim->arena, name);
		SIM_NEED(sim, a && kept.p && str_map_put(&sim->acts, kept, a), "out of memory");
	}
	if (str_eq(e->type, S("action.intended"))) {
		SIM_NEED(sim, a->done == 0, "%.*s is intended again though it is done", STR(name));
		a->intended++;
	} else if (str_eq(e->type, S("action.done"))) {
		SIM_NEED(sim, a->intended > 0, "%.*s is done and was never intended", STR(name));
		SIM_NEED(sim, a->done++ == 0, "%.*s is done twice", STR(name));
	} else if (str_eq(e->type, S("action.failed"))) {
		SIM_NEED(sim, a->intended > 0 && a->done == 0, "%.*s failed without an open intent", STR(name));
		a->failed++;
	}
}

static void check_batch(struct sim *sim, const struct state_batch *batch)
{
	for (size_t i = 0; i < batch->event_count; i++) {
		const struct event *e = &batch->events[i];
		SIM_NEED(sim, e->sequence == sim->sequence + 1, "event %llu follows event %llu", (unsigned long long)e->sequence,
			(unsigned long long)sim->sequence);
		sim->sequence = e->sequence;
		if (str_starts(e->type, S("action.")))
			check_act(sim, e);
	}
}

// ---------------------------------------------------------------- the state
static int killed(struct call *c)
{
	return call_fail(c, ERR_INTERNAL, "killed");
}

static int sim_commit(struct call *c, void *ctx, const struct state_batch *batch)
{
	struct sim *sim = ctx;
	if (sim->dead)
		return killed(c);
	if (sim->law)
		sim->law(sim, sim->ctx);
	sim->commits++;
	bool dies = sim->die_in > 0 && --sim->die_in == 0;
	int rc = 0;
	scheduler_hold(true); // so that batches are checked in the order in which they became durable
	if (!dies || sim->die_after)
		rc = sim->real.ops->commit(c, sim->real.ctx, batch);
	if (rc == 0 && (!dies || sim->die_after))
		check_batch(sim, batch);
	scheduler_hold(false);
	if (dies) {
		sim->dead = true;
		sim->deaths++;
		return killed(c);
	}
	scheduler_yield();
	return rc;
}

static int sim_append(struct call *c, void *ctx, uint64_t head, struct event *events, size_t count)
{
	return sim_commit(c, ctx, &(struct state_batch){.expected_head = head, .events = events, .event_count = count});
}

static int sim_put(struct call *c, void *ctx, struct record *record, uint64_t expected, struct str lease, uint64_t fence)
{
	struct state_write write = {.record = record, .expected = expected};
	return sim_commit(c, ctx,
		&(struct state_batch){.expected_head = UINT64_MAX, .writes = &write, .write_count = 1, .fence_lease = lease, .fence = fence});
}

static int sim_read(struct call *c, void *ctx, const struct state_query *query, struct event **out, size_t *count)
{
	struct sim *sim = ctx;
	return sim->dead ? killed(c) : sim->real.ops->read(c, sim->real.ctx, query, out, count);
}

// Virtual time: waiting for news is sleeping.
static int sim_watch(struct call *c, void *ctx, uint64_t after, int64_t timeout_ns, uint64_t *head)
{
	struct sim *sim = ctx;
	if (sim->dead)
		return killed(c);
	int rc = sim->real.ops->watch(c, sim->real.ctx, UINT64_MAX, 0, head);
	if (rc == 0 && timeout_ns > 0 && *head <= after) {
		rc = call_sleep(c, timeout_ns);
		if (rc == 0 && sim->dead)
			rc = killed(c);
		if (rc == 0)
			rc = sim->real.ops->watch(c, sim->real.ctx, UINT64_MAX, 0, head);
	}
	return rc;
}

static int sim_get(struct call *c, void *ctx, struct str key, struct record *out)
{
	struct sim *sim = ctx;
	return sim->dead ? killed(c) : sim->real.ops->get(c, sim->real.ctx, key, out);
}

static int sim_list(struct call *c, void *ctx, struct str prefix, struct record **out, size_t *count)
{
	struct sim *sim = ctx;
	return sim->dead ? killed(c) : sim->real.ops->list(c, sim->real.ctx, prefix, out, count);
}

static int sim_lease(struct call *c, void *ctx, struct str name, struct str holder, int64_t ttl_ns, struct lease *out)
{
	struct sim *sim = ctx;
	return sim->dead ? killed(c) : sim->real.ops->lease(c, sim->real.ctx, name, holder, ttl_ns, out);
}

static int sim_release(struct call *c, void *ctx, const struct lease *lease)
{
	struct sim *sim = ctx;
	return sim->dead ? killed(c) : sim->real.ops->release(c, sim->real.ctx, lease);
}

static const struct state_ops sim_state_ops = {
	.name = "simulated",
	.commit = sim_commit,
	.append = sim_append,
	.read = sim_read,
	.watch = sim_watch,
	.get = sim_get,
	.put = sim_put,
	.list = sim_list,
	.lease = sim_lease,
	.release = sim_release,
};

// ---------------------------------------------------------------- the clouds
static int fail_call(struct call *c, const char *what)
{
	int rc = call_fail(c, ERR_UNAVAILABLE, "%s", what);
	c->err.retryable = true;
	return rc;
}

enum sim_fault sim_draw(struct sim *sim, struct call *c, size_t cloud)
{
	scheduler_yield();
	if (sim->dead || sim->edges->now_ns < sim->cut_until_ns[cloud]) { // a dead process reaches nothing
		(void)fail_call(c, sim->dead ? "killed" : "no route to the cloud");
		return SIM_BEFORE;
	}
	if (!sim->trouble || scheduler_draw(sim->trouble) != 0)
		return SIM_FINE;
	sim->faults++;
	bool after = scheduler_draw(2) == 0;
	(void)fail_call(c, after ? "the answer was lost" : "the request was lost");
	return after ? SIM_AFTER : SIM_BEFORE;
}

static size_t number_of(const struct sim_cloud *cloud)
{
	return (size_t)(cloud - cloud->sim->clouds);
}

// Runs `act` with the faults drawn: its own error, or the fault's.
#define WITH_FAULTS(cloud_, c_, act)                                                                                               \
	do {                                                                                                                       \
		enum sim_fault fault = sim_draw((cloud_)->sim, (c_), number_of(cloud_));                                           \
		if (fault == SIM_BEFORE)                                                                                           \
			return (c_)->err.code;                                                                                     \
		struct err lost = (c_)->err;                                                                                       \
		err_clear(&(c_)->err);                                                                                             \
		int rc = (act);                                                                                                    \
		if (rc == 0 && fault == SIM_AFTER) {                                                                               \
			(c_)->err = lost;                                                                                          \
			rc = lost.code;                                                                                            \
		}                                                                                                                  \
		return rc;                                                                                                         \
	} while (0)

static int shown_put(struct call *c, void *ctx, const struct store_put *put, struct source *from, struct object *out)
{
	struct sim_cloud *cloud = ctx;
	WITH_FAULTS(cloud, c, cloud->real.store->put(c, cloud->real.store_ctx, put, from, out));
}

static int shown_get(struct call *c, void *ctx, const struct store_get *get, struct sink *to, struct object *out)
{
	struct sim_cloud *cloud = ctx;
	WITH_FAULTS(cloud, c, cloud->real.store->get(c, cloud->real.store_ctx, get, to, out));
}

static int shown_head(struct call *c, void *ctx, struct str bucket, struct str key, struct object *out)
{
	struct sim_cloud *cloud = ctx;
	WITH_FAULTS(cloud, c, cloud->real.store->head(c, cloud->real.store_ctx, bucket, key, out));
}

static int shown_delete(struct call *c, void *ctx, struct str bucket, struct str key)
{
	struct sim_cloud *cloud = ctx;
	WITH_FAULTS(cloud, c, cloud->real.store->delete(c, cloud->real.store_ctx, bucket, key));
}

static int shown_list(struct call *c, void *ctx, const struct store_list *list, struct store_page *out)
{
	struct sim_cloud *cloud = ctx;
	WITH_FAULTS(cloud, c, cloud->real.store->list(c, cloud->real.store_ctx, list, out));
}

static int shown_bucket_head(struct call *c, void *ctx, struct str bucket)
{
	struct sim_cloud *cloud = ctx;
	WITH_FAULTS(cloud, c, cloud->real.store->bucket_head(c, cloud->real.store_ctx, bucket));
}

static const struct store_ops shown_store = {
	.name = "simulated",
	.put = shown_put,
	.get = shown_get,
	.head = shown_head,
	.delete = shown_delete,
	.list = shown_list,
	.bucket_head = shown_bucket_head,
};

static int shown_submit(struct call *c, void *ctx, const struct job_spec *spec)
{
	struct sim_cloud *cloud = ctx;
	WITH_FAULTS(cloud, c, cloud->real.jobs->submit(c, cloud->real.jobs_ctx, spec));
}

static int shown_observe(struct call *c, void *ctx, struct str name, struct job_status *out)
{
	struct sim_cloud *cloud = ctx;
	WITH_FAULTS(cloud, c, cloud->real.jobs->observe(c, cloud->real.jobs_ctx, name, out));
}

static int shown_stop(struct call *c, void *ctx, struct str name)
{
	struct sim_cloud *cloud = ctx;
	WITH_FAULTS(cloud, c, cloud->real.jobs->stop(c, cloud->real.jobs_ctx, name));
}

static int shown_remove(struct call *c, void *ctx, struct str name)
{
	struct sim_cloud *cloud = ctx;
	WITH_FAULTS(cloud, c, cloud->real.jobs->remove(c, cloud->real.jobs_ctx, name));
}

static int shown_logs(struct call *c, void *ctx, struct str name, struct sink *to)
{
	struct sim_cloud *cloud = ctx;
	WITH_FAULTS(cloud, c, cloud->real.jobs->logs(c, cloud->real.jobs_ctx, name, to));
}

static const struct job_ops shown_jobs = {
	.name = "simulated", .submit = shown_submit, .observe = shown_observe, .stop = shown_stop, .remove = shown_remove, .logs = shown_logs};

void sim_begin(struct sim *sim, struct edges_fake *edges, const struct state *real, const struct cloud *clouds)
{
	sim->edges = edges;
	sim->real = *real;
	sim->state = (struct state){.ops = &sim_state_ops, .ctx = sim};
	SIM_NEED(sim, str_map_init(&sim->acts, &sim->arena, 64), "out of memory");
	for (size_t i = 0; clouds && i < SIM_CLOUDS; i++) {
		struct sim_cloud *cloud = &sim->clouds[i];
		*cloud = (struct sim_cloud){.sim = sim, .real = clouds[i], .shown = clouds[i]};
		cloud->shown.store = &shown_store;
		cloud->shown.store_ctx = cloud;
		if (clouds[i].jobs) {
			cloud->shown.jobs = &shown_jobs;
			cloud->shown.jobs_ctx = cloud;
		}
	}
	uint64_t head = 0;
	struct call c;
	AUTO(arena) arena = {0};
	call_init(&c, &arena, &edges->edges, S("user/simulation"));
	SIM_NEED(sim, real->ops->watch(&c, real->ctx, UINT64_MAX, 0, &head) == 0, "%s", c.err.message);
	sim->sequence = head;
}

void sim_end(struct sim *sim)
{
	arena_free(&sim->arena);
}

void sim_weather(struct sim *sim, bool calm)
{
	static const unsigned troubles[] = {0, 0, 30, 10, 4};
	sim->dead = false;
	sim->edges->now_ns += NS_PER_S; // a process takes a while to start again
	sim->trouble = calm ? 0 : troubles[scheduler_draw(COUNT_OF(troubles))];
	sim->die_in = calm || scheduler_draw(3) == 0 ? 0 : 1 + (int)scheduler_draw(25);
	sim->die_after = scheduler_draw(2) == 0;
	for (size_t i = 0; i < SIM_CLOUDS; i++)
		sim->cut_until_ns[i] = !calm && scheduler_draw(8) == 0 ? sim->edges->now_ns + (int64_t)scheduler_draw(90) * NS_PER_S : 0;
	if (!calm && scheduler_draw(6) == 0) // somebody sets the clock; a clock that is set back must delay nothing either
		scheduler_set_clock(scheduler_draw(2) ? 3600 * NS_PER_S : -3600 * NS_PER_S);
}
