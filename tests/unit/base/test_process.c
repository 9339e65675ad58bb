// SPDX-License-Identifier: Apache-2.0
// Child processes: what they get and do not get, errors of the start, waiting, groups, reused numbers.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/edges.h"
#include "base/process.h"
#include "base/time.h"

#define SH(script) ((const char *const[]){"/bin/sh", "-c", (script), NULL})

struct pipe_ends {
	int read, write;
};

static struct pipe_ends make_pipe(void)
{
	int fds[2];
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	return (struct pipe_ends){.read = fds[0], .write = fds[1]};
}

// Reads until all writers are gone.
static void drain(int fd, char *text, size_t size)
{
	size_t n = 0;
	ssize_t got;
	while (n < size - 1 && (got = read(fd, text + n, size - 1 - n)) != 0)
		if (got > 0)
			n += (size_t)got;
		else if (errno != EINTR)
			break;
	text[n] = '\0';
	close(fd);
}

static struct process start(const struct process_spec *spec)
{
	struct err e = {0};
	struct process p = {0};
	if (process_start(spec, &p, &e) < 0)
		fail_msg("%s", e.message);
	return p;
}

static int wait_status(const struct process *p)
{
	int status = -2;
	struct err e = {0};
	assert_int_equal(process_wait(p, 5 * NS_PER_S, &status, &e), 0);
	return status;
}

// Runs a script to its end; its output is in text.
static int run(struct process_spec spec, const char *script, char *text, size_t size)
{
	struct pipe_ends ends = make_pipe();
	spec.argv = SH(script);
	spec.in = spec.error = -1;
	spec.out = ends.write;
	struct process p = start(&spec);
	close(ends.write);
	drain(ends.read, text, size);
	return wait_status(&p);
}

static void test_output_and_status(UNUSED void **state)
{
	char text[64];
	int status = run((struct process_spec){0}, "echo hello; exit 3", text, sizeof(text));
	assert_string_equal(text, "hello\n");
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 3);
}

static void test_only_named_descriptors(UNUSED void **state)
{
	char text[256];
	int stray = dup(STDERR_FILENO), high = fcntl(STDERR_FILENO, F_DUPFD, 200);
	assert_true(stray > 2 && high >= 200);
	run((struct process_spec){0},
		"for fd in /proc/$$/fd/*; do n=${fd##*/}; [ -e $fd ] && [ $n -lt 10 ] || [ $n -ge 100 ] && echo $n; "
		"done; "
		"readlink /proc/$$/fd/0",
		text, sizeof(text));
	close(stray);
	close(high);
	assert_string_equal(text, "0\n1\n2\n/dev/null\n");
}

// 0, 1 and 2 asked for in another order, the parent's own among them.
static void test_descriptors_may_swap(UNUSED void **state)
{
	char text[64];
	struct pipe_ends ends = make_pipe();
	int saved[2] = {dup(STDIN_FILENO), dup(STDOUT_FILENO)};
	dup2(ends.write, STDIN_FILENO);
	struct process_spec spec = {
		.argv = SH("echo out; echo err >&2"), .in = -1, .out = STDIN_FILENO, .error = STDIN_FILENO};
	struct process p = start(&spec);
	dup2(saved[0], STDIN_FILENO);
	close(saved[0]);
	close(saved[1]);
	close(ends.write);
	drain(ends.read, text, sizeof(text));
	assert_string_equal(text, "out\nerr\n");
	assert_int_equal(wait_status(&p), 0);
}

static void test_environment(UNUSED void **state)
{
	char text[512];
	setenv("ISOBAR_TEST_SECRET", "x", 1);
	setenv("HOME", "/home/of/test", 1);
	run((struct process_spec){0}, "echo \"$HOME:$ISOBAR_TEST_SECRET\"", text, sizeof(text));
	assert_string_equal(text, "/home/of/test:\n");
	const char *const only[] = {"A=1", "B=two words", NULL};
	run((struct process_spec){.environment = only}, "echo \"$A:$B:$HOME\"", text, sizeof(text));
	assert_string_equal(text, "1:two words:\n");
}

static void test_directory_and_limits(UNUSED void **state)
{
	char text[128];
	struct process_spec spec = {.directory = "/usr", .max_descriptors = 77, .max_file = 512 * 3, .max_cpu_s = 9};
	run(spec, "pwd; ulimit -n; ulimit -Hn; ulimit -f; ulimit -t", text, sizeof(text));
	assert_string_equal(text, "/usr\n77\n77\n3\n9\n");
	spec = (struct process_spec){.max_memory = UINT64_C(1) << 30};
	run(spec, "ulimit -v; ulimit -n", text, sizeof(text));
	assert_string_equal(text, "1048576\n1024\n");
}

