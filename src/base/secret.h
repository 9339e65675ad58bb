// SPDX-License-Identifier: Apache-2.0
// Secret bytes: a type of their own, so that no format string, log line or JSON writer takes them by accident. The
// memory is its own mapping: left out of core dumps, locked where the limit allows, wiped before it is given back.
// Owned; not thread-safe. There is deliberately no function that prints one.
#ifndef ISOBAR_BASE_SECRET_H
#define ISOBAR_BASE_SECRET_H

#include "base/attr.h"
#include "base/err.h"
#include "base/str.h"

struct secret {
	char *p; // NULL: empty; a NUL stands behind the last byte
	size_t n;
	size_t capacity; // of the mapping
};

#define AUTO_TYPE_secret struct secret
void secret_free(struct secret *s); // wipes; leaves an empty secret; NULL is allowed
static inline void secret_autofree(struct secret *s)
{
	secret_free(s);
}

MUST_CHECK int secret_alloc(struct secret *s, size_t n, struct err *e);       // n zero bytes; frees what was there
MUST_CHECK int secret_set(struct secret *s, struct str bytes, struct err *e); // copies; the caller wipes its own copy
MUST_CHECK int secret_read_file(struct secret *s, const char *path,
	struct err *e); // at most 64 KiB; ERR_DENIED unless mode is 0600 or stricter
// Writes a file with mode 0600, whole or not at all; follows no link at the path itself.
MUST_CHECK int secret_write_file(const struct secret *s, const char *path, struct err *e);
static inline struct str secret_str(const struct secret *s) // borrowed: do not copy it further than a request
{
	return (struct str){.p = s->p ? s->p : "", .n = s->n};
}
void secret_wipe(void *p, size_t n); // never optimised away

#endif
