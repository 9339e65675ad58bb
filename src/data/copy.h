// SPDX-License-Identifier: Apache-2.0
// Objects from cloud to cloud as a stream: read in ranges under the object's etag, so that memory is bounded, a retry
// starts over from unchanged bytes, and an object that changes meanwhile is ERR_CONFLICT and not a mixture. Lengths and
// checksums are compared end to end.
#ifndef ISOBAR_DATA_COPY_H
#define ISOBAR_DATA_COPY_H

#include "data/transfer.h"

enum { COPY_RANGE = 8 << 20 }; // bytes read at once: one request and this much memory a copy

struct copy_end {
	const struct cloud *cloud;
	struct str bucket, key; // physical bucket; key or, for a sync, prefix ending in '/' or ""
};
struct copy {
	struct copy_end from, to;
	const struct state *state; // records the transfer; NULL: nobody counts
	struct str what, id;       // of struct transfer
	struct str bytes_of;       // the thing whose bytes they are, where `what` says for what they move; "": `what`
};
struct copy_result {
	uint64_t objects, skipped, bytes; // skipped: already there with the same size and checksum
	char sha256[HEX_SHA256_SIZE];     // of the last object copied
};

// Proves that an object holds these bytes: length and checksum as its store tells them, or by reading it again where it
// tells no checksum. ERR_CORRUPT.
struct copy_proof {
	uint64_t size;
	uint32_t crc32c;
	unsigned char sha256[SHA256_SIZE];
};
MUST_CHECK int copy_prove(struct call *c, const struct copy_end *at, const struct copy_proof *proof);

// With a state, both ask first whether the bytes may lie there (data/passage.h): ERR_DENIED.
MUST_CHECK int copy_object(struct call *c, const struct copy *copy, struct copy_result *out);
// Everything below a prefix; what is already there is not moved again. Nothing is deleted at the target.
MUST_CHECK int copy_prefix(struct call *c, const struct copy *copy, struct copy_result *out);

#endif
