// SPDX-License-Identifier: Apache-2.0
// The parts of an HTTP request that signatures are about, as they are on the wire, for both sides: a driver fills one
// before it sends, a pocket cloud fills one from what it received. All text is borrowed. Pure.
#ifndef ISOBAR_CLOUD_SIGN_SIGN_REQUEST_H
#define ISOBAR_CLOUD_SIGN_SIGN_REQUEST_H

#include "base/buf.h"
#include "base/str.h"

struct sign_header {
	struct str name, value;
};

struct sign_request {
	struct str method; // "GET"
	struct str path;   // percent-encoded as sent, from the first '/': "/lake/a%20b"
	struct str query;  // percent-encoded as sent, without '?'; "" when there is none
	const struct sign_header *headers;
	size_t header_count;
};

enum { SIGN_MAX_HEADERS = 128, SIGN_MAX_PARAMETERS = 128, SIGN_MAX_TEXT = 64 << 10 };

// The first header of that name, any case; "" when absent.
struct str sign_header_get(const struct sign_request *r, struct str name);

// Percent-encodes everything but A-Za-z0-9-_.~ and the bytes in `keep` (upper case hex, RFC 3986 2.1).
void sign_uri_encode(struct str s, const char *keep, struct buf *out);
// Decodes %XX, and '+' as a space where plus is set. ERR_INVALID for a broken escape.
MUST_CHECK int sign_uri_decode(struct str s, bool plus, struct buf *out);

// A query split at '&' and '=', each part decoded ('+' is a space), in the order written. Owned: sign_parameters_free.
struct sign_parameter {
	struct str name, value; // inside `text`
};
struct sign_parameters {
	struct sign_parameter *items;
	size_t count;
	struct buf text;
};
MUST_CHECK int sign_parameters_parse(
	struct str query, struct sign_parameters *out, struct err *e);            // ERR_INVALID, ERR_LIMIT
struct str sign_parameters_get(const struct sign_parameters *p, struct str name); // "" when absent
bool sign_parameters_have(const struct sign_parameters *p, struct str name);
void sign_parameters_free(struct sign_parameters *p);
#define AUTO_TYPE_sign_parameters struct sign_parameters
static inline void sign_parameters_autofree(struct sign_parameters *p)
{
	sign_parameters_free(p);
}

#endif
