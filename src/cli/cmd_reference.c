// SPDX-License-Identifier: Apache-2.0
// What is generated from the tables of the program: the manual as Markdown and as man pages, completion for shells.
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/kind_explain.h"
#include "cli/cli_impl.h"

struct reference_options {
	bool api;
	const char *man, *support;
};
static const struct option reference_options[] = {
	{.name = "api",
		.type = OPTION_FLAG,
		.offset = offsetof(struct reference_options, api),
		.help = "the control plane's API (docs/api.md) instead"},
	{.name = "man",
		.type = OPTION_TEXT,
		.offset = offsetof(struct reference_options, man),
		.argument = "DIR",
		.help = "write the man pages below DIR instead: man1/isobar-COMMAND.1, man5/isobar.yaml.5"},
	{.name = "support",
		.type = OPTION_TEXT,
		.offset = offsetof(struct reference_options, support),
		.argument = "DIR",
		.help = "what works where (docs/support.md) instead, from the records of check --deep in DIR"},
};

struct pages {
	const struct arguments *arguments;
	const char *root;
};

static int complain(const struct pages *p, const char *path)
{
	fprintf(p->arguments->error, "isobar: cannot write %s: %s\n", path, strerror(errno));
	return err_exit_code(ERR_IO);
}

static FILE *open_page(const struct pages *p, const char *name, int section, char path[4096])
{
	int n = snprintf(path, 4096, "%s/man%d/isobar%s%s.%d", p->root, section, *name && section == 1 ? "-" : "", name,
		section);
	if (n < 0 || n >= 4096) {
		errno = ENAMETOOLONG;
		return NULL;
	}
	for (char *c = path + strlen(p->root); *c; c++)
		if (*c == ' ')
			*c = '-';
	return fopen(path, "we");
}

// command NULL: the page of the program, or in section 5 of the workspace.
static int write_page(const struct pages *p, const struct command *command, int section)
{
	const struct cli *cli = p->arguments->app;
	char path[4096];
	FILE *out = open_page(p, section == 5 ? ".yaml" : command ? command->name : "", section, path);
	if (!out)
		return complain(p, path);
	if (section == 5)
		kind_write_man(cli->kinds, out);
	else if (command)
		command_write_man(command, out);
	else
		commands_write_man(cli->commands, cli->command_count, out);
	bool failed = ferror(out);
	return fclose(out) != 0 || failed ? complain(p, path) : 0;
}

static int make_folders(const struct pages *p)
{
	static const char *const folders[] = {"", "/man1", "/man5"};
	for (size_t i = 0; i < COUNT_OF(folders); i++) {
		char path[4096];
		snprintf(path, sizeof(path), "%s%s", p->root, folders[i]);
		if (mkdir(path, 0755) < 0 && errno != EEXIST)
			return complain(p, path);
	}
	return 0;
}

static int write_pages(const struct pages *p)
{
	const struct cli *cli = p->arguments->app;
	int code = make_folders(p);
	if (code == 0)
		code = write_page(p, NULL, 1);
	if (code == 0)
		code = write_page(p, NULL, 5);
	for (size_t i = 0; i < cli->command_count && code == 0; i++)
		code = write_page(p, cli->commands[i], 1);
	return code;
}

static int write_support(const struct arguments *a, const char *folder)
{
	const struct cli *cli = a->app;
	AUTO(buf) page = {0};
	struct err e = {0};
	int rc = cli->write_support(folder, &page, &e);
	if (rc < 0) {
		fprintf(a->error, "isobar: %s\n", e.message);
		return err_exit_code(rc);
	}
	fwrite(page.p, 1, page.n, a->out);
	return 0;
}

static int reference_run(const struct arguments *a)
{
	const struct reference_options *o = a->options;
	const struct cli *cli = a->app;
	if (o->support)
		return write_support(a, o->support);
	if (o->man)
		return write_pages(&(struct pages){a, o->man});
	if (o->api)
		cli->write_api_reference(a->out);
	else
		command_write_reference(cli->commands, cli->command_count, a->out);
	return 0;
}

const struct command reference_command = {
	.name = "reference",
	.help = "Writes the manual of all commands: Markdown (docs/commands.md), or man pages.",
	.example = "isobar reference\nisobar reference --api\nisobar reference --man /usr/local/share/man",
	COMMAND_OPTIONS(reference_options, struct reference_options),
	.run = reference_run,
};

// ---------------------------------------------------------------- completion
struct completion_options {
	char unused;
};

static int completion_run(const struct arguments *a)
{
	const struct cli *cli = a->app;
	if (command_write_completion(cli->commands, cli->command_count, a->rest[0], a->out))
		return 0;
	fprintf(a->error, "isobar completion: no completion for \"%s\"; there is one for bash, zsh and fish\n",
		a->rest[0]);
	return err_exit_code(ERR_INVALID);
}

const struct command completion_command = {
	.name = "completion",
	.arguments = "bash|zsh|fish",
	.help = "Writes the completion script of a shell: commands, options, choices, and addresses of the workspace.",
	.example = "source <(isobar completion bash)\nisobar completion fish > ~/.config/fish/completions/isobar.fish",
	.options_size = sizeof(struct completion_options),
	.min_arguments = 1,
	.max_arguments = 1,
	.run = completion_run,
};
