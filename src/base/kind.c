// SPDX-License-Identifier: Apache-2.0
// Decoding by tables: see kind.h. What single scalars look like stands in kind_values.c.
#include "base/kind.h"

#include <string.h>

#include "base/kind_impl.h"
#include "base/kind_scalars.h"

static void decode_map(struct decoder *d, const struct kind *k, const struct node *map, void *out);

struct str kind_path_of(const struct decoder *d, const struct node *n)
{
	return node_path(n, d->f->arena);
}

void kind_no_memory(const struct decoder *d, const struct node *n)
{
	findings_add(d->f, n->at, S(""), S(""), "out of memory");
}

// What was written, for messages: cut, and without control characters.
struct str kind_shown(const struct decoder *d, const struct node *n)
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

void kind_wrong_type(const struct decoder *d, const struct field *field, const struct node *n)
{
	AUTO(buf) expected = {0};
	kind_expected(field, &expected);
	// The value of a secret may be the secret itself, by mistake.
	struct str got = field->flags & FIELD_SECRET ? S("something else") : kind_shown(d, n);
	findings_add(d->f, n->at, kind_path_of(d, n), suggestion_for(d, field, n), "expected %s, got %.*s",
		buf_cstr(&expected), STR(got));
}

static void decode_scalar(struct decoder *d, const struct field *field, const struct node *n, void *place)
{
	if (n->type != NODE_SCALAR || !kind_read_scalar(field, n, place))
		kind_wrong_type(d, field, n);
}

static void decode_blocks(struct decoder *d, const struct field *field, const struct node *n, void *place)
{
	struct field_list *list = place;
	bool named = field->type == FIELD_NAMED;
	if (n->type != (named ? NODE_MAP : NODE_LIST)) {
		kind_wrong_type(d, field, n);
		return;
	}
	char *items = arena_alloc_array(d->arena, n->count, field->block->size);
	if (!items) {
		kind_no_memory(d, n);
		return;
	}
	size_t i = 0;
	for (const struct node *child = n->first; child; child = child->next)
		decode_map(d, field->block, child, items + field->block->size * i++);
	*list = (struct field_list){.items = items, .count = i};
}

static void decode_custom(struct decoder *d, const struct field *field, const struct node *n, void *place)
{
	size_t before = d->f->count;
	if (!field->parse(n, place, d->f) && d->f->count == before)
		findings_add(d->f, n->at, kind_path_of(d, n), S(""), "not understood");
}

void kind_decode_value(struct decoder *d, const struct field *field, const struct node *n, void *place)
{
	if (kind_is_scalar(field->type)) {
		decode_scalar(d, field, n, place);
		return;
	}
	switch ((int)field->type) {
	case FIELD_CLOUDS:
		kind_decode_clouds(d, field, n, place);
		return;
	case FIELD_CLOUD:
		kind_decode_cloud(d, field, n, place);
		return;
	case FIELD_REFS:
		kind_decode_refs(d, field, n, place);
		return;
	case FIELD_PLACES:
		kind_decode_places(d, field, n, place);
		return;
	case FIELD_LABELS:
		kind_decode_labels(d, field, n, place);
		return;
	case FIELD_LIST:
		kind_decode_list(d, field, n, place);
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
	case FIELD_CUSTOM:
		decode_custom(d, field, n, place);
		return;
	default:
		return;
	}
}

static void decode_key(struct decoder *d, const struct node *map, struct str *place)
{
	*place = map->key;
	if (map->key.n && !name_valid(map->key))
		findings_add(d->f, map->key_at, kind_path_of(d, map), S(""),
			"\"%.*s\" is no name: letters, digits, '-', '_' and '.', a letter or digit first, at most 63",
			STR(str_clip(map->key, 80)));
}

static void decode_missing(struct decoder *d, const struct field *field, const struct node *map)
{
	AUTO(buf) expected = {0};
	kind_expected(field, &expected);
	findings_add(d->f, map->at.line ? map->at : map->key_at, kind_path_of(d, map), S(""),
		"\"%s\" is missing; expected %s", field->name, buf_cstr(&expected));
}

static void decode_absent(struct decoder *d, const struct field *field, const struct node *map, char *place)
{
	struct node plain;
	if (map && (field->flags & FIELD_REQUIRED)) {
		decode_missing(d, field, map);
	} else if (field->type == FIELD_BLOCK) {
		decode_map(d, field->block, NULL, place);
	} else if (field->otherwise && kind_default_is_plain(field)) {
		plain = (struct node){.type = NODE_SCALAR, .text = str_of(field->otherwise)};
		kind_decode_value(d, field, &plain, place);
	} else if (field->otherwise) {
		const struct node *otherwise = kind_default_node(field, d->f);
		if (otherwise)
			kind_decode_value(d, field, otherwise, place);
	}
}

// The members of a map in the order of the rows; names that no row has are found.
struct members {
	const struct node *at[KIND_MAX_FIELDS];
	bool one_cloud; // `cloud:` was written
};

