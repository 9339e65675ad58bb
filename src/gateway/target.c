// SPDX-License-Identifier: Apache-2.0
// Targets of the gateway: choosing and judging. See target.h; how they are bound to snapshots is in target_table.c,
// probing in target_probe.c.
#include <stdio.h>

#include "base/log.h"
#include "gateway/target_impl.h"

#include "base/time.h"

#define CLOCK_TRUST_NS (60 * NS_PER_S)
#define LATENCY_AGE_NS (10 * NS_PER_S) // an old measurement is trusted half as much after this

static bool in_rotation(const struct snapshot_target *t, int64_t now_ns)
{
	return !t->target->ejected && t->target->busy_until_ns <= now_ns;
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
		bool turns = in_rotation(t, now_ns), differs = turns != in_rotation(b, now_ns);
		bool better = differs ? turns : cost(t, now_ns) < cost(b, now_ns);
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

void target_count(struct target *t, struct attempt_stats *s, const struct target_outcome *o)
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

// ---- outcomes

static void eject(struct target *t, struct str reason)
{
	if (reason.n && !t->ejected)
		log_line(LOG_WARNING, "endpoint/%.*s on %.*s is out of rotation: %.*s", STR(t->endpoint), STR(t->cloud),
			STR(reason));
	snprintf(t->reason, sizeof(t->reason), "%.*s", STR(reason));
	t->ejected = true;
}

// A signature is good for a few minutes: who refuses ours at another time than we have is signed for by his clock.
static void learn_clock(struct target *t, int64_t service_ns)
{
	int64_t ahead = service_ns - t->table->edges->wall_ns(t->table->edges->ctx);
	int64_t error = ahead - t->ahead_ns;
	if (error > CLOCK_TRUST_NS || error < -CLOCK_TRUST_NS)
		t->ahead_ns = ahead;
}

void target_judge(struct target *t, const struct target_outcome *o)
{
	if (o->busy_ns > 0)
		t->busy_until_ns = loop_now_ns(t->table->loop) + o->busy_ns;
	if (o->busy_ns > 0 && !o->ok)
		return; // it is there, and knows us
	t->failures = o->ok ? 0 : t->failures + 1;
	t->unreachable = o->unreachable;
	t->refused = o->refused;
	t->wants_credentials = o->refused && o->credentials;
	if (o->refused && o->service_ns)
		learn_clock(t, o->service_ns);
	if (o->ok || !(o->unreachable || o->refused || t->failures >= FAILURES_TO_EJECT))
		return;
	eject(t, o->reason);
	if (!o->refused)
		http_origin_flush(t->origin);
}

void target_unusable(struct target *t, struct str reason)
{
	t->refused = t->wants_credentials = true;
	eject(t, reason);
	target_plan_probe(t);
}

void target_end(struct target *t, struct attempt_stats *s, const struct target_outcome *o)
{
	t->in_flight--;
	t->attempted_ns = loop_now_ns(t->table->loop);
	target_count(t, s, o);
	target_judge(t, o);
	if (o->ok)
		measure(t, MAX(o->latency_ns, 1));
	target_plan_probe(t);
}
