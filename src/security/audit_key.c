// SPDX-License-Identifier: Apache-2.0
// The audit writer's Ed25519 key and the heads that it signs. See audit_impl.h.
// What is signed is text: "isobar audit head 1" LF, then log, size, root, chain and time in nanoseconds, each with LF.
#include <inttypes.h>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/secret.h"
#include "security/audit_impl.h"
#include "security/audit_verify.h"

static int read_key(const char *path, EVP_PKEY **out, struct err *e)
{
	AUTO(secret) text = {0};
	int rc = secret_read_file(&text, path, e);
	if (rc < 0)
		return rc;
	BIO *bio = BIO_new_mem_buf(text.p, (int)text.n);
	EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;
	BIO_free(bio);
	if (!key || EVP_PKEY_get_id(key) != EVP_PKEY_ED25519) {
		EVP_PKEY_free(key);
		return err_set(e, ERR_CORRUPT,
			"%s does not hold an Ed25519 private key in PEM: restore it from a backup", path);
	}
	*out = key;
	return 0;
}

static int make_key(const char *path, struct err *e)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	BIO *bio = BIO_new(BIO_s_secmem());
	char *text = NULL;
	int rc = 0;
	if (!key || !bio || !PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL))
		rc = err_set(e, ERR_INTERNAL, "make the key %s: the library refuses", path);
	long n = rc == 0 ? BIO_get_mem_data(bio, &text) : 0;
	AUTO(secret) pem = {0};
	if (rc == 0)
		rc = secret_set(&pem, str_bytes(text, (size_t)n), e);
	if (rc == 0)
		rc = secret_write_file(&pem, path, e);
	BIO_free(bio);
	EVP_PKEY_free(key);
	return rc;
}

int audit_key_open(const char *path, EVP_PKEY **out, struct err *e)
{
	int rc = file_exists(path) ? 0 : make_key(path, e);
	return rc < 0 ? rc : read_key(path, out, e);
}

int audit_key_public(EVP_PKEY *key, char hex[2 * ED25519_SIZE + 1], struct err *e)
{
	unsigned char raw[ED25519_SIZE];
	size_t n = sizeof(raw);
	if (EVP_PKEY_get_raw_public_key(key, raw, &n) != 1 || n != sizeof(raw))
		return err_set(e, ERR_INTERNAL, "the audit key gives no public key");
	hex_encode(str_bytes(raw, n), hex);
	return 0;
}

static void write_signed_text(struct buf *out, const struct audit_signed_head *h)
{
	char root[HEX_SHA256_SIZE], chain[HEX_SHA256_SIZE];
	hex_encode(str_bytes(h->head.root.bytes, SHA256_SIZE), root);
	hex_encode(str_bytes(h->head.chain.bytes, SHA256_SIZE), chain);
	buf_printf(out, "isobar audit head 1\n%s\n%" PRIu64 "\n%s\n%s\n%" PRId64 "\n", h->log, h->head.size, root,
		chain, h->time_ns);
}

int audit_head_sign(EVP_PKEY *key, struct audit_signed_head *h, struct err *e)
{
	AUTO(buf) text = {0};
	write_signed_text(&text, h);
	int rc = buf_check(&text, e);
	if (rc < 0)
		return rc;
	size_t n = sizeof(h->signature);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool good = ctx && EVP_DigestSignInit(ctx, NULL, NULL, NULL, key) == 1 &&
		    EVP_DigestSign(ctx, h->signature, &n, (const unsigned char *)text.p, text.n) == 1 &&
		    n == sizeof(h->signature);
	EVP_MD_CTX_free(ctx);
	return good ? 0 : err_set(e, ERR_INTERNAL, "the audit key does not sign");
}

bool audit_head_authentic(struct str public_key_hex, const struct audit_signed_head *h)
{
	unsigned char raw[ED25519_SIZE];
	AUTO(buf) text = {0};
	write_signed_text(&text, h);
	if (public_key_hex.n != 2 * ED25519_SIZE || hex_decode(public_key_hex, raw) < 0 || text.failed)
		return false;
	EVP_PKEY *key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, raw, sizeof(raw));
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool good =
		key && ctx && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key) == 1 &&
		EVP_DigestVerify(ctx, h->signature, sizeof(h->signature), (const unsigned char *)text.p, text.n) == 1;
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(key);
	return good;
}

void audit_write_head(struct buf *out, const struct audit_signed_head *h)
{
	char root[HEX_SHA256_SIZE], chain[HEX_SHA256_SIZE], signature[2 * ED25519_SIGNATURE_SIZE + 1];
	hex_encode(str_bytes(h->head.root.bytes, SHA256_SIZE), root);
	hex_encode(str_bytes(h->head.chain.bytes, SHA256_SIZE), chain);
	hex_encode(str_bytes(h->signature, sizeof(h->signature)), signature);
	buf_printf(out,
		"{\"chain\":\"%s\",\"log\":\"%s\",\"root\":\"%s\",\"signature\":\"%s\",\"size\":%" PRIu64
		",\"time_ns\":%" PRId64 "}\n",
		chain, h->log, root, signature, h->head.size, h->time_ns);
}

static bool decode_hex(const json_t *j, const char *name, unsigned char *out, size_t n)
{
	struct str hex = json_str(j, name);
	return hex.n == 2 * n && hex_decode(hex, out) == 0;
}

int audit_head_of_json(const json_t *object, struct audit_head *out, struct err *e)
{
	struct audit_head h = {.size = (uint64_t)json_int(object, "size", -1)};
	bool good = json_int(object, "size", -1) >= 0 && decode_hex(object, "root", h.root.bytes, SHA256_SIZE) &&
		    decode_hex(object, "chain", h.chain.bytes, SHA256_SIZE);
	if (!good)
		return err_set(e, ERR_CORRUPT, "it is not an audit head with size, root and chain");
	*out = h;
	return 0;
}

int audit_parse_head(struct str line, struct audit_signed_head *out, struct err *e)
{
	AUTO(json) j = NULL;
	struct audit_signed_head h = {0};
	int rc = json_parse(line, &j, e);
	if (rc == 0)
		rc = audit_head_of_json(j, &h.head, e);
	if (rc < 0)
		return err_set(e, ERR_CORRUPT, "it is not an audit head");
	h.time_ns = json_int(j, "time_ns", 0);
	if (!decode_hex(j, "signature", h.signature, sizeof(h.signature)) ||
		!str_copy(h.log, sizeof(h.log), json_str(j, "log")))
		return err_set(e, ERR_CORRUPT, "its signature or log id is malformed");
	*out = h;
	return 0;
}
