// SPDX-License-Identifier: Apache-2.0
// Models of Vertex AI: a container and where its files lie. One version a model. Source: "projects.locations.models".
#include "base/time.h"
#include "pocket/gcp/vertex_impl.h"

static int check_model(struct front_request *r, const json_t *body, const json_t *model)
{
	const json_t *container = json_object_get(model, "containerSpec");
	json_t *argv, *environment;
	if (!json_is_object(model))
		return google_refuse(r, "INVALID_ARGUMENT", "Required field is not set: model.");
	if (json_str(body, "parentModel").n)
		return google_refuse(r, "UNIMPLEMENTED", "A pocket cloud keeps one version of a model.");
	if (!json_str(container, "imageUri").n)
		return google_refuse(
			r, "INVALID_ARGUMENT", "Required field is not set: model.container_spec.image_uri.");
	struct str uri = json_str(model, "artifactUri");
	if (uri.n && !str_starts(uri, S("gs://")))
		return google_refuse(r, "INVALID_ARGUMENT", "artifact_uri is invalid: it must begin with gs://.");
	return vertex_container(r, container, &argv, &environment);
}

static json_t *make_document(struct front_request *r, const json_t *model, struct str name, json_t *resource)
{
	static const char *const kept[] = {"containerSpec", "artifactUri", "versionDescription", "metadata",
		"metadataSchemaUri", "predictSchemata", "encryptionSpec"};
	int64_t now = vertex_now_ns(vertex_of(r));
	json_t *aliases = json_object_get(model, "versionAliases");
	vertex_copy(model, resource, kept, COUNT_OF(kept));
	json_set_str(resource, "name", name);
	json_object_set_new(resource, "versionId", json_string("1"));
	json_object_set_new(resource, "versionAliases",
		json_array_size(aliases) ? json_deep_copy(aliases) : json_pack("[s]", "default"));
	json_object_set_new(resource, "supportedDeploymentResourcesTypes", json_pack("[s]", "DEDICATED_RESOURCES"));
	google_set_time(resource, "createTime", now);
	google_set_time(resource, "updateTime", now);
	google_set_time(resource, "versionCreateTime", now);
	google_set_time(resource, "versionUpdateTime", now);
	json_t *doc = json_object();
	json_set_str(doc, "name", name);
	json_object_set_new(doc, "visible", json_false());
	json_object_set(doc, "resource", resource);
	return doc;
}

static int upload(struct front_request *r, const json_t *body, struct str *name)
{
	const json_t *model = json_object_get(body, "model");
	AUTO(json) resource = json_object();
	struct str parent = {0}, id = {0};
	int rc = vertex_parent(r, &parent);
	if (rc == 0)
		rc = check_model(r, body, model);
	if (rc == 0)
		rc = vertex_choose_id(r, json_str(body, "modelId"), &id);
	if (rc == 0)
		rc = vertex_take_common(r, model, resource);
	if (rc < 0)
		return rc;
	*name = arena_printf(r->arena, "%.*s/models/%.*s", STR(parent), STR(id));
	if (!name->p)
		return err_set(&r->err, ERR_NO_MEMORY, "out of memory");
	if (vertex_taken(vertex_of(r), VERTEX_MODELS, *name))
		return google_refuse(r, "ALREADY_EXISTS", "The Model \"%.*s\" already exists.", STR(*name));
	AUTO(json) doc = make_document(r, model, *name, resource);
	return vertex_put(vertex_of(r), VERTEX_MODELS, doc, &r->err);
}

static void upload_with(struct front_request *r, json_t *body)
{
	struct str name;
	if (upload(r, body, &name) < 0) {
		google_fail(r);
		return;
	}
	const struct vertex_act act = {.word = "upload",
		.target = name,
		.kind = "UploadModelOperationMetadata",
		.takes_ns = VERTEX_UPLOAD_NS};
	vertex_begin(r, &act);
}

void vertex_upload_model(struct front_request *r)
{
	google_body(r, upload_with);
}

