// SPDX-License-Identifier: Apache-2.0
// Command jobs on their way: Starting, Preparing, Queued, Running, Finalizing, and Completed, Failed or Canceled. Each
// tick takes each job one step further; what a step needs stands in the job's document, so that a pocket that was killed
// goes on where it was. A machine that is taken away puts its job back into the queue, as the service does. The log goes
// to the blob ExperimentRun/dcid.JOB/user_logs/std_log.txt of the container azureml, what the service itself has to say to
// system_logs/lifecycler/lifecycler.log beside it.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/time.h"
#include "pocket/arm/ml_jobs_impl.h"

// How long the service takes, before --pace.
static const int64_t starting_ns = 2 * NS_PER_S, preparing_ns = 10 * NS_PER_S, stop_grace_ns = 10 * NS_PER_S;
static const int64_t log_every_ns = NS_PER_S / 2; // of a small log; a mebibyte is sent every second more

// ---------------------------------------------------------------- documents

int ml_job_update(struct arm_state *s, struct str name, json_t *changes, struct err *e)
{
	AUTO(json) owned = changes;
	const json_t *before = docs_get(s->pocket, ML_JOBS, name, NULL);
	if (!before)
		return err_set(e, ERR_NOT_FOUND, "the job %.*s is gone", STR(name));
	AUTO(json) doc = json_deep_copy(before);
	if (!owned || !doc || json_object_update(doc, owned) < 0)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	return docs_put(s->pocket, ML_JOBS, name, doc, e);
}

static int set_status(struct arm_state *s, const struct ml_job *j, const char *status, struct err *e)
{
	return ml_job_update(s, str_of(j->name),
		json_pack("{s:s, s:I}", "status", status, "since_ns", (json_int_t)arm_now_ns(s)), e);
}

// Outcome ("Completed", "Failed", "Canceled") and why; what it left is still to be sent.
static int conclude(struct arm_state *s, const struct ml_job *j, const char *outcome, struct str reason, struct err *e)
{
	json_t *changes = json_pack("{s:s, s:s, s:I, s:I}", "status", "Finalizing", "outcome", outcome, "since_ns",
		(json_int_t)arm_now_ns(s), "ended_ns", (json_int_t)arm_now_ns(s));
	json_set_str(changes, "reason", reason);
	return ml_job_update(s, str_of(j->name), changes, e);
}

static bool waited(struct arm_state *s, const json_t *doc, int64_t provider_ns)
{
	return arm_now_ns(s) - json_int(doc, "since_ns", 0) >= service_pace_ns(s->pocket, provider_ns);
}

static void forget_transfer(struct ml_job *j)
{
	ml_transfer_free(j->transfer);
	j->transfer = NULL;
}

// ---------------------------------------------------------------- before it runs

// Ids of the engine are short and used once; the name of a job may be long.
static int choose_engine_id(struct arm_state *s, const struct ml_job *j, const json_t *doc, struct err *e)
{
	char hex[2 * SHA256_SIZE + 1], id[64];
	AUTO(buf) text = {0};
	buf_printf(&text, "%s/%lld", j->name, (long long)json_int(doc, "created_ns", 0));
	struct sha256 digest = sha256_of(buf_str(&text));
	hex_encode(str_bytes(digest.bytes, SHA256_SIZE), hex);
	snprintf(id, sizeof(id), "azureml-job-%.20s-%lld", hex, (long long)json_int(doc, "runs", 1));
	return ml_job_update(s, str_of(j->name), json_pack("{s:s}", "engine", id), e);
}

static int make_products(const struct ml_run *run, struct err *e)
{
	struct ml_place to;
	struct str folder;
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < ml_job_products(run->doc); i++) {
		rc = ml_job_product(run, i, &to, &folder, e);
		if (rc == 0)
			rc = file_make_dirs(folder.p, 0755, e);
	}
	return rc;
}

static int start(const struct ml_run *run, struct err *e)
{
	struct engine_spec spec;
	int rc = make_products(run, e);
	if (rc == 0)
		rc = ml_job_spec(run, &spec, e);
	if (rc == 0)
		rc = engine_start(run->state->pocket->engine, &spec, e);
	if (rc != ERR_EXISTS)
		return rc;
	err_clear(e); // started before the pocket was killed
	return 0;
}

