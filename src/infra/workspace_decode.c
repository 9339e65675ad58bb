// SPDX-License-Identifier: Apache-2.0
// From the merged map to entries: workspace-level keys, defaults per kind, each declared thing by its kind's table,
// environments.
#include "infra/workspace_impl.h"
#include "base/kind_scalars.h"
#include "infra/workspace_top.h"

#include <string.h>

// What stands at the top of a workspace beside the kinds.
static const char *const top_keys[] = {"isobar", "workspace", "environments", "defaults", "owner", "state", "variables",
	"inputs", "modules", "moved", "groups"};

static struct str top_name_at(const void *ctx, size_t i)
{
	const struct workspace *w = ctx;
	if (i < COUNT_OF(top_keys))
		return str_of(top_keys[i]);
	return str_of(w->options->kinds[i - COUNT_OF(top_keys)]->plural);
}

static size_t count_kinds(const struct workspace *w)
{
	size_t n = 0;
	while (w->options->kinds[n])
		n++;
	return n;
}

static bool is_top_key(struct str key)
{
	for (size_t i = 0; i < COUNT_OF(top_keys); i++) {
		if (str_eq(key, str_of(top_keys[i])))
			return true;
	}
	return false;
}

static const struct kind *kind_of_plural(const struct workspace *w, struct str key)
{
	for (const struct kind *const *k = w->options->kinds; *k; k++) {
		if (str_eq(str_of((*k)->plural), key))
			return *k;
	}
	return NULL;
}

static void unknown_key(const struct workspace *w, const struct node *n, struct findings *f)
{
	struct str meant = {0};
	for (const struct kind *const *k = w->options->kinds; *k && !meant.n; k++) {
		if (str_eq(str_of((*k)->singular), n->key))
			meant = str_of((*k)->plural);
	}
	if (!meant.n)
		meant = kind_suggest(n->key, top_name_at, w, COUNT_OF(top_keys) + count_kinds(w));
	struct str hint = meant.n ? arena_printf(f->arena, "did you mean \"%.*s\"?", STR(meant)) : (struct str){0};
	findings_add(f, n->key_at, n->key, hint, "is no kind that a workspace may declare");
}

static void missing_key(const struct node *root, struct findings *f, const char *key, const char *hint)
{
	findings_add(f, (struct position){.file = root->at.file, .line = 1, .column = 1}, str_of(key), str_of(hint),
		"is missing");
}

static void copy_member(struct node *map, const struct node *root, const char *key, struct arena *a)
{
	const struct node *n = node_member(root, str_of(key));
	struct node *copy = n ? arena_new(a, struct node) : NULL;
	if (!copy)
		return;
	*copy = *n;
	copy->parent = map;
	copy->next = map->first;
	map->first = copy;
	map->count++;
}

// The keys that are no kinds, through a table of their own, so that they are checked as everything else. Variables,
// inputs and modules were read already: others are made from them.
static void read_top(struct workspace *w, const struct node *root, struct findings *f)
{
	static const char *const keys[] = {"isobar", "workspace", "owner", "state", "moved", "groups", "defaults"};
	struct workspace_top top;
	struct node map = {.type = NODE_MAP, .at = root->at};
	size_t before = f->count;
	if (!node_member(root, S("isobar")))
		missing_key(root, f, "isobar", "write \"isobar: 1\", the version of the format, at the top");
	if (!node_member(root, S("workspace")))
		missing_key(root, f, "workspace", "write \"workspace: NAME\" below \"isobar: 1\"");
	if (f->count > before)
		return;
	for (size_t i = COUNT_OF(keys); i > 0; i--)
		copy_member(&map, root, keys[i - 1], f->arena);
	if (kind_decode(&workspace_top_kind, &map, f->arena, &top, f) < 0)
		return;
	w->name = top.workspace;
	w->owner = top.owner;
	w->state = top.state;
	w->moved = top.moved;
}

