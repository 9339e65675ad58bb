// SPDX-License-Identifier: Apache-2.0
// Runs a fuzz target on every file of the folders given, in the order of their names: what `make test` does with a
// corpus. A crash, or a check that fails, names the file. An empty folder is a mistake.
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "fuzz.h"

static int is_file(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static int replay_file(const char *folder, const char *name)
{
	char path[4096];
	struct err e = {0};
	AUTO(buf) input = {0};
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	printf("%s\n", path);
	fflush(stdout);
	if (file_read(path, 64 << 20, &input, &e) < 0) {
		fprintf(stderr, "%s\n", e.message);
		return 1;
	}
	// A copy of exactly the size, so that a sanitizer sees a read behind the end.
	uint8_t *exact = malloc(input.n ? input.n : 1);
	if (!exact)
		return 1;
	if (input.n)
		memcpy(exact, input.p, input.n);
	LLVMFuzzerTestOneInput(exact, input.n);
	free(exact);
	return 0;
}

static int replay_folder(const char *folder)
{
	struct dirent **entries;
	int count = scandir(folder, &entries, is_file, alphasort), failed = 0;
	if (count <= 0) {
		fprintf(stderr, "%s: no folder, or nothing in it\n", folder);
		return 1;
	}
	for (int i = 0; i < count; i++) {
		failed |= replay_file(folder, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	return failed;
}

int main(int argc, char **argv)
{
	int failed = argc < 2;
	for (int i = 1; i < argc; i++)
		failed |= replay_folder(argv[i]);
	return failed;
}
