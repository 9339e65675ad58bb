// SPDX-License-Identifier: Apache-2.0
// The S3 driver: signing and the operations on single objects and buckets. See store.h. Writing is upload.c, listing
// list.c.
#include "cloud/aws/store.h"

#include <stdlib.h>

#include "cloud/aws/credentials.h"
#include "cloud/aws/request_impl.h"
#include "cloud/aws/store_impl.h"
#include "cloud/http/download.h"
#include "cloud/http/object_fields.h"

// ---------------------------------------------------------------- signing

int aws_sign(struct call *c, struct aws_store *s, struct str service, const struct sign_request *r, struct exchange *x)
{
	struct aws_signing signing = {.credentials = s->credentials,
		.clock = credentials_clock(s->credentials),
		.region = s->region,
		.service = service,
		.secure = s->provider.secure};
	return aws_sign_request(c, &signing, r, x);
}

static int authorize(struct call *c, struct provider *p, const struct sign_request *r, struct exchange *x)
{
	return aws_sign(c, (struct aws_store *)(void *)p, S("s3"), r, x);
}

static const struct provider_ops provider_ops = {.name = "aws", .authorize = authorize, .refused = aws_refused};

// ---------------------------------------------------------------- requests

struct str aws_path(struct call *c, struct str bucket, struct str key)
{
	AUTO(buf) path = {0};
	buf_printf(&path, "/%.*s%s", STR(bucket), key.n ? "/" : "");
	sign_uri_encode(key, "/", &path);
	return path.failed ? (struct str){0} : arena_str(c->arena, buf_str(&path));
}

int aws_add_condition(struct call *c, struct exchange *x, const struct store_condition *condition)
{
	if (condition->if_absent)
		exchange_header(x, "if-none-match", S("*"));
	if (!condition->if_match.n)
		return 0;
	struct str quoted = arena_printf(c->arena, "\"%.*s\"", STR(condition->if_match));
	if (!quoted.p)
		return call_no_memory(c);
	exchange_header(x, "if-match", quoted);
	return 0;
}

// Runs an exchange whose answer has nothing to read.
static int run(struct call *c, struct aws_store *s, struct exchange *x)
{
	struct transport_response answer = {0};
	return x->path.p ? exchange_run(c, &s->provider, x, &answer) : call_no_memory(c);
}

// ---------------------------------------------------------------- objects

// Of an object made from parts, the checksum may be that of the parts' checksums, which proves nothing about the bytes
// read. S3 says which it is, and marks it with the number of parts; others that speak its protocol only show that there
// were parts, in the ETag.
static bool is_whole_checksum(const struct transport_response *r)
{
	struct str type = transport_header(r, S("x-amz-checksum-type"));
	if (type.n)
		return str_eq(type, S("FULL_OBJECT"));
	return str_find_char(transport_header(r, S("etag")), '-') < 0;
}

static int read_object(struct call *c, const struct transport_response *r, struct object *out)
{
	struct str checksum = transport_header(r, S("x-amz-checksum-crc32c"));
	*out = (struct object){.etag = download_etag(transport_header(r, S("etag"))),
		.modified_ns = download_modified_ns(r),
		.content_type = transport_header(r, S("content-type"))};
	out->has_crc32c = r->status == 200 && is_whole_checksum(r) && object_crc32c_read(checksum, &out->crc32c) == 0;
	int code = download_size(c, r, &out->size);
	if (!code)
		code = object_read_metadata(c, r, "x-amz-meta-", S(""), &out->metadata);
	return code;
}

static int read_head(struct call *c, const struct transport_response *r, struct download_head *out)
{
	return read_object(c, r, &out->object);
}

static int aws_store_head(struct call *c, void *store, struct str bucket, struct str key, struct object *out)
{
	struct aws_store *s = store;
	struct exchange x = {.call = &aws_calls[AWS_HEAD_OBJECT], .path = aws_path(c, bucket, key)};
	struct transport_response answer = {0};
	struct object found = {0};
	exchange_header(&x, "x-amz-checksum-mode", S("ENABLED"));
	int r = object_check_names(c, bucket, key);
	if (!r)
		r = x.path.p ? exchange_run(c, &s->provider, &x, &answer) : call_no_memory(c);
	if (!r)
		r = read_object(c, &answer, &found);
	if (r)
		return call_context(c, "head %.*s/%.*s", STR(bucket), STR(key));
	found.key = arena_str(c->arena, key);
	*out = found;
	return 0;
}

