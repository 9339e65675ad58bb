// SPDX-License-Identifier: Apache-2.0
// See failing_malloc.h.
#include "failing_malloc.h"

#include <stdint.h>
#include <stdlib.h>

static bool active, refused;
static size_t left;

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);

static bool allowed(void)
{
	if (!active)
		return true;
	if (left == 0) {
		refused = true;
		return false;
	}
	left--;
	return true;
}

void *__wrap_malloc(size_t size)
{
	return allowed() ? __real_malloc(size) : NULL;
}

void *__wrap_calloc(size_t n, size_t size)
{
	return allowed() ? __real_calloc(n, size) : NULL;
}

void *__wrap_realloc(void *p, size_t size)
{
	return allowed() ? __real_realloc(p, size) : NULL;
}

void *failing_malloc(size_t size)
{
	return __wrap_malloc(size);
}

void failing_malloc_after(size_t n)
{
	active = true;
	refused = false;
	left = n;
}

bool failing_malloc_stop(void)
{
	active = false;
	return refused;
}
