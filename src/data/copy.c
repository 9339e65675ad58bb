// SPDX-License-Identifier: Apache-2.0
// Copies: a source that reads an object by ranges under one etag, given to the other cloud's put. Nothing is held but
// one range. Checksums: SHA-256 and CRC-32C of what passed; the CRC against what both stores say of the object, the
// length always, and where the target tells no checksum it is read again and compared.
#include "data/copy.h"

#include <stdlib.h>
#include <string.h>

#include "data/passage.h"

struct range_reader { // the ctx of the source
	struct call *c;
	const struct cloud *cloud;
	struct store_get get;  // of the whole object: bucket, key, if_match
	uint64_t size, at;     // at: how much of the object was fetched
	char *piece;           // owned, COPY_RANGE bytes
	size_t have, used;     // in piece
	struct digest *digest; // owned
	uint32_t crc;
};

static int piece_write(void *ctx, struct str data)
{
	struct range_reader *r = ctx;
	if (data.n > COPY_RANGE - r->have)
		return call_fail(
			r->c, ERR_PROTOCOL, "object %.*s: more bytes than the range asked for", STR(r->get.key));
	memcpy(r->piece + r->have, data.p, data.n);
	r->have += data.n;
	return 0;
}

static int piece_restart(void *ctx)
{
	struct range_reader *r = ctx;
	r->have = 0;
	return 0;
}

static int fetch_piece(struct range_reader *r)
{
	struct sink sink = {.ctx = r, .write = piece_write, .restart = piece_restart};
	struct store_get get = r->get;
	struct object ignored = {0};
	get.offset = r->at;
	get.length = MIN((uint64_t)COPY_RANGE, r->size - r->at);
	r->have = r->used = 0;
	// Each range has memory of its own, or a long copy would fill the caller's arena.
	AUTO(arena) arena = {0};
	struct call child = {0};
	call_child(&child, r->c, &arena, 0);
	int code = CLOUD_CALL(&child, r->cloud, store, get, &get, &sink, &ignored);
	if (code) {
		r->c->err = child.err;
		return call_context(r->c, "read %.*s from %.*s", STR(get.key), STR(r->cloud->name));
	}
	if (r->have != get.length)
		return call_fail(r->c, ERR_CORRUPT, "object %.*s on %.*s: %zu bytes came of %llu asked for",
			STR(get.key), STR(r->cloud->name), r->have, (unsigned long long)get.length);
	r->at += r->have;
	return 0;
}

static ssize_t range_read(void *ctx, void *out, size_t n)
{
	struct range_reader *r = ctx;
	if (r->used == r->have && r->at < r->size) {
		int code = fetch_piece(r);
		if (code)
			return code;
	}
	size_t take = MIN(n, r->have - r->used);
	struct str piece = str_bytes(r->piece + r->used, take);
	digest_update(r->digest, piece);
	r->crc = crc32c(r->crc, piece);
	memcpy(out, piece.p, take);
	r->used += take;
	return (ssize_t)take;
}

static int range_rewind(void *ctx)
{
	struct range_reader *r = ctx;
	unsigned char forgotten[SHA256_SIZE];
	(void)digest_final(r->digest, forgotten); // starts the digest anew
	r->crc = 0;
	r->at = r->have = r->used = 0;
	return 0;
}

// ---------------------------------------------------------------- proof
static int digest_write(void *ctx, struct str data)
{
	digest_update(ctx, data);
	return 0;
}

static int digest_restart(void *ctx)
{
	unsigned char forgotten[SHA256_SIZE];
	(void)digest_final(ctx, forgotten);
	return 0;
}

static int compare_by_reading(struct call *c, const struct copy_end *at, const struct copy_proof *proof)
{
	AUTO(digest) digest = digest_new(DIGEST_SHA256);
	unsigned char got[SHA256_SIZE];
	struct object ignored = {0};
	if (!digest)
		return call_no_memory(c);
	struct sink sink = {.ctx = digest, .write = digest_write, .restart = digest_restart};
	const struct store_get get = {.bucket = at->bucket, .key = at->key};
	if (CLOUD_CALL(c, at->cloud, store, get, &get, &sink, &ignored))
		return call_context(c, "read back %.*s from %.*s", STR(at->key), STR(at->cloud->name));
	(void)digest_final(digest, got);
	if (!hash_equal(got, proof->sha256, SHA256_SIZE))
		return call_fail(c, ERR_CORRUPT, "object %.*s on %.*s holds other bytes than were sent", STR(at->key),
			STR(at->cloud->name));
	return 0;
}

int copy_prove(struct call *c, const struct copy_end *at, const struct copy_proof *proof)
{
	struct object there = {0};
	if (CLOUD_CALL(c, at->cloud, store, head, at->bucket, at->key, &there))
		return call_context(c, "look at %.*s on %.*s", STR(at->key), STR(at->cloud->name));
	if (there.size != proof->size || (there.has_crc32c && there.crc32c != proof->crc32c))
		return call_fail(c, ERR_CORRUPT,
			"object %.*s on %.*s: %llu bytes with checksum %08x, sent were %llu with %08x", STR(at->key),
			STR(at->cloud->name), (unsigned long long)there.size, there.crc32c,
			(unsigned long long)proof->size, proof->crc32c);
	return there.has_crc32c ? 0 : compare_by_reading(c, at, proof);
}

