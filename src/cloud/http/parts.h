// SPDX-License-Identifier: Apache-2.0
// A source cut into parts, one in memory at a time, so that a part can be sent again without rewinding: the same for
// multipart uploads, blocks and resumable sessions. Keeps the CRC-32C of all and of the part, and on demand an MD5 of
// all. One thread.
#ifndef ISOBAR_CLOUD_HTTP_PARTS_H
#define ISOBAR_CLOUD_HTTP_PARTS_H

#include "cloud/cloud.h"

enum {
	PART_SIZE = 8 << 20, // of the first ones; a multiple of 256 KiB (resumable sessions), over 5 MiB (multipart)
	PARTS_PER_SIZE =
		1000, // after so many, parts double: 10,000 of them reach 8 TiB, and memory grows only with the object
	PARTS_MAX = 10000,
};

struct parts {
	struct source *from;
	unsigned char *bytes; // owned
	size_t room;
	bool with_md5;
	struct digest *md5; // owned
	// Of the part at hand:
	struct str part;
	unsigned number;   // from 1
	uint64_t offset;   // of its first byte
	uint32_t part_crc; // CRC-32C
	bool last;         // nothing follows
	// Of all so far:
	uint64_t total;
	uint32_t crc;
	unsigned char peeked; // a byte read to know whether something follows
	bool has_peeked, ended;
};

void parts_init(struct parts *p, struct source *from, bool with_md5);
// Reads the next part (the first one may be empty). ERR_IO when the source fails or gives another number of bytes than
// it said.
MUST_CHECK int parts_next(struct call *c, struct parts *p);
// Back to the start, for an upload that has to be made anew as a whole; ERR_CONFLICT (the one at hand) when the source
// cannot.
MUST_CHECK int parts_rewind(struct call *c, struct parts *p);
void parts_md5(struct parts *p, unsigned char out[SHA256_SIZE]); // of all; MD5_SIZE bytes of out are used
void parts_free(struct parts *p);
#define AUTO_TYPE_parts struct parts
static inline void parts_autofree(struct parts *p)
{
	parts_free(p);
}

#endif
