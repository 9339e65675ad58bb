// SPDX-License-Identifier: Apache-2.0
// Inside the reconcile loop: carrying out one batch of actions, each journaled as it ends. See reconcile.h.
#ifndef ISOBAR_STATE_RECONCILE_IMPL_H
#define ISOBAR_STATE_RECONCILE_IMPL_H

#include "state/reconcile.h"

struct work { // one action under way
	const struct action *action;
	int64_t attempts; // that failed before, in a row
	int64_t recent;   // of these, in this run: the next pause goes by them
	// Filled by whoever runs it:
	struct arena arena;
	struct call call;
	json_t *output;
	int rc;
	bool begun; // false: the call ended before its turn
	struct work *next_ended;
};
struct batch {
	struct call *call; // of the pass; only the thread that runs the loop uses it
	const struct reconciler *reconciler;
	struct work *works;
	size_t count;
	// Journals one that has ended; a negative code stops the batch.
	int (*ended)(struct batch *b, struct work *w);
	void *ctx; // for ended
};

// Carries all out, at most reconciler->parallel at once, calling ended() on the calling thread in the order in which
// they end.
MUST_CHECK int batch_run(struct batch *b);

#endif
