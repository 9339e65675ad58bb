// SPDX-License-Identifier: Apache-2.0
// Control planes that share a state. Each has a name, HOST/PID/RANDOM, and holds the lease "plane/NAME" while it lives
// (record "plane/NAME" {host, pid, folder, since}). The lease "control/change" lets one request at a time change the
// workspace; "service/NAME" says who runs a service. Whoever loses a lease cannot write under it any more.
//
// A run is not lost with its control plane: while it lasts, the record "run/open" {goal, by, plane} names it, and the
// service `pipelines` of another plane goes on with it once the lease is free.
#ifndef ISOBAR_API_PLANES_H
#define ISOBAR_API_PLANES_H

#include "state/held.h"

MUST_CHECK int planes_name(struct call *c, struct arena *a, struct str *out);
// A name for one holding of a lease by this plane.
struct str planes_holder(struct call *c, struct str plane);
// The lease for changing the workspace; ERR_IN_USE.
MUST_CHECK int planes_take_turn(struct call *c, const struct state *s, struct str plane, struct held **out);
// The lease of a service; lost is set when it is lost.
MUST_CHECK int planes_take_service(struct call *c, const struct state *s, struct str plane, const char *service,
	atomic_bool *lost, struct held **out);

// Says that this plane lives, until planes_leave.
MUST_CHECK int planes_join(
	struct call *c, const struct state *s, struct str plane, struct str folder, struct held **out);
void planes_leave(struct call *c, const struct state *s, struct str plane, struct held *joined);
// The planes that live, [{plane, host, pid, folder, since}], new reference; records of those that died are removed.
MUST_CHECK int planes_list(struct call *c, const struct state *s, struct str plane, json_t **out);

// Of a run: from its start to its end. s is the state under the lease of planes_take_turn.
MUST_CHECK int planes_run_begin(struct call *c, const struct state *s, struct str plane, struct str goal);
MUST_CHECK int planes_run_end(struct call *c, const struct state *s);
// The goal of the run that is open; "" when none is. In c's arena.
MUST_CHECK int planes_run_open(struct call *c, const struct state *s, struct str *goal);

#endif