static void test_group_and_session(UNUSED void **state)
{
	char text[128], expected[64];
	struct pipe_ends ends = make_pipe();
	for (int session = 0; session <= 1; session++) {
		ends = session ? make_pipe() : ends;
		struct process_spec spec = {
			.argv = SH("read _ _ _ _ group session _ < /proc/$$/stat; echo $group $session"),
			.in = -1,
			.out = ends.write,
			.error = -1,
			.new_session = session};
		struct process p = start(&spec);
		close(ends.write);
		drain(ends.read, text, sizeof(text));
		snprintf(expected, sizeof(expected), "%d %d\n", p.pid, session ? p.pid : getsid(0));
		assert_string_equal(text, expected);
		wait_status(&p);
	}
}

static void test_signals_are_reset(UNUSED void **state)
{
	char text[128];
	sigset_t blocked, before;
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGTERM);
	sigprocmask(SIG_BLOCK, &blocked, &before);
	// Only signals 1 to 31: those above may be the C library's own, which it lets nobody change.
	run((struct process_spec){0},
		"sed -nE 's/^(Sig(Blk|Ign)):.*(.{8})$/\\1 \\3/p' /proc/self/status | tr 89abcdef 01234567", text,
		sizeof(text));
	sigprocmask(SIG_SETMASK, &before, NULL);
	signal(SIGPIPE, SIG_DFL);
	assert_string_equal(text, "SigBlk 00000000\nSigIgn 00000000\n");
}

static void test_start_fails(UNUSED void **state)
{
	struct err e = {0};
	struct process p = {.pid = 42};
	struct process_spec spec = {
		.argv = (const char *const[]){"/no/such/program", NULL}, .in = -1, .out = -1, .error = -1};
	assert_int_equal(process_start(&spec, &p, &e), ERR_NOT_FOUND);
	assert_string_equal(e.message, "start /no/such/program: execute it: No such file or directory");
	spec.argv = (const char *const[]){"/etc/passwd", NULL};
	assert_int_equal(process_start(&spec, &p, &e), ERR_DENIED);
	spec.argv = SH("true");
	spec.directory = "/no/such/folder";
	assert_int_equal(process_start(&spec, &p, &e), ERR_NOT_FOUND);
	assert_string_equal(e.message, "start /bin/sh: enter its folder: No such file or directory");
	spec.directory = NULL;
	spec.out = 999;
	assert_int_equal(process_start(&spec, &p, &e), ERR_IO);
	assert_string_equal(e.message, "start /bin/sh: give it its descriptors: Bad file descriptor");
	spec.argv = (const char *const[]){"sh", NULL};
	assert_int_equal(process_start(&spec, &p, &e), ERR_INVALID);
	spec.argv = (const char *const[]){NULL};
	assert_int_equal(process_start(&spec, &p, &e), ERR_INVALID);
	spec.argv = SH("true");
	spec.uid = 65534;
	assert_int_equal(process_start(&spec, &p, &e), ERR_INVALID);
	assert_int_equal(p.pid, 42);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); // no child is left
	assert_int_equal(errno, ECHILD);
}

static void test_identity(UNUSED void **state)
{
	char text[128];
	if (geteuid() != 0) {
		struct err e = {0};
		struct process p;
		struct process_spec spec = {
			.argv = SH("true"), .in = -1, .out = -1, .error = -1, .uid = 65534, .gid = 65534};
		assert_int_equal(process_start(&spec, &p, &e), ERR_DENIED);
		return;
	}
	struct process_spec spec = {.uid = 65534, .gid = 65533};
	run(spec, "grep -E '^(Uid|Gid|Groups|NoNewPrivs)' /proc/self/status", text, sizeof(text));
	assert_string_equal(text,
		"Uid:\t65534\t65534\t65534\t65534\nGid:\t65533\t65533\t65533\t65533\nGroups:\t \nNoNewPrivs:\t1\n");
}

static void test_wait(UNUSED void **state)
{
	struct err e = {0};
	int status = 5;
	struct process_spec spec = {
		.argv = (const char *const[]){"/bin/sleep", "30", NULL}, .in = -1, .out = -1, .error = -1};
	struct process p = start(&spec);
	assert_true(process_alive(&p));
	assert_int_equal(process_wait(&p, 0, &status, &e), ERR_TIMEOUT);
	assert_int_equal(process_wait(&p, 20 * NS_PER_MS, &status, &e), ERR_TIMEOUT);
	assert_int_equal(status, 5);
	struct process reused = {.pid = p.pid, .start_ticks = p.start_ticks + 1};
	assert_false(process_alive(&reused));
	process_kill_group(&reused, SIGKILL);
	assert_true(process_alive(&p));
	process_kill_group(&p, SIGKILL);
	assert_int_equal(process_wait(&p, -1, &status, &e), 0);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	assert_false(process_alive(&p));
	assert_int_equal(process_wait(&p, -1, &status, &e), 0);
	assert_int_equal(status, -1);
}

// The leader heeds SIGTERM; a member of its group does not, and holds the pipe until SIGKILL ends it.
static void test_stop_ends_the_group(UNUSED void **state)
{
	char text[64];
	struct pipe_ends ends = make_pipe();
	struct process_spec spec = {.argv = SH("(trap '' TERM; echo up; sleep 30; sleep 30) & wait"),
		.in = -1,
		.out = ends.write,
		.error = -1};
	struct process p = start(&spec);
	close(ends.write);
	assert_int_equal(read(ends.read, text, sizeof(text)), 3);
	process_stop(&p, 50 * NS_PER_MS);
	drain(ends.read, text, sizeof(text));
	assert_false(process_alive(&p));
	assert_int_equal(waitpid(p.pid, NULL, WNOHANG), -1);
	process_stop(&p, 0);
}

