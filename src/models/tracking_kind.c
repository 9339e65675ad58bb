// SPDX-License-Identifier: Apache-2.0
// The table of tracking:.
#include "models/tracking_kind.h"

static const char *const modes[] = {"mirror", "import", "replace", NULL};

static const struct field fields[] = {
	{.name = "mlflow",
		.type = FIELD_URL,
		.flags = FIELD_REQUIRED | FIELD_IN_PLACE,
		.offset = offsetof(struct tracking, mlflow),
		.help = "URL of the MLflow server; only an address: its credentials are the operator's"},
	{.name = "mode",
		.type = FIELD_CHOICE,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct tracking, mode),
		.choices = modes,
		.otherwise = "mirror",
		.help = "mirror: it is told what happens; import: versions come from it; replace: Isobar answers in its place"},
	{.name = "credentials",
		.type = FIELD_TEXT,
		.flags = FIELD_IN_PLACE | FIELD_SECRET,
		.offset = offsetof(struct tracking, credentials),
		.help = "secret with the server's token"},
};

const struct kind tracking_kind = {
	.plural = "tracking",
	.singular = "tracking",
	.help = "the MLflow server beside Isobar's registry of models",
	.example = "tracking: {mlflow: \"https://mlflow.example.org\", mode: mirror}\n",
	.size = sizeof(struct tracking),
	KIND_FIELDS(fields),
	.single = true,
	.waits = true,
};

const struct resource_handler tracking_handler = {.kind = &tracking_kind};
