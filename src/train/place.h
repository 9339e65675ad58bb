// SPDX-License-Identifier: Apache-2.0
// Where one job runs: on the allowed cloud where bringing the data and an hour of computing cost least. Pure but for price tables.
#ifndef ISOBAR_TRAIN_PLACE_H
#define ISOBAR_TRAIN_PLACE_H

#include "train/parts.h"

struct place_need {
	double cpu;
	uint64_t memory;
	const struct state *state; // with the lineage in force, transfers included; NULL: by the outputs of the data alone
};
struct place {
	const struct part *part; // the data's part there
	double compute, egress;  // per hour; for all bytes that must come
	struct str currency;
	size_t unpriced; // prices that no table has
};
// ERR_DENIED when residency leaves no cloud; names the clouds and why. Equal costs: the first by name.
MUST_CHECK int place_cheapest(struct call *c, const struct parts *parts, const struct place_need *need, struct place *out);

#endif
