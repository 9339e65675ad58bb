// SPDX-License-Identifier: Apache-2.0
// The table of the kind "environments".
#include "infra/environment_kind.h"

static const char *const data_choices[] = {"own", "synthetic", NULL};

static bool parse_data(const struct node *node, void *out, struct findings *f)
{
	bool synthetic = node->type == NODE_SCALAR && str_eq(node->text, S("synthetic"));
	if (!synthetic && (node->type != NODE_SCALAR || !str_eq(node->text, S("own")))) {
		findings_add(f, node->at, node_path(node, f->arena), S(""), "expected one of %s, %s", data_choices[0],
			data_choices[1]);
		return false;
	}
	*(bool *)out = synthetic;
	return true;
}

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
	{.name = "data",
		.type = FIELD_CUSTOM,
		.offset = offsetof(struct environment, synthetic),
		.item_size = sizeof(bool),
		.parse = parse_data,
		.otherwise = "own",
		.choices = data_choices,
		.help = "own: what the data sets name as their source; synthetic: made up from their schemas."},
	{.name = "overlay",
		.type = FIELD_TEXT,
		.offset = offsetof(struct environment, overlay),
		.help = "File below the workspace's folder whose maps are merged over the workspace: env/dev.yaml."},
	{.name = "expires",
		.type = FIELD_DURATION,
		.offset = offsetof(struct environment, expires_ns),
		.min = 60,
		.max = 10.0 * 365 * 86400,
		.help = "It takes itself down so long after its first apply."},
	{.name = "approvals",
		.type = FIELD_INTEGER,
		.offset = offsetof(struct environment, approvals),
		.max = 100,
		.otherwise = "0",
		.help = "How many people must approve a plan before it is applied."},
	{.name = "approvers",
		.type = FIELD_REF,
		.offset = offsetof(struct environment, approvers),
		.refers = "group|user",
		.help = "Who may approve: group/NAME or user/NAME. Without it, whoever may apply."},
	{.name = "protect",
		.type = FIELD_BOOL,
		.offset = offsetof(struct environment, protect),
		.otherwise = "false",
		.help = "Nothing in it is destroyed or replaced."},
};

static void check(const struct kind_check *c)
{
	const struct environment *e = c->value;
	if (kind_check_sound(c, "approvers") && e->approvers.name.n && !e->approvers.kind.n)
		kind_check_add(c, "approvers", S("write group/NAME or user/NAME"), "is no group and no user");
	if (kind_check_sound(c, "approvals") && kind_check_sound(c, "approvers") && e->approvers.name.n && e->approvals == 0)
		kind_check_add(c, "approvers", S("say how many: approvals: 1"), "nobody's approval is asked for");
	if (kind_check_sound(c, "data") && e->synthetic && !e->pocket)
		kind_check_add(c, "data", S("add pocket: true"), "made up data belongs on pocket clouds");
}

const struct kind environment_kind = {
	.plural = "environments",
	.singular = "environment",
	.help = "A way to play the workspace, with a state of its own; with more than one, --env or ISOBAR_ENV says which.",
	.example = "environments:\n  pocket: {pocket: true}\n  prod: {overlay: env/prod.yaml, approvals: 2, approvers: "
		   "group/platform, protect: true}\n",
	.size = sizeof(struct environment),
	KIND_FIELDS(fields),
	.check = check,
	.no_resource = true,
};
