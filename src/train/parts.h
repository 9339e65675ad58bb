// SPDX-License-Identifier: Apache-2.0
// Where made data lies: the parts that a dataset or a transform left on the clouds, as its step's outputs tell. In c's arena.
#ifndef ISOBAR_TRAIN_PARTS_H
#define ISOBAR_TRAIN_PARTS_H

#include "base/kind.h"
#include "jobs/step.h"

struct part { // of the data, on one cloud
	const struct cloud *cloud;
	struct str bucket, prefix; // physical; prefix ends in '/'
	uint64_t bytes;            // 0: not said
	uint64_t records;          // of the part's source; 0: not said
	struct str of;             // the thing it is a part of: "transform/prepared"
};
struct parts {
	struct part *items;
	size_t count;
	const json_t *outputs; // of the step that made them: class and residency
	bool partitioned;      // each cloud has another part; else each has all of it
};
// ref: "transform/prepared" with qualifier "train", or a name alone (a transform or a dataset). ERR_WAITING when it was never made,
// ERR_INVALID when it has no such split.
MUST_CHECK int parts_find(struct call *c, const struct step *step, const struct field_ref *ref, struct parts *out);
const struct part *parts_on(const struct parts *p, struct str cloud); // NULL: none there

#endif
