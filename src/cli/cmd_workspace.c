// SPDX-License-Identifier: Apache-2.0
// Commands about what is declared: validate, explain, schema, plan, apply, destroy.
#include <string.h>
#include <unistd.h>

#include "cli/cli_impl.h"

// ---------------------------------------------------------------- validate
struct plain_options {
	struct common common;
};
static const struct option plain_options[] = {COMMON_OPTIONS(struct plain_options)};

static void print_valid(const struct session *s, const json_t *result)
{
	FILE *out = s->arguments->out;
	const json_t *checked = json_object_get(result, "environments"), *one;
	size_t i, count = json_array_size(checked);
	if (count < 2) {
		fprintf(out, "The workspace %s is valid: %d resources.\n", json_text(result, "workspace"),
			(int)json_int(result, "resources", 0));
		return;
	}
	fprintf(out, "The workspace %s is valid:", json_text(result, "workspace"));
	json_array_foreach(checked, i, one) fprintf(out, "%s %d resources in %s", i ? "," : "",
		(int)json_int(one, "resources", 0), json_text(one, "environment"));
	fputs(".\n", out);
}

static int validate_run(const struct arguments *a)
{
	const struct plain_options *o = a->options;
	struct session s;
	AUTO(json) result = NULL;
	int rc = session_open(&s, a, &o->common, a->count ? a->rest[0] : NULL);
	AUTO(json) body = json_pack("{s:b}", "document", (int)s.json);
	if (rc == 0)
		rc = session_request(&s, "POST", "/v1/validate", body, &result);
	if (rc < 0)
		return session_end(&s, rc);
	bool valid = json_flag(result, "valid", false);
	if (s.json)
		session_print_json(&s, result);
	else if (valid)
		print_valid(&s, result);
	else
		fprintf(a->error, "%zu mistake%s\n", s.findings, s.findings == 1 ? "" : "s");
	int code = session_end(&s, 0);
	return valid ? code : err_exit_code(ERR_INVALID);
}

const struct command validate_command = {
	.name = "validate",
	.arguments = "[FOLDER]",
	.help = "Checks the workspace: every mistake with file:line:column, the field, and what to write instead.",
	.example = "isobar validate examples/fashion",
	COMMAND_OPTIONS(plain_options, struct plain_options),
	.max_arguments = 1,
	.run = validate_run,
};

// ---------------------------------------------------------------- plan
struct plan_options {
	struct common common;
	bool destroy, detailed;
};
static const struct option plan_options[] = {
	COMMON_OPTIONS(struct plan_options),
	{.name = "destroy",
		.type = OPTION_FLAG,
		.offset = offsetof(struct plan_options, destroy),
		.help = "plan a destroy"},
	{.name = "detailed-exitcode",
		.type = OPTION_FLAG,
		.offset = offsetof(struct plan_options, detailed),
		.help = "exit 0 when nothing is to do, 2 when something is, 1 on failure"},
};

static int request_plan(struct session *s, bool destroy, json_t **result)
{
	AUTO(json)
	body = json_pack(
		"{s:b, s:b}", "color", (int)(stream_has_color(s->arguments->out) && !s->json), "destroy", (int)destroy);
	return session_request(s, "POST", "/v1/plan", body, result);
}

static int plan_run(const struct arguments *a)
{
	const struct plan_options *o = a->options;
	struct session s;
	AUTO(json) result = NULL;
	int rc = session_open(&s, a, &o->common, a->count ? a->rest[0] : NULL);
	if (rc == 0)
		rc = request_plan(&s, o->destroy, &result);
	if (rc == 0 && s.json)
		session_print_json(&s, result);
	else if (rc == 0)
		fputs(json_text(result, "text"), a->out);
	int code = session_end(&s, rc);
	if (!o->detailed)
		return code;
	return rc < 0 ? 1 : json_flag(result, "empty", true) ? 0 : 2;
}

const struct command plan_command = {
	.name = "plan",
	.arguments = "[FOLDER]",
	.help = "Shows what apply would do: + creates, ~ changes, -/+ replaces, - deletes. Changes nothing.",
	.example = "isobar plan examples/fashion\nisobar plan -o json",
	COMMAND_OPTIONS(plan_options, struct plan_options),
	.max_arguments = 1,
	.run = plan_run,
};

