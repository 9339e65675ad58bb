// SPDX-License-Identifier: Apache-2.0
// The operations on endpoints: see endpoints.h. The steps are endpoints_steps.c.
#include "cloud/gcp/endpoints_impl.h"

// Of all scopes that Vertex AI takes for predictions the one that changes nothing.
#define INVOKE_SCOPE S("https://www.googleapis.com/auth/cloud-platform.read-only")

// ---------------------------------------------------------------- ensure

static int shift_traffic(struct call *c, struct gcp_services *s, const struct gcp_endpoint_ids *ids)
{
	const json_t *endpoint = NULL;
	int r = gcp_endpoint_get(c, s, ids->endpoint, &endpoint);
	const char *key = arena_cstr(c->arena, ids->deployed);
	if (r || !key)
		return r ? r : call_no_memory(c);
	if (json_int(json_object_get(endpoint, "trafficSplit"), key, 0) == 100)
		return 0;
	AUTO(json) body = json_pack("{s:{s:i}}", "trafficSplit", key, 100);
	const struct gcp_request request = {.call = GCP_ENDPOINTS_PATCH,
		.path = vertex_path_of(c, s, "endpoints", ids->endpoint, ""),
		.query = S("updateMask=trafficSplit"),
		.in = body};
	return body && request.path.p ? gcp_json_call(c, s, &request, NULL) : call_no_memory(c);
}

// Of all that is deployed but `keep` ("": nothing is kept).
static int undeploy_others(struct call *c, struct gcp_services *s, struct str endpoint_id, struct str keep)
{
	const json_t *endpoint = NULL, *deployed;
	size_t i;
	int r = gcp_endpoint_get(c, s, endpoint_id, &endpoint);
	json_array_foreach(json_object_get(endpoint, "deployedModels"), i, deployed)
	{
		struct str id = json_str(deployed, "id");
		if (!r && !str_eq(id, keep))
			r = gcp_endpoint_undeploy(c, s, endpoint_id, id);
	}
	return r;
}

static int check_spec(struct call *c, const struct endpoint_spec *spec)
{
	if (spec->generation.n && spec->generation.n <= VERTEX_NAME_MAX && spec->replicas >= 1)
		return 0;
	return call_fail(c, ERR_INVALID, "a generation of 1 to %d characters and at least one replica are needed",
		VERTEX_NAME_MAX);
}

static int gcp_endpoint_ensure(struct call *c, void *endpoints, const struct endpoint_spec *spec)
{
	struct gcp_services *s = endpoints;
	struct gcp_endpoint_ids ids;
	if (vertex_check_config(c, s) || check_spec(c, spec) || gcp_endpoint_ids(c, s, spec, &ids) ||
		gcp_model_ensure(c, s, spec, &ids) || gcp_endpoint_create(c, s, spec, &ids) ||
		gcp_endpoint_deploy(c, s, spec, &ids) || shift_traffic(c, s, &ids) ||
		undeploy_others(c, s, ids.endpoint, ids.deployed) ||
		gcp_models_sweep(c, s, ids.address, ids.model))
		return call_context(c, "%.*s: endpoint %.*s", STR(s->config.name), STR(spec->name));
	return 0;
}

// ---------------------------------------------------------------- observe

// The deployed model that answers most requests; NULL when none does.
static const json_t *serving(const json_t *endpoint)
{
	const json_t *best = NULL, *item;
	int64_t most = 0;
	size_t i;
	json_array_foreach(json_object_get(endpoint, "deployedModels"), i, item)
	{
		int64_t percent = json_int(json_object_get(endpoint, "trafficSplit"), json_text(item, "id"), 0);
		if (percent <= most)
			continue;
		most = percent;
		best = item;
	}
	return best;
}

// Nothing answers: it is on its way, or the last attempt failed.
static int explain(struct call *c, struct gcp_services *s, struct str id, struct endpoint_status *out)
{
	const json_t *operations = NULL, *operation;
	size_t i;
	int r = gcp_endpoint_operations(c, s, id, &operations);
	out->state = ENDPOINT_STARTING;
	json_array_foreach(operations, i, operation)
	{
		struct str message = json_str(json_object_get(operation, "error"), "message");
		if (!json_flag(operation, "done", false)) {
			out->state = ENDPOINT_STARTING;
			out->reason = S("");
			return 0;
		}
		if (message.n && !out->reason.n) {
			out->state = ENDPOINT_DOWN;
			out->reason = message;
		}
	}
	return r;
}

