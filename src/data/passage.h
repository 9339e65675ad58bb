// SPDX-License-Identifier: Apache-2.0
// At the byte: whoever is about to let bytes of a thing go to a cloud asks here first (ingest, copies, weights that are
// carried, versions that are put, endpoints that load them, `isobar data cp`). The lineage is that of the resources in force
// and of what was really made; the judgement is bounds_judge, as at validate and at plan. A refusal, and each passage that
// only a transfer allows, is journaled once: events residency.refused and residency.passed {cloud, place, law, class,
// residency, operators, origin, transfer, basis, reference, until, id, reason}, record "passage/WHAT on CLOUD". Any thread.
#ifndef ISOBAR_DATA_PASSAGE_H
#define ISOBAR_DATA_PASSAGE_H

#include "cloud/cloud.h"
#include "data/flow.h"

struct passage { // all borrowed
	struct str what;             // "dataset/returns", "model/fraud@champion"
	const struct cloud *to;
	bool making;                 // it is being made now: what an earlier run left says nothing of it
	const struct resource *of;   // its resource where it is at hand, in place of the recorded one; NULL
	const json_t *made;          // bounds of its making that no record made/... holds; NULL
	struct str id;               // of the action that moves it; may be empty
};
MUST_CHECK int passage_check(struct call *c, const struct state *s, const struct passage *p); // ERR_DENIED with the reason
MUST_CHECK int passage_allows(struct call *c, const struct state *s, const struct passage *p, bool *allowed); // tells nobody

// What outputs and records of the thing say: "class", "residency", "operators".
MUST_CHECK int passage_bounds(struct call *c, const struct state *s, const struct passage *p, struct bounds *out);

struct passage_object { // an object as a command names it
	const struct cloud *cloud;
	struct str bucket, key; // physical
};
// Which thing an object belongs to, by where things are put (datasets/NAME/..., models/NAME/...) and where sources of datasets
// lie; *what is "" for an object of nobody's.
MUST_CHECK int passage_owner(struct call *c, const struct state *s, const struct passage_object *o, struct str *what);

// At plan: what validate found nothing wrong with, looked at again with the bounds of what was really made. ERR_DENIED names
// the first and counts the others. resources: as the plan wants them.
MUST_CHECK int passage_plan(struct call *c, const struct state *s, const struct resource *resources, size_t count);

#endif
