// SPDX-License-Identifier: Apache-2.0
// An index of addresses. See address_index.h.
#include "infra/address_index.h"

#include <string.h>

enum { SMALLEST = 16 };

// Words are mixed as MurmurHash3 does at its end (Appleby). Addresses come from files that only their owner writes, so
// no key is needed.
static uint64_t mix(uint64_t h)
{
	h = (h ^ (h >> 33)) * 0xff51afd7ed558ccdu;
	return h ^ (h >> 29);
}

static uint32_t hash_of(struct str s)
{
	uint64_t h = s.n, word = 0;
	for (; s.n >= sizeof(word); s = str_drop(s, sizeof(word))) {
		memcpy(&word, s.p, sizeof(word));
		h = mix(h ^ word);
	}
	word = 0;
	if (s.n)
		memcpy(&word, s.p, s.n);
	h = mix(h ^ word);
	return (uint32_t)(h ^ (h >> 32));
}

static const struct str *item_at(const struct address_index *index, size_t i)
{
	return (const void *)(index->items + i * index->stride);
}

static struct address_slot *slot_of(const struct address_index *index, struct str address, uint32_t hash)
{
	size_t i = hash & index->mask;
	for (;; i = (i + 1) & index->mask) {
		struct address_slot *slot = &index->slots[i];
		if (!slot->place || (slot->hash == hash && str_eq(*item_at(index, slot->place - 1), address)))
			return slot;
	}
}

int address_index_make(struct arena *a, const void *items, size_t count, size_t stride, struct address_index *out)
{
	size_t room = SMALLEST;
	if (count >= UINT32_MAX / 2)
		return ERR_LIMIT;
	while (room < 2 * count)
		room *= 2;
	struct address_index index = {.slots = arena_new_array(a, room, struct address_slot),
		.items = items,
		.stride = stride,
		.mask = room - 1,
		.count = count};
	if (!index.slots)
		return ERR_NO_MEMORY;
	for (size_t i = 0; i < count; i++) {
		struct str address = *item_at(&index, i);
		uint32_t hash = hash_of(address);
		struct address_slot *slot = slot_of(&index, address, hash);
		if (!slot->place)
			*slot = (struct address_slot){.place = (uint32_t)i + 1, .hash = hash};
	}
	*out = index;
	return 0;
}

size_t address_find(const struct address_index *index, struct str address)
{
	return index->count ? slot_of(index, address, hash_of(address))->place : ADDRESS_NONE;
}
