// SPDX-License-Identifier: Apache-2.0
// The Cloud Storage driver: the operations on single objects, lists and buckets. See store.h. Writing is upload.c.
#include "cloud/gcp/store.h"

#include <stdlib.h>

#include "cloud/gcp/credentials.h"
#include "cloud/gcp/services.h"
#include "cloud/gcp/store_impl.h"
#include "cloud/http/download.h"
#include "cloud/http/object_fields.h"

enum { PAGE_MOST = 1000 };

int gcp_authorize(struct call *c, struct gcp_store *s, struct exchange *x)
{
	struct credential who;
	int code = credentials_get(c, s->credentials, GCP_SCOPE, &who);
	if (code)
		return code;
	struct str value = arena_printf(c->arena, "Bearer %.*s", STR(who.token));
	exchange_header(x, "authorization", value);
	x->serial = who.serial;
	return value.p ? 0 : call_no_memory(c);
}

static int authorize(struct call *c, struct provider *p, const struct sign_request *r, struct exchange *x)
{
	(void)r;
	return gcp_authorize(c, (struct gcp_store *)(void *)p, x);
}

static const struct provider_ops provider_ops = {.name = "gcp", .authorize = authorize, .refused = gcp_refused};

// ---------------------------------------------------------------- requests

struct str gcp_object_path(struct call *c, struct str bucket, struct str key)
{
	AUTO(buf) path = {0};
	buf_printf(&path, "/storage/v1/b/%.*s/o%s", STR(bucket), key.n ? "/" : "");
	sign_uri_encode(key, "", &path); // '/' too
	return path.failed ? (struct str){0} : arena_str(c->arena, buf_str(&path));
}

struct str gcp_bucket_path(struct call *c, struct str bucket)
{
	return arena_printf(c->arena, "/storage/v1/b/%.*s", STR(bucket));
}

int gcp_add_condition(struct call *c, struct buf *query, const struct store_condition *condition)
{
	uint64_t generation;
	if (condition->if_absent)
		exchange_parameter(query, "ifGenerationMatch", S("0"));
	if (condition->if_match.n && str_to_u64(condition->if_match, &generation))
		return call_fail(c, ERR_INVALID, "\"%.*s\" is no generation of an object",
			(int)MIN(condition->if_match.n, 60), condition->if_match.p);
	if (condition->if_match.n)
		exchange_parameter(query, "ifGenerationMatch", condition->if_match);
	return buf_check(query, &c->err);
}

static int run(struct call *c, struct gcp_store *s, struct exchange *x, struct transport_response *answer)
{
	return x->path.p ? exchange_run(c, &s->provider, x, answer) : call_no_memory(c);
}

// 0 also when it was not there.
static int run_delete(struct call *c, struct gcp_store *s, enum gcp_call call, struct str path)
{
	struct exchange x = {.call = &gcp_calls[call], .path = path};
	struct transport_response answer = {0};
	int r = run(c, s, &x, &answer);
	if (r != ERR_NOT_FOUND)
		return r;
	err_clear(&c->err);
	return 0;
}

// ---------------------------------------------------------------- objects

static int gcp_store_head(struct call *c, void *store, struct str bucket, struct str key, struct object *out)
{
	struct exchange x = {.call = &gcp_calls[GCP_OBJECTS_GET], .path = gcp_object_path(c, bucket, key)};
	struct transport_response answer = {0};
	const json_t *resource;
	int r = object_check_names(c, bucket, key);
	if (!r)
		r = run(c, store, &x, &answer);
	if (!r)
		r = gcp_parse(c, answer.body, &resource);
	if (!r)
		r = gcp_read_object(c, resource, out);
	return r ? call_context(c, "head %.*s/%.*s", STR(bucket), STR(key)) : 0;
}

// x-goog-hash: crc32c=n03x6A==,md5=Ojk9c3dhfxgoKVVHYwFbHQ== (one header or two)
static void read_hashes(const struct transport_response *r, struct object *out)
{
	for (size_t i = 0; i < r->header_count; i++) {
		struct str rest = r->headers[i].value, item;
		if (!str_eq_nocase(r->headers[i].name, S("x-goog-hash")))
			continue;
		while (str_next(&rest, ',', &item)) {
			item = str_trim(item);
			if (str_starts(item, S("crc32c=")))
				out->has_crc32c = object_crc32c_read(str_drop(item, 7), &out->crc32c) == 0;
		}
	}
}

static int read_head(struct call *c, const struct transport_response *r, struct download_head *out)
{
	out->object = (struct object){.etag = transport_header(r, S("x-goog-generation")),
		.modified_ns = download_modified_ns(r),
		.content_type = transport_header(r, S("content-type"))};
	read_hashes(r, &out->object);
	return download_size(c, r, &out->object.size);
}

static int pin(struct call *c, struct exchange *x, struct str etag)
{
	AUTO(buf) query = {0};
	buf_add(&query, x->query);
	int r = gcp_add_condition(c, &query, &(struct store_condition){.if_match = etag});
	struct str pinned = r ? S("") : arena_str(c->arena, buf_str(&query));
	if (!r && !pinned.p)
		r = call_no_memory(c);
	if (!r)
		x->query = pinned;
	return r;
}

