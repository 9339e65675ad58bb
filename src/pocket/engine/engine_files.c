// SPDX-License-Identifier: Apache-2.0
// The files of a job's folder: see engine_impl.h.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/lock.h"
#include "base/sandbox.h"
#include "pocket/engine/engine_impl.h"

static const char *const words[] = {
#define X(name, word, ended) word,
	ENGINE_STATES(X)
#undef X
};
static const bool ended[] = {
#define X(name, word, ended) ended,
	ENGINE_STATES(X)
#undef X
};

const char *engine_state_word(enum engine_state s)
{
	return words[s];
}

bool engine_state_ended(enum engine_state s)
{
	return ended[s];
}

static enum engine_state state_of(struct str word)
{
	for (size_t i = 0; i < COUNT_OF(words); i++)
		if (str_is(word, words[i]))
			return (enum engine_state)i;
	return ENGINE_LOST;
}

bool engine_id_valid(struct str id)
{
	for (size_t i = 0; i < id.n; i++) {
		char c = id.p[i];
		bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
			     c == '_' || (c == '.' && i);
		if (!plain)
			return false;
	}
	return id.n && id.n <= ENGINE_ID_MAX;
}

// ---------------------------------------------------------------- reading and writing

static const char *path_of(const char *folder, const char *file, struct buf *out)
{
	buf_printf(out, "%s/%s", folder, file);
	return buf_cstr(out);
}

int engine_read(const char *folder, const char *file, json_t **out, struct err *e)
{
	AUTO(buf) path = {0};
	return json_parse_file(path_of(folder, file, &path), ENGINE_FILE_LIMIT, out, e);
}

static int write_json(const char *folder, const char *file, json_t *j, struct err *e)
{
	AUTO(json) owned = j;
	AUTO(buf) path = {0};
	AUTO(buf) text = {0};
	int rc = owned ? json_write_pretty(owned, &text, e) : err_set(e, ERR_NO_MEMORY, "out of memory");
	return rc < 0 ? rc : file_replace(path_of(folder, file, &path), buf_str(&text), 0600, e);
}

static json_t *process_json(const struct process *p)
{
	return json_pack("{s:i, s:I}", "pid", (int)p->pid, "start", (json_int_t)p->start_ticks);
}

static struct process process_of(const json_t *j)
{
	return (struct process){.pid = (pid_t)json_int(j, "pid", 0), .start_ticks = (uint64_t)json_int(j, "start", 0)};
}

json_t *engine_spec_json(const struct engine_spec *s, int64_t queued_ns)
{
	json_t *j = json_object();
	json_t *ports = json_array();
	for (size_t i = 0; s->port_variables && s->port_variables[i]; i++)
		json_array_append_new(ports, json_string(s->port_variables[i]));
	json_set_str(j, "kind", s->kind == ENGINE_SERVER ? S("server") : S("job"));
	json_set_str(j, "image", s->image);
	json_object_set_new(j, "argv", s->argv ? json_deep_copy(s->argv) : json_array());
	json_object_set_new(j, "environment", s->environment ? json_deep_copy(s->environment) : json_object());
	json_object_set_new(j, "memory", json_integer((json_int_t)MIN(s->memory, (uint64_t)INT64_MAX)));
	json_object_set_new(j, "cpu", json_real(s->cpu));
	json_object_set_new(j, "deadline_ns", json_integer(s->deadline_ns));
	json_object_set_new(j, "spot", json_boolean(s->spot));
	json_object_set_new(j, "port_variables", ports);
	if (s->health_path)
		json_object_set_new(j, "health_path", json_string(s->health_path));
	json_object_set_new(j, "queued_ns", json_integer(queued_ns));
	return j;
}

