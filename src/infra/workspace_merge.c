// SPDX-License-Identifier: Apache-2.0
// Maps into maps: the files of a workspace into one, where a name may stand only once, and an overlay over the base,
// where it must be there already. Names are found by hash, since there may be a hundred thousand of them.
#include "infra/workspace_language_impl.h"

#include <string.h>

#include "infra/workspace_top.h"

// ---------------------------------------------------------------- files
struct merged { // a member of the root and, once a second file adds to it, the names in it
	struct node *node, *last;
	struct str_map names;
	bool indexed;
};

static void add_twice(struct findings *f, const struct node *again, const struct node *first)
{
	findings_add(f, again->key_at, node_path(again, f->arena), (struct str){0},
		"is declared twice; first at %s:%d:%d", first->key_at.file, first->key_at.line, first->key_at.column);
}

static bool index_names(struct merger *m, struct merged *into)
{
	if (into->indexed)
		return true;
	into->indexed = str_map_init(&into->names, m->scratch, into->node->count);
	for (struct node *n = into->node->first; n && into->indexed; n = n->next) {
		into->indexed = str_map_put(&into->names, n->key, n);
		into->last = n;
	}
	return into->indexed;
}

static void append(struct node *map, struct node **last, struct node *n)
{
	n->next = NULL;
	n->parent = map;
	*(*last ? &(*last)->next : &map->first) = n;
	*last = n;
	map->count++;
}

static bool merge_names(struct merger *m, struct merged *into, struct node *from)
{
	struct node *next;
	if (!index_names(m, into))
		return false;
	for (struct node *n = from->first; n; n = next) {
		next = n->next;
		struct node *first = str_map_get(&into->names, n->key);
		if (first) {
			add_twice(m->f, n, first);
			continue;
		}
		append(into->node, &into->last, n);
		if (!str_map_put(&into->names, n->key, n))
			return false;
	}
	return true;
}

static bool merge_member(struct merger *m, struct node *n)
{
	struct merged *first = str_map_get(&m->members, n->key);
	if (!first) {
		struct merged *fresh = arena_new(m->scratch, struct merged);
		if (!fresh)
			return false;
		fresh->node = n;
		append(m->root, &m->last, n);
		return str_map_put(&m->members, n->key, fresh);
	}
	if (first->node->type == NODE_MAP && n->type == NODE_MAP)
		return merge_names(m, first, n);
	add_twice(m->f, n, first->node);
	return true;
}

bool merge_file(struct merger *m, struct node *file)
{
	struct node *next;
	if (!m->root) {
		m->root = arena_new(m->arena, struct node);
		if (!m->root)
			return false;
		*m->root = (struct node){.type = NODE_MAP, .at = file->at};
	}
	for (struct node *n = file->first; n; n = next) {
		next = n->next;
		if (!merge_member(m, n))
			return false;
	}
	return true;
}

// ---------------------------------------------------------------- overlays
struct over {
	struct language *l;
	struct str environment;
};

static struct str member_name_at(const void *ctx, size_t i)
{
	const struct node *n = ((const struct node *)ctx)->first;
	for (; n && i; i--)
		n = n->next;
	return n ? n->key : (struct str){0};
}

static void lacks(const struct over *o, const struct node *base, const struct node *n)
{
	enum { MOST = 300 }; // names that are looked through for what was meant
	struct arena *a = o->l->f->arena;
	struct str meant = base && base->type == NODE_MAP && base->count <= MOST
				   ? kind_suggest(n->key, member_name_at, base, base->count)
				   : (struct str){0};
	struct str hint = meant.n ? arena_printf(a, "did you mean \"%.*s\"?", STR(meant))
				  : S("declare it in the base first: an overlay only changes what is there");
	const char *file = base ? base->key_at.file : NULL;
	if (file)
		findings_add(o->l->f, n->key_at, node_path(n, a), hint,
			"the environment %.*s changes \"%.*s\", which the base (%s:%d) lacks", STR(o->environment),
			STR(n->key), file, base->key_at.line);
	else
		findings_add(o->l->f, n->key_at, node_path(n, a), hint,
			"the environment %.*s changes \"%.*s\", which the base lacks", STR(o->environment), STR(n->key));
}

static struct node **place_of(struct node *map, struct str key)
{
	struct node **at = &map->first;
	while (*at && !str_eq((*at)->key, key))
		at = &(*at)->next;
	return at;
}

// The base's member becomes the overlay's, position and all.
static void replace(struct node **at, struct node *map, struct node *n)
{
	n->next = *at ? (*at)->next : NULL;
	n->parent = map;
	map->count += !*at;
	*at = n;
}

// Fields of one thing: maps merge, lists and values replace. A null stays, so that no default fills the gap again.
static void merge_fields(struct node *base, struct node *overlay)
{
	struct node *next;
	for (struct node *n = overlay->first; n; n = next) {
		next = n->next;
		struct node **at = place_of(base, n->key);
		if (*at && (*at)->type == NODE_MAP && n->type == NODE_MAP)
			merge_fields(*at, n);
		else
			replace(at, base, n);
	}
}

