// SPDX-License-Identifier: Apache-2.0
// A request of a client that goes on to a server, and the server's answer that goes back: as it comes, held to the speed
// of the slower side. Short answers whose length is known are collected, so that faults that are played on answers meet
// these, too. Whatever ends first (the client, the server, the time) ends the other side.
#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "pocket/engine/engine_impl.h"
#include "pocket/pocket_impl.h"

#define TIMEOUT_NS (60 * NS_PER_S)

enum { COLLECT_MAX = 256 << 10, WHOLE_MAX = 1 << 20 };

enum forward_mode {
	WAITING,    // for the head
	COLLECTING, // a short answer, or one that the service wants whole
	STREAMING,
	DROPPING,   // the rest of one that is too long to be collected
};
struct forward {
	struct front_request *r;
	struct engine_forward want;
	struct http_fetch *fetch; // NULL: over
	enum forward_mode mode;
	int status;  // to answer with; 0: want.whole() answers
	int answered; // the server's own
	struct buf body;
};

static void fail_with(struct forward *f, int code, const char *what)
{
	struct front_request *r = f->r;
	err_set(&r->err, code, "%.*s: %s", STR(f->want.id), what);
	front_fail(r);
}

static void set_mode(struct forward *f, enum forward_mode mode)
{
	f->mode = mode;
}

static bool is_short(const struct http_response *response)
{
	struct str length = http_header_get(&response->headers, "content-length");
	uint64_t n;
	return length.p && str_to_u64(length, &n) == 0 && n <= COLLECT_MAX;
}

static int64_t length_of(const struct http_response *response)
{
	struct str length = http_header_get(&response->headers, "content-length");
	int64_t n;
	return length.p && str_to_i64(length, &n) == 0 && n >= 0 ? n : HTTP_LENGTH_UNKNOWN;
}

static void on_head(void *ctx, const struct http_response *response)
{
	struct forward *f = ctx;
	struct front_request *r = f->r;
	f->answered = response->status;
	f->status = f->want.head ? f->want.head(r, response) : response->status;
	if (f->status == 0 || is_short(response)) {
		set_mode(f, COLLECTING);
		f->body.limit = f->status ? COLLECT_MAX : WHOLE_MAX;
		return;
	}
	set_mode(f, STREAMING);
	struct http_reply reply = {
		.status = f->status, .headers = r->out.items, .header_count = r->out.count};
	http_reply_start(r->x, &reply, length_of(response));
}

static void on_body(void *ctx, struct str piece)
{
	struct forward *f = ctx;
	if (f->mode == STREAMING) {
		if (!http_reply_write(f->r->x, piece))
			http_fetch_pause(f->fetch);
	} else if (f->mode == COLLECTING) {
		buf_add(&f->body, str_take(piece, f->body.limit - f->body.n));
	}
}

static void on_end(void *ctx, const struct err *e, UNUSED bool began)
{
	struct forward *f = ctx;
	struct front_request *r = f->r;
	f->fetch = NULL;
	if (f->mode == STREAMING && e->code == 0)
		http_reply_end(r->x);
	else if (f->mode == STREAMING)
		http_exchange_abort(r->x); // the only honest end of what was begun
	else if (e->code)
		fail_with(f, e->code == ERR_TIMEOUT ? ERR_TIMEOUT : ERR_UNAVAILABLE, e->message);
	else if (f->status == 0)
		f->want.whole(r, f->answered, buf_str(&f->body));
	else
		front_reply_buf(r, f->status, &f->body);
}

static const struct http_fetch_events events = {.head = on_head, .body = on_body, .end = on_end};

static void end_forward(void *p)
{
	struct forward *f = p;
	if (f->fetch)
		http_fetch_cancel(f->fetch);
	f->fetch = NULL;
	buf_free(&f->body);
}

void engine_forward_drained(struct front_request *r)
{
	const struct forward *f = r->forward;
	if (f && f->fetch)
		http_fetch_resume(f->fetch);
}

static int begin(struct forward *f, const struct engine_job *job, struct err *e)
{
	const struct engine_forward *w = &f->want;
	struct http_client *client = NULL;
	struct http_origin *origin = NULL;
	char url[48];
	snprintf(url, sizeof(url), "http://127.0.0.1:%d", job->report.port);
	int rc = engine_client(job->engine, &client, e);
	if (rc == 0)
		rc = http_client_origin(client, str_of(url), &origin, e);
	if (rc < 0)
		return rc;
	int64_t timeout = w->timeout_ns ? w->timeout_ns : TIMEOUT_NS;
	const struct http_fetch_request request = {.origin = origin,
		.method = w->method,
		.target = w->target,
		.headers = w->headers,
		.header_count = w->header_count,
		.body = w->body,
		.first_byte_ns = timeout,
		.idle_ns = timeout};
	rc = http_fetch_start(&request, &events, f, &f->fetch, e);
	http_origin_drop(origin);
	return rc;
}

void engine_forward(struct front_request *r, const struct engine_forward *want)
{
	struct forward *f = arena_new(r->arena, struct forward);
	const struct engine_job *job = engine_find(r->pocket->engine, want->id);
	if (!f || !arena_defer(r->arena, end_forward, f)) {
		err_set(&r->err, ERR_NO_MEMORY, "out of memory");
		front_fail(r);
		return;
	}
	*f = (struct forward){.r = r, .want = *want};
	r->forward = f;
	if (!job || job->prepared || job->kind != ENGINE_SERVER)
		fail_with(f, ERR_NOT_FOUND, "there is no such server");
	else if (!job->healthy)
		fail_with(f, ERR_UNAVAILABLE, "the server is not ready");
	else if (begin(f, job, &r->err) < 0)
		front_fail(r);
}
