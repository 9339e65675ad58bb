// SPDX-License-Identifier: Apache-2.0
// One request of the HTTP client and its answer: see http_client.h.
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "net/http_client_impl.h"

enum { INFORMATIONAL_MAX = 8, READS_PER_ROUND = 16, STREAM_MARK_BYTES = 256 << 10, INPUT_SLACK = 65536 };
#define DEFAULT_CONNECT_NS (5 * NS_PER_S)
#define DEFAULT_WAIT_NS (30 * NS_PER_S)
#define NEVER_NS (INT64_C(3600) * NS_PER_S)

static void set_phase(struct http_fetch *f, enum fetch_phase phase)
{
	f->phase = phase;
	f->phase_ns = loop_now_ns(f->client->options.loop);
}

static void recycle(struct http_fetch *f)
{
	struct http_client *c = f->client;
	loop_later_cancel(c->options.loop, &f->kick);
	loop_timer_clear(c->options.loop, &f->timer);
	*f->link_in_list = f->next;
	if (f->next)
		f->next->link_in_list = f->link_in_list;
	arena_free(&f->arena);
	buf_free(&f->queued);
	origin_leave(f->request.origin);
	f->next = c->spare;
	c->spare = f;
}

static void release_link(struct http_fetch *f, bool reusable)
{
	struct http_link *l = f->link;
	f->link = NULL;
	if (!l)
		return;
	if (reusable)
		origin_keep(l->origin, l);
	else
		link_destroy(l);
}

static void end(struct http_fetch *f, const struct err *e, bool reusable)
{
	release_link(f, reusable);
	f->phase = FETCH_OVER;
	f->in_callback = true;
	f->events->end(f->ctx, e, f->first_byte);
	recycle(f);
}

void fetch_abandon(struct http_fetch *f, int code)
{
	struct err e = {0};
	err_set(&e, code, "%s: the client ends", f->request.origin->text);
	end(f, &e, false);
}

// ---- sending

static void write_length(struct http_fetch *f, struct buf *out)
{
	const struct http_fetch_request *r = &f->request;
	int64_t length = r->streamed ? r->length : (int64_t)r->body.n;
	enum http_method method = http_method_of(r->method);
	if (length == HTTP_LENGTH_UNKNOWN)
		buf_add(out, S("transfer-encoding: chunked\r\n"));
	else if (length > 0 || (method != HTTP_GET && method != HTTP_HEAD && method != HTTP_DELETE))
		buf_printf(out, "content-length: %" PRId64 "\r\n", length);
}

static void write_request(struct http_fetch *f)
{
	const struct http_fetch_request *r = &f->request;
	struct http_link *l = f->link;
	http1_write_request_line(&l->out, r->method, r->target);
	http1_write_header(&l->out, S("host"), r->authority.n ? r->authority : r->origin->authority);
	for (size_t i = 0; i < r->header_count; i++)
		http1_write_header(&l->out, r->headers[i].name, r->headers[i].value);
	write_length(f, &l->out);
	buf_add(&l->out, S("\r\n"));
	l->tail = r->streamed ? (struct str){0} : r->body;
	l->out.failed = l->out.failed || f->queued.failed;
	buf_add(&l->out, buf_str(&f->queued));
	buf_free(&f->queued);
	f->sent = false;
	if (l->out.failed)
		link_break(l, ERR_INVALID, "the request has a method, target or header that HTTP does not allow");
	set_phase(f, FETCH_SEND);
}

// ---- receiving

static void malformed(struct http_fetch *f, const struct err *e)
{
	link_break(f->link, e->code == ERR_NO_MEMORY ? ERR_NO_MEMORY : ERR_PROTOCOL, e->message);
}

static bool call_head(struct http_fetch *f)
{
	http1_body_of_response(&f->body, &f->response);
	set_phase(f, FETCH_BODY);
	f->in_callback = true;
	f->events->head(f->ctx, &f->response);
	f->in_callback = false;
	return true;
}

