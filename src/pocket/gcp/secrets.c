// SPDX-License-Identifier: Apache-2.0
// Secret Manager of a pocket Google Cloud: secrets, their versions, and access to them. See kms_impl.h.
#include "base/secret.h"
#include "pocket/gcp/kms.h"
#include "pocket/gcp/kms_impl.h"
#include "pocket/keys/at_rest.h"

#define SECRETS "secrets/secrets"
#define SECRET_VERSIONS "secrets/versions"

enum { MOST_PAYLOAD = 64 << 10 };
static const char *const words[] = {"projects", "secrets"};

// ---------------------------------------------------------------- what there is

static int find_secret(struct front_request *r, struct str *name, const json_t **doc)
{
	*name = google_name(r, words, 2);
	*doc = docs_get(r->pocket, SECRETS, *name, &r->err);
	return *doc ? 0 : google_refuse(r, "NOT_FOUND", "Secret [%.*s] not found.", STR(*name));
}

static struct str version_document(struct front_request *r, struct str secret, int64_t number)
{
	return arena_printf(r->arena, "%.*s/%08lld", STR(secret), (long long)number);
}

// The version the captures name: a number, or "latest".
static int find_version(struct front_request *r, struct str *secret, const json_t **doc)
{
	const json_t *parent;
	struct str text = google_request(r)->captures[2];
	int64_t number = 0;
	int rc = find_secret(r, secret, &parent);
	if (rc < 0)
		return rc;
	if (str_eq(text, S("latest")))
		number = json_int(parent, "next", 1) - 1;
	else if (str_to_i64(text, &number) < 0)
		number = 0;
	*doc = number > 0 ? docs_get(r->pocket, SECRET_VERSIONS, version_document(r, *secret, number), &r->err) : NULL;
	return *doc ? 0
		    : google_refuse(r, "NOT_FOUND", "Secret Version [%.*s/versions/%.*s] not found.", STR(*secret),
			      STR(str_clip(text, 40)));
}

static json_t *tell_secret(struct front_request *r, struct str name, const json_t *doc)
{
	json_t *j = json_object(), *labels = json_object_get(doc, "labels");
	(void)r;
	json_set_str(j, "name", name);
	google_set_time(j, "createTime", json_int(doc, "created_ns", 0));
	json_object_set(j, "replication", json_object_get(doc, "replication"));
	if (json_object_size(labels))
		json_object_set(j, "labels", labels);
	return j;
}

static struct str version_name(struct front_request *r, const json_t *doc)
{
	return arena_printf(r->arena, "%.*s/versions/%lld", STR(json_str(doc, "secret")),
		(long long)json_int(doc, "number", 0));
}

static json_t *tell_version(struct front_request *r, struct str name, const json_t *doc)
{
	json_t *j = json_pack("{s:{s:{}}}", "replicationStatus", "automatic");
	(void)name;
	json_set_str(j, "name", version_name(r, doc));
	google_set_time(j, "createTime", json_int(doc, "created_ns", 0));
	json_set_str(j, "state", json_str(doc, "state"));
	if (json_int(doc, "destroyed_ns", 0))
		google_set_time(j, "destroyTime", json_int(doc, "destroyed_ns", 0));
	return j;
}

// ---------------------------------------------------------------- secrets

static int check_new_secret(struct front_request *r, const json_t *body, struct str *name)
{
	struct str id = front_query(r, "secretId");
	const json_t *replication = json_object_get(body, "replication");
	int rc = google_check_id(r, "Secret ID", id, 255);
	if (rc < 0)
		return rc;
	*name = arena_printf(r->arena, "%.*s/secrets/%.*s", STR(google_name(r, words, 1)), STR(id));
	if (docs_get(r->pocket, SECRETS, *name, &r->err))
		return google_refuse(r, "ALREADY_EXISTS", "Secret [%.*s] already exists.", STR(*name));
	if (!json_object_get(replication, "automatic") && !json_object_get(replication, "userManaged"))
		return google_refuse(r, "INVALID_ARGUMENT", "replication must say automatic or user_managed.");
	return 0;
}

static void create_secret(struct front_request *r, json_t *body)
{
	struct str name = S("");
	AUTO(json) doc = json_pack("{s:I, s:i}", "created_ns", (json_int_t)front_now_ns(r), "next", 1);
	int rc = check_new_secret(r, body, &name);
	if (rc == 0) {
		json_object_set(doc, "replication", json_object_get(body, "replication"));
		if (json_is_object(json_object_get(body, "labels")))
			json_object_set(doc, "labels", json_object_get(body, "labels"));
		rc = docs_put_durable(r->pocket, SECRETS, name, doc, &r->err);
	}
	if (rc < 0)
		google_fail(r);
	else
		google_reply(r, tell_secret(r, name, doc));
}

