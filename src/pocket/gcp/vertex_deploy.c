// SPDX-License-Identifier: Apache-2.0
// Models deployed to endpoints: real server processes. A deployment is done when all replicas answer their health route,
// and only then is the model one of the endpoint's and gets its part of the traffic. Sources: "endpoints.deployModel",
// "endpoints.undeployModel"; "Custom container requirements for inference".
#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "pocket/gcp/metadata.h"
#include "pocket/gcp/vertex_impl.h"

enum { CODE_DEADLINE_EXCEEDED = 4, CODE_FAILED_PRECONDITION = 9, SERVER_TRIES = 3, DEPLOYED_ID_MAX = 10 };

struct str vertex_server_id(struct arena *a, struct str endpoint, struct str deployed, size_t replica)
{
	struct str rest = str_drop(endpoint, sizeof("projects/") - 1), project, word, location;
	str_cut(rest, '/', &project, &rest);
	str_cut(rest, '/', &word, &rest);
	str_cut(rest, '/', &location, &rest);
	return arena_printf(a, "vertex-%.*s-%.*s-%.*s-%zu", STR(location), STR(vertex_last(endpoint)), STR(deployed),
		replica);
}

// ---------------------------------------------------------------- what is asked for

static int64_t number(const json_t *value, int64_t otherwise) // an int64 may be a text in JSON
{
	int64_t n;
	if (json_is_integer(value))
		return json_integer_value(value);
	return json_is_string(value) && str_to_i64(json_value_str(value), &n) == 0 ? n : otherwise;
}

static int choose_deployed_id(struct front_request *r, const json_t *doc, const json_t *asked, struct str *out)
{
	struct str id = json_str(asked, "id");
	char room[VERTEX_ID_SIZE];
	for (size_t i = 0; i < id.n; i++)
		if (id.p[i] < '0' || id.p[i] > '9' || id.n > DEPLOYED_ID_MAX)
			return google_refuse(r, "INVALID_ARGUMENT",
				"The DeployedModel ID \"%.*s\" is invalid: it has at most %d digits.",
				STR(str_take(id, 60)), DEPLOYED_ID_MAX);
	*out = arena_str(r->arena, id.n ? id : vertex_id(vertex_of(r), room));
	if (!out->p)
		return err_set(&r->err, ERR_NO_MEMORY, "out of memory");
	if (id.n && json_object_get(json_object_get(doc, "servers"), arena_cstr(r->arena, id)))
		return google_refuse(r, "ALREADY_EXISTS", "The DeployedModel \"%.*s\" already exists.", STR(id));
	return 0;
}

static int read_resources(struct front_request *r, const json_t *asked, json_t *deployed, json_t *run)
{
	const json_t *dedicated = json_object_get(asked, "dedicatedResources");
	const json_t *automatic = json_object_get(asked, "automaticResources");
	const json_t *source = dedicated ? dedicated : automatic;
	struct str type = json_str(json_object_get(dedicated, "machineSpec"), "machineType");
	double cpu = 2;
	uint64_t memory = UINT64_C(8) << 30;
	int64_t replicas = number(json_object_get(source, "minReplicaCount"), 1);
	if (!source)
		return google_refuse(r, "INVALID_ARGUMENT",
			"One of dedicated_resources and automatic_resources is required in the deployed_model.");
	if (dedicated && !vertex_machine(type, &cpu, &memory))
		return google_refuse(r, "INVALID_ARGUMENT", "Machine type \"%.*s\" is not supported.",
			STR(str_take(type, 60)));
	if (replicas < 1 || replicas > VERTEX_MAX_REPLICAS)
		return google_refuse(r, "INVALID_ARGUMENT", "min_replica_count is 1 to %d in a pocket cloud, not %lld.",
			VERTEX_MAX_REPLICAS, (long long)replicas);
	json_object_set_new(deployed, dedicated ? "dedicatedResources" : "automaticResources",
		json_deep_copy(source));
	json_object_set_new(run, "replicas", json_integer(replicas));
	json_object_set_new(run, "cpu", json_real(cpu));
	json_object_set_new(run, "memory", json_integer((json_int_t)memory));
	json_set_str(run, "machine", type);
	return 0;
}

