// SPDX-License-Identifier: Apache-2.0
// All that descends from a process, as /proc shows it: for whoever started a program and answers for what it does. With
// PR_SET_CHILD_SUBREAPER a process keeps even those whose parents have ended. Thread-safe.
#ifndef ISOBAR_BASE_PROCESS_TREE_H
#define ISOBAR_BASE_PROCESS_TREE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct process_tree {
	size_t count;     // of processes that have not ended
	uint64_t rss;     // bytes, of all together; what they share counts for each
	int64_t cpu_ns;   // processor time of those, without what they have waited for
};
// The descendants of a process, itself not among them.
void process_tree_look(pid_t root, struct process_tree *out);
// A signal to each of them; how many there were (0 for signal 0 counts only).
size_t process_tree_signal(pid_t root, int signal);
// SIGKILL to every process of a uid that only one job has; uid 0 is refused.
void process_kill_uid(uid_t uid);

#endif
