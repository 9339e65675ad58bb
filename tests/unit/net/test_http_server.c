// SPDX-License-Identifier: Apache-2.0
// The HTTP server over loopback, byte by byte: a raw client on the same thread sends what a hostile one would, and the
// answers are compared as they came (without the date).
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/time.h"
#include "net/http_server.h"

struct world {
	struct loop *loop;
	struct http_server *server;
	struct buf got;
	int begun, closed, file;
	bool drained;
	size_t streamed; // bytes that /big wrote
};

enum { BIG = 8 << 20 };

static void write_big(struct http_exchange *x)
{
	static const char block[65536];
	struct world *w = x->ctx;
	while (w->streamed < BIG) {
		w->streamed += sizeof(block);
		if (!http_reply_write(x, (struct str){block, sizeof(block)}))
			return;
	}
	http_reply_end(x);
}

static void collected(struct http_exchange *x, struct str body)
{
	http_reply_text(x, 200, "text/plain", arena_str(&x->arena, body));
}

static void begin(struct http_exchange *x)
{
	struct world *w = x->ctx;
	static const struct http_header injected = {S_INIT("x"), S_INIT("a\r\nset-cookie: b")};
	struct str path = x->request.path;
	const struct http_reply ok = {.status = 200};
	w->begun++;
	if (str_eq(path, S("/hello")))
		http_reply_text(x, 200, "text/plain", S("hello"));
	else if (str_eq(path, S("/collect")))
		http_body_collect(x, 10, collected);
	else if (str_eq(path, S("/echo"))) {
		http_reply_start(x, &ok, x->request.length);
		http_body_resume(x);
	} else if (str_eq(path, S("/big"))) {
		http_reply_start(x, &ok, BIG);
		write_big(x);
	} else if (str_eq(path, S("/file")))
		http_reply_file(x, &ok, (struct http_file){dup(w->file), 2, 5});
	else if (str_eq(path, S("/inject")))
		http_reply(x, &(struct http_reply){200, &injected, 1}, S("body"));
	else if (str_eq(path, S("/short"))) {
		http_reply_start(x, &ok, 10);
		http_reply_write(x, S("abc"));
		http_reply_end(x);
	} else if (str_eq(path, S("/wait")))
		http_body_resume(x);
	else
		http_reply_error(x, 404, "no \"%.*s\"", STR(path));
}

static void body(struct http_exchange *x, struct str piece)
{
	if (str_eq(x->request.path, S("/echo")) && !http_reply_write(x, piece))
		http_body_pause(x);
}

static void end(struct http_exchange *x)
{
	if (str_eq(x->request.path, S("/echo")))
		http_reply_end(x);
}

static void drained(struct http_exchange *x)
{
	if (str_eq(x->request.path, S("/big")))
		write_big(x);
	else
		http_body_resume(x);
}

static void closed(struct http_exchange *x)
{
	((struct world *)x->ctx)->closed++;
}

static const struct http_service service = {
	.begin = begin, .body = body, .end = end, .drained = drained, .closed = closed};

static void start(struct world *w, struct http_server_limits limits)
{
	struct err e = {0};
	*w = (struct world){.file = -1};
	assert_int_equal(loop_new(&w->loop, &e), 0);
	struct http_server_options o = {
		.loop = w->loop, .service = &service, .ctx = w, .listen = S("127.0.0.1:0"), .limits = limits};
	if (http_server_new(&o, &w->server, &e))
		fail_msg("%s", e.message);
}

static void stop(struct world *w)
{
	http_server_free(w->server);
	loop_free(w->loop);
	buf_free(&w->got);
	assert_int_equal(w->begun, w->closed);
}

static int dial(struct world *w)
{
	struct address a;
	assert_int_equal(address_of_literal(S("127.0.0.1"), http_server_port(w->server), &a), 0);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(fd, &a.any, a.size), 0);
	return fd;
}