// Fetches one step of what is still missing; *done when the folder is complete.
static int stage(const struct ml_run *run, struct ml_job *j, bool *done, struct err *e)
{
	struct ml_place from;
	struct str folder;
	bool copied = false;
	*done = j->staged == ml_job_parts(run->doc);
	if (*done)
		return 0;
	int rc = 0;
	if (!j->transfer) {
		rc = ml_job_part(run, j->staged, &from, &folder, e);
		if (rc == 0)
			rc = ml_fetch_begin(run->state, &from, folder.p, &j->transfer, e);
	}
	if (rc == 0)
		rc = ml_transfer_step(j->transfer, &copied, e);
	if (rc == 0 && copied) {
		forget_transfer(j);
		j->staged++;
	}
	return rc;
}

static int set_running(struct arm_state *s, const struct ml_job *j, const json_t *doc,
	const struct engine_status *status, struct err *e)
{
	int64_t began = status->started_ns ? status->started_ns : arm_now_ns(s);
	return ml_job_update(s, str_of(j->name),
		json_pack("{s:s, s:I, s:I}", "status", "Running", "since_ns", (json_int_t)arm_now_ns(s), "started_ns",
			(json_int_t)json_int(doc, "started_ns", began)),
		e);
}

static int go_queued(struct arm_state *s, struct arena *a, struct ml_job *j, const json_t *doc, struct err *e)
{
	struct engine_place at;
	struct engine_status status;
	struct str id = json_str(doc, "engine");
	struct ml_run run = {.state = s, .arena = a, .name = str_of(j->name), .doc = doc, .at = &at};
	bool done = false;
	if (!id.n)
		return choose_engine_id(s, j, doc, e);
	if (engine_status(s->pocket->engine, id, &status) == 0)
		return status.state == ENGINE_QUEUED ? 0 : set_running(s, j, doc, &status, e);
	int rc = engine_prepare(s->pocket->engine, id, &at, e);
	if (rc == 0)
		rc = stage(&run, j, &done, e);
	return rc == 0 && done ? start(&run, e) : rc;
}

// ---------------------------------------------------------------- the log

static void add_lines(const struct engine_log *log, struct buf *out)
{
	for (size_t i = 0; i < log->count; i++) {
		buf_add(out, log->lines[i].text);
		buf_add_char(out, '\n');
	}
}

static int send_log(struct arm_state *s, struct arena *a, struct ml_job *j, struct str id, bool last, struct err *e)
{
	struct engine_log_from from = {.id = id, .most = ENGINE_LOG_MAX};
	struct engine_log log = {0};
	AUTO(buf) text = {0};
	int64_t now = arm_now_ns(s);
	int64_t every = log_every_ns + (int64_t)(j->log_next >> 20) * NS_PER_S;
	if (!last && now - j->log_ns < service_pace_ns(s->pocket, every))
		return 0;
	j->log_ns = now;
	from.offset = last ? 0 : j->log_next;
	int rc = engine_log(s->pocket->engine, &from, a, &log, e);
	if (rc < 0 || (!last && !log.count))
		return rc;
	uint64_t next = log.next;
	from.offset = 0; // a blob is written whole
	if (!last)
		rc = engine_log(s->pocket->engine, &from, a, &log, e);
	if (rc < 0)
		return rc;
	add_lines(&log, &text);
	j->log_next = next;
	struct ml_place at = {.container = S("azureml"),
		.path = arena_printf(a, "ExperimentRun/dcid.%s/user_logs/std_log.txt", j->name)};
	rc = at.path.p ? buf_check(&text, e) : err_set(e, ERR_NO_MEMORY, "out of memory");
	return rc < 0 ? rc : ml_put_blob(s, &at, buf_str(&text), S("text/plain"), e);
}

static int send_reason(struct arm_state *s, struct arena *a, const struct ml_job *j, const json_t *doc, struct err *e)
{
	char now[TIME_TEXT_SIZE];
	struct str reason = json_str(doc, "reason");
	if (!reason.n)
		return 0;
	time_rfc3339(json_int(doc, "ended_ns", 0), 3, now);
	struct str text = arena_printf(a, "%s %.*s\n", now, STR(reason));
	struct ml_place at = {.container = S("azureml"),
		.path = arena_printf(a, "ExperimentRun/dcid.%s/system_logs/lifecycler/lifecycler.log", j->name)};
	return text.p && at.path.p ? ml_put_blob(s, &at, text, S("text/plain"), e)
				   : err_set(e, ERR_NO_MEMORY, "out of memory");
}

// ---------------------------------------------------------------- while it runs and after

