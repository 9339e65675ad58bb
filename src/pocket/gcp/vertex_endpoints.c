// SPDX-License-Identifier: Apache-2.0
// Endpoints of Vertex AI, without what is deployed to them (vertex_deploy.c). Source: "projects.locations.endpoints".
#include <string.h>

#include "base/time.h"
#include "pocket/gcp/vertex_impl.h"

// ---------------------------------------------------------------- traffic

json_t *vertex_deployed(const json_t *endpoint, struct str id)
{
	json_t *item;
	size_t i;
	json_array_foreach(json_object_get(endpoint, "deployedModels"), i, item)
	{
		if (str_eq(json_str(item, "id"), id))
			return item;
	}
	return NULL;
}

int vertex_check_split(struct front_request *r, const json_t *split, const json_t *endpoint, struct str coming)
{
	const char *key;
	json_t *value;
	json_int_t sum = 0;
	if (!json_is_object(split))
		return google_refuse(r, "INVALID_ARGUMENT", "Invalid value at 'traffic_split'");
	json_object_foreach((json_t *)(uintptr_t)split, key, value)
	{
		bool known = vertex_deployed(endpoint, str_of(key)) ||
			(coming.n && (strcmp(key, "0") == 0 || str_is(coming, key)));
		json_int_t percent = json_is_integer(value) ? json_integer_value(value) : -1;
		if (!known)
			return google_refuse(r, "INVALID_ARGUMENT",
				"The DeployedModel \"%.60s\" in traffic_split does not exist.", key);
		if (percent < 0 || percent > 100)
			return google_refuse(r, "INVALID_ARGUMENT", "Traffic percentages are 0 to 100.");
		sum += percent;
	}
	if (sum != 100)
		return google_refuse(r, "INVALID_ARGUMENT", "The sum of traffic_split must be 100, not %lld.",
			(long long)sum);
	return 0;
}

// ---------------------------------------------------------------- create

static json_t *make_document(struct front_request *r, const json_t *body, struct str name, json_t *resource)
{
	static const char *const kept[] = {"encryptionSpec"};
	struct vertex *v = vertex_of(r);
	int64_t now = vertex_now_ns(v);
	struct str host = str_of(v->pocket->url);
	vertex_copy(body, resource, kept, COUNT_OF(kept));
	json_set_str(resource, "name", name);
	json_set_str(resource, "etag", google_time(r, now));
	google_set_time(resource, "createTime", now);
	google_set_time(resource, "updateTime", now);
	if (json_flag(body, "dedicatedEndpointEnabled", false)) {
		ptrdiff_t slashes = str_find(host, S("://"));
		json_object_set_new(resource, "dedicatedEndpointEnabled", json_true());
		json_set_str(resource, "dedicatedEndpointDns", slashes < 0 ? host : str_drop(host, (size_t)slashes + 3));
	}
	json_t *doc = json_object();
	json_set_str(doc, "name", name);
	json_object_set_new(doc, "visible", json_false());
	json_object_set_new(doc, "servers", json_object());
	json_object_set(doc, "resource", resource);
	return doc;
}

static int create(struct front_request *r, const json_t *body, struct str *name)
{
	struct vertex *v = vertex_of(r);
	struct str wanted = front_query(r, "endpointId"), parent, id = {0};
	AUTO(json) resource = json_object();
	if (!wanted.n)
		wanted = front_query(r, "endpoint_id");
	int rc = vertex_parent(r, &parent);
	if (rc == 0)
		rc = vertex_choose_id(r, wanted, &id);
	if (rc == 0)
		rc = vertex_take_common(r, body, resource);
	if (rc == 0 && json_array_size(json_object_get(body, "deployedModels")))
		rc = google_refuse(r, "INVALID_ARGUMENT", "deployed_models is output only: deploy models to the endpoint.");
	if (rc == 0 && (json_str(body, "network").n || json_object_get(body, "privateServiceConnectConfig")))
		rc = google_refuse(r, "UNIMPLEMENTED", "A pocket cloud has no private networks.");
	if (rc < 0)
		return rc;
	*name = arena_printf(r->arena, "%.*s/endpoints/%.*s", STR(parent), STR(id));
	if (!name->p)
		return err_set(&r->err, ERR_NO_MEMORY, "out of memory");
	if (vertex_taken(v, VERTEX_ENDPOINTS, *name))
		return google_refuse(r, "ALREADY_EXISTS", "The Endpoint \"%.*s\" already exists.", STR(*name));
	AUTO(json) doc = make_document(r, body, *name, resource);
	return vertex_put(v, VERTEX_ENDPOINTS, doc, &r->err);
}

static void create_with(struct front_request *r, json_t *body)
{
	struct str name;
	if (create(r, body, &name) < 0) {
		google_fail(r);
		return;
	}
	const struct vertex_act act = {.word = "create-endpoint",
		.target = name,
		.kind = "CreateEndpointOperationMetadata",
		.takes_ns = VERTEX_ENDPOINT_NS};
	vertex_begin(r, &act);
}

void vertex_create_endpoint(struct front_request *r)
{
	google_body(r, create_with);
}

enum vertex_outcome vertex_finish_endpoint(struct vertex *v, struct vertex_step *s)
{
	if (!s->due || vertex_make_visible(v, VERTEX_ENDPOINTS, s->target) == VERTEX_GOES_ON)
		return VERTEX_GOES_ON;
	const json_t *doc = docs_get(v->pocket, VERTEX_ENDPOINTS, s->target, NULL);
	s->response = json_deep_copy(json_object_get(doc, "resource"));
	return VERTEX_DONE;
}

