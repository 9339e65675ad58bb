// SPDX-License-Identifier: Apache-2.0
// The process that answers for one job or server of a pocket cloud. It outlives the pocket, so nothing here asks the
// pocket anything: it reads spec.json and control.json, and writes status.json and the log. It is the subreaper of all
// that the program starts, so that it can end all of it; and when it is killed itself, the program dies with it. One
// thread. A server that ends is started again, ever more slowly.
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/edges.h"
#include "base/file.h"
#include "base/lock.h"
#include "base/process_tree.h"
#include "base/time.h"
#include "pocket/engine/supervisor_impl.h"

#define LOOK_FIRST_NS (50 * NS_PER_MS)  // between looks at memory and control.json, at first
#define LOOK_LATER_NS (250 * NS_PER_MS) // after a second
#define LOOK_SERVER_NS NS_PER_S         // of a server that has run for ten
#define TELL_NS NS_PER_S                // between reports of what a running job has used
#define STOP_GRACE_NS (2 * NS_PER_S)    // where nobody said how long
#define END_NS (10 * NS_PER_S)          // for the kernel to end what got SIGKILL
#define REST_FIRST_NS (100 * NS_PER_MS) // before a server is started again
#define REST_MOST_NS (10 * NS_PER_S)

static int64_t mono_now(void)
{
	return edges_real()->mono_ns(edges_real()->ctx);
}

static int64_t wall_now(void)
{
	return edges_real()->wall_ns(edges_real()->ctx);
}

static void say(struct supervisor *s, const char *format, ...) PRINTF_LIKE(2, 3);
static void say(struct supervisor *s, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(s->report.reason, sizeof(s->report.reason), format, args);
	va_end(args);
}

// Whoever looks at the folder later sees less, but the job goes on: a disk may be full for a while.
static void tell(struct supervisor *s)
{
	struct err e = {0};
	if (engine_report_write(s->folder, &s->report, &e) < 0)
		engine_writer_line(&s->log, true, str_of(e.message));
}

// ---------------------------------------------------------------- ending it

// as RUNNING: only this run of it ends, by our hand.
static void end_it(struct supervisor *s, enum engine_state as, int64_t grace_ns)
{
	int64_t kill_at = mono_now() + MAX(grace_ns, 0);
	if (s->ending == ENGINE_RUNNING)
		s->ending = as;
	if (s->kill_at_ns && s->kill_at_ns <= kill_at)
		return; // it ends sooner already
	s->kill_at_ns = kill_at;
	// To the program alone, as a container's first process gets it: it ends what it has started in its own way.
	if (grace_ns > 0 && process_alive(&s->report.program))
		(void)kill(s->report.program.pid, SIGTERM);
}

static void follow_control(struct supervisor *s)
{
	struct engine_control c;
	if (engine_control_read(s->folder, &c, NULL) < 0)
		return;
	if (s->controlled && c.act == s->control.act && c.grace_ns == s->control.grace_ns)
		return;
	s->control = c;
	s->controlled = true;
	if (c.act == ENGINE_INTERRUPTED)
		say(s, "the machine was taken away");
	if (c.act == ENGINE_LOST)
		say(s, "the pocket cloud was shut down");
	end_it(s, c.act, c.grace_ns);
}

