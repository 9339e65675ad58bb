// SPDX-License-Identifier: Apache-2.0
// The user's code as one file: a POSIX ustar (IEEE Std 1003.1-2017, pax) of regular files and folders in order of their
// names, without times, owners and anything else that differs between two copies of the same code. Hidden names and
// __pycache__ stay behind, links and devices are refused. Reading trusts nothing: names stay below the folder, nothing
// is overwritten, sizes are bounded. Errors in c->err.
#ifndef ISOBAR_CLOUD_CODE_ARCHIVE_H
#define ISOBAR_CLOUD_CODE_ARCHIVE_H

#include "base/call.h"
#include "base/hash.h"

enum {
	CODE_ARCHIVE_MAX_BYTES = 1 << 30, // of all files
	CODE_ARCHIVE_MAX_FILES = 100000,
	CODE_ARCHIVE_MAX_DEPTH = 32,
};

struct code_archive { // what was written
	char sha256[HEX_SHA256_SIZE];
	uint64_t size;
};
// Appends to fd. ERR_INVALID for what is neither file nor folder, ERR_LIMIT.
MUST_CHECK int code_archive_write(struct call *c, const char *folder, int fd, struct code_archive *out);
// From fd's place to its end into folder, which must be there and empty. ERR_CORRUPT, ERR_LIMIT.
MUST_CHECK int code_archive_read(struct call *c, int fd, const char *folder);

#endif
