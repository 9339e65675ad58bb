// SPDX-License-Identifier: Apache-2.0
// Targets of the gateway: choosing, judging, probing. See target.h; how they are bound to snapshots is in
// target_table.c.
#include "gateway/target_impl.h"

#include "base/time.h"

#define PROBE_EVERY_NS (250 * NS_PER_MS)
#define PROBE_TOTAL_NS (2 * NS_PER_S)
#define LATENCY_AGE_NS (10 * NS_PER_S) // an old measurement is trusted half as much after this

static bool in_rotation(const struct snapshot_target *t)
{
	return t->target && !t->target->ejected;
}

// What a request there would cost. A target that was never measured comes first; one that was slow long ago gets
// another chance.
static double cost(const struct snapshot_target *t, int64_t now_ns)
{
	const struct target *target = t->target;
	double age = (double)(now_ns - target->measured_ns) / (double)LATENCY_AGE_NS;
	double latency = (double)target->latency_ns / (1.0 + MAX(age, 0.0));
	return (latency + 1.0) * (double)(target->in_flight + 1) / t->weight;
}

int target_pick(const struct target_choice *choice, int64_t now_ns)
{
	const struct snapshot_route *r = choice->route;
	int best = -1;
	for (size_t i = 0; i < r->target_count; i++) {
		const struct snapshot_target *t = &r->targets[i];
		if (choice->excluded >> i & 1 || !t->target || !(t->weight > 0))
			continue;
		if (best < 0) {
			best = (int)i;
			continue;
		}
		const struct snapshot_target *b = &r->targets[best];
		bool better = in_rotation(t) != in_rotation(b) ? in_rotation(t) : cost(t, now_ns) < cost(b, now_ns);
		best = better ? (int)i : best;
	}
	return best;
}

void target_begin(struct target *t)
{
	t->in_flight++;
}

void target_abandon(struct target *t)
{
	t->in_flight--;
}

static void count_attempt(struct target *t, struct attempt_stats *s, const struct target_outcome *o)
{
	if (s)
		*(o->ok ? &s->ok : &s->failed) += 1;
	if (t->stats)
		histogram_add(&t->stats->seconds, (double)o->latency_ns / (double)NS_PER_S);
}

static void measure(struct target *t, int64_t latency_ns)
{
	int64_t now = loop_now_ns(t->table->loop);
	if (t->latency_ns == 0 || now - t->measured_ns > 3 * LATENCY_AGE_NS)
		t->latency_ns = latency_ns;
	else
		t->latency_ns += (latency_ns - t->latency_ns) / 8;
	t->measured_ns = now;
}

// ---- probes

// A target in rotation that others are faster than may see no request for seconds: its death must be noticed all the same.
static bool wants_probe(const struct target *t)
{
	bool idle = loop_now_ns(t->table->loop) - t->attempted_ns >= PROBE_EVERY_NS;
	return t->ejected || !(t->weight > 0) || idle;
}

static void plan_probe(struct target *t)
{
	int64_t at = loop_now_ns(t->table->loop) + PROBE_EVERY_NS;
	// Without memory for the timer, put the target back into rotation: requests then find out how it is.
	if (!t->probe && !t->probe_timer.slot && t->listed && loop_timer_set(t->table->loop, &t->probe_timer, at))
		t->ejected = false;
}

static void judge(struct target *t, const struct target_outcome *o)
{
	t->failures = o->ok ? 0 : t->failures + 1;
	if (o->ok || !(o->unreachable || t->failures >= FAILURES_TO_EJECT))
		return;
	t->ejected = true;
	http_origin_flush(t->origin);
}

static void probe_head(void *ctx, const struct http_response *r)
{
	((struct target *)ctx)->probe_status = r->status;
}

static void probe_end(void *ctx, const struct err *e, bool began)
{
	struct target *t = ctx;
	struct target_outcome o = {.ok = e->code == 0 && t->probe_status == 200,
		.unreachable = e->code != 0,
		.latency_ns = loop_now_ns(t->table->loop) - t->probe_began_ns};
	(void)began;
	t->probe = NULL;
	count_attempt(t, t->probe_stats, &o);
	judge(t, &o);
	t->ejected = t->ejected && !o.ok;
	plan_probe(t);
}

static const struct http_fetch_events probe_events = {.head = probe_head, .end = probe_end};

static void probe_fire(struct loop_timer *timer)
{
	struct target *t = CONTAINER_OF(timer, struct target, probe_timer);
	struct http_fetch_request r = {.origin = t->origin,
		.method = S("GET"),
		.target = str_of(t->probe_path),
		.replay = true,
		.total_ns = PROBE_TOTAL_NS};
	if (!wants_probe(t)) {
		plan_probe(t);
		return;
	}
	t->probe_status = 0;
	t->probe_began_ns = loop_now_ns(t->table->loop);
	if (http_fetch_start(&r, &probe_events, t, &t->probe, NULL))
		t->probe = NULL;
	plan_probe(t);
}

void target_watch(struct target *t)
{
	t->probe_timer.fire = probe_fire;
	plan_probe(t);
}

// ---- outcomes

void target_end(struct target *t, struct attempt_stats *s, const struct target_outcome *o)
{
	t->in_flight--;
	t->attempted_ns = loop_now_ns(t->table->loop);
	count_attempt(t, s, o);
	judge(t, o);
	if (o->ok)
		measure(t, MAX(o->latency_ns, 1));
	plan_probe(t);
}