static int gcp_store_get(struct call *c, void *store, const struct store_get *get, struct sink *to, struct object *out)
{
	struct gcp_store *s = store;
	struct exchange x = {.call = &gcp_calls[GCP_OBJECTS_GET],
		.path = gcp_object_path(c, get->bucket, get->key),
		.query = S("alt=media")};
	struct download d = {.c = c,
		.provider = &s->provider,
		.get = get,
		.to = to,
		.exchange = &x,
		.read_head = read_head,
		.pin = pin};
	int r = object_check_names(c, get->bucket, get->key);
	if (!r && !x.path.p)
		r = call_no_memory(c);
	if (!r && get->if_match.n)
		r = pin(c, &x, get->if_match);
	if (!r)
		r = download_run(&d, out);
	if (r)
		return call_context(c, "get %.*s/%.*s", STR(get->bucket), STR(get->key));
	out->key = arena_str(c->arena, get->key);
	return 0;
}

static int gcp_store_put(
	struct call *c, void *store, const struct store_put *put, struct source *from, struct object *out)
{
	AUTO(parts) parts;
	struct object made = {0};
	parts_init(&parts, from, false);
	int r = object_check_names(c, put->bucket, put->key);
	if (!r)
		r = parts_next(c, &parts);
	if (!r)
		r = parts.last ? gcp_upload_single(c, store, put, &parts, &made)
			       : gcp_upload_session(c, store, put, &parts, &made);
	if (r)
		return call_context(c, "put %.*s/%.*s", STR(put->bucket), STR(put->key));
	*out = made;
	return 0;
}

static int gcp_store_delete(struct call *c, void *store, struct str bucket, struct str key)
{
	int r = object_check_names(c, bucket, key);
	if (!r)
		r = run_delete(c, store, GCP_OBJECTS_DELETE, gcp_object_path(c, bucket, key));
	return r ? call_context(c, "delete %.*s/%.*s", STR(bucket), STR(key)) : 0;
}

// ---------------------------------------------------------------- lists

static int read_page(struct call *c, const json_t *body, struct store_page *out)
{
	const json_t *items = json_object_get(body, "items"), *prefixes = json_object_get(body, "prefixes");
	struct store_page page = {.next = json_str(body, "nextPageToken")};
	page.objects = arena_new_array(c->arena, json_array_size(items) + 1, struct object);
	page.prefixes = arena_new_array(c->arena, json_array_size(prefixes) + 1, struct str);
	if (!page.objects || !page.prefixes)
		return call_no_memory(c);
	for (size_t i = 0; i < json_array_size(items); i++) {
		int r = gcp_read_object(c, json_array_get(items, i), &page.objects[page.count++]);
		if (r)
			return r;
	}
	for (size_t i = 0; i < json_array_size(prefixes); i++) {
		const json_t *item = json_array_get(prefixes, i);
		if (!json_is_string(item))
			return call_fail(c, ERR_PROTOCOL, "the list has a prefix that is no text");
		page.prefixes[page.prefix_count++] = str_bytes(json_string_value(item), json_string_length(item));
	}
	*out = page;
	return 0;
}

static int gcp_store_list(struct call *c, void *store, const struct store_list *list, struct store_page *out)
{
	AUTO(buf) query = {0};
	struct transport_response answer = {0};
	const json_t *body;
	buf_printf(&query, "maxResults=%u", list->limit ? MIN(list->limit, PAGE_MOST) : PAGE_MOST);
	if (list->prefix.n)
		exchange_parameter(&query, "prefix", list->prefix);
	if (list->delimiter.n)
		exchange_parameter(&query, "delimiter", list->delimiter);
	if (list->token.n)
		exchange_parameter(&query, "pageToken", list->token);
	struct exchange x = {.call = &gcp_calls[GCP_OBJECTS_LIST],
		.path = gcp_object_path(c, list->bucket, S("")),
		.query = buf_str(&query)};
	int r = object_check_bucket(c, list->bucket);
	if (!r)
		r = buf_check(&query, &c->err);
	if (!r)
		r = run(c, store, &x, &answer);
	if (!r)
		r = gcp_parse(c, answer.body, &body);
	if (!r)
		r = read_page(c, body, out);
	return r ? call_context(c, "list %.*s/%.*s", STR(list->bucket), STR(list->prefix)) : 0;
}

// ---------------------------------------------------------------- buckets

static int gcp_store_bucket_head(struct call *c, void *store, struct str bucket)
{
	struct exchange x = {.call = &gcp_calls[GCP_BUCKETS_GET], .path = gcp_bucket_path(c, bucket)};
	struct transport_response answer = {0};
	int r = object_check_bucket(c, bucket);
	if (!r)
		r = run(c, store, &x, &answer);
	return r ? call_context(c, "head bucket %.*s", STR(bucket)) : 0;
}

