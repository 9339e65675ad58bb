// SPDX-License-Identifier: Apache-2.0
// The canonical written form of an entry: what its kind's table says, in the order of the table, defaults included, so
// that two files that mean the same give the same JSON. What only its room can read (with:, custom fields) stays as
// written.
#include "infra/workspace_impl.h"

#include <string.h>

#include "base/kind_scalars.h"

struct writer {
	const struct written_resolver *r; // NULL: as written
	const struct workspace *w;        // keeps what defaults become; NULL: nobody does
	struct arena *arena;
};

static json_t *table_json(const struct writer *w, const struct kind *k, const struct node *map);

static void tell_need(const struct writer *w, struct str kind, struct str name)
{
	if (w->r && w->r->needs && kind.n && name.n)
		w->r->needs(w->r->ctx, kind, name);
}

static json_t *text_json(const struct node *n)
{
	return n->type == NODE_SCALAR ? json_of_str(n->text) : node_to_json(n);
}

// "lake" becomes "encryption-key/lake"; what is behind the name ("@champion", "/train") stays.
static json_t *reference_json(const struct writer *w, const struct field *field, const struct node *n)
{
	if (n->type != NODE_SCALAR || !w->r)
		return text_json(n);
	struct reference ref = workspace_reference(w->r->w, field, n->text);
	if (!(field->flags & FIELD_SOFT))
		tell_need(w, ref.kind, ref.name);
	bool whole = str_starts(n->text, ref.kind) && n->text.n > ref.kind.n && n->text.p[ref.kind.n] == '/';
	if (!ref.kind.n || whole)
		return json_of_str(n->text);
	const struct str parts[] = {ref.kind, S("/"), n->text};
	return json_of_str(arena_join(w->arena, parts, COUNT_OF(parts)));
}

static json_t *references_json(const struct writer *w, const struct field *field, const struct node *n)
{
	if (n->type != NODE_LIST && n->type != NODE_MAP)
		return reference_json(w, field, n);
	json_t *out = n->type == NODE_LIST ? json_array() : json_object();
	for (const struct node *m = n->first; m; m = m->next) {
		json_t *one = references_json(w, field, m);
		if (n->type == NODE_LIST)
			json_array_append_new(out, one);
		else
			json_object_setn_new(out, m->key.p, m->key.n, one);
	}
	return out;
}

static json_t *all_clouds(const struct writer *w)
{
	json_t *list = json_array();
	for (size_t i = 0; i < w->r->w->entry_count; i++) {
		const struct workspace_entry *e = &w->r->w->entries[i];
		if (strcmp(e->kind->singular, "cloud") != 0)
			continue;
		tell_need(w, S("cloud"), e->name);
		json_array_append_new(list, json_of_str(e->name));
	}
	return list;
}

static json_t *clouds_json(const struct writer *w, const struct node *n)
{
	if (!w->r)
		return node_to_json(n);
	if (w->r->cloud.n) { // of a resource on one cloud: another cloud in the list is none of its business
		tell_need(w, S("cloud"), w->r->cloud);
		json_t *one = json_array();
		json_array_append_new(one, json_of_str(w->r->cloud));
		return one;
	}
	if (n->type == NODE_SCALAR && str_eq(n->text, S("all")))
		return all_clouds(w);
	json_t *list = json_array();
	for (const struct node *m = n->type == NODE_LIST ? n->first : n; m; m = n->type == NODE_LIST ? m->next : NULL) {
		tell_need(w, S("cloud"), m->text);
		json_array_append_new(list, json_of_str(m->text));
	}
	return list;
}

static json_t *value_json(const struct writer *w, const struct field *field, enum field_type type, const struct node *n)
{
	struct field item = *field;
	item.type = type;
	if (type == FIELD_REF)
		return reference_json(w, field, n);
	if (type == FIELD_REFS)
		return references_json(w, field, n);
	if (type == FIELD_CLOUDS)
		return clouds_json(w, n);
	if (type == FIELD_BLOCK)
		return table_json(w, field->block, n);
	return scalar_to_normal(&item, n);
}

