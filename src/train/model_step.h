// SPDX-License-Identifier: Apache-2.0
// The step maker of models: the weights of the training become a version (files on every cloud that may have them, a record, an event),
// and the alias that the step is for moves to it when what the alias needs was measured and holds. It stands here and not in models/,
// since measuring runs jobs. Outputs: {"version", "sha256", "bucket", "clouds", "alias", "needs": [{need, measured}], "class", "residency"}.
#ifndef ISOBAR_TRAIN_MODEL_STEP_H
#define ISOBAR_TRAIN_MODEL_STEP_H

#include "jobs/step.h"

// ERR_FAILED when the version exists now but does not measure what the alias needs: the alias stays where it was.
int model_make(struct call *c, void *ctx, const struct step *step, json_t **outputs); // ctx: NULL

#endif
