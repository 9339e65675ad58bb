// SPDX-License-Identifier: Apache-2.0
// The reference sketch of prepared data ("prepared/train"): the sketches that its maker left beside each part, merged. What drift is
// measured against, by monitors and in model.json.
#ifndef ISOBAR_TRAIN_REFERENCE_H
#define ISOBAR_TRAIN_REFERENCE_H

#include "math/sketch.h"
#include "train/parts.h"

struct reference_env { // borrowed
	const struct state *state;
	const struct clouds *clouds;
};
// ctx: struct reference_env. *out is owned by the caller. ERR_NOT_FOUND while the data was not made, or has no sketch.
int reference_sketch(struct call *c, void *ctx, const struct field_ref *against, struct sketch *out);
MUST_CHECK int reference_of_parts(struct call *c, const struct parts *parts, struct sketch *out);

#endif
