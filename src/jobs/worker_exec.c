// SPDX-License-Identifier: Apache-2.0
// Running the command: under the job contract (docs/jobs.md), in a process group of its own that dies with the worker,
// without credentials, within limits of memory, files, descriptors and time. What it writes is read from a pipe, so
// that the log stays bounded.
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/process_tree.h"
#include "base/time.h"
#include "jobs/worker_impl.h"

#define LOOK_PACE_NS (250 * NS_PER_MS) // between looks at the stop mark, the memory, the deadline
#define STOP_GRACE_NS (2 * NS_PER_S)
#define NOTICE_GRACE_NS (10 * NS_PER_S) // to write a checkpoint, of the 30 s that the tightest provider gives

// ---------------------------------------------------------------- what to run
static const struct {
	const char *name, *command;
} builtins[] = {
	{"builtin/mlp", "trainer"},
	{"builtin/evaluate", "trainer"},
	{"builtin/images", "transformer"},
};

static size_t argument_count(const char *const *argv)
{
	size_t n = 0;
	while (argv[n])
		n++;
	return n;
}

static const char *search_path(struct worker *w, const char *program)
{
	const char *path = getenv("PATH");
	struct str rest = str_of(path ? path : "/usr/local/bin:/usr/bin:/bin"), folder;
	while (str_next(&rest, ':', &folder)) {
		const char *full = folder.n ? arena_printf(w->c->arena, "%.*s/%s", STR(folder), program).p : NULL;
		if (full && folder.p[0] == '/' && access(full, X_OK) == 0)
			return full;
	}
	return NULL;
}

static int resolve_command(struct worker *w, const char *const **out)
{
	const char *const *argv = w->spec.argv;
	size_t n = argument_count(argv), at = 0;
	const char **full = arena_new_array(w->c->arena, n + 3, const char *);
	if (!full)
		return call_no_memory(w->c);
	for (size_t i = 0; i < COUNT_OF(builtins); i++)
		if (strcmp(argv[0], builtins[i].name) == 0) {
			full[at++] = "self";
			full[at++] = builtins[i].command;
			full[at++] = argv[0] + sizeof("builtin/") - 1;
		}
	if (!at && strncmp(argv[0], "builtin/", 8) == 0)
		return call_fail(w->c, ERR_NOT_FOUND, "there is no program \"%s\"", argv[0]);
	if (!at)
		full[at++] = strchr(argv[0], '/') ? argv[0] : search_path(w, argv[0]);
	if (!full[0])
		return call_fail(w->c, ERR_NOT_FOUND, "program \"%s\" is in no folder of PATH", argv[0]);
	memcpy(full + at, argv + 1, (n - 1) * sizeof(*full));
	*out = full;
	return 0;
}

// Nothing of ours but what programs need to find their files; above all no credential.
static int make_environment(struct worker *w, const char *const **out)
{
	static const char *const passed[] = {
		"PATH", "LANG", "TZ", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LSAN_OPTIONS"};
	const struct job_work *work = &w->work;
	struct arena *a = w->c->arena;
	const char **e = arena_new_array(a, 32 + argument_count(w->spec.environment), const char *);
	size_t n = 0;
	for (size_t i = 0; e && i < COUNT_OF(passed); i++)
		if (getenv(passed[i]))
			e[n++] = arena_printf(a, "%s=%s", passed[i], getenv(passed[i])).p;
	const char *const own[] = {
		arena_printf(a, "HOME=%s", work->path).p,
		arena_printf(a, "TMPDIR=%s", work->tmp).p,
		arena_printf(a, "ISOBAR_DATA=%s", work->data).p,
		arena_printf(a, "ISOBAR_OUT=%s", work->out).p,
		arena_printf(a, "ISOBAR_CHECKPOINT=%s", work->checkpoint).p,
		arena_printf(a, "ISOBAR_JOB=%.*s", STR(w->spec.name)).p,
		arena_printf(a, "ISOBAR_CLOUD=%.*s", STR(w->cloud->name)).p,
		arena_printf(a, "ISOBAR_WITH=%s/with.json", work->path).p,
		"OPENBLAS_NUM_THREADS=1",
		"OMP_NUM_THREADS=1",
	};
	for (size_t i = 0; e && i < COUNT_OF(own); i++) {
		if (!own[i])
			return call_no_memory(w->c);
		e[n++] = own[i];
	}
	for (size_t i = 0; e && w->spec.environment[i]; i++)
		e[n++] = w->spec.environment[i];
	*out = e;
	return e ? 0 : call_no_memory(w->c);
}

// ---------------------------------------------------------------- watching it
struct watch {
	struct worker *w;
	struct job_log log;
	int pipe; // what the command writes; -1: it closed it
	uint64_t memory;
	int64_t deadline_ns; // monotonic; 0: none
	uint64_t peak_rss;
	struct str why;       // it was ended by us; "": it was not
	enum job_state state; // then
};

static int read_output(struct watch *watch)
{
	char piece[16 << 10];
	ssize_t n = read(watch->pipe, piece, sizeof(piece));
	if (n > 0)
		return job_log_add(watch->w, &watch->log, str_bytes(piece, (size_t)n));
	if (n == 0)
		fd_close(&watch->pipe);
	return 0;
}

// Whatever is in the pipe now, without waiting for writers that a command may have left behind.
static int drain_output(struct watch *watch)
{
	struct pollfd p = {.fd = watch->pipe, .events = POLLIN};
	int code = 0;
	while (!code && watch->pipe >= 0 && poll(&p, 1, 0) > 0)
		code = read_output(watch);
	return code;
}

static void look(struct watch *watch)
{
	struct worker *w = watch->w;
	uint64_t rss = proc_group_rss(w->command.pid);
	watch->peak_rss = MAX(watch->peak_rss, rss);
	if (worker_stop_asked(w)) {
		watch->why = worker_stopped_reason(w);
		watch->state = worker_stopped_state(w);
	} else if (watch->deadline_ns && call_mono_ns(w->c) > watch->deadline_ns) {
		char text[TIME_TEXT_SIZE];
		duration_text(w->spec.deadline_ns, text);
		watch->why = arena_printf(w->c->arena, "its deadline of %s passed", text);
		watch->state = JOB_FAILED;
	} else if (rss > watch->memory) {
		watch->why = arena_printf(w->c->arena, "it used %llu MiB of memory; %llu MiB are allowed",
			(unsigned long long)(rss >> 20), (unsigned long long)(watch->memory >> 20));
		watch->state = JOB_FAILED;
	}
}

static int watch_command(struct watch *watch, int *status)
{
	struct worker *w = watch->w;
	int64_t next_look = call_mono_ns(w->c) + 20 * NS_PER_MS;
	for (;;) {
		struct pollfd p = {.fd = watch->pipe, .events = POLLIN};
		int ready = poll(&p, watch->pipe >= 0 ? 1 : 0, 20);
		if (ready > 0 && read_output(watch))
			return w->c->err.code;
		int code = process_wait(&w->command, 0, status, &w->c->err);
		if (code != ERR_TIMEOUT)
			return code;
		err_clear(&w->c->err);
		if (call_mono_ns(w->c) < next_look)
			continue;
		look(watch);
		next_look = call_mono_ns(w->c) + LOOK_PACE_NS;
		if (watch->why.n) {
			process_stop(&w->command, watch->state == JOB_LOST ? NOTICE_GRACE_NS : STOP_GRACE_NS);
			return 0;
		}
	}
}

static void judge_exit(struct worker *w, const struct watch *watch, int status)
{
	struct str line = job_log_last_line(w);
	struct str tail = line.n ? arena_printf(w->c->arena, ": %.*s", STR(line)) : S("");
	if (watch->why.n) {
		w->status.state = watch->state;
		w->status.reason = watch->why;
	} else if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
		w->status.state = JOB_SUCCEEDED;
	} else if (WIFEXITED(status)) {
		w->status.state = JOB_FAILED;
		w->status.exit_code = WEXITSTATUS(status);
		w->status.reason = arena_printf(w->c->arena, "exit code %d%.*s", WEXITSTATUS(status), STR(tail));
	} else {
		w->status.state = JOB_FAILED;
		w->status.reason = arena_printf(w->c->arena, "ended by signal %d (%s)%.*s", WTERMSIG(status),
			strsignal(WTERMSIG(status)), STR(tail));
	}
}

