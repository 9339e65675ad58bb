// SPDX-License-Identifier: Apache-2.0
// The object resource of the JSON API, in both directions, and what of it stands in headers beside the bytes.
#include <string.h>

#include "base/time.h"
#include "pocket/gcs/gcs_impl.h"

// Members of the resource that are kept, under the names of the headers that they become.
static const struct {
	const char *member, *header;
} kept[] = {
	{"contentType", "content-type"},
	{"contentEncoding", "content-encoding"},
	{"contentLanguage", "content-language"},
	{"contentDisposition", "content-disposition"},
	{"cacheControl", "cache-control"},
};

struct str gcs_crc32c_text(struct front_request *r, const struct digests *d)
{
	unsigned char bytes[SHA256_SIZE];
	size_t n = digests_bytes(d, HASH_CRC32C, bytes);
	return n ? front_base64_text(r, str_bytes(bytes, n)) : S("");
}

struct str gcs_md5_text(struct front_request *r, const struct digests *d)
{
	return d->have & HASH_MD5 ? front_base64_text(r, str_bytes(d->md5, MD5_SIZE)) : S("");
}

// ---------------------------------------------------------------- writing

static void set_time(json_t *j, const char *name, int64_t wall_ns)
{
	char text[TIME_TEXT_SIZE];
	time_rfc3339(wall_ns, 3, text);
	json_object_set_new(j, name, json_string(text));
}

static void set_number(json_t *j, const char *name, int64_t value) // 64-bit numbers are texts in Google's JSON
{
	char text[24];
	snprintf(text, sizeof(text), "%lld", (long long)value);
	json_object_set_new(j, name, json_string(text));
}

static void set_link(struct front_request *r, json_t *j, const char *bucket, const struct record *o)
{
	AUTO(buf) path = {0};
	AUTO(buf) link = {0};
	const char *url = pocket_url(r->pocket);
	buf_printf(&path, "storage/v1/b/%s/o/", bucket);
	sign_uri_encode(o->key, "", &path);
	buf_printf(&link, "%s/%s", url, buf_cstr(&path));
	json_set_str(j, "selfLink", buf_str(&link));
	buf_clear(&link);
	buf_printf(&link, "%s/download/%s?generation=%lld&alt=media", url, buf_cstr(&path), (long long)o->generation);
	json_set_str(j, "mediaLink", buf_str(&link));
	buf_clear(&link);
	buf_printf(&link, "%s/%.*s/%lld", bucket, STR(o->key), (long long)o->generation);
	json_set_str(j, "id", buf_str(&link));
}

static void set_description(json_t *j, const struct record *o)
{
	for (size_t i = 0; i < COUNT_OF(kept); i++) {
		struct str value = pairs_get(&o->properties, str_of(kept[i].header));
		if (value.n)
			json_set_str(j, kept[i].member, value);
	}
	if (o->metadata.count == 0)
		return;
	json_t *metadata = json_object();
	for (size_t i = 0; i < o->metadata.count; i++) {
		AUTO(buf) name = {0};
		buf_add(&name, o->metadata.items[i].name);
		json_set_str(metadata, buf_cstr(&name), o->metadata.items[i].value);
	}
	json_object_set_new(j, "metadata", metadata);
}

json_t *gcs_object_resource(struct front_request *r, const char *bucket, const struct record *o)
{
	json_t *j = json_object();
	json_object_set_new(j, "kind", json_string("storage#object"));
	set_link(r, j, bucket, o);
	json_set_str(j, "name", o->key);
	json_object_set_new(j, "bucket", json_string(bucket));
	set_number(j, "generation", o->generation);
	set_number(j, "metageneration", o->metageneration);
	set_description(j, o);
	json_object_set_new(j, "storageClass", json_string("STANDARD"));
	set_number(j, "size", (int64_t)o->size);
	if (o->digests.have & HASH_MD5)
		json_set_str(j, "md5Hash", gcs_md5_text(r, &o->digests));
	else // only composed objects have no MD5
		json_object_set_new(j, "componentCount", json_integer((json_int_t)o->piece_count));
	json_set_str(j, "crc32c", gcs_crc32c_text(r, &o->digests));
	json_set_str(j, "etag", o->etag);
	set_time(j, "timeCreated", o->created_ns);
	set_time(j, "updated", o->modified_ns);
	set_time(j, "timeStorageClassUpdated", o->created_ns);
	return j;
}

