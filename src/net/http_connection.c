// SPDX-License-Identifier: Apache-2.0
// One connection of the HTTP server: its states, its input, its deadlines. See http_server_impl.h for the rule about
// callbacks.
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "net/http_server_impl.h"
#include "net/tls_impl.h"

// A body nobody wants is read up to this much to keep the connection; lingering reads as much.
enum { DISCARD_MAX_BYTES = 256 << 10, READS_PER_ROUND = 16, KEEP_INPUT_BYTES = 16 << 10 };
#define LINGER_NS (2 * NS_PER_S)
#define NEVER_NS (INT64_C(3600) * NS_PER_S) // cheaper than taking the timer out of the heap
#define NS_PER_BYTE (NS_PER_S / 1024)       // the slowest pace that counts as progress

static void set_state(struct http_connection *c, enum connection_state state)
{
	c->state = state;
}

void connection_progress(int64_t *mark_ns, int64_t now_ns, uint64_t bytes)
{
	int64_t earned = bytes > 1 << 20 ? now_ns : (int64_t)bytes * NS_PER_BYTE;
	*mark_ns = MIN(now_ns, *mark_ns + earned);
}

void connection_kick(struct http_connection *c)
{
	loop_later(c->server->options.loop, &c->kick);
}

static void end_exchange(struct http_connection *c)
{
	if (c->state != CONNECTION_EXCHANGE)
		return;
	set_state(c, CONNECTION_DEAD);
	if (c->server->options.service->closed)
		c->server->options.service->closed(&c->x);
}

void connection_destroy(struct http_connection *c)
{
	struct loop *loop = c->server->options.loop;
	end_exchange(c);
	loop_io_remove(loop, &c->io);
	loop_timer_clear(loop, &c->timer);
	loop_later_cancel(loop, &c->kick);
	stream_close(&c->stream);
	server_forget(c);
	reply_reset(c);
	buf_free(&c->out);
	buf_free(&c->in);
	buf_free(&c->collected);
	arena_free(&c->x.arena);
	free(c);
}

static bool is_idle(const struct http_connection *c)
{
	return c->state == CONNECTION_HEAD && c->in.n == 0 && c->reply == REPLY_NONE;
}

void connection_finish_soon(struct http_connection *c)
{
	if (c->state == CONNECTION_EXCHANGE)
		c->close = true;
	if (is_idle(c) || c->state == CONNECTION_HANDSHAKE) {
		set_state(c, CONNECTION_DEAD);
		connection_kick(c);
	}
}

static void fill_exchange(struct http_connection *c)
{
	c->x.loop = c->server->options.loop;
	c->x.ctx = c->server->options.ctx;
	c->x.peer = c->peer;
	c->x.secure = c->stream.ssl != NULL;
	c->x.began_ns = loop_now_ns(c->x.loop);
}

static void begin_exchange(struct http_connection *c)
{
	fill_exchange(c);
	c->close = c->server->draining || !c->x.request.keep_alive;
	c->in_mark_ns = c->out_mark_ns = c->x.began_ns;
	http1_body_of_request(&c->body, &c->x.request);
	if (c->body.type == HTTP1_BODY_LENGTH && c->body.left > c->server->limits.body_bytes) {
		reply_refuse(c, 413, "the body is larger than this server takes");
		return;
	}
	set_state(c, CONNECTION_EXCHANGE);
	c->server->options.service->begin(&c->x);
}

// The subject of a client's certificate, once it was verified.
static void note_client(struct http_connection *c)
{
	X509 *certificate = c->stream.ssl ? SSL_get0_peer_certificate(c->stream.ssl) : NULL;
	char text[256];
	if (!certificate || SSL_get_verify_result(c->stream.ssl) != X509_V_OK)
		return;
	if (X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, text, sizeof(text)) > 0)
		c->x.client_subject = arena_str(&c->x.arena, str_of(text));
}

// A request that the parser refused never becomes an exchange of the service.
static void refuse_head(struct http_connection *c, const struct err *e)
{
	c->x.request = (struct http_request){.version = HTTP_1_1};
	fill_exchange(c);
	c->body = (struct http1_body){.done = true};
	c->head_began_ns = 0;
	reply_refuse(c, e->http_status ? e->http_status : 400, e->message);
}