static void post_secret(struct front_request *r)
{
	google_body(r, create_secret);
}

static void list_secrets(struct front_request *r)
{
	google_reply_list(r, &(struct google_list){.collection = SECRETS,
				     .member = "secrets",
				     .prefix = arena_printf(r->arena, "%.*s/secrets/", STR(google_name(r, words, 1))),
				     .tell = tell_secret});
}

static void get_secret(struct front_request *r)
{
	struct str name;
	const json_t *doc;
	if (find_secret(r, &name, &doc) < 0)
		google_fail(r);
	else
		google_reply(r, tell_secret(r, name, doc));
}

static void update_secret(struct front_request *r, json_t *body)
{
	struct str name;
	const json_t *found;
	int rc = find_secret(r, &name, &found);
	AUTO(json) doc = rc == 0 ? json_deep_copy(found) : NULL;
	if (rc == 0 && !str_eq(front_query(r, "updateMask"), S("labels")))
		rc = google_refuse(r, "INVALID_ARGUMENT", "update_mask may name the field labels.");
	if (rc == 0) {
		json_t *labels = json_object_get(body, "labels");
		json_object_set_new(doc, "labels", labels ? json_incref(labels) : json_object());
		rc = docs_put_durable(r->pocket, SECRETS, name, doc, &r->err);
	}
	if (rc < 0)
		google_fail(r);
	else
		google_reply(r, tell_secret(r, name, doc));
}

static void patch_secret(struct front_request *r)
{
	google_body(r, update_secret);
}

static void delete_secret(struct front_request *r)
{
	struct str name;
	const json_t *doc;
	int rc = find_secret(r, &name, &doc);
	int64_t last = rc == 0 ? json_int(doc, "next", 1) - 1 : 0;
	for (int64_t i = 1; rc == 0 && i <= last; i++) {
		rc = docs_delete(r->pocket, SECRET_VERSIONS, version_document(r, name, i), &r->err);
		if (rc == ERR_NOT_FOUND) { // of an end that was cut
			err_clear(&r->err);
			rc = 0;
		}
	}
	if (rc == 0)
		rc = docs_delete(r->pocket, SECRETS, name, &r->err);
	if (rc < 0)
		google_fail(r);
	else
		google_reply(r, json_object());
}

// ---------------------------------------------------------------- versions

static int put_version(struct front_request *r, const json_t *doc)
{
	struct str name = version_document(r, json_str(doc, "secret"), json_int(doc, "number", 0));
	return docs_put_durable(r->pocket, SECRET_VERSIONS, name, doc, &r->err);
}

static int read_payload(struct front_request *r, const json_t *body, struct str *data)
{
	const json_t *payload = json_object_get(body, "payload");
	bool given;
	int rc = google_bytes(r, payload, "data", data);
	if (rc == 0)
		rc = google_checksum(r, payload, "dataCrc32c", *data, &given);
	if (rc == 0 && (!payload || data->n > MOST_PAYLOAD))
		rc = google_refuse(r, "INVALID_ARGUMENT", "The payload must be present and have at most %d bytes.",
			MOST_PAYLOAD);
	return rc;
}

static void add_version(struct front_request *r, json_t *body)
{
	struct str name, data = S("");
	const json_t *found;
	AUTO(json) version = json_object();
	int rc = find_secret(r, &name, &found);
	if (rc == 0)
		rc = read_payload(r, body, &data);
	int64_t number = rc == 0 ? json_int(found, "next", 1) : 0;
	AUTO(json) doc = rc == 0 ? json_deep_copy(found) : NULL;
	json_set_str(version, "secret", rc == 0 ? name : S(""));
	json_object_set_new(version, "number", json_integer(number));
	json_object_set_new(version, "state", json_string("ENABLED"));
	json_object_set_new(version, "created_ns", json_integer(front_now_ns(r)));
	if (rc == 0)
		rc = at_rest_seal(r->pocket, version, version_name(r, version), data, &r->err);
	if (rc == 0)
		rc = put_version(r, version);
	if (rc == 0) {
		json_object_set_new(doc, "next", json_integer(number + 1));
		rc = docs_put_durable(r->pocket, SECRETS, name, doc, &r->err);
	}
	if (rc < 0)
		google_fail(r);
	else
		google_reply(r, tell_version(r, name, version));
}

static void post_version(struct front_request *r)
{
	google_body(r, add_version);
}

static void list_versions(struct front_request *r)
{
	struct str name;
	const json_t *doc;
	if (find_secret(r, &name, &doc) < 0) {
		google_fail(r);
		return;
	}
	google_reply_list(r, &(struct google_list){.collection = SECRET_VERSIONS,
				     .member = "versions",
				     .prefix = arena_printf(r->arena, "%.*s/", STR(name)),
				     .tell = tell_version});
}

