// SPDX-License-Identifier: Apache-2.0
// Custom jobs of Vertex AI: the methods. How a job goes is vertex_work.c. Source: "projects.locations.customJobs".
#include <string.h>

#include "base/time.h"
#include "pocket/gcp/vertex_impl.h"

enum { COMMAND_MAX = 100000 }; // bytes of command, arguments and environment together

// ---------------------------------------------------------------- what is asked for

static int check_pools(struct front_request *r, const json_t *spec, const json_t **pool)
{
	const json_t *pools = json_object_get(spec, "workerPoolSpecs");
	*pool = json_array_get(pools, 0);
	if (!json_is_object(*pool))
		return google_refuse(r, "INVALID_ARGUMENT", "Required field is not set: job_spec.worker_pool_specs.");
	const json_t *replicas = json_object_get(*pool, "replicaCount"); // int64: a text in JSON
	struct str text = json_value_str(replicas);
	bool one = !replicas || str_eq(text, S("1")) || (json_is_integer(replicas) && json_integer_value(replicas) == 1);
	if (json_array_size(pools) > 1 || !one)
		return google_refuse(r, "UNIMPLEMENTED", "A pocket cloud runs jobs of one worker pool with one replica.");
	if (json_object_get(*pool, "pythonPackageSpec"))
		return google_refuse(r, "UNIMPLEMENTED", "A pocket cloud runs containers (container_spec) only.");
	return 0;
}

static int read_machine(struct front_request *r, const json_t *pool, json_t *run)
{
	const json_t *machine = json_object_get(pool, "machineSpec");
	struct str type = json_str(machine, "machineType");
	double cpu = 0;
	uint64_t memory = 0;
	if (!type.n)
		return google_refuse(
			r, "INVALID_ARGUMENT", "Required field is not set: worker_pool_specs[0].machine_spec.machine_type.");
	if (!vertex_machine(type, &cpu, &memory))
		return google_refuse(r, "INVALID_ARGUMENT", "Machine type \"%.*s\" is not supported.",
			STR(str_take(type, 60)));
	json_object_set_new(run, "cpu", json_real(cpu));
	json_object_set_new(run, "memory", json_integer((json_int_t)memory));
	return 0;
}

static int read_command(struct front_request *r, const json_t *pool, json_t *run)
{
	const json_t *container = json_object_get(pool, "containerSpec");
	json_t *argv, *environment;
	AUTO(buf) text = {.limit = COMMAND_MAX};
	if (!json_str(container, "imageUri").n)
		return google_refuse(
			r, "INVALID_ARGUMENT", "Required field is not set: worker_pool_specs[0].container_spec.image_uri.");
	int rc = vertex_container(r, container, &argv, &environment);
	if (rc < 0)
		return rc;
	if (json_write(argv, &text, NULL) < 0 || json_write(environment, &text, NULL) < 0)
		return google_refuse(r, "INVALID_ARGUMENT",
			"The command, its arguments and its environment have more than %d bytes.", COMMAND_MAX);
	json_set_str(run, "image", json_str(container, "imageUri"));
	json_object_set(run, "argv", argv);
	json_object_set(run, "environment", environment);
	return 0;
}

static int read_scheduling(struct front_request *r, const json_t *spec, json_t *run)
{
	static const char *const strategies[] = {
		"STRATEGY_UNSPECIFIED", "ON_DEMAND", "LOW_COST", "STANDARD", "SPOT", NULL, "FLEX_START"};
	const json_t *scheduling = json_object_get(spec, "scheduling"), *strategy = json_object_get(scheduling, "strategy");
	struct str timeout = json_str(scheduling, "timeout");
	int64_t ns = INT64_C(7) * 86400 * NS_PER_S;
	const char *word = strategy ? google_enum(strategy, strategies, COUNT_OF(strategies)) : "STANDARD";
	if (!word)
		return google_refuse(r, "INVALID_ARGUMENT", "Invalid value at 'custom_job.job_spec.scheduling.strategy'");
	if (timeout.n && google_duration(timeout, &ns) < 0)
		return google_refuse(r, "INVALID_ARGUMENT",
			"Invalid value at 'custom_job.job_spec.scheduling.timeout' (Duration), \"%.*s\"",
			STR(str_take(timeout, 40)));
	json_object_set_new(run, "deadline", json_integer(ns));
	json_object_set_new(run, "spot", json_boolean(strcmp(word, "SPOT") == 0));
	json_object_set_new(run, "retries", json_boolean(!json_flag(scheduling, "disableRetries", false)));
	return 0;
}

