// SPDX-License-Identifier: Apache-2.0
// The HTTP client: against our own server for what works, and against a scripted peer that answers any bytes for what
// does not.
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/time.h"
#include "net/http_call.h"
#include "net/http_client.h"
#include "net/http_server.h"

// ---- a server of ours

static void echo_collected(struct http_exchange *x, struct str body)
{
	http_reply_text(x, 200, "text/plain", arena_str(&x->arena, body));
}

static void server_begin(struct http_exchange *x)
{
	const struct http_reply ok = {.status = 200};
	if (str_eq(x->request.path, S("/stream"))) {
		http_reply_start(x, &ok, HTTP_LENGTH_UNKNOWN);
		http_body_resume(x);
	} else if (str_eq(x->request.path, S("/early"))) {
		http_reply_error(x, 403, "no");
	} else if (str_eq(x->request.path, S("/never"))) {
		return;
	} else {
		http_body_collect(x, 1 << 20, echo_collected);
	}
}

static void server_body(struct http_exchange *x, struct str piece)
{
	if (!http_reply_write(x, piece))
		http_body_pause(x);
}

static void server_end(struct http_exchange *x)
{
	http_reply_end(x);
}

static const struct http_service service = {
	.begin = server_begin, .body = server_body, .end = server_end, .drained = http_body_resume};

struct world {
	struct loop *loop;
	struct http_server *server;
	struct guard *guard;
	struct http_client *client;
	struct http_origin *origin;
};

static void start(struct world *w)
{
	struct err e = {0};
	*w = (struct world){0};
	assert_int_equal(loop_new(&w->loop, &e), 0);
	struct http_server_options o = {.loop = w->loop, .service = &service, .listen = S("127.0.0.1:0")};
	assert_int_equal(http_server_new(&o, &w->server, &e), 0);
	assert_int_equal(guard_new_loopback(&w->guard, &e), 0);
	struct http_client_options c = {.loop = w->loop, .guard = w->guard};
	assert_int_equal(http_client_new(&c, &w->client, &e), 0);
	assert_int_equal(http_client_origin(w->client, str_of(http_server_url(w->server)), &w->origin, &e), 0);
}

static void stop(struct world *w)
{
	http_client_free(w->client);
	http_server_free(w->server);
	guard_free(w->guard);
	loop_free(w->loop);
}

// ---- one fetch

struct fetched {
	struct http_fetch *fetch;
	int status;
	struct buf body;
	struct err err;
	bool over, began, pause_once;
	size_t to_stream; // bytes still to be written
};

static void on_head(void *ctx, const struct http_response *r)
{
	((struct fetched *)ctx)->status = r->status;
}

static void on_body(void *ctx, struct str piece)
{
	struct fetched *f = ctx;
	buf_add(&f->body, piece);
	if (f->pause_once) {
		f->pause_once = false;
		http_fetch_pause(f->fetch);
	}
}

static void feed(void *ctx)
{
	static const char block[10000];
	struct fetched *f = ctx;
	while (f->to_stream) {
		size_t n = MIN(f->to_stream, sizeof(block));
		f->to_stream -= n;
		if (!http_fetch_write(f->fetch, (struct str){block, n}))
			return;
	}
	http_fetch_finish(f->fetch);
}

static void on_end(void *ctx, const struct err *e, bool began)
{
	struct fetched *f = ctx;
	assert_false(f->over);
	f->over = true;
	f->err = *e;
	f->began = began;
}

static const struct http_fetch_events events = {on_head, on_body, feed, on_end};

static void begin(struct world *w, struct http_fetch_request *r, struct fetched *f)
{
	struct err e = {0};
	(void)w;
	if (http_fetch_start(r, &events, f, &f->fetch, &e))
		fail_msg("%s", e.message);
	assert_false(f->over);
}

