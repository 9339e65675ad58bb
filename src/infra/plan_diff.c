// SPDX-License-Identifier: Apache-2.0
// Which members of two values differ, and what the kind's table says of them: whether a change replaces the resource.
#include <string.h>

#include "infra/plan_impl.h"

struct differ {
	struct arena *arena;
	struct plan_field *items;
	size_t count, room;
	bool no_memory;
};
struct place { // where in the value, and what the kind's table says of it
	struct str path;
	const struct kind *kind; // table of the object's members; NULL: not known to a table
	bool in_place;
};

static void add_field(struct differ *d, struct plan_field field)
{
	if (d->count == d->room) {
		size_t room = d->room ? 2 * d->room : 8;
		struct plan_field *more = arena_new_array(d->arena, room, struct plan_field);
		d->no_memory = d->no_memory || !more;
		if (!more)
			return;
		if (d->count)
			memcpy(more, d->items, d->count * sizeof(*more));
		d->items = more;
		d->room = room;
	}
	d->items[d->count++] = field;
}

static struct place member_place(struct differ *d, const struct place *at, const char *name)
{
	struct place place = {.in_place = at->in_place};
	place.path =
		at->path.n ? arena_printf(d->arena, "%.*s.%s", STR(at->path), name) : arena_str(d->arena, str_of(name));
	d->no_memory = d->no_memory || !place.path.p;
	const struct field *field = at->kind ? kind_field(at->kind, str_of(name)) : NULL;
	if (field) {
		place.in_place = (field->flags & FIELD_IN_PLACE) != 0;
		place.kind = field->type == FIELD_BLOCK ? field->block : NULL;
	}
	return place;
}

static void diff(struct differ *d, const struct place *at, const json_t *before, const json_t *after);

static void diff_member(
	struct differ *d, const struct place *at, const char *name, const json_t *before, const json_t *after)
{
	if (before && after && json_equal(before, after))
		return; // without its path: most of what is compared is the same
	struct place place = member_place(d, at, name);
	diff(d, &place, before, after);
}

static void diff(struct differ *d, const struct place *at, const json_t *before, const json_t *after)
{
	if (!json_is_object(before) || !json_is_object(after)) {
		add_field(d, (struct plan_field){
				     .path = at->path, .before = before, .after = after, .replaces = !at->in_place});
		return;
	}
	const char *name;
	json_t *value;
	json_object_foreach((json_t *)(uintptr_t)after, name, value)
		diff_member(d, at, name, json_object_get(before, name), value);
	json_object_foreach((json_t *)(uintptr_t)before, name, value)
	{
		if (!json_object_get(after, name))
			diff_member(d, at, name, value, NULL);
	}
}

int plan_diff_values(
	struct arena *a, const struct kind *kind, const json_t *before, const json_t *after, struct plan_diff *out)
{
	*out = (struct plan_diff){0};
	if (before == after || (before && after && json_equal(before, after)))
		return 0;
	struct differ d = {.arena = a};
	diff(&d, &(struct place){.kind = kind, .in_place = !kind}, before, after);
	*out = (struct plan_diff){.fields = d.items, .count = d.count};
	return d.no_memory ? ERR_NO_MEMORY : 0;
}
