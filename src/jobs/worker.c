// SPDX-License-Identifier: Apache-2.0
// The worker's course: read what to do, see what an earlier worker of the same job left, bring, run, send, say how it
// ended. Each step may be the last one before a kill; started again, the worker comes to the same end.
#include "jobs/worker.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "base/process_tree.h"
#include "base/log.h"
#include "base/time.h"
#include "jobs/worker_impl.h"

const char *worker_path(struct worker *w, const char *file)
{
	const char *path = arena_printf(w->c->arena, "%s/%s", w->folder, file).p;
	if (!path)
		(void)call_no_memory(w->c);
	return path;
}

bool worker_stop_asked(const struct worker *w)
{
	sigset_t pending;
	char path[4096];
	if (sigpending(&pending) == 0 && sigismember(&pending, SIGTERM) == 1)
		return true;
	int n = snprintf(path, sizeof(path), "%s/" JOB_STOP_FILE, w->folder);
	return n > 0 && (size_t)n < sizeof(path) && file_exists(path);
}

static int tell_package(struct worker *w)
{
	return job_package_tell(w->c, w->cloud, w->package, &w->status);
}

// A provider says "stop" and "your machine is taken away" with the same signal. Who asked knows; to others the job is
// lost, and goes on elsewhere from its checkpoint.
enum job_state worker_stopped_state(const struct worker *w)
{
	return w->package ? JOB_LOST : JOB_STOPPED;
}

struct str worker_stopped_reason(const struct worker *w)
{
	return w->package ? S("the provider asked it to end; its checkpoint is kept") : S("stopped");
}

int worker_write_status(struct worker *w)
{
	AUTO(json) j = job_status_to_json(&w->status);
	AUTO(buf) text = {0};
	const char *path = worker_path(w, JOB_STATUS_FILE);
	if (!j || !path)
		return call_no_memory(w->c);
	json_object_set_new(j, "worker", job_process_to_json(&w->self));
	if (w->command.pid)
		json_object_set_new(j, "command", job_process_to_json(&w->command));
	if (json_write_pretty(j, &text, &w->c->err) || file_write_atomic(path, buf_str(&text), 0600, &w->c->err))
		return w->c->err.code;
	return w->package && w->status.state != JOB_QUEUED ? worker_with_retries(w, tell_package) : 0;
}

// ---------------------------------------------------------------- beginning
static int read_json(struct worker *w, const char *file, json_t **out)
{
	const char *path = worker_path(w, file);
	return path ? json_parse_file(path, JOB_FILE_LIMIT, out, &w->c->err) : w->c->err.code;
}

// What an earlier worker of this job said; true when the job ended then.
static int read_earlier(struct worker *w, bool *again, bool *ended)
{
	AUTO(json) j = NULL;
	const char *path = worker_path(w, JOB_STATUS_FILE);
	struct job_status earlier = {0};
	*again = path && file_exists(path);
	*ended = false;
	if (!*again)
		return path ? 0 : w->c->err.code;
	if (read_json(w, JOB_STATUS_FILE, &j) || job_status_of_json(w->c->arena, j, &earlier, &w->c->err))
		return w->c->err.code;
	*ended = job_state_ended(earlier.state);
	struct process command = job_process_of_json(json_object_get(j, "command"));
	if (!*ended && command.pid > 1)
		process_stop(&command, 0); // and its group; what left the group is met when its uid is claimed
	return 0;
}

// What an attempt before this one had reached on a machine that was taken away.
static int restore_checkpoint(struct worker *w)
{
	if (job_package_restore(w->c, w->cloud, w->package, w->work.checkpoint))
		return call_context(w->c, "bring the checkpoint");
	return job_work_give(&w->work, w->work.checkpoint, &w->c->err);
}

static int prepare_work(struct worker *w)
{
	AUTO(buf) text = {0};
	const char *with = arena_printf(w->c->arena, "%s/with.json", w->work.path).p;
	if (job_work_claim(&w->work, &w->c->err))
		return w->c->err.code;
	process_kill_uid(w->work.uid); // left by a job that ended: the uid is this one's alone now
	if (job_work_make(&w->work, &w->c->err))
		return w->c->err.code;
	if (!with || json_write(w->spec.with, &text, &w->c->err) ||
		file_write_atomic(with, buf_str(&text), 0644, &w->c->err))
		return with ? w->c->err.code : call_no_memory(w->c);
	if (w->package && restore_checkpoint(w))
		return w->c->err.code;
	return worker_copy_code(w);
}

