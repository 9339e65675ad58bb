// SPDX-License-Identifier: Apache-2.0
// Carries a plan out: commits the revision (once for the same desired state), then acts through the reconcile loop in
// order of needs, deletes in reverse. Every act is journaled before and after; killed and started again, apply goes on
// under the same names. A failed resource keeps those that need it from being tried, and nothing else: independent
// branches go on.
#ifndef ISOBAR_INFRA_APPLY_H
#define ISOBAR_INFRA_APPLY_H

#include "infra/prepare.h"

enum apply_state { APPLY_STARTED, APPLY_DONE, APPLY_FAILED, APPLY_SKIPPED };
struct apply_event {
	enum apply_state state;
	enum plan_action action;
	struct str address;
	struct str error;       // FAILED, SKIPPED
	struct str waiting;     // DONE: recorded, but waiting
	double seconds;         // DONE, FAILED
	size_t finished, total; // changes that are over, of all
};

struct apply {
	const struct infra_env *env;
	const struct plan *plan;
	const struct workspace *workspace; // for inputs as written, which records keep; NULL: the resources have them
	int64_t act_timeout_ns;            // of one resource; 0: half a minute
	void (*report)(void *ctx, const struct apply_event *e); // from any thread, one at a time; NULL: nobody looks
	void *ctx;
};
struct apply_result {
	uint64_t revision; // number in force
	size_t done, failed, skipped;
};

// 0 when everything was done. Some failed: the code and message of the first (the result says how many); others as the
// loop's.
MUST_CHECK int plan_apply(struct call *c, const struct apply *apply, struct apply_result *out);
const char *apply_state_word(enum apply_state state); // "started", "done", "failed", "skipped"

#endif
