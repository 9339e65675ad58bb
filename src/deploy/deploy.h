// SPDX-License-Identifier: Apache-2.0
// Keeps endpoints on many clouds as declared: a reconciler (state/reconcile.h). Desired: each endpoint resource on each
// of its clouds with the version that its alias names now; observed: what each cloud says, asked in parallel with a
// short deadline, so that a dead cloud delays no other. An endpoint that went down is started again as soon as its
// cloud answers, never while it is down. What is observed is written as "endpoint-status/ADDRESS" (gateway and monitor
// read it) with an event "endpoint.changed".
#ifndef ISOBAR_DEPLOY_DEPLOY_H
#define ISOBAR_DEPLOY_DEPLOY_H

#include "cloud/cloud.h"
#include "state/reconcile.h"
#include "state/state.h"

struct deploy_ctx { // built by main.c; borrowed; read-only
	const struct clouds *clouds;
	const struct state *state;
	// Physical name of the only managed bucket on a cloud is read from its "bucket/" resources; none or several is
	// an error.
	int64_t observe_timeout_ns; // of one cloud; 0: 1 s
	int64_t pace_ns;            // of deploy_run between looks; 0: 500 ms
};

// Brings endpoints to their desired state once: passes until nothing is left to do or the call ends. Endpoints on
// clouds that do not answer are left as they are and do not fail the pass; *pending is how many are not ready (waiting
// ones are not counted).
MUST_CHECK int deploy_pass(struct call *c, const struct deploy_ctx *d, size_t *pending);
// The endless loop of the control plane: looks at every change of the journal and at every pace; ends with the call.
MUST_CHECK int deploy_run(struct call *c, const struct deploy_ctx *d);

#endif
