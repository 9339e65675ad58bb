// SPDX-License-Identifier: Apache-2.0
// Locks: who has one, who is refused, and that it goes with its descriptor and over a fork.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/lock.h"

static char folder[64], path[80];

static int setup(UNUSED void **state)
{
	snprintf(folder, sizeof(folder), "/tmp/isobar-test-lock-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/lock", folder);
	return 0;
}

static int teardown(UNUSED void **state)
{
	return file_remove_tree(folder, NULL);
}

static void test_one_at_a_time(UNUSED void **state)
{
	struct err e = {0};
	struct stat about;
	int first = -1, second = -1;
	assert_false(lock_is_held(path)); // there is no file
	assert_int_equal(lock_take(path, &first, &e), 0);
	assert_int_equal(stat(path, &about), 0);
	assert_int_equal(about.st_mode & 07777, 0600);
	assert_true(lock_is_held(path));
	assert_int_equal(lock_take(path, &second, &e), ERR_IN_USE);
	assert_non_null(strstr(e.message, path));
	assert_int_equal(second, -1);
	fd_close(&first);
	assert_false(lock_is_held(path));
	assert_int_equal(lock_take(path, &second, &e), 0);
	fd_close(&second);
}

static void test_no_folder(UNUSED void **state)
{
	struct err e = {0};
	int fd = -1;
	assert_int_equal(lock_take("/nonexistent/lock", &fd, &e), ERR_NOT_FOUND);
	assert_int_equal(fd, -1);
}

// A child that has the descriptor has the lock.
static void test_over_a_fork(UNUSED void **state)
{
	struct err e = {0};
	int fd = -1, hold[2], status;
	char byte;
	assert_int_equal(lock_take(path, &fd, &e), 0);
	assert_int_equal(pipe(hold), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		close(hold[1]);
		_exit(read(hold[0], &byte, 1) != 0); // until the parent lets go
	}
	close(hold[0]);
	fd_close(&fd);
	assert_true(lock_is_held(path));
	close(hold[1]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_false(lock_is_held(path));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_one_at_a_time, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_folder, setup, teardown),
		cmocka_unit_test_setup_teardown(test_over_a_fork, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
