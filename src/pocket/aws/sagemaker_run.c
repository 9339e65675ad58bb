// SPDX-License-Identifier: Apache-2.0
// What a job does once it is made: its inputs come, its process runs, its outputs go, a step a tick. Each state is that
// of what really happens, and a pocket that was killed in between goes on where the documents and the engine say.
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/time.h"
#include "pocket/aws/logs.h"
#include "pocket/aws/sagemaker_impl.h"
#include "pocket/aws/session.h"

enum { FAILURE_MAX = 1024 };

struct turn { // one job's step
	struct sagemaker *s;
	struct sm_active *active;
	struct arena arena;
	json_t *doc; // changed; written at the end of the step
	struct str id;
	struct engine_place place;
	int64_t now_ns;
	struct err err;
};

struct str sm_engine_id(struct arena *a, enum sm_type type, struct str doc_name, int64_t attempt)
{
	struct str region, name;
	str_cut(doc_name, '/', &region, &name);
	return arena_printf(a, "%s.%.*s.%.*s.%lld", type == SM_TRAINING ? "train" : "process", STR(region), STR(name),
		(long long)attempt);
}

static bool trains(const struct turn *t)
{
	return t->active->type == SM_TRAINING;
}

static const json_t *asked(const struct turn *t)
{
	return json_object_get(t->doc, "in");
}

// ---------------------------------------------------------------- ends
static void end_job(struct turn *t, const char *status, const char *secondary, struct str failure)
{
	if (failure.n)
		json_set_str(t->doc, "failure", str_clip(failure, FAILURE_MAX));
	sm_job_enter(t->doc, status, secondary, t->now_ns);
}

// The first bytes of a file that the container left: /opt/ml/output/failure, /opt/ml/output/message.
static struct str left_words(struct turn *t, const char *name)
{
	AUTO(buf) text = {0};
	struct str path = arena_printf(&t->arena, "%s/%s", t->place.output, name);
	if (!path.p || file_read(path.p, FAILURE_MAX * 16, &text, NULL))
		return S("");
	return arena_str(&t->arena, str_clip(str_trim(buf_str(&text)), FAILURE_MAX));
}

static void end_exited(struct turn *t, const struct engine_status *status)
{
	struct str words = left_words(t, "failure");
	if (status->out_of_memory)
		end_job(t, "Failed", "Failed",
			S("ClientError: Please use an instance type with more memory, or reduce the size of job data "
			  "processed on an instance."));
	else if (status->exit_code)
		end_job(t, "Failed", "Failed",
			arena_printf(&t->arena, "AlgorithmError: %.*s, exit code: %d", STR(words), status->exit_code));
	else
		end_job(t, "Completed", "Completed", S(""));
}

static void end_overdue(struct turn *t)
{
	if (trains(t))
		end_job(t, "Stopped", "MaxRuntimeExceeded", S(""));
	else
		end_job(t, "Stopped", "Stopped", S("MaxRuntimeExceeded: the job ran longer than MaxRuntimeInSeconds"));
}

static void end_lost(struct turn *t, struct str reason)
{
	end_job(t, "Failed", "Failed",
		arena_printf(&t->arena, "InternalServerError: We encountered an internal error. Please try again. %.*s",
			STR(reason)));
}

// ---------------------------------------------------------------- beginning
static int prepare(struct turn *t)
{
	return engine_prepare(t->s->pocket->engine, t->id, &t->place, &t->err);
}

static int announce_log(struct turn *t)
{
	struct str region = json_str(t->doc, "region"), name = json_str(t->doc, "name");
	return aws_logs_announce(t->s->pocket,
		&(struct aws_log_stream){.region = region,
			.group = trains(t) ? S("/aws/sagemaker/TrainingJobs") : S("/aws/sagemaker/ProcessingJobs"),
			.stream = arena_printf(&t->arena, "%.*s/algo-1-%lld", STR(name),
				(long long)(t->now_ns / NS_PER_S)),
			.engine_id = t->id,
			.created_ns = t->now_ns},
		&t->err);
}

static int begin(struct turn *t)
{
	struct engine_spec spec = {0};
	int rc = sm_job_spec(&t->arena, t->active->type, t->doc, &t->place, &spec);
	if (rc < 0)
		return err_set(&t->err, ERR_NO_MEMORY, "out of memory");
	spec.id = t->id;
	// The job's own credentials, in the way that containers of AWS get them. A role that IAM does not know has none.
	rc = session_add_role(t->s->pocket, json_str(asked(t), "RoleArn"), t->id, (json_t *)(uintptr_t)spec.environment, &t->err);
	if (rc < 0 && rc != ERR_NOT_FOUND)
		return rc;
	err_clear(&t->err);
	rc = engine_start(t->s->pocket->engine, &spec, &t->err);
	if (rc == ERR_EXISTS) { // by a pocket that was killed before it could write so
		err_clear(&t->err);
		rc = 0;
	}
	if (rc == 0)
		rc = announce_log(t);
	json_object_set_new(t->doc, "begun", json_true());
	return rc;
}

static bool has_inputs(const struct turn *t)
{
	const char *member = trains(t) ? "InputDataConfig" : "ProcessingInputs";
	return json_array_size(json_object_get(asked(t), member)) > 0;
}