static int queue_again(struct arm_state *s, struct ml_job *j, const json_t *doc, struct err *e)
{
	j->staged = 0;
	j->log_next = 0;
	return ml_job_update(s, str_of(j->name),
		json_pack("{s:s, s:s, s:I, s:I}", "status", "Queued", "engine", "", "since_ns",
			(json_int_t)arm_now_ns(s), "runs", (json_int_t)json_int(doc, "runs", 1) + 1),
		e);
}

static int judge(struct arm_state *s, struct arena *a, struct ml_job *j, const json_t *doc,
	const struct engine_status *status, struct err *e)
{
	bool asked = str_eq(json_str(doc, "status"), S("CancelRequested"));
	struct str reason = arena_str(a, status->reason);
	if (asked)
		return conclude(s, j, "Canceled", S(""), e);
	switch (status->state) {
	case ENGINE_EXITED:
		if (status->exit_code == 0)
			return conclude(s, j, "Completed", S(""), e);
		return conclude(s, j, "Failed",
			status->out_of_memory
				? S("The job was ended for using more memory than its machine has.")
				: arena_printf(a, "Process exited with code %d.", status->exit_code),
			e);
	case ENGINE_INTERRUPTED:
		if (json_int(doc, "runs", 1) < ML_JOB_RUNS)
			return queue_again(s, j, doc, e);
		return conclude(s, j, "Failed", S("The machine of the job was taken away too often."), e);
	case ENGINE_TIMED_OUT:
		return conclude(s, j, "Canceled", S("The job ran longer than its limits say."), e);
	case ENGINE_QUEUED:
	case ENGINE_STARTING:
	case ENGINE_RUNNING:
	case ENGINE_STOPPED:
	case ENGINE_LOST:
		break;
	}
	return conclude(s, j, "Failed", reason.n ? reason : S("The process of the job was ended from outside."), e);
}

static int go_running(struct arm_state *s, struct arena *a, struct ml_job *j, const json_t *doc, struct err *e)
{
	struct engine_status status;
	struct str id = json_str(doc, "engine");
	if (engine_status(s->pocket->engine, id, &status) < 0)
		return conclude(s, j, "Failed", S("The process of the job is not known any more."), e);
	if (engine_state_ended(status.state))
		return judge(s, a, j, doc, &status, e);
	return send_log(s, a, j, id, false, e);
}

static int go_canceling(struct arm_state *s, struct arena *a, struct ml_job *j, const json_t *doc, struct err *e)
{
	struct engine_status status;
	struct str id = json_str(doc, "engine");
	forget_transfer(j);
	if (!id.n || engine_status(s->pocket->engine, id, &status) < 0)
		return conclude(s, j, "Canceled", S(""), e);
	if (engine_state_ended(status.state))
		return judge(s, a, j, doc, &status, e);
	return engine_stop(s->pocket->engine, id, service_pace_ns(s->pocket, stop_grace_ns), e);
}

static int end(struct arm_state *s, struct ml_job *j, const json_t *doc, struct err *e)
{
	AUTO(arena) a = {0};
	struct str id = arena_str(&a, json_str(doc, "engine")), operation = arena_str(&a, json_str(doc, "operation"));
	int rc = ml_job_update(s, str_of(j->name), json_pack("{s:s}", "status", json_text(doc, "outcome")), e);
	if (rc < 0)
		return rc;
	arm_operation_end(s, operation, "Succeeded", S(""));
	if (id.n && engine_remove(s->pocket->engine, id, e) < 0)
		err_clear(e); // never started
	return 0;
}

static int go_finalizing(struct arm_state *s, struct arena *a, struct ml_job *j, const json_t *doc, struct err *e)
{
	struct engine_place at;
	struct engine_status status;
	struct ml_place to;
	struct str id = json_str(doc, "engine"), folder;
	struct ml_run run = {.state = s, .arena = a, .name = str_of(j->name), .doc = doc, .at = &at};
	bool copied = false;
	if (!id.n || engine_status(s->pocket->engine, id, &status) < 0)
		return end(s, j, doc, e);
	int rc = engine_prepare(s->pocket->engine, id, &at, e);
	if (rc == 0 && j->sent == ml_job_products(doc)) {
		rc = send_log(s, a, j, id, true, e);
		return rc < 0 ? rc : end(s, j, doc, e);
	}
	if (rc == 0 && !j->transfer) {
		rc = ml_job_product(&run, j->sent, &to, &folder, e);
		if (rc == 0)
			rc = ml_send_begin(s, folder.p, &to, &j->transfer, e);
	}
	if (rc == 0)
		rc = ml_transfer_step(j->transfer, &copied, e);
	if (rc == 0 && copied) {
		forget_transfer(j);
		j->sent++;
	}
	return rc;
}

