// SPDX-License-Identifier: Apache-2.0
// Blob Storage's operations on one blob: get, head, put, copy, metadata, properties, delete.
#include <string.h>

#include "net/range.h"
#include "pocket/azure/azure_impl.h"

// ---------------------------------------------------------------- get and head

// 0 when the blob may be sent; else the answer has been given.
static int check_read(struct front_request *r, const struct record *o)
{
	struct condition c = {0};
	condition_read(&r->x->request.headers, "", &c);
	enum condition_result result = condition_check(&c, o);
	if (result == CONDITION_HOLDS)
		return 0;
	azure_refuse(r, "ConditionNotMet");
	if (result == CONDITION_NOT_MODIFIED || result == CONDITION_EXISTS) {
		azure_add_version(r, o);
		r->err.http_status = 304;
	}
	azure_fail(r);
	return ERR_CONFLICT;
}

static void add_head(struct front_request *r, const struct record *o, bool ranged)
{
	static const char *const names[] = {
		"content-type", "content-encoding", "content-language", "content-disposition", "cache-control"};
	for (size_t i = 0; i < COUNT_OF(names); i++)
		front_add(r, names[i], pairs_get(&o->properties, str_of(names[i])));
	front_add(r, ranged ? "x-ms-blob-content-md5" : "content-md5", pairs_get(&o->properties, S("content-md5")));
	azure_add_version(r, o);
	azure_add_metadata(r, o);
	front_add_date(r, "x-ms-creation-time", o->created_ns);
	front_add(r, "x-ms-blob-type", S("BlockBlob"));
	front_add(r, "x-ms-lease-status", S("unlocked"));
	front_add(r, "x-ms-lease-state", S("available"));
	front_add(r, "x-ms-server-encrypted", S("true"));
	front_add(r, "accept-ranges", S("bytes"));
	if (r->x->request.method == HTTP_HEAD) {
		front_add(r, "x-ms-access-tier", S("Hot"));
		front_add(r, "x-ms-access-tier-inferred", S("true"));
	}
}

// MD5 or CRC-64 of the range alone, when asked for.
static int add_range_digest(struct front_request *r, struct object *object, const struct range *range)
{
	bool md5 = str_eq_nocase(front_header(r, "x-ms-range-get-content-md5"), S("true"));
	bool crc64 = str_eq_nocase(front_header(r, "x-ms-range-get-content-crc64"), S("true"));
	uint64_t length = range->last - range->first + 1;
	AUTO(buf) bytes = {0};
	if (!md5 && !crc64)
		return 0;
	if (length > AZURE_MAX_RANGE_DIGEST || (md5 && crc64))
		return azure_refuse(r, "InvalidHeaderValue");
	int rc = object_read(object, range->first, length, &bytes, &r->err);
	if (rc < 0)
		return rc;
	struct digests d = {.have = HASH_CRC64NVME, .crc64nvme = crc64nvme(0, buf_str(&bytes))};
	md5_of(buf_str(&bytes), d.md5);
	if (md5)
		front_add(r, "content-md5", front_base64_text(r, str_bytes(d.md5, MD5_SIZE)));
	else
		front_add(r, "x-ms-content-crc64", azure_crc64_text(r, &d));
	return 0;
}

static void send_range(struct front_request *r, struct object *object, struct range range)
{
	uint64_t size = object->record->size;
	add_head(r, object->record, true);
	front_addf(r, "content-range", "bytes %llu-%llu/%llu", (unsigned long long)range.first,
		(unsigned long long)range.last, (unsigned long long)size);
	if (add_range_digest(r, object, &range) < 0)
		azure_fail(r);
	else
		front_reply_object(r, 206, object, range.first, range.last - range.first + 1);
}

void azure_get_blob(struct front_request *r)
{
	struct bucket *b = NULL;
	struct object *object = NULL;
	struct range range = {0};
	if (azure_blob(r, &b, &object) < 0) {
		azure_fail(r);
		return;
	}
	if (check_read(r, object->record) < 0)
		return;
	struct str header = front_header(r, "x-ms-range");
	if (header.n == 0)
		header = front_header(r, "range");
	bool head = r->x->request.method == HTTP_HEAD; // Get Blob Properties knows no ranges
	enum range_result result = header.n && !head ? range_parse(header, object->record->size, &range) : RANGE_WHOLE;
	if (result == RANGE_UNSATISFIABLE) {
		front_addf(r, "content-range", "bytes */%llu", (unsigned long long)object->record->size);
		azure_answer(r, "InvalidRange");
	} else if (result == RANGE_PART) {
		send_range(r, object, range);
	} else {
		add_head(r, object->record, false);
		front_reply_object(r, 200, object, 0, object->record->size);
	}
}

