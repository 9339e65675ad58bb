// SPDX-License-Identifier: Apache-2.0
// Where the bytes of a workspace may go, from its resources alone: which thing is made from which (dataset, transform,
// training, model, endpoint, route), what bounds each inherits, and on which clouds each is to lie. validate asks with
// the resources it has just resolved, plan with the same and what was really made (flow_narrow), whoever moves bytes
// with the resources in force (data/passage.h): one judgement, bounds_judge. Reads no file, no clock, no state.
// Everything lives in the arena given; the resources are borrowed. One thread at a time.
#ifndef ISOBAR_DATA_FLOW_H
#define ISOBAR_DATA_FLOW_H

#include "data/bounds.h"
#include "state/resource.h"

struct flow;
// now_ns: wall clock, which says what transfers are in force. Kinds that carry no data cost nothing. ERR_NO_MEMORY.
MUST_CHECK int flow_new(struct arena *a, const struct resource *resources, size_t count, int64_t now_ns,
	struct flow **out, struct err *e);
// A thing that was made has the bounds of its making, however the workspace reads now: outputs with "class",
// "residency" and "operators". Datasets are left as they are declared. Before the first question. ERR_CORRUPT.
MUST_CHECK int flow_narrow(struct flow *f, struct str address, const json_t *outputs, struct err *e);

// Of "dataset/returns", "model/fraud@champion", "endpoint/fraud on gcp-eu"; what the workspace does not have is bound
// by nothing.
struct bounds flow_bounds(struct flow *f, struct str address);

struct flow_place {                     // of a cloud, as the workspace declares it
	struct str cloud, country, law; // country, law: "" when it does not say
};
bool flow_cloud(const struct flow *f, struct str cloud, struct flow_place *out); // false when it is not declared
struct flow_ruling {
	struct verdict verdict;
	struct bounds bounds; // of what
	struct flow_place place;
	struct str origin; // the thing upstream (or what itself) whose own bounds leave the place out:
			   // "dataset/returns"; or ""
};
// May the bytes of `what` lie there?
struct flow_ruling flow_rule(struct flow *f, struct str what, const struct flow_place *place);
// "model/fraud may lie in [EU] only (class personal, made from dataset/returns), and aws-us lies in US"; for denials.
struct str flow_ruling_text(const struct flow_ruling *r, struct str what, struct arena *a);
// The doors, in order of address.
const struct door *flow_doors(const struct flow *f, size_t *count);

// What the workspace says lies on a cloud: sources, parts, copies, what endpoints load, sites of trainings.
struct flow_held {
	size_t things;
	struct bounds bounds; // the meet of theirs
	struct places doors;  // where transfers of them that are in force lead
};
MUST_CHECK int flow_held_on(struct flow *f, struct str cloud, struct flow_held *out, struct err *e);

struct flow_finding {
	struct str address;    // of the resource it is about
	struct str path, item; // "partition.clouds", and which of a list: "aws-us"; may be empty
	struct str problem, suggestion;
};
// All that the static lineage shows to be wrong, in order of the resources: bytes that would lie where they may not,
// things that could be made nowhere, transfers that ran out, datasets of persons that do not say where they may lie.
MUST_CHECK int flow_check(struct flow *f, struct flow_finding **out, size_t *count, struct err *e);

#endif
