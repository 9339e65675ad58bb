// SPDX-License-Identifier: Apache-2.0
// Open addressing with linear probing, at most half full. See str_map.h.
#include "base/str_map.h"

#include <stdlib.h>
#include <string.h>

struct str_map_slot {
	struct str key;
	void *value; // NULL: free
	uint64_t hash;
};

enum { SMALLEST = 16 };

// Folds a 128-bit product: every bit of both factors reaches every bit of the result.
static uint64_t mix(uint64_t a, uint64_t b)
{
	__extension__ unsigned __int128 product = (unsigned __int128)a * b;
	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t load(const char *p, size_t n)
{
	uint64_t word = 0;
	memcpy(&word, p, n);
	return word;
}

static uint64_t hash_of(uint64_t seed, struct str key)
{
	uint64_t hash = mix(seed ^ key.n, UINT64_C(0x9e3779b97f4a7c15));
	for (; key.n > 8; key = str_drop(key, 8))
		hash = mix(hash ^ load(key.p, 8), UINT64_C(0xd6e8feb86659fd93));
	return key.n ? mix(hash ^ load(key.p, key.n), UINT64_C(0xa0761d6478bd642f)) : hash;
}

static struct str_map_slot *slot_of(const struct str_map *m, struct str key, uint64_t hash)
{
	for (size_t i = hash & (m->capacity - 1);; i = (i + 1) & (m->capacity - 1)) {
		struct str_map_slot *slot = &m->slots[i];
		if (!slot->value || (slot->hash == hash && str_eq(slot->key, key)))
			return slot;
	}
}

static bool grow(struct str_map *m, size_t capacity)
{
	struct str_map_slot *before = m->slots;
	size_t count = m->capacity;
	struct str_map_slot *slots = arena_new_array(m->arena, capacity, struct str_map_slot);
	if (!slots)
		return false;
	m->slots = slots;
	m->capacity = capacity;
	for (size_t i = 0; i < count; i++) {
		if (before[i].value)
			*slot_of(m, before[i].key, before[i].hash) = before[i];
	}
	return true;
}

bool str_map_init(struct str_map *m, struct arena *a, size_t expected)
{
	size_t capacity = SMALLEST;
	*m = (struct str_map){.arena = a};
	while (capacity / 2 < expected && capacity <= SIZE_MAX / 4)
		capacity *= 2;
	if (!grow(m, capacity))
		return false;
	m->seed = mix((uintptr_t)m->slots, UINT64_C(0xe7037ed1a0b428db));
	return true;
}

void *str_map_get(const struct str_map *m, struct str key)
{
	return m->slots ? slot_of(m, key, hash_of(m->seed, key))->value : NULL;
}

bool str_map_put(struct str_map *m, struct str key, void *value)
{
	if ((m->count + 1) * 2 > m->capacity && !grow(m, m->capacity ? m->capacity * 2 : SMALLEST))
		return false;
	uint64_t hash = hash_of(m->seed, key);
	struct str_map_slot *slot = slot_of(m, key, hash);
	m->count += !slot->value;
	*slot = (struct str_map_slot){.key = key, .value = value, .hash = hash};
	return true;
}

static int compare_keys(const void *a, const void *b)
{
	return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

size_t str_map_keys(const struct str_map *m, struct str *keys)
{
	size_t n = 0;
	for (size_t i = 0; i < m->capacity; i++) {
		if (m->slots[i].value)
			keys[n++] = m->slots[i].key;
	}
	if (n)
		qsort(keys, n, sizeof(*keys), compare_keys);
	return n;
}
