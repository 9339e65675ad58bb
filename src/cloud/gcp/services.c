// SPDX-License-Identifier: Apache-2.0
// The services of Google Cloud: see services.h.
#include "cloud/gcp/services.h"

#include <stdlib.h>

#include "cloud/http/provider_error.h"

// ---------------------------------------------------------------- where

static const char *const hosts_of[GCP_API_COUNT] = {
	[GCP_API_STS] = "sts.googleapis.com",
	[GCP_API_IAM_CREDENTIALS] = "iamcredentials.googleapis.com",
	[GCP_API_IAM] = "iam.googleapis.com",
	[GCP_API_PROJECTS] = "cloudresourcemanager.googleapis.com",
	[GCP_API_VERTEX] = "aiplatform.googleapis.com", // behind the location's name
	[GCP_API_KMS] = "cloudkms.googleapis.com",
	[GCP_API_SECRETS] = "secretmanager.googleapis.com",
	[GCP_API_LOGGING] = "logging.googleapis.com",
	[GCP_API_REGISTRY] = "artifactregistry.googleapis.com",
	[GCP_API_MONITORING] = "monitoring.googleapis.com",
	[GCP_API_BUDGETS] = "billingbudgets.googleapis.com",
};

struct str gcp_service_url(struct arena *a, const struct cloud_config *config, enum gcp_api api)
{
	if (config->services_url.n)
		return arena_str(a, service_origin(config->services_url));
	if (api == GCP_API_VERTEX && config->region.n)
		return arena_printf(a, "https://%.*s-%s", STR(config->region), hosts_of[api]);
	return arena_printf(a, "https://%s", hosts_of[api]);
}

int gcp_service_hosts(
	struct arena *a, const struct cloud_config *config, struct str *hosts, size_t *count, struct err *e)
{
	for (int api = GCP_API_STS; api < GCP_API_COUNT; api++) {
		struct str url = gcp_service_url(a, config, (enum gcp_api)api);
		int r = url.p ? transport_host(url, a, &hosts[*count], e) : err_set(e, ERR_NO_MEMORY, "out of memory");
		if (r)
			return r;
		(*count)++;
	}
	return 0;
}

// ---------------------------------------------------------------- errors

static const struct provider_code codes[] = { // google.rpc.Code
	{"CANCELLED", ERR_CANCELLED, false},
	{"UNKNOWN", ERR_FAILED, false},
	{"INVALID_ARGUMENT", ERR_INVALID, false},
	{"DEADLINE_EXCEEDED", ERR_UNAVAILABLE, true},
	{"NOT_FOUND", ERR_NOT_FOUND, false},
	{"ALREADY_EXISTS", ERR_EXISTS, false},
	{"PERMISSION_DENIED", ERR_DENIED, false},
	{"RESOURCE_EXHAUSTED", ERR_THROTTLED, true},
	{"FAILED_PRECONDITION", ERR_CONFLICT, false},
	{"ABORTED", ERR_CONFLICT, true},
	{"OUT_OF_RANGE", ERR_INVALID, false},
	{"UNIMPLEMENTED", ERR_UNSUPPORTED, false},
	{"INTERNAL", ERR_UNAVAILABLE, true},
	{"UNAVAILABLE", ERR_UNAVAILABLE, true},
	{"DATA_LOSS", ERR_CORRUPT, false},
	{"UNAUTHENTICATED", ERR_UNAUTHENTICATED, false},
};

int gcp_fail_status(struct call *c, const json_t *status)
{
	static const char *const names[] = {"OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED",
		"NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
		"ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED"};
	int64_t number = json_int(status, "code", 2);
	struct provider_refusal refusal = {.status = 500,
		.code = str_of(names[number > 0 && (size_t)number < COUNT_OF(names) ? (size_t)number : 2]),
		.message = json_str(status, "message")};
	int code = provider_fail(c, codes, COUNT_OF(codes), &refusal);
	c->err.http_status = 0;
	c->err.retryable = false; // the operation is over
	return code;
}

// {"error": {"code": 404, "message": "...", "status": "NOT_FOUND"}}; of a token endpoint {"error": "...",
// "error_description": "..."}.
static int refused(struct call *c, struct provider *p, const struct transport_response *r)
{
	json_t *body = NULL;
	struct provider_refusal refusal = {.status = r->status};
	(void)p;
	if (json_parse(r->body, &body, NULL) == 0 && (body = json_in_arena(c->arena, body))) {
		const json_t *error = json_object_get(body, "error");
		bool plain = json_is_string(error);
		refusal.code = plain ? json_str(body, "error") : json_str(error, "status");
		refusal.message = plain ? json_str(body, "error_description") : json_str(error, "message");
	}
	return provider_fail(c, codes, COUNT_OF(codes), &refusal);
}

static const struct provider_ops gcp_service_ops = {.name = "gcp", .authorize = service_authorize_bearer, .refused = refused};

// ---------------------------------------------------------------- life