static void wait_over(struct world *w, struct fetched *f)
{
	struct err e = {0};
	int64_t stop_ns = loop_now_ns(w->loop) + 2 * NS_PER_S;
	while (!f->over && loop_now_ns(w->loop) < stop_ns)
		assert_int_equal(loop_round(w->loop, 5 * NS_PER_MS, &e), 0);
	assert_true(f->over);
}

static void rounds(struct world *w, int n)
{
	struct err e = {0};
	for (int i = 0; i < n; i++)
		assert_int_equal(loop_round(w->loop, NS_PER_MS, &e), 0);
}

static void keeps_connections(void **state)
{
	(void)state;
	struct world w;
	start(&w);
	for (int i = 0; i < 5; i++) {
		struct fetched f = {0};
		struct http_fetch_request r = {
			.origin = w.origin, .method = S("POST"), .target = S("/x"), .body = S("hello")};
		begin(&w, &r, &f);
		wait_over(&w, &f);
		assert_int_equal(f.err.code, 0);
		assert_int_equal(f.status, 200);
		assert_string_equal(buf_cstr(&f.body), "hello");
		buf_free(&f.body);
		assert_int_equal(http_server_connections(w.server), 1);
	}
	http_origin_flush(w.origin);
	rounds(&w, 5);
	assert_int_equal(http_server_connections(w.server), 0);
	stop(&w);
}

static void streams_both_ways(void **state)
{
	(void)state;
	struct world w;
	start(&w);
	for (int chunked = 0; chunked < 2; chunked++) {
		struct fetched f = {.to_stream = 24000000, .pause_once = true};
		struct http_fetch_request r = {.origin = w.origin,
			.method = S("PUT"),
			.target = S("/stream"),
			.streamed = true,
			.length = chunked ? HTTP_LENGTH_UNKNOWN : 24000000};
		begin(&w, &r, &f);
		feed(&f);
		rounds(&w, 50);
		assert_false(f.over); // held back: the answer was paused, and with it the whole chain
		assert_true(f.to_stream > 0);
		http_fetch_resume(f.fetch);
		wait_over(&w, &f);
		assert_int_equal(f.err.code, 0);
		assert_int_equal(f.body.n, 24000000);
		buf_free(&f.body);
	}
	assert_int_equal(http_server_connections(w.server), 1);
	stop(&w);
}

static void ends_early_answers_in_order(void **state)
{
	(void)state;
	struct world w;
	static char body[2 << 20];
	start(&w);
	struct fetched f = {0};
	struct http_fetch_request r = {
		.origin = w.origin, .method = S("POST"), .target = S("/early"), .body = {body, sizeof(body)}};
	begin(&w, &r, &f);
	wait_over(&w, &f);
	assert_int_equal(f.err.code, 0);
	assert_int_equal(f.status, 403);
	buf_free(&f.body);
	stop(&w);
}

static void keeps_its_deadlines(void **state)
{
	(void)state;
	struct world w;
	start(&w);
	for (int total = 0; total < 2; total++) {
		struct fetched f = {0};
		struct http_fetch_request r = {.origin = w.origin, .method = S("GET"), .target = S("/never")};
		*(total ? &r.total_ns : &r.first_byte_ns) = 20 * NS_PER_MS;
		begin(&w, &r, &f);
		wait_over(&w, &f);
		assert_int_equal(f.err.code, ERR_TIMEOUT);
		assert_false(f.began);
	}
	struct fetched cancelled = {0};
	struct http_fetch_request r = {.origin = w.origin, .method = S("GET"), .target = S("/never")};
	begin(&w, &r, &cancelled);
	rounds(&w, 5);
	http_fetch_cancel(cancelled.fetch);
	rounds(&w, 5);
	assert_false(cancelled.over);
	stop(&w);
}

