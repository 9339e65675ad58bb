// SPDX-License-Identifier: Apache-2.0
// Probes: whether a target that no request goes to is well. See target.h. A probe of an open target asks its server's
// health; what a provider's service costs by the invocation is asked only when that is the question.
#include <stdlib.h>

#include "base/time.h"
#include "gateway/invoke.h"
#include "gateway/target_impl.h"

#define PROBE_EVERY_NS (250 * NS_PER_MS)
#define INVOCATION_EVERY_NS NS_PER_S // while somebody is there who refuses, or a target has no weight
#define PROBE_TOTAL_NS (2 * NS_PER_S)

struct target_call {
	struct arena arena; // of the headers
	struct upstreams *with;
	struct http_headers headers;
	struct invoke_error error;
	struct buf body; // of an error
};

static int64_t now_of(const struct target *t)
{
	return loop_now_ns(t->table->loop);
}

// A target in rotation that others are faster than may see no request for seconds: its death must be noticed all the same.
static bool wants_probe(const struct target *t)
{
	return t->ejected || !(t->weight > 0) || now_of(t) - t->attempted_ns >= PROBE_EVERY_NS;
}

static bool wants_invocation(const struct target *t)
{
	return t->service != UPSTREAM_OPEN && (t->ejected || !(t->weight > 0));
}

void target_plan_probe(struct target *t)
{
	int64_t at = now_of(t) + PROBE_EVERY_NS;
	// Without memory for the timer, put the target back into rotation: requests then find out how it is.
	if (!t->probe && !t->probe_timer.slot && t->listed && loop_timer_set(t->table->loop, &t->probe_timer, at))
		t->ejected = false;
}

static void free_call(struct target *t)
{
	struct target_call *call = t->probe_call;
	if (!call)
		return;
	buf_free(&call->body);
	upstreams_release(call->with);
	arena_free(&call->arena);
	free(call);
	t->probe_call = NULL;
}

void target_forget_probe(struct target *t)
{
	loop_timer_clear(t->table->loop, &t->probe_timer);
	if (t->probe)
		http_fetch_cancel(t->probe);
	t->probe = NULL;
	free_call(t);
}

static void conclude(struct target *t, const struct target_outcome *o)
{
	target_count(t, t->probe_stats, o);
	target_judge(t, o);
	if (o->ok && !o->busy_ns) {
		t->ejected = false;
		t->reason[0] = '\0';
	}
	target_plan_probe(t);
}

// ---- open targets, and whether a service is there

static void probe_head(void *ctx, const struct http_response *r)
{
	((struct target *)ctx)->probe_status = r->status;
}

static void probe_end(void *ctx, const struct err *e, bool began)
{
	struct target *t = ctx;
	bool well = t->service == UPSTREAM_OPEN ? t->probe_status == 200 : t->probe_status < 500;
	(void)began;
	t->probe = NULL;
	conclude(t, &(struct target_outcome){.ok = e->code == 0 && well,
			    .unreachable = e->code != 0,
			    .latency_ns = now_of(t) - t->probe_began_ns});
}

static const struct http_fetch_events probe_events = {.head = probe_head, .end = probe_end};

// ---- invocations

static void call_head(void *ctx, const struct http_response *r)
{
	struct target *t = ctx;
	t->probe_status = r->status;
	invoke_error_head(t->service, r, &t->probe_call->arena, &t->probe_call->error);
}

static void call_body(void *ctx, struct str piece)
{
	struct target *t = ctx;
	struct buf *body = &t->probe_call->body;
	buf_add(body, str_take(piece, INVOKE_ERROR_BYTES - MIN(body->n, (size_t)INVOKE_ERROR_BYTES)));
}