int engine_report_read(const char *folder, struct engine_report *out, struct err *e)
{
	AUTO(json) j = NULL;
	int rc = engine_read(folder, "status.json", &j, e);
	if (rc < 0)
		return rc;
	*out = (struct engine_report){
		.state = state_of(json_str(j, "state")),
		.exit_code = (int)json_int(j, "exit_code", 0),
		.port = (int)json_int(j, "port", 0),
		.restarts = (int)json_int(j, "restarts", 0),
		.out_of_memory = json_flag(j, "out_of_memory", false),
		.started_ns = json_int(j, "started_ns", 0),
		.ended_ns = json_int(j, "ended_ns", 0),
		.cpu_s = json_num(j, "cpu_s", 0),
		.peak_rss = (uint64_t)json_int(j, "peak_rss", 0),
		.program = process_of(json_object_get(j, "program")),
		.supervisor = process_of(json_object_get(j, "supervisor")),
		.uid = (uint32_t)json_int(j, "uid", 0),
	};
	(void)str_copy(out->reason, sizeof(out->reason), str_clip(json_str(j, "reason"), sizeof(out->reason) - 1));
	return 0;
}

int engine_report_write(const char *folder, const struct engine_report *r, struct err *e)
{
	json_t *j = json_pack("{s:s, s:i, s:i, s:i, s:b, s:I, s:I, s:f, s:I, s:o, s:o, s:i}", "state",
		engine_state_word(r->state), "exit_code", r->exit_code, "port", r->port, "restarts", r->restarts,
		"out_of_memory", (int)r->out_of_memory, "started_ns", (json_int_t)r->started_ns, "ended_ns",
		(json_int_t)r->ended_ns, "cpu_s", r->cpu_s, "peak_rss", (json_int_t)r->peak_rss, "program",
		process_json(&r->program), "supervisor", process_json(&r->supervisor), "uid", (int)r->uid);
	json_set_str(j, "reason", str_of(r->reason));
	return write_json(folder, "status.json", j, e);
}

int engine_control_read(const char *folder, struct engine_control *out, struct err *e)
{
	AUTO(json) j = NULL;
	int rc = engine_read(folder, "control.json", &j, e);
	if (rc < 0)
		return rc;
	out->act = state_of(json_str(j, "act"));
	out->grace_ns = json_int(j, "grace_ns", 0);
	return 0;
}

int engine_control_write(const char *folder, const struct engine_control *c, struct err *e)
{
	struct engine_report report;
	int rc = write_json(folder, "control.json",
		json_pack("{s:s, s:I}", "act", engine_state_word(c->act), "grace_ns", (json_int_t)c->grace_ns), e);
	if (rc < 0)
		return rc;
	// One that has not said who it is yet, or misses the signal, looks at the file by itself soon.
	if (engine_report_read(folder, &report, NULL) == 0 && process_alive(&report.supervisor))
		(void)kill(report.supervisor.pid, SIGUSR1);
	return 0;
}

bool engine_supervised(const char *folder)
{
	AUTO(buf) path = {0};
	return lock_is_held(path_of(folder, "lock", &path));
}

// ---------------------------------------------------------------- the work folder

int engine_place_make(struct arena *a, const char *folder, struct engine_place *out, struct err *e)
{
	char outside[SANDBOX_PATH_SIZE];
	sandbox_work_path(folder, outside);
	const char *work = sandbox_can_own_uid() ? arena_cstr(a, str_of(outside)) : arena_printf(a, "%s/work", folder).p;
	const char *const names[] = {"input", "output", "model", "tmp"};
	const char *paths[COUNT_OF(names)];
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		paths[i] = work ? arena_printf(a, "%s/%s", work, names[i]).p : NULL;
		if (!paths[i])
			return err_set(e, ERR_NO_MEMORY, "out of memory");
		int rc = file_make_dirs(paths[i], 0700, e);
		if (rc < 0)
			return rc;
	}
	*out = (struct engine_place){
		.work = work, .input = paths[0], .output = paths[1], .model = paths[2], .tmp = paths[3]};
	return 0;
}

int engine_place_remove(const char *folder, struct err *e)
{
	char outside[SANDBOX_PATH_SIZE];
	AUTO(buf) path = {0};
	sandbox_work_path(folder, outside);
	int rc = file_remove_tree(path_of(folder, "work", &path), e);
	return rc < 0 || !sandbox_can_own_uid() ? rc : file_remove_tree(outside, e);
}
