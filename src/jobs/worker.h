// SPDX-License-Identifier: Apache-2.0
// The worker: runs one job of the local engine in its folder (cloud/job_files.h; the contract with the command is
// docs/jobs.md). Takes the folder's lock and one of the machine's slots (as many as cores, so that jobs of several
// clouds do not thrash), brings the inputs, runs the command without credentials under limits, sends what it left,
// writes PREFIX/_SUCCESS last, then status.json. Started again after a kill it does the same to the same bytes; a job
// that has _SUCCESS is never run twice. Single-threaded but for downloads.
#ifndef ISOBAR_JOBS_WORKER_H
#define ISOBAR_JOBS_WORKER_H

#include "base/options.h"
#include "cloud/cloud.h"

extern const struct command worker_command; // isobar worker --job DIR

// The same with a cloud opened by the caller. A job that failed is 0 (its status says so); errors are those of the
// worker itself.
MUST_CHECK int worker_run(struct call *c, const char *folder, const struct cloud *cloud);

#endif