static json_t *list_json(const struct writer *w, const struct field *field, const struct node *n)
{
	json_t *list = json_array();
	for (const struct node *m = n->type == NODE_LIST ? n->first : NULL; m; m = m->next) {
		enum field_type type = field->type == FIELD_LIST ? field->item : FIELD_BLOCK;
		json_array_append_new(list, value_json(w, field, type, m));
	}
	return list;
}

static json_t *named_json(const struct writer *w, const struct field *field, const struct node *n)
{
	json_t *map = json_object();
	for (const struct node *m = n->type == NODE_MAP ? n->first : NULL; m; m = m->next) {
		char *name = arena_cstr(w->arena, m->key);
		if (name)
			json_object_set_new(map, name, table_json(w, field->block, m));
	}
	return map;
}

static json_t *field_json(const struct writer *w, const struct field *field, const struct node *n)
{
	if (field->type == FIELD_NAMED)
		return named_json(w, field, n);
	if ((field->type == FIELD_LIST || field->type == FIELD_BLOCKS) && n->type == NODE_LIST)
		return list_json(w, field, n);
	return value_json(w, field, field->type, n);
}

// A default is text as the user would write it, so it is read as such.
static json_t *read_default(const struct writer *w, const struct field *field)
{
	struct findings ignored = {.arena = w->arena};
	struct node *n = NULL;
	if (node_parse_yaml(str_of(field->otherwise), "default", &ignored, &n) < 0 || !n) {
		struct node plain = {.type = NODE_SCALAR, .text = str_of(field->otherwise)};
		return field_json(w, field, &plain);
	}
	return field_json(w, field, n);
}

// Whether the default is the same for every entry: then all share one value.
static bool is_constant(const struct field *field)
{
	return field->type != FIELD_REF && field->type != FIELD_CLOUDS && !field->block && field->item != FIELD_REF;
}

static json_t *default_json(const struct writer *w, const struct field *field)
{
	if (!w->w || !is_constant(field))
		return read_default(w, field);
	json_t *known = workspace_known_default(w->w, field);
	if (known)
		return json_incref(known);
	json_t *made = read_default(w, field);
	if (made)
		workspace_keep_default(w->w, field, json_incref(made));
	return made;
}

// The one bucket of rule 12 stands in for a `bucket:` that was not written.
static json_t *absent_json(const struct writer *w, const struct kind *k, const struct field *field, const struct node *map)
{
	if (field->otherwise)
		return default_json(w, field);
	bool is_bucket = field->type == FIELD_REF && strcmp(field->name, "bucket") == 0 &&
			 str_eq(str_of(field->refers), S("bucket"));
	struct str why = {0};
	if (!w->r || !is_bucket || workspace_needs_no_place(k, map))
		return NULL;
	struct str only = workspace_followed_bucket(w->r->w, k, map);
	if (!only.n)
		only = workspace_only_bucket(w->r->w, &why);
	if (!only.n)
		return NULL;
	tell_need(w, S("bucket"), only);
	return json_of_str(arena_printf(w->arena, "bucket/%.*s", STR(only)));
}

static json_t *table_json(const struct writer *w, const struct kind *k, const struct node *map)
{
	if (map->type != NODE_MAP && map->type != NODE_NULL)
		return node_to_json(map);
	json_t *out = json_object();
	for (size_t i = 0; i < k->field_count; i++) {
		const struct field *field = &k->fields[i];
		if (field->type == FIELD_KEY || field->type == FIELD_PRESENT)
			continue;
		const struct node *n = node_member(map, str_of(field->name));
		bool absent = !n || n->type == NODE_NULL;
		json_t *value = absent ? absent_json(w, k, field, map) : field_json(w, field, n);
		if (value)
			json_object_set_new(out, field->name, value);
	}
	return out;
}

json_t *workspace_resolved(
	const struct kind *k, const struct node *map, struct arena *a, const struct written_resolver *r)
{
	struct writer w = {.r = r, .w = r->w, .arena = a};
	return table_json(&w, k, map);
}

void workspace_write_inputs(const struct workspace *w, struct arena *a, struct resource *r)
{
	const struct workspace_entry *e = workspace_find(w, r->kind, r->name);
	struct writer writer = {.arena = a};
	if (!r->written && e && e->decoded)
		r->written = json_in_arena(a, table_json(&writer, e->kind, e->node));
}
