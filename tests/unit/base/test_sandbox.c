// SPDX-License-Identifier: Apache-2.0
// Uids of their own and user namespaces, each where this machine has them.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/sandbox.h"

static char folder[64];

static const char *at(const char *name)
{
	static char paths[4][128];
	static unsigned turn;
	char *path = paths[turn++ % 4];
	snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
	return path;
}

static void put(const char *name, struct str text)
{
	struct err e = {0};
	assert_int_equal(file_write_atomic(at(name), text, 0600, &e), 0);
}

static int setup(UNUSED void **state)
{
	snprintf(folder, sizeof(folder), "/tmp/isobar-test-sandbox-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int teardown(UNUSED void **state)
{
	return file_remove_tree(folder, NULL);
}

static void test_kind(UNUSED void **state)
{
	enum sandbox_kind wanted = sandbox_can_own_uid()     ? SANDBOX_OWN_UID
				   : sandbox_can_namespace() ? SANDBOX_NAMESPACE
							     : SANDBOX_SAME_USER;
	assert_int_equal(sandbox_kind(), wanted);
	assert_string_equal(sandbox_kind_text(SANDBOX_OWN_UID), "each job runs under a uid of its own");
	assert_string_equal(sandbox_kind_text(SANDBOX_SAME_USER), "jobs run as the user who started Isobar");
	assert_non_null(strstr(sandbox_kind_text(SANDBOX_NAMESPACE), "user namespaces"));
}

static void test_work_path(UNUSED void **state)
{
	char a[SANDBOX_PATH_SIZE], b[SANDBOX_PATH_SIZE];
	sandbox_work_path("/home/x/.isobar/jobs/one", a);
	sandbox_work_path("/home/x/.isobar/jobs/two", b);
	assert_int_equal(strlen(a), sizeof(SANDBOX_WORK_ROOT) + 32);
	assert_true(str_starts(str_of(a), S(SANDBOX_WORK_ROOT "/")));
	assert_string_not_equal(a, b);
}

static void test_claims(UNUSED void **state)
{
	struct sandbox_uid first = {0}, second = {0};
	struct err e = {0};
	char path[SANDBOX_PATH_SIZE];
	if (!sandbox_can_own_uid())
		return;
	sandbox_work_path(folder, path);
	assert_int_equal(sandbox_uid_claim(path, &first, &e), 0);
	assert_int_equal(sandbox_uid_claim(path, &second, &e), 0);
	assert_true(first.uid >= 61184 && first.uid <= 65519 && first.gid == first.uid);
	assert_int_not_equal(first.uid, second.uid);
	uid_t uid = first.uid;
	sandbox_uid_release(&first);
	assert_int_equal(first.uid, 0);
	assert_int_equal(first.claim, -1);
	assert_int_equal(sandbox_uid_claim(path, &first, &e), 0);
	assert_int_equal(first.uid, uid); // the same one again, as long as nobody has it
	sandbox_uid_release(&first);
	sandbox_uid_release(&second);
}

// Links are given themselves, and not what they lead to.
static void test_give(UNUSED void **state)
{
	struct err e = {0};
	struct stat s;
	const struct sandbox_uid none = {.claim = -1}, some = {.uid = 61183, .gid = 61183, .claim = -1};
	assert_int_equal(mkdir(at("in"), 0700), 0);
	assert_int_equal(mkdir(at("in/deep"), 0700), 0);
	put("in/deep/file", S("x"));
	put("outside", S("x"));
	assert_int_equal(symlink(at("outside"), at("in/link")), 0);
	assert_int_equal(sandbox_give(&none, at("absent"), &e), 0); // nobody to give it to
	if (!sandbox_can_own_uid())
		return;
	assert_int_equal(sandbox_give(&some, at("in"), &e), 0);
	assert_int_equal(stat(at("in/deep/file"), &s), 0);
	assert_int_equal(s.st_uid, 61183);
	assert_int_equal(lstat(at("in/link"), &s), 0);
	assert_int_equal(s.st_uid, 61183);
	assert_int_equal(stat(at("outside"), &s), 0);
	assert_int_equal(s.st_uid, geteuid());
	assert_int_equal(sandbox_give(&some, at("absent"), &e), ERR_NOT_FOUND);
}

// Runs in a child, whose exit code says which look was wrong.
static int look_around(const char *root)
{
	struct err e = {0};
	char text[8];
	if (sandbox_enter(root, "engine/one", &e) < 0)
		return 1;
	int fd = open(at("engine/one/mine"), O_RDWR);
	if (fd < 0 || read(fd, text, sizeof(text)) != 4 || write(fd, "more", 4) != 4)
		return 2;
	fd = open(at("credentials.json"), O_RDONLY);
	if (fd >= 0 && read(fd, text, sizeof(text)) > 0)
		return 3;
	if (access(at("docs/key"), F_OK) == 0 || access(at("engine/two/theirs"), F_OK) == 0)
		return 4;
	// Without a capability: not even the uid 0 that exec would give.
	char *argv[] = {"sh", "-c", "umount \"$0\" 2>/dev/null; cat \"$0\"/key 2>/dev/null", NULL, NULL};
	char docs[128];
	snprintf(docs, sizeof(docs), "%s", at("docs"));
	argv[3] = docs;
	pid_t child = fork();
	if (child == 0) {
		execv("/bin/sh", argv);
		_exit(0);
	}
	int status = 0;
	if (waitpid(child, &status, 0) < 0 || !WIFEXITED(status) || WEXITSTATUS(status) == 0)
		return 5; // the cat found it
	return 0;
}

static void test_namespace(UNUSED void **state)
{
	int status = -1;
	struct err e = {0};
	if (!sandbox_can_namespace())
		return;
	assert_int_equal(file_make_dirs(at("engine/one"), 0700, &e), 0);
	assert_int_equal(file_make_dirs(at("engine/two"), 0700, &e), 0);
	assert_int_equal(file_make_dirs(at("docs"), 0700, &e), 0);
	put("engine/one/mine", S("mine"));
	put("engine/two/theirs", S("theirs"));
	put("credentials.json", S("secret"));
	put("docs/key", S("secret"));
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0)
		_exit(look_around(folder));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_int_equal(access(at("docs/key"), F_OK), 0); // out here nothing has changed
}

static void test_namespace_refused(UNUSED void **state)
{
	struct err e = {0};
	assert_int_equal(sandbox_enter(folder, "../up", &e), ERR_INVALID);
	assert_int_equal(sandbox_enter(folder, "", &e), ERR_INVALID);
}

static void test_address_limit(UNUSED void **state)
{
	assert_int_equal(sandbox_address_limit(0), 0);
	assert_int_equal(sandbox_address_limit(UINT64_MAX), 0);
	uint64_t limit = sandbox_address_limit(UINT64_C(1) << 30);
	assert_true(limit == 0 || limit == UINT64_C(12) << 30); // 0: a build with sanitizers
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kind),
		cmocka_unit_test(test_work_path),
		cmocka_unit_test_setup_teardown(test_claims, setup, teardown),
		cmocka_unit_test_setup_teardown(test_give, setup, teardown),
		cmocka_unit_test_setup_teardown(test_namespace, setup, teardown),
		cmocka_unit_test_setup_teardown(test_namespace_refused, setup, teardown),
		cmocka_unit_test(test_address_limit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