static bool is_common(const struct kind *k, struct str name)
{
	return k->plural && !k->no_resource && kind_row(&resource_common_kind, name, 0) < resource_common_kind.field_count;
}

static struct str field_name_at(const void *ctx, size_t i)
{
	const struct kind *k = ctx;
	size_t own = k->field_count;
	if (i < own)
		return kind_is_written(&k->fields[i]) ? str_of(k->fields[i].name) : S("");
	return str_of(resource_common_kind.fields[i - own].name);
}

static void unknown_name(struct decoder *d, const struct kind *k, const struct node *child)
{
	bool resource = k->plural && !k->no_resource;
	size_t count = k->field_count + (resource ? resource_common_kind.field_count : 0);
	struct str meant = str_closest(child->key, field_name_at, k, count);
	findings_add(d->f, child->key_at.line ? child->key_at : child->at, kind_path_of(d, child), did_you_mean(d, meant),
		"%s has no field \"%.*s\"", k->singular, STR(str_clip(child->key, 80)));
	d->unknown++;
}

static void find_members(struct decoder *d, const struct kind *k, const struct node *map, struct members *out)
{
	size_t next = 0; // people keep to the order of the manual, more or less
	for (const struct node *child = map->first; child && d->f->count < FINDINGS_MAX; child = child->next) {
		size_t row = kind_row(k, child->key, next);
		if (row < k->field_count) {
			out->at[row] = out->at[row] ? out->at[row] : child;
			out->one_cloud = out->one_cloud || k->fields[row].type == FIELD_CLOUD;
			next = row + 1;
		} else if (!is_common(k, child->key)) {
			unknown_name(d, k, child);
		}
	}
}

static void decode_field(struct decoder *d, const struct field *field, const struct node *map, const struct node *n,
	char *place)
{
	if (field->type == FIELD_PRESENT) {
		*(bool *)place = map != NULL;
	} else if (field->type == FIELD_KEY) {
		if (map)
			decode_key(d, map, (struct str *)(void *)place);
	} else if (n && n->type != NODE_NULL) {
		kind_decode_value(d, field, n, place);
	} else {
		decode_absent(d, field, map, place);
	}
}

static size_t wrong_values(const struct decoder *d)
{
	return d->f->count - d->unknown; // unknown names leave the struct whole
}

// `clouds:` may be absent beside `cloud:`, which fills the same member.
static bool is_given_by_cloud(const struct members *m, const struct field *field, size_t row)
{
	return m->one_cloud && field->type == FIELD_CLOUDS && !m->at[row];
}

static bool is_repeated_cloud(const struct members *m, const struct kind *k, size_t row)
{
	return m->one_cloud && k->fields[row].type == FIELD_CLOUDS && m->at[row];
}

static uint64_t decode_rows(struct decoder *d, const struct kind *k, const struct node *map, char *out)
{
	struct members m = {0};
	uint64_t wrong = 0;
	if (map)
		find_members(d, k, map, &m);
	for (size_t i = 0; i < k->field_count; i++) {
		size_t before = wrong_values(d);
		const struct field *field = &k->fields[i];
		if (is_repeated_cloud(&m, k, i))
			findings_add(d->f, m.at[i]->key_at, kind_path_of(d, m.at[i]), S(""),
				"write either cloud: or clouds:, not both");
		else if (!is_given_by_cloud(&m, field, i))
			decode_field(d, field, map, m.at[i], out + field->offset);
		if (wrong_values(d) != before)
			wrong |= UINT64_C(1) << i;
	}
	return wrong;
}

// Everything of one table. map NULL: defaults only; such a block is not there, so nothing in it is required.
static void decode_map(struct decoder *d, const struct kind *k, const struct node *map, void *out)
{
	if (map && map->type != NODE_MAP && map->type != NODE_NULL) {
		struct str got = kind_shown(d, map);
		findings_add(d->f, map->at, kind_path_of(d, map), S(""), "expected a map of the fields of %s, got %.*s",
			k->singular, STR(got));
		return;
	}
	struct kind_check check = {.kind = k, .value = out, .map = map, .f = d->f};
	check.wrong = decode_rows(d, k, map, out);
	if (map && k->check)
		k->check(&check);
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

// Most differ in the first byte already.
static bool is_name(const struct field *field, struct str name)
{
	return field->name[0] == name.p[0] && str_eq(str_of(field->name), name) && kind_is_written(field);
}

size_t kind_row(const struct kind *k, struct str name, size_t from)
{
	for (size_t i = from; name.n && i < k->field_count; i++)
		if (is_name(&k->fields[i], name))
			return i;
	for (size_t i = 0; name.n && i < MIN(from, k->field_count); i++)
		if (is_name(&k->fields[i], name))
			return i;
	return k->field_count;
}

const struct field *kind_field(const struct kind *k, struct str name)
{
	size_t row = kind_row(k, name, 0);
	if (row < k->field_count)
		return &k->fields[row];
	return is_common(k, name) ? kind_field(&resource_common_kind, name) : NULL;
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
