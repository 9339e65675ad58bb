// SPDX-License-Identifier: Apache-2.0
// builtin/images: pairs of idx files to safetensors, one folder a split: SPLIT/data.safetensors with tensors "class"
// I64 [n] and "image" F32 [n, rows x columns], bytes 0..255 scaled to a range, and SPLIT/sketch.json, the histogram of
// each element (math/sketch.h). A part's manifest is proven first. Records keep the order of the files, files that of
// their names; the same input gives the same bytes.
#ifndef ISOBAR_TRANSFORM_IMAGES_H
#define ISOBAR_TRANSFORM_IMAGES_H

#include "base/json.h"

struct images_split {
	const char *name;    // "train"
	const char *pattern; // of file names, as fnmatch(3): "train-*"
};
struct images_options {
	double low, high;
	struct images_split *splits;
	size_t split_count;
};
// From `with`: {"scale": "0..1", "split": {"train": "train-*", "test": "t10k-*"}}; those are the defaults. ERR_INVALID.
MUST_CHECK int images_options_of_json(struct arena *a, const json_t *with, struct images_options *out, struct err *e);
// input: folder with NAME-images-idx3-ubyte and NAME-labels-idx1-ubyte; out: folder that gets the splits. ERR_CORRUPT,
// ERR_NOT_FOUND when a split matches no file.
MUST_CHECK int images_convert(const char *input, const char *out, const struct images_options *options, struct err *e);

#endif