static void refuses_what_http_does_not_allow(void **state)
{
	(void)state;
	struct world w;
	struct err e = {0};
	struct http_origin *o;
	start(&w);
	const struct http_header bad = {S_INIT("x"), S_INIT("a\r\nb: c")};
	struct fetched f = {0};
	struct http_fetch_request r = {
		.origin = w.origin, .method = S("GET"), .target = S("/"), .headers = &bad, .header_count = 1};
	begin(&w, &r, &f);
	wait_over(&w, &f);
	assert_int_equal(f.err.code, ERR_INVALID);
	assert_int_equal(http_client_origin(w.client, S("http://example.org/"), &o, &e), ERR_DENIED);
	assert_int_equal(http_client_origin(w.client, S("https://localhost/"), &o, &e), ERR_UNSUPPORTED);
	assert_int_equal(http_client_origin(w.client, S("nonsense"), &o, &e), ERR_INVALID);
	stop(&w);
}

// ---- a scripted peer: accepts, waits for the end of a head, answers its next text and closes or stays

struct peer {
	struct loop_io listener, io;
	struct loop *loop;
	const struct str *answers;
	size_t count, next;
	bool stay;
};

static void peer_ready(struct loop_io *io, unsigned ready)
{
	struct peer *p = CONTAINER_OF(io, struct peer, io);
	char bytes[4096];
	(void)ready;
	ssize_t n = read(io->fd, bytes, sizeof(bytes));
	struct str answer = n > 0 && p->next < p->count ? p->answers[p->next++] : (struct str){0};
	if (answer.n)
		assert_int_equal(write(io->fd, answer.p, answer.n), answer.n);
	if (answer.n && p->stay)
		return;
	loop_io_remove(p->loop, io);
	close(io->fd);
}

static void peer_accept(struct loop_io *io, unsigned ready)
{
	struct peer *p = CONTAINER_OF(io, struct peer, listener);
	(void)ready;
	int fd = accept4(io->fd, NULL, NULL, SOCK_NONBLOCK);
	if (p->io.added) {
		loop_io_remove(p->loop, &p->io);
		close(p->io.fd);
	}
	p->io.ready = peer_ready;
	assert_int_equal(loop_io_add(p->loop, &p->io, fd, LOOP_READ, NULL), 0);
}

static void peer_start(struct world *w, struct peer *p, struct http_origin **origin)
{
	struct err e = {0};
	struct address a, bound;
	char url[64];
	assert_int_equal(address_parse(S("127.0.0.1:0"), &a, &e), 0);
	int fd = address_listen(&a, false, &bound, &e);
	p->loop = w->loop;
	p->listener.ready = peer_accept;
	assert_int_equal(loop_io_add(w->loop, &p->listener, fd, LOOP_READ, &e), 0);
	snprintf(url, sizeof(url), "http://127.0.0.1:%u", address_port(&bound));
	assert_int_equal(http_client_origin(w->client, str_of(url), origin, &e), 0);
}

static void peer_stop(struct peer *p)
{
	loop_io_remove(p->loop, &p->listener);
	close(p->listener.fd);
	if (p->io.added) {
		loop_io_remove(p->loop, &p->io);
		close(p->io.fd);
	}
}

