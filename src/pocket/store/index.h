// SPDX-License-Identifier: Apache-2.0
// The objects of a bucket in byte order of their keys, in memory: a skip list (Pugh 1990), so that a page of a listing
// costs its own length and a delimiter skips a whole folder in one step. It borrows keys and values; single-threaded.
// Zero value = empty index.
#ifndef ISOBAR_POCKET_STORE_INDEX_H
#define ISOBAR_POCKET_STORE_INDEX_H

#include "base/err.h"
#include "base/str.h"

enum { INDEX_LEVELS = 16 };

struct index_node {
	struct str key;
	void *value;
	struct index_node *next[]; // next[0] is the following key
};
struct index {
	struct index_node *first[INDEX_LEVELS];
	size_t count;
	uint64_t random;
};

// Puts value under key (which must live as long as the entry). *old: the value that was there, or NULL. ERR_NO_MEMORY
// changes nothing.
MUST_CHECK int index_put(struct index *x, struct str key, void *value, void **old, struct err *e);
void *index_get(const struct index *x, struct str key); // NULL when absent
void *index_remove(struct index *x, struct str key);    // the value that was there, or NULL
// The first node whose key is not below `key`; NULL at the end. Nodes stay valid until the index changes.
const struct index_node *index_seek(const struct index *x, struct str key);
static inline const struct index_node *index_next(const struct index_node *node)
{
	return node->next[0];
}
void index_free(struct index *x, void (*free_value)(void *value)); // NULL: values are left alone

#endif