enum vertex_outcome vertex_make_visible(struct vertex *v, const char *collection, struct str name)
{
	const json_t *doc = docs_get(v->pocket, collection, name, NULL);
	AUTO(json) copy = json_deep_copy(doc);
	struct err e = {0};
	if (!copy)
		return VERTEX_DONE; // deleted meanwhile
	json_object_set_new(copy, "visible", json_true());
	return vertex_put(v, collection, copy, &e) < 0 ? VERTEX_GOES_ON : VERTEX_DONE;
}

bool vertex_taken(struct vertex *v, const char *collection, struct str name)
{
	const json_t *doc = docs_get(v->pocket, collection, name, NULL);
	return doc && (json_flag(doc, "visible", true) || vertex_under_way(v, name, NULL));
}

enum vertex_outcome vertex_finish_upload(struct vertex *v, struct vertex_step *s)
{
	if (!s->due || vertex_make_visible(v, VERTEX_MODELS, s->target) == VERTEX_GOES_ON)
		return VERTEX_GOES_ON;
	s->response = json_pack("{s:s}", "modelVersionId", "1");
	json_set_str(s->response, "model", s->target);
	return VERTEX_DONE;
}

// ---------------------------------------------------------------- get, list, delete

static int find(struct front_request *r, struct str *name, const json_t **doc)
{
	int rc = vertex_name(r, "models", name);
	struct str version;
	if (rc == 0)
		str_cut(*name, '@', name, &version); // "@1", "@default": there is one
	return rc < 0 ? rc : vertex_get(r, VERTEX_MODELS, *name, doc);
}

void vertex_get_model(struct front_request *r)
{
	struct str name;
	const json_t *doc;
	if (find(r, &name, &doc) < 0)
		google_fail(r);
	else
		vertex_reply_resource(r, doc);
}

void vertex_list_models(struct front_request *r)
{
	vertex_reply_list(r, VERTEX_MODELS, "models");
}

int vertex_note_deployed(struct vertex *v, struct str endpoint, const json_t *deployed, bool add, struct err *e)
{
	struct str name = json_str(deployed, "model"), id = json_str(deployed, "id"), version;
	str_cut(name, '@', &name, &version);
	AUTO(json) copy = json_deep_copy(docs_get(v->pocket, VERTEX_MODELS, name, NULL));
	json_t *resource = json_object_get(copy, "resource"), *list = json_array(), *item;
	size_t i;
	json_array_foreach(json_object_get(resource, "deployedModels"), i, item)
	{
		if (!str_eq(json_str(item, "endpoint"), endpoint) || !str_eq(json_str(item, "deployedModelId"), id))
			json_array_append(list, item);
	}
	if (add) {
		item = json_object();
		json_set_str(item, "endpoint", endpoint);
		json_set_str(item, "deployedModelId", id);
		json_set_str(item, "displayName", json_str(deployed, "displayName"));
		json_array_append_new(list, item);
	}
	if (resource)
		json_object_set(resource, "deployedModels", list);
	if (!json_array_size(list) && resource)
		json_object_del(resource, "deployedModels");
	json_decref(list);
	return copy ? vertex_put(v, VERTEX_MODELS, copy, e) : 0;
}

void vertex_delete_model(struct front_request *r)
{
	struct str name;
	const json_t *doc;
	int rc = find(r, &name, &doc);
	if (rc == 0 && json_array_size(json_object_get(json_object_get(doc, "resource"), "deployedModels")))
		rc = google_refuse(r, "FAILED_PRECONDITION",
			"The Model \"%.*s\" is deployed or being deployed at: %s. Undeploy it first.", STR(name),
			json_text(json_array_get(json_object_get(json_object_get(doc, "resource"), "deployedModels"), 0),
				"endpoint"));
	if (rc < 0) {
		google_fail(r);
		return;
	}
	const struct vertex_act act = {.word = "delete-model",
		.target = name,
		.kind = "DeleteOperationMetadata",
		.takes_ns = VERTEX_DELETE_NS};
	vertex_begin(r, &act);
}

enum vertex_outcome vertex_finish_delete_model(struct vertex *v, struct vertex_step *s)
{
	struct err e = {0};
	if (!s->due)
		return VERTEX_GOES_ON;
	int rc = docs_delete(v->pocket, VERTEX_MODELS, s->target, &e);
	return rc == 0 || rc == ERR_NOT_FOUND ? VERTEX_DONE : VERTEX_GOES_ON;
}
