// SPDX-License-Identifier: Apache-2.0
// The SQLite implementation of state_ops, shared by its files: the handle, statements prepared once, transactions. One
// connection, guarded by `lock`; every sqlite_* function below that takes the handle expects the lock to be held.
#ifndef ISOBAR_STATE_SQLITE_IMPL_H
#define ISOBAR_STATE_SQLITE_IMPL_H

#include <pthread.h>
#include <sqlite3.h>

#include "state/state_impl.h"
#include "state/transfer.h"

// X(NAME, SQL)
#define SQLITE_STATEMENTS(X)                                                                                           \
	X(BEGIN, "BEGIN IMMEDIATE")                                                                                    \
	X(COMMIT, "COMMIT")                                                                                            \
	X(ROLLBACK, "ROLLBACK")                                                                                        \
	X(HEAD, "SELECT coalesce(max(sequence), 0) FROM event")                                                        \
	X(APPEND, "INSERT INTO event VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")                                     \
	X(READ, "SELECT * FROM event WHERE sequence > ?1 ORDER BY sequence LIMIT ?2")                                  \
	X(READ_TYPE,                                                                                                   \
		"SELECT * FROM event WHERE sequence > ?1 AND type >= ?3 AND type < ?4 ORDER BY sequence LIMIT ?2")     \
	X(READ_ADDRESS, "SELECT * FROM event WHERE address = ?5 AND sequence > ?1 ORDER BY sequence LIMIT ?2")         \
	X(READ_BOTH, "SELECT * FROM event WHERE address = ?5 AND sequence > ?1 AND type >= ?3 AND type < ?4 ORDER BY " \
		     "sequence LIMIT ?2")                                                                              \
	X(GET, "SELECT key, revision, value FROM record WHERE key = ?1")                                               \
	X(LIST, "SELECT key, revision, value FROM record WHERE key >= ?1 AND key < ?2 ORDER BY key")                   \
	X(PUT, "INSERT INTO record VALUES (?1, ?2, ?3) ON CONFLICT (key) DO UPDATE SET revision = ?2, value = ?3")     \
	X(DELETE, "DELETE FROM record WHERE key = ?1")                                                                 \
	X(LAST_REVISION, "SELECT value FROM counter WHERE name = 'revision'")                                          \
	X(SET_REVISION, "UPDATE counter SET value = max(value, ?1) WHERE name = 'revision'")                           \
	X(LEASES, "SELECT name, fence FROM lease ORDER BY name")                                                       \
	X(LEASE_KEEP, "INSERT INTO lease VALUES (?1, '', ?2, 0) ON CONFLICT (name) DO NOTHING")                        \
	X(LIST_ALL, "SELECT key, revision, value FROM record ORDER BY key")                                            \
	X(HOLDS, "SELECT (SELECT count(*) FROM event) + (SELECT count(*) FROM record)")                                \
	X(NEXT_REVISION, "UPDATE counter SET value = value + 1 WHERE name = 'revision' RETURNING value")               \
	X(LEASE_GET, "SELECT holder, fence, expires_ns FROM lease WHERE name = ?1")                                    \
	X(LEASE_PUT, "INSERT INTO lease VALUES (?1, ?2, ?3, ?4) ON CONFLICT (name) DO UPDATE SET holder = ?2, fence "  \
		     "= ?3, expires_ns = ?4")

enum sqlite_statement {
#define X(name, sql) SQL_##name,
	SQLITE_STATEMENTS(X)
#undef X
		SQL_COUNT
};

struct sqlite_state {
	sqlite3 *db;
	char *path;
	pthread_mutex_t lock; // of the connection
	sqlite3_stmt *statements[SQL_COUNT];
	int busy_left_ms;        // what the busy handler may still wait for the act under way
	const struct call *busy; // that act: its cancellation ends the wait
	pthread_mutex_t news_lock;
	pthread_cond_t news; // this process appended
	uint64_t known_head; // under news_lock
};

// Sets c->err from the connection's last error: "<what>: <path>: <sqlite's words>".
int sqlite_fail(struct call *c, struct sqlite_state *s, const char *what);
// A reset statement, prepared at first use; NULL with c->err set.
sqlite3_stmt *sqlite_statement(struct call *c, struct sqlite_state *s, enum sqlite_statement which);
// Rows, and one written with the sequence or revision that it has.
MUST_CHECK int sqlite_read_event(struct call *c, sqlite3_stmt *row, struct event *e);
MUST_CHECK int sqlite_read_record(struct call *c, sqlite3_stmt *row, struct record *out);
MUST_CHECK int sqlite_insert_event(struct call *c, struct sqlite_state *s, struct event *e, uint64_t sequence);
MUST_CHECK int sqlite_write_value(struct call *c, struct sqlite_state *s, const struct record *r, uint64_t revision);
// Runs a statement without rows to its end.
MUST_CHECK int sqlite_run(struct call *c, struct sqlite_state *s, enum sqlite_statement which);
MUST_CHECK int sqlite_run_text(struct call *c, struct sqlite_state *s, const char *sql);
// Steps once: 1 row, 0 done, or a negative code.
int sqlite_step(struct call *c, struct sqlite_state *s, sqlite3_stmt *statement);
void sqlite_bind_str(sqlite3_stmt *statement, int index, struct str text); // borrowed until the reset
struct str sqlite_column_str(sqlite3_stmt *statement, int column);         // borrowed until the next step
// Column as JSON in c's arena; ERR_CORRUPT.
MUST_CHECK int sqlite_column_json(struct call *c, sqlite3_stmt *statement, int column, json_t **out);
// One integer of the first row.
MUST_CHECK int sqlite_one_integer(struct call *c, struct sqlite_state *s, enum sqlite_statement which, uint64_t *out);

void sqlite_enter(struct call *c, struct sqlite_state *s); // takes the lock
void sqlite_leave(struct sqlite_state *s);
// BEGIN IMMEDIATE; sqlite_end commits when rc is 0, else rolls back, and returns the act's result.
MUST_CHECK int sqlite_begin(struct call *c, struct sqlite_state *s);
MUST_CHECK int sqlite_end(struct call *c, struct sqlite_state *s, int rc);

MUST_CHECK int sqlite_migrate(struct call *c, struct sqlite_state *s);
MUST_CHECK int sqlite_check_fence(struct call *c, struct sqlite_state *s, struct str name, uint64_t fence);

// The slots.
int sqlite_commit(struct call *c, void *s, const struct state_batch *batch);
int sqlite_append(struct call *c, void *s, uint64_t expected_head, struct event *events, size_t count);
int sqlite_read(struct call *c, void *s, const struct state_query *query, struct event **out, size_t *count);
int sqlite_watch(struct call *c, void *s, uint64_t after, int64_t timeout_ns, uint64_t *head);
int sqlite_get(struct call *c, void *s, struct str key, struct record *out);
int sqlite_put(
	struct call *c, void *s, struct record *record, uint64_t expected, struct str fence_lease, uint64_t fence);
int sqlite_scan(struct call *c, void *s, struct str prefix, const struct state_scan *scan);
int sqlite_list(struct call *c, void *s, struct str prefix, struct record **out, size_t *count);
int sqlite_lease(struct call *c, void *s, struct str name, struct str holder, int64_t ttl_ns, struct lease *out);
int sqlite_release(struct call *c, void *s, const struct lease *lease);
int sqlite_dump(struct call *c, void *s, const struct state_sink *sink);
int sqlite_load(struct call *c, void *s, const struct state_source *source, bool replace);
void sqlite_close(void *s);

#endif
