// SPDX-License-Identifier: Apache-2.0
// Jobs in the pocket's memory, and the timer that looks how they go: see engine.h. What is true stands in the jobs'
// folders; memory is what was read last. A folder with a spec and no status waits to be started, one whose supervisor is
// gone without a final word was cut off: a job is then lost, a server is started again.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/process_tree.h"
#include "base/sandbox.h"
#include "base/time.h"
#include "net/guard.h"
#include "pocket/engine/engine_impl.h"
#include "pocket/pocket_impl.h"

enum { LOOK_MS = 25, LOOK_IDLE_MS = 250, MAX_LAUNCHES = 5, KILL_AFTER_S = 5 };

int64_t engine_now_ns(const struct engine *g)
{
	return g->pocket->edges->mono_ns(g->pocket->edges->ctx);
}

static int64_t wall_now(const struct engine *g)
{
	return g->pocket->edges->wall_ns(g->pocket->edges->ctx);
}

static bool has_ended(const struct engine_job *job)
{
	return engine_state_ended(job->report.state);
}

static bool is_live(const struct engine_job *job) // something of it may be running
{
	return !job->prepared && !has_ended(job);
}

struct engine_job *engine_find(const struct engine *g, struct str id)
{
	for (size_t i = 0; i < g->count; i++)
		if (str_is(id, g->jobs[i]->id) && !g->jobs[i]->removing)
			return g->jobs[i];
	return NULL;
}

// ---------------------------------------------------------------- entries

static void free_job(struct engine_job *job)
{
	engine_health_stop(job);
	arena_free(&job->place_arena);
	free(job->health_path);
	free(job->folder);
	free(job);
}

static int add_job(struct engine *g, struct str id, struct engine_job **out, struct err *e)
{
	if (g->count == g->room) {
		size_t room = g->room ? g->room * 2 : 16;
		struct engine_job **more = reallocarray(g->jobs, room, sizeof(struct engine_job *));
		if (!more)
			return err_set(e, ERR_NO_MEMORY, "out of memory");
		g->jobs = more;
		g->room = room;
	}
	struct engine_job *job = calloc(1, sizeof(*job));
	if (!job || asprintf(&job->folder, "%s/%.*s", g->root, STR(id)) < 0) {
		free(job);
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	}
	(void)str_copy(job->id, sizeof(job->id), id);
	job->engine = g;
	g->jobs[g->count++] = job;
	*out = job;
	return 0;
}

static void drop_job(struct engine *g, size_t at)
{
	free_job(g->jobs[at]);
	g->jobs[at] = g->jobs[--g->count];
}

static int take_spec(struct engine_job *job, const json_t *spec, struct err *e)
{
	const char *health = json_text(spec, "health_path");
	job->kind = str_eq(json_str(spec, "kind"), S("server")) ? ENGINE_SERVER : ENGINE_JOB;
	job->spot = json_flag(spec, "spot", false);
	job->queued_ns = json_int(spec, "queued_ns", 0);
	job->health_path = health[0] ? strdup(health) : NULL;
	return health[0] && !job->health_path ? err_set(e, ERR_NO_MEMORY, "out of memory") : 0;
}

// ---------------------------------------------------------------- supervisors

static const char *path_in(const struct engine_job *job, const char *file, struct buf *out)
{
	buf_printf(out, "%s/%s", job->folder, file);
	return buf_cstr(out);
}

static void lose(struct engine_job *job, const char *why)
{
	struct err e = {0};
	// Its program dies with its supervisor; what that started is found by the uid, where it has one of its own.
	process_kill_group(&job->report.program, SIGKILL);
	process_kill_uid(job->report.uid);
	job->report.state = ENGINE_LOST;
	job->report.ended_ns = wall_now(job->engine);
	job->report.program = (struct process){0};
	(void)str_copy(job->report.reason, sizeof(job->report.reason), str_clip(str_of(why), ENGINE_REASON_SIZE - 1));
	if (engine_report_write(job->folder, &job->report, &e) < 0)
		log_err(LOG_ERROR, &e, job->id);
}

