// SPDX-License-Identifier: Apache-2.0
// Finding a command and reading its options into its struct: see options.h. What is printed for people (help, lists,
// the manual) stands in options_help.c.
#include "base/options.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/options_impl.h"
#include "base/time.h"

enum { EXIT_USAGE = 2 };

struct parse {
	const struct command *command;
	struct arena *arena;
	char *options;     // the command's struct
	const char **rest; // arguments so far
	size_t rest_count;
	bool wants_help;
};

// One line on standard error and where to look; the exit code of every usage error.
PRINTF_LIKE(2, 3) static int usage_error(const struct command *c, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	fprintf(stderr, "isobar%s%s: ", c ? " " : "", c ? c->name : "");
	vfprintf(stderr, format, args);
	fprintf(stderr, "; see isobar %s%s--help\n", c ? c->name : "", c ? " " : "");
	va_end(args);
	return EXIT_USAGE;
}

// No mistake of the user's.
static int no_memory(const struct command *c)
{
	fprintf(stderr, "isobar %s: out of memory\n", c->name);
	return err_exit_code(ERR_NO_MEMORY);
}

static void *place_of(const struct parse *p, const struct option *o)
{
	return p->options + o->offset;
}

static int add_repeat(const struct parse *p, const struct option *o, const char *value)
{
	struct option_texts *texts = place_of(p, o);
	const char **items = arena_new_array(p->arena, texts->count + 2, const char *);
	if (!items)
		return no_memory(p->command);
	if (texts->count)
		memcpy(items, texts->items, texts->count * sizeof(*items));
	items[texts->count++] = value;
	texts->items = items;
	return 0;
}

static int set_choice(const struct parse *p, const struct option *o, const char *value)
{
	for (const char *const *choice = o->choices; *choice; choice++)
		if (strcmp(*choice, value) == 0) {
			*(const char **)place_of(p, o) = *choice;
			return 0;
		}
	char known[256] = "";
	for (const char *const *choice = o->choices; *choice; choice++) {
		size_t n = strlen(known);
		snprintf(known + n, sizeof(known) - n, "%s%s", n ? ", " : "", *choice);
	}
	return usage_error(p->command, "--%s: expected one of %s, got \"%s\"", o->name, known, value);
}

static int set_value(const struct parse *p, const struct option *o, const char *value)
{
	void *place = place_of(p, o);
	switch (o->type) {
	case OPTION_FLAG:
		*(bool *)place = true;
		return 0;
	case OPTION_TEXT:
		*(const char **)place = value;
		return 0;
	case OPTION_INTEGER:
		if (str_to_i64(str_of(value), place) < 0)
			return usage_error(p->command, "--%s: expected a whole number, got \"%s\"", o->name, value);
		return 0;
	case OPTION_DURATION:
		if (duration_parse(str_of(value), place) < 0)
			return usage_error(
				p->command, "--%s: expected a duration such as 30s or 2h, got \"%s\"", o->name, value);
		return 0;
	case OPTION_CHOICE:
		return set_choice(p, o, value);
	case OPTION_REPEAT:
	default:
		return add_repeat(p, o, value);
	}
}

static int set_defaults(const struct parse *p)
{
	for (size_t i = 0; i < p->command->option_count; i++) {
		const struct option *o = &p->command->options[i];
		int rc = o->otherwise && o->type != OPTION_FLAG ? set_value(p, o, o->otherwise) : 0;
		if (rc)
			return rc;
	}
	return 0;
}

static const struct option *find_option(const struct command *c, struct str name)
{
	for (size_t i = 0; i < c->option_count; i++)
		if (str_eq(name, str_of(c->options[i].name)))
			return &c->options[i];
	return NULL;
}

static const struct option *find_letter(const struct command *c, char letter)
{
	for (size_t i = 0; i < c->option_count; i++)
		if (c->options[i].letter == letter)
			return &c->options[i];
	return NULL;
}

static struct str option_name_at(const void *ctx, size_t i)
{
	const struct command *c = ctx;
	return str_of(c->options[i].name);
}

static int unknown_option(const struct command *c, struct str name)
{
	struct str meant = str_closest(name, option_name_at, c, c->option_count);
	if (meant.n)
		return usage_error(c, "unknown option --%.*s; did you mean --%.*s?", STR(name), STR(meant));
	return usage_error(c, "unknown option --%.*s", STR(name));
}

// The option of argv[*at], whose value is behind '=' (value not NULL), attached, or the next argument.
static int take_option(struct parse *p, const struct option *o, const char *value, char **next)
{
	if (o->type == OPTION_FLAG && value)
		return usage_error(p->command, "--%s takes no value", o->name);
	if (o->type != OPTION_FLAG && !value && !*next)
		return usage_error(p->command, "--%s needs %s", o->name, o->argument ? o->argument : "a value");
	int rc = set_value(p, o, value || o->type == OPTION_FLAG ? value : *next);
	return rc ? rc : !value && o->type != OPTION_FLAG; // 1: the next argument was used
}

// `text` without its dashes.
static int take_long(struct parse *p, const char *text, char **next)
{
	struct str name, tail;
	bool has_value = str_cut(str_of(text), '=', &name, &tail);
	const struct option *o = find_option(p->command, name);
	if (!o && str_eq(name, S("help"))) {
		p->wants_help = true;
		return 0;
	}
	return o ? take_option(p, o, has_value ? tail.p : NULL, next) : unknown_option(p->command, name);
}

