// SPDX-License-Identifier: Apache-2.0
// Finding the entries of a workspace by kind and name, kinds by name, and the one bucket of a cloud: by hash, since there
// may be a hundred thousand of them.
#include <string.h>

#include "base/str_map.h"
#include "infra/workspace_impl.h"

struct kind_index {
	const struct kind *kind;
	struct str_map names; // -> struct workspace_entry
};

struct workspace_index {
	struct str_map kinds; // singular -> struct kind_index
	struct workspace_entry **clouds;
	size_t cloud_count;
	struct str_map defaults; // the bytes of a row's address -> json_t, in the workspace's arena
	size_t compared;  // names, for suggestions
	bool bucket_known; // only_bucket and why are filled
	struct str only_bucket, why;
};

static struct kind_index *kind_index(const struct workspace *w, struct str singular)
{
	return w->index ? str_map_get(&w->index->kinds, singular) : NULL;
}

bool workspace_index_make(struct workspace *w)
{
	struct workspace_index *index = arena_new(w->arena, struct workspace_index);
	size_t count = 0;
	while (w->options->kinds[count])
		count++;
	if (!index || !str_map_init(&index->kinds, w->arena, count) || !str_map_init(&index->defaults, w->arena, 256))
		return false;
	for (size_t i = 0; i < count; i++) {
		struct kind_index *one = arena_new(w->arena, struct kind_index);
		if (!one)
			return false;
		one->kind = w->options->kinds[i];
		one->names.arena = w->arena;
		if (!str_map_put(&index->kinds, str_of(one->kind->singular), one))
			return false;
	}
	w->index = index;
	return true;
}

bool workspace_index_room(struct workspace *w, const struct kind *k, size_t names)
{
	struct kind_index *one = kind_index(w, str_of(k->singular));
	return one && str_map_init(&one->names, w->arena, names);
}

struct workspace_entry *workspace_index_add(struct workspace *w, struct workspace_entry *e)
{
	struct kind_index *one = kind_index(w, str_of(e->kind->singular));
	struct workspace_entry *first = one ? str_map_get(&one->names, e->name) : NULL;
	if (first)
		return first;
	if (one)
		(void)str_map_put(&one->names, e->name, e);
	return NULL;
}

struct workspace_entry *workspace_find(const struct workspace *w, struct str singular, struct str name)
{
	const struct kind_index *one = kind_index(w, singular);
	return one ? str_map_get(&one->names, name) : NULL;
}

const struct kind *workspace_kind(const struct workspace *w, struct str singular)
{
	const struct kind_index *one = kind_index(w, singular);
	return one ? one->kind : NULL;
}

bool workspace_may_compare(const struct workspace *w, size_t names)
{
	enum { MOST = 2000000 };
	w->index->compared += names;
	return w->index->compared <= MOST;
}

// ---------------------------------------------------------------- defaults
json_t *workspace_known_default(const struct workspace *w, const struct field *field)
{
	return w->index ? str_map_get(&w->index->defaults, str_bytes(&field, sizeof(field))) : NULL;
}

void workspace_keep_default(const struct workspace *w, const struct field *field, json_t *value)
{
	const struct field **key = arena_new(w->arena, const struct field *);
	json_t *kept = json_in_arena(w->arena, value);
	if (!key || !kept || !w->index)
		return;
	*key = field;
	(void)str_map_put(&w->index->defaults, str_bytes(key, sizeof(*key)), kept);
}

// ---------------------------------------------------------------- clouds
bool workspace_index_clouds(struct workspace *w)
{
	struct workspace_index *index = w->index;
	const struct kind_index *clouds = kind_index(w, S("cloud"));
	index->clouds = arena_new_array(w->arena, (clouds ? clouds->names.count : 0) + 1, struct workspace_entry *);
	for (size_t i = 0; index->clouds && clouds && i < w->entry_count; i++) {
		struct workspace_entry *e = &w->entries[i];
		if (e->kind == clouds->kind && index->cloud_count < clouds->names.count)
			index->clouds[index->cloud_count++] = e;
	}
	return index->clouds != NULL;
}

struct workspace_entry **workspace_clouds(const struct workspace *w, size_t *count)
{
	*count = w->index->cloud_count;
	return w->index->clouds;
}

bool workspace_names_cloud(const struct node *clouds, struct str cloud)
{
	if (!clouds)
		return false;
	if (clouds->type == NODE_SCALAR)
		return str_eq(clouds->text, S("all")) || str_eq(clouds->text, cloud);
	for (const struct node *n = clouds->first; n; n = n->next) {
		if (str_eq(n->text, cloud))
			return true;
	}
	return false;
}

bool workspace_is_on(const struct workspace_entry *e, struct str cloud)
{
	return workspace_names_cloud(node_member(e->node, S("clouds")), cloud);
}

// ---------------------------------------------------------------- rule 12
const struct workspace_entry *workspace_bucket_on(
	const struct workspace *w, struct str cloud, const struct workspace_entry **second)
{
	const struct kind_index *buckets = kind_index(w, S("bucket"));
	const struct workspace_entry *found = NULL;
	for (size_t i = 0; buckets && i < w->entry_count && !*second; i++) {
		const struct workspace_entry *b = &w->entries[i];
		if (b->kind != buckets->kind || (b->common && str_eq(b->common->existing, S("keep"))) || !workspace_is_on(b, cloud))
			continue;
		*(found ? second : &found) = b;
	}
	return found;
}

static struct str find_only_bucket(const struct workspace *w, struct str *why)
{
	struct str only = {0};
	bool same = true, any = false;
	for (size_t i = 0; i < w->index->cloud_count; i++) {
		struct str cloud = w->index->clouds[i]->name;
		const struct workspace_entry *second = NULL, *b = workspace_bucket_on(w, cloud, &second);
		if (second) {
			*why = arena_printf(w->arena, "several buckets lie on %.*s (%.*s and %.*s)", STR(cloud), STR(b->name),
				STR(second->name));
			return (struct str){0};
		}
		same = same && (!b || !only.n || str_eq(b->name, only));
		only = b ? b->name : only;
		any = any || b;
	}
	if (!any)
		*why = S("no bucket is declared");
	return any && same ? only : (struct str){0};
}

struct str workspace_only_bucket(const struct workspace *w, struct str *why)
{
	struct workspace_index *index = w->index;
	if (!index->bucket_known) {
		index->only_bucket = find_only_bucket(w, &index->why);
		index->bucket_known = true;
	}
	*why = index->why;
	return index->only_bucket;
}
