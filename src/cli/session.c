// SPDX-License-Identifier: Apache-2.0
// A command's connection to the control plane, and how events and errors are told.
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli_impl.h"

const char *const output_choices[] = {"table", "json", NULL};

bool stream_is_terminal(FILE *stream)
{
	return isatty(fileno(stream)) == 1;
}

bool stream_has_color(FILE *stream)
{
	const char *no_color = getenv("NO_COLOR");
	return stream_is_terminal(stream) && !(no_color && *no_color);
}

// ---------------------------------------------------------------- cancelling by Ctrl-C
// A signal handler has nothing but globals to write to.
static atomic_bool interrupted;

static void on_interrupt(int number)
{
	(void)number;
	if (atomic_exchange(&interrupted, true))
		_exit(130); // the second one means it
}

static void catch_interrupt(void)
{
	struct sigaction action = {.sa_handler = on_interrupt};
	sigemptyset(&action.sa_mask);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

// ---------------------------------------------------------------- opening
static const char *or_environment(const char *option, const char *variable)
{
	const char *value = option ? option : getenv(variable);
	return value && *value ? value : NULL;
}

static int open_client(struct session *s)
{
	int rc = s->cli->find_state_folder(&s->call, s->cli->app, &s->target, &s->state_folder);
	if (rc == 0)
		rc = s->cli->open_local(&s->call, s->cli->app, &s->target, &s->local);
	// A control plane that runs has its own variables and credentials; it is not asked with others.
	bool own = s->here || s->target.variables.count || s->target.variable_files.count || s->target.untrusted ||
		   s->target.operator_file;
	const struct client_options options = {
		.state_folder = own ? (struct str){0} : s->state_folder, .local = &s->local};
	return rc < 0 ? rc : client_open(&s->call, &options, &s->client);
}

static int begin(struct session *s, const struct common *common, const char *folder)
{
	const char *path = folder ? folder : or_environment(common->workspace, "ISOBAR_WORKSPACE");
	const char *environment = or_environment(common->environment, "ISOBAR_ENV");
	s->target = (struct cli_target){.path = path ? path : ".",
		.environment = str_of(environment),
		.variables = common->variables,
		.variable_files = common->variable_files,
		.untrusted = common->untrusted,
		.operator_file = common->operator_file};
	s->shown = path && strcmp(path, ".") != 0 ? path : "";
	s->json = strcmp(common->output, "json") == 0;
	call_init(&s->call, &s->arena, edges_real(), (struct str){0});
	s->call.cancel = &interrupted;
	catch_interrupt();
	s->progress = progress_new(&s->arena, s->arguments->error);
	return s->progress ? open_client(s) : call_no_memory(&s->call);
}

int session_open(struct session *s, const struct arguments *a, const struct common *common, const char *folder)
{
	*s = (struct session){.arguments = a, .common = common, .cli = a->app};
	return begin(s, common, folder);
}

int session_open_here(struct session *s, const struct arguments *a, const struct common *common)
{
	*s = (struct session){.arguments = a, .common = common, .cli = a->app, .here = true};
	return begin(s, common, NULL);
}

// ---------------------------------------------------------------- findings
// "examples/fashion/isobar.yaml:3:1": a path that works where the command was typed.
static void print_place(struct session *s, const json_t *finding)
{
	struct str file = json_str(finding, "file"), shown = str_of(s->shown);
	bool is_file = str_ends(shown, S(".yaml"));
	if (json_int(finding, "line", 0) <= 0) { // no file: an option, or a variable of the environment
		fprintf(s->arguments->error, "%.*s: ", STR(file));
		return;
	}
	if (str_starts(file, S("/")))
		fprintf(s->arguments->error, "%.*s", STR(file));
	else if (is_file || !shown.n)
		fprintf(s->arguments->error, "%.*s", STR(is_file ? shown : file));
	else
		fprintf(s->arguments->error, "%.*s%s%.*s", STR(shown), str_ends(shown, S("/")) ? "" : "/", STR(file));
	fprintf(s->arguments->error, ":%d:%d: ", (int)json_int(finding, "line", 0),
		(int)json_int(finding, "column", 0));
}

static void print_finding(struct session *s, const json_t *finding)
{
	struct str field = json_str(finding, "field"), suggestion = json_str(finding, "suggestion");
	print_place(s, finding);
	if (field.n)
		fprintf(s->arguments->error, "%.*s: ", STR(field));
	fprintf(s->arguments->error, "%s", json_text(finding, "problem"));
	if (suggestion.n)
		fprintf(s->arguments->error, " (%.*s)", STR(suggestion));
	fputc('\n', s->arguments->error);
	s->findings++;
}

static void on_event(void *ctx, const json_t *event)
{
	struct session *s = ctx;
	struct str name = json_str(event, "event");
	if (s->json && !str_eq(name, S("finding")))
		return;
	if (str_eq(name, S("finding")))
		print_finding(s, event);
	else if (s->on_event)
		s->on_event(s, event);
	else
		progress_event(s->progress, event);
}

// ---------------------------------------------------------------- requests
int session_request(struct session *s, const char *method, const char *path, const json_t *body, json_t **result)
{
	struct client_request request = {.method = method, .path = path, .body = body, .on_event = on_event, .ctx = s};
	int rc = client_call(&s->call, s->client, &request, result);
	progress_end(s->progress);
	return rc;
}

const char *session_path(struct session *s, const char *before, struct str encoded, const char *after)
{
	struct str text = client_escape(&s->arena, encoded);
	struct str path = arena_printf(&s->arena, "%s%.*s%s", before, STR(text), after);
	return path.p ? path.p : before;
}

void session_print_json(struct session *s, const json_t *value)
{
	AUTO(buf) text = {0};
	if (json_write_pretty(value, &text, &s->call.err) < 0)
		return;
	fwrite(text.p, 1, text.n, s->arguments->out);
	if (!str_ends(buf_str(&text), S("\n")))
		fputc('\n', s->arguments->out);
}

int session_end(struct session *s, int rc)
{
	int code = rc < 0 ? err_exit_code(rc) : 0;
	if (rc < 0 && s->call.err.code)
		fprintf(s->arguments->error, "isobar: %s\n", s->call.err.message);
	client_close(s->client);
	if (s->local.dispatch)
		s->cli->close_local(s->cli->app, &s->local);
	arena_free(&s->arena);
	if (fflush(s->arguments->out) != 0 && code == 0) {
		fprintf(s->arguments->error, "isobar: cannot write the output\n");
		code = err_exit_code(ERR_IO);
	}
	return code;
}
