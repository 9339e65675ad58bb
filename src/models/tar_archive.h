// SPDX-License-Identifier: Apache-2.0
// Writes tar archives (POSIX pax, restricted to ustar where names fit) through libarchive, which is loaded when a first
// archive is made. The same files give the same bytes: entries in order of their names, owner 0:0, one time stamp for
// all. Not thread-safe; errors are also kept in the archive, so that tar_end tells of the first.
#ifndef ISOBAR_MODELS_TAR_ARCHIVE_H
#define ISOBAR_MODELS_TAR_ARCHIVE_H

#include <stdint.h>

#include "base/err.h"

struct tar_target { // where the bytes go
	void *ctx;
	int (*write)(void *ctx, struct str data, struct err *e); // all or an error
};

struct tar_archive;
// ERR_UNSUPPORTED without libarchive. seconds: the time stamp of all entries.
MUST_CHECK int tar_begin(const struct tar_target *to, int64_t seconds, struct tar_archive **out, struct err *e);
// A file of mode 0644 from memory.
MUST_CHECK int tar_add_data(struct tar_archive *t, const char *name, struct str data, struct err *e);
// A file from disk under that name; mode 0755 when its owner may execute it, else 0644.
MUST_CHECK int tar_add_file(struct tar_archive *t, const char *name, const char *path, struct err *e);
// All below a folder: folders, files, symbolic links as links. ERR_UNSUPPORTED for sockets, devices and pipes.
MUST_CHECK int tar_add_tree(struct tar_archive *t, const char *root, struct err *e);
MUST_CHECK int tar_end(struct tar_archive *t, struct err *e); // writes the end; the archive is still to be freed
void tar_free(struct tar_archive *t);                         // NULL is allowed
#define AUTO_TYPE_tar struct tar_archive *
static inline void tar_autofree(struct tar_archive **t)
{
	tar_free(*t);
}

#endif
