// SPDX-License-Identifier: Apache-2.0
// S3's copies. CopyObject links the bytes of its source; UploadPartCopy reads them, since the ETag of a part is their
// MD5, and does so a slice a turn of the loop, so that other requests go on.
#include <stdlib.h>
#include <string.h>

#include "net/range.h"
#include "pocket/s3/s3_impl.h"

// "/bucket/key" or "bucket/key", percent-encoded, maybe with ?versionId=.
static int read_source(struct front_request *r, struct str *bucket, struct str *key)
{
	struct str path = front_header(r, "x-amz-copy-source"), query, whole;
	str_cut(path, '?', &path, &query);
	if (query.n)
		return s3_refuse(r, "NotImplemented");
	whole = arena_printf(r->arena, "%s%.*s", str_starts(path, S("/")) ? "" : "/", STR(path));
	if (!whole.p || front_cut_path(r, whole, bucket, key) < 0 || bucket->n == 0 || !objects_key_valid(*key))
		return s3_refuse_with(r, "InvalidArgument",
			"Copy Source must mention the source bucket and key: sourcebucket/sourcekey");
	return 0;
}

static int find_source(struct front_request *r, struct str bucket, struct str key, struct object **out)
{
	struct bucket *b = NULL;
	int rc = objects_bucket_find(r->store, bucket, &b, &r->err);
	if (rc == ERR_NOT_FOUND)
		return s3_refuse(r, "NoSuchBucket");
	if (rc < 0)
		return rc;
	*out = objects_find(b, key);
	return *out ? 0 : s3_refuse(r, "NoSuchKey");
}

int s3_copy_source(struct front_request *r, struct object **out)
{
	struct str bucket, key;
	struct condition c = {0};
	int rc = read_source(r, &bucket, &key);
	if (rc == 0)
		rc = find_source(r, bucket, key, out);
	if (rc < 0)
		return rc;
	condition_read(&r->x->request.headers, "x-amz-copy-source-", &c);
	if (condition_check(&c, (*out)->record) != CONDITION_HOLDS)
		return s3_refuse(r, "PreconditionFailed");
	return (*out)->record->size > S3_MAX_PUT && !front_query_has(r, "uploadId")
		       ? s3_refuse_with(r, "InvalidRequest",
				 "The specified copy source is larger than the maximum allowable size for a copy "
				 "source: "
				 "5368709120")
		       : 0;
}

static bool replaces_metadata(const struct front_request *r)
{
	return str_eq_nocase(front_header(r, "x-amz-metadata-directive"), S("REPLACE"));
}

// Description of the copy: the source's, or the request's. Checksums belong to the bytes and stay.
static int describe(struct front_request *r, const struct object *source, struct record *draft)
{
	const struct s3_checksum *checksum = NULL;
	const struct record *from = source->record;
	draft->key = r->key;
	draft->digests = from->digests;
	draft->etag = from->etag;
	if (!replaces_metadata(r)) {
		draft->properties = from->properties;
		draft->metadata = from->metadata;
		return 0;
	}
	int rc = s3_read_description(r, draft);
	struct str value = s3_stored_checksum(from, &checksum);
	if (rc < 0 || value.n == 0)
		return rc;
	if (pairs_add(&draft->properties, r->arena, str_of(checksum->header), value) < 0 ||
		pairs_add(&draft->properties, r->arena, S("x-amz-checksum-type"),
			pairs_get(&from->properties, S("x-amz-checksum-type"))) < 0)
		return err_set(&r->err, ERR_NO_MEMORY, "out of memory");
	return 0;
}

static int copy(struct front_request *r, struct bucket *b, const struct object *source, struct object **out)
{
	struct assembly *as = NULL;
	struct record draft = {0};
	int rc = describe(r, source, &draft);
	if (rc == 0)
		rc = assembly_begin(b, &as, &r->err);
	if (rc < 0)
		return rc;
	rc = assembly_add_object(as, source, 0, source->record->size, &r->err);
	if (rc == 0)
		return objects_put_assembly(as, &draft, out, &r->err);
	assembly_abandon(as);
	return rc;
}

static void write_result(struct buf *out, const char *root, const struct record *o)
{
	const struct s3_checksum *checksum = NULL;
	struct str value = s3_stored_checksum(o, &checksum);
	s3_xml_begin(out, root);
	s3_xml_time(out, "LastModified", o->modified_ns);
	s3_xml_etag(out, o);
	if (value.n)
		xml_element(out, checksum->element, value);
	buf_printf(out, "</%s>", root);
}

