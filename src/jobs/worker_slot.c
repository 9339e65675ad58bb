// SPDX-License-Identifier: Apache-2.0
// Slots: files that a worker locks while its command runs, so that a dead worker frees its slot by dying. There are
// half as many again as cores: with one a core, the last of three jobs on two cores would wait for a whole turn while a
// core idles; with no bound, jobs would push each other's data out of the caches and past their deadlines.
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/time.h"
#include "jobs/worker_impl.h"

#define SLOT_PACE_NS (20 * NS_PER_MS)

static int slot_count(void)
{
	cpu_set_t set;
	int cores = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;
	return cores + (cores + 1) / 2;
}

// Shared by all workspaces of a user. A folder that somebody else prepared is refused: he could hold all slots for
// ever.
static const char *slot_folder(struct call *c)
{
	struct stat s;
	const char *chosen = getenv("ISOBAR_SLOT_FOLDER"); // tests keep to themselves
	const char *path = chosen ? chosen : arena_printf(c->arena, "/tmp/isobar-slots-%u", (unsigned)geteuid()).p;
	if (!path) {
		(void)call_no_memory(c);
		return NULL;
	}
	if (mkdir(path, 0700) < 0 && errno != EEXIST) {
		(void)call_errno(c, "make the folder %s", path);
		return NULL;
	}
	if (lstat(path, &s) < 0 || !S_ISDIR(s.st_mode) || s.st_uid != geteuid() || (s.st_mode & 022)) {
		(void)call_fail(c, ERR_DENIED, "%s is not a folder that only uid %u may write to: remove it", path,
			(unsigned)geteuid());
		return NULL;
	}
	return path;
}

static int try_slots(struct call *c, const char *folder, int *fd)
{
	for (int i = 0, n = slot_count(); i < n; i++) {
		const char *path = arena_printf(c->arena, "%s/%d", folder, i).p;
		int code = path ? lock_take(path, fd, &c->err) : call_no_memory(c);
		if (code != ERR_IN_USE)
			return code;
		err_clear(&c->err);
	}
	return ERR_IN_USE;
}

int worker_slot_take(struct worker *w, int *fd)
{
	const char *folder = slot_folder(w->c);
	if (!folder)
		return w->c->err.code;
	for (;;) {
		AUTO(arena) arena = {0}; // a long wait must not fill the worker's own
		struct call turn = {0};
		call_child(&turn, w->c, &arena, 0);
		int code = try_slots(&turn, folder, fd);
		if (code && code != ERR_IN_USE)
			w->c->err = turn.err;
		if (code != ERR_IN_USE)
			return code;
		if (worker_stop_asked(w))
			return 0;
		if (call_sleep(w->c, SLOT_PACE_NS))
			return w->c->err.code;
	}
}