static void judges_answers(void **state)
{
	(void)state;
	static const struct {
		struct str answer;
		int code, status;
		const char *body;
		bool began;
	} cases[] = {
		{S_INIT("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nab"), 0, 200, "ab", true},
		{S_INIT("HTTP/1.1 200 OK\r\n\r\nab"), 0, 200, "ab", true},
		{S_INIT("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ntransfer-encoding: "
			"chunked\r\n\r\n1\r\na\r\n0\r\n\r\n"),
			0, 200, "a", true},
		{S_INIT(""), ERR_UNAVAILABLE, 0, "", false},
		{S_INIT("HTTP/1.1 2"), ERR_UNAVAILABLE, 0, "", true},
		{S_INIT("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nab"), ERR_UNAVAILABLE, 200, "ab", true},
		{S_INIT("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nab"), ERR_UNAVAILABLE, 200, "ab",
			true},
		{S_INIT("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxx"), ERR_PROTOCOL, 200, "", true},
		{S_INIT("HTTP/1.1 200 OK\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n"), ERR_PROTOCOL, 0,
			"", true},
		{S_INIT("SSH-2.0-x\r\n\r\n"), ERR_PROTOCOL, 0, "", true},
		{S_INIT("HTTP/1.1 101 x\r\n\r\n"), ERR_PROTOCOL, 0, "", true},
		{S_INIT("HTTP/1.1 100 x\r\n\r\nHTTP/1.1 100 x\r\n\r\nHTTP/1.1 100 x\r\n\r\nHTTP/1.1 100 "
			"x\r\n\r\nHTTP/1.1 100 x\r\n\r\n"
			"HTTP/1.1 100 x\r\n\r\nHTTP/1.1 100 x\r\n\r\nHTTP/1.1 100 x\r\n\r\nHTTP/1.1 100 "
			"x\r\n\r\nHTTP/1.1 200 x\r\n\r\n"),
			ERR_PROTOCOL, 0, "", true},
	};
	struct world w;
	start(&w);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct peer p = {.answers = &cases[i].answer, .count = 1};
		struct http_origin *origin;
		peer_start(&w, &p, &origin);
		struct fetched f = {0};
		struct http_fetch_request r = {.origin = origin, .method = S("GET"), .target = S("/")};
		begin(&w, &r, &f);
		wait_over(&w, &f);
		if (f.err.code != cases[i].code || f.status != cases[i].status || f.began != cases[i].began ||
			strcmp(buf_cstr(&f.body), cases[i].body) != 0)
			fail_msg("case %zu: %d %d \"%s\" %d: %s", i, f.err.code, f.status, buf_cstr(&f.body), f.began,
				f.err.message);
		buf_free(&f.body);
		peer_stop(&p);
	}
	stop(&w);
}

static void never_trusts_a_connection_again(void **state)
{
	(void)state;
	// The second answer rides behind the first, unasked: the connection must not be used for the next request.
	static const struct str answers[] = {
		S_INIT("HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\naHTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nX"),
		S_INIT("HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nb"),
	};
	struct world w;
	struct peer p = {.answers = answers, .count = 2, .stay = true};
	struct http_origin *origin;
	start(&w);
	peer_start(&w, &p, &origin);
	for (int i = 0; i < 2; i++) {
		struct fetched f = {0};
		struct http_fetch_request r = {.origin = origin, .method = S("GET"), .target = S("/")};
		begin(&w, &r, &f);
		wait_over(&w, &f);
		assert_int_equal(f.err.code, 0);
		assert_string_equal(buf_cstr(&f.body), i ? "b" : "a");
		buf_free(&f.body);
	}
	peer_stop(&p);
	stop(&w);
}

static void replays_what_was_not_heard(void **state)
{
	(void)state;
	static const struct str answers[] = {S_INIT("HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\na"), S_INIT(""),
		S_INIT("HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nb")};
	for (int replay = 0; replay < 2; replay++) {
		struct world w;
		struct peer p = {.answers = answers, .count = 3, .stay = true};
		struct http_origin *origin;
		start(&w);
		peer_start(&w, &p, &origin);
		struct fetched first = {0}, second = {0};
		struct http_fetch_request r = {
			.origin = origin, .method = S("POST"), .target = S("/"), .body = S("x"), .replay = replay};
		begin(&w, &r, &first);
		wait_over(&w, &first);
		begin(&w, &r, &second); // on the kept connection, which closes without an answer
		wait_over(&w, &second);
		assert_int_equal(second.err.code, replay ? 0 : ERR_UNAVAILABLE);
		assert_string_equal(buf_cstr(&second.body), replay ? "b" : "");
		buf_free(&first.body);
		buf_free(&second.body);
		peer_stop(&p);
		stop(&w);
	}
}

