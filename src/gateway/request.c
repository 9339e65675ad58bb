// SPDX-License-Identifier: Apache-2.0
// One request at the gateway: which route, who asks, may he, and the record of the answer. Everything that is answered
// goes through request_answer(), so that there is no answer without a record; a strict gateway holds it until the
// record is on disk.
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/time.h"
#include "gateway/gateway_impl.h"
#include "net/url.h"

// What a request is called in roles and in the audit log: asking the model, or asking about it.
static struct str action_of(const struct request *r)
{
	enum http_method method = r->x->request.method;
	return method == HTTP_GET || method == HTTP_HEAD ? S("model.read") : S("model.predict");
}

static void set_state(struct request *r, enum request_state state)
{
	r->state = state;
}

bool grown_add(struct arena *a, struct grown *g, struct str bytes)
{
	if (bytes.n > g->room - g->n) {
		size_t room = MAX(g->n + bytes.n, MAX(g->room * 2, (size_t)1024));
		char *p = arena_alloc(a, room);
		if (!p)
			return false;
		if (g->n)
			memcpy(p, g->p, g->n);
		g->p = p;
		g->room = room;
	}
	if (bytes.n)
		memcpy(g->p + g->n, bytes.p, bytes.n);
	g->n += bytes.n;
	return true;
}

// ---- the record

static json_t *detail_of(const struct request *r)
{
	json_t *detail = json_object();
	if (r->x->request.method_text.n)
		json_set_str(detail, "method", r->x->request.method_text);
	if (r->path.n)
		json_set_str(detail, "path", r->path);
	if (r->route)
		json_set_str(detail, "route", r->route->name);
	if (r->attempts > 1)
		json_object_set_new(detail, "attempts", json_integer(r->attempts));
	return detail;
}

static int append_record(struct request *r, struct audit_wait *wait, struct err *e)
{
	AUTO(json) detail = detail_of(r);
	const struct audit_event event = {
		.kind = S("request"),
		.principal = r->principal,
		.action = action_of(r),
		.resource = r->route ? r->route->resource : S(""),
		.outcome = str_of(r->outcome),
		.reason = str_of(r->reason),
		.trace = r->id,
		.source = r->source,
		.cloud = r->target && (!r->own || r->of_target) ? r->target->cloud : S(""),
		.status = r->status,
		.detail = detail,
	};
	r->recorded = true;
	int code = audit_gate_append(r->worker->gate, &event, wait, e);
	if (code)
		r->worker->audit_failures++;
	return code;
}

static void set_own(struct request *r, int status, const char *message)
{
	static const struct http_header type = HTTP_HEADER("content-type", "application/json");
	static const struct http_header later = HTTP_HEADER("retry-after", "1");
	static const struct http_header challenge = HTTP_HEADER("www-authenticate", "Bearer realm=\"isobar\"");
	struct arena *a = &r->x->arena;
	r->own = true;
	r->status = status;
	r->own_body = arena_printf(a, "{\"error\":\"%s\"}\n", message);
	r->headers = arena_new_array(a, 4, struct http_header);
	r->header_count = 0;
	if (!r->headers)
		return;
	r->headers[r->header_count++] = type;
	r->headers[r->header_count++] = (struct http_header){S("x-request-id"), r->id};
	if (status == 401)
		r->headers[r->header_count++] = challenge;
	if (status == 429)
		r->headers[r->header_count++] = later;
}

static void release(struct request *r)
{
	double seconds = (double)(loop_now_ns(r->worker->loop) - r->x->began_ns) / (double)NS_PER_S;
	const struct http_reply reply = {r->status, r->headers, r->header_count};
	stats_count(r->route ? r->route->stats : r->worker->no_route, r->status, seconds);
	if (!r->own) {
		set_state(r, REQUEST_RELAYING);
		http_reply_start(r->x, &reply, r->length);
		forward_release(r);
		return;
	}
	set_state(r, REQUEST_OVER);
	http_reply(r->x, &reply, r->own_body);
}

// The one answer that leaves without a record, because it says that there can be none.
static void release_unrecorded(struct request *r)
{
	forward_abandon(r);
	set_own(r, 503, "the audit log cannot be written, so nothing is answered");
	release(r);
}

