// SPDX-License-Identifier: Apache-2.0
// Versions of a pocket's Cloud KMS keys: made, disabled, scheduled for destruction, restored. See kms_impl.h.
#include "pocket/gcp/kms_impl.h"

enum { RESTORE_DAYS = 30 };

static const char *const states[] = {"CRYPTO_KEY_VERSION_STATE_UNSPECIFIED", "ENABLED", "DISABLED", "DESTROYED",
	"DESTROY_SCHEDULED", "PENDING_GENERATION"};

struct str kms_version_document(struct front_request *r, struct str key, int64_t number)
{
	return arena_printf(r->arena, "%.*s/%08lld", STR(key), (long long)number);
}

const json_t *kms_version_now(struct front_request *r, struct str key, int64_t number)
{
	struct str name = kms_version_document(r, key, number);
	const json_t *doc = docs_get(r->pocket, KMS_VERSIONS, name, &r->err);
	int64_t when = json_int(doc, "destroy_ns", 0);
	if (!doc || !when || when > front_now_ns(r) || str_eq(json_str(doc, "state"), S("DESTROYED")))
		return doc;
	AUTO(json) gone = json_deep_copy(doc);
	json_object_del(gone, "material");
	json_object_set_new(gone, "state", json_string("DESTROYED"));
	if (docs_put_durable(r->pocket, KMS_VERSIONS, name, gone, &r->err) < 0)
		return NULL;
	return docs_get(r->pocket, KMS_VERSIONS, name, &r->err);
}

json_t *kms_tell_version(struct front_request *r, struct str name, const json_t *doc)
{
	struct str key = json_str(doc, "key");
	int64_t number = json_int(doc, "number", 0), destroy = json_int(doc, "destroy_ns", 0);
	(void)name;
	doc = kms_version_now(r, key, number);
	if (!doc)
		return NULL;
	json_t *j = json_pack("{s:s, s:s}", "protectionLevel", "SOFTWARE", "algorithm", "GOOGLE_SYMMETRIC_ENCRYPTION");
	struct str state = json_str(doc, "state");
	json_set_str(j, "name", arena_printf(r->arena, "%.*s/cryptoKeyVersions/%lld", STR(key), (long long)number));
	json_set_str(j, "state", state);
	google_set_time(j, "createTime", json_int(doc, "created_ns", 0));
	google_set_time(j, "generateTime", json_int(doc, "created_ns", 0));
	if (str_eq(state, S("DESTROY_SCHEDULED")))
		google_set_time(j, "destroyTime", destroy);
	if (str_eq(state, S("DESTROYED")))
		google_set_time(j, "destroyEventTime", destroy);
	return j;
}

static int put_version(struct front_request *r, const json_t *doc)
{
	struct str name = kms_version_document(r, json_str(doc, "key"), json_int(doc, "number", 0));
	return docs_put_durable(r->pocket, KMS_VERSIONS, name, doc, &r->err);
}

int kms_add_version(struct front_request *r, struct str key, json_t *doc, int64_t *number)
{
	AUTO(buf) material = {0};
	AUTO(json) version = json_object();
	int64_t next = json_int(doc, "next", 1);
	int rc = material_make_aes(r->pocket, &material, &r->err);
	if (rc < 0)
		return rc;
	json_set_str(version, "key", key);
	json_object_set_new(version, "number", json_integer(next));
	json_object_set_new(version, "state", json_string("ENABLED"));
	json_object_set_new(version, "created_ns", json_integer(front_now_ns(r)));
	json_set_str(version, "material", buf_str(&material));
	secret_wipe(material.p, material.n);
	rc = put_version(r, version);
	json_object_set_new(doc, "next", json_integer(next + 1));
	if (rc == 0)
		rc = docs_put_durable(r->pocket, KMS_KEYS, key, doc, &r->err);
	if (rc == 0)
		*number = next;
	return rc;
}

int kms_version(struct front_request *r, struct str *name, const json_t **doc)
{
	const json_t *key;
	int64_t number = 0;
	struct str text = google_request(r)->captures[4];
	int rc = kms_key(r, name, &key);
	if (rc < 0)
		return rc;
	*doc = str_to_i64(text, &number) == 0 && number > 0 ? kms_version_now(r, *name, number) : NULL;
	if (*doc)
		return 0;
	return r->err.code ? r->err.code
			   : google_refuse(r, "NOT_FOUND", "CryptoKeyVersion %.*s/cryptoKeyVersions/%.*s not found.",
				     STR(*name), STR(str_clip(text, 40)));
}

// ---------------------------------------------------------------- operations

static void reply_version(struct front_request *r, struct str key, int64_t number)
{
	const json_t *doc = kms_version_now(r, key, number);
	if (doc)
		google_reply(r, kms_tell_version(r, key, doc));
	else
		google_fail(r);
}

