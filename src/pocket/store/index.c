// SPDX-License-Identifier: Apache-2.0
// Skip list: see index.h. A node reaches level k with probability 1/4^k: 16 levels carry far more keys than memory
// does.
#include "pocket/store/index.h"

#include <stdlib.h>
#include <string.h>

// The arrays of next pointers through which `key` would be reached: before[k][k] is the first node of level k not below
// key.
static void find_before(const struct index *x, struct str key, struct index_node *const *before[INDEX_LEVELS])
{
	struct index_node *const *links = x->first;
	for (int level = INDEX_LEVELS - 1; level >= 0; level--) {
		while (links[level] && str_cmp(links[level]->key, key) < 0)
			links = links[level]->next;
		before[level] = links;
	}
}

// xorshift64: the order of levels must not be guessable from the keys alone, no more is needed.
static int random_levels(struct index *x)
{
	uint64_t r = x->random ? x->random : 0x9e3779b97f4a7c15;
	r ^= r << 13;
	r ^= r >> 7;
	r ^= r << 17;
	x->random = r;
	int levels = 1;
	while (levels < INDEX_LEVELS && (r & 3) == 0) {
		r >>= 2;
		levels++;
	}
	return levels;
}

// The list owns all links; find_before only walks them, so that seeking may take a const index.
static struct index_node **writable(struct index_node *const *links)
{
	union {
		struct index_node *const *in;
		struct index_node **out;
	} cast = {.in = links};
	return cast.out;
}

int index_put(struct index *x, struct str key, void *value, void **old, struct err *e)
{
	struct index_node *const *before[INDEX_LEVELS];
	find_before(x, key, before);
	struct index_node *found = before[0][0];
	*old = NULL;
	if (found && str_eq(found->key, key)) {
		*old = found->value;
		found->key = key;
		found->value = value;
		return 0;
	}
	int levels = random_levels(x);
	struct index_node *node = malloc(sizeof(*node) + (size_t)levels * sizeof(node->next[0]));
	if (!node)
		return err_set(e, ERR_NO_MEMORY, "no memory for one more object in the index of its bucket");
	node->key = key;
	node->value = value;
	for (int level = 0; level < levels; level++) {
		node->next[level] = before[level][level];
		writable(before[level])[level] = node;
	}
	x->count++;
	return 0;
}

const struct index_node *index_seek(const struct index *x, struct str key)
{
	struct index_node *const *before[INDEX_LEVELS];
	find_before(x, key, before);
	return before[0][0];
}

void *index_get(const struct index *x, struct str key)
{
	const struct index_node *node = index_seek(x, key);
	return node && str_eq(node->key, key) ? node->value : NULL;
}

void *index_remove(struct index *x, struct str key)
{
	struct index_node *const *before[INDEX_LEVELS];
	find_before(x, key, before);
	struct index_node *node = before[0][0];
	if (!node || !str_eq(node->key, key))
		return NULL;
	for (int level = 0; level < INDEX_LEVELS && before[level][level] == node; level++)
		writable(before[level])[level] = node->next[level];
	void *value = node->value;
	free(node);
	x->count--;
	return value;
}

void index_free(struct index *x, void (*free_value)(void *value))
{
	struct index_node *node = x->first[0];
	while (node) {
		struct index_node *next = node->next[0];
		if (free_value)
			free_value(node->value);
		free(node);
		node = next;
	}
	*x = (struct index){0};
}
