// SPDX-License-Identifier: Apache-2.0
// Finding, starting and ending pocket clouds. See pocket_cloud.h.
#include "infra/pocket_cloud.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/time.h"
#include "net/http_call.h"

enum {
	ANNOUNCE_LIMIT = 64 << 10,
	CREDENTIALS_LIMIT = 64 << 10,
	START_TIMEOUT_S = 60, // a busy machine; usually a few milliseconds. Only while the process lives
	ANSWER_WITHIN_S = 15, // of one that runs
	SILENCE_KNOWN_S = 60,
	ANSWER_TIMEOUT_MS = 2000,
	STOP_GRACE_S = 5,
	END_WITHIN_S = 30,
	LOOK_EVERY_MS = 5,
};

static const char *file_of(struct call *c, const struct pocket_cloud *p, const char *name)
{
	return arena_printf(c->arena, "%.*s/%s", STR(p->root), name).p;
}

// Any answer will do: the process is that cloud's, this proves that it is at work. It is asked where faults that it
// plays do not reach.
static int check_answers(struct call *c, struct str cloud_url)
{
	struct str url = cloud_url;
	ptrdiff_t slash = str_find_char(str_drop(url, sizeof("https://") - 1), '/');
	if (slash >= 0)
		url = str_take(url, sizeof("https://") - 1 + (size_t)slash);
	url = arena_printf(c->arena, "%.*s/.isobar/faults", STR(url));
	AUTO(guard) guard = NULL;
	int rc = guard_new_loopback(&guard, &c->err);
	if (rc < 0)
		return rc;
	struct http_call_request request = {
		.method = S("GET"),
		.url = url,
		.guard = guard,
		.connect_ns = ANSWER_TIMEOUT_MS * NS_PER_MS,
		.total_ns = ANSWER_TIMEOUT_MS * NS_PER_MS,
	};
	struct http_call_response response;
	return http_call(c, &request, &response);
}

static int read_announcement(struct call *c, struct pocket_cloud *p, pid_t *pid)
{
	AUTO(json) announced = NULL;
	int rc = json_parse_file(file_of(c, p, "announce.json"), ANNOUNCE_LIMIT, &announced, &c->err);
	if (rc < 0)
		return rc;
	*pid = (pid_t)json_int(announced, "pid", 0);
	struct str url = json_str(announced, "url");
	if (*pid <= 1 || !url.n)
		return call_fail(
			c, ERR_CORRUPT, "announce.json of the pocket cloud %.*s has no pid and url", STR(p->name));
	p->url = arena_str(c->arena, url);
	return 0;
}

static int read_credentials(struct call *c, struct pocket_cloud *p)
{
	json_t *credentials = NULL;
	int rc = json_parse_file(file_of(c, p, "credentials.json"), CREDENTIALS_LIMIT, &credentials, &c->err);
	if (rc < 0)
		return call_context(c, "credentials of the pocket cloud %.*s", STR(p->name));
	p->credentials = json_in_arena(c->arena, credentials);
	return p->credentials ? 0 : call_no_memory(c);
}

// Whether the process that was announced still is that cloud's, be it at work or not.
static int find_process(struct call *c, struct pocket_cloud *p)
{
	pid_t pid = 0;
	int rc = read_announcement(c, p, &pid);
	if (rc == 0)
		rc = read_credentials(c, p);
	if (rc == 0)
		rc = process_identify(pid, &p->process);
	if (rc == 0 && (!process_has_argument(pid, arena_cstr(c->arena, p->root)) || !process_alive(&p->process)))
		rc = ERR_NOT_FOUND; // the number is another program's by now, and so may be the port
	return rc;
}

int pocket_cloud_find(struct call *c, struct pocket_cloud *p)
{
	int rc = find_process(c, p);
	if (rc == 0)
		rc = check_answers(c, p->url);
	if (rc == 0)
		return 0;
	err_clear(&c->err);
	return call_fail(c, ERR_UNAVAILABLE, "the pocket cloud %.*s does not run", STR(p->name));
}

// ---------------------------------------------------------------- starting
// By this a cloud that hangs is found again: the pid alone may be another program's by then.
static int write_process(struct call *c, const struct pocket_cloud *p)
{
	AUTO(json)
	j = json_pack("{s:i, s:I}", "pid", (int)p->process.pid, "start_ticks", (json_int_t)p->process.start_ticks);
	AUTO(buf) text = {0};
	int rc = json_write(j, &text, &c->err);
	return rc < 0 ? rc : file_write_atomic(file_of(c, p, "process.json"), buf_str(&text), 0600, &c->err);
}