static bool read_head(struct http_fetch *f, struct str bytes, size_t *used)
{
	struct err e = {0};
	size_t size;
	int code = http1_find_head(&f->scan, bytes, &f->client->limits, &size, &e);
	if (code == 0 && size == 0)
		return false;
	if (code == 0)
		code = http1_parse_response(str_take(bytes, size), &f->client->limits,
			http_method_of(f->request.method), &f->arena, &f->response, &e);
	f->scan = (struct http1_scan){0};
	if (code) {
		malformed(f, &e);
		return false;
	}
	*used = size;
	if (f->response.status >= 200)
		return call_head(f);
	// 101 would hand the connection to another protocol, which nobody here asked for.
	if (f->response.status == 101 || ++f->informational > INFORMATIONAL_MAX)
		link_break(f->link, ERR_PROTOCOL, "too many or unexpected 1xx answers");
	return true;
}

static bool read_body(struct http_fetch *f, struct str bytes, size_t *used)
{
	struct err e = {0};
	struct str piece;
	if (f->body.done || f->paused || bytes.n == 0)
		return false;
	if (http1_body_read(&f->body, bytes, used, &piece, &e)) {
		malformed(f, &e);
		return false;
	}
	f->phase_ns = loop_now_ns(f->client->options.loop);
	if (piece.n && f->events->body) {
		f->in_callback = true;
		f->events->body(f->ctx, piece);
		f->in_callback = false;
	}
	return true;
}

static size_t consume(struct http_fetch *f, struct str bytes)
{
	size_t total = 0;
	for (bool more = true; more && !f->cancelled && f->link->state == LINK_OPEN;) {
		size_t used = 0;
		struct str rest = str_drop(bytes, total);
		if (f->phase == FETCH_BODY)
			more = read_body(f, rest, &used);
		else
			more = rest.n && read_head(f, rest, &used);
		total += used;
	}
	return total;
}

static void input_ended(struct http_fetch *f, bool orderly)
{
	if (f->phase == FETCH_BODY && f->body.type == HTTP1_BODY_UNTIL_CLOSE && orderly)
		f->body.done = true;
	else if (f->phase == FETCH_BODY)
		link_break(f->link, ERR_UNAVAILABLE, "the connection ended inside the answer");
	else
		link_break(f->link, ERR_UNAVAILABLE, "the connection ended before the answer");
}

static bool wants_input(const struct http_fetch *f)
{
	return f->link->state == LINK_OPEN && !f->cancelled && !f->paused && !(f->phase == FETCH_BODY && f->body.done);
}

static void read_some(struct http_fetch *f)
{
	struct http_link *l = f->link;
	struct str fresh;
	ssize_t n = link_read(l, &fresh);
	if (n == STREAM_AGAIN)
		return;
	if (n <= 0) {
		input_ended(f, n == 0);
		return;
	}
	f->first_byte = true;
	if (l->in.n) {
		buf_add(&l->in, fresh);
		size_t used = consume(f, buf_str(&l->in));
		buf_drop(&l->in, used);
	} else {
		size_t used = consume(f, fresh);
		buf_add(&l->in, str_drop(fresh, used));
	}
	if (l->in.failed)
		link_break(l, ERR_NO_MEMORY, "out of memory for the answer");
}

// ---- progress

static void start_link(struct http_fetch *f)
{
	struct err e = {0};
	f->link = f->replayed ? NULL : origin_take_idle(f->request.origin);
	if (f->link)
		f->link->fetch = f;
	else
		f->link = link_open(f, &e);
	if (!f->link)
		end(f, &e, false);
}

// A kept link that the other side closed before it heard us: nothing was lost but the connection.
static bool try_again(struct http_fetch *f)
{
	bool unheard = f->link->reused && !f->first_byte && f->link->err.code == ERR_UNAVAILABLE;
	if (!unheard || !f->request.replay || f->request.streamed || f->replayed)
		return false;
	f->replayed = true;
	release_link(f, false);
	set_phase(f, FETCH_CONNECT);
	f->scan = (struct http1_scan){0};
	start_link(f);
	return true;
}

static bool is_over(const struct http_fetch *f)
{
	return f->phase == FETCH_BODY && f->body.done;
}