// ---------------------------------------------------------------- one object
static int send_object(struct call *c, const struct copy *copy, const struct object *from, struct range_reader *r,
	struct copy_result *out)
{
	struct source source = {.ctx = r, .read = range_read, .rewind = range_rewind, .size = from->size};
	const struct store_put put = {.bucket = copy->to.bucket,
		.key = copy->to.key,
		.content_type = from->content_type,
		.metadata = from->metadata};
	struct copy_proof proof = {.size = from->size};
	struct object stored = {0};
	if (CLOUD_CALL(c, copy->to.cloud, store, put, &put, &source, &stored))
		return call_context(c, "write %.*s to %.*s", STR(copy->to.key), STR(copy->to.cloud->name));
	(void)digest_final(r->digest, proof.sha256);
	proof.crc32c = r->crc;
	if (from->has_crc32c && from->crc32c != r->crc)
		return call_fail(c, ERR_CORRUPT, "object %.*s on %.*s: its checksum is %08x, but %08x came",
			STR(from->key), STR(copy->from.cloud->name), from->crc32c, r->crc);
	if (copy_prove(c, &copy->to, &proof))
		return c->err.code;
	hex_encode(str_bytes(proof.sha256, SHA256_SIZE), out->sha256);
	out->objects++;
	out->bytes += from->size;
	return 0;
}

static int copy_found(struct call *c, const struct copy *copy, const struct object *from, struct copy_result *out)
{
	struct range_reader r = {
		.c = c,
		.cloud = copy->from.cloud,
		.size = from->size,
		.get = {.bucket = copy->from.bucket, .key = copy->from.key, .if_match = from->etag},
		.piece = malloc(COPY_RANGE),
		.digest = digest_new(DIGEST_SHA256),
	};
	int code = r.piece && r.digest ? send_object(c, copy, from, &r, out) : call_no_memory(c);
	free(r.piece);
	digest_free(r.digest);
	if (code || !copy->state)
		return code;
	const struct transfer moved = {.from = copy->from.cloud,
		.to = copy->to.cloud,
		.bytes = from->size,
		.what = copy->what,
		.id = copy->id};
	return transfer_record(c, copy->state, &moved);
}

static int may_pass(struct call *c, const struct copy *copy)
{
	const struct passage p = {.what = copy->bytes_of.n ? copy->bytes_of : copy->what,
		.to = copy->to.cloud,
		.making = true,
		.id = copy->id};
	return copy->state ? passage_check(c, copy->state, &p) : 0;
}

int copy_object(struct call *c, const struct copy *copy, struct copy_result *out)
{
	struct object from = {0};
	struct copy_result result = {0};
	if (may_pass(c, copy))
		return c->err.code;
	if (CLOUD_CALL(c, copy->from.cloud, store, head, copy->from.bucket, copy->from.key, &from))
		return call_context(c, "copy %.*s from %.*s", STR(copy->from.key), STR(copy->from.cloud->name));
	if (copy_found(c, copy, &from, &result))
		return c->err.code;
	*out = result;
	return 0;
}

// ---------------------------------------------------------------- all below a prefix
static bool is_there(struct call *c, const struct copy_end *to, const struct object *from)
{
	AUTO(arena) arena = {0};
	struct call child = {0};
	struct object there = {0};
	call_child(&child, c, &arena, 0);
	if (CLOUD_CALL(&child, to->cloud, store, head, to->bucket, to->key, &there))
		return false;
	return there.size == from->size && there.has_crc32c && from->has_crc32c && there.crc32c == from->crc32c;
}

static int copy_one_of(struct call *c, const struct copy *copy, const struct object *listed, struct copy_result *sum)
{
	struct str rest = str_drop(listed->key, copy->from.key.n);
	struct copy one = *copy;
	struct object from = {0};
	one.from.key = listed->key;
	one.to.key = arena_printf(c->arena, "%.*s%.*s", STR(copy->to.key), STR(rest));
	one.id = copy->id.n ? arena_printf(c->arena, "%.*s/%.*s", STR(copy->id), STR(rest)) : S("");
	if (!one.to.key.p || !one.id.p)
		return call_no_memory(c);
	if (CLOUD_CALL(c, copy->from.cloud, store, head, one.from.bucket, one.from.key,
		    &from)) // a listing tells no checksum
		return call_context(c, "copy %.*s", STR(one.from.key));
	if (is_there(c, &one.to, &from)) {
		sum->skipped++;
		return 0;
	}
	return copy_found(c, &one, &from, sum);
}

int copy_prefix(struct call *c, const struct copy *copy, struct copy_result *out)
{
	struct store_page page = {0};
	struct copy_result sum = {0};
	if (may_pass(c, copy))
		return c->err.code;
	if (cloud_list_all(c, copy->from.cloud, copy->from.bucket, copy->from.key, &page))
		return call_context(c, "list %.*s on %.*s", STR(copy->from.key), STR(copy->from.cloud->name));
	for (size_t i = 0; i < page.count; i++)
		if (call_check(c) || copy_one_of(c, copy, &page.objects[i], &sum))
			return c->err.code;
	*out = sum;
	return 0;
}
