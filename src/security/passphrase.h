// SPDX-License-Identifier: Apache-2.0
// Small secrets sealed under a passphrase: scrypt (RFC 7914) makes the key, AES-256-GCM seals, a name is bound to each
// text. What is needed to open them again, but for the passphrase, is JSON that stands beside them. The key is owned;
// one thread at a time.
#ifndef ISOBAR_SECURITY_PASSPHRASE_H
#define ISOBAR_SECURITY_PASSPHRASE_H

#include "base/call.h"
#include "base/json.h"
#include "base/secret.h"

enum {
	PASSPHRASE_SALT = 16,
	PASSPHRASE_SHORTEST = 12,        // characters of a passphrase for something new
	PASSPHRASE_SEALED_MAX = 1 << 20, // bytes of one text
};

struct passphrase_key {
	struct secret key;
	unsigned char salt[PASSPHRASE_SALT];
	uint64_t n; // cost of scrypt
	uint64_t r, p;
};
#define AUTO_TYPE_passphrase_key struct passphrase_key
static inline void passphrase_key_autofree(struct passphrase_key *k)
{
	secret_free(&k->key);
}

// With a new salt. ERR_INVALID: the passphrase is too short.
MUST_CHECK int passphrase_new(struct call *c, const struct secret *passphrase, struct passphrase_key *out);
// {kdf: "scrypt", n, r, p, salt}: new reference.
json_t *passphrase_to_json(const struct passphrase_key *k);
// The key again; costs from outside are bounded. ERR_INVALID, ERR_LIMIT.
MUST_CHECK int passphrase_of_json(
	struct call *c, const json_t *json, const struct secret *passphrase, struct passphrase_key *out);
// As base64 text, appended to out.
MUST_CHECK int passphrase_seal(
	struct call *c, const struct passphrase_key *k, struct str name, struct str plain, struct buf *out);
// ERR_DENIED: another passphrase, another name, or changed bytes.
MUST_CHECK int passphrase_open(
	struct call *c, const struct passphrase_key *k, struct str name, struct str sealed, struct secret *out);

#endif
