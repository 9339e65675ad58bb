// SPDX-License-Identifier: Apache-2.0
// S3's two listings of objects. They differ in how a page says where the next one begins: version 1 by a key, version 2
// by an opaque token (here the place in base64).
#include <string.h>

#include "pocket/s3/s3_impl.h"

struct listing {
	struct objects_query q;
	bool encode; // encoding-type=url
	struct buf out;
};

// Keys and prefixes: escaped for XML, or percent-encoded first when the client asks.
static void add_key(struct listing *l, const char *name, struct str key)
{
	if (!l->encode) {
		xml_element(&l->out, name, key);
		return;
	}
	buf_printf(&l->out, "<%s>", name);
	sign_uri_encode(key, "/", &l->out);
	buf_printf(&l->out, "</%s>", name);
}

static int read_query(struct front_request *r, struct listing *l)
{
	uint64_t most = S3_MAX_KEYS;
	struct str keys = front_query(r, "max-keys"), encoding = front_query(r, "encoding-type");
	if (keys.n && (str_to_u64(keys, &most) < 0 || most > INT32_MAX))
		return s3_refuse_with(r, "InvalidArgument", "Provided max-keys not an integer or within integer range");
	if (encoding.n && !str_eq_nocase(encoding, S("url")))
		return s3_refuse_with(r, "InvalidArgument", "Invalid Encoding Method specified in Request");
	l->encode = encoding.n > 0;
	l->q.prefix = front_query(r, "prefix");
	l->q.delimiter = front_query(r, "delimiter");
	l->q.limit = (size_t)MIN(most, (uint64_t)S3_MAX_KEYS);
	return 0;
}

static void add_object(struct listing *l, const struct record *o, bool owner)
{
	const struct s3_checksum *checksum = NULL;
	buf_add(&l->out, S("<Contents>"));
	add_key(l, "Key", o->key);
	s3_xml_time(&l->out, "LastModified", o->modified_ns);
	s3_xml_etag(&l->out, o);
	if (s3_stored_checksum(o, &checksum).n) {
		xml_element(&l->out, "ChecksumAlgorithm", str_of(checksum->name));
		xml_element(&l->out, "ChecksumType", pairs_get(&o->properties, S("x-amz-checksum-type")));
	}
	xml_number(&l->out, "Size", o->size);
	if (owner)
		s3_xml_owner(&l->out, "Owner");
	buf_add(&l->out, S("<StorageClass>STANDARD</StorageClass></Contents>"));
}

static void add_page(struct listing *l, const struct objects_page *page, bool owner)
{
	for (size_t i = 0; i < page->count; i++)
		if (page->entries[i].record)
			add_object(l, page->entries[i].record, owner);
	for (size_t i = 0; i < page->count; i++) {
		if (page->entries[i].record)
			continue;
		buf_add(&l->out, S("<CommonPrefixes>"));
		add_key(l, "Prefix", page->entries[i].prefix);
		buf_add(&l->out, S("</CommonPrefixes>"));
	}
}

static void add_head(struct front_request *r, struct listing *l, const struct objects_page *page)
{
	s3_xml_begin(&l->out, "ListBucketResult");
	xml_element(&l->out, "Name", r->bucket);
	add_key(l, "Prefix", l->q.prefix);
	if (l->q.delimiter.n)
		add_key(l, "Delimiter", l->q.delimiter);
	xml_number(&l->out, "MaxKeys", l->q.limit);
	if (l->encode)
		buf_add(&l->out, S("<EncodingType>url</EncodingType>"));
	xml_element(&l->out, "IsTruncated", page->next.n ? S("true") : S("false"));
}

static int list(struct front_request *r, struct listing *l, struct objects_page *page)
{
	struct bucket *b = NULL;
	int rc = s3_bucket(r, &b);
	return rc < 0 ? rc : objects_list_page(b, &l->q, r->arena, page, &r->err);
}

static void finish(struct front_request *r, struct listing *l)
{
	buf_add(&l->out, S("</ListBucketResult>"));
	s3_reply_xml(r, &l->out);
	buf_free(&l->out);
}

void s3_list_objects(struct front_request *r)
{
	struct listing l = {0};
	struct objects_page page = {0};
	l.q.after = front_query(r, "marker");
	if (read_query(r, &l) < 0 || list(r, &l, &page) < 0) {
		s3_fail(r);
		return;
	}
	add_head(r, &l, &page);
	add_key(&l, "Marker", l.q.after);
	if (page.next.n && page.count) { // S3 says it with a delimiter only; without one the last key is the same
		const struct objects_entry *last = &page.entries[page.count - 1];
		add_key(&l, "NextMarker", last->record ? last->record->key : last->prefix);
	}
	add_page(&l, &page, true);
	finish(r, &l);
}

static int read_token(struct front_request *r, struct listing *l)
{
	struct str token = front_query(r, "continuation-token");
	l->q.after = front_query(r, "start-after");
	if (!front_query_has(r, "continuation-token"))
		return 0;
	AUTO(buf) place = {.limit = OBJECT_KEY_MAX + 1};
	if (token.n == 0 || base64_decode(token, &place) < 0 || place.n == 0)
		return s3_refuse_with(r, "InvalidArgument", "The continuation token provided is incorrect");
	l->q.after = arena_str(r->arena, buf_str(&place));
	return l->q.after.p ? 0 : err_set(&r->err, ERR_NO_MEMORY, "out of memory");
}

void s3_list_objects_v2(struct front_request *r)
{
	struct listing l = {0};
	struct objects_page page = {0};
	if (!str_eq(front_query(r, "list-type"), S("2"))) {
		s3_answer(r, "InvalidArgument");
		return;
	}
	if (read_query(r, &l) < 0 || read_token(r, &l) < 0 || list(r, &l, &page) < 0) {
		s3_fail(r);
		return;
	}
	add_head(r, &l, &page);
	xml_number(&l.out, "KeyCount", page.count);
	if (front_query_has(r, "continuation-token"))
		xml_element(&l.out, "ContinuationToken", front_query(r, "continuation-token"));
	if (front_query(r, "start-after").n)
		add_key(&l, "StartAfter", front_query(r, "start-after"));
	if (page.next.n)
		xml_element(&l.out, "NextContinuationToken", front_base64_text(r, page.next));
	add_page(&l, &page, str_eq(front_query(r, "fetch-owner"), S("true")));
	finish(r, &l);
}
