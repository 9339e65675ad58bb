// SPDX-License-Identifier: Apache-2.0
// Commands that plan and change: plan, apply, destroy. A plan that was kept (`plan --out FILE`) is applied as exactly
// that plan: its digest is compared with what would be done now.
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "cli/cli_impl.h"

enum { PLAN_FILE_VERSION = 1, PLAN_FILE_LIMIT = 64 << 20 };

// ---------------------------------------------------------------- plan
struct plan_options {
	struct common common;
	bool destroy, detailed, refresh_only;
	const char *out;
};
static const struct option plan_options[] = {
	COMMON_OPTIONS(struct plan_options),
	{.name = "destroy",
		.type = OPTION_FLAG,
		.offset = offsetof(struct plan_options, destroy),
		.help = "plan a destroy"},
	{.name = "refresh-only",
		.type = OPTION_FLAG,
		.offset = offsetof(struct plan_options, refresh_only),
		.help = "only what changed outside of Isobar"},
	{.name = "out",
		.type = OPTION_TEXT,
		.offset = offsetof(struct plan_options, out),
		.argument = "FILE",
		.help = "keep the plan, for `isobar apply FILE`"},
	{.name = "detailed-exitcode",
		.type = OPTION_FLAG,
		.offset = offsetof(struct plan_options, detailed),
		.help = "exit 0 when nothing is to do, 2 when something is, 1 on failure"},
};

struct wish { // what is to be planned, and then carried out
	bool destroy, refresh_only;
};

static int request_plan(struct session *s, const struct wish *wish, json_t **result)
{
	AUTO(json)
	body = json_pack("{s:b, s:b, s:b}", "color", (int)(stream_has_color(s->arguments->out) && !s->json), "destroy",
		(int)wish->destroy, "refresh_only", (int)wish->refresh_only);
	return session_request(s, "POST", "/v1/plan", body, result);
}

static json_t *texts_json(const struct option_texts *texts)
{
	json_t *list = json_array();
	for (size_t i = 0; i < texts->count; i++)
		json_array_append_new(list, json_string(texts->items[i]));
	return list;
}

// Where it was planned and with what, so that applying it needs no further word.
static int keep_plan(struct session *s, const struct plan_options *o, const json_t *plan)
{
	AUTO(json) kept = json_pack("{s:i, s:s, s:s, s:s, s:b, s:b, s:s}", "isobar_plan", PLAN_FILE_VERSION, "digest",
		json_text(plan, "digest"), "workspace", json_text(plan, "workspace"), "environment",
		json_text(plan, "environment"), "destroy", (int)o->destroy, "refresh_only", (int)o->refresh_only, "text",
		json_text(plan, "text"));
	AUTO(buf) text = {0};
	char *folder = realpath(s->target.path, NULL);
	if (!kept || !folder) {
		free(folder);
		return call_errno(&s->call, "find %s", s->target.path);
	}
	json_object_set_new(kept, "folder", json_string(folder));
	json_object_set_new(kept, "variables", texts_json(&o->common.variables));
	json_object_set_new(kept, "variable_files", texts_json(&o->common.variable_files));
	free(folder);
	int rc = json_write_pretty(kept, &text, &s->call.err);
	return rc < 0 ? rc : file_write_atomic(o->out, buf_str(&text), 0600, &s->call.err);
}

static void print_plan(struct session *s, const json_t *plan)
{
	if (s->json) {
		session_print_json(s, plan);
		return;
	}
	fputs(json_text(plan, "text"), s->arguments->out);
	int64_t needed = json_int(plan, "approvals", 0);
	if (needed > 0 && !json_flag(plan, "empty", true))
		fprintf(s->arguments->out,
			"It needs %lld approval%s before it is applied: isobar approve %s\n", (long long)needed,
			needed == 1 ? "" : "s", json_text(plan, "digest"));
}

static int check_refused(struct session *s, const json_t *plan)
{
	if (json_int(plan, "refused", 0) == 0)
		return 0;
	return call_fail(&s->call, ERR_DENIED, "the plan is refused, and apply would do nothing: see above");
}

static int plan_run(const struct arguments *a)
{
	const struct plan_options *o = a->options;
	const struct wish wish = {.destroy = o->destroy, .refresh_only = o->refresh_only};
	struct session s;
	AUTO(json) result = NULL;
	int rc = session_open(&s, a, &o->common, a->count ? a->rest[0] : NULL);
	if (rc == 0)
		rc = request_plan(&s, &wish, &result);
	if (rc == 0) {
		print_plan(&s, result);
		rc = check_refused(&s, result);
	}
	if (rc == 0 && o->out)
		rc = keep_plan(&s, o, result);
	int code = session_end(&s, rc);
	if (!o->detailed)
		return code;
	return rc < 0 ? 1 : json_flag(result, "empty", true) ? 0 : 2;
}

const struct command plan_command = {
	.name = "plan",
	.arguments = "[FOLDER]",
	.help = "Shows what apply would do: + creates, ~ changes, -/+ replaces, - deletes. Changes nothing.",
	.example = "isobar plan examples/fashion\nisobar plan --refresh-only\nisobar plan --out change.plan",
	COMMAND_OPTIONS(plan_options, struct plan_options),
	.max_arguments = 1,
	.run = plan_run,
};

// ---------------------------------------------------------------- apply and destroy
struct apply_options {
	struct common common;
	bool approve, objects, refresh_only;
};
#define APPROVE_OPTION                                                                                                 \
	{                                                                                                              \
		.name = "auto-approve", .type = OPTION_FLAG, .offset = offsetof(struct apply_options, approve),        \
		.help = "do not ask; for programs"                                                                     \
	}