static void call_end(void *ctx, const struct err *e, bool began)
{
	struct target *t = ctx;
	struct target_call *call = t->probe_call;
	struct target_outcome o = {.unreachable = e->code != 0, .latency_ns = now_of(t) - t->probe_began_ns};
	(void)began;
	t->probe = NULL;
	if (e->code == 0 && t->probe_status >= 300) {
		struct invoke_judgement judged;
		call->error.body = buf_str(&call->body);
		invoke_judge(&call->error, &call->arena, &judged);
		// Throttled is as good as an answer: who is refused for being too many is known there.
		o.ok = judged.verdict == INVOKE_REFUSED || judged.verdict == INVOKE_TOO_LARGE ||
		       judged.verdict == INVOKE_BUSY;
		o.refused = judged.verdict == INVOKE_UNUSABLE;
		o.credentials = judged.credentials;
		o.service_ns = call->error.date_ns;
		o.reason = judged.reason;
	} else {
		o.ok = e->code == 0;
	}
	conclude(t, &o);
	free_call(t);
}

static const struct http_fetch_events call_events = {.head = call_head, .body = call_body, .end = call_end};

static int prepare_call(struct target *t, struct target_call *call, struct err *e)
{
	const struct edges *edges = t->table->edges;
	struct invoke_request r = {.with = upstreams_find(call->with, t->cloud, t->endpoint),
		.authority = str_of(t->authority),
		.path = str_of(t->prefix),
		.body = S("{}"),
		.kind = {.content_type = S("application/json")},
		.wall_ns = edges->wall_ns(edges->ctx) + t->ahead_ns};
	if (!r.with || r.with->service != t->service)
		return err_set(e, ERR_UNAUTHENTICATED, "it has no credentials: the control plane has not given any yet");
	return invoke_headers(&r, &call->arena, &call->headers, e);
}

static int start_call(struct target *t, struct err *e)
{
	struct target_call *call = calloc(1, sizeof(*call));
	if (!call)
		return err_set(e, ERR_NO_MEMORY, "out of memory for a probe");
	t->probe_call = call;
	call->with = upstreams_hold(t->table->upstreams);
	int code = prepare_call(t, call, e);
	if (code)
		return code;
	struct http_fetch_request r = {.origin = t->origin,
		.method = S("POST"),
		.target = str_of(t->prefix),
		.headers = call->headers.items,
		.header_count = call->headers.count,
		.authority = str_of(t->authority),
		.body = S("{}"),
		.replay = true,
		.total_ns = PROBE_TOTAL_NS};
	return http_fetch_start(&r, &call_events, t, &t->probe, e);
}

static void invoke(struct target *t)
{
	struct err e = {0};
	int64_t pause = t->unreachable ? PROBE_EVERY_NS : INVOCATION_EVERY_NS;
	if (t->probe_began_ns && now_of(t) - t->probe_began_ns < pause) {
		target_plan_probe(t);
		return;
	}
	t->probe_status = 0;
	t->probe_began_ns = now_of(t);
	int code = start_call(t, &e);
	if (code) {
		t->probe = NULL;
		free_call(t);
		bool lacks = code == ERR_UNAUTHENTICATED;
		conclude(t, &(struct target_outcome){.refused = lacks, .credentials = lacks, .reason = str_of(e.message)});
	}
}

static void probe_fire(struct loop_timer *timer)
{
	struct target *t = CONTAINER_OF(timer, struct target, probe_timer);
	struct http_fetch_request r = {.origin = t->origin,
		.method = S("GET"),
		.target = str_of(t->probe_path),
		.replay = true,
		.total_ns = PROBE_TOTAL_NS};
	if (!wants_probe(t)) {
		target_plan_probe(t);
		return;
	}
	if (wants_invocation(t)) {
		invoke(t);
		return;
	}
	t->probe_status = 0;
	t->probe_began_ns = now_of(t);
	if (http_fetch_start(&r, &probe_events, t, &t->probe, NULL))
		t->probe = NULL;
	target_plan_probe(t);
}

void target_watch(struct target *t)
{
	t->probe_timer.fire = probe_fire;
	target_plan_probe(t);
}
