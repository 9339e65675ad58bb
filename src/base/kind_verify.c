// SPDX-License-Identifier: Apache-2.0
// kind_verify: see kind.h. Whatever a table can be wrong about and a compiler does not see.
#include <string.h>

#include "base/kind_impl.h"
#include "base/kind_scalars.h"

struct verify {
	const struct kind *const *kinds;
	struct err *err;
	int depth; // of blocks in blocks
};

enum { MAX_DEPTH = 16 }; // a table that holds itself would never end

static int verify_kind(struct verify *v, const struct kind *k);

static int bad(struct verify *v, const struct kind *k, const struct field *field, const char *problem)
{
	return err_set(v->err, ERR_INTERNAL, "table of %s, field %s: %s", k->singular ? k->singular : "?",
		field && field->name ? field->name : "-", problem);
}

// user/ and group/ come from identity providers, secret/ from the operator's file: no table declares them.
static bool is_known(const struct verify *v, struct str kind)
{
	return str_eq(kind, S("user")) || str_eq(kind, S("group")) || str_eq(kind, S("secret")) ||
	       kind_find(v->kinds, kind);
}

static int verify_refers(struct verify *v, const struct kind *k, const struct field *field)
{
	struct str rest = str_of(field->refers), one;
	if (!field->refers)
		return 0;
	while (str_next(&rest, '|', &one))
		if (!is_known(v, one))
			return bad(v, k, field, "refers to a kind that is not there");
	return 0;
}

static int verify_default(struct verify *v, const struct kind *k, const struct field *field)
{
	AUTO(arena) a = {0};
	struct findings f = {.arena = &a};
	struct field only = *field;
	if (!field->otherwise)
		return 0;
	if (field->flags & FIELD_REQUIRED)
		return bad(v, k, field, "is required and has a default");
	if (kind_is_block(field->type) || !kind_is_written(field))
		return bad(v, k, field, "is of a type that has no default");
	if (field->acts && kind_is_block(field->type))
		return bad(v, k, field, "is a block and lists values that this release acts on");
	// A table of this one row decodes an empty map: the default alone is read.
	struct kind row = {.singular = k->singular, .size = k->size, .fields = &only, .field_count = 1};
	void *value = arena_alloc(&a, k->size);
	if (!value || kind_decode(&row, NULL, &a, value, &f) < 0)
		return bad(v, k, field, "its default is not a value of its type");
	return 0;
}

static const char *problem_of(const struct kind *k, const struct field *field)
{
	bool list = field->type == FIELD_LIST;
	enum field_type type = list ? field->item : field->type;
	if (!field->name || !field->name[0])
		return "has no name";
	if (!field->help || !field->help[0] || strchr(field->help, '\n'))
		return "has no help of one line";
	if (kind_is_block(field->type) && !field->block)
		return "has no block";
	if (type == FIELD_CHOICE && (!field->choices || !field->choices[0]))
		return "has no choices";
	if (type == FIELD_CUSTOM && !field->parse)
		return "has no parse function";
	if (list && !kind_is_scalar(type) && !(type == FIELD_CUSTOM && field->item_size))
		return "is a list of what no list holds";
	if (field->type == FIELD_REFS && !field->refers)
		return "refers to no kind";
	if (field->flags & FIELD_SECRET && type != FIELD_TEXT)
		return "is a secret and no text";
	if (field->flags & FIELD_LATER && field->flags & FIELD_WAITS)
		return "is both recorded only and waited for";
	if ((field->acts || field->acting) && !(field->flags & (FIELD_LATER | FIELD_WAITS)))
		return "lists what this release acts on, and does not say that the rest is later";
	if (field->min > field->max)
		return "has bounds the wrong way round";
	size_t size = kind_type_size(field);
	return field->offset > k->size || size > k->size - field->offset ? "lies outside the struct" : NULL;
}

static bool has_clouds(const struct kind *k, const struct field *cloud)
{
	for (size_t i = 0; i < k->field_count; i++)
		if (k->fields[i].type == FIELD_CLOUDS && k->fields[i].offset == cloud->offset)
			return true;
	return false;
}

static int verify_field(struct verify *v, const struct kind *k, const struct field *field)
{
	const char *problem = problem_of(k, field);
	if (problem)
		return bad(v, k, field, problem);
	for (const struct field *other = k->fields; other != field; other++)
		if (strcmp(other->name, field->name) == 0)
			return bad(v, k, field, "stands there twice");
	if (field->follows && !kind_field(k, str_of(field->follows)))
		return bad(v, k, field, "follows a member that is not there");
	if (field->type == FIELD_CLOUD && !has_clouds(k, field))
		return bad(v, k, field, "is one cloud and has no row of clouds at its place");
	int rc = verify_refers(v, k, field);
	rc = rc < 0 ? rc : verify_default(v, k, field);
	return rc == 0 && kind_is_block(field->type) ? verify_kind(v, field->block) : rc;
}

static int verify_kind(struct verify *v, const struct kind *k)
{
	if (!k->singular || !k->help || !k->help[0] || k->size == 0 || v->depth > MAX_DEPTH)
		return bad(v, k, NULL, "no singular, help or size, or it holds itself");
	if (k->field_count > KIND_MAX_FIELDS)
		return bad(v, k, NULL, "has more rows than a check can tell apart");
	v->depth++;
	for (size_t i = 0; i < k->field_count; i++) {
		int rc = verify_field(v, k, &k->fields[i]);
		if (rc < 0)
			return rc;
	}
	v->depth--;
	return 0;
}

int kind_verify(const struct kind *const *kinds, struct err *e)
{
	struct verify v = {.kinds = kinds, .err = e};
	for (const struct kind *const *k = kinds; *k; k++) {
		if (!(*k)->plural)
			return bad(&v, *k, NULL, "has no plural");
		if (kind_find(kinds, str_of((*k)->plural)) != *k || kind_find(kinds, str_of((*k)->singular)) != *k)
			return bad(&v, *k, NULL, "its name belongs to another kind too");
		int rc = verify_kind(&v, *k);
		if (rc < 0)
			return rc;
	}
	return 0;
}
