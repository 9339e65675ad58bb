// SPDX-License-Identifier: Apache-2.0
// The table of workspace-level keys. See workspace_top.h.
#include "infra/workspace_top.h"

static const struct field fields[] = {
	{.name = "isobar",
		.type = FIELD_INTEGER,
		.flags = FIELD_REQUIRED,
		.offset = offsetof(struct workspace_top, isobar),
		.min = 1,
		.max = 1,
		.help = "Version of the format: 1."},
	{.name = "workspace",
		.type = FIELD_NAME,
		.flags = FIELD_REQUIRED,
		.offset = offsetof(struct workspace_top, workspace),
		.help = "Name of the workspace; buckets and other things at providers are named after it."},
	{.name = "defaults",
		.type = FIELD_ANY,
		.offset = offsetof(struct workspace_top, defaults),
		.help = "Fields that every entry of a kind has unless it says otherwise: {buckets: {encrypt_with: "
			"lake}}."},
};

const struct kind workspace_top_kind = {
	.singular = "workspace",
	.help = "A workspace: one file, or the *.yaml files of a folder as one map.",
	.example = "isobar: 1\nworkspace: fashion\n",
	.size = sizeof(struct workspace_top),
	KIND_FIELDS(fields),
};
