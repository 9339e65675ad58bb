// SPDX-License-Identifier: Apache-2.0
// API keys: "isk_" ID "_" SECRET, SECRET being 43 base-62 digits (256 bits) from the system's randomness. Only a keyed
// digest (HMAC-SHA256 under the workspace's hash secret) is stored: who reads the state or the snapshot cannot use a
// key, nor test guesses without the hash secret. A lookup goes by ID, then compares digests in constant time.
// High-entropy keys need no slow KDF, which on the request path would be a denial of service by itself. A table is
// immutable once built, lives in its arena, and may be read by any thread.
#ifndef ISOBAR_SECURITY_API_KEY_H
#define ISOBAR_SECURITY_API_KEY_H

#include <stdint.h>

#include "base/call.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/secret.h"

enum {
	API_KEY_ID_SIZE = 12,
	API_KEY_SECRET_SIZE = 43,
	API_KEY_TEXT_SIZE = 4 + API_KEY_ID_SIZE + 1 + API_KEY_SECRET_SIZE, // without NUL
	API_KEY_HASH_SECRET_SIZE = 32,
};

struct api_key_record {       // what is stored: state "api-key/NAME", snapshot "api_keys"
	struct str name;      // "shop-app": principal "api-key/shop-app"
	struct str principal; // "api-key/shop-app"
	struct str id;        // API_KEY_ID_SIZE characters
	struct sha256 digest; // of the whole key text
	int64_t expires_ns;   // wall clock; 0: never
};

// Reads the hash secret, or makes it (mode 0600) when the file is absent; two starters agree on one. ERR_DENIED when
// others may read it.
MUST_CHECK int api_key_hash_secret_open(const struct edges *edges, const char *path, struct secret *out, struct err *e);
// A new key: its text in *key (shown once, never stored) and what to store in *record (id in arena; name, expires_ns
// are the caller's).
MUST_CHECK int api_key_make(
	struct call *c, const struct secret *hash_secret, struct secret *key, struct api_key_record *record);
struct sha256 api_key_digest(const struct secret *hash_secret, struct str key);
// Is this the form of a key at all? Then *id is its ID, borrowed from text.
bool api_key_parse(struct str text, struct str *id);

// As JSON: {"name","id","digest":hex,"expires": RFC 3339 or ""}; a new reference.
json_t *api_key_to_json(const struct api_key_record *record);
MUST_CHECK int api_key_of_json(
	const json_t *object, struct arena *a, struct api_key_record *out, struct err *e); // ERR_CORRUPT

struct api_key_table { // sorted by id
	struct api_key_record *records;
	size_t count;
};
// From the snapshot's array of records; ERR_CORRUPT when an id appears twice.
MUST_CHECK int api_key_table_of_json(const json_t *array, struct arena *a, struct api_key_table *out, struct err *e);

enum api_key_verdict { API_KEY_VALID, API_KEY_MALFORMED, API_KEY_UNKNOWN, API_KEY_EXPIRED };
// *record: the matching one, also when EXPIRED (for the audit record); NULL otherwise. The client is told the same for
// every refusal.
struct api_key_presented { // what came with a request, and when
	struct str text;
	int64_t now_ns; // wall clock
};
enum api_key_verdict api_key_check(const struct api_key_table *t, const struct secret *hash_secret,
	struct api_key_presented presented, const struct api_key_record **record);
const char *api_key_verdict_word(enum api_key_verdict v); // "valid", "malformed", "unknown", "expired"

#endif
