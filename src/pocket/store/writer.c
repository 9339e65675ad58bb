// SPDX-License-Identifier: Apache-2.0
// Growing files with digests: see writer.h.
#include "pocket/store/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pocket/store/objects_impl.h"

// From this size on it pays to ask the disk for the room beforehand: one system call, and a full disk is known before
// the bytes come.
enum { RESERVE_FROM = 1 << 20 };

static int reserve(struct writer *w, uint64_t expected, struct err *e)
{
	if (expected < RESERVE_FROM || expected > INT64_MAX)
		return 0;
	if (fallocate(w->fd, FALLOC_FL_KEEP_SIZE, 0, (off_t)expected) == 0)
		return 0;
	if (errno == ENOSPC || errno == EDQUOT || errno == EFBIG)
		return err_errno(e, "reserving %llu bytes in %s", (unsigned long long)expected, w->store->root);
	return 0; // a file system that cannot reserve says so when it is full
}

int writer_begin(struct objects *o, unsigned hashes, uint64_t expected, struct writer **out, struct err *e)
{
	struct path path;
	struct writer *w = calloc(1, sizeof(*w));
	if (!w)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	w->store = o;
	path_temporary(o, &path);
	memcpy(w->path, path.text, sizeof(w->path));
	w->fd = objects_open_at(o, w->path, O_RDWR | O_CREAT | O_EXCL, e);
	int rc = w->fd < 0 ? w->fd : hasher_begin(hashes, &w->hasher, e);
	if (rc == 0)
		rc = reserve(w, expected, e);
	if (rc < 0) {
		writer_abandon(w);
		return rc;
	}
	*out = w;
	return 0;
}

int writer_add(struct writer *w, struct str data, struct err *e)
{
	int rc = file_write_all(w->fd, data, w->path, e);
	if (rc < 0) {
		// Back to where it was, so that a resumable upload goes on from a byte it was told about.
		if (ftruncate(w->fd, (off_t)w->size) < 0 || lseek(w->fd, (off_t)w->size, SEEK_SET) < 0)
			return err_errno(e, "undoing a failed write to %s/%s", w->store->root, w->path);
		return rc == ERR_LIMIT
			       ? err_set(e, ERR_NO_SPACE, "the file system takes no more bytes in %s", w->store->root)
			       : rc;
	}
	hasher_add(w->hasher, data);
	w->size += data.n;
	return 0;
}

uint64_t writer_size(const struct writer *w)
{
	return w->size;
}

const struct digests *writer_digests(struct writer *w)
{
	if (!w->finished)
		hasher_finish(w->hasher, &w->digests);
	w->finished = true;
	return &w->digests;
}

void writer_abandon(struct writer *w)
{
	if (!w)
		return;
	if (w->fd >= 0 && !w->kept)
		unlinkat(w->store->root_fd, w->path, 0);
	fd_close(&w->fd);
	hasher_free(w->hasher);
	free(w);
}
