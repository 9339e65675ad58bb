// SPDX-License-Identifier: Apache-2.0
// URL parsing by the grammar of RFC 3986, and percent coding: see url.h. Path normalisation is in url_path.c.
#include "net/url.h"

#include <string.h>

#include "net/url_impl.h"

bool url_is_unreserved(unsigned char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	       (c && memchr("-._~", c, 4));
}

static bool is_sub_delim(unsigned char c)
{
	return c && memchr("!$&'()*+,;=", c, 11);
}

// Whether each byte is unreserved, a sub-delimiter, a whole escape, or one of `more`.
static bool only_allowed(struct str s, struct str more)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (c == '%') {
			if (url_hex(s, i + 1) < 0)
				return false;
			i += 2;
		} else if (!url_is_unreserved(c) && !is_sub_delim(c) && !(c && memchr(more.p, c, more.n))) {
			return false;
		}
	}
	return true;
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int url_hex(struct str s, size_t at)
{
	if (at + 2 > s.n || digit(s.p[at]) < 0 || digit(s.p[at + 1]) < 0)
		return -1;
	return digit(s.p[at]) * 16 + digit(s.p[at + 1]);
}

// Four numbers of 0-255 without leading zeros: what nobody reads as octal.
static bool is_ipv4(struct str s)
{
	struct str piece;
	int count = 0;
	while (str_next(&s, '.', &piece)) {
		uint64_t value;
		if (str_to_u64(piece, &value) || value > 255 || piece.n > 3 || (piece.n > 1 && piece.p[0] == '0'))
			return false;
		count++;
	}
	return count == 4;
}

// Hex groups and at most one "::"; an embedded IPv4 tail is not accepted. inet_pton() has the last word when it is
// used.
static bool is_ipv6(struct str s)
{
	if (s.n < 2 || s.n > 39 || str_find_char(s, ':') < 0)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] != ':' && digit(s.p[i]) < 0)
			return false;
	return true;
}

// Labels of letters, digits, '-' and '_' (object stores have such hosts), each 1-63 bytes. A last label of digits alone
// would be an IPv4 address in some reader's eyes ("1.2.3", "0x7f.1"), so it is refused.
static bool is_host_name(struct str s)
{
	struct str label = {0}, rest = s;
	if (s.n == 0 || s.n > 253)
		return false;
	while (str_next(&rest, '.', &label)) {
		if (label.n == 0 || label.n > 63 || label.p[0] == '-' || label.p[label.n - 1] == '-')
			return false;
		for (size_t i = 0; i < label.n; i++) {
			char c = label.p[i];
			bool letter = ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
			if (!letter && !(c >= '0' && c <= '9') && c != '-' && c != '_')
				return false;
		}
	}
	bool numeric = label.n > 0 && label.p[0] >= '0' && label.p[0] <= '9';
	return s.p[s.n - 1] != '.' && !numeric;
}

static int parse_port(struct str text, struct str whole, uint16_t *port, struct err *e)
{
	uint64_t value;
	if (text.n > 5 || str_to_u64(text, &value) || value == 0 || value > 65535)
		return err_set(e, ERR_INVALID, "the port in \"%.*s\" is not a number from 1 to 65535",
			STR(str_take(whole, 200)));
	*port = (uint16_t)value;
	return 0;
}

int url_parse_authority(struct str text, struct url_authority *out, struct err *e)
{
	struct url_authority a = {0};
	struct str port = {0};
	if (str_starts(text, S("["))) {
		ptrdiff_t close = str_find_char(text, ']');
		a.host = close < 0 ? (struct str){0} : str_take(str_drop(text, 1), (size_t)close - 1);
		struct str rest = close < 0 ? (struct str){0} : str_drop(text, (size_t)close + 1);
		if (!is_ipv6(a.host) || (rest.n && rest.p[0] != ':'))
			return err_set(e, ERR_INVALID, "\"%.*s\" has no valid IPv6 address", STR(str_take(text, 200)));
		a.type = URL_HOST_IPV6;
		port = rest;
	} else {
		ptrdiff_t colon = str_find_char(text, ':');
		a.host = colon < 0 ? text : str_take(text, (size_t)colon);
		port = str_drop(text, a.host.n);
		a.type = is_ipv4(a.host) ? URL_HOST_IPV4 : URL_HOST_NAME;
		if (a.type == URL_HOST_NAME && !is_host_name(a.host))
			return err_set(e, ERR_INVALID, "\"%.*s\" is not a host name", STR(str_take(text, 200)));
	}
	if (port.n) {
		int code = parse_port(str_drop(port, 1), text, &a.port, e);
		if (code)
			return code;
	}
	*out = a;
	return 0;
}