static void finish(struct http_fetch *f)
{
	const struct err none = {0};
	bool reusable =
		f->response.keep_alive && f->sent && f->link->in.n == 0 && f->body.type != HTTP1_BODY_UNTIL_CLOSE;
	end(f, &none, reusable);
}

static void check_sent(struct http_fetch *f)
{
	struct http_link *l = f->link;
	uint64_t sent = 0;
	link_flush(l, &sent);
	f->heard = f->heard || sent;
	if (sent)
		f->phase_ns = loop_now_ns(f->client->options.loop);
	if (!link_pending(l) && !f->sent && (!f->request.streamed || f->finished)) {
		f->sent = true;
		if (f->phase == FETCH_SEND)
			set_phase(f, FETCH_HEAD);
	}
	if (f->full && l->out.n - l->out_sent <= STREAM_MARK_BYTES / 2) {
		f->full = false;
		f->in_callback = true;
		if (f->events->drained)
			f->events->drained(f->ctx);
		f->in_callback = false;
	}
}

static void set_deadline(struct http_fetch *f)
{
	const struct http_fetch_request *r = &f->request;
	int64_t at = loop_now_ns(f->client->options.loop) + NEVER_NS;
	if (f->phase == FETCH_CONNECT)
		at = f->phase_ns + (r->connect_ns ? r->connect_ns : DEFAULT_CONNECT_NS);
	else if (f->phase == FETCH_HEAD || (f->phase == FETCH_SEND && link_pending(f->link)))
		at = f->phase_ns + (r->first_byte_ns ? r->first_byte_ns : DEFAULT_WAIT_NS);
	else if (f->phase == FETCH_BODY && !f->paused)
		at = f->phase_ns + (r->idle_ns ? r->idle_ns : DEFAULT_WAIT_NS);
	if (r->total_ns)
		at = MIN(at, f->began_ns + r->total_ns);
	if (loop_timer_set(f->client->options.loop, &f->timer, at))
		link_break(f->link, ERR_NO_MEMORY, "out of memory for a deadline");
}

static void work(struct http_fetch *f)
{
	struct http_link *l = f->link;
	if (f->phase == FETCH_CONNECT && l->state == LINK_OPEN)
		write_request(f);
	if (l->state != LINK_OPEN)
		return;
	check_sent(f);
	if (!f->cancelled && l->in.n && !f->paused) {
		size_t used = consume(f, buf_str(&l->in));
		buf_drop(&l->in, used);
	}
	for (int i = 0; l->readable && wants_input(f); i++) {
		if (i == READS_PER_ROUND) {
			loop_later(f->client->options.loop, &f->kick);
			break;
		}
		read_some(f);
	}
	if (l->state == LINK_OPEN && !is_over(f)) // a kept connection goes on being watched for reading
		link_watch(l, (wants_input(f) ? LOOP_READ : 0) | (link_pending(l) ? LOOP_WRITE : 0));
}

void fetch_advance(struct http_fetch *f)
{
	if (!f->link)
		start_link(f);
	if (f->phase == FETCH_OVER || !f->link)
		return;
	work(f);
	if (!f->cancelled && f->link->state != LINK_BROKEN)
		set_deadline(f);
	if (f->cancelled) {
		release_link(f, false);
		recycle(f);
	} else if (f->link->state == LINK_BROKEN) {
		if (try_again(f)) {
			if (f->link && f->link->state == LINK_BROKEN)
				loop_later(f->client->options.loop, &f->kick);
			else if (f->link)
				set_deadline(f);
			return;
		}
		struct err e = f->link->err;
		end(f, &e, false);
	} else if (is_over(f)) {
		finish(f);
	}
}

static void kick_run(struct loop_task *t)
{
	fetch_advance(CONTAINER_OF(t, struct http_fetch, kick));
}

