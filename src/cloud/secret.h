// SPDX-License-Identifier: Apache-2.0
// A secret text: owned, wiped when it is freed or replaced, never printed. One thread at a time.
#ifndef ISOBAR_CLOUD_SECRET_H
#define ISOBAR_CLOUD_SECRET_H

#include "base/err.h"
#include "base/str.h"

struct secret {
	char *p; // owned
	size_t n;
};
MUST_CHECK int secret_set(struct secret *s, struct str value, struct err *e);
void secret_free(struct secret *s);                         // leaves an empty one; NULL is allowed
static inline struct str secret_str(const struct secret *s) // borrowed: do not copy it further than a request
{
	return (struct str){s->p ? s->p : "", s->n};
}

#endif
