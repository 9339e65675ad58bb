// SPDX-License-Identifier: Apache-2.0
// Files: whole reads with a limit, atomic writes (temporary file, fsync, rename, fsync of the folder), folders, locks.
// Errors carry the path. Thread-safe.
#ifndef ISOBAR_BASE_FILE_H
#define ISOBAR_BASE_FILE_H

#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

MUST_CHECK int file_read(
	const char *path, size_t limit, struct buf *out, struct err *e); // appends; ERR_LIMIT past limit
// Readers see the old contents or the new, never a part; nothing is left behind on failure.
MUST_CHECK int file_write_atomic(const char *path, struct str data, mode_t mode, struct err *e);
// The same without waiting for the disk: it outlives this process, but after a power failure it may be the old contents,
// the new or damaged. For what is written often, and read by those who can do without.
MUST_CHECK int file_replace(const char *path, struct str data, mode_t mode, struct err *e);
MUST_CHECK int file_write_all(int fd, struct str data, const char *path, struct err *e);
MUST_CHECK int file_make_dirs(const char *path, mode_t mode, struct err *e); // like mkdir -p
MUST_CHECK int file_remove_tree(const char *path, struct err *e);            // follows no link; absent is fine
MUST_CHECK int file_fsync_dir(const char *path, struct err *e);
bool file_exists(const char *path);
// Exclusive advisory lock on path (created 0600); returns a descriptor to close, or ERR_IN_USE when another process has
// it.
MUST_CHECK int file_lock(const char *path, struct err *e);
// A path inside a folder of ours, from outside text: refuses absolute, ".", "..", empty parts, NUL, over 1000 bytes.
// ERR_INVALID.
MUST_CHECK int file_check_relative(struct str path, struct err *e);

void fd_close(int *fd); // closes and sets -1; -1 is fine
#define AUTO_TYPE_fd int
static inline void fd_autofree(int *fd)
{
	fd_close(fd);
}

#endif
