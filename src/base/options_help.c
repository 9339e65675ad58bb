// SPDX-License-Identifier: Apache-2.0
// Help, lists and the manual from the command tables: see options.h.
#include <string.h>

#include "base/options.h"
#include "base/options_impl.h"

// "  -o, --output FORMAT", "      --force"; returns its length.
static int write_head(const struct option *o, FILE *out)
{
	char letter[8] = "    ";
	if (o->letter)
		snprintf(letter, sizeof(letter), "-%c, ", o->letter);
	const char *argument = o->type == OPTION_FLAG ? NULL : o->argument ? o->argument : "VALUE";
	return fprintf(out, "  %s--%s%s%s", letter, o->name, argument ? " " : "", argument ? argument : "");
}

// What a reader must know beside the help: choices, default, repetition.
void option_write_facts(const struct option *o, FILE *out)
{
	const char *gap = " (";
	for (const char *const *choice = o->choices; choice && *choice; choice++) {
		fprintf(out, "%s%s", gap, *choice);
		gap = " | ";
	}
	if (o->choices && o->choices[0])
		gap = "; ";
	if (o->otherwise && o->type != OPTION_FLAG) {
		fprintf(out, "%sdefault %s", gap, o->otherwise);
		gap = "; ";
	}
	if (o->type == OPTION_REPEAT) {
		fprintf(out, "%smay be repeated", gap);
		gap = "; ";
	}
	if (strcmp(gap, " (") != 0)
		fputc(')', out);
}

static void write_options(const struct command *c, FILE *out)
{
	enum { COLUMN = 30 };
	static const struct option help = {
		.name = "help", .letter = 'h', .type = OPTION_FLAG, .help = "print this help"};
	fputs("\nOptions:\n", out);
	for (size_t i = 0; i <= c->option_count; i++) {
		const struct option *o = i < c->option_count ? &c->options[i] : &help;
		int n = write_head(o, out);
		if (n >= COLUMN)
			fprintf(out, "\n%*s", COLUMN, "");
		else
			fprintf(out, "%*s", COLUMN - n, "");
		fputs(o->help, out);
		option_write_facts(o, out);
		fputc('\n', out);
	}
}

// Each line of text with `indent` before it.
static void write_lines(const char *text, const char *indent, FILE *out)
{
	struct str rest = str_of(text), line;
	while (str_next(&rest, '\n', &line))
		if (line.n || rest.p)
			fprintf(out, "%s%.*s\n", line.n ? indent : "", STR(line));
}

void command_write_help(const struct command *c, FILE *out)
{
	fprintf(out, "Usage: isobar %s [OPTIONS]%s%s\n\n%s\n", c->name, c->arguments ? " " : "",
		c->arguments ? c->arguments : "", c->help);
	write_options(c, out);
	if (c->example) {
		fputs("\nExample:\n", out);
		write_lines(c->example, "  ", out);
	}
}

void commands_write_list(const struct command_table *t, const char *group, FILE *out)
{
	size_t widest = 0;
	fprintf(out, "Usage: isobar %s%sCOMMAND [OPTIONS] [ARGUMENTS]\n\nCommands:\n", group ? group : "",
		group ? " " : "");
	for (size_t i = 0; i < t->count; i++)
		widest = MAX(widest, strlen(t->commands[i]->name));
	for (size_t i = 0; i < t->count; i++) {
		const struct command *c = t->commands[i];
		struct str head, tail;
		bool in_group = str_cut(str_of(c->name), ' ', &head, &tail) && group && str_eq(head, str_of(group));
		if (!group || in_group)
			fprintf(out, "  %-*s  %s\n", (int)widest, c->name, c->help);
	}
	fprintf(out, "\nisobar COMMAND --help says more.\n");
}

// '|' would end a cell of a table.
static void write_cell(const char *text, FILE *out)
{
	for (; *text; text++) {
		if (*text == '|')
			fputc('\\', out);
		fputc(*text, out);
	}
}

static void write_option_row(const struct option *o, FILE *out)
{
	fputs("| `", out);
	if (o->letter)
		fprintf(out, "-%c`, `", o->letter);
	fprintf(out, "--%s", o->name);
	if (o->type != OPTION_FLAG) {
		fputc(' ', out);
		write_cell(o->argument ? o->argument : "VALUE", out);
	}
	fputs("` | ", out);
	write_cell(o->help, out);
	for (const char *const *choice = o->choices; choice && *choice; choice++)
		fprintf(out, "%s`%s`", choice == o->choices ? ": " : ", ", *choice);
	fputs(o->type == OPTION_REPEAT ? " (may be repeated) | " : " | ", out);
	if (o->otherwise && o->type != OPTION_FLAG)
		fprintf(out, "`%s`", o->otherwise);
	fputs(" |\n", out);
}

static void write_section(const struct command *c, FILE *out)
{
	fprintf(out, "\n## isobar %s\n\n%s\n\n    isobar %s%s%s%s\n", c->name, c->help, c->name,
		c->option_count ? " [OPTIONS]" : "", c->arguments ? " " : "", c->arguments ? c->arguments : "");
	if (c->option_count) {
		fputs("\n| Option | Meaning | Default |\n|---|---|---|\n", out);
		for (size_t i = 0; i < c->option_count; i++)
			write_option_row(&c->options[i], out);
	}
	if (c->example) {
		fputs("\nExample:\n\n", out);
		write_lines(c->example, "    ", out);
	}
}

static void write_code(int code, const struct exit_form *form, FILE *out)
{
	static const struct {
		int exit;
		const char *word;
	} codes[] = {
#define X(name, number, word, http, exit) {exit, word},
		ERR_CODES(X)
#undef X
	};
	size_t found = 0;
	for (size_t i = 0; i < COUNT_OF(codes); i++) {
		if (codes[i].exit != code)
			continue;
		if (found++ == 0)
			fprintf(out, "%s%d%s", form->before, code, form->between);
		fprintf(out, "%s%s", found > 1 ? ", " : "", codes[i].word);
	}
	if (found)
		fputs(form->after, out);
}

void exit_codes_write(const struct exit_form *form, FILE *out)
{
	fprintf(out, "%s0%sdone%s", form->before, form->between, form->after);
	for (int code = 1; code < 256; code++)
		write_code(code, form, out);
}

void command_write_reference(const struct command *const *commands, size_t count, FILE *out)
{
	fputs("# Commands\n\nWritten from the tables of the program. An option is given as `--name=value` or `--name "
	      "value`; `--` ends "
	      "options.\n\nExit codes:\n\n| Code | Meaning |\n|---|---|\n",
		out);
	exit_codes_write(&(struct exit_form){"| ", " | ", " |\n"}, out);
	for (size_t i = 0; i < count; i++)
		write_section(commands[i], out);
}
