// SPDX-License-Identifier: Apache-2.0
// Values of overrides by the rows of the tables. See override_field.h.
#include "infra/override_field.h"

static const struct field *find_row(const struct kind *kind, struct str path, const struct kind **owner)
{
	struct str name, rest;
	bool more = str_cut(path, '.', &name, &rest);
	const struct field *row = kind_field(kind, more ? name : path);
	*owner = kind;
	if (!row || !more)
		return row;
	return row->type == FIELD_BLOCK ? find_row(row->block, rest, owner) : NULL;
}

static void list_rows(const struct kind *kind, struct str prefix, struct buf *out)
{
	for (size_t i = 0; i < kind->field_count; i++) {
		const struct field *row = &kind->fields[i];
		AUTO(buf) path = {0};
		buf_printf(&path, "%.*s%s%s", STR(prefix), prefix.n ? "." : "", row->name);
		if (row->type == FIELD_BLOCK)
			list_rows(row->block, buf_str(&path), out);
		else if (row->flags & FIELD_BY_OPERATOR)
			buf_printf(out, "%s%.*s", buf_str(out).n ? ", " : "", STR(buf_str(&path)));
	}
}

static int refuse(const struct kind *kind, const struct field *row, struct str path, struct err *e)
{
	AUTO(buf) may = {0};
	list_rows(kind, S(""), &may);
	const char *these = buf_str(&may).n ? buf_cstr(&may) : "none";
	if (!row)
		return err_set(e, ERR_NOT_FOUND,
			"%s has no field \"%.*s\"; those that may be overridden while it runs: %s", kind->singular,
			STR(path), these);
	return err_set(e, ERR_DENIED,
		"%s of %s may not be overridden%s: change the workspace and apply it; those that may be: %s", row->name,
		kind->singular, row->flags & FIELD_BY_MONITOR ? " by a person, only by a monitor" : " while it runs",
		these);
}

static json_t *value_json(const struct field *row, const void *decoded, struct str text)
{
	switch ((int)row->type) {
	case FIELD_INTEGER:
		return json_integer(*(const int64_t *)decoded);
	case FIELD_NUMBER:
	case FIELD_PERCENT:
		return json_real(*(const double *)decoded);
	case FIELD_BOOL:
		return json_boolean(*(const bool *)decoded);
	default:
		return json_of_str(text);
	}
}

// The row alone is decoded, from what a user would write into the file.
static int decode(const struct kind *owner, const struct field *row, struct str text, struct arena *a, void **out)
{
	struct findings f = {.arena = a};
	struct kind one = {.singular = owner->singular, .size = owner->size, .fields = row, .field_count = 1};
	struct node *map = NULL;
	struct str yaml = arena_printf(a, "%s: %.*s\n", row->name, STR(text));
	*out = arena_alloc(a, owner->size);
	if (!yaml.p || !*out)
		return ERR_NO_MEMORY;
	int rc = node_parse_yaml(yaml, "value", &f, &map);
	if (rc == 0 && map && map->count != 1)
		rc = ERR_INVALID;
	return rc < 0 ? rc : kind_decode(&one, map, a, *out, &f);
}

int override_field_read(const struct kind *kind, struct str path, struct str text, json_t **value, struct err *e)
{
	AUTO(arena) arena = {0};
	const struct kind *owner;
	const struct field *row = find_row(kind, path, &owner);
	void *decoded;
	if (!row || !(row->flags & FIELD_BY_OPERATOR))
		return refuse(kind, row, path, e);
	int rc = text.n ? decode(owner, row, text, &arena, &decoded) : ERR_INVALID;
	if (rc == ERR_NO_MEMORY)
		return err_set(e, rc, "out of memory");
	if (rc < 0) {
		AUTO(buf) expected = {0};
		kind_expected(row, &expected);
		return err_set(e, ERR_INVALID, "%.*s of %s: expected %s, got \"%.*s\"", STR(path), kind->singular,
			buf_cstr(&expected), (int)MIN(text.n, 60), text.p);
	}
	*value = value_json(row, (const char *)decoded + row->offset, text);
	return *value ? 0 : err_set(e, ERR_NO_MEMORY, "out of memory");
}
