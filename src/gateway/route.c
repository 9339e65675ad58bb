// SPDX-License-Identifier: Apache-2.0
// Path patterns: see route.h.
#include "gateway/route.h"

#include "base/buf.h"
#include "net/http.h"
#include "net/url.h"

// A pattern is a path in its normal form, with stars as whole segments: what could never match is refused when it is
// written.
bool route_pattern_valid(struct str pattern)
{
	AUTO(buf) normal = {0};
	struct str rest = str_drop(pattern, 1), segment, path, query;
	if (pattern.n > ROUTE_PATTERN_MAX || url_parse_target(pattern, &path, &query, NULL) || query.p)
		return false;
	if (url_normalise_path(pattern, &normal, NULL) || !str_eq(buf_str(&normal), pattern))
		return false;
	while (str_next(&rest, '/', &segment)) {
		bool star = str_eq(segment, S("*")), all = str_eq(segment, S("**"));
		if (str_find_char(segment, '*') >= 0 && !star && !all)
			return false;
		if (all && rest.p)
			return false;
	}
	return true;
}

bool route_pattern_matches(struct str pattern, struct str path)
{
	struct str wanted = str_drop(pattern, 1), given = str_drop(path, 1), want, have;
	while (str_next(&wanted, '/', &want)) {
		if (str_eq(want, S("**")))
			return true;
		if (!str_next(&given, '/', &have))
			return false;
		if (!str_eq(want, have) && !(str_eq(want, S("*")) && have.n))
			return false;
		if (!given.p && str_eq(wanted, S("**")))
			return true;
	}
	return !given.p;
}

static int rank(struct str segment)
{
	return str_eq(segment, S("**")) ? 1 : (str_eq(segment, S("*")) ? 2 : 3);
}

int route_pattern_compare(struct str a, struct str b)
{
	struct str x, y;
	a = str_drop(a, 1);
	b = str_drop(b, 1);
	for (;;) {
		bool more_a = str_next(&a, '/', &x), more_b = str_next(&b, '/', &y);
		if (!more_a || !more_b)
			return (int)more_a - (int)more_b;
		if (rank(x) != rank(y))
			return rank(x) - rank(y);
	}
}

bool route_method_valid(struct str method)
{
	return http_is_token(method) && http_method_of(method) != HTTP_OTHER;
}
