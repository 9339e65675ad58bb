// SPDX-License-Identifier: Apache-2.0
// The only file that sees every room: it builds struct app, the arrays of kinds and drivers, and the command table.
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		puts("isobar " ISOBAR_VERSION);
		return 0;
	}
	fputs("isobar: no command\n", stderr);
	return 2;
}