static int pin(struct call *c, struct exchange *x, struct str etag)
{
	return aws_add_condition(c, x, &(struct store_condition){.if_match = etag});
}

static int aws_store_get(struct call *c, void *store, const struct store_get *get, struct sink *to, struct object *out)
{
	struct aws_store *s = store;
	struct exchange x = {.call = &aws_calls[AWS_GET_OBJECT], .path = aws_path(c, get->bucket, get->key)};
	struct download d = {.c = c,
		.provider = &s->provider,
		.get = get,
		.to = to,
		.exchange = &x,
		.read_head = read_head,
		.pin = pin};
	exchange_header(&x, "x-amz-checksum-mode", S("ENABLED"));
	int r = object_check_names(c, get->bucket, get->key);
	if (!r && !x.path.p)
		r = call_no_memory(c);
	if (!r)
		r = aws_add_condition(c, &x, &(struct store_condition){.if_match = get->if_match});
	if (!r)
		r = download_run(&d, out);
	if (r)
		return call_context(c, "get %.*s/%.*s", STR(get->bucket), STR(get->key));
	out->key = arena_str(c->arena, get->key);
	return 0;
}

// What is sent with a whole object or with the start of a multipart upload.
static int add_properties(struct call *c, struct exchange *x, const struct store_put *put)
{
	if (put->content_type.n)
		exchange_header(x, "content-type", put->content_type);
	return object_add_metadata(c, x, "x-amz-meta-", put->metadata);
}

static int put_single(
	struct call *c, struct aws_store *s, const struct store_put *put, const struct parts *parts, struct object *out)
{
	struct exchange x = {
		.call = &aws_calls[AWS_PUT_OBJECT], .path = aws_path(c, put->bucket, put->key), .body = parts->part};
	struct transport_response answer = {0};
	struct str checksum = object_crc32c_text(c->arena, parts->crc);
	int r = x.path.p && checksum.p ? add_properties(c, &x, put) : call_no_memory(c);
	exchange_header(&x, "x-amz-checksum-crc32c", checksum);
	x.proof = "etag";
	x.echo = (struct sign_header){S("x-amz-checksum-crc32c"), checksum};
	if (!r)
		r = aws_add_condition(c, &x, &put->condition);
	if (!r)
		r = exchange_run(c, &s->provider, &x, &answer);
	if (r == ERR_CONFLICT && x.attempts > 1)
		return object_settle_conflict(c, &(struct object_store){&aws_store_ops, s}, put, parts, out);
	if (r)
		return r;
	*out = (struct object){.size = parts->total,
		.etag = download_etag(transport_header(&answer, S("etag"))),
		.modified_ns = call_now_ns(c),
		.content_type = put->content_type,
		.crc32c = parts->crc,
		.has_crc32c = true};
	return 0;
}

// A race for a conditional multipart upload ends it: it is made anew, while the source can be read again.
static int put_parts(
	struct call *c, struct aws_store *s, const struct store_put *put, struct parts *parts, struct object *out)
{
	for (int attempt = 1;; attempt++) {
		int r = aws_upload_parts(c, s, put, parts, out);
		if (r != ERR_CONFLICT || !c->err.retryable || attempt == s->provider.retry.attempts)
			return r;
		if ((r = retry_pause(c, &s->provider.retry, attempt, 0)) || (r = parts_rewind(c, parts)) ||
			(r = parts_next(c, parts)))
			return r;
	}
}

static int aws_store_put(
	struct call *c, void *store, const struct store_put *put, struct source *from, struct object *out)
{
	AUTO(parts) parts;
	struct object made = {0};
	parts_init(&parts, from, false);
	int r = object_check_names(c, put->bucket, put->key);
	if (!r)
		r = parts_next(c, &parts);
	if (!r)
		r = parts.last ? put_single(c, store, put, &parts, &made) : put_parts(c, store, put, &parts, &made);
	if (r)
		return call_context(c, "put %.*s/%.*s", STR(put->bucket), STR(put->key));
	made.key = arena_str(c->arena, put->key);
	*out = made;
	return 0;
}

static int aws_store_delete(struct call *c, void *store, struct str bucket, struct str key)
{
	struct exchange x = {.call = &aws_calls[AWS_DELETE_OBJECT], .path = aws_path(c, bucket, key)};
	int r = object_check_names(c, bucket, key);
	if (!r)
		r = run(c, store, &x);
	if (r == ERR_NOT_FOUND) {
		err_clear(&c->err);
		return 0;
	}
	return r ? call_context(c, "delete %.*s/%.*s", STR(bucket), STR(key)) : 0;
}

