// SPDX-License-Identifier: Apache-2.0
// From the merged map to entries: workspace-level keys, defaults per kind, each declared thing by its kind's table,
// environments.
#include "infra/workspace_impl.h"
#include "infra/workspace_top.h"

#include <string.h>

// What stands at the top of a workspace beside the kinds.
static const char *const top_keys[] = {"isobar", "workspace", "environments", "defaults"};

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

static void add_copy(struct node *map, const struct node *member, struct arena *a)
{
	struct node *copy = arena_new(a, struct node);
	if (!copy)
		return;
	*copy = *member;
	copy->parent = map;
	copy->next = map->first;
	map->first = copy;
	map->count++;
}

static void missing_key(const struct node *root, struct findings *f, const char *key, const char *hint)
{
	findings_add(f, (struct position){.file = root->at.file, .line = 1, .column = 1}, str_of(key), str_of(hint),
		"is missing");
}

static void copy_member(struct node *map, const struct node *root, const char *key, struct arena *a)
{
	const struct node *n = node_member(root, str_of(key));
	if (n)
		add_copy(map, n, a);
}

// The keys that are no kinds, through a table of their own, so that they are checked as everything else.
static void read_top(struct workspace *w, const struct node *root, struct findings *f)
{
	struct workspace_top top;
	struct node map = {.type = NODE_MAP, .at = root->at};
	if (!node_member(root, S("isobar")))
		missing_key(root, f, "isobar", "write \"isobar: 1\", the version of the format, at the top");
	if (!node_member(root, S("workspace")))
		missing_key(root, f, "workspace", "write \"workspace: NAME\" below \"isobar: 1\"");
	if (f->count)
		return;
	copy_member(&map, root, "workspace", f->arena);
	copy_member(&map, root, "isobar", f->arena);
	if (kind_decode(&workspace_top_kind, &map, f->arena, &top, f) == 0)
		w->name = top.workspace;
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

static bool name_is_valid(struct str name)
{
	if (name.n == 0 || name.n > 63)
		return false;
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];
		bool first = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
		if (!first && (i == 0 || !strchr("-_.", c)))
			return false;
	}
	return true;
}

// `defaults: {buckets: {...}}`: members that the entry lacks. The entry's own always win.
static void add_defaults(const struct node *root, const struct kind *k, struct node *entry, struct arena *a)
{
	const struct node *defaults = node_member(root, S("defaults"));
	const struct node *of_kind = defaults ? node_member(defaults, str_of(k->plural)) : NULL;
	for (const struct node *n = of_kind ? of_kind->first : NULL; n; n = n->next) {
		if (!node_member(entry, n->key))
			add_copy(entry, n, a);
	}
}

static void decode_entry(struct workspace *w, const struct kind *k, struct node *n, struct findings *f)
{
	struct workspace_entry *e = &w->entries[w->entry_count];
	*e = (struct workspace_entry){.kind = k, .name = n->key, .node = n, .value = arena_alloc(f->arena, k->size)};
	w->entry_count++;
	bool named = name_is_valid(n->key); // not every kind has a field for its name
	if (!named)
		findings_add(f, n->key_at, node_path(n, f->arena), (struct str){0},
			"\"%.*s\" is no name: letters, digits, '-', '_' and '.', a letter or digit first, at most 63",
			STR(n->key));
	if (!e->value || !entry_is_map(n, f) || kind_rewrite_cloud(k, n, f->arena) < 0)
		return;
	int common = k->no_resource ? 0 : kind_decode_common(k, n, f->arena, &e->common, f);
	e->decoded = kind_decode(k, n, f->arena, e->value, f) == 0 && common == 0 && named;
}

static void decode_kind(struct workspace *w, const struct node *root, struct node *map, struct findings *f)
{
	const struct kind *k = kind_of_plural(w, map->key);
	if (map->type == NODE_NULL)
		return;
	if (map->type != NODE_MAP) {
		findings_add(f, map->at, map->key, (struct str){0}, "expected a map: names, each with its fields");
		return;
	}
	for (struct node *n = map->first; n; n = n->next) {
		if (n->type == NODE_MAP || n->type == NODE_NULL)
			add_defaults(root, k, n, f->arena);
		decode_entry(w, k, n, f);
	}
}

static void decode_environments(struct workspace *w, struct node *map, struct findings *f)
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

// Defaults name kinds, too; their fields are checked where they are used, and here when the kind has no entry at all.
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
		if (!k) {
			unknown_key(w, n, f);
			continue;
		}
		const struct node *used = node_member(root, n->key);
		for (const struct node *m = used && used->count ? NULL : n->first; m; m = m->next) {
			if (!kind_field(k, m->key))
				findings_add(f, m->key_at, node_path(m, f->arena), (struct str){0},
					"the kind has no such field");
		}
	}
}

static size_t count_entries(const struct workspace *w, const struct node *root)
{
	size_t n = 0;
	for (const struct node *m = root->first; m; m = m->next)
		n += kind_of_plural(w, m->key) && m->type == NODE_MAP ? m->count : 0;
	return n;
}

void workspace_decode(struct workspace *w, struct node *root, struct findings *f)
{
	read_top(w, root, f);
	check_defaults(w, root, f);
	decode_environments(w, node_member(root, S("environments")), f);
	size_t count = count_entries(w, root);
	if (count > WORKSPACE_MAX_ENTRIES) {
		findings_add(f, root->at, (struct str){0}, (struct str){0}, "declares more than %d things",
			WORKSPACE_MAX_ENTRIES);
		return;
	}
	w->entries = arena_new_array(f->arena, count + 1, struct workspace_entry);
	for (struct node *n = root->first; n && w->entries; n = n->next) {
		if (kind_of_plural(w, n->key))
			decode_kind(w, root, n, f);
		else if (!is_top_key(n->key))
			unknown_key(w, n, f);
	}
}