static void record_done(struct audit_wait *wait, bool written)
{
	struct request *r = CONTAINER_OF(wait, struct request, wait);
	if (written)
		release(r);
	else
		release_unrecorded(r);
}

void request_answer(struct request *r)
{
	struct err e = {0};
	if (r->state == REQUEST_READING)
		http_body_pause(r->x);
	set_state(r, REQUEST_RECORDING);
	if (!r->worker->gate) {
		release(r);
		return;
	}
	r->wait.done = record_done;
	if (append_record(r, &r->wait, &e)) {
		log_err(LOG_ERROR, &e, "record a request");
		release_unrecorded(r);
	}
}

void request_note(struct request *r, const char *outcome, const char *reason)
{
	struct err e = {0};
	r->outcome = outcome;
	r->reason = reason;
	if (r->worker->gate && append_record(r, NULL, &e))
		log_err(LOG_ERROR, &e, "record an answer that broke off");
}

void request_refuse(struct request *r, int status, const char *outcome, const char *reason)
{
	r->outcome = outcome;
	r->reason = reason;
	set_own(r, status, reason);
	request_answer(r);
}

void request_answer_with(struct request *r, int status, struct str json)
{
	set_own(r, json.p ? status : 503, "out of memory for the answer");
	if (json.p)
		r->own_body = json;
	request_answer(r);
}

// ---- the decision

// The client's own id when it is a plain one, else a new one.
static struct str choose_id(struct request *r)
{
	struct str given = http_header_get(&r->x->request.headers, "x-request-id");
	unsigned char bytes[16];
	char hex[2 * sizeof(bytes) + 1];
	bool plain = given.n > 0 && given.n <= REQUEST_ID_MAX && http_is_token(given);
	if (plain)
		return given;
	if (!worker_random(r->worker, bytes, sizeof(bytes)))
		return S("");
	hex_encode(str_bytes(bytes, sizeof(bytes)), hex);
	return arena_str(&r->x->arena, str_bytes(hex, sizeof(hex) - 1));
}

// What a key may not tell: all refusals look alike to the client; the record knows which it was.
static bool identify(struct request *r)
{
	bool ambiguous;
	const struct api_key_record *record = NULL;
	struct str key = request_credential(&r->x->request.headers, &ambiguous);
	const char *reason = ambiguous ? "two credentials" : "no credential";
	if (key.p && !ambiguous) {
		struct api_key_presented presented = {key, worker_wall_ns(r->worker)};
		enum api_key_verdict verdict =
			api_key_check(&r->snapshot->keys, &r->snapshot->hash_secret, presented, &record);
		if (record)
			r->principal = record->principal;
		if (verdict == API_KEY_VALID)
			return true;
		reason = api_key_verdict_word(verdict);
	}
	r->outcome = "unauthenticated";
	r->reason = reason;
	set_own(r, 401, "a valid API key is needed: send it as Authorization: Bearer KEY");
	request_answer(r);
	return false;
}

static bool is_allowed(const struct request *r, struct str resource, const char **reason)
{
	const struct policy_request asked = {.principal = r->principal, .action = action_of(r), .resource = resource};
	struct policy_decision decision = policy_decide(&r->snapshot->policy, &asked);
	*reason = decision.reason;
	return decision.allowed;
}

// Decided for each target by itself: failover must not lead where the principal may not go.
static bool authorise(struct request *r)
{
	const char *reason;
	size_t allowed = 0;
	bool any = is_allowed(r, r->route->resource, &reason);
	const char *target_reason = reason;
	for (size_t i = 0; i < r->route->target_count; i++) {
		if (is_allowed(r, r->route->targets[i].address, &target_reason))
			allowed++;
		else
			r->excluded |= UINT32_C(1) << i;
	}
	r->outcome = "allowed";
	r->reason = reason;
	if (allowed > 0 || (any && r->route->target_count == 0))
		return true;
	r->outcome = "denied";
	r->reason = target_reason;
	set_own(r, 403, "this key may not do that: no role allows it here");
	request_answer(r);
	return false;
}