static bool read_head(struct http_connection *c, struct str bytes, size_t *used)
{
	struct err e = {0};
	size_t size;
	if (c->head_began_ns == 0 && bytes.n)
		c->head_began_ns = loop_now_ns(c->server->options.loop);
	int code = http1_find_head(&c->scan, bytes, &c->server->limits.http1, &size, &e);
	if (code == 0 && size == 0)
		return false;
	if (code == 0) {
		c->x.arena.limit = c->server->limits.arena_bytes;
		code = http1_parse_request(
			str_take(bytes, size), &c->server->limits.http1, &c->x.arena, &c->x.request, &e);
	}
	c->scan = (struct http1_scan){0};
	*used = code ? bytes.n : size;
	if (code) {
		refuse_head(c, &e);
		return true;
	}
	c->head_began_ns = 0;
	note_client(c);
	begin_exchange(c);
	return true;
}

static void give_piece(struct http_connection *c, struct str piece)
{
	const struct http_service *service = c->server->options.service;
	connection_progress(&c->in_mark_ns, loop_now_ns(c->server->options.loop), piece.n);
	if (c->body.total > c->server->limits.body_bytes) {
		reply_refuse(c, 413, "the body is larger than this server takes");
	} else if (!c->wants_body) {
		c->discarded += piece.n;
	} else if (c->collect_done) {
		if (piece.n > c->collect_limit - c->collected.n)
			reply_refuse(c, 413, "the body is larger than this request may have");
		else
			buf_add(&c->collected, piece);
		if (c->collected.failed)
			reply_refuse(c, 503, "out of memory for the body");
	} else if (service->body) {
		service->body(&c->x, piece);
	}
}

static void tell_end(struct http_connection *c)
{
	c->end_told = true;
	if (c->reply == REPLY_COMPLETE)
		return;
	if (c->collect_done)
		c->collect_done(&c->x, buf_str(&c->collected));
	else if (c->server->options.service->end)
		c->server->options.service->end(&c->x);
}

// Whether body bytes are to be read now: for the service, or to get past a body that it left.
static bool wants_body(const struct http_connection *c)
{
	if (c->body.done)
		return false;
	return (c->wants_body && !c->paused) || c->reply == REPLY_COMPLETE;
}

static bool read_body(struct http_connection *c, struct str bytes, size_t *used)
{
	if (c->body.done && c->wants_body && !c->paused && !c->end_told) {
		tell_end(c);
		return true;
	}
	if (!wants_body(c) || bytes.n == 0)
		return false;
	struct err e = {0};
	struct str piece;
	if (http1_body_read(&c->body, bytes, used, &piece, &e)) {
		*used = bytes.n;
		c->body.done = true;
		c->end_told = true;
		reply_refuse(c, 400, e.message);
	} else if (piece.n) {
		give_piece(c, piece);
	}
	if (c->discarded > DISCARD_MAX_BYTES)
		c->close = true;
	return true;
}

// Uses what it can of the bytes; returns how many, and whether it moved at all.
static size_t consume(struct http_connection *c, struct str bytes, bool *moved)
{
	size_t total = 0;
	for (bool more = true; more;) {
		size_t used = 0;
		struct str rest = str_drop(bytes, total);
		enum connection_state before = c->state;
		if (c->state == CONNECTION_HEAD && c->reply == REPLY_NONE)
			more = rest.n && read_head(c, rest, &used);
		else if (c->state == CONNECTION_EXCHANGE)
			more = read_body(c, rest, &used);
		else
			more = false;
		if (c->state == CONNECTION_LINGER)
			used = rest.n;
		total += used;
		*moved = *moved || more || used || c->state != before;
	}
	return total;
}

static bool wants_input(const struct http_connection *c)
{
	if (c->ended || c->state == CONNECTION_DEAD || c->state == CONNECTION_HANDSHAKE)
		return false;
	if (c->state == CONNECTION_EXCHANGE)
		return wants_body(c);
	return c->state == CONNECTION_LINGER || c->reply == REPLY_NONE;
}

