// SPDX-License-Identifier: Apache-2.0
// isobar pocket run: the supervisor of one job, started by a pocket cloud. isobar pocket end: ends what a pocket cloud
// that was killed left running.
#include <stdlib.h>

#include "base/log.h"
#include "base/options.h"
#include "base/time.h"
#include "pocket/engine/engine_impl.h"
#include "pocket/pocket.h"

#define END_GRACE_NS (2 * NS_PER_S)

static int run_job(const struct arguments *a)
{
	struct err e = {0};
	int rc = supervisor_run(a->rest[0], &e);
	if (rc == 0 || rc == ERR_IN_USE) // another supervisor has it: nothing is wrong
		return 0;
	log_err(LOG_ERROR, &e, "isobar pocket run");
	return err_exit_code(rc);
}

const struct command pocket_run_command = {
	.name = "pocket run",
	.arguments = "FOLDER",
	.help = "look after one job of a pocket cloud, which starts this itself",
	.example = "isobar pocket run /tmp/mine/engine/train-1",
	.min_arguments = 1,
	.max_arguments = 1,
	.run = run_job,
};

static int end_all(const struct arguments *a)
{
	struct err e = {0};
	char *root = realpath(a->rest[0], NULL);
	int rc = engine_end_root(root ? root : a->rest[0], END_GRACE_NS, &e);
	free(root);
	if (rc == 0)
		return 0;
	log_err(LOG_ERROR, &e, "isobar pocket end");
	return err_exit_code(rc);
}

const struct command pocket_end_command = {
	.name = "pocket end",
	.arguments = "FOLDER",
	.help = "end the jobs and servers that a pocket cloud which was killed has left",
	.example = "isobar pocket end /tmp/mine",
	.min_arguments = 1,
	.max_arguments = 1,
	.run = end_all,
};
