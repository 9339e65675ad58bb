// SPDX-License-Identifier: Apache-2.0
// struct call: what travels with every act that can block or fail remotely, as first parameter: memory, error, deadline,
// cancellation, trace, principal, workspace, edges. Owned by whoever starts the act (a command, a request, a step); borrowed by
// all below. One thread at a time; `cancel` may be set from any thread.
#ifndef ISOBAR_BASE_CALL_H
#define ISOBAR_BASE_CALL_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/arena.h"
#include "base/edges.h"
#include "base/err.h"

struct call {
	struct arena *arena;
	struct err err;
	int64_t deadline_ns;       // on edges->mono_ns; 0: none
	const atomic_bool *cancel; // NULL: cannot be cancelled
	char trace[33];            // 32 hex digits (W3C trace id)
	struct str principal;      // who acts: "user/root", "api-key/shop-app", "monitor/cloud-lost", "system"
	struct str workspace;      // name of the workspace
	const struct edges *edges;
};

// Fills a call with a new random trace id. arena and principal are borrowed.
void call_init(struct call *c, struct arena *arena, const struct edges *edges, struct str principal);
// A child for a step inside the same act: other memory and another deadline (the earlier of both), same trace.
void call_child(struct call *child, const struct call *parent, struct arena *arena, int64_t timeout_ns);

int64_t call_now_ns(const struct call *c);  // wall clock
int64_t call_mono_ns(const struct call *c); // monotonic clock
// Nanoseconds left until the deadline; INT64_MAX without one; 0 when it has passed.
int64_t call_left_ns(const struct call *c);
// 0, or ERR_CANCELLED / ERR_TIMEOUT set in c->err: what every loop asks before its next round.
MUST_CHECK int call_check(struct call *c);
// Sleeps at most ns, less when the deadline is nearer; returns call_check().
MUST_CHECK int call_sleep(struct call *c, int64_t ns);

#define call_fail(c, code, ...) err_set_at(&(c)->err, (code), __FILE__, __LINE__, __VA_ARGS__)
#define call_context(c, ...) err_context(&(c)->err, __VA_ARGS__)
#define call_errno(c, ...) err_errno_at(&(c)->err, __FILE__, __LINE__, __VA_ARGS__)
#define call_no_memory(c) call_fail((c), ERR_NO_MEMORY, "out of memory")

#endif