// An entry without a value ("lake:") is one with defaults only.
static bool entry_is_map(struct node *n, struct findings *f)
{
	if (n->type == NODE_NULL)
		n->type = NODE_MAP;
	if (n->type == NODE_MAP)
		return true;
	findings_add(f, n->at, node_path(n, f->arena), (struct str){0}, "expected a map of fields");
	return false;
}

static void add_twice(const struct workspace_entry *again, const struct workspace_entry *first, struct findings *f)
{
	const struct position *at = &first->node->key_at;
	findings_add(f, again->node->key_at, node_path(again->node, f->arena), (struct str){0},
		"\"%.*s\" is declared twice; first at %s:%d:%d", STR(again->name), at->file ? at->file : "-", at->line,
		at->column);
}

// What it decodes to is not kept: rooms decode what is recorded.
static bool fits_table(const struct kind *k, const struct node *n, struct arena *scratch, struct findings *f)
{
	enum { ENOUGH = 64 << 10 };
	if (scratch->used > ENOUGH)
		arena_free(scratch);
	void *value = arena_alloc(scratch, k->size);
	return value && kind_decode(k, n, scratch, value, f) == 0;
}

static bool says_common(const struct node *entry)
{
	for (const struct node *n = entry->first; n; n = n->next) {
		if (kind_field(&resource_common_kind, n->key))
			return true;
	}
	return false;
}

// Most entries say nothing of what all resources take: they share one answer.
static bool decode_common(struct workspace *w, struct workspace_entry *e, struct findings *f)
{
	bool own = says_common(e->node) || !w->common;
	struct resource_common *common = own ? arena_new(f->arena, struct resource_common) : NULL;
	if (own && (!common || kind_decode_common(e->kind, e->node, f->arena, common, f) < 0))
		return false;
	if (own && !common->owner.name.n)
		common->owner = w->owner;
	if (own && !says_common(e->node) && !w->common)
		w->common = common;
	e->common = own ? common : w->common;
	return true;
}

static void decode_entry(struct workspace *w, const struct kind *k, struct node *n, struct arena *scratch, struct findings *f)
{
	struct workspace_entry *e = &w->entries[w->entry_count];
	struct str name = k->single ? S("workspace") : n->key;
	*e = (struct workspace_entry){.kind = k, .name = name, .node = n};
	w->entry_count++;
	const struct workspace_entry *first = workspace_index_add(w, e);
	if (first)
		add_twice(e, first, f);
	bool named = name_valid(name); // not every kind has a field for its name
	if (!named)
		findings_add(f, n->key_at, node_path(n, f->arena), (struct str){0},
			"\"%.*s\" is no name: letters, digits, '-', '_' and '.', a letter or digit first, at most 63",
			STR(str_clip(n->key, 80)));
	if (!entry_is_map(n, f) || kind_rewrite_cloud(k, n, f->arena) < 0)
		return;
	bool common = k->no_resource || decode_common(w, e, f);
	e->decoded = fits_table(k, n, scratch, f) && common && named;
}

static void decode_kind(struct workspace *w, struct node *map, struct findings *f)
{
	const struct kind *k = kind_of_plural(w, map->key);
	if (map->type == NODE_NULL)
		return;
	if (map->type != NODE_MAP) {
		findings_add(f, map->at, map->key, (struct str){0},
			k->single ? "expected a map of fields" : "expected a map: names, each with its fields");
		return;
	}
	if (!workspace_index_room(w, k, k->single ? 1 : map->count))
		return;
	AUTO(arena) scratch = {0};
	if (k->single) {
		decode_entry(w, k, map, &scratch, f);
		return;
	}
	for (struct node *n = map->first; n && f->count <= FINDINGS_MAX; n = n->next)
		decode_entry(w, k, n, &scratch, f);
}

void workspace_decode_environments(struct workspace *w, struct node *map, struct findings *f)
{
	if (!map || map->type != NODE_MAP) {
		if (map && map->type != NODE_NULL)
			findings_add(f, map->at, map->key, (struct str){0}, "expected a map of environments");
		return;
	}
	w->environments = arena_new_array(f->arena, map->count + 1, struct environment);
	for (struct node *n = map->first; n && w->environments; n = n->next) {
		struct environment *env = &w->environments[w->environment_count];
		if (!entry_is_map(n, f))
			continue;
		if (kind_decode(&environment_kind, n, f->arena, env, f) == 0) {
			env->name = n->key;
			w->environment_count++;
		}
	}
}

