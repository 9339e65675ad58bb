// SPDX-License-Identifier: Apache-2.0
// The step maker of datasets: gives data/ingest.h what a step knows.
#ifndef ISOBAR_JOBS_INGEST_STEP_H
#define ISOBAR_JOBS_INGEST_STEP_H

#include "jobs/step.h"

int data_ingest_make(struct call *c, void *ctx, const struct step *step, json_t **outputs); // ctx: NULL

#endif
