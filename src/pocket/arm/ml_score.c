// SPDX-License-Identifier: Apache-2.0
// Scoring: requests to an online endpoint, which a pocket has below /.ml/ENDPOINT. A bearer key, token or Entra token says
// who may; the header azureml-model-deployment says which deployment, else the traffic does. Errors are those of the
// service: 424 for what the model server refuses, 429 for more than twice the requests that it takes at once, 408 for
// one that takes too long. Source: "Troubleshooting online endpoints: HTTP status codes" (Azure Machine Learning).
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "pocket/arm/entra.h"
#include "pocket/arm/ml_endpoints_impl.h"

enum { MAX_BODY = 10 << 20, MAX_WAITING = 2 }; // times what the instances take at once
static const int64_t default_timeout_ns = 5 * NS_PER_S, longest_timeout_ns = 180 * NS_PER_S;

struct score { // r->own
	struct str endpoint, path;
	const json_t *doc; // of the endpoint
	struct str deployment;
	struct str engine;
	struct ml_load *load; // that this request counts in; NULL: not yet
	int64_t timeout_ns;
};

static struct score *score(const struct front_request *r)
{
	return r->own;
}

// Of the service that owns the documents.
static struct arm_state *state_of(const struct front_request *r)
{
	return service_state(r->pocket, &arm_service);
}

// ---------------------------------------------------------------- errors

static int refuse(struct front_request *r, int status, const char *code, const char *message)
{
	int rc = err_set(&r->err, ERR_INVALID, "%s", message);
	r->err.http_status = status;
	snprintf(r->err.provider_code, sizeof(r->err.provider_code), "%s", code);
	return rc;
}

static void word_error(struct front_request *r)
{
	switch (r->err.code) {
	case ERR_TIMEOUT:
		refuse(r, 408, "RequestTimeout", "Request timeout: the model did not answer within the requestTimeout.");
		break;
	case ERR_LIMIT:
		refuse(r, 413, "PayloadTooLarge", "The request is larger than 10 MiB.");
		break;
	case ERR_INVALID:
		refuse(r, 400, "BadRequest", "The request cannot be read.");
		break;
	case ERR_NOT_FOUND:
	case ERR_UNAVAILABLE:
		refuse(r, 503, "ServiceUnavailable", "The deployment has no instance that answers.");
		break;
	default:
		front_log_failure(r);
		refuse(r, 500, "InternalServerError", "Internal server error.");
	}
}

static void fail(struct front_request *r)
{
	if (!r->err.provider_code[0])
		word_error(r);
	AUTO(json) j = json_pack("{s:{s:s, s:s}}", "error", "code", r->err.provider_code, "message", r->err.message);
	AUTO(buf) out = {0};
	if (!j || json_write(j, &out, NULL) < 0) {
		http_reply_error(r->x, 503, "out of memory");
		return;
	}
	front_add(r, "content-type", S("application/json"));
	front_add(r, "x-ms-request-id", str_of(r->id));
	front_reply_buf(r, r->err.http_status, &out);
}

static void trouble(struct front_request *r, bool throttled)
{
	if (throttled)
		refuse(r, 429, "TooManyRequests", "Too many requests: the rate limit of the endpoint is reached.");
	else
		refuse(r, 500, "InternalServerError", "Internal server error.");
	fail(r);
}

// ---------------------------------------------------------------- who

static bool same(struct str a, struct str b)
{
	return a.n && a.n == b.n && hash_equal(a.p, b.p, a.n);
}

static bool key_holds(struct front_request *r, struct str token)
{
	const struct score *q = score(r);
	struct arm_state *s = state_of(r);
	struct str mode = arm_text(q->doc, "authMode");
	const json_t *keys = docs_get(r->pocket, ML_KEYS, q->endpoint, NULL);
	if (str_eq(mode, S("Key"))) {
		bool first = same(token, json_str(keys, "primary"));
		return same(token, json_str(keys, "secondary")) || first;
	}
	return str_eq(mode, S("AMLToken")) && ml_token_holds(s, r->arena, q->endpoint, token);
}

