// SPDX-License-Identifier: Apache-2.0
// Heads of HTTP/1 messages: finding their end, header lines, message framing. See http1.h. One rule runs through it: no
// repairing. A line that is not exactly by the grammar ends the connection.
#include <string.h>

#include "net/http1_impl.h"

// A URL of 8 KiB, 32 KiB of headers and 100 of them: what common servers accept; signed URLs and tokens fit.
const struct http1_limits http1_default_limits = {.line_bytes = 8192, .head_bytes = 32768, .header_count = 100};

int http1_status(struct err *e, int status, int code)
{
	if (e) {
		e->http_status = status;
		e->retryable = false;
	}
	return code;
}

static int end_line(struct http1_scan *scan, size_t at, const struct http1_limits *limits, struct err *e)
{
	size_t length = at - 1 - scan->line_start;
	if (scan->lines == 0 && length > limits->line_bytes)
		return http1_refuse(e, 414, "the first line is longer than %zu bytes", limits->line_bytes);
	if (scan->lines > limits->header_count && length > 0)
		return http1_refuse(e, 431, "more than %zu header lines", limits->header_count);
	scan->lines++;
	scan->line_start = at + 1;
	return 0;
}

static int check_sizes(
	const struct http1_scan *scan, struct str bytes, const struct http1_limits *limits, struct err *e)
{
	if (scan->lines == 0 && bytes.n > limits->line_bytes + 2)
		return http1_refuse(e, 414, "the first line is longer than %zu bytes", limits->line_bytes);
	if (bytes.n > limits->head_bytes)
		return http1_refuse(e, 431, "the head is longer than %zu bytes", limits->head_bytes);
	return 0;
}

int http1_find_head(
	struct http1_scan *scan, struct str bytes, const struct http1_limits *limits, size_t *head_size, struct err *e)
{
	*head_size = 0;
	for (; scan->seen < bytes.n; scan->seen++) {
		size_t at = scan->seen;
		char c = bytes.p[at];
		bool after_cr = at > 0 && bytes.p[at - 1] == '\r';
		if (after_cr != (c == '\n') || c == '\0')
			return http1_refuse(e, 400, "the head has a bare CR, a bare LF or a NUL");
		if (c != '\n')
			continue;
		bool empty = at - 1 == scan->line_start;
		int code = end_line(scan, at, limits, e);
		if (code)
			return code;
		if (empty && scan->lines == 1)
			return http1_refuse(e, 400, "the first line is empty");
		if (!empty)
			continue;
		scan->seen++;
		*head_size = scan->seen;
		return check_sizes(scan, str_take(bytes, scan->seen), limits, e);
	}
	return check_sizes(scan, bytes, limits, e);
}

struct str http1_take_line(struct str *head)
{
	struct str line;
	str_cut(*head, '\n', &line, head);
	line.n -= line.n > 0;
	return line;
}

// Lower case in place. The bytes are the arena's own copy, which is why the const may go.
static void lower_name(struct str name)
{
	char *p = (char *)(uintptr_t)name.p;
	for (size_t i = 0; i < name.n; i++)
		if (p[i] >= 'A' && p[i] <= 'Z')
			p[i] = (char)(p[i] | 0x20);
}

int http1_parse_headers(
	struct str text, const struct http1_limits *limits, struct arena *a, struct http_headers *out, struct err *e)
{
	struct http_headers h = {0};
	for (;;) {
		struct str line = http1_take_line(&text), name, value;
		if (line.n == 0)
			break;
		if (!str_cut(line, ':', &name, &value) || !http_is_token(name))
			return http1_refuse(e, 400, "header line %zu has no valid name", h.count + 1);
		// Only spaces may surround a value; a tab there is read differently by different programs.
		while (value.n && value.p[0] == ' ')
			value = str_drop(value, 1);
		while (value.n && value.p[value.n - 1] == ' ')
			value.n--;
		if (!http_is_field_value(value))
			return http1_refuse(e, 400, "the value of header \"%.*s\" has a forbidden character",
				STR(str_take(name, 64)));
		if (h.count >= limits->header_count)
			return http1_refuse(e, 431, "more than %zu header lines", limits->header_count);
		lower_name(name);
		if (http_header_add(&h, a, name, value))
			return http1_status(e, 503, err_set(e, ERR_NO_MEMORY, "out of memory for headers"));
	}
	*out = h;
	return 0;
}

int http1_parse_framing(const struct http_headers *h, int64_t *length, bool *chunked, struct err *e)
{
	size_t lengths = http_header_count(h, "content-length");
	size_t codings = http_header_count(h, "transfer-encoding");
	*length = HTTP1_NO_LENGTH;
	*chunked = codings > 0;
	if (lengths + codings > 1)
		return http1_refuse(e, 400, "the length of the body is given more than once");
	if (codings) {
		struct str coding = http_header_get(h, "transfer-encoding");
		if (!str_eq_nocase(coding, S("chunked")))
			return http1_refuse(e, 400, "transfer-encoding is not \"chunked\"");
		*length = HTTP_LENGTH_UNKNOWN;
	}
	if (lengths) {
		struct str text = http_header_get(h, "content-length");
		uint64_t value;
		if (str_to_u64(text, &value) || value > INT64_MAX)
			return http1_refuse(e, 400, "content-length is not a number of bytes");
		*length = (int64_t)value;
	}
	return 0;
}

int http1_parse_version(struct str text, enum http_version *out, struct err *e)
{
	if (str_eq(text, S("HTTP/1.1")))
		*out = HTTP_1_1;
	else if (str_eq(text, S("HTTP/1.0")))
		*out = HTTP_1_0;
	else if (text.n == 8 && str_starts(text, S("HTTP/")) && text.p[6] == '.')
		return http1_refuse(e, 505, "only HTTP/1.0 and HTTP/1.1 are spoken here");
	else
		return http1_refuse(e, 400, "the first line does not name a version of HTTP");
	return 0;
}

bool http1_keeps_alive(enum http_version version, const struct http_headers *h)
{
	bool close = false, keep = false;
	for (size_t i = 0; i < h->count; i++) {
		if (!str_eq(h->items[i].name, S("connection")))
			continue;
		close = close || http_list_has(h->items[i].value, S("close"));
		keep = keep || http_list_has(h->items[i].value, S("keep-alive"));
	}
	return !close && (version == HTTP_1_1 || keep);
}

void http1_write_request_line(struct buf *out, struct str method, struct str target)
{
	if (!http_is_token(method) || target.n == 0 || !http_is_field_value(target) || str_find_char(target, ' ') >= 0)
		out->failed = true;
	buf_add(out, method);
	buf_add_char(out, ' ');
	buf_add(out, target);
	buf_add(out, S(" HTTP/1.1\r\n"));
}

void http1_write_status_line(struct buf *out, int status)
{
	buf_printf(out, "HTTP/1.1 %d %s\r\n", status, http_status_text(status));
}

void http1_write_header(struct buf *out, struct str name, struct str value)
{
	if (!http_is_token(name) || !http_is_field_value(value))
		out->failed = true;
	buf_add(out, name);
	buf_add(out, S(": "));
	buf_add(out, value);
	buf_add(out, S("\r\n"));
}
