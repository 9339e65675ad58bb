// SPDX-License-Identifier: Apache-2.0
// Encrypt and decrypt of a pocket's Cloud KMS. A ciphertext is the version, 4 bytes big-endian, and what
// pocket/keys/material.h makes; the key's name and the caller's additional data are authenticated with it.
#include "pocket/gcp/kms_impl.h"

enum { HEAD = 4 };

// NAME 0 AAD: a name has no NUL.
static struct str authenticated(struct front_request *r, struct str key, struct str aad)
{
	const struct str parts[] = {key, str_bytes("", 1), aad};
	return arena_join(r->arena, parts, COUNT_OF(parts));
}

static int check_state(struct front_request *r, struct str key, const json_t *version)
{
	struct str state = json_str(version, "state");
	if (str_eq(state, S("ENABLED")))
		return 0;
	return google_refuse(r, "FAILED_PRECONDITION",
		"%.*s/cryptoKeyVersions/%lld is not enabled, current state is: %.*s.", STR(key),
		(long long)json_int(version, "number", 0), STR(state));
}

// ---------------------------------------------------------------- encrypt

struct plain {
	struct str data, aad;
	bool data_checked, aad_checked;
};

static int read_plain(struct front_request *r, const json_t *body, struct plain *out)
{
	int rc = google_bytes(r, body, "plaintext", &out->data);
	if (rc == 0)
		rc = google_bytes(r, body, "additionalAuthenticatedData", &out->aad);
	if (rc == 0)
		rc = google_checksum(r, body, "plaintextCrc32c", out->data, &out->data_checked);
	if (rc == 0)
		rc = google_checksum(
			r, body, "additionalAuthenticatedDataCrc32c", out->aad, &out->aad_checked);
	if (rc == 0 && (!out->data.n || out->data.n > KMS_MAX_PLAIN || out->aad.n > KMS_MAX_AAD))
		rc = google_refuse(r, "INVALID_ARGUMENT",
			"The plaintext must have 1 to %d bytes, the additional authenticated data at most %d.",
			KMS_MAX_PLAIN, KMS_MAX_AAD);
	return rc;
}

static void reply_ciphertext(
	struct front_request *r, const struct plain *plain, struct str version, struct str ciphertext)
{
	json_t *j = json_pack("{s:s, s:b, s:b}", "protectionLevel", "SOFTWARE", "verifiedPlaintextCrc32c",
		(int)plain->data_checked, "verifiedAdditionalAuthenticatedDataCrc32c", (int)plain->aad_checked);
	json_set_str(j, "name", version);
	google_set_bytes(j, "ciphertext", ciphertext);
	google_set_crc32c(j, "ciphertextCrc32c", ciphertext);
	google_reply(r, j);
}

static void encrypt(struct front_request *r, json_t *body)
{
	struct str key;
	const json_t *doc, *version = NULL;
	struct plain plain = {0};
	AUTO(buf) out = {0};
	int rc = kms_key(r, &key, &doc);
	int64_t number = rc == 0 ? json_int(doc, "primary", 0) : 0;
	if (rc == 0)
		rc = read_plain(r, body, &plain);
	if (rc == 0 && !(version = number ? kms_version_now(r, key, number) : NULL))
		rc = google_refuse(r, "FAILED_PRECONDITION", "%.*s has no primary version.", STR(key));
	if (rc == 0)
		rc = check_state(r, key, version);
	if (rc == 0) {
		const struct material_box box = {
			.key = json_str(version, "material"), .aad = authenticated(r, key, plain.aad)};
		for (int i = 0; i < HEAD; i++)
			buf_add_char(&out, (char)(number >> (24 - 8 * i)));
		rc = material_seal(r->pocket, &box, plain.data, &out, &r->err);
	}
	if (rc < 0)
		google_fail(r);
	else
		reply_ciphertext(r, &plain,
			arena_printf(r->arena, "%.*s/cryptoKeyVersions/%lld", STR(key), (long long)number),
			buf_str(&out));
}

void kms_encrypt(struct front_request *r)
{
	google_body(r, encrypt);
}

// ---------------------------------------------------------------- decrypt

static int open_ciphertext(struct front_request *r, struct str key, struct str ciphertext, struct str aad,
	struct buf *out, int64_t *number)
{
	const unsigned char *p = (const unsigned char *)ciphertext.p;
	struct err cause = {0};
	*number = ciphertext.n > HEAD ? (int64_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3] : 0;
	const json_t *version = *number ? kms_version_now(r, key, *number) : NULL;
	if (!version)
		return google_refuse(r, "INVALID_ARGUMENT", "Decryption failed: the ciphertext is invalid.");
	int rc = check_state(r, key, version);
	if (rc < 0)
		return rc;
	const struct material_box box = {
		.key = json_str(version, "material"), .aad = authenticated(r, key, aad)};
	rc = material_open(&box, str_drop(ciphertext, HEAD), out, &cause);
	return rc < 0 ? google_refuse(r, "INVALID_ARGUMENT", "Decryption failed: the ciphertext is invalid.") : 0;
}

static void decrypt(struct front_request *r, json_t *body)
{
	struct str key, ciphertext = S(""), aad = S("");
	const json_t *doc;
	AUTO(buf) out = {0};
	bool checked;
	int64_t number = 0;
	int rc = kms_key(r, &key, &doc);
	if (rc == 0)
		rc = google_bytes(r, body, "ciphertext", &ciphertext);
	if (rc == 0)
		rc = google_bytes(r, body, "additionalAuthenticatedData", &aad);
	if (rc == 0)
		rc = google_checksum(r, body, "ciphertextCrc32c", ciphertext, &checked);
	if (rc == 0)
		rc = google_checksum(r, body, "additionalAuthenticatedDataCrc32c", aad, &checked);
	if (rc == 0)
		rc = open_ciphertext(r, key, ciphertext, aad, &out, &number);
	if (rc < 0) {
		google_fail(r);
		return;
	}
	json_t *j = json_pack("{s:s, s:b}", "protectionLevel", "SOFTWARE", "usedPrimary",
		(int)(number == json_int(doc, "primary", 0)));
	google_set_bytes(j, "plaintext", buf_str(&out));
	google_set_crc32c(j, "plaintextCrc32c", buf_str(&out));
	google_reply(r, j);
}

void kms_decrypt(struct front_request *r)
{
	google_body(r, decrypt);
}
