// SPDX-License-Identifier: Apache-2.0
// What a pocket's KMS does with keys: encrypt, decrypt, data keys. A ciphertext is the key's id (16 bytes), the version
// of its material (4 bytes big-endian), and what pocket/keys/material.h makes; the id and the encryption context, as
// JSON with its members sorted, are authenticated with it. See kms_impl.h.
#include "pocket/aws/kms_impl.h"

#include <string.h>

enum { HEAD = UUID_BYTES + 4, MOST_DATA_KEY = 1024 };

static int authenticated(struct front_request *r, struct str id, const json_t *context, struct str *out)
{
	AUTO(buf) text = {0};
	const char *name;
	json_t *value;
	json_t *object = (json_t *)(uintptr_t)context; // only read
	buf_add(&text, id);
	buf_add_char(&text, '\0');
	json_object_foreach(object, name, value)
	{
		if (!json_is_string(value))
			return aws_refuse(r, "SerializationException", "EncryptionContext holds texts only");
	}
	if (json_object_size(context) && json_write(context, &text, &r->err) < 0)
		return r->err.code;
	*out = arena_str(r->arena, buf_str(&text));
	return out->p ? 0 : err_set(&r->err, ERR_NO_MEMORY, "out of memory");
}

static void put_id(struct str id, unsigned char out[UUID_BYTES])
{
	char hex[2 * UUID_BYTES + 1];
	size_t n = 0;
	for (size_t i = 0; i < id.n && n < 2 * UUID_BYTES; i++)
		if (id.p[i] != '-')
			hex[n++] = id.p[i];
	if (n < 2 * UUID_BYTES || hex_decode(str_bytes(hex, n), out) < 0)
		memset(out, 0, UUID_BYTES);
}

static int seal(struct front_request *r, const struct kms_found *k, const json_t *context, struct str plain,
	struct str *out)
{
	AUTO(buf) bytes = {0};
	const json_t *versions = json_object_get(k->doc, "versions");
	size_t version = json_array_size(versions);
	unsigned char head[HEAD];
	struct material_box box = {.key = json_str(json_array_get(versions, version - 1), "material")};
	int rc = authenticated(r, k->id, context, &box.aad);
	if (rc < 0)
		return rc;
	put_id(k->id, head);
	for (size_t i = 0; i < 4; i++)
		head[UUID_BYTES + i] = (unsigned char)(version >> (24 - 8 * i));
	buf_add_bytes(&bytes, head, sizeof(head));
	rc = material_seal(r->pocket, &box, plain, &bytes, &r->err);
	if (rc == 0)
		*out = arena_str(r->arena, buf_str(&bytes));
	return rc < 0 || out->p ? rc : err_set(&r->err, ERR_NO_MEMORY, "out of memory");
}

static int invalid(struct front_request *r)
{
	return aws_refuse(r, "InvalidCiphertextException", "%s", "");
}

