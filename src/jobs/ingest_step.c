// SPDX-License-Identifier: Apache-2.0
// Datasets as steps.
#include "jobs/ingest_step.h"

#include "data/dataset_files.h"
#include "data/files_source.h"

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

int data_ingest_fingerprint(struct call *c, void *ctx, const struct step_look *look, struct str *out)
{
	(void)ctx;
	struct dataset d = {0};
	const struct ingest in = {
		.state = look->state, .clouds = look->clouds, .resource = look->resource, .folder = look->folder};
	if (kind_decode_json(&dataset_kind, look->resource->resolved, c->arena, &d, &c->err))
		return call_context(c, "%.*s", STR(look->resource->address));
	return files_format(d.format) ? dataset_files_fingerprint(c, &in, &d, out)
				      : dataset_fingerprint(c, look->resource, look->folder, out);
}