static int open_api(struct gcp_services *s, const struct services_options *o, enum gcp_api api, struct err *e)
{
	struct service_place place = {.url = gcp_service_url(&s->arena, &s->config, api),
		.name = S(""),
		.region = S(""),
		.audience = GCP_SCOPE};
	if (!place.url.p)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	int r = service_open(&s->apis[api], o, &gcp_service_ops, &place, &s->arena, e);
	s->apis[api].owner = s;
	return r ? err_context(e, "the address of %s", hosts_of[api]) : 0;
}

int gcp_services_open(const struct services_options *o, struct gcp_services **out, struct err *e)
{
	struct gcp_services *s = calloc(1, sizeof(*s));
	if (!s)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	s->self = o->self;
	int r = cloud_config_copy_texts(o->config, &s->arena, &s->config, e);
	if (!r && !s->config.project.n)
		s->config.project = arena_str(&s->arena, json_str(o->config->credentials, "project_id"));
	if (!r && !s->config.project.p)
		r = err_set(e, ERR_NO_MEMORY, "out of memory");
	for (int api = GCP_API_STS; !r && api < GCP_API_COUNT; api++)
		r = open_api(s, o, (enum gcp_api)api, e);
	if (r) {
		gcp_services_close(s);
		return r;
	}
	*out = s;
	return 0;
}

void gcp_services_close(struct gcp_services *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < COUNT_OF(s->apis); i++)
		service_close(&s->apis[i]);
	arena_free(&s->arena);
	free(s);
}

// ---------------------------------------------------------------- calls

int gcp_rest_call(struct call *c, struct gcp_services *s, struct exchange *x, struct transport_response *out)
{
	struct service *api = &s->apis[x->call->api];
	if (!api->provider.ops)
		return call_fail(c, ERR_INTERNAL, "%s is no call of a service", x->call->operation);
	return x->path.p && x->query.p ? exchange_run(c, &api->provider, x, out) : call_no_memory(c);
}

int gcp_json_call(struct call *c, struct gcp_services *s, const struct gcp_request *request, const json_t **out)
{
	AUTO(buf) body = {0};
	struct transport_response answer = {0};
	json_t *parsed = NULL;
	const char *operation = gcp_calls[request->call].operation;
	struct exchange x = {.call = &gcp_calls[request->call], .path = request->path, .query = request->query};
	if (!x.query.p)
		x.query = S("");
	x.once = x.call->repeat == CALL_REPEAT_LOOKS; // who called looks first (http/looks.h)
	int r = request->in ? json_write(request->in, &body, &c->err) : 0;
	x.body = buf_str(&body);
	if (request->in)
		exchange_header(&x, "content-type", S("application/json"));
	if (!r)
		r = gcp_rest_call(c, s, &x, &answer);
	if (body.p)
		secret_wipe(body.p, body.n); // of some, the body is a secret
	if (!r && answer.body.n && json_parse(answer.body, &parsed, &c->err))
		r = call_fail(c, ERR_PROTOCOL, "the answer is not valid JSON: %s", c->err.message);
	if (r)
		return call_context(c, "%s", operation);
	parsed = json_in_arena(c->arena, parsed ? parsed : json_object());
	if (!parsed)
		return call_no_memory(c);
	if (!json_is_object(parsed))
		return call_fail(c, ERR_PROTOCOL, "%s: the answer is no JSON object", operation);
	if (out)
		*out = parsed;
	return 0;
}

// ---------------------------------------------------------------- operations

struct waiting {
	struct gcp_services *services;
	const struct gcp_operation *what;
	struct str name;
	const json_t *last;
};

static int look_at(struct call *c, void *ctx, struct lro_look *look)
{
	struct waiting *w = ctx;
	if (!json_flag(w->last, "done", false)) {
		struct gcp_request request = {.call = w->what->get,
			.path = arena_printf(c->arena, "/%s/%.*s", w->what->version, STR(w->name))};
		int r = request.path.p ? gcp_json_call(c, w->services, &request, &w->last) : call_no_memory(c);
		if (r)
			return r;
	}
	look->done = json_flag(w->last, "done", false);
	return 0;
}

int gcp_operation_wait(
	struct call *c, struct gcp_services *s, const struct gcp_operation *operation, const json_t **response)
{
	struct waiting w = {.services = s,
		.what = operation,
		.name = json_str(operation->operation, "name"),
		.last = operation->operation};
	if (!w.name.n && !json_flag(w.last, "done", false))
		return call_fail(c, ERR_PROTOCOL, "the answer is no operation: it has no name");
	int r = lro_wait(c, look_at, &w, 0);
	const json_t *error = json_object_get(w.last, "error");
	if (!r && json_is_object(error))
		r = gcp_fail_status(c, error);
	if (r)
		return call_context(c, "the operation %.*s", STR(str_clip(w.name, 200)));
	if (!response)
		return 0;
	const json_t *made = json_object_get(w.last, "response");
	*response = made ? made : json_in_arena(c->arena, json_object());
	return *response ? 0 : call_no_memory(c);
}
