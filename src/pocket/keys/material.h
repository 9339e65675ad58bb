// SPDX-License-Identifier: Apache-2.0
// What the key services of a pocket cloud wrap with: AES-256-GCM (NIST SP 800-38D) for KMS, Cloud KMS and the secrets at
// rest, RSA (RFC 8017) for Key Vault. Nothing is simulated: what comes out opens only with the key, the version and the
// authenticated data that closed it. Key bytes travel as text of their documents: base64 of 32 bytes, or of a PKCS #8
// private key. Loop thread only, no state. Errors: ERR_INVALID (does not open, wrong algorithm or size), ERR_NO_MEMORY,
// ERR_IO (no random bytes), ERR_CORRUPT (a document's key is none).
#ifndef ISOBAR_POCKET_KEYS_MATERIAL_H
#define ISOBAR_POCKET_KEYS_MATERIAL_H

#include "base/buf.h"

struct pocket;
enum { MATERIAL_AES = 32, MATERIAL_AROUND = 12 + 16, MATERIAL_LEAST_RSA = 2048, MATERIAL_MOST_RSA = 4096 };

// 32 random bytes as base64, appended.
MUST_CHECK int material_make_aes(const struct pocket *p, struct buf *text, struct err *e);
struct material_box {
	struct str key; // as above
	struct str aad;
};
// nonce | ciphertext | tag, appended.
MUST_CHECK int material_seal(
	const struct pocket *p, const struct material_box *box, struct str plain, struct buf *out, struct err *e);
MUST_CHECK int material_open(const struct material_box *box, struct str sealed, struct buf *out, struct err *e);

// ---------------------------------------------------------------- RSA
MUST_CHECK int material_make_rsa(unsigned bits, struct buf *text, struct err *e);
// Modulus and exponent as base64url, for a JSON Web Key (RFC 7518 6.3.1).
MUST_CHECK int material_rsa_public(struct str key, struct buf *n, struct buf *exponent, struct err *e);
enum material_rsa_act { MATERIAL_ENCRYPT, MATERIAL_DECRYPT, MATERIAL_SIGN, MATERIAL_VERIFY };
struct material_rsa {
	struct str key;
	enum material_rsa_act act;
	struct str algorithm; // "RSA-OAEP", "RSA-OAEP-256", "RSA1_5"; "RS256" ... "PS512" for signatures of digests
	struct str in;        // plaintext, ciphertext or digest
	struct str signature; // to verify
};
// ERR_UNSUPPORTED for an algorithm that it does not know; ERR_INVALID when it does not open, or verify.
MUST_CHECK int material_rsa_run(const struct material_rsa *m, struct buf *out, struct err *e);

#endif
