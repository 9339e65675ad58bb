// SPDX-License-Identifier: Apache-2.0
// What stands at the top of a workspace beside the kinds, as tables: for reading it, and for the JSON Schema.
#ifndef ISOBAR_INFRA_WORKSPACE_TOP_H
#define ISOBAR_INFRA_WORKSPACE_TOP_H

#include "base/kind.h"

struct workspace_state { // `state:`; where state is kept
	struct str url;         // "postgresql://..."; "": SQLite in the environment's state folder
	struct str credentials; // "secret/NAME"
};

struct workspace_top {
	int64_t isobar; // version of the format
	struct str workspace;
	struct field_ref owner; // of everything that does not say otherwise
	struct workspace_state state;
	struct field_list variables, inputs, modules, moved;
	const struct node *defaults, *groups;
};
extern const struct kind workspace_top_kind;

struct variable { // one of `variables:`
	struct str name, type, help;
	const struct node *otherwise, *min, *max; // as written; NULL: not
	struct field_list choices;
};
extern const struct kind variable_kind;

struct input { // one of `inputs:`
	struct str name;
	struct str terraform; // where a state of Terraform lies: "file:net.tfstate", "s3://bucket/key"
	struct field_ref cloud;
};
extern const struct kind input_kind;

struct module { // one of `modules:`
	struct str name;
	struct str source; // folder: "./modules/lake"
	const struct node *with;
};
extern const struct kind module_kind;

struct moved { // one of `moved:`
	struct str from, to; // addresses without cloud: "bucket/old"
};
extern const struct kind moved_kind;

#endif
