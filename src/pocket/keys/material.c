// SPDX-License-Identifier: Apache-2.0
// AES-256-GCM of the pocket key services: see material.h.
#include "pocket/keys/material.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

#include "pocket/pocket_impl.h"

enum { NONCE = 12, TAG = 16, MOST_TEXT = 1 << 20 };

int material_make_aes(const struct pocket *p, struct buf *text, struct err *e)
{
	unsigned char key[MATERIAL_AES];
	int rc = pocket_random(p, key, sizeof(key), e);
	if (rc < 0)
		return rc;
	base64_encode(str_bytes(key, sizeof(key)), text);
	OPENSSL_cleanse(key, sizeof(key));
	return buf_check(text, e);
}

// One message, one way. text has room; tag is read when opening.
struct gcm {
	const unsigned char *key, *nonce;
	struct str aad;
	bool seal;
	unsigned char *tag;
};

static bool gcm_run(const struct gcm *g, struct str in, unsigned char *out)
{
	EVP_CIPHER_CTX *x = EVP_CIPHER_CTX_new();
	int n = 0, more = 0;
	bool good = x && EVP_CipherInit_ex(x, EVP_aes_256_gcm(), NULL, g->key, g->nonce, g->seal) == 1;
	if (good && g->aad.n)
		good = EVP_CipherUpdate(x, NULL, &n, (const unsigned char *)g->aad.p, (int)g->aad.n) == 1;
	n = 0;
	if (good && in.n)
		good = EVP_CipherUpdate(x, out, &n, (const unsigned char *)in.p, (int)in.n) == 1;
	if (good && !g->seal)
		good = EVP_CIPHER_CTX_ctrl(x, EVP_CTRL_AEAD_SET_TAG, TAG, g->tag) == 1;
	good = good && EVP_CipherFinal_ex(x, out + n, &more) == 1;
	if (good && g->seal)
		good = EVP_CIPHER_CTX_ctrl(x, EVP_CTRL_AEAD_GET_TAG, TAG, g->tag) == 1;
	EVP_CIPHER_CTX_free(x);
	return good;
}

static int read_key(const struct material_box *box, unsigned char key[MATERIAL_AES], struct err *e)
{
	if (front_base64(box->key, key, MATERIAL_AES) < 0)
		return err_set(e, ERR_CORRUPT, "the key's document holds no key of %d bytes", MATERIAL_AES);
	return 0;
}

int material_seal(
	const struct pocket *p, const struct material_box *box, struct str plain, struct buf *out, struct err *e)
{
	unsigned char key[MATERIAL_AES], nonce[NONCE], tag[TAG];
	if (plain.n > MOST_TEXT || box->aad.n > MOST_TEXT)
		return err_set(e, ERR_LIMIT, "%zu bytes are too many to encrypt", plain.n);
	int rc = read_key(box, key, e);
	if (rc == 0)
		rc = pocket_random(p, nonce, sizeof(nonce), e);
	if (rc == 0 && !buf_reserve(out, plain.n + MATERIAL_AROUND + 1))
		rc = buf_check(out, e);
	if (rc < 0)
		return rc;
	const struct gcm g = {.key = key, .nonce = nonce, .aad = box->aad, .seal = true, .tag = tag};
	buf_add_bytes(out, nonce, sizeof(nonce));
	bool good = gcm_run(&g, plain, (unsigned char *)out->p + out->n);
	OPENSSL_cleanse(key, sizeof(key));
	out->n += plain.n;
	buf_add_bytes(out, tag, sizeof(tag));
	return good ? 0 : err_set(e, ERR_NO_MEMORY, "AES-256-GCM failed");
}

int material_open(const struct material_box *box, struct str sealed, struct buf *out, struct err *e)
{
	unsigned char key[MATERIAL_AES], tag[TAG];
	if (sealed.n < MATERIAL_AROUND || sealed.n > MOST_TEXT + MATERIAL_AROUND)
		return err_set(e, ERR_INVALID, "%zu bytes are no ciphertext", sealed.n);
	struct str text = str_drop(sealed, NONCE);
	text.n -= TAG;
	int rc = read_key(box, key, e);
	if (rc == 0 && !buf_reserve(out, text.n + 1))
		rc = buf_check(out, e);
	if (rc < 0)
		return rc;
	memcpy(tag, text.p + text.n, TAG);
	const struct gcm g = {.key = key, .nonce = (const unsigned char *)sealed.p, .aad = box->aad, .tag = tag};
	bool good = gcm_run(&g, text, (unsigned char *)out->p + out->n);
	OPENSSL_cleanse(key, sizeof(key));
	if (!good) {
		OPENSSL_cleanse(out->p + out->n, text.n);
		return err_set(e, ERR_INVALID, "the ciphertext does not open");
	}
	out->n += text.n;
	return 0;
}
