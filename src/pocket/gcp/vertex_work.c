// SPDX-License-Identifier: Apache-2.0
// How custom jobs go: a job's state is what its process does, seen at each tick. A spot job whose machine is taken away
// starts again, as on Vertex AI, until it was taken away too often. Sources: "Use Spot VMs with training" (at most six
// restarts), "Custom training: monitor and debug".
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/time.h"
#include "pocket/gcp/metadata.h"
#include "pocket/gcp/vertex_impl.h"

enum { CODE_CANCELLED = 1, CODE_INVALID_ARGUMENT = 3, CODE_DEADLINE_EXCEEDED = 4, CODE_ABORTED = 10, CODE_INTERNAL = 13 };

struct str vertex_engine_id(struct arena *a, struct str name, int64_t attempt)
{
	return arena_printf(a, "vertex-%.*s-%lld", STR(vertex_last(name)), (long long)attempt);
}

// ---------------------------------------------------------------- changes of a document

static void set_state(struct vertex *v, json_t *doc, const char *state)
{
	json_t *resource = json_object_get(doc, "resource");
	json_object_set_new(resource, "state", json_string(state));
	google_set_time(resource, "updateTime", vertex_now_ns(v));
}

static void set_end(struct vertex *v, json_t *doc, const char *state, int64_t ended_ns)
{
	set_state(v, doc, state);
	google_set_time(json_object_get(doc, "resource"), "endTime", ended_ns ? ended_ns : vertex_now_ns(v));
	json_object_set_new(doc, "live", json_false());
}

static void set_error(json_t *doc, int code, const char *format, ...) PRINTF_LIKE(3, 4);
static void set_error(json_t *doc, int code, const char *format, ...)
{
	char message[600];
	va_list args;
	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	json_t *status = json_pack("{s:i}", "code", code);
	json_set_str(status, "message", str_of(message));
	json_object_set_new(json_object_get(doc, "resource"), "error", status);
}

static bool state_is(const json_t *doc, const char *state)
{
	return strcmp(json_text(json_object_get(doc, "resource"), "state"), state) == 0;
}

// ---------------------------------------------------------------- starts

static int start(struct vertex *v, const json_t *doc, int64_t attempt, struct err *e)
{
	AUTO(arena) arena = {0};
	const json_t *run = json_object_get(doc, "run");
	AUTO(json) environment = json_deep_copy(json_object_get(run, "environment"));
	struct engine_spec spec = {.kind = ENGINE_JOB,
		.id = vertex_engine_id(&arena, json_str(doc, "name"), attempt),
		.image = json_str(run, "image"),
		.argv = json_object_get(run, "argv"),
		.environment = environment,
		.memory = (uint64_t)json_int(run, "memory", 0),
		.cpu = json_num(run, "cpu", 0),
		.deadline_ns = json_int(run, "deadline", 0),
		.spot = json_flag(run, "spot", false)};
	if (!spec.id.p || !environment)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	const struct metadata_of of = {.id = spec.id, .account = json_str(run, "account")};
	int rc = metadata_add(v->pocket, &of, environment, e);
	if (rc == 0)
		rc = engine_start(v->pocket->engine, &spec, e);
	return rc == ERR_EXISTS ? 0 : rc; // a kill came between the start and its record
}

// Its first attempt, or the next one; false when nothing changed.
static bool begin(struct vertex *v, json_t *doc)
{
	struct err e = {0};
	int64_t attempt = json_int(doc, "attempt", 0) + 1;
	if (vertex_now_ns(v) < json_int(doc, "due", 0))
		return false;
	if (start(v, doc, attempt, &e) == 0) {
		json_object_set_new(doc, "attempt", json_integer(attempt));
		json_object_set_new(doc, "waiting", json_false());
		return true;
	}
	if (e.code == ERR_NO_MEMORY || e.code == ERR_NO_SPACE)
		return false; // another try
	set_error(doc, CODE_INTERNAL, "The replica workerpool0-0 could not be started: %s", e.message);
	set_end(v, doc, "JOB_STATE_FAILED", 0);
	return true;
}

static void begin_again(struct vertex *v, json_t *doc, const struct engine_status *s)
{
	const json_t *run = json_object_get(doc, "run");
	int64_t restarts = json_int(doc, "restarts", 0);
	if (!json_flag(run, "retries", true) || restarts >= VERTEX_MAX_RESTARTS) {
		set_error(doc, CODE_ABORTED,
			"The replica workerpool0-0 was preempted, and the job was restarted %lld times.",
			(long long)restarts);
		set_end(v, doc, "JOB_STATE_FAILED", s->ended_ns);
		return;
	}
	json_object_set_new(doc, "restarts", json_integer(restarts + 1));
	json_object_set_new(doc, "waiting", json_true());
	json_object_set_new(doc, "due",
		json_integer(vertex_now_ns(v) + service_pace_ns(v->pocket, VERTEX_PROVISION_NS)));
	set_state(v, doc, "JOB_STATE_PENDING");
}

