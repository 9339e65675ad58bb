// SPDX-License-Identifier: Apache-2.0
// Which part a record belongs to: the first 56 bits of the SHA-256 of its bytes (image then label), scaled to the
// number of parts. Stable everywhere and for ever, the same for equal records wherever they stand in the source, so
// parts never overlap and together are the whole. Pure.
#ifndef ISOBAR_DATA_PARTITION_H
#define ISOBAR_DATA_PARTITION_H

#include "base/arena.h"
#include "base/err.h"
#include "math/idx.h"

enum { PARTITION_MAX = 256 };

size_t partition_of(struct str record, size_t parts); // below parts

struct partition {           // of a pair of idx files; in the arena
	unsigned char *part; // of each record
	uint32_t count;      // records
	uint32_t sizes[PARTITION_MAX];
};
MUST_CHECK int partition_pair(struct arena *a, const struct idx *images, const struct idx *labels, size_t parts,
	struct partition *out, struct err *e);
// The records of one part, in the order of the source, as an idx file; of: the images or the labels.
MUST_CHECK int partition_write(
	const struct partition *p, const struct idx *of, size_t part, struct buf *out, struct err *e);

#endif
