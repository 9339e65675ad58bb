// SPDX-License-Identifier: Apache-2.0
// How long a reconciler keeps trying an action that fails for a passing reason. The loop repeats it with growing pauses
// and remembers the failures over restarts; a run of a command should not wait for ever, so it counts those since it
// began.
#ifndef ISOBAR_DATA_ATTEMPTS_H
#define ISOBAR_DATA_ATTEMPTS_H

#include "state/reconcile.h"

enum {
	ATTEMPTS_MAX = 6,      // about three seconds of pauses
	ATTEMPTS_UNKNOWN = -1, // start of `before`
};
// Sets *failed to the last error once the action failed ATTEMPTS_MAX times since the first look; *before is the
// caller's to keep.
MUST_CHECK int attempts_check(
	struct call *c, const struct state *s, struct str action, int64_t *before, struct err *failed);

#endif
