// SPDX-License-Identifier: Apache-2.0
// Digests, checksums and their text forms: SHA-256, MD5, HMAC on OpenSSL's EVP; CRC32C and CRC-64/NVME written here,
// since whole-object proofs need crc_combine. Pure, thread-safe; the streaming types are used by one thread at a time.
// A digest that the library cannot compute (no memory) ends the process: its bytes must never be mistaken for a real
// one.
#ifndef ISOBAR_BASE_HASH_H
#define ISOBAR_BASE_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

enum { SHA256_SIZE = 32, MD5_SIZE = 16, HEX_SHA256_SIZE = 65 };

struct sha256 {
	unsigned char bytes[SHA256_SIZE];
};

struct sha256 sha256_of(struct str s);
struct sha256 hmac_sha256(struct str key, struct str data);
void md5_of(struct str s, unsigned char out[MD5_SIZE]);
bool hash_equal(const void *a, const void *b, size_t n); // constant time

// Streaming digests, owned: digest_new .. digest_update* .. digest_final (which frees nothing), digest_free.
enum digest_kind { DIGEST_SHA256, DIGEST_MD5 };
struct digest;
struct digest *digest_new(enum digest_kind kind); // NULL without memory
#define AUTO_TYPE_digest struct digest *
void digest_update(struct digest *d, struct str s);
size_t digest_final(struct digest *d, unsigned char out[SHA256_SIZE]); // number of bytes; resets for reuse
void digest_free(struct digest *d);                                    // NULL is allowed
static inline void digest_autofree(struct digest **d)
{
	digest_free(*d);
}

// CRC-32C (Castagnoli; check("123456789") = 0xe3069283) and CRC-64/NVME (check = 0xae8b14860a799888).
// crc = 0 starts; feed on with the last result. combine gives the checksum of A then B from both and B's length.
uint32_t crc32c(uint32_t crc, struct str s);
uint32_t crc32c_portable(uint32_t crc, struct str s); // the same by tables: what processors without SSE4.2 run
uint32_t crc32c_combine(uint32_t a, uint32_t b, uint64_t b_size);
uint64_t crc64nvme(uint64_t crc, struct str s);
uint64_t crc64nvme_portable(uint64_t crc, struct str s); // the same by tables: what processors without PCLMULQDQ run
uint64_t crc64nvme_combine(uint64_t a, uint64_t b, uint64_t b_size);

void hex_encode(struct str bytes, char *out);                   // lower case; out holds 2 n + 1
MUST_CHECK int hex_decode(struct str hex, unsigned char *out);  // either case; out holds n / 2; ERR_INVALID
void base64_encode(struct str bytes, struct buf *out);          // RFC 4648 with padding
void base64url_encode(struct str bytes, struct buf *out);       // without padding
MUST_CHECK int base64_decode(struct str text, struct buf *out); // appends; canonical form only; ERR_INVALID, ERR_LIMIT
MUST_CHECK int base64url_decode(struct str text, struct buf *out); // canonical, unpadded

#endif
