// SPDX-License-Identifier: Apache-2.0
// Manual pages of the commands from their tables: see options.h.
#include <string.h>

#include "base/options.h"
#include "base/options_impl.h"
#include "base/roff.h"

// "isobar data ls" -> "isobar-data-ls", the name of its page.
static void write_page_name(const char *command, FILE *out)
{
	fputs("isobar\\-", out);
	for (; *command; command++)
		fputs(*command == ' ' || *command == '-' ? "\\-" : (const char[]){*command, 0}, out);
}

static void write_option(const struct option *o, FILE *out)
{
	fputs(".TP\n\\fB", out);
	if (o->letter)
		fprintf(out, "\\-%c\\fR, \\fB", o->letter);
	fputs("\\-\\-", out);
	roff_words(str_of(o->name), out);
	fputs("\\fR", out);
	if (o->type != OPTION_FLAG) {
		fputs(" \\fI", out);
		roff_words(str_of(o->argument ? o->argument : "VALUE"), out);
		fputs("\\fR", out);
	}
	fputc('\n', out);
	roff_words(str_of(o->help), out);
	option_write_facts(o, out);
	fputc('\n', out);
}

static void write_exit_codes(FILE *out)
{
	roff_section("EXIT STATUS", out);
	roff_text(S("0 when all was done; 2 for a mistake in what was asked. Other numbers tell what failed; "
		    "isobar(1) lists them."),
		out);
}

void command_write_man(const struct command *c, FILE *out)
{
	char name[128];
	snprintf(name, sizeof(name), "isobar-%s", c->name);
	for (char *p = name; *p; p++)
		if (*p == ' ')
			*p = '-';
	roff_title(name, 1, out);
	roff_section("NAME", out);
	write_page_name(c->name, out);
	fputs(" \\- ", out);
	roff_text(str_of(c->help), out);
	roff_section("SYNOPSIS", out);
	fputs("\\fBisobar ", out);
	roff_words(str_of(c->name), out);
	fprintf(out, "\\fR%s ", c->option_count ? " [\\fIOPTIONS\\fR]" : "");
	roff_text(str_of(c->arguments ? c->arguments : ""), out);
	if (c->option_count)
		roff_section("OPTIONS", out);
	for (size_t i = 0; i < c->option_count; i++)
		write_option(&c->options[i], out);
	if (c->example) {
		roff_section("EXAMPLE", out);
		roff_example(str_of(c->example), out);
	}
	write_exit_codes(out);
	roff_section("SEE ALSO", out);
	roff_text(S("isobar(1), isobar.yaml(5)"), out);
}

void commands_write_man(const struct command *const *commands, size_t count, FILE *out)
{
	roff_title("isobar", 1, out);
	roff_section("NAME", out);
	fputs("isobar \\- one place to run AI work on several clouds\n", out);
	roff_section("SYNOPSIS", out);
	fputs("\\fBisobar\\fR \\fICOMMAND\\fR [\\fIOPTIONS\\fR] [\\fIARGUMENTS\\fR]\n", out);
	roff_section("DESCRIPTION", out);
	roff_text(S("Isobar joins clouds: what a workspace declares is planned, applied and recorded; data is moved and "
		    "processed where it lies, models are trained on each cloud, deployed on every cloud and served "
		    "through one gateway. It works whole on one machine, on pocket clouds of its own. Each command has "
		    "a page of its own, such as isobar-plan(1), and prints it with --help."),
		out);
	roff_section("COMMANDS", out);
	for (size_t i = 0; i < count; i++) {
		fputs(".TP\n\\fB", out);
		write_page_name(commands[i]->name, out);
		fputs("\\fR(1)\n", out);
		roff_text(str_of(commands[i]->help), out);
	}
	roff_section("EXIT STATUS", out);
	exit_codes_write(&(struct exit_form){".TP\n", "\n", "\n"}, out);
	roff_section("ENVIRONMENT", out);
	fputs(".TP\nISOBAR_WORKSPACE\nfolder or file of the workspace, when no option says it\n"
	      ".TP\nISOBAR_ENV\nenvironment, when no option says it\n"
	      ".TP\nNO_COLOR\nno colours, also on a terminal\n",
		out);
	roff_section("SEE ALSO", out);
	roff_text(S("isobar.yaml(5)"), out);
}
