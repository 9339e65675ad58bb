// SPDX-License-Identifier: Apache-2.0
// Journal boundaries: where tests kill the process. See reconcile.h.
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"

#include "state/reconcile.h"

// The one counter of the process: a boundary is a place in the process' life, not in a workspace's.
static atomic_uint_fast64_t passed;

uint64_t journal_boundary_count(void)
{
	return atomic_load(&passed);
}

// "17 after a commit", a line each: how a test learns which boundaries there are. One write, so that lines stay whole.
static void note(uint64_t number, const char *where)
{
	const char *path = getenv("ISOBAR_CRASH_LOG");
	char line[64];
	if (!path || !*path)
		return;
	AUTO(fd) fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	int n = snprintf(line, sizeof(line), "%llu %s\n", (unsigned long long)number, where);
	if (fd < 0 || file_write_all(fd, str_bytes(line, (size_t)n), path, NULL) < 0)
		abort(); // a list with holes would make a test look better than it is
}

// SIGKILL, not exit: nothing may be flushed or tidied on the way.
void journal_boundary(const char *where)
{
	uint64_t number = atomic_fetch_add(&passed, 1) + 1, wanted = 0;
	const char *text = getenv("ISOBAR_CRASH_AT");
	note(number, where);
	if (text && str_to_u64(str_of(text), &wanted) == 0 && number == wanted)
		kill(getpid(), SIGKILL);
}
