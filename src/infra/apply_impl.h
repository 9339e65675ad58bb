// SPDX-License-Identifier: Apache-2.0
// What apply.c and apply_act.c share: the run of one plan.
#ifndef ISOBAR_INFRA_APPLY_IMPL_H
#define ISOBAR_INFRA_APPLY_IMPL_H

#include <pthread.h>

#include "infra/apply.h"
#include "state/reconcile.h"

enum progress_state { PENDING, DONE, FAILED, SKIPPED };

struct applier {
	const struct apply *apply;
	uint64_t revision;
	enum progress_state *states; // one a change; guarded by lock while acts run
	struct str *errors;
	int *codes; // of the errors
	size_t finished, total;
	pthread_mutex_t lock;
	struct arena arena; // of texts that acts leave; guarded by lock
};

// apply.c
void applier_report(struct applier *p, const struct plan_change *change, struct apply_event event);
const struct plan_change *applier_find(const struct applier *p, struct str address, size_t *index); // NULL when absent
// apply_act.c: carries one change out and notes in p how it ended. The slot `act` of the reconciler.
int applier_act(struct call *c, void *ctx, const struct action *action, json_t **output);

#endif