// A client that closed its direction may still read the answer, if it sent the whole request.
static void input_ended(struct http_connection *c)
{
	c->ended = true;
	if (c->state == CONNECTION_EXCHANGE && c->body.done)
		return;
	end_exchange(c);
	set_state(c, CONNECTION_DEAD);
}

static void keep_rest(struct http_connection *c, struct str rest, size_t used_of_in)
{
	if (used_of_in)
		buf_drop(&c->in, used_of_in);
	buf_add(&c->in, rest);
	if (c->in.failed)
		set_state(c, CONNECTION_DEAD);
	else if (c->in.n == 0 && c->in.cap > KEEP_INPUT_BYTES)
		buf_free(&c->in);
}

// One read from the socket. What cannot be used yet is kept; it is never more than one read beyond a head.
static bool read_some(struct http_connection *c)
{
	struct http_server *s = c->server;
	bool moved = true;
	ssize_t n = stream_read(&c->stream, s->input, sizeof(s->input));
	if (n == STREAM_AGAIN) {
		c->readable = false;
		return false;
	}
	if (n <= 0) {
		input_ended(c);
		return true;
	}
	if (!c->stream.ssl && (size_t)n < sizeof(s->input))
		c->readable = false;
	struct str fresh = {s->input, (size_t)n};
	if (c->in.n) {
		buf_add(&c->in, fresh);
		size_t used = c->in.failed ? 0 : consume(c, buf_str(&c->in), &moved);
		keep_rest(c, S(""), used);
	} else {
		size_t used = consume(c, fresh, &moved);
		keep_rest(c, str_drop(fresh, used), 0);
	}
	return true;
}

static bool handshake(struct http_connection *c, unsigned *events)
{
	struct err e = {0};
	int result = stream_handshake(&c->stream, events, &e);
	if (result == STREAM_AGAIN)
		return false;
	set_state(c, result == 0 ? CONNECTION_HEAD : CONNECTION_DEAD);
	c->head_began_ns = 0;
	c->readable = true;
	return true;
}

// After an answer: what is left of the request decides what becomes of the connection.
static bool exchange_over(struct http_connection *c)
{
	if (c->reply != REPLY_COMPLETE || reply_pending(c))
		return false;
	if (!c->body.done && !c->close && !c->ended)
		return false; // the rest of the body is being thrown away
	return true;
}

static void finish_exchange(struct http_connection *c)
{
	bool unread = c->linger || !c->body.done || c->in.n;
	bool close = c->close || c->ended;
	struct http_exchange empty = {0};
	end_exchange(c);
	arena_free(&c->x.arena);
	c->x = empty;
	reply_reset(c);
	buf_free(&c->collected);
	c->collect_done = NULL;
	c->wants_body = c->paused = c->end_told = c->continue_sent = false;
	c->discarded = 0;
	c->head_began_ns = 0;
	if (!close) {
		set_state(c, CONNECTION_HEAD);
		c->out_mark_ns = loop_now_ns(c->server->options.loop); // idle from now on
		return;
	}
	c->close = true;
	if (c->ended || (!unread && !c->stream.ssl)) {
		set_state(c, CONNECTION_DEAD);
		return;
	}
	set_state(c, CONNECTION_LINGER);
	stream_shutdown(&c->stream);
	buf_clear(&c->in);
	c->out_mark_ns = loop_now_ns(c->server->options.loop);
}

static void set_deadline(struct http_connection *c)
{
	const struct http_server_limits *l = &c->server->limits;
	int64_t now = loop_now_ns(c->server->options.loop), at = now + NEVER_NS;
	c->deadline_type = DEADLINE_CUT;
	if (c->state == CONNECTION_HANDSHAKE || (c->state == CONNECTION_HEAD && c->head_began_ns))
		at = c->head_began_ns + l->head_ns;
	else if (c->state == CONNECTION_LINGER)
		at = c->out_mark_ns + LINGER_NS;
	else if (reply_pending(c))
		at = c->out_mark_ns + l->write_ns;
	else if (c->state == CONNECTION_HEAD)
		at = c->out_mark_ns + l->idle_ns;
	else if (wants_body(c)) {
		at = c->in_mark_ns + l->body_ns;
		c->deadline_type = DEADLINE_SLOW_BODY;
	} else
		c->deadline_type = DEADLINE_NONE;
	if (loop_timer_set(c->server->options.loop, &c->timer, at))
		set_state(c, CONNECTION_DEAD);
}

