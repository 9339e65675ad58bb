// SPDX-License-Identifier: Apache-2.0
// struct call: see call.h.
#include "base/call.h"

#include <stdio.h>
#include <string.h>

void call_init(struct call *c, struct arena *arena, const struct edges *edges, struct str principal)
{
	unsigned char id[16] = {0};
	*c = (struct call){.arena = arena, .edges = edges, .principal = principal};
	if (edges->random(edges->ctx, id, sizeof(id)) < 0)
		id[0] = 1; // an all-zero trace id is not allowed (W3C trace context 3.2.2.3)
	for (size_t i = 0; i < sizeof(id); i++)
		snprintf(c->trace + 2 * i, 3, "%02x", id[i]);
}

// A timeout may be "for ever".
static int64_t later(int64_t now, int64_t ns)
{
	int64_t sum;
	return __builtin_add_overflow(now, ns, &sum) ? INT64_MAX : sum;
}

void call_child(struct call *child, const struct call *parent, struct arena *arena, int64_t timeout_ns)
{
	*child = *parent;
	child->arena = arena;
	err_clear(&child->err);
	int64_t deadline = later(call_mono_ns(parent), timeout_ns);
	if (timeout_ns > 0 && (parent->deadline_ns == 0 || deadline < parent->deadline_ns))
		child->deadline_ns = deadline;
}

int64_t call_now_ns(const struct call *c)
{
	return c->edges->wall_ns(c->edges->ctx);
}

int64_t call_mono_ns(const struct call *c)
{
	return c->edges->mono_ns(c->edges->ctx);
}

int64_t call_left_ns(const struct call *c)
{
	if (c->deadline_ns == 0)
		return INT64_MAX;
	int64_t left = c->deadline_ns - call_mono_ns(c);
	return left > 0 ? left : 0;
}

int call_check(struct call *c)
{
	if (c->cancel && atomic_load_explicit(c->cancel, memory_order_relaxed))
		return call_fail(c, ERR_CANCELLED, "cancelled");
	if (call_left_ns(c) == 0)
		return call_fail(c, ERR_TIMEOUT, "deadline passed");
	return 0;
}

int call_sleep(struct call *c, int64_t ns)
{
	// Short naps, so that a cancellation from another thread is seen soon.
	const int64_t nap_ns = 20000000;
	int64_t end = later(call_mono_ns(c), MIN(ns, call_left_ns(c)));
	for (;;) {
		int rc = call_check(c);
		int64_t left = end - call_mono_ns(c);
		if (rc < 0 || left <= 0)
			return rc;
		c->edges->sleep_ns(c->edges->ctx, MIN(left, nap_ns));
	}
}
