// SPDX-License-Identifier: Apache-2.0
// S3's operations on one object: get, head, put, delete; and the deletion of many.
#include <string.h>

#include "net/range.h"
#include "pocket/s3/s3_impl.h"

// ---------------------------------------------------------------- get and head

// 0 when the object may be sent; 304 was answered or the error is set otherwise.
static int check_read(struct front_request *r, const struct record *o)
{
	struct condition c = {0};
	condition_read(&r->x->request.headers, "", &c);
	switch (condition_check(&c, o)) {
	case CONDITION_HOLDS:
		return 0;
	case CONDITION_NOT_MODIFIED:
	case CONDITION_EXISTS:
		front_addf(r, "etag", "\"%.*s\"", STR(o->etag));
		front_add_date(r, "last-modified", o->modified_ns);
		front_reply(r, 304, S(""));
		return ERR_CONFLICT;
	case CONDITION_ABSENT:
	case CONDITION_FAILED:
		break;
	}
	s3_refuse(r, "PreconditionFailed");
	s3_fail(r);
	return ERR_CONFLICT;
}

static int refuse_range(struct front_request *r, uint64_t size)
{
	AUTO(buf) more = {0};
	xml_element(&more, "RangeRequested", front_header(r, "range"));
	xml_number(&more, "ActualObjectSize", size);
	s3_state(r)->more = arena_str(r->arena, buf_str(&more));
	return s3_refuse(r, "InvalidRange");
}

// The range of one part of an object that was uploaded in parts.
static int part_range(struct front_request *r, const struct record *o, struct range *out)
{
	uint64_t number = 0, at = 0;
	size_t count = MAX(o->piece_count, (size_t)1);
	if (str_to_u64(front_query(r, "partNumber"), &number) < 0 || number < 1 || number > S3_MAX_PARTS)
		return s3_refuse(r, "InvalidArgument");
	if (number > count)
		return s3_refuse(r, "InvalidPartNumber");
	for (size_t i = 0; i + 1 < number; i++)
		at += o->pieces[i].length;
	uint64_t length = o->piece_count ? o->pieces[number - 1].length : o->size;
	if (o->piece_count)
		front_addf(r, "x-amz-mp-parts-count", "%zu", o->piece_count);
	*out = (struct range){.first = at, .last = at + length - 1};
	return 0;
}

static int pick_range(struct front_request *r, const struct record *o, enum range_result *result, struct range *range)
{
	struct str header = front_header(r, "range");
	if (front_query_has(r, "partNumber")) {
		*result = o->size ? RANGE_PART : RANGE_WHOLE;
		return header.n ? s3_refuse(r, "InvalidRequest") : part_range(r, o, range);
	}
	*result = header.n ? range_parse(header, o->size, range) : RANGE_WHOLE;
	return *result == RANGE_UNSATISFIABLE ? refuse_range(r, o->size) : 0;
}

void s3_get_object(struct front_request *r)
{
	struct bucket *b = NULL;
	struct object *object = NULL;
	struct range range = {0};
	enum range_result result = RANGE_WHOLE;
	if (s3_object(r, &b, &object) < 0) {
		s3_fail(r);
		return;
	}
	const struct record *o = object->record;
	if (check_read(r, o) < 0)
		return;
	if (pick_range(r, o, &result, &range) < 0) {
		s3_fail(r);
		return;
	}
	s3_add_description(r, o);
	if (result == RANGE_WHOLE) {
		if (str_eq_nocase(front_header(r, "x-amz-checksum-mode"), S("ENABLED")))
			s3_add_checksum(r, o); // of all bytes: says nothing about a part of them
		front_reply_object(r, 200, object, 0, o->size);
		return;
	}
	front_addf(r, "content-range", "bytes %llu-%llu/%llu", (unsigned long long)range.first,
		(unsigned long long)range.last, (unsigned long long)o->size);
	front_reply_object(r, 206, object, range.first, range.last - range.first + 1);
}

// ---------------------------------------------------------------- put

// The checksum that the object keeps: the client's, else CRC-64/NVME as S3 computes it itself.
static int keep_checksum(struct front_request *r)
{
	struct s3_state *s = s3_state(r);
	unsigned char bytes[SHA256_SIZE];
	enum hash_flags flag = s->algorithm ? s->algorithm : HASH_CRC64NVME;
	size_t n = digests_bytes(writer_digests(r->writer), flag, bytes);
	struct str text = front_base64_text(r, str_bytes(bytes, n));
	struct str header = str_of(s3_checksum_of(flag)->header);
	if (!text.p || pairs_add(&s->draft.properties, r->arena, header, text) < 0 ||
		pairs_add(&s->draft.properties, r->arena, S("x-amz-checksum-type"), S("FULL_OBJECT")) < 0)
		return err_set(&r->err, ERR_NO_MEMORY, "out of memory");
	return 0;
}