static const struct option apply_options[] = {
	COMMON_OPTIONS(struct apply_options),
	APPROVE_OPTION,
	{.name = "refresh-only",
		.type = OPTION_FLAG,
		.offset = offsetof(struct apply_options, refresh_only),
		.help = "only record what changed outside of Isobar"},
};
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
	struct wish wish;
	const json_t *kept; // a plan of a file, which somebody has read; NULL: made now
};

static int approve(struct session *s, const struct change_request *change, const json_t *plan)
{
	const struct apply_options *o = s->arguments->options;
	if (!s->json)
		fputs(json_text(plan, "text"), s->arguments->out);
	fflush(s->arguments->out);
	if (o->approve || json_flag(plan, "empty", false) || json_int(plan, "refused", 0))
		return 0;
	return ask(s, change->question);
}

static int request_change(
	struct session *s, const struct change_request *change, const char *digest, json_t **result)
{
	const struct apply_options *o = s->arguments->options;
	AUTO(json) body = json_pack("{s:s, s:b, s:b}", "digest", digest, "objects", (int)o->objects, "refresh_only",
		(int)change->wish.refresh_only);
	return session_request(s, "POST", change->path, body, result);
}

static int carry_out(struct session *s, const struct change_request *change, json_t **result)
{
	AUTO(json) plan = NULL;
	if (change->kept)
		return request_change(s, change, json_text(change->kept, "digest"), result);
	int rc = request_plan(s, &change->wish, &plan);
	if (rc == 0)
		rc = approve(s, change, plan);
	return rc < 0 ? rc : request_change(s, change, json_text(plan, "digest"), result);
}

static bool texts_of_json(const json_t *list, struct arena *a, struct option_texts *out)
{
	size_t count = json_array_size(list);
	if (out->count || !count)
		return true; // the command line says otherwise, or nothing was said
	out->items = arena_new_array(a, count + 1, const char *);
	for (size_t i = 0; out->items && i < count; i++)
		out->items[i] = json_string_value(json_array_get(list, i));
	out->count = count;
	return out->items != NULL;
}

// What the plan was made with holds again.
static const char *take_kept(const json_t *kept, struct arena *a, struct common *common)
{
	if (!common->environment)
		common->environment = json_text(kept, "environment");
	bool kept_all = texts_of_json(json_object_get(kept, "variables"), a, &common->variables) &&
			texts_of_json(json_object_get(kept, "variable_files"), a, &common->variable_files);
	return kept_all ? json_text(kept, "folder") : NULL;
}

static int change_run(const struct arguments *a, const struct change_request *change)
{
	const struct apply_options *o = a->options;
	struct common common = o->common;
	struct session s;
	AUTO(arena) arena = {0};
	AUTO(json) result = NULL;
	const char *folder = a->count ? a->rest[0] : NULL;
	if (change->kept)
		folder = take_kept(change->kept, &arena, &common);
	int rc = session_open(&s, a, &common, folder);
	if (rc == 0)
		rc = carry_out(&s, change, &result);
	if (rc == 0 && s.json)
		session_print_json(&s, result);
	else if (rc == 0)
		fprintf(a->out, "%s complete: %d done, %d waiting.\n", change->wish.destroy ? "Destroy" : "Apply",
			(int)json_int(result, "done", 0), (int)json_int(result, "waiting", 0));
	return session_end(&s, rc);
}

static bool is_folder(const char *path)
{
	struct stat s;
	return stat(path, &s) == 0 && S_ISDIR(s.st_mode);
}

// A plan that was kept is a file of JSON; a folder, and the YAML file of a workspace, are none.
static int read_kept(const struct arguments *a, json_t **kept, struct err *e)
{
	struct str path = str_of(a->count ? a->rest[0] : "");
	if (!path.n || str_ends(path, S(".yaml")) || str_ends(path, S(".yml")) || is_folder(a->rest[0]))
		return 0;
	int rc = json_parse_file(a->rest[0], PLAN_FILE_LIMIT, kept, e);
	if (rc < 0)
		return err_context(e, "read the plan %s", a->rest[0]);
	if (json_int(*kept, "isobar_plan", 0) == PLAN_FILE_VERSION && json_str(*kept, "digest").n)
		return 0;
	return err_set(e, ERR_INVALID, "%s is no plan of this release: isobar plan --out FILE makes one", a->rest[0]);
}

static int apply_run(const struct arguments *a)
{
	const struct apply_options *o = a->options;
	AUTO(json) kept = NULL;
	struct err e = {0};
	if (read_kept(a, &kept, &e) < 0) {
		fprintf(a->error, "isobar: %s\n", e.message);
		return err_exit_code(e.code);
	}
	struct change_request change = {.path = "/v1/apply",
		.question = "Make these changes?",
		.wish.refresh_only = o->refresh_only || json_flag(kept, "refresh_only", false),
		.kept = kept};
	if (json_flag(kept, "destroy", false)) {
		change.path = "/v1/destroy";
		change.wish.destroy = true;
	}
	return change_run(a, &change);
}

static int destroy_run(const struct arguments *a)
{
	return change_run(a, &(struct change_request){
				     .path = "/v1/destroy", .question = "Delete all of this?", .wish.destroy = true});
}

const struct command apply_command = {
	.name = "apply",
	.arguments = "[FOLDER | PLAN]",
	.help = "Makes what the workspace declares, after showing the plan. A second apply has nothing to do.",
	.example = "isobar apply\nisobar apply --auto-approve examples/fashion\nisobar apply change.plan",
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
