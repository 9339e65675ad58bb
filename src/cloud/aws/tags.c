// SPDX-License-Identifier: Apache-2.0
// Tags of a bucket. Source: GetBucketTagging and PutBucketTagging, Amazon S3 API Reference.
#include "base/hash.h"
#include "cloud/aws/store_impl.h"
#include "cloud/http/object_fields.h"
#include "cloud/tags.h"

static json_t *read_tags(struct call *c, const struct xml *root)
{
	json_t *tags = json_object();
	const struct xml *set = xml_child(root, "TagSet");
	for (const struct xml *tag = xml_child(set, "Tag"); tags && tag; tag = xml_next(tag, "Tag")) {
		char *name = arena_cstr(c->arena, xml_child_text(tag, "Key"));
		if (name)
			json_set_str(tags, name, xml_child_text(tag, "Value"));
	}
	return tags;
}

static int get_tags(struct call *c, struct aws_store *s, struct str bucket, json_t **tags)
{
	struct exchange x = {
		.call = &aws_calls[AWS_GET_BUCKET_TAGGING], .path = aws_path(c, bucket, S("")), .query = S("tagging")};
	struct transport_response answer = {0};
	struct xml *root = NULL;
	int r = x.path.p ? exchange_run(c, &s->provider, &x, &answer) : call_no_memory(c);
	if (r == ERR_NOT_FOUND && str_eq(str_of(c->err.provider_code), S("NoSuchTagSet"))) {
		err_clear(&c->err);
		r = 0;
	} else if (!r) {
		r = aws_parse(c, &answer, "Tagging", &root);
	}
	if (r)
		return r;
	*tags = root ? read_tags(c, root) : json_object();
	return *tags ? 0 : call_no_memory(c);
}

int aws_store_bucket_tags(struct call *c, void *store, struct str bucket, json_t **tags)
{
	int r = object_check_bucket(c, bucket);
	if (!r)
		r = get_tags(c, store, bucket, tags);
	return r ? call_context(c, "tags of bucket %.*s", STR(bucket)) : 0;
}

// Tags whose names begin with "aws:" are Amazon's own: nobody may send them, and they stay.
static void write_tags(const json_t *tags, struct buf *out)
{
	const char *name;
	json_t *value;
	buf_add(out, S("<Tagging xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><TagSet>"));
	json_object_foreach((json_t *)(uintptr_t)tags, name, value)
	{
		if (str_starts(str_of(name), S("aws:")))
			continue;
		buf_add(out, S("<Tag><Key>"));
		xml_escape(str_of(name), out);
		buf_add(out, S("</Key><Value>"));
		xml_escape(json_value_str(value), out);
		buf_add(out, S("</Value></Tag>"));
	}
	buf_add(out, S("</TagSet></Tagging>"));
}

int aws_store_bucket_set_tags(struct call *c, void *store, struct str bucket, const json_t *tags)
{
	struct aws_store *s = store;
	AUTO(buf) body = {0};
	write_tags(tags, &body);
	struct exchange x = {.call = &aws_calls[AWS_PUT_BUCKET_TAGGING],
		.path = aws_path(c, bucket, S("")),
		.query = S("tagging"),
		.body = buf_str(&body)};
	struct transport_response answer = {0};
	struct str checksum = object_crc32c_text(c->arena, crc32c(0, buf_str(&body)));
	exchange_header(&x, "x-amz-checksum-crc32c", checksum);
	int r = object_check_bucket(c, bucket);
	if (!r)
		r = buf_check(&body, &c->err);
	if (!r)
		r = x.path.p && checksum.p ? exchange_run(c, &s->provider, &x, &answer) : call_no_memory(c);
	return r ? call_context(c, "set the tags of bucket %.*s", STR(bucket)) : 0;
}
