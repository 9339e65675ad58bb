// SPDX-License-Identifier: Apache-2.0
// KMS of a pocket AWS: the life of keys, and the table of what it answers. See kms_impl.h.
#include "pocket/aws/kms.h"

#include <string.h>

#include "pocket/aws/kms_impl.h"

enum { LEAST_WINDOW = 7, MOST_WINDOW = 30, MOST_ON_DEMAND = 10, USUAL_ROTATION = 365, MOST_POLICY = 32 << 10 };
#define DAY_NS (INT64_C(86400) * NS_PER_S)

// ---------------------------------------------------------------- making

static struct str usual_policy(struct front_request *r)
{
	return arena_printf(r->arena,
		"{\"Version\":\"2012-10-17\",\"Id\":\"key-default-1\",\"Statement\":[{\"Sid\":\"Enable IAM User "
		"Permissions\",\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"arn:aws:iam::%.*s:root\"},\"Action\":"
		"\"kms:*\",\"Resource\":\"*\"}]}",
		STR(aws_account(r)));
}

static int check_policy(struct front_request *r, struct str policy)
{
	AUTO(json) j = NULL;
	if (policy.n > MOST_POLICY || json_parse(policy, &j, NULL) < 0 ||
		!json_array_size(json_object_get(j, "Statement")))
		return aws_refuse(r, "MalformedPolicyDocumentException", "The new key policy is not valid.");
	return 0;
}

static int check_new(struct front_request *r, const json_t *in)
{
	struct str usage = json_str(in, "KeyUsage"), spec = json_str(in, "KeySpec"), origin = json_str(in, "Origin");
	if ((usage.n && !str_eq(usage, S("ENCRYPT_DECRYPT"))) || (spec.n && !str_eq(spec, S("SYMMETRIC_DEFAULT"))) ||
		(origin.n && !str_eq(origin, S("AWS_KMS"))) || json_flag(in, "MultiRegion", false))
		return aws_refuse(r, "UnsupportedOperationException",
			"A pocket cloud has symmetric keys of one region only.");
	return json_str(in, "Policy").n ? check_policy(r, json_str(in, "Policy")) : 0;
}

static int create_key(struct front_request *r, const json_t *in, json_t **out)
{
	char id[UUID_TEXT + 1];
	AUTO(json) doc = json_pack("{s:I, s:[]}", "created_ns", (json_int_t)front_now_ns(r), "versions");
	int rc = check_new(r, in);
	if (rc == 0)
		rc = aws_authorise(r, "kms:CreateKey", S("*"));
	if (rc == 0)
		rc = aws_uuid(r, id);
	if (rc < 0)
		return rc;
	struct kms_found k = {.id = arena_str(r->arena, str_of(id)), .document = kms_place(r, str_of(id))};
	k.arn = aws_arn(r, "kms", arena_printf(r->arena, "key/%s", id));
	json_set_str(doc, "description", json_str(in, "Description"));
	json_set_str(doc, "policy", json_str(in, "Policy").n ? json_str(in, "Policy") : usual_policy(r));
	json_object_set_new(doc, "tags", aws_tags_with(NULL, json_object_get(in, "Tags"), "TagKey"));
	rc = kms_rotate(r, &k, doc, "FIRST");
	k.doc = doc;
	if (rc == 0)
		*out = json_pack("{s:o}", "KeyMetadata", kms_metadata(r, &k));
	return rc;
}

static int describe_key(struct front_request *r, const json_t *in, json_t **out)
{
	struct kms_found k = {0};
	int rc = kms_find(r, json_str(in, "KeyId"), "kms:DescribeKey", &k);
	if (rc == 0)
		*out = json_pack("{s:o}", "KeyMetadata", kms_metadata(r, &k));
	return rc;
}

static json_t *tell_listed(struct front_request *r, struct str document, const json_t *doc)
{
	struct str region, id;
	json_t *j = json_object();
	(void)doc;
	str_cut(document, '/', &region, &id);
	json_set_str(j, "KeyId", id);
	json_set_str(j, "KeyArn", aws_arn(r, "kms", arena_printf(r->arena, "key/%.*s", STR(id))));
	return j;
}

static int list_keys(struct front_request *r, const json_t *in, json_t **out)
{
	const struct aws_page page = {.collection = KMS_AWS_KEYS,
		.limit = "Limit",
		.marker = "Marker",
		.items = "Keys",
		.next = "NextMarker",
		.truncated = "Truncated",
		.prefix = kms_place(r, S("")),
		.tell = tell_listed};
	int rc = aws_authorise(r, "kms:ListKeys", S("*"));
	return rc < 0 ? rc : aws_reply_page(r, in, &page, out);
}

