// SPDX-License-Identifier: Apache-2.0
// What checks across fields use, and the fields that every resource takes: see kind.h.
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/kind_impl.h"

// ---------------------------------------------------------------- checks
bool kind_check_sound(const struct kind_check *c, const char *member)
{
	for (size_t i = 0; i < c->kind->field_count; i++)
		if (strcmp(c->kind->fields[i].name, member) == 0)
			return !(c->wrong >> i & 1);
	return false;
}

// The deepest node on a path of members that was written.
static const struct node *node_at(const struct node *n, struct str path)
{
	struct str name;
	while (str_next(&path, '.', &name)) {
		const struct node *member = node_member(n, name);
		if (!member)
			break;
		n = member;
	}
	return n;
}

void kind_check_add(const struct kind_check *c, const char *at, struct str suggestion, const char *problem, ...)
{
	char text[512];
	va_list args;
	va_start(args, problem);
	vsnprintf(text, sizeof(text), problem, args);
	va_end(args);
	const struct node *n = node_at(c->map, str_of(at));
	findings_add(c->f, n->at.line ? n->at : n->key_at, node_path(n, c->f->arena), suggestion, "%s", text);
}

// ---------------------------------------------------------------- cloud: NAME
static struct node *find_cloud(const struct kind *k, const struct node *map)
{
	struct node *cloud = node_member(map, S("cloud"));
	const struct field *field = cloud && !node_member(map, S("clouds")) ? kind_field(k, S("cloud")) : NULL;
	return field && field->type == FIELD_CLOUD ? cloud : NULL;
}

int kind_rewrite_cloud(const struct kind *k, struct node *map, struct arena *a)
{
	struct node *cloud = find_cloud(k, map);
	if (!cloud || cloud->type != NODE_SCALAR)
		return 0;
	struct node *name = arena_new(a, struct node);
	if (!name)
		return ERR_NO_MEMORY;
	*name = (struct node){.type = NODE_SCALAR,
		.quoted = cloud->quoted,
		.text = cloud->text,
		.at = cloud->at,
		.key_at = cloud->key_at,
		.parent = cloud};
	cloud->type = NODE_LIST;
	cloud->key = S("clouds");
	cloud->text = S("");
	cloud->first = name;
	cloud->count = 1;
	return 0;
}

// ---------------------------------------------------------------- fields of every resource
static const char *const existing_choices[] = {"keep", "adopt", NULL};
static const char *const drift_choices[] = {"report", "revert", NULL};

static const struct field common_fields[] = {
	{.name = "labels",
		.type = FIELD_LABELS,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct resource_common, labels),
		.help = "your own words about it, as names with texts; selectors, defaults and reports use them"},
	{.name = "protect",
		.type = FIELD_BOOL,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct resource_common, protect),
		.otherwise = "false",
		.help = "true: no plan may destroy or replace it"},
	{.name = "existing",
		.type = FIELD_CHOICE,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct resource_common, existing),
		.choices = existing_choices,
		.help = "keep: somebody else's, used and never changed; adopt: ours from the next apply on"},
	{.name = "drift",
		.type = FIELD_CHOICE,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct resource_common, drift),
		.choices = drift_choices,
		.otherwise = "report",
		.help = "what happens to changes from outside: they are reported, or the next apply reverts them"},
	{.name = "owner",
		.type = FIELD_REF,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct resource_common, owner),
		.refers = "group|user",
		.help = "who answers for it: group/NAME or user/NAME; without it the owner of the workspace"},
	{.name = "for_each",
		.type = FIELD_ANY,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct resource_common, for_each),
		.help = "[a, b] or {a: ..., b: ...}: one of each, called NAME.a and NAME.b; ${each.key} and ${each.value} in it"},
};

const struct kind resource_common_kind = {
	.singular = "resource",
	.help = "fields that every resource takes beside its own",
	.size = sizeof(struct resource_common),
	KIND_FIELDS(common_fields),
};

// A map of the members that are common, linked to the entry so that paths are right.
static struct node *common_members(const struct kind *k, const struct node *map, struct arena *a, struct node *out)
{
	struct node **at = &out->first;
	for (const struct node *n = map->first; n; n = n->next) {
		bool own = kind_row(k, n->key, 0) < k->field_count;
		if (own || kind_row(&resource_common_kind, n->key, 0) == resource_common_kind.field_count)
			continue;
		struct node *copy = arena_new(a, struct node);
		if (!copy)
			return NULL;
		*copy = *n;
		copy->next = NULL;
		*at = copy;
		at = &copy->next;
		out->count++;
	}
	return out;
}

static void check_existing(const struct kind *k, const struct node *map, struct findings *f)
{
	const struct node *n = node_member(map, S("existing"));
	if (n && n->type != NODE_NULL && !k->at_providers)
		findings_add(f, n->key_at, node_path(n, f->arena), S("leave it out"),
			"every %s is Isobar's own: there is none that could exist before", k->singular);
}

int kind_decode_common(const struct kind *k, const struct node *map, struct arena *a, struct resource_common *out,
	struct findings *f)
{
	struct node members = {.type = NODE_MAP};
	size_t before = f->count;
	if (map && map->type == NODE_MAP && !common_members(k, map, a, &members))
		findings_add(f, map->at, S(""), S(""), "out of memory");
	(void)!kind_decode(&resource_common_kind, &members, a, out, f); // all that is wrong is in f
	if (map && map->type == NODE_MAP)
		check_existing(k, map, f);
	return f->count > before ? ERR_INVALID : 0;
}