static void check_memory(struct supervisor *s)
{
	struct process_tree tree;
	process_tree_look(getpid(), &tree);
	s->report.peak_rss = MAX(s->report.peak_rss, tree.rss);
	struct rusage used;
	if (getrusage(RUSAGE_CHILDREN, &used) == 0)
		s->report.cpu_s = (double)tree.cpu_ns / 1e9 +
				  (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
				  (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
	if (!s->memory || tree.rss <= s->memory || s->kill_at_ns)
		return;
	s->report.out_of_memory = true;
	say(s, "it used %llu MiB of memory; %llu MiB are allowed", (unsigned long long)(tree.rss >> 20),
		(unsigned long long)(s->memory >> 20));
	end_it(s, ENGINE_RUNNING, 0);
}

static void check_deadline(struct supervisor *s)
{
	char text[TIME_TEXT_SIZE];
	if (!s->deadline_ns || mono_now() < s->deadline_ns || s->kill_at_ns)
		return;
	duration_text(json_int(s->spec, "deadline_ns", 0), text);
	say(s, "its deadline of %s passed", text);
	end_it(s, ENGINE_TIMED_OUT, STOP_GRACE_NS);
}

// Nobody can ask for the job any more: the folder went with the pocket's.
static void check_folder(struct supervisor *s)
{
	if (access(s->folder, F_OK) < 0 && errno == ENOENT)
		end_it(s, ENGINE_STOPPED, 0);
}

static int64_t look_pace(const struct supervisor *s, int64_t now)
{
	int64_t age = now - s->began_ns;
	bool server = str_eq(json_str(s->spec, "kind"), S("server"));
	if (age < NS_PER_S)
		return LOOK_FIRST_NS;
	return server && age > 10 * NS_PER_S ? LOOK_SERVER_NS : LOOK_LATER_NS;
}

static void look(struct supervisor *s)
{
	int64_t now = mono_now();
	if (s->kill_at_ns && now >= s->kill_at_ns)
		process_tree_signal(getpid(), SIGKILL);
	if (now < s->look_at_ns)
		return;
	s->look_at_ns = now + look_pace(s, now);
	check_memory(s);
	check_deadline(s);
	check_folder(s);
	follow_control(s);
	if (now >= s->tell_at_ns && s->report.state == ENGINE_RUNNING) {
		s->tell_at_ns = now + MAX(TELL_NS, 10 * look_pace(s, now));
		tell(s);
	}
}

// ---------------------------------------------------------------- what happens

static void reap(struct supervisor *s)
{
	struct rusage used;
	int status;
	pid_t pid;
	while ((pid = wait4(-1, &status, WNOHANG, &used)) > 0) {
		s->report.peak_rss = MAX(s->report.peak_rss, (uint64_t)used.ru_maxrss << 10);
		if (pid != s->report.program.pid)
			continue;
		s->ended = true;
		s->status = status;
	}
}

static void take_signals(struct supervisor *s)
{
	struct signalfd_siginfo got;
	while (read(s->signals, &got, sizeof(got)) == (ssize_t)sizeof(got)) {
		if (got.ssi_signo == SIGTERM || got.ssi_signo == SIGINT)
			end_it(s, ENGINE_STOPPED, STOP_GRACE_NS);
		else if (got.ssi_signo == SIGUSR1)
			follow_control(s);
	}
	reap(s);
}

static int wait_ms(const struct supervisor *s)
{
	int64_t now = mono_now(), at = s->look_at_ns;
	if (s->kill_at_ns && s->kill_at_ns > now)
		at = MIN(at, s->kill_at_ns);
	return (int)(MIN(MAX(at - now, 0), NS_PER_S) / NS_PER_MS) + 1;
}

static void wait_once(struct supervisor *s)
{
	struct pollfd fds[3] = {{.fd = s->signals, .events = POLLIN},
		{.fd = s->out.fd, .events = POLLIN},
		{.fd = s->error.fd, .events = POLLIN}};
	poll(fds, COUNT_OF(fds), wait_ms(s));
	if (fds[1].revents)
		engine_stream_read(&s->out, &s->log);
	if (fds[2].revents)
		engine_stream_read(&s->error, &s->log);
	take_signals(s);
	look(s);
}

// The program has ended; what it started and left ends too, and what they wrote is read to its end.
static void end_the_rest(struct supervisor *s)
{
	int64_t give_up = mono_now() + END_NS;
	struct process_tree tree;
	for (;;) {
		process_tree_signal(getpid(), SIGKILL);
		process_kill_uid(s->uid.uid);
		while (s->out.fd >= 0 && poll(&(struct pollfd){.fd = s->out.fd, .events = POLLIN}, 1, 0) > 0)
			engine_stream_read(&s->out, &s->log);
		while (s->error.fd >= 0 && poll(&(struct pollfd){.fd = s->error.fd, .events = POLLIN}, 1, 0) > 0)
			engine_stream_read(&s->error, &s->log);
		process_tree_look(getpid(), &tree);
		reap(s); // after the look: what has ended by then is waited for
		if (tree.count == 0 || mono_now() > give_up)
			break;
		poll(&(struct pollfd){.fd = s->signals, .events = POLLIN}, 1, 10);
	}
	fd_close(&s->out.fd); // whatever still has the other end is not ours to end
	fd_close(&s->error.fd);
	engine_stream_read(&s->out, &s->log); // the line that was begun
	engine_stream_read(&s->error, &s->log);
}

static void judge(struct supervisor *s)
{
	if (WIFEXITED(s->status)) {
		s->report.exit_code = WEXITSTATUS(s->status);
	} else if (WIFSIGNALED(s->status)) {
		s->report.exit_code = 128 + WTERMSIG(s->status);
		if (!s->report.reason[0])
			say(s, "ended by signal %d (%s)", WTERMSIG(s->status), strsignal(WTERMSIG(s->status)));
	}
}

static void run_once(struct supervisor *s)
{
	struct err e = {0};
	s->ended = false;
	s->status = 0;
	s->began_ns = mono_now();
	s->look_at_ns = s->began_ns + LOOK_FIRST_NS;
	if (supervisor_start(s, &e) < 0) {
		s->ending = ENGINE_LOST;
		say(s, "it could not be started: %.400s", e.message);
		return;
	}
	if (s->ended)
		return; // it could not run
	int64_t deadline = json_int(s->spec, "deadline_ns", 0);
	s->deadline_ns = deadline > 0 && deadline < INT64_MAX / 2 ? s->began_ns + deadline : 0;
	s->report.state = ENGINE_RUNNING;
	if (!s->report.started_ns)
		s->report.started_ns = wall_now();
	tell(s);
	while (!s->ended)
		wait_once(s);
	end_the_rest(s);
	judge(s);
}

// Between two runs of a server; ends early when it is to end.
static void rest(struct supervisor *s, int64_t ns)
{
	int64_t until = mono_now() + ns;
	while (s->ending == ENGINE_RUNNING && mono_now() < until) {
		poll(&(struct pollfd){.fd = s->signals, .events = POLLIN}, 1, (int)(MIN(ns, LOOK_LATER_NS) / NS_PER_MS));
		take_signals(s);
		follow_control(s);
		check_folder(s);
	}
}

static void run_server(struct supervisor *s)
{
	for (int64_t pause = REST_FIRST_NS;;) {
		run_once(s);
		if (s->ending != ENGINE_RUNNING)
			return;
		if (mono_now() - s->began_ns > REST_MOST_NS)
			pause = REST_FIRST_NS;
		s->report.state = ENGINE_STARTING;
		s->report.program = (struct process){0};
		s->report.restarts++;
		tell(s);
		rest(s, pause);
		if (s->ending != ENGINE_RUNNING)
			return;
		pause = MIN(pause * 2, REST_MOST_NS);
		s->report.reason[0] = '\0';
		s->report.out_of_memory = false;
		s->kill_at_ns = 0;
	}
}

// ---------------------------------------------------------------- its life

static int take_job(struct supervisor *s, struct err *e)
{
	AUTO(buf) path = {0};
	buf_printf(&path, "%s/lock", s->folder);
	int rc = lock_take(buf_cstr(&path), &s->lock, e);
	if (rc == 0)
		rc = engine_read(s->folder, "spec.json", &s->spec, e);
	if (rc == 0)
		rc = process_identify(getpid(), &s->report.supervisor);
	if (rc == 0)
		rc = engine_writer_open(&s->log, s->folder, e);
	return rc;
}

static int catch_signals(struct supervisor *s, struct err *e)
{
	sigset_t set;
	sigemptyset(&set);
	const int numbers[] = {SIGTERM, SIGINT, SIGUSR1, SIGCHLD};
	for (size_t i = 0; i < COUNT_OF(numbers); i++)
		sigaddset(&set, numbers[i]);
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0 ||
		(s->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)) < 0 ||
		prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
		return err_errno(e, "become a supervisor");
	return 0;
}

static void finish(struct supervisor *s)
{
	struct rusage used;
	if (getrusage(RUSAGE_CHILDREN, &used) == 0)
		s->report.cpu_s = (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
				  (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
	s->report.state = s->ending == ENGINE_RUNNING ? ENGINE_EXITED : s->ending;
	s->report.ended_ns = s->report.state == ENGINE_QUEUED ? 0 : wall_now();
	s->report.program = (struct process){0};
	if (file_remove_tree(s->place.tmp, NULL) < 0)
		engine_writer_line(&s->log, true, S("(its temporary files could not be removed)"));
	tell(s);
}

static void run(struct supervisor *s)
{
	struct err e = {0};
	s->memory = (uint64_t)json_int(s->spec, "memory", 0);
	s->ending = ENGINE_RUNNING;
	s->report.state = ENGINE_STARTING;
	tell(s);
	follow_control(s); // it may have been stopped before it began
	if (s->ending == ENGINE_RUNNING && supervisor_prepare(s, &e) < 0) {
		s->ending = ENGINE_LOST;
		say(s, "it could not be started: %.400s", e.message);
	}
	if (s->ending == ENGINE_RUNNING) {
		if (str_eq(json_str(s->spec, "kind"), S("server")))
			run_server(s);
		else
			run_once(s);
	}
	finish(s);
}

int supervisor_run(const char *folder, struct err *e)
{
	struct supervisor s = {.folder = folder,
		.lock = -1,
		.signals = -1,
		.log = {.fd = -1},
		.out = {.fd = -1},
		.error = {.fd = -1},
		.uid = {.claim = -1}};
	int rc = take_job(&s, e);
	if (rc == 0)
		rc = catch_signals(&s, e);
	if (rc == 0)
		run(&s);
	sandbox_uid_release(&s.uid);
	engine_writer_close(&s.log);
	json_decref(s.spec);
	arena_free(&s.arena);
	fd_close(&s.signals);
	fd_close(&s.lock);
	return rc < 0 ? err_context(e, "supervise the job in %s", folder) : 0;
}