// Where a program finds what Vertex tells it.
static void add_environment(struct front_request *r, const json_t *spec, struct str name, json_t *environment)
{
	struct str output = json_str(json_object_get(spec, "baseOutputDirectory"), "outputUriPrefix");
	static const char *const places[][2] = {
		{"AIP_MODEL_DIR", "model"}, {"AIP_CHECKPOINT_DIR", "checkpoints"}, {"AIP_TENSORBOARD_LOG_DIR", "logs"}};
	while (str_ends(output, S("/")))
		output.n--;
	for (size_t i = 0; output.n && i < COUNT_OF(places); i++)
		json_set_str(environment, places[i][0],
			arena_printf(r->arena, "%.*s/%s/", STR(output), places[i][1]));
	json_set_str(environment, "CLOUD_ML_JOB_ID", vertex_last(name));
	json_set_str(environment, "CLOUD_ML_PROJECT_ID", google_request(r)->captures[0]);
	json_set_str(environment, "CLOUD_ML_REGION", google_request(r)->captures[1]);
	json_set_str(environment, "CLUSTER_SPEC",
		S("{\"cluster\":{\"workerpool0\":[\"127.0.0.1:2222\"]},\"environment\":\"cloud\",\"task\":{\"type\":"
		  "\"workerpool0\",\"index\":0}}"));
}

static int read_spec(struct front_request *r, const json_t *spec, struct str name, json_t *run)
{
	const json_t *pool;
	if (!json_is_object(spec))
		return google_refuse(r, "INVALID_ARGUMENT", "Required field is not set: job_spec.");
	int rc = check_pools(r, spec, &pool);
	if (rc == 0)
		rc = read_machine(r, pool, run);
	if (rc == 0)
		rc = read_command(r, pool, run);
	if (rc == 0)
		rc = read_scheduling(r, spec, run);
	if (rc == 0)
		add_environment(r, spec, name, json_object_get(run, "environment"));
	if (rc == 0)
		json_set_str(run, "account", json_str(spec, "serviceAccount"));
	return rc;
}

// ---------------------------------------------------------------- create

static json_t *make_document(struct front_request *r, struct str name, json_t *resource, json_t *run)
{
	struct vertex *v = vertex_of(r);
	int64_t now = vertex_now_ns(v);
	json_t *doc = json_object();
	json_set_str(resource, "name", name);
	json_set_str(resource, "state", S("JOB_STATE_PENDING"));
	google_set_time(resource, "createTime", now);
	google_set_time(resource, "updateTime", now);
	json_set_str(doc, "name", name);
	json_object_set_new(doc, "live", json_true());
	json_object_set_new(doc, "due", json_integer(now + service_pace_ns(v->pocket, VERTEX_PROVISION_NS)));
	json_object_set_new(doc, "attempt", json_integer(0));
	json_object_set(doc, "resource", resource);
	json_object_set(doc, "run", run);
	return doc;
}

static int create(struct front_request *r, const json_t *body, json_t **doc)
{
	static const char *const kept[] = {"jobSpec", "encryptionSpec"};
	struct vertex *v = vertex_of(r);
	char id[VERTEX_ID_SIZE];
	struct str parent, name = {0};
	AUTO(json) resource = json_object();
	AUTO(json) run = json_object();
	int rc = vertex_parent(r, &parent);
	if (rc == 0)
		name = arena_printf(r->arena, "%.*s/customJobs/%.*s", STR(parent), STR(vertex_id(v, id)));
	if (rc == 0)
		rc = vertex_take_common(r, body, resource);
	if (rc == 0)
		rc = read_spec(r, json_object_get(body, "jobSpec"), name, run);
	if (rc < 0)
		return rc;
	vertex_copy(body, resource, kept, COUNT_OF(kept));
	*doc = make_document(r, name, resource, run);
	rc = vertex_put(v, VERTEX_JOBS, *doc, &r->err);
	return rc < 0 ? rc : vertex_live_add(&v->jobs, name, &r->err);
}

