// SPDX-License-Identifier: Apache-2.0
// Service-account assertions, verified: see jwt_rs256.h. Nothing of the claims is read before the signature is right.
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <string.h>

#include "base/hash.h"
#include "cloud/sign/jwt_impl.h"
#include "cloud/sign/jwt_rs256.h"

struct parts {
	struct str header, claims, signature; // encoded
	struct str signed_text;               // "header.claims"
};

static int split(struct str token, struct parts *out, struct err *e)
{
	struct str rest = token, more;
	if (token.n > JWT_MAX_SIZE)
		return err_set(e, ERR_UNAUTHENTICATED, "the token has %zu bytes, at most %d are accepted", token.n,
			JWT_MAX_SIZE);
	if (!str_next(&rest, '.', &out->header) || !str_next(&rest, '.', &out->claims) ||
		!str_next(&rest, '.', &out->signature) || str_next(&rest, '.', &more) || !out->header.n ||
		!out->claims.n || !out->signature.n)
		return err_set(e, ERR_UNAUTHENTICATED, "the token is not three parts with a dot between");
	out->signed_text = str_take(token, out->header.n + 1 + out->claims.n);
	return 0;
}

static int decode_object(struct str encoded, const char *what, json_t **out, struct err *e)
{
	AUTO(buf) text = {0};
	struct err inner;
	if (base64url_decode(encoded, &text))
		return err_set(e, ERR_UNAUTHENTICATED, "the token's %s is not canonical base64url", what);
	if (json_parse(buf_str(&text), out, &inner))
		return err_set(e, ERR_UNAUTHENTICATED, "the token's %s is not valid JSON: %s", what, inner.message);
	if (json_is_object(*out))
		return 0;
	json_decref(*out);
	*out = NULL;
	return err_set(e, ERR_UNAUTHENTICATED, "the token's %s is not a JSON object", what);
}

// RS256 and nothing else; a critical extension is one that we do not know.
static int read_header(struct str encoded, json_t **out, struct err *e)
{
	json_t *header = NULL;
	int code = decode_object(encoded, "header", &header, e);
	if (code)
		return code;
	const json_t *type = json_object_get(header, "typ");
	if (!str_eq(json_str(header, "alg"), S("RS256")))
		code = err_set(e, ERR_UNAUTHENTICATED, "the token's algorithm is not RS256");
	else if (json_object_get(header, "crit"))
		code = err_set(e, ERR_UNAUTHENTICATED, "the token names a critical extension, and none is known here");
	else if (type && !str_eq_nocase(json_str(header, "typ"), S("JWT")))
		code = err_set(e, ERR_UNAUTHENTICATED, "the token's type is not JWT");
	if (code)
		json_decref(header);
	else
		*out = header;
	return code;
}

int jwt_rs256_key_id(struct str token, struct arena *a, struct str *key_id, struct err *e)
{
	struct parts parts;
	AUTO(json) header = NULL;
	int code = split(token, &parts, e);
	if (!code)
		code = read_header(parts.header, &header, e);
	if (code)
		return code;
	*key_id = arena_str(a, json_str(header, "kid"));
	return key_id->p ? 0 : err_set(e, ERR_NO_MEMORY, "out of memory");
}

static EVP_PKEY *read_public_key(struct str pem)
{
	BIO *bio = pem.n && pem.n < JWT_MAX_KEY_SIZE ? BIO_new_mem_buf(pem.p, (int)pem.n) : NULL;
	EVP_PKEY *key = bio ? PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL) : NULL;
	BIO_free(bio);
	int bits = key ? EVP_PKEY_get_bits(key) : 0;
	if (key && EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA && bits >= JWT_MIN_RSA_BITS && bits <= JWT_MAX_RSA_BITS)
		return key;
	EVP_PKEY_free(key);
	return NULL;
}

static int check_signature(const struct parts *parts, struct str public_key, struct err *e)
{
	AUTO(buf) signature = {0};
	if (base64url_decode(parts->signature, &signature))
		return err_set(e, ERR_UNAUTHENTICATED, "the token's signature is not canonical base64url");
	EVP_PKEY *key = read_public_key(public_key);
	if (!key)
		return err_set(e, ERR_INVALID, "the public key is not an RSA key of %d to %d bits in PEM",
			JWT_MIN_RSA_BITS, JWT_MAX_RSA_BITS);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool right = ctx && EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key) == 1 &&
		     EVP_DigestVerify(ctx, (const unsigned char *)signature.p, signature.n,
			     (const unsigned char *)parts->signed_text.p, parts->signed_text.n) == 1;
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(key);
	return right ? 0 : err_set(e, ERR_UNAUTHENTICATED, "the token's signature is wrong");
}

