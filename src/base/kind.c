// SPDX-License-Identifier: Apache-2.0
// Decoding by tables: see kind.h. What single scalars look like stands in kind_values.c.
#include "base/kind.h"

#include <string.h>

#include "base/kind_impl.h"
#include "base/kind_scalars.h"

struct decoder {
	struct arena *arena; // for lists and the like
	struct findings *f;
	size_t unknown; // findings about names that no field has
};

static void decode_map(struct decoder *d, const struct kind *k, const struct node *map, void *out);
static void decode_value(struct decoder *d, const struct field *field, const struct node *n, void *place);

static struct str path_of(const struct decoder *d, const struct node *n)
{
	return node_path(n, d->f->arena);
}

static void no_memory(const struct decoder *d, const struct node *n)
{
	findings_add(d->f, n->at, S(""), S(""), "out of memory");
}

// What was written, for messages: cut, and without control characters.
static struct str shown(const struct decoder *d, const struct node *n)
{
	enum { MOST = 60 };
	switch (n->type) {
	case NODE_LIST:
		return S("a list");
	case NODE_MAP:
		return S("a map");
	case NODE_NULL:
		return S("nothing");
	case NODE_SCALAR:
	default:
		break;
	}
	struct str text = str_clip(n->text, MOST);
	char *p = arena_cstr(d->f->arena, text);
	for (size_t i = 0; p && i < text.n; i++)
		if ((unsigned char)p[i] < ' ')
			p[i] = ' ';
	return arena_printf(
		d->f->arena, "%s\"%s%s\"", n->quoted ? "the text " : "", p ? p : "", n->text.n > MOST ? "..." : "");
}

struct choice_list {
	const char *const *choices;
};

static struct str choice_at(const void *ctx, size_t i)
{
	const struct choice_list *list = ctx;
	return str_of(list->choices[i]);
}

static struct str did_you_mean(const struct decoder *d, struct str meant)
{
	return meant.n ? arena_printf(d->f->arena, "did you mean \"%.*s\"?", STR(meant)) : S("");
}

static struct str suggestion_for(const struct decoder *d, const struct field *field, const struct node *n)
{
	if (n->type != NODE_SCALAR)
		return S("");
	if (field->type == FIELD_CHOICE) {
		struct choice_list list = {.choices = field->choices};
		size_t count = 0;
		while (field->choices[count])
			count++;
		return did_you_mean(d, str_closest(n->text, choice_at, &list, count));
	}
	bool number = field->type == FIELD_INTEGER || field->type == FIELD_NUMBER || field->type == FIELD_BOOL;
	struct node plain = *n;
	char value[16];
	plain.quoted = false;
	return number && n->quoted && kind_read_scalar(field, &plain, value) ? S("write it without quotes") : S("");
}

static void wrong_type(const struct decoder *d, const struct field *field, const struct node *n)
{
	AUTO(buf) expected = {0};
	kind_expected(field, &expected);
	// The value of a secret may be the secret itself, by mistake.
	struct str got = field->flags & FIELD_SECRET ? S("something else") : shown(d, n);
	findings_add(d->f, n->at, path_of(d, n), suggestion_for(d, field, n), "expected %s, got %.*s",
		buf_cstr(&expected), STR(got));
}

static void decode_scalar(struct decoder *d, const struct field *field, const struct node *n, void *place)
{
	if (n->type != NODE_SCALAR || !kind_read_scalar(field, n, place))
		wrong_type(d, field, n);
}

static void decode_list(struct decoder *d, const struct field *field, const struct node *n, void *place)
{
	struct field_list *list = place;
	struct field item = kind_item_field(field);
	size_t size = kind_type_size(&item);
	if (n->type != NODE_LIST) {
		wrong_type(d, field, n);
		return;
	}
	char *items = arena_alloc_array(d->arena, n->count, size);
	if (!items) {
		no_memory(d, n);
		return;
	}
	size_t i = 0;
	for (const struct node *child = n->first; child; child = child->next)
		decode_value(d, &item, child, items + size * i++);
	*list = (struct field_list){.items = items, .count = i};
}

