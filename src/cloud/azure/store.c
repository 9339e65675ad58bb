// SPDX-License-Identifier: Apache-2.0
// The Blob driver: signing and the operations on single blobs and containers. See store.h. Writing is upload.c, listing
// list.c.
#include "cloud/azure/store.h"

#include <openssl/crypto.h>
#include <stdlib.h>

#include "base/time.h"
#include "cloud/azure/credentials.h"
#include "cloud/azure/services.h"
#include "cloud/azure/store_impl.h"
#include "cloud/http/download.h"
#include "cloud/http/object_fields.h"
#include "cloud/sign/sharedkey.h"

#define VERSION S("2021-12-02")
enum { RANGE_MD5_MOST = 4 << 20 }; // the largest range that Blob Storage computes a digest of

// ---------------------------------------------------------------- signing

// What is signed has Content-Length, which the transport only adds when it sends.
static int sign(struct call *c, const struct azure_store *s, const struct sign_request *r, const struct exchange *x,
	struct buf *authorization)
{
	struct sign_header headers[EXCHANGE_MAX_HEADERS + 1];
	struct sign_request full = *r;
	size_t count = MIN(x->header_count, EXCHANGE_MAX_HEADERS);
	struct str length = arena_printf(c->arena, "%zu", x->body.n);
	if (!length.p)
		return call_no_memory(c);
	for (size_t i = 0; i < count; i++)
		headers[i] = x->headers[i];
	headers[count] = (struct sign_header){S("content-length"), length};
	full.headers = headers;
	full.header_count = count + 1;
	return sharedkey_authorize(&full, s->account, secret_str(&s->key), authorization, &c->err);
}

static int authorize(struct call *c, struct provider *p, const struct sign_request *r, struct exchange *x)
{
	struct azure_store *s = (struct azure_store *)(void *)p;
	char date[TIME_TEXT_SIZE];
	AUTO(buf) authorization = {0};
	struct credential who;
	time_http_date(provider_now_ns(c, p->clock), date);
	exchange_header(x, "x-ms-date", arena_str(c->arena, str_of(date)));
	exchange_header(x, "x-ms-version", VERSION);
	int code = s->key.n ? sign(c, s, r, x, &authorization) : credentials_get(c, s->credentials, p->audience, &who);
	if (!code && !s->key.n) {
		buf_printf(&authorization, "Bearer %.*s", STR(who.token));
		x->serial = who.serial;
	}
	if (code)
		return code;
	exchange_header(x, "authorization", arena_str(c->arena, buf_str(&authorization)));
	return 0;
}

static const struct provider_ops provider_ops = {.name = "azure", .authorize = authorize, .refused = azure_refused};

// ---------------------------------------------------------------- requests

struct str azure_path(struct call *c, struct str bucket, struct str key)
{
	AUTO(buf) path = {0};
	buf_printf(&path, "/%.*s%s", STR(bucket), key.n ? "/" : "");
	sign_uri_encode(key, "/", &path);
	return path.failed ? (struct str){0} : arena_str(c->arena, buf_str(&path));
}

int azure_add_condition(struct call *c, struct exchange *x, const struct store_condition *condition)
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

int azure_add_properties(struct call *c, struct exchange *x, const struct store_put *put, uint32_t crc)
{
	struct str text = arena_printf(c->arena, "%08x", crc);
	if (!text.p)
		return call_no_memory(c);
	exchange_header(
		x, "x-ms-blob-content-type", put->content_type.n ? put->content_type : S("application/octet-stream"));
	exchange_header(x, "x-ms-meta-" AZURE_CRC_NAME, text);
	return object_add_metadata(c, x, "x-ms-meta-", put->metadata);
}

static int run(struct call *c, struct azure_store *s, struct exchange *x)
{
	struct transport_response answer = {0};
	return x->path.p ? exchange_run(c, &s->provider, x, &answer) : call_no_memory(c);
}

// 0 also when it was not there.
static int run_delete(struct call *c, struct azure_store *s, struct exchange *x)
{
	int r = run(c, s, x);
	if (r != ERR_NOT_FOUND)
		return r;
	err_clear(&c->err);
	return 0;
}

// ---------------------------------------------------------------- blobs