// Runs the loop and reads until the answer holds `until` (NULL: until the server closes), at most two seconds.
static bool pump(struct world *w, int fd, const char *until)
{
	struct err e = {0};
	int64_t stop_ns = loop_now_ns(w->loop) + 2 * NS_PER_S;
	for (; loop_now_ns(w->loop) < stop_ns;) {
		char bytes[65536];
		assert_int_equal(loop_round(w->loop, NS_PER_MS, &e), 0);
		ssize_t n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
		if (n > 0)
			buf_add_bytes(&w->got, bytes, (size_t)n);
		if (n == 0 || (until && str_find(buf_str(&w->got), str_of(until)) >= 0))
			return n == 0 ? until == NULL : true;
	}
	return false;
}

static void drop_dates(struct buf *b)
{
	for (ptrdiff_t at; (at = str_find(buf_str(b), S("date: "))) >= 0;) {
		memmove(b->p + at, b->p + at + 37, b->n - (size_t)at - 37);
		b->n -= 37;
	}
}

static void talk(struct world *w, struct str bytes, const char *until, const char *expected)
{
	buf_clear(&w->got);
	int fd = dial(w);
	assert_int_equal(send(fd, bytes.p, bytes.n, MSG_NOSIGNAL), bytes.n);
	bool done = pump(w, fd, until);
	drop_dates(&w->got);
	if (!done || strcmp(buf_cstr(&w->got), expected) != 0)
		fail_msg("%.*s gave (%d):\n%s", STR(bytes), done, buf_cstr(&w->got));
	close(fd);
}

#define HOST "host: a\r\n"
#define OK_HEAD "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n"

