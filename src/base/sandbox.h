// SPDX-License-Identifier: Apache-2.0
// What a program that is not ours runs as: as root a uid that nothing else on the machine has, else a user namespace in
// which folders of ours are hidden, else the same user. Thread-safe, but for the functions that change this process.
#ifndef ISOBAR_BASE_SANDBOX_H
#define ISOBAR_BASE_SANDBOX_H

#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

#define SANDBOX_WORK_ROOT "/var/lib/isobar/work" // work folders of uids: where nobody's home or workspace closes the way
enum { SANDBOX_PATH_SIZE = 64 };

enum sandbox_kind { SANDBOX_SAME_USER, SANDBOX_NAMESPACE, SANDBOX_OWN_UID };
enum sandbox_kind sandbox_kind(void);                  // the best that there is here; tries it out in a child
const char *sandbox_kind_text(enum sandbox_kind kind); // for status: "each job runs under a uid of its own"
bool sandbox_can_own_uid(void);   // root, with the rights that takes
bool sandbox_can_namespace(void); // the kernel lets this user make one

// The work folder of what lies in `folder`, for a uid of its own. Makes nothing.
void sandbox_work_path(const char *folder, char out[SANDBOX_PATH_SIZE]);

struct sandbox_uid {
	uid_t uid; // 0: none
	gid_t gid;
	int claim; // lock on the uid, held as long as it is ours; -1: none
};
// Claims a uid that no other job of this machine has as long as the claim is held. Whatever still runs under it was
// left by a job that ended, and may be killed. work: as sandbox_work_path() gives it. ERR_LIMIT.
MUST_CHECK int sandbox_uid_claim(const char *work, struct sandbox_uid *out, struct err *e);
void sandbox_uid_release(struct sandbox_uid *u);
// Gives everything below a folder to the uid. Follows no link. uid 0: nothing.
MUST_CHECK int sandbox_give(const struct sandbox_uid *u, const char *path, struct err *e);

// Puts this process (one thread) and its children into a user and mount namespace of their own in which `root` shows
// nothing but what lies in root/keep; keep: a path below root, without '..'. Children have no capabilities and no way to
// get some. For a process that then starts the program and does nothing else.
MUST_CHECK int sandbox_enter(const char *root, const char *keep, struct err *e);

// RLIMIT_AS for a program that may use `memory` bytes: address space is more than memory (libraries, stacks, arenas),
// so this bounds only runaways; whoever watches the program looks at the resident size. 0 (no limit) in builds with
// sanitizers, whose shadows need terabytes.
uint64_t sandbox_address_limit(uint64_t memory);

#endif
