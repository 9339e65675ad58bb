// SPDX-License-Identifier: Apache-2.0
// State on SQLite: opening, closing, statements, errors, transactions. See sqlite_impl.h.
// WAL with synchronous=FULL: a commit is on the disk when it returns, readers of other processes never block the
// writer.
#include "state/sqlite_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"

// How long another process may hold the write lock before an act gives up: its commits take milliseconds.
enum { BUSY_MAX_MS = 10000, BUSY_STEP_MS = 2 };

// The errno behind an I/O error. SQLite keeps it only for some paths; after a failed step it is still in errno itself.
static int system_error(sqlite3 *db)
{
	int kept = sqlite3_system_errno(db);
	return kept ? kept : errno;
}

static int code_of(sqlite3 *db, int system)
{
	switch (sqlite3_errcode(db)) {
	case SQLITE_FULL:
		return ERR_NO_SPACE;
	case SQLITE_NOMEM:
		return ERR_NO_MEMORY;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return ERR_UNAVAILABLE;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return ERR_CORRUPT;
	case SQLITE_PERM:
	case SQLITE_READONLY:
	case SQLITE_AUTH:
		return ERR_DENIED;
	case SQLITE_IOERR:
	case SQLITE_CANTOPEN:
		if (system == EFBIG) // RLIMIT_FSIZE
			return ERR_NO_SPACE;
		return system ? err_code_of_errno(system) : ERR_IO;
	default:
		return ERR_INTERNAL;
	}
}

int sqlite_fail(struct call *c, struct sqlite_state *s, const char *what)
{
	int system = system_error(s->db), code = code_of(s->db, system);
	int primary = sqlite3_errcode(s->db) & 0xff;
	const char *cause = primary == SQLITE_IOERR && system ? strerror(system) : sqlite3_errmsg(s->db);
	if (code == ERR_NO_SPACE)
		return call_fail(c, code, "%s in %s: %s: free some space and try again; nothing was written", what,
			s->path, cause);
	if (code == ERR_UNAVAILABLE)
		return call_fail(c, code, "%s in %s: another process has kept it locked for %d s", what, s->path,
			BUSY_MAX_MS / 1000);
	if (code == ERR_CORRUPT)
		return call_fail(
			c, code, "%s in %s: the file is damaged (%s): restore it from a backup", what, s->path, cause);
	return call_fail(c, code, "%s in %s: %s", what, s->path, cause);
}

// Real time, whatever the call's clock is: another process holds the lock.
static int wait_busy(void *ctx, UNUSED int times)
{
	struct sqlite_state *s = ctx;
	bool cancelled = s->busy && s->busy->cancel && atomic_load(s->busy->cancel);
	if (s->busy_left_ms <= 0 || cancelled)
		return 0;
	s->busy_left_ms -= BUSY_STEP_MS;
	sqlite3_sleep(BUSY_STEP_MS);
	return 1;
}

void sqlite_enter(struct call *c, struct sqlite_state *s)
{
	pthread_mutex_lock(&s->lock);
	s->busy = c;
	s->busy_left_ms = BUSY_MAX_MS;
}

void sqlite_leave(struct sqlite_state *s)
{
	s->busy = NULL;
	pthread_mutex_unlock(&s->lock);
}

sqlite3_stmt *sqlite_statement(struct call *c, struct sqlite_state *s, enum sqlite_statement which)
{
	static const char *const texts[] = {
#define X(name, sql) sql,
		SQLITE_STATEMENTS(X)
#undef X
	};
	sqlite3_stmt **slot = &s->statements[which];
	if (!*slot && sqlite3_prepare_v3(s->db, texts[which], -1, SQLITE_PREPARE_PERSISTENT, slot, NULL) != SQLITE_OK) {
		(void)sqlite_fail(c, s, "prepare a statement");
		return NULL;
	}
	sqlite3_reset(*slot);
	sqlite3_clear_bindings(*slot);
	return *slot;
}

int sqlite_step(struct call *c, struct sqlite_state *s, sqlite3_stmt *statement)
{
	errno = 0;
	int rc = sqlite3_step(statement);
	if (rc == SQLITE_ROW)
		return 1;
	if (rc == SQLITE_DONE)
		return 0;
	rc = sqlite_fail(
		c, s, statement == s->statements[SQL_COMMIT] || !sqlite3_stmt_readonly(statement) ? "write" : "read");
	sqlite3_reset(statement);
	return rc;
}

int sqlite_run(struct call *c, struct sqlite_state *s, enum sqlite_statement which)
{
	sqlite3_stmt *statement = sqlite_statement(c, s, which);
	if (!statement)
		return c->err.code;
	int rc = sqlite_step(c, s, statement);
	sqlite3_reset(statement);
	return MIN(rc, 0);
}

int sqlite_run_text(struct call *c, struct sqlite_state *s, const char *sql)
{
	return sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : sqlite_fail(c, s, "run a statement");
}

void sqlite_bind_str(sqlite3_stmt *statement, int index, struct str text)
{
	sqlite3_bind_text64(statement, index, text.n ? text.p : "", text.n, SQLITE_STATIC, SQLITE_UTF8);
}

struct str sqlite_column_str(sqlite3_stmt *statement, int column)
{
	const unsigned char *p = sqlite3_column_text(statement, column);
	return str_bytes(p ? (const void *)p : "", (size_t)sqlite3_column_bytes(statement, column));
}

