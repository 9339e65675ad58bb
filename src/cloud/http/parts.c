// SPDX-License-Identifier: Apache-2.0
// A source cut into parts: see parts.h.
#include "cloud/http/parts.h"

#include <stdlib.h>
#include <string.h>

void parts_init(struct parts *p, struct source *from, bool with_md5)
{
	*p = (struct parts){.from = from, .with_md5 = with_md5};
}

void parts_free(struct parts *p)
{
	free(p->bytes);
	digest_free(p->md5);
	*p = (struct parts){0};
}

static size_t size_of(unsigned number)
{
	return (size_t)PART_SIZE << ((number - 1) / PARTS_PER_SIZE);
}

// Room for the part; a source that says it is small needs no more than that.
static int make_room(struct call *c, struct parts *p)
{
	size_t want = size_of(p->number);
	if (p->from->size < want)
		want = (size_t)p->from->size + 1;
	if (want <= p->room)
		return 0;
	unsigned char *bytes = realloc(p->bytes, want);
	if (!bytes)
		return call_fail(c, ERR_NO_MEMORY, "out of memory for a part of %zu bytes", want);
	p->bytes = bytes;
	p->room = want;
	return 0;
}

// Up to n bytes, fewer only at the source's end.
static int fill(struct call *c, struct parts *p, unsigned char *out, size_t n, size_t *got)
{
	size_t at = 0;
	while (at < n && !p->ended) {
		ssize_t read = p->from->read(p->from->ctx, out + at, n - at);
		if (read < 0 && c->err.code == read)
			return call_context(
				c, "reading what is to be sent, after %llu bytes", (unsigned long long)(p->total + at));
		if (read < 0 || (size_t)read > n - at)
			return call_fail(c, read < 0 ? (int)read : ERR_INTERNAL,
				"reading what is to be sent failed after %llu bytes: %s",
				(unsigned long long)(p->total + at), err_word(read < 0 ? (int)read : ERR_INTERNAL));
		p->ended = read == 0;
		at += (size_t)read;
	}
	*got = at;
	return 0;
}

static int check_size(struct call *c, const struct parts *p)
{
	uint64_t said = p->from->size, got = p->total + p->has_peeked;
	if (said == UINT64_MAX || (p->last ? got == said : got <= said))
		return 0;
	return call_fail(c, ERR_IO,
		"what is to be sent should have %llu bytes and has %s%llu: it changed while it was read",
		(unsigned long long)said, p->last ? "" : "at least ", (unsigned long long)got);
}

int parts_next(struct call *c, struct parts *p)
{
	size_t start = 0, got = 0, peeked = 0;
	p->number++;
	if (p->number > PARTS_MAX)
		return call_fail(c, ERR_LIMIT, "an object of more than %llu bytes needs more than %d parts",
			(unsigned long long)p->total, PARTS_MAX);
	if (p->with_md5 && !p->md5 && !(p->md5 = digest_new(DIGEST_MD5)))
		return call_no_memory(c);
	int r = make_room(c, p);
	if (r)
		return r;
	if (p->has_peeked)
		p->bytes[start++] = p->peeked;
	p->has_peeked = false;
	size_t want = MIN(size_of(p->number), p->room);
	r = fill(c, p, p->bytes + start, want - start, &got);
	if (!r)
		r = fill(c, p, &p->peeked, 1, &peeked);
	if (r)
		return r;
	p->has_peeked = peeked == 1;
	p->last = !p->has_peeked;
	p->part = str_bytes(p->bytes, start + got);
	p->offset = p->total;
	p->part_crc = crc32c(0, p->part);
	p->total += p->part.n;
	p->crc = crc32c_combine(p->crc, p->part_crc, p->part.n);
	if (p->md5)
		digest_update(p->md5, p->part);
	return check_size(c, p);
}

int parts_rewind(struct call *c, struct parts *p)
{
	struct source *from = p->from;
	bool with_md5 = p->with_md5;
	if (!from->rewind)
		return c->err.code ? c->err.code
				   : call_fail(c, ERR_CONFLICT, "what is to be sent cannot be read a second time");
	int r = from->rewind(from->ctx);
	if (r)
		return call_fail(c, r, "what is to be sent cannot be read a second time: %s", err_word(r));
	parts_free(p);
	parts_init(p, from, with_md5);
	return 0;
}

void parts_md5(struct parts *p, unsigned char out[SHA256_SIZE])
{
	digest_final(p->md5, out);
}