// What Vertex tells a server in its environment.
static void add_environment(struct front_request *r, const json_t *deployed, const json_t *model, json_t *run)
{
	json_t *environment = json_object_get(run, "environment");
	const json_t *container = json_object_get(model, "containerSpec");
	struct str endpoint = google_request(r)->captures[2], id = json_str(deployed, "id");
	struct str route =
		arena_printf(r->arena, "/v1/endpoints/%.*s/deployedModels/%.*s", STR(endpoint), STR(id));
	struct str health = json_str(container, "healthRoute"), predict = json_str(container, "predictRoute");
	json_set_str(run, "health", health.n ? health : route);
	json_set_str(run, "predict", predict.n ? predict : arena_printf(r->arena, "%.*s:predict", STR(route)));
	json_set_str(environment, "AIP_HEALTH_ROUTE", json_str(run, "health"));
	json_set_str(environment, "AIP_PREDICT_ROUTE", json_str(run, "predict"));
	json_set_str(environment, "AIP_MODE", S("PREDICTION"));
	json_set_str(environment, "AIP_ENDPOINT_ID", endpoint);
	json_set_str(environment, "AIP_DEPLOYED_MODEL_ID", id);
	json_set_str(environment, "AIP_MODEL_NAME", vertex_last(json_str(model, "name")));
	json_set_str(environment, "AIP_VERSION_NAME", S("1"));
	json_set_str(environment, "AIP_PROJECT_NUMBER", google_request(r)->captures[0]);
	json_set_str(environment, "AIP_MACHINE_TYPE", json_str(run, "machine"));
	json_set_str(environment, "AIP_STORAGE_URI", json_str(model, "artifactUri"));
}

static int read_model(struct front_request *r, const json_t *asked, json_t *deployed, json_t *run)
{
	struct str name = json_str(asked, "model"), version;
	const json_t *doc;
	json_t *argv, *environment;
	if (!name.n)
		return google_refuse(r, "INVALID_ARGUMENT", "Required field is not set: deployed_model.model.");
	str_cut(name, '@', &name, &version);
	int rc = vertex_get(r, VERTEX_MODELS, name, &doc);
	if (rc < 0)
		return rc;
	const json_t *model = json_object_get(doc, "resource");
	struct str shown = json_str(asked, "displayName");
	json_set_str(deployed, "model", json_str(model, "name"));
	json_object_set_new(deployed, "modelVersionId", json_string("1"));
	json_set_str(deployed, "displayName", shown.n ? shown : json_str(model, "displayName"));
	rc = vertex_container(r, json_object_get(model, "containerSpec"), &argv, &environment);
	if (rc < 0)
		return rc;
	json_set_str(run, "image", json_str(json_object_get(model, "containerSpec"), "imageUri"));
	json_object_set(run, "argv", argv);
	json_object_set(run, "environment", environment);
	add_environment(r, deployed, model, run);
	return 0;
}

// ---------------------------------------------------------------- deployModel

static int note_server(struct front_request *r, const json_t *doc, struct str id, json_t *run)
{
	AUTO(json) copy = json_deep_copy(doc);
	json_t *engines = json_array();
	struct str name = json_str(doc, "name");
	for (size_t i = 0; i < (size_t)json_int(run, "replicas", 1); i++) {
		struct str engine_id = vertex_server_id(r->arena, name, id, i);
		int rc = engine_remove(r->pocket->engine, engine_id, &r->err); // what failed before under the same id
		json_array_append_new(engines, json_of_str(engine_id));
		if (rc < 0 && rc != ERR_NOT_FOUND) {
			json_decref(engines);
			return rc;
		}
	}
	err_clear(&r->err);
	json_object_del(json_object_get(copy, "failed"), arena_cstr(r->arena, id));
	json_object_set_new(run, "engines", engines);
	json_object_set(json_object_get(copy, "servers"), arena_cstr(r->arena, id), run);
	return vertex_put(vertex_of(r), VERTEX_ENDPOINTS, copy, &r->err);
}