static void says_who_is_not_there(void **state)
{
	(void)state;
	struct world w;
	start(&w);
	struct err e = {0};
	struct address a, bound;
	struct http_origin *origin;
	char url[64];
	assert_int_equal(address_parse(S("127.0.0.1:0"), &a, &e), 0);
	int fd = address_listen(&a, false, &bound, &e);
	close(fd);
	snprintf(url, sizeof(url), "http://127.0.0.1:%u", address_port(&bound));
	assert_int_equal(http_client_origin(w.client, str_of(url), &origin, &e), 0);
	struct fetched f = {0};
	struct http_fetch_request r = {.origin = origin, .method = S("GET"), .target = S("/")};
	begin(&w, &r, &f);
	wait_over(&w, &f);
	assert_int_equal(f.err.code, ERR_UNAVAILABLE);
	assert_non_null(strstr(f.err.message, url));
	stop(&w);
}

// ---- the blocking call, against a server on another thread

static void *run_server(void *ctx)
{
	struct err e = {0};
	assert_int_equal(loop_run(((struct world *)ctx)->loop, &e), 0);
	return NULL;
}

static int call_with(
	struct world *w, struct call *c, const char *path, struct http_call_request r, struct http_call_response *out)
{
	char url[128];
	snprintf(url, sizeof(url), "%s%s", http_server_url(w->server), path);
	r.url = str_of(url);
	r.guard = w->guard;
	return http_call(c, &r, out);
}

static int count_piece(struct call *c, void *ctx, struct str piece)
{
	*(size_t *)ctx += piece.n;
	return *(size_t *)ctx > 4 ? call_fail(c, ERR_CORRUPT, "enough") : 0;
}

static void calls(void **state)
{
	(void)state;
	struct world w;
	pthread_t thread;
	AUTO(arena) a = {0};
	struct call c;
	struct http_call_response out;
	atomic_bool cancelled = true;
	size_t seen = 0;
	start(&w);
	assert_int_equal(pthread_create(&thread, NULL, run_server, &w), 0);
	call_init(&c, &a, edges_real(), S("user/test"));
	assert_int_equal(
		call_with(&w, &c, "/x", (struct http_call_request){.method = S("POST"), .body = S("hello")}, &out), 0);
	assert_int_equal(out.status, 200);
	assert_true(str_eq(out.body, S("hello")));
	assert_true(str_eq(http_header_get(&out.headers, "content-type"), S("text/plain")));
	assert_int_equal(call_with(&w, &c, "/early", (struct http_call_request){0}, &out), 0);
	assert_int_equal(out.status, 403);
	struct http_call_request limited = {.method = S("POST"), .body = S("hello"), .body_limit = 4};
	assert_int_equal(call_with(&w, &c, "/x", limited, &out), ERR_LIMIT);
	struct http_call_request watched = {
		.method = S("POST"), .body = S("hello"), .on_body = count_piece, .on_body_ctx = &seen};
	assert_int_equal(call_with(&w, &c, "/x", watched, &out), ERR_CORRUPT);
	c.deadline_ns = call_mono_ns(&c) + 30 * NS_PER_MS;
	assert_int_equal(call_with(&w, &c, "/never", (struct http_call_request){0}, &out), ERR_TIMEOUT);
	c.deadline_ns = 0;
	c.cancel = &cancelled;
	assert_int_equal(call_with(&w, &c, "/x", (struct http_call_request){0}, &out), ERR_CANCELLED);
	loop_stop(w.loop);
	pthread_join(thread, NULL);
	stop(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_connections),
		cmocka_unit_test(streams_both_ways),
		cmocka_unit_test(ends_early_answers_in_order),
		cmocka_unit_test(keeps_its_deadlines),
		cmocka_unit_test(refuses_what_http_does_not_allow),
		cmocka_unit_test(judges_answers),
		cmocka_unit_test(never_trusts_a_connection_again),
		cmocka_unit_test(replays_what_was_not_heard),
		cmocka_unit_test(says_who_is_not_there),
		cmocka_unit_test(calls),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