// ---------------------------------------------------------------- changing

// Finds the key for an action and gives a copy of its document to change; usable: only one that may be used.
static int begin(struct front_request *r, const json_t *in, const char *action, struct kms_found *k, json_t **doc)
{
	int rc = kms_find(r, json_str(in, "KeyId"), action, k);
	if (rc == 0 && str_eq(kms_state(k->doc), S("PendingDeletion")) && !strstr(action, "Deletion"))
		rc = kms_usable(r, k);
	if (rc == 0 && str_starts(json_str(in, "KeyId"), S("alias/")))
		rc = aws_refuse(r, "NotFoundException", "Invalid keyId '%.*s'", STR(str_clip(json_str(in, "KeyId"), 200)));
	if (rc == 0)
		*doc = json_deep_copy(k->doc);
	return rc;
}

static int set_disabled(struct front_request *r, const json_t *in, const char *action, bool disabled)
{
	struct kms_found k = {0};
	AUTO(json) doc = NULL;
	int rc = begin(r, in, action, &k, &doc);
	if (rc == 0)
		json_object_set_new(doc, "disabled", json_boolean(disabled));
	return rc < 0 ? rc : kms_put(r, &k, doc);
}

static int disable_key(struct front_request *r, const json_t *in, json_t **out)
{
	(void)out;
	return set_disabled(r, in, "kms:DisableKey", true);
}

static int enable_key(struct front_request *r, const json_t *in, json_t **out)
{
	(void)out;
	return set_disabled(r, in, "kms:EnableKey", false);
}

static int schedule_deletion(struct front_request *r, const json_t *in, json_t **out)
{
	struct kms_found k = {0};
	AUTO(json) doc = NULL;
	int64_t days = json_int(in, "PendingWindowInDays", MOST_WINDOW);
	int rc = begin(r, in, "kms:ScheduleKeyDeletion", &k, &doc);
	if (rc == 0 && (days < LEAST_WINDOW || days > MOST_WINDOW))
		rc = aws_refuse(r, "ValidationException", "PendingWindowInDays must be between %d and %d.",
			LEAST_WINDOW, MOST_WINDOW);
	if (rc == 0 && json_int(k.doc, "deletion_ns", 0))
		rc = kms_usable(r, &k);
	if (rc < 0)
		return rc;
	int64_t when = front_now_ns(r) + service_pace_ns(r->pocket, days * DAY_NS);
	json_object_set_new(doc, "deletion_ns", json_integer(when));
	rc = kms_put(r, &k, doc);
	if (rc < 0)
		return rc;
	*out = json_pack("{s:s, s:I, s:o}", "KeyState", "PendingDeletion", "PendingWindowInDays", (json_int_t)days,
		"DeletionDate", aws_time(when));
	json_set_str(*out, "KeyId", k.arn);
	return 0;
}

static int cancel_deletion(struct front_request *r, const json_t *in, json_t **out)
{
	struct kms_found k = {0};
	AUTO(json) doc = NULL;
	int rc = begin(r, in, "kms:CancelKeyDeletion", &k, &doc);
	if (rc == 0 && !json_int(k.doc, "deletion_ns", 0))
		rc = aws_refuse(r, "KMSInvalidStateException", "%.*s is not pending deletion.", STR(k.arn));
	if (rc < 0)
		return rc;
	json_object_del(doc, "deletion_ns");
	json_object_set_new(doc, "disabled", json_true());
	rc = kms_put(r, &k, doc);
	if (rc == 0) {
		*out = json_object();
		json_set_str(*out, "KeyId", k.arn);
	}
	return rc;
}

static int update_description(struct front_request *r, const json_t *in, json_t **out)
{
	struct kms_found k = {0};
	AUTO(json) doc = NULL;
	int rc = begin(r, in, "kms:UpdateKeyDescription", &k, &doc);
	(void)out;
	if (rc == 0)
		json_set_str(doc, "description", json_str(in, "Description"));
	return rc < 0 ? rc : kms_put(r, &k, doc);
}

// ---------------------------------------------------------------- rotation

static int enable_rotation(struct front_request *r, const json_t *in, json_t **out)
{
	struct kms_found k = {0};
	AUTO(json) doc = NULL;
	int64_t days = json_int(in, "RotationPeriodInDays", USUAL_ROTATION);
	int rc = begin(r, in, "kms:EnableKeyRotation", &k, &doc);
	(void)out;
	if (rc == 0)
		rc = kms_usable(r, &k);
	if (rc == 0 && (days < 90 || days > 2560))
		rc = aws_refuse(r, "ValidationException", "RotationPeriodInDays must be between 90 and 2560.");
	if (rc < 0)
		return rc;
	json_object_set_new(doc, "rotation_days", json_integer(days));
	json_object_set_new(
		doc, "rotation_ns", json_integer(front_now_ns(r) + service_pace_ns(r->pocket, days * DAY_NS)));
	return kms_put(r, &k, doc);
}

