// SPDX-License-Identifier: Apache-2.0
// Several digests of one stream: see hasher.h. Cryptographic ones run on OpenSSL's EVP, CRC-32 on zlib, the other two
// CRCs on base/.
#include "pocket/store/hasher.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { SLOTS = 3 };

struct hasher {
	unsigned wanted;
	EVP_MD_CTX *slots[SLOTS]; // in the order of slot_flags; NULL: not wanted
	struct digests state;     // the CRCs so far
};

static const enum hash_flags slot_flags[SLOTS] = {HASH_MD5, HASH_SHA1, HASH_SHA256};

static const EVP_MD *slot_algorithm(size_t slot)
{
	return slot == 0 ? EVP_md5() : slot == 1 ? EVP_sha1() : EVP_sha256();
}

static unsigned char *slot_output(struct digests *d, size_t slot)
{
	return slot == 0 ? d->md5 : slot == 1 ? d->sha1 : d->sha256;
}

// A digest that cannot be computed must never look like one.
static void must(int ok)
{
	if (!ok)
		abort();
}

int hasher_begin(unsigned wanted, struct hasher **out, struct err *e)
{
	struct hasher *h = calloc(1, sizeof(*h));
	if (!h)
		return err_set(e, ERR_NO_MEMORY, "no memory for the digests of an object");
	h->wanted = wanted;
	for (size_t i = 0; i < SLOTS; i++) {
		if (!(wanted & slot_flags[i]))
			continue;
		h->slots[i] = EVP_MD_CTX_new();
		if (!h->slots[i] || !EVP_DigestInit_ex(h->slots[i], slot_algorithm(i), NULL)) {
			hasher_free(h);
			return err_set(e, ERR_NO_MEMORY, "no memory for the digests of an object");
		}
	}
	*out = h;
	return 0;
}

// zlib counts in uInt: feed it what fits.
static uint32_t add_crc32(uint32_t crc, struct str data)
{
	const size_t step = 1u << 30;
	while (data.n) {
		struct str part = str_take(data, step);
		crc = (uint32_t)crc32(crc, (const Bytef *)part.p, (uInt)part.n);
		data = str_drop(data, part.n);
	}
	return crc;
}

void hasher_add(struct hasher *h, struct str data)
{
	if (data.n == 0)
		return;
	for (size_t i = 0; i < SLOTS; i++)
		if (h->slots[i])
			must(EVP_DigestUpdate(h->slots[i], data.p, data.n));
	if (h->wanted & HASH_CRC32)
		h->state.crc32 = add_crc32(h->state.crc32, data);
	if (h->wanted & HASH_CRC32C)
		h->state.crc32c = crc32c(h->state.crc32c, data);
	if (h->wanted & HASH_CRC64NVME)
		h->state.crc64nvme = crc64nvme(h->state.crc64nvme, data);
}

void hasher_finish(struct hasher *h, struct digests *out)
{
	*out = h->state;
	out->have = h->wanted;
	for (size_t i = 0; i < SLOTS; i++)
		if (h->slots[i])
			must(EVP_DigestFinal_ex(h->slots[i], slot_output(out, i), NULL) &&
				EVP_DigestInit_ex(h->slots[i], slot_algorithm(i), NULL));
	h->state = (struct digests){0};
}

void hasher_free(struct hasher *h)
{
	if (!h)
		return;
	for (size_t i = 0; i < SLOTS; i++)
		EVP_MD_CTX_free(h->slots[i]);
	free(h);
}

static size_t put_bytes(unsigned char *out, const void *bytes, size_t n)
{
	memcpy(out, bytes, n);
	return n;
}

static size_t put_big_endian(unsigned char *out, uint64_t value, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = (unsigned char)(value >> (8 * (n - 1 - i)));
	return n;
}

size_t digests_bytes(const struct digests *d, enum hash_flags which, unsigned char out[SHA256_SIZE])
{
	if (!(d->have & which))
		return 0;
	switch (which) {
	case HASH_MD5:
		return put_bytes(out, d->md5, MD5_SIZE);
	case HASH_SHA1:
		return put_bytes(out, d->sha1, SHA1_SIZE);
	case HASH_SHA256:
		return put_bytes(out, d->sha256, SHA256_SIZE);
	case HASH_CRC32:
		return put_big_endian(out, d->crc32, sizeof(d->crc32));
	case HASH_CRC32C:
		return put_big_endian(out, d->crc32c, sizeof(d->crc32c));
	case HASH_CRC64NVME:
		return put_big_endian(out, d->crc64nvme, sizeof(d->crc64nvme));
	}
	return 0;
}
