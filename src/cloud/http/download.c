// SPDX-License-Identifier: Apache-2.0
// Reading an object: see download.h.
#include "cloud/http/download.h"

#include <stdio.h>
#include <string.h>

#include "base/time.h"

enum {
	STARTS = 3,          // from the first byte, when the object changed or a checksum was wrong
	PROGRESS = 64 << 10, // bytes after which a cut counts as the first one again
};

// ---------------------------------------------------------------- header values

// "bytes 0-99/1234"
static bool read_content_range(struct str value, uint64_t *first, uint64_t *size)
{
	struct str range, rest, last;
	uint64_t end;
	if (!str_starts(value, S("bytes ")) || !str_cut(str_drop(value, 6), '/', &range, &rest))
		return false;
	return str_cut(range, '-', &range, &last) && !str_to_u64(range, first) && !str_to_u64(last, &end) &&
	       !str_to_u64(rest, size) && *first <= end && end < *size;
}

int download_size(struct call *c, const struct transport_response *r, uint64_t *size)
{
	uint64_t first;
	struct str range = transport_header(r, S("content-range")), length = transport_header(r, S("content-length"));
	bool right = range.n ? read_content_range(range, &first, size) : !str_to_u64(length, size);
	return right ? 0 : call_fail(c, ERR_PROTOCOL, "the answer does not say how large the object is");
}

struct str download_etag(struct str value)
{
	if (str_starts(value, S("W/")))
		value = str_drop(value, 2);
	if (value.n >= 2 && value.p[0] == '"' && value.p[value.n - 1] == '"')
		value = (struct str){value.p + 1, value.n - 2};
	return value;
}

int64_t download_modified_ns(const struct transport_response *r)
{
	int64_t ns;
	return time_parse_http_date(transport_header(r, S("last-modified")), &ns) ? 0 : ns;
}

// ---------------------------------------------------------------- answers

static bool wants_whole(const struct download *d)
{
	return d->get->offset == 0 && (d->get->length == 0 || d->get->length == UINT64_MAX);
}

static uint64_t first_end(const struct download *d)
{
	uint64_t length = d->get->length ? d->get->length : UINT64_MAX, end;
	return __builtin_add_overflow(d->get->offset, length, &end) ? UINT64_MAX : end;
}

static void take_first_head(struct download *d)
{
	d->object = d->head.object;
	d->started = true;
	d->end = MIN(first_end(d), d->object.size);
}

static int check_same(struct download *d)
{
	const struct object *now = &d->head.object;
	if (!str_eq(now->etag, d->object.etag) || now->size != d->object.size)
		return call_fail(d->c, ERR_CONFLICT, "the object changed while it was read");
	return 0;
}

static int on_head(void *ctx, const struct transport_response *r)
{
	struct download *d = ctx;
	struct str range = transport_header(r, S("content-range"));
	uint64_t first = 0, size = 0;
	d->head = (struct download_head){0};
	int code = d->read_head(d->c, r, &d->head);
	if (!code && d->started)
		code = check_same(d);
	if (code)
		return code;
	if (!d->started)
		take_first_head(d);
	if (r->status == 206 && (!read_content_range(range, &first, &size) || size != d->object.size))
		return call_fail(d->c, ERR_PROTOCOL, "the answer to a range has no valid Content-Range");
	if (first != d->at)
		return call_fail(d->c, ERR_PROTOCOL, "asked for the bytes from %llu on, and got those from %llu on",
			(unsigned long long)d->at, (unsigned long long)first);
	d->answer_at = d->at;
	if (d->head.has_md5 && !d->md5 && !(d->md5 = digest_new(DIGEST_MD5)))
		return call_no_memory(d->c);
	return 0;
}

static int on_data(void *ctx, struct str piece)
{
	struct download *d = ctx;
	if (piece.n > d->end - d->at)
		return call_fail(d->c, ERR_PROTOCOL, "the answer holds more than the bytes asked for");
	int code = d->to->write(d->to->ctx, piece);
	if (code)
		return code;
	if (d->head.has_md5)
		digest_update(d->md5, piece);
	if (d->object.has_crc32c)
		d->crc = crc32c(d->crc, piece);
	d->at += piece.n;
	return 0;
}

