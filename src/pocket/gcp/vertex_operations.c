// SPDX-License-Identifier: Apache-2.0
// Long-running operations of Vertex AI: each is an act on a resource, kept as a document, and looked at until it is done.
// An act may be looked at again after a restart of the pocket: it goes on from what the documents and the engine say.
// Source: "Operations" (google.longrunning) in the Vertex AI API.
#include <string.h>

#include "base/log.h"
#include "pocket/gcp/vertex_impl.h"

#define TYPE_PREFIX "type.googleapis.com/google.cloud.aiplatform.v1."

static const struct vertex_action {
	const char *word;
	enum vertex_outcome (*finish)(struct vertex *v, struct vertex_step *s);
	const char *response; // type of the response; NULL: google.protobuf.Empty
} actions[] = {
	{"upload", vertex_finish_upload, "UploadModelResponse"},
	{"delete-model", vertex_finish_delete_model, NULL},
	{"delete-job", vertex_finish_delete_job, NULL},
	{"create-endpoint", vertex_finish_endpoint, "Endpoint"},
	{"delete-endpoint", vertex_finish_delete_endpoint, NULL},
	{"deploy", vertex_finish_deploy, "DeployModelResponse"},
	{"undeploy", vertex_finish_undeploy, "UndeployModelResponse"},
};

static const struct vertex_action *find_action(struct str word)
{
	for (size_t i = 0; i < COUNT_OF(actions); i++)
		if (str_is(word, actions[i].word))
			return &actions[i];
	return NULL;
}

// ---------------------------------------------------------------- beginning

static json_t *describe(struct vertex *v, const struct vertex_act *act, struct str name)
{
	json_t *metadata = json_object(), *generic = json_object(), *operation = json_object(), *doc = json_object();
	int64_t now = vertex_now_ns(v);
	AUTO(buf) type = {0};
	buf_printf(&type, "%s%s", TYPE_PREFIX, act->kind);
	google_set_time(generic, "createTime", now);
	google_set_time(generic, "updateTime", now);
	json_set_str(metadata, "@type", buf_str(&type));
	json_object_set_new(metadata, "genericMetadata", generic);
	json_set_str(operation, "name", name);
	json_object_set_new(operation, "metadata", metadata);
	json_set_str(doc, "name", name);
	json_object_set_new(doc, "live", json_true());
	json_object_set_new(doc, "word", json_string(act->word));
	json_set_str(doc, "target", act->target);
	json_object_set_new(doc, "begun", json_integer(now));
	json_object_set_new(doc, "due", json_integer(now + service_pace_ns(v->pocket, act->takes_ns)));
	json_object_set_new(doc, "with", act->with ? act->with : json_object());
	json_object_set_new(doc, "resource", operation);
	return doc;
}

void vertex_begin(struct front_request *r, const struct vertex_act *act)
{
	struct vertex *v = vertex_of(r);
	char id[VERTEX_ID_SIZE];
	vertex_id(v, id);
	struct str name = arena_printf(r->arena, "%.*s/operations/%s", STR(act->target), id);
	AUTO(json) doc = describe(v, act, name.p ? name : S(""));
	int rc = name.p ? vertex_put(v, VERTEX_OPERATIONS, doc, &r->err)
			: err_set(&r->err, ERR_NO_MEMORY, "out of memory");
	if (rc == 0)
		rc = vertex_live_add(&v->operations, name, &r->err);
	if (rc == 0)
		vertex_reply_resource(r, doc);
	else
		google_fail(r);
	service_wake(r->pocket);
}

bool vertex_under_way(struct vertex *v, struct str target, const char *word)
{
	for (size_t i = 0; i < v->operations.count; i++) {
		const json_t *doc =
			docs_get(v->pocket, VERTEX_OPERATIONS, buf_str(&v->operations.names[i]), NULL);
		if (doc && str_eq(json_str(doc, "target"), target) &&
			(!word || str_is(json_str(doc, "word"), word)))
			return true;
	}
	return false;
}

// ---------------------------------------------------------------- going on

