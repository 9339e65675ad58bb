// SPDX-License-Identifier: Apache-2.0
// The step maker of datasets, {"dataset", data_ingest_make, data_ingest_fingerprint, NULL}: gives data/ingest.h what a
// step knows.
#ifndef ISOBAR_JOBS_INGEST_STEP_H
#define ISOBAR_JOBS_INGEST_STEP_H

#include "jobs/step.h"

int data_ingest_make(struct call *c, void *ctx, const struct step *step, json_t **outputs); // ctx: NULL
// Of what lies at the source: a changed source is a changed dataset.
int data_ingest_fingerprint(struct call *c, void *ctx, const struct step_look *look, struct str *out);

#endif
