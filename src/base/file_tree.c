// SPDX-License-Identifier: Apache-2.0
// file_remove_tree: see file.h. Every step works on an open folder and a name in it, so that a link put in place of a
// folder meanwhile is never followed. A level costs one descriptor, hence the bound on the depth.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"

enum { MAX_DEPTH = 256 };

#define AUTO_TYPE_dir DIR *
static void dir_autofree(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

struct removal {
	struct err *err;
	char path[PATH_MAX]; // what is being removed, for messages
	int depth;
};

static int remove_entry(struct removal *r, int folder, const char *name);

static int remove_members(struct removal *r, DIR *dir)
{
	size_t length = strlen(r->path);
	for (;;) {
		errno = 0;
		const struct dirent *entry = readdir(dir);
		if (!entry)
			return errno ? err_errno(r->err, "list folder %s", r->path) : 0;
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		snprintf(r->path + length, sizeof(r->path) - length, "/%s", entry->d_name);
		int rc = remove_entry(r, dirfd(dir), entry->d_name);
		if (rc < 0)
			return rc;
		r->path[length] = '\0';
	}
}

static int remove_folder(struct removal *r, int folder, const char *name)
{
	if (r->depth >= MAX_DEPTH)
		return err_set(
			r->err, ERR_LIMIT, "remove %.200s: folders are nested deeper than %d", r->path, MAX_DEPTH);
	int fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_errno(r->err, "open folder %s", r->path);
	AUTO(dir) dir = fdopendir(fd);
	if (!dir) {
		fd_close(&fd);
		return err_errno(r->err, "open folder %s", r->path);
	}
	r->depth++;
	int rc = remove_members(r, dir);
	r->depth--;
	if (rc < 0)
		return rc;
	if (unlinkat(folder, name, AT_REMOVEDIR) < 0)
		return err_errno(r->err, "remove folder %s", r->path);
	return 0;
}

static int remove_entry(struct removal *r, int folder, const char *name)
{
	if (unlinkat(folder, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno == EISDIR || errno == EPERM) // POSIX allows either for a folder
		return remove_folder(r, folder, name);
	return err_errno(r->err, "remove %s", r->path);
}

int file_remove_tree(const char *path, struct err *e)
{
	struct removal r = {.err = e};
	if (!str_copy(r.path, sizeof(r.path), str_of(path)))
		return err_set(e, ERR_INVALID, "remove %.200s: the path is too long", path);
	return remove_entry(&r, AT_FDCWD, path);
}
