// SPDX-License-Identifier: Apache-2.0
// What can be written in a workspace, from the tables of kinds: explain, schema. No workspace is read.
#include "base/kind_explain.h"
#include "base/kind_schema.h"
#include "cli/cli_impl.h"

static int print(const struct arguments *a, const struct buf *text, int rc, const struct err *e)
{
	if (rc < 0) {
		fprintf(a->error, "isobar: %s\n", e->message);
		return err_exit_code(rc);
	}
	fwrite(text->p, 1, text->n, a->out);
	return 0;
}

// ---------------------------------------------------------------- explain
struct explain_options {
	bool reference;
};
static const struct option explain_options[] = {
	{.name = "reference",
		.type = OPTION_FLAG,
		.offset = offsetof(struct explain_options, reference),
		.help = "the manual page as Markdown: of all kinds (docs/kinds.md), or of the file named (docs/operator.md)"},
};

static const struct kind *find_file(const struct cli *cli, struct str path)
{
	struct str head, rest;
	str_cut(path, '.', &head, &rest);
	return cli->files && head.n ? kind_find(cli->files, head) : NULL;
}

static int explain_run(const struct arguments *a)
{
	const struct explain_options *o = a->options;
	const struct cli *cli = a->app;
	struct err e = {0};
	AUTO(buf) text = {0};
	int rc = 0;
	struct str path = str_of(a->count ? a->rest[0] : "");
	const struct kind *file = find_file(cli, path);
	if (!o->reference)
		rc = kind_explain(file ? cli->files : cli->kinds, path, &text, &e);
	else if (file)
		kind_write_file_reference(file, &text);
	else // the manual is only written of tables that are right in themselves
		rc = kind_verify(cli->kinds, &e);
	if (rc == 0 && o->reference && !file)
		kind_write_reference(cli->kinds, &text);
	if (rc == 0)
		rc = buf_check(&text, &e);
	return print(a, &text, rc, &e);
}

const struct command explain_command = {
	.name = "explain",
	.arguments = "[KIND[.FIELD...]]",
	.help = "Explains what can be written in a workspace: kinds, fields, defaults, and what may change in place; and in "
		"the operator's file: operator.FIELD.",
	.example = "isobar explain\nisobar explain trainings.federated\nisobar explain buckets.encrypt_with\n"
		   "isobar explain operator.clouds.credentials",
	COMMAND_OPTIONS(explain_options, struct explain_options),
	.max_arguments = 1,
	.run = explain_run,
};

// ---------------------------------------------------------------- schema
struct no_options {
	char unused;
};

static int schema_run(const struct arguments *a)
{
	const struct cli *cli = a->app;
	struct err e = {0};
	AUTO(json) schema = kind_schema(cli->kinds, cli->top_kind);
	AUTO(buf) text = {0};
	int rc = schema ? json_write_pretty(schema, &text, &e) : err_set(&e, ERR_NO_MEMORY, "out of memory");
	if (rc == 0 && !str_ends(buf_str(&text), S("\n")))
		buf_add_char(&text, '\n');
	return print(a, &text, rc, &e);
}

const struct command schema_command = {
	.name = "schema",
	.help = "Writes the JSON Schema of a workspace file, for editors.",
	.example = "isobar schema > isobar.schema.json",
	.options_size = sizeof(struct no_options),
	.run = schema_run,
};
