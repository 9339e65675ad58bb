// SPDX-License-Identifier: Apache-2.0
// isobar guards: policies for the providers as files, or on standard output.
#include "base/file.h"
#include "cli/cli_impl.h"

struct guards_options {
	struct common common;
	const char *out;
};
static const struct option guards_options[] = {
	COMMON_OPTIONS(struct guards_options),
	{.name = "out",
		.type = OPTION_TEXT,
		.offset = offsetof(struct guards_options, out),
		.argument = "DIR",
		.help = "folder that the files are written to; without it they are printed one after the other"},
};

// Paths come from the control plane; names of clouds and buckets stand in them.
static int write_file(struct session *s, const char *folder, const json_t *file)
{
	struct str path = json_str(file, "path"), content = json_str(file, "content");
	int rc = file_check_relative(path, &s->call.err);
	const char *whole = arena_printf(&s->arena, "%s/%.*s", folder, STR(path)).p;
	struct str parent = str_of(whole);
	while (parent.n && parent.p[parent.n - 1] != '/')
		parent.n--;
	const char *up = arena_cstr(&s->arena, str_take(parent, parent.n ? parent.n - 1 : 0));
	if (rc == 0 && (!whole || !up))
		return call_no_memory(&s->call);
	if (rc == 0)
		rc = file_make_dirs(up, 0755, &s->call.err);
	return rc < 0 ? rc : file_write_atomic(whole, content, 0644, &s->call.err);
}

static int write_files(struct session *s, const char *folder, const json_t *files)
{
	size_t i;
	const json_t *file;
	int rc = 0;
	json_array_foreach(files, i, file) rc = rc ? rc : write_file(s, folder, file);
	if (rc == 0)
		fprintf(s->arguments->out,
			"%zu files in %s; %s/README.md says what each keeps and how it is put into force.\n",
			json_array_size(files), folder, folder);
	return rc;
}

static void print_files(struct session *s, const json_t *files)
{
	size_t i;
	const json_t *file;
	json_array_foreach(files, i, file)
	{
		struct str content = json_str(file, "content");
		fprintf(s->arguments->out, "%s# %s\n", i ? "\n" : "", json_text(file, "path"));
		fwrite(content.p, 1, content.n, s->arguments->out);
	}
}

static int guards_run(const struct arguments *a)
{
	const struct guards_options *o = a->options;
	struct session s;
	AUTO(json) result = NULL;
	int rc = session_open(&s, a, &o->common, NULL);
	if (rc == 0)
		rc = session_request(&s, "GET", "/v1/guards", NULL, &result);
	const json_t *files = json_object_get(result, "files");
	if (rc == 0 && s.json)
		session_print_json(&s, result);
	else if (rc == 0 && o->out)
		rc = write_files(&s, o->out, files);
	else if (rc == 0)
		print_files(&s, files);
	return session_end(&s, rc);
}

const struct command guards_command = {
	.name = "guards",
	.help = "Writes policies for the providers that keep data where the workspace lets it lie: bucket policies, "
		"service control "
		"policies, organisation policies, Azure policies. Sends nothing.",
	.example = "isobar guards --env prod --out guards",
	COMMAND_OPTIONS(guards_options, struct guards_options),
	.run = guards_run,
};