static int read_object(struct call *c, const struct transport_response *r, struct object *out)
{
	struct str checksum = transport_header(r, S("x-ms-meta-" AZURE_CRC_NAME));
	unsigned char bytes[4];
	*out = (struct object){.etag = download_etag(transport_header(r, S("etag"))),
		.modified_ns = download_modified_ns(r),
		.content_type = transport_header(r, S("content-type"))};
	if (checksum.n == 8 && hex_decode(checksum, bytes) == 0) {
		out->has_crc32c = true;
		out->crc32c = (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
	}
	int code = download_size(c, r, &out->size);
	if (!code)
		code = object_read_metadata(c, r, "x-ms-meta-", S(AZURE_CRC_NAME), &out->metadata);
	return code;
}

// Content-MD5 is that of the whole blob with a 200, and that of the range with a 206, which has it only when asked.
static int read_head(struct call *c, const struct transport_response *r, struct download_head *out)
{
	AUTO(buf) md5 = {0};
	struct str text = transport_header(r, S("content-md5"));
	if (text.n && base64_decode(text, &md5) == 0 && md5.n == MD5_SIZE) {
		out->has_md5 = true;
		for (size_t i = 0; i < MD5_SIZE; i++)
			out->md5[i] = (unsigned char)md5.p[i];
	}
	return read_object(c, r, &out->object);
}

static int azure_store_head(struct call *c, void *store, struct str bucket, struct str key, struct object *out)
{
	struct azure_store *s = store;
	struct exchange x = {.call = &azure_calls[AZURE_GET_BLOB_PROPERTIES], .path = azure_path(c, bucket, key)};
	struct transport_response answer = {0};
	struct object found = {0};
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
	return azure_add_condition(c, x, &(struct store_condition){.if_match = etag});
}

static int azure_store_get(
	struct call *c, void *store, const struct store_get *get, struct sink *to, struct object *out)
{
	struct azure_store *s = store;
	struct exchange x = {.call = &azure_calls[AZURE_GET_BLOB], .path = azure_path(c, get->bucket, get->key)};
	struct download d = {.c = c,
		.provider = &s->provider,
		.get = get,
		.to = to,
		.exchange = &x,
		.read_head = read_head,
		.pin = pin};
	if (get->length && get->length <= RANGE_MD5_MOST)
		exchange_header(&x, "x-ms-range-get-content-md5", S("true"));
	int r = object_check_names(c, get->bucket, get->key);
	if (!r && !x.path.p)
		r = call_no_memory(c);
	if (!r)
		r = azure_add_condition(c, &x, &(struct store_condition){.if_match = get->if_match});
	if (!r)
		r = download_run(&d, out);
	if (r)
		return call_context(c, "get %.*s/%.*s", STR(get->bucket), STR(get->key));
	out->key = arena_str(c->arena, get->key);
	return 0;
}

static int put_blob(
	struct call *c, struct azure_store *s, const struct store_put *put, struct parts *parts, struct object *out)
{
	struct exchange x = {.call = &azure_calls[AZURE_PUT_BLOB],
		.path = azure_path(c, put->bucket, put->key),
		.body = parts->part};
	struct transport_response answer = {0};
	unsigned char md5[SHA256_SIZE];
	parts_md5(parts, md5);
	struct str digest = object_base64(c->arena, str_bytes(md5, MD5_SIZE));
	exchange_header(&x, "x-ms-blob-type", S("BlockBlob"));
	exchange_header(&x, "content-md5", digest); // checked on arrival, and kept
	x.proof = "etag";
	x.echo = (struct sign_header){S("content-md5"), digest};
	int r = x.path.p && digest.p ? azure_add_properties(c, &x, put, parts->crc) : call_no_memory(c);
	if (!r)
		r = azure_add_condition(c, &x, &put->condition);
	if (!r)
		r = exchange_run(c, &s->provider, &x, &answer);
	if (r == ERR_CONFLICT && x.attempts > 1)
		return object_settle_conflict(c, &(struct object_store){&azure_store_ops, s}, put, parts, out);
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

static int azure_store_put(
	struct call *c, void *store, const struct store_put *put, struct source *from, struct object *out)
{
	AUTO(parts) parts;
	struct object made = {0};
	parts_init(&parts, from, true);
	int r = object_check_names(c, put->bucket, put->key);
	if (!r)
		r = parts_next(c, &parts);
	if (!r)
		r = parts.last ? put_blob(c, store, put, &parts, &made)
			       : azure_upload_blocks(c, store, put, &parts, &made);
	if (r)
		return call_context(c, "put %.*s/%.*s", STR(put->bucket), STR(put->key));
	made.key = arena_str(c->arena, put->key);
	*out = made;
	return 0;
}

static int azure_store_delete(struct call *c, void *store, struct str bucket, struct str key)
{
	struct exchange x = {.call = &azure_calls[AZURE_DELETE_BLOB], .path = azure_path(c, bucket, key)};
	exchange_header(&x, "x-ms-delete-snapshots", S("include"));
	int r = object_check_names(c, bucket, key);
	if (!r)
		r = run_delete(c, store, &x);
	return r ? call_context(c, "delete %.*s/%.*s", STR(bucket), STR(key)) : 0;
}

// ---------------------------------------------------------------- containers

static int azure_store_bucket_create(struct call *c, void *store, struct str bucket)
{
	struct exchange x = {.call = &azure_calls[AZURE_CREATE_CONTAINER],
		.path = azure_path(c, bucket, S("")),
		.query = S("restype=container")};
	int r = object_check_bucket(c, bucket);
	if (!r)
		r = run(c, store, &x);
	if (r == ERR_EXISTS) { // a container's name is the account's own
		err_clear(&c->err);
		return 0;
	}
	return r ? call_context(c, "create bucket %.*s", STR(bucket)) : 0;
}

static int azure_store_bucket_head(struct call *c, void *store, struct str bucket)
{
	struct exchange x = {.call = &azure_calls[AZURE_GET_CONTAINER_PROPERTIES],
		.path = azure_path(c, bucket, S("")),
		.query = S("restype=container")};
	int r = object_check_bucket(c, bucket);
	if (!r)
		r = run(c, store, &x);
	return r ? call_context(c, "head bucket %.*s", STR(bucket)) : 0;
}

// Blob Storage deletes a container with all that is in it, so it is looked into first.
static int check_empty(struct call *c, struct azure_store *s, struct str bucket)
{
	struct store_list list = {.bucket = bucket, .prefix = S(""), .delimiter = S(""), .token = S(""), .limit = 1};
	struct store_page page;
	int r = azure_store_list(c, s, &list, &page);
	if (r == ERR_NOT_FOUND) {
		err_clear(&c->err);
		return 0;
	}
	if (!r && (page.count || page.next.n))
		r = call_fail(c, ERR_CONFLICT, "the bucket is not empty");
	return r;
}

static int azure_store_bucket_delete(struct call *c, void *store, struct str bucket)
{
	struct exchange x = {.call = &azure_calls[AZURE_DELETE_CONTAINER],
		.path = azure_path(c, bucket, S("")),
		.query = S("restype=container")};
	int r = object_check_bucket(c, bucket);
	if (!r)
		r = check_empty(c, store, bucket);
	if (!r)
		r = run_delete(c, store, &x);
	return r ? call_context(c, "delete bucket %.*s", STR(bucket)) : 0;
}

const struct store_ops azure_store_ops = {
	.name = "azure",
	.head = azure_store_head,
	.get = azure_store_get,
	.put = azure_store_put,
	.delete = azure_store_delete,
	.list = azure_store_list,
	.bucket_create = azure_store_bucket_create,
	.bucket_head = azure_store_bucket_head,
	.bucket_delete = azure_store_bucket_delete,
	.bucket_tags = azure_store_bucket_tags,
	.bucket_set_tags = azure_store_bucket_set_tags,
};

// ---------------------------------------------------------------- life

struct str azure_store_url(struct arena *a, const json_t *credentials)
{
	struct str account = json_str(credentials, "account");
	return account.n ? arena_printf(a, "https://%.*s.blob.core.windows.net", STR(account)) : (struct str){0};
}

// The account is no secret: where credentials do not say it, as those of a container's own identity, the config does.
static int read_credentials(struct azure_store *s, const struct cloud_config *config, struct err *e)
{
	const json_t *credentials = config->credentials;
	struct str account = config->account, key;
	AUTO(buf) bytes = {0};
	int r = json_object_get(credentials, "account") || !account.n ? json_need_str(credentials, "account", &account, e) : 0;
	s->account = arena_str(&s->arena, account);
	if (!r && !json_object_get(credentials, "key") && azure_credentials_give_tokens(credentials))
		return s->account.p ? 0 : err_set(e, ERR_NO_MEMORY, "out of memory");
	if (!r)
		r = json_need_str(credentials, "key", &key, e);
	if (r)
		return err_context(e, "credentials of Azure");
	buf_reserve(&bytes, key.n + 1); // in one piece: growing would leave copies of the secret behind
	if (base64_decode(key, &bytes) || !bytes.n || !account.n || str_find_char(account, ':') >= 0)
		r = err_set(e, ERR_INVALID,
			"credentials of Azure: key is not base64, or account is not the name of a storage account");
	if (!r)
		r = s->account.p ? secret_set(&s->key, buf_str(&bytes), e) : err_set(e, ERR_NO_MEMORY, "out of memory");
	if (bytes.n)
		OPENSSL_cleanse(bytes.p, bytes.n);
	return r;
}

int azure_store_open(const struct cloud_config *config, struct str url, struct http_transport *transport,
	struct azure_store **out, struct err *e)
{
	struct azure_store *s = calloc(1, sizeof(*s));
	if (!s) {
		transport->close(transport->ctx);
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	}
	s->provider.transport = *transport;
	int r = provider_init(&s->provider, &provider_ops, url, &s->arena, e);
	if (!r)
		r = read_credentials(s, config, e);
	if (!r && azure_credentials_give_tokens(config->credentials))
		r = azure_credentials_open(
			&(struct credential_options){.config = config, .transport = *transport}, &s->credentials, e);
	if (r) {
		azure_store_close(s);
		return r;
	}
	s->provider.clock = &s->clock;
	if (s->credentials && !s->key.n) {
		s->provider.credentials = s->credentials;
		s->provider.audience = AZURE_SCOPE_STORE;
	}
	*out = s;
	return 0;
}

void azure_store_close(struct azure_store *s)
{
	if (!s)
		return;
	credential_source_free(s->credentials);
	s->provider.transport.close(s->provider.transport.ctx);
	secret_free(&s->key);
	arena_free(&s->arena);
	free(s);
}

void azure_store_lend(struct azure_store *s, struct services_options *out)
{
	out->transport = s->provider.transport;
	out->credentials = s->credentials;
}
