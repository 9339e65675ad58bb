// SPDX-License-Identifier: Apache-2.0
// The table of the kind "environments".
#include "infra/environment_kind.h"

static const struct field fields[] = {
	{.name = "name",
		.type = FIELD_KEY,
		.offset = offsetof(struct environment, name),
		.help = "Name of the environment."},
	{.name = "pocket",
		.type = FIELD_BOOL,
		.offset = offsetof(struct environment, pocket),
		.otherwise = "false",
		.help = "Play the workspace on this machine: every cloud becomes a pocket cloud of its provider."},
};

const struct kind environment_kind = {
	.plural = "environments",
	.singular = "environment",
	.help = "A way to play the workspace; with more than one, --env or ISOBAR_ENV says which.",
	.example = "environments:\n  pocket: {pocket: true}\n",
	.size = sizeof(struct environment),
	KIND_FIELDS(fields),
	.no_resource = true,
};