static void get_version(struct front_request *r)
{
	struct str name;
	const json_t *doc;
	if (find_version(r, &name, &doc) < 0)
		google_fail(r);
	else
		google_reply(r, tell_version(r, name, doc));
}

static void access_version(struct front_request *r)
{
	struct str name;
	const json_t *doc = NULL;
	AUTO(buf) data = {0};
	int rc = find_version(r, &name, &doc);
	if (rc == 0 && !str_eq(json_str(doc, "state"), S("ENABLED")))
		rc = google_refuse(r, "FAILED_PRECONDITION", "Secret Version [%.*s] is in %.*s state.",
			STR(version_name(r, doc)), STR(json_str(doc, "state")));
	if (rc == 0)
		rc = at_rest_open(r->pocket, doc, version_name(r, doc), &data, &r->err);
	if (rc < 0) {
		google_fail(r);
		return;
	}
	json_t *payload = json_object(), *j = json_object();
	google_set_bytes(payload, "data", buf_str(&data));
	google_set_crc32c(payload, "dataCrc32c", buf_str(&data));
	json_set_str(j, "name", version_name(r, doc));
	json_object_set_new(j, "payload", payload);
	if (data.p)
		secret_wipe(data.p, data.n);
	google_reply(r, j);
}

static void change(struct front_request *r, const char *to)
{
	struct str name;
	const json_t *found;
	int rc = find_version(r, &name, &found);
	if (rc == 0 && str_eq(json_str(found, "state"), S("DESTROYED")))
		rc = google_refuse(r, "FAILED_PRECONDITION", "Secret Version [%.*s] is in DESTROYED state.",
			STR(version_name(r, found)));
	AUTO(json) doc = rc == 0 ? json_deep_copy(found) : NULL;
	if (rc == 0) {
		json_object_set_new(doc, "state", json_string(to));
		if (str_is(S("DESTROYED"), to)) {
			json_object_del(doc, "sealed");
			json_object_set_new(doc, "destroyed_ns", json_integer(front_now_ns(r)));
		}
		rc = put_version(r, doc);
	}
	if (rc < 0)
		google_fail(r);
	else
		google_reply(r, tell_version(r, name, doc));
}

static void disable(struct front_request *r, json_t *body)
{
	(void)body;
	change(r, "DISABLED");
}

static void enable(struct front_request *r, json_t *body)
{
	(void)body;
	change(r, "ENABLED");
}

static void destroy(struct front_request *r, json_t *body)
{
	(void)body;
	change(r, "DESTROYED");
}

static void post_disable(struct front_request *r)
{
	google_body(r, disable);
}

static void post_enable(struct front_request *r)
{
	google_body(r, enable);
}

static void post_destroy(struct front_request *r)
{
	google_body(r, destroy);
}

// ---------------------------------------------------------------- the table

#define SECRET "projects/*/secrets"
#define VERSION SECRET "/*/versions"

static const struct google_route routes[] = {
	{HTTP_GET, SECRET, "secretmanager.secrets.list", list_secrets},
	{HTTP_POST, SECRET, "secretmanager.secrets.create", post_secret},
	{HTTP_GET, SECRET "/*", "secretmanager.secrets.get", get_secret},
	{HTTP_PATCH, SECRET "/*", "secretmanager.secrets.update", patch_secret},
	{HTTP_DELETE, SECRET "/*", "secretmanager.secrets.delete", delete_secret},
	{HTTP_POST, SECRET "/*:addVersion", "secretmanager.versions.add", post_version},
	{HTTP_POST, SECRET "/*:testIamPermissions", "secretmanager.secrets.get", google_test_permissions},
	{HTTP_GET, VERSION, "secretmanager.versions.list", list_versions},
	{HTTP_GET, VERSION "/*", "secretmanager.versions.get", get_version},
	{HTTP_GET, VERSION "/*:access", "secretmanager.versions.access", access_version},
	{HTTP_POST, VERSION "/*:disable", "secretmanager.versions.disable", post_disable},
	{HTTP_POST, VERSION "/*:enable", "secretmanager.versions.enable", post_enable},
	{HTTP_POST, VERSION "/*:destroy", "secretmanager.versions.destroy", post_destroy},
};
static const char *const versions[] = {"v1", NULL};
static const struct google_api api = {
	.service = "secretmanager.googleapis.com", .versions = versions, .routes = routes, .count = COUNT_OF(routes)};

static bool matches(const struct front_request *r)
{
	return google_api_matches(&api, r);
}

static void handle(struct front_request *r)
{
	google_api_handle(&api, r);
}

const struct pocket_service gcp_secrets_service = {.name = "secretmanager",
	.matches = matches,
	.handle = handle,
	.fail = google_fail,
	.trouble = google_trouble};
