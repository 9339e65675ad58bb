// SPDX-License-Identifier: Apache-2.0
// Frames: see frames.h. One cipher context an object; each frame only sets its nonce.
#include "cloud/frames.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <stdlib.h>
#include <string.h>

enum { NONCE_SIZE = 12, MAGIC_SIZE = 8, SALT_AT = 16 };
static const unsigned char head[SALT_AT] = {'I', 'S', 'O', 'B', 'A', 'R', 'F', '1', 0, 1, 0, 0, 0, 0, 0, 0};

struct frames {
	EVP_CIPHER_CTX *seal, *open; // made when first needed
	unsigned char key[FRAMES_KEY_SIZE];
	struct sha256 bound; // additional data: digest of bucket, key and header
};

uint64_t frames_count(uint64_t plain)
{
	return plain ? plain / FRAME_PLAIN_SIZE + (plain % FRAME_PLAIN_SIZE != 0) : 1;
}

uint64_t frames_sealed_size(uint64_t plain)
{
	if (plain > UINT64_MAX / 2)
		return UINT64_MAX;
	return FRAMES_HEADER_SIZE + plain + frames_count(plain) * FRAME_TAG_SIZE;
}

bool frames_plain_size(uint64_t sealed, uint64_t *plain)
{
	if (sealed < FRAMES_HEADER_SIZE + FRAME_TAG_SIZE)
		return false;
	uint64_t body = sealed - FRAMES_HEADER_SIZE;
	uint64_t frames = body / FRAME_SEALED_SIZE + (body % FRAME_SEALED_SIZE != 0);
	uint64_t size = body - frames * FRAME_TAG_SIZE;
	// A last frame without plaintext is only that of an empty object.
	if (frames * FRAME_TAG_SIZE > body || frames_sealed_size(size) != sealed)
		return false;
	*plain = size;
	return true;
}

// HKDF-SHA-256 of the bucket's key with the object's salt.
static bool derive(const unsigned char *data_key, const unsigned char *salt, unsigned char key[FRAMES_KEY_SIZE])
{
	char digest[] = "SHA256", info[] = "isobar object frames 1";
	unsigned char secret[FRAMES_KEY_SIZE], salt_copy[FRAMES_SALT_SIZE];
	memcpy(secret, data_key, sizeof(secret));
	memcpy(salt_copy, salt, sizeof(salt_copy));
	OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, secret, sizeof(secret)),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, salt_copy, sizeof(salt_copy)),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info, sizeof(info) - 1),
		OSSL_PARAM_construct_end()};
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *ctx = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
	bool done = ctx && EVP_KDF_derive(ctx, key, FRAMES_KEY_SIZE, parameters) == 1;
	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
	OPENSSL_cleanse(secret, sizeof(secret));
	return done;
}

static void add_length(struct digest *d, struct str s)
{
	unsigned char size[8];
	for (size_t i = 0; i < sizeof(size); i++)
		size[i] = (unsigned char)((uint64_t)s.n >> (56 - 8 * i));
	digest_update(d, str_bytes(size, sizeof(size)));
	digest_update(d, s);
}

static bool bind(const struct frames_object *o, const unsigned char *header, struct sha256 *out)
{
	struct digest *d = digest_new(DIGEST_SHA256);
	if (!d)
		return false;
	add_length(d, o->bucket);
	add_length(d, o->key);
	add_length(d, str_bytes(header, FRAMES_HEADER_SIZE));
	digest_final(d, out->bytes);
	digest_free(d);
	return true;
}

int frames_of_header(const struct frames_object *o, const unsigned char header[FRAMES_HEADER_SIZE], struct frames **out,
	struct err *e)
{
	if (memcmp(header, head, MAGIC_SIZE) != 0)
		return err_set(e, ERR_CORRUPT, "the object is not encrypted by Isobar");
	if (memcmp(header, head, SALT_AT) != 0)
		return err_set(e, ERR_CORRUPT, "the object is encrypted in a form that this release does not know");
	struct frames *f = calloc(1, sizeof(*f));
	if (!f || !derive(o->data_key, header + SALT_AT, f->key) || !bind(o, header, &f->bound)) {
		frames_free(f);
		return err_set(e, ERR_NO_MEMORY, "out of memory for encryption");
	}
	*out = f;
	return 0;
}