static int check_caller(struct front_request *r)
{
	const struct score *q = score(r);
	struct entra_caller who;
	struct str header = front_header(r, "authorization");
	if (!str_starts(header, S("Bearer ")))
		return refuse(r, 401, "key_auth_bad_header_forbidden", "The header Authorization is not \"Bearer KEY\".");
	if (!str_eq(arm_text(q->doc, "authMode"), S("AADToken")))
		return key_holds(r, str_trim(str_drop(header, 7)))
			       ? 0
			       : refuse(r, 401, "key_auth_access_denied",
					 "The key or token is wrong, or its time is over.");
	if (entra_authenticate(r, entra_audience_ml, &who) < 0)
		return refuse(r, 401, "token_auth_access_denied", "The access token is wrong, or its time is over.");
	return entra_may(&who, "Microsoft.MachineLearningServices/workspaces/onlineEndpoints/score/action")
		       ? 0
		       : refuse(r, 403, "Forbidden",
				 "You do not have permission to score at this endpoint: "
				 "Microsoft.MachineLearningServices/workspaces/onlineEndpoints/score/action.");
}

// ---------------------------------------------------------------- where to

static struct str pick_by_traffic(struct front_request *r)
{
	const json_t *traffic = json_object_get(arm_properties_of(score(r)->doc), "traffic");
	uint64_t bits = 0;
	int64_t at;
	const char *name;
	json_t *percent;
	struct str picked = S("");
	(void)!r->pocket->edges->random(r->pocket->edges->ctx, &bits, sizeof(bits)); // without it, the first
	at = (int64_t)(bits % 100);
	json_object_foreach((json_t *)(uintptr_t)traffic, name, percent)
	{
		at -= json_integer_value(percent);
		if (json_integer_value(percent) > 0)
			picked = str_of(name);
		if (at < 0 && picked.n)
			return picked;
	}
	return picked;
}

static int64_t timeout_of(const json_t *settings)
{
	int64_t ns = default_timeout_ns;
	struct str text = json_str(settings, "requestTimeout");
	if (text.n && arm_duration(text, &ns) < 0)
		ns = default_timeout_ns;
	return MIN(MAX(ns, NS_PER_MS), longest_timeout_ns);
}

// The next server that is ready.
static struct str pick_engine(struct front_request *r, struct ml_deployment *d, const json_t *ids)
{
	size_t n = json_array_size(ids);
	struct engine_status status;
	for (size_t i = 0; i < n; i++) {
		struct str id = json_value_str(json_array_get(ids, d->turn++ % n));
		if (engine_status(r->pocket->engine, id, &status) == 0 && status.healthy)
			return arena_str(r->arena, id);
	}
	return S("");
}

static void release_load(void *ctx)
{
	struct ml_load *load = ctx;
	if (--load->running == 0 && load->left)
		free(load);
}

static int count_in(struct front_request *r, struct ml_deployment *d, const json_t *settings, size_t instances)
{
	int64_t most = json_int(settings, "maxConcurrentRequestsPerInstance", 1);
	if (d->load->running >= (uint64_t)MAX(most, 1) * instances * MAX_WAITING)
		return refuse(r, 429, "TooManyRequests",
			"Too many pending requests: more than twice what the instances of the deployment take at once.");
	if (!arena_defer(r->arena, release_load, d->load))
		return err_set(&r->err, ERR_NO_MEMORY, "out of memory");
	d->load->running++;
	return 0;
}

