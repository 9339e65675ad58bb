// SPDX-License-Identifier: Apache-2.0
// Tags of a bucket, kept as its metadata. Limits are those of "Using cost allocation S3 bucket tags" (Amazon S3 User
// Guide): 50 of them, names of 128 and values of 256 characters, none that begins with "aws:".
#include "pocket/s3/s3_impl.h"

enum { TAGS_MOST = 50, TAG_NAME_MOST = 128 * 4, TAG_VALUE_MOST = 256 * 4 }; // characters may have 4 bytes

void s3_get_tags(struct front_request *r)
{
	AUTO(buf) out = {0};
	struct bucket *b = NULL;
	int rc = s3_bucket(r, &b);
	if (rc == 0 && bucket_record(b)->metadata.count == 0)
		rc = s3_refuse(r, "NoSuchTagSet");
	if (rc < 0) {
		s3_fail(r);
		return;
	}
	const struct pairs *tags = &bucket_record(b)->metadata;
	s3_xml_begin(&out, "Tagging");
	buf_add(&out, S("<TagSet>"));
	for (size_t i = 0; i < tags->count; i++) {
		buf_add(&out, S("<Tag>"));
		xml_element(&out, "Key", tags->items[i].name);
		xml_element(&out, "Value", tags->items[i].value);
		buf_add(&out, S("</Tag>"));
	}
	buf_add(&out, S("</TagSet></Tagging>"));
	s3_reply_xml(r, &out);
}

static int read_tag(struct front_request *r, const struct xml_node *tag, struct pairs *out)
{
	struct str name = pocket_xml_child_text(tag, "Key"), value = pocket_xml_child_text(tag, "Value");
	bool right = str_eq(tag->name, S("Tag")) && name.n > 0 && name.n <= TAG_NAME_MOST && value.n <= TAG_VALUE_MOST;
	if (!right || str_starts(name, S("aws:")))
		return s3_refuse(r, "InvalidTag");
	for (size_t i = 0; i < out->count; i++) {
		if (str_eq(out->items[i].name, name))
			return s3_refuse(r, "InvalidTag");
	}
	return pairs_add(out, r->arena, name, value) < 0 ? err_set(&r->err, ERR_NO_MEMORY, "out of memory") : 0;
}

static int set_tags(struct front_request *r, struct pairs tags)
{
	struct bucket *b = NULL;
	int rc = s3_bucket(r, &b);
	if (rc < 0)
		return rc;
	struct record draft = {.properties = bucket_record(b)->properties, .metadata = tags};
	return objects_bucket_update(b, &draft, &r->err);
}

static void put(struct front_request *r, const struct xml_node *root)
{
	struct pairs tags = {0};
	const struct xml_node *set = pocket_xml_child(root, "TagSet");
	int rc = str_eq(root->name, S("Tagging")) && set ? 0 : s3_refuse(r, "MalformedXML");
	for (const struct xml_node *tag = set ? set->first : NULL; rc == 0 && tag; tag = tag->next)
		rc = tags.count < TAGS_MOST ? read_tag(r, tag, &tags) : s3_refuse(r, "InvalidTag");
	if (rc == 0)
		rc = set_tags(r, tags);
	if (rc < 0)
		s3_fail(r);
	else
		front_reply(r, 204, S(""));
}

void s3_put_tags(struct front_request *r)
{
	struct bucket *b = NULL;
	int rc = s3_bucket(r, &b);
	if (rc == 0 && front_header(r, "content-md5").n == 0 && !s3_has_checksum(r))
		rc = s3_refuse_with(r, "InvalidRequest",
			"Missing required header for this request: Content-MD5 OR x-amz-checksum-*");
	if (rc < 0)
		s3_fail(r);
	else
		s3_body_xml(r, put);
}

void s3_delete_tags(struct front_request *r)
{
	if (set_tags(r, (struct pairs){0}) < 0)
		s3_fail(r);
	else
		front_reply(r, 204, S(""));
}
