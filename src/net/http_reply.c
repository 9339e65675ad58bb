// SPDX-License-Identifier: Apache-2.0
// Answers of the HTTP server: heads, whole and streamed bodies, files. See http_server.h. Everything goes to the
// connection's buffer first and is written once a round, so that a head and small pieces leave in one packet.
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/time.h"
#include "net/http_server_impl.h"

enum { KEEP_OUTPUT_BYTES = 64 << 10, FILE_PIECE_BYTES = 64 << 10, ERROR_MAX_BYTES = 1024 };

static struct http_connection *connection_of(struct http_exchange *x)
{
	return (struct http_connection *)x; // its first member
}

bool http_reply_began(const struct http_exchange *x)
{
	return ((const struct http_connection *)x)->reply != REPLY_NONE;
}

bool reply_pending(const struct http_connection *c)
{
	return c->out_sent < c->out.n || c->tail.n || c->has_file;
}

void reply_reset(struct http_connection *c)
{
	if (c->has_file)
		close(c->file.fd);
	c->has_file = false;
	c->tail = (struct str){0};
	c->reply = REPLY_NONE;
	c->chunked = c->bodiless = c->full = false;
	c->promised = 0;
}

static void broken(struct http_connection *c)
{
	// The exchange is ended by connection_destroy(), which tells the service.
	c->close = true;
	c->ended = true;
	connection_kick(c);
	c->reply = REPLY_COMPLETE;
	c->body.done = true;
	c->out_sent = c->out.n;
	c->tail = (struct str){0};
	if (c->has_file)
		close(c->file.fd);
	c->has_file = false;
}

void http_exchange_abort(struct http_exchange *x)
{
	broken(connection_of(x));
}

// ---- heads

static bool has_no_body(const struct http_connection *c, int status)
{
	return c->x.request.method == HTTP_HEAD || status == 204 || status == 304 || status < 200;
}

// Whether the connection can be used again, as far as the request goes: a body that the client may or may not send, or
// a long one that nobody wants, ends it.
static void decide_close(struct http_connection *c)
{
	bool unsure = c->x.request.expect_continue && !c->continue_sent && !c->body.total;
	bool much = c->body.type == HTTP1_BODY_LENGTH && c->body.left > (256 << 10);
	if (!c->body.done && (unsure || much))
		c->close = true;
}

static void write_length(struct http_connection *c, int status, int64_t length)
{
	if (status == 204 || status < 200)
		return;
	if (length != HTTP_LENGTH_UNKNOWN)
		buf_printf(&c->out, "content-length: %" PRId64 "\r\n", length);
	else if (c->x.request.version == HTTP_1_1)
		buf_add(&c->out, S("transfer-encoding: chunked\r\n"));
	else
		c->close = true;
}

static void write_head(struct http_connection *c, const struct http_reply *r, int64_t length)
{
	http1_write_status_line(&c->out, r->status);
	for (size_t i = 0; i < r->header_count; i++)
		http1_write_header(&c->out, r->headers[i].name, r->headers[i].value);
	write_length(c, r->status, length);
	if (c->close)
		buf_add(&c->out, S("connection: close\r\n"));
	else if (c->x.request.version == HTTP_1_0)
		buf_add(&c->out, S("connection: keep-alive\r\n"));
	buf_printf(&c->out, "date: %s\r\n\r\n", server_date(c->server));
}

// Writes the head; false when it could not be: then a 500 has been put in its place and the answer is complete.
static bool begin_reply(struct http_connection *c, const struct http_reply *r, int64_t length)
{
	size_t start = c->out.n;
	c->bodiless = has_no_body(c, r->status);
	c->chunked = !c->bodiless && length == HTTP_LENGTH_UNKNOWN && c->x.request.version == HTTP_1_1;
	c->promised = length;
	c->in_mark_ns = c->out_mark_ns = loop_now_ns(c->server->options.loop);
	decide_close(c);
	connection_kick(c);
	write_head(c, r, length);
	if (!c->out.failed) {
		c->reply = REPLY_STREAMING;
		return true;
	}
	c->out.failed = false;
	c->out.n = start;
	c->reply = REPLY_COMPLETE;
	c->close = true;
	write_head(c, &(struct http_reply){.status = 500}, 0);
	if (c->out.failed)
		broken(c);
	return false;
}

void reply_continue(struct http_connection *c)
{
	if (!c->x.request.expect_continue || c->continue_sent || c->reply != REPLY_NONE)
		return;
	c->continue_sent = true;
	c->out_mark_ns = loop_now_ns(c->server->options.loop);
	buf_add(&c->out, S("HTTP/1.1 100 Continue\r\n\r\n"));
}

