// SPDX-License-Identifier: Apache-2.0
// The services of Azure: see services.h.
#include "cloud/azure/services.h"

#include <stdlib.h>

#include "base/time.h"
#include "cloud/http/provider_error.h"

// ---------------------------------------------------------------- where

static const struct place {
	const char *host; // NULL: only the config knows
	const char *audience;
} places[AZURE_API_COUNT] = {
	[AZURE_API_ENTRA] = {"login.microsoftonline.com", ""},
	[AZURE_API_ARM] = {"management.azure.com", "https://management.azure.com/.default"},
	[AZURE_API_VAULT] = {NULL, "https://vault.azure.net/.default"},
	[AZURE_API_LOGS] = {"api.loganalytics.io", "https://api.loganalytics.io/.default"},
	[AZURE_API_REGISTRY] = {NULL, "https://management.azure.com/.default"},
};

struct str azure_service_url(struct arena *a, const struct cloud_config *config, enum azure_api api)
{
	if (api == AZURE_API_VAULT && config->vault_url.n)
		return arena_str(a, config->vault_url);
	if (api == AZURE_API_ENTRA && config->identity_url.n)
		return arena_str(a, config->identity_url);
	if (config->services_url.n)
		return arena_str(a, service_origin(config->services_url));
	return places[api].host ? arena_printf(a, "https://%s", places[api].host) : S("");
}

int azure_service_hosts(
	struct arena *a, const struct cloud_config *config, struct str *hosts, size_t *count, struct err *e)
{
	for (int api = AZURE_API_ENTRA; api < AZURE_API_COUNT; api++) {
		struct str url = azure_service_url(a, config, (enum azure_api)api);
		if (!url.p)
			return err_set(e, ERR_NO_MEMORY, "out of memory");
		if (!url.n)
			continue;
		int r = transport_host(url, a, &hosts[*count], e);
		if (r)
			return r;
		(*count)++;
	}
	return 0;
}

struct str azure_group_path(struct arena *a, const struct azure_services *s)
{
	return arena_printf(a, "/subscriptions/%.*s/resourceGroups/%.*s", STR(s->config.subscription),
		STR(s->config.resource_group));
}

// ---------------------------------------------------------------- errors

static const struct provider_code codes[] = { // whose meaning their HTTP status does not say
	{"AuthorizationFailed", ERR_DENIED, false},
	{"ExpiredAuthenticationToken", ERR_UNAUTHENTICATED, false},
	{"InvalidAuthenticationToken", ERR_UNAUTHENTICATED, false},
	{"OperationNotAllowed", ERR_LIMIT, false}, // how Azure says that a quota is used up
	{"QuotaExceeded", ERR_LIMIT, false},
	{"RoleAssignmentExists", ERR_EXISTS, false},
	{"TooManyRequests", ERR_THROTTLED, true},
};

static int fail_error(struct call *c, int status, const json_t *error)
{
	struct provider_refusal refusal = {
		.status = status, .code = json_str(error, "code"), .message = json_str(error, "message")};
	return provider_fail(c, codes, COUNT_OF(codes), &refusal);
}

// {"error": {"code", "message"}}; of Entra {"error": "...", "error_description": "..."}.
static int refused(struct call *c, struct provider *p, const struct transport_response *r)
{
	json_t *body = NULL;
	(void)p;
	if (json_parse(r->body, &body, NULL) || !(body = json_in_arena(c->arena, body)))
		return fail_error(c, r->status, NULL);
	const json_t *error = json_object_get(body, "error");
	if (!json_is_string(error))
		return fail_error(c, r->status, error);
	struct provider_refusal refusal = {
		.status = r->status, .code = json_str(body, "error"), .message = json_str(body, "error_description")};
	return provider_fail(c, codes, COUNT_OF(codes), &refusal);
}

static const struct provider_ops azure_service_ops = {.name = "azure", .authorize = service_authorize_bearer, .refused = refused};

// ---------------------------------------------------------------- life

static int open_api(struct azure_services *s, const struct services_options *o, enum azure_api api, struct err *e)
{
	struct service_place place = {.url = azure_service_url(&s->arena, &s->config, api),
		.name = S(""),
		.region = S(""),
		.audience = str_of(places[api].audience)};
	if (!place.url.p)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	if (!place.url.n)
		return 0;
	int r = service_open(&s->apis[api], o, &azure_service_ops, &place, &s->arena, e);
	s->apis[api].owner = s;
	return r ? err_context(e, "the address of a service of Azure") : 0;
}

int azure_services_open(const struct services_options *o, struct azure_services **out, struct err *e)
{
	struct azure_services *s = calloc(1, sizeof(*s));
	if (!s)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	s->self = o->self;
	s->credentials = o->credentials;
	int r = cloud_config_copy_texts(o->config, &s->arena, &s->config, e);
	for (int api = AZURE_API_ENTRA; !r && api < AZURE_API_COUNT; api++)
		r = open_api(s, o, (enum azure_api)api, e);
	if (r) {
		azure_services_close(s);
		return r;
	}
	*out = s;
	return 0;
}

