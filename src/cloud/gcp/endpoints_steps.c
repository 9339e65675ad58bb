// SPDX-License-Identifier: Apache-2.0
// The steps that make an endpoint: each looks first, asks for what is missing, and waits until it is there. See
// endpoints.h.
#include <string.h>

#include "cloud/endpoint_package.h"
#include "cloud/gcp/endpoints_impl.h"
#include "cloud/job_package.h"

// ---------------------------------------------------------------- names

int gcp_endpoint_ids(
	struct call *c, const struct gcp_services *s, const struct endpoint_spec *spec, struct gcp_endpoint_ids *out)
{
	struct arena *a = c->arena;
	struct str address = arena_printf(a, "endpoint/%.*s", STR(spec->name));
	struct str model = arena_printf(a, "%.*s/%.*s", STR(address), STR(spec->generation));
	struct sha256 digest = sha256_of(model);
	uint32_t number = 0;
	memcpy(&number, digest.bytes, sizeof(number));
	*out = (struct gcp_endpoint_ids){
		.endpoint = job_provider_name(a, s->config.workspace, address, 0, VERTEX_LABEL_MAX),
		.model = job_provider_name(a, s->config.workspace, model, 0, VERTEX_LABEL_MAX),
		.deployed = arena_printf(a, "%u", 100000000U + number % 900000000U),
		.address = vertex_label(a, address)};
	return address.p && model.p && out->endpoint.n && out->model.n && out->deployed.p && out->address.p
		? 0
		: call_no_memory(c);
}

// ---------------------------------------------------------------- things that appear

struct appearing {
	struct gcp_services *services;
	struct gcp_request request;
};

static int look(struct call *c, void *ctx, struct lro_look *look)
{
	struct appearing *a = ctx;
	int r = gcp_json_call(c, a->services, &a->request, NULL);
	if (r && r != ERR_NOT_FOUND)
		return r;
	err_clear(&c->err);
	look->done = !r;
	return 0;
}

// Asks for a thing with an id of ours, and waits for the operation; where the id is taken, somebody (an earlier request
// of ours, whose answer was lost) has asked before: then for the thing itself.
static int make(struct call *c, struct gcp_services *s, const struct gcp_request *request, struct appearing *thing)
{
	const json_t *operation = NULL;
	int r = gcp_json_call(c, s, request, &operation);
	if (!r)
		r = vertex_wait(c, s, operation, NULL);
	if (r != ERR_EXISTS)
		return r;
	err_clear(&c->err);
	return lro_wait(c, look, thing, 0);
}

static bool is_there(struct call *c, struct appearing *thing, int *r)
{
	*r = thing->request.path.p ? gcp_json_call(c, thing->services, &thing->request, NULL) : call_no_memory(c);
	if (*r != ERR_NOT_FOUND)
		return true;
	err_clear(&c->err);
	*r = 0;
	return false;
}

// ---------------------------------------------------------------- the model

static int describe_container(struct call *c, const struct gcp_services *s, const struct endpoint_spec *spec, json_t **out)
{
	struct endpoint_package package = {0};
	const char *const *argv;
	if (endpoint_package_make(c, s->self, &s->config, spec, &package) ||
		endpoint_package_command(c, &package, &argv))
		return c->err.code;
	json_t *args = json_array(), *variable = json_object(), *container = json_object();
	for (size_t i = 1; argv[i]; i++) // argv[0] is the image's program
		json_array_append_new(args, json_string(argv[i]));
	json_object_set_new(variable, "name", json_string(JOB_STORE_VARIABLE));
	json_set_str(variable, "value", package.store);
	json_set_str(container, "imageUri", s->config.image);
	json_object_set_new(container, "args", args);
	json_object_set_new(container, "env", json_pack("[o]", variable));
	json_object_set_new(container, "ports", json_pack("[{s:i}]", "containerPort", 8080));
	json_object_set_new(container, "healthRoute", json_string("/v2/health/ready"));
	json_set_str(container, "predictRoute", arena_printf(c->arena, "/v2/models/%.*s/infer", STR(spec->model)));
	*out = container;
	return 0;
}

