// SPDX-License-Identifier: Apache-2.0
// Forwarding: a request goes to the best target; when that one fails before its answer began, to the next, at most as
// often as the route says. What comes back is held until its audit record is on disk, then relayed with back-pressure
// both ways.
#include "base/time.h"
#include "gateway/gateway_impl.h"

#define CONNECT_NS (1 * NS_PER_S)

static void try_next(struct request *r);

static int64_t now_of(const struct request *r)
{
	return loop_now_ns(r->worker->loop);
}

static void judge(struct request *r, bool ok, bool unreachable)
{
	const struct target_outcome o = {.ok = ok, .unreachable = unreachable, .latency_ns = now_of(r) - r->attempt_ns};
	target_end(r->target->target, r->target->attempts, &o);
}

// Statuses by which a target says that it, not the request, is the problem.
static bool is_failure(int status)
{
	return status == 502 || status == 503 || status == 504;
}

static bool may_try_again(const struct request *r)
{
	struct target_choice rest = {r->route, r->excluded};
	return r->attempts < r->route->attempts && target_pick(&rest, now_of(r)) >= 0;
}

static bool is_safe(const struct request *r)
{
	return r->route->idempotent || r->x->request.method == HTTP_GET || r->x->request.method == HTTP_HEAD;
}

static void give_up(struct request *r)
{
	if (r->failure.code == ERR_TIMEOUT)
		request_refuse(r, 504, "failed", "the endpoint did not answer in time");
	else if (r->attempts == 0)
		request_refuse(r, 503, "failed", "no endpoint can take the request");
	else
		request_refuse(r, 502, "failed", "the endpoint cannot be reached or broke off");
}

// ---- the answer of a target

static void answer_head(void *ctx, const struct http_response *answer)
{
	struct request *r = ctx;
	bool failed = is_failure(answer->status);
	if (failed && is_safe(r) && may_try_again(r)) {
		judge(r, false, false);
		http_fetch_cancel(r->fetch);
		r->fetch = NULL;
		try_next(r);
		return;
	}
	judge(r, answer->status < 500, false);
	r->status = answer->status;
	r->length = r->x->request.method == HTTP_HEAD ? HTTP_LENGTH_UNKNOWN : answer->length;
	r->own = false;
	if (!headers_for_client(r, answer)) {
		forward_abandon(r);
		request_refuse(r, 503, "failed", "out of memory for the answer");
		return;
	}
	request_answer(r);
}

static void answer_body(void *ctx, struct str piece)
{
	struct request *r = ctx;
	if (r->state == REQUEST_RELAYING) {
		if (!http_reply_write(r->x, piece))
			http_fetch_pause(r->fetch);
		return;
	}
	if (!grown_add(&r->x->arena, &r->held, piece))
		http_exchange_abort(r->x);
	else if (r->held.n > HELD_MAX_BYTES)
		http_fetch_pause(r->fetch);
}

static void finish_relay(struct request *r)
{
	r->state = REQUEST_OVER;
	if (!r->upstream_cut) {
		http_reply_end(r->x);
		return;
	}
	http_exchange_abort(r->x); // half an answer must not look like a whole one
	request_note(r, "failed", "the endpoint broke off inside its answer");
}

static void answer_end(void *ctx, const struct err *e, bool began)
{
	struct request *r = ctx;
	bool head_seen = r->state != REQUEST_FORWARDING;
	bool heard = http_fetch_heard(r->fetch);
	r->fetch = NULL;
	if (head_seen) {
		r->upstream_over = true;
		r->upstream_cut = e->code != 0;
		if (r->state == REQUEST_RELAYING)
			finish_relay(r);
		return;
	}
	judge(r, false, !heard || e->code == ERR_UNAVAILABLE);
	r->failure = *e;
	// A half-read head has told the client nothing; but a request that is not idempotent may have been carried out.
	(void)began;
	if ((is_safe(r) || !heard) && may_try_again(r))
		try_next(r);
	else
		give_up(r);
}

static const struct http_fetch_events answer_events = {.head = answer_head, .body = answer_body, .end = answer_end};

// ---- sending

static bool fill_request(struct request *r)
{
	const struct target *t = r->target->target;
	struct arena *a = &r->x->arena;
	struct str query = r->x->request.query;
	struct http_fetch_request *f = &r->sent;
	if (!f->headers && !headers_for_target(r, &f->headers, &f->header_count))
		return false;
	f->origin = t->origin;
	f->method = r->x->request.method_text;
	if (!t->prefix[0] && !query.p)
		f->target = r->path;
	else
		f->target = arena_printf(a, "%s%.*s%s%.*s", t->prefix, STR(r->path), query.p ? "?" : "", STR(query));
	f->body = (struct str){r->body.p, r->body.n};
	f->replay = is_safe(r);
	f->connect_ns = CONNECT_NS;
	f->first_byte_ns = r->route->timeout_ns;
	f->idle_ns = r->route->timeout_ns;
	return f->target.p != NULL;
}

static void try_next(struct request *r)
{
	struct target_choice choice = {r->route, r->excluded};
	int index = target_pick(&choice, now_of(r));
	r->state = REQUEST_FORWARDING;
	if (index < 0) {
		give_up(r);
		return;
	}
	r->target = &r->route->targets[index];
	r->excluded |= UINT32_C(1) << index;
	r->attempts++;
	r->attempt_ns = now_of(r);
	if (!fill_request(r) || http_fetch_start(&r->sent, &answer_events, r, &r->fetch, &r->failure)) {
		request_refuse(r, 503, "failed", "out of memory to forward");
		return;
	}
	target_begin(r->target->target);
}

void forward_start(struct request *r)
{
	try_next(r);
}

void forward_release(struct request *r)
{
	bool room = r->held.n == 0 || http_reply_write(r->x, (struct str){r->held.p, r->held.n});
	r->held = (struct grown){0};
	if (r->upstream_over)
		finish_relay(r);
	else if (room)
		http_fetch_resume(r->fetch);
	else
		http_fetch_pause(r->fetch);
}

void forward_room(struct request *r)
{
	if (r->fetch && r->state == REQUEST_RELAYING)
		http_fetch_resume(r->fetch);
}

void forward_abandon(struct request *r)
{
	if (!r->fetch)
		return;
	if (r->state == REQUEST_FORWARDING)
		target_abandon(r->target->target);
	http_fetch_cancel(r->fetch);
	r->fetch = NULL;
}
