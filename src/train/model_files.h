// SPDX-License-Identifier: Apache-2.0
// The files of a model version before they go to the clouds: the weights, fetched and proved, and model.json, which tells a server
// what they are.
#ifndef ISOBAR_TRAIN_MODEL_FILES_H
#define ISOBAR_TRAIN_MODEL_FILES_H

#include "models/model_kind.h"
#include "models/registry.h"
#include "train/parts.h"

struct model_files {
	const char *weights, *description; // paths below scratch
};
struct model_source {
	const struct model *model;
	const struct model_version *version;
	const json_t *trained;        // outputs of the training
	const struct parts *sketched; // its data, whose sketch becomes the reference; NULL: none
};
MUST_CHECK int model_files_make(struct call *c, const struct step *step, const struct model_source *from, struct model_files *out);

#endif
