// SPDX-License-Identifier: Apache-2.0
// The HTTP/1 parsers by tables: each text is given whole, and again growing byte by byte; both must give the same.
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/http1.h"

struct parsed {
	int code, status; // status: what the server would answer
	struct http_request request;
	char body[512];
	size_t body_size;
	size_t used;
	bool complete;
};

static void read_all_body(struct http1_body *b, struct str bytes, size_t step, struct parsed *out)
{
	struct err e = {0};
	size_t at = 0, end = 0;
	while (!b->done && out->code == 0 && end < bytes.n) {
		end = step ? end + step : bytes.n;
		while (at < end && !b->done && out->code == 0) {
			size_t used;
			struct str piece;
			out->code = http1_body_read(b, (struct str){bytes.p + at, end - at}, &used, &piece, &e);
			out->status = e.http_status;
			assert_true(out->body_size + piece.n <= sizeof(out->body));
			if (piece.n)
				memcpy(out->body + out->body_size, piece.p, piece.n);
			out->body_size += piece.n;
			at += used;
		}
	}
	out->used += at;
	out->complete = b->done;
}

// step 0: all at once; else so many bytes more each time.
static void parse(struct str text, size_t step, struct arena *a, struct parsed *out)
{
	struct http1_scan scan = {0};
	struct err e = {0};
	size_t head = 0;
	*out = (struct parsed){0};
	for (size_t n = step ? step : text.n; out->code == 0 && head == 0 && n <= text.n; n += step ? step : 1)
		out->code = http1_find_head(&scan, str_take(text, n), &http1_default_limits, &head, &e);
	out->status = e.http_status;
	if (out->code || head == 0)
		return;
	out->code = http1_parse_request(str_take(text, head), &http1_default_limits, a, &out->request, &e);
	out->status = e.http_status;
	if (out->code)
		return;
	struct http1_body body;
	http1_body_of_request(&body, &out->request);
	out->used = head;
	read_all_body(&body, str_drop(text, head), step, out);
}

static void expect_status(struct str text, int status)
{
	for (size_t step = 0; step < 2; step++) {
		struct arena a = {0};
		struct parsed p;
		parse(text, step, &a, &p);
		if (p.status != status || (status && p.code != ERR_PROTOCOL))
			fail_msg("step %zu: %.*s: got %d (%d), expected %d", step, STR(text), p.status, p.code, status);
		arena_free(&a);
	}
}

#define GET "GET / HTTP/1.1\r\n"
#define POST "POST /x HTTP/1.1\r\nhost: a\r\n"
#define CHUNKED POST "transfer-encoding: chunked\r\n\r\n"

