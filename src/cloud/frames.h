// SPDX-License-Identifier: Apache-2.0
// The form of an encrypted object: a header, then frames of 64 KiB of plaintext, each sealed with AES-256-GCM (NIST SP
// 800-38D), so that a range is read by opening only the frames that it touches.
//
//     header  8 bytes "ISOBARF1", 4 bytes frame size (big-endian 65536), 4 bytes zero, 32 bytes salt
//     frame   ciphertext (64 KiB, the last one 0 to 64 KiB), 16 bytes tag; an empty object has one empty frame
//
// The object's key is HKDF-SHA-256 (RFC 5869) of the bucket's data key with the salt, so that a nonce is never used
// twice under one key; the nonce is the frame's number and whether it is the last one (as in STREAM: Hoang,
// Reyhanitabar, Rogaway, Vizar 2015), so that frames cannot be reordered, dropped or cut off; the additional data binds
// bucket, key of the object and header. One thread at a time.
#ifndef ISOBAR_CLOUD_FRAMES_H
#define ISOBAR_CLOUD_FRAMES_H

#include "base/err.h"
#include "base/hash.h"
#include "base/str.h"

enum {
	FRAMES_KEY_SIZE = 32,
	FRAMES_SALT_SIZE = 32,
	FRAMES_HEADER_SIZE = 48,
	FRAME_PLAIN_SIZE = 65536,
	FRAME_TAG_SIZE = 16,
	FRAME_SEALED_SIZE = FRAME_PLAIN_SIZE + FRAME_TAG_SIZE,
};

// Sizes of an object in the two forms. UINT64_MAX (unknown, or too large to seal) stays UINT64_MAX.
uint64_t frames_sealed_size(uint64_t plain);
bool frames_plain_size(uint64_t sealed, uint64_t *plain); // false: no encrypted object has this size
uint64_t frames_count(uint64_t plain);                    // at least 1

struct frames_object {                 // what an object's frames are bound to
	const unsigned char *data_key; // FRAMES_KEY_SIZE bytes, of the bucket
	struct str bucket, key;
};
struct frames; // owned

// For writing: salt is FRAMES_SALT_SIZE fresh random bytes; fills header.
MUST_CHECK int frames_new(const struct frames_object *o, const unsigned char *salt,
	unsigned char header[FRAMES_HEADER_SIZE], struct frames **out, struct err *e);
// For reading: ERR_CORRUPT when header is none.
MUST_CHECK int frames_of_header(const struct frames_object *o, const unsigned char header[FRAMES_HEADER_SIZE],
	struct frames **out, struct err *e);
void frames_free(struct frames *f); // wipes the key; NULL is allowed

struct frame_place {
	uint64_t number; // from 0
	bool last;
};
// out has room for plain.n + FRAME_TAG_SIZE bytes. plain: FRAME_PLAIN_SIZE bytes, fewer only in the last frame.
MUST_CHECK int frames_seal(
	struct frames *f, struct frame_place at, struct str plain, unsigned char *out, struct err *e);
// out has room for sealed.n - FRAME_TAG_SIZE bytes. ERR_CORRUPT: altered, or not from this place of this object; out is
// zero then.
MUST_CHECK int frames_open(
	struct frames *f, struct frame_place at, struct str sealed, unsigned char *out, struct err *e);

#endif
