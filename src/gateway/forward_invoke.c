// SPDX-License-Identifier: Apache-2.0
// Forwarding to endpoints in providers' services. They take inferences alone, at one address and with credentials: what
// the protocol offers besides (metadata, readiness) the gateway answers from its configuration and from what it knows
// of its targets. Signing takes no lock: credentials are the loop's own.
#include "gateway/gateway_impl.h"

static struct arena *arena_of(struct request *r)
{
	return &r->x->arena;
}

// ---- what is answered here

static enum invoke_step refuse(struct request *r, int status, const char *reason)
{
	request_refuse(r, status, "failed", reason);
	return STEP_OVER;
}

static enum invoke_step answer_ready(struct request *r)
{
	bool ready = !r->target->target->ejected;
	struct str json = arena_printf(arena_of(r), "{\"name\":\"%.*s\",\"ready\":%s}\n", STR(r->target->endpoint),
		ready ? "true" : "false");
	request_answer_with(r, ready ? 200 : 503, json);
	return STEP_OVER;
}

static enum invoke_step answer_metadata(struct request *r)
{
	if (r->target->description.n == 0)
		return refuse(r, 404, "nothing is known about this model's inputs and outputs");
	request_answer_with(r, 200, r->target->description);
	return STEP_OVER;
}

static enum invoke_step answer_here(struct request *r, enum invoke_act act)
{
	enum http_method method = r->x->request.method;
	if (act != INVOKE_INFER && method != HTTP_GET && method != HTTP_HEAD)
		return refuse(r, 405, "this path takes no such method");
	if (act == INVOKE_INFER)
		return refuse(r, 405, "inferences are asked by POST");
	return act == INVOKE_READY ? answer_ready(r) : answer_metadata(r);
}

// ---- what is sent

static struct upstream *find_credentials(struct request *r)
{
	upstreams_release(r->with);
	r->with = upstreams_hold(r->worker->targets.upstreams);
	struct upstream *with = upstreams_find(r->with, r->target->cloud, r->target->endpoint);
	return with && with->service == r->target->service ? with : NULL;
}

static enum invoke_step fill(struct request *r)
{
	const struct target *t = r->target->target;
	const struct invoke_client client = {&r->x->request.headers, r->body.n};
	struct http_headers headers = {0};
	struct err e = {0};
	struct invoke_request call = {.with = find_credentials(r),
		.authority = str_of(t->authority),
		.path = str_of(t->prefix),
		.id = r->id,
		.body = {r->body.n ? r->body.p : "", r->body.n},
		.wall_ns = worker_wall_ns(r->worker) + t->ahead_ns};
	if (!call.with) {
		target_unusable(r->target->target,
			S("it has no credentials: the control plane has not given any yet"));
		return STEP_NEXT;
	}
	int code = invoke_body_of(t->service, &client, arena_of(r), &call.kind, &e);
	if (code == ERR_INVALID)
		return refuse(r, 400, "inference-header-content-length is no number up to the body's length");
	if (code == 0)
		code = invoke_headers(&call, arena_of(r), &headers, &e);
	if (code == ERR_UNAUTHENTICATED) {
		target_unusable(r->target->target, str_of(e.message));
		return STEP_NEXT;
	}
	if (code)
		return refuse(r, 503, "out of memory to forward");
	r->sent = (struct http_fetch_request){.method = S("POST"),
		.target = call.path,
		.authority = call.authority,
		.headers = headers.items,
		.header_count = headers.count};
	return STEP_SEND;
}

enum invoke_step invoke_prepare(struct request *r)
{
	struct invoke_path path = invoke_path_of(r->path);
	if (path.act == INVOKE_OTHER)
		return refuse(r, 404, "an endpoint in a cloud's own service answers /v2/models/NAME, its /ready and its /infer");
	if (!str_eq(path.model, r->target->endpoint))
		return refuse(r, 404, "the endpoint does not serve this model");
	if (path.version.n && r->target->version.n && !str_eq(path.version, r->target->version)) {
		r->other_version = true;
		return STEP_NEXT;
	}
	return path.act == INVOKE_INFER && r->x->request.method == HTTP_POST ? fill(r) : answer_here(r, path.act);
}

// ---- errors

bool invoke_error_begin(struct request *r, const struct http_response *answer)
{
	r->error = arena_new(arena_of(r), struct invoke_error);
	if (!r->error)
		return false;
	invoke_error_head(r->target->service, answer, arena_of(r), r->error);
	r->held = (struct grown){0};
	return true;
}

void invoke_error_add(struct request *r, struct str piece)
{
	// Without memory, or past the limit, the status alone is judged.
	size_t room = INVOKE_ERROR_BYTES - MIN(r->held.n, (size_t)INVOKE_ERROR_BYTES);
	(void)grown_add(arena_of(r), &r->held, str_take(piece, room));
}

struct target_outcome invoke_error_end(struct request *r)
{
	static const int64_t busy_ns = 1000 * 1000 * 1000; // where the service does not say
	struct invoke_error *error = r->error;
	error->body = (struct str){r->held.n ? r->held.p : "", r->held.n};
	invoke_judge(error, arena_of(r), &r->judgement);
	r->error = NULL;
	r->judged = r->target;
	r->held = (struct grown){0};
	enum invoke_verdict verdict = r->judgement.verdict;
	return (struct target_outcome){
		.ok = verdict == INVOKE_REFUSED || verdict == INVOKE_TOO_LARGE,
		.refused = verdict == INVOKE_UNUSABLE,
		.credentials = r->judgement.credentials,
		.service_ns = error->date_ns,
		.busy_ns = verdict != INVOKE_BUSY ? 0 : error->retry_after_ns ? error->retry_after_ns : busy_ns,
		.reason = r->judgement.reason,
	};
}
