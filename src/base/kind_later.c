// SPDX-License-Identifier: Apache-2.0
// What of an entry no code of this release acts on: see kind.h. A field counts when it is written and says something
// else than its default.
#include <string.h>

#include "base/kind_impl.h"
#include "base/kind_scalars.h"

struct later {
	struct buf *later, *waits;
	struct arena *arena;
};

static void collect(const struct later *l, const struct kind *k, const struct node *map, struct str prefix);

static void add_path(struct buf *out, struct str path)
{
	buf_printf(out, "%s%.*s", out->n ? ", " : "", STR(path));
}

static bool is_one_of(const char *const *choices, struct str text)
{
	for (; choices && *choices; choices++)
		if (str_eq(text, str_of(*choices)))
			return true;
	return false;
}

static bool same_as_default(const struct field *field, const struct node *n)
{
	if (!field->otherwise || !kind_default_is_plain(field))
		return false;
	const struct node otherwise = {.type = NODE_SCALAR, .text = str_of(field->otherwise)};
	json_t *written = scalar_to_normal(field, n), *def = scalar_to_normal(field, &otherwise);
	bool same = json_equal(written, def);
	json_decref(written);
	json_decref(def);
	return same;
}

// A written value that this release acts on all the same.
static bool is_acted_on(const struct field *field, const struct node *n)
{
	if (field->acting && field->acting(n))
		return true;
	return n->type == NODE_SCALAR && (is_one_of(field->acts, n->text) || same_as_default(field, n));
}

static struct str join(const struct later *l, struct str prefix, struct str name)
{
	return prefix.n ? arena_printf(l->arena, "%.*s.%.*s", STR(prefix), STR(name)) : name;
}

static void collect_children(const struct later *l, const struct field *field, const struct node *n, struct str path)
{
	size_t i = 0;
	if (field->type == FIELD_BLOCK) {
		collect(l, field->block, n, path);
		return;
	}
	for (const struct node *child = n->first; child; child = child->next, i++) {
		struct str inner = field->type == FIELD_NAMED
					   ? join(l, path, child->key)
					   : arena_printf(l->arena, "%.*s[%zu]", STR(path), i);
		collect(l, field->block, child, inner);
	}
}

static void collect_field(const struct later *l, const struct field *field, const struct node *n, struct str path)
{
	if (field->flags & (FIELD_LATER | FIELD_WAITS)) {
		if (!is_acted_on(field, n))
			add_path(field->flags & FIELD_WAITS ? l->waits : l->later, path);
	} else if (kind_is_block(field->type)) {
		collect_children(l, field, n, path);
	}
}

static void collect(const struct later *l, const struct kind *k, const struct node *map, struct str prefix)
{
	size_t next = 0;
	for (const struct node *n = map->type == NODE_MAP ? map->first : NULL; n; n = n->next) {
		size_t row = kind_row(k, n->key, next);
		if (row == k->field_count || n->type == NODE_NULL)
			continue;
		next = row + 1;
		const struct field *field = &k->fields[row];
		if ((field->flags & (FIELD_LATER | FIELD_WAITS)) || kind_is_block(field->type))
			collect_field(l, field, n, join(l, prefix, n->key));
	}
}

int kind_later(const struct kind *k, const struct node *map, struct arena *a, struct kind_later *out, struct err *e)
{
	AUTO(buf) later = {0};
	AUTO(buf) waits = {0};
	const struct later l = {.later = &later, .waits = &waits, .arena = a};
	if (k->waits)
		add_path(&waits, str_of(k->plural));
	else if (map)
		collect(&l, k, map, S(""));
	int rc = buf_check(&later, e);
	rc = rc < 0 ? rc : buf_check(&waits, e);
	if (rc < 0)
		return rc;
	struct kind_later made = {.later = S(""), .waits = S("")};
	if (later.n)
		made.later = arena_str(a, buf_str(&later));
	if (waits.n)
		made.waits = arena_str(a, buf_str(&waits));
	if (!made.later.p || !made.waits.p)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	*out = made;
	return 0;
}
