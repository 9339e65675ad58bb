// SPDX-License-Identifier: Apache-2.0
// The file system below the object store: names, atomic moves, removal. Everything is relative to the root's
// descriptor, and every name is made here, from digests and numbers: nothing from outside becomes a path.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pocket/store/objects_impl.h"

void path_print(struct path *p, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int n = vsnprintf(p->text, sizeof(p->text), format, args);
	va_end(args);
	if (n < 0 ||
		(size_t)n >=
			sizeof(p->text)) // bucket names and ids are bounded: a bug, and a cut path must never be used
		abort();
}

void path_temporary(struct objects *o, struct path *p)
{
	path_print(p, "tmp/%llu", (unsigned long long)++o->last_temporary);
}

void path_hashed(struct path *p, const struct bucket *b, const char *folder, struct str key)
{
	struct sha256 digest = sha256_of(key);
	char hex[HEX_SHA256_SIZE];
	hex_encode(str_bytes(digest.bytes, SHA256_SIZE), hex);
	path_print(p, "buckets/%.*s/%s/%s", BUCKET_NAME(b), folder, hex);
}

int64_t objects_stamp(struct objects *o)
{
	const int64_t microsecond = 1000;
	int64_t now = o->edges->wall_ns(o->edges->ctx) / microsecond * microsecond;
	o->last_stamp_ns = MAX(now, o->last_stamp_ns + microsecond);
	return o->last_stamp_ns;
}

int objects_open_at(const struct objects *o, const char *path, int flags, struct err *e)
{
	int fd = openat(o->root_fd, path, flags | O_CLOEXEC | O_NOFOLLOW, 0600);
	return fd >= 0 ? fd : err_errno(e, "opening %s/%s", o->root, path);
}

int objects_rename(const struct objects *o, const char *from, const char *to, struct err *e)
{
	if (renameat(o->root_fd, from, o->root_fd, to) < 0)
		return err_errno(e, "moving %s/%s to %s", o->root, from, to);
	return 0;
}

int objects_make_dir(const struct objects *o, const char *path, struct err *e)
{
	if (mkdirat(o->root_fd, path, 0700) < 0 && errno != EEXIST)
		return err_errno(e, "making the folder %s/%s", o->root, path);
	return 0;
}

int objects_each_name(
	const struct objects *o, const char *path, int (*each)(void *ctx, const char *name), void *ctx, struct err *e)
{
	int fd = openat(o->root_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return errno == ENOENT ? 0 : err_errno(e, "opening the folder %s/%s", o->root, path);
	DIR *dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return err_errno(e, "reading the folder %s/%s", o->root, path);
	}
	int rc = 0;
	for (;;) {
		errno = 0;
		const struct dirent *entry = readdir(dir);
		if (!entry) {
			rc = errno ? err_errno(e, "reading the folder %s/%s", o->root, path) : 0;
			break;
		}
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		rc = each(ctx, entry->d_name);
		if (rc < 0)
			break;
	}
	closedir(dir);
	return rc;
}

struct removal {
	const struct objects *o;
	const char *folder;
};

static int remove_entry(void *ctx, const char *name)
{
	const struct removal *removal = ctx;
	int folder = openat(removal->o->root_fd, removal->folder, O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (folder >= 0) {
		unlinkat(folder, name, 0);
		close(folder);
	}
	return 0;
}

void objects_remove_folder(const struct objects *o, const char *path)
{
	struct removal removal = {.o = o, .folder = path};
	int rc = objects_each_name(o, path, remove_entry, &removal, NULL);
	if (rc == 0)
		unlinkat(o->root_fd, path, AT_REMOVEDIR);
}

int objects_remove_tree(struct objects *o, const char *path, struct err *e)
{
	struct path away;
	path_temporary(o, &away);
	int rc = objects_rename(o, path, away.text, e);
	if (rc < 0)
		return rc;
	AUTO(buf) absolute = {0};
	buf_printf(&absolute, "%s/%s", o->root, away.text);
	if (!absolute.failed && file_remove_tree(buf_cstr(&absolute), NULL) < 0)
		return 0; // what is left lies in tmp/ and goes at the next start
	return 0;
}

int objects_write_record(struct objects *o, const struct record *r, const char *path, struct err *e)
{
	struct path temporary;
	path_temporary(o, &temporary);
	AUTO(fd) fd = objects_open_at(o, temporary.text, O_WRONLY | O_CREAT | O_EXCL, e);
	if (fd < 0)
		return fd;
	int rc = record_write(fd, r, 0, e);
	if (rc == 0)
		rc = objects_rename(o, temporary.text, path, e);
	if (rc < 0)
		unlinkat(o->root_fd, temporary.text, 0);
	return rc;
}