static int deploy(struct front_request *r, const json_t *body, struct str *name, json_t *with)
{
	static const char *const kept[] = {"serviceAccount", "disableContainerLogging", "enableAccessLogging"};
	const json_t *doc, *asked = json_object_get(body, "deployedModel"), *split = json_object_get(body, "trafficSplit");
	json_t *deployed = json_object();
	AUTO(json) run = json_object();
	struct str id = {0};
	json_object_set_new(with, "deployed", deployed);
	int rc = vertex_name(r, "endpoints", name);
	if (rc == 0)
		rc = vertex_get(r, VERTEX_ENDPOINTS, *name, &doc);
	if (rc == 0)
		rc = choose_deployed_id(r, doc, asked, &id);
	json_set_str(deployed, "id", id.p ? id : S(""));
	if (rc == 0)
		rc = read_resources(r, asked, deployed, run);
	if (rc == 0)
		rc = read_model(r, asked, deployed, run);
	if (rc == 0 && json_object_size(split))
		rc = vertex_check_split(r, split, json_object_get(doc, "resource"), id);
	if (rc < 0)
		return rc;
	vertex_copy(asked, deployed, kept, COUNT_OF(kept));
	json_object_set(with, "split", (json_t *)(uintptr_t)split);
	json_set_str(run, "account", json_str(asked, "serviceAccount"));
	return note_server(r, doc, id, run);
}

static void deploy_with(struct front_request *r, json_t *body)
{
	struct str name;
	json_t *with = json_object();
	if (deploy(r, body, &name, with) < 0) {
		json_decref(with);
		google_fail(r);
		return;
	}
	const struct vertex_act act = {.word = "deploy",
		.target = name,
		.kind = "DeployModelOperationMetadata",
		.takes_ns = VERTEX_DEPLOY_NS,
		.with = with};
	vertex_begin(r, &act);
}

void vertex_deploy_model(struct front_request *r)
{
	google_body(r, deploy_with);
}

// ---------------------------------------------------------------- servers

static int start_server(struct vertex *v, const json_t *run, struct str id, struct err *e)
{
	static const char *const ports[] = {"AIP_HTTP_PORT", NULL};
	AUTO(json) environment = json_deep_copy(json_object_get(run, "environment"));
	const struct engine_spec spec = {.kind = ENGINE_SERVER,
		.id = id,
		.image = json_str(run, "image"),
		.argv = json_object_get(run, "argv"),
		.environment = environment,
		.memory = (uint64_t)json_int(run, "memory", 0),
		.cpu = json_num(run, "cpu", 0),
		.port_variables = ports,
		.health_path = json_text(run, "health")};
	const struct metadata_of of = {.id = id, .account = json_str(run, "account")};
	int rc = environment ? metadata_add(v->pocket, &of, environment, e)
			     : err_set(e, ERR_NO_MEMORY, "out of memory");
	if (rc == 0)
		rc = engine_start(v->pocket->engine, &spec, e);
	return rc == ERR_EXISTS ? 0 : rc;
}

// One replica on its way: 1 healthy, 0 not yet, negative: it will not be (why says so).
static int look_at_server(struct vertex *v, const json_t *run, struct str id, struct vertex_step *s)
{
	struct engine_status status = {0};
	struct err e = {0};
	int rc = engine_status(v->pocket->engine, id, &status);
	if (rc == ERR_NOT_FOUND)
		rc = start_server(v, run, id, &e);
	if (rc < 0) {
		s->code = CODE_FAILED_PRECONDITION;
		snprintf(s->message, sizeof(s->message), "Model server could not be started: %s", e.message);
		return rc;
	}
	if (status.healthy)
		return 1;
	if (!engine_state_ended(status.state) && status.restarts < SERVER_TRIES)
		return 0;
	s->code = CODE_FAILED_PRECONDITION;
	snprintf(s->message, sizeof(s->message),
		"Model server terminated: model server container terminated: exit_code: %d reason: \"%s\". Model server "
		"logs can be found at resource.type=\"aiplatform.googleapis.com/Endpoint\" "
		"resource.labels.endpoint_id=\"%.*s\"",
		status.exit_code, status.out_of_memory ? "OOMKilled" : "Error", STR(vertex_last(s->target)));
	return ERR_FAILED;
}

