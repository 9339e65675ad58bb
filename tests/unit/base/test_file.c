// SPDX-License-Identifier: Apache-2.0
// Files in a folder of the test's own, a full disk (RLIMIT_FSIZE) and hostile paths among them.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"

// The folder of the running test; at() gives a path in it, valid until four calls later.
static char folder[64];

static const char *at(const char *name)
{
	static char paths[4][256];
	static unsigned turn;
	char *path = paths[turn++ % 4];
	snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
	return path;
}

static int setup(UNUSED void **state)
{
	snprintf(folder, sizeof(folder), "/tmp/isobar-test-file-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int teardown(UNUSED void **state)
{
	return file_remove_tree(folder, NULL);
}

static size_t count_entries(const char *path)
{
	DIR *dir = opendir(path);
	size_t n = 0;
	assert_non_null(dir);
	for (const struct dirent *entry = readdir(dir); entry; entry = readdir(dir))
		n += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
	closedir(dir);
	return n;
}

static void test_write_and_read(UNUSED void **state)
{
	struct err e = {0};
	AUTO(buf) out = {0};
	assert_int_equal(file_write_atomic(at("a"), S("first"), 0600, &e), 0);
	assert_int_equal(file_write_atomic(at("a"), S("sec\0nd"), 0644, &e), 0);
	struct stat about;
	assert_int_equal(stat(at("a"), &about), 0);
	assert_int_equal(about.st_mode & 07777, 0644);
	buf_add(&out, S("<"));
	assert_int_equal(file_read(at("a"), 6, &out, &e), 0);
	assert_true(str_eq(buf_str(&out), S("<sec\0nd")));
	assert_int_equal(count_entries(folder), 1);
	assert_int_equal(file_replace(at("a"), S("third"), 0600, &e), 0);
	buf_clear(&out);
	assert_int_equal(file_read(at("a"), 6, &out, &e), 0);
	assert_true(str_eq(buf_str(&out), S("third")));
	assert_int_equal(count_entries(folder), 1);
	assert_true(file_replace(at("absent/a"), S("x"), 0600, &e) == ERR_NOT_FOUND);
	assert_int_equal(file_write_atomic(at("empty"), S(""), 0600, &e), 0);
	buf_clear(&out);
	assert_int_equal(file_read(at("empty"), 0, &out, &e), 0);
	assert_int_equal(out.n, 0);
}

static void test_read_fails(UNUSED void **state)
{
	struct err e = {0};
	AUTO(buf) out = {0};
	buf_add(&out, S("kept"));
	assert_int_equal(file_read(at("absent"), 10, &out, &e), ERR_NOT_FOUND);
	assert_non_null(strstr(e.message, "/absent: No such file or directory"));
	assert_int_equal(file_write_atomic(at("big"), S("12345678901"), 0600, &e), 0);
	assert_int_equal(file_read(at("big"), 10, &out, &e), ERR_LIMIT);
	assert_non_null(strstr(e.message, "bigger than the 10 bytes"));
	assert_int_equal(file_read(folder, 10, &out, &e), ERR_IO);
	assert_true(str_eq(buf_str(&out), S("kept")));
	AUTO(buf) small = {.limit = 4};
	assert_int_equal(file_read(at("big"), 100, &small, &e), ERR_LIMIT);
}

static void test_write_fails_without_folder(UNUSED void **state)
{
	struct err e = {0};
	assert_int_equal(file_write_atomic(at("no/such"), S("x"), 0600, &e), ERR_NOT_FOUND);
	assert_non_null(strstr(e.message, "no/such"));
	assert_int_equal(mkdir(at("taken"), 0700), 0);
	assert_true(file_write_atomic(at("taken"), S("x"), 0600, &e) < 0);
	assert_int_equal(count_entries(folder), 1);
	assert_int_equal(count_entries(at("taken")), 0);
}

// In a child, since the limit would hold for the test too: the disk ends after 1000 bytes.
static void test_full_disk_leaves_nothing(UNUSED void **state)
{
	assert_int_equal(file_write_atomic(at("state"), S("old"), 0600, NULL), 0);
	pid_t pid = fork();
	if (pid == 0) {
		char data[5000] = {0};
		struct err e = {0};
		struct rlimit limit = {.rlim_cur = 1000, .rlim_max = 1000};
		signal(SIGXFSZ, SIG_IGN);
		setrlimit(RLIMIT_FSIZE, &limit);
		int rc = file_write_atomic(at("state"), str_bytes(data, sizeof(data)), 0600, &e);
		_exit(rc == ERR_LIMIT && strstr(e.message, "/state: File too large") ? 0 : 1);
	}
	int status = -1;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	AUTO(buf) out = {0};
	assert_int_equal(file_read(at("state"), 100, &out, NULL), 0);
	assert_true(str_eq(buf_str(&out), S("old")));
	assert_int_equal(count_entries(folder), 1);
}

static void test_write_all(UNUSED void **state)
{
	struct err e = {0};
	AUTO(fd) full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	if (full >= 0) {
		assert_int_equal(file_write_all(full, S("x"), "the pipe", &e), ERR_NO_SPACE);
		assert_string_equal(e.message, "write the pipe: No space left on device: free some space and try again");
	}
	assert_int_equal(file_write_all(full, S(""), "the pipe", &e), 0);
}

static void test_make_dirs(UNUSED void **state)
{
	struct err e = {0};
	assert_int_equal(file_make_dirs(at("a/b//c/"), 0700, &e), 0);
	assert_int_equal(file_make_dirs(at("a/b/c"), 0700, &e), 0);
	assert_true(file_exists(at("a/b/c")));
	assert_false(file_exists(at("a/b/d")));
	assert_int_equal(file_write_atomic(at("a/file"), S("x"), 0600, &e), 0);
	assert_int_equal(file_make_dirs(at("a/file"), 0700, &e), ERR_EXISTS);
	assert_int_equal(file_make_dirs(at("a/file/x"), 0700, &e), ERR_EXISTS);
	assert_int_equal(file_make_dirs("", 0700, &e), ERR_INVALID);
	assert_int_equal(file_make_dirs("/", 0700, &e), 0);
}

static void test_remove_tree_follows_no_link(UNUSED void **state)
{
	struct err e = {0};
	assert_int_equal(file_make_dirs(at("tree/x/y"), 0700, &e), 0);
	assert_int_equal(file_make_dirs(at("outside"), 0700, &e), 0);
	assert_int_equal(file_write_atomic(at("outside/precious"), S("x"), 0600, &e), 0);
	assert_int_equal(file_write_atomic(at("tree/x/f"), S("x"), 0600, &e), 0);
	assert_int_equal(symlink("../outside", at("tree/link")), 0);
	assert_int_equal(symlink("/nowhere", at("tree/x/dangling")), 0);
	assert_int_equal(file_remove_tree(at("tree"), &e), 0);
	assert_false(file_exists(at("tree")));
	assert_true(file_exists(at("outside/precious")));
	assert_int_equal(file_remove_tree(at("tree"), &e), 0);
	assert_int_equal(file_remove_tree(at("outside/precious"), &e), 0);
	assert_int_equal(count_entries(at("outside")), 0);
}

static void test_remove_tree_bounds_depth(UNUSED void **state)
{
	struct err e = {0};
	int deep = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; i < 300; i++) {
		assert_int_equal(mkdirat(deep, "d", 0700), 0);
		int next = openat(deep, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		close(deep);
		deep = next;
	}
	close(deep);
	assert_int_equal(file_remove_tree(at("d"), &e), ERR_LIMIT);
	// What it refused stays whole; move the lower half up, so that the folder can go.
	char half[512];
	snprintf(half, sizeof(half), "%s", folder);
	for (int i = 0; i < 150; i++)
		memcpy(half + strlen(half), "/d", 3);
	assert_int_equal(rename(half, at("lower")), 0);
}

static void test_fsync_dir(UNUSED void **state)
{
	struct err e = {0};
	assert_int_equal(file_fsync_dir(folder, &e), 0);
	assert_int_equal(file_fsync_dir(at("absent"), &e), ERR_NOT_FOUND);
}

static void test_lock(UNUSED void **state)
{
	struct err e = {0};
	AUTO(fd) first = file_lock(at("lock"), &e);
	assert_true(first >= 0);
	assert_true(fcntl(first, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(file_lock(at("lock"), &e), ERR_IN_USE);
	assert_non_null(strstr(e.message, "another process has it"));
	fd_close(&first);
	assert_int_equal(first, -1);
	fd_close(&first);
	AUTO(fd) again = file_lock(at("lock"), &e);
	assert_true(again >= 0);
	assert_int_equal(file_lock(at("no/lock"), &e), ERR_NOT_FOUND);
}

static void test_check_relative(UNUSED void **state)
{
	static const char *const good[] = {"a", "a/b.c", "..a/b..", "a b/ü", ".hidden"};
	static const char *const bad[] = {"", "/a", "..", "../a", "a/..", "a/../b", "a//b", "a/", "./a", "a/./b"};
	struct err e = {0};
	for (size_t i = 0; i < COUNT_OF(good); i++)
		assert_int_equal(file_check_relative(str_of(good[i]), &e), 0);
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_int_equal(file_check_relative(str_of(bad[i]), &e), ERR_INVALID);
	assert_int_equal(file_check_relative(S("a\0b"), &e), ERR_INVALID);
	char text[1001];
	memset(text, 'a', sizeof(text));
	assert_int_equal(file_check_relative(str_bytes(text, 1000), &e), 0);
	assert_int_equal(file_check_relative(str_bytes(text, 1001), &e), ERR_INVALID);
	assert_int_equal(file_check_relative(S("a/../b"), &e), ERR_INVALID);
	assert_string_equal(e.message, "path \"a/../b\" has a part that is \".\" or \"..\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_write_and_read, setup, teardown),
		cmocka_unit_test_setup_teardown(test_read_fails, setup, teardown),
		cmocka_unit_test_setup_teardown(test_write_fails_without_folder, setup, teardown),
		cmocka_unit_test_setup_teardown(test_full_disk_leaves_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_write_all, setup, teardown),
		cmocka_unit_test_setup_teardown(test_make_dirs, setup, teardown),
		cmocka_unit_test_setup_teardown(test_remove_tree_follows_no_link, setup, teardown),
		cmocka_unit_test_setup_teardown(test_remove_tree_bounds_depth, setup, teardown),
		cmocka_unit_test_setup_teardown(test_fsync_dir, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lock, setup, teardown),
		cmocka_unit_test(test_check_relative),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
