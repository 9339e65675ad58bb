// SPDX-License-Identifier: Apache-2.0
// Secrets: see secret.h.
#include "cloud/secret.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

int secret_set(struct secret *s, struct str value, struct err *e)
{
	char *copy = malloc(value.n + 1);
	if (!copy)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	if (value.n)
		memcpy(copy, value.p, value.n);
	copy[value.n] = 0;
	secret_free(s);
	*s = (struct secret){.p = copy, .n = value.n};
	return 0;
}

void secret_free(struct secret *s)
{
	if (!s)
		return;
	if (s->p)
		OPENSSL_cleanse(s->p, s->n);
	free(s->p);
	*s = (struct secret){0};
}