static bool find_route(struct request *r)
{
	AUTO(buf) path = {0};
	struct err e = {0};
	if (url_normalise_path(r->x->request.path, &path, &e)) {
		r->path = r->x->request.path;
		request_refuse(r, 400, "failed", "the path is ambiguous");
		return false;
	}
	r->path = arena_str(&r->x->arena, buf_str(&path));
	r->route = r->path.p ? snapshot_route_find(r->snapshot, r->path) : NULL;
	if (!r->route) {
		request_refuse(r, 404, "failed", "no route for this path");
		return false;
	}
	return true;
}

static struct request *new_request(struct http_exchange *x)
{
	struct request *r = arena_new(&x->arena, struct request);
	char source[ADDRESS_TEXT_SIZE];
	if (!r)
		return NULL;
	address_text(&x->peer, source);
	r->worker = x->ctx;
	r->x = x;
	r->snapshot = snapshot_hold(r->worker->snapshot);
	r->source = arena_str(&x->arena, str_of(source));
	r->outcome = "failed";
	r->reason = "the client left";
	x->data = r;
	return r;
}

static void begin(struct http_exchange *x)
{
	struct request *r = new_request(x);
	if (!r) {
		http_exchange_abort(x);
		return;
	}
	r->id = choose_id(r);
	if (!find_route(r))
		return;
	if (r->route->needs_key && !identify(r))
		return;
	r->outcome = "allowed";
	r->reason = "open route";
	if (r->route->needs_key && !authorise(r))
		return;
	if (!snapshot_route_takes(r->route, x->request.method_text)) {
		request_refuse(r, 405, "failed", "the route does not take this method");
		return;
	}
	if (x->request.length > BODY_MAX_BYTES)
		request_refuse(r, 413, "failed", "the body is larger than 8 MiB");
	else
		http_body_resume(x);
}

static void body(struct http_exchange *x, struct str piece)
{
	struct request *r = x->data;
	if (r->state != REQUEST_READING)
		return;
	if (r->body.room == 0 && x->request.length > 0)
		r->body.p = arena_alloc(&x->arena, r->body.room = (size_t)x->request.length);
	if (r->body.room && !r->body.p)
		request_refuse(r, 503, "failed", "out of memory for the body");
	else if (r->body.n + piece.n > BODY_MAX_BYTES)
		request_refuse(r, 413, "failed", "the body is larger than 8 MiB");
	else if (!grown_add(&x->arena, &r->body, piece))
		request_refuse(r, 503, "failed", "out of memory for the body");
}

static void end(struct http_exchange *x)
{
	struct request *r = x->data;
	if (r->state == REQUEST_READING)
		forward_start(r);
}

static void drained(struct http_exchange *x)
{
	forward_room(x->data);
}

// The server itself refused: nothing of ours is behind the answer, so its record need not come first.
static void refused(struct http_exchange *x, int status, const char *why)
{
	struct err e = {0};
	bool begun = x->data != NULL;
	struct request *r = begun ? x->data : new_request(x);
	if (!r)
		return;
	r->outcome = "failed";
	r->reason = why;
	r->status = status;
	r->own = true;
	stats_count(r->route ? r->route->stats : r->worker->no_route, status, 0);
	if (r->worker->gate && !r->recorded && append_record(r, NULL, &e))
		log_err(LOG_ERROR, &e, "record a refused request");
	r->recorded = true;
	if (begun)
		return; // closed() comes
	worker_release_snapshot(r->worker, r->snapshot);
	x->data = NULL;
}

static void closed(struct http_exchange *x)
{
	struct request *r = x->data;
	struct err e = {0};
	if (!r)
		return;
	forward_abandon(r);
	if (r->worker->gate)
		audit_gate_forget(r->worker->gate, &r->wait);
	if (!r->recorded) {
		r->status = 499;
		r->own = true;
		r->outcome = "failed";
		r->reason = "the client left before the answer";
		stats_count(r->route ? r->route->stats : r->worker->no_route, 499, 0);
		if (r->worker->gate && append_record(r, NULL, &e))
			log_err(LOG_ERROR, &e, "record a request whose client left");
	}
	upstreams_release(r->with);
	worker_release_snapshot(r->worker, r->snapshot);
}

const struct http_service request_service = {
	.begin = begin,
	.body = body,
	.end = end,
	.drained = drained,
	.closed = closed,
	.refused = refused,
};