static void check_repeated(const struct decoder *d, const struct node *list)
{
	for (const struct node *child = list->first; child; child = child->next)
		for (const struct node *other = list->first; other != child; other = other->next)
			if (child->type == NODE_SCALAR && other->type == NODE_SCALAR &&
				str_eq(child->text, other->text)) {
				findings_add(d->f, child->at, path_of(d, child), S(""),
					"\"%.*s\" stands in the list twice", STR(str_clip(child->text, 63)));
				break;
			}
}

static void decode_clouds(struct decoder *d, const struct field *field, const struct node *n, void *place)
{
	enum { MOST = 1000 }; // clouds of one workspace; the search for repetitions is quadratic
	struct field_list *list = place;
	if (n->type == NODE_SCALAR && str_eq(n->text, S("all"))) {
		*list = (struct field_list){.all = true};
		return;
	}
	if (n->type != NODE_LIST || n->count == 0 || n->count > MOST) {
		wrong_type(d, field, n);
		return;
	}
	decode_list(d, field, n, place);
	check_repeated(d, n);
}

static void decode_blocks(struct decoder *d, const struct field *field, const struct node *n, void *place)
{
	struct field_list *list = place;
	bool named = field->type == FIELD_NAMED;
	if (n->type != (named ? NODE_MAP : NODE_LIST)) {
		wrong_type(d, field, n);
		return;
	}
	char *items = arena_alloc_array(d->arena, n->count, field->block->size);
	if (!items) {
		no_memory(d, n);
		return;
	}
	size_t i = 0;
	for (const struct node *child = n->first; child; child = child->next)
		decode_map(d, field->block, child, items + field->block->size * i++);
	*list = (struct field_list){.items = items, .count = i};
}

static void decode_value(struct decoder *d, const struct field *field, const struct node *n, void *place)
{
	if (kind_is_scalar(field->type)) {
		decode_scalar(d, field, n, place);
		return;
	}
	switch ((int)field->type) {
	case FIELD_CLOUDS:
		decode_clouds(d, field, n, place);
		return;
	case FIELD_LIST:
		decode_list(d, field, n, place);
		return;
	case FIELD_BLOCK:
		decode_map(d, field->block, n, place);
		return;
	case FIELD_BLOCKS:
	case FIELD_NAMED:
		decode_blocks(d, field, n, place);
		return;
	case FIELD_ANY:
		*(const struct node **)place = n;
		return;
	case FIELD_CUSTOM: {
		size_t before = d->f->count;
		if (!field->parse(n, place, d->f) && d->f->count == before)
			findings_add(d->f, n->at, path_of(d, n), S(""), "not understood");
		return;
	}
	default:
		return;
	}
}

static void decode_key(struct decoder *d, const struct node *map, struct str *place)
{
	*place = map->key;
	if (map->key.n && !name_valid(map->key))
		findings_add(d->f, map->key_at, path_of(d, map), S(""),
			"\"%.*s\" is no name: letters, digits, '-', '_' and '.', a letter or digit first, at most 63",
			STR(str_clip(map->key, 80)));
}

static void decode_absent(struct decoder *d, const struct field *field, const struct node *map, char *place)
{
	if (map && (field->flags & FIELD_REQUIRED)) {
		AUTO(buf) expected = {0};
		kind_expected(field, &expected);
		findings_add(d->f, map->at.line ? map->at : map->key_at, path_of(d, map), S(""),
			"\"%s\" is missing; expected %s", field->name, buf_cstr(&expected));
		return;
	}
	if (field->type == FIELD_BLOCK) {
		decode_map(d, field->block, NULL, place);
		return;
	}
	const struct node *otherwise = field->otherwise ? kind_default_node(field, d->f) : NULL;
	if (otherwise)
		decode_value(d, field, otherwise, place);
}