static bool step(struct http_connection *c)
{
	bool moved = false;
	if (!reply_flush(c) && c->state != CONNECTION_EXCHANGE && c->state != CONNECTION_DEAD)
		return false;
	if (c->state == CONNECTION_DEAD)
		return false;
	if (exchange_over(c)) {
		finish_exchange(c);
		return true;
	}
	size_t used = consume(c, buf_str(&c->in), &moved);
	keep_rest(c, S(""), used);
	if (!moved && c->readable && wants_input(c))
		moved = read_some(c);
	return moved;
}

static void connection_advance(struct http_connection *c)
{
	struct loop *loop = c->server->options.loop;
	unsigned events = 0;
	bool moved = c->state != CONNECTION_HANDSHAKE || handshake(c, &events);
	for (int i = 0; moved && c->state != CONNECTION_DEAD && c->state != CONNECTION_HANDSHAKE; i++) {
		if (i == READS_PER_ROUND) {
			connection_kick(c);
			break;
		}
		moved = step(c);
	}
	if (c->state != CONNECTION_DEAD)
		set_deadline(c);
	if (c->state == CONNECTION_DEAD) {
		connection_destroy(c);
		return;
	}
	if (c->state != CONNECTION_HANDSHAKE)
		// Reading is only turned off when something came that nobody wants yet: two system calls a request
		// less.
		events = (wants_input(c) || !(c->readable || c->ended) ? LOOP_READ : 0) |
			 (reply_pending(c) ? LOOP_WRITE : 0);
	if (c->stream.read_wants_write && wants_input(c))
		events |= LOOP_WRITE;
	if (c->stream.write_wants_read && reply_pending(c))
		events = (events | LOOP_READ) & ~(unsigned)LOOP_WRITE;
	loop_io_set(loop, &c->io, events);
}

static void connection_ready(struct loop_io *io, unsigned events)
{
	struct http_connection *c = CONTAINER_OF(io, struct http_connection, io);
	if (events & LOOP_HANGUP && c->state != CONNECTION_HANDSHAKE) {
		connection_destroy(c);
		return;
	}
	if (events & LOOP_READ || c->stream.read_wants_write)
		c->readable = true;
	connection_advance(c);
}

static void kick_run(struct loop_task *t)
{
	connection_advance(CONTAINER_OF(t, struct http_connection, kick));
}

static void deadline_fire(struct loop_timer *t)
{
	struct http_connection *c = CONTAINER_OF(t, struct http_connection, timer);
	if (c->deadline_type == DEADLINE_NONE) {
		connection_advance(c);
	} else if (c->deadline_type == DEADLINE_SLOW_BODY && c->reply == REPLY_NONE) {
		reply_refuse(c, 408, "the body came too slowly");
		connection_advance(c);
	} else {
		connection_destroy(c);
	}
}

void connection_begin(struct http_server *s, int fd, const struct address *peer)
{
	struct err e = {0};
	struct http_connection *c = calloc(1, sizeof(*c));
	SSL *ssl = c && s->options.tls ? tls_connection(s->options.tls, fd, true, S(""), &e) : NULL;
	if (!c || (s->options.tls && !ssl)) {
		free(c);
		struct stream gone = {.fd = fd};
		stream_close(&gone);
		return;
	}
	c->server = s;
	c->stream = (struct stream){.fd = fd, .ssl = ssl};
	c->peer = *peer;
	c->state = ssl ? CONNECTION_HANDSHAKE : CONNECTION_HEAD;
	c->readable = true;
	c->io.ready = connection_ready;
	c->timer.fire = deadline_fire;
	c->kick.run = kick_run;
	c->out_mark_ns = loop_now_ns(s->options.loop);
	c->head_began_ns = ssl ? c->out_mark_ns : 0;
	c->next = s->connections;
	c->link = &s->connections;
	if (c->next)
		c->next->link = &c->next;
	s->connections = c;
	s->count++;
	if (loop_io_add(s->options.loop, &c->io, fd, LOOP_READ, &e))
		set_state(c, CONNECTION_DEAD);
	connection_kick(c);
}