static int disable_rotation(struct front_request *r, const json_t *in, json_t **out)
{
	struct kms_found k = {0};
	AUTO(json) doc = NULL;
	int rc = begin(r, in, "kms:DisableKeyRotation", &k, &doc);
	(void)out;
	if (rc == 0)
		rc = kms_usable(r, &k);
	if (rc == 0)
		json_object_set_new(doc, "rotation_ns", json_integer(0));
	return rc < 0 ? rc : kms_put(r, &k, doc);
}

static int rotation_status(struct front_request *r, const json_t *in, json_t **out)
{
	struct kms_found k = {0};
	int rc = kms_find(r, json_str(in, "KeyId"), "kms:GetKeyRotationStatus", &k);
	int64_t next = rc == 0 ? json_int(k.doc, "rotation_ns", 0) : 0;
	if (rc < 0)
		return rc;
	*out = json_pack("{s:b}", "KeyRotationEnabled", (int)(next != 0));
	json_set_str(*out, "KeyId", k.arn);
	if (next) {
		json_object_set_new(
			*out, "RotationPeriodInDays", json_integer(json_int(k.doc, "rotation_days", USUAL_ROTATION)));
		json_object_set_new(*out, "NextRotationDate", aws_time(next));
	}
	return 0;
}

static size_t on_demand(const json_t *doc)
{
	const json_t *one;
	size_t i, n = 0;
	json_array_foreach(json_object_get(doc, "versions"), i, one)
	{
		n += str_eq(json_str(one, "how"), S("ON_DEMAND"));
	}
	return n;
}

static int rotate_now(struct front_request *r, const json_t *in, json_t **out)
{
	struct kms_found k = {0};
	AUTO(json) doc = NULL;
	int rc = begin(r, in, "kms:RotateKeyOnDemand", &k, &doc);
	if (rc == 0)
		rc = kms_usable(r, &k);
	if (rc == 0 && on_demand(doc) >= MOST_ON_DEMAND)
		rc = aws_refuse(r, "LimitExceededException",
			"The on-demand rotation limit of %d has been reached for the key %.*s.", MOST_ON_DEMAND,
			STR(k.arn));
	if (rc == 0)
		rc = kms_rotate(r, &k, doc, "ON_DEMAND");
	if (rc == 0) {
		*out = json_object();
		json_set_str(*out, "KeyId", k.arn);
	}
	return rc;
}

static int list_rotations(struct front_request *r, const json_t *in, json_t **out)
{
	struct kms_found k = {0};
	const json_t *one;
	size_t i;
	int rc = kms_find(r, json_str(in, "KeyId"), "kms:ListKeyRotations", &k);
	if (rc < 0)
		return rc;
	json_t *list = json_array();
	json_array_foreach(json_object_get(k.doc, "versions"), i, one)
	{
		if (i == 0)
			continue;
		json_t *told = json_pack("{s:o}", "RotationDate", aws_time(json_int(one, "created_ns", 0)));
		json_set_str(told, "KeyId", k.arn);
		json_set_str(told, "RotationType", json_str(one, "how"));
		json_array_append_new(list, told);
	}
	*out = json_pack("{s:o, s:b}", "Rotations", list, "Truncated", 0);
	return 0;
}

// ---------------------------------------------------------------- policies and tags

static int get_policy(struct front_request *r, const json_t *in, json_t **out)
{
	struct kms_found k = {0};
	int rc = kms_find(r, json_str(in, "KeyId"), "kms:GetKeyPolicy", &k);
	if (rc < 0)
		return rc;
	*out = json_pack("{s:s}", "PolicyName", "default");
	json_set_str(*out, "Policy", json_str(k.doc, "policy"));
	return 0;
}

static int put_policy(struct front_request *r, const json_t *in, json_t **out)
{
	struct kms_found k = {0};
	AUTO(json) doc = NULL;
	int rc = begin(r, in, "kms:PutKeyPolicy", &k, &doc);
	(void)out;
	if (rc == 0)
		rc = check_policy(r, json_str(in, "Policy"));
	if (rc == 0)
		json_set_str(doc, "policy", json_str(in, "Policy"));
	return rc < 0 ? rc : kms_put(r, &k, doc);
}

static int list_policies(struct front_request *r, const json_t *in, json_t **out)
{
	struct kms_found k = {0};
	int rc = kms_find(r, json_str(in, "KeyId"), "kms:ListKeyPolicies", &k);
	if (rc == 0)
		*out = json_pack("{s:[s], s:b}", "PolicyNames", "default", "Truncated", 0);
	return rc;
}