json_t *gcs_resource_of(struct front_request *r, const struct object *o)
{
	AUTO(buf) name = {0};
	buf_add(&name, bucket_record(o->bucket)->key);
	return gcs_object_resource(r, buf_cstr(&name), o->record);
}

void gcs_add_headers(struct front_request *r, const struct record *o)
{
	for (size_t i = 0; i < COUNT_OF(kept); i++)
		front_add(r, kept[i].header, pairs_get(&o->properties, str_of(kept[i].header)));
	for (size_t i = 0; i < o->metadata.count; i++) {
		struct str name = arena_printf(r->arena, "x-goog-meta-%.*s", STR(o->metadata.items[i].name));
		if (name.p && http_is_token(name)) // a name in JSON may hold what no header can
			front_add(r, name.p, o->metadata.items[i].value);
	}
	struct str crc32c = gcs_crc32c_text(r, &o->digests), md5 = gcs_md5_text(r, &o->digests);
	if (md5.n)
		front_addf(r, "x-goog-hash", "crc32c=%.*s,md5=%.*s", STR(crc32c), STR(md5));
	else
		front_addf(r, "x-goog-hash", "crc32c=%.*s", STR(crc32c));
	front_addf(r, "x-goog-generation", "%lld", (long long)o->generation);
	front_addf(r, "x-goog-metageneration", "%lld", (long long)o->metageneration);
	front_addf(r, "x-goog-stored-content-length", "%llu", (unsigned long long)o->size);
	front_add(r, "x-goog-storage-class", S("STANDARD"));
	front_add(r, "etag", o->etag);
	front_add_date(r, "last-modified", o->modified_ns);
	front_add(r, "accept-ranges", S("bytes"));
}

// ---------------------------------------------------------------- reading

static int no_memory(struct front_request *r)
{
	return err_set(&r->err, ERR_NO_MEMORY, "out of memory");
}

// Sets, or takes away where the value is empty.
static int replace_pair(struct front_request *r, struct pairs *p, struct str name, struct str value)
{
	if (pairs_remove(p, r->arena, name) < 0 || (value.n && pairs_add(p, r->arena, name, value) < 0))
		return no_memory(r);
	return 0;
}

static int read_text(struct front_request *r, const json_t *value, const char *name, struct str *out)
{
	if (!json_is_string(value) && !json_is_null(value))
		return gcs_refuse(r, "invalid", "Invalid value for: %s is not a valid value", name);
	*out = json_value_str(value);
	return 0;
}

static int read_metadata(struct front_request *r, const json_t *j, struct record *draft)
{
	const char *name;
	json_t *value;
	size_t total = 0;
	if (json_is_null(j)) {
		draft->metadata = (struct pairs){0};
		return 0;
	}
	if (!json_is_object(j))
		return gcs_refuse(r, "invalid", "Invalid value for: metadata is not a valid value");
	json_object_foreach((json_t *)(uintptr_t)j, name, value)
	{
		struct str text = {0};
		struct str copy = arena_str(r->arena, str_of(name));
		int rc = copy.p ? read_text(r, value, name, &text) : no_memory(r);
		if (rc == 0 && pairs_remove(&draft->metadata, r->arena, copy) < 0)
			rc = no_memory(r);
		if (rc == 0 && !json_is_null(value) && pairs_add(&draft->metadata, r->arena, copy, text) < 0)
			rc = no_memory(r);
		total += copy.n + text.n;
		if (rc == 0 && total > GCS_MAX_METADATA)
			rc = gcs_refuse(
				r, "invalid", "The total size of custom metadata exceeds %d bytes.", GCS_MAX_METADATA);
		if (rc < 0)
			return rc;
	}
	return 0;
}

