// SPDX-License-Identifier: Apache-2.0
// S3's operations on buckets.
#include <string.h>

#include "pocket/s3/s3_impl.h"

void s3_list_buckets(struct front_request *r)
{
	AUTO(buf) out = {0};
	s3_xml_begin(&out, "ListAllMyBucketsResult");
	s3_xml_owner(&out, "Owner");
	buf_add(&out, S("<Buckets>"));
	struct str prefix = front_query(r, "prefix");
	for (const struct index_node *n = objects_buckets(r->store, prefix); n && str_starts(n->key, prefix);
		n = index_next(n)) {
		const struct record *bucket = bucket_record(n->value);
		buf_add(&out, S("<Bucket>"));
		xml_element(&out, "Name", bucket->key);
		s3_xml_time(&out, "CreationDate", bucket->created_ns);
		buf_add(&out, S("</Bucket>"));
	}
	buf_add(&out, S("</Buckets></ListAllMyBucketsResult>"));
	s3_reply_xml(r, &out);
}

// 3 to 63 of a-z, 0-9, '.', '-'; a letter or digit at both ends; no two dots in a row; not an IPv4 address.
static bool name_valid(struct str name)
{
	bool digits_only = true;
	if (name.n < 3 || name.n > 63)
		return false;
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
		bool inside = i > 0 && i + 1 < name.n && (c == '-' || (c == '.' && name.p[i - 1] != '.'));
		if (!letter && !inside)
			return false;
		digits_only = digits_only && ((c >= '0' && c <= '9') || c == '.');
	}
	return !digits_only;
}

static void create(struct front_request *r, struct str location)
{
	struct bucket *b = NULL;
	struct record draft = {.key = r->bucket};
	int rc = 0;
	if (location.n && pairs_add(&draft.properties, r->arena, S("location"), location) < 0)
		rc = err_set(&r->err, ERR_NO_MEMORY, "out of memory");
	if (rc == 0)
		rc = objects_bucket_create(r->store, &draft, &b, &r->err);
	if (rc == ERR_EXISTS)
		s3_refuse(r, "BucketAlreadyOwnedByYou");
	if (rc < 0) {
		s3_fail(r);
		return;
	}
	front_addf(r, "location", "/%.*s", STR(r->bucket));
	front_reply(r, 200, S(""));
}

static void create_with_body(struct front_request *r, struct str body)
{
	struct xml_node *root = NULL;
	if (body.n == 0) {
		create(r, S(""));
		return;
	}
	if (pocket_xml_parse(body, r->arena, &root, &r->err) < 0 ||
		!str_eq(root->name, S("CreateBucketConfiguration"))) {
		s3_answer(r, "MalformedXML");
		return;
	}
	create(r, pocket_xml_child_text(root, "LocationConstraint"));
}

void s3_create_bucket(struct front_request *r)
{
	struct str acl = front_header(r, "x-amz-acl");
	if (!name_valid(r->bucket))
		s3_answer(r, "InvalidBucketName");
	else if (acl.n && !str_eq(acl, S("private")))
		s3_answer(r, "AccessControlListNotSupported");
	else if (str_eq_nocase(front_header(r, "x-amz-bucket-object-lock-enabled"), S("true")))
		s3_answer(r, "NotImplemented");
	else
		s3_body_collect(r, create_with_body);
}

static struct str location_of(const struct bucket *b)
{
	return pairs_get(&bucket_record(b)->properties, S("location"));
}

void s3_head_bucket(struct front_request *r)
{
	struct bucket *b = NULL;
	if (s3_bucket(r, &b) < 0) {
		s3_fail(r);
		return;
	}
	struct str location = location_of(b);
	front_add(r, "x-amz-bucket-region", location.n ? location : S("us-east-1"));
	front_reply(r, 200, S(""));
}

void s3_get_location(struct front_request *r)
{
	AUTO(buf) out = {0};
	struct bucket *b = NULL;
	if (s3_bucket(r, &b) < 0) {
		s3_fail(r);
		return;
	}
	buf_add(&out, S("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<LocationConstraint xmlns=\"" S3_NAMESPACE "\">"));
	xml_text(&out, location_of(b));
	buf_add(&out, S("</LocationConstraint>"));
	s3_reply_xml(r, &out);
}

// Never switched on: the empty answer of S3.
void s3_get_versioning(struct front_request *r)
{
	AUTO(buf) out = {0};
	struct bucket *b = NULL;
	if (s3_bucket(r, &b) < 0) {
		s3_fail(r);
		return;
	}
	s3_xml_begin(&out, "VersioningConfiguration");
	buf_add(&out, S("</VersioningConfiguration>"));
	s3_reply_xml(r, &out);
}

void s3_delete_bucket(struct front_request *r)
{
	int rc = objects_bucket_delete(r->store, r->bucket, false, &r->err);
	if (rc == ERR_NOT_FOUND)
		s3_refuse(r, "NoSuchBucket");
	if (rc == ERR_CONFLICT)
		s3_refuse(r, "BucketNotEmpty");
	if (rc < 0)
		s3_fail(r);
	else
		front_reply(r, 204, S(""));
}
