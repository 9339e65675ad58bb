// SPDX-License-Identifier: Apache-2.0
// What the files of apply share: the run of one plan, in lanes. A lane is one cloud (or what is on none) on a thread of
// its own, so that a cloud that does not answer holds up nothing but what needs it.
#ifndef ISOBAR_INFRA_APPLY_IMPL_H
#define ISOBAR_INFRA_APPLY_IMPL_H

#include <pthread.h>

#include "infra/address_index.h"
#include "infra/apply.h"
#include "state/reconcile.h"

enum {
	ACT_TIMEOUT_S = 30, // of one resource: longer than any provider needs for a bucket or a key
};

enum progress_state { PENDING, DONE, FAILED, SKIPPED };

struct change_needs { // changes that must be over before; by index
	uint32_t *on;
	size_t count;
};

struct applier {
	const struct apply *apply;
	uint64_t revision;
	struct address_index index; // of the plan's changes
	struct change_needs *needs; // by change
	pthread_mutex_t lock;
	// Guarded by lock:
	enum progress_state *states; // by change
	struct str *errors;
	int *codes; // of the errors
	size_t finished, total;
	bool broken;        // a lane ended with an error of its own: the others end, too
	struct arena arena; // of texts that acts leave
};

struct lane {
	struct applier *applier;
	struct str cloud;    // "": what is on none
	const char *name;    // of the reconciler: "apply on aws-us"
	uint32_t *changes;   // its own, by index
	size_t count, room;
	pthread_t thread;
	bool threaded;
	struct arena arena;
	struct call call;
	int rc;
	struct str down; // guarded by the applier's lock: what its cloud last failed to answer; "": it answers
};

// apply.c
void applier_report(struct applier *p, const struct plan_change *change, struct apply_event event);
const struct plan_change *applier_find(const struct applier *p, struct str address, size_t *index); // NULL when absent
// apply_act.c: what the record of a change will be, before anything was made.
MUST_CHECK int applier_new_record(
	struct call *c, const struct applier *p, const struct plan_change *change, struct resource *out);
// apply_records.c: whether a change is a record and nothing else, and never an action of the reconciler.
bool applier_is_record_only(const struct applier *p, const struct plan_change *change);
// apply_records.c: writes those changes of the lane that are records and nothing else, and whose turn it is: many in one
// commit, which needs no intent. Returns how many, or a negative code.
MUST_CHECK int applier_write_records(struct call *c, struct lane *l);
// apply_lanes.c: whether a change must wait by these states; *hopeless: something that it needs failed.
bool applier_must_wait(
	const struct applier *p, const enum progress_state *states, size_t index, bool *hopeless);
MUST_CHECK int applier_run_lanes(struct call *c, struct applier *p);
// apply_needs.c: fills p->index and p->needs.
MUST_CHECK int applier_find_needs(struct call *c, struct applier *p);
// apply_act.c: carries one change out and notes in the lane's applier how it ended. The slot `act` of the reconciler.
int applier_act(struct call *c, void *lane, const struct action *action, json_t **output);

#endif
