// SPDX-License-Identifier: Apache-2.0
// Ending what a pocket cloud left running that is no more: `isobar pocket end ROOT`. Blocks; no loop.
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/edges.h"
#include "base/file.h"
#include "base/log.h"
#include "base/process_tree.h"
#include "base/time.h"
#include "pocket/engine/engine_impl.h"

#define KILL_AFTER_NS (5 * NS_PER_S)
#define LOOK_NS (10 * NS_PER_MS)

// What each folder of ROOT/engine wants done; stops at the first failure.
static int each(const char *engine, int (*act)(const char *folder, void *ctx, struct err *e), void *ctx, struct err *e)
{
	DIR *d = opendir(engine);
	int rc = 0;
	if (!d)
		return errno == ENOENT || errno == ENOTDIR ? 0 : err_errno(e, "open the folder %s", engine);
	for (struct dirent *entry; rc == 0 && (entry = readdir(d));) {
		AUTO(buf) folder = {0};
		if (!engine_id_valid(str_of(entry->d_name)))
			continue;
		buf_printf(&folder, "%s/%s", engine, entry->d_name);
		rc = act(buf_cstr(&folder), ctx, e);
	}
	closedir(d);
	return rc;
}

static int ask(const char *folder, void *ctx, struct err *e)
{
	const int64_t *grace_ns = ctx;
	AUTO(json) spec = NULL;
	if (!engine_supervised(folder) || engine_read(folder, "spec.json", &spec, NULL) < 0)
		return 0;
	bool server = str_eq(json_str(spec, "kind"), S("server"));
	const struct engine_control c = {.act = server ? ENGINE_QUEUED : ENGINE_LOST, .grace_ns = *grace_ns};
	return engine_control_write(folder, &c, e);
}

static int count_one(const char *folder, void *ctx, UNUSED struct err *e)
{
	size_t *count = ctx;
	*count += engine_supervised(folder);
	return 0;
}

static int kill_one(const char *folder, UNUSED void *ctx, struct err *e)
{
	struct engine_report r;
	if (!engine_supervised(folder))
		return 0;
	int rc = engine_report_read(folder, &r, e);
	if (rc < 0)
		return rc;
	process_tree_signal(r.supervisor.pid, SIGKILL);
	process_kill_group(&r.supervisor, SIGKILL);
	process_kill_uid(r.uid);
	return 0;
}

static int await_none(const char *engine, int64_t until_ns, struct err *e)
{
	const struct edges *real = edges_real();
	for (;;) {
		size_t left = 0;
		int rc = each(engine, count_one, &left, e);
		if (rc < 0 || left == 0)
			return rc;
		if (real->mono_ns(real->ctx) > until_ns)
			return err_set(e, ERR_TIMEOUT, "%zu of the jobs below %s have not ended", left, engine);
		real->sleep_ns(real->ctx, LOOK_NS);
	}
}

int engine_end_root(const char *root, int64_t grace_ns, struct err *e)
{
	const struct edges *real = edges_real();
	AUTO(buf) path = {0};
	buf_printf(&path, "%s/engine", root);
	const char *engine = buf_cstr(&path);
	int rc = each(engine, ask, &grace_ns, e);
	if (rc == 0)
		rc = await_none(engine, real->mono_ns(real->ctx) + grace_ns + KILL_AFTER_NS, e);
	if (rc != ERR_TIMEOUT)
		return rc;
	err_clear(e);
	rc = each(engine, kill_one, NULL, e);
	return rc < 0 ? rc : await_none(engine, real->mono_ns(real->ctx) + KILL_AFTER_NS, e);
}