// ---------------------------------------------------------------- put

static void reply_stored(struct front_request *r, const struct record *o)
{
	azure_add_version(r, o);
	front_add(r, "x-ms-request-server-encrypted", S("true"));
	front_reply(r, 201, S(""));
}

// A blob that comes whole has its MD5 computed by the service unless the client set one.
static int keep_md5(struct front_request *r)
{
	struct pairs *properties = &azure_state(r)->draft.properties;
	if (pairs_has(properties, S("content-md5")))
		return 0;
	struct str text = front_base64_text(r, str_bytes(writer_digests(r->writer)->md5, MD5_SIZE));
	return text.p && pairs_add(properties, r->arena, S("content-md5"), text) == 0
		       ? 0
		       : err_set(&r->err, ERR_NO_MEMORY, "out of memory");
}

static void put_done(struct front_request *r)
{
	struct azure_state *s = azure_state(r);
	struct bucket *b = NULL;
	struct object *object = NULL;
	int rc = azure_body_verify(r, writer_digests(r->writer));
	if (rc == 0)
		rc = keep_md5(r);
	if (rc == 0)
		rc = azure_container(r, &b);
	if (rc == 0)
		rc = azure_check_blob_write(r, b); // again: others may have written while the body came
	if (rc == 0)
		rc = objects_put(b, front_take_writer(r), &s->draft, &object, &r->err);
	if (rc < 0) {
		azure_fail(r);
		return;
	}
	azure_drop_blocks(b, r->key);
	front_add(r, "content-md5", front_base64_text(r, str_bytes(object->record->digests.md5, MD5_SIZE)));
	front_add(r, "x-ms-content-crc64", azure_crc64_text(r, &object->record->digests));
	reply_stored(r, object->record);
}

static int check_type(struct front_request *r)
{
	struct str type = front_header(r, "x-ms-blob-type");
	if (type.n == 0)
		return azure_refuse_with(r, "MissingRequiredHeader", "The header x-ms-blob-type is not specified.");
	if (str_eq_nocase(type, S("PageBlob")) || str_eq_nocase(type, S("AppendBlob")))
		return azure_refuse_with(r, "NotImplemented", "A pocket cloud has block blobs only.");
	return str_eq_nocase(type, S("BlockBlob")) ? 0 : azure_refuse(r, "InvalidHeaderValue");
}

void azure_put_blob(struct front_request *r)
{
	struct azure_state *s = azure_state(r);
	struct bucket *b = NULL;
	s->draft.key = r->key;
	int rc = check_type(r);
	if (rc == 0)
		rc = azure_check_wishes(r);
	if (rc == 0)
		rc = azure_container(r, &b);
	if (rc == 0)
		rc = azure_check_blob_write(r, b);
	if (rc == 0)
		rc = azure_read_properties(r, true, &s->draft);
	if (rc == 0)
		rc = azure_read_metadata(r, &s->draft);
	if (rc < 0)
		azure_fail(r);
	else
		azure_body_stream(r, HASH_MD5 | HASH_CRC64NVME, AZURE_MAX_PUT, put_done);
}

// ---------------------------------------------------------------- copy

// Only blobs of this very pocket: the source is an address of ours, whatever signature it carries.
static int copy_source(struct front_request *r, struct object **out)
{
	struct str url = front_header(r, "x-ms-copy-source"), query, bucket, key;
	struct str own = str_of(pocket_url(r->pocket));
	struct bucket *b = NULL;
	struct condition c = {0};
	str_cut(url, '?', &url, &query);
	if (!str_starts(url, own) || url.n == own.n || url.p[own.n] != '/' ||
		front_cut_path(r, str_drop(url, own.n), &bucket, &key) < 0)
		return azure_refuse(r, "CannotVerifyCopySource");
	int rc = objects_bucket_find(r->store, bucket, &b, &r->err);
	*out = rc == 0 ? objects_find(b, key) : NULL;
	if (rc < 0 && rc != ERR_NOT_FOUND)
		return rc;
	if (!*out)
		return azure_refuse(r, "BlobNotFound");
	condition_read(&r->x->request.headers, "x-ms-source-", &c);
	return condition_check(&c, (*out)->record) == CONDITION_HOLDS ? 0 : azure_refuse(r, "ConditionNotMet");
}

