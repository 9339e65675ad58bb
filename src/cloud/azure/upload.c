// SPDX-License-Identifier: Apache-2.0
// Large blobs: blocks one after the other, then the list that makes them a blob. Uncommitted blocks are the blob
// name's, not the upload's, so ids begin with random digits: two writers never mix. What is never committed is dropped
// by Azure after a week. Source: "Put Block" and "Put Block List", Blob Storage REST API.
#include <stdio.h>

#include "cloud/azure/store_impl.h"
#include "cloud/http/download.h"
#include "cloud/http/object_fields.h"

struct upload {
	struct call *c;
	struct azure_store *store;
	const struct store_put *put;
	struct parts *parts;
	struct str path;
	uint64_t random;
	struct buf list;
};

static int send_block(struct upload *u)
{
	AUTO(buf) query = {0};
	struct transport_response answer = {0};
	unsigned char md5[MD5_SIZE];
	char plain[32];
	// Ids of one blob must all be of one length.
	int n = snprintf(plain, sizeof(plain), "%016llx-%05u", (unsigned long long)u->random, u->parts->number);
	struct str id = object_base64(u->c->arena, str_bytes(plain, (size_t)n));
	md5_of(u->parts->part, md5);
	struct str digest = object_base64(u->c->arena, str_bytes(md5, MD5_SIZE));
	if (!id.p || !digest.p)
		return call_no_memory(u->c);
	buf_add(&query, S("comp=block"));
	exchange_parameter(&query, "blockid", id);
	struct exchange x = {.call = &azure_calls[AZURE_PUT_BLOCK],
		.path = u->path,
		.query = buf_str(&query),
		.body = u->parts->part};
	exchange_header(&x, "content-md5", digest);
	x.echo = (struct sign_header){S("content-md5"), digest};
	int r = buf_check(&query, &u->c->err);
	if (!r)
		r = exchange_run(u->c, &u->store->provider, &x, &answer);
	if (r)
		return call_context(u->c, "block %u", u->parts->number);
	buf_printf(&u->list, "<Uncommitted>%.*s</Uncommitted>", STR(id));
	return buf_check(&u->list, &u->c->err);
}

static int commit(struct upload *u, struct object *out)
{
	struct transport_response answer = {0};
	unsigned char md5[SHA256_SIZE];
	struct exchange x = {.call = &azure_calls[AZURE_PUT_BLOCK_LIST], .path = u->path, .query = S("comp=blocklist")};
	x.proof = "etag";
	buf_add(&u->list, S("</BlockList>"));
	x.body = buf_str(&u->list);
	parts_md5(u->parts, md5);
	struct str digest = object_base64(u->c->arena, str_bytes(md5, MD5_SIZE));
	exchange_header(&x, "content-type", S("application/xml"));
	exchange_header(&x, "x-ms-blob-content-md5", digest); // kept for readers
	int r = digest.p ? azure_add_properties(u->c, &x, u->put, u->parts->crc) : call_no_memory(u->c);
	if (!r)
		r = azure_add_condition(u->c, &x, &u->put->condition);
	if (!r)
		r = buf_check(&u->list, &u->c->err);
	if (!r)
		r = exchange_run(u->c, &u->store->provider, &x, &answer);
	// A list that was committed by an attempt whose answer was lost has no uncommitted blocks left: also our own
	// doing.
	bool gone = r == ERR_INVALID && str_eq(str_of(u->c->err.provider_code), S("InvalidBlockList"));
	if ((r == ERR_CONFLICT || gone) && x.attempts > 1)
		return object_settle_conflict(
			u->c, &(struct object_store){&azure_store_ops, u->store}, u->put, u->parts, out);
	if (r)
		return r;
	*out = (struct object){.size = u->parts->total,
		.etag = download_etag(transport_header(&answer, S("etag"))),
		.modified_ns = call_now_ns(u->c),
		.content_type = u->put->content_type,
		.crc32c = u->parts->crc,
		.has_crc32c = true};
	return 0;
}

static int send_all(struct upload *u, struct object *out)
{
	int r = send_block(u);
	while (!r && !u->parts->last) {
		r = parts_next(u->c, u->parts);
		if (!r)
			r = send_block(u);
	}
	return r ? r : commit(u, out);
}

int azure_upload_blocks(
	struct call *c, struct azure_store *s, const struct store_put *put, struct parts *parts, struct object *out)
{
	struct upload u = {
		.c = c, .store = s, .put = put, .parts = parts, .path = azure_path(c, put->bucket, put->key)};
	if (!u.path.p)
		return call_no_memory(c);
	int r = c->edges->random(c->edges->ctx, &u.random, sizeof(u.random));
	if (r)
		return call_fail(c, r, "no random numbers");
	buf_add(&u.list, S("<?xml version=\"1.0\" encoding=\"utf-8\"?><BlockList>"));
	r = send_all(&u, out);
	buf_free(&u.list);
	return r;
}