int sqlite_column_json(struct call *c, sqlite3_stmt *statement, int column, json_t **out)
{
	json_t *value = NULL;
	struct err why = {0};
	int rc = json_parse(sqlite_column_str(statement, column), &value, &why);
	if (rc == ERR_NO_MEMORY)
		return call_no_memory(c);
	if (rc < 0)
		return call_fail(c, ERR_CORRUPT, "a stored value is not JSON: %s", why.message);
	*out = json_in_arena(c->arena, value);
	return *out ? 0 : call_no_memory(c);
}

int sqlite_one_integer(struct call *c, struct sqlite_state *s, enum sqlite_statement which, uint64_t *out)
{
	sqlite3_stmt *statement = sqlite_statement(c, s, which);
	if (!statement)
		return c->err.code;
	int rc = sqlite_step(c, s, statement);
	if (rc == 0)
		rc = call_fail(c, ERR_CORRUPT, "%s lacks a row that every state has", s->path);
	if (rc > 0) {
		*out = (uint64_t)sqlite3_column_int64(statement, 0);
		rc = 0;
	}
	sqlite3_reset(statement);
	return rc;
}

// The way back is prepared before the way in: an act that fails for want of memory must still be able to end. One that
// could not even then left its transaction open.
int sqlite_begin(struct call *c, struct sqlite_state *s)
{
	int rc = 0;
	if (!sqlite_statement(c, s, SQL_ROLLBACK) || !sqlite_statement(c, s, SQL_COMMIT))
		return c->err.code;
	if (!sqlite3_get_autocommit(s->db))
		rc = sqlite_run(c, s, SQL_ROLLBACK);
	return rc < 0 ? rc : sqlite_run(c, s, SQL_BEGIN);
}

int sqlite_end(struct call *c, struct sqlite_state *s, int rc)
{
	if (rc == 0)
		rc = sqlite_run(c, s, SQL_COMMIT);
	if (rc < 0 && !sqlite3_get_autocommit(s->db)) {
		struct err first = c->err;
		if (sqlite_run(c, s, SQL_ROLLBACK) < 0)
			c->err = first; // a failed rollback must not hide why
	}
	return rc;
}

void sqlite_close(void *ctx)
{
	struct sqlite_state *s = ctx;
	if (!s)
		return;
	for (size_t i = 0; i < SQL_COUNT; i++)
		sqlite3_finalize(s->statements[i]);
	sqlite3_close(s->db);
	pthread_mutex_destroy(&s->lock);
	pthread_mutex_destroy(&s->news_lock);
	pthread_cond_destroy(&s->news);
	free(s->path);
	free(s);
}

static struct sqlite_state *new_state(const char *path)
{
	struct sqlite_state *s = calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	pthread_condattr_t monotonic;
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_mutex_init(&s->lock, NULL);
	pthread_mutex_init(&s->news_lock, NULL);
	pthread_cond_init(&s->news, &monotonic);
	pthread_condattr_destroy(&monotonic);
	s->path = strdup(path);
	if (s->path)
		return s;
	sqlite_close(s);
	return NULL;
}

// The file is made here, not by SQLite, for the sake of its mode; -wal and -shm take theirs from it.
static int make_file(struct call *c, const char *path)
{
	AUTO(fd) fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	return fd < 0 ? call_errno(c, "open the state %s", path) : 0;
}

// Changing to WAL does not ask the busy handler when two processes start at once.
static int use_wal(struct call *c, struct sqlite_state *s)
{
	while (sqlite3_exec(s->db, "PRAGMA journal_mode = WAL", NULL, NULL, NULL) != SQLITE_OK) {
		if (sqlite3_errcode(s->db) != SQLITE_BUSY || !wait_busy(s, 0))
			return sqlite_fail(c, s, "open the state");
	}
	return 0;
}

static int open_database(struct call *c, struct sqlite_state *s)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
	if (sqlite3_open_v2(s->path, &s->db, flags, NULL) != SQLITE_OK)
		return s->db ? sqlite_fail(c, s, "open the state") : call_no_memory(c);
	sqlite3_busy_handler(s->db, wait_busy, s);
	int rc = use_wal(c, s);
	if (rc == 0)
		rc = sqlite_run_text(c, s,
			"PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF; PRAGMA foreign_keys = ON;"
			"PRAGMA wal_autocheckpoint = 1000; PRAGMA journal_size_limit = 8388608");
	return rc < 0 ? rc : sqlite_migrate(c, s);
}

int state_open_sqlite(struct call *c, const char *path, struct state *out)
{
	static const struct state_ops ops = {
		.name = "sqlite",
		.commit = sqlite_commit,
		.append = sqlite_append,
		.read = sqlite_read,
		.watch = sqlite_watch,
		.get = sqlite_get,
		.put = sqlite_put,
		.list = sqlite_list,
		.scan = sqlite_scan,
		.lease = sqlite_lease,
		.release = sqlite_release,
		.dump = sqlite_dump,
		.load = sqlite_load,
		.close = sqlite_close,
	};
	int rc = strcmp(path, STATE_IN_MEMORY) == 0 ? 0 : make_file(c, path);
	if (rc < 0)
		return rc;
	struct sqlite_state *s = new_state(path);
	if (!s)
		return call_no_memory(c);
	sqlite_enter(c, s);
	rc = open_database(c, s);
	sqlite_leave(s);
	if (rc < 0) {
		sqlite_close(s);
		return rc;
	}
	*out = (struct state){.ops = &ops, .ctx = s};
	return 0;
}
