// SPDX-License-Identifier: Apache-2.0
// The worker as the program of a provider's container: of a job (`isobar worker --package URL`) or of an endpoint
// (`isobar worker --endpoint URL`). Nothing of the operator's is there: how to open the cloud stands in the environment
// (cloud/job_package.h), the credentials are the job's own, from where its container runs (cloud/credentials.h), and no
// program that the worker starts can see them. Works in a folder of its own below the current one, or TMPDIR.
#ifndef ISOBAR_JOBS_WORKER_CONTAINER_H
#define ISOBAR_JOBS_WORKER_CONTAINER_H

#include "cloud/cloud.h"
#include "cloud/job_package.h"

// Runs the job with a cloud opened by the caller in a folder that exists, and tells how it ended. A job that failed is
// 0: *out says so. Errors are those of the worker itself.
MUST_CHECK int worker_run_package(struct call *c, const struct cloud *cloud, const struct job_package *p,
	const char *folder, struct job_status *out);
// What the container ends with: the command's own exit code when it failed, JOB_EXIT_LOST when it may be tried again.
int worker_exit_code(const struct job_status *status);

// The two programs; they give the exit code of the process. worker_endpoint_main returns only when it failed.
int worker_package_main(struct call *c, const char *url);
int worker_endpoint_main(struct call *c, const char *url);

#endif
