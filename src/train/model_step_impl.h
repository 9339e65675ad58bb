// SPDX-License-Identifier: Apache-2.0
// Inside the step maker of models: one run of it.
#ifndef ISOBAR_TRAIN_MODEL_STEP_IMPL_H
#define ISOBAR_TRAIN_MODEL_STEP_IMPL_H

#include "jobs/step.h"
#include "train/model_files.h"

struct target { // a cloud that is to have the version
	const struct cloud *cloud;
	struct str bucket;
	int64_t failures; // as attempts_check keeps them
};
struct model_run {
	const struct step *step;
	struct model model;
	struct model_version version;
	struct model_files files;
	const json_t *trained; // outputs of the training
	struct target *targets;
	size_t count;
};
// Files to all targets, then the record and its event; resumes where it stopped.
int model_put(struct call *c, struct model_run *run);

#endif
