// SPDX-License-Identifier: Apache-2.0
// The table of metrics:.
#include "monitor/metrics_kind.h"

static const struct field fields[] = {
	{.name = "prometheus",
		.type = FIELD_URL,
		.flags = FIELD_REQUIRED | FIELD_IN_PLACE,
		.offset = offsetof(struct metrics_target, prometheus),
		.help = "URL of Prometheus, or of anything that takes its remote write"},
	{.name = "rules",
		.type = FIELD_LIST,
		.item = FIELD_PATH,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct metrics_target, rules),
		.help = "existing files of rules, evaluated where they already are: [prometheus/*.yml]"},
	{.name = "credentials",
		.type = FIELD_TEXT,
		.flags = FIELD_IN_PLACE | FIELD_SECRET,
		.offset = offsetof(struct metrics_target, credentials),
		.help = "secret with its token"},
};

const struct kind metrics_kind = {
	.plural = "metrics",
	.singular = "metrics",
	.help = "where metrics are kept beside Isobar's own day of them",
	.example = "metrics:\n"
		   "  prometheus: \"https://prometheus.example.org\"\n"
		   "  rules: [prometheus/*.yml]\n",
	.size = sizeof(struct metrics_target),
	KIND_FIELDS(fields),
	.single = true,
	.waits = true,
};

const struct resource_handler metrics_handler = {.kind = &metrics_kind};
