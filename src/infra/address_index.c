// SPDX-License-Identifier: Apache-2.0
// An index of addresses. See address_index.h.
#include "infra/address_index.h"

enum { SMALLEST = 16 };

// FNV-1a (Fowler, Noll, Vo), folded: addresses come from files that only their owner writes, so no key is needed.
static size_t hash_of(struct str s)
{
	uint64_t h = 14695981039346656037u;
	for (size_t i = 0; i < s.n; i++)
		h = (h ^ (unsigned char)s.p[i]) * 1099511628211u;
	return (size_t)(h ^ (h >> 32));
}

static struct address_slot *slot_of(const struct address_index *index, struct str address)
{
	size_t i = hash_of(address) & index->mask;
	while (index->slots[i].place && !str_eq(index->slots[i].address, address))
		i = (i + 1) & index->mask;
	return &index->slots[i];
}

int address_index_make(struct arena *a, const void *items, size_t count, size_t stride, struct address_index *out)
{
	size_t room = SMALLEST;
	if (count >= UINT32_MAX / 2)
		return ERR_LIMIT;
	while (room < 2 * count)
		room *= 2;
	struct address_index index = {.slots = arena_new_array(a, room, struct address_slot), .mask = room - 1};
	if (!index.slots)
		return ERR_NO_MEMORY;
	const char *at = items;
	for (size_t i = 0; i < count; i++, at += stride) {
		const struct str *address = (const void *)at;
		struct address_slot *slot = slot_of(&index, *address);
		if (!slot->place)
			*slot = (struct address_slot){.address = *address, .place = (uint32_t)i + 1};
	}
	*out = index;
	return 0;
}

size_t address_find(const struct address_index *index, struct str address)
{
	return index->slots ? slot_of(index, address)->place : ADDRESS_NONE;
}