static void put_done(struct front_request *r)
{
	struct s3_state *s = s3_state(r);
	struct bucket *b = NULL;
	struct object *object = NULL;
	int rc = s3_body_verify(r);
	if (rc == 0)
		rc = keep_checksum(r);
	if (rc == 0)
		rc = s3_bucket(r, &b);
	if (rc == 0)
		rc = s3_check_write(r, b); // again: others may have written while the body came
	if (rc == 0)
		rc = objects_put(b, front_take_writer(r), &s->draft, &object, &r->err);
	if (rc < 0) {
		s3_fail(r);
		return;
	}
	front_addf(r, "etag", "\"%.*s\"", STR(object->record->etag));
	s3_add_checksum(r, object->record);
	front_add(r, "x-amz-server-side-encryption", front_header(r, "x-amz-server-side-encryption"));
	front_reply(r, 200, S(""));
}

void s3_put_object(struct front_request *r)
{
	struct s3_state *s = s3_state(r);
	struct bucket *b = NULL;
	s->draft.key = r->key;
	int rc = s3_bucket(r, &b);
	if (rc == 0)
		rc = s3_check_write(r, b);
	if (rc == 0)
		rc = s3_read_description(r, &s->draft);
	if (rc < 0) {
		s3_fail(r);
		return;
	}
	s3_body_stream(r, HASH_MD5 | (s3_has_checksum(r) ? 0u : (unsigned)HASH_CRC64NVME), put_done);
}

// ---------------------------------------------------------------- delete

void s3_delete_object(struct front_request *r)
{
	struct bucket *b = NULL;
	struct condition c = {.if_match = front_header(r, "if-match")};
	int rc = s3_bucket(r, &b);
	const struct object *current = rc == 0 ? objects_find(b, r->key) : NULL;
	if (rc == 0 && c.if_match.n && condition_check(&c, current ? current->record : NULL) != CONDITION_HOLDS)
		rc = s3_refuse(r, current ? "PreconditionFailed" : "NoSuchKey");
	if (rc == 0 && current)
		rc = objects_delete(b, r->key, &r->err);
	if (rc < 0)
		s3_fail(r);
	else
		front_reply(r, 204, S("")); // S3 says the same when there was nothing
}

static void delete_one(struct bucket *b, const struct xml_node *item, struct buf *out)
{
	struct str key = pocket_xml_child_text(item, "Key");
	bool quiet = str_eq(pocket_xml_child_text(item->parent, "Quiet"), S("true"));
	struct err e = {0};
	int rc = objects_find(b, key) ? objects_delete(b, key, &e) : 0;
	if (rc < 0) {
		buf_add(out, S("<Error>"));
		xml_element(out, "Key", key);
		buf_add(out, S("<Code>InternalError</Code><Message>We encountered an internal error. Please try "
			       "again.</Message></Error>"));
	} else if (!quiet) {
		buf_add(out, S("<Deleted>"));
		xml_element(out, "Key", key);
		buf_add(out, S("</Deleted>"));
	}
}

static bool delete_list_valid(const struct xml_node *root)
{
	size_t count = 0;
	for (const struct xml_node *n = root->first; n; n = n->next) {
		if (!str_eq(n->name, S("Object")))
			continue;
		if (++count > S3_MAX_KEYS || pocket_xml_child_text(n, "Key").n == 0 || pocket_xml_child(n, "VersionId"))
			return false;
	}
	return count > 0 && str_eq(root->name, S("Delete"));
}

static void delete_listed(struct front_request *r, const struct xml_node *root)
{
	AUTO(buf) out = {0};
	struct bucket *b = NULL;
	if (!delete_list_valid(root)) {
		s3_answer(r, "MalformedXML");
		return;
	}
	if (s3_bucket(r, &b) < 0) {
		s3_fail(r);
		return;
	}
	s3_xml_begin(&out, "DeleteResult");
	for (const struct xml_node *n = root->first; n; n = n->next)
		if (str_eq(n->name, S("Object")))
			delete_one(b, n, &out);
	buf_add(&out, S("</DeleteResult>"));
	s3_reply_xml(r, &out);
}

void s3_delete_objects(struct front_request *r)
{
	struct bucket *b = NULL;
	if (s3_bucket(r, &b) < 0) {
		s3_fail(r);
		return;
	}
	if (front_header(r, "content-md5").n == 0 && !s3_has_checksum(r)) {
		s3_refuse_with(r, "InvalidRequest",
			"Missing required header for this request: Content-MD5 OR x-amz-checksum-*");
		s3_fail(r);
		return;
	}
	s3_body_xml(r, delete_listed);
}
