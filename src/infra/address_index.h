// SPDX-License-Identifier: Apache-2.0
// Finds things by their address among a hundred thousand: open addressing over an array that the caller keeps. The
// first of two with the same address wins. Lives in an arena; items are borrowed. Read by several threads once built.
#ifndef ISOBAR_INFRA_ADDRESS_INDEX_H
#define ISOBAR_INFRA_ADDRESS_INDEX_H

#include "base/arena.h"
#include "base/err.h"

enum { ADDRESS_NONE = 0 }; // address_find: not there

struct address_slot { // small: most of what a look costs is fetching it
	uint32_t place; // index + 1; 0: free
	uint32_t hash;
};
struct address_index {
	struct address_slot *slots;
	const char *items; // borrowed
	size_t stride, mask, count;
};

// items: an array of `count` structs of `stride` bytes that begin with a `struct str address`.
MUST_CHECK int address_index_make(
	struct arena *a, const void *items, size_t count, size_t stride, struct address_index *out);
// Index + 1 of the item with that address, or ADDRESS_NONE.
size_t address_find(const struct address_index *index, struct str address);

#endif
