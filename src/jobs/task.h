// SPDX-License-Identifier: Apache-2.0
// Jobs until they are done: submits each on its cloud, waits, submits a lost one again (under the same name: its engine
// knows what was begun), and gives the statuses. A reconciler underneath, so that a killed control plane goes on where
// it stopped and no job runs twice to completion. Actions are named by the jobs: "JOB/submit", "JOB/done".
#ifndef ISOBAR_JOBS_TASK_H
#define ISOBAR_JOBS_TASK_H

#include "jobs/step.h"

enum { TASK_MAX_LOST = 3 }; // then a job that is lost again has failed

struct task {
	const struct cloud *cloud;
	struct job_spec spec;
	struct job_status status; // out
};

// All must succeed: ERR_FAILED with the job, its reason and the end of its log. step gives state, address and progress.
MUST_CHECK int tasks_run(struct call *c, const struct step *step, struct task *tasks, size_t count);

#endif
