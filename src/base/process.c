// SPDX-License-Identifier: Apache-2.0
// Starting child processes: see process.h. All that may allocate or fail late is prepared before the fork; between fork
// and exec only async-signal-safe calls are made, since other threads may hold any lock. The child tells a failed step
// through a pipe that the exec closes, so that the parent learns "no such file" as its own error. Waiting and ending
// stand in process_wait.c.
#include "base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"

// Steps of the child, in order; the word is for the message.
#define STEPS(X)                                                                                                       \
	X(SESSION, "put it in a session or group of its own")                                                          \
	X(DESCRIPTORS, "give it its descriptors")                                                                      \
	X(LIMITS, "limit its resources")                                                                               \
	X(IDENTITY, "run it as another user")                                                                          \
	X(PARENT, "tie it to this process")                                                                            \
	X(DIRECTORY, "enter its folder")                                                                               \
	X(EXEC, "execute it")

enum step {
#define X(name, word) STEP_##name,
	STEPS(X)
#undef X
};

static const char *const step_words[] = {
#define X(name, word) word,
	STEPS(X)
#undef X
};

struct failure {
	enum step step;
	int number; // errno
};

struct start {
	const struct process_spec *spec;
	const char *path; // to execute
	char **argv, **environment;
	int null;   // /dev/null
	int report; // write end of the pipe
	pid_t parent;
	sigset_t signals; // to give the child: none blocked
};

static char self_path[PATH_MAX];

static void find_self(void)
{
	ssize_t n = readlink("/proc/self/exe", self_path, sizeof(self_path) - 1);
	if (n <= 0)
		memcpy(self_path, "isobar", sizeof("isobar"));
}

const char *process_self_path(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, find_self);
	return self_path;
}

// 0, 1 and 2 from the descriptors asked for, which may themselves be 0, 1 or 2 in any order: they are first copied out
// of the way. The report pipe goes to 3, and all above it is closed.
static int set_descriptors(struct start *s)
{
	const int wanted[3] = {s->spec->in, s->spec->out, s->spec->error};
	int copies[3];
	int report = fcntl(s->report, F_DUPFD_CLOEXEC, 10);
	if (report < 0)
		return -1;
	for (int i = 0; i < 3; i++) {
		copies[i] = fcntl(wanted[i] >= 0 ? wanted[i] : s->null, F_DUPFD_CLOEXEC, 10);
		if (copies[i] < 0)
			return -1;
	}
	for (int i = 0; i < 3; i++)
		if (dup2(copies[i], i) < 0)
			return -1;
	if (dup3(report, 3, O_CLOEXEC) < 0)
		return -1;
	s->report = 3;
	if (close_range(4, ~0U, 0) < 0) { // a kernel or sandbox without it
		struct rlimit most;
		if (getrlimit(RLIMIT_NOFILE, &most) < 0)
			return -1;
		for (rlim_t fd = 4; fd < MIN(most.rlim_cur, (rlim_t)1 << 20); fd++)
			close((int)fd);
	}
	return 0;
}

// Both the soft and the hard limit; a hard limit that is lower already stays, since the aim is a bound.
static int limit_one(__rlimit_resource_t resource, uint64_t most)
{
	struct rlimit limit;
	if (getrlimit(resource, &limit) < 0)
		return -1;
	limit.rlim_max = MIN(limit.rlim_max, (rlim_t)most);
	limit.rlim_cur = limit.rlim_max;
	return setrlimit(resource, &limit);
}

static int set_limits(const struct process_spec *spec)
{
	if (spec->max_memory && limit_one(RLIMIT_AS, spec->max_memory) < 0)
		return -1;
	if (spec->max_cpu_s && limit_one(RLIMIT_CPU, spec->max_cpu_s) < 0)
		return -1;
	if (spec->max_file && limit_one(RLIMIT_FSIZE, spec->max_file) < 0)
		return -1;
	return limit_one(RLIMIT_NOFILE, spec->max_descriptors ? spec->max_descriptors : 1024);
}

