// SPDX-License-Identifier: Apache-2.0
// Length and checksums of a file, read as a stream. Pure but for reading. ERR_IO, ERR_INVALID for what is no regular
// file.
#ifndef ISOBAR_DATA_DIGEST_FILE_H
#define ISOBAR_DATA_DIGEST_FILE_H

#include "base/hash.h"

struct file_digest {
	uint64_t size;
	uint32_t crc32c;
	unsigned char sha256[SHA256_SIZE];
	char hex[HEX_SHA256_SIZE];
};
MUST_CHECK int digest_file(const char *path, struct file_digest *out, struct err *e);       // follows no link
MUST_CHECK int digest_fd(int fd, const char *name, struct file_digest *out, struct err *e); // from its start to its end
// Length and CRC-32C alone, several times as fast; the rest of *out is zero.
MUST_CHECK int checksum_fd(int fd, const char *name, struct file_digest *out, struct err *e);
// Of a folder: names and contents of all regular files below it, in order of name; hex. Links are ERR_INVALID; hidden
// names and
// __pycache__ are left out.
MUST_CHECK int digest_tree(const char *path, char hex[HEX_SHA256_SIZE], struct err *e);

#endif
