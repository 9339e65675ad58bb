// SPDX-License-Identifier: Apache-2.0
// What options.c and options_help.c share.
#ifndef ISOBAR_BASE_OPTIONS_IMPL_H
#define ISOBAR_BASE_OPTIONS_IMPL_H

#include "base/options.h"

struct command_table {
	const struct command *const *commands;
	size_t count;
};

// Names and help of all commands, or of those of a group ("data").
void commands_write_list(const struct command_table *t, const char *group, FILE *out);

#endif
