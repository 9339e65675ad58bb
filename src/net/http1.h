// SPDX-License-Identifier: Apache-2.0
// HTTP/1.1 on the wire (RFC 9112), strictly: whatever two programs could read differently is refused, since a proxy
// that guesses is how requests are smuggled. Works on bytes, never on sockets; results do not depend on how the bytes
// were cut. Used in three steps: http1_find_head() until the head is whole, then http1_parse_request() or _response(),
// then http1_body_read() for the body. Errors carry the status to answer in err.http_status (400, 414, 417, 431, 501,
// 505); the connection must be closed after any of them.
#ifndef ISOBAR_NET_HTTP1_H
#define ISOBAR_NET_HTTP1_H

#include "base/arena.h"
#include "base/buf.h"
#include "net/http.h"

struct http1_limits {
	size_t line_bytes; // request or status line
	size_t head_bytes; // the whole head
	size_t header_count;
};
extern const struct http1_limits http1_default_limits;

struct http1_scan { // zero value: nothing seen yet
	size_t seen;
	size_t lines;
	size_t line_start;
};
// Looks for the empty line that ends a head. *head_size is its size with that line, or 0 while more bytes are needed
// (the same bytes, grown, are given again). Bare CR, bare LF, NUL and limits are noticed at once.
MUST_CHECK int http1_find_head(
	struct http1_scan *scan, struct str bytes, const struct http1_limits *limits, size_t *head_size, struct err *e);

// head: exactly one whole head. It is copied into the arena; *out refers to that copy.
MUST_CHECK int http1_parse_request(
	struct str head, const struct http1_limits *limits, struct arena *a, struct http_request *out, struct err *e);
// request_method decides whether a body follows (none after HEAD). Responses with both lengths, with two lengths, or
// with a strange transfer coding are ERR_PROTOCOL. status 1xx: no body, another head follows.
MUST_CHECK int http1_parse_response(struct str head, const struct http1_limits *limits, enum http_method request_method,
	struct arena *a, struct http_response *out, struct err *e);

enum http1_body_type { HTTP1_BODY_NONE, HTTP1_BODY_LENGTH, HTTP1_BODY_CHUNKED, HTTP1_BODY_UNTIL_CLOSE };
struct http1_body {
	enum http1_body_type type;
	uint64_t left;   // of the body, or of the chunk
	int state;       // of the chunk reader
	size_t line;     // bytes of the current chunk or trailer line
	size_t trailers; // bytes of all trailers
	unsigned digits;
	uint64_t total; // bytes of body handed out
	bool done;
	char name[16]; // start of a trailer's name, to refuse framing fields there
	size_t name_size;
};
void http1_body_of_request(struct http1_body *b, const struct http_request *r);
void http1_body_of_response(struct http1_body *b, const struct http_response *r);
// Takes bytes off `in`: *used of them, giving one piece of body (borrowed from in, maybe empty). Call again with the
// rest until b->done or in is used up. Trailers are checked and dropped.
MUST_CHECK int http1_body_read(struct http1_body *b, struct str in, size_t *used, struct str *piece, struct err *e);

// Writing. Names and values must be http_is_token() and http_is_field_value(); others make the buffer fail.
void http1_write_request_line(struct buf *out, struct str method, struct str target);
void http1_write_status_line(struct buf *out, int status);
void http1_write_header(struct buf *out, struct str name, struct str value);

#endif