void kms_list_versions(struct front_request *r)
{
	struct str key;
	const json_t *doc;
	if (kms_key(r, &key, &doc) < 0) {
		google_fail(r);
		return;
	}
	google_reply_list(r, &(struct google_list){.collection = KMS_VERSIONS,
				     .member = "cryptoKeyVersions",
				     .prefix = arena_printf(r->arena, "%.*s/", STR(key)),
				     .tell = kms_tell_version});
}

static void create(struct front_request *r, json_t *body)
{
	struct str key;
	const json_t *found;
	int64_t number = 0;
	(void)body;
	int rc = kms_key(r, &key, &found);
	AUTO(json) doc = rc == 0 ? json_deep_copy(found) : NULL;
	if (rc == 0)
		rc = kms_add_version(r, key, doc, &number);
	if (rc < 0)
		google_fail(r);
	else
		reply_version(r, key, number);
}

void kms_create_version(struct front_request *r)
{
	google_body(r, create);
}

void kms_get_version(struct front_request *r)
{
	struct str key;
	const json_t *doc;
	if (kms_version(r, &key, &doc) < 0)
		google_fail(r);
	else
		reply_version(r, key, json_int(doc, "number", 0));
}

// Puts the version the captures name into another state, from one of the states it may have ("ENABLED DISABLED").
static void change(struct front_request *r, const char *from, const char *to, int64_t destroy_ns)
{
	struct str key;
	const json_t *found;
	int rc = kms_version(r, &key, &found);
	if (rc == 0 && str_find(str_of(from), json_str(found, "state")) < 0)
		rc = google_refuse(r, "FAILED_PRECONDITION",
			"%.*s/cryptoKeyVersions/%lld cannot become %s, current state is: %.*s.", STR(key),
			(long long)json_int(found, "number", 0), to, STR(json_str(found, "state")));
	AUTO(json) doc = rc == 0 ? json_deep_copy(found) : NULL;
	if (rc == 0) {
		json_object_set_new(doc, "state", json_string(to));
		json_object_set_new(doc, "destroy_ns", json_integer(destroy_ns));
		rc = put_version(r, doc);
	}
	if (rc < 0)
		google_fail(r);
	else
		reply_version(r, key, json_int(doc, "number", 0));
}

static void patch(struct front_request *r, json_t *body)
{
	const char *state = google_enum(json_object_get(body, "state"), states, COUNT_OF(states));
	if (!str_eq(front_query(r, "updateMask"), S("state"))) {
		google_refuse(r, "INVALID_ARGUMENT", "update_mask may only name the field state.");
		google_fail(r);
	} else if (!state || (!str_is(S("ENABLED"), state) && !str_is(S("DISABLED"), state))) {
		google_refuse(r, "INVALID_ARGUMENT", "state may only be set to ENABLED or DISABLED.");
		google_fail(r);
	} else {
		change(r, "ENABLED DISABLED", state, 0);
	}
}

void kms_patch_version(struct front_request *r)
{
	google_body(r, patch);
}

static void destroy(struct front_request *r, json_t *body)
{
	(void)body;
	change(r, "ENABLED DISABLED", "DESTROY_SCHEDULED",
		front_now_ns(r) + service_pace_ns(r->pocket, RESTORE_DAYS * INT64_C(86400) * NS_PER_S));
}

void kms_destroy_version(struct front_request *r)
{
	google_body(r, destroy);
}

static void restore(struct front_request *r, json_t *body)
{
	(void)body;
	change(r, "DESTROY_SCHEDULED", "DISABLED", 0);
}

void kms_restore_version(struct front_request *r)
{
	google_body(r, restore);
}

static void set_primary(struct front_request *r, json_t *body)
{
	struct str key, id = json_str(body, "cryptoKeyVersionId");
	const json_t *found;
	int64_t number = 0;
	int rc = kms_key(r, &key, &found);
	const json_t *version = NULL;
	if (rc == 0 && str_to_i64(id, &number) == 0)
		version = kms_version_now(r, key, number);
	if (rc == 0 && !version)
		rc = google_refuse(r, "NOT_FOUND", "CryptoKeyVersion %.*s/cryptoKeyVersions/%.*s not found.", STR(key),
			STR(str_clip(id, 40)));
	AUTO(json) doc = rc == 0 ? json_deep_copy(found) : NULL;
	if (rc == 0) {
		json_object_set_new(doc, "primary", json_integer(number));
		rc = docs_put_durable(r->pocket, KMS_KEYS, key, doc, &r->err);
	}
	if (rc < 0)
		google_fail(r);
	else
		google_reply(r, kms_tell_key(r, key, doc));
}

void kms_set_primary(struct front_request *r)
{
	google_body(r, set_primary);
}
