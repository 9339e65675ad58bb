// SPDX-License-Identifier: Apache-2.0
// Measuring what an alias needs of a version: an evaluation job on each cloud where a part of the data lies, over the version's
// files there; the parts' counts are added up, so that no sample leaves its cloud. Only "accuracy" in this release.
#ifndef ISOBAR_TRAIN_MEASURE_H
#define ISOBAR_TRAIN_MEASURE_H

#include "models/need.h"
#include "models/registry.h"
#include "train/parts.h"

// "accuracy on prepared/test", under which a measurement is kept; in the arena.
struct str measure_name(struct arena *a, const struct need *n);
// Measures each distinct metric on its data once; *metrics (new reference) maps measure_name to the number.
MUST_CHECK int measure_needs(struct call *c, const struct step *step, const struct model_version *v, const struct field_list *needs,
	json_t **metrics);

#endif
