// SPDX-License-Identifier: Apache-2.0
// Requests and responses of HTTP/1 out of their heads: see http1.h.
#include "net/http1_impl.h"
#include "net/url.h"

// "http://host/path" as a target: what it names must be what Host names, or a proxy and the server behind it would
// route to two different hosts.
static int reduce_absolute(struct http_request *r, struct str host, struct err *e)
{
	struct url url;
	if (url_parse(r->target, &url, e))
		return http1_status(e, 400, err_set(e, ERR_PROTOCOL, "the target is no valid URL"));
	size_t start = url.scheme.n + 3;
	struct str authority = str_take(str_drop(r->target, start), host.n);
	struct str rest = str_drop(r->target, start + host.n);
	bool ends = rest.n == 0 || rest.p[0] == '/' || rest.p[0] == '?';
	if (!ends || !str_eq_nocase(authority, host))
		return http1_refuse(e, 400, "the target names another host than the Host header");
	r->target = url.target;
	return 0;
}

static int parse_target(struct http_request *r, struct err *e)
{
	if (str_eq(r->target, S("*")) && r->method == HTTP_OPTIONS) {
		r->path = r->target;
		return 0;
	}
	if (str_eq(r->method_text, S("CONNECT")))
		return http1_refuse(e, 400, "CONNECT is not offered");
	if (r->target.n && r->target.p[0] != '/') {
		int code = reduce_absolute(r, r->authority, e);
		if (code)
			return code;
	}
	int code = url_parse_target(r->target, &r->path, &r->query, e);
	if (code)
		return http1_status(e, code == ERR_LIMIT ? 414 : 400, ERR_PROTOCOL);
	return 0;
}

static int parse_request_line(struct str line, struct http_request *r, struct err *e)
{
	struct str rest, version;
	if (!str_cut(line, ' ', &r->method_text, &rest) || !str_cut(rest, ' ', &r->target, &version))
		return http1_refuse(e, 400, "the first line is not METHOD TARGET VERSION");
	if (!http_is_token(r->method_text) || r->method_text.n > 32)
		return http1_refuse(e, 400, "the method is no token");
	r->method = http_method_of(r->method_text);
	return http1_parse_version(version, &r->version, e);
}

static int parse_host(struct http_request *r, struct err *e)
{
	size_t hosts = http_header_count(&r->headers, "host");
	struct url_authority authority;
	if (hosts > 1 || (hosts == 0 && r->version != HTTP_1_0))
		return http1_refuse(e, 400, "a request needs exactly one Host header, not %zu", hosts);
	r->authority = http_header_get(&r->headers, "host");
	if (hosts && url_parse_authority(r->authority, &authority, e))
		return http1_status(e, 400, err_set(e, ERR_PROTOCOL, "the Host header is no valid host"));
	return 0;
}

static int parse_expect(struct http_request *r, struct err *e)
{
	struct str expect = http_header_get(&r->headers, "expect");
	if (!expect.p || r->version == HTTP_1_0)
		return 0;
	if (http_header_count(&r->headers, "expect") > 1 || !str_eq_nocase(expect, S("100-continue")))
		return http1_refuse(e, 417, "only \"expect: 100-continue\" can be met");
	r->expect_continue = r->length != 0;
	return 0;
}

static int parse_request_framing(struct http_request *r, struct err *e)
{
	bool chunked;
	int code = http1_parse_framing(&r->headers, &r->length, &chunked, e);
	if (code)
		return code;
	if (chunked && r->version == HTTP_1_0)
		return http1_refuse(e, 400, "transfer-encoding in HTTP/1.0");
	if (r->length == HTTP1_NO_LENGTH)
		r->length = 0;
	bool bodiless = r->method == HTTP_GET || r->method == HTTP_HEAD || str_eq(r->method_text, S("TRACE"));
	if (bodiless && r->length != 0)
		return http1_refuse(e, 400, "a body in a %.*s request", STR(r->method_text));
	return 0;
}

int http1_parse_request(
	struct str head, const struct http1_limits *limits, struct arena *a, struct http_request *out, struct err *e)
{
	struct http_request r = {0};
	struct str rest = arena_str(a, head);
	if (!rest.p)
		return http1_status(e, 503, err_set(e, ERR_NO_MEMORY, "out of memory for a request"));
	struct str line = http1_take_line(&rest);
	int code = parse_request_line(line, &r, e);
	if (code == 0)
		code = http1_parse_headers(rest, limits, a, &r.headers, e);
	if (code == 0)
		code = parse_host(&r, e);
	if (code == 0)
		code = parse_target(&r, e);
	if (code == 0)
		code = parse_request_framing(&r, e);
	if (code == 0)
		code = parse_expect(&r, e);
	if (code)
		return code;
	r.keep_alive = http1_keeps_alive(r.version, &r.headers);
	*out = r;
	return 0;
}

static int parse_status_line(struct str line, struct http_response *r, struct err *e)
{
	struct str version, rest, status, reason;
	uint64_t value;
	if (!str_cut(line, ' ', &version, &rest))
		return http1_refuse(e, 502, "the answer does not begin with a status line");
	str_cut(rest, ' ', &status, &reason); // the reason may be missing with its space
	if (status.n != 3 || str_to_u64(status, &value) || value < 100 || value > 599)
		return http1_refuse(e, 502, "the answer has no status from 100 to 599");
	for (size_t i = 0; i < reason.n; i++)
		if ((unsigned char)reason.p[i] < 0x20 && reason.p[i] != '\t')
			return http1_refuse(e, 502, "the status line has a control character");
	r->status = (int)value;
	return http1_parse_version(version, &r->version, e);
}

// RFC 9112 6.3, in its order.
static int parse_response_framing(struct http_response *r, enum http_method request_method, struct err *e)
{
	int64_t length;
	int code = http1_parse_framing(&r->headers, &length, &r->chunked, e);
	if (code)
		return code;
	if (r->chunked && r->version == HTTP_1_0)
		return http1_refuse(e, 502, "transfer-encoding in an HTTP/1.0 answer");
	r->keep_alive = http1_keeps_alive(r->version, &r->headers);
	bool bodiless = r->status < 200 || r->status == 204 || r->status == 304 || request_method == HTTP_HEAD;
	if (r->status < 200 || r->status == 204)
		// Such an answer with a length or a coding is a way to smuggle: what follows would be read as the next
		// answer.
		if (r->chunked || length > 0)
			return http1_refuse(e, 502, "an answer %d with a body", r->status);
	if (bodiless) {
		r->length = 0;
		r->chunked = false;
	} else if (length == HTTP1_NO_LENGTH) {
		r->length = HTTP_LENGTH_UNKNOWN;
		r->keep_alive = false;
	} else {
		r->length = length;
	}
	return 0;
}

int http1_parse_response(struct str head, const struct http1_limits *limits, enum http_method request_method,
	struct arena *a, struct http_response *out, struct err *e)
{
	struct http_response r = {0};
	struct str rest = arena_str(a, head);
	if (!rest.p)
		return err_set(e, ERR_NO_MEMORY, "out of memory for an answer");
	struct str line = http1_take_line(&rest);
	int code = parse_status_line(line, &r, e);
	if (code == 0)
		code = http1_parse_headers(rest, limits, a, &r.headers, e);
	if (code == 0)
		code = parse_response_framing(&r, request_method, e);
	if (code)
		return http1_status(e, 502, code);
	*out = r;
	return 0;
}
