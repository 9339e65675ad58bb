// SPDX-License-Identifier: Apache-2.0
// Labels of a bucket. Source: "Buckets: get" and "Buckets: patch", Cloud Storage JSON API; "Labels" says which names and
// values there may be: a-z, 0-9, '_' and '-', at most 63 characters, a letter first in names.
#include "cloud/gcp/store_impl.h"
#include "cloud/http/object_fields.h"
#include "cloud/tags.h"

static int get_labels(struct call *c, struct gcp_store *s, struct str bucket, json_t **tags)
{
	struct exchange x = {.call = &gcp_calls[GCP_BUCKETS_GET], .path = gcp_bucket_path(c, bucket)};
	struct transport_response answer = {0};
	const json_t *resource;
	int r = x.path.p ? exchange_run(c, &s->provider, &x, &answer) : call_no_memory(c);
	if (!r)
		r = gcp_parse(c, answer.body, &resource);
	if (r)
		return r;
	const json_t *labels = json_object_get(resource, "labels");
	*tags = json_is_object(labels) ? json_deep_copy(labels) : json_object();
	return *tags ? 0 : call_no_memory(c);
}

int gcp_store_bucket_tags(struct call *c, void *store, struct str bucket, json_t **tags)
{
	int r = object_check_bucket(c, bucket);
	if (!r)
		r = get_labels(c, store, bucket, tags);
	return r ? call_context(c, "labels of bucket %.*s", STR(bucket)) : 0;
}

// A patch merges: what shall go is said to be null.
static int describe(struct call *c, const json_t *now, const json_t *tags, struct str *out)
{
	AUTO(json) labels = json_object();
	const char *name;
	json_t *value;
	json_object_foreach((json_t *)(uintptr_t)now, name, value) json_object_set_new(labels, name, json_null());
	json_object_foreach((json_t *)(uintptr_t)tags, name, value)
	{
		struct str n = tags_plain(c->arena, str_of(name), '-', 63), v = tags_plain(c->arena, json_value_str(value), '-', 63);
		if (!n.p || !v.p)
			return call_no_memory(c);
		json_set_str(labels, n.p, v);
	}
	AUTO(json) body = json_pack("{s:O}", "labels", labels);
	AUTO(buf) text = {0};
	int r = json_write(body, &text, &c->err);
	if (r)
		return r;
	*out = arena_str(c->arena, buf_str(&text));
	return out->p ? 0 : call_no_memory(c);
}

int gcp_store_bucket_set_tags(struct call *c, void *store, struct str bucket, const json_t *tags)
{
	struct gcp_store *s = store;
	struct exchange x = {.call = &gcp_calls[GCP_BUCKETS_PATCH], .path = gcp_bucket_path(c, bucket)};
	struct transport_response answer = {0};
	AUTO(json) now = NULL;
	exchange_header(&x, "content-type", S("application/json; charset=utf-8"));
	int r = gcp_store_bucket_tags(c, s, bucket, &now);
	if (!r)
		r = describe(c, now, tags, &x.body);
	if (!r)
		r = x.path.p ? exchange_run(c, &s->provider, &x, &answer) : call_no_memory(c);
	return r ? call_context(c, "set the labels of bucket %.*s", STR(bucket)) : 0;
}