static void refuses_each_ambiguity(void **state)
{
	(void)state;
	static const struct str refused[] = {
		// both lengths, either order
		S_INIT(POST "content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"),
		S_INIT(POST "transfer-encoding: chunked\r\ncontent-length: 3\r\n\r\n0\r\n\r\n"),
		// lengths
		S_INIT(POST "content-length: 4\r\ncontent-length: 4\r\n\r\nabcd"),
		S_INIT(POST "content-length: 4\r\ncontent-length: 5\r\n\r\nabcd"),
		S_INIT(POST "content-length: 4, 4\r\n\r\nabcd"),
		S_INIT(POST "content-length: +4\r\n\r\nabcd"),
		S_INIT(POST "content-length: -1\r\n\r\n"),
		S_INIT(POST "content-length: 0x4\r\n\r\nabcd"),
		S_INIT(POST "content-length:  4 4\r\n\r\nabcd"),
		S_INIT(POST "content-length:\r\n\r\n"),
		S_INIT(POST "content-length: 9223372036854775808\r\n\r\n"),
		S_INIT(POST "content-length: 18446744073709551617\r\n\r\n"),
		// transfer codings
		S_INIT(POST "transfer-encoding: chunked, chunked\r\n\r\n0\r\n\r\n"),
		S_INIT(POST "transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"),
		S_INIT(POST "transfer-encoding: chunked, gzip\r\n\r\n0\r\n\r\n"),
		S_INIT(POST "transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
		S_INIT(POST "transfer-encoding: gzip\r\n\r\n"),
		S_INIT(POST "transfer-encoding: identity\r\n\r\n"),
		S_INIT(POST "transfer-encoding: xchunked\r\n\r\n"),
		S_INIT(POST "transfer-encoding: chunked;q=1\r\n\r\n"),
		S_INIT(POST "transfer-encoding:\tchunked\r\n\r\n0\r\n\r\n"),
		S_INIT(POST "transfer-encoding: \x0b"
			    "chunked\r\n\r\n0\r\n\r\n"),
		S_INIT(POST "transfer-encoding : chunked\r\n\r\n0\r\n\r\n"),
		S_INIT(POST "transfer-encoding:\r\n chunked\r\n\r\n0\r\n\r\n"),
		S_INIT("POST / HTTP/1.0\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"),
		// chunks
		S_INIT(CHUNKED "1000000000000000\r\n"),
		S_INIT(CHUNKED "ffffffffffffffffff\r\n"),
		S_INIT(CHUNKED "0x3\r\nabc\r\n0\r\n\r\n"),
		S_INIT(CHUNKED "+3\r\nabc\r\n0\r\n\r\n"),
		S_INIT(CHUNKED "-3\r\nabc\r\n0\r\n\r\n"),
		S_INIT(CHUNKED " 3\r\nabc\r\n0\r\n\r\n"),
		S_INIT(CHUNKED "3 \r\nabc\r\n0\r\n\r\n"),
		S_INIT(CHUNKED "3\nabc\r\n0\r\n\r\n"),
		S_INIT(CHUNKED "3;a\nb\r\nabc\r\n0\r\n\r\n"),
		S_INIT(CHUNKED "3;\x01\r\nabc\r\n0\r\n\r\n"),
		S_INIT(CHUNKED "\r\nabc\r\n0\r\n\r\n"),
		S_INIT(CHUNKED ";x\r\n"),
		S_INIT(CHUNKED "3\r\nabcd\r\n0\r\n\r\n"),
		S_INIT(CHUNKED "3\r\nabc0\r\n\r\n"),
		S_INIT(CHUNKED "3\r\nabc\n0\r\n\r\n"),
		S_INIT(CHUNKED "3\r\nabc\rX"),
		S_INIT(CHUNKED "0\r\ncontent-length: 3\r\n\r\n"),
		S_INIT(CHUNKED "0\r\nTransfer-Encoding: chunked\r\n\r\n"),
		S_INIT(CHUNKED "0\r\nHost: b\r\n\r\n"),
		S_INIT(CHUNKED "0\r\nauthorization: x\r\n\r\n"),
		S_INIT(CHUNKED "0\r\nx : y\r\n\r\n"),
		S_INIT(CHUNKED "0\r\nx: y\n\r\n"),
		S_INIT(CHUNKED "0\r\n: y\r\n\r\n"),
		S_INIT(CHUNKED "0\r\n\rX"),
		// lines
		S_INIT(GET "host: a\r\nx: a\rb\r\n\r\n"),
		S_INIT(GET "host: a\r\nx: a\nb: c\r\n\r\n"),
		S_INIT("GET / HTTP/1.1\nhost: a\n\n"),
		S_INIT(GET "host: a\r\nx: a\0b\r\n\r\n"),
		S_INIT(GET "host: a\r\nx: a\r\n folded\r\n\r\n"),
		S_INIT(GET " host: a\r\n\r\n"),
		S_INIT(GET "host: a\r\n: empty name\r\n\r\n"),
		S_INIT(GET "host: a\r\nno colon\r\n\r\n"),
		S_INIT(GET "host: a\r\nx\xe9: a\r\n\r\n"),
		S_INIT(GET "host: a\r\nx: \xe9\r\n\r\n"),
		S_INIT(GET "host: a\r\nx: \x7f\r\n\r\n"),
		S_INIT("\r\nGET / HTTP/1.1\r\nhost: a\r\n\r\n"),
		S_INIT("GET  / HTTP/1.1\r\nhost: a\r\n\r\n"),
		S_INIT("GET / HTTP/1.1 \r\nhost: a\r\n\r\n"),
		S_INIT("GET /\r\nhost: a\r\n\r\n"),
		S_INIT("GET / http/1.1\r\nhost: a\r\n\r\n"),
		S_INIT("GET / HTTP/1.10\r\nhost: a\r\n\r\n"),
		S_INIT("G@T / HTTP/1.1\r\nhost: a\r\n\r\n"),
		// hosts
		S_INIT(GET "\r\n"),
		S_INIT(GET "host: a\r\nhost: a\r\n\r\n"),
		S_INIT(GET "host: a, b\r\n\r\n"),
		S_INIT(GET "host: u@a\r\n\r\n"),
		S_INIT(GET "host: a#b\r\n\r\n"),
		S_INIT(GET "host: a b\r\n\r\n"),
		S_INIT(GET "host: a/b\r\n\r\n"),
		S_INIT(GET "host: a:port\r\n\r\n"),
		S_INIT(GET "host: a:99999\r\n\r\n"),
		S_INIT(GET "host:\r\n\r\n"),
		S_INIT("GET http://b/ HTTP/1.1\r\nhost: a\r\n\r\n"),
		S_INIT("GET http://a.b/ HTTP/1.1\r\nhost: a\r\n\r\n"),
		S_INIT("GET http://a@b/ HTTP/1.1\r\nhost: a\r\n\r\n"),
		S_INIT("GET ftp://a/ HTTP/1.1\r\nhost: a\r\n\r\n"),
		// targets
		S_INIT("GET x HTTP/1.1\r\nhost: a\r\n\r\n"),
		S_INIT("GET /# HTTP/1.1\r\nhost: a\r\n\r\n"),
		S_INIT("GET /%zz HTTP/1.1\r\nhost: a\r\n\r\n"),
		S_INIT("GET /%2 HTTP/1.1\r\nhost: a\r\n\r\n"),
		S_INIT("GET /\"x HTTP/1.1\r\nhost: a\r\n\r\n"),
		S_INIT("GET /?\\ HTTP/1.1\r\nhost: a\r\n\r\n"),
		S_INIT("GET * HTTP/1.1\r\nhost: a\r\n\r\n"),
		S_INIT("CONNECT a:443 HTTP/1.1\r\nhost: a:443\r\n\r\n"),
		// bodies where none belongs
		S_INIT(GET "host: a\r\ncontent-length: 1\r\n\r\nx"),
		S_INIT("HEAD / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"),
	};
	for (size_t i = 0; i < COUNT_OF(refused); i++)
		expect_status(refused[i], 400);
	expect_status(S("GET / HTTP/2.0\r\nhost: a\r\n\r\n"), 505);
	expect_status(S(POST "expect: 200-ok\r\ncontent-length: 1\r\n\r\nx"), 417);
}

static void reads_requests_whole(void **state)
{
	(void)state;
	static const struct {
		struct str text, target, path, body;
		size_t headers;
		int64_t length;
		bool keep_alive, has_query, expects;
	} good[] = {
		{S_INIT(GET "Host: a.example:8080\r\n\r\n"), S_INIT("/"), S_INIT("/"), S_INIT(""), 1, 0, true, false,
			false},
		{S_INIT("GET /a%20b;c?x=1&y HTTP/1.1\r\nhost: [::1]:80\r\nConnection: close\r\n\r\n"),
			S_INIT("/a%20b;c?x=1&y"), S_INIT("/a%20b;c"), S_INIT(""), 2, 0, false, true, false},
		{S_INIT("GET http://A/p?q HTTP/1.1\r\nhost: a\r\n\r\n"), S_INIT("/p?q"), S_INIT("/p"), S_INIT(""), 1, 0,
			true, true, false},
		{S_INIT("OPTIONS * HTTP/1.1\r\nhost: a\r\n\r\n"), S_INIT("*"), S_INIT("*"), S_INIT(""), 1, 0, true,
			false, false},
		{S_INIT("GET / HTTP/1.0\r\n\r\n"), S_INIT("/"), S_INIT("/"), S_INIT(""), 0, 0, false, false, false},
		{S_INIT("GET / HTTP/1.0\r\nconnection: Keep-Alive\r\n\r\n"), S_INIT("/"), S_INIT("/"), S_INIT(""), 1, 0,
			true, false, false},
		{S_INIT(POST "content-length: 4\r\nexpect: 100-Continue\r\n\r\nabcd"), S_INIT("/x"), S_INIT("/x"),
			S_INIT("abcd"), 3, 4, true, false, true},
		{S_INIT(POST "Transfer-Encoding: CHUNKED\r\n\r\n3;sig=\"a "
			     "b\"\r\nabc\r\n0A\r\n0123456789\r\n000\r\nX-Sum: 1\r\nb:\r\n\r\n"),
			S_INIT("/x"), S_INIT("/x"), S_INIT("abc0123456789"), 2, -1, true, false, false},
	};
	for (size_t i = 0; i < COUNT_OF(good) * 2; i++) {
		struct arena a = {0};
		struct parsed p;
		size_t n = i / 2;
		parse(good[n].text, i % 2, &a, &p);
		assert_int_equal(p.code, 0);
		assert_true(p.complete);
		assert_int_equal(p.used, good[n].text.n);
		assert_true(str_eq(p.request.target, good[n].target));
		assert_true(str_eq(p.request.path, good[n].path));
		assert_true(str_eq(str_bytes(p.body, p.body_size), good[n].body));
		assert_int_equal(p.request.headers.count, good[n].headers);
		assert_int_equal(p.request.length, good[n].length);
		assert_int_equal(p.request.keep_alive, good[n].keep_alive);
		assert_int_equal(p.request.query.p != NULL, good[n].has_query);
		assert_int_equal(p.request.expect_continue, good[n].expects);
		arena_free(&a);
	}
}

static void header_names_are_lower_case(void **state)
{
	(void)state;
	struct arena a = {0};
	struct parsed p;
	parse(S(GET "HOST: a\r\nX-Amz-Date:  20260101T000000Z  \r\nx-empty:\r\n\r\n"), 0, &a, &p);
	assert_true(str_eq(http_header_get(&p.request.headers, "x-amz-date"), S("20260101T000000Z")));
	assert_true(http_header_get(&p.request.headers, "x-empty").p != NULL);
	assert_null(http_header_get(&p.request.headers, "x-absent").p);
	assert_true(str_eq(p.request.authority, S("a")));
	arena_free(&a);
}

static void keeps_its_limits(void **state)
{
	(void)state;
	AUTO(buf) text = {0};
	buf_add(&text, S("GET /"));
	for (int i = 0; i < 9000; i++)
		buf_add_char(&text, 'a');
	expect_status(buf_str(&text), 414); // noticed before the line ends
	buf_clear(&text);
	buf_add(&text, S(GET "host: a\r\n"));
	for (int i = 0; i < 100; i++)
		buf_printf(&text, "x%d: y\r\n", i);
	buf_add(&text, S("\r\n"));
	expect_status(buf_str(&text), 431);
	buf_clear(&text);
	buf_add(&text, S(GET "host: a\r\nx: "));
	for (int i = 0; i < 33000; i++)
		buf_add_char(&text, 'a');
	expect_status(buf_str(&text), 431);
	buf_clear(&text);
	buf_add(&text, S(CHUNKED "1;"));
	for (int i = 0; i < 300; i++)
		buf_add_char(&text, 'e');
	expect_status(buf_str(&text), 400);
}

static int parse_answer(struct str text, enum http_method method, struct arena *a, struct http_response *out)
{
	struct http1_scan scan = {0};
	struct err e = {0};
	size_t head;
	int code = http1_find_head(&scan, text, &http1_default_limits, &head, &e);
	return code ? code : http1_parse_response(str_take(text, head), &http1_default_limits, method, a, out, &e);
}

static void frames_responses(void **state)
{
	(void)state;
	static const struct {
		struct str text;
		enum http_method method;
		int code, status;
		int64_t length;
		bool chunked, keep_alive;
	} cases[] = {
		{S_INIT("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n"), HTTP_GET, 0, 200, 5, false, true},
		{S_INIT("HTTP/1.1 200\r\ncontent-length: 0\r\n\r\n"), HTTP_GET, 0, 200, 0, false, true},
		{S_INIT("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n"), HTTP_HEAD, 0, 200, 0, false, true},
		{S_INIT("HTTP/1.1 304 x\r\ncontent-length: 5\r\n\r\n"), HTTP_GET, 0, 304, 0, false, true},
		{S_INIT("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"), HTTP_GET, 0, 200, -1, true, true},
		{S_INIT("HTTP/1.1 200 OK\r\n\r\n"), HTTP_GET, 0, 200, -1, false, false},
		{S_INIT("HTTP/1.0 200 OK\r\ncontent-length: 1\r\n\r\n"), HTTP_GET, 0, 200, 1, false, false},
		{S_INIT("HTTP/1.1 204 x\r\n\r\n"), HTTP_GET, 0, 204, 0, false, true},
		{S_INIT("HTTP/1.1 100 Continue\r\n\r\n"), HTTP_GET, 0, 100, 0, false, true},
		{S_INIT("HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n"), HTTP_GET,
			ERR_PROTOCOL, 0, 0, false, false},
		{S_INIT("HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n"), HTTP_GET, ERR_PROTOCOL, 0,
			0, false, false},
		{S_INIT("HTTP/1.1 204 x\r\ncontent-length: 5\r\n\r\n"), HTTP_GET, ERR_PROTOCOL, 0, 0, false, false},
		{S_INIT("HTTP/1.1 100 x\r\ntransfer-encoding: chunked\r\n\r\n"), HTTP_GET, ERR_PROTOCOL, 0, 0, false,
			false},
		{S_INIT("HTTP/1.0 200 x\r\ntransfer-encoding: chunked\r\n\r\n"), HTTP_GET, ERR_PROTOCOL, 0, 0, false,
			false},
		{S_INIT("HTTP/1.1 99 x\r\n\r\n"), HTTP_GET, ERR_PROTOCOL, 0, 0, false, false},
		{S_INIT("HTTP/1.1 600 x\r\n\r\n"), HTTP_GET, ERR_PROTOCOL, 0, 0, false, false},
		{S_INIT("HTTP/1.1 2000 x\r\n\r\n"), HTTP_GET, ERR_PROTOCOL, 0, 0, false, false},
		{S_INIT("ICY 200 OK\r\n\r\n"), HTTP_GET, ERR_PROTOCOL, 0, 0, false, false},
		{S_INIT("HTTP/1.1 200 O\x01K\r\n\r\n"), HTTP_GET, ERR_PROTOCOL, 0, 0, false, false},
		{S_INIT("HTTP/1.1 200 OK\r\nx: a\nb: c\r\n\r\n"), HTTP_GET, ERR_PROTOCOL, 0, 0, false, false},
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct arena a = {0};
		struct http_response r = {0};
		assert_int_equal(parse_answer(cases[i].text, cases[i].method, &a, &r), cases[i].code);
		assert_int_equal(r.status, cases[i].status);
		assert_int_equal(r.length, cases[i].length);
		assert_int_equal(r.chunked, cases[i].chunked);
		assert_int_equal(r.keep_alive, cases[i].keep_alive);
		arena_free(&a);
	}
}

static void refuses_to_write_injections(void **state)
{
	(void)state;
	static const struct str bad[] = {
		S_INIT("a\r\nb: c"), S_INIT("a\nb"), S_INIT("a\rb"), S_INIT("a\0b"), S_INIT(" a"), S_INIT("\xe9")};
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		AUTO(buf) out = {0};
		http1_write_header(&out, S("x"), bad[i]);
		assert_true(out.failed);
	}
	AUTO(buf) name = {0};
	http1_write_header(&name, S("x y"), S("a"));
	assert_true(name.failed);
	AUTO(buf) target = {0};
	http1_write_request_line(&target, S("GET"), S("/a b"));
	assert_true(target.failed);
	AUTO(buf) good = {0};
	http1_write_request_line(&good, S("GET"), S("/a"));
	http1_write_header(&good, S("x"), S("a\tb"));
	http1_write_status_line(&good, 404);
	assert_string_equal(buf_cstr(&good), "GET /a HTTP/1.1\r\nx: a\tb\r\nHTTP/1.1 404 Not Found\r\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_each_ambiguity),
		cmocka_unit_test(reads_requests_whole),
		cmocka_unit_test(header_names_are_lower_case),
		cmocka_unit_test(keeps_its_limits),
		cmocka_unit_test(frames_responses),
		cmocka_unit_test(refuses_to_write_injections),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
