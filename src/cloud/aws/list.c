// SPDX-License-Identifier: Apache-2.0
// Listing a bucket of S3. Source: "ListObjectsV2", Amazon S3 API Reference. Names come percent-encoded
// (encoding-type=url), since XML cannot say all that a key may hold.
#include "base/time.h"
#include "cloud/aws/store_impl.h"
#include "cloud/http/download.h"
#include "cloud/http/object_fields.h"

enum { PAGE_MOST = 1000 };

// encoded: the store did as it was asked, which not all that speak this protocol do.
static int decode(struct call *c, bool encoded, struct str written, struct str *out)
{
	AUTO(buf) plain = {0};
	if (!encoded) {
		*out = written;
		return 0;
	}
	if (sign_uri_decode(written, true, &plain) || plain.failed)
		return call_fail(c, ERR_PROTOCOL, "the list has a name with a broken escape");
	*out = arena_str(c->arena, buf_str(&plain));
	return out->p ? 0 : call_no_memory(c);
}

static int read_object(struct call *c, bool encoded, const struct xml *contents, struct object *out)
{
	int r = decode(c, encoded, xml_child_text(contents, "Key"), &out->key);
	if (r)
		return r;
	out->etag = download_etag(xml_child_text(contents, "ETag"));
	if (!out->key.n || str_to_u64(xml_child_text(contents, "Size"), &out->size) ||
		time_parse_rfc3339(xml_child_text(contents, "LastModified"), &out->modified_ns))
		return call_fail(c, ERR_PROTOCOL, "the list has an object without a valid Key, Size or LastModified");
	out->content_type = S("");
	return 0;
}

static size_t count_of(const struct xml *root, const char *name)
{
	size_t count = 0;
	for (const struct xml *x = xml_child(root, name); x; x = xml_next(x, name))
		count++;
	return count;
}

static int read_page(struct call *c, const struct xml *root, struct store_page *out)
{
	struct store_page page = {.next = S("")};
	page.objects = arena_new_array(c->arena, count_of(root, "Contents") + 1, struct object);
	page.prefixes = arena_new_array(c->arena, count_of(root, "CommonPrefixes") + 1, struct str);
	if (!page.objects || !page.prefixes)
		return call_no_memory(c);
	bool encoded = str_eq(xml_child_text(root, "EncodingType"), S("url"));
	int r = 0;
	for (const struct xml *x = xml_child(root, "Contents"); !r && x; x = xml_next(x, "Contents"))
		r = read_object(c, encoded, x, &page.objects[page.count++]);
	for (const struct xml *x = xml_child(root, "CommonPrefixes"); !r && x; x = xml_next(x, "CommonPrefixes"))
		r = decode(c, encoded, xml_child_text(x, "Prefix"), &page.prefixes[page.prefix_count++]);
	if (!r && str_eq(xml_child_text(root, "IsTruncated"), S("true"))) {
		page.next = xml_child_text(root, "NextContinuationToken");
		if (!page.next.n)
			r = call_fail(c, ERR_PROTOCOL, "the list is cut and has no NextContinuationToken");
	}
	if (!r)
		*out = page;
	return r;
}

int aws_store_list(struct call *c, void *store, const struct store_list *list, struct store_page *out)
{
	struct aws_store *s = store;
	AUTO(buf) query = {0};
	struct transport_response answer = {0};
	struct xml *root = NULL;
	buf_add(&query, S("list-type=2&encoding-type=url"));
	if (list->prefix.n)
		exchange_parameter(&query, "prefix", list->prefix);
	if (list->delimiter.n)
		exchange_parameter(&query, "delimiter", list->delimiter);
	if (list->token.n)
		exchange_parameter(&query, "continuation-token", list->token);
	if (list->limit)
		buf_printf(&query, "&max-keys=%u", MIN(list->limit, PAGE_MOST));
	struct exchange x = {.call = &aws_calls[AWS_LIST_OBJECTS],
		.path = aws_path(c, list->bucket, S("")),
		.query = buf_str(&query)};
	int r = object_check_bucket(c, list->bucket);
	if (!r)
		r = x.path.p ? buf_check(&query, &c->err) : call_no_memory(c);
	if (!r)
		r = exchange_run(c, &s->provider, &x, &answer);
	if (!r)
		r = aws_parse(c, &answer, "ListBucketResult", &root);
	if (!r)
		r = read_page(c, root, out);
	return r ? call_context(c, "list %.*s/%.*s", STR(list->bucket), STR(list->prefix)) : 0;
}