// ---------------------------------------------------------------- get, list

static int find(struct front_request *r, struct str *name, const json_t **doc)
{
	int rc = vertex_name(r, "endpoints", name);
	return rc < 0 ? rc : vertex_get(r, VERTEX_ENDPOINTS, *name, doc);
}

void vertex_get_endpoint(struct front_request *r)
{
	struct str name;
	const json_t *doc;
	if (find(r, &name, &doc) < 0)
		google_fail(r);
	else
		vertex_reply_resource(r, doc);
}

void vertex_list_endpoints(struct front_request *r)
{
	vertex_reply_list(r, VERTEX_ENDPOINTS, "endpoints");
}

// ---------------------------------------------------------------- patch

static bool in_mask(struct str mask, const char *camel, const char *snake)
{
	struct str item;
	while (mask.n && str_next(&mask, ',', &item))
		if (str_is(str_trim(item), camel) || str_is(str_trim(item), snake))
			return true;
	return false;
}

static int patch(struct front_request *r, const json_t *body, json_t *resource)
{
	struct str mask = front_query(r, "updateMask");
	AUTO(json) common = json_object();
	json_t *split = json_object_get(body, "trafficSplit");
	if (!mask.n)
		return google_refuse(r, "INVALID_ARGUMENT", "Required field is not set: update_mask.");
	json_set_str(common, "displayName", json_str(resource, "displayName"));
	json_object_update_existing(common, (json_t *)(uintptr_t)body);
	json_object_set(common, "labels", json_object_get(body, "labels"));
	json_object_set(common, "description", json_object_get(body, "description"));
	AUTO(json) checked = json_object();
	int rc = vertex_take_common(r, common, checked);
	if (rc == 0 && in_mask(mask, "trafficSplit", "traffic_split"))
		rc = vertex_check_split(r, split, resource, S(""));
	if (rc < 0)
		return rc;
	if (in_mask(mask, "trafficSplit", "traffic_split"))
		json_object_set_new(resource, "trafficSplit", json_deep_copy(split));
	if (in_mask(mask, "displayName", "display_name"))
		json_object_set(resource, "displayName", json_object_get(checked, "displayName"));
	if (in_mask(mask, "labels", "labels"))
		json_object_set(resource, "labels", json_object_get(checked, "labels"));
	if (in_mask(mask, "description", "description"))
		json_object_set(resource, "description", json_object_get(checked, "description"));
	google_set_time(resource, "updateTime", vertex_now_ns(vertex_of(r)));
	json_set_str(resource, "etag", google_time(r, vertex_now_ns(vertex_of(r))));
	return 0;
}

static void patch_with(struct front_request *r, json_t *body)
{
	struct str name;
	const json_t *doc;
	int rc = find(r, &name, &doc);
	AUTO(json) copy = rc == 0 ? json_deep_copy(doc) : NULL;
	if (rc == 0)
		rc = patch(r, body, json_object_get(copy, "resource"));
	if (rc == 0)
		rc = vertex_put(vertex_of(r), VERTEX_ENDPOINTS, copy, &r->err);
	if (rc < 0)
		google_fail(r);
	else
		vertex_reply_resource(r, copy);
}

void vertex_patch_endpoint(struct front_request *r)
{
	google_body(r, patch_with);
}

// ---------------------------------------------------------------- delete

void vertex_delete_endpoint(struct front_request *r)
{
	struct str name;
	const json_t *doc;
	int rc = find(r, &name, &doc);
	bool deployed = rc == 0 &&
		(json_array_size(json_object_get(json_object_get(doc, "resource"), "deployedModels")) ||
			vertex_under_way(vertex_of(r), name, "deploy"));
	if (deployed)
		rc = google_refuse(r, "FAILED_PRECONDITION",
			"Endpoint \"%.*s\" has deployed or being-deployed DeployedModel(s). Undeploy them before deleting "
			"the endpoint.",
			STR(name));
	if (rc < 0) {
		google_fail(r);
		return;
	}
	const struct vertex_act act = {.word = "delete-endpoint",
		.target = name,
		.kind = "DeleteOperationMetadata",
		.takes_ns = VERTEX_DELETE_NS};
	vertex_begin(r, &act);
}

// false: some processes are still on their way out.
static bool remove_servers(struct vertex *v, const json_t *servers)
{
	const char *deployed;
	json_t *server, *id;
	size_t i;
	struct err e = {0};
	json_object_foreach((json_t *)(uintptr_t)servers, deployed, server)
	{
		json_array_foreach(json_object_get(server, "engines"), i, id)
		{
			int rc = engine_remove(v->pocket->engine, json_value_str(id), &e);
			if (rc < 0 && rc != ERR_NOT_FOUND)
				return false;
		}
	}
	return true;
}

enum vertex_outcome vertex_finish_delete_endpoint(struct vertex *v, struct vertex_step *s)
{
	const json_t *doc = docs_get(v->pocket, VERTEX_ENDPOINTS, s->target, NULL);
	struct err e = {0};
	if (!s->due || !remove_servers(v, json_object_get(doc, "servers")) ||
		!remove_servers(v, json_object_get(doc, "failed")))
		return VERTEX_GOES_ON;
	int rc = doc ? docs_delete(v->pocket, VERTEX_ENDPOINTS, s->target, &e) : 0;
	return rc == 0 || rc == ERR_NOT_FOUND ? VERTEX_DONE : VERTEX_GOES_ON;
}