static int change_tags(struct front_request *r, const json_t *in, const char *action, bool add)
{
	struct kms_found k = {0};
	AUTO(json) doc = NULL;
	int rc = begin(r, in, action, &k, &doc);
	if (rc < 0)
		return rc;
	const json_t *old = json_object_get(k.doc, "tags");
	json_object_set_new(doc, "tags",
		add ? aws_tags_with(old, json_object_get(in, "Tags"), "TagKey")
		    : aws_tags_without(old, json_object_get(in, "TagKeys"), "TagKey"));
	return kms_put(r, &k, doc);
}

static int tag(struct front_request *r, const json_t *in, json_t **out)
{
	(void)out;
	return change_tags(r, in, "kms:TagResource", true);
}

static int untag(struct front_request *r, const json_t *in, json_t **out)
{
	(void)out;
	return change_tags(r, in, "kms:UntagResource", false);
}

static int list_tags(struct front_request *r, const json_t *in, json_t **out)
{
	struct kms_found k = {0};
	int rc = kms_find(r, json_str(in, "KeyId"), "kms:ListResourceTags", &k);
	if (rc == 0)
		*out = json_pack("{s:O, s:b}", "Tags", json_object_get(k.doc, "tags"), "Truncated", 0);
	return rc;
}

// ---------------------------------------------------------------- the table

static const struct aws_operation operations[] = { // each asks for its permission itself: an alias is not the resource
	{"CancelKeyDeletion", AWS_BY_ITSELF, NULL, cancel_deletion},
	{"CreateAlias", AWS_BY_ITSELF, NULL, kms_create_alias_op},
	{"CreateKey", AWS_BY_ITSELF, NULL, create_key},
	{"Decrypt", AWS_BY_ITSELF, NULL, kms_decrypt_op},
	{"DeleteAlias", AWS_BY_ITSELF, NULL, kms_delete_alias_op},
	{"DescribeKey", AWS_BY_ITSELF, NULL, describe_key},
	{"DisableKey", AWS_BY_ITSELF, NULL, disable_key},
	{"DisableKeyRotation", AWS_BY_ITSELF, NULL, disable_rotation},
	{"EnableKey", AWS_BY_ITSELF, NULL, enable_key},
	{"EnableKeyRotation", AWS_BY_ITSELF, NULL, enable_rotation},
	{"Encrypt", AWS_BY_ITSELF, NULL, kms_encrypt_op},
	{"GenerateDataKey", AWS_BY_ITSELF, NULL, kms_data_key_op},
	{"GenerateDataKeyWithoutPlaintext", AWS_BY_ITSELF, NULL, kms_data_key_only_op},
	{"GenerateRandom", NULL, NULL, kms_random_op},
	{"GetKeyPolicy", AWS_BY_ITSELF, NULL, get_policy},
	{"GetKeyRotationStatus", AWS_BY_ITSELF, NULL, rotation_status},
	{"ListAliases", AWS_BY_ITSELF, NULL, kms_list_aliases_op},
	{"ListKeyPolicies", AWS_BY_ITSELF, NULL, list_policies},
	{"ListKeyRotations", AWS_BY_ITSELF, NULL, list_rotations},
	{"ListKeys", AWS_BY_ITSELF, NULL, list_keys},
	{"ListResourceTags", AWS_BY_ITSELF, NULL, list_tags},
	{"PutKeyPolicy", AWS_BY_ITSELF, NULL, put_policy},
	{"ReEncrypt", AWS_BY_ITSELF, NULL, kms_reencrypt_op},
	{"RotateKeyOnDemand", AWS_BY_ITSELF, NULL, rotate_now},
	{"ScheduleKeyDeletion", AWS_BY_ITSELF, NULL, schedule_deletion},
	{"TagResource", AWS_BY_ITSELF, NULL, tag},
	{"UntagResource", AWS_BY_ITSELF, NULL, untag},
	{"UpdateAlias", AWS_BY_ITSELF, NULL, kms_update_alias_op},
	{"UpdateKeyDescription", AWS_BY_ITSELF, NULL, update_description},
};
static const struct aws_api api = {
	.service = "kms", .target = "TrentService", .operations = operations, .count = COUNT_OF(operations)};

static bool matches(const struct front_request *r)
{
	return aws_api_matches(r, &api);
}

static void handle(struct front_request *r)
{
	aws_api_handle(r, &api);
}

const struct pocket_service aws_kms_service = {
	.name = "kms", .matches = matches, .handle = handle, .fail = aws_api_fail, .trouble = aws_api_trouble};
