// SPDX-License-Identifier: Apache-2.0
// The work folder of a local job and whose rights its command has. Started as root with the rights that takes, a
// command runs under a uid of its own that owns only its work folder, which then lies below /var/lib/isobar/work, since
// the folder of a workspace may not be open to others. Otherwise the command is the user that started Isobar, and the
// work folder lies in the job's folder. In both cases nothing of Isobar's credentials is in its environment or, with a
// uid of its own, within its reach. Thread-safe for different jobs.
#ifndef ISOBAR_CLOUD_JOB_WORK_H
#define ISOBAR_CLOUD_JOB_WORK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/err.h"

enum job_isolation { JOB_ISOLATION_SAME_USER, JOB_ISOLATION_OWN_UID };
enum job_isolation job_isolation(void);
const char *job_isolation_text(enum job_isolation isolation); // for `isobar status`

struct job_work { // paths in the arena
	const char *path;
	const char *data, *out, *checkpoint, *code, *tmp; // below path
	bool own_uid;                                     // the command gets a uid of its own
	uid_t uid;                                        // that one, once claimed; 0: the command runs as who we are
	gid_t gid;
	int claim; // lock on the uid, held as long as it is ours; -1: none. job_work_release
};
// Where the work folder of the job in `folder` is or would be. Makes nothing, claims nothing.
MUST_CHECK int job_work_find(struct arena *a, const char *folder, struct job_work *out, struct err *e);
// Claims a uid that no other job of this machine has as long as the claim is held. Whatever still runs under it was
// left by a job that ended, and may be killed.
MUST_CHECK int job_work_claim(struct job_work *w, struct err *e);
void job_work_release(struct job_work *w);
// Makes what is missing and empties all but checkpoint, which is kept across retries.
MUST_CHECK int job_work_make(const struct job_work *w, struct err *e);
// Gives everything below a folder of the work folder to the command. Follows no link.
MUST_CHECK int job_work_give(const struct job_work *w, const char *path, struct err *e);
MUST_CHECK int job_work_remove(const struct job_work *w, bool also_checkpoint, struct err *e);

// RLIMIT_AS for a program that may use `memory` bytes: address space is more than memory (libraries, stacks, arenas),
// so this bounds only runaways; the worker watches the resident size. 0 (no limit) in builds with sanitizers, whose
// shadows need terabytes.
uint64_t job_address_limit(uint64_t memory);

#endif
