// SPDX-License-Identifier: Apache-2.0
// What every implementation of state_ops must do, as one list of tests. A test program gives a factory and runs them.
#ifndef ISOBAR_TESTS_STATE_CONFORMANCE_H
#define ISOBAR_TESTS_STATE_CONFORMANCE_H

#include "state/state.h"

struct conformance_factory {
	// An empty state in a place of its own.
	int (*make)(struct call *c, struct state *out);
	// The same state through another handle, as another process would open it.
	int (*again)(struct call *c, struct state *out);
	void (*remove)(void); // the place, after all handles are closed
};

int conformance_run(const char *name, const struct conformance_factory *f); // the number of failures

#endif
