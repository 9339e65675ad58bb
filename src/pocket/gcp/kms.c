// SPDX-License-Identifier: Apache-2.0
// Cloud KMS of a pocket Google Cloud: key rings and keys, and the table of what it answers. See kms_impl.h.
#include "pocket/gcp/kms.h"

#include "pocket/gcp/kms_impl.h"

static const char *const words[] = {"projects", "locations", "keyRings", "cryptoKeys"};
static const char *const purposes[] = {"CRYPTO_KEY_PURPOSE_UNSPECIFIED", "ENCRYPT_DECRYPT", NULL, NULL, NULL,
	"ASYMMETRIC_SIGN", "ASYMMETRIC_DECRYPT", "RAW_ENCRYPT_DECRYPT", NULL, "MAC"};

// ---------------------------------------------------------------- what is there

int kms_ring(struct front_request *r, struct str *name, const json_t **doc)
{
	*name = google_name(r, words, 3);
	*doc = docs_get(r->pocket, KMS_RINGS, *name, &r->err);
	return *doc ? 0 : google_refuse(r, "NOT_FOUND", "KeyRing %.*s not found.", STR(*name));
}

// Rotation by itself: a key whose time has come gets its new version when it is looked at.
static const json_t *rotate_in_time(struct front_request *r, struct str name, const json_t *found)
{
	int64_t next = json_int(found, "next_rotation_ns", 0), period = json_int(found, "rotation_ns", 0), number;
	if (!next || next > front_now_ns(r))
		return found;
	AUTO(json) doc = json_deep_copy(found);
	json_object_set_new(doc, "next_rotation_ns", json_integer(period ? front_now_ns(r) + period : 0));
	json_object_set_new(doc, "primary", json_integer(json_int(doc, "next", 1)));
	return kms_add_version(r, name, doc, &number) < 0 ? NULL : docs_get(r->pocket, KMS_KEYS, name, &r->err);
}

int kms_key(struct front_request *r, struct str *name, const json_t **doc)
{
	*name = google_name(r, words, 4);
	const json_t *found = docs_get(r->pocket, KMS_KEYS, *name, &r->err);
	*doc = found ? rotate_in_time(r, *name, found) : NULL;
	if (*doc)
		return 0;
	return r->err.code ? r->err.code : google_refuse(r, "NOT_FOUND", "CryptoKey %.*s not found.", STR(*name));
}

static json_t *tell_ring(struct front_request *r, struct str name, const json_t *doc)
{
	json_t *j = json_object();
	(void)r;
	json_set_str(j, "name", name);
	google_set_time(j, "createTime", json_int(doc, "created_ns", 0));
	return j;
}

json_t *kms_tell_key(struct front_request *r, struct str name, const json_t *doc)
{
	int64_t primary = json_int(doc, "primary", 0), period = json_int(doc, "rotation_ns", 0);
	const json_t *version = primary ? kms_version_now(r, name, primary) : NULL;
	json_t *labels = json_object_get(doc, "labels");
	json_t *j = json_pack("{s:s, s:s, s:{s:s, s:s}}", "purpose", "ENCRYPT_DECRYPT", "destroyScheduledDuration",
		"2592000s", "versionTemplate", "protectionLevel", "SOFTWARE", "algorithm",
		"GOOGLE_SYMMETRIC_ENCRYPTION");
	json_set_str(j, "name", name);
	google_set_time(j, "createTime", json_int(doc, "created_ns", 0));
	if (version)
		json_object_set_new(j, "primary", kms_tell_version(r, name, version));
	if (json_object_size(labels))
		json_object_set_new(j, "labels", json_deep_copy(labels));
	if (period)
		json_set_str(j, "rotationPeriod",
			arena_printf(r->arena, "%llds", (long long)(period / NS_PER_S)));
	if (json_int(doc, "next_rotation_ns", 0))
		google_set_time(j, "nextRotationTime", json_int(doc, "next_rotation_ns", 0));
	return j;
}

// ---------------------------------------------------------------- rings

static void create_ring(struct front_request *r, json_t *body)
{
	struct str id = front_query(r, "keyRingId"), name = S("");
	(void)body;
	int rc = google_check_id(r, "key_ring_id", id, 63);
	if (rc == 0) {
		name = arena_printf(r->arena, "%.*s/keyRings/%.*s", STR(google_name(r, words, 2)), STR(id));
		if (docs_get(r->pocket, KMS_RINGS, name, &r->err))
			rc = google_refuse(r, "ALREADY_EXISTS", "KeyRing %.*s already exists.", STR(name));
	}
	AUTO(json) doc = json_pack("{s:I}", "created_ns", (json_int_t)front_now_ns(r));
	if (rc == 0)
		rc = docs_put_durable(r->pocket, KMS_RINGS, name, doc, &r->err);
	if (rc < 0)
		google_fail(r);
	else
		google_reply(r, tell_ring(r, name, doc));
}

