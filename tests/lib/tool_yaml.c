// SPDX-License-Identifier: Apache-2.0
// Prints what a YAML file says as JSON, by the reader of workspaces: tests compare it with what other readers make of it.
#include <stdio.h>

#include "base/file.h"
#include "base/json.h"
#include "base/node.h"

enum { MAX_FILE = 16 << 20 };

static int print(const char *path)
{
	AUTO(arena) arena = {0};
	AUTO(buf) text = {0};
	AUTO(buf) out = {0};
	struct findings f = {.arena = &arena};
	struct err e = {0};
	struct node *root = NULL;
	int rc = file_read(path, MAX_FILE, &text, &e);
	if (rc == 0 && node_parse_yaml(buf_str(&text), path, &f, &root) < 0)
		rc = findings_err(&f, ERR_INVALID, &e);
	AUTO(json) document = rc == 0 ? node_to_json(root) : NULL;
	if (rc == 0)
		rc = json_write(document, &out, &e);
	if (rc == 0)
		printf("%s\n", buf_cstr(&out));
	else
		fprintf(stderr, "%s\n", e.message);
	return rc < 0;
}

int main(int argc, char **argv)
{
	int failed = 0;
	for (int i = 1; i < argc; i++)
		failed |= print(argv[i]);
	return failed;
}