// ---------------------------------------------------------------- steps

static int step(struct arm_state *s, struct arena *a, struct ml_job *j, const json_t *doc, struct err *e)
{
	struct str status = json_str(doc, "status");
	if (str_eq(status, S("Starting")))
		return waited(s, doc, starting_ns) ? set_status(s, j, "Preparing", e) : 0;
	if (str_eq(status, S("Preparing")))
		return waited(s, doc, preparing_ns) ? set_status(s, j, "Queued", e) : 0;
	if (str_eq(status, S("Queued")))
		return go_queued(s, a, j, doc, e);
	if (str_eq(status, S("Running")))
		return go_running(s, a, j, doc, e);
	if (str_eq(status, S("CancelRequested")))
		return go_canceling(s, a, j, doc, e);
	return go_finalizing(s, a, j, doc, e);
}

// A step that fails ends the job: with an error of the service, not of the process.
static void fail(struct arm_state *s, struct arena *a, struct ml_job *j, struct err *e)
{
	struct err second = {0};
	const json_t *doc = docs_get(s->pocket, ML_JOBS, str_of(j->name), NULL);
	bool again = str_eq(json_str(doc, "status"), S("Finalizing"));
	struct str reason = arena_printf(a, "%s", e->message);
	log_err(LOG_WARNING, e, "a job of Azure ML");
	forget_transfer(j);
	if (conclude(s, j, "Failed", reason, &second) < 0)
		return; // the disk is full: the next tick tries again
	doc = docs_get(s->pocket, ML_JOBS, str_of(j->name), NULL);
	if (again) // it was what it left that could not be sent
		(void)!end(s, j, doc, &second);
}

// False when the job is over.
static bool go(struct arm_state *s, struct ml_job *j)
{
	AUTO(arena) a = {0};
	struct err e = {0};
	AUTO(json) doc = json_incref((json_t *)(uintptr_t)docs_get(s->pocket, ML_JOBS, str_of(j->name), NULL));
	if (!doc || ml_job_ended(json_str(doc, "status")))
		return false;
	if (step(s, &a, j, doc, &e) < 0)
		fail(s, &a, j, &e);
	const json_t *now = docs_get(s->pocket, ML_JOBS, str_of(j->name), NULL);
	if (!ml_job_ended(json_str(now, "status")))
		return true;
	if (send_reason(s, &a, j, now, &e) < 0)
		log_err(LOG_WARNING, &e, "a job of Azure ML");
	return false;
}

static void free_job(struct ml_job *j)
{
	forget_transfer(j);
	free(j);
}

bool ml_jobs_tick(struct arm_state *s)
{
	struct ml_job **at = &s->jobs->first;
	while (*at) {
		struct ml_job *j = *at;
		if (go(s, j)) {
			at = &j->next;
			continue;
		}
		*at = j->next;
		free_job(j);
	}
	return s->jobs->first != NULL;
}

// ---------------------------------------------------------------- life

int ml_job_begin(struct arm_state *s, struct str name, struct err *e)
{
	struct ml_job *j = calloc(1, sizeof(*j));
	if (!j || !str_copy(j->name, sizeof(j->name), name)) {
		free(j);
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	}
	j->next = s->jobs->first;
	s->jobs->first = j;
	service_wake(s->pocket);
	return 0;
}

int ml_jobs_open(struct arm_state *s, struct err *e)
{
	struct docs_cursor from = {.collection = ML_JOBS};
	struct docs_row rows[32];
	size_t count = 0;
	bool more = true;
	int rc = 0;
	s->jobs = calloc(1, sizeof(*s->jobs));
	if (!s->jobs)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	while (rc == 0 && more) {
		rc = arm_read_docs(docs_list(s->pocket, &from, rows, COUNT_OF(rows), &count, &more), e);
		for (size_t i = 0; rc == 0 && i < count; i++)
			if (!ml_job_ended(json_str(rows[i].doc, "status")))
				rc = ml_job_begin(s, rows[i].name, e);
		if (rc == 0 && count)
			from.after = rows[count - 1].name;
		more = more && count;
	}
	return rc;
}

void ml_jobs_close(struct arm_state *s)
{
	while (s->jobs && s->jobs->first) {
		struct ml_job *j = s->jobs->first;
		s->jobs->first = j->next;
		free_job(j);
	}
	free(s->jobs);
	s->jobs = NULL;
}
