// SPDX-License-Identifier: Apache-2.0
// Several digests of one stream at once: what the three providers ask for about the bytes of an object. A hasher is
// owned by whoever began it and used by one thread at a time; struct digests is a plain value. Errors: ERR_NO_MEMORY.
#ifndef ISOBAR_POCKET_STORE_HASHER_H
#define ISOBAR_POCKET_STORE_HASHER_H

#include "base/err.h"
#include "base/hash.h"

enum { SHA1_SIZE = 20 };

enum hash_flags {
	HASH_MD5 = 1,
	HASH_SHA1 = 2,
	HASH_SHA256 = 4,
	HASH_CRC32 = 8,      // of zlib: ISO 3309
	HASH_CRC32C = 16,    // Castagnoli
	HASH_CRC64NVME = 32, // S3's crc64nvme, Azure's crc64
};

struct digests {
	unsigned have; // hash_flags
	unsigned char md5[MD5_SIZE];
	unsigned char sha1[SHA1_SIZE];
	unsigned char sha256[SHA256_SIZE];
	uint32_t crc32, crc32c;
	uint64_t crc64nvme;
};

struct hasher; // opaque
MUST_CHECK int hasher_begin(unsigned wanted, struct hasher **out, struct err *e);
void hasher_add(struct hasher *h, struct str data);
void hasher_finish(struct hasher *h, struct digests *out); // begins anew with the same digests
void hasher_free(struct hasher *h);                        // NULL is allowed

// The digest as the raw bytes that providers put into base64: CRCs big-endian. Number of bytes; 0 when it was not
// computed.
size_t digests_bytes(const struct digests *d, enum hash_flags which, unsigned char out[SHA256_SIZE]);

#endif