static bool read_process(struct call *c, const struct pocket_cloud *p, struct process *out)
{
	AUTO(json) j = NULL;
	if (json_parse_file(file_of(c, p, "process.json"), ANNOUNCE_LIMIT, &j, NULL) < 0)
		return false;
	*out = (struct process){
		.pid = (pid_t)json_int(j, "pid", 0), .start_ticks = (uint64_t)json_int(j, "start_ticks", 0)};
	return out->pid > 1 && process_alive(out);
}

static int spawn(struct call *c, struct pocket_cloud *p)
{
	AUTO(fd) log = open(file_of(c, p, "log"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (log < 0)
		return call_errno(c, "open the log of the pocket cloud %.*s", STR(p->name));
	const char *argv[] = {"self", "pocket", "--as", arena_cstr(c->arena, p->provider), "--name",
		arena_cstr(c->arena, p->name), "--root", arena_cstr(c->arena, p->root), "--listen", "127.0.0.1:0",
		"--announce", file_of(c, p, "announce.json"), NULL};
	struct process_spec spec = {
		.argv = argv, .in = -1, .out = log, .error = log, .new_session = true, .max_descriptors = 4096};
	int rc = process_start(&spec, &p->process, &c->err);
	if (rc < 0)
		return call_context(c, "start the pocket cloud %.*s", STR(p->name));
	p->started = true;
	return write_process(c, p);
}

static struct str last_line(struct call *c, const struct pocket_cloud *p)
{
	AUTO(buf) text = {0};
	if (file_read(file_of(c, p, "log"), 1 << 20, &text, NULL) < 0)
		return S("its log cannot be read");
	struct str all = str_trim(buf_str(&text)), line = all;
	for (size_t i = all.n; i-- > 0;) {
		if (all.p[i] == '\n') {
			line = str_drop(all, i + 1);
			break;
		}
	}
	return line.n ? arena_str(c->arena, line) : S("it wrote nothing to its log");
}

static int await(struct call *c, struct pocket_cloud *p)
{
	struct process started = p->process;
	int64_t give_up = call_mono_ns(c) + START_TIMEOUT_S * NS_PER_S;
	for (;;) {
		pid_t pid;
		if (read_announcement(c, p, &pid) == 0 && pid == started.pid)
			return read_credentials(c, p);
		err_clear(&c->err);
		if (!process_alive(&started))
			return call_fail(c, ERR_FAILED, "the pocket cloud %.*s ended at its start: %.*s", STR(p->name),
				STR(last_line(c, p)));
		if (call_mono_ns(c) > give_up) {
			process_stop(&started, NS_PER_S);
			return call_fail(c, ERR_TIMEOUT, "the pocket cloud %.*s did not start within %d s: %.*s",
				STR(p->name), START_TIMEOUT_S, STR(last_line(c, p)));
		}
		int rc = call_sleep(c, LOOK_EVERY_MS * NS_PER_MS);
		if (rc < 0) {
			process_stop(&started, NS_PER_S);
			return rc;
		}
	}
}

// Also one that has not announced itself yet: whoever started it may have died meanwhile.
static bool runs(struct call *c, struct pocket_cloud *p)
{
	struct process recorded;
	bool found = find_process(c, p) == 0 || read_process(c, p, &recorded);
	err_clear(&c->err);
	return found;
}

// That it stayed silent is remembered for a while, so that each step of a command does not wait for it anew.
static bool was_silent(struct call *c, const struct pocket_cloud *p)
{
	struct stat s;
	return stat(file_of(c, p, "silent"), &s) == 0 &&
	       (int64_t)s.st_mtim.tv_sec * NS_PER_S + SILENCE_KNOWN_S * NS_PER_S > call_now_ns(c);
}

static void note_silence(struct call *c, const struct pocket_cloud *p, bool silent)
{
	if (!silent)
		(void)unlink(file_of(c, p, "silent"));
	else if (file_write_atomic(file_of(c, p, "silent"), S("\n"), 0600, &c->err) < 0)
		err_clear(&c->err); // the next step waits again, then
}

// One that runs may be slow to answer on a busy machine, or about to end: a second process on its folder would help in
// neither case. Returns 0 once it answers, ERR_NOT_FOUND when none runs.
static int await_running(struct call *c, struct pocket_cloud *p)
{
	bool known = was_silent(c, p);
	int64_t give_up = call_mono_ns(c) + (known ? 0 : ANSWER_WITHIN_S * NS_PER_S);
	while (runs(c, p)) {
		if (p->url.n && check_answers(c, p->url) == 0) {
			note_silence(c, p, false);
			return 0;
		}
		err_clear(&c->err);
		if (call_mono_ns(c) > give_up) {
			if (!known)
				note_silence(c, p, true);
			return call_fail(c, ERR_UNAVAILABLE,
				"the pocket cloud %.*s (pid %d) runs, but has not answered for %d s: `isobar down` "
				"ends it, the next command starts it again",
				STR(p->name), (int)p->process.pid, ANSWER_WITHIN_S);
		}
		int rc = call_sleep(c, LOOK_EVERY_MS * NS_PER_MS);
		if (rc < 0)
			return rc;
	}
	return ERR_NOT_FOUND;
}

int pocket_cloud_await(struct call *c, struct pocket_cloud *p)
{
	int rc = await_running(c, p);
	return rc == ERR_NOT_FOUND ? call_fail(c, ERR_UNAVAILABLE, "the pocket cloud %.*s does not run", STR(p->name))
				   : rc;
}

static int start_locked(struct call *c, struct pocket_cloud *p)
{
	int running = await_running(c, p);
	if (running != ERR_NOT_FOUND)
		return running;
	if (unlink(file_of(c, p, "announce.json")) < 0 && errno != ENOENT)
		return call_errno(c, "remove the old announcement of the pocket cloud %.*s", STR(p->name));
	int rc = spawn(c, p);
	return rc < 0 ? rc : await(c, p);
}

// Waits for another process that is starting the same cloud.
static int lock_start(struct call *c, const struct pocket_cloud *p, int *lock)
{
	const char *path = file_of(c, p, "start.lock");
	int64_t give_up = call_mono_ns(c) + (START_TIMEOUT_S + ANSWER_WITHIN_S) * NS_PER_S;
	for (;;) {
		*lock = file_lock(path, &c->err);
		if (*lock >= 0)
			return 0;
		if (*lock != ERR_IN_USE || call_mono_ns(c) > give_up)
			return c->err.code;
		err_clear(&c->err);
		int rc = call_sleep(c, LOOK_EVERY_MS * NS_PER_MS);
		if (rc < 0)
			return rc;
	}
}

int pocket_cloud_ensure(struct call *c, struct pocket_cloud *p)
{
	p->started = false;
	if (pocket_cloud_find(c, p) == 0)
		return 0;
	err_clear(&c->err);
	int rc = file_make_dirs(arena_cstr(c->arena, p->root), 0700, &c->err);
	AUTO(fd) lock = -1;
	if (rc == 0)
		rc = lock_start(c, p, &lock);
	return rc < 0 ? rc : start_locked(c, p);
}

// A pocket cloud that ends ends what runs in it. One that was killed could not: its jobs and servers go on without it.
static int start_end(struct call *c, const struct pocket_cloud *p, struct process *out)
{
	const char *argv[] = {"self", "pocket", "end", arena_cstr(c->arena, p->root), NULL};
	const struct process_spec spec = {.argv = argv, .in = -1, .out = -1, .error = STDERR_FILENO};
	return process_start(&spec, out, &c->err);
}

static int end_what_is_left(struct call *c, struct pocket_cloud *all, size_t count)
{
	struct process *ending = arena_new_array(c->arena, count + 1, struct process);
	size_t n = 0;
	int rc = ending ? 0 : call_no_memory(c);
	for (size_t i = 0; rc == 0 && i < count; i++)
		if (file_exists(file_of(c, &all[i], "engine")))
			rc = start_end(c, &all[i], &ending[n]) < 0 ? c->err.code : (n++, 0);
	for (size_t i = 0; i < n; i++) {
		int status = 0, waited = process_wait(&ending[i], END_WITHIN_S * NS_PER_S, &status, &c->err);
		if (rc == 0 && waited == 0 && status != 0)
			rc = call_fail(c, ERR_FAILED, "what runs in a pocket cloud could not all be ended (see above)");
		rc = rc == 0 ? waited : rc;
	}
	return rc;
}

// A stale announcement may name a pid that is another program's by now: only what we started, known by pid and start,
// or what answers at its address is ended. One that hangs gets SIGKILL when its grace is over.
int pocket_clouds_stop(struct call *c, struct pocket_cloud *all, size_t count)
{
	struct process *running = arena_new_array(c->arena, count + 1, struct process);
	size_t n = 0;
	if (!running)
		return call_no_memory(c);
	for (size_t i = 0; i < count; i++) {
		if (read_process(c, &all[i], &running[n]))
			n++;
		else if (find_process(c, &all[i]) == 0)
			running[n++] = all[i].process;
	}
	process_stop_all(running, n, STOP_GRACE_S * NS_PER_S);
	err_clear(&c->err);
	return end_what_is_left(c, all, count);
}

int pocket_cloud_stop(struct call *c, struct pocket_cloud *p)
{
	return pocket_clouds_stop(c, p, 1);
}
