// SPDX-License-Identifier: Apache-2.0
// What the drivers of secret stores share: see secrets.h.
#include "cloud/secrets.h"

#include <stdlib.h>

#include "base/hash.h"

enum { FIRST_ROOM = 64, MAX_NAMES = 100000 };

int secret_names_add(struct call *c, struct secret_names *names, struct str name)
{
	if (names->count == MAX_NAMES)
		return call_fail(c, ERR_LIMIT, "there are more than %d secrets", MAX_NAMES);
	if (names->count == names->room) {
		size_t room = names->room ? names->room * 2 : FIRST_ROOM;
		struct str *items = arena_new_array(c->arena, room, struct str);
		if (!items)
			return call_no_memory(c);
		for (size_t i = 0; i < names->count; i++)
			items[i] = names->items[i];
		names->items = items;
		names->room = room;
	}
	struct str copy = arena_str(c->arena, name);
	if (!copy.p)
		return call_no_memory(c);
	names->items[names->count++] = copy;
	return 0;
}

static int compare(const void *a, const void *b)
{
	return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

void secret_names_sort(struct secret_names *names)
{
	if (names->count)
		qsort(names->items, names->count, sizeof(*names->items), compare);
}

int secret_to_base64(struct call *c, struct str value, struct str *out)
{
	AUTO(buf) text = {0};
	// In one allocation: a growing buffer would leave copies behind.
	bool room = buf_reserve(&text, value.n / 3 * 4 + 8);
	if (room)
		base64_encode(value, &text);
	struct str copy = text.failed ? (struct str){0} : arena_str(c->arena, buf_str(&text));
	if (text.p)
		secret_wipe(text.p, text.n);
	if (!copy.p)
		return call_no_memory(c);
	*out = copy;
	return 0;
}

int secret_of_base64(struct call *c, struct str text, struct secret *out)
{
	AUTO(buf) bytes = {.limit = SECRET_MAX * 3};
	int r = buf_reserve(&bytes, MIN(text.n, (size_t)SECRET_MAX * 2) + 8) ? base64_decode(text, &bytes) : ERR_LIMIT;
	if (r)
		r = call_fail(c, ERR_PROTOCOL, "the secret's value is not base64");
	else
		r = secret_set(out, buf_str(&bytes), &c->err);
	if (bytes.p)
		secret_wipe(bytes.p, bytes.n);
	return r;
}

bool secret_equal(const struct secret *a, const struct secret *b)
{
	return a->n == b->n && (!a->n || hash_equal(a->p, b->p, a->n));
}
