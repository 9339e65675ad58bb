// SPDX-License-Identifier: Apache-2.0
// One value in several environment variables: see store_variable.h.
#include "cloud/store_variable.h"

#include <stdio.h>
#include <stdlib.h>

enum { NAME_SIZE = 24 };

static void name_of(size_t piece, char out[NAME_SIZE])
{
	if (piece)
		snprintf(out, NAME_SIZE, "ISOBAR_STORE_%zu", piece + 1);
	else
		snprintf(out, NAME_SIZE, "ISOBAR_STORE");
}

int store_variable_split(json_t *environment, struct str value, size_t most, struct err *e)
{
	char name[NAME_SIZE];
	size_t piece = 0;
	do {
		struct str head = str_clip(value, most);
		if (piece == STORE_VARIABLE_MAX_PIECES)
			return err_set(e, ERR_LIMIT, "the description of the store does not fit into %d variables of %zu bytes",
				STORE_VARIABLE_MAX_PIECES, most);
		name_of(piece++, name);
		json_set_str(environment, name, head);
		value = str_drop(value, head.n);
	} while (value.n);
	return 0;
}

int store_variable_join(struct arena *a, struct str *out, struct err *e)
{
	AUTO(buf) all = {0};
	char name[NAME_SIZE];
	for (size_t piece = 0; piece < STORE_VARIABLE_MAX_PIECES; piece++) {
		name_of(piece, name);
		const char *value = getenv(name);
		if (!value)
			break;
		buf_add(&all, str_of(value));
	}
	int r = buf_check(&all, e);
	struct str joined = r ? (struct str){0} : arena_str(a, buf_str(&all));
	if (!r && !joined.p)
		r = err_set(e, ERR_NO_MEMORY, "out of memory");
	if (!r)
		*out = joined;
	return r;
}
