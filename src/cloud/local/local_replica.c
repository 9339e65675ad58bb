// SPDX-License-Identifier: Apache-2.0
// Starting a model server and waiting until it answers. The server announces its URL in a file, and only an
// announcement with the process's own number counts, so that a file left by an earlier one is never believed.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/time.h"
#include "cloud/job_files.h"
#include "cloud/job_work.h"
#include "cloud/local/local_replica.h"
#include "net/http_call.h"

#define LOOPBACK "http://127.0.0.1:"
#define READY_CALL_NS (1 * NS_PER_S)
#define READY_PACE_NS (10 * NS_PER_MS)
#define ADOPT_NS (10 * NS_PER_S) // for a server that is about to announce itself

enum { LOG_TAIL = 1024, LOG_MAX = 8 << 20 };

bool replica_ready(struct call *c, const struct replica *r)
{
	AUTO(arena) arena = {0};
	AUTO(guard) guard = NULL;
	struct call child = {0};
	struct http_call_response response = {0};
	call_child(&child, c, &arena, READY_CALL_NS);
	if (!r->url.n || guard_new_loopback(&guard, &child.err))
		return false;
	const struct http_call_request request = {.url = arena_printf(&arena, "%.*s/v2/health/ready", STR(r->url)),
		.guard = guard,
		.total_ns = READY_CALL_NS,
		.body_limit = 64 << 10};
	return request.url.p && http_call(&child, &request, &response) == 0 && response.status == 200;
}

// The last line: why it ended.
static struct str log_tail(struct call *c, const char *path)
{
	AUTO(fd) fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	off_t size = fd < 0 ? 0 : lseek(fd, 0, SEEK_END);
	char *text = arena_alloc(c->arena, LOG_TAIL);
	if (size <= 0 || !text)
		return S("its log is empty");
	ssize_t n = pread(fd, text, LOG_TAIL, size > LOG_TAIL ? size - LOG_TAIL : 0);
	struct str rest = n > 0 ? str_trim(str_bytes(text, (size_t)n)) : S("its log cannot be read"), line = rest;
	while (str_next(&rest, '\n', &line))
		;
	return str_trim(line);
}

// true when the file speaks of this very process; pid 0: of whichever.
static bool read_announcement(struct call *c, const char *path, struct replica *r)
{
	const json_t *j = NULL;
	uint64_t port;
	if (local_read_json(c, path, &j)) {
		err_clear(&c->err);
		return false;
	}
	struct str url = json_str(j, "url");
	pid_t pid = (pid_t)json_int(j, "pid", 0);
	if (!str_starts(url, S(LOOPBACK)) || str_to_u64(str_drop(url, sizeof(LOOPBACK) - 1), &port) || port > 65535)
		return false;
	if (r->process.pid ? pid != r->process.pid : process_identify(pid, &r->process) != 0)
		return false;
	r->url = arena_str(c->arena, url);
	r->port = (int64_t)port;
	return true;
}

static int wait_ready(struct call *c, struct local *l, struct replica *r, const char *announce, const char *log)
{
	int64_t until = call_mono_ns(c) + l->ready_timeout_ns;
	bool announced = false;
	for (;;) {
		announced = announced || read_announcement(c, announce, r);
		if (announced && replica_ready(c, r))
			return 0;
		if (!process_alive(&r->process))
			return call_fail(c, ERR_FAILED, "the model server ended before it answered: %.*s",
				STR(log_tail(c, log)));
		if (call_mono_ns(c) > until)
			return call_fail(c, ERR_TIMEOUT, "the model server was not ready after %lld s: %.*s",
				(long long)(l->ready_timeout_ns / NS_PER_S), STR(log_tail(c, log)));
		if (call_sleep(c, READY_PACE_NS))
			return c->err.code;
	}
}

static void bound_log(const char *log)
{
	struct stat s;
	if (lstat(log, &s) == 0 && s.st_size > LOG_MAX)
		(void)unlink(log);
}

struct replica_place {
	const char *folder, *announce, *log, *lock, *model;
};

static int replica_place(struct call *c, const char *folder, struct replica_place *out)
{
	const char *slash = strrchr(folder, '/'); // the model lies beside the replicas of its generation
	int parent = slash ? (int)(slash - folder) : 0;
	*out = (struct replica_place){
		.folder = folder,
		.announce = arena_printf(c->arena, "%s/announce.json", folder).p,
		.log = arena_printf(c->arena, "%s/log", folder).p,
		.lock = arena_printf(c->arena, "%s/lock", folder).p,
		.model = arena_printf(c->arena, "%.*s/model", parent, folder).p,
	};
	return out->announce && out->log && out->lock && out->model ? 0 : call_no_memory(c);
}

static int start_process(struct call *c, struct local *l, const struct endpoint_spec *spec,
	const struct replica_place *at, struct replica *r)
{
	AUTO(fd) lock = -1;
	const char *listen = arena_printf(c->arena, "127.0.0.1:%lld", (long long)r->port).p;
	const char *const argv[] = {l->program ? l->program : "self", "serve", "--model", at->model, "--name",
		arena_cstr(c->arena, spec->model), "--version", arena_cstr(c->arena, spec->version), "--listen", listen,
		"--announce", at->announce, NULL};
	if (!listen || !argv[5] || !argv[7])
		return call_no_memory(c);
	if (lock_take(at->lock, &lock, &c->err))
		return c->err.code;
	bound_log(at->log);
	if (unlink(at->announce) < 0 && errno != ENOENT)
		return call_errno(c, "remove %s", at->announce);
	const struct process_spec process = {
		.argv = argv, .directory = at->folder, .in = lock, .max_memory = job_address_limit(spec->memory)};
	r->started_ns = call_now_ns(c);
	return local_start(c, l, &process, at->log, &r->process);
}

static int start_on_port(struct call *c, struct local *l, const struct endpoint_spec *spec,
	const struct replica_place *at, struct replica *r)
{
	int code = start_process(c, l, spec, at, r);
	if (code)
		return code;
	code = wait_ready(c, l, r, at->announce, at->log);
	if (code) {
		process_stop(&r->process, 0);
		r->process = (struct process){0};
	}
	return code;
}

bool replica_adopt(struct call *c, const char *folder, struct replica *r)
{
	struct replica_place at = {0};
	struct replica found = {0};
	int64_t until = call_mono_ns(c) + ADOPT_NS;
	if (replica_place(c, folder, &at))
		return false;
	while (lock_is_held(at.lock)) {
		if (read_announcement(c, at.announce, &found)) {
			found.started_ns = call_now_ns(c);
			*r = found;
			return true;
		}
		if (call_mono_ns(c) > until || call_sleep(c, READY_PACE_NS))
			return false;
	}
	return false;
}

int replica_start(
	struct call *c, struct local *l, const struct endpoint_spec *spec, const char *folder, struct replica *r)
{
	struct replica_place at = {0};
	if (file_make_dirs(folder, 0700, &c->err) || replica_place(c, folder, &at))
		return c->err.code;
	if (replica_adopt(c, folder, r))
		return wait_ready(c, l, r, at.announce, at.log);
	r->process = (struct process){0};
	int code = start_on_port(c, l, spec, &at, r);
	if (code == ERR_FAILED && r->port) { // most likely somebody else has the port by now
		err_clear(&c->err);
		r->port = 0;
		code = start_on_port(c, l, spec, &at, r);
	}
	return code;
}
