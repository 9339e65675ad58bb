// SPDX-License-Identifier: Apache-2.0
// The addresses that a workspace declares: for shells that complete them, so nothing is asked and no mistake is told.
#include <stdlib.h>
#include <string.h>

#include "cli/cli_impl.h"

struct addresses_options {
	struct common common;
};
static const struct option addresses_options[] = {COMMON_OPTIONS(struct addresses_options)};

static const char *or_environment(const char *option, const char *variable)
{
	const char *value = option ? option : getenv(variable);
	return value && *value ? value : NULL;
}

static void print_json(const struct buf *lines, FILE *out)
{
	struct str rest = buf_str(lines), line;
	bool first = true;
	AUTO(buf) text = {0};
	while (str_next(&rest, '\n', &line)) {
		if (!line.n)
			continue;
		buf_add(&text, first ? S("[") : S(", "));
		json_write_string(line, &text);
		first = false;
	}
	fprintf(out, "%s]\n", first ? "[" : buf_cstr(&text));
}

static int addresses_run(const struct arguments *a)
{
	const struct addresses_options *o = a->options;
	const struct cli *cli = a->app;
	AUTO(arena) arena = {0};
	AUTO(buf) lines = {0};
	struct call c;
	const char *path = or_environment(o->common.workspace, "ISOBAR_WORKSPACE");
	const struct cli_target target = {.path = path ? path : ".",
		.environment = str_of(or_environment(o->common.environment, "ISOBAR_ENV")),
		.variables = o->common.variables,
		.variable_files = o->common.variable_files,
		.untrusted = o->common.untrusted};
	call_init(&c, &arena, edges_real(), (struct str){0});
	int rc = cli->list_addresses(&c, cli->app, &target, str_of(a->count ? a->rest[0] : ""), &lines);
	if (rc < 0) {
		fprintf(a->error, "isobar: %s\n", c.err.message);
		return err_exit_code(rc);
	}
	if (strcmp(o->common.output, "json") == 0)
		print_json(&lines, a->out);
	else
		fwrite(lines.p, 1, lines.n, a->out);
	return 0;
}

const struct command addresses_command = {
	.name = "addresses",
	.arguments = "[PREFIX]",
	.help = "Lists the addresses that the workspace declares, those that begin with PREFIX: for completion.",
	.example = "isobar addresses\nisobar addresses endpoint/",
	COMMAND_OPTIONS(addresses_options, struct addresses_options),
	.max_arguments = 1,
	.run = addresses_run,
};