static void create_with(struct front_request *r, json_t *body)
{
	AUTO(json) doc = NULL;
	if (create(r, body, &doc) < 0)
		google_fail(r);
	else
		vertex_reply_resource(r, doc);
	service_wake(r->pocket);
}

void vertex_create_job(struct front_request *r)
{
	google_body(r, create_with);
}

// ---------------------------------------------------------------- get, list, cancel, delete

static int find(struct front_request *r, struct str *name, const json_t **doc)
{
	int rc = vertex_name(r, "customJobs", name);
	return rc < 0 ? rc : vertex_get(r, VERTEX_JOBS, *name, doc);
}

void vertex_get_job(struct front_request *r)
{
	struct str name;
	const json_t *doc;
	if (find(r, &name, &doc) < 0)
		google_fail(r);
	else
		vertex_reply_resource(r, doc);
}

void vertex_list_jobs(struct front_request *r)
{
	vertex_reply_list(r, VERTEX_JOBS, "customJobs");
}

static int refuse_state(struct front_request *r, const json_t *doc, struct str name, const char *what)
{
	return google_refuse(r, "FAILED_PRECONDITION", "The CustomJob \"%.*s\" is in state %s and cannot be %s.",
		STR(str_take(name, 300)), json_text(json_object_get(doc, "resource"), "state"), what);
}

static void cancel_with(struct front_request *r, json_t *body)
{
	struct str name;
	const json_t *doc;
	(void)body;
	int rc = find(r, &name, &doc);
	if (rc == 0 && !json_flag(doc, "live", false))
		rc = refuse_state(r, doc, name, "cancelled");
	AUTO(json) copy = rc == 0 ? json_deep_copy(doc) : NULL;
	if (rc == 0) {
		json_object_set_new(copy, "cancel", json_true());
		json_set_str(json_object_get(copy, "resource"), "state", S("JOB_STATE_CANCELLING"));
		google_set_time(json_object_get(copy, "resource"), "updateTime", vertex_now_ns(vertex_of(r)));
		rc = vertex_put(vertex_of(r), VERTEX_JOBS, copy, &r->err);
	}
	if (rc < 0)
		google_fail(r);
	else
		google_reply(r, json_object());
	service_wake(r->pocket);
}

void vertex_cancel_job(struct front_request *r)
{
	google_body(r, cancel_with);
}

void vertex_delete_job(struct front_request *r)
{
	struct str name;
	const json_t *doc;
	int rc = find(r, &name, &doc);
	if (rc == 0 && json_flag(doc, "live", false))
		rc = refuse_state(r, doc, name, "deleted");
	if (rc < 0) {
		google_fail(r);
		return;
	}
	const struct vertex_act act = {
		.word = "delete-job", .target = name, .kind = "DeleteOperationMetadata", .takes_ns = VERTEX_DELETE_NS};
	vertex_begin(r, &act);
}

enum vertex_outcome vertex_finish_delete_job(struct vertex *v, struct vertex_step *s)
{
	struct err e = {0};
	if (!s->due)
		return VERTEX_GOES_ON;
	const json_t *doc = docs_get(v->pocket, VERTEX_JOBS, s->target, NULL);
	AUTO(arena) arena = {0};
	for (int64_t i = 1; doc && i <= json_int(doc, "attempt", 0); i++) {
		struct str id = vertex_engine_id(&arena, s->target, i);
		if (id.p && engine_remove(v->pocket->engine, id, &e) < 0 && e.code != ERR_NOT_FOUND)
			return VERTEX_GOES_ON; // its processes are on their way out
	}
	int rc = doc ? docs_delete(v->pocket, VERTEX_JOBS, s->target, &e) : 0;
	return rc == 0 || rc == ERR_NOT_FOUND ? VERTEX_DONE : VERTEX_GOES_ON;
}