// ---------------------------------------------------------------- apply and destroy
struct apply_options {
	struct common common;
	bool approve, objects;
};
#define APPROVE_OPTION                                                                                                 \
	{                                                                                                              \
		.name = "auto-approve", .type = OPTION_FLAG, .offset = offsetof(struct apply_options, approve),        \
		.help = "do not ask; for programs"                                                                     \
	}
static const struct option apply_options[] = {COMMON_OPTIONS(struct apply_options), APPROVE_OPTION};
static const struct option destroy_options[] = {
	COMMON_OPTIONS(struct apply_options),
	APPROVE_OPTION,
	{.name = "objects",
		.type = OPTION_FLAG,
		.offset = offsetof(struct apply_options, objects),
		.help = "remove the objects of the buckets, too; without it a bucket must be empty"},
};

static int ask(struct session *s, const char *question)
{
	char answer[16] = "";
	if (!stream_is_terminal(stdin))
		return call_fail(&s->call, ERR_INVALID, "nobody is there to approve the plan: say --auto-approve");
	fprintf(s->arguments->error, "\n%s Only \"yes\" is taken as such: ", question);
	fflush(s->arguments->error);
	if (!fgets(answer, sizeof(answer), stdin) || strcmp(answer, "yes\n") != 0)
		return call_fail(&s->call, ERR_CANCELLED, "not approved, so nothing was done");
	return 0;
}

struct change_request {
	const char *path, *question;
	bool destroy;
};

static int approve(struct session *s, const struct change_request *change, const json_t *plan)
{
	const struct apply_options *o = s->arguments->options;
	if (!s->json)
		fputs(json_text(plan, "text"), s->arguments->out);
	fflush(s->arguments->out);
	if (o->approve || json_flag(plan, "empty", false))
		return 0;
	return ask(s, change->question);
}

static int carry_out(struct session *s, const struct change_request *change, json_t **result)
{
	const struct apply_options *o = s->arguments->options;
	AUTO(json) plan = NULL;
	int rc = request_plan(s, change->destroy, &plan);
	if (rc == 0)
		rc = approve(s, change, plan);
	if (rc < 0)
		return rc;
	AUTO(json) body = json_pack("{s:s, s:b}", "digest", json_text(plan, "digest"), "objects", (int)o->objects);
	return session_request(s, "POST", change->path, body, result);
}

static int change_run(const struct arguments *a, const struct change_request *change)
{
	const struct apply_options *o = a->options;
	struct session s;
	AUTO(json) result = NULL;
	int rc = session_open(&s, a, &o->common, a->count ? a->rest[0] : NULL);
	if (rc == 0)
		rc = carry_out(&s, change, &result);
	if (rc == 0 && s.json)
		session_print_json(&s, result);
	else if (rc == 0)
		fprintf(a->out, "%s complete: %d done, %d waiting.\n", change->destroy ? "Destroy" : "Apply",
			(int)json_int(result, "done", 0), (int)json_int(result, "waiting", 0));
	return session_end(&s, rc);
}

static int apply_run(const struct arguments *a)
{
	return change_run(a, &(struct change_request){.path = "/v1/apply", .question = "Make these changes?"});
}

static int destroy_run(const struct arguments *a)
{
	return change_run(
		a, &(struct change_request){.path = "/v1/destroy", .question = "Delete all of this?", .destroy = true});
}

const struct command apply_command = {
	.name = "apply",
	.arguments = "[FOLDER]",
	.help = "Makes what the workspace declares, after showing the plan. A second apply has nothing to do.",
	.example = "isobar apply\nisobar apply --auto-approve examples/fashion",
	COMMAND_OPTIONS(apply_options, struct apply_options),
	.max_arguments = 1,
	.run = apply_run,
};

const struct command destroy_command = {
	.name = "destroy",
	.arguments = "[FOLDER]",
	.help = "Deletes everything that the workspace made.",
	.example = "isobar destroy --objects",
	COMMAND_OPTIONS(destroy_options, struct apply_options),
	.max_arguments = 1,
	.run = destroy_run,
};
