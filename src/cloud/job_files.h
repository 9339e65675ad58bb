// SPDX-License-Identifier: Apache-2.0
// The folder of a job of the local engine: what the engine and the worker (jobs/worker.h), two processes, say to each
// other.
//     spec.json     what to run; written by the engine before the worker starts
//     cloud.json    how the worker opens its cloud (0600; the command never sees it)
//     lock          held by the worker as long as it lives; handed over at its start, so that there is no moment
//     without status.json   struct job_status and, while it runs, whose processes these are stop          a mark: the
//     job is to end, and is not to start again log, log.1    what the command wrote, the newest last; worker.log: what
//     the worker itself said
// The locks are base/lock.h's. Pure. Results live in the arena given.
#ifndef ISOBAR_CLOUD_JOB_FILES_H
#define ISOBAR_CLOUD_JOB_FILES_H

#include "base/lock.h"
#include "base/process.h"
#include "cloud/cloud.h"

enum {
	JOB_NAME_MAX = 200,
	JOB_FILE_LIMIT = 4 << 20, // of spec.json and status.json
	JOB_LOG_LIMIT = 8 << 20,  // of log; then it becomes log.1, and the log.1 before it is gone
	JOB_MAX_INPUTS = 64,
};
#define JOB_SPEC_FILE "spec.json"
#define JOB_CLOUD_FILE "cloud.json"
#define JOB_STATUS_FILE "status.json"
#define JOB_LOCK_FILE "lock"
#define JOB_STOP_FILE "stop"
#define JOB_LOG_FILE "log"
#define JOB_OLD_LOG_FILE "log.1"
#define JOB_WORKER_LOG_FILE "worker.log"

// Names are letters, digits, '.', '_', '-', '@' and '/'; no part is empty or starts with '.'. In the folder's name '/'
// is '+'.
MUST_CHECK int job_folder_name(struct arena *a, struct str job, struct str *out, struct err *e);
MUST_CHECK int job_name_of_folder(struct arena *a, struct str folder, struct str *out, struct err *e);

const char *job_state_text(enum job_state state); // "queued", "running", ...
MUST_CHECK int job_state_of_text(struct str text, enum job_state *out);
bool job_state_ended(enum job_state state); // SUCCEEDED, FAILED, STOPPED

// New references. Reading checks every member: ERR_CORRUPT names the one that is wrong.
json_t *job_spec_to_json(const struct job_spec *spec);
MUST_CHECK int job_spec_of_json(struct arena *a, const json_t *j, struct job_spec *out, struct err *e);
json_t *job_status_to_json(const struct job_status *status);
MUST_CHECK int job_status_of_json(struct arena *a, const json_t *j, struct job_status *out, struct err *e);
// {"pid", "start"}: a process that a file names, told from a later one with the same number.
json_t *job_process_to_json(const struct process *p);
struct process job_process_of_json(const json_t *j); // pid 0 when absent

#endif
