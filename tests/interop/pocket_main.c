// SPDX-License-Identifier: Apache-2.0
// isobar pocket alone, for tests that need a pocket cloud as a process and nothing else of the program.
#include "pocket/pocket.h"

int main(int argc, char **argv)
{
	const struct command *const commands[] = {&pocket_command};
	return command_main(commands, 1, argc, argv, NULL);
}