static void stop_servers(struct vertex *v, const json_t *run)
{
	const json_t *id;
	size_t i;
	struct err e = {0};
	json_array_foreach(json_object_get(run, "engines"), i, id)
	{
		// One that is not there has nothing to stop.
		(void)!engine_stop(v->pocket->engine, json_value_str(id),
			service_pace_ns(v->pocket, VERTEX_GRACE_NS), &e);
	}
}

// "0" stands for the one that was deployed.
static json_t *split_with(const json_t *split, struct str id)
{
	json_t *made = json_object(), *value;
	const char *key;
	json_object_foreach((json_t *)(uintptr_t)split, key, value)
	{
		char name[VERTEX_ID_SIZE];
		bool fits = str_copy(name, sizeof(name), strcmp(key, "0") == 0 ? id : str_of(key));
		if (fits)
			json_object_set(made, name, value);
	}
	return made;
}

static enum vertex_outcome deployed(struct vertex *v, const json_t *doc, struct vertex_step *s)
{
	AUTO(json) copy = json_deep_copy(doc);
	json_t *resource = json_object_get(copy, "resource"), *list = json_object_get(resource, "deployedModels");
	json_t *model = json_deep_copy(json_object_get(s->with, "deployed"));
	json_t *split = json_object_get(s->with, "split");
	struct err e = {0};
	google_set_time(model, "createTime", s->begun_ns);
	google_set_time(resource, "updateTime", vertex_now_ns(v));
	if (!list)
		json_object_set_new(resource, "deployedModels", list = json_array());
	s->response = json_pack("{s:O}", "deployedModel", model);
	if (!vertex_deployed(resource, json_str(model, "id")))
		json_array_append(list, model);
	if (json_object_size(split))
		json_object_set_new(resource, "trafficSplit", split_with(split, json_str(model, "id")));
	int rc = vertex_put(v, VERTEX_ENDPOINTS, copy, &e);
	if (rc == 0)
		rc = vertex_note_deployed(v, s->target, model, true, &e);
	json_decref(model);
	return rc < 0 ? VERTEX_GOES_ON : VERTEX_DONE;
}

static enum vertex_outcome give_up(struct vertex *v, const json_t *doc, const char *id)
{
	AUTO(json) copy = json_deep_copy(doc);
	struct err e = {0};
	json_t *servers = json_object_get(copy, "servers"), *gone = json_object_get(copy, "failed");
	stop_servers(v, json_object_get(servers, id));
	if (!gone)
		json_object_set_new(copy, "failed", gone = json_object());
	json_object_set(gone, id, json_object_get(servers, id)); // for its logs
	json_object_del(servers, id);
	return vertex_put(v, VERTEX_ENDPOINTS, copy, &e) < 0 ? VERTEX_GOES_ON : VERTEX_FAILED;
}

enum vertex_outcome vertex_finish_deploy(struct vertex *v, struct vertex_step *s)
{
	const json_t *doc = docs_get(v->pocket, VERTEX_ENDPOINTS, s->target, NULL), *id;
	const char *deployed_id = json_text(json_object_get(s->with, "deployed"), "id");
	const json_t *run = json_object_get(json_object_get(doc, "servers"), deployed_id);
	size_t i, healthy = 0;
	json_array_foreach(json_object_get(run, "engines"), i, id)
	{
		int rc = look_at_server(v, run, json_value_str(id), s);
		if (rc < 0)
			return give_up(v, doc, deployed_id);
		healthy += (size_t)rc;
	}
	if (run && healthy == i && s->due)
		return deployed(v, doc, s);
	if (run && vertex_now_ns(v) - s->begun_ns < service_pace_ns(v->pocket, VERTEX_DEPLOY_LIMIT_NS))
		return VERTEX_GOES_ON;
	s->code = CODE_DEADLINE_EXCEEDED;
	snprintf(s->message, sizeof(s->message), "The model server did not become healthy in time.");
	return run ? give_up(v, doc, deployed_id) : VERTEX_FAILED;
}

