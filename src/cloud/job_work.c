// SPDX-License-Identifier: Apache-2.0
// Work folders, and the uid that owns one (base/sandbox.h).
#include "cloud/job_work.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/sandbox.h"

// ---------------------------------------------------------------- whose rights
enum job_isolation job_isolation(void)
{
	return sandbox_can_own_uid() ? JOB_ISOLATION_OWN_UID : JOB_ISOLATION_SAME_USER;
}

const char *job_isolation_text(enum job_isolation isolation)
{
	return isolation == JOB_ISOLATION_OWN_UID ? "each job runs under a uid of its own"
						  : "jobs run as the user who started Isobar";
}

uint64_t job_address_limit(uint64_t memory)
{
	return sandbox_address_limit(memory);
}

// ---------------------------------------------------------------- folders
static const char *below(struct arena *a, const char *path, const char *name)
{
	return arena_printf(a, "%s/%s", path, name).p;
}

int job_work_find(struct arena *a, const char *folder, struct job_work *out, struct err *e)
{
	struct job_work w = {.claim = -1};
	if (job_isolation() == JOB_ISOLATION_OWN_UID) {
		char path[SANDBOX_PATH_SIZE];
		sandbox_work_path(folder, path);
		w.path = arena_cstr(a, str_of(path));
		w.own_uid = true;
	} else {
		w.path = below(a, folder, "work");
	}
	if (w.path) {
		w.data = below(a, w.path, "data");
		w.out = below(a, w.path, "out");
		w.checkpoint = below(a, w.path, "checkpoint");
		w.code = below(a, w.path, "code");
		w.tmp = below(a, w.path, "tmp");
	}
	if (!w.path || !w.data || !w.out || !w.checkpoint || !w.code || !w.tmp)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	*out = w;
	return 0;
}

int job_work_claim(struct job_work *w, struct err *e)
{
	struct sandbox_uid claimed;
	if (!w->own_uid)
		return 0;
	int code = sandbox_uid_claim(w->path, &claimed, e);
	if (code)
		return code;
	w->uid = claimed.uid;
	w->gid = claimed.gid;
	w->claim = claimed.claim;
	return 0;
}

void job_work_release(struct job_work *w)
{
	fd_close(&w->claim);
	w->uid = 0;
	w->gid = 0;
}

static int make_one(const struct job_work *w, const char *path, struct err *e)
{
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return err_errno(e, "make the folder %s", path);
	if (w->uid && lchown(path, w->uid, w->gid) < 0)
		return err_errno(e, "give %s to uid %u", path, (unsigned)w->uid);
	return 0;
}

int job_work_make(const struct job_work *w, struct err *e)
{
	const char *const fresh[] = {w->data, w->out, w->code, w->tmp};
	int code = make_one(w, w->path, e);
	for (size_t i = 0; !code && i < COUNT_OF(fresh); i++) {
		code = file_remove_tree(fresh[i], e);
		if (!code)
			code = make_one(w, fresh[i], e);
	}
	if (!code)
		code = make_one(w, w->checkpoint, e);
	return code ? code : job_work_give(w, w->checkpoint, e);
}

int job_work_give(const struct job_work *w, const char *path, struct err *e)
{
	const struct sandbox_uid to = {.uid = w->uid, .gid = w->gid, .claim = -1};
	return sandbox_give(&to, path, e);
}

int job_work_remove(const struct job_work *w, bool also_checkpoint, struct err *e)
{
	if (also_checkpoint)
		return file_remove_tree(w->path, e);
	const char *const gone[] = {w->data, w->out, w->code, w->tmp};
	int code = 0;
	for (size_t i = 0; !code && i < COUNT_OF(gone); i++)
		code = file_remove_tree(gone[i], e);
	return code;
}
