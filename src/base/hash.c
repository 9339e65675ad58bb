// SPDX-License-Identifier: Apache-2.0
// Digests on OpenSSL's EVP and the text forms of bytes: see hash.h. Checksums stand in hash_crc.c.
#include "base/hash.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct digest {
	EVP_MD_CTX *ctx;
	const EVP_MD *algorithm;
	size_t size;
	bool failed;
};

// A digest that could not be computed must never look like one: signatures and proofs compare these bytes. Only a lack
// of memory or a library without the algorithm comes here.
static _Noreturn void die(const char *what)
{
	fprintf(stderr, "isobar: %s failed: out of memory, or the cryptographic library lacks it\n", what);
	abort();
}

struct sha256 sha256_of(struct str s)
{
	struct sha256 out;
	if (!EVP_Digest(s.n ? s.p : "", s.n, out.bytes, NULL, EVP_sha256(), NULL))
		die("SHA-256");
	return out;
}

struct sha256 hmac_sha256(struct str key, struct str data)
{
	struct sha256 short_key, out;
	if (key.n > 64) { // longer than a block: the key's digest stands for it (RFC 2104)
		short_key = sha256_of(key);
		key = str_bytes(short_key.bytes, SHA256_SIZE);
	}
	const void *bytes = data.n ? data.p : "";
	if (!HMAC(EVP_sha256(), key.n ? key.p : "", (int)key.n, bytes, data.n, out.bytes, NULL))
		die("HMAC-SHA-256");
	return out;
}

void md5_of(struct str s, unsigned char out[MD5_SIZE])
{
	if (!EVP_Digest(s.n ? s.p : "", s.n, out, NULL, EVP_md5(), NULL))
		die("MD5");
}

bool hash_equal(const void *a, const void *b, size_t n)
{
	return CRYPTO_memcmp(a, b, n) == 0;
}

struct digest *digest_new(enum digest_kind kind)
{
	struct digest *d = calloc(1, sizeof(*d));
	if (!d)
		return NULL;
	d->algorithm = kind == DIGEST_SHA256 ? EVP_sha256() : EVP_md5();
	d->size = kind == DIGEST_SHA256 ? SHA256_SIZE : MD5_SIZE;
	d->ctx = EVP_MD_CTX_new();
	if (!d->ctx || !EVP_DigestInit_ex(d->ctx, d->algorithm, NULL)) {
		digest_free(d);
		return NULL;
	}
	return d;
}

void digest_update(struct digest *d, struct str s)
{
	if (s.n && !EVP_DigestUpdate(d->ctx, s.p, s.n))
		d->failed = true;
}

size_t digest_final(struct digest *d, unsigned char out[SHA256_SIZE])
{
	unsigned size = 0;
	bool ok = !d->failed && EVP_DigestFinal_ex(d->ctx, out, &size) && size == d->size;
	d->failed = !EVP_DigestInit_ex(d->ctx, d->algorithm, NULL);
	if (!ok)
		die("a streaming digest");
	return size;
}

void digest_free(struct digest *d)
{
	if (!d)
		return;
	EVP_MD_CTX_free(d->ctx);
	free(d);
}

void hex_encode(struct str bytes, char *out)
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < bytes.n; i++) {
		unsigned char byte = (unsigned char)bytes.p[i];
		out[2 * i] = digits[byte >> 4];
		out[2 * i + 1] = digits[byte & 15];
	}
	out[2 * bytes.n] = '\0';
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int hex_decode(struct str hex, unsigned char *out)
{
	if (hex.n % 2)
		return ERR_INVALID;
	for (size_t i = 0; i < hex.n; i++)
		if (hex_value(hex.p[i]) < 0)
			return ERR_INVALID;
	for (size_t i = 0; i < hex.n; i += 2)
		out[i / 2] = (unsigned char)(hex_value(hex.p[i]) << 4 | hex_value(hex.p[i + 1]));
	return 0;
}

static const char base64_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char base64url_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static void encode64(struct str bytes, const char *digits, bool pad, struct buf *out)
{
	if (bytes.n > SIZE_MAX / 2 || !buf_reserve(out, (bytes.n + 2) / 3 * 4)) {
		out->failed = true;
		return;
	}
	for (size_t i = 0; i < bytes.n; i += 3) {
		size_t have = MIN(bytes.n - i, (size_t)3);
		uint32_t group = 0;
		for (size_t j = 0; j < 3; j++)
			group = group << 8 | (j < have ? (unsigned char)bytes.p[i + j] : 0);
		for (size_t j = 0; j < 4; j++) {
			if (j <= have)
				out->p[out->n++] = digits[group >> (18 - 6 * j) & 63];
			else if (pad)
				out->p[out->n++] = '=';
		}
	}
}

void base64_encode(struct str bytes, struct buf *out)
{
	encode64(bytes, base64_digits, true, out);
}

void base64url_encode(struct str bytes, struct buf *out)
{
	encode64(bytes, base64url_digits, false, out);
}

// Values of the digits for one alphabet; 255 elsewhere.
static void fill_values(const char *digits, unsigned char values[256])
{
	memset(values, 255, 256);
	for (unsigned char i = 0; i < 64; i++)
		values[(unsigned char)digits[i]] = i;
}

// The last group of 2 or 3 digits. The bits that belong to no byte must be zero: one value has one text.
static int decode_tail(struct str tail, const unsigned char values[256], struct buf *out)
{
	uint32_t group = 0;
	for (size_t j = 0; j < tail.n; j++) {
		unsigned char value = values[(unsigned char)tail.p[j]];
		if (value > 63)
			return ERR_INVALID;
		group = group << 6 | value;
	}
	unsigned spare = tail.n == 2 ? 4 : 2;
	if (tail.n == 1 || (group & ((1U << spare) - 1)))
		return ERR_INVALID;
	group >>= spare;
	if (tail.n == 3)
		buf_add_char(out, (char)(group >> 8));
	buf_add_char(out, (char)group);
	return 0;
}

// text without padding
static int decode64(struct str text, const char *digits, struct buf *out)
{
	unsigned char values[256];
	fill_values(digits, values);
	size_t before = out->n;
	size_t whole = text.n / 4 * 4;
	if (!buf_reserve(out, text.n / 4 * 3 + 2))
		return out->limit ? ERR_LIMIT : ERR_NO_MEMORY;
	for (size_t i = 0; i < whole; i += 4) {
		uint32_t group = 0;
		unsigned char worst = 0;
		for (size_t j = 0; j < 4; j++) {
			unsigned char value = values[(unsigned char)text.p[i + j]];
			worst |= value;
			group = group << 6 | (value & 63);
		}
		if (worst > 63) {
			out->n = before;
			return ERR_INVALID;
		}
		out->p[out->n++] = (char)(group >> 16);
		out->p[out->n++] = (char)(group >> 8);
		out->p[out->n++] = (char)group;
	}
	int rc = text.n > whole ? decode_tail(str_drop(text, whole), values, out) : 0;
	if (rc < 0)
		out->n = before;
	return rc;
}

int base64_decode(struct str text, struct buf *out)
{
	if (text.n % 4)
		return ERR_INVALID;
	for (int pad = 0; pad < 2 && text.n && text.p[text.n - 1] == '='; pad++)
		text.n--;
	return decode64(text, base64_digits, out);
}

int base64url_decode(struct str text, struct buf *out)
{
	return decode64(text, base64url_digits, out);
}
