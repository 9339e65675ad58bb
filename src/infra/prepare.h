// SPDX-License-Identifier: Apache-2.0
// Gathers what plan_make compares: the workspace's resources, the records in state, what the clouds say (asked in
// parallel, one thread a cloud, so that a dead cloud delays no other), what must wait, and the overrides in force.
// Reads only, and bounded in time. A resource whose cloud does not answer counts as not observed: the plan says so and goes by the record.
#ifndef ISOBAR_INFRA_PREPARE_H
#define ISOBAR_INFRA_PREPARE_H

#include <string.h>

#include "infra/plan.h"
#include "infra/workspace.h"

struct infra_env { // built by main.c; borrowed
	const struct state *state;
	const struct resource_handler *handlers; // with their ctx
	size_t handler_count;
};

struct plan_request {
	const struct workspace *desired;  // NULL: nothing is wanted, so everything recorded is to be deleted
	bool refresh_only, protect;       // see plan.h
	struct resource *recorded;        // as read a moment ago by resource_scan; NULL: read here. Made whole as needed
	size_t recorded_count;
	bool blind;      // no cloud is asked: what is there is planned as unseen
	int64_t diff_ns; // out: what comparing took
};

// The plan lives in c->arena and borrows what the request names.
MUST_CHECK int plan_prepare(struct call *c, const struct infra_env *env, struct plan_request *request, struct plan *out);
// Which records are read whole: those that tell how to reach a cloud, and those that are looked at there. ctx: an
// infra_env with handlers.
bool infra_reads_whole(void *env, struct str kind);
// A kind by its name, without measuring the names of the others: asked for each of a hundred thousand resources.
static inline bool is_named(const struct kind *k, struct str singular)
{
	return str_is(singular, k->singular);
}
const struct resource_handler *infra_handler(const struct infra_env *env, struct str kind); // NULL when there is none

#endif
