// SPDX-License-Identifier: Apache-2.0
// An arena: memory that dies together, with a request, a step or a command. Single-threaded. Zero value = empty arena.
// Allocation returns zeroed memory, or NULL when memory or the limit ends.
#ifndef ISOBAR_BASE_ARENA_H
#define ISOBAR_BASE_ARENA_H

#include <stdarg.h>

#include "base/attr.h"
#include "base/str.h"

struct arena_block;
struct arena_deferred;
struct arena {
	struct arena_block *blocks;
	struct arena_deferred *deferred;
	size_t used;  // bytes handed out
	size_t limit; // most bytes to hand out; 0: no limit
};

#define AUTO_TYPE_arena struct arena
void arena_free(struct arena *a); // frees all of it; the arena is empty and usable again. NULL is allowed
static inline void arena_autofree(struct arena *a)
{
	arena_free(a);
}

void *arena_alloc(struct arena *a, size_t size);               // aligned to 16
void *arena_alloc_array(struct arena *a, size_t n, size_t size); // overflow-checked
#define arena_new(a, type) ((type *)arena_alloc((a), sizeof(type)))
#define arena_new_array(a, n, type) ((type *)arena_alloc_array((a), (n), sizeof(type)))
struct str arena_str(struct arena *a, struct str s); // copy, NUL behind it; {NULL,0} without memory
char *arena_cstr(struct arena *a, struct str s);     // the same as a C string; NULL without memory
// Runs destroy(p) when the arena is freed, newest first: for what has a destructor of its own (a json_t). false without memory.
bool arena_defer(struct arena *a, void (*destroy)(void *p), void *p);
// The parts one after the other, NUL behind them: arena_printf for what is done a hundred thousand times.
struct str arena_join(struct arena *a, const struct str *parts, size_t count);
struct str arena_printf(struct arena *a, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
