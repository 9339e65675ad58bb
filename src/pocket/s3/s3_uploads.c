// SPDX-License-Identifier: Apache-2.0
// S3's listings of unfinished uploads and of their parts.
#include <stdlib.h>
#include <string.h>

#include "pocket/s3/s3_impl.h"

static int read_number(struct front_request *r, const char *name, uint64_t otherwise, uint64_t *out)
{
	struct str text = front_query(r, name);
	*out = otherwise;
	if (text.n && (str_to_u64(text, out) < 0 || *out > INT32_MAX))
		return s3_refuse_with(r, "InvalidArgument", "Provided %s not an integer or within integer range", name);
	return 0;
}

// ---------------------------------------------------------------- parts

// Of a name such as "00007".
static uint64_t part_number(const struct record *piece)
{
	uint64_t number = 0;
	for (size_t i = 0; i < piece->key.n; i++)
		number = number * 10 + (uint64_t)(piece->key.p[i] - '0');
	return number;
}

static void add_part(struct buf *out, const struct record *piece)
{
	buf_add(out, S("<Part>"));
	xml_number(out, "PartNumber", part_number(piece));
	s3_xml_time(out, "LastModified", piece->modified_ns);
	s3_xml_etag(out, piece);
	xml_number(out, "Size", piece->size);
	for (size_t i = 0; i < s3_checksum_count; i++) {
		AUTO(buf) text = {0};
		unsigned char bytes[SHA256_SIZE];
		size_t n = digests_bytes(&piece->digests, s3_checksums[i].flag, bytes);
		if (n == 0)
			continue;
		base64_encode(str_bytes(bytes, n), &text);
		xml_element(out, s3_checksums[i].element, buf_str(&text));
	}
	buf_add(out, S("</Part>"));
}

static size_t add_parts(struct buf *out, const struct upload *u, uint64_t marker, uint64_t most)
{
	char after[16];
	size_t added = 0, last = 0;
	snprintf(after, sizeof(after), "%05u", (unsigned)MIN(marker, (uint64_t)99999));
	for (size_t i = 0; i < u->count && added < most; i++) {
		if (str_cmp(u->pieces[i]->key, str_of(after)) <= 0)
			continue;
		add_part(out, u->pieces[i]);
		added++;
		last = i + 1;
	}
	return added ? last : u->count; // how many of the pieces are behind us
}

void s3_list_parts(struct front_request *r)
{
	AUTO(buf) out = {0};
	AUTO(buf) parts = {0};
	struct bucket *b = NULL;
	struct upload *u = NULL;
	uint64_t most = 0, marker = 0;
	if (s3_upload(r, &b, &u) < 0 || read_number(r, "max-parts", S3_MAX_KEYS, &most) < 0 ||
		read_number(r, "part-number-marker", 0, &marker) < 0) {
		s3_fail(r);
		return;
	}
	most = MIN(most, (uint64_t)S3_MAX_KEYS);
	size_t behind = add_parts(&parts, u, marker, most);
	bool truncated = most > 0 && behind < u->count;
	s3_xml_begin(&out, "ListPartsResult");
	xml_element(&out, "Bucket", r->bucket);
	xml_element(&out, "Key", r->key);
	xml_element(&out, "UploadId", str_of(u->id));
	s3_xml_owner(&out, "Initiator");
	s3_xml_owner(&out, "Owner");
	buf_add(&out, S("<StorageClass>STANDARD</StorageClass>"));
	xml_number(&out, "PartNumberMarker", marker);
	if (truncated)
		xml_number(&out, "NextPartNumberMarker", part_number(u->pieces[behind - 1]));
	xml_number(&out, "MaxParts", most);
	xml_element(&out, "IsTruncated", truncated ? S("true") : S("false"));
	buf_add(&out, buf_str(&parts));
	buf_add(&out, S("</ListPartsResult>"));
	s3_reply_xml(r, &out);
}

// ---------------------------------------------------------------- uploads

static int by_key_then_id(const void *a, const void *b)
{
	const struct upload *const *left = a, *const *right = b;
	int order = str_cmp((*left)->record->key, (*right)->record->key);
	return order ? order : strcmp((*left)->id, (*right)->id);
}

// Whether an upload lies behind the markers of the last page.
static bool is_behind(const struct upload *u, struct str key_marker, struct str id_marker)
{
	int order = str_cmp(u->record->key, key_marker);
	return order > 0 || (order == 0 && id_marker.n && str_cmp(str_of(u->id), id_marker) > 0);
}

static size_t collect(const struct front_request *r, const struct bucket *b, const struct upload **out)
{
	struct str prefix = front_query(r, "prefix"), key = front_query(r, "key-marker"),
		   id = front_query(r, "upload-id-marker");
	size_t count = 0;
	for (const struct index_node *n = objects_uploads(b, S("")); n; n = index_next(n)) {
		const struct upload *u = n->value;
		if (str_starts(u->record->key, prefix) && (key.n == 0 || is_behind(u, key, id)))
			out[count++] = u;
	}
	qsort(out, count, sizeof(*out), by_key_then_id);
	return count;
}

static void add_upload(struct buf *out, const struct upload *u)
{
	buf_add(out, S("<Upload>"));
	xml_element(out, "Key", u->record->key);
	xml_element(out, "UploadId", str_of(u->id));
	s3_xml_owner(out, "Initiator");
	s3_xml_owner(out, "Owner");
	buf_add(out, S("<StorageClass>STANDARD</StorageClass>"));
	s3_xml_time(out, "Initiated", u->record->created_ns);
	buf_add(out, S("</Upload>"));
}

static void reply_uploads(struct front_request *r, const struct upload *const *uploads, size_t count, size_t most)
{
	AUTO(buf) out = {0};
	size_t shown = MIN(count, most);
	bool truncated = shown < count && shown > 0;
	s3_xml_begin(&out, "ListMultipartUploadsResult");
	xml_element(&out, "Bucket", r->bucket);
	xml_element(&out, "KeyMarker", front_query(r, "key-marker"));
	xml_element(&out, "UploadIdMarker", front_query(r, "upload-id-marker"));
	if (truncated) {
		xml_element(&out, "NextKeyMarker", uploads[shown - 1]->record->key);
		xml_element(&out, "NextUploadIdMarker", str_of(uploads[shown - 1]->id));
	}
	xml_element(&out, "Prefix", front_query(r, "prefix"));
	xml_number(&out, "MaxUploads", most);
	xml_element(&out, "IsTruncated", truncated ? S("true") : S("false"));
	for (size_t i = 0; i < shown; i++)
		add_upload(&out, uploads[i]);
	buf_add(&out, S("</ListMultipartUploadsResult>"));
	s3_reply_xml(r, &out);
}

void s3_list_uploads(struct front_request *r)
{
	struct bucket *b = NULL;
	uint64_t most = 0;
	if (front_query(r, "delimiter").n) {
		s3_answer(r, "NotImplemented");
		return;
	}
	if (s3_bucket(r, &b) < 0 || read_number(r, "max-uploads", S3_MAX_KEYS, &most) < 0) {
		s3_fail(r);
		return;
	}
	size_t total = 0;
	for (const struct index_node *n = objects_uploads(b, S("")); n; n = index_next(n))
		total++;
	const struct upload **uploads = arena_new_array(r->arena, total + 1, const struct upload *);
	if (!uploads) {
		s3_answer(r, "SlowDown");
		return;
	}
	reply_uploads(r, uploads, collect(r, b, uploads), (size_t)MIN(most, (uint64_t)S3_MAX_KEYS));
}
