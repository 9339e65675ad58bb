// SPDX-License-Identifier: Apache-2.0
// One blocking HTTP call on a private loop: see http_call.h.
#include "net/http_call.h"

#include "base/time.h"
#include "net/http_client.h"

enum { BODY_LIMIT = 16 << 20 };
#define TOTAL_NS (30 * NS_PER_S)
#define LOOK_NS (50 * NS_PER_MS) // how often cancellation is looked at

struct call_run {
	struct call *c;
	const struct http_call_request *request;
	struct http_call_response response;
	struct http_fetch *fetch; // NULL: over
	struct buf body;
	int code;
};

static void copy_head(struct call_run *run, const struct http_response *r)
{
	struct arena *a = run->c->arena;
	run->response.status = r->status;
	for (size_t i = 0; i < r->headers.count; i++) {
		struct str name = arena_str(a, r->headers.items[i].name),
			   value = arena_str(a, r->headers.items[i].value);
		if (!name.p || !value.p || http_header_add(&run->response.headers, a, name, value))
			run->code = call_no_memory(run->c);
	}
}

static void got_head(void *ctx, const struct http_response *r)
{
	copy_head(ctx, r);
}

static void got_body(void *ctx, struct str piece)
{
	struct call_run *run = ctx;
	if (run->code)
		return;
	if (run->request->on_body) {
		run->code = run->request->on_body(run->c, run->request->on_body_ctx, piece);
		return;
	}
	buf_add(&run->body, piece);
	if (run->body.failed)
		run->code = buf_check(&run->body, &run->c->err);
}

static void got_end(void *ctx, const struct err *e, bool began)
{
	struct call_run *run = ctx;
	(void)began;
	run->fetch = NULL;
	if (e->code && !run->code) {
		run->c->err = *e;
		run->code = e->code;
	}
}

static const struct http_fetch_events run_events = {.head = got_head, .body = got_body, .end = got_end};

static int start(struct call_run *run, struct http_client *client)
{
	const struct http_call_request *r = run->request;
	struct url url;
	int64_t left = call_left_ns(run->c), total = r->total_ns ? r->total_ns : TOTAL_NS;
	struct http_fetch_request fetch = {
		.method = r->method.n ? r->method : S("GET"),
		.headers = r->headers,
		.header_count = r->header_count,
		.body = r->body,
		.connect_ns = r->connect_ns,
		.first_byte_ns = MIN(total, left),
		.idle_ns = MIN(total, left),
		.total_ns = MAX(MIN(total, left), 1),
	};
	int code = url_parse(r->url, &url, &run->c->err);
	if (code == 0)
		code = http_client_origin(client, r->url, &fetch.origin, &run->c->err);
	if (code)
		return code;
	fetch.target = url.target;
	return http_fetch_start(&fetch, &run_events, run, &run->fetch, &run->c->err);
}

static int wait_end(struct call_run *run, struct loop *loop)
{
	while (run->fetch && run->code == 0) {
		int code = call_check(run->c);
		if (code == 0)
			code = loop_round(loop, LOOK_NS, &run->c->err);
		if (code)
			run->code = code;
	}
	return run->code;
}

static int set_up(struct call_run *run, struct loop *loop, struct tls **tls, struct http_client **client)
{
	struct tls_config config = {.ca_file = run->request->ca_file};
	struct http_client_options options = {.loop = loop, .guard = run->request->guard};
	if (str_starts(run->request->url, S("https://")) || str_starts(run->request->url, S("HTTPS://"))) {
		int code = tls_new(&config, tls, &run->c->err);
		if (code)
			return code;
		options.tls = *tls;
	}
	return http_client_new(&options, client, &run->c->err);
}

int http_call(struct call *c, const struct http_call_request *r, struct http_call_response *out)
{
	AUTO(loop) loop = NULL;
	AUTO(tls) tls = NULL;
	AUTO(http_client) client = NULL; // freed first: it uses the others
	AUTO(buf) collected = {0};
	struct call_run run = {.c = c, .request = r, .body = {.limit = r->body_limit ? r->body_limit : BODY_LIMIT}};
	int code = call_check(c);
	if (code == 0)
		code = loop_new(&loop, &c->err);
	if (code == 0)
		code = set_up(&run, loop, &tls, &client);
	if (code == 0)
		code = start(&run, client);
	if (code == 0)
		code = wait_end(&run, loop);
	collected = run.body;
	if (run.fetch)
		http_fetch_cancel(run.fetch);
	if (code)
		return call_context(
			c, "%.*s %.*s", STR(r->method.n ? r->method : S("GET")), STR(str_take(r->url, 200)));
	run.response.body = arena_str(c->arena, buf_str(&collected));
	if (!run.response.body.p)
		return call_no_memory(c);
	*out = run.response;
	return 0;
}
