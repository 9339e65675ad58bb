// SPDX-License-Identifier: Apache-2.0
// Datasets as steps.
#include "jobs/ingest_step.h"

#include "data/ingest.h"

int data_ingest_make(struct call *c, void *ctx, const struct step *step, json_t **outputs)
{
	(void)ctx;
	const struct ingest in = {
		.state = step->state,
		.clouds = step->clouds,
		.resource = step->resource,
		.run = step->run,
		.scratch = step->scratch,
		.folder = step->folder,
		.progress = step->progress,
	};
	return dataset_ingest(c, &in, outputs);
}

int data_ingest_fingerprint(
	struct call *c, void *ctx, const struct resource *resource, const char *folder, struct str *out)
{
	(void)ctx;
	return dataset_fingerprint(c, resource, folder, out);
}
