// SPDX-License-Identifier: Apache-2.0
// Jobs as folders and worker processes. The engine takes the job's lock itself and hands it to the worker as descriptor
// 0: there is no moment in which a started job looks dead, and two engines that submit the same name start one worker.
// A job whose lock is free and whose status is not an end is lost, and may be submitted again.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "base/file.h"
#include "base/time.h"
#include "cloud/job_files.h"
#include "cloud/job_work.h"
#include "cloud/local/local_impl.h"

#define STOP_GRACE_NS (5 * NS_PER_S)

struct job { // a job's place
	const char *folder;
	const char *spec, *cloud, *status, *lock, *stop;
};

static int job_place(struct call *c, const struct local *l, struct str name, struct job *out)
{
	struct str folder = {0};
	if (job_folder_name(c->arena, name, &folder, &c->err))
		return c->err.code;
	*out = (struct job){
		.folder = local_path(c, l, "jobs", folder, NULL),
		.spec = local_path(c, l, "jobs", folder, JOB_SPEC_FILE),
		.cloud = local_path(c, l, "jobs", folder, JOB_CLOUD_FILE),
		.status = local_path(c, l, "jobs", folder, JOB_STATUS_FILE),
		.lock = local_path(c, l, "jobs", folder, JOB_LOCK_FILE),
		.stop = local_path(c, l, "jobs", folder, JOB_STOP_FILE),
	};
	return out->folder && out->spec && out->cloud && out->status && out->lock && out->stop ? 0 : call_no_memory(c);
}

static int read_status(struct call *c, const struct job *job, struct job_status *out, const json_t **raw)
{
	const json_t *j = NULL;
	*out = (struct job_status){.state = JOB_QUEUED};
	int code = local_read_json(c, job->status, &j);
	if (raw)
		*raw = j;
	if (code == ERR_NOT_FOUND) {
		err_clear(&c->err);
		return 0;
	}
	if (code || job_status_of_json(c->arena, j, out, &c->err))
		return call_context(c, "%s", job->status);
	return 0;
}

// ---------------------------------------------------------------- submit
static int write_spec(struct call *c, const struct job *job, const struct job_spec *spec)
{
	AUTO(json) wanted = job_spec_to_json(spec);
	const json_t *there = NULL;
	int code = local_read_json(c, job->spec, &there);
	if (code == ERR_NOT_FOUND) {
		err_clear(&c->err);
		return local_write_json(c, job->spec, wanted, 0600);
	}
	if (code)
		return code;
	if (!json_equal(there, wanted))
		return call_fail(c, ERR_CONFLICT, "job %.*s was submitted before with another specification (%s)",
			STR(spec->name), job->spec);
	return 0;
}

static int start_worker(struct call *c, struct local *l, const struct job *job, int lock)
{
	const char *const argv[] = {l->program ? l->program : "self", "worker", "--job", job->folder, NULL};
	const struct process_spec spec = {.argv = argv, .directory = job->folder, .in = lock};
	const char *log = arena_printf(c->arena, "%s/%s", job->folder, JOB_WORKER_LOG_FILE).p;
	struct process p;
	return log ? local_start(c, l, &spec, log, &p) : call_no_memory(c);
}

static int submit_locked(struct call *c, struct local *l, const struct job *job, const struct job_spec *spec)
{
	AUTO(fd) lock = -1;
	int code = lock_take(job->lock, &lock, &c->err);
	if (code == ERR_IN_USE) { // another engine was quicker
		err_clear(&c->err);
		return 0;
	}
	struct job_status status = {0};
	if (code || read_status(c, job, &status, NULL))
		return c->err.code;
	if (job_state_ended(status.state) || file_exists(job->stop))
		return 0;
	if (write_spec(c, job, spec) || local_write_json(c, job->cloud, l->cloud_json, 0600))
		return c->err.code;
	return start_worker(c, l, job, lock);
}

static int local_job_submit(struct call *c, void *jobs, const struct job_spec *spec)
{
	struct local *l = jobs;
	struct job job = {0};
	struct job_status status = {0};
	local_reap(l);
	if (job_place(c, l, spec->name, &job))
		return c->err.code;
	if (file_exists(job.folder)) {
		if (read_status(c, &job, &status, NULL))
			return c->err.code;
		if (job_state_ended(status.state) || lock_is_held(job.lock))
			return write_spec(c, &job, spec); // says so when it is another job under the same name
	}
	if (local_check_store(c, l, spec->output.bucket))
		return c->err.code;
	if (file_make_dirs(job.folder, 0700, &c->err) || submit_locked(c, l, &job, spec))
		return call_context(c, "%s: submit job %.*s", l->cloud, STR(spec->name));
	return 0;
}

// ---------------------------------------------------------------- observe
static int find_job(struct call *c, const struct local *l, struct str name, struct job *out)
{
	if (job_place(c, l, name, out))
		return c->err.code;
	if (!file_exists(out->spec))
		return call_fail(c, ERR_NOT_FOUND, "%s: there is no job %.*s", l->cloud, STR(name));
	return 0;
}

// Nobody works on it and it has not ended. A worker that gave up (its store stayed away) says so itself.
static void judge_dead(struct call *c, const struct job *job, struct job_status *status)
{
	bool stopped = file_exists(job->stop);
	if (stopped)
		status->reason = S("stopped before it ended");
	else if (status->state != JOB_LOST || !status->reason.n)
		status->reason = arena_printf(
			c->arena, "its worker ended without saying how; see %s/%s", job->folder, JOB_WORKER_LOG_FILE);
	status->state = stopped ? JOB_STOPPED : JOB_LOST;
}

