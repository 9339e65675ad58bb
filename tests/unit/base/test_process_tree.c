// SPDX-License-Identifier: Apache-2.0
// Descendants of this process: counted, measured, signalled, also those whose parent has ended.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/process_tree.h"

static void reap_all(void)
{
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
		;
}

// A child with a child of its own, which leaves its session and outlives it; both have told that they are there.
static void start_two(bool parent_ends)
{
	int told[2];
	char bytes[2];
	assert_int_equal(pipe(told), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		if (fork() == 0) {
			setsid();
			(void)!write(told[1], "b", 1);
			for (;;)
				pause();
		}
		(void)!write(told[1], "a", 1);
		while (!parent_ends)
			pause();
		_exit(0);
	}
	for (size_t n = 0; n < sizeof(bytes); n++)
		assert_int_equal(read(told[0], bytes + n, 1), 1);
	close(told[0]);
	close(told[1]);
	if (parent_ends)
		assert_int_equal(waitpid(child, NULL, 0), child);
}

static void test_counted_and_ended(UNUSED void **state)
{
	struct process_tree tree;
	process_tree_look(getpid(), &tree);
	assert_int_equal(tree.count, 0);
	start_two(false);
	process_tree_look(getpid(), &tree);
	assert_int_equal(tree.count, 2);
	assert_true(tree.rss >= 2 * 4096 && tree.rss < UINT64_C(1) << 32);
	assert_true(tree.cpu_ns >= 0);
	assert_int_equal(process_tree_signal(getpid(), 0), 2);
	assert_int_equal(process_tree_signal(getpid(), SIGKILL), 2);
	reap_all();
	process_tree_look(getpid(), &tree);
	assert_int_equal(tree.count, 0);
	assert_int_equal(tree.rss, 0);
	assert_int_equal(process_tree_signal(getpid(), SIGKILL), 0);
}

// A process whose parent has ended becomes a child of the subreaper above it.
static void test_orphans(UNUSED void **state)
{
	struct process_tree tree;
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	start_two(true);
	process_tree_look(getpid(), &tree);
	assert_int_equal(tree.count, 1);
	assert_int_equal(process_tree_signal(getpid(), SIGKILL), 1);
	reap_all();
}

static void test_zombies_have_ended(UNUSED void **state)
{
	struct process_tree tree;
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0)
		_exit(0);
	siginfo_t info;
	assert_int_equal(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
	process_tree_look(getpid(), &tree);
	assert_int_equal(tree.count, 0);
	reap_all();
}

static void test_uid(UNUSED void **state)
{
	const uid_t uid = 61183; // just below the range of jobs
	int status;
	process_kill_uid(0); // would be all of the machine: refused
	if (geteuid() != 0)
		return;
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		if (setresuid(uid, uid, uid) < 0)
			_exit(1);
		for (;;)
			pause();
	}
	// It may not have that uid yet.
	while (waitpid(child, &status, WNOHANG) == 0)
		process_kill_uid(uid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counted_and_ended),
		cmocka_unit_test(test_orphans),
		cmocka_unit_test(test_zombies_have_ended),
		cmocka_unit_test(test_uid),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
