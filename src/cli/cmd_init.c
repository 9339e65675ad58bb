// SPDX-License-Identifier: Apache-2.0
// isobar init: a first workspace, written where there is none. With --from, what is there already goes into it as
// `existing: keep`, and is noted in the workspace's own records, so that its first plan has nothing to do.
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/cli_impl.h"

struct init_options {
	struct common common;
	const char *from, *name, *region;
};
static const struct option init_options[] = {
	COMMON_OPTIONS(struct init_options),
	{.name = "from",
		.type = OPTION_TEXT,
		.offset = offsetof(struct init_options, from),
		.argument = "LIST",
		.help = "what to look at with the credentials of this machine: aws,gcp,azure,kubernetes,slurm"},
	{.name = "name",
		.type = OPTION_TEXT,
		.offset = offsetof(struct init_options, name),
		.argument = "NAME",
		.help = "of the workspace; else that of the folder"},
	{.name = "region",
		.type = OPTION_TEXT,
		.offset = offsetof(struct init_options, region),
		.argument = "REGION",
		.help = "with --from: where accounts lie that do not say so themselves (azure)"},
};

// ---------------------------------------------------------------- the folder

// Made when it is absent; a workspace that is there is nobody's to overwrite.
static int claim(struct session *s, const char *folder, struct str *file)
{
	*file = arena_printf(&s->arena, "%s/isobar.yaml", folder);
	if (!file->p)
		return call_no_memory(&s->call);
	if (access(file->p, F_OK) == 0)
		return call_fail(&s->call, ERR_EXISTS,
			"%s is there already, and stays as it is: name another folder, isobar init DIR", file->p);
	return file_make_dirs(folder, 0755, &s->call.err);
}

static int write_new(struct session *s, const char *path, struct str text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return call_errno(&s->call, "write %s", path);
	int rc = file_write_all(fd, text, path, &s->call.err);
	fd_close(&fd);
	if (rc < 0)
		(void)unlink(path);
	return rc;
}

static const char *name_of(struct session *s, const char *folder, const char *given)
{
	char whole[PATH_MAX];
	const char *name = given ? given : realpath(folder, whole) ? arena_cstr(&s->arena, str_of(whole)) : folder;
	return name ? name : folder;
}

// ---------------------------------------------------------------- what is there is noted

// Only clouds, and what is kept, may be in this plan: nothing of it is done anywhere but in the records.
static bool only_notes(const json_t *plan)
{
	size_t i;
	const json_t *change;
	json_array_foreach(json_object_get(plan, "changes"), i, change)
	{
		const char *action = json_text(change, "action");
		bool cloud = str_starts(json_str(change, "address"), S("cloud/"));
		if (strcmp(action, "use") != 0 && strcmp(action, "nothing") != 0 &&
			!(cloud && strcmp(action, "create") == 0))
			return false;
	}
	return true;
}

static int note_existing(const struct arguments *a, const char *folder)
{
	const struct init_options *o = a->options;
	struct session s;
	AUTO(json) plan = NULL;
	AUTO(json) applied = NULL;
	int rc = session_open(&s, a, &o->common, folder);
	s.json = true; // nobody wants to hear how each is noted
	if (rc == 0)
		rc = session_request(&s, "POST", "/v1/plan", NULL, &plan);
	if (rc == 0 && !only_notes(plan))
		rc = call_fail(&s.call, ERR_INTERNAL,
			"the plan of the workspace in %s does more than note what is there", folder);
	if (rc == 0 && !json_flag(plan, "empty", false)) {
		AUTO(json) body = json_pack("{s:s}", "digest", json_text(plan, "digest"));
		rc = session_request(&s, "POST", "/v1/apply", body, &applied);
	}
	return session_end(&s, rc);
}

// ---------------------------------------------------------------- init

static void print_found(struct session *s, const char *file, const json_t *result)
{
	FILE *out = s->arguments->out;
	size_t i;
	const json_t *one;
	fprintf(out, "%s\n", file);
	json_array_foreach(json_object_get(result, "clouds"), i, one)
		fprintf(out, "  cloud/%s: %s, account %s, %d buckets\n", json_text(one, "cloud"), json_text(one, "who"),
			json_text(one, "account"), (int)json_int(one, "buckets", 0));
	json_array_foreach(json_object_get(result, "unseen"), i, one)
		fprintf(out, "  not seen: %s\n", json_string_value(one));
}

static int request_text(struct session *s, const char *folder, json_t **result)
{
	const struct init_options *o = s->arguments->options;
	const char *path = session_path(s, "/v1/init?name=", str_of(name_of(s, folder, o->name)), "");
	if (o->from)
		path = session_path(s, arena_printf(&s->arena, "%s&from=", path).p, str_of(o->from), "");
	if (o->region)
		path = session_path(s, arena_printf(&s->arena, "%s&region=", path).p, str_of(o->region), "");
	return session_request(s, "GET", path, NULL, result);
}

static int init_run(const struct arguments *a)
{
	const struct init_options *o = a->options;
	const char *folder = a->count ? a->rest[0] : ".";
	struct session s;
	struct str file = {0};
	AUTO(json) result = NULL;
	bool is_new = access(folder, F_OK) < 0;
	int rc = session_open_here(&s, a, &o->common);
	if (rc == 0)
		rc = claim(&s, folder, &file);
	if (rc == 0)
		rc = request_text(&s, folder, &result);
	if (rc == 0)
		rc = write_new(&s, file.p, json_str(result, "text"));
	if (rc < 0 && is_new)
		(void)rmdir(folder); // nothing is left of what came to nothing
	if (rc == 0 && s.json)
		session_print_json(&s, result);
	else if (rc == 0)
		print_found(&s, file.p, result);
	int code = session_end(&s, rc);
	return code || !json_array_size(json_object_get(result, "clouds")) ? code : note_existing(a, folder);
}

const struct command init_command = {
	.name = "init",
	.arguments = "[DIR]",
	.help = "Writes a first workspace: an empty one that explains itself, or with --from one of what the present "
		"credentials can see, where everything is kept as it is and the first plan has nothing to do.",
	.example = "isobar init\nisobar init mine --from aws,gcp",
	COMMAND_OPTIONS(init_options, struct init_options),
	.max_arguments = 1,
	.run = init_run,
};
