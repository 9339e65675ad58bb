// SPDX-License-Identifier: Apache-2.0
// The streams of the sealed store: a source that encrypts, a sink that decrypts. See sealed_impl.h. Both look one byte
// ahead of a frame, since whether it is the last one is part of how it is sealed.
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/sealed_impl.h"

// ---------------------------------------------------------------- sealing

// A fresh salt each time: sealed again after a rewind, a source may give other bytes, and no nonce may be used twice
// under one key.
static int make_header(struct sealing *s)
{
	unsigned char salt[FRAMES_SALT_SIZE];
	int r = s->c->edges->random(s->c->edges->ctx, salt, sizeof(salt));
	if (r)
		return call_fail(s->c, r, "no random numbers");
	frames_free(s->frames);
	s->frames = NULL;
	r = frames_new(&s->object, salt, s->out, &s->frames, &s->c->err);
	s->out_size = FRAMES_HEADER_SIZE;
	s->out_given = 0;
	s->plain_size = 0;
	s->number = s->total = 0;
	s->ended = s->done = false;
	s->crc = 0;
	return r;
}

static int fill(struct sealing *s)
{
	while (!s->ended && s->plain_size <= FRAME_PLAIN_SIZE) {
		ssize_t n = s->from->read(s->from->ctx, s->plain + s->plain_size, FRAME_PLAIN_SIZE + 1 - s->plain_size);
		if (n < 0)
			return (int)n;
		s->ended = n == 0;
		s->plain_size += (size_t)n;
	}
	return 0;
}

static int seal_next(struct sealing *s)
{
	int r = fill(s);
	if (r)
		return r;
	bool more = s->plain_size > FRAME_PLAIN_SIZE;
	struct str plain = str_bytes(s->plain, more ? FRAME_PLAIN_SIZE : s->plain_size);
	r = frames_seal(s->frames, (struct frame_place){s->number, !more}, plain, s->out, &s->c->err);
	if (r)
		return r;
	s->crc = crc32c(s->crc, plain);
	s->total += plain.n;
	s->out_size = plain.n + FRAME_TAG_SIZE;
	s->out_given = 0;
	s->number++;
	s->done = !more;
	if (more)
		s->plain[0] = s->plain[FRAME_PLAIN_SIZE];
	s->plain_size = more;
	return 0;
}

static ssize_t sealing_read(void *ctx, void *out, size_t n)
{
	struct sealing *s = ctx;
	if (s->out_given == s->out_size) {
		int r = s->done ? 0 : seal_next(s);
		if (r || s->out_given == s->out_size)
			return r;
	}
	size_t give = MIN(n, s->out_size - s->out_given);
	memcpy(out, s->out + s->out_given, give);
	s->out_given += give;
	return (ssize_t)give;
}

static int sealing_rewind(void *ctx)
{
	struct sealing *s = ctx;
	int r = s->from->rewind(s->from->ctx);
	return r ? r : make_header(s);
}

int sealing_start(struct sealing *s, struct source *as)
{
	s->plain = malloc(FRAME_PLAIN_SIZE + 1);
	s->out = malloc(FRAME_SEALED_SIZE);
	if (!s->plain || !s->out)
		return call_no_memory(s->c);
	*as = (struct source){.ctx = s,
		.read = sealing_read,
		.rewind = s->from->rewind ? sealing_rewind : NULL,
		.size = frames_sealed_size(s->from->size)};
	return make_header(s);
}

void sealing_finish(struct sealing *s)
{
	frames_free(s->frames);
	if (s->plain)
		OPENSSL_cleanse(s->plain, FRAME_PLAIN_SIZE + 1);
	free(s->plain);
	free(s->out);
}

// ---------------------------------------------------------------- opening

// Passes what of the frame's plaintext lies in the wanted range.
static int pass(struct opening *o, uint64_t start, struct str plain)
{
	uint64_t from = MAX(start, o->offset), to = MIN(start + plain.n, o->end);
	if (from >= to)
		return 0;
	struct str wanted = str_take(str_drop(plain, (size_t)(from - start)), (size_t)(to - from));
	o->given += wanted.n;
	return o->to->write(o->to->ctx, wanted);
}

static int open_pending(struct opening *o, bool last)
{
	struct str sealed = str_bytes(o->pending, o->pending_size);
	int r = frames_open(o->frames, (struct frame_place){o->number, last}, sealed, o->plain, &o->c->err);
	if (r)
		return r;
	r = pass(o, o->number * FRAME_PLAIN_SIZE, str_bytes(o->plain, sealed.n - FRAME_TAG_SIZE));
	o->number++;
	o->pending_size = 0;
	return r;
}

static void collect(struct opening *o, struct str *data, size_t up_to)
{
	struct str piece = str_take(*data, up_to - o->pending_size);
	memcpy(o->pending + o->pending_size, piece.p, piece.n);
	o->pending_size += piece.n;
	*data = str_drop(*data, piece.n);
}

static int opening_write(void *ctx, struct str data)
{
	struct opening *o = ctx;
	while (data.n) {
		int r = 0;
		if (!o->frames) {
			collect(o, &data, FRAMES_HEADER_SIZE);
			if (o->pending_size == FRAMES_HEADER_SIZE)
				r = opening_header(o, o->pending);
		} else if (o->pending_size == FRAME_SEALED_SIZE) {
			r = open_pending(o, false); // more follows, so it is not the last
		} else {
			collect(o, &data, FRAME_SEALED_SIZE);
		}
		if (r)
			return r;
	}
	return 0;
}

static int opening_restart(void *ctx)
{
	struct opening *o = ctx;
	o->pending_size = 0;
	o->number = o->first;
	o->given = 0;
	if (o->first == 0) { // the header comes again, and may be another
		frames_free(o->frames);
		o->frames = NULL;
	}
	return o->to->restart(o->to->ctx);
}

int opening_start(struct opening *o, struct sink *as)
{
	o->pending = malloc(FRAME_SEALED_SIZE);
	o->plain = malloc(FRAME_PLAIN_SIZE);
	if (!o->pending || !o->plain)
		return call_no_memory(o->c);
	o->number = o->first;
	*as = (struct sink){.ctx = o, .write = opening_write, .restart = o->to->restart ? opening_restart : NULL};
	return 0;
}

int opening_header(struct opening *o, const unsigned char header[FRAMES_HEADER_SIZE])
{
	o->pending_size = 0;
	return frames_of_header(&o->object, header, &o->frames, &o->c->err);
}

int opening_end(struct opening *o, uint64_t sealed_size)
{
	uint64_t plain;
	if (!o->frames || !o->pending_size || !frames_plain_size(sealed_size, &plain))
		return call_fail(o->c, ERR_CORRUPT, "the object is too short to be encrypted by Isobar, or was cut");
	return open_pending(o, o->number + 1 == frames_count(plain));
}

void opening_finish(struct opening *o)
{
	frames_free(o->frames);
	if (o->plain)
		OPENSSL_cleanse(o->plain, FRAME_PLAIN_SIZE);
	free(o->pending);
	free(o->plain);
}
