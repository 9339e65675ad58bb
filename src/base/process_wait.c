// SPDX-License-Identifier: Apache-2.0
// Telling, awaiting and ending processes: see process.h. A pid alone proves nothing, since numbers are used again; pid
// and start time together do. A child that has ended stays in /proc as a zombie until it is reaped, and its number with
// it.
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/edges.h"
#include "base/file.h"
#include "base/process.h"
#include "base/time.h"

// State letter and start time from /proc/PID/stat (proc(5)). The name in parentheses may itself hold ") R 1".
static int read_stat(pid_t pid, char *letter, uint64_t *start_ticks)
{
	char path[32];
	AUTO(buf) text = {0};
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if (pid <= 0 || file_read(path, 4096, &text, NULL) < 0)
		return ERR_NOT_FOUND;
	struct str rest = buf_str(&text), part;
	while (rest.n && rest.p[rest.n - 1] != ')')
		rest.n--;
	rest = str_bytes(text.p + rest.n, text.n - rest.n);
	// Behind the name come " S", field 3, then the others; the start time is field 22.
	for (int field = 2; str_next(&rest, ' ', &part); field++) {
		if (field == 3 && part.n == 1)
			*letter = part.p[0];
		if (field == 22)
			return str_to_u64(part, start_ticks) < 0 ? ERR_NOT_FOUND : 0;
	}
	return ERR_NOT_FOUND;
}

int process_identify(pid_t pid, struct process *out)
{
	char letter = 0;
	uint64_t ticks;
	if (read_stat(pid, &letter, &ticks) < 0)
		return ERR_NOT_FOUND;
	*out = (struct process){.pid = pid, .start_ticks = ticks};
	return 0;
}

bool process_has_argument(pid_t pid, const char *argument)
{
	char path[32];
	AUTO(buf) all = {0};
	snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
	if (pid <= 0 || file_read(path, 256 << 10, &all, NULL) < 0)
		return false;
	struct str rest = buf_str(&all), one;
	while (rest.n && str_next(&rest, '\0', &one))
		if (str_eq(one, str_of(argument)))
			return true;
	return false;
}

// Whether the number still belongs to that process, be it a zombie.
static bool same_process(const struct process *p, char *letter)
{
	uint64_t ticks;
	*letter = 0;
	return p->pid > 0 && read_stat(p->pid, letter, &ticks) == 0 && ticks == p->start_ticks;
}

bool process_alive(const struct process *p)
{
	char letter;
	return same_process(p, &letter) && letter != 'Z' && letter != 'X';
}

void process_kill_group(const struct process *p, int signal)
{
	char letter;
	if (p->pid > 1 && same_process(p, &letter))
		kill(-p->pid, signal);
}

static int64_t mono_now(void)
{
	const struct edges *real = edges_real();
	return real->mono_ns(real->ctx);
}

// Waits for the end at most until the deadline, and reaps nothing. true when it has ended.
static bool await_end(const struct process *p, int64_t deadline)
{
	const int64_t nap_ns = 10 * NS_PER_MS;
	AUTO(fd) watch = (int)syscall(SYS_pidfd_open, p->pid, 0);
	for (;;) {
		if (!process_alive(p)) // after the pidfd was made: so it is of this very process
			return true;
		int64_t left = deadline == INT64_MAX ? NS_PER_S : deadline - mono_now();
		if (left <= 0)
			return false;
		struct pollfd poll_fd = {.fd = watch, .events = POLLIN};
		int64_t most = watch >= 0 ? NS_PER_S : nap_ns;
		int ms = (int)((MIN(left, most) + NS_PER_MS - 1) / NS_PER_MS);
		poll(&poll_fd, watch >= 0 ? 1 : 0, ms);
	}
}

int process_wait(const struct process *p, int64_t timeout_ns, int *status, struct err *e)
{
	int64_t deadline = INT64_MAX;
	if (timeout_ns >= 0 && __builtin_add_overflow(mono_now(), timeout_ns, &deadline))
		deadline = INT64_MAX;
	if (!await_end(p, deadline))
		return err_set(e, ERR_TIMEOUT, "process %d is still running", (int)p->pid);
	int ended = -1;
	char letter;
	if (same_process(p, &letter)) // a zombie: of ours, or of a parent that has not looked yet
		while (waitpid(p->pid, &ended, WNOHANG) < 0 && errno == EINTR)
			;
	*status = ended;
	return 0;
}

static void end_group(const struct process *p)
{
	int status;
	// Members of the group may live on after its leader; while that is a zombie of ours its number is safe to use.
	process_kill_group(p, SIGKILL);
	if (process_wait(p, 10 * NS_PER_S, &status, NULL) < 0)
		return; // stuck in the kernel: nothing more can be done from here
}

void process_stop_all(const struct process *all, size_t count, int64_t grace_ns)
{
	int64_t deadline = mono_now() + MAX(grace_ns, 0);
	for (size_t i = 0; i < count; i++)
		process_kill_group(&all[i], SIGTERM);
	for (size_t i = 0; i < count; i++) {
		await_end(&all[i], deadline);
		end_group(&all[i]);
	}
}

void process_stop(const struct process *p, int64_t grace_ns)
{
	process_stop_all(p, 1, grace_ns);
}
