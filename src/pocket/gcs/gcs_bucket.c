// SPDX-License-Identifier: Apache-2.0
// Cloud Storage's operations on buckets.
#include <string.h>

#include "base/time.h"
#include "pocket/gcs/gcs_impl.h"

static void set_time(json_t *j, const char *name, int64_t wall_ns)
{
	char text[TIME_TEXT_SIZE];
	time_rfc3339(wall_ns, 3, text);
	json_object_set_new(j, name, json_string(text));
}

static json_t *labels_of(const struct record *bucket)
{
	json_t *labels = json_object();
	for (size_t i = 0; i < bucket->metadata.count; i++) {
		AUTO(buf) name = {0};
		buf_add(&name, bucket->metadata.items[i].name);
		json_set_str(labels, buf_cstr(&name), bucket->metadata.items[i].value);
	}
	return labels;
}

static json_t *resource(struct front_request *r, const struct record *bucket)
{
	char etag[OBJECT_ETAG_SIZE], number[24];
	json_t *j = json_object();
	struct str location = pairs_get(&bucket->properties, S("location"));
	struct str link = arena_printf(r->arena, "%s/storage/v1/b/%.*s", pocket_url(r->pocket), STR(bucket->key));
	gcs_etag(bucket, etag);
	snprintf(number, sizeof(number), "%lld", (long long)bucket->metageneration);
	json_object_set_new(j, "kind", json_string("storage#bucket"));
	json_set_str(j, "id", bucket->key);
	json_set_str(j, "name", bucket->key);
	json_set_str(j, "selfLink", link);
	json_object_set_new(j, "projectNumber", json_string("1"));
	json_object_set_new(j, "metageneration", json_string(number));
	json_set_str(j, "location", location.n ? location : S("US"));
	json_object_set_new(j, "locationType", json_string("region"));
	json_object_set_new(j, "storageClass", json_string("STANDARD"));
	json_object_set_new(j, "etag", json_string(etag));
	json_object_set_new(j, "iamConfiguration",
		json_pack("{s:{s:b}, s:s}", "uniformBucketLevelAccess", "enabled", 1, "publicAccessPrevention",
			"enforced"));
	if (bucket->metadata.count)
		json_object_set_new(j, "labels", labels_of(bucket));
	set_time(j, "timeCreated", bucket->created_ns);
	set_time(j, "updated", bucket->modified_ns);
	return j;
}

// The place in a listing behind which the next page begins, from and to an opaque token.
int gcs_read_page(struct front_request *r, struct str *after, size_t *limit)
{
	uint64_t most = GCS_MAX_LIST;
	struct str max = front_query(r, "maxResults"), token = front_query(r, "pageToken");
	AUTO(buf) place = {.limit = OBJECT_KEY_MAX + 1};
	if (max.n && (str_to_u64(max, &most) < 0 || most < 1))
		return gcs_refuse(r, "invalid", "Invalid value for: maxResults");
	if (token.n && base64_decode(token, &place) < 0)
		return gcs_refuse(r, "invalid", "Invalid value for: pageToken");
	*limit = (size_t)MIN(most, (uint64_t)GCS_MAX_LIST);
	*after = arena_str(r->arena, buf_str(&place));
	return after->p ? 0 : err_set(&r->err, ERR_NO_MEMORY, "out of memory");
}

void gcs_list_buckets(struct front_request *r)
{
	struct str prefix = front_query(r, "prefix"), after = {0};
	size_t limit = 0;
	if (gcs_read_page(r, &after, &limit) < 0) {
		gcs_fail(r);
		return;
	}
	json_t *j = json_object(), *items = json_array();
	const struct index_node *n = objects_buckets(r->store, str_cmp(after, prefix) > 0 ? after : prefix);
	if (n && after.n && str_eq(n->key, after))
		n = index_next(n);
	for (; n && str_starts(n->key, prefix) && json_array_size(items) < limit; n = index_next(n)) {
		json_array_append_new(items, resource(r, bucket_record(n->value)));
		after = n->key;
	}
	json_object_set_new(j, "kind", json_string("storage#buckets"));
	if (n && str_starts(n->key, prefix))
		json_set_str(j, "nextPageToken", front_base64_text(r, after));
	json_object_set_new(j, "items", items);
	gcs_reply_json(r, j);
}

// ---------------------------------------------------------------- insert

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

// 3 to 63 of a-z, 0-9, '-', '_', '.', with a letter or digit at both ends.
static bool name_valid(struct str name)
{
	if (name.n < 3 || name.n > 63 || !is_letter(name.p[0]) || !is_letter(name.p[name.n - 1]))
		return false;
	for (size_t i = 0; i < name.n; i++)
		if (!is_letter(name.p[i]) && !memchr("-_.", name.p[i], 3))
			return false;
	return true;
}