static int copy(struct front_request *r, struct bucket *b, const struct object *source, struct object **out)
{
	struct assembly *as = NULL;
	struct record draft = {
		.key = r->key, .properties = source->record->properties, .digests = source->record->digests};
	int rc = azure_read_metadata(r, &draft);
	if (rc == 0 && draft.metadata.count == 0)
		draft.metadata = source->record->metadata;
	if (rc == 0)
		rc = assembly_begin(b, &as, &r->err);
	if (rc < 0)
		return rc;
	if (source->record->folder.n == 0)
		rc = assembly_add_object(as, source, 0, source->record->size, &r->err);
	for (size_t i = 0; i < source->record->piece_count && rc == 0; i++)
		rc = assembly_add_piece(as, source, i, &r->err); // with its name: committed blocks stay such
	if (rc == 0)
		return objects_put_assembly(as, &draft, out, &r->err);
	assembly_abandon(as);
	return rc;
}

void azure_copy_blob(struct front_request *r)
{
	struct bucket *b = NULL;
	struct object *source = NULL, *made = NULL;
	int rc = azure_container(r, &b);
	if (rc == 0 && front_header(r, "x-ms-blob-type").n)
		rc = azure_refuse(r, "NotImplemented"); // Put Blob From URL
	if (rc == 0)
		rc = azure_check_wishes(r);
	if (rc == 0)
		rc = copy_source(r, &source);
	if (rc == 0)
		rc = azure_check_blob_write(r, b);
	if (rc == 0)
		rc = copy(r, b, source, &made);
	if (rc < 0) {
		azure_fail(r);
		return;
	}
	azure_drop_blocks(b, r->key);
	azure_add_version(r, made->record);
	front_add(r, "x-ms-copy-id", str_of(r->id));
	front_add(r, "x-ms-copy-status", S("success"));
	front_reply(r, 202, S(""));
}

// ---------------------------------------------------------------- metadata, properties, delete

void azure_get_metadata(struct front_request *r)
{
	struct bucket *b = NULL;
	struct object *object = NULL;
	if (azure_blob(r, &b, &object) < 0) {
		azure_fail(r);
		return;
	}
	if (check_read(r, object->record) < 0)
		return;
	azure_add_version(r, object->record);
	azure_add_metadata(r, object->record);
	front_reply(r, 200, S(""));
}

// One of the two is replaced, the other stays.
static void update(struct front_request *r, bool metadata)
{
	struct bucket *b = NULL;
	struct object *object = NULL;
	struct record draft = {0};
	int rc = azure_blob(r, &b, &object);
	if (rc == 0)
		rc = azure_check_write(r, object->record);
	if (rc == 0)
		rc = metadata ? azure_read_metadata(r, &draft) : azure_read_properties(r, false, &draft);
	if (rc == 0) {
		if (metadata)
			draft.properties = object->record->properties;
		else
			draft.metadata = object->record->metadata;
		rc = objects_update(b, object, &draft, &object, &r->err);
	}
	if (rc < 0) {
		azure_fail(r);
		return;
	}
	azure_add_version(r, object->record);
	if (metadata)
		front_add(r, "x-ms-request-server-encrypted", S("true"));
	front_reply(r, 200, S(""));
}

void azure_set_metadata(struct front_request *r)
{
	update(r, true);
}

void azure_set_properties(struct front_request *r)
{
	update(r, false);
}

void azure_delete_blob(struct front_request *r)
{
	struct bucket *b = NULL;
	struct object *object = NULL;
	int rc = azure_blob(r, &b, &object);
	if (rc == 0)
		rc = azure_check_write(r, object->record);
	if (rc == 0)
		rc = objects_delete(b, r->key, &r->err);
	if (rc < 0) {
		azure_fail(r);
		return;
	}
	azure_drop_blocks(b, r->key);
	front_add(r, "x-ms-delete-type-permanent", S("true"));
	front_reply(r, 202, S(""));
}
