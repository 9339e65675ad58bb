// SPDX-License-Identifier: Apache-2.0
// Transforms: one job on each cloud where a part of the input lies; what it leaves goes to transforms/NAME/RUN/ in that
// cloud's own bucket, so no record leaves its cloud. And `isobar transformer NAME`, the built-in programs that such
// jobs run.
#ifndef ISOBAR_TRANSFORM_TRANSFORM_H
#define ISOBAR_TRANSFORM_TRANSFORM_H

#include "base/options.h"
#include "jobs/step.h"

// The step maker; ctx: NULL. Outputs: see jobs/step.h. Each split is a folder that the job left ("train", "test").
int transform_make(struct call *c, void *ctx, const struct step *step, json_t **outputs);

extern const struct command transformer_command; // isobar transformer images (under the job contract, docs/jobs.md)

#endif
