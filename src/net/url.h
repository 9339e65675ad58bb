// SPDX-License-Identifier: Apache-2.0
// URLs, strictly (RFC 3986): what is not allowed by the grammar is refused, never repaired. Pure; parts are borrowed
// from the text given. User information ("user@host") is refused everywhere.
#ifndef ISOBAR_NET_URL_H
#define ISOBAR_NET_URL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

enum { URL_MAX_BYTES = 16384 };

enum url_host_type { URL_HOST_NAME, URL_HOST_IPV4, URL_HOST_IPV6 };

struct url_authority {
	struct str host; // as written; an IPv6 literal without its brackets
	enum url_host_type type;
	uint16_t port; // as written, else 0
};
struct url {
	struct str scheme; // "http" | "https", as written (compare without case)
	bool https;
	struct url_authority authority;
	uint16_t port;     // of the authority, else 80 or 443
	struct str path;   // as written; "" when absent
	struct str query;  // without '?'; .p is NULL when there was none
	struct str target; // path and query as sent in a request; path "" is written "/" by url_target()
};

// An absolute http(s) URL without a fragment. ERR_INVALID names the part that is wrong.
MUST_CHECK int url_parse(struct str text, struct url *out, struct err *e);
// "host", "host:port", "1.2.3.4:80", "[::1]:443": what a Host header may hold.
MUST_CHECK int url_parse_authority(struct str text, struct url_authority *out, struct err *e);
// "/path?query" of a request: '/' first, only characters that RFC 3986 allows, escapes complete. Cuts it in two.
MUST_CHECK int url_parse_target(struct str text, struct str *path, struct str *query, struct err *e);

// The one form of a path to decide on and to forward: escapes of unreserved characters decoded, others in upper case,
// dot segments resolved. ERR_INVALID for what two programs could read differently: an encoded slash, backslash or
// control character, an empty segment ("//"), a dot segment above the root. Appends to out.
MUST_CHECK int url_normalise_path(struct str path, struct buf *out, struct err *e);

// Percent decoding, appended to out. ERR_INVALID for a broken escape; "+" stays "+"; NUL bytes are refused.
MUST_CHECK int url_decode(struct str s, struct buf *out);
struct str url_decode_arena(struct str s, struct arena *a); // .p NULL when broken or without memory
// Escapes all but unreserved characters (A-Z a-z 0-9 - . _ ~) and those in keep ("/" for paths).
void url_encode(struct str s, struct str keep, struct buf *out);

// Walks "a=1&b&c=2": raw name and value (value.p NULL without '='); false at the end. Empty pieces are skipped.
bool url_query_next(struct str *rest, struct str *name, struct str *value);
// The first parameter of that name, decoded, in the arena; .p NULL when absent or broken.
struct str url_query_get(struct str query, const char *name, struct arena *a);
bool url_query_has(struct str query, const char *name);

#endif