// ---------------------------------------------------------------- ends

static void fail_exited(struct vertex *v, json_t *doc, const struct engine_status *s)
{
	struct str name = json_str(doc, "name");
	if (s->out_of_memory)
		set_error(doc, CODE_INVALID_ARGUMENT,
			"The replica workerpool0-0 ran out-of-memory and exited with a non-zero status of %d.",
			s->exit_code);
	else
		set_error(doc, CODE_INVALID_ARGUMENT,
			"The replica workerpool0-0 exited with a non-zero status of %d. To find out more about why your "
			"job exited please check the logs: resource.type=\"ml_job\" resource.labels.job_id=\"%.*s\"",
			s->exit_code, STR(vertex_last(name)));
	set_end(v, doc, "JOB_STATE_FAILED", s->ended_ns);
}

static void set_start(json_t *doc, const struct engine_status *s)
{
	if (s->started_ns && !json_object_get(json_object_get(doc, "resource"), "startTime"))
		google_set_time(json_object_get(doc, "resource"), "startTime", s->started_ns);
}

static void end_job(struct vertex *v, json_t *doc, const struct engine_status *s)
{
	bool cancel = json_flag(doc, "cancel", false);
	set_start(doc, s); // one that was short was never seen running
	if (s->state == ENGINE_EXITED && s->exit_code == 0) {
		set_end(v, doc, "JOB_STATE_SUCCEEDED", s->ended_ns);
	} else if (cancel) {
		set_error(doc, CODE_CANCELLED, "CANCELED");
		set_end(v, doc, "JOB_STATE_CANCELLED", s->ended_ns);
	} else if (s->state == ENGINE_INTERRUPTED) {
		begin_again(v, doc, s);
	} else if (s->state == ENGINE_TIMED_OUT) {
		set_error(doc, CODE_DEADLINE_EXCEEDED,
			"The job did not finish within its timeout (job_spec.scheduling.timeout) and was cancelled.");
		set_end(v, doc, "JOB_STATE_CANCELLED", s->ended_ns);
	} else if (s->state == ENGINE_EXITED) {
		fail_exited(v, doc, s);
	} else {
		set_error(doc, CODE_INTERNAL, "Internal error occurred for the replica workerpool0-0: %.*s",
			STR(str_take(s->reason, 300)));
		set_end(v, doc, "JOB_STATE_FAILED", s->ended_ns);
	}
}

// ---------------------------------------------------------------- looks

static bool running(struct vertex *v, json_t *doc, const struct engine_status *s)
{
	if (s->state != ENGINE_RUNNING || !state_is(doc, "JOB_STATE_PENDING"))
		return false;
	set_state(v, doc, "JOB_STATE_RUNNING");
	set_start(doc, s);
	return true;
}

static bool observe(struct vertex *v, json_t *doc)
{
	AUTO(arena) arena = {0};
	struct engine_status s = {.state = ENGINE_LOST, .reason = S("its machine is gone")};
	struct str id = vertex_engine_id(&arena, json_str(doc, "name"), json_int(doc, "attempt", 0));
	int rc = id.p ? engine_status(v->pocket->engine, id, &s) : ERR_NO_MEMORY;
	if (rc < 0 && rc != ERR_NOT_FOUND)
		return false;
	if (engine_state_ended(s.state)) {
		end_job(v, doc, &s);
		return true;
	}
	if (!json_flag(doc, "cancel", false))
		return running(v, doc, &s);
	if (json_flag(doc, "stopping", false))
		return false;
	struct err e = {0};
	if (engine_stop(v->pocket->engine, id, service_pace_ns(v->pocket, VERTEX_GRACE_NS), &e) < 0)
		return false;
	json_object_set_new(doc, "stopping", json_true());
	return true;
}

static bool look(struct vertex *v, json_t *doc)
{
	bool waiting = json_flag(doc, "waiting", true);
	if (!waiting)
		return observe(v, doc);
	if (!json_flag(doc, "cancel", false))
		return begin(v, doc);
	set_error(doc, CODE_CANCELLED, "CANCELED");
	set_end(v, doc, "JOB_STATE_CANCELLED", 0);
	return true;
}

bool vertex_job_look(struct vertex *v, struct str name)
{
	const json_t *doc = docs_get(v->pocket, VERTEX_JOBS, name, NULL);
	struct err e = {0};
	if (!doc || !json_flag(doc, "live", false))
		return false;
	AUTO(json) copy = json_deep_copy(doc);
	if (!copy || !look(v, copy))
		return true;
	if (vertex_put(v, VERTEX_JOBS, copy, &e) == 0)
		return json_flag(copy, "live", false);
	log_err(LOG_ERROR, &e, "pocket: the state of a job of Vertex AI");
	return true;
}
