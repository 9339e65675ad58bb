// SPDX-License-Identifier: Apache-2.0
// State on SQLite: the conformance suite, and what is SQLite's own (files, migrations, refusals, a full disk, two
// processes and a lease).
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/time.h"
#include "conformance.h"

static char folder[64], path[96];

static void make_folder(void)
{
	snprintf(folder, sizeof(folder), "/tmp/isobar-state-XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/state.db", folder);
}

static void remove_folder(void)
{
	struct err e = {0};
	assert_int_equal(file_remove_tree(folder, &e), 0);
}

static int again(struct call *c, struct state *out)
{
	return state_open_sqlite(c, path, out);
}

static int make(struct call *c, struct state *out)
{
	make_folder();
	return again(c, out);
}

struct bench {
	struct arena arena;
	struct call call;
};

static int setup(void **out)
{
	struct bench *b = calloc(1, sizeof(*b));
	call_init(&b->call, &b->arena, edges_real(), S("user/test"));
	make_folder();
	*out = b;
	return 0;
}

static int teardown(void **out)
{
	struct bench *b = *out;
	arena_free(&b->arena);
	remove_folder();
	free(b);
	return 0;
}

static void run_sql(const char *sql)
{
	sqlite3 *db;
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void test_the_file_is_private(void **out)
{
	struct bench *b = *out;
	struct state s;
	mode_t before = umask(0);
	assert_int_equal(again(&b->call, &s), 0);
	assert_int_equal(state_append_one(&b->call, &s, S("a"), S(""), json_object(), NULL), 0);
	umask(before);
	static const char *const suffixes[] = {"", "-wal", "-shm"};
	for (size_t i = 0; i < COUNT_OF(suffixes); i++) {
		char name[128];
		struct stat st;
		snprintf(name, sizeof(name), "%s%s", path, suffixes[i]);
		assert_int_equal(stat(name, &st), 0);
		assert_int_equal(st.st_mode & 07777, 0600);
	}
	state_close(&s);
}

static void test_a_newer_schema_is_refused(void **out)
{
	struct bench *b = *out;
	struct state s;
	assert_int_equal(again(&b->call, &s), 0);
	state_close(&s);
	run_sql("INSERT INTO migration VALUES (99, 'of the future', '9.1.0', 0)");
	assert_int_equal(again(&b->call, &s), ERR_UNSUPPORTED);
	assert_non_null(strstr(b->call.err.message, "schema 99, version 9.1.0"));
	assert_non_null(strstr(b->call.err.message, path));
}

static void test_foreign_files_are_refused(void **out)
{
	struct bench *b = *out;
	struct state s;
	struct err e = {0};
	run_sql("CREATE TABLE theirs (x)");
	assert_int_equal(again(&b->call, &s), ERR_UNSUPPORTED);
	assert_non_null(strstr(b->call.err.message, "another program"));
	char text[4096];
	memset(text, 'x', sizeof(text));
	assert_int_equal(file_write_atomic(path, str_bytes(text, sizeof(text)), 0600, &e), 0);
	assert_int_equal(again(&b->call, &s), ERR_CORRUPT);
	assert_int_equal(state_open_sqlite(&b->call, "/nonexistent/state.db", &s), ERR_NOT_FOUND);
	assert_non_null(strstr(b->call.err.message, "/nonexistent/state.db"));
}

static void test_two_starters_agree(void **out)
{
	struct bench *b = *out;
	pid_t children[4];
	for (size_t i = 0; i < COUNT_OF(children); i++) {
		children[i] = fork();
		if (children[i] == 0) {
			struct state s;
			int rc = again(&b->call, &s);
			_exit(rc == 0 && state_append_one(&b->call, &s, S("started"), S(""), json_object(), NULL) == 0
					? 0
					: 1);
		}
	}
	for (size_t i = 0; i < COUNT_OF(children); i++) {
		int status;
		waitpid(children[i], &status, 0);
		assert_int_equal(status, 0);
	}
	struct state s;
	struct event *e;
	size_t n;
	assert_int_equal(again(&b->call, &s), 0);
	assert_int_equal(state_read_all(&b->call, &s, S(""), S(""), &e, &n), 0);
	assert_int_equal(n, 4);
	state_close(&s);
}

// A lock that stays for the whole patience of the busy handler would take 10 s: here the call is cancelled instead.
static void test_a_cancelled_call_does_not_wait_for_a_lock(void **out)
{
	struct bench *b = *out;
	struct state s;
	sqlite3 *other;
	atomic_bool cancel = true;
	assert_int_equal(again(&b->call, &s), 0);
	assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
	assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	b->call.cancel = &cancel;
	assert_int_equal(state_append_one(&b->call, &s, S("a"), S(""), json_object(), NULL), ERR_UNAVAILABLE);
	assert_true(b->call.err.retryable);
	b->call.cancel = NULL;
	sqlite3_close(other);
	assert_int_equal(state_append_one(&b->call, &s, S("a"), S(""), json_object(), NULL), 0);
	state_close(&s);
}

// In a child, whose files may not grow past a bound: as on a full disk, writes end in the middle.
static int fill_the_disk(struct call *c)
{
	struct state s;
	if (again(c, &s) < 0)
		return 1;
	const struct rlimit bound = {.rlim_cur = 256 << 10, .rlim_max = 256 << 10};
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &bound);
	char text[20000];
	memset(text, 'x', sizeof(text));
	int rc = 0;
	uint64_t written = 0;
	for (int i = 0; rc == 0 && i < 100; i++) {
		json_t *data = json_object();
		json_set_str(data, "text", str_bytes(text, sizeof(text)));
		rc = state_append_one(c, &s, S("fill"), S(""), data, &written); // untouched by a failure
	}
	if (rc != ERR_NO_SPACE || !strstr(c->err.message, "free some space"))
		return 2;
	uint64_t head = 0;
	if (state_watch(c, &s, UINT64_MAX, 0, &head) < 0 || head != written)
		return 3;
	_exit(100 + (int)head); // no close: as if killed
}