int url_parse_target(struct str text, struct str *path, struct str *query, struct err *e)
{
	struct str head, tail;
	bool has_query = str_cut(text, '?', &head, &tail);
	if (text.n == 0 || text.p[0] != '/')
		return err_set(e, ERR_INVALID, "the path does not begin with '/'");
	if (text.n > URL_MAX_BYTES)
		return err_set(e, ERR_LIMIT, "the URL is longer than %d bytes", URL_MAX_BYTES);
	if (!only_allowed(head, S(":@/")))
		return err_set(e, ERR_INVALID, "the path has a character that a URL may not hold, or a broken escape");
	if (has_query && !only_allowed(tail, S(":@/?")))
		return err_set(e, ERR_INVALID, "the query has a character that a URL may not hold, or a broken escape");
	*path = head;
	*query = has_query ? tail : (struct str){0};
	return 0;
}

int url_parse(struct str text, struct url *out, struct err *e)
{
	struct url u = {0};
	ptrdiff_t colon = str_find(text, S("://"));
	u.scheme = str_take(text, colon < 0 ? 0 : (size_t)colon);
	u.https = str_eq_nocase(u.scheme, S("https"));
	if (!u.https && !str_eq_nocase(u.scheme, S("http")))
		return err_set(
			e, ERR_INVALID, "\"%.*s\" does not begin with http:// or https://", STR(str_take(text, 200)));
	struct str rest = str_drop(text, u.scheme.n + 3);
	size_t end = 0;
	while (end < rest.n && rest.p[end] != '/' && rest.p[end] != '?' && rest.p[end] != '#')
		end++;
	int code = url_parse_authority(str_take(rest, end), &u.authority, e);
	if (code)
		return err_context(e, "URL \"%.*s\"", STR(str_take(text, 200)));
	u.port = u.authority.port ? u.authority.port : (u.https ? 443 : 80);
	u.target = str_drop(rest, end);
	if (u.target.n == 0)
		u.target = S("/");
	else if (u.target.p[0] != '/')
		return err_set(e, ERR_INVALID, "URL \"%.*s\": the host is followed by neither path nor end",
			STR(str_take(text, 200)));
	else if (url_parse_target(u.target, &u.path, &u.query, e))
		return err_context(e, "URL \"%.*s\"", STR(str_take(text, 200)));
	*out = u;
	return 0;
}

int url_decode(struct str s, struct buf *out)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] != '%') {
			buf_add_char(out, s.p[i]);
			continue;
		}
		int byte = url_hex(s, i + 1);
		if (byte <= 0)
			return ERR_INVALID;
		buf_add_char(out, (char)byte);
		i += 2;
	}
	return 0;
}

struct str url_decode_arena(struct str s, struct arena *a)
{
	AUTO(buf) decoded = {0};
	if (url_decode(s, &decoded) || decoded.failed)
		return (struct str){0};
	return arena_str(a, buf_str(&decoded));
}

void url_encode(struct str s, struct str keep, struct buf *out)
{
	static const char hex[] = "0123456789ABCDEF";
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (url_is_unreserved(c) || (keep.n && memchr(keep.p, c, keep.n)))
			buf_add_char(out, (char)c);
		else
			buf_add_bytes(out, (char[]){'%', hex[c >> 4], hex[c & 15]}, 3);
	}
}

bool url_query_next(struct str *rest, struct str *name, struct str *value)
{
	struct str piece;
	do {
		if (!str_next(rest, '&', &piece))
			return false;
	} while (piece.n == 0);
	if (!str_cut(piece, '=', name, value))
		*value = (struct str){0};
	return true;
}

static bool query_find(struct str query, const char *name, struct str *value)
{
	struct str found;
	while (url_query_next(&query, &found, value))
		if (str_eq(found, str_of(name)))
			return true;
	return false;
}

struct str url_query_get(struct str query, const char *name, struct arena *a)
{
	struct str value;
	if (!query_find(query, name, &value))
		return (struct str){0};
	return value.n ? url_decode_arena(value, a) : S("");
}

bool url_query_has(struct str query, const char *name)
{
	struct str value;
	return query_find(query, name, &value);
}