void reply_refuse(struct http_connection *c, int status, const char *message)
{
	if (c->reply == REPLY_STREAMING) {
		broken(c);
		return;
	}
	if (c->reply == REPLY_COMPLETE) {
		c->close = true;
		return;
	}
	c->close = true;
	c->linger = true;
	if (c->server->options.service->refused)
		c->server->options.service->refused(&c->x, status, message);
	if (c->state != CONNECTION_EXCHANGE) {
		// No service knows of it: the text is copied behind the head, and nothing is called back.
		char text[ERROR_MAX_BYTES];
		int n = snprintf(text, sizeof(text), "%s\n", message);
		struct http_header type = HTTP_HEADER("content-type", "text/plain; charset=utf-8");
		c->body.done = true;
		if (begin_reply(c, &(struct http_reply){status, &type, 1}, n)) {
			buf_add_bytes(&c->out, text, (size_t)n);
			c->reply = REPLY_COMPLETE;
		}
		return;
	}
	http_reply_error(&c->x, status, "%s", message);
}

// ---- whole answers

void http_reply(struct http_exchange *x, const struct http_reply *r, struct str body)
{
	struct http_connection *c = connection_of(x);
	if (c->reply != REPLY_NONE || !begin_reply(c, r, (int64_t)body.n))
		return;
	c->reply = REPLY_COMPLETE;
	if (!c->bodiless)
		c->tail = body;
}

void http_reply_twice(struct http_exchange *x, const struct http_reply *r, struct str body)
{
	struct http_connection *c = connection_of(x);
	if (c->reply != REPLY_NONE || !begin_reply(c, r, (int64_t)body.n))
		return;
	struct str sent = c->bodiless ? S("") : body;
	buf_add(&c->out, sent);
	write_head(c, r, (int64_t)body.n);
	buf_add(&c->out, sent);
	c->reply = REPLY_COMPLETE;
	if (c->out.failed)
		broken(c);
}

void http_reply_text(struct http_exchange *x, int status, const char *content_type, struct str body)
{
	struct http_header type = {S_INIT("content-type"), str_of(content_type)};
	http_reply(x, &(struct http_reply){status, &type, 1}, body);
}

// A JSON string of what may be any bytes: others than printable ASCII become '?'.
static void add_json_text(struct buf *out, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		if (c == '"' || c == '\\')
			buf_add_char(out, '\\');
		buf_add_char(out, c < 0x20 || c > 0x7e ? '?' : c);
	}
}

void http_reply_error(struct http_exchange *x, int status, const char *format, ...)
{
	char message[ERROR_MAX_BYTES];
	AUTO(buf) body = {0};
	va_list args;
	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	buf_add(&body, S("{\"error\":\""));
	add_json_text(&body, str_of(message));
	buf_add(&body, S("\"}\n"));
	http_reply_text(x, status, "application/json", arena_str(&x->arena, buf_str(&body)));
}

void http_reply_file(struct http_exchange *x, const struct http_reply *r, struct http_file file)
{
	struct http_connection *c = connection_of(x);
	bool began = c->reply == REPLY_NONE && file.length <= INT64_MAX && begin_reply(c, r, (int64_t)file.length);
	if (!began || c->bodiless || file.length == 0) {
		close(file.fd);
	} else {
		c->file = file;
		c->has_file = true;
	}
	if (began)
		c->reply = REPLY_COMPLETE;
}

// ---- streamed answers

void http_reply_start(struct http_exchange *x, const struct http_reply *r, int64_t length)
{
	struct http_connection *c = connection_of(x);
	if (c->reply == REPLY_NONE)
		begin_reply(c, r, length);
}

bool http_reply_write(struct http_exchange *x, struct str piece)
{
	struct http_connection *c = connection_of(x);
	if (c->reply != REPLY_STREAMING)
		return true;
	if (c->promised != HTTP_LENGTH_UNKNOWN && piece.n > (uint64_t)c->promised) {
		broken(c); // more than was promised cannot be taken back
		return true;
	}
	if (c->promised != HTTP_LENGTH_UNKNOWN)
		c->promised -= (int64_t)piece.n;
	if (piece.n == 0 || c->bodiless)
		return true;
	if (!reply_pending(c))
		c->out_mark_ns = loop_now_ns(c->server->options.loop);
	if (c->chunked)
		buf_printf(&c->out, "%zx\r\n", piece.n);
	buf_add(&c->out, piece);
	if (c->chunked)
		buf_add(&c->out, S("\r\n"));
	if (c->out.failed)
		broken(c);
	connection_kick(c);
	c->full = c->out.n - c->out_sent > c->server->limits.write_buffer;
	return !c->full;
}

