// SPDX-License-Identifier: Apache-2.0
// Child processes: started from an argument vector (never a shell) in a process group of their own, with only the
// descriptors, environment and limits named here. The parent's death may end the child (PR_SET_PDEATHSIG) where asked.
// Thread-safe.
#ifndef ISOBAR_BASE_PROCESS_H
#define ISOBAR_BASE_PROCESS_H

#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

struct process_spec {
	const char *const *argv; // NULL-ended; argv[0] is a path (no search), or "self" for this very program
	const char *const
		*environment;  // NULL-ended "K=V"; NULL: only PATH, HOME, TZ, LANG, SSL_CERT_FILE, SSL_CERT_DIR of ours
	const char *directory; // NULL: ours
	int in, out, error;    // descriptors that become 0, 1, 2; -1: /dev/null
	bool new_session;      // setsid: survives us; else only a new process group
	bool die_with_parent;  // SIGKILL when the starting thread ends
	uint64_t max_memory;   // RLIMIT_AS in bytes; 0: none
	uint64_t max_cpu_s;    // RLIMIT_CPU; 0: none
	uint64_t max_file;     // RLIMIT_FSIZE; 0: none
	uint64_t max_descriptors; // RLIMIT_NOFILE; 0: 1024
	uid_t uid;                // run as, with no other groups and no way back; 0: unchanged
	gid_t gid;                // needed with uid
};

struct process {
	pid_t pid;            // also its process group
	uint64_t start_ticks; // field 22 of /proc/PID/stat: tells a reused pid from ours
};

MUST_CHECK int process_start(const struct process_spec *spec, struct process *out, struct err *e);
bool process_alive(const struct process *p); // by pid and start_ticks; a zombie counts as dead
// Waits at most timeout_ns (0: does not wait, -1: for ever). status as of wait(2), -1 when it was not our child: then
// its end is all that can be seen. ERR_TIMEOUT when still running. Reaps a child; ask once.
MUST_CHECK int process_wait(const struct process *p, int64_t timeout_ns, int *status, struct err *e);
void process_kill_group(const struct process *p, int signal); // only while it is still that process
// SIGTERM to the group, then SIGKILL to what is left of it when it has ended or grace_ns is over; reaps it when it is
// our child.
void process_stop(const struct process *p, int64_t grace_ns);
// The same for several, side by side: they share one grace.
void process_stop_all(const struct process *all, size_t count, int64_t grace_ns);
MUST_CHECK int process_identify(pid_t pid, struct process *out); // fills start_ticks; ERR_NOT_FOUND
// Whether a process was started with exactly this argument. A file that names a pid outlives the process, and numbers
// are used again (after a restart of the machine, of the lowest first): an announcement is believed only with this.
bool process_has_argument(pid_t pid, const char *argument);
const char *process_self_path(void);                             // /proc/self/exe resolved once; for argv[0] "self"

#endif
