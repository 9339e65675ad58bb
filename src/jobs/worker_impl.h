// SPDX-License-Identifier: Apache-2.0
// What the parts of the worker share. One job, one thread (downloads use a few of their own).
#ifndef ISOBAR_JOBS_WORKER_IMPL_H
#define ISOBAR_JOBS_WORKER_IMPL_H

#include "cloud/job_files.h"
#include "cloud/job_package.h"
#include "cloud/job_work.h"

// Limits of a job's command, for what its specification does not say.
#define WORKER_DEFAULT_MEMORY (UINT64_C(4) << 30)
#define WORKER_MAX_FILE (UINT64_C(64) << 30) // one file that it writes
enum {
	WORKER_MAX_DESCRIPTORS = 4096,
	WORKER_MAX_OBJECTS = 100000, // of all inputs, and of the output
	WORKER_MAX_DEPTH = 32,       // of folders in code and output
	WORKER_DOWNLOADS = 4,        // at once
};

struct worker {
	struct call *c;
	const char *folder; // of the job, absolute
	const struct cloud *cloud;
	struct job_spec spec;
	struct job_status status;
	struct job_work work;
	struct process self, command; // command.pid 0: not running
	// In a provider's container: the job's package, where status and checkpoint go; SIGTERM means then that the
	// machine is taken away. NULL: the local engine's.
	const struct job_package *package;
};

// worker.c
const char *worker_path(struct worker *w, const char *file); // in the job's folder; NULL without memory
bool worker_stop_asked(const struct worker *w);              // by the mark or by SIGTERM
enum job_state worker_stopped_state(const struct worker *w); // of a job that worker_stop_asked() ended
struct str worker_stopped_reason(const struct worker *w);
MUST_CHECK int worker_write_status(struct worker *w);
// As long as the surroundings may come back, a few times.
MUST_CHECK int worker_with_retries(struct worker *w, int (*act)(struct worker *w));
// A job whose specification is in the folder, from its beginning to its end; the status says which.
MUST_CHECK int worker_course(struct worker *w);

// worker_code.c, worker_in.c, worker_out.c
MUST_CHECK int worker_copy_code(struct worker *w);
MUST_CHECK int worker_stage_in(struct worker *w);
// Sends everything below work.out and, last, PREFIX/_SUCCESS {"job", "files": [{"name", "size", "sha256"}]}.
MUST_CHECK int worker_stage_out(
	struct worker *w, bool again); // again: an earlier run may have left other objects there
// Whether PREFIX/_SUCCESS is there already. ERR_CONFLICT when another job wrote it.
MUST_CHECK int worker_output_done(struct worker *w, bool *done);

// worker_slot.c: at most one and a half commands a core run at once on this machine, for each user. *fd is held while
// one runs. Returns 0 with *fd -1 when the job was stopped while it waited.
MUST_CHECK int worker_slot_take(struct worker *w, int *fd);

// worker_log.c: the job's log, bounded.
struct job_log {
	const char *path, *old_path;
	int fd;
	uint64_t size;
	bool echo; // also to standard output, where a provider collects it
};
MUST_CHECK int job_log_open(struct worker *w, struct job_log *log);
MUST_CHECK int job_log_add(struct worker *w, struct job_log *log, struct str text);
void job_log_close(struct job_log *log);
struct str job_log_last_line(struct worker *w); // printable, at most 200 bytes; "" when there is none

// worker_exec.c: runs the command to its end and fills status.state, exit_code, reason, cpu_s, peak_rss. Errors are the
// worker's own.
MUST_CHECK int worker_exec(struct worker *w);

// worker_proc.c: what the system knows of processes.
uint64_t proc_group_rss(pid_t group); // bytes, all its members together

#endif
