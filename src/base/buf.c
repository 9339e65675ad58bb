// SPDX-License-Identifier: Apache-2.0
// Growable bytes: see buf.h. Capacity doubles, so that appending n bytes costs O(n).
#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUF_MIN = 64 };

void buf_free(struct buf *b)
{
	if (!b)
		return;
	free(b->p);
	*b = (struct buf){.limit = b->limit};
}

bool buf_reserve(struct buf *b, size_t more)
{
	size_t need;
	if (b->failed)
		return false;
	// One byte more than asked, for the NUL that buf_cstr() promises.
	if (__builtin_add_overflow(b->n, more, &need) || need > SIZE_MAX / 2 || (b->limit && need > b->limit)) {
		b->failed = true;
		return false;
	}
	if (need + 1 <= b->cap)
		return true;
	size_t cap = MAX(MAX(need + 1, b->cap > SIZE_MAX / 2 ? need + 1 : b->cap * 2), (size_t)BUF_MIN);
	char *p = realloc(b->p, cap);
	if (!p) {
		b->failed = b->starved = true;
		return false;
	}
	b->p = p;
	b->cap = cap;
	return true;
}

void buf_add_bytes(struct buf *b, const void *p, size_t n)
{
	if (!buf_reserve(b, n))
		return;
	if (n)
		memcpy(b->p + b->n, p, n);
	b->n += n;
}

void buf_add(struct buf *b, struct str s)
{
	buf_add_bytes(b, s.p, s.n);
}

void buf_add_char(struct buf *b, char c)
{
	buf_add_bytes(b, &c, 1);
}

void buf_vprintf(struct buf *b, const char *format, va_list args)
{
	va_list again;
	va_copy(again, args);
	int n = vsnprintf(NULL, 0, format, again);
	va_end(again);
	if (n < 0)
		b->failed = true;
	if (n < 0 || !buf_reserve(b, (size_t)n))
		return;
	vsnprintf(b->p + b->n, (size_t)n + 1, format, args);
	b->n += (size_t)n;
}

void buf_printf(struct buf *b, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	buf_vprintf(b, format, args);
	va_end(args);
}

void buf_drop(struct buf *b, size_t n)
{
	n = MIN(n, b->n);
	if (n == 0)
		return;
	memmove(b->p, b->p + n, b->n - n);
	b->n -= n;
}

void buf_clear(struct buf *b)
{
	b->n = 0;
	b->failed = b->starved = false;
}

const char *buf_cstr(struct buf *b)
{
	if (!b->p)
		return "";
	b->p[b->n] = '\0';
	return b->p;
}

int buf_check(const struct buf *b, struct err *e)
{
	if (!b->failed)
		return 0;
	if (b->limit && !b->starved)
		return err_set(e, ERR_LIMIT, "more than %zu bytes", b->limit);
	return err_set(e, ERR_NO_MEMORY, "out of memory");
}