static void set_response(json_t *operation, const struct vertex_action *action, json_t *response)
{
	AUTO(buf) type = {0};
	json_t *full = json_object();
	if (action->response)
		buf_printf(&type, "%s%s", TYPE_PREFIX, action->response);
	else
		buf_add(&type, S("type.googleapis.com/google.protobuf.Empty"));
	json_set_str(full, "@type", buf_str(&type));
	json_object_update(full, response);
	json_object_set_new(operation, "response", full);
}

// Writes how the act ended.
static bool finish(struct vertex *v, const json_t *doc, const struct vertex_action *action,
	const struct vertex_step *step, bool failed)
{
	AUTO(json) copy = json_deep_copy(doc);
	struct err e = {0};
	json_t *operation = json_object_get(copy, "resource");
	google_set_time(json_object_get(json_object_get(operation, "metadata"), "genericMetadata"), "updateTime",
		vertex_now_ns(v));
	json_object_set_new(operation, "done", json_true());
	json_object_set_new(copy, "live", json_false());
	if (failed) {
		json_t *status = json_pack("{s:i}", "code", step->code);
		json_set_str(status, "message", str_of(step->message));
		json_object_set_new(operation, "error", status);
	} else {
		set_response(operation, action, step->response);
	}
	if (vertex_put(v, VERTEX_OPERATIONS, copy, &e) == 0)
		return false;
	log_err(LOG_ERROR, &e, "pocket: the end of an operation of Vertex AI");
	return true; // another try
}

bool vertex_operation_look(struct vertex *v, struct str name)
{
	const json_t *doc = docs_get(v->pocket, VERTEX_OPERATIONS, name, NULL);
	const struct vertex_action *action = doc ? find_action(json_str(doc, "word")) : NULL;
	if (!action)
		return false;
	struct vertex_step step = {.target = json_str(doc, "target"),
		.with = json_object_get(doc, "with"),
		.begun_ns = json_int(doc, "begun", 0),
		.due = vertex_now_ns(v) >= json_int(doc, "due", 0)};
	enum vertex_outcome outcome = action->finish(v, &step);
	bool stays = true;
	if (outcome != VERTEX_GOES_ON)
		stays = finish(v, doc, action, &step, outcome == VERTEX_FAILED);
	json_decref(step.response);
	return stays;
}

// ---------------------------------------------------------------- methods

void vertex_get_operation(struct front_request *r)
{
	struct str path = r->x->request.path, parent, version, name;
	const json_t *doc;
	str_cut(str_drop(path, 1), '/', &version, &name); // nothing in these names needs an escape
	int rc = vertex_parent(r, &parent);
	if (rc == 0)
		rc = vertex_get(r, VERTEX_OPERATIONS, name, &doc);
	if (rc == 0)
		vertex_reply_resource(r, doc);
	else
		google_fail(r);
}

// Below a location or below one resource.
void vertex_list_operations(struct front_request *r)
{
	struct str path = r->x->request.path, version, name, prefix;
	struct docs_row rows[VERTEX_PAGE];
	struct google_page page;
	size_t count = 0;
	bool more = false;
	str_cut(str_drop(path, 1), '/', &version, &name);
	prefix = google_request(r)->count > 2 ? arena_printf(r->arena, "%.*s/", STR(name))
					      : str_take(name, name.n - (sizeof("operations") - 1));
	int rc = google_page_read(r, VERTEX_PAGE, VERTEX_PAGE, &page);
	struct docs_cursor from = {.collection = VERTEX_OPERATIONS, .after = page.after, .prefix = prefix};
	if (rc == 0 && (rc = docs_list(r->pocket, &from, rows, page.limit, &count, &more)) < 0)
		err_set(&r->err, rc, "the operations cannot be read");
	if (rc < 0) {
		google_fail(r);
		return;
	}
	json_t *j = json_object(), *items = json_array();
	for (size_t i = 0; i < count; i++)
		json_array_append(items, json_object_get(rows[i].doc, "resource"));
	if (count)
		json_object_set(j, "operations", items);
	json_decref(items);
	if (more)
		json_set_str(j, "nextPageToken", google_page_token(r, rows[count - 1].name));
	google_reply(r, j);
}