int frames_new(const struct frames_object *o, const unsigned char *salt, unsigned char header[FRAMES_HEADER_SIZE],
	struct frames **out, struct err *e)
{
	memcpy(header, head, SALT_AT);
	memcpy(header + SALT_AT, salt, FRAMES_SALT_SIZE);
	return frames_of_header(o, header, out, e);
}

void frames_free(struct frames *f)
{
	if (!f)
		return;
	EVP_CIPHER_CTX_free(f->seal);
	EVP_CIPHER_CTX_free(f->open);
	OPENSSL_cleanse(f->key, sizeof(f->key));
	free(f);
}

// 3 bytes zero, 8 bytes number, 1 byte last.
static void make_nonce(struct frame_place at, unsigned char nonce[NONCE_SIZE])
{
	memset(nonce, 0, NONCE_SIZE);
	for (size_t i = 0; i < 8; i++)
		nonce[3 + i] = (unsigned char)(at.number >> (56 - 8 * i));
	nonce[NONCE_SIZE - 1] = at.last;
}

// The context for one direction with nonce and additional data of this frame set; NULL without memory.
static EVP_CIPHER_CTX *start(struct frames *f, struct frame_place at, bool sealing)
{
	EVP_CIPHER_CTX **ctx = sealing ? &f->seal : &f->open;
	unsigned char nonce[NONCE_SIZE];
	int n;
	if (!*ctx) {
		*ctx = EVP_CIPHER_CTX_new();
		if (!*ctx || EVP_CipherInit_ex(*ctx, EVP_aes_256_gcm(), NULL, f->key, NULL, sealing) != 1)
			return NULL;
	}
	make_nonce(at, nonce);
	if (EVP_CipherInit_ex(*ctx, NULL, NULL, NULL, nonce, sealing) != 1 ||
		EVP_CipherUpdate(*ctx, NULL, &n, f->bound.bytes, SHA256_SIZE) != 1)
		return NULL;
	return *ctx;
}

int frames_seal(struct frames *f, struct frame_place at, struct str plain, unsigned char *out, struct err *e)
{
	int n = 0, rest = 0;
	if (plain.n > FRAME_PLAIN_SIZE || (plain.n < FRAME_PLAIN_SIZE && !at.last))
		return err_set(e, ERR_INTERNAL, "a frame of %zu bytes", plain.n);
	EVP_CIPHER_CTX *ctx = start(f, at, true);
	if (!ctx || (plain.n && EVP_CipherUpdate(ctx, out, &n, (const unsigned char *)plain.p, (int)plain.n) != 1) ||
		EVP_CipherFinal_ex(ctx, out + n, &rest) != 1 ||
		EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, FRAME_TAG_SIZE, out + plain.n) != 1)
		return err_set(e, ERR_NO_MEMORY, "out of memory for encryption");
	return 0;
}

int frames_open(struct frames *f, struct frame_place at, struct str sealed, unsigned char *out, struct err *e)
{
	unsigned char tag[FRAME_TAG_SIZE];
	int n = 0, rest = 0;
	if (sealed.n < FRAME_TAG_SIZE || sealed.n > FRAME_SEALED_SIZE)
		return err_set(
			e, ERR_CORRUPT, "frame %llu is cut: it has %zu bytes", (unsigned long long)at.number, sealed.n);
	size_t size = sealed.n - FRAME_TAG_SIZE;
	memcpy(tag, sealed.p + size, sizeof(tag));
	EVP_CIPHER_CTX *ctx = start(f, at, false);
	if (!ctx)
		return err_set(e, ERR_NO_MEMORY, "out of memory for decryption");
	if ((size && EVP_CipherUpdate(ctx, out, &n, (const unsigned char *)sealed.p, (int)size) != 1) ||
		EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, FRAME_TAG_SIZE, tag) != 1 ||
		EVP_CipherFinal_ex(ctx, out + n, &rest) != 1) {
		OPENSSL_cleanse(out, size); // bytes that nobody vouches for
		return err_set(e, ERR_CORRUPT,
			"frame %llu does not open: it was altered, comes from another place or object, or the key is "
			"another one",
			(unsigned long long)at.number);
	}
	return 0;
}