// ---------------------------------------------------------------- trying again
// A store that does not answer for a moment must not cost a job; one that stays away must not hold a worker for ever.
int worker_with_retries(struct worker *w, int (*act)(struct worker *w))
{
	int64_t pause = 200 * NS_PER_MS;
	for (int tries = 1;; tries++) {
		int code = act(w);
		bool last = tries == 5 || (worker_stop_asked(w) && act != tell_package);
		if (!code || !w->c->err.retryable || last)
			return code;
		log_err(LOG_WARNING, &w->c->err, "worker: trying again");
		err_clear(&w->c->err);
		if (call_sleep(w->c, pause))
			return w->c->err.code;
		pause *= 2;
	}
}

static int stage_out_fresh(struct worker *w)
{
	return worker_stage_out(w, false);
}

static int stage_out_again(struct worker *w)
{
	return worker_stage_out(w, true);
}

// ---------------------------------------------------------------- the course
static int set_stopped(struct worker *w)
{
	w->status.state = worker_stopped_state(w);
	w->status.reason = worker_stopped_reason(w);
	return 0;
}

static int run_command(struct worker *w)
{
	AUTO(fd) slot = -1;
	if (worker_slot_take(w, &slot))
		return w->c->err.code;
	if (slot < 0)
		return set_stopped(w);
	w->status.state = JOB_RUNNING;
	w->status.started_ns = call_now_ns(w->c);
	return worker_exec(w);
}

static int run_job(struct worker *w, bool again)
{
	bool done;
	if (worker_output_done(w, &done))
		return w->c->err.code;
	if (done) {
		w->status.state = JOB_SUCCEEDED;
		w->status.reason = S("its output was complete already");
		return 0;
	}
	if (prepare_work(w) || worker_with_retries(w, worker_stage_in))
		return w->c->err.code;
	if (worker_stop_asked(w))
		return set_stopped(w);
	if (run_command(w))
		return w->c->err.code;
	if (w->status.state == JOB_SUCCEEDED && worker_with_retries(w, again ? stage_out_again : stage_out_fresh)) {
		w->status.state = JOB_RUNNING;
		return w->c->err.code;
	}
	return 0;
}

// A failure of the worker's surroundings that may pass leaves the job lost, so that it is submitted again; any other
// ends it.
static void judge_failure(struct worker *w)
{
	bool may_pass = w->c->err.retryable || w->c->err.code == ERR_UNAVAILABLE || w->c->err.code == ERR_TIMEOUT;
	log_err(LOG_ERROR, &w->c->err, "worker");
	w->status.state = may_pass ? JOB_LOST : JOB_FAILED;
	w->status.reason = arena_str(w->c->arena, str_of(w->c->err.message));
	err_clear(&w->c->err);
}

static int tidy(struct worker *w)
{
	if (w->status.state == JOB_LOST)
		return 0; // the next worker makes it anew
	return job_work_remove(&w->work, w->status.state == JOB_SUCCEEDED, &w->c->err);
}

static int save_checkpoint(struct worker *w)
{
	return job_package_save(w->c, w->cloud, w->package, w->work.checkpoint);
}

// Before the last word: whoever reads that may submit the job again at once.
static int keep_checkpoint(struct worker *w)
{
	if (!w->package || w->status.state != JOB_LOST || !file_exists(w->work.checkpoint) || !save_checkpoint(w))
		return 0;
	w->status.reason = arena_printf(w->c->arena, "%.*s (its checkpoint could not be kept: %s)", STR(w->status.reason),
		w->c->err.message);
	err_clear(&w->c->err);
	return w->status.reason.p ? 0 : call_no_memory(w->c);
}

int worker_course(struct worker *w)
{
	bool again, ended;
	struct call *c = w->c;
	if (read_earlier(w, &again, &ended))
		return call_context(c, "%s", w->folder);
	if (ended)
		return 0;
	if (process_identify(getpid(), &w->self) || job_work_find(c->arena, w->folder, &w->work, &c->err))
		return c->err.code ? c->err.code : call_fail(c, ERR_INTERNAL, "this process is not in /proc");
	w->status = (struct job_status){.state = JOB_QUEUED, .id = arena_printf(c->arena, "%d", (int)getpid())};
	if (worker_write_status(w))
		return c->err.code;
	if (worker_stop_asked(w))
		(void)set_stopped(w);
	else if (run_job(w, again || w->package)) // an attempt elsewhere may have left something
		judge_failure(w);
	w->command = (struct process){0};
	w->status.ended_ns = call_now_ns(c);
	int code = keep_checkpoint(w);
	if (!code)
		code = worker_write_status(w);
	if (!code)
		code = tidy(w);
	job_work_release(&w->work);
	return code;
}

int worker_run(struct call *c, const char *folder, const struct cloud *cloud)
{
	AUTO(json) spec = NULL;
	struct worker w = {.c = c, .folder = folder, .cloud = cloud};
	if (read_json(&w, JOB_SPEC_FILE, &spec) || job_spec_of_json(c->arena, spec, &w.spec, &c->err))
		return call_context(c, "%s", folder);
	return worker_course(&w);
}
