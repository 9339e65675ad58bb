// SPDX-License-Identifier: Apache-2.0
// Shared by the parsers of requests and responses.
#ifndef ISOBAR_NET_HTTP1_IMPL_H
#define ISOBAR_NET_HTTP1_IMPL_H

#include "net/http1.h"

// Sets the error and the status to answer.
#define http1_refuse(e, status, ...) http1_status((e), (status), err_set((e), ERR_PROTOCOL, __VA_ARGS__))
int http1_status(struct err *e, int status, int code);

// Takes the first line off *head (without CRLF); the rest stays.
struct str http1_take_line(struct str *head);
// The header lines up to the empty one. Names are turned to lower case in place: text must be the arena's copy.
MUST_CHECK int http1_parse_headers(
	struct str text, const struct http1_limits *limits, struct arena *a, struct http_headers *out, struct err *e);
// Content-Length and Transfer-Encoding. *length: -2 when neither was sent; *chunked. Anything odd is refused.
enum { HTTP1_NO_LENGTH = -2 };
MUST_CHECK int http1_parse_framing(const struct http_headers *h, int64_t *length, bool *chunked, struct err *e);
// "HTTP/1.1"; ERR with 505 for other majors.
MUST_CHECK int http1_parse_version(struct str text, enum http_version *out, struct err *e);
// Whether the connection stays open by version and Connection header.
bool http1_keeps_alive(enum http_version version, const struct http_headers *h);

#endif
