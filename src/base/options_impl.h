// SPDX-License-Identifier: Apache-2.0
// What the files of options.h share.
#ifndef ISOBAR_BASE_OPTIONS_IMPL_H
#define ISOBAR_BASE_OPTIONS_IMPL_H

#include "base/options.h"

struct command_table {
	const struct command *const *commands;
	size_t count;
};

// Names and help of all commands, or of those of a group ("data").
void commands_write_list(const struct command_table *t, const char *group, FILE *out);

// " (a | b; default a; may be repeated)": what a reader must know beside the help.
void option_write_facts(const struct option *o, FILE *out);

struct exit_form { // how a line of the list of exit codes is written
	const char *before, *between, *after;
};
void exit_codes_write(const struct exit_form *form, FILE *out);

#endif
