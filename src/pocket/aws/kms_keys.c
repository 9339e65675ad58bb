// SPDX-License-Identifier: Apache-2.0
// Keys of a pocket's KMS: how they are found, what state they are in, and the life of one. See kms_impl.h. A document:
// {"created_ns", "description", "disabled", "deletion_ns", "versions": [{"material", "created_ns", "how"}], "policy",
// "tags", "rotation_days", "rotation_ns"}.
#include "pocket/aws/kms_impl.h"

#include <string.h>

enum { MOST_ON_DEMAND = 10, DAY_S = 86400 };

struct str kms_place(struct front_request *r, struct str name)
{
	return arena_printf(r->arena, "%.*s/%.*s", STR(aws_region(r)), STR(name));
}

struct str kms_state(const json_t *doc)
{
	if (json_int(doc, "deletion_ns", 0))
		return S("PendingDeletion");
	return json_flag(doc, "disabled", false) ? S("Disabled") : S("Enabled");
}

int kms_put(struct front_request *r, const struct kms_found *k, const json_t *doc)
{
	return docs_put_durable(r->pocket, KMS_AWS_KEYS, k->document, doc, &r->err);
}

int kms_rotate(struct front_request *r, const struct kms_found *k, json_t *doc, const char *how)
{
	AUTO(buf) material = {0};
	json_t *version = json_pack("{s:I, s:s}", "created_ns", (json_int_t)front_now_ns(r), "how", how);
	int rc = material_make_aes(r->pocket, &material, &r->err);
	json_set_str(version, "material", buf_str(&material));
	json_array_append_new(json_object_get(doc, "versions"), version);
	if (material.p)
		secret_wipe(material.p, material.n);
	return rc < 0 ? rc : kms_put(r, k, doc);
}

// ---------------------------------------------------------------- finding

// The part of an ARN of this account and region behind "arn:aws:kms:REGION:ACCOUNT:"; a name that is no ARN as it is.
static int cut_arn(struct front_request *r, struct str *named)
{
	struct str prefix = aws_arn(r, "kms", S(""));
	if (!str_starts(*named, S("arn:")))
		return 0;
	if (!str_starts(*named, prefix))
		return aws_refuse(r, "NotFoundException", "Invalid arn %.*s", STR(str_clip(*named, 200)));
	*named = str_drop(*named, prefix.n);
	return 0;
}

static int follow_alias(struct front_request *r, struct str *named)
{
	const json_t *alias = docs_get(r->pocket, KMS_AWS_ALIASES, kms_place(r, *named), &r->err);
	if (!alias)
		return aws_refuse(r, "NotFoundException", "Alias %.*s is not found.",
			STR(aws_arn(r, "kms", str_clip(*named, 256))));
	*named = json_str(alias, "target");
	return 0;
}

// What time has brought: a key whose waiting is over is gone, one whose rotation is due has new material.
static int catch_up(struct front_request *r, struct kms_found *k)
{
	int64_t now = front_now_ns(r), gone = json_int(k->doc, "deletion_ns", 0), due = json_int(k->doc, "rotation_ns", 0);
	if (gone && gone <= now) {
		k->doc = NULL;
		return docs_delete(r->pocket, KMS_AWS_KEYS, k->document, &r->err);
	}
	if (!due || due > now || !str_eq(kms_state(k->doc), S("Enabled")))
		return 0;
	AUTO(json) doc = json_deep_copy(k->doc);
	int64_t period = json_int(doc, "rotation_days", 365) * DAY_S * NS_PER_S;
	json_object_set_new(doc, "rotation_ns", json_integer(now + service_pace_ns(r->pocket, period)));
	int rc = kms_rotate(r, k, doc, "AUTOMATIC");
	k->doc = docs_get(r->pocket, KMS_AWS_KEYS, k->document, &r->err);
	return rc;
}

int kms_find(struct front_request *r, struct str named, const char *action, struct kms_found *out)
{
	struct kms_found k = {0};
	if (!named.n)
		return aws_refuse(r, "ValidationException",
			"1 validation error detected: Value null at 'keyId' failed to satisfy constraint: Member must "
			"not be null");
	int rc = cut_arn(r, &named);
	if (rc == 0 && str_starts(named, S("key/")))
		named = str_drop(named, 4);
	if (rc == 0 && str_starts(named, S("alias/")))
		rc = follow_alias(r, &named);
	if (rc < 0)
		return rc;
	k.id = arena_str(r->arena, str_clip(named, 200));
	k.document = kms_place(r, k.id);
	k.arn = aws_arn(r, "kms", arena_printf(r->arena, "key/%.*s", STR(k.id)));
	rc = aws_authorise(r, action, k.arn);
	if (rc < 0)
		return rc;
	k.doc = docs_get(r->pocket, KMS_AWS_KEYS, k.document, &r->err);
	rc = k.doc ? catch_up(r, &k) : 0;
	if (rc == 0 && !k.doc)
		rc = aws_refuse(r, "NotFoundException", "Key '%.*s' does not exist", STR(k.arn));
	if (rc == 0)
		*out = k;
	return rc;
}

int kms_usable(struct front_request *r, const struct kms_found *k)
{
	struct str state = kms_state(k->doc);
	if (str_eq(state, S("Disabled")))
		return aws_refuse(r, "DisabledException", "%.*s is disabled.", STR(k->arn));
	if (str_eq(state, S("PendingDeletion")))
		return aws_refuse(r, "KMSInvalidStateException", "%.*s is pending deletion.", STR(k->arn));
	return 0;
}

json_t *kms_metadata(struct front_request *r, const struct kms_found *k)
{
	struct str state = kms_state(k->doc);
	json_t *j = json_pack("{s:s, s:s, s:s, s:s, s:s, s:[s], s:b}", "KeyUsage", "ENCRYPT_DECRYPT", "KeyManager",
		"CUSTOMER", "Origin", "AWS_KMS", "KeySpec", "SYMMETRIC_DEFAULT", "CustomerMasterKeySpec",
		"SYMMETRIC_DEFAULT", "EncryptionAlgorithms", "SYMMETRIC_DEFAULT", "MultiRegion", 0);
	json_set_str(j, "AWSAccountId", aws_account(r));
	json_set_str(j, "KeyId", k->id);
	json_set_str(j, "Arn", k->arn);
	json_object_set_new(j, "CreationDate", aws_time(json_int(k->doc, "created_ns", 0)));
	json_object_set_new(j, "Enabled", json_boolean(str_eq(state, S("Enabled"))));
	json_set_str(j, "Description", json_str(k->doc, "description"));
	json_set_str(j, "KeyState", state);
	if (json_int(k->doc, "deletion_ns", 0))
		json_object_set_new(j, "DeletionDate", aws_time(json_int(k->doc, "deletion_ns", 0)));
	return j;
}