// A dedicated endpoint has a host of its own, which is known once something is deployed.
static int say_how(struct call *c, const struct gcp_services *s, const json_t *endpoint, struct endpoint_status *out)
{
	const struct provider *p = &s->apis[GCP_API_VERTEX].provider;
	struct str host = json_str(endpoint, "dedicatedEndpointDns");
	struct str base = host.n ? arena_printf(c->arena, "%s://%.*s", p->secure ? "https" : "http", STR(host)) : p->base;
	out->url = arena_printf(c->arena, "%.*s/v1/%.*s", STR(base), STR(json_str(endpoint, "name")));
	out->invoke.how = INVOKE_VERTEX;
	out->invoke.url = arena_printf(c->arena, "%.*s:rawPredict", STR(out->url));
	return base.p && out->url.p && out->invoke.url.p ? 0 : call_no_memory(c);
}

static int gcp_endpoint_observe(struct call *c, void *endpoints, struct str name, struct endpoint_status *out)
{
	struct gcp_services *s = endpoints;
	struct gcp_endpoint_ids ids;
	const json_t *endpoint = NULL;
	struct endpoint_status status = {0};
	int r = gcp_endpoint_ids(c, s, &(struct endpoint_spec){.name = name}, &ids);
	if (!r)
		r = gcp_endpoint_get(c, s, ids.endpoint, &endpoint);
	if (!r)
		r = say_how(c, s, endpoint, &status);
	const json_t *deployed = serving(endpoint);
	if (!r && deployed) {
		status.state = ENDPOINT_READY;
		status.generation = json_str(deployed, "displayName");
	} else if (!r) {
		r = explain(c, s, ids.endpoint, &status);
	}
	if (r)
		return call_context(c, "%.*s: endpoint %.*s", STR(s->config.name), STR(name));
	*out = status;
	return 0;
}

// ---------------------------------------------------------------- delete, list, credential

static int delete_endpoint(struct call *c, struct gcp_services *s, const struct gcp_endpoint_ids *ids)
{
	int r = undeploy_others(c, s, ids->endpoint, S(""));
	if (!r)
		r = vertex_delete(
			c, s, GCP_ENDPOINTS_DELETE, vertex_path_of(c, s, "endpoints", ids->endpoint, ""));
	if (r != ERR_NOT_FOUND)
		return r;
	err_clear(&c->err);
	return 0;
}

static int gcp_endpoint_delete(struct call *c, void *endpoints, struct str name)
{
	struct gcp_services *s = endpoints;
	struct gcp_endpoint_ids ids;
	if (gcp_endpoint_ids(c, s, &(struct endpoint_spec){.name = name}, &ids) || delete_endpoint(c, s, &ids) ||
		gcp_models_sweep(c, s, ids.address, S("")))
		return call_context(c, "%.*s: delete endpoint %.*s", STR(s->config.name), STR(name));
	return 0;
}

static int gcp_endpoint_list(struct call *c, void *endpoints, struct str **names, size_t *count)
{
	struct gcp_services *s = endpoints;
	const json_t *all = NULL, *one;
	size_t i, n = 0;
	const struct vertex_list list = {.call = GCP_ENDPOINTS_LIST,
		.kind = "endpoints",
		.member = "endpoints",
		.filter = arena_printf(c->arena, "labels.isobar-workspace=\"%.*s\"",
			STR(vertex_label(c->arena, s->config.workspace)))};
	int r = list.filter.p ? vertex_list(c, s, &list, &all) : call_no_memory(c);
	struct str *found = r ? NULL : arena_new_array(c->arena, json_array_size(all) + 1, struct str);
	if (!r && !found)
		r = call_no_memory(c);
	if (r)
		return call_context(c, "%.*s: list endpoints", STR(s->config.name));
	json_array_foreach(all, i, one) found[n++] = json_str(one, "displayName");
	*names = found;
	*count = n;
	return 0;
}

static int gcp_endpoint_credential(struct call *c, void *endpoints, struct str name, struct endpoint_credential *out)
{
	struct gcp_services *s = endpoints;
	struct credential who;
	int r = credentials_get(c, s->apis[GCP_API_VERTEX].provider.credentials, INVOKE_SCOPE, &who);
	struct endpoint_credential made = {.how = INVOKE_VERTEX};
	if (!r)
		r = secret_set(&made.secret, who.token, &c->err);
	if (r)
		return call_context(c, "%.*s: a token to invoke endpoint %.*s", STR(s->config.name), STR(name));
	made.expires_ns = who.ends_ns ? call_now_ns(c) + who.ends_ns - call_mono_ns(c) : 0;
	*out = made;
	return 0;
}

const struct endpoint_ops gcp_endpoint_ops = {
	.name = "gcp",
	.ensure = gcp_endpoint_ensure,
	.observe = gcp_endpoint_observe,
	.delete = gcp_endpoint_delete,
	.list = gcp_endpoint_list,
	.credential = gcp_endpoint_credential,
};