void azure_services_close(struct azure_services *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < COUNT_OF(s->apis); i++)
		service_close(&s->apis[i]);
	arena_free(&s->arena);
	free(s);
}

// ---------------------------------------------------------------- calls

int azure_rest_call(struct call *c, struct azure_services *s, struct exchange *x, struct transport_response *out)
{
	struct service *api = &s->apis[x->call->api];
	if (x->call->api == AZURE_API_VAULT && !api->provider.ops)
		return call_fail(c, ERR_INVALID,
			"cloud/%.*s has no Key Vault: write its address into clouds.%.*s.endpoints.vault of the operator's file",
			STR(s->config.name), STR(s->config.name));
	if (!api->provider.ops)
		return call_fail(c, ERR_INTERNAL, "%s is no call of a service", x->call->operation);
	return x->path.p && x->query.p ? exchange_run(c, &api->provider, x, out) : call_no_memory(c);
}

static int read_body(struct call *c, struct str text, const json_t **out)
{
	json_t *parsed = NULL;
	if (str_trim(text).n && json_parse(text, &parsed, &c->err))
		return call_fail(c, ERR_PROTOCOL, "the answer is not valid JSON: %s", c->err.message);
	*out = json_in_arena(c->arena, parsed ? parsed : json_object());
	return *out ? 0 : call_no_memory(c);
}

int arm_json_call(
	struct call *c, struct azure_services *s, const struct azure_request *request, struct azure_answer *out)
{
	AUTO(buf) body = {0};
	struct azure_answer answer = {0};
	struct exchange x = {.call = &azure_calls[request->call], .path = request->path, .query = request->query};
	if (!x.query.p)
		x.query = S("");
	x.once = x.call->repeat == CALL_REPEAT_LOOKS; // who called looks first (http/looks.h)
	int r = request->in ? json_write(request->in, &body, &c->err) : 0;
	x.body = buf_str(&body);
	if (request->in)
		exchange_header(&x, "content-type", S("application/json"));
	if (request->if_match.n)
		exchange_header(&x, "if-match", request->if_match);
	if (!r)
		r = azure_rest_call(c, s, &x, &answer.response);
	if (body.p)
		secret_wipe(body.p, body.n); // of some, the body is a secret
	if (!r)
		r = read_body(c, answer.response.body, &answer.body);
	if (r)
		return call_context(c, "%s", azure_calls[request->call].operation);
	answer.status = answer.response.status;
	if (out)
		*out = answer;
	return 0;
}

// ---------------------------------------------------------------- operations

struct waiting {
	struct azure_services *services;
	enum azure_call get;
	struct str url; // absolute
	bool by_status; // Azure-AsyncOperation: its body says; else Location: 202 until it is done
	const json_t *body;
};

static int look_at(struct call *c, void *ctx, struct lro_look *look)
{
	struct waiting *w = ctx;
	const struct provider *p = &w->services->apis[azure_calls[w->get].api].provider;
	struct azure_answer answer;
	struct azure_request request = {.call = w->get};
	if (!str_starts(w->url, p->base))
		return call_fail(c, ERR_PROTOCOL, "the operation is said to be at \"%.*s\", which is not at %.*s",
			STR(str_clip(w->url, 200)), STR(p->base));
	str_cut(str_drop(w->url, p->base.n), '?', &request.path, &request.query);
	int r = arm_json_call(c, w->services, &request, &answer);
	if (r)
		return r;
	w->body = answer.body;
	look->after_ns = retry_after_ns(transport_header(&answer.response, S("retry-after")), call_now_ns(c));
	struct str status = json_str(answer.body, "status");
	if (w->by_status && (str_eq_nocase(status, S("Failed")) || str_eq_nocase(status, S("Canceled")))) {
		r = fail_error(c, 500, json_object_get(answer.body, "error"));
		c->err.retryable = false; // it is over
		return r;
	}
	look->done = w->by_status ? str_eq_nocase(status, S("Succeeded")) : answer.status != 202;
	return 0;
}

int arm_operation_wait(struct call *c, struct azure_services *s, enum azure_call get, const struct azure_answer *answer,
	const json_t **out)
{
	struct str status_at = transport_header(&answer->response, S("azure-asyncoperation"));
	struct str location = transport_header(&answer->response, S("location"));
	struct waiting w = {.services = s,
		.get = get,
		.url = status_at.n ? status_at : location,
		.by_status = status_at.n > 0,
		.body = answer->body};
	bool under_way = status_at.n || (location.n && answer->status == 202);
	int r = under_way ? lro_wait(c, look_at, &w, 0) : 0;
	if (r)
		return call_context(c, "the operation");
	if (out)
		*out = w.body;
	return 0;
}
