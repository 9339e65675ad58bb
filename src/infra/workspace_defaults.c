// SPDX-License-Identifier: Apache-2.0
// `defaults:` per kind and for "*": members that an entry lacks. What the entry says wins, null included; labels, which
// are names with values, are merged name by name. Defaults of the kind come before those of "*".
#include "infra/workspace_language_impl.h"

#include <string.h>

static struct node *add_copy(struct node *map, const struct node *member, struct arena *a)
{
	struct node *copy = arena_new(a, struct node);
	if (!copy)
		return NULL;
	*copy = *member;
	copy->parent = map;
	copy->next = map->first;
	map->first = copy;
	map->count++;
	return copy;
}

static void add_members(struct node *map, const struct node *from, struct arena *a)
{
	for (const struct node *n = from->first; n; n = n->next) {
		if (!node_member(map, n->key))
			add_copy(map, n, a);
	}
}

// The entry's map of labels may be shared with the defaults that it came from: it is copied before it grows.
static void merge_labels(struct node *entry, struct node *mine, const struct node *from, struct arena *a)
{
	struct node own = *mine, **end = &own.first;
	for (const struct node *n = mine->first; n; n = n->next) {
		struct node *copy = arena_new(a, struct node);
		if (!copy)
			return;
		*copy = *n;
		copy->parent = mine;
		copy->next = NULL;
		*end = copy;
		end = &copy->next;
	}
	*mine = own;
	mine->parent = entry;
	add_members(mine, from, a);
	for (struct node *n = mine->first; n; n = n->next)
		n->parent = mine;
}

// kind_field() for a member of "cloud"/"clouds": one says where as well as the other.
static bool says_where(const struct node *entry, struct str key)
{
	bool where = str_eq(key, S("cloud")) || str_eq(key, S("clouds"));
	return where && (node_member(entry, S("cloud")) || node_member(entry, S("clouds")));
}

static void fill_entry(const struct kind *k, struct node *entry, const struct node *from, struct arena *a)
{
	for (const struct node *n = from->first; n; n = n->next) {
		struct node *mine = node_member(entry, n->key);
		bool labels = str_eq(n->key, S("labels")) && n->type == NODE_MAP;
		if (!kind_field(k, n->key) || (!mine && says_where(entry, n->key)))
			continue; // of "*", and not of this kind: language_check_defaults() says what no kind has
		if (!mine)
			add_copy(entry, n, a);
		else if (labels && mine->type == NODE_MAP)
			merge_labels(entry, mine, n, a);
	}
}

static void fill_kind(const struct kind *k, struct node *map, const struct node *from, struct arena *a)
{
	if (k->single) {
		fill_entry(k, map, from, a);
		return;
	}
	for (struct node *n = map->first; n; n = n->next) {
		if (n->type == NODE_NULL)
			n->type = NODE_MAP;
		if (n->type == NODE_MAP)
			fill_entry(k, n, from, a);
	}
}

void language_defaults(struct language *l, const struct node *root, struct node *into)
{
	const struct node *defaults = node_member(root, S("defaults"));
	const struct node *all = node_member(defaults, S("*"));
	if (!defaults || defaults->type != NODE_MAP)
		return;
	for (struct node *map = into->first; map; map = map->next) {
		const struct kind *k = kind_find(l->w->options->kinds, map->key);
		const struct node *of_kind = node_member(defaults, map->key);
		if (!k || map->type != NODE_MAP || !str_eq(str_of(k->plural), map->key))
			continue;
		if (of_kind && of_kind->type == NODE_MAP)
			fill_kind(k, map, of_kind, l->arena);
		if (all && all->type == NODE_MAP && !k->no_resource)
			fill_kind(k, map, all, l->arena);
	}
}
