// SPDX-License-Identifier: Apache-2.0
// Listing addresses: see addresses.h.
#include "infra/addresses.h"

#include <stdlib.h>
#include <string.h>

#include "infra/workspace_impl.h"

struct listing {
	const struct workspace *w;
	struct str prefix;
	struct str *items;
	size_t count, room;
};

static bool is_per_cloud(const struct workspace *w, const struct kind *k)
{
	for (size_t i = 0; i < w->options->handler_count; i++) {
		const struct resource_handler *h = &w->options->handlers[i];
		if (h->per_cloud && strcmp(h->kind->singular, k->singular) == 0)
			return true;
	}
	return false;
}

static void add(struct listing *l, struct str address)
{
	if (!address.p || !str_starts(address, l->prefix))
		return;
	if (l->count == l->room) {
		size_t room = l->room ? 2 * l->room : 64;
		struct str *more = arena_new_array(l->w->arena, room, struct str);
		if (!more)
			return;
		if (l->count)
			memcpy(more, l->items, l->count * sizeof(*more));
		l->items = more;
		l->room = room;
	}
	l->items[l->count++] = address;
}

static void add_entry(struct listing *l, const struct workspace_entry *e)
{
	size_t count;
	struct workspace_entry **clouds = workspace_clouds(l->w, &count);
	struct str kind = str_of(e->kind->singular), address = resource_address(l->w->arena, kind, e->name, (struct str){0});
	bool could = address.p && (str_starts(address, l->prefix) || str_starts(l->prefix, address));
	add(l, address);
	for (size_t i = 0; could && is_per_cloud(l->w, e->kind) && i < count; i++) {
		if (workspace_is_on(e, clouds[i]->name))
			add(l, resource_address(l->w->arena, kind, e->name, clouds[i]->name));
	}
}

static int compare(const void *a, const void *b)
{
	return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

int workspace_addresses(const struct workspace_options *options, struct str prefix, struct buf *out, struct err *e)
{
	AUTO(arena) arena = {0};
	struct findings f = {.arena = &arena};
	struct workspace w;
	int rc = workspace_read_names(options, &f, &w, e);
	if (rc < 0)
		return rc;
	struct listing l = {.w = &w, .prefix = prefix};
	for (size_t i = 0; i < w.entry_count; i++)
		add_entry(&l, &w.entries[i]);
	if (l.count)
		qsort(l.items, l.count, sizeof(*l.items), compare);
	for (size_t i = 0; i < l.count; i++)
		buf_printf(out, "%.*s\n", STR(l.items[i]));
	return buf_check(out, e);
}
