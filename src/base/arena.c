// SPDX-License-Identifier: Apache-2.0
// Arena: see arena.h. Blocks of at least 4 KiB, newest first, bigger ones in a big arena; what is bigger than a quarter
// block gets one of its own.
#include "base/arena.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_SIZE = 4096, BIGGEST_BLOCK = 64 << 10, ALIGNMENT = 16 };

struct arena_block {
	struct arena_block *next;
	size_t used, size;
	_Alignas(ALIGNMENT) char bytes[];
};

struct arena_deferred { // lies in the arena itself
	struct arena_deferred *next;
	void (*destroy)(void *p);
	void *p;
};

void arena_free(struct arena *a)
{
	if (!a)
		return;
	while (a->deferred) {
		struct arena_deferred *d = a->deferred;
		a->deferred = d->next;
		d->destroy(d->p);
	}
	struct arena_block *block = a->blocks;
	while (block) {
		struct arena_block *next = block->next;
		free(block);
		block = next;
	}
	a->blocks = NULL;
	a->used = 0;
}

static struct arena_block *add_block(struct arena *a, size_t size)
{
	size_t next = a->used / 16 < BLOCK_SIZE ? BLOCK_SIZE : a->used / 16 > BIGGEST_BLOCK ? BIGGEST_BLOCK : a->used / 16;
	bool own = size > next / 4;
	size_t room = own ? size : next;
	struct arena_block *block = calloc(1, sizeof(*block) + room);
	if (!block)
		return NULL;
	block->size = room;
	if (own && a->blocks) { // keep the block that still has room in front
		block->next = a->blocks->next;
		a->blocks->next = block;
	} else {
		block->next = a->blocks;
		a->blocks = block;
	}
	return block;
}

void *arena_alloc(struct arena *a, size_t size)
{
	if (size > SIZE_MAX / 2)
		return NULL;
	size = size ? (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1) : ALIGNMENT;
	if (a->limit && (size > a->limit || a->used > a->limit - size))
		return NULL;
	struct arena_block *block = a->blocks;
	if (!block || block->size - block->used < size)
		block = add_block(a, size);
	if (!block)
		return NULL;
	void *p = block->bytes + block->used;
	block->used += size;
	a->used += size;
	return p;
}

bool arena_defer(struct arena *a, void (*destroy)(void *p), void *p)
{
	struct arena_deferred *d = arena_new(a, struct arena_deferred);
	if (!d)
		return false;
	*d = (struct arena_deferred){.next = a->deferred, .destroy = destroy, .p = p};
	a->deferred = d;
	return true;
}

void *arena_alloc_array(struct arena *a, size_t n, size_t size)
{
	size_t total;
	return __builtin_mul_overflow(n, size, &total) ? NULL : arena_alloc(a, total);
}

struct str arena_str(struct arena *a, struct str s)
{
	char *p = s.n < SIZE_MAX ? arena_alloc(a, s.n + 1) : NULL;
	if (!p)
		return (struct str){0};
	if (s.n)
		memcpy(p, s.p, s.n);
	return (struct str){.p = p, .n = s.n};
}

char *arena_cstr(struct arena *a, struct str s)
{
	char *p = s.n < SIZE_MAX ? arena_alloc(a, s.n + 1) : NULL;
	if (p && s.n)
		memcpy(p, s.p, s.n);
	return p;
}

struct str arena_join(struct arena *a, const struct str *parts, size_t count)
{
	size_t total = 0;
	for (size_t i = 0; i < count; i++)
		if (__builtin_add_overflow(total, parts[i].n, &total) || total == SIZE_MAX)
			return (struct str){0};
	char *p = arena_alloc(a, total + 1);
	if (!p)
		return (struct str){0};
	for (size_t i = 0, at = 0; i < count; at += parts[i++].n)
		if (parts[i].n)
			memcpy(p + at, parts[i].p, parts[i].n);
	return (struct str){.p = p, .n = total};
}

struct str arena_printf(struct arena *a, const char *format, ...)
{
	va_list args, again;
	va_start(args, format);
	va_copy(again, args);
	int n = vsnprintf(NULL, 0, format, again);
	va_end(again);
	char *p = n >= 0 ? arena_alloc(a, (size_t)n + 1) : NULL;
	if (p)
		vsnprintf(p, (size_t)n + 1, format, args);
	va_end(args);
	return p ? (struct str){.p = p, .n = (size_t)n} : (struct str){0};
}
