// SPDX-License-Identifier: Apache-2.0
// Deployments of online endpoints as their API shows them. Source: "Azure Machine Learning REST API: Online Deployments".
// What runs for one is ml_deploy_run.c's.
#include <string.h>

#include "pocket/arm/ml_endpoints_impl.h"
#include "pocket/arm/ml_jobs_impl.h"

struct str ml_deployment_key(struct arena *a, struct str endpoint, struct str deployment)
{
	struct str key = arena_printf(a, "%.*s/%.*s", STR(endpoint), STR(deployment));
	return key.p ? key : S("");
}

const json_t *ml_environment_of(struct arm_state *s, const json_t *deployment)
{
	return ml_asset_find(s, "environments", arm_text(deployment, "environmentId"));
}

struct str ml_route(struct arm_state *s, const json_t *deployment, const char *which, int *port)
{
	const json_t *config = json_object_get(arm_properties_of(ml_environment_of(s, deployment)), "inferenceConfig");
	const json_t *route = json_object_get(config, which);
	bool scoring = strcmp(which, "scoringRoute") == 0;
	struct str path = json_str(route, "path");
	*port = (int)json_int(route, "port", 5001);
	return str_starts(path, S("/")) ? path : scoring ? S("/score") : S("/");
}

// ---------------------------------------------------------------- telling

static json_t *tell(struct front_request *r, struct str key, const json_t *doc)
{
	struct str endpoint, name;
	str_cut(key, '/', &endpoint, &name);
	json_t *j = arm_resource(
		arm_id(arm_state(r), r->arena, "onlineEndpoints/%.*s/deployments/%.*s", STR(endpoint), STR(name)), name,
		ML_DEPLOYMENT_TYPE, doc);
	json_t *properties = json_object_get(j, "properties");
	json_set_str(properties, "provisioningState", json_str(doc, "state"));
	if (!json_object_get(properties, "scaleSettings"))
		json_object_set_new(properties, "scaleSettings", json_pack("{s:s}", "scaleType", "Default"));
	json_object_set_new(j, "kind", json_string("Managed"));
	return j;
}

static struct str key_of(const struct front_request *r)
{
	return ml_deployment_key(r->arena, arm_name(r, 0), arm_name(r, 1));
}

static const json_t *find_endpoint(struct front_request *r)
{
	const json_t *doc = docs_get(r->pocket, ML_ENDPOINTS, arm_name(r, 0), NULL);
	if (!doc)
		arm_not_found(r, ML_ENDPOINT_TYPE, arm_name(r, 0));
	return doc;
}

static const json_t *find(struct front_request *r)
{
	const json_t *doc = docs_get(r->pocket, ML_DEPLOYMENTS, key_of(r), NULL);
	if (!doc)
		arm_not_found(r, ML_DEPLOYMENT_TYPE, key_of(r));
	return doc;
}

void ml_list_deployments(struct front_request *r)
{
	struct arm_list list = {.collection = ML_DEPLOYMENTS,
		.prefix = ml_deployment_key(r->arena, arm_name(r, 0), S("")),
		.tell = tell};
	if (find_endpoint(r))
		arm_reply_list(r, &list);
	else
		arm_fail(r);
}

void ml_get_deployment(struct front_request *r)
{
	const json_t *doc = find(r);
	if (doc)
		arm_reply(r, 200, tell(r, key_of(r), doc));
	else
		arm_fail(r);
}

void ml_deployment_skus(struct front_request *r)
{
	const json_t *doc = find(r);
	if (doc)
		arm_reply_values(r, json_pack("[{s:s, s:{s:s}, s:{s:i, s:i, s:i, s:s}}]", "resourceType",
					 ML_DEPLOYMENT_TYPE, "sku", "name", "Default", "capacity", "minimum", 1, "maximum",
					 ML_MAX_CAPACITY, "default", 1, "scaleType", "Manual"));
	else
		arm_fail(r);
}

// ---------------------------------------------------------------- logs

static uint64_t lines_of(const struct engine_log *log, uint64_t tail, struct buf *out)
{
	size_t from = log->count > tail ? log->count - (size_t)tail : 0;
	for (size_t i = from; i < log->count; i++) {
		buf_add(out, log->lines[i].text);
		buf_add_char(out, '\n');
	}
	return log->count - from;
}

void ml_deployment_logs(struct front_request *r)
{
	const json_t *doc = find(r), *ids = json_object_get(doc, "engines"), *next = json_object_get(doc, "next");
	int64_t tail = json_int(arm_request(r)->body, "tail", 5000);
	AUTO(buf) text = {0};
	if (!doc) {
		arm_fail(r);
		return;
	}
	if (json_array_size(next))
		ids = next;
	struct engine_log_from from = {.id = json_value_str(json_array_get(ids, 0)), .most = ENGINE_LOG_MAX};
	struct engine_log log = {0};
	struct err none = {0};
	if (from.id.n && engine_log(r->pocket->engine, &from, r->arena, &log, &none) == 0)
		lines_of(&log, tail > 0 ? (uint64_t)tail : 5000, &text);
	if (json_str(doc, "message").n)
		buf_printf(&text, "%.*s\n", STR(json_str(doc, "message")));
	json_t *j = json_object();
	json_set_str(j, "content", buf_str(&text));
	arm_reply(r, 200, j);
}

// ---------------------------------------------------------------- changes

