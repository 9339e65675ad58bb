// SPDX-License-Identifier: Apache-2.0
// A growing byte buffer, owned. Appending never fails loudly: when memory (or the limit) ends, the buffer remembers it
// and buf_check() says so once, at the end. Not thread-safe. Zero value = empty buffer without limit.
#ifndef ISOBAR_BASE_BUF_H
#define ISOBAR_BASE_BUF_H

#include <stdarg.h>

#include "base/err.h"
#include "base/str.h"

struct buf {
	char *p;
	size_t n, cap;
	size_t limit; // most bytes it may hold; 0: no limit
	bool failed;  // memory or limit ended; contents are incomplete
	bool starved; // it was memory
};

#define AUTO_TYPE_buf struct buf
void buf_free(struct buf *b); // leaves an empty buffer; NULL is allowed
static inline void buf_autofree(struct buf *b)
{
	buf_free(b);
}

bool buf_reserve(struct buf *b, size_t more); // room for `more` further bytes; false sets failed
void buf_add(struct buf *b, struct str s);
void buf_add_bytes(struct buf *b, const void *p, size_t n);
void buf_add_char(struct buf *b, char c);
void buf_printf(struct buf *b, const char *format, ...) PRINTF_LIKE(2, 3);
void buf_vprintf(struct buf *b, const char *format, va_list args) PRINTF_LIKE(2, 0);
void buf_drop(struct buf *b, size_t n); // removes the first n bytes
void buf_clear(struct buf *b);          // empties, keeps the memory and the limit
static inline struct str buf_str(const struct buf *b)
{
	return (struct str){.p = b->p ? b->p : "", .n = b->n};
}
// The contents as a C string; NUL is kept behind the last byte. "" when empty.
const char *buf_cstr(struct buf *b);
MUST_CHECK int buf_check(const struct buf *b, struct err *e); // 0, ERR_NO_MEMORY or ERR_LIMIT

#endif
