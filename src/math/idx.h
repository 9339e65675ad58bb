// SPDX-License-Identifier: Apache-2.0
// idx files (MNIST and its kin): a magic number, big-endian dimensions, bytes; plain or inside gzip. Only unsigned bytes with one
// (labels) or three dimensions (images) are read. A struct idx borrows the bytes it was parsed from. Pure, thread-safe.
// Errors: ERR_CORRUPT for what is cut, too long or no idx; ERR_LIMIT when it would unpack to more than allowed.
#ifndef ISOBAR_MATH_IDX_H
#define ISOBAR_MATH_IDX_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

// Most bytes that a file may have once unpacked: 1 GiB, twenty times the largest of the well-known sets.
#define IDX_MAX_BYTES (UINT64_C(1) << 30)

struct idx {
	uint32_t count;            // records
	uint32_t rows, columns;    // of an image; 1 and 1 for labels
	size_t record_size;        // rows x columns
	const unsigned char *data; // count x record_size bytes, borrowed
	bool images;               // three dimensions
};
MUST_CHECK int idx_parse(struct str bytes, struct idx *out, struct err *e);
// Unpacks when the bytes start as gzip does (all members), else takes them as they are. name is for messages.
MUST_CHECK int idx_unpack(struct str raw, const char *name, struct buf *out, struct err *e);
// Reads, unpacks and parses a file; *keep owns the bytes that *out borrows.
MUST_CHECK int idx_load(const char *path, struct buf *keep, struct idx *out, struct err *e);
// The header and data of an idx file, for parts of a set: what idx_parse reads back.
void idx_write(const struct idx *i, struct buf *out);

// gzip (RFC 1952), all members; appends at most limit bytes. ERR_CORRUPT when it is cut or damaged, ERR_LIMIT.
MUST_CHECK int gzip_unpack(struct str raw, uint64_t limit, struct buf *out, struct err *e);

#endif
