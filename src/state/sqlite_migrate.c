// SPDX-License-Identifier: Apache-2.0
// The schema, as numbered steps: each runs once, in a transaction of its own, and is recorded in the table `migration`.
// A step that was released is never changed; a new form of the tables is a new step at the end.
#include <inttypes.h>
#include <stdio.h>

#include "state/sqlite_impl.h"

// "ISOB": tells a state of ours from another program's database.
#define APPLICATION_ID 1230196546

struct migration {
	const char *name;
	const char *sql;
};

static const struct migration migrations[] = {
	// number = index + 1
	{"journal, records, leases",
		"CREATE TABLE event (sequence INTEGER PRIMARY KEY, schema INTEGER NOT NULL, time_ns INTEGER NOT NULL, "
		"type TEXT NOT NULL,"
		"  address TEXT NOT NULL, trace TEXT NOT NULL, principal TEXT NOT NULL, workspace TEXT NOT NULL, data "
		"TEXT NOT NULL) STRICT;"
		"CREATE INDEX event_of_address ON event (address, sequence);"
		"CREATE INDEX event_of_type ON event (type, sequence);"
		"CREATE TABLE record (key TEXT PRIMARY KEY, revision INTEGER NOT NULL, value TEXT NOT NULL) STRICT, "
		"WITHOUT ROWID;"
		"CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
		"INSERT INTO counter VALUES ('revision', 0);"
		"CREATE TABLE lease (name TEXT PRIMARY KEY, holder TEXT NOT NULL, fence INTEGER NOT NULL, expires_ns "
		"INTEGER NOT NULL)"
		"  STRICT, WITHOUT ROWID;"},
};

static int read_integer(struct call *c, struct sqlite_state *s, const char *sql, int64_t *out)
{
	sqlite3_stmt *statement = NULL;
	if (sqlite3_prepare_v2(s->db, sql, -1, &statement, NULL) != SQLITE_OK)
		return sqlite_fail(c, s, "read the schema");
	int rc = sqlite_step(c, s, statement);
	if (rc > 0)
		*out = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	return MIN(rc, 0);
}

static int check_owner(struct call *c, struct sqlite_state *s)
{
	int64_t application = 0, tables = 0;
	int rc = read_integer(c, s, "PRAGMA application_id", &application);
	if (rc == 0)
		rc = read_integer(c, s, "SELECT count(*) FROM sqlite_schema", &tables);
	if (rc < 0)
		return rc;
	if (application == APPLICATION_ID || (application == 0 && tables == 0))
		return 0;
	return call_fail(c, ERR_UNSUPPORTED,
		"%s is a database of another program, not an Isobar state: name another file", s->path);
}

static int refuse_newer(struct call *c, struct sqlite_state *s, int64_t found)
{
	sqlite3_stmt *statement = NULL;
	struct str program = S("unknown");
	if (sqlite3_prepare_v2(s->db, "SELECT program FROM migration ORDER BY number DESC LIMIT 1", -1, &statement,
		    NULL) == SQLITE_OK &&
		sqlite3_step(statement) == SQLITE_ROW)
		program = arena_str(c->arena, sqlite_column_str(statement, 0));
	sqlite3_finalize(statement);
	return call_fail(c, ERR_UNSUPPORTED,
		"the state %s was written by a newer Isobar (schema %" PRId64
		", version %.*s); this one, version %s, knows schemas up to %zu: "
		"use that version or newer",
		s->path, found, STR(program), ISOBAR_VERSION, COUNT_OF(migrations));
}

static int record_step(struct call *c, struct sqlite_state *s, size_t number)
{
	sqlite3_stmt *statement = NULL;
	if (sqlite3_prepare_v2(s->db, "INSERT INTO migration VALUES (?1, ?2, ?3, ?4)", -1, &statement, NULL) !=
		SQLITE_OK)
		return sqlite_fail(c, s, "record a migration");
	sqlite3_bind_int64(statement, 1, (sqlite3_int64)number);
	sqlite_bind_str(statement, 2, str_of(migrations[number - 1].name));
	sqlite_bind_str(statement, 3, S(ISOBAR_VERSION));
	sqlite3_bind_int64(statement, 4, call_now_ns(c));
	int rc = sqlite_step(c, s, statement);
	sqlite3_finalize(statement);
	return rc;
}

// The version is read again inside the transaction: another process may have migrated meanwhile.
static int migrate_one(struct call *c, struct sqlite_state *s, bool *more)
{
	int64_t found = 0;
	int rc = sqlite_begin(c, s);
	if (rc < 0)
		return rc;
	rc = read_integer(c, s, "SELECT coalesce(max(number), 0) FROM migration", &found);
	if (rc == 0 && found > (int64_t)COUNT_OF(migrations))
		rc = refuse_newer(c, s, found);
	*more = rc == 0 && found < (int64_t)COUNT_OF(migrations);
	if (*more) {
		rc = sqlite_run_text(c, s, migrations[found].sql);
		if (rc == 0)
			rc = record_step(c, s, (size_t)found + 1);
	}
	return sqlite_end(c, s, rc);
}

static int make_table(struct call *c, struct sqlite_state *s)
{
	char sql[256];
	snprintf(sql, sizeof(sql),
		"PRAGMA application_id = %d;"
		"CREATE TABLE IF NOT EXISTS migration (number INTEGER PRIMARY KEY, name TEXT NOT NULL, program TEXT "
		"NOT NULL,"
		"  at_ns INTEGER NOT NULL) STRICT",
		APPLICATION_ID);
	int rc = sqlite_begin(c, s);
	if (rc < 0)
		return rc;
	rc = check_owner(c, s);
	if (rc == 0)
		rc = sqlite_run_text(c, s, sql);
	return sqlite_end(c, s, rc);
}

int sqlite_migrate(struct call *c, struct sqlite_state *s)
{
	bool more = true;
	int64_t found = -1;
	// A state that is up to date opens without writing.
	int rc = read_integer(c, s, "SELECT count(*) FROM sqlite_schema WHERE name = 'migration'", &found);
	if (rc == 0)
		rc = found == 1 ? check_owner(c, s) : make_table(c, s);
	if (rc == 0)
		rc = read_integer(c, s, "SELECT coalesce(max(number), 0) FROM migration", &found);
	if (rc == 0 && found == (int64_t)COUNT_OF(migrations))
		return 0;
	while (rc == 0 && more)
		rc = migrate_one(c, s, &more);
	return rc < 0 ? call_context(c, "open the state") : 0;
}
