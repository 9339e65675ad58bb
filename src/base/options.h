// SPDX-License-Identifier: Apache-2.0
// Commands and options as tables. One table per command drives parsing, --help, the manual, man pages and completion.
// `isobar [GLOBAL OPTIONS] COMMAND [SUBCOMMAND] [OPTIONS] [ARGUMENTS]`; "--name=value" and "--name value"; "--" ends
// options.
#ifndef ISOBAR_BASE_OPTIONS_H
#define ISOBAR_BASE_OPTIONS_H

#include <stdint.h>
#include <stdio.h>

#include "base/err.h"

enum option_type {
	OPTION_FLAG,     // bool
	OPTION_TEXT,     // const char *
	OPTION_INTEGER,  // int64_t
	OPTION_DURATION, // int64_t ns
	OPTION_CHOICE,   // const char *, one of `choices`
	OPTION_REPEAT,   // struct option_texts: may be given several times
};
struct option_texts {
	const char **items; // NULL-ended, owned by the parse's arena
	size_t count;
};
struct option {
	const char *name; // "listen" for --listen
	char letter;      // 'o' for -o; 0: none
	enum option_type type;
	size_t offset;         // in the command's options struct
	const char *argument;  // "HOST:PORT" in the help
	const char *otherwise; // default as written; NULL: none (flag false, text NULL, number 0)
	const char *help;      // one line
	const char *const *choices;
};

struct arguments {
	const void *options; // the command's struct, filled
	const char **rest;   // what is left, NULL-ended
	size_t count;
	FILE *out, *error;
	void *app; // what main.c passes: struct app, or a client for commands of cli/
};

struct command {
	const char *name;      // "plan"; "data ls" for a subcommand
	const char *arguments; // "[FOLDER]" for the help; NULL: none
	const char *help;      // one line
	const char *example;   // one or more lines
	const struct option *options;
	size_t option_count;
	size_t options_size;
	size_t min_arguments, max_arguments;   // max SIZE_MAX: any
	int (*run)(const struct arguments *a); // returns the exit code
};
#define COMMAND_OPTIONS(array, type) .options = (array), .option_count = COUNT_OF(array), .options_size = sizeof(type)

// Finds the command, parses, runs; prints help for --help, -h and `help COMMAND`, a list of commands without one; exit
// code 2 with one clear line for a usage error. Standard output is flushed: when that fails the exit code says so.
int command_main(const struct command *const *commands, size_t count, int argc, char **argv, void *app);
void command_write_help(const struct command *c, FILE *out);
// Markdown reference of all commands: docs/commands.md.
void command_write_reference(const struct command *const *commands, size_t count, FILE *out);
// Manual page of one command, isobar-COMMAND(1), and of the program, isobar(1), in man(7) macros.
void command_write_man(const struct command *c, FILE *out);
void commands_write_man(const struct command *const *commands, size_t count, FILE *out);
// Completion script of a shell of completion_shells (NULL-ended); false for another.
extern const char *const completion_shells[];
bool command_write_completion(const struct command *const *commands, size_t count, const char *shell, FILE *out);

#endif
