// SPDX-License-Identifier: Apache-2.0
// The schema, as numbered steps: each runs once and is recorded in the table `migration`. All steps that a state lacks
// run in one transaction, after a copy of the state was laid beside it (PATH.before-schema-N): what fails leaves the
// state as it was, and who wants to go back to the older program has the copy. A step that was released is never
// changed; a new form of the tables is a new step at the end.
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
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
	// Which state this is, wherever it is copied to.
	{"identity", "CREATE TABLE identity (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;"
		     "INSERT INTO identity VALUES ('id', lower(hex(randomblob(16))));"},
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
		"use that version or newer, or put the copy that its upgrade left (%s.before-schema-%" PRId64
		") in its place, without what was written since",
		s->path, found, STR(program), ISOBAR_VERSION, COUNT_OF(migrations), s->path, found);
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

// ---------------------------------------------------------------- the copy before an upgrade
static int copy_database(struct call *c, struct sqlite_state *s, sqlite3 *from, sqlite3 *to)
{
	sqlite3_backup *copy = sqlite3_backup_init(to, "main", from, "main");
	int rc = copy ? sqlite3_backup_step(copy, -1) : SQLITE_ERROR;
	sqlite3_backup_finish(copy);
	if (rc == SQLITE_DONE)
		return 0;
	bool full = sqlite3_errcode(to) == SQLITE_FULL;
	return call_fail(c, full ? ERR_NO_SPACE : ERR_IO, "copy the state %s before its upgrade: %s%s", s->path,
		sqlite3_errmsg(to), full ? ": free some space and try again; nothing was changed" : "");
}

// Through a connection of its own, which sees what was committed; nobody else writes meanwhile, since we hold the lock.
static int copy_to(struct call *c, struct sqlite_state *s, const char *path)
{
	sqlite3 *from = NULL, *to = NULL;
	AUTO(fd) fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	int rc = fd < 0 ? call_errno(c, "write %s", path) : 0;
	if (rc == 0 && (sqlite3_open_v2(s->path, &from, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK ||
			       sqlite3_open_v2(path, &to, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK))
		rc = call_fail(c, ERR_IO, "copy the state %s before its upgrade: it cannot be opened", s->path);
	if (rc == 0)
		rc = copy_database(c, s, from, to);
	sqlite3_close(from);
	sqlite3_close(to);
	if (rc == 0 && fsync(fd) < 0)
		rc = call_errno(c, "write %s", path);
	return rc;
}

static int copy_before(struct call *c, struct sqlite_state *s)
{
	const char *path = arena_printf(c->arena, "%s.before-schema-%zu", s->path, COUNT_OF(migrations)).p;
	const char *partial = arena_printf(c->arena, "%s.before-schema-%zu.partial", s->path, COUNT_OF(migrations)).p;
	if (!path || !partial)
		return call_no_memory(c);
	int rc = copy_to(c, s, partial);
	if (rc == 0 && rename(partial, path) < 0)
		rc = call_errno(c, "write %s", path);
	if (rc < 0)
		(void)unlink(partial);
	return rc;
}

// ---------------------------------------------------------------- the upgrade
static int run_steps(struct call *c, struct sqlite_state *s, size_t found)
{
	int rc = 0;
	for (size_t i = found; rc == 0 && i < COUNT_OF(migrations); i++) {
		rc = sqlite_run_text(c, s, migrations[i].sql);
		if (rc == 0)
			rc = record_step(c, s, i + 1);
	}
	return rc;
}

// The version is read again inside the transaction: another process may have upgraded meanwhile.
static int upgrade(struct call *c, struct sqlite_state *s)
{
	int64_t found = 0;
	int rc = sqlite_begin(c, s);
	if (rc < 0)
		return rc;
	rc = read_integer(c, s, "SELECT coalesce(max(number), 0) FROM migration", &found);
	if (rc == 0 && found > (int64_t)COUNT_OF(migrations))
		rc = refuse_newer(c, s, found);
	if (rc == 0 && found > 0 && found < (int64_t)COUNT_OF(migrations))
		rc = copy_before(c, s);
	if (rc == 0)
		rc = run_steps(c, s, (size_t)found);
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
	int64_t found = -1;
	// A state that is up to date opens without writing.
	int rc = read_integer(c, s, "SELECT count(*) FROM sqlite_schema WHERE name = 'migration'", &found);
	if (rc == 0)
		rc = found == 1 ? check_owner(c, s) : make_table(c, s);
	if (rc == 0)
		rc = read_integer(c, s, "SELECT coalesce(max(number), 0) FROM migration", &found);
	if (rc == 0 && found == (int64_t)COUNT_OF(migrations))
		return 0;
	if (rc == 0)
		rc = upgrade(c, s);
	return rc < 0 ? call_context(c, "open the state") : 0;
}