// Three that do not heed SIGTERM share one grace.
static void test_stop_all(UNUSED void **state)
{
	enum { COUNT = 3 };
	struct process all[COUNT];
	for (size_t i = 0; i < COUNT; i++) {
		char text[8];
		struct pipe_ends ends = make_pipe();
		struct process_spec spec = {
			.argv = SH("trap '' TERM; echo up; sleep 30"), .in = -1, .out = ends.write, .error = -1};
		all[i] = start(&spec);
		close(ends.write);
		assert_int_equal(read(ends.read, text, sizeof(text)), 3);
		close(ends.read);
	}
	int64_t began = edges_real()->mono_ns(edges_real()->ctx);
	process_stop_all(all, COUNT, 300 * NS_PER_MS);
	assert_true(edges_real()->mono_ns(edges_real()->ctx) - began >= 300 * NS_PER_MS);
	for (size_t i = 0; i < COUNT; i++) {
		assert_false(process_alive(&all[i]));
		assert_int_equal(waitpid(all[i].pid, NULL, WNOHANG), -1);
	}
	process_stop_all(NULL, 0, NS_PER_S);
}

static void test_die_with_parent(UNUSED void **state)
{
	char text[64] = {0};
	struct pipe_ends ends = make_pipe();
	pid_t middle = fork();
	if (middle == 0) {
		struct process p = {0};
		struct process_spec spec = {.argv = (const char *const[]){"/bin/sleep", "30", NULL},
			.in = -1,
			.out = ends.write,
			.error = -1,
			.die_with_parent = true,
			.new_session = true};
		_exit(process_start(&spec, &p, NULL) == 0 ? 0 : 1);
	}
	close(ends.write);
	int status = -1;
	assert_int_equal(waitpid(middle, &status, 0), middle);
	assert_int_equal(status, 0);
	drain(ends.read, text, sizeof(text)); // ends only when the grandchild has
	assert_string_equal(text, "");
}

static void test_identify(UNUSED void **state)
{
	struct process p = {0};
	assert_int_equal(process_identify(getpid(), &p), 0);
	assert_int_equal(p.pid, getpid());
	assert_true(p.start_ticks > 0);
	assert_true(process_alive(&p));
	assert_int_equal(process_identify(0, &p), ERR_NOT_FOUND);
	assert_int_equal(process_identify(-5, &p), ERR_NOT_FOUND);
	assert_int_equal(process_identify(0x7ffffff0, &p), ERR_NOT_FOUND);
}

// This program again: main() answers "--echo".
static void test_arguments(UNUSED void **state)
{
	struct err e = {0};
	struct process p;
	const char *const argv[] = {"/bin/sleep", "60.5", NULL};
	const struct process_spec spec = {.argv = argv, .in = -1, .out = -1, .error = -1};
	assert_int_equal(process_start(&spec, &p, &e), 0);
	assert_true(process_has_argument(p.pid, "60.5"));
	assert_false(process_has_argument(p.pid, "60"));
	assert_false(process_has_argument(p.pid, "0.5"));
	assert_false(process_has_argument(p.pid, ""));
	process_stop(&p, 0);
	assert_false(process_has_argument(p.pid, "60.5"));
	assert_false(process_has_argument(0, "60.5"));
	assert_false(process_has_argument(-1, "60.5"));
}

static void test_self(UNUSED void **state)
{
	char text[600], expected[600];
	struct pipe_ends ends = make_pipe();
	struct process_spec spec = {
		.argv = (const char *const[]){"self", "--echo", NULL}, .in = -1, .out = ends.write, .error = -1};
	struct process p = start(&spec);
	close(ends.write);
	drain(ends.read, text, sizeof(text));
	assert_int_equal(wait_status(&p), 0);
	snprintf(expected, sizeof(expected), "%s\n", process_self_path());
	assert_string_equal(text, expected);
	assert_true(str_ends(str_of(process_self_path()), S("test-base-process")));
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--echo") == 0)
		return puts(argv[0]) < 0;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_output_and_status),
		cmocka_unit_test(test_only_named_descriptors),
		cmocka_unit_test(test_descriptors_may_swap),
		cmocka_unit_test(test_environment),
		cmocka_unit_test(test_directory_and_limits),
		cmocka_unit_test(test_group_and_session),
		cmocka_unit_test(test_signals_are_reset),
		cmocka_unit_test(test_start_fails),
		cmocka_unit_test(test_identity),
		cmocka_unit_test(test_wait),
		cmocka_unit_test(test_stop_ends_the_group),
		cmocka_unit_test(test_stop_all),
		cmocka_unit_test(test_die_with_parent),
		cmocka_unit_test(test_identify),
		cmocka_unit_test(test_arguments),
		cmocka_unit_test(test_self),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
