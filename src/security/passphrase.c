// SPDX-License-Identifier: Apache-2.0
// See passphrase.h. A sealed text is nonce, ciphertext, tag. Each key seals a handful of texts under random nonces.
#include "security/passphrase.h"

#include <openssl/evp.h>
#include <string.h>

#include "base/hash.h"

enum {
	KEY_BYTES = 32,
	NONCE_BYTES = 12,
	TAG_BYTES = 16,
	COST_N = 1 << 15, // with r 8: 32 MiB and about a tenth of a second
	COST_R = 8,
	COST_P = 1,
	MOST_N = 1 << 18,
	MOST_R = 16,
	MOST_P = 4,
};

static int derive(struct call *c, const struct secret *passphrase, struct passphrase_key *k)
{
	struct str text = secret_str(passphrase);
	uint64_t most = 256 * k->n * k->r; // twice what RFC 7914 needs
	int rc = secret_alloc(&k->key, KEY_BYTES, &c->err);
	if (rc < 0)
		return rc;
	if (EVP_PBE_scrypt(text.p, text.n, k->salt, sizeof(k->salt), k->n, k->r, k->p, most, (unsigned char *)k->key.p,
		    KEY_BYTES) != 1)
		return call_fail(c, ERR_NO_MEMORY, "derive a key from the passphrase: scrypt needs %llu MiB",
			(unsigned long long)(most >> 20));
	return 0;
}

int passphrase_new(struct call *c, const struct secret *passphrase, struct passphrase_key *out)
{
	struct passphrase_key k = {.n = COST_N, .r = COST_R, .p = COST_P};
	if (passphrase->n < PASSPHRASE_SHORTEST)
		return call_fail(c, ERR_INVALID, "the passphrase is shorter than %d characters", PASSPHRASE_SHORTEST);
	if (c->edges->random(c->edges->ctx, k.salt, sizeof(k.salt)) < 0)
		return call_fail(c, ERR_IO, "no randomness for a salt");
	int rc = derive(c, passphrase, &k);
	if (rc < 0)
		secret_free(&k.key);
	else
		*out = k;
	return rc;
}

json_t *passphrase_to_json(const struct passphrase_key *k)
{
	char salt[2 * PASSPHRASE_SALT + 1];
	hex_encode(str_bytes(k->salt, sizeof(k->salt)), salt);
	return json_pack("{s:s, s:I, s:I, s:I, s:s}", "kdf", "scrypt", "n", (json_int_t)k->n, "r", (json_int_t)k->r,
		"p", (json_int_t)k->p, "salt", salt);
}

int passphrase_of_json(struct call *c, const json_t *json, const struct secret *passphrase, struct passphrase_key *out)
{
	int64_t n = json_int(json, "n", 0), r = json_int(json, "r", 0), p = json_int(json, "p", 0);
	struct str salt = json_str(json, "salt");
	struct passphrase_key k = {.n = (uint64_t)n, .r = (uint64_t)r, .p = (uint64_t)p};
	if (!str_eq(json_str(json, "kdf"), S("scrypt")) || n < 2 || (n & (n - 1)) || r < 1 || p < 1 ||
		salt.n != 2 * PASSPHRASE_SALT || hex_decode(salt, k.salt) < 0)
		return call_fail(c, ERR_INVALID, "how the keys were sealed is not understood");
	if (n > MOST_N || r > MOST_R || p > MOST_P)
		return call_fail(c, ERR_LIMIT,
			"opening the sealed keys would cost more than is reasonable (scrypt n %lld)", (long long)n);
	int rc = derive(c, passphrase, &k);
	if (rc < 0)
		secret_free(&k.key);
	else
		*out = k;
	return rc;
}

struct box {
	const unsigned char *nonce;
	struct str name;
	unsigned char tag[TAG_BYTES]; // out when sealing, in when opening
};

// One run of the cipher over in; false when it refuses, or the tag is not right.
static bool run(const struct passphrase_key *k, struct box *b, struct str in, unsigned char *out, bool seal)
{
	EVP_CIPHER_CTX *x = EVP_CIPHER_CTX_new();
	int n = 0;
	bool good =
		x &&
		EVP_CipherInit_ex(x, EVP_aes_256_gcm(), NULL, (const unsigned char *)k->key.p, b->nonce, seal) == 1 &&
		EVP_CipherUpdate(x, NULL, &n, (const unsigned char *)b->name.p, (int)b->name.n) == 1 &&
		EVP_CipherUpdate(x, out, &n, (const unsigned char *)in.p, (int)in.n) == 1;
	if (good && !seal)
		good = EVP_CIPHER_CTX_ctrl(x, EVP_CTRL_AEAD_SET_TAG, TAG_BYTES, b->tag) == 1;
	good = good && EVP_CipherFinal_ex(x, out + n, &n) == 1;
	if (good && seal)
		good = EVP_CIPHER_CTX_ctrl(x, EVP_CTRL_AEAD_GET_TAG, TAG_BYTES, b->tag) == 1;
	EVP_CIPHER_CTX_free(x);
	return good;
}

int passphrase_seal(struct call *c, const struct passphrase_key *k, struct str name, struct str plain, struct buf *out)
{
	if (plain.n > PASSPHRASE_SEALED_MAX)
		return call_fail(c, ERR_LIMIT, "%.*s is too large to be sealed", STR(name));
	unsigned char *box = arena_alloc(c->arena, NONCE_BYTES + plain.n + TAG_BYTES);
	if (!box)
		return call_no_memory(c);
	if (c->edges->random(c->edges->ctx, box, NONCE_BYTES) < 0)
		return call_fail(c, ERR_IO, "no randomness for a nonce");
	struct box sealed = {.nonce = box, .name = name};
	if (!run(k, &sealed, plain, box + NONCE_BYTES, true))
		return call_no_memory(c);
	memcpy(box + NONCE_BYTES + plain.n, sealed.tag, TAG_BYTES);
	base64_encode(str_bytes(box, NONCE_BYTES + plain.n + TAG_BYTES), out);
	return buf_check(out, &c->err);
}

int passphrase_open(
	struct call *c, const struct passphrase_key *k, struct str name, struct str sealed, struct secret *out)
{
	AUTO(buf) box = {.limit = PASSPHRASE_SEALED_MAX + NONCE_BYTES + TAG_BYTES};
	AUTO(secret) plain = {0};
	if (base64_decode(sealed, &box) < 0 || box.n < NONCE_BYTES + TAG_BYTES)
		return call_fail(c, ERR_CORRUPT, "the sealed %.*s is cut off", STR(name));
	size_t n = box.n - NONCE_BYTES - TAG_BYTES;
	int rc = secret_alloc(&plain, n ? n : 1, &c->err);
	if (rc < 0)
		return rc;
	plain.n = n;
	struct box b = {.nonce = (const unsigned char *)box.p, .name = name};
	memcpy(b.tag, box.p + NONCE_BYTES + n, TAG_BYTES);
	if (!run(k, &b, str_bytes(box.p + NONCE_BYTES, n), (unsigned char *)plain.p, false))
		return call_fail(c, ERR_DENIED,
			"the passphrase does not open %.*s: it is another one, or the file was changed", STR(name));
	*out = plain;
	plain = (struct secret){0};
	return 0;
}
