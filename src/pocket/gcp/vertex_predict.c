// SPDX-License-Identifier: Apache-2.0
// Requests to deployed models: :predict, whose bodies Vertex makes and reads, and :rawPredict, whose bodies are the
// client's and the server's own. The traffic split picks the deployed model. Sources: "endpoints.predict",
// "endpoints.rawPredict"; "Custom container requirements for inference: request and response".
#include <string.h>

#include "base/time.h"
#include "pocket/gcp/vertex_impl.h"

enum { STEP = 37 }; // has no divisor in common with 100: a hundred requests meet each percent once, well mixed

struct prediction {
	struct str id, model, shown, engine, route;
};

// ---------------------------------------------------------------- which

static const char *pick_deployed(struct vertex *v, const json_t *resource)
{
	json_int_t at = (json_int_t)((v->predictions++ * STEP) % 100), sum = 0;
	const char *key;
	json_t *percent;
	json_object_foreach(json_object_get(resource, "trafficSplit"), key, percent)
	{
		sum += json_integer_value(percent);
		if (at < sum)
			return key;
	}
	return NULL;
}

// Of the replicas one that answers, each in its turn.
static struct str pick_engine(struct vertex *v, const json_t *run)
{
	const json_t *engines = json_object_get(run, "engines");
	size_t count = json_array_size(engines);
	for (size_t i = 0; i < count; i++) {
		struct engine_status status = {0};
		struct str id = json_value_str(json_array_get(engines, (v->predictions + i) % count));
		if (engine_status(v->pocket->engine, id, &status) == 0 && status.healthy)
			return id;
	}
	return json_value_str(json_array_get(engines, 0));
}

static int pick(struct front_request *r, struct prediction *out)
{
	struct vertex *v = vertex_of(r);
	struct str name;
	const json_t *doc;
	int rc = vertex_name(r, "endpoints", &name);
	if (rc == 0)
		rc = vertex_get(r, VERTEX_ENDPOINTS, name, &doc);
	if (rc < 0)
		return rc;
	const json_t *resource = json_object_get(doc, "resource");
	const char *id = pick_deployed(v, resource);
	const json_t *run = id ? json_object_get(json_object_get(doc, "servers"), id) : NULL;
	const json_t *deployed = id ? vertex_deployed(resource, str_of(id)) : NULL;
	if (!run || !deployed)
		return google_refuse(r, "FAILED_PRECONDITION",
			"Endpoint %.*s doesn't have a deployed model with traffic.", STR(vertex_last(name)));
	const json_t *model = docs_get(r->pocket, VERTEX_MODELS, json_str(deployed, "model"), NULL);
	struct arena *a = r->arena;
	*out = (struct prediction){.id = arena_str(a, str_of(id)),
		.model = arena_str(a, json_str(deployed, "model")),
		.shown = arena_str(a, json_str(json_object_get(model, "resource"), "displayName")),
		.engine = arena_str(a, pick_engine(v, run)),
		.route = arena_str(a, json_str(run, "predict"))};
	return out->route.p && out->engine.p && out->shown.p ? 0 : err_set(&r->err, ERR_NO_MEMORY, "out of memory");
}

static bool begin(struct front_request *r)
{
	struct prediction *p = arena_new(r->arena, struct prediction);
	google_request(r)->own = p;
	if (!p)
		err_set(&r->err, ERR_NO_MEMORY, "out of memory");
	if (p && pick(r, p) == 0)
		return true;
	google_fail(r);
	return false;
}

// ---------------------------------------------------------------- :predict

