// SPDX-License-Identifier: Apache-2.0
// `isobar worker`: the process around a job, started by the local engine (--job FOLDER) or as the program of a
// provider's container (--package URL, --endpoint URL: worker_container.h).
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "cloud/job_files.h"
#include "cloud/registry.h"
#include "jobs/worker.h"
#include "jobs/worker_container.h"

struct worker_options {
	const char *job, *package, *endpoint;
};
static const struct option worker_options[] = {
	{.name = "job",
		.type = OPTION_TEXT,
		.offset = offsetof(struct worker_options, job),
		.argument = "FOLDER",
		.help = "folder of the job: spec.json, cloud.json"},
	{.name = "package",
		.type = OPTION_TEXT,
		.offset = offsetof(struct worker_options, package),
		.argument = "URL",
		.help = "of a job's package in a bucket; in a container, with the job's own credentials"},
	{.name = "endpoint",
		.type = OPTION_TEXT,
		.offset = offsetof(struct worker_options, endpoint),
		.argument = "URL",
		.help = "of a model in a bucket; in a container, becomes its model server"},
};

// The engine hands the lock over as descriptor 0; whoever starts a worker by hand gets the lock here.
static int hold_lock(struct call *c, const char *folder, int *fd)
{
	struct stat mine, wanted;
	const char *path = arena_printf(c->arena, "%s/" JOB_LOCK_FILE, folder).p;
	if (!path)
		return call_no_memory(c);
	if (fstat(STDIN_FILENO, &mine) == 0 && stat(path, &wanted) == 0 && mine.st_dev == wanted.st_dev &&
		mine.st_ino == wanted.st_ino)
		return 0;
	return lock_take(path, fd, &c->err);
}

static int run_with_cloud(struct call *c, const char *folder)
{
	AUTO(json) j = NULL;
	struct cloud_config config = {0};
	struct cloud cloud = {0};
	AUTO(fd) lock = -1;
	const char *path = arena_printf(c->arena, "%s/" JOB_CLOUD_FILE, folder).p;
	if (!path)
		return call_no_memory(c);
	if (hold_lock(c, folder, &lock) || json_parse_file(path, JOB_FILE_LIMIT, &j, &c->err) ||
		cloud_config_of_json(j, c->arena, &config, &c->err))
		return c->err.code;
	if (cloud_open(c, &config, &cloud))
		return c->err.code;
	int code = worker_run(c, folder, &cloud);
	cloud_close(&cloud);
	return code;
}

// Blocked and looked for (worker_stop_asked): it ends the job in order, not the worker at once.
static void block_term(void)
{
	sigset_t term;
	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_BLOCK, &term, NULL);
}

static int worker_main(const struct arguments *a)
{
	const struct worker_options *options = a->options;
	AUTO(arena) arena = {0};
	struct call c = {0};
	call_init(&c, &arena, edges_real(), S("system"));
	if ((options->job != NULL) + (options->package != NULL) + (options->endpoint != NULL) != 1) {
		fprintf(a->error, "isobar worker: one of --job, --package and --endpoint is needed\n");
		return err_exit_code(ERR_INVALID);
	}
	if (options->endpoint)
		return worker_endpoint_main(&c, options->endpoint);
	block_term();
	if (options->package)
		return worker_package_main(&c, options->package);
	char *folder = options->job ? realpath(options->job, NULL) : NULL;
	if (!folder) {
		fprintf(a->error, "isobar worker: --job must name the folder of a job\n");
		return err_exit_code(ERR_INVALID);
	}
	int code = run_with_cloud(&c, folder);
	if (code)
		log_err(LOG_ERROR, &c.err, "worker");
	free(folder);
	return code ? err_exit_code(code) : 0;
}

const struct command worker_command = {
	.name = "worker",
	.help = "run one job in its folder or container, or an endpoint's container",
	.example = "isobar worker --job .isobar/local/aws-us/jobs/transform+prepared+0f3a+aws-us",
	COMMAND_OPTIONS(worker_options, struct worker_options),
	.run = worker_main,
};
