// SPDX-License-Identifier: Apache-2.0
// Key Vault of a pocket Azure: what its files share. Source: "Key Vault REST API, 7.x" (Microsoft). RSA keys with their
// versions, rotation, wrapping, signing; secrets with their versions; soft deletion, recovery, purge. A pocket is one
// vault, at its origin: /keys, /deletedkeys, /secrets, /deletedsecrets. A request without a token is answered with the
// challenge that tells clients where to get one. What a pocket does not do (certificates, elliptic curves, managed HSM) is
// refused, never ignored.
#ifndef ISOBAR_POCKET_ARM_VAULT_IMPL_H
#define ISOBAR_POCKET_ARM_VAULT_IMPL_H

#include "base/secret.h"
#include "base/time.h"
#include "pocket/arm/entra.h"
#include "pocket/arm/vault.h"
#include "pocket/docs.h"
#include "pocket/keys/at_rest.h"
#include "pocket/keys/material.h"
#include "pocket/pocket_impl.h"

enum { VAULT_NAMES = 3, VAULT_MAX_BODY = 256 << 10, VAULT_ID_SIZE = 33, VAULT_PAGE = 25, VAULT_RECOVERABLE_DAYS = 90 };

struct vault_route {
	enum http_method method;
	const char *path;   // "/keys/*/*/wrapkey": '*' is one name
	const char *action; // that a role must allow, behind "Microsoft.KeyVault/vaults/"
	void (*run)(struct front_request *r);
};
struct vault_request { // r->own
	const struct vault_route *route;
	struct str names[VAULT_NAMES];
	size_t count;
	json_t *body; // borrowed from the arena; {} without one
	struct entra_caller who;
};
struct vault_request *vault_request(const struct front_request *r);

// A kind of thing: keys and secrets differ in what a version holds.
struct vault_kind {
	const char *word;       // "keys", in addresses
	const char *collection; // of documents, by name: {"deleted_ns", "versions": [{"id", "created", "updated",
				// "enabled", "tags", ...}]}, the last version the newest
	const char *missing;    // "KeyNotFound"
	// Adds to what is told of a version; value: also what a list leaves out.
	int (*tell)(struct front_request *r, struct str name, const json_t *version, bool value, json_t *out);
};
extern const struct vault_kind vault_keys, vault_secrets;

// ---------------------------------------------------------------- errors (vault.c)
int vault_refuse(struct front_request *r, int status, const char *code, const char *format, ...) PRINTF_LIKE(4, 5);
void vault_fail(struct front_request *r);
void vault_reply(struct front_request *r, json_t *j); // 200; takes over the reference
struct str vault_base(struct front_request *r);       // "http://127.0.0.1:4000", as the client calls it

// ---------------------------------------------------------------- who asks (vault_access.c)
MUST_CHECK int vault_authenticate(struct front_request *r); // 401 with the challenge
MUST_CHECK int vault_authorise(struct front_request *r);    // for the route's action; 403 Forbidden

// ---------------------------------------------------------------- things with versions (vault_items.c)
// The document; 404 unless it is there, or unless it is deleted where that is wanted.
MUST_CHECK int vault_find(struct front_request *r, const struct vault_kind *kind, bool deleted, const json_t **doc);
// The version that the path names (the newest without one); 404.
MUST_CHECK int vault_version(
	struct front_request *r, const struct vault_kind *kind, const json_t **doc, const json_t **version);
// A new version with the request's attributes and tags, not yet in the document. New reference.
MUST_CHECK int vault_new_version(struct front_request *r, json_t **version);
// Adds it (takes the reference) to the document of that name, which is made when there is none.
MUST_CHECK int vault_add_version(struct front_request *r, const struct vault_kind *kind, json_t *version);
MUST_CHECK int vault_check_name(struct front_request *r, const struct vault_kind *kind);
void vault_reply_version(struct front_request *r, const struct vault_kind *kind, const json_t *version);

// The operations that both have.
#define VAULT_ITEMS(X) X(get) X(versions) X(list) X(update) X(remove) X(deleted) X(list_deleted) X(recover) X(purge)
#define X(name) void vault_key_##name(struct front_request *r), vault_secret_##name(struct front_request *r);
VAULT_ITEMS(X)
#undef X

// ---------------------------------------------------------------- keys (vault_keys.c), secrets (vault_secrets.c)
void vault_create_key(struct front_request *r), vault_rotate_key(struct front_request *r),
	vault_encrypt(struct front_request *r), vault_decrypt(struct front_request *r),
	vault_wrap(struct front_request *r), vault_unwrap(struct front_request *r), vault_sign(struct front_request *r),
	vault_verify(struct front_request *r), vault_rotation_policy(struct front_request *r);
void vault_set_secret(struct front_request *r);

#endif