// The key that a ciphertext names, which must be the one that the caller names, if any.
static int find_of_blob(struct front_request *r, struct str blob, struct str named, const char *action,
	struct kms_found *out)
{
	char hex[2 * UUID_BYTES + 1];
	struct kms_found claimed = {0};
	if (blob.n <= HEAD)
		return invalid(r);
	hex_encode(str_take(blob, UUID_BYTES), hex);
	struct str id = arena_printf(
		r->arena, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
	if (!docs_get(r->pocket, KMS_AWS_KEYS, kms_place(r, id), &r->err))
		return invalid(r);
	int rc = kms_find(r, id, action, out);
	if (rc == 0 && named.n)
		rc = kms_find(r, named, action, &claimed);
	if (rc == 0 && named.n && !str_eq(claimed.id, out->id))
		rc = aws_refuse(r, "IncorrectKeyException",
			"The key ID in the request does not identify a CMK that can perform this operation.");
	return rc < 0 ? rc : kms_usable(r, out);
}

static int open_blob(
	struct front_request *r, const struct kms_found *k, const json_t *context, struct str blob, struct str *plain)
{
	AUTO(buf) bytes = {0};
	struct err cause = {0};
	const unsigned char *p = (const unsigned char *)blob.p + UUID_BYTES;
	size_t version = (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
	const json_t *entry = version ? json_array_get(json_object_get(k->doc, "versions"), version - 1) : NULL;
	struct material_box box = {.key = json_str(entry, "material")};
	int rc = authenticated(r, k->id, context, &box.aad);
	if (rc == 0 && (!entry || material_open(&box, str_drop(blob, HEAD), &bytes, &cause) < 0))
		rc = invalid(r);
	if (rc == 0)
		*plain = arena_str(r->arena, buf_str(&bytes));
	if (bytes.p)
		secret_wipe(bytes.p, bytes.n);
	return rc < 0 || plain->p ? rc : err_set(&r->err, ERR_NO_MEMORY, "out of memory");
}

// ---------------------------------------------------------------- operations

static json_t *answer(const struct kms_found *k, struct str blob)
{
	json_t *j = json_pack("{s:s}", "EncryptionAlgorithm", "SYMMETRIC_DEFAULT");
	json_set_str(j, "KeyId", k->arn);
	if (blob.n)
		aws_set_bytes(j, "CiphertextBlob", blob);
	return j;
}

int kms_encrypt_op(struct front_request *r, const json_t *in, json_t **out)
{
	struct kms_found k = {0};
	struct str plain = S(""), blob = S("");
	int rc = kms_find(r, json_str(in, "KeyId"), "kms:Encrypt", &k);
	if (rc == 0)
		rc = aws_bytes(r, in, "Plaintext", &plain);
	if (rc == 0 && (!plain.n || plain.n > KMS_AWS_MAX_PLAIN))
		rc = aws_refuse(r, "ValidationException",
			"1 validation error detected: Value at 'plaintext' failed to satisfy constraint: Member must "
			"have length between 1 and %d",
			KMS_AWS_MAX_PLAIN);
	if (rc == 0)
		rc = kms_usable(r, &k);
	if (rc == 0)
		rc = seal(r, &k, json_object_get(in, "EncryptionContext"), plain, &blob);
	if (rc == 0)
		*out = answer(&k, blob);
	return rc;
}

int kms_decrypt_op(struct front_request *r, const json_t *in, json_t **out)
{
	struct kms_found k = {0};
	struct str blob = S(""), plain = S("");
	int rc = aws_bytes(r, in, "CiphertextBlob", &blob);
	if (rc == 0)
		rc = find_of_blob(r, blob, json_str(in, "KeyId"), "kms:Decrypt", &k);
	if (rc == 0)
		rc = open_blob(r, &k, json_object_get(in, "EncryptionContext"), blob, &plain);
	if (rc < 0)
		return rc;
	*out = answer(&k, S(""));
	aws_set_bytes(*out, "Plaintext", plain);
	return 0;
}

int kms_reencrypt_op(struct front_request *r, const json_t *in, json_t **out)
{
	struct kms_found from = {0}, to = {0};
	struct str blob = S(""), plain = S(""), sealed = S("");
	int rc = aws_bytes(r, in, "CiphertextBlob", &blob);
	if (rc == 0)
		rc = find_of_blob(r, blob, json_str(in, "SourceKeyId"), "kms:ReEncryptFrom", &from);
	if (rc == 0)
		rc = open_blob(r, &from, json_object_get(in, "SourceEncryptionContext"), blob, &plain);
	if (rc == 0)
		rc = kms_find(r, json_str(in, "DestinationKeyId"), "kms:ReEncryptTo", &to);
	if (rc == 0)
		rc = kms_usable(r, &to);
	if (rc == 0)
		rc = seal(r, &to, json_object_get(in, "DestinationEncryptionContext"), plain, &sealed);
	if (rc < 0)
		return rc;
	*out = answer(&to, sealed);
	json_set_str(*out, "SourceKeyId", from.arn);
	json_object_set_new(*out, "SourceEncryptionAlgorithm", json_string("SYMMETRIC_DEFAULT"));
	json_object_set_new(*out, "DestinationEncryptionAlgorithm", json_string("SYMMETRIC_DEFAULT"));
	return 0;
}

static int data_key(struct front_request *r, const json_t *in, const char *action, json_t **out)
{
	struct kms_found k = {0};
	unsigned char bytes[MOST_DATA_KEY];
	struct str spec = json_str(in, "KeySpec"), blob = S("");
	int64_t n = str_eq(spec, S("AES_256"))   ? 32
		    : str_eq(spec, S("AES_128")) ? 16
						 : json_int(in, "NumberOfBytes", 0);
	int rc = kms_find(r, json_str(in, "KeyId"), action, &k);
	if (rc == 0 && (n < 1 || n > MOST_DATA_KEY))
		rc = aws_refuse(r, "ValidationException", "Please specify either number of bytes or key spec.");
	if (rc == 0)
		rc = kms_usable(r, &k);
	if (rc == 0)
		rc = pocket_random(r->pocket, bytes, (size_t)n, &r->err);
	if (rc == 0)
		rc = seal(r, &k, json_object_get(in, "EncryptionContext"), str_bytes(bytes, (size_t)n), &blob);
	if (rc == 0) {
		*out = answer(&k, blob);
		aws_set_bytes(*out, "Plaintext", str_bytes(bytes, (size_t)n));
	}
	secret_wipe(bytes, sizeof(bytes));
	return rc;
}

int kms_data_key_op(struct front_request *r, const json_t *in, json_t **out)
{
	return data_key(r, in, "kms:GenerateDataKey", out);
}

int kms_data_key_only_op(struct front_request *r, const json_t *in, json_t **out)
{
	int rc = data_key(r, in, "kms:GenerateDataKeyWithoutPlaintext", out);
	if (rc == 0)
		json_object_del(*out, "Plaintext");
	return rc;
}

int kms_random_op(struct front_request *r, const json_t *in, json_t **out)
{
	unsigned char bytes[MOST_DATA_KEY];
	int64_t n = json_int(in, "NumberOfBytes", 0);
	if (n < 1 || n > MOST_DATA_KEY)
		return aws_refuse(r, "ValidationException", "NumberOfBytes is required: 1 to %d", MOST_DATA_KEY);
	int rc = pocket_random(r->pocket, bytes, (size_t)n, &r->err);
	if (rc == 0) {
		*out = json_object();
		aws_set_bytes(*out, "Plaintext", str_bytes(bytes, (size_t)n));
	}
	return rc;
}
