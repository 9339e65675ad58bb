// SPDX-License-Identifier: Apache-2.0
// Completion scripts for shells, from the tables of commands: see options.h. The scripts hold commands, options and
// choices; addresses are asked from `isobar addresses`, which reads the workspace only.
#include <string.h>

#include "base/options.h"
#include "base/options_impl.h"

// What an argument of a command is, by the word that its synopsis uses.
enum completes { COMPLETES_NOTHING, COMPLETES_FILES, COMPLETES_ADDRESSES };
static enum completes completes_of(const char *arguments)
{
	static const struct {
		const char *word;
		enum completes what;
	} words[] = {
		{"ADDRESS", COMPLETES_ADDRESSES},
		{"GOAL", COMPLETES_ADDRESSES},
		{"THING", COMPLETES_ADDRESSES},
		{"FOLDER", COMPLETES_FILES},
		{"FILE", COMPLETES_FILES},
		{"DIR", COMPLETES_FILES},
		{"PATH", COMPLETES_FILES},
		{"PLACE", COMPLETES_FILES},
		{"FROM", COMPLETES_FILES},
	};
	for (size_t i = 0; arguments && i < COUNT_OF(words); i++)
		if (strstr(arguments, words[i].word))
			return words[i].what;
	return COMPLETES_NOTHING;
}

// The words that may follow `group` ("" for the first word), each once: "plan apply data ...".
static void write_next_words(const struct command_table *t, const char *group, FILE *out)
{
	size_t n = strlen(group);
	const char *gap = "";
	for (size_t i = 0; i < t->count; i++) {
		const char *name = t->commands[i]->name;
		if (n && (strncmp(name, group, n) != 0 || name[n] != ' '))
			continue;
		const char *word = name + (n ? n + 1 : 0);
		size_t length = strcspn(word, " ");
		bool seen = false;
		for (size_t j = 0; j < i && !seen; j++)
			seen = strncmp(t->commands[j]->name, name, (size_t)(word - name) + length) == 0 &&
				strchr(" ", t->commands[j]->name[(size_t)(word - name) + length]) != NULL;
		if (seen)
			continue;
		fprintf(out, "%s%.*s", gap, (int)length, word);
		gap = " ";
	}
}

static void write_option_words(const struct command *c, FILE *out)
{
	for (size_t i = 0; i < c->option_count; i++)
		fprintf(out, "--%s ", c->options[i].name);
	fputs("--help", out);
}

static void write_choices(const struct option *o, FILE *out)
{
	for (const char *const *choice = o->choices; *choice; choice++)
		fprintf(out, "%s%s", choice == o->choices ? "" : " ", *choice);
}

// Calls each(first word) once for every group of commands that have two words.
static void each_group(const struct command_table *t, void (*each)(const struct command_table *, const char *, FILE *),
	FILE *out)
{
	char last[64] = "";
	for (size_t i = 0; i < t->count; i++) {
		const char *space = strchr(t->commands[i]->name, ' ');
		char group[64];
		if (!space)
			continue;
		snprintf(group, sizeof(group), "%.*s", (int)(space - t->commands[i]->name), t->commands[i]->name);
		if (strcmp(group, last) != 0)
			each(t, group, out);
		snprintf(last, sizeof(last), "%s", group);
	}
}

static bool is_command(const struct command_table *t, const char *name)
{
	for (size_t i = 0; i < t->count; i++)
		if (strcmp(t->commands[i]->name, name) == 0)
			return true;
	return false;
}

// ---------------------------------------------------------------- bash
static void bash_group(const struct command_table *t, const char *group, FILE *out)
{
	fprintf(out, "\t\"%s\") words=\"", group);
	write_next_words(t, group, out);
	fputs("\" ;;\n", out);
}

static void bash_known_words(const struct command_table *t, FILE *out)
{
	fputs("\t\tcase \"$command $word\" in\n", out);
	for (size_t i = 0; i < t->count; i++)
		fprintf(out, "\t\t\"%s%s\") command=\"${command:+$command }$word\" ;;\n",
			strchr(t->commands[i]->name, ' ') ? "" : " ", t->commands[i]->name);
	fputs("\t\tesac\n", out);
}

static void bash_group_word(const struct command_table *t, const char *group, FILE *out)
{
	if (!is_command(t, group))
		fprintf(out, "\t\t[[ -z $command && $word == %s ]] && command=%s\n", group, group);
}

static void bash_choices(const struct command *c, FILE *out)
{
	for (size_t i = 0; i < c->option_count; i++) {
		const struct option *o = &c->options[i];
		if (!o->choices)
			continue;
		fprintf(out, "\t\"%s:--%s\"", c->name, o->name);
		if (o->letter)
			fprintf(out, " | \"%s:-%c\"", c->name, o->letter);
		fputs(") words=\"", out);
		write_choices(o, out);
		fputs("\"; choice=1 ;;\n", out);
	}
}

static void bash_arguments(const struct command *c, FILE *out)
{
	static const char *const action[] = {
		[COMPLETES_FILES] = "files=1",
		[COMPLETES_ADDRESSES] = "words=\"$(isobar addresses -- \"$current\" 2>/dev/null)\"",
	};
	enum completes what = completes_of(c->arguments);
	if (what != COMPLETES_NOTHING)
		fprintf(out, "\t\"%s\") %s ;;\n", c->name, action[what]);
}

