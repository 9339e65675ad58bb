// SPDX-License-Identifier: Apache-2.0
// Journal boundaries: where tests kill the process. See reconcile.h.
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "state/reconcile.h"

// The one counter of the process: a boundary is a place in the process' life, not in a workspace's.
static atomic_uint_fast64_t passed;

uint64_t journal_boundary_count(void)
{
	return atomic_load(&passed);
}

// SIGKILL, not exit: nothing may be flushed or tidied on the way.
void journal_boundary(UNUSED const char *where)
{
	uint64_t number = atomic_fetch_add(&passed, 1) + 1, wanted = 0;
	const char *text = getenv("ISOBAR_CRASH_AT");
	if (text && str_to_u64(str_of(text), &wanted) == 0 && number == wanted)
		kill(getpid(), SIGKILL);
}