// ---------------------------------------------------------------- undeployModel

static int undeploy(struct front_request *r, const json_t *body, struct str *name, json_t *with)
{
	struct str id = json_str(body, "deployedModelId");
	const json_t *doc, *split = json_object_get(body, "trafficSplit");
	int rc = vertex_name(r, "endpoints", name);
	if (rc == 0)
		rc = vertex_get(r, VERTEX_ENDPOINTS, *name, &doc);
	if (rc < 0)
		return rc;
	AUTO(json) copy = json_deep_copy(doc);
	json_t *resource = json_object_get(copy, "resource");
	bool last = json_array_size(json_object_get(resource, "deployedModels")) == 1;
	if (!vertex_deployed(resource, id))
		return google_refuse(r, "NOT_FOUND", "The DeployedModel \"%.*s\" does not exist at \"%.*s\".",
			STR(str_take(id, 40)), STR(*name));
	if (json_object_size(split)) {
		rc = vertex_check_split(r, split, resource, S(""));
		if (rc < 0)
			return rc;
		json_object_set_new(resource, "trafficSplit", json_deep_copy(split));
	}
	json_t *traffic = json_object_get(resource, "trafficSplit");
	const char *key = arena_cstr(r->arena, id);
	if (json_int(traffic, key, 0) > 0 && !last)
		return google_refuse(r, "FAILED_PRECONDITION",
			"The DeployedModel \"%s\" has traffic: set traffic_split so that it has none.", key);
	json_object_del(last ? resource : traffic, last ? "trafficSplit" : key);
	json_set_str(with, "id", id);
	return vertex_put(vertex_of(r), VERTEX_ENDPOINTS, copy, &r->err);
}

static void undeploy_with(struct front_request *r, json_t *body)
{
	struct str name;
	json_t *with = json_object();
	if (undeploy(r, body, &name, with) < 0) {
		json_decref(with);
		google_fail(r);
		return;
	}
	const struct vertex_act act = {.word = "undeploy",
		.target = name,
		.kind = "UndeployModelOperationMetadata",
		.takes_ns = VERTEX_DELETE_NS,
		.with = with};
	vertex_begin(r, &act);
}

void vertex_undeploy_model(struct front_request *r)
{
	google_body(r, undeploy_with);
}

static void forget(json_t *doc, const char *id)
{
	json_t *list = json_object_get(json_object_get(doc, "resource"), "deployedModels"), *item;
	size_t i;
	json_array_foreach(list, i, item)
	{
		if (strcmp(json_text(item, "id"), id) == 0) {
			json_array_remove(list, i);
			break;
		}
	}
	if (!json_array_size(list))
		json_object_del(json_object_get(doc, "resource"), "deployedModels");
	json_object_del(json_object_get(doc, "servers"), id);
}

// Requests that run have until its time comes; then the servers end.
enum vertex_outcome vertex_finish_undeploy(struct vertex *v, struct vertex_step *s)
{
	const json_t *doc = docs_get(v->pocket, VERTEX_ENDPOINTS, s->target, NULL);
	const char *id = json_text(s->with, "id");
	struct err e = {0};
	if (!s->due)
		return VERTEX_GOES_ON;
	AUTO(json) copy = json_deep_copy(doc);
	const json_t *run = json_object_get(json_object_get(copy, "servers"), id), *engine_id;
	AUTO(json) model = json_incref(vertex_deployed(json_object_get(copy, "resource"), str_of(id)));
	size_t i;
	json_array_foreach(json_object_get(run, "engines"), i, engine_id)
	{
		int rc = engine_remove(v->pocket->engine, json_value_str(engine_id), &e);
		if (rc < 0 && rc != ERR_NOT_FOUND)
			return VERTEX_GOES_ON;
	}
	if (!copy)
		return VERTEX_DONE;
	if (model && vertex_note_deployed(v, s->target, model, false, &e) < 0)
		return VERTEX_GOES_ON;
	forget(copy, id);
	return vertex_put(v, VERTEX_ENDPOINTS, copy, &e) < 0 ? VERTEX_GOES_ON : VERTEX_DONE;
}
