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
struct model_approve { // by whom a version must be approved before it gets the alias; name "": by nobody
	struct field_ref by;  // group or user
	struct str not_by;    // "author" or ""
};
struct model_alias {
	struct str name;
	struct field_list needs; // of struct need
	struct model_approve approve;
};
struct model_ai_act { // Regulation (EU) 2024/1689
	struct str role, risk, system;
};
struct model {
	struct field_ref from; // training/classifier; name "": source
	struct str source;     // "hf://org/model@COMMIT": made by somebody else, one version that never changes
	struct str licence;
	struct str card;       // path of its model card, inside the workspace
	struct model_ai_act ai_act;
	struct field_ref bucket; // where versions lie on each cloud; empty: the only managed bucket
	struct field_list input, output; // of struct model_tensor
	struct field_list aliases;       // of struct model_alias
};
extern const struct kind model_kind;
extern const struct resource_handler model_handler;
// "fp32" -> "FP32" as the Open Inference Protocol writes it; NULL when unknown.
const char *model_datatype(struct str type);

#endif