static void predicted(struct front_request *r, int status, struct str body)
{
	const struct prediction *p = google_request(r)->own;
	json_t *answer = NULL;
	struct err cause = {0};
	if (status >= 400) {
		google_refuse(r,
			status == 404		? "NOT_FOUND"
				: status == 429 ? "RESOURCE_EXHAUSTED"
				: status < 500	? "INVALID_ARGUMENT"
						: "INTERNAL",
			"%.*s", STR(str_clip(body, 500)));
		google_fail(r);
		return;
	}
	if (json_parse(body, &answer, &cause) < 0 || !json_is_array(json_object_get(answer, "predictions"))) {
		json_decref(answer);
		google_refuse(r, "INTERNAL", "The model server's answer has no list \"predictions\": %s", cause.message);
		google_fail(r);
		return;
	}
	json_t *j = json_object();
	json_object_set(j, "predictions", json_object_get(answer, "predictions"));
	if (json_object_get(answer, "metadata"))
		json_object_set(j, "metadata", json_object_get(answer, "metadata"));
	json_decref(answer);
	json_set_str(j, "deployedModelId", p->id);
	json_set_str(j, "model", p->model);
	json_set_str(j, "modelDisplayName", p->shown);
	json_object_set_new(j, "modelVersionId", json_string("1"));
	google_reply(r, j);
}

static int wanted_whole(struct front_request *r, const struct http_response *response)
{
	(void)r, (void)response;
	return 0;
}

static void predict_with(struct front_request *r, struct str body)
{
	AUTO(json) j = NULL;
	struct err cause = {0};
	static const struct http_header headers[] = {{.name = S_INIT("content-type"), .value = S_INIT("application/json")}};
	if (json_parse(body, &j, &cause) < 0 || !json_is_array(json_object_get(j, "instances"))) {
		google_refuse(r, "INVALID_ARGUMENT", "%s%s",
			cause.message[0] ? "Invalid JSON payload received. " : "Required field is not set: instances.",
			cause.message);
		google_fail(r);
		return;
	}
	if (!begin(r))
		return;
	const struct prediction *p = google_request(r)->own;
	const struct engine_forward f = {.id = p->engine,
		.method = S("POST"),
		.target = p->route,
		.body = body,
		.headers = headers,
		.header_count = COUNT_OF(headers),
		.head = wanted_whole,
		.whole = predicted};
	engine_forward(r, &f);
}

void vertex_predict(struct front_request *r)
{
	front_collect(r, VERTEX_PREDICT_LIMIT, predict_with);
}

// ---------------------------------------------------------------- :rawPredict

static int raw_head(struct front_request *r, const struct http_response *response)
{
	const struct prediction *p = google_request(r)->own;
	struct str type = http_header_get(&response->headers, "content-type");
	struct str length = http_header_get(&response->headers, "inference-header-content-length");
	front_add(r, "content-type", type.p ? type : S("application/octet-stream"));
	if (length.p)
		front_add(r, "inference-header-content-length", length);
	front_add(r, "x-vertex-ai-endpoint-id", google_request(r)->captures[2]);
	front_add(r, "x-vertex-ai-deployed-model-id", p->id);
	front_add(r, "x-vertex-ai-model-resource-name", p->model);
	return response->status;
}

// Headers that a client gives its server: those of HTTP's own hops and of Google's stay here.
static size_t pass_headers(const struct front_request *r, struct http_header *out, size_t room)
{
	static const char *const kept[] = {"content-type", "content-encoding", "accept", "accept-encoding",
		"inference-header-content-length", "traceparent", "x-request-id"};
	size_t count = 0;
	for (size_t i = 0; i < COUNT_OF(kept) && count < room; i++) {
		struct str value = front_header(r, kept[i]);
		if (value.n)
			out[count++] = (struct http_header){.name = str_of(kept[i]), .value = value};
	}
	return count;
}

static void raw_with(struct front_request *r, struct str body)
{
	struct http_header *headers = arena_new_array(r->arena, 8, struct http_header);
	if (!headers || !begin(r)) {
		if (!headers)
			http_reply_error(r->x, 503, "out of memory");
		return;
	}
	const struct prediction *p = google_request(r)->own;
	const struct engine_forward f = {.id = p->engine,
		.method = S("POST"),
		.target = p->route,
		.body = body,
		.headers = headers,
		.header_count = pass_headers(r, headers, 8),
		.head = raw_head};
	engine_forward(r, &f);
}

void vertex_raw_predict(struct front_request *r)
{
	front_collect(r, VERTEX_PREDICT_LIMIT, raw_with);
}