// "-o value", "-ovalue", or "-name" as Terraform writes its options.
static int take_short(struct parse *p, const char *text, char **next)
{
	struct str name, tail;
	str_cut(str_of(text), '=', &name, &tail);
	const struct option *o = find_letter(p->command, text[0]);
	if (name.n > 1 && (find_option(p->command, name) || str_eq(name, S("help"))))
		return take_long(p, text, next);
	if (!o && strcmp(text, "h") == 0) {
		p->wants_help = true;
		return 0;
	}
	if (!o)
		return usage_error(p->command, "unknown option -%s", text);
	return take_option(p, o, text[1] ? text + 1 : NULL, next);
}

// 0, 1 when the next argument was used too, or EXIT_USAGE.
static int take_argument(struct parse *p, char **at)
{
	const char *text = *at;
	if (text[0] != '-' || text[1] == '\0') {
		p->rest[p->rest_count++] = text;
		return 0;
	}
	return text[1] == '-' ? take_long(p, text + 2, at + 1) : take_short(p, text + 1, at + 1);
}

static int read_arguments(struct parse *p, char **argv)
{
	for (char **at = argv; *at; at++) {
		if (strcmp(*at, "--") == 0) {
			for (at++; *at; at++)
				p->rest[p->rest_count++] = *at;
			return 0;
		}
		int used = take_argument(p, at);
		if (used == EXIT_USAGE)
			return EXIT_USAGE;
		at += used;
	}
	return 0;
}

static int check_count(const struct parse *p)
{
	const struct command *c = p->command;
	const char *wanted = c->arguments ? c->arguments : "no arguments";
	if (p->rest_count < c->min_arguments)
		return usage_error(
			c, "needs %s, got %zu argument%s", wanted, p->rest_count, p->rest_count == 1 ? "" : "s");
	if (p->rest_count > c->max_arguments)
		return usage_error(c, "takes %s; \"%s\" is too much", wanted, p->rest[c->max_arguments]);
	return 0;
}

// What a command printed may still be in memory; a full disk shows only now.
static int finish(int code)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return code;
	fprintf(stderr, "isobar: write standard output: %s\n", strerror(errno));
	return code ? code : err_exit_code(ERR_IO);
}

static int run_command(const struct command *c, char **argv, void *app)
{
	AUTO(arena) arena = {0};
	struct parse p = {.command = c, .arena = &arena};
	size_t n = 0;
	while (argv[n])
		n++;
	p.options = arena_alloc(&arena, c->options_size);
	p.rest = arena_new_array(&arena, n + 1, const char *);
	if (!p.options || !p.rest)
		return no_memory(c);
	int rc = set_defaults(&p);
	rc = rc ? rc : read_arguments(&p, argv);
	if (rc == 0 && p.wants_help) {
		command_write_help(c, stdout);
		return finish(0);
	}
	rc = rc ? rc : check_count(&p);
	if (rc)
		return rc;
	struct arguments a = {.options = p.options,
		.rest = p.rest,
		.count = p.rest_count,
		.out = stdout,
		.error = stderr,
		.app = app};
	return finish(c->run(&a));
}

static const struct command *find_command(const struct command_table *t, struct str name)
{
	for (size_t i = 0; i < t->count; i++)
		if (str_eq(name, str_of(t->commands[i]->name)))
			return t->commands[i];
	return NULL;
}

static struct str command_name_at(const void *ctx, size_t i)
{
	const struct command_table *t = ctx;
	return str_of(t->commands[i]->name);
}

// The command of the first one or two words; *used words. The longer name wins: "data ls" before "data".
static const struct command *match(const struct command_table *t, char **words, int *used)
{
	char both[128];
	if (words[1] && snprintf(both, sizeof(both), "%s %s", words[0], words[1]) < (int)sizeof(both)) {
		*used = 2;
		const struct command *c = find_command(t, str_of(both));
		if (c)
			return c;
	}
	*used = 1;
	return find_command(t, str_of(words[0]));
}

static bool is_group(const struct command_table *t, const char *word)
{
	struct str head, tail;
	for (size_t i = 0; i < t->count; i++)
		if (str_cut(str_of(t->commands[i]->name), ' ', &head, &tail) && str_eq(head, str_of(word)))
			return true;
	return false;
}

static int no_such_command(const struct command_table *t, char **words)
{
	char text[128];
	bool group = is_group(t, words[0]);
	bool more = group && words[1] && words[1][0] != '-';
	snprintf(text, sizeof(text), more ? "%s %s" : "%s", words[0], more ? words[1] : "");
	bool help = group && words[1] && (strcmp(words[1], "--help") == 0 || strcmp(words[1], "-h") == 0);
	if (help || (group && !more)) {
		commands_write_list(t, words[0], help ? stdout : stderr);
		return help ? finish(0) : EXIT_USAGE;
	}
	struct str meant = str_closest(str_of(text), command_name_at, t, t->count);
	if (meant.n)
		return usage_error(NULL, "unknown command \"%s\"; did you mean \"%.*s\"?", text, STR(meant));
	return usage_error(NULL, "unknown command \"%s\"", text);
}

int command_main(const struct command *const *commands, size_t count, int argc, char **argv, void *app)
{
	struct command_table table = {.commands = commands, .count = count};
	if (argc < 2) {
		commands_write_list(&table, NULL, stderr);
		return EXIT_USAGE;
	}
	char **words = argv + 1;
	bool asks_help = strcmp(words[0], "help") == 0;
	if (strcmp(words[0], "--help") == 0 || strcmp(words[0], "-h") == 0 || (asks_help && !words[1])) {
		commands_write_list(&table, NULL, stdout);
		return finish(0);
	}
	int used = 0;
	const struct command *c = match(&table, asks_help ? words + 1 : words, &used);
	if (c && asks_help) {
		command_write_help(c, stdout);
		return finish(0);
	}
	return c ? run_command(c, words + used, app) : no_such_command(&table, asks_help ? words + 1 : words);
}
