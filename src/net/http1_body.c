// SPDX-License-Identifier: Apache-2.0
// Bodies of HTTP/1: by length, in chunks, or until the connection ends. The chunk reader takes one byte after the other
// outside of data, so that its result cannot depend on how the bytes were cut. See http1.h.
#include <string.h>

#include "net/http1_impl.h"

enum chunk_state {
	CHUNK_SIZE,
	CHUNK_EXTENSION,
	CHUNK_SIZE_LF,
	CHUNK_DATA,
	CHUNK_DATA_CR,
	CHUNK_DATA_LF,
	TRAILER_START,
	TRAILER_NAME,
	TRAILER_VALUE,
	TRAILER_LF,
	LAST_LF,
};

// A size line carries 16 digits and maybe a chunk signature (85 bytes); trailers are checksums.
enum { LINE_MAX_BYTES = 256, TRAILER_MAX_BYTES = 4096, SIZE_MAX_DIGITS = 15 };

void http1_body_of_request(struct http1_body *b, const struct http_request *r)
{
	*b = (struct http1_body){.type = HTTP1_BODY_NONE, .done = r->length == 0};
	if (r->length == HTTP_LENGTH_UNKNOWN) {
		b->type = HTTP1_BODY_CHUNKED;
	} else if (r->length > 0) {
		b->type = HTTP1_BODY_LENGTH;
		b->left = (uint64_t)r->length;
	}
}

void http1_body_of_response(struct http1_body *b, const struct http_response *r)
{
	*b = (struct http1_body){.type = HTTP1_BODY_NONE, .done = r->length == 0};
	if (r->chunked) {
		b->type = HTTP1_BODY_CHUNKED;
	} else if (r->length == HTTP_LENGTH_UNKNOWN) {
		b->type = HTTP1_BODY_UNTIL_CLOSE;
	} else if (r->length > 0) {
		b->type = HTTP1_BODY_LENGTH;
		b->left = (uint64_t)r->length;
	}
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int malformed(struct err *e, const char *what)
{
	return http1_refuse(e, 400, "the chunked body is malformed: %s", what);
}

static int size_byte(struct http1_body *b, char c, struct err *e)
{
	int value = hex_value(c);
	if (value >= 0) {
		if (++b->digits > SIZE_MAX_DIGITS)
			return malformed(e, "a chunk size has too many digits");
		b->left = b->left * 16 + (uint64_t)value;
		return 0;
	}
	if (b->digits == 0 || (c != ';' && c != '\r'))
		return malformed(e, "a chunk size is not hexadecimal");
	b->state = c == ';' ? CHUNK_EXTENSION : CHUNK_SIZE_LF;
	return 0;
}

// Extensions are dropped, but only visible ASCII may be in them.
static int extension_byte(struct http1_body *b, char c, struct err *e)
{
	if (c == '\r')
		b->state = CHUNK_SIZE_LF;
	else if ((unsigned char)c < 0x20 || (unsigned char)c > 0x7e)
		return malformed(e, "a chunk extension has a forbidden character");
	return 0;
}

// Fields that change how a message is read or who sent it have no business behind the body.
static bool is_forbidden_trailer(struct str name)
{
	static const struct str names[] = {S_INIT("content-length"), S_INIT("transfer-enco"), S_INIT("host"),
		S_INIT("authorization"), S_INIT("connection"), S_INIT("cookie"), S_INIT("trailer"), S_INIT("te"),
		S_INIT("expect"), S_INIT("content-encod"), S_INIT("content-type"), S_INIT("content-range")};
	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (str_eq_nocase(str_take(name, 13), str_take(names[i], 13)))
			return true;
	return false;
}

static int trailer_name_byte(struct http1_body *b, char c, struct err *e)
{
	if (c == ':') {
		struct str name = {b->name, MIN(b->name_size, sizeof(b->name))};
		if (name.n == 0 || is_forbidden_trailer(name))
			return malformed(e, "a trailer that is not allowed");
		b->state = TRAILER_VALUE;
		return 0;
	}
	if (!http_is_token((struct str){&c, 1}))
		return malformed(e, "a trailer without a valid name");
	if (b->name_size < sizeof(b->name))
		b->name[b->name_size] = c;
	b->name_size++;
	return 0;
}

static int trailer_byte(struct http1_body *b, char c, struct err *e)
{
	if (++b->trailers > TRAILER_MAX_BYTES)
		return malformed(e, "the trailers are too long");
	if (b->state == TRAILER_START) {
		b->name_size = 0;
		if (c == '\r') {
			b->state = LAST_LF;
			return 0;
		}
		b->state = TRAILER_NAME;
	}
	if (b->state == TRAILER_NAME)
		return trailer_name_byte(b, c, e);
	if (c == '\r')
		b->state = TRAILER_LF;
	else if (((unsigned char)c < 0x20 && c != '\t') || (unsigned char)c > 0x7e)
		return malformed(e, "a trailer has a forbidden character");
	return 0;
}

static int line_feed(struct http1_body *b, char c, struct err *e)
{
	if (c != '\n')
		return malformed(e, "a CR without its LF");
	if (b->state == LAST_LF)
		b->done = true;
	else if (b->state == TRAILER_LF)
		b->state = TRAILER_START;
	else if (b->state == CHUNK_SIZE_LF)
		b->state = b->left ? CHUNK_DATA : TRAILER_START;
	else
		b->state = CHUNK_SIZE;
	b->line = 0;
	b->digits = 0;
	return 0;
}

static int control_byte(struct http1_body *b, char c, struct err *e)
{
	switch ((enum chunk_state)b->state) {
	case CHUNK_SIZE:
	case CHUNK_EXTENSION:
		if (++b->line > LINE_MAX_BYTES)
			return malformed(e, "a chunk size line is too long");
		return b->state == CHUNK_SIZE ? size_byte(b, c, e) : extension_byte(b, c, e);
	case CHUNK_DATA_CR:
		if (c != '\r')
			return malformed(e, "a chunk is longer than its size");
		b->state = CHUNK_DATA_LF;
		return 0;
	case TRAILER_START:
	case TRAILER_NAME:
	case TRAILER_VALUE:
		return trailer_byte(b, c, e);
	case CHUNK_SIZE_LF:
	case CHUNK_DATA_LF:
	case TRAILER_LF:
	case LAST_LF:
		return line_feed(b, c, e);
	case CHUNK_DATA:
		break;
	}
	return malformed(e, "unknown state");
}

// Data at the start of in: as much of it as belongs to the body.
static void take_data(struct http1_body *b, struct str in, size_t *used, struct str *piece)
{
	*piece = str_take(str_drop(in, *used), b->left < SIZE_MAX ? (size_t)b->left : SIZE_MAX);
	*used += piece->n;
	b->total += piece->n;
	if (b->type == HTTP1_BODY_UNTIL_CLOSE)
		return;
	b->left -= piece->n;
	if (b->left)
		return;
	if (b->type == HTTP1_BODY_CHUNKED)
		b->state = CHUNK_DATA_CR;
	else
		b->done = true;
}

int http1_body_read(struct http1_body *b, struct str in, size_t *used, struct str *piece, struct err *e)
{
	*used = 0;
	*piece = (struct str){0};
	if (b->type == HTTP1_BODY_UNTIL_CLOSE)
		b->left = UINT64_MAX;
	while (!b->done && *used < in.n) {
		if (b->type != HTTP1_BODY_CHUNKED || b->state == CHUNK_DATA) {
			take_data(b, in, used, piece);
			return 0;
		}
		int code = control_byte(b, in.p[*used], e);
		if (code)
			return code;
		(*used)++;
	}
	return 0;
}
