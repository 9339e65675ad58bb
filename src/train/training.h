// SPDX-License-Identifier: Apache-2.0
// The step maker of trainings. Federated: rounds on several clouds, each job on its own cloud's data; the weights of the accepted
// sites become one as a stream and go back. Else one job in the cheapest allowed place. Weights lie at
//     trainings/NAME/RUN/round-R/global/weights.safetensors   what round R begins with
//     trainings/NAME/RUN/round-R/SITE/...                     what its job there left
//     trainings/NAME/RUN/final/weights.safetensors            the result, on every cloud that takes part
// Records: round/NAME/RUN/R {accepted: [{site, samples, sha256}], late, lost, aggregated}; events round.accepted (before
// aggregation; it decides any replay) and round.aggregated. The bytes of the result depend on the data, the settings and the
// accepted sets alone, never on the order or the number of starts.
// Outputs of the step: {"run", "sha256", "size", "samples", "rounds", "trainer", "parts": [{"cloud", "bucket", "prefix"}], "metrics",
// "class", "residency"}.
#ifndef ISOBAR_TRAIN_TRAINING_H
#define ISOBAR_TRAIN_TRAINING_H

#include "jobs/step.h"

int training_make(struct call *c, void *ctx, const struct step *step, json_t **outputs); // ctx: NULL

#endif
