// SPDX-License-Identifier: Apache-2.0
// HTTP/1 messages of hostile bytes. The first byte says where the rest is cut: whole and cut must give the same, a
// request is never longer than its bytes, and what was accepted can be written again.
#include <string.h>

#include "fuzz.h"
#include "net/http1.h"

struct seen {
	int code;
	size_t used, body;
	uint32_t sum; // of the body's bytes
	bool done;
};

static void read_body(struct http1_body *b, struct str bytes, struct seen *out)
{
	size_t at = 0;
	while (!b->done && at < bytes.n && out->code == 0) {
		size_t used = 0;
		struct str piece = {0};
		struct err e = {0};
		out->code = http1_body_read(b, str_drop(bytes, at), &used, &piece, &e);
		FUZZ_CHECK(used <= bytes.n - at && piece.n <= used);
		FUZZ_CHECK(out->code || used > 0);
		for (size_t i = 0; i < piece.n; i++)
			out->sum = out->sum * 31 + (unsigned char)piece.p[i];
		out->body += piece.n;
		at += used;
	}
	out->used += at;
	out->done = b->done;
}

static int find(struct str bytes, size_t cut, size_t *head)
{
	struct http1_scan scan = {0};
	struct err e = {0};
	int code = 0;
	*head = 0;
	if (cut < bytes.n)
		code = http1_find_head(&scan, str_take(bytes, cut), &http1_default_limits, head, &e);
	if (code == 0 && *head == 0)
		code = http1_find_head(&scan, bytes, &http1_default_limits, head, &e);
	FUZZ_CHECK(*head <= bytes.n);
	return code;
}

static void check_request(const struct http_request *r)
{
	AUTO(buf) out = {0};
	http1_write_request_line(&out, r->method_text, r->target);
	for (size_t i = 0; i < r->headers.count; i++)
		http1_write_header(&out, r->headers.items[i].name, r->headers.items[i].value);
	FUZZ_CHECK(!out.failed);
	FUZZ_CHECK(r->length >= HTTP_LENGTH_UNKNOWN);
	FUZZ_CHECK(r->version == HTTP_1_0 || r->authority.n > 0);
}

static struct seen read_request(struct str bytes, size_t cut)
{
	struct seen seen = {0};
	struct arena a = {0};
	struct http_request r = {0};
	struct err e = {0};
	size_t head;
	seen.code = find(bytes, cut, &head);
	if (seen.code == 0 && head)
		seen.code = http1_parse_request(str_take(bytes, head), &http1_default_limits, &a, &r, &e);
	if (seen.code == 0 && head) {
		struct http1_body body;
		check_request(&r);
		http1_body_of_request(&body, &r);
		seen.used = head;
		struct str rest = str_drop(bytes, head);
		size_t first = cut > head ? MIN(cut - head, rest.n) : 0;
		read_body(&body, str_take(rest, first), &seen);
		if (seen.code == 0)
			read_body(&body, str_drop(rest, first), &seen);
		seen.done = body.done;
	}
	arena_free(&a);
	return seen;
}

static void read_response(struct str bytes)
{
	struct arena a = {0};
	struct http_response r = {0};
	struct seen seen = {0};
	struct err e = {0};
	size_t head;
	if (find(bytes, bytes.n, &head) == 0 && head &&
		http1_parse_response(str_take(bytes, head), &http1_default_limits, HTTP_GET, &a, &r, &e) == 0) {
		struct http1_body body;
		http1_body_of_response(&body, &r);
		read_body(&body, str_drop(bytes, head), &seen);
		FUZZ_CHECK(r.length != HTTP_LENGTH_UNKNOWN || r.chunked || !r.keep_alive);
	}
	arena_free(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	struct str bytes = str_bytes(data + 1, size - 1);
	struct seen whole = read_request(bytes, bytes.n), cut = read_request(bytes, data[0]);
	FUZZ_CHECK(whole.code == cut.code && whole.done == cut.done);
	FUZZ_CHECK(whole.code || (whole.body == cut.body && whole.sum == cut.sum && whole.used == cut.used));
	read_response(bytes);
	return 0;
}
