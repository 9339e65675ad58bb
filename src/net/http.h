// SPDX-License-Identifier: Apache-2.0
// The request, response and header types that every version of HTTP shares (RFC 9110). Header names are lower case,
// values trimmed; order is kept. All text lives in the arena of the exchange, or is borrowed where said. Pure.
#ifndef ISOBAR_NET_HTTP_H
#define ISOBAR_NET_HTTP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

enum http_method {
	HTTP_OTHER, // any other token
	HTTP_GET,
	HTTP_HEAD,
	HTTP_POST,
	HTTP_PUT,
	HTTP_DELETE,
	HTTP_PATCH,
	HTTP_OPTIONS,
};
enum http_version { HTTP_1_0, HTTP_1_1, HTTP_2 };

struct http_header {
	struct str name; // lower case
	struct str value;
};
#define HTTP_HEADER(name_literal, value_literal)                                                                       \
	{                                                                                                              \
		.name = S_INIT(name_literal), .value = S_INIT(value_literal)                                           \
	}

struct http_headers {
	struct http_header *items; // arena
	size_t count, room;
};

enum { HTTP_LENGTH_UNKNOWN = -1 }; // a body whose end is found otherwise: chunks, or the end of the connection

struct http_request {
	enum http_version version;
	enum http_method method;
	struct str method_text; // "GET"
	struct str target;      // as sent, absolute-form reduced to origin-form: "/a%20b?x=1"; "*" for OPTIONS
	struct str path;        // of the target, still encoded
	struct str query;       // without '?'; .p NULL when there was none
	struct str authority;   // of the Host header: "localhost:8080"
	struct http_headers headers;
	int64_t length;       // of the body; 0: none; HTTP_LENGTH_UNKNOWN: chunked
	bool expect_continue; // the client waits for "100 Continue" before it sends the body
	bool keep_alive;
};

struct http_response {
	enum http_version version;
	int status;
	struct http_headers headers;
	int64_t length; // of the body that follows; 0: none; HTTP_LENGTH_UNKNOWN: chunked or until the connection ends
	bool chunked;
	bool keep_alive; // the connection may serve another request afterwards
};

enum http_method http_method_of(struct str text); // case-sensitive, as RFC 9110 says
const char *http_status_text(int status);         // "Not Found"; "" when unknown

// The first header of that (lower case) name; .p NULL when absent.
struct str http_header_get(const struct http_headers *h, const char *name);
size_t http_header_count(const struct http_headers *h, const char *name);
// Appends; texts are borrowed. ERR_NO_MEMORY.
MUST_CHECK int http_header_add(struct http_headers *h, struct arena *a, struct str name, struct str value);
// Whether a comma-separated list ("a, b") holds the token, compared without case.
bool http_list_has(struct str list, struct str token);
bool http_is_token(struct str s);       // RFC 9110 5.6.2, not empty
bool http_is_field_value(struct str s); // visible ASCII, space, tab; none of them at the ends
// Headers of one connection only, never forwarded: connection, keep-alive, te, trailer, transfer-encoding, upgrade,
// proxy-*; and those that a Connection header names are the caller's to drop.
bool http_is_hop_by_hop(struct str name);

#endif