// Whether any kind has a field that stands in "*".
static bool some_kind_has(const struct workspace *w, struct str field)
{
	for (const struct kind *const *k = w->options->kinds; *k; k++) {
		if (kind_field(*k, field))
			return true;
	}
	return false;
}

static void check_fields(const struct workspace *w, const struct kind *k, const struct node *map, struct findings *f)
{
	if (map->type != NODE_MAP && map->type != NODE_NULL)
		findings_add(f, map->at, node_path(map, f->arena), (struct str){0}, "expected a map of fields");
	for (const struct node *m = map->type == NODE_MAP ? map->first : NULL; m; m = m->next) {
		if (k ? !kind_field(k, m->key) : !some_kind_has(w, m->key))
			findings_add(f, m->key_at, node_path(m, f->arena), (struct str){0}, "%s",
				k ? "the kind has no such field" : "no kind has such a field");
	}
}

// What is wrong about their values is said where they are used.
static void check_defaults(struct workspace *w, const struct node *root, struct findings *f)
{
	const struct node *defaults = node_member(root, S("defaults"));
	if (!defaults || defaults->type == NODE_NULL)
		return;
	if (defaults->type != NODE_MAP) {
		findings_add(f, defaults->at, defaults->key, (struct str){0}, "expected a map of kinds");
		return;
	}
	for (const struct node *n = defaults->first; n; n = n->next) {
		const struct kind *k = kind_of_plural(w, n->key);
		if (!k && !str_eq(n->key, S("*")))
			unknown_key(w, n, f);
		else
			check_fields(w, k, n, f);
	}
}

static size_t count_entries(const struct workspace *w, const struct node *root)
{
	size_t n = 0;
	for (const struct node *m = root->first; m; m = m->next) {
		const struct kind *k = m->type == NODE_MAP ? kind_of_plural(w, m->key) : NULL;
		n += !k ? 0 : k->single ? 1 : m->count;
	}
	return n;
}

void workspace_decode(struct workspace *w, struct node *root, struct findings *f)
{
	read_top(w, root, f);
	check_defaults(w, root, f);
	size_t count = count_entries(w, root);
	if (count > WORKSPACE_MAX_ENTRIES) {
		findings_add(f, root->at, (struct str){0}, (struct str){0}, "declares more than %d things",
			WORKSPACE_MAX_ENTRIES);
		return;
	}
	w->entries = arena_new_array(f->arena, count + 1, struct workspace_entry);
	for (struct node *n = root->first; n && w->entries; n = n->next) {
		if (kind_of_plural(w, n->key))
			decode_kind(w, n, f);
		else if (!is_top_key(n->key))
			unknown_key(w, n, f);
	}
}

static void add_name(struct workspace *w, const struct kind *k, struct node *n, struct findings *f)
{
	struct workspace_entry *e = &w->entries[w->entry_count];
	*e = (struct workspace_entry){.kind = k, .name = k->single ? S("workspace") : n->key, .node = n};
	if (workspace_index_add(w, e))
		return;
	w->entry_count += kind_rewrite_cloud(k, n, f->arena) == 0;
}

void workspace_decode_names(struct workspace *w, struct node *root, struct findings *f)
{
	size_t count = count_entries(w, root);
	w->entries = count <= WORKSPACE_MAX_ENTRIES ? arena_new_array(f->arena, count + 1, struct workspace_entry) : NULL;
	for (struct node *map = root->first; map && w->entries; map = map->next) {
		const struct kind *k = kind_of_plural(w, map->key);
		if (!k || map->type != NODE_MAP || !workspace_index_room(w, k, map->count))
			continue;
		if (k->single)
			add_name(w, k, map, f);
		for (struct node *n = k->single ? NULL : map->first; n; n = n->next)
			add_name(w, k, n, f);
	}
}