static void post_ring(struct front_request *r)
{
	google_body(r, create_ring);
}

static void list_rings(struct front_request *r)
{
	google_reply_list(r, &(struct google_list){.collection = KMS_RINGS,
				     .member = "keyRings",
				     .prefix = arena_printf(
					     r->arena, "%.*s/keyRings/", STR(google_name(r, words, 2))),
				     .tell = tell_ring});
}

static void get_ring(struct front_request *r)
{
	struct str name;
	const json_t *doc;
	if (kms_ring(r, &name, &doc) < 0)
		google_fail(r);
	else
		google_reply(r, tell_ring(r, name, doc));
}

// ---------------------------------------------------------------- keys

// rotationPeriod, nextRotationTime and labels of a request, into the key's document.
static int read_settings(struct front_request *r, const json_t *body, json_t *doc)
{
	int64_t period = 0, next = 0;
	struct str text = json_str(body, "rotationPeriod"), time = json_str(body, "nextRotationTime");
	const json_t *labels = json_object_get(body, "labels");
	if (text.n && (google_duration(text, &period) < 0 || period < INT64_C(86400) * NS_PER_S))
		return google_refuse(r, "INVALID_ARGUMENT", "rotation_period must be at least one day.");
	if (time.n && time_parse_rfc3339(time, &next) < 0)
		return google_refuse(r, "INVALID_ARGUMENT", "next_rotation_time is no time.");
	if (period && !next)
		return google_refuse(r, "INVALID_ARGUMENT", "rotation_period needs a next_rotation_time.");
	if (period || next) {
		json_object_set_new(doc, "rotation_ns", json_integer(period));
		json_object_set_new(doc, "next_rotation_ns", json_integer(next));
	}
	if (json_is_object(labels))
		json_object_set_new(doc, "labels", json_deep_copy(labels));
	return 0;
}

static int check_new_key(struct front_request *r, const json_t *body, struct str *name)
{
	struct str id = front_query(r, "cryptoKeyId"), ring;
	const json_t *doc;
	const char *purpose = google_enum(json_object_get(body, "purpose"), purposes, COUNT_OF(purposes));
	int rc = kms_ring(r, &ring, &doc);
	if (rc == 0)
		rc = google_check_id(r, "crypto_key_id", id, 63);
	if (rc < 0)
		return rc;
	*name = arena_printf(r->arena, "%.*s/cryptoKeys/%.*s", STR(ring), STR(id));
	if (docs_get(r->pocket, KMS_KEYS, *name, &r->err))
		return google_refuse(r, "ALREADY_EXISTS", "CryptoKey %.*s already exists.", STR(*name));
	if (!purpose || !str_is(S("ENCRYPT_DECRYPT"), purpose))
		return google_refuse(r, "UNIMPLEMENTED", "A pocket cloud has keys of purpose ENCRYPT_DECRYPT only.");
	return 0;
}

static void create_key(struct front_request *r, json_t *body)
{
	struct str name = S("");
	int64_t number = 0;
	bool skip = str_eq(front_query(r, "skipInitialVersionCreation"), S("true"));
	AUTO(json) doc = json_pack("{s:I, s:i}", "created_ns", (json_int_t)front_now_ns(r), "next", 1);
	int rc = check_new_key(r, body, &name);
	if (rc == 0)
		rc = read_settings(r, body, doc);
	if (rc == 0 && !skip)
		json_object_set_new(doc, "primary", json_integer(1));
	if (rc == 0)
		rc = skip ? docs_put_durable(r->pocket, KMS_KEYS, name, doc, &r->err)
			  : kms_add_version(r, name, doc, &number);
	if (rc < 0)
		google_fail(r);
	else
		google_reply(r, kms_tell_key(r, name, doc));
}

static void post_key(struct front_request *r)
{
	google_body(r, create_key);
}

static void list_keys(struct front_request *r)
{
	struct str ring;
	const json_t *doc;
	if (kms_ring(r, &ring, &doc) < 0) {
		google_fail(r);
		return;
	}
	google_reply_list(r, &(struct google_list){.collection = KMS_KEYS,
				     .member = "cryptoKeys",
				     .prefix = arena_printf(r->arena, "%.*s/cryptoKeys/", STR(ring)),
				     .tell = kms_tell_key});
}

static void get_key(struct front_request *r)
{
	struct str name;
	const json_t *doc;
	if (kms_key(r, &name, &doc) < 0)
		google_fail(r);
	else
		google_reply(r, kms_tell_key(r, name, doc));
}

