// SPDX-License-Identifier: Apache-2.0
// The table of roles: see role_kind.h.
#include "security/role_kind.h"

#include "security/policy.h"

static void check_patterns(const struct node *rule, struct str member, struct findings *f)
{
	const struct node *list = node_member(rule, member);
	for (const struct node *item = list ? list->first : NULL; item; item = item->next)
		if (item->type == NODE_SCALAR && !policy_pattern_valid(item->text))
			findings_add(f, item->at, node_path(item, f->arena), (struct str){0},
				"expected an exact name, or one that ends in '*', got \"%.*s\"", STR(item->text));
}

static void check_rule(const struct kind_check *c)
{
	check_patterns(c->map, S("actions"), c->f);
	check_patterns(c->map, S("resources"), c->f);
}

static const struct field when_fields[] = {
	{.name = "environment",
		.type = FIELD_NAME,
		.flags = FIELD_REQUIRED | FIELD_IN_PLACE,
		.offset = offsetof(struct role_when, environment),
		.help = "name of the environment in which the rule holds"},
};
static const struct kind when_kind = {
	.singular = "when",
	.help = "when a rule holds",
	.size = sizeof(struct role_when),
	KIND_FIELDS(when_fields),
};

static const struct field rule_fields[] = {
	{.name = "actions",
		.type = FIELD_LIST,
		.item = FIELD_TEXT,
		.flags = FIELD_REQUIRED | FIELD_IN_PLACE,
		.offset = offsetof(struct role_rule, actions),
		.help = "what may be done: \"model.predict\", \"training.*\", \"*\""},
	{.name = "resources",
		.type = FIELD_LIST,
		.item = FIELD_TEXT,
		.flags = FIELD_REQUIRED | FIELD_IN_PLACE,
		.offset = offsetof(struct role_rule, resources),
		.help = "to what: an address, \"endpoint/*\", or \"*\""},
	{.name = "when",
		.type = FIELD_BLOCK,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct role_rule, when),
		.block = &when_kind,
		.help = "when the rule holds; without it, always"},
};
static const struct kind rule_kind = {
	.singular = "rule",
	.help = "actions on resources",
	.size = sizeof(struct role_rule),
	KIND_FIELDS(rule_fields),
	.check = check_rule,
};

static const struct field role_fields[] = {
	{.name = "members",
		.type = FIELD_LIST,
		.item = FIELD_REF,
		.flags = FIELD_REQUIRED | FIELD_IN_PLACE,
		.refers = "api-key|user|group",
		.offset = offsetof(struct role, members),
		.help = "who has the role: api-key/NAME, user/NAME, group/NAME"},
	{.name = "allow",
		.type = FIELD_BLOCKS,
		.flags = FIELD_IN_PLACE,
		.block = &rule_kind,
		.offset = offsetof(struct role, allow),
		.help = "what its members may do"},
	{.name = "deny",
		.type = FIELD_BLOCKS,
		.flags = FIELD_IN_PLACE,
		.block = &rule_kind,
		.offset = offsetof(struct role, deny),
		.help = "what its members may never do, whatever another role allows"},
};

const struct kind role_kind = {
	.plural = "roles",
	.singular = "role",
	.help = "who may do what; nothing is allowed without one",
	.example = "roles:\n"
		   "  shop-app:\n"
		   "    members: [api-key/shop-app]\n"
		   "    allow: [{actions: [model.predict], resources: [endpoint/classify]}]\n",
	.size = sizeof(struct role),
	KIND_FIELDS(role_fields),
};

const struct resource_handler role_handler = {.kind = &role_kind};
