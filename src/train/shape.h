// SPDX-License-Identifier: Apache-2.0
// What prepared data looks like, without its samples: the headers of its safetensors files, read by ranges. Classes come from the
// files' metadata ("classes"); where a file lacks it, its labels are read once and only their largest is kept. In c's arena.
#ifndef ISOBAR_TRAIN_SHAPE_H
#define ISOBAR_TRAIN_SHAPE_H

#include "train/parts.h"

struct data_shape {
	uint64_t samples, width, classes;
};
// ERR_INVALID when the part has no tensors "image" and "class" as builtin trainers read them.
MUST_CHECK int shape_read(struct call *c, const struct part *part, struct data_shape *out);

#endif