// Only members that a pocket honours; others would be promises.
static int check_members(struct front_request *r, const json_t *body)
{
	static const char *const honoured[] = {
		"name", "location", "storageClass", "labels", "iamConfiguration", "kind", "locationType"};
	const char *name;
	json_t *value;
	json_object_foreach((json_t *)(uintptr_t)body, name, value)
	{
		bool known = json_is_null(value);
		for (size_t i = 0; i < COUNT_OF(honoured) && !known; i++)
			known = strcmp(name, honoured[i]) == 0;
		if (!known)
			return gcs_refuse(r, "notImplemented", "A pocket cloud does not offer %.60s of buckets.", name);
	}
	struct str class = json_str(body, "storageClass");
	if (class.n && !str_eq(class, S("STANDARD")))
		return gcs_refuse(r, "notImplemented", "A pocket cloud has the storage class STANDARD alone.");
	return 0;
}

static int read_bucket(struct front_request *r, const json_t *body, struct record *draft)
{
	const char *name;
	json_t *value;
	draft->key = json_str(body, "name");
	if (!json_is_object(body) || draft->key.n == 0)
		return gcs_refuse(r, "required", "Required parameter: name");
	if (!name_valid(draft->key))
		return gcs_refuse(r, "invalid", "Invalid bucket name: '%.*s'", STR(str_take(draft->key, 80)));
	int rc = check_members(r, body);
	struct str location = json_str(body, "location");
	if (rc == 0 && location.n && pairs_add(&draft->properties, r->arena, S("location"), location) < 0)
		rc = err_set(&r->err, ERR_NO_MEMORY, "out of memory");
	json_t *labels = json_object_get(body, "labels");
	json_object_foreach(labels, name,
		value) if (rc == 0 && pairs_add(&draft->metadata, r->arena, str_of(name), json_value_str(value)) < 0)
		rc = err_set(&r->err, ERR_NO_MEMORY, "out of memory");
	return rc;
}

static void insert(struct front_request *r, json_t *body)
{
	struct bucket *b = NULL;
	struct record draft = {0};
	int rc = read_bucket(r, body, &draft);
	if (rc == 0) {
		rc = objects_bucket_create(r->store, &draft, &b, &r->err);
		if (rc == ERR_EXISTS)
			gcs_refuse(r, "conflict",
				"Your previous request to create the named bucket succeeded and you already own it.");
	}
	if (rc < 0)
		gcs_fail(r);
	else
		gcs_reply_json(r, resource(r, bucket_record(b)));
}

void gcs_insert_bucket(struct front_request *r)
{
	gcs_body_json(r, insert);
}

// ---------------------------------------------------------------- get and delete

void gcs_get_bucket(struct front_request *r)
{
	struct bucket *b = NULL;
	if (gcs_bucket(r, gcs_state(r)->captures[0], &b) < 0)
		gcs_fail(r);
	else
		gcs_reply_json(r, resource(r, bucket_record(b)));
}

// A label of null goes; members that a pocket has no use for are refused as at insert.
static int merge_labels(struct front_request *r, const json_t *labels, struct record *draft)
{
	const char *name;
	json_t *value;
	int rc = 0;
	json_object_foreach((json_t *)(uintptr_t)labels, name, value)
	{
		if (rc == 0)
			rc = pairs_remove(&draft->metadata, r->arena, str_of(name));
		if (rc == 0 && json_is_string(value))
			rc = pairs_add(&draft->metadata, r->arena, str_of(name), json_value_str(value));
	}
	return rc < 0 ? err_set(&r->err, ERR_NO_MEMORY, "out of memory") : 0;
}

static void patch(struct front_request *r, json_t *body)
{
	struct bucket *b = NULL;
	int rc = gcs_bucket(r, gcs_state(r)->captures[0], &b);
	if (rc == 0)
		rc = check_members(r, body);
	if (rc == 0) {
		struct record draft = {
			.properties = bucket_record(b)->properties, .metadata = bucket_record(b)->metadata};
		draft.metadata.room = 0; // the record's own: copied before it changes
		rc = merge_labels(r, json_object_get(body, "labels"), &draft);
		if (rc == 0)
			rc = objects_bucket_update(b, &draft, &r->err);
	}
	if (rc < 0)
		gcs_fail(r);
	else
		gcs_reply_json(r, resource(r, bucket_record(b)));
}

void gcs_patch_bucket(struct front_request *r)
{
	gcs_body_json(r, patch);
}

void gcs_delete_bucket(struct front_request *r)
{
	int rc = objects_bucket_delete(r->store, gcs_state(r)->captures[0], false, &r->err);
	if (rc == ERR_NOT_FOUND)
		gcs_refuse(r, "notFound", "The specified bucket does not exist.");
	if (rc == ERR_CONFLICT)
		gcs_refuse(r, "conflict", "The bucket you tried to delete is not empty.");
	if (rc < 0)
		gcs_fail(r);
	else
		front_reply(r, 204, S(""));
}