static void deadline_fire(struct loop_timer *t)
{
	struct http_fetch *f = CONTAINER_OF(t, struct http_fetch, timer);
	static const char *const doing[] = {
		"connecting", "sending the request", "waiting for the answer", "reading the answer", ""};
	const struct http_fetch_request *r = &f->request;
	int64_t now = loop_now_ns(f->client->options.loop);
	bool total = r->total_ns && now >= f->began_ns + r->total_ns;
	if (!total && now - f->phase_ns >= NEVER_NS && f->phase == FETCH_SEND) {
		set_deadline(f); // a streamed body that its source is slow to give
		return;
	}
	struct err e = {0};
	err_set(&e, ERR_TIMEOUT, "%s: no end after %" PRId64 " ms of %s", r->origin->text,
		(now - (total ? f->began_ns : f->phase_ns)) / NS_PER_MS, doing[f->phase]);
	end(f, &e, false);
}

// ---- public

static struct http_fetch *take_fetch(struct http_client *c)
{
	struct http_fetch *f = c->spare;
	if (f)
		c->spare = f->next;
	else
		f = malloc(sizeof(*f));
	if (!f)
		return NULL;
	*f = (struct http_fetch){.client = c, .next = c->fetches, .link_in_list = &c->fetches};
	if (f->next)
		f->next->link_in_list = &f->next;
	c->fetches = f;
	f->kick.run = kick_run;
	f->timer.fire = deadline_fire;
	return f;
}

int http_fetch_start(const struct http_fetch_request *r, const struct http_fetch_events *events, void *ctx,
	struct http_fetch **out, struct err *e)
{
	struct http_fetch *f = take_fetch(r->origin->client);
	if (!f)
		return err_set(e, ERR_NO_MEMORY, "out of memory for a request to %s", r->origin->text);
	f->request = *r;
	f->events = events;
	f->ctx = ctx;
	f->promised = r->length;
	f->began_ns = loop_now_ns(f->client->options.loop);
	r->origin->users++;
	set_phase(f, FETCH_CONNECT);
	loop_later(f->client->options.loop, &f->kick);
	*out = f;
	return 0;
}

void http_fetch_cancel(struct http_fetch *f)
{
	f->cancelled = true;
	if (f->in_callback)
		return; // whoever called back looks at it
	release_link(f, false);
	recycle(f);
}

void http_fetch_pause(struct http_fetch *f)
{
	f->paused = true;
}

void http_fetch_resume(struct http_fetch *f)
{
	if (!f->paused)
		return;
	f->paused = false;
	f->phase_ns = loop_now_ns(f->client->options.loop);
	loop_later(f->client->options.loop, &f->kick);
}

// Where streamed pieces go: to the connection once it stands.
static struct buf *stream_buffer(struct http_fetch *f)
{
	return f->phase == FETCH_CONNECT ? &f->queued : &f->link->out;
}

static void stream_failed(struct http_fetch *f, int code, const char *what)
{
	f->queued.failed = true; // fails the head when it is still to be written
	if (f->link)
		link_break(f->link, code, what);
}

bool http_fetch_write(struct http_fetch *f, struct str piece)
{
	bool chunked = f->request.length == HTTP_LENGTH_UNKNOWN;
	struct buf *out = stream_buffer(f);
	if (f->finished || piece.n == 0)
		return true;
	if (!chunked && piece.n > (uint64_t)f->promised) {
		stream_failed(f, ERR_INVALID, "the body is longer than its content-length");
		return true;
	}
	if (chunked)
		buf_printf(out, "%zx\r\n", piece.n);
	else
		f->promised -= (int64_t)piece.n;
	buf_add(out, piece);
	if (chunked)
		buf_add(out, S("\r\n"));
	if (out->failed)
		stream_failed(f, ERR_NO_MEMORY, "out of memory for the body");
	loop_later(f->client->options.loop, &f->kick);
	f->full = out->n > STREAM_MARK_BYTES;
	return !f->full;
}

void http_fetch_finish(struct http_fetch *f)
{
	if (f->finished)
		return;
	f->finished = true;
	if (f->request.length == HTTP_LENGTH_UNKNOWN)
		buf_add(stream_buffer(f), S("0\r\n\r\n"));
	else if (f->promised > 0)
		stream_failed(f, ERR_INVALID, "the body is shorter than its content-length");
	loop_later(f->client->options.loop, &f->kick);
}

bool http_fetch_began(const struct http_fetch *f)
{
	return f->first_byte;
}

bool http_fetch_heard(const struct http_fetch *f)
{
	return f->heard;
}