static int local_job_observe(struct call *c, void *jobs, struct str name, struct job_status *out)
{
	struct local *l = jobs;
	struct job job = {0};
	struct job_status status = {0};
	local_reap(l);
	if (find_job(c, l, name, &job))
		return c->err.code;
	bool alive =
		lock_is_held(job.lock); // first: a worker that ends in between has written its status before it let go
	if (read_status(c, &job, &status, NULL))
		return c->err.code;
	if (!job_state_ended(status.state) && !alive)
		judge_dead(c, &job, &status);
	if (!status.id.n)
		status.id = str_of(job.folder);
	*out = status;
	return 0;
}

// ---------------------------------------------------------------- stop
static void signal_processes(struct call *c, const struct job *job, int number, bool also_command)
{
	struct job_status status = {0};
	const json_t *raw = NULL;
	if (read_status(c, job, &status, &raw) || !raw) {
		err_clear(&c->err);
		return;
	}
	struct process worker = job_process_of_json(json_object_get(raw, "worker"));
	struct process command = job_process_of_json(json_object_get(raw, "command"));
	if (worker.pid > 1)
		process_kill_group(&worker, number);
	if (also_command && command.pid > 1)
		process_kill_group(&command, number);
}

// The worker looks for the mark a few times a second, ends its command and says so. One that does not is killed, and
// its command with it.
static int wait_until_stopped(struct call *c, const struct job *job)
{
	int64_t until = call_mono_ns(c) + STOP_GRACE_NS;
	while (lock_is_held(job->lock)) {
		if (call_sleep(c, 20 * NS_PER_MS))
			return c->err.code;
		if (call_mono_ns(c) < until)
			continue;
		signal_processes(c, job, SIGKILL, true);
		until += STOP_GRACE_NS;
	}
	return 0;
}

static int local_job_stop(struct call *c, void *jobs, struct str name)
{
	struct local *l = jobs;
	struct job job = {0};
	struct job_status status = {0};
	local_reap(l);
	int code = find_job(c, l, name, &job);
	if (code == ERR_NOT_FOUND) {
		err_clear(&c->err);
		return 0;
	}
	if (code || read_status(c, &job, &status, NULL))
		return c->err.code;
	if (job_state_ended(status.state))
		return 0;
	if (file_write_atomic(job.stop, S(""), 0600, &c->err))
		return c->err.code;
	signal_processes(c, &job, SIGTERM, false);
	code = wait_until_stopped(c, &job);
	local_reap(l);
	return code ? call_context(c, "%s: stop job %.*s", l->cloud, STR(name)) : 0;
}

// ---------------------------------------------------------------- logs, list, remove
static int send_file(struct call *c, const char *path, struct sink *to)
{
	AUTO(fd) fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return errno == ENOENT ? 0 : call_errno(c, "open %s", path);
	char *piece = arena_alloc(c->arena, 64 << 10);
	if (!piece)
		return call_no_memory(c);
	for (ssize_t n; (n = read(fd, piece, 64 << 10)) != 0;) {
		if (n < 0 && errno != EINTR)
			return call_errno(c, "read %s", path);
		int code = n > 0 ? to->write(to->ctx, str_bytes(piece, (size_t)n)) : 0;
		if (code)
			return c->err.code == code ? code : call_fail(c, code, "the receiver of the log refused it");
	}
	return 0;
}

static int local_job_logs(struct call *c, void *jobs, struct str name, struct sink *to)
{
	static const char *const files[] = {JOB_OLD_LOG_FILE, JOB_LOG_FILE};
	struct job job = {0};
	if (find_job(c, jobs, name, &job))
		return c->err.code;
	for (size_t i = 0; i < COUNT_OF(files); i++) {
		const char *path = arena_printf(c->arena, "%s/%s", job.folder, files[i]).p;
		if (!path || send_file(c, path, to))
			return path ? c->err.code : call_no_memory(c);
	}
	return 0;
}

static int local_job_list(struct call *c, void *jobs, struct str prefix, struct str **names, size_t *count)
{
	struct str *folders;
	size_t folder_count, n = 0;
	if (local_list(c, jobs, "jobs", &folders, &folder_count))
		return c->err.code;
	for (size_t i = 0; i < folder_count; i++) {
		struct str name;
		if (!job_name_of_folder(c->arena, folders[i], &name, NULL) && str_starts(name, prefix))
			folders[n++] = name;
	}
	*names = folders;
	*count = n;
	return 0;
}

static int local_job_remove(struct call *c, void *jobs, struct str name)
{
	struct local *l = jobs;
	struct job job = {0};
	struct job_work work = {0};
	local_reap(l);
	if (job_place(c, l, name, &job))
		return c->err.code;
	if (!file_exists(job.folder))
		return 0;
	if (lock_is_held(job.lock))
		return call_fail(c, ERR_IN_USE, "%s: job %.*s is still running: stop it first", l->cloud, STR(name));
	if (job_work_find(c->arena, job.folder, &work, &c->err) || job_work_remove(&work, true, &c->err))
		return c->err.code;
	return file_remove_tree(job.folder, &c->err);
}

const struct job_ops local_job_ops = {
	.name = "local",
	.submit = local_job_submit,
	.observe = local_job_observe,
	.stop = local_job_stop,
	.logs = local_job_logs,
	.list = local_job_list,
	.remove = local_job_remove,
};
