// SPDX-License-Identifier: Apache-2.0
// See postgres_server.h.
#include "postgres_server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/str.h"

static int run(const char *act, const struct postgres_server *server, int out)
{
	pid_t child = fork();
	if (child == 0) {
		if (out >= 0)
			dup2(out, STDOUT_FILENO);
		execl("tests/lib/postgres", "postgres", act, server->folder, (char *)NULL);
		fprintf(stderr, "tests/lib/postgres is not there: run this in the root of the repository\n");
		_exit(1);
	}
	int status = 1;
	waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

// What it prints goes through a file: a pipe would be held open by the server that stays.
int postgres_server_start(struct postgres_server *server)
{
	char path[128];
	AUTO(buf) text = {0};
	snprintf(server->folder, sizeof(server->folder), "/tmp/isobar-postgres-XXXXXX");
	if (!mkdtemp(server->folder) || chmod(server->folder, 0755) < 0)
		return 1;
	snprintf(path, sizeof(path), "%s/told", server->folder);
	FILE *told = fopen(path, "w+");
	if (!told)
		return 1;
	int rc = run("start", server, fileno(told));
	fclose(told);
	if (rc == 0 && file_read(path, 4096, &text, NULL) < 0)
		rc = 1;
	struct str rest = buf_str(&text), line[3] = {{0}};
	for (size_t i = 0; i < COUNT_OF(line) && str_next(&rest, '\n', &line[i]); i++)
		;
	str_copy(server->url, sizeof(server->url), line[0]);
	str_copy(server->address, sizeof(server->address), line[1]);
	str_copy(server->ca_file, sizeof(server->ca_file), line[2]);
	if (rc != 0)
		postgres_server_stop(server);
	return rc;
}

void postgres_server_stop(struct postgres_server *server)
{
	if (server->folder[0])
		(void)run("stop", server, -1);
	if (server->folder[0] && file_remove_tree(server->folder, NULL) < 0)
		fprintf(stderr, "cannot remove %s\n", server->folder);
	server->folder[0] = '\0';
}