void s3_copy_object(struct front_request *r)
{
	AUTO(buf) out = {0};
	struct bucket *b = NULL;
	struct object *source = NULL, *made = NULL;
	int rc = s3_bucket(r, &b);
	if (rc == 0)
		rc = s3_copy_source(r, &source);
	if (rc == 0)
		rc = s3_check_write(r, b);
	if (rc == 0 && source == objects_find(b, r->key) && !replaces_metadata(r))
		rc = s3_refuse_with(r, "InvalidRequest",
			"This copy request is illegal because it is trying to copy an object to itself without "
			"changing the object's "
			"metadata, storage class, website redirect location or encryption attributes.");
	if (rc == 0)
		rc = copy(r, b, source, &made);
	if (rc < 0) {
		s3_fail(r);
		return;
	}
	write_result(&out, "CopyObjectResult", made->record);
	s3_reply_xml(r, &out);
}

// ---------------------------------------------------------------- a part from an object

enum { SLICE = 4 << 20 }; // some milliseconds of hashing

struct part_copy {
	struct front_request *r;
	struct loop_task task;
	struct str name;
};

static void finish_part(struct part_copy *c)
{
	AUTO(buf) out = {0};
	struct front_request *r = c->r;
	struct bucket *b = NULL;
	struct upload *u = NULL;
	struct record draft = {.key = c->name};
	int rc = s3_upload(r, &b, &u);
	if (rc == 0)
		rc = s3_store_part(r, b, u, &draft);
	if (rc < 0) {
		s3_fail(r);
		return;
	}
	write_result(&out, "CopyPartResult", upload_piece_find(u, c->name));
	s3_reply_xml(r, &out);
}

static void copy_slice(struct loop_task *task)
{
	struct part_copy *c = CONTAINER_OF(task, struct part_copy, task);
	struct front_request *r = c->r;
	char bytes[64 << 10];
	size_t n = 1;
	for (size_t done = 0; done < SLICE && n; done += n) {
		if (object_range_read(&r->range, bytes, sizeof(bytes), &n, &r->err) < 0 ||
			front_write(r, str_bytes(bytes, n)) < 0) {
			s3_fail(r);
			return;
		}
	}
	if (n)
		loop_later(r->x->loop, &c->task);
	else
		finish_part(c);
}

// The client may leave while the copy runs.
static void stop_copy(struct front_request *r)
{
	struct s3_state *s = s3_state(r);
	if (s->part_copy)
		loop_later_cancel(r->x->loop, &s->part_copy->task);
	s->release(r);
}

static int source_range(struct front_request *r, const struct object *source, struct range *out)
{
	uint64_t size = source->record->size;
	struct str header = front_header(r, "x-amz-copy-source-range");
	*out = (struct range){.first = 0, .last = size - 1};
	if (header.n == 0)
		return size ? 0 : s3_refuse(r, "InvalidRequest");
	bool fits = range_parse(header, size, out) == RANGE_PART;
	if (!fits || str_starts(header, S("bytes=-")))
		return s3_refuse_with(r, "InvalidArgument",
			"The x-amz-copy-source-range value must be of the form bytes=first-last where first and last "
			"are the zero-based offsets of "
			"the first and last bytes to copy");
	return out->last - out->first < S3_MAX_PUT ? 0 : s3_refuse(r, "EntityTooLarge");
}

void s3_upload_part_copy(struct front_request *r)
{
	struct bucket *b = NULL;
	struct upload *u = NULL;
	struct object *source = NULL;
	struct range range = {0};
	struct part_copy *c = arena_new(r->arena, struct part_copy);
	int rc = c ? s3_upload(r, &b, &u) : err_set(&r->err, ERR_NO_MEMORY, "out of memory");
	if (rc == 0)
		rc = s3_part_name(r, &c->name);
	if (rc == 0)
		rc = s3_copy_source(r, &source);
	if (rc == 0)
		rc = source_range(r, source, &range);
	if (rc == 0)
		rc = object_range_open(&r->range, source, range.first, range.last - range.first + 1, &r->err);
	if (rc == 0)
		rc = writer_begin(r->store, s3_part_hashes(u), range.last - range.first + 1, &r->writer, &r->err);
	if (rc < 0) {
		s3_fail(r);
		return;
	}
	c->r = r;
	c->task.run = copy_slice;
	s3_state(r)->part_copy = c;
	s3_state(r)->release = r->release;
	r->release = stop_copy;
	loop_later(r->x->loop, &c->task);
}
