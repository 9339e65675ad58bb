// SPDX-License-Identifier: Apache-2.0
// Service-account assertions: a JWT (RFC 7519) signed with RS256 (RFC 7518 3.3), made for a token endpoint (RFC 7523)
// and verified there. Strict: the algorithm is RS256 and nothing else, base64url is canonical, members are unique,
// `crit` is refused, times are integers. Pure, on OpenSSL's EVP; thread-safe. Refusals are ERR_UNAUTHENTICATED that say
// which check failed.
#ifndef ISOBAR_CLOUD_SIGN_JWT_RS256_H
#define ISOBAR_CLOUD_SIGN_JWT_RS256_H

#include "base/json.h"

enum { JWT_MAX_SIZE = 16 << 10, JWT_MAX_LIFETIME_S = 3600, JWT_MIN_RSA_BITS = 2048 };

struct jwt_claims {
	struct str issuer, subject, audience, scope; // "": left out (who verifies wants an issuer)
	int64_t issued_s, expires_s;                 // seconds since 1970
};
// private_key: PEM (PKCS#8 or PKCS#1). key_id "": no kid.
MUST_CHECK int jwt_rs256_make(
	struct str private_key, struct str key_id, const struct jwt_claims *claims, struct buf *out, struct err *e);

// The same with header and claims of the caller's own (a certificate's digest in the header); alg must say RS256.
MUST_CHECK int jwt_rs256_make_json(
	struct str private_key, const json_t *header, const json_t *claims, struct buf *out, struct err *e);

struct jwt_expect {
	struct str audience; // "": it must have none
	int64_t now_s,
		leeway_s; // iat at most leeway in the future, exp in the future, exp - iat at most JWT_MAX_LIFETIME_S
};
// The kid of a token that is not trusted yet, to choose a key by; "" when it has none.
MUST_CHECK int jwt_rs256_key_id(struct str token, struct arena *a, struct str *key_id, struct err *e);
// public_key: PEM (SubjectPublicKeyInfo). *claims lives in the arena; whether the issuer is known is for the caller to
// check.
MUST_CHECK int jwt_rs256_verify(struct str token, struct str public_key, const struct jwt_expect *expect,
	struct arena *a, struct jwt_claims *claims, struct err *e);
// A new key pair as PEM (PKCS#8, SubjectPublicKeyInfo), for pocket clouds and tests. private_key holds a secret: wipe
// it.
MUST_CHECK int jwt_rs256_make_key(int bits, struct buf *private_key, struct buf *public_key, struct err *e);

#endif
