// SPDX-License-Identifier: Apache-2.0
// What the files of the plan share. See plan.h.
#ifndef ISOBAR_INFRA_PLAN_IMPL_H
#define ISOBAR_INFRA_PLAN_IMPL_H

#include "infra/address_index.h"
#include "infra/plan.h"

struct plan_maker {
	const struct plan_input *in;
	struct arena *arena;
	struct plan *plan;
	struct address_index desired, observed, waiting;
	struct address_index recorded; // made when it is first needed: plan_find_record
	const uint32_t *desired_of;    // of each record its index in desired + 1
	uint32_t *recorded_of;         // of each desired its index in recorded + 1
	size_t unwanted;               // records without a desired one
	bool *taken;                   // records that a `moved:` gave another address
};

// plan_diff.c: the fields that differ between two values of a kind. kind NULL: everything changes in place.
struct plan_diff {
	struct plan_field *fields;
	size_t count;
};
MUST_CHECK int plan_diff_values(
	struct arena *a, const struct kind *kind, const json_t *before, const json_t *after, struct plan_diff *out);
// Whether the environment protects things of that kind: those that lie at a provider.
bool plan_protects(const struct plan_input *in, struct str kind);
const struct resource_handler *plan_handler(const struct plan_input *in, struct str kind); // NULL when there is none

// plan.c: index + 1 of the record with that address, or ADDRESS_NONE. ERR_NO_MEMORY.
MUST_CHECK int plan_find_record(struct plan_maker *m, struct str address, size_t *place);
// plan_decide.c: what is to be done about one desired resource; change has address and desired.
MUST_CHECK int plan_decide(struct plan_maker *m, struct plan_change *change, struct err *e);
// plan_deletes.c: what is recorded and no longer wanted, in the reverse order of needs.
MUST_CHECK int plan_add_deletes(struct plan_maker *m, struct err *e);
// plan.c
struct plan_change *plan_add(struct plan *p, struct str address);
void plan_count(struct plan *p, const struct plan_change *change);
void plan_refuse(struct plan_change *change, int code, struct str why); // keeps the first
// plan_json.c
MUST_CHECK int plan_make_digest(struct plan *p, struct err *e);

#endif
