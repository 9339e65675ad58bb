// SPDX-License-Identifier: Apache-2.0
// Service-account assertions, made: see jwt_rs256.h. Verification is jwt_rs256_verify.c.
#include "cloud/sign/jwt_rs256.h"

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdlib.h>

#include "base/hash.h"
#include "cloud/sign/jwt_impl.h"

static int no_passphrase(char *out, int size, int writing, void *ctx)
{
	(void)out, (void)size, (void)writing, (void)ctx;
	return -1; // never asks on a terminal
}

static EVP_PKEY *read_private_key(struct str pem)
{
	BIO *bio = pem.n && pem.n < JWT_MAX_KEY_SIZE ? BIO_new_mem_buf(pem.p, (int)pem.n) : NULL;
	EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL;
	BIO_free(bio);
	if (key && EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA) {
		EVP_PKEY_free(key);
		key = NULL;
	}
	return key;
}

static int add_part(const json_t *part, struct buf *out, struct err *e)
{
	AUTO(buf) text = {0};
	int code = json_write(part, &text, e);
	if (!code)
		base64url_encode(buf_str(&text), out);
	return code;
}

static int add_header(struct str key_id, struct buf *out, struct err *e)
{
	AUTO(json) header = json_object();
	json_set_str(header, "alg", S("RS256"));
	json_set_str(header, "typ", S("JWT"));
	if (key_id.n)
		json_set_str(header, "kid", key_id);
	return add_part(header, out, e);
}

static int add_claims(const struct jwt_claims *claims, struct buf *out, struct err *e)
{
	AUTO(json) body = json_object();
	json_set_str(body, "iss", claims->issuer);
	if (claims->audience.n)
		json_set_str(body, "aud", claims->audience);
	if (claims->subject.n)
		json_set_str(body, "sub", claims->subject);
	if (claims->scope.n)
		json_set_str(body, "scope", claims->scope);
	json_object_set_new(body, "iat", json_integer(claims->issued_s));
	json_object_set_new(body, "exp", json_integer(claims->expires_s));
	return add_part(body, out, e);
}

static int add_signature(EVP_PKEY *key, struct buf *token, struct err *e)
{
	unsigned char bytes[JWT_MAX_RSA_BITS / 8];
	size_t n = sizeof(bytes);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool done = ctx && EVP_PKEY_get_bits(key) <= JWT_MAX_RSA_BITS &&
		    EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) == 1 &&
		    EVP_DigestSign(ctx, bytes, &n, (const unsigned char *)token->p, token->n) == 1;
	EVP_MD_CTX_free(ctx);
	if (!done)
		return err_set(e, ERR_INVALID, "the private key cannot sign with RS256");
	buf_add_char(token, '.');
	base64url_encode(str_bytes(bytes, n), token);
	return buf_check(token, e);
}

int jwt_rs256_make(
	struct str private_key, struct str key_id, const struct jwt_claims *claims, struct buf *out, struct err *e)
{
	AUTO(buf) token = {.limit = JWT_MAX_SIZE};
	EVP_PKEY *key = read_private_key(private_key);
	if (!key)
		return err_set(e, ERR_INVALID, "the private key is not an RSA key in PEM without a passphrase");
	int code = add_header(key_id, &token, e);
	buf_add_char(&token, '.');
	if (!code)
		code = add_claims(claims, &token, e);
	if (!code)
		code = buf_check(&token, e);
	if (!code)
		code = add_signature(key, &token, e);
	EVP_PKEY_free(key);
	if (code)
		return code;
	buf_add(out, buf_str(&token));
	return buf_check(out, e);
}

int jwt_rs256_make_json(
	struct str private_key, const json_t *header, const json_t *claims, struct buf *out, struct err *e)
{
	AUTO(buf) token = {.limit = JWT_MAX_SIZE};
	EVP_PKEY *key = read_private_key(private_key);
	if (!key)
		return err_set(e, ERR_INVALID, "the private key is not an RSA key in PEM without a passphrase");
	int code = add_part(header, &token, e);
	buf_add_char(&token, '.');
	if (!code)
		code = add_part(claims, &token, e);
	if (!code)
		code = buf_check(&token, e);
	if (!code)
		code = add_signature(key, &token, e);
	EVP_PKEY_free(key);
	if (code)
		return code;
	buf_add(out, buf_str(&token));
	return buf_check(out, e);
}

// Moves what was written to bio into out.
static bool take_pem(BIO *bio, struct buf *out)
{
	char *text = NULL;
	long n = BIO_get_mem_data(bio, &text);
	if (n <= 0 || !buf_reserve(out, (size_t)n))
		return false;
	buf_add_bytes(out, text, (size_t)n);
	return true;
}

int jwt_rs256_make_key(int bits, struct buf *private_key, struct buf *public_key, struct err *e)
{
	EVP_PKEY *key = bits >= JWT_MIN_RSA_BITS && bits <= JWT_MAX_RSA_BITS ? EVP_RSA_gen((unsigned)bits) : NULL;
	BIO *secret = BIO_new(BIO_s_secmem()), *open = BIO_new(BIO_s_mem());
	bool done = key && secret && open &&
		    PEM_write_bio_PKCS8PrivateKey(secret, key, NULL, NULL, 0, NULL, NULL) == 1 &&
		    PEM_write_bio_PUBKEY(open, key) == 1 && take_pem(secret, private_key) && take_pem(open, public_key);
	BIO_free(secret);
	BIO_free(open);
	EVP_PKEY_free(key);
	return done ? 0 : err_set(e, ERR_FAILED, "no RSA key of %d bits could be made", bits);
}
