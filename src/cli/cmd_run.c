// SPDX-License-Identifier: Apache-2.0
// Commands that make and run things: run, deploy, status, down.
#include <signal.h>
#include <string.h>

#include "base/process.h"
#include "base/time.h"
#include "cli/cli_impl.h"

enum { DOWN_TIMEOUT_S = 60 };

// ---------------------------------------------------------------- run
struct run_options {
	struct common common;
	bool dry;
};
static const struct option run_options[] = {
	COMMON_OPTIONS(struct run_options),
	{.name = "dry-run",
		.type = OPTION_FLAG,
		.offset = offsetof(struct run_options, dry),
		.help = "show what would be made, in order"},
};

static void print_steps(struct session *s, const json_t *result)
{
	static const struct table_column columns[] = {{"STEP", false}, {"RUN", false}, {"STATE", false}};
	struct table *t = table_new(&s->arena, columns, COUNT_OF(columns));
	size_t i;
	const json_t *step;
	json_array_foreach(json_object_get(result, "steps"), i, step)
	{
		const struct str cells[] = {json_str(step, "step"), json_str(step, "run"), json_str(step, "need")};
		table_add(t, cells);
	}
	table_write(t, s->arguments->out);
}

// Endpoints that are not up although a version has their alias, and why.
static int print_pending(struct session *s, const json_t *result)
{
	AUTO(json) answer = NULL;
	size_t i;
	const json_t *one;
	if (json_int(result, "endpoints_pending", 0) == 0)
		return 0;
	int rc = session_request(s, "GET", "/v1/endpoints", NULL, &answer);
	json_array_foreach(json_object_get(answer, "endpoints"), i, one)
	{
		const char *state = json_text(one, "state"), *reason = json_text(one, "reason");
		if (strcmp(state, "ready") != 0 && strcmp(state, "waiting") != 0)
			fprintf(s->arguments->error, "endpoint/%s is %s%s%s\n", json_text(one, "id"), state,
				*reason ? ": " : "", reason);
	}
	return rc;
}

static int run_run(const struct arguments *a)
{
	const struct run_options *o = a->options;
	struct session s;
	AUTO(json) result = NULL;
	AUTO(json) body = json_pack("{s:s}", "goal", a->rest[0]);
	int rc = session_open(&s, a, &o->common, NULL);
	if (rc == 0)
		rc = session_request(&s, "POST", o->dry ? "/v1/runs/plan" : "/v1/runs", body, &result);
	if (rc == 0 && s.json)
		session_print_json(&s, result);
	else if (rc == 0 && o->dry)
		print_steps(&s, result);
	else if (rc == 0)
		fprintf(a->out, "Made %s.\n", a->rest[0]);
	if (rc == 0 && !o->dry && !s.json)
		rc = print_pending(&s, result);
	return session_end(&s, rc);
}

const struct command run_command = {
	.name = "run",
	.arguments = "GOAL",
	.help = "Makes a model, training, transform, dataset or pipeline, and what it is made from: what is out of "
		"date, in order.",
	.example = "isobar run model/classifier@champion\nisobar run --dry-run pipeline/retrain",
	COMMAND_OPTIONS(run_options, struct run_options),
	.min_arguments = 1,
	.max_arguments = 1,
	.run = run_run,
};

// ---------------------------------------------------------------- deploy
struct plain_options {
	struct common common;
};
static const struct option plain_options[] = {COMMON_OPTIONS(struct plain_options)};

static int deploy_run(const struct arguments *a)
{
	const struct plain_options *o = a->options;
	struct session s;
	AUTO(json) result = NULL;
	int rc = session_open(&s, a, &o->common, NULL);
	if (rc == 0)
		rc = session_request(&s, "POST", "/v1/deploy", NULL, &result);
	if (rc == 0 && s.json)
		session_print_json(&s, result);
	int pending = (int)json_int(result, "endpoints_pending", 0);
	if (rc == 0 && !s.json && !pending)
		fputs("Endpoints are as declared.\n", a->out);
	if (rc == 0 && !s.json)
		rc = print_pending(&s, result);
	if (rc == 0 && pending)
		rc = call_fail(&s.call, ERR_UNAVAILABLE,
			"%d endpoint%s not up: see `isobar endpoints`, and `isobar deploy` again", pending,
			pending == 1 ? " is" : "s are");
	return session_end(&s, rc);
}

const struct command deploy_command = {
	.name = "deploy",
	.help = "Brings endpoints to their declared state once; `isobar up` does so all the time.",
	.example = "isobar deploy",
	COMMAND_OPTIONS(plain_options, struct plain_options),
	.run = deploy_run,
};

// ---------------------------------------------------------------- status
static void print_head(struct session *s, const json_t *status)
{
	FILE *out = s->arguments->out;
	const json_t *revision = json_object_get(status, "revision"), *resources = json_object_get(status, "resources");
	fprintf(out, "workspace    %s (%s), environment %s\n", json_text(status, "workspace"),
		json_text(status, "folder"), json_text(status, "environment"));
	struct str url = client_url(s->client);
	if (url.n)
		fprintf(out, "control      %.*s\n", STR(url));
	else
		fprintf(out, "control      not running (isobar up starts it)\n");
	if (json_is_object(revision))
		fprintf(out, "revision     %d by %s at %s\n", (int)json_int(revision, "number", 0),
			json_text(revision, "by"), json_text(revision, "at"));
	else
		fprintf(out, "revision     none (isobar apply makes one)\n");
	fprintf(out, "resources    %d ready, %d waiting, %d failed\n", (int)json_int(resources, "ready", 0),
		(int)json_int(resources, "waiting", 0), (int)json_int(resources, "failed", 0));
	if (*json_text(status, "recorder"))
		fprintf(out, "recorder     %s\n", json_text(status, "recorder"));
	if (*json_text(status, "isolation"))
		fprintf(out, "user code    %s\n", json_text(status, "isolation"));
}