// ---------------------------------------------------------------- buckets

static int aws_store_bucket_create(struct call *c, void *store, struct str bucket)
{
	struct aws_store *s = store;
	struct exchange x = {.call = &aws_calls[AWS_CREATE_BUCKET], .path = aws_path(c, bucket, S(""))};
	int r = object_check_bucket(c, bucket);
	if (!str_eq(s->region, S("us-east-1"))) // the one region whose name must not be said
		x.body = arena_printf(c->arena,
			"<CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
			"<LocationConstraint>%.*s</LocationConstraint></CreateBucketConfiguration>",
			STR(s->region));
	if (!r)
		r = run(c, s, &x);
	if (r == ERR_EXISTS && str_eq(str_of(c->err.provider_code), S("BucketAlreadyOwnedByYou"))) {
		err_clear(&c->err);
		return 0;
	}
	return r ? call_context(c, "create bucket %.*s", STR(bucket)) : 0;
}

static int aws_store_bucket_head(struct call *c, void *store, struct str bucket)
{
	struct exchange x = {.call = &aws_calls[AWS_HEAD_BUCKET], .path = aws_path(c, bucket, S(""))};
	int r = object_check_bucket(c, bucket);
	if (!r)
		r = run(c, store, &x);
	return r ? call_context(c, "head bucket %.*s", STR(bucket)) : 0;
}

static int aws_store_bucket_delete(struct call *c, void *store, struct str bucket)
{
	struct exchange x = {.call = &aws_calls[AWS_DELETE_BUCKET], .path = aws_path(c, bucket, S(""))};
	int r = object_check_bucket(c, bucket);
	if (!r)
		r = run(c, store, &x);
	if (r == ERR_NOT_FOUND) {
		err_clear(&c->err);
		return 0;
	}
	return r ? call_context(c, "delete bucket %.*s", STR(bucket)) : 0;
}

const struct store_ops aws_store_ops = {
	.name = "aws",
	.head = aws_store_head,
	.get = aws_store_get,
	.put = aws_store_put,
	.delete = aws_store_delete,
	.list = aws_store_list,
	.bucket_create = aws_store_bucket_create,
	.bucket_head = aws_store_bucket_head,
	.bucket_delete = aws_store_bucket_delete,
	.bucket_tags = aws_store_bucket_tags,
	.bucket_set_tags = aws_store_bucket_set_tags,
};

// ---------------------------------------------------------------- life

struct str aws_store_url(struct arena *a, struct str region)
{
	return arena_printf(a, "https://s3.%.*s.amazonaws.com", STR(region));
}

// A store of somebody's own answers for itself.
struct str aws_identity_url(struct arena *a, const struct cloud_config *config)
{
	if (config->identity_url.n)
		return arena_str(a, config->identity_url);
	if (config->store_url.n)
		return arena_str(a, config->store_url);
	return arena_printf(a, "https://sts.%.*s.amazonaws.com", STR(config->region));
}

int aws_store_open(const struct cloud_config *config, struct str url, struct http_transport *transport,
	struct aws_store **out, struct err *e)
{
	struct aws_store *s = calloc(1, sizeof(*s));
	if (!s) {
		transport->close(transport->ctx);
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	}
	s->provider.transport = *transport;
	s->region = arena_str(&s->arena, config->region);
	s->identity_url = aws_identity_url(&s->arena, config);
	int r = provider_init(&s->provider, &provider_ops, url, &s->arena, e);
	if (!r)
		r = aws_credentials_open(
			&(struct credential_options){.config = config, .transport = *transport}, &s->credentials, e);
	if (r) {
		aws_store_close(s);
		return r;
	}
	s->provider.credentials = s->credentials;
	s->provider.audience = S("");
	s->provider.clock = credentials_clock(s->credentials);
	*out = s;
	return 0;
}

void aws_store_close(struct aws_store *s)
{
	if (!s)
		return;
	credential_source_free(s->credentials);
	s->provider.transport.close(s->provider.transport.ctx);
	arena_free(&s->arena);
	free(s);
}

void aws_store_lend(struct aws_store *s, struct services_options *out)
{
	out->transport = s->provider.transport;
	out->credentials = s->credentials;
}
