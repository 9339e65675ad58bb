// SPDX-License-Identifier: Apache-2.0
// The table of pipelines.
#include "jobs/pipeline_kind.h"

static const char *const approvals[] = {"none", NULL};

static const struct field pipeline_fields[] = {
	{.name = "make",
		.type = FIELD_LIST,
		.item = FIELD_REF,
		.flags = FIELD_REQUIRED | FIELD_IN_PLACE,
		.offset = offsetof(struct pipeline, make),
		.refers = "model|training|transform|dataset",
		.help = "what to bring up to date, with all that it is made from: [model/classifier@champion]"},
	{.name = "approve",
		.type = FIELD_CHOICE,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct pipeline, approve),
		.choices = approvals,
		.otherwise = "none",
		.help = "who must approve a run before it starts"},
};

const struct kind pipeline_kind = {
	.plural = "pipelines",
	.singular = "pipeline",
	.help = "goals that are made together, like make: what is out of date, in order",
	.example = "pipelines:\n  retrain: {make: [model/classifier@champion], approve: none}\n",
	.size = sizeof(struct pipeline),
	KIND_FIELDS(pipeline_fields),
};

const struct resource_handler pipeline_handler = {.kind = &pipeline_kind};