// What would change how the object is kept or who may read it.
static int check_wishes(struct front_request *r, const json_t *j)
{
	static const char *const refused[] = {
		"acl", "customTime", "eventBasedHold", "kmsKeyName", "retention", "temporaryHold", "contexts"};
	struct str class = json_str(j, "storageClass");
	for (size_t i = 0; i < COUNT_OF(refused); i++) {
		const json_t *value = json_object_get(j, refused[i]);
		bool empty = !value || json_is_null(value) || json_is_false(value) ||
			     (json_is_array(value) && json_array_size(value) == 0);
		if (!empty)
			return gcs_refuse(r, "notImplemented", "A pocket cloud does not offer %s.", refused[i]);
	}
	if (class.n && !str_eq(class, S("STANDARD")))
		return gcs_refuse(r, "notImplemented", "A pocket cloud has the storage class STANDARD alone.");
	if (front_query(r, "kmsKeyName").n || front_query(r, "predefinedAcl").n ||
		front_header(r, "x-goog-encryption-algorithm").n)
		return gcs_refuse(r, "notImplemented", "A pocket cloud offers no ACLs and no customer keys.");
	return 0;
}

int gcs_read_resource(struct front_request *r, const json_t *j, struct record *draft)
{
	struct gcs_state *s = gcs_state(r);
	if (j && !json_is_object(j))
		return gcs_refuse(r, "invalid", "Parse Error");
	int rc = check_wishes(r, j);
	for (size_t i = 0; i < COUNT_OF(kept) && rc == 0; i++) {
		const json_t *value = json_object_get(j, kept[i].member);
		struct str text = {0};
		if (!value)
			continue;
		rc = read_text(r, value, kept[i].member, &text);
		if (rc == 0)
			rc = replace_pair(r, &draft->properties, str_of(kept[i].header), text);
	}
	if (rc == 0 && json_object_get(j, "metadata"))
		rc = read_metadata(r, json_object_get(j, "metadata"), draft);
	s->crc32c = json_str(j, "crc32c");
	s->md5 = json_str(j, "md5Hash");
	return rc;
}

// ---------------------------------------------------------------- checksums

int gcs_read_hash_header(struct front_request *r)
{
	struct gcs_state *s = gcs_state(r);
	struct str list = front_header(r, "x-goog-hash"), part, name, value;
	while (str_next(&list, ',', &part)) {
		str_cut(str_trim(part), '=', &name, &value);
		if (str_eq(name, S("crc32c")))
			s->crc32c = value;
		else if (str_eq(name, S("md5")))
			s->md5 = value;
		else if (part.n)
			return gcs_refuse(r, "invalid", "Invalid value in the header x-goog-hash");
	}
	return 0;
}

int gcs_verify(struct front_request *r, const struct digests *d)
{
	const struct gcs_state *s = gcs_state(r);
	struct str crc32c = gcs_crc32c_text(r, d), md5 = gcs_md5_text(r, d);
	if (s->crc32c.n && !str_eq(s->crc32c, crc32c))
		return gcs_refuse(r, "invalid", "Provided CRC32C \"%.*s\" doesn't match calculated CRC32C \"%.*s\".",
			STR(str_take(s->crc32c, 64)), STR(crc32c));
	if (s->md5.n && md5.n && !str_eq(s->md5, md5))
		return gcs_refuse(r, "invalid",
			"Provided MD5 hash \"%.*s\" doesn't match calculated MD5 hash \"%.*s\".",
			STR(str_take(s->md5, 64)), STR(md5));
	return 0;
}