static void test_a_full_disk_leaves_nothing_half_written(void **out)
{
	struct bench *b = *out;
	struct state s;
	int status;
	assert_int_equal(again(&b->call, &s), 0);
	state_close(&s);
	pid_t child = fork();
	if (child == 0)
		_exit(fill_the_disk(&b->call));
	waitpid(child, &status, 0);
	assert_true(WIFEXITED(status));
	assert_true(WEXITSTATUS(status) > 100);
	struct event *e;
	size_t n;
	assert_int_equal(again(&b->call, &s), 0);
	assert_int_equal(state_read_all(&b->call, &s, S(""), S(""), &e, &n), 0);
	assert_int_equal(n, WEXITSTATUS(status) - 100);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(json_str(e[i].data, "text").n, 20000);
	assert_int_equal(state_append_one(&b->call, &s, S("after"), S(""), json_object(), NULL), 0);
	state_close(&s);
}

// A holder stops (SIGSTOP), its lease runs out, another takes it; woken up, the first one's write is refused.
static int hold_and_write_late(struct call *c, int ready, int go)
{
	struct state s;
	struct lease lease;
	char byte = 'r';
	if (again(c, &s) < 0 || s.ops->lease(c, s.ctx, S("control"), S("first"), 50 * NS_PER_MS, &lease) < 0)
		return 1;
	if (write(ready, &byte, 1) != 1 || read(go, &byte, 1) != 1)
		return 2;
	AUTO(json) v = json_pack("{s:s}", "by", "first");
	struct record r = {.key = S("shared"), .value = v};
	int rc = s.ops->put(c, s.ctx, &r, UINT64_MAX, S("control"), lease.fence);
	state_close(&s);
	return rc == ERR_DENIED ? 0 : 3;
}

static void test_an_old_holder_cannot_write(void **out)
{
	struct bench *b = *out;
	struct state s;
	int ready[2], go[2], status;
	char byte;
	assert_int_equal(pipe(ready), 0);
	assert_int_equal(pipe(go), 0);
	pid_t child = fork();
	if (child == 0)
		_exit(hold_and_write_late(&b->call, ready[1], go[0]));
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_int_equal(again(&b->call, &s), 0);
	struct lease lease = {0};
	while (s.ops->lease(&b->call, s.ctx, S("control"), S("second"), 10 * NS_PER_S, &lease) == ERR_IN_USE)
		usleep(5000);
	assert_int_equal(lease.fence, 2);
	AUTO(json) v = json_pack("{s:s}", "by", "second");
	struct record r = {.key = S("shared"), .value = v};
	assert_int_equal(s.ops->put(&b->call, s.ctx, &r, UINT64_MAX, S("control"), lease.fence), 0);
	assert_int_equal(write(go[1], "g", 1), 1);
	waitpid(child, &status, 0);
	assert_int_equal(status, 0);
	assert_int_equal(state_get(&b->call, &s, S("shared"), &r), 0);
	assert_string_equal(json_text(r.value, "by"), "second");
	for (size_t i = 0; i < 2; i++) {
		close(ready[i]);
		close(go[i]);
	}
	state_close(&s);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	static const struct conformance_factory factory = {.make = make, .again = again, .remove = remove_folder};
	const struct CMUnitTest tests[] = {
		TEST(test_the_file_is_private),
		TEST(test_a_newer_schema_is_refused),
		TEST(test_foreign_files_are_refused),
		TEST(test_two_starters_agree),
		TEST(test_a_cancelled_call_does_not_wait_for_a_lock),
		TEST(test_a_full_disk_leaves_nothing_half_written),
		TEST(test_an_old_holder_cannot_write),
	};
	int failed = conformance_run("conformance of sqlite", &factory);
	return failed + cmocka_run_group_tests(tests, NULL, NULL);
}