static int describe_bucket(struct call *c, const struct gcp_store *s, struct str bucket, struct str *out)
{
	AUTO(json)
	j = json_pack("{s:{s:{s:b},s:s}}", "iamConfiguration", "uniformBucketLevelAccess", "enabled", 1,
		"publicAccessPrevention", "enforced");
	AUTO(buf) text = {0};
	json_set_str(j, "name", bucket);
	json_set_str(j, "location", s->location);
	int r = json_write(j, &text, &c->err);
	if (r)
		return r;
	*out = arena_str(c->arena, buf_str(&text));
	return out->p ? 0 : call_no_memory(c);
}

// Names are the whole world's: one that is taken and cannot be looked at is somebody else's.
static int check_ours(struct call *c, struct gcp_store *s, struct str bucket)
{
	struct err taken = c->err;
	err_clear(&c->err);
	int r = gcp_store_bucket_head(c, s, bucket);
	if (!r || r == ERR_TIMEOUT || r == ERR_CANCELLED)
		return r;
	c->err = taken;
	c->err.code = ERR_EXISTS;
	return ERR_EXISTS;
}

static int gcp_store_bucket_create(struct call *c, void *store, struct str bucket)
{
	struct gcp_store *s = store;
	AUTO(buf) query = {0};
	struct exchange x = {.call = &gcp_calls[GCP_BUCKETS_INSERT], .path = S("/storage/v1/b")};
	struct transport_response answer = {0};
	exchange_parameter(&query, "project", s->project);
	x.query = buf_str(&query);
	exchange_header(&x, "content-type", S("application/json; charset=utf-8"));
	int r = object_check_bucket(c, bucket);
	if (!r)
		r = describe_bucket(c, s, bucket, &x.body);
	if (!r)
		r = run(c, s, &x, &answer);
	if (r == ERR_CONFLICT && c->err.http_status == 409)
		r = check_ours(c, s, bucket);
	return r ? call_context(c, "create bucket %.*s", STR(bucket)) : 0;
}

static int gcp_store_bucket_delete(struct call *c, void *store, struct str bucket)
{
	int r = object_check_bucket(c, bucket);
	if (!r)
		r = run_delete(c, store, GCP_BUCKETS_DELETE, gcp_bucket_path(c, bucket));
	return r ? call_context(c, "delete bucket %.*s", STR(bucket)) : 0;
}

const struct store_ops gcp_store_ops = {
	.name = "gcp",
	.head = gcp_store_head,
	.get = gcp_store_get,
	.put = gcp_store_put,
	.delete = gcp_store_delete,
	.list = gcp_store_list,
	.bucket_create = gcp_store_bucket_create,
	.bucket_head = gcp_store_bucket_head,
	.bucket_delete = gcp_store_bucket_delete,
	.bucket_tags = gcp_store_bucket_tags,
	.bucket_set_tags = gcp_store_bucket_set_tags,
};

// ---------------------------------------------------------------- life

struct str gcp_store_url(void)
{
	return S("https://storage.googleapis.com");
}

struct str gcp_identity_url(struct arena *a, const struct cloud_config *config)
{
	struct str uri = json_str(config->credentials, "token_uri");
	ptrdiff_t host = str_find(uri, S("://"));
	if (config->identity_url.n)
		return arena_str(a, config->identity_url);
	if (host < 0)
		return (struct str){0};
	ptrdiff_t path = str_find_char(str_drop(uri, (size_t)host + 3), '/');
	return arena_str(a, path < 0 ? uri : str_take(uri, (size_t)host + 3 + (size_t)path));
}

int gcp_store_open(const struct cloud_config *config, struct str url, struct http_transport *transport,
	struct gcp_store **out, struct err *e)
{
	struct gcp_store *s = calloc(1, sizeof(*s));
	if (!s) {
		transport->close(transport->ctx);
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	}
	s->provider.transport = *transport;
	s->project = arena_str(
		&s->arena, config->project.n ? config->project : json_str(config->credentials, "project_id"));
	s->location = arena_str(&s->arena, config->region);
	s->email = arena_str(&s->arena, json_str(config->credentials, "client_email"));
	s->identity_url = gcp_identity_url(&s->arena, config);
	int r = provider_init(&s->provider, &provider_ops, url, &s->arena, e);
	if (!r)
		r = gcp_credentials_open(
			&(struct credential_options){.config = config, .transport = *transport}, &s->credentials, e);
	if (!r && (!s->project.p || !s->location.p || !s->email.p))
		r = err_set(e, ERR_NO_MEMORY, "out of memory");
	if (r) {
		gcp_store_close(s);
		return r;
	}
	s->provider.credentials = s->credentials;
	s->provider.audience = GCP_SCOPE;
	s->provider.clock = credentials_clock(s->credentials);
	*out = s;
	return 0;
}

void gcp_store_close(struct gcp_store *s)
{
	if (!s)
		return;
	credential_source_free(s->credentials);
	s->provider.transport.close(s->provider.transport.ctx);
	arena_free(&s->arena);
	free(s);
}

void gcp_store_lend(struct gcp_store *s, struct services_options *out)
{
	out->transport = s->provider.transport;
	out->credentials = s->credentials;
}