static int find_server(struct front_request *r)
{
	struct score *q = score(r);
	struct str wanted = front_header(r, "azureml-model-deployment");
	q->deployment = arena_str(r->arena, wanted.n ? wanted : pick_by_traffic(r));
	struct str key = ml_deployment_key(r->arena, q->endpoint, q->deployment);
	const json_t *doc = q->deployment.n ? docs_get(r->pocket, ML_DEPLOYMENTS, key, NULL) : NULL;
	const json_t *ids = json_object_get(doc, "engines");
	const json_t *settings = json_object_get(arm_properties_of(doc), "requestSettings");
	if (!doc || !json_array_size(ids))
		return refuse(r, 404, "NotFound",
			wanted.n ? "There is no such deployment."
				 : "The endpoint does not have any valid deployment with positive weight.");
	struct ml_deployment *d = ml_deployment_find(state_of(r), key);
	if (!d)
		return err_set(&r->err, ERR_NO_MEMORY, "out of memory");
	q->engine = pick_engine(r, d, ids);
	q->timeout_ns = timeout_of(settings);
	if (!q->engine.n)
		return err_set(&r->err, ERR_UNAVAILABLE, "no server of %.*s is ready", STR(key));
	return count_in(r, d, settings, json_array_size(ids));
}

// ---------------------------------------------------------------- forward

static bool is_ours(struct str name)
{
	static const char *const names[] = {"authorization", "azureml-model-deployment", "host", "content-length", "expect",
		"x-request-id", "x-ms-request-id"};
	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (str_eq(name, str_of(names[i])))
			return true;
	return http_is_hop_by_hop(name);
}

// A model's own refusal is told as the service tells it: 424, with what it was.
static int head(struct front_request *r, const struct http_response *response)
{
	for (size_t i = 0; i < response->headers.count; i++) {
		const struct http_header *h = &response->headers.items[i];
		bool server = str_eq(h->name, S("date")) || str_eq(h->name, S("server"));
		if (!is_ours(h->name) && !server) {
			char name[128];
			if (str_copy(name, sizeof(name), h->name))
				front_add(r, arena_cstr(r->arena, str_of(name)), h->value);
		}
	}
	front_add(r, "azureml-model-deployment", score(r)->deployment);
	front_add(r, "x-ms-request-id", str_of(r->id));
	if (response->status >= 200 && response->status < 300)
		return response->status;
	front_addf(r, "ms-azureml-model-error-statuscode", "%d", response->status);
	front_add(r, "ms-azureml-model-error-reason", S("model_error"));
	return 424;
}

static void forward(struct front_request *r, struct str body)
{
	const struct score *q = score(r);
	const struct http_request *request = &r->x->request;
	struct http_header *headers = arena_new_array(r->arena, request->headers.count + 1, struct http_header);
	size_t n = 0;
	for (size_t i = 0; headers && i < request->headers.count; i++)
		if (!is_ours(request->headers.items[i].name))
			headers[n++] = request->headers.items[i];
	struct engine_forward f = {.id = q->engine,
		.method = request->method_text,
		.target = arena_printf(r->arena, "%.*s%s%.*s", STR(q->path), request->query.n ? "?" : "",
			STR(request->query)),
		.body = arena_str(r->arena, body),
		.headers = headers,
		.header_count = n,
		.timeout_ns = q->timeout_ns,
		.head = head};
	if (headers && f.target.p && f.body.p) {
		engine_forward(r, &f);
		return;
	}
	err_set(&r->err, ERR_NO_MEMORY, "out of memory");
	fail(r);
}

// ---------------------------------------------------------------- the life of a request

static bool matches(const struct front_request *r)
{
	return str_starts(r->x->request.path, S(ML_SCORE_PATH));
}

static void handle(struct front_request *r)
{
	struct score *q = r->own = arena_new(r->arena, struct score);
	struct str rest = str_drop(r->x->request.path, sizeof(ML_SCORE_PATH) - 1), path;
	if (!q) {
		http_reply_error(r->x, 503, "out of memory");
		return;
	}
	str_cut(rest, '/', &q->endpoint, &path);
	q->path = arena_printf(r->arena, "/%.*s", STR(path));
	q->doc = docs_get(r->pocket, ML_ENDPOINTS, q->endpoint, NULL);
	int rc = q->doc ? check_caller(r) : refuse(r, 404, "NotFound", "There is no such endpoint.");
	if (rc == 0)
		rc = find_server(r);
	if (rc < 0)
		fail(r);
	else
		front_collect(r, MAX_BODY, forward);
}

const struct pocket_service ml_score_service = {
	.name = "azureml-scoring", .matches = matches, .handle = handle, .fail = fail, .trouble = trouble};
