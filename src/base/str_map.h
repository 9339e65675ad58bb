// SPDX-License-Identifier: Apache-2.0
// A hash table from texts to pointers, in an arena: for looking things up by name where there may be a hundred thousand
// of them. Keys are borrowed and must outlive the table. Hashes are seeded by the table's own address, so that nobody
// can prepare names that all fall into one place. Nothing is ever taken out. One thread at a time while it is filled.
#ifndef ISOBAR_BASE_STR_MAP_H
#define ISOBAR_BASE_STR_MAP_H

#include "base/arena.h"

struct str_map_slot;
struct str_map {
	struct arena *arena;
	struct str_map_slot *slots;
	size_t capacity, count; // capacity: a power of two
	uint64_t seed;
};

// Empty, with room for so many before it must grow. false without memory; the table is then empty and usable.
bool str_map_init(struct str_map *m, struct arena *a, size_t expected);
void *str_map_get(const struct str_map *m, struct str key); // NULL when absent
// Sets or replaces; value not NULL. false without memory.
bool str_map_put(struct str_map *m, struct str key, void *value);
// All keys into an array with room for m->count, in the order of str_cmp(); returns how many.
size_t str_map_keys(const struct str_map *m, struct str *keys);

#endif
