// SPDX-License-Identifier: Apache-2.0
// Listing folders as places are listed: see objects_impl.h.
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/time.h"
#include "data/objects_impl.h"

enum { MAX_DEPTH = 100 };

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_shown(const struct dirent *entry)
{
	return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

static struct object_row file_row(struct str name, const struct stat *st)
{
	return (struct object_row){.name = name,
		.size = (uint64_t)st->st_size,
		.modified_ns = st->st_mtim.tv_sec * NS_PER_S + st->st_mtim.tv_nsec};
}

static int list(struct call *c, struct str path, bool recursive, int depth, struct object_rows *rows);

static int add_entry(struct call *c, struct str path, const char *name, bool recursive, int depth, struct object_rows *rows)
{
	struct stat st;
	struct str whole = arena_printf(c->arena, "%.*s%s%s", STR(path), str_ends(path, S("/")) ? "" : "/", name);
	if (!whole.p)
		return call_no_memory(c);
	if (lstat(whole.p, &st) < 0)
		return errno == ENOENT ? 0 : call_errno(c, "look at %s", whole.p);
	if (!S_ISDIR(st.st_mode))
		return object_rows_add(c, rows, file_row(whole, &st));
	if (recursive)
		return list(c, whole, true, depth + 1, rows);
	whole = arena_printf(c->arena, "%.*s/", STR(whole));
	return whole.p ? object_rows_add(c, rows, (struct object_row){.name = whole}) : call_no_memory(c);
}

static int list(struct call *c, struct str path, bool recursive, int depth, struct object_rows *rows)
{
	struct dirent **entries;
	int code = call_check(c);
	if (code)
		return code;
	if (depth > MAX_DEPTH)
		return call_fail(c, ERR_LIMIT, "folders nest deeper than %d", MAX_DEPTH);
	int n = scandir(path.p, &entries, is_shown, by_name);
	if (n < 0)
		return call_errno(c, "read the folder %.*s", STR(path));
	for (int i = 0; i < n; i++) {
		if (!code)
			code = add_entry(c, path, entries[i]->d_name, recursive, depth, rows);
		free(entries[i]);
	}
	free(entries);
	return code;
}

int objects_list_folder(struct call *c, const struct object_place *at, bool recursive, struct object_rows *rows)
{
	struct stat st;
	if (stat(at->key.p, &st) < 0)
		return call_errno(c, "look at %.*s", STR(at->key));
	if (!S_ISDIR(st.st_mode))
		return object_rows_add(c, rows, file_row(at->key, &st));
	return list(c, at->key, recursive, 0, rows);
}
