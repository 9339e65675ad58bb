// SPDX-License-Identifier: Apache-2.0
// The segment files of an audit folder: "00000000000000000000.jsonl" is named after its first record. See audit_impl.h.
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "security/audit_impl.h"

void audit_segment_name(uint64_t first, char out[AUDIT_SEGMENT_NAME_SIZE])
{
	snprintf(out, AUDIT_SEGMENT_NAME_SIZE, "%020" PRIu64 ".jsonl", first);
}

static bool parse_name(const char *name, uint64_t *first)
{
	char canonical[AUDIT_SEGMENT_NAME_SIZE];
	struct str text = str_of(name);
	struct str digits = str_take(text, 20);
	// str_to_u64 reads leading zeros; what counts is that the name is the one we would write.
	if (text.n != AUDIT_SEGMENT_NAME_SIZE - 1 || str_to_u64(digits, first) < 0)
		return false;
	audit_segment_name(*first, canonical);
	return strcmp(canonical, name) == 0;
}

static int by_value(const void *a, const void *b)
{
	uint64_t x, y;
	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return x < y ? -1 : x > y;
}

static bool push(uint64_t **list, size_t *count, uint64_t value)
{
	if ((*count & (*count - 1)) == 0) { // a power of two, or zero: full
		size_t room = *count ? 2 * *count : 1;
		uint64_t *grown = reallocarray(*list, room, sizeof(**list));
		if (!grown)
			return false;
		*list = grown;
	}
	(*list)[(*count)++] = value;
	return true;
}

int audit_list_segments(const char *folder, uint64_t **out, size_t *count, struct err *e)
{
	uint64_t *list = NULL, first;
	size_t n = 0;
	DIR *dir = opendir(folder);
	if (!dir)
		return err_errno(e, "open the audit log %s", folder);
	bool room = true;
	for (struct dirent *entry; room && (entry = readdir(dir));)
		if (parse_name(entry->d_name, &first))
			room = push(&list, &n, first);
	closedir(dir);
	if (!room) {
		free(list);
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	}
	if (n)
		qsort(list, n, sizeof(*list), by_value);
	*out = list;
	*count = n;
	return 0;
}
