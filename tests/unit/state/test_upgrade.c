// SPDX-License-Identifier: Apache-2.0
// States of earlier releases (tests/fixtures, as those releases wrote them): upgraded whole or not at all, with a copy
// laid aside, and read as before.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fixture_state.h"

enum { EVENTS = 183, RECORDS = 130, RESOURCES = 20, SCHEMA_NOW = 2 }; // of state-0.1.sql

static const char *db_path(struct fixture *f)
{
	return fixture_path(f, "state.db");
}

static int64_t ask(const char *path, const char *sql)
{
	sqlite3 *db;
	sqlite3_stmt *statement;
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
	int64_t found = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	sqlite3_close(db);
	return found;
}

static void run_sql(const char *path, const char *sql)
{
	sqlite3 *db;
	char *why = NULL;
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
		fail_msg("%s", why);
	sqlite3_close(db);
}

static void open_old(struct fixture *f)
{
	AUTO(buf) sql = {0};
	fixture_open(f);
	if (file_read("tests/fixtures/state-0.1.sql", 4 << 20, &sql, &f->call.err) < 0)
		fail_msg("run this in the root of the repository: %s", f->call.err.message);
	run_sql(db_path(f), "PRAGMA journal_mode = WAL");
	run_sql(db_path(f), buf_cstr(&sql));
	assert_int_equal(ask(db_path(f), "SELECT max(number) FROM migration"), 1);
}

static void test_a_state_of_0_1_is_upgraded_and_read(UNUSED void **out)
{
	struct fixture f;
	struct state s;
	struct event *events;
	struct resource *resources;
	struct record *records, model;
	size_t count;
	struct stat st;
	open_old(&f);
	assert_ok(&f, state_open_sqlite(&f.call, db_path(&f), &s));
	assert_int_equal(fixture_events(&f, &s, "", &events), EVENTS);
	for (size_t i = 0; i < EVENTS; i++) {
		assert_int_equal(events[i].sequence, i + 1);
		assert_int_equal(events[i].schema, 1);
		assert_true(json_is_object(events[i].data) && events[i].type.n);
	}
	assert_ok(&f, state_list(&f.call, &s, S(""), &records, &count));
	assert_int_equal(count, RECORDS);
	assert_ok(&f, resource_list(&f.call, &s, S(""), &resources, &count));
	assert_int_equal(count, RESOURCES);
	for (size_t i = 0; i < count; i++)
		assert_str(resources[i].status, S("ready"));
	assert_ok(&f, state_get(&f.call, &s, S("model-alias/classifier/champion"), &model));
	assert_string_equal(json_text(model.value, "version"), "1");
	// It goes on from there.
	uint64_t sequence;
	assert_ok(&f, state_append_one(&f.call, &s, S("after"), S(""), json_object(), &sequence));
	assert_int_equal(sequence, EVENTS + 1);
	state_close(&s);
	assert_int_equal(ask(db_path(&f), "SELECT max(number) FROM migration"), SCHEMA_NOW);
	assert_int_equal(ask(db_path(&f), "SELECT length(value) FROM identity WHERE name = 'id'"), 32);
	// The copy is the old state, as the old program reads it.
	const char *copy = fixture_path(&f, "state.db.before-schema-2");
	assert_int_equal(stat(copy, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(ask(copy, "SELECT max(number) FROM migration"), 1);
	assert_int_equal(ask(copy, "SELECT count(*) FROM event"), EVENTS);
	assert_int_equal(ask(copy, "SELECT count(*) FROM record"), RECORDS);
	assert_false(file_exists(fixture_path(&f, "state.db.before-schema-2.partial")));
	fixture_close(&f);
}

static void test_an_upgrade_that_fails_changes_nothing(UNUSED void **out)
{
	struct fixture f;
	struct state s;
	open_old(&f);
	run_sql(db_path(&f), "CREATE TABLE identity (theirs INTEGER)"); // in the way of the step
	assert_int_equal(state_open_sqlite(&f.call, db_path(&f), &s), ERR_INTERNAL);
	assert_non_null(strstr(f.call.err.message, "identity"));
	err_clear(&f.call.err);
	assert_int_equal(ask(db_path(&f), "SELECT max(number) FROM migration"), 1);
	assert_int_equal(ask(db_path(&f), "SELECT count(*) FROM event"), EVENTS);
	run_sql(db_path(&f), "DROP TABLE identity");
	assert_ok(&f, state_open_sqlite(&f.call, db_path(&f), &s));
	state_close(&s);
	assert_int_equal(ask(db_path(&f), "SELECT max(number) FROM migration"), SCHEMA_NOW);
	fixture_close(&f);
}

static void test_no_copy_no_upgrade(UNUSED void **out)
{
	struct fixture f;
	struct state s;
	open_old(&f);
	assert_int_equal(symlink("/nonexistent/x", fixture_path(&f, "state.db.before-schema-2.partial")), 0);
	assert_true(state_open_sqlite(&f.call, db_path(&f), &s) < 0);
	assert_non_null(strstr(f.call.err.message, "before-schema-2.partial"));
	err_clear(&f.call.err);
	assert_int_equal(ask(db_path(&f), "SELECT max(number) FROM migration"), 1);
	fixture_close(&f);
}

static void test_two_starters_upgrade_once(UNUSED void **out)
{
	struct fixture f;
	pid_t children[3];
	open_old(&f);
	for (size_t i = 0; i < COUNT_OF(children); i++) {
		children[i] = fork();
		if (children[i] == 0) {
			struct state s;
			_exit(state_open_sqlite(&f.call, db_path(&f), &s) == 0 ? 0 : 1);
		}
	}
	for (size_t i = 0; i < COUNT_OF(children); i++) {
		int status;
		waitpid(children[i], &status, 0);
		assert_int_equal(status, 0);
	}
	assert_int_equal(ask(db_path(&f), "SELECT count(*) FROM migration"), SCHEMA_NOW);
	fixture_close(&f);
}

static void test_a_downgrade_is_refused_with_a_way_back(UNUSED void **out)
{
	struct fixture f;
	struct state s;
	open_old(&f);
	run_sql(db_path(&f), "INSERT INTO migration VALUES (2, 'x', '0.2.0', 0), (3, 'of the future', '0.9.0', 0)");
	assert_int_equal(state_open_sqlite(&f.call, db_path(&f), &s), ERR_UNSUPPORTED);
	assert_non_null(strstr(f.call.err.message, "was written by a newer Isobar (schema 3, version 0.9.0)"));
	assert_non_null(strstr(f.call.err.message, "use that version or newer, or put the copy"));
	assert_non_null(strstr(f.call.err.message, "state.db.before-schema-3"));
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_state_of_0_1_is_upgraded_and_read),
		cmocka_unit_test(test_an_upgrade_that_fails_changes_nothing),
		cmocka_unit_test(test_no_copy_no_upgrade),
		cmocka_unit_test(test_two_starters_upgrade_once),
		cmocka_unit_test(test_a_downgrade_is_refused_with_a_way_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