static int check(struct front_request *r, const json_t *endpoint, const json_t *before)
{
	const json_t *body = arm_request(r)->body, *properties = json_object_get(body, "properties");
	int64_t capacity = json_int(json_object_get(body, "sku"), "capacity", 1);
	struct str state = json_str(before, "state");
	int rc = arm_check_name(r, "deployment", arm_name(r, 1));
	if (rc == 0 && arm_name(r, 1).n > 32)
		rc = arm_user_error(r, "The deployment name is longer than 32 characters.");
	if (rc == 0 && (ml_busy(state) || str_eq(json_str(endpoint, "state"), S("Deleting"))))
		rc = arm_refuse(r, 409, "Conflict", "Another operation on the deployment %.*s is in progress. Please retry later.",
			STR(key_of(r)));
	if (rc == 0 && !str_eq(json_str(properties, "endpointComputeType"), S("Managed")))
		rc = arm_user_error(r, "A pocket cloud has deployments of endpointComputeType Managed only.");
	if (rc == 0 && !json_str(properties, "instanceType").n)
		rc = arm_user_error(r, "The instanceType of a managed deployment is required.");
	if (rc == 0 && (capacity < 1 || capacity > ML_MAX_CAPACITY))
		rc = arm_refuse(r, 400, "OutOfQuota", "A pocket cloud runs 1 to %d instances of a deployment, not %lld.",
			ML_MAX_CAPACITY, (long long)capacity);
	if (rc == 0 && ml_server_check(arm_state(r), properties, &r->err) < 0)
		rc = arm_user_error(r, "%s", arena_printf(r->arena, "%s", r->err.message).p);
	return rc;
}

static int keep(struct front_request *r, json_t *doc, const char *state, enum arm_told told)
{
	struct str operation = S("");
	int rc = doc ? arm_operation_begin(r, arm_request(r)->scope, told, &operation)
		     : err_set(&r->err, ERR_NO_MEMORY, "out of memory");
	if (rc < 0)
		return rc;
	json_object_set_new(doc, "state", json_string(state));
	json_object_set_new(doc, "since_ns", json_integer(front_now_ns(r)));
	json_object_set_new(doc, "message", json_string(""));
	json_set_str(doc, "operation", operation);
	service_wake(r->pocket);
	return docs_put(r->pocket, ML_DEPLOYMENTS, key_of(r), doc, &r->err);
}

void ml_put_deployment(struct front_request *r)
{
	const json_t *endpoint = find_endpoint(r);
	const json_t *before = docs_get(r->pocket, ML_DEPLOYMENTS, key_of(r), NULL);
	bool made = !before;
	int rc = endpoint ? check(r, endpoint, before) : ERR_NOT_FOUND;
	AUTO(json) doc = rc == 0 ? arm_document(r, before, arm_request(r)->body) : NULL;
	if (rc == 0)
		rc = keep(r, doc, made ? "Creating" : "Updating", ARM_TOLD_ASYNC);
	if (rc < 0)
		arm_fail(r);
	else
		arm_reply(r, made ? 201 : 200, tell(r, key_of(r), doc));
}

// The number of instances and tags, as the service has it.
void ml_patch_deployment(struct front_request *r)
{
	const json_t *before = find(r), *sku = json_object_get(arm_request(r)->body, "sku");
	json_t *tags = json_object_get(arm_request(r)->body, "tags");
	int64_t capacity = json_int(sku, "capacity", 1);
	int rc = before ? 0 : ERR_NOT_FOUND;
	AUTO(json) doc = json_deep_copy(before);
	if (rc == 0 && ml_busy(json_str(before, "state")))
		rc = arm_refuse(r, 409, "Conflict", "Another operation on the deployment is in progress.");
	if (rc == 0 && (capacity < 1 || capacity > ML_MAX_CAPACITY))
		rc = arm_refuse(r, 400, "OutOfQuota", "A pocket cloud runs 1 to %d instances of a deployment.", ML_MAX_CAPACITY);
	if (rc == 0 && json_is_object(sku))
		json_object_set_new(json_object_get(doc, "resource"), "sku",
			json_pack("{s:s, s:I}", "name", "Default", "capacity", (json_int_t)capacity));
	if (rc == 0 && json_is_object(tags))
		json_object_set(json_object_get(doc, "resource"), "tags", tags);
	if (rc == 0)
		rc = keep(r, doc, "Updating", ARM_TOLD_BOTH);
	if (rc < 0)
		arm_fail(r);
	else
		arm_reply(r, 202, tell(r, key_of(r), doc));
}

void ml_delete_deployment(struct front_request *r)
{
	const json_t *before = docs_get(r->pocket, ML_DEPLOYMENTS, key_of(r), NULL);
	const json_t *endpoint = docs_get(r->pocket, ML_ENDPOINTS, arm_name(r, 0), NULL);
	const char *name = arena_cstr(r->arena, arm_name(r, 1));
	int rc = 0;
	if (!before) {
		front_reply(r, 204, S(""));
		return;
	}
	if (name && json_int(json_object_get(arm_properties_of(endpoint), "traffic"), name, 0) > 0)
		rc = arm_user_error(r,
			"The deployment %.*s has traffic: set the traffic of endpoint %.*s to other deployments before it is "
			"deleted.",
			STR(arm_name(r, 1)), STR(arm_name(r, 0)));
	AUTO(json) doc = json_deep_copy(before);
	if (rc == 0)
		rc = keep(r, doc, "Deleting", ARM_TOLD_BOTH);
	if (rc < 0)
		arm_fail(r);
	else
		front_reply(r, 202, S(""));
}