static void answers(void **state)
{
	(void)state;
	struct world w;
	start(&w, (struct http_server_limits){0});
	talk(&w, S("GET /hello HTTP/1.1\r\n" HOST "\r\n"), "hello", OK_HEAD "content-length: 5\r\n\r\nhello");
	talk(&w, S("GET /hello HTTP/1.1\r\n" HOST "connection: close\r\n\r\n"), NULL,
		OK_HEAD "content-length: 5\r\nconnection: close\r\n\r\nhello");
	talk(&w, S("HEAD /hello HTTP/1.1\r\n" HOST "connection: close\r\n\r\n"), NULL,
		OK_HEAD "content-length: 5\r\nconnection: close\r\n\r\n");
	talk(&w, S("GET /hello HTTP/1.0\r\n\r\n"), NULL, OK_HEAD "content-length: 5\r\nconnection: close\r\n\r\nhello");
	talk(&w, S("GET /hello HTTP/1.0\r\nconnection: keep-alive\r\n\r\n"), "hello",
		OK_HEAD "content-length: 5\r\nconnection: keep-alive\r\n\r\nhello");
	talk(&w, S("GET /x\"y HTTP/1.1\r\n" HOST "\r\n"), NULL,
		"HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: "
		"69\r\nconnection: close\r\n\r\n"
		"the path has a character that a URL may not hold, or a broken escape\n");
	talk(&w, S("GET /nil HTTP/1.1\r\n" HOST "connection: close\r\n\r\n"), NULL,
		"HTTP/1.1 404 Not Found\r\ncontent-type: application/json\r\ncontent-length: 24\r\nconnection: "
		"close\r\n\r\n"
		"{\"error\":\"no \\\"/nil\\\"\"}\n");
	talk(&w, S("GET /inject HTTP/1.1\r\n" HOST "\r\n"), NULL,
		"HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
	talk(&w, S("GET /short HTTP/1.1\r\n" HOST "\r\n"), NULL, "");
	stop(&w);
}

static void keeps_order_when_pipelined(void **state)
{
	(void)state;
	struct world w;
	start(&w, (struct http_server_limits){0});
	talk(&w,
		S("GET /hello HTTP/1.1\r\n" HOST "\r\nPOST /collect HTTP/1.1\r\n" HOST "content-length: 3\r\n\r\nabc"
		  "GET /hello HTTP/1.1\r\n" HOST "connection: close\r\n\r\nGET /hello HTTP/1.1\r\n" HOST "\r\n"),
		NULL,
		OK_HEAD "content-length: 5\r\n\r\nhello" OK_HEAD "content-length: 3\r\n\r\nabc" OK_HEAD
			"content-length: 5\r\nconnection: close\r\n\r\nhello");
	assert_int_equal(w.begun, 3);
	// After a refused head nothing more is read.
	talk(&w, S("GET /hello HTTP/1.1\r\n\r\nGET /hello HTTP/1.1\r\n" HOST "\r\n"), NULL,
		"HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: "
		"47\r\nconnection: close\r\n\r\n"
		"a request needs exactly one Host header, not 0\n");
	assert_int_equal(w.begun, 3);
	stop(&w);
}

static void reads_bodies(void **state)
{
	(void)state;
	struct world w;
	start(&w, (struct http_server_limits){.body_bytes = 20});
	talk(&w, S("POST /collect HTTP/1.1\r\n" HOST "content-length: 10\r\n\r\n0123456789"), "6789",
		OK_HEAD "content-length: 10\r\n\r\n0123456789");
	talk(&w,
		S("POST /collect HTTP/1.1\r\n" HOST
		  "transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"),
		"abcde", OK_HEAD "content-length: 5\r\n\r\nabcde");
	talk(&w, S("POST /echo HTTP/1.1\r\n" HOST "transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"),
		"0\r\n\r\n", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
	talk(&w, S("POST /collect HTTP/1.1\r\n" HOST "content-length: 11\r\n\r\n01234567890"), NULL,
		"HTTP/1.1 413 Content Too Large\r\ncontent-type: application/json\r\ncontent-length: 58\r\nconnection: "
		"close\r\n\r\n"
		"{\"error\":\"the body is larger than this request may have\"}\n");
	int begun = w.begun;
	talk(&w, S("POST /collect HTTP/1.1\r\n" HOST "content-length: 21\r\n\r\n012345678901234567890"), NULL,
		"HTTP/1.1 413 Content Too Large\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: "
		"42\r\nconnection: close\r\n\r\n"
		"the body is larger than this server takes\n");
	assert_int_equal(w.begun, begun);
	talk(&w, S("POST /collect HTTP/1.1\r\n" HOST "transfer-encoding: chunked\r\n\r\n3\r\nabcd"), NULL,
		"HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\ncontent-length: 75\r\nconnection: "
		"close\r\n\r\n"
		"{\"error\":\"the chunked body is malformed: a chunk is longer than its size\"}\n");
	stop(&w);
}

static void continues_only_for_readers(void **state)
{
	(void)state;
	struct world w;
	start(&w, (struct http_server_limits){0});
	talk(&w, S("POST /collect HTTP/1.1\r\n" HOST "expect: 100-continue\r\ncontent-length: 3\r\n\r\n"), "\r\n\r\n",
		"HTTP/1.1 100 Continue\r\n\r\n");
	// Refused without reading: no "100 Continue", and the connection ends, since nobody knows whether the body will
	// come.
	talk(&w, S("POST /nil HTTP/1.1\r\n" HOST "expect: 100-continue\r\ncontent-length: 3\r\n\r\n"), NULL,
		"HTTP/1.1 404 Not Found\r\ncontent-type: application/json\r\ncontent-length: 24\r\nconnection: "
		"close\r\n\r\n"
		"{\"error\":\"no \\\"/nil\\\"\"}\n");
	// An unread body without Expect is read over, and the connection stays.
	talk(&w, S("POST /nil HTTP/1.1\r\n" HOST "content-length: 3\r\n\r\nabcGET /hello HTTP/1.1\r\n" HOST "\r\n"),
		"hello",
		"HTTP/1.1 404 Not Found\r\ncontent-type: application/json\r\ncontent-length: 24\r\n\r\n{\"error\":\"no "
		"\\\"/nil\\\"\"}\n" OK_HEAD "content-length: 5\r\n\r\nhello");
	stop(&w);
}

static void sends_files(void **state)
{
	(void)state;
	struct world w;
	char path[] = "/tmp/isobar-test-XXXXXX";
	start(&w, (struct http_server_limits){0});
	w.file = mkstemp(path);
	unlink(path);
	assert_int_equal(write(w.file, "0123456789", 10), 10);
	talk(&w, S("GET /file HTTP/1.1\r\n" HOST "\r\n"), "23456", "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n23456");
	// A file that turns out shorter than promised cuts the connection.
	assert_int_equal(ftruncate(w.file, 4), 0);
	talk(&w, S("GET /file HTTP/1.1\r\n" HOST "\r\n"), NULL, "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n23");
	close(w.file);
	stop(&w);
}

static void holds_back_the_writer(void **state)
{
	(void)state;
	struct world w;
	struct err e = {0};
	start(&w, (struct http_server_limits){.write_buffer = 100000});
	int fd = dial(&w);
	struct str request = S("GET /big HTTP/1.1\r\n" HOST "connection: close\r\n\r\n");
	assert_int_equal(send(fd, request.p, request.n, 0), request.n);
	for (int i = 0; i < 20; i++)
		assert_int_equal(loop_round(w.loop, NS_PER_MS, &e), 0);
	assert_true(w.streamed < BIG); // nobody reads: the rest waits in the service
	assert_true(pump(&w, fd, NULL));
	assert_int_equal(w.streamed, BIG);
	ptrdiff_t head = str_find(buf_str(&w.got), S("\r\n\r\n"));
	assert_int_equal(w.got.n - (size_t)head - 4, BIG);
	close(fd);
	stop(&w);
}

static void cuts_slow_clients(void **state)
{
	(void)state;
	struct world w;
	start(&w, (struct http_server_limits){
			  .head_ns = 30 * NS_PER_MS, .body_ns = 30 * NS_PER_MS, .idle_ns = 30 * NS_PER_MS});
	talk(&w, S("GET /hel"), NULL, "");
	talk(&w, S(""), NULL, "");
	talk(&w, S("POST /collect HTTP/1.1\r\n" HOST "content-length: 3\r\n\r\nab"), NULL,
		"HTTP/1.1 408 Request Timeout\r\ncontent-type: application/json\r\ncontent-length: 37\r\nconnection: "
		"close\r\n\r\n"
		"{\"error\":\"the body came too slowly\"}\n");
	struct err e = {0};
	for (int i = 0; i < 5; i++)
		assert_int_equal(loop_round(w.loop, NS_PER_MS, &e), 0);
	assert_int_equal(http_server_connections(w.server), 0);
	stop(&w);
}

static void tells_when_clients_leave(void **state)
{
	(void)state;
	struct world w;
	struct err e = {0};
	start(&w, (struct http_server_limits){0});
	int fd = dial(&w);
	struct str request = S("POST /wait HTTP/1.1\r\n" HOST "content-length: 3\r\n\r\na");
	assert_int_equal(send(fd, request.p, request.n, 0), request.n);
	for (int i = 0; i < 5; i++)
		assert_int_equal(loop_round(w.loop, NS_PER_MS, &e), 0);
	assert_int_equal(w.begun, 1);
	assert_int_equal(w.closed, 0);
	close(fd);
	for (int i = 0; i < 5; i++)
		assert_int_equal(loop_round(w.loop, NS_PER_MS, &e), 0);
	assert_int_equal(w.closed, 1);
	stop(&w);
}

static void on_drained(void *ctx)
{
	((struct world *)ctx)->drained = true;
}

static void drains(void **state)
{
	(void)state;
	struct world w;
	struct err e = {0};
	start(&w, (struct http_server_limits){0});
	int idle = dial(&w), busy = dial(&w);
	struct str request = S("POST /collect HTTP/1.1\r\n" HOST "content-length: 3\r\n\r\na");
	assert_int_equal(send(busy, request.p, request.n, 0), request.n);
	for (int i = 0; i < 5; i++)
		assert_int_equal(loop_round(w.loop, NS_PER_MS, &e), 0);
	http_server_drain(w.server, NS_PER_S, on_drained, &w);
	assert_true(pump(&w, idle, NULL));
	assert_false(w.drained);
	assert_int_equal(send(busy, "bc", 2, 0), 2);
	assert_true(pump(&w, busy, NULL));
	drop_dates(&w.got);
	assert_string_equal(buf_cstr(&w.got), OK_HEAD "content-length: 3\r\nconnection: close\r\n\r\nabc");
	for (int i = 0; i < 5; i++)
		assert_int_equal(loop_round(w.loop, NS_PER_MS, &e), 0);
	assert_true(w.drained);
	close(idle);
	close(busy);
	stop(&w);
}

static void cuts_after_the_grace(void **state)
{
	(void)state;
	struct world w;
	struct err e = {0};
	start(&w, (struct http_server_limits){0});
	int fd = dial(&w);
	struct str request = S("POST /wait HTTP/1.1\r\n" HOST "content-length: 3\r\n\r\na");
	assert_int_equal(send(fd, request.p, request.n, 0), request.n);
	for (int i = 0; i < 5; i++)
		assert_int_equal(loop_round(w.loop, NS_PER_MS, &e), 0);
	http_server_drain(w.server, 20 * NS_PER_MS, on_drained, &w);
	pump(&w, fd, NULL);
	for (int i = 0; i < 50 && !w.drained; i++)
		assert_int_equal(loop_round(w.loop, NS_PER_MS, &e), 0);
	assert_true(w.drained);
	close(fd);
	stop(&w);
}

static void limits_connections(void **state)
{
	(void)state;
	struct world w;
	struct err e = {0};
	start(&w, (struct http_server_limits){.connections = 2});
	int fds[3] = {dial(&w), dial(&w), dial(&w)};
	for (int i = 0; i < 5; i++)
		assert_int_equal(loop_round(w.loop, NS_PER_MS, &e), 0);
	assert_int_equal(http_server_connections(w.server), 2);
	close(fds[0]);
	for (int i = 0; i < 5; i++)
		assert_int_equal(loop_round(w.loop, NS_PER_MS, &e), 0);
	assert_int_equal(http_server_connections(w.server), 2); // the third came in
	close(fds[1]);
	close(fds[2]);
	stop(&w);
}

static void says_when_a_port_is_taken(void **state)
{
	(void)state;
	struct world w;
	struct err e = {0};
	char taken[64];
	struct http_server *second = NULL;
	start(&w, (struct http_server_limits){0});
	snprintf(taken, sizeof(taken), "127.0.0.1:%u", http_server_port(w.server));
	struct http_server_options o = {.loop = w.loop, .service = &service, .ctx = &w, .listen = str_of(taken)};
	assert_int_equal(http_server_new(&o, &second, &e), ERR_IN_USE);
	assert_non_null(strstr(e.message, taken));
	o.listen = S("localhost");
	assert_int_equal(http_server_new(&o, &second, &e), ERR_INVALID);
	o.listen = S("example.org:80");
	assert_int_equal(http_server_new(&o, &second, &e), ERR_INVALID);
	stop(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers),
		cmocka_unit_test(keeps_order_when_pipelined),
		cmocka_unit_test(reads_bodies),
		cmocka_unit_test(continues_only_for_readers),
		cmocka_unit_test(sends_files),
		cmocka_unit_test(holds_back_the_writer),
		cmocka_unit_test(cuts_slow_clients),
		cmocka_unit_test(tells_when_clients_leave),
		cmocka_unit_test(drains),
		cmocka_unit_test(cuts_after_the_grace),
		cmocka_unit_test(limits_connections),
		cmocka_unit_test(says_when_a_port_is_taken),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
