// SPDX-License-Identifier: Apache-2.0
// isobar fmt: files and folders in their canonical form, or with --check only whether they have it.
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "infra/format.h"

enum { MAX_FILE = 16 << 20, MAX_DEPTH = 16 };

struct format_options {
	bool check, print;
};
static const struct option options[] = {
	{.name = "check",
		.type = OPTION_FLAG,
		.offset = offsetof(struct format_options, check),
		.help = "change nothing; exit 1 and name the files that are not formatted"},
	{.name = "print",
		.type = OPTION_FLAG,
		.offset = offsetof(struct format_options, print),
		.help = "change nothing; write the formatted text to standard output"},
};

struct run {
	const struct arguments *arguments;
	const struct format_options *options;
	size_t changed, files;
	int code; // of the first failure
};

static void fail(struct run *r, const struct err *e)
{
	fprintf(r->arguments->error, "isobar fmt: %s\n", e->message);
	r->code = r->code ? r->code : err_exit_code(e->code);
}

static int put(struct run *r, const char *path, struct str before, struct str after, struct err *e)
{
	struct stat st;
	if (r->options->print) {
		fwrite(after.p, 1, after.n, r->arguments->out);
		return 0;
	}
	if (str_eq(before, after))
		return 0;
	r->changed++;
	fprintf(r->arguments->out, "%s\n", path);
	if (r->options->check)
		return 0;
	if (stat(path, &st) < 0)
		return err_errno(e, "look at %s", path);
	return file_write_atomic(path, after, st.st_mode & 0777, e);
}

static void format_file(struct run *r, const char *path)
{
	AUTO(arena) arena = {0};
	AUTO(buf) before = {0};
	AUTO(buf) after = {0};
	struct findings f = {.arena = &arena};
	struct err e = {0};
	r->files++;
	int rc = file_read(path, MAX_FILE, &before, &e);
	if (rc == 0)
		rc = format_yaml(buf_str(&before), path, &f, &after, &e);
	if (rc == 0)
		rc = put(r, path, buf_str(&before), buf_str(&after), &e);
	if (rc < 0)
		fail(r, &e);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

// All .yaml files below; hidden folders and links are passed over.
static void format_folder(struct run *r, const char *path, int depth)
{
	AUTO(arena) arena = {0};
	struct dirent **entries;
	struct err e = {0};
	int count = scandir(path, &entries, NULL, by_name);
	if (count < 0) {
		err_errno(&e, "read %s", path);
		fail(r, &e);
		return;
	}
	for (int i = 0; i < count; i++) {
		const char *name = entries[i]->d_name;
		const char *inner = arena_printf(&arena, "%s%s%s", path, str_ends(str_of(path), S("/")) ? "" : "/", name).p;
		struct stat st;
		if (name[0] != '.' && inner && lstat(inner, &st) == 0) {
			if (S_ISDIR(st.st_mode) && depth < MAX_DEPTH)
				format_folder(r, inner, depth + 1);
			else if (S_ISREG(st.st_mode) && str_ends(str_of(name), S(".yaml")))
				format_file(r, inner);
		}
		free(entries[i]);
	}
	free(entries);
}

static int run(const struct arguments *a)
{
	struct run r = {.arguments = a, .options = a->options};
	static const char *here[] = {"."};
	size_t count = a->count ? a->count : 1;
	const char **paths = a->count ? a->rest : here;
	for (size_t i = 0; i < count; i++) {
		struct stat st;
		if (stat(paths[i], &st) == 0 && S_ISDIR(st.st_mode))
			format_folder(&r, paths[i], 0);
		else
			format_file(&r, paths[i]);
	}
	if (r.files == 0 && r.code == 0) {
		struct err e = {0};
		err_set(&e, ERR_NOT_FOUND, "there is no .yaml file in %s", paths[0]);
		fail(&r, &e);
	}
	if (r.code)
		return r.code;
	return r.options->check && r.changed ? 1 : 0;
}

const struct command format_command = {
	.name = "fmt",
	.arguments = "[FILE|FOLDER...]",
	.help = "Writes workspace files in their canonical form. Comments and what the files say stay as they are.",
	.example = "isobar fmt\nisobar fmt --check examples/fashion\nisobar fmt --print isobar.yaml | diff isobar.yaml -",
	COMMAND_OPTIONS(options, struct format_options),
	.max_arguments = SIZE_MAX,
	.run = run,
};