static void update_key(struct front_request *r, json_t *body)
{
	struct str name;
	const json_t *found;
	int rc = kms_key(r, &name, &found);
	AUTO(json) doc = rc == 0 ? json_deep_copy(found) : NULL;
	if (rc == 0 && !front_query(r, "updateMask").n)
		rc = google_refuse(r, "INVALID_ARGUMENT", "update_mask is required.");
	if (rc == 0)
		rc = read_settings(r, body, doc);
	if (rc == 0)
		rc = docs_put_durable(r->pocket, KMS_KEYS, name, doc, &r->err);
	if (rc < 0)
		google_fail(r);
	else
		google_reply(r, kms_tell_key(r, name, doc));
}

static void patch_key(struct front_request *r)
{
	google_body(r, update_key);
}

static void get_policy(struct front_request *r)
{
	struct str name;
	const json_t *doc;
	if (kms_key(r, &name, &doc) < 0)
		google_fail(r);
	else
		google_reply(r, google_policy_told(doc));
}

static void change_policy(struct front_request *r, json_t *body)
{
	struct str name;
	const json_t *found;
	json_t *policy = NULL;
	int rc = kms_key(r, &name, &found);
	AUTO(json) doc = rc == 0 ? json_deep_copy(found) : NULL;
	if (rc == 0)
		rc = google_policy_check(r, body, found, &policy);
	if (rc == 0) {
		json_object_set_new(doc, "policy", policy);
		rc = docs_put_durable(r->pocket, KMS_KEYS, name, doc, &r->err);
	}
	if (rc < 0)
		google_fail(r);
	else
		google_reply(r, google_policy_told(doc));
}

static void set_policy(struct front_request *r)
{
	google_body(r, change_policy);
}

// ---------------------------------------------------------------- the table

#define RINGS "projects/*/locations/*/keyRings"
#define KEYS RINGS "/*/cryptoKeys"
#define VERSIONS KEYS "/*/cryptoKeyVersions"

static const struct google_route routes[] = {
	{HTTP_GET, RINGS, "cloudkms.keyRings.list", list_rings},
	{HTTP_POST, RINGS, "cloudkms.keyRings.create", post_ring},
	{HTTP_GET, RINGS "/*", "cloudkms.keyRings.get", get_ring},
	{HTTP_GET, KEYS, "cloudkms.cryptoKeys.list", list_keys},
	{HTTP_POST, KEYS, "cloudkms.cryptoKeys.create", post_key},
	{HTTP_GET, KEYS "/*", "cloudkms.cryptoKeys.get", get_key},
	{HTTP_PATCH, KEYS "/*", "cloudkms.cryptoKeys.update", patch_key},
	{HTTP_POST, KEYS "/*:encrypt", "cloudkms.cryptoKeyVersions.useToEncrypt", kms_encrypt},
	{HTTP_POST, KEYS "/*:decrypt", "cloudkms.cryptoKeyVersions.useToDecrypt", kms_decrypt},
	{HTTP_POST, KEYS "/*:updatePrimaryVersion", "cloudkms.cryptoKeys.update", kms_set_primary},
	{HTTP_GET, KEYS "/*:getIamPolicy", "cloudkms.cryptoKeys.getIamPolicy", get_policy},
	{HTTP_POST, KEYS "/*:setIamPolicy", "cloudkms.cryptoKeys.setIamPolicy", set_policy},
	{HTTP_POST, KEYS "/*:testIamPermissions", "cloudkms.cryptoKeys.get", google_test_permissions},
	{HTTP_GET, VERSIONS, "cloudkms.cryptoKeyVersions.list", kms_list_versions},
	{HTTP_POST, VERSIONS, "cloudkms.cryptoKeyVersions.create", kms_create_version},
	{HTTP_GET, VERSIONS "/*", "cloudkms.cryptoKeyVersions.get", kms_get_version},
	{HTTP_PATCH, VERSIONS "/*", "cloudkms.cryptoKeyVersions.update", kms_patch_version},
	{HTTP_POST, VERSIONS "/*:destroy", "cloudkms.cryptoKeyVersions.destroy", kms_destroy_version},
	{HTTP_POST, VERSIONS "/*:restore", "cloudkms.cryptoKeyVersions.restore", kms_restore_version},
};
static const char *const versions[] = {"v1", NULL};
static const struct google_api api = {
	.service = "cloudkms.googleapis.com", .versions = versions, .routes = routes, .count = COUNT_OF(routes)};

static bool matches(const struct front_request *r)
{
	return google_api_matches(&api, r);
}

static void handle(struct front_request *r)
{
	google_api_handle(&api, r);
}

const struct pocket_service gcp_kms_service = {
	.name = "cloudkms", .matches = matches, .handle = handle, .fail = google_fail, .trouble = google_trouble};
