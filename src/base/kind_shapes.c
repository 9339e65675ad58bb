// SPDX-License-Identifier: Apache-2.0
// Decoding of what is more than one scalar and less than a table: lists, clouds, places, labels, references. Part of
// kind.c, which calls it.
#include "base/kind_impl.h"
#include "base/kind_scalars.h"

void kind_decode_list(struct decoder *d, const struct field *field, const struct node *n, void *place)
{
	struct field_list *list = place;
	struct field item = kind_item_field(field);
	size_t size = kind_type_size(&item);
	if (n->type != NODE_LIST) {
		kind_wrong_type(d, field, n);
		return;
	}
	char *items = arena_alloc_array(d->arena, n->count, size);
	if (!items) {
		kind_no_memory(d, n);
		return;
	}
	size_t i = 0;
	for (const struct node *child = n->first; child; child = child->next)
		kind_decode_value(d, &item, child, items + size * i++);
	*list = (struct field_list){.items = items, .count = i};
}

static void check_repeated(const struct decoder *d, const struct node *list)
{
	for (const struct node *child = list->first; child; child = child->next)
		for (const struct node *other = list->first; other != child; other = other->next)
			if (child->type == NODE_SCALAR && other->type == NODE_SCALAR &&
				str_eq(child->text, other->text)) {
				findings_add(d->f, child->at, kind_path_of(d, child), S(""),
					"\"%.*s\" stands in the list twice", STR(str_clip(child->text, 63)));
				break;
			}
}

void kind_decode_clouds(struct decoder *d, const struct field *field, const struct node *n, void *place)
{
	enum { MOST = 1000 }; // clouds of one workspace; the search for repetitions is quadratic
	struct field_list *list = place;
	if (n->type == NODE_SCALAR && str_eq(n->text, S("all"))) {
		*list = (struct field_list){.all = true};
		return;
	}
	if (n->type != NODE_LIST || n->count == 0 || n->count > MOST) {
		kind_wrong_type(d, field, n);
		return;
	}
	kind_decode_list(d, field, n, place);
	check_repeated(d, n);
}

void kind_decode_cloud(struct decoder *d, const struct field *field, const struct node *n, void *place)
{
	struct str *name = arena_new(d->arena, struct str);
	if (!name)
		kind_no_memory(d, n);
	else if (n->type != NODE_SCALAR || !name_valid(n->text))
		kind_wrong_type(d, field, n);
	else
		*name = n->text;
	if (name && name->n)
		*(struct field_list *)place = (struct field_list){.items = name, .count = 1};
}

static void decode_label(struct decoder *d, const struct node *n, struct field_label *out)
{
	enum { MOST = 255 }; // what the strictest of the providers takes
	if (!name_valid(n->key) || n->type != NODE_SCALAR || n->text.n > MOST) {
		struct str got = kind_shown(d, n);
		findings_add(d->f, n->at, kind_path_of(d, n), S(""),
			"expected a label: a name with a text of at most 255 bytes, got %.*s", STR(got));
		return;
	}
	*out = (struct field_label){.name = n->key, .value = n->text};
}

void kind_decode_labels(struct decoder *d, const struct field *field, const struct node *n, void *place)
{
	if (n->type != NODE_MAP) {
		kind_wrong_type(d, field, n);
		return;
	}
	struct field_label *items = arena_new_array(d->arena, n->count, struct field_label);
	if (!items) {
		kind_no_memory(d, n);
		return;
	}
	size_t i = 0;
	for (const struct node *child = n->first; child; child = child->next)
		decode_label(d, child, &items[i++]);
	*(struct field_list *)place = (struct field_list){.items = items, .count = i};
}

// ---------------------------------------------------------------- places
// A country (ISO 3166) or the EU; which codes there are is the business of the room that knows places.
static bool is_place(const struct node *n)
{
	struct str s = n->text;
	return n->type == NODE_SCALAR && s.n == 2 && s.p[0] >= 'A' && s.p[0] <= 'Z' && s.p[1] >= 'A' && s.p[1] <= 'Z';
}

static bool add_place(struct decoder *d, const struct field *field, const struct node *n, struct str *out)
{
	if (is_place(n))
		*out = n->text;
	else
		kind_wrong_type(d, field, n);
	return is_place(n);
}

void kind_decode_places(struct decoder *d, const struct field *field, const struct node *n, void *place)
{
	enum { MOST = 300 }; // more than there are countries
	if (n->type == NODE_SCALAR && str_eq(n->text, S("anywhere"))) {
		*(struct field_list *)place = (struct field_list){.all = true};
		return;
	}
	bool list = n->type == NODE_LIST;
	if (n->type == NODE_MAP || (list && (n->count == 0 || n->count > MOST))) {
		kind_wrong_type(d, field, n);
		return;
	}
	struct str *items = arena_new_array(d->arena, list ? n->count : 1, struct str);
	if (!items) {
		kind_no_memory(d, n);
		return;
	}
	size_t good = 0;
	for (const struct node *m = list ? n->first : n; m; m = list ? m->next : NULL)
		good += add_place(d, field, m, &items[good]);
	*(struct field_list *)place = (struct field_list){.items = items, .count = good};
	if (list)
		check_repeated(d, n);
}

// ---------------------------------------------------------------- references
struct refs {
	struct decoder *d;
	const struct field *field;
	struct field_named_ref *items;
	size_t count;
};

static size_t count_scalars(const struct node *n)
{
	size_t count = n->type == NODE_SCALAR;
	for (const struct node *m = n->first; m; m = m->next)
		count += count_scalars(m);
	return count;
}

// One reference or a list of them.
static void add_refs(struct refs *r, const struct node *n, struct str name)
{
	if (n->type == NODE_LIST && n->count) {
		for (const struct node *m = n->first; m; m = m->next)
			if (m->type == NODE_LIST)
				kind_wrong_type(r->d, r->field, m);
			else
				add_refs(r, m, name);
		return;
	}
	struct field_named_ref one = {.name = name};
	if (n->type == NODE_SCALAR && ref_parse(n->text, r->field->refers, &one.ref) == 0)
		r->items[r->count++] = one;
	else
		kind_wrong_type(r->d, r->field, n);
}

static bool is_allowed_name(const struct field *field, struct str name)
{
	for (const char *const *choice = field->choices; choice && *choice; choice++)
		if (str_eq(name, str_of(*choice)))
			return true;
	return !field->choices && name_valid(name);
}

static void add_named(struct refs *r, const struct node *n)
{
	if (is_allowed_name(r->field, n->key)) {
		add_refs(r, n, n->key);
		return;
	}
	struct decoder *d = r->d;
	struct str suggestion = r->field->choices ? arena_printf(d->f->arena, "write \"%s\"", r->field->choices[0]) : S("");
	findings_add(d->f, n->key_at, kind_path_of(d, n), suggestion, "\"%.*s\" is no name for it",
		STR(str_clip(n->key, 80)));
}

void kind_decode_refs(struct decoder *d, const struct field *field, const struct node *n, void *place)
{
	struct refs r = {.d = d, .field = field};
	r.items = arena_new_array(d->arena, count_scalars(n) + 1, struct field_named_ref);
	if (!r.items) {
		kind_no_memory(d, n);
		return;
	}
	if (n->type == NODE_MAP && n->count)
		for (const struct node *m = n->first; m; m = m->next)
			add_named(&r, m);
	else
		add_refs(&r, n, S(""));
	*(struct field_list *)place = (struct field_list){.items = r.items, .count = r.count};
}