// Groups first: afterwards the right to change them is gone. Raw calls: the C library's wrappers signal all threads
// under a lock. "No new privileges" keeps set-uid programs from undoing it.
static int set_identity(const struct process_spec *spec)
{
	if (spec->uid == 0)
		return 0;
	if (syscall(SYS_setgroups, 0, NULL) < 0 || syscall(SYS_setresgid, spec->gid, spec->gid, spec->gid) < 0)
		return -1;
	if (syscall(SYS_setresuid, spec->uid, spec->uid, spec->uid) < 0)
		return -1;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

// After set_identity, which clears the setting. The parent may have ended before it was made.
static int tie_to_parent(const struct start *s)
{
	if (!s->spec->die_with_parent)
		return 0;
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return -1;
	if (getppid() != s->parent)
		_exit(127);
	return 0;
}

// Handlers go with the exec, but what was ignored stays ignored: a child must get SIGPIPE and the like as usual.
static void reset_signals(const struct start *s)
{
	struct sigaction usual = {.sa_handler = SIG_DFL};
	for (int number = 1; number < NSIG; number++)
		sigaction(number, &usual, NULL); // SIGKILL, SIGSTOP and the C library's own refuse
	sigprocmask(SIG_SETMASK, &s->signals, NULL);
}

static enum step prepare_child(struct start *s)
{
	const struct process_spec *spec = s->spec;
	if ((spec->new_session ? setsid() : setpgid(0, 0)) < 0)
		return STEP_SESSION;
	if (set_descriptors(s) < 0)
		return STEP_DESCRIPTORS;
	if (set_limits(spec) < 0)
		return STEP_LIMITS;
	if (set_identity(spec) < 0)
		return STEP_IDENTITY;
	if (tie_to_parent(s) < 0)
		return STEP_PARENT;
	if (spec->directory && chdir(spec->directory) < 0)
		return STEP_DIRECTORY;
	reset_signals(s);
	execve(s->path, s->argv, s->environment);
	return STEP_EXEC;
}

static _Noreturn void run_child(struct start *s)
{
	struct failure failure = {.step = prepare_child(s)};
	failure.number = errno;
	ssize_t put = write(s->report, &failure, sizeof(failure));
	_exit(put == (ssize_t)sizeof(failure) ? 127 : 126);
}

// What the child reported: 0 when the exec closed the pipe.
static int read_report(int fd, pid_t pid, const char *path, struct err *e)
{
	struct failure failure;
	ssize_t got;
	do
		got = read(fd, &failure, sizeof(failure));
	while (got < 0 && errno == EINTR);
	if (got == 0)
		return 0;
	int status;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (got != (ssize_t)sizeof(failure) || failure.step >= COUNT_OF(step_words))
		return err_set(e, ERR_INTERNAL, "start %s: its report is not readable", path);
	errno = failure.number;
	return err_errno(e, "start %s: %s", path, step_words[failure.step]);
}

// Signals are blocked around the fork, so that no handler of ours runs in the child.
static pid_t fork_child(struct start *s)
{
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	s->parent = getpid();
	pid_t pid = fork();
	if (pid == 0)
		run_child(s);
	int number = errno;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	errno = number;
	return pid;
}

static int launch(struct start *s, struct process *out, struct err *e)
{
	AUTO(fd) null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int ends[2];
	if (null < 0)
		return err_errno(e, "open /dev/null");
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_errno(e, "start %s: make a pipe", s->path);
	AUTO(fd) report = ends[0];
	s->null = null;
	s->report = ends[1];
	sigemptyset(&s->signals);
	pid_t pid = fork_child(s);
	int number = errno;
	fd_close(&ends[1]);
	errno = number;
	if (pid < 0)
		return err_errno(e, "start %s: fork", s->path);
	int rc = read_report(report, pid, s->path, e);
	if (rc < 0)
		return rc;
	// A child that ended at once is a zombie until it is waited for, so its entry is still there.
	if (process_identify(pid, out) < 0)
		return err_set(e, ERR_INTERNAL, "start %s: process %d is not in /proc", s->path, (int)pid);
	return 0;
}

// Our own PATH, HOME, TZ, LANG and where CA certificates are, borrowed from environ.
enum { KEPT = 6 };
static char **default_environment(char *places[KEPT + 1])
{
	static const char *const kept[KEPT] = {"PATH=", "HOME=", "TZ=", "LANG=", "SSL_CERT_FILE=", "SSL_CERT_DIR="};
	size_t n = 0;
	for (size_t i = 0; i < COUNT_OF(kept); i++)
		for (char **entry = environ; entry && *entry; entry++)
			if (n < KEPT && str_starts(str_of(*entry), str_of(kept[i]))) {
				places[n++] = *entry;
				break;
			}
	places[n] = NULL;
	return places;
}

static int check_spec(const struct process_spec *spec, struct err *e)
{
	if (!spec->argv || !spec->argv[0])
		return err_set(e, ERR_INVALID, "start a process: no program is named");
	if (strcmp(spec->argv[0], "self") != 0 && !strchr(spec->argv[0], '/'))
		return err_set(
			e, ERR_INVALID, "start %s: it is no path, and programs are not searched for", spec->argv[0]);
	if (spec->uid != 0 && spec->gid == 0)
		return err_set(e, ERR_INVALID, "start %s: a user needs a group", spec->argv[0]);
	return 0;
}

int process_start(const struct process_spec *spec, struct process *out, struct err *e)
{
	char *places[KEPT + 1];
	int rc = check_spec(spec, e);
	if (rc < 0)
		return rc;
	size_t n = 0;
	while (spec->argv[n])
		n++;
	// execve(2) changes no argument; its prototype is older than const.
	const char **argv = calloc(n + 1, sizeof(*argv));
	if (!argv)
		return err_set(e, ERR_NO_MEMORY, "start %s: out of memory", spec->argv[0]);
	memcpy(argv, spec->argv, n * sizeof(*argv));
	struct start s = {.spec = spec, .path = spec->argv[0]};
	if (strcmp(s.path, "self") == 0) {
		// Not by its name: that may be another program by now, after an upgrade.
		s.path = "/proc/self/exe";
		argv[0] = process_self_path();
	}
	s.argv = (char **)(uintptr_t)argv;
	s.environment = spec->environment ? (char **)(uintptr_t)spec->environment : default_environment(places);
	rc = launch(&s, out, e);
	free(argv);
	return rc;
}
