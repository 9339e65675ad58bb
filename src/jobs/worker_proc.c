// SPDX-License-Identifier: Apache-2.0
// Processes as /proc shows them.
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "jobs/worker_impl.h"

struct proc_stat {
	pid_t group;
	uint64_t rss; // bytes
};

// Fields 5 (process group) and 24 (resident pages) of proc(5) stat; the name in parentheses may hold anything.
static bool read_stat(int proc, const char *pid, struct proc_stat *out)
{
	char path[64], text[1024];
	snprintf(path, sizeof(path), "%.20s/stat", pid);
	AUTO(fd) fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (n <= 0)
		return false;
	text[n] = '\0';
	const char *after = strrchr(text, ')');
	int group;
	unsigned long pages;
	if (!after || sscanf(after + 1,
			      " %*c %*d %d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %*u %*u %lu",
			      &group, &pages) != 2)
		return false;
	*out = (struct proc_stat){.group = group, .rss = (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE)};
	return true;
}

static DIR *open_proc(void)
{
	return opendir("/proc");
}

uint64_t proc_group_rss(pid_t group)
{
	DIR *d = open_proc();
	uint64_t sum = 0;
	for (struct dirent *entry; d && (entry = readdir(d));) {
		struct proc_stat s;
		if (isdigit((unsigned char)entry->d_name[0]) && read_stat(dirfd(d), entry->d_name, &s) &&
			s.group == group)
			sum += s.rss;
	}
	if (d)
		closedir(d);
	return sum;
}
