// SPDX-License-Identifier: Apache-2.0
// The only file that sees every room: it builds struct app, the arrays of kinds and drivers, and the command table.
#include <stdio.h>
#include <string.h>

#include "pocket/pocket.h"
#include "serve/serve.h"
#include "train/trainers.h"

static const struct command *const commands[] = {&pocket_command, &serve_command, &trainer_command};

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		puts("isobar " ISOBAR_VERSION);
		return 0;
	}
	return command_main(commands, COUNT_OF(commands), argc, argv, NULL);
}