// Inputs first, a piece a step. What cannot be brought is the client's to correct.
static void go_to_begin(struct turn *t)
{
	bool stopping = str_eq(json_str(t->doc, "status"), S("Stopping"));
	if (stopping) {
		end_job(t, "Stopped", "Stopped", S(""));
		return;
	}
	int rc = prepare(t);
	if (rc == 0 && has_inputs(t))
		sm_job_enter(t->doc, NULL, "Downloading", t->now_ns);
	if (rc == 0) {
		rc = sm_bring(&(struct sm_files){t->s->pocket, t->active->type, t->doc, &t->place},
			&t->active->bringing, &t->err);
		if (rc > 0)
			return;
		if (rc < 0) {
			end_job(t, "Failed", "Failed", arena_printf(&t->arena, "ClientError: %s", t->err.message));
			return;
		}
	}
	if (rc == 0)
		rc = begin(t);
	if (rc < 0)
		end_lost(t, str_of(t->err.message));
}

// ---------------------------------------------------------------- taken away
static bool waits_too_long(const struct turn *t)
{
	const json_t *stopping = json_object_get(asked(t), "StoppingCondition");
	int64_t most = json_int(stopping, "MaxWaitTimeInSeconds", 0) * NS_PER_S;
	return most && t->now_ns - json_int(t->doc, "created", 0) > most;
}

static void start_again(struct turn *t)
{
	int64_t attempt = json_int(t->doc, "attempt", 1);
	sm_job_enter(t->doc, NULL, "Interrupted", t->now_ns);
	if (!json_flag(asked(t), "EnableManagedSpotTraining", false)) {
		end_lost(t, S("The instance was taken away."));
		return;
	}
	if (waits_too_long(t)) {
		end_job(t, "Stopped", "MaxWaitTimeExceeded", S(""));
		return;
	}
	json_object_set_new(t->doc, "attempt", json_integer(attempt + 1));
	json_object_set_new(t->doc, "begun", json_false());
	sm_job_enter(t->doc, NULL, "Starting", t->now_ns);
}

// ---------------------------------------------------------------- its process
// Outputs go first; 1: not all have gone.
static int take_outputs(struct turn *t)
{
	if (!str_eq(json_str(t->doc, "status"), S("Stopping")))
		sm_job_enter(t->doc, NULL, "Uploading", t->now_ns);
	int rc = prepare(t);
	if (rc == 0)
		rc = sm_take(&(struct sm_files){t->s->pocket, t->active->type, t->doc, &t->place}, &t->active->taking,
			&t->err);
	if (rc < 0)
		end_job(t, "Failed", "Failed",
			arena_printf(&t->arena, "ClientError: Data upload failed: %s", t->err.message));
	return rc;
}

static void end_process(struct turn *t, const struct engine_status *status)
{
	bool stopping = str_eq(json_str(t->doc, "status"), S("Stopping"));
	if (status->state == ENGINE_INTERRUPTED && !stopping) {
		start_again(t);
		return;
	}
	if (status->state == ENGINE_LOST) {
		end_lost(t, status->reason);
		return;
	}
	json_object_set_new(t->doc, "ended", json_integer(status->ended_ns ? status->ended_ns : t->now_ns));
	if (take_outputs(t))
		return;
	struct str message = left_words(t, "message");
	if (message.n && !trains(t))
		json_set_str(t->doc, "message", message);
	if (stopping)
		end_job(t, "Stopped", "Stopped", S(""));
	else if (status->state == ENGINE_TIMED_OUT)
		end_overdue(t);
	else
		end_exited(t, status);
}

static void look_at_process(struct turn *t)
{
	struct engine_status status;
	bool stopping = str_eq(json_str(t->doc, "status"), S("Stopping"));
	int rc = engine_status(t->s->pocket->engine, t->id, &status);
	if (rc < 0) {
		end_lost(t, S("Its process is gone."));
		return;
	}
	if (status.started_ns && !json_int(t->doc, "started", 0))
		json_object_set_new(t->doc, "started", json_integer(status.started_ns));
	if (engine_state_ended(status.state))
		end_process(t, &status);
	else if (status.state == ENGINE_RUNNING && !stopping)
		sm_job_enter(t->doc, NULL, "Training", t->now_ns);
}

bool sm_job_step(struct sagemaker *s, struct sm_active *active)
{
	const struct sm_kind *k = &sm_kinds[active->type];
	struct str doc_name = str_of(active->name);
	const json_t *there = docs_get(s->pocket, k->collection, doc_name, NULL);
	struct turn t = {.s = s, .active = active, .now_ns = s->pocket->edges->wall_ns(s->pocket->edges->ctx)};
	if (!there || sm_job_ended(there))
		return false;
	t.doc = json_deep_copy(there);
	t.id = sm_engine_id(&t.arena, active->type, doc_name, json_int(t.doc, "attempt", 1));
	if (json_flag(t.doc, "begun", false))
		look_at_process(&t);
	else
		go_to_begin(&t);
	bool changed = !json_equal(t.doc, there), over = sm_job_ended(t.doc);
	int rc = changed ? sm_put(s->pocket, active->type, doc_name, t.doc, &t.err) : 0;
	if (rc < 0) // the disk is full or gone: the next tick tries again
		log_err(LOG_ERROR, &t.err, "a job's document");
	json_decref(t.doc);
	arena_free(&t.arena);
	return rc < 0 || !over;
}