// The answer's own digest covers this answer; the object's checksum all of it.
static int check_answer(struct download *d)
{
	unsigned char md5[SHA256_SIZE];
	if (d->head.has_md5) {
		digest_final(d->md5, md5);
		if (!hash_equal(md5, d->head.md5, MD5_SIZE))
			return call_fail(d->c, ERR_CORRUPT,
				"the MD5 digest of the bytes %llu to %llu is not the one that came with them",
				(unsigned long long)d->answer_at, (unsigned long long)d->at);
	}
	if (d->object.has_crc32c && d->get->offset == 0 && d->at == d->object.size && d->crc != d->object.crc32c)
		return call_fail(
			d->c, ERR_CORRUPT, "the CRC-32C is %08x, the store says %08x", d->crc, d->object.crc32c);
	return 0;
}

// ---------------------------------------------------------------- requests

static void set_range(struct download *d)
{
	struct exchange *x = d->exchange;
	if (d->at == 0 && wants_whole(d)) // no range: the answer then is the whole, and may carry a digest of it
		return;
	uint64_t end = d->started ? d->end : first_end(d);
	if (end == UINT64_MAX)
		snprintf(d->range, sizeof(d->range), "bytes=%llu-", (unsigned long long)d->at);
	else
		snprintf(d->range, sizeof(d->range), "bytes=%llu-%llu", (unsigned long long)d->at,
			(unsigned long long)end - 1);
	if (d->range_header == SIZE_MAX) {
		d->range_header = x->header_count;
		exchange_header(x, "range", S(""));
	}
	if (d->range_header < EXCHANGE_MAX_HEADERS)
		x->headers[d->range_header].value = str_of(d->range);
}

static int on_again(struct call *c, void *ctx, struct exchange *x)
{
	struct download *d = ctx;
	if (d->at - d->resumed_at >= PROGRESS)
		x->attempts = 0;
	d->resumed_at = d->at;
	if (d->md5) { // what a cut answer left in the digest
		unsigned char unused[SHA256_SIZE];
		digest_final(d->md5, unused);
	}
	set_range(d);
	// From the first head on only this very version will do, also when the caller did not name one.
	if (!d->started || d->pinned || !d->object.etag.n || d->get->if_match.n)
		return 0;
	d->pinned = true;
	return d->pin(c, x, d->object.etag);
}

static int run_once(struct download *d)
{
	struct transport_response answer = {0};
	int r;
	do {
		r = exchange_run(d->c, d->provider, d->exchange, &answer);
		if (!r)
			r = check_answer(d);
		// A body without a length may end early without anybody noticing but us.
		if (!r && d->at != d->end && (r = on_again(d->c, d, d->exchange)) == 0)
			continue;
		return r;
	} while (d->exchange->attempts < d->provider->retry.attempts);
	return call_fail(d->c, ERR_UNAVAILABLE, "the answer ended after %llu of %llu bytes", (unsigned long long)d->at,
		(unsigned long long)d->end);
}

static void start(struct download *d)
{
	d->started = d->pinned = false;
	d->at = d->resumed_at = d->get->offset;
	d->end = 0;
	d->crc = 0;
	d->exchange->attempts = 0;
}

static bool may_start_again(const struct download *d, int r)
{
	bool changed = r == ERR_CONFLICT && d->started && !d->get->if_match.n;
	return (changed || r == ERR_CORRUPT) && d->to->restart != NULL;
}

int download_run(struct download *d, struct object *out)
{
	const struct exchange first = *d->exchange; // without pin and range
	int r = 0;
	for (int i = 0; i < STARTS; i++) {
		*d->exchange = first;
		d->exchange->head = on_head;
		d->exchange->data = on_data;
		d->exchange->again = on_again;
		d->exchange->ctx = d;
		d->range_header = SIZE_MAX;
		start(d);
		set_range(d);
		r = run_once(d);
		if (!r || i + 1 == STARTS || !may_start_again(d, r) || d->to->restart(d->to->ctx))
			break;
	}
	digest_free(d->md5);
	d->md5 = NULL;
	if (!r)
		*out = d->object;
	return r;
}
