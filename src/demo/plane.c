// SPDX-License-Identifier: Apache-2.0
// The control plane that the demo drives: an `isobar up` of its own for the demo's folder, and requests to it.
#include <signal.h>
#include <string.h>

#include <fcntl.h>
#include <unistd.h>

#include "base/file.h"
#include "base/time.h"
#include "demo/demo_impl.h"

#define START_NS (30 * NS_PER_S)
#define STOP_NS (20 * NS_PER_S)

static int open_log(struct demo *d, int *fd)
{
	struct str path = arena_printf(d->call.arena, "%s/up.log", d->folder);
	*fd = open(path.p, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	return *fd < 0 ? call_errno(&d->call, "opening %s", path.p) : 0;
}

static int connect_plane(struct demo *d)
{
	struct client_options options = {.state_folder = arena_printf(d->call.arena, "%s/.isobar", d->folder)};
	int64_t end_ns = call_mono_ns(&d->call) + START_NS;
	for (;;) {
		int rc = client_open(&d->call, &options, &d->client);
		if (rc == 0)
			return 0;
		if (!process_alive(&d->plane))
			return call_fail(&d->call, ERR_FAILED, "the control plane ended at its start; see %s/up.log", d->folder);
		if (call_mono_ns(&d->call) > end_ns)
			return call_context(&d->call, "the control plane does not answer; see %s/up.log", d->folder);
		err_clear(&d->call.err);
		if (call_sleep(&d->call, 50 * NS_PER_MS) < 0)
			return d->call.err.code;
	}
}

int demo_start_plane(struct demo *d)
{
	const char *argv[] = {"self", "up", "--foreground", d->folder, NULL};
	AUTO(fd) log = -1;
	int rc = open_log(d, &log);
	struct process_spec spec = {.argv = argv, .in = -1, .out = log, .error = log, .new_session = true};
	if (rc == 0)
		rc = process_start(&spec, &d->plane, &d->call.err);
	return rc < 0 ? rc : connect_plane(d);
}

void demo_stop_plane(struct demo *d)
{
	client_close(d->client);
	d->client = NULL;
	if (d->plane.pid)
		process_stop(&d->plane, STOP_NS);
	d->plane.pid = 0;
}

int demo_ask_events(struct demo *d, const struct client_request *request, json_t **result)
{
	json_t *answer = NULL;
	int rc = client_call(&d->call, d->client, request, &answer);
	if (rc < 0)
		return call_context(&d->call, "%s %s", request->method, request->path);
	*result = json_in_arena(d->call.arena, answer);
	return *result ? 0 : call_no_memory(&d->call);
}

int demo_ask(struct demo *d, const char *method, const char *path, json_t *body, json_t **result)
{
	UNUSED AUTO(json) owned = body; // released at the end
	struct client_request request = {.method = method, .path = path, .body = body};
	return demo_ask_events(d, &request, result);
}

int demo_wait_for(struct demo *d, const struct demo_wait *wait, json_t **answer)
{
	int64_t end_ns = call_mono_ns(&d->call) + wait->timeout_ns;
	for (;;) {
		int rc = demo_ask(d, "GET", wait->path, NULL, answer);
		if (rc < 0 || wait->done(d, *answer))
			return rc;
		if (call_mono_ns(&d->call) > end_ns)
			return call_fail(&d->call, ERR_TIMEOUT, "waited %d s for %s; see %s/up.log",
				(int)(wait->timeout_ns / NS_PER_S), wait->what, d->folder);
		rc = call_sleep(&d->call, 100 * NS_PER_MS);
		if (rc < 0)
			return rc;
	}
}

const json_t *demo_find(const json_t *list, const char *member, const char *value)
{
	size_t i;
	json_t *item;
	json_array_foreach((json_t *)(uintptr_t)list, i, item)
		if (strcmp(json_text(item, member), value) == 0)
			return item;
	return NULL;
}