static bool index_map(struct language *l, const struct node *map, struct str_map *out)
{
	bool good = str_map_init(out, l->arena, map->count);
	for (struct node *n = map->first; n && good; n = n->next)
		good = str_map_put(out, n->key, n);
	return good;
}

// What stands in the overlay instead, in the place of the base's node.
static void put_instead(struct node *there, struct node *map, const struct node *n)
{
	struct node *next = there->next;
	*there = *n;
	there->next = next;
	there->parent = map;
	for (struct node *m = there->first; m; m = m->next)
		m->parent = there;
}

static const uint32_t taken_away = UINT32_MAX; // as the count of a node: more than a text may have

// Those that an overlay's null stands for, all at once.
static void drop_nulls(struct node *map)
{
	struct node **at = &map->first;
	while (*at) {
		if ((*at)->count != taken_away) {
			at = &(*at)->next;
			continue;
		}
		*at = (*at)->next;
		map->count--;
	}
}

// A map of names: each must be there; null takes one away.
static void over_names(const struct over *o, struct node *base, struct node *overlay)
{
	struct str_map names;
	struct node *next;
	if (!index_map(o->l, base, &names))
		return;
	for (struct node *n = overlay->first; n; n = next) {
		next = n->next;
		struct node *there = str_map_get(&names, n->key);
		if (!there) {
			n->parent = overlay;
			lacks(o, base, n);
		} else if (n->type == NODE_NULL) {
			there->count = taken_away;
		} else if (n->type == NODE_MAP && (there->type == NODE_MAP || there->type == NODE_NULL)) {
			there->type = NODE_MAP;
			merge_fields(there, n);
		} else {
			put_instead(there, base, n);
		}
	}
	drop_nulls(base);
}

// What an overlay may not say again: it is the workspace's, not the environment's.
static bool is_fixed(struct str key)
{
	return str_eq(key, S("isobar")) || str_eq(key, S("workspace")) || str_eq(key, S("environments"));
}

static bool is_names(const struct over *o, struct str key)
{
	const struct field *top = kind_field(&workspace_top_kind, key);
	if (top)
		return top->type == FIELD_NAMED || str_eq(key, S("groups"));
	const struct kind *k = kind_find(o->l->w->options->kinds, key);
	return k && !k->single && str_eq(str_of(k->plural), key);
}

static void over_member(const struct over *o, struct node *n)
{
	struct findings *f = o->l->f;
	struct node **at = place_of(o->l->root, n->key);
	if (str_eq(n->key, S("variables")))
		return; // values, read by language_variables
	if (is_fixed(n->key)) {
		findings_add(f, n->key_at, n->key, S("leave it out"), "belongs into the base, not into an overlay");
	} else if (is_names(o, n->key) && n->type == NODE_MAP) {
		if (*at && (*at)->type == NODE_MAP)
			over_names(o, *at, n);
		for (const struct node *m = *at ? NULL : n->first; m; m = m->next)
			lacks(o, NULL, m);
	} else if (*at && (*at)->type == NODE_MAP && n->type == NODE_MAP) {
		merge_fields(*at, n);
	} else {
		replace(at, o->l->root, n);
	}
}

void language_overlay(struct language *l, struct node *overlay, struct str environment)
{
	const struct over o = {.l = l, .environment = environment};
	struct node *next;
	for (struct node *n = overlay->first; n; n = next) {
		next = n->next;
		over_member(&o, n);
	}
}

// The nulls below an entry's own fields: those of the overlay's file, and labels, whose defaults came in name by name.
static void drop_deep(struct node *map, const char *overlay)
{
	for (struct node *n = map->first; n; n = n->next) {
		if (n->type == NODE_MAP)
			drop_deep(n, overlay);
		else if (n->type == NODE_NULL && (n->at.file == overlay || str_eq(map->key, S("labels"))))
			n->count = taken_away;
	}
	drop_nulls(map);
}

static void drop_in_entry(struct node *entry, const char *overlay)
{
	for (struct node *n = entry->first; n; n = n->next) {
		if (n->type == NODE_MAP)
			drop_deep(n, overlay);
	}
}

static void drop_in_entries(struct node *map, const char *overlay)
{
	for (struct node *n = map ? map->first : NULL; n; n = n->next)
		drop_in_entry(n, overlay);
}

void language_drop_nulls(struct language *l, const struct node *overlay, bool of_defaults)
{
	const char *file = overlay ? overlay->at.file : "";
	if (of_defaults)
		drop_in_entries(*place_of(l->root, S("defaults")), file);
	for (struct node *map = of_defaults ? NULL : l->root->first; map; map = map->next) {
		const struct kind *k = kind_find(l->w->options->kinds, map->key);
		if (k && k->single)
			drop_in_entry(map, file);
		else if (k)
			drop_in_entries(map, file);
	}
}