static int launch(struct engine_job *job, struct err *e)
{
	AUTO(buf) control = {0};
	const char *const argv[] = {"self", "pocket", "run", job->folder, NULL};
	AUTO(buf) path = {0};
	// Not ours: whoever waits for the end of what we write would wait for it, too.
	AUTO(fd) errors = open(
		path_in(job, "errors.log", &path), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	const struct process_spec spec = {
		.argv = argv, .in = -1, .out = -1, .error = errors, .new_session = true, .max_descriptors = 4096};
	if (unlink(path_in(job, "control.json", &control)) < 0 && errno != ENOENT)
		return err_errno(e, "remove %s", buf_cstr(&control));
	return process_start(&spec, &job->supervisor, e);
}

static void start_supervisor(struct engine_job *job)
{
	struct err e = {0};
	job->report.state = ENGINE_STARTING;
	if (job->launches++ == MAX_LAUNCHES)
		lose(job, "its supervisor ended several times without a word");
	else if (launch(job, &e) < 0)
		lose(job, e.message);
}

// Whether its supervisor still is there; reaps it when it was our child.
static bool is_supervised(struct engine_job *job)
{
	int status;
	if (job->supervisor.pid) {
		if (process_wait(&job->supervisor, 0, &status, NULL) == ERR_TIMEOUT)
			return true;
		job->supervisor = (struct process){0};
	}
	return engine_supervised(job->folder);
}

// true when status.json was written since we looked.
static bool read_report(struct engine_job *job)
{
	AUTO(buf) path = {0};
	struct engine_report report;
	struct stat s;
	struct err e = {0};
	if (stat(path_in(job, "status.json", &path), &s) < 0)
		return false;
	int64_t written = (int64_t)s.st_mtim.tv_sec * NS_PER_S + s.st_mtim.tv_nsec;
	if (written == job->status_seen_ns && s.st_ino == job->status_seen_inode)
		return false;
	job->status_seen_ns = written;
	job->status_seen_inode = s.st_ino;
	if (engine_report_read(job->folder, &report, &e) < 0) {
		log_err(LOG_ERROR, &e, job->id);
		return false;
	}
	bool changed = report.state != job->report.state || report.port != job->report.port ||
		       report.restarts != job->report.restarts;
	job->report = report;
	return changed;
}

// ---------------------------------------------------------------- looks

// A supervisor that is gone has said its last word; only when there is none was it cut off.
static bool look_at_silent(struct engine_job *job, bool ending)
{
	if (read_report(job) && has_ended(job))
		return true;
	enum engine_state state = job->report.state;
	if (has_ended(job) || state == ENGINE_QUEUED)
		return false;
	if (job->kind == ENGINE_JOB && state == ENGINE_RUNNING)
		lose(job, "its supervisor was killed");
	else if (ending)
		job->report.state = ENGINE_QUEUED; // the next pocket starts it
	else
		start_supervisor(job);
	return true;
}

static bool look_at(struct engine_job *job)
{
	struct engine *g = job->engine;
	bool changed = false;
	if (job->report.state == ENGINE_QUEUED)
		return false;
	bool supervised = is_supervised(job); // before the report: what it says last counts
	if (!supervised) {
		changed = look_at_silent(job, g->ending.asked);
		engine_health_stop(job);
		return changed;
	}
	changed = read_report(job);
	if (job->report.state == ENGINE_RUNNING)
		job->launches = 0;
	if (job->kind == ENGINE_SERVER && engine_health_look(job))
		changed = true;
	return changed;
}

static bool start_queued(struct engine *g)
{
	size_t running = 0;
	bool changed = false;
	for (size_t i = 0; i < g->count; i++)
		running += is_live(g->jobs[i]) && g->jobs[i]->report.state != ENGINE_QUEUED;
	for (size_t i = 0; i < g->count && running < ENGINE_MAX_RUNNING && !g->ending.asked; i++) {
		struct engine_job *job = g->jobs[i];
		if (!is_live(job) || job->report.state != ENGINE_QUEUED || job->removing)
			continue;
		start_supervisor(job);
		running++;
		changed = true;
	}
	return changed;
}

static void remove_ended(struct engine *g)
{
	for (size_t i = g->count; i-- > 0;) {
		struct engine_job *job = g->jobs[i];
		struct err e = {0};
		if (!job->removing || (is_live(job) && job->report.state != ENGINE_QUEUED))
			continue;
		int rc = engine_place_remove(job->folder, &e);
		if (rc == 0)
			rc = file_remove_tree(job->folder, &e);
		if (rc < 0)
			log_err(LOG_ERROR, &e, job->id);
		drop_job(g, i);
	}
}

static bool settled(const struct engine_job *job)
{
	return job->kind == ENGINE_SERVER && job->report.state == ENGINE_RUNNING && job->healthy && !job->removing;
}

static void finish_ending(struct engine *g)
{
	void (*done)(void *ctx) = g->ending.done;
	g->ending.done = NULL;
	if (done)
		done(g->ending.ctx);
}

static void set_timer(struct engine *g)
{
	bool live = false, busy = g->ending.done != NULL;
	for (size_t i = 0; i < g->count; i++) {
		live = live || is_live(g->jobs[i]);
		busy = busy || (is_live(g->jobs[i]) && !settled(g->jobs[i]));
	}
	if (!live && !busy)
		return;
	int64_t at = loop_now_ns(g->pocket->loop) + (busy ? LOOK_MS : LOOK_IDLE_MS) * NS_PER_MS;
	if (g->timer.slot && g->timer.at_ns <= at)
		return;
	if (loop_timer_set(g->pocket->loop, &g->timer, at) < 0)
		log_line(LOG_ERROR, "%s: no memory to look after its jobs", g->pocket->name);
}

static bool all_quiet(const struct engine *g)
{
	for (size_t i = 0; i < g->count; i++)
		if (is_live(g->jobs[i]) && g->jobs[i]->report.state != ENGINE_QUEUED)
			return false;
	return true;
}

static void look_at_all(struct loop_timer *t)
{
	struct engine *g = CONTAINER_OF(t, struct engine, timer);
	bool changed = false;
	for (size_t i = 0; i < g->count; i++)
		if (is_live(g->jobs[i]) && look_at(g->jobs[i]))
			changed = true;
	if (start_queued(g))
		changed = true;
	remove_ended(g);
	if (changed)
		service_wake(g->pocket);
	if (g->ending.done && (all_quiet(g) || engine_now_ns(g) > g->ending.until_ns))
		finish_ending(g);
	set_timer(g);
}

// ---------------------------------------------------------------- open and close

static int find_again(struct engine *g, const char *name, struct err *e)
{
	AUTO(json) spec = NULL;
	struct engine_job *job = NULL;
	if (!engine_id_valid(str_of(name)))
		return 0;
	int rc = add_job(g, str_of(name), &job, e);
	if (rc < 0)
		return rc;
	rc = engine_read(job->folder, "spec.json", &spec, e);
	job->prepared = rc == ERR_NOT_FOUND;
	if (rc < 0) {
		if (rc != ERR_NOT_FOUND)
			log_err(LOG_ERROR, e, name); // damaged: it stays where it is, and counts as never started
		job->prepared = true;
		err_clear(e);
		return 0;
	}
	rc = take_spec(job, spec, e);
	if (rc == 0)
		(void)read_report(job);
	// Without a status it either waits or has a supervisor that is about to write one.
	if (rc == 0 && job->report.state == ENGINE_QUEUED && engine_supervised(job->folder))
		job->report.state = ENGINE_STARTING;
	return rc;
}

static int find_all_again(struct engine *g, struct err *e)
{
	DIR *d = opendir(g->root);
	int rc = 0;
	if (!d)
		return errno == ENOENT ? 0 : err_errno(e, "open the folder %s", g->root);
	for (struct dirent *entry; rc == 0 && (entry = readdir(d));)
		rc = find_again(g, entry->d_name, e);
	closedir(d);
	return rc;
}

// Without links and from '/': programs are told paths below it, and supervisors run elsewhere.
static int set_root(struct engine *g, struct err *e)
{
	char *root = realpath(g->pocket->root, NULL);
	if (!root)
		return err_errno(e, "find the folder %s", g->pocket->root);
	if (asprintf(&g->root, "%s/engine", root) < 0)
		g->root = NULL;
	free(root);
	return g->root ? 0 : err_set(e, ERR_NO_MEMORY, "out of memory");
}

int engine_open(struct pocket *p, struct engine **out, struct err *e)
{
	struct engine *g = calloc(1, sizeof(*g));
	if (!g)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	g->pocket = p;
	g->timer.fire = look_at_all;
	int rc = set_root(g, e);
	if (rc == 0)
		rc = find_all_again(g, e);
	if (rc < 0) {
		engine_close(g);
		return err_context(e, "find again what ran in %s", g->root);
	}
	set_timer(g);
	*out = g;
	return 0;
}

void engine_close(struct engine *g)
{
	if (!g)
		return;
	while (g->count)
		drop_job(g, g->count - 1);
	loop_timer_clear(g->pocket->loop, &g->timer);
	http_client_free(g->client);
	guard_free(g->guard);
	free(g->jobs);
	free(g->root);
	free(g);
}

// ---------------------------------------------------------------- what services ask

static int find_or_make(struct engine *g, struct str id, struct engine_job **out, struct err *e)
{
	if (!engine_id_valid(id))
		return err_set(e, ERR_INVALID, "\"%.*s\" is no name for a job", STR(str_clip(id, 100)));
	*out = engine_find(g, id);
	if (*out)
		return 0;
	for (size_t i = 0; i < g->count; i++)
		if (str_is(id, g->jobs[i]->id))
			return err_set(e, ERR_EXISTS, "%.*s is still being removed", STR(id));
	int rc = add_job(g, id, out, e);
	if (rc < 0)
		return rc;
	(*out)->prepared = true;
	rc = file_make_dirs((*out)->folder, 0700, e);
	if (rc < 0)
		drop_job(g, g->count - 1);
	return rc;
}

int engine_prepare(struct engine *g, struct str id, struct engine_place *out, struct err *e)
{
	struct engine_job *job = NULL;
	int rc = find_or_make(g, id, &job, e);
	if (rc == 0 && !job->place.work)
		rc = engine_place_make(&job->place_arena, job->folder, &job->place, e);
	if (rc < 0)
		return err_context(e, "prepare %.*s", STR(str_clip(id, 100)));
	*out = job->place;
	return 0;
}

static int write_spec(const struct engine_job *job, const json_t *spec, struct err *e)
{
	AUTO(buf) path = {0};
	AUTO(buf) text = {0};
	int rc = json_write_pretty(spec, &text, e);
	if (rc == 0)
		rc = file_replace(path_in(job, "spec.json", &path), buf_str(&text), 0600, e);
	if (text.p)
		explicit_bzero(text.p, text.n); // its environment may hold secrets
	return rc;
}

int engine_start(struct engine *g, const struct engine_spec *s, struct err *e)
{
	struct engine_job *job = NULL;
	int rc = find_or_make(g, s->id, &job, e);
	if (rc == 0 && !job->prepared)
		rc = err_set(e, ERR_EXISTS, "it was started before");
	AUTO(json) spec = rc == 0 ? engine_spec_json(s, wall_now(g)) : NULL;
	if (rc == 0)
		rc = take_spec(job, spec, e);
	if (rc == 0)
		rc = write_spec(job, spec, e);
	if (rc < 0)
		return err_context(e, "start %.*s", STR(str_clip(s->id, 100)));
	job->prepared = false;
	start_queued(g);
	set_timer(g);
	service_wake(g->pocket);
	return 0;
}

int engine_status(struct engine *g, struct str id, struct engine_status *out)
{
	struct engine_job *job = engine_find(g, id);
	if (!job || job->prepared)
		return ERR_NOT_FOUND;
	const struct engine_report *r = &job->report;
	*out = (struct engine_status){.kind = job->kind,
		.state = r->state,
		.exit_code = r->exit_code,
		.out_of_memory = r->out_of_memory,
		.queued_ns = job->queued_ns,
		.started_ns = r->started_ns,
		.ended_ns = r->ended_ns,
		.cpu_s = r->cpu_s,
		.peak_rss = r->peak_rss,
		.pid = r->program.pid,
		.port = r->port,
		.restarts = r->restarts,
		.healthy = job->healthy,
		.spot = job->spot,
		.reason = str_of(r->reason)};
	return 0;
}

static int control(struct engine_job *job, enum engine_state act, int64_t grace_ns, struct err *e)
{
	const struct engine_control c = {.act = act, .grace_ns = grace_ns};
	if (!is_live(job))
		return 0;
	if (job->report.state == ENGINE_QUEUED && !engine_supervised(job->folder)) { // nothing of it runs yet
		job->report.state = act == ENGINE_QUEUED ? ENGINE_QUEUED : act;
		job->report.ended_ns = act == ENGINE_QUEUED ? 0 : wall_now(job->engine);
		service_wake(job->engine->pocket);
		return act == ENGINE_QUEUED ? 0 : engine_report_write(job->folder, &job->report, e);
	}
	set_timer(job->engine);
	return engine_control_write(job->folder, &c, e);
}

static int control_named(struct engine *g, struct str id, const struct engine_control *c, struct err *e)
{
	struct engine_job *job = engine_find(g, id);
	if (!job || job->prepared)
		return err_set(e, ERR_NOT_FOUND, "nothing runs as %.*s", STR(str_clip(id, 100)));
	return control(job, c->act, c->grace_ns, e);
}

int engine_stop(struct engine *g, struct str id, int64_t grace_ns, struct err *e)
{
	return control_named(g, id, &(struct engine_control){ENGINE_STOPPED, grace_ns}, e);
}

int engine_interrupt(struct engine *g, struct str id, int64_t notice_ns, struct err *e)
{
	return control_named(g, id, &(struct engine_control){ENGINE_INTERRUPTED, notice_ns}, e);
}

int engine_interrupt_spot(struct engine *g, int64_t notice_ns)
{
	int count = 0;
	for (size_t i = 0; i < g->count; i++) {
		struct engine_job *job = g->jobs[i];
		struct err e = {0};
		if (!job->spot || !is_live(job) || job->report.state == ENGINE_QUEUED)
			continue;
		if (control(job, ENGINE_INTERRUPTED, notice_ns, &e) < 0)
			log_err(LOG_ERROR, &e, job->id);
		else
			count++;
	}
	return count;
}

int engine_remove(struct engine *g, struct str id, struct err *e)
{
	struct engine_job *job = engine_find(g, id);
	if (!job)
		return err_set(e, ERR_NOT_FOUND, "nothing runs as %.*s", STR(str_clip(id, 100)));
	int rc = control(job, ENGINE_STOPPED, 0, e);
	if (rc < 0)
		return rc;
	job->removing = true;
	remove_ended(g);
	set_timer(g);
	return 0;
}

void engine_end_all(struct engine *g, int64_t grace_ns, void (*done)(void *ctx), void *ctx)
{
	g->ending.asked = true;
	g->ending.done = done;
	g->ending.ctx = ctx;
	g->ending.until_ns = engine_now_ns(g) + grace_ns + KILL_AFTER_S * NS_PER_S;
	for (size_t i = 0; i < g->count; i++) {
		struct err e = {0};
		enum engine_state act = g->jobs[i]->kind == ENGINE_SERVER ? ENGINE_QUEUED : ENGINE_LOST;
		if (is_live(g->jobs[i]) && g->jobs[i]->report.state != ENGINE_QUEUED &&
			control(g->jobs[i], act, grace_ns, &e) < 0)
			log_err(LOG_ERROR, &e, g->jobs[i]->id);
	}
	if (!all_quiet(g))
		set_timer(g);
	else
		finish_ending(g);
}

int engine_log(
	struct engine *g, const struct engine_log_from *from, struct arena *a, struct engine_log *out, struct err *e)
{
	const struct engine_job *job = engine_find(g, from->id);
	if (!job || job->prepared)
		return err_set(e, ERR_NOT_FOUND, "nothing runs as %.*s", STR(str_clip(from->id, 100)));
	return engine_log_read(job->folder, from, a, out, e);
}

const char *engine_isolation_text(void)
{
	return sandbox_kind_text(sandbox_kind());
}

json_t *engine_json(const struct engine *g)
{
	json_t *all = json_array();
	for (size_t i = 0; i < g->count; i++) {
		const struct engine_job *job = g->jobs[i];
		if (job->prepared || job->removing)
			continue;
		json_array_append_new(all, json_pack("{s:s, s:s, s:s, s:i, s:i, s:b, s:b, s:s}", "id", job->id, "kind",
						   job->kind == ENGINE_SERVER ? "server" : "job", "state",
						   engine_state_word(job->report.state), "pid",
						   (int)job->report.program.pid, "port", job->report.port, "healthy",
						   (int)job->healthy, "spot", (int)job->spot, "reason",
						   str_utf8_valid(str_of(job->report.reason)) ? job->report.reason : ""));
	}
	return json_pack("{s:s, s:o}", "isolation", engine_isolation_text(), "jobs", all);
}