static int need_text(const json_t *claims, const char *name, struct arena *a, struct str *out, struct err *e)
{
	const json_t *value = json_object_get(claims, name);
	if (!json_is_string(value) || !json_string_length(value))
		return err_set(e, ERR_UNAUTHENTICATED, "the token's \"%s\" is absent or no text", name);
	*out = arena_str(a, json_str(claims, name));
	return out->p ? 0 : err_set(e, ERR_NO_MEMORY, "out of memory");
}

static int optional_text(const json_t *claims, const char *name, struct arena *a, struct str *out, struct err *e)
{
	if (json_object_get(claims, name))
		return need_text(claims, name, a, out, e);
	*out = S("");
	return 0;
}

static int need_time(const json_t *claims, const char *name, int64_t *out, struct err *e)
{
	const json_t *value = json_object_get(claims, name);
	if (!json_is_integer(value) || json_integer_value(value) < 0 || json_integer_value(value) > INT64_C(1) << 40)
		return err_set(
			e, ERR_UNAUTHENTICATED, "the token's \"%s\" is absent or no time in whole seconds", name);
	*out = json_integer_value(value);
	return 0;
}

static int check_times(const json_t *body, const struct jwt_expect *expect, struct jwt_claims *claims, struct err *e)
{
	int64_t not_before = 0;
	int code = need_time(body, "iat", &claims->issued_s, e);
	if (!code)
		code = need_time(body, "exp", &claims->expires_s, e);
	if (!code && json_object_get(body, "nbf"))
		code = need_time(body, "nbf", &not_before, e);
	if (code)
		return code;
	if (claims->issued_s > expect->now_s + expect->leeway_s || not_before > expect->now_s + expect->leeway_s)
		return err_set(e, ERR_UNAUTHENTICATED, "the token is from the future: check both clocks");
	if (claims->expires_s <= expect->now_s - expect->leeway_s)
		return err_set(e, ERR_UNAUTHENTICATED, "the token has expired");
	if (claims->expires_s <= claims->issued_s || claims->expires_s - claims->issued_s > JWT_MAX_LIFETIME_S)
		return err_set(
			e, ERR_UNAUTHENTICATED, "the token is good for longer than %d seconds", JWT_MAX_LIFETIME_S);
	return 0;
}

static int read_claims(
	const json_t *body, const struct jwt_expect *expect, struct arena *a, struct jwt_claims *claims, struct err *e)
{
	int code = check_times(body, expect, claims, e);
	if (!code)
		code = need_text(body, "iss", a, &claims->issuer, e);
	if (!code)
		code = expect->audience.n ? need_text(body, "aud", a, &claims->audience, e)
					  : optional_text(body, "aud", a, &claims->audience, e);
	if (!code)
		code = optional_text(body, "sub", a, &claims->subject, e);
	if (!code)
		code = optional_text(body, "scope", a, &claims->scope, e);
	if (!code && !str_eq(claims->audience, expect->audience))
		code = err_set(e, ERR_UNAUTHENTICATED, "the token is for \"%.*s\", not for \"%.*s\"",
			(int)MIN(claims->audience.n, 200), claims->audience.p, STR(expect->audience));
	return code;
}

int jwt_rs256_verify(struct str token, struct str public_key, const struct jwt_expect *expect, struct arena *a,
	struct jwt_claims *claims, struct err *e)
{
	struct parts parts;
	AUTO(json) header = NULL;
	AUTO(json) body = NULL;
	struct jwt_claims read = {0};
	int code = split(token, &parts, e);
	if (!code)
		code = read_header(parts.header, &header, e);
	if (!code)
		code = check_signature(&parts, public_key, e);
	if (!code)
		code = decode_object(parts.claims, "claims", &body, e);
	if (!code)
		code = read_claims(body, expect, a, &read, e);
	if (!code)
		*claims = read;
	return code;
}
