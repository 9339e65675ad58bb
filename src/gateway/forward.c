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

// The last attempt's answer was an error that the gateway puts into words.
static void answer_judged(struct request *r)
{
	r->outcome = "failed";
	r->reason = arena_cstr(&r->x->arena, r->judgement.reason);
	if (!r->reason)
		r->reason = "the endpoint's cloud answered an error";
	if (r->judgement.verdict == INVOKE_REFUSED) // the model's own answer, which is none of a failure
		r->outcome = "allowed";
	r->target = r->judged;
	r->of_target = true;
	request_answer_with(r, r->judgement.status, r->judgement.body);
}

static void give_up(struct request *r)
{
	if (r->judgement.reason.n)
		answer_judged(r);
	else if (r->attempts == 0 && r->other_version)
		request_refuse(r, 404, "failed", "no endpoint serves this version of the model");
	else if (r->failure.code == ERR_TIMEOUT)
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
	if (r->target->service != UPSTREAM_OPEN && (answer->status < 200 || answer->status > 299)) {
		if (!invoke_error_begin(r, answer))
			http_exchange_abort(r->x);
		return;
	}
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
	if (r->error) {
		invoke_error_add(r, piece);
		return;
	}
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

// An error of a service is whole, or as whole as it gets.
static void end_judged(struct request *r)
{
	struct target_outcome o = invoke_error_end(r);
	o.latency_ns = now_of(r) - r->attempt_ns;
	target_end(r->target->target, r->target->attempts, &o);
	if (r->judgement.elsewhere && (is_safe(r) || !r->judgement.carried_out) && may_try_again(r))
		try_next(r);
	else
		answer_judged(r);
}

static void answer_end(void *ctx, const struct err *e, bool began)
{
	struct request *r = ctx;
	bool head_seen = r->state != REQUEST_FORWARDING;
	bool heard = http_fetch_heard(r->fetch);
	r->fetch = NULL;
	if (r->error) {
		end_judged(r);
		return;
	}
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

static bool fill_open(struct request *r)
{
	const struct target *t = r->target->target;
	struct arena *a = &r->x->arena;
	struct str query = r->x->request.query;
	struct http_fetch_request *f = &r->sent;
	if (!r->plain_headers && !headers_for_target(r, &r->plain_headers, &r->plain_count))
		return false;
	*f = (struct http_fetch_request){.method = r->x->request.method_text,
		.headers = r->plain_headers,
		.header_count = r->plain_count};
	if (!t->prefix[0] && !query.p)
		f->target = r->path;
	else
		f->target = arena_printf(a, "%s%.*s%s%.*s", t->prefix, STR(r->path), query.p ? "?" : "", STR(query));
	return f->target.p != NULL;
}

static bool start_attempt(struct request *r)
{
	struct http_fetch_request *f = &r->sent;
	f->origin = r->target->target->origin;
	f->body = (struct str){r->body.p, r->body.n};
	f->replay = is_safe(r);
	f->connect_ns = CONNECT_NS;
	f->first_byte_ns = r->route->timeout_ns;
	f->idle_ns = r->route->timeout_ns;
	r->judgement = (struct invoke_judgement){0};
	r->attempts++;
	r->attempt_ns = now_of(r);
	return http_fetch_start(f, &answer_events, r, &r->fetch, &r->failure) == 0;
}

static void try_next(struct request *r)
{
	enum invoke_step step = STEP_NEXT;
	r->state = REQUEST_FORWARDING;
	while (step == STEP_NEXT) {
		struct target_choice choice = {r->route, r->excluded};
		int index = target_pick(&choice, now_of(r));
		if (index < 0) {
			give_up(r);
			return;
		}
		r->target = &r->route->targets[index];
		r->excluded |= UINT32_C(1) << index;
		step = r->target->service == UPSTREAM_OPEN ? STEP_SEND : invoke_prepare(r);
	}
	if (step == STEP_OVER)
		return;
	bool open = r->target->service == UPSTREAM_OPEN;
	if ((open && !fill_open(r)) || !start_attempt(r))
		request_refuse(r, 503, "failed", "out of memory to forward");
	else
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