static struct str state_of(const json_t *item)
{
	struct str state = json_str(item, "state");
	if (state.n)
		return state;
	return json_object_get(item, "up") ? (json_flag(item, "up", false) ? S("up") : S("down")) : S("");
}

static void add_rows(struct session *s, struct table *t, const json_t *list, const char *kind)
{
	size_t i;
	const json_t *item;
	json_array_foreach(list, i, item)
	{
		struct str address = json_str(item, "address");
		if (!address.n)
			address = arena_printf(&s->arena, "%s/%s", kind, json_text(item, "name"));
		struct str more = json_str(item, "url").n ? json_str(item, "url") : json_str(item, "error");
		const struct str cells[] = {address, state_of(item), more};
		table_add(t, cells);
	}
}

static int status_run(const struct arguments *a)
{
	static const struct table_column columns[] = {{"WHAT", false}, {"STATE", false}, {"URL", false}};
	const struct plain_options *o = a->options;
	struct session s;
	AUTO(json) result = NULL;
	int rc = session_open(&s, a, &o->common, a->count ? a->rest[0] : NULL);
	if (rc == 0)
		rc = session_request(&s, "GET", "/v1/status", NULL, &result);
	if (rc == 0 && s.json)
		session_print_json(&s, result);
	if (rc < 0 || s.json)
		return session_end(&s, rc);
	print_head(&s, result);
	fputc('\n', a->out);
	struct table *t = table_new(&s.arena, columns, COUNT_OF(columns));
	add_rows(&s, t, json_object_get(result, "clouds"), "cloud");
	add_rows(&s, t, json_object_get(result, "endpoints"), "endpoint");
	add_rows(&s, t, json_object_get(result, "gateways"), "gateway");
	add_rows(&s, t, json_object_get(result, "replicas"), "dataset");
	table_write(t, a->out);
	return session_end(&s, rc);
}

const struct command status_command = {
	.name = "status",
	.arguments = "[FOLDER]",
	.help = "Shows what runs: control plane, clouds, endpoints, gateways, and where.",
	.example = "isobar status",
	COMMAND_OPTIONS(plain_options, struct plain_options),
	.max_arguments = 1,
	.run = status_run,
};

// ---------------------------------------------------------------- down
static int stop_control(struct session *s)
{
	AUTO(json) health = NULL;
	struct process process;
	int rc = session_request(s, "GET", "/v1/health", NULL, &health);
	if (rc < 0)
		return rc;
	pid_t pid = (pid_t)json_int(health, "pid", 0);
	if (pid <= 1 || process_identify(pid, &process) < 0)
		return 0; // it has just ended
	if (kill(pid, SIGTERM) < 0)
		return call_errno(&s->call, "end the control plane (pid %d)", (int)pid);
	int64_t give_up = call_mono_ns(&s->call) + DOWN_TIMEOUT_S * NS_PER_S;
	while (process_alive(&process)) {
		if (call_mono_ns(&s->call) > give_up)
			return call_fail(&s->call, ERR_TIMEOUT, "the control plane (pid %d) did not end within %d s",
				(int)pid, DOWN_TIMEOUT_S);
		rc = call_sleep(&s->call, 20 * NS_PER_MS);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int stop_rest(const struct arguments *a)
{
	const struct plain_options *o = a->options;
	struct session s;
	AUTO(json) result = NULL;
	int rc = session_open(&s, a, &o->common, a->count ? a->rest[0] : NULL);
	if (rc == 0 && client_is_remote(s.client))
		rc = call_fail(&s.call, ERR_IN_USE, "another control plane was started meanwhile");
	if (rc == 0)
		rc = session_request(&s, "POST", "/v1/down", NULL, &result);
	if (rc == 0 && s.json)
		session_print_json(&s, result);
	else if (rc == 0 && json_flag(result, "nothing", false))
		fputs("Nothing runs: this workspace was never applied.\n", a->out);
	return session_end(&s, rc);
}

// First the control plane, which stops what it looks after; then whatever one-shot commands left running.
static int down_run(const struct arguments *a)
{
	const struct plain_options *o = a->options;
	struct session s;
	int rc = session_open(&s, a, &o->common, a->count ? a->rest[0] : NULL);
	if (rc == 0 && client_is_remote(s.client))
		rc = stop_control(&s);
	int code = session_end(&s, rc);
	return code ? code : stop_rest(a);
}

const struct command down_command = {
	.name = "down",
	.arguments = "[FOLDER]",
	.help = "Ends the control plane and every process of the workspace; data and records stay.",
	.example = "isobar down",
	COMMAND_OPTIONS(plain_options, struct plain_options),
	.max_arguments = 1,
	.run = down_run,
};