static void end_group(const struct worker *w)
{
	(void)kill(-w->command.pid, SIGKILL); // what it left behind in its group
	process_kill_uid(w->work.uid);           // and outside of it, where nobody else has its uid
}

static double seconds_of(const struct rusage *u)
{
	return (double)(u->ru_utime.tv_sec + u->ru_stime.tv_sec) +
	       (double)(u->ru_utime.tv_usec + u->ru_stime.tv_usec) / 1e6;
}

static int start_command(struct worker *w, int output, uint64_t memory)
{
	const char *const *argv = NULL, *const *environment = NULL;
	if (resolve_command(w, &argv) || make_environment(w, &environment))
		return w->c->err.code;
	const struct process_spec spec = {
		.argv = argv,
		.environment = environment,
		.directory = w->work.code,
		.in = -1,
		.out = output,
		.error = output,
		.die_with_parent = true,
		.max_memory = job_address_limit(memory),
		.max_file = WORKER_MAX_FILE,
		.max_descriptors = WORKER_MAX_DESCRIPTORS,
		.uid = w->work.uid,
		.gid = w->work.gid,
	};
	return process_start(&spec, &w->command, &w->c->err);
}

static int start_and_watch(struct watch *watch, int *status)
{
	struct worker *w = watch->w;
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) < 0)
		return call_errno(w->c, "make a pipe for the job's output");
	watch->pipe = ends[0];
	AUTO(fd) output = ends[1];
	int code = start_command(w, output, watch->memory);
	fd_close(&output);
	if (code)
		return code;
	code = worker_write_status(w);
	if (!code)
		code = watch_command(watch, status);
	if (code)
		process_stop(&w->command, 0);
	end_group(w);
	int drained = drain_output(watch);
	return code ? code : drained;
}

int worker_exec(struct worker *w)
{
	struct rusage before, after;
	int status = 0;
	struct watch watch = {.w = w,
		.pipe = -1,
		.memory = w->spec.memory ? w->spec.memory : WORKER_DEFAULT_MEMORY,
		.deadline_ns = w->spec.deadline_ns ? call_mono_ns(w->c) + w->spec.deadline_ns : 0};
	if (job_log_open(w, &watch.log))
		return w->c->err.code;
	getrusage(RUSAGE_CHILDREN, &before);
	int code = start_and_watch(&watch, &status);
	getrusage(RUSAGE_CHILDREN, &after);
	fd_close(&watch.pipe);
	job_log_close(&watch.log);
	w->status.cpu_s = seconds_of(&after) - seconds_of(&before);
	w->status.peak_rss = MAX(watch.peak_rss, (uint64_t)after.ru_maxrss << 10);
	if (!code)
		judge_exit(w, &watch, status);
	return code;
}