void http_reply_end(struct http_exchange *x)
{
	struct http_connection *c = connection_of(x);
	if (c->reply != REPLY_STREAMING)
		return;
	if (c->promised > 0 && !c->bodiless) {
		broken(c);
		return;
	}
	if (c->chunked)
		buf_add(&c->out, S("0\r\n\r\n"));
	c->reply = REPLY_COMPLETE;
	c->in_mark_ns = loop_now_ns(c->server->options.loop);
	if (c->out.failed)
		broken(c);
	connection_kick(c);
}

// ---- writing

static ssize_t write_buffers(struct http_connection *c)
{
	struct iovec pieces[2];
	int count = 0;
	if (c->out_sent < c->out.n)
		pieces[count++] = (struct iovec){c->out.p + c->out_sent, c->out.n - c->out_sent};
	if (c->tail.n)
		pieces[count++] = (struct iovec){(void *)(uintptr_t)c->tail.p, c->tail.n};
	ssize_t n = stream_write(&c->stream, pieces, count);
	if (n <= 0)
		return n;
	size_t of_out = MIN((size_t)n, c->out.n - c->out_sent);
	c->out_sent += of_out;
	c->tail = str_drop(c->tail, (size_t)n - of_out);
	return n;
}

static ssize_t write_file(struct http_connection *c)
{
	ssize_t n;
	if (c->stream.ssl) { // through the buffer, a piece at a time
		size_t want = (size_t)MIN(c->file.length, (uint64_t)FILE_PIECE_BYTES);
		buf_clear(&c->out);
		c->out_sent = 0;
		n = buf_reserve(&c->out, want) ? pread(c->file.fd, c->out.p, want, (off_t)c->file.offset) : -1;
		if (n <= 0)
			return STREAM_BROKEN;
		c->out.n = (size_t)n;
	} else {
		n = stream_sendfile(
			&c->stream, c->file.fd, c->file.offset, (size_t)MIN(c->file.length, (uint64_t)1 << 20));
		if (n <= 0)
			return n;
	}
	c->file.offset += (uint64_t)n;
	c->file.length -= (uint64_t)n;
	if (c->file.length == 0) {
		close(c->file.fd);
		c->has_file = false;
	}
	return n;
}

static void tell_room(struct http_connection *c)
{
	if (!c->full || c->reply != REPLY_STREAMING || c->out.n - c->out_sent > c->server->limits.write_buffer / 2)
		return;
	c->full = false;
	if (c->server->options.service->drained)
		c->server->options.service->drained(&c->x);
}

// Sent bytes leave the buffer when that is cheap: all of them, or the larger half.
static void shrink_output(struct http_connection *c)
{
	if (c->out_sent == c->out.n) {
		buf_clear(&c->out);
		c->out_sent = 0;
		if (c->out.cap > KEEP_OUTPUT_BYTES)
			buf_free(&c->out);
	} else if (c->out_sent > c->out.n / 2) {
		buf_drop(&c->out, c->out_sent);
		c->out_sent = 0;
	}
}

bool reply_flush(struct http_connection *c)
{
	while (reply_pending(c)) {
		bool buffers = c->out_sent < c->out.n || c->tail.n;
		ssize_t n = buffers ? write_buffers(c) : write_file(c);
		if (n == STREAM_AGAIN)
			break;
		if (n < 0) {
			broken(c);
			break;
		}
		connection_progress(&c->out_mark_ns, loop_now_ns(c->server->options.loop), (uint64_t)n);
	}
	shrink_output(c);
	if (c->state == CONNECTION_EXCHANGE)
		tell_room(c);
	return !reply_pending(c);
}

// ---- request bodies

void http_body_resume(struct http_exchange *x)
{
	struct http_connection *c = connection_of(x);
	if (!c->wants_body || c->paused)
		c->in_mark_ns = loop_now_ns(c->server->options.loop);
	c->wants_body = true;
	c->paused = false;
	if (!c->body.done)
		reply_continue(c);
	connection_kick(c);
}

void http_body_pause(struct http_exchange *x)
{
	connection_of(x)->paused = true;
}

void http_body_collect(struct http_exchange *x, size_t limit, void (*done)(struct http_exchange *x, struct str body))
{
	struct http_connection *c = connection_of(x);
	c->collect_limit = limit;
	c->collect_done = done;
	if (c->body.type == HTTP1_BODY_LENGTH && c->body.left > limit)
		reply_refuse(c, 413, "the body is larger than this request may have");
	else
		http_body_resume(x);
}