static void write_bash(const struct command_table *t, FILE *out)
{
	fputs("# bash completion of isobar, written by: isobar completion bash\n_isobar() {\n"
	      "\tlocal current=\"${COMP_WORDS[COMP_CWORD]}\" previous=\"${COMP_WORDS[COMP_CWORD-1]}\"\n"
	      "\tlocal command=\"\" words=\"\" choice=\"\" files=\"\" word i\n"
	      "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n\t\tword=${COMP_WORDS[i]}\n",
		out);
	bash_known_words(t, out);
	each_group(t, bash_group_word, out);
	fputs("\tdone\n\tcase \"$command:$previous\" in\n", out);
	for (size_t i = 0; i < t->count; i++)
		bash_choices(t->commands[i], out);
	fputs("\tesac\n\tif [[ -z $choice && ( $current == -* || -z $command ) ]]; then case \"$command\" in\n"
	      "\t\"\") words=\"",
		out);
	write_next_words(t, "", out);
	fputs(" help --version\" ;;\n", out);
	for (size_t i = 0; i < t->count; i++) {
		fprintf(out, "\t\"%s\") words=\"", t->commands[i]->name);
		write_option_words(t->commands[i], out);
		fputs("\" ;;\n", out);
	}
	fputs("\tesac; elif [[ -z $choice ]]; then case \"$command\" in\n", out);
	each_group(t, bash_group, out);
	for (size_t i = 0; i < t->count; i++)
		bash_arguments(t->commands[i], out);
	fputs("\tesac; fi\n"
	      "\tlocal IFS=$'\\n'\n"
	      "\tif [[ -n $files ]]; then COMPREPLY=($(compgen -f -- \"$current\")); compopt -o filenames 2>/dev/null\n"
	      "\telif [[ $words == *$'\\n'* || $words == */* ]]; then COMPREPLY=($(compgen -W \"$words\" -- \"$current\")); COMPREPLY=(\"${COMPREPLY[@]// /\\\\ }\")\n"
	      "\telse COMPREPLY=($(IFS=' '; compgen -W \"$words\" -- \"$current\")); fi\n"
	      "}\ncomplete -F _isobar isobar\n",
		out);
}

// ---------------------------------------------------------------- zsh, fish
// zsh runs the script of bash under its own emulation: one set of rules for both.
static void write_zsh(const struct command_table *t, FILE *out)
{
	fputs("#compdef isobar\n# zsh completion of isobar, written by: isobar completion zsh\n"
	      "autoload -Uz bashcompinit && bashcompinit\n",
		out);
	write_bash(t, out);
}

// For fish: a text in single quotes.
static void write_quoted(const char *text, FILE *out)
{
	fputc('\'', out);
	for (; *text; text++) {
		if (*text == '\'' || *text == '\\')
			fputc('\\', out);
		fputc(*text, out);
	}
	fputc('\'', out);
}

// "plan" is seen; for "data ls" both words.
static void fish_condition(const char *name, FILE *out)
{
	const char *space = strchr(name, ' ');
	if (space)
		fprintf(out, " -n '__fish_seen_subcommand_from %.*s; and __fish_seen_subcommand_from %s'",
			(int)(space - name), name, space + 1);
	else
		fprintf(out, " -n '__fish_seen_subcommand_from %s'", name);
}

static void fish_option(const struct command *c, const struct option *o, FILE *out)
{
	fputs("complete -c isobar", out);
	fish_condition(c->name, out);
	fprintf(out, " -l %s", o->name);
	if (o->letter)
		fprintf(out, " -s %c", o->letter);
	if (o->type != OPTION_FLAG)
		fputs(" -r", out);
	if (o->choices) {
		fputs(" -f -a '", out);
		write_choices(o, out);
		fputc('\'', out);
	}
	fputs(" -d ", out);
	write_quoted(o->help, out);
	fputc('\n', out);
}

static void fish_command(const struct command *c, FILE *out)
{
	const char *space = strchr(c->name, ' ');
	if (space)
		fprintf(out, "complete -c isobar -f -n '__fish_seen_subcommand_from %.*s' -a %s -d ",
			(int)(space - c->name), c->name, space + 1);
	else
		fprintf(out, "complete -c isobar -f -n __fish_use_subcommand -a %s -d ", c->name);
	write_quoted(c->help, out);
	fputc('\n', out);
	for (size_t i = 0; i < c->option_count; i++)
		fish_option(c, &c->options[i], out);
	if (completes_of(c->arguments) == COMPLETES_ADDRESSES) {
		fputs("complete -c isobar -f", out);
		fish_condition(c->name, out);
		fputs(" -a '(isobar addresses -- (commandline -ct) 2>/dev/null)'\n", out);
	}
}

static void fish_group(const struct command_table *t, const char *group, FILE *out)
{
	if (!is_command(t, group))
		fprintf(out, "complete -c isobar -f -n __fish_use_subcommand -a %s\n", group);
}

static void write_fish(const struct command_table *t, FILE *out)
{
	fputs("# fish completion of isobar, written by: isobar completion fish\n", out);
	each_group(t, fish_group, out);
	for (size_t i = 0; i < t->count; i++)
		fish_command(t->commands[i], out);
}

const char *const completion_shells[] = {"bash", "zsh", "fish", NULL};

bool command_write_completion(const struct command *const *commands, size_t count, const char *shell, FILE *out)
{
	static void (*const writers[])(const struct command_table *, FILE *) = {write_bash, write_zsh, write_fish};
	const struct command_table t = {commands, count};
	for (size_t i = 0; i < COUNT_OF(writers); i++)
		if (strcmp(shell, completion_shells[i]) == 0) {
			writers[i](&t, out);
			return true;
		}
	return false;
}
