// SPDX-License-Identifier: Apache-2.0
// What drivers write and read about objects alike: names that are safe in a path, user metadata as headers, checksums
// as base64, and whether a conditional write that "failed" after a cut answer was our own. Texts live in the call's
// arena.
#ifndef ISOBAR_CLOUD_HTTP_OBJECT_FIELDS_H
#define ISOBAR_CLOUD_HTTP_OBJECT_FIELDS_H

#include "cloud/cloud.h"
#include "cloud/http/exchange.h"
#include "cloud/http/parts.h"

enum { OBJECT_MAX_KEY = 1024, OBJECT_MAX_METADATA = 2048 };

// ERR_INVALID for a bucket name that none of the providers takes; key: not empty, UTF-8, at most OBJECT_MAX_KEY bytes.
MUST_CHECK int object_check_bucket(struct call *c, struct str bucket);
MUST_CHECK int object_check_names(struct call *c, struct str bucket, struct str key);

// Adds PREFIX + name for each member (texts only). ERR_INVALID for what cannot be a header.
MUST_CHECK int object_add_metadata(struct call *c, struct exchange *x, const char *prefix, const json_t *metadata);
// The headers below PREFIX as an object in the arena, names in lower case; NULL when there are none. skip: one name
// left out, or "".
MUST_CHECK int object_read_metadata(
	struct call *c, const struct transport_response *r, const char *prefix, struct str skip, json_t **out);

// CRC-32C as base64 of its 4 big-endian bytes, as S3 and Cloud Storage write it.
struct str object_crc32c_text(struct arena *a, uint32_t crc);      // .p NULL without memory
MUST_CHECK int object_crc32c_read(struct str text, uint32_t *out); // ERR_INVALID
struct str object_base64(struct arena *a, struct str bytes);       // .p NULL without memory

// After a conflict that may come from an attempt of ours whose answer was lost: 0 with *out when the object has the
// size and CRC-32C that was sent, else the conflict's code with its error unchanged.
struct object_store {
	const struct store_ops *ops;
	void *ctx;
};
MUST_CHECK int object_settle_conflict(struct call *c, const struct object_store *store, const struct store_put *put,
	const struct parts *sent, struct object *out);

#endif
