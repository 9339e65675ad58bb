// SPDX-License-Identifier: Apache-2.0
// The command around the control plane's process: in the foreground, or started in the background and awaited.
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "api/up.h"
#include "base/file.h"
#include "base/process.h"
#include "base/time.h"
#include "infra/workspace_place.h"
#include "security/principal.h"

enum { START_TIMEOUT_S = 60, LOOK_EVERY_MS = 10, LOG_SHOWN = 64 << 10 };

struct launch {
	struct call call;
	struct arena arena;
	const struct up_options *options;
	struct workspace_place place;
	FILE *out, *error;
	int told; // exit code of a control plane that ended at its start, which said why itself
};

static void begin(struct launch *l)
{
	call_init(&l->call, &l->arena, edges_real(), (struct str){0});
	l->call.principal = principal_of_process(&l->arena);
}

static int finish(struct launch *l, int rc)
{
	if (rc < 0 && !l->told)
		fprintf(l->error, "isobar up: %s\n", l->call.err.message);
	arena_free(&l->arena);
	return l->told ? l->told : rc < 0 ? err_exit_code(rc) : 0;
}

// ---------------------------------------------------------------- in the foreground
static void print_finding(void *ctx, json_t *event)
{
	struct launch *l = ctx;
	if (strcmp(json_text(event, "event"), "finding") == 0)
		fprintf(l->error, "%.*s/%s:%d:%d: %s: %s%s%s%s\n", STR(l->place.folder), json_text(event, "file"),
			(int)json_int(event, "line", 0), (int)json_int(event, "column", 0), json_text(event, "field"),
			json_text(event, "problem"), *json_text(event, "suggestion") ? " (" : "",
			json_text(event, "suggestion"), *json_text(event, "suggestion") ? ")" : "");
	json_decref(event);
}

// ---------------------------------------------------------------- in the background
static const char *hidden_path(struct launch *l, const char *name)
{
	return arena_printf(&l->arena, "%.*s/%s", STR(l->place.state_folder), name).p;
}

static pid_t announced_pid(struct launch *l)
{
	AUTO(json) control = NULL;
	if (json_parse_file(hidden_path(l, "control.json"), LOG_SHOWN, &control, NULL) < 0)
		return 0;
	return (pid_t)json_int(control, "pid", 0);
}

static void show_log(struct launch *l, off_t from)
{
	char text[LOG_SHOWN];
	AUTO(fd) log = open(hidden_path(l, "control.log"), O_RDONLY | O_CLOEXEC);
	ssize_t n = log < 0 ? 0 : pread(log, text, sizeof(text), from);
	if (n > 0)
		fwrite(text, 1, (size_t)n, l->error);
}

static int await(struct launch *l, const struct process *child, off_t log_from)
{
	int64_t give_up = call_mono_ns(&l->call) + START_TIMEOUT_S * NS_PER_S;
	while (announced_pid(l) != child->pid) {
		int status = 0;
		if (!process_alive(child)) {
			show_log(l, log_from);
			if (process_wait(child, 0, &status, NULL) == 0 && WIFEXITED(status))
				l->told = WEXITSTATUS(status);
			return call_fail(&l->call, ERR_FAILED, "the control plane ended at its start");
		}
		if (call_mono_ns(&l->call) > give_up) {
			process_stop(child, NS_PER_S);
			return call_fail(&l->call, ERR_TIMEOUT,
				"the control plane did not answer within %d s; its log is %s", START_TIMEOUT_S,
				hidden_path(l, "control.log"));
		}
		int rc = call_sleep(&l->call, LOOK_EVERY_MS * NS_PER_MS);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int start(struct launch *l, int log, struct process *child)
{
	const struct control_options *c = &l->options->control;
	size_t given = c->given.variable_count + c->given.variable_file_count, n = 0;
	const char **argv = arena_new_array(&l->arena, 2 * given + 12, const char *);
	if (!argv)
		return call_no_memory(&l->call);
	argv[n++] = "self", argv[n++] = "up", argv[n++] = "--foreground";
	argv[n++] = "--listen", argv[n++] = l->options->listen;
	if (c->environment.n)
		argv[n++] = "--env", argv[n++] = arena_cstr(&l->arena, c->environment);
	if (c->operator_file)
		argv[n++] = "--operator", argv[n++] = c->operator_file;
	for (size_t i = 0; i < c->given.variable_count; i++)
		argv[n++] = "--var", argv[n++] = c->given.variables[i];
	for (size_t i = 0; i < c->given.variable_file_count; i++)
		argv[n++] = "--var-file", argv[n++] = c->given.variable_files[i];
	argv[n] = c->path;
	// All of our environment: credentials and proxies may stand there, as they would in the foreground.
	const struct process_spec spec = {.argv = argv,
		.environment = (const char *const *)environ,
		.in = -1,
		.out = log,
		.error = log,
		.new_session = true,
		.max_descriptors = 4096};
	return process_start(&spec, child, &l->call.err);
}

static int launch(struct launch *l)
{
	struct process child;
	int rc = workspace_place_make(&l->place, &l->call.err);
	if (rc < 0)
		return rc;
	AUTO(fd) log = open(hidden_path(l, "control.log"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (log < 0)
		return call_errno(&l->call, "open %s", hidden_path(l, "control.log"));
	off_t log_from = lseek(log, 0, SEEK_END);
	rc = start(l, log, &child);
	if (rc == 0)
		rc = await(l, &child, log_from);
	if (rc == 0)
		fprintf(l->out,
			"The control plane runs (pid %d); `isobar status` shows what it looks after, `isobar down` "
			"ends it.\n",
			(int)child.pid);
	return rc;
}

int up_main(const struct up_options *options, bool foreground, FILE *out, FILE *error)
{
	struct launch l = {.options = options, .out = out, .error = error};
	begin(&l);
	int rc = workspace_place_find(
		options->control.path, options->control.environment, &l.arena, &l.place, &l.call.err);
	if (rc == 0)
		rc = workspace_place_need(&l.place, &l.call.err);
	if (rc == 0)
		rc = foreground ? up_run(&l.call, options, print_finding, &l) : launch(&l);
	return finish(&l, rc);
}
