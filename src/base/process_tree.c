// SPDX-License-Identifier: Apache-2.0
// Trees of processes: see process_tree.h. One pass over /proc reads who is whose child; a child's number is not always
// above its parent's, so marking goes on until nothing is added.
#include "base/process_tree.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/time.h"

struct proc {
	pid_t pid, parent;
	char state;
	bool inside;
	uint64_t rss;
	int64_t cpu_ns;
};
struct procs {
	struct proc *all;
	size_t count, room;
};

// Fields 3 (state), 4 (parent), 14 and 15 (user and system time), 24 (resident pages) of proc(5) stat; the name in
// parentheses may hold anything.
static bool read_proc(int folder, const char *pid, struct proc *out)
{
	char path[64], text[1024], state;
	snprintf(path, sizeof(path), "%.20s/stat", pid);
	AUTO(fd) fd = openat(folder, path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (n <= 0)
		return false;
	text[n] = '\0';
	const char *after = strrchr(text, ')');
	int parent;
	unsigned long user, system, pages;
	if (!after || sscanf(after + 1,
			      " %c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %*d %*d %*d %*d %*d %*d %*u %*u %lu",
			      &state, &parent, &user, &system, &pages) != 5)
		return false;
	int64_t tick_ns = NS_PER_S / sysconf(_SC_CLK_TCK);
	*out = (struct proc){.pid = (pid_t)strtol(pid, NULL, 10),
		.parent = parent,
		.state = state,
		.rss = (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE),
		.cpu_ns = (int64_t)(user + system) * tick_ns};
	return true;
}

static bool add(struct procs *p, const struct proc *one)
{
	if (p->count == p->room) {
		size_t room = p->room ? p->room * 2 : 256;
		struct proc *more = reallocarray(p->all, room, sizeof(*more));
		if (!more)
			return false;
		p->all = more;
		p->room = room;
	}
	p->all[p->count++] = *one;
	return true;
}

static void read_all(struct procs *p)
{
	DIR *d = opendir("/proc");
	for (struct dirent *entry; d && (entry = readdir(d));) {
		struct proc one;
		if (isdigit((unsigned char)entry->d_name[0]) && read_proc(dirfd(d), entry->d_name, &one) &&
			!add(p, &one))
			break;
	}
	if (d)
		closedir(d);
}

static bool is_inside(const struct procs *p, pid_t root, pid_t parent)
{
	if (parent == root)
		return true;
	for (size_t i = 0; i < p->count; i++)
		if (p->all[i].pid == parent)
			return p->all[i].inside;
	return false;
}

static void mark(struct procs *p, pid_t root)
{
	bool added;
	do {
		added = false;
		for (size_t i = 0; i < p->count; i++) {
			struct proc *one = &p->all[i];
			if (one->inside || one->parent <= 1 || !is_inside(p, root, one->parent))
				continue;
			one->inside = true;
			added = true;
		}
	} while (added);
}

static bool counts(const struct proc *one)
{
	return one->inside && one->state != 'Z' && one->state != 'X';
}

void process_tree_look(pid_t root, struct process_tree *out)
{
	struct procs p = {0};
	*out = (struct process_tree){0};
	read_all(&p);
	mark(&p, root);
	for (size_t i = 0; i < p.count; i++) {
		if (!counts(&p.all[i]))
			continue;
		out->count++;
		out->rss += p.all[i].rss;
		out->cpu_ns += p.all[i].cpu_ns;
	}
	free(p.all);
}

size_t process_tree_signal(pid_t root, int signal)
{
	struct procs p = {0};
	size_t count = 0;
	read_all(&p);
	mark(&p, root);
	for (size_t i = 0; i < p.count; i++)
		if (counts(&p.all[i]) && kill(p.all[i].pid, signal) == 0)
			count++;
	free(p.all);
	return count;
}

void process_kill_uid(uid_t uid)
{
	DIR *d = uid ? opendir("/proc") : NULL;
	for (struct dirent *entry; d && (entry = readdir(d));) {
		struct stat s;
		if (!isdigit((unsigned char)entry->d_name[0]) || fstatat(dirfd(d), entry->d_name, &s, 0) < 0 ||
			s.st_uid != uid)
			continue;
		pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
		if (pid > 1)
			(void)kill(pid, SIGKILL);
	}
	if (d)
		closedir(d);
}
