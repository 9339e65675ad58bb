// SPDX-License-Identifier: Apache-2.0
// What stands at the top of a workspace beside the kinds, as a table: for reading the name, and for the JSON Schema.
#ifndef ISOBAR_INFRA_WORKSPACE_TOP_H
#define ISOBAR_INFRA_WORKSPACE_TOP_H

#include "base/kind.h"

struct workspace_top {
	int64_t isobar; // version of the format
	struct str workspace;
	const struct node *defaults;
};
extern const struct kind workspace_top_kind;

#endif
