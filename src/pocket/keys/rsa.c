// SPDX-License-Identifier: Apache-2.0
// RSA of the pocket Key Vault, on OpenSSL's EVP: see material.h.
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "base/hash.h"
#include "pocket/keys/material.h"

static const struct algorithm {
	const char *name;
	bool signs;
	int padding;
	const char *digest; // of OAEP, and of what is signed; NULL: none
} algorithms[] = {
	{"RSA-OAEP", false, RSA_PKCS1_OAEP_PADDING, "SHA1"},
	{"RSA-OAEP-256", false, RSA_PKCS1_OAEP_PADDING, "SHA256"},
	{"RSA1_5", false, RSA_PKCS1_PADDING, NULL},
	{"RS256", true, RSA_PKCS1_PADDING, "SHA256"},
	{"RS384", true, RSA_PKCS1_PADDING, "SHA384"},
	{"RS512", true, RSA_PKCS1_PADDING, "SHA512"},
	{"PS256", true, RSA_PKCS1_PSS_PADDING, "SHA256"},
	{"PS384", true, RSA_PKCS1_PSS_PADDING, "SHA384"},
	{"PS512", true, RSA_PKCS1_PSS_PADDING, "SHA512"},
};

int material_make_rsa(unsigned bits, struct buf *text, struct err *e)
{
	unsigned char *der = NULL;
	if (bits < MATERIAL_LEAST_RSA || bits > MATERIAL_MOST_RSA || bits % 1024)
		return err_set(e, ERR_INVALID, "an RSA key of %u bits cannot be made", bits);
	EVP_PKEY *key = EVP_RSA_gen(bits);
	PKCS8_PRIV_KEY_INFO *info = key ? EVP_PKEY2PKCS8(key) : NULL;
	int n = info ? i2d_PKCS8_PRIV_KEY_INFO(info, &der) : -1;
	if (n > 0)
		base64_encode(str_bytes(der, (size_t)n), text);
	OPENSSL_clear_free(der, n > 0 ? (size_t)n : 0);
	PKCS8_PRIV_KEY_INFO_free(info);
	EVP_PKEY_free(key);
	return n > 0 ? buf_check(text, e) : err_set(e, ERR_NO_MEMORY, "an RSA key could not be made");
}

static int read_key(struct str text, EVP_PKEY **out, struct err *e)
{
	AUTO(buf) der = {0};
	EVP_PKEY *key = NULL;
	if (base64_decode(text, &der) == 0 && der.n) {
		const unsigned char *at = (const unsigned char *)der.p;
		key = d2i_AutoPrivateKey(NULL, &at, (long)der.n);
		OPENSSL_cleanse(der.p, der.n);
	}
	ERR_clear_error();
	if (!key)
		return err_set(e, ERR_CORRUPT, "the key's document holds no RSA key");
	*out = key;
	return 0;
}

static bool put_number(const EVP_PKEY *key, const char *name, struct buf *out)
{
	unsigned char bytes[MATERIAL_MOST_RSA / 8];
	BIGNUM *n = NULL;
	bool good = EVP_PKEY_get_bn_param(key, name, &n) == 1 && BN_num_bytes(n) <= (int)sizeof(bytes);
	if (good)
		base64url_encode(str_bytes(bytes, (size_t)BN_bn2bin(n, bytes)), out);
	BN_free(n);
	return good && !out->failed;
}

int material_rsa_public(struct str key, struct buf *n, struct buf *exponent, struct err *e)
{
	EVP_PKEY *rsa = NULL;
	int rc = read_key(key, &rsa, e);
	if (rc < 0)
		return rc;
	bool good = put_number(rsa, OSSL_PKEY_PARAM_RSA_N, n) && put_number(rsa, OSSL_PKEY_PARAM_RSA_E, exponent);
	EVP_PKEY_free(rsa);
	return good ? 0 : err_set(e, ERR_NO_MEMORY, "out of memory");
}

static bool begin(EVP_PKEY_CTX *x, const struct algorithm *a, enum material_rsa_act act)
{
	static int (*const starts[])(EVP_PKEY_CTX *) = {[MATERIAL_ENCRYPT] = EVP_PKEY_encrypt_init,
		[MATERIAL_DECRYPT] = EVP_PKEY_decrypt_init,
		[MATERIAL_SIGN] = EVP_PKEY_sign_init,
		[MATERIAL_VERIFY] = EVP_PKEY_verify_init};
	const EVP_MD *digest = a->digest ? EVP_get_digestbyname(a->digest) : NULL;
	if (!x || starts[act](x) != 1 || EVP_PKEY_CTX_set_rsa_padding(x, a->padding) != 1)
		return false;
	if (a->padding == RSA_PKCS1_OAEP_PADDING)
		return EVP_PKEY_CTX_set_rsa_oaep_md(x, digest) == 1 && EVP_PKEY_CTX_set_rsa_mgf1_md(x, digest) == 1;
	if (!a->signs)
		return true;
	return EVP_PKEY_CTX_set_signature_md(x, digest) == 1 &&
	       (a->padding != RSA_PKCS1_PSS_PADDING ||
		       EVP_PKEY_CTX_set_rsa_pss_saltlen(x, RSA_PSS_SALTLEN_DIGEST) == 1);
}

static bool run(EVP_PKEY_CTX *x, const struct material_rsa *m, struct buf *out)
{
	size_t n = MATERIAL_MOST_RSA / 8;
	const unsigned char *in = (const unsigned char *)m->in.p;
	if (m->act == MATERIAL_VERIFY)
		return EVP_PKEY_verify(x, (const unsigned char *)m->signature.p, m->signature.n, in, m->in.n) == 1;
	if (!buf_reserve(out, n))
		return false;
	unsigned char *to = (unsigned char *)out->p + out->n;
	bool good = m->act == MATERIAL_ENCRYPT   ? EVP_PKEY_encrypt(x, to, &n, in, m->in.n) == 1
		    : m->act == MATERIAL_DECRYPT ? EVP_PKEY_decrypt(x, to, &n, in, m->in.n) == 1
						 : EVP_PKEY_sign(x, to, &n, in, m->in.n) == 1;
	if (good)
		out->n += n;
	return good;
}

int material_rsa_run(const struct material_rsa *m, struct buf *out, struct err *e)
{
	const struct algorithm *a = NULL;
	EVP_PKEY *key = NULL;
	bool signs = m->act == MATERIAL_SIGN || m->act == MATERIAL_VERIFY;
	for (size_t i = 0; i < COUNT_OF(algorithms); i++)
		if (algorithms[i].signs == signs && str_is(m->algorithm, algorithms[i].name))
			a = &algorithms[i];
	if (!a)
		return err_set(e, ERR_UNSUPPORTED, "the algorithm \"%.*s\" is not one of RSA's",
			STR(str_clip(m->algorithm, 40)));
	int rc = read_key(m->key, &key, e);
	if (rc < 0)
		return rc;
	EVP_PKEY_CTX *x = EVP_PKEY_CTX_new(key, NULL);
	bool good = begin(x, a, m->act) && run(x, m, out);
	EVP_PKEY_CTX_free(x);
	EVP_PKEY_free(key);
	ERR_clear_error();
	return good ? 0 : err_set(e, ERR_INVALID, "%.*s of these %zu bytes failed", STR(m->algorithm), m->in.n);
}