int gcp_model_ensure(struct call *c, struct gcp_services *s, const struct endpoint_spec *spec,
	const struct gcp_endpoint_ids *ids)
{
	json_t *container = NULL;
	int r;
	struct appearing thing = {s, {.call = GCP_MODELS_GET, .path = vertex_path_of(c, s, "models", ids->model, "")}};
	if (is_there(c, &thing, &r))
		return r;
	if (describe_container(c, s, spec, &container))
		return c->err.code;
	json_t *model = json_object();
	json_set_str(model, "displayName",
		str_clip(arena_printf(c->arena, "%.*s %.*s", STR(spec->model), STR(spec->version)), VERTEX_NAME_MAX));
	json_object_set_new(model, "labels",
		vertex_labels(c->arena, s->config.workspace, arena_printf(c->arena, "endpoint/%.*s", STR(spec->name))));
	json_object_set_new(model, "containerSpec", container);
	AUTO(json) body = json_pack("{s:o}", "model", model);
	json_set_str(body, "modelId", ids->model);
	json_set_str(body, "serviceAccount", s->config.job_role);
	const struct gcp_request request = {
		.call = GCP_MODELS_UPLOAD, .path = vertex_path(c, s, "models:upload"), .in = body};
	return body && request.path.p ? make(c, s, &request, &thing) : call_no_memory(c);
}

int gcp_models_sweep(struct call *c, struct gcp_services *s, struct str address, struct str keep)
{
	const json_t *models = NULL, *model;
	size_t i;
	const struct vertex_list list = {.call = GCP_MODELS_LIST,
		.kind = "models",
		.member = "models",
		.filter = arena_printf(c->arena, "labels.isobar-workspace=\"%.*s\" AND labels.isobar-address=\"%.*s\"",
			STR(vertex_label(c->arena, s->config.workspace)), STR(address))};
	int r = list.filter.p ? vertex_list(c, s, &list, &models) : call_no_memory(c);
	json_array_foreach(models, i, model)
	{
		struct str id = vertex_id_of(json_str(model, "name"));
		if (!r && !str_eq(id, keep))
			r = vertex_delete(c, s, GCP_MODELS_DELETE, vertex_path_of(c, s, "models", id, ""));
	}
	return r;
}

// ---------------------------------------------------------------- the endpoint

int gcp_endpoint_get(struct call *c, struct gcp_services *s, struct str id, const json_t **out)
{
	const struct gcp_request request = {
		.call = GCP_ENDPOINTS_GET, .path = vertex_path_of(c, s, "endpoints", id, "")};
	return request.path.p ? gcp_json_call(c, s, &request, out) : call_no_memory(c);
}

int gcp_endpoint_create(struct call *c, struct gcp_services *s, const struct endpoint_spec *spec,
	const struct gcp_endpoint_ids *ids)
{
	int r;
	struct appearing thing = {
		s, {.call = GCP_ENDPOINTS_GET, .path = vertex_path_of(c, s, "endpoints", ids->endpoint, "")}};
	if (is_there(c, &thing, &r))
		return r;
	AUTO(json) body = json_pack("{s:b}", "dedicatedEndpointEnabled", 1);
	json_set_str(body, "displayName", str_clip(spec->name, VERTEX_NAME_MAX));
	json_object_set_new(body, "labels",
		vertex_labels(c->arena, s->config.workspace, arena_printf(c->arena, "endpoint/%.*s", STR(spec->name))));
	const struct gcp_request request = {.call = GCP_ENDPOINTS_CREATE,
		.path = vertex_path(c, s, "endpoints"),
		.query = arena_printf(c->arena, "endpointId=%.*s", STR(ids->endpoint)),
		.in = body};
	return body && request.path.p && request.query.p ? make(c, s, &request, &thing) : call_no_memory(c);
}

const json_t *gcp_endpoint_deployed(const json_t *endpoint, struct str id)
{
	const json_t *item;
	size_t i;
	json_array_foreach(json_object_get(endpoint, "deployedModels"), i, item)
	{
		if (str_eq(json_str(item, "id"), id))
			return item;
	}
	return NULL;
}

int gcp_endpoint_operations(struct call *c, struct gcp_services *s, struct str endpoint, const json_t **out)
{
	const struct vertex_list list = {.call = GCP_ENDPOINT_OPERATIONS_LIST,
		.kind = arena_cstr(c->arena, arena_printf(c->arena, "endpoints/%.*s/operations", STR(endpoint))),
		.member = "operations"};
	return list.kind ? vertex_list(c, s, &list, out) : call_no_memory(c);
}