static void decode_field(struct decoder *d, const struct field *field, const struct node *map, char *out)
{
	char *place = out + field->offset;
	if (field->type == FIELD_PRESENT) {
		*(bool *)place = map != NULL;
		return;
	}
	if (field->type == FIELD_KEY) {
		if (map)
			decode_key(d, map, (struct str *)(void *)place);
		return;
	}
	const struct node *n = map ? node_member(map, str_of(field->name)) : NULL;
	if (n && n->type != NODE_NULL)
		decode_value(d, field, n, place);
	else
		decode_absent(d, field, map, place);
}

static struct str field_name_at(const void *ctx, size_t i)
{
	const struct kind *k = ctx;
	return kind_is_written(&k->fields[i]) ? str_of(k->fields[i].name) : S("");
}

static void check_names(struct decoder *d, const struct kind *k, const struct node *map)
{
	for (const struct node *child = map->first; child && d->f->count < FINDINGS_MAX; child = child->next) {
		if (kind_field(k, child->key))
			continue;
		struct str meant = str_closest(child->key, field_name_at, k, k->field_count);
		findings_add(d->f, child->key_at.line ? child->key_at : child->at, path_of(d, child),
			did_you_mean(d, meant), "%s has no field \"%.*s\"", k->singular, STR(str_clip(child->key, 80)));
		d->unknown++;
	}
}

// Everything of one table. map NULL: defaults only; such a block is not there, so nothing in it is required.
static void decode_map(struct decoder *d, const struct kind *k, const struct node *map, void *out)
{
	size_t before = d->f->count, names_before = d->unknown;
	if (map && map->type != NODE_MAP && map->type != NODE_NULL) {
		struct str got = shown(d, map);
		findings_add(d->f, map->at, path_of(d, map), S(""), "expected a map of the fields of %s, got %.*s",
			k->singular, STR(got));
		return;
	}
	if (map)
		check_names(d, k, map);
	for (size_t i = 0; i < k->field_count; i++)
		decode_field(d, &k->fields[i], map, out);
	// Unknown names leave the struct whole, so that its values are checked all the same.
	if (map && k->check && d->f->count - before == d->unknown - names_before)
		k->check(out, map, d->f);
}

int kind_decode(const struct kind *k, const struct node *map, struct arena *a, void *out, struct findings *f)
{
	static const struct node empty = {.type = NODE_MAP};
	struct decoder d = {.arena = a, .f = f};
	size_t before = f->count;
	memset(out, 0, k->size);
	decode_map(&d, k, map ? map : &empty, out);
	return f->count > before ? ERR_INVALID : 0;
}

int kind_decode_json(const struct kind *k, const json_t *object, struct arena *a, void *out, struct err *e)
{
	struct findings f = {.arena = a};
	const struct node *map = node_of_json(object, a);
	if (!map)
		return err_set(e, ERR_NO_MEMORY, "decode %s: out of memory, or nested too deep", k->singular);
	if (kind_decode(k, map, a, out, &f) < 0 && findings_err(&f, ERR_CORRUPT, e) < 0)
		return err_context(e, "decode %s", k->singular);
	return 0;
}

const struct field *kind_field(const struct kind *k, struct str name)
{
	for (size_t i = 0; i < k->field_count; i++) {
		const struct field *field = &k->fields[i];
		if (kind_is_written(field) && str_eq(name, str_of(field->name)))
			return field;
	}
	return NULL;
}

const struct kind *kind_find(const struct kind *const *kinds, struct str plural_or_singular)
{
	for (; *kinds; kinds++)
		if (str_eq(plural_or_singular, str_of((*kinds)->plural)) ||
			str_eq(plural_or_singular, str_of((*kinds)->singular)))
			return *kinds;
	return NULL;
}

struct str kind_suggest(
	struct str written, struct str (*name_at)(const void *ctx, size_t i), const void *ctx, size_t count)
{
	return str_closest(written, name_at, ctx, count);
}
