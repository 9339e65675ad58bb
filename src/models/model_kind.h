// SPDX-License-Identifier: Apache-2.0
// The kind "model": which training it comes from, its inputs and outputs, and the aliases that a version can earn.
#ifndef ISOBAR_MODELS_MODEL_KIND_H
#define ISOBAR_MODELS_MODEL_KIND_H

#include "models/need.h"
#include "state/resource.h"

struct model_tensor {
	struct str name;
	struct str type; // "fp32", "int64", ...
	struct field_list shape; // of int64_t, of one sample: without the batch
};
struct model_alias {
	struct str name;
	struct field_list needs; // of struct need
};
struct model {
	struct field_ref from; // training/classifier
	struct field_ref bucket; // where versions lie on each cloud; empty: the only managed bucket
	struct field_list input, output; // of struct model_tensor
	struct field_list aliases;       // of struct model_alias
};
extern const struct kind model_kind;
extern const struct resource_handler model_handler;
// "fp32" -> "FP32" as the Open Inference Protocol writes it; NULL when unknown.
const char *model_datatype(struct str type);

#endif