// What is under way at the endpoint, whoever began it: how it ends is then seen at the endpoint.
static int wait_for_others(struct call *c, struct gcp_services *s, struct str endpoint)
{
	const json_t *operations = NULL, *operation;
	size_t i;
	int r = gcp_endpoint_operations(c, s, endpoint, &operations);
	json_array_foreach(operations, i, operation)
	{
		if (r || json_flag(operation, "done", false))
			continue;
		r = vertex_wait(c, s, operation, NULL);
		if (!r || r == ERR_TIMEOUT || r == ERR_CANCELLED || c->err.retryable)
			continue;
		err_clear(&c->err);
		r = 0;
	}
	return r;
}

// ---------------------------------------------------------------- what is deployed

static json_t *describe_deployment(
	struct call *c, const struct gcp_services *s, const struct endpoint_spec *spec, const struct gcp_endpoint_ids *ids)
{
	json_t *j = json_pack("{s:{s:{s:s}, s:I, s:I}}", "dedicatedResources", "machineSpec", "machineType",
		vertex_machine_for(spec->cpu, spec->memory), "minReplicaCount", (json_int_t)spec->replicas,
		"maxReplicaCount", (json_int_t)spec->replicas);
	json_set_str(j, "id", ids->deployed);
	json_set_str(j, "displayName", spec->generation);
	json_set_str(j, "model",
		arena_printf(c->arena, "projects/%.*s/locations/%.*s/models/%.*s", STR(s->config.project),
			STR(s->config.region), STR(ids->model)));
	json_set_str(j, "serviceAccount", s->config.job_role);
	return j;
}

// The first one gets the traffic at once; a later one only when it is there (its own step).
static int ask_deployment(struct call *c, struct gcp_services *s, const struct endpoint_spec *spec,
	const struct gcp_endpoint_ids *ids, const json_t *endpoint)
{
	json_t *split = json_object_get(endpoint, "trafficSplit");
	const json_t *operation = NULL;
	AUTO(json) body = json_pack("{s:o, s:o}", "deployedModel", describe_deployment(c, s, spec, ids), "trafficSplit",
		json_object_size(split) ? json_deep_copy(split) : json_pack("{s:i}", "0", 100));
	const struct gcp_request request = {.call = GCP_ENDPOINTS_DEPLOY,
		.path = vertex_path_of(c, s, "endpoints", ids->endpoint, ":deployModel"),
		.in = body};
	int r = body && request.path.p ? gcp_json_call(c, s, &request, &operation) : call_no_memory(c);
	return r ? r : vertex_wait(c, s, operation, NULL);
}

int gcp_endpoint_deploy(struct call *c, struct gcp_services *s, const struct endpoint_spec *spec,
	const struct gcp_endpoint_ids *ids)
{
	const json_t *endpoint = NULL;
	int r = gcp_endpoint_get(c, s, ids->endpoint, &endpoint);
	if (r || gcp_endpoint_deployed(endpoint, ids->deployed))
		return r;
	if (wait_for_others(c, s, ids->endpoint) || gcp_endpoint_get(c, s, ids->endpoint, &endpoint))
		return c->err.code;
	if (gcp_endpoint_deployed(endpoint, ids->deployed))
		return 0;
	r = ask_deployment(c, s, spec, ids, endpoint);
	if (r != ERR_EXISTS)
		return r;
	// A request whose answer was lost got through.
	err_clear(&c->err);
	if (wait_for_others(c, s, ids->endpoint) || gcp_endpoint_get(c, s, ids->endpoint, &endpoint))
		return c->err.code;
	if (gcp_endpoint_deployed(endpoint, ids->deployed))
		return 0;
	return call_fail(c, ERR_FAILED, "generation %.*s could not be deployed: its server did not become healthy",
		STR(spec->generation));
}

int gcp_endpoint_undeploy(struct call *c, struct gcp_services *s, struct str endpoint, struct str deployed)
{
	const json_t *operation = NULL;
	AUTO(json) body = json_object();
	json_set_str(body, "deployedModelId", deployed);
	const struct gcp_request request = {.call = GCP_ENDPOINTS_UNDEPLOY,
		.path = vertex_path_of(c, s, "endpoints", endpoint, ":undeployModel"),
		.in = body};
	int r = body && request.path.p ? gcp_json_call(c, s, &request, &operation) : call_no_memory(c);
	if (!r)
		r = vertex_wait(c, s, operation, NULL);
	if (r != ERR_NOT_FOUND) // done before
		return r;
	err_clear(&c->err);
	return 0;
}
