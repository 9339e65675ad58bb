// SPDX-License-Identifier: Apache-2.0
// Records and leases on SQLite. See sqlite_impl.h.
// A lease's row stays when it is released, so that its fence only ever grows.
#include "state/sqlite_impl.h"

int sqlite_read_record(struct call *c, sqlite3_stmt *row, struct record *out)
{
	json_t *value;
	struct record r = {.key = arena_str(c->arena, sqlite_column_str(row, 0)),
		.revision = (uint64_t)sqlite3_column_int64(row, 1)};
	if (!r.key.p)
		return call_no_memory(c);
	int rc = sqlite_column_json(c, row, 2, &value);
	if (rc < 0)
		return call_context(c, "read \"%.*s\"", STR(r.key));
	r.value = value;
	*out = r;
	return 0;
}

int sqlite_get(struct call *c, void *ctx, struct str key, struct record *out)
{
	struct sqlite_state *s = ctx;
	struct record found = {.key = key};
	sqlite_enter(c, s);
	sqlite3_stmt *statement = sqlite_statement(c, s, SQL_GET);
	int rc = c->err.code;
	if (statement) {
		sqlite_bind_str(statement, 1, key);
		rc = sqlite_step(c, s, statement);
		if (rc > 0)
			rc = sqlite_read_record(c, statement, &found);
		sqlite3_reset(statement);
	}
	sqlite_leave(s);
	if (rc == 0)
		*out = found;
	return rc;
}

int sqlite_put(
	struct call *c, void *s, struct record *record, uint64_t expected, struct str fence_lease, uint64_t fence)
{
	struct state_write write = {.record = record, .expected = expected};
	const struct state_batch batch = {.expected_head = UINT64_MAX,
		.writes = &write,
		.write_count = 1,
		.fence_lease = fence_lease,
		.fence = fence};
	return sqlite_commit(c, s, &batch);
}

static int list_rows(
	struct call *c, struct sqlite_state *s, sqlite3_stmt *statement, struct record **out, size_t *count)
{
	size_t n = 0;
	struct record *records = NULL;
	int rc;
	while ((rc = sqlite_step(c, s, statement)) > 0) {
		records = state_grow(c, records, n, sizeof(*records));
		if (!records)
			return c->err.code;
		rc = sqlite_read_record(c, statement, &records[n]);
		if (rc < 0)
			return rc;
		n++;
	}
	if (rc == 0) {
		*out = records;
		*count = n;
	}
	return rc;
}

int sqlite_list(struct call *c, void *ctx, struct str prefix, struct record **out, size_t *count)
{
	struct sqlite_state *s = ctx;
	struct str end = arena_printf(c->arena, "%.*s\xff", STR(prefix)); // above every text with the prefix
	if (!end.p)
		return call_no_memory(c);
	sqlite_enter(c, s);
	sqlite3_stmt *statement = sqlite_statement(c, s, SQL_LIST);
	int rc = c->err.code;
	if (statement) {
		sqlite_bind_str(statement, 1, prefix);
		sqlite_bind_str(statement, 2, end);
		rc = list_rows(c, s, statement, out, count);
		sqlite3_reset(statement);
	}
	sqlite_leave(s);
	return rc;
}

static int scan_rows(struct call *c, struct sqlite_state *s, sqlite3_stmt *row, const struct state_scan *scan)
{
	int rc;
	while ((rc = sqlite_step(c, s, row)) > 0) {
		int told = scan->visit(scan->ctx, sqlite_column_str(row, 0),
			(uint64_t)sqlite3_column_int64(row, 1), sqlite_column_str(row, 2));
		if (told < 0)
			return c->err.code ? told : call_fail(c, told, "a record was refused");
	}
	return rc;
}

int sqlite_scan(struct call *c, void *ctx, struct str prefix, const struct state_scan *scan)
{
	struct sqlite_state *s = ctx;
	struct str end = arena_printf(c->arena, "%.*s\xff", STR(prefix)); // above every text with the prefix
	if (!end.p)
		return call_no_memory(c);
	sqlite_enter(c, s);
	sqlite3_stmt *statement = sqlite_statement(c, s, SQL_LIST);
	int rc = c->err.code;
	if (statement) {
		sqlite_bind_str(statement, 1, prefix);
		sqlite_bind_str(statement, 2, end);
		rc = scan_rows(c, s, statement, scan);
		sqlite3_reset(statement);
	}
	sqlite_leave(s);
	return rc;
}

struct lease_row {
	struct str holder; // in the arena; "": nobody
	uint64_t fence;
	int64_t expires_ns;
};

static int read_lease(struct call *c, struct sqlite_state *s, struct str name, struct lease_row *out)
{
	sqlite3_stmt *statement = sqlite_statement(c, s, SQL_LEASE_GET);
	if (!statement)
		return c->err.code;
	*out = (struct lease_row){0};
	sqlite_bind_str(statement, 1, name);
	int rc = sqlite_step(c, s, statement);
	if (rc > 0)
		*out = (struct lease_row){
			.holder = arena_str(c->arena, sqlite_column_str(statement, 0)),
			.fence = (uint64_t)sqlite3_column_int64(statement, 1),
			.expires_ns = sqlite3_column_int64(statement, 2),
		};
	sqlite3_reset(statement);
	return MIN(rc, 0);
}

static int write_lease(struct call *c, struct sqlite_state *s, struct str name, const struct lease_row *row)
{
	sqlite3_stmt *statement = sqlite_statement(c, s, SQL_LEASE_PUT);
	if (!statement)
		return c->err.code;
	sqlite_bind_str(statement, 1, name);
	sqlite_bind_str(statement, 2, row->holder);
	sqlite3_bind_int64(statement, 3, (sqlite3_int64)row->fence);
	sqlite3_bind_int64(statement, 4, row->expires_ns);
	int rc = sqlite_step(c, s, statement);
	sqlite3_reset(statement);
	return rc;
}

int sqlite_check_fence(struct call *c, struct sqlite_state *s, struct str name, uint64_t fence)
{
	struct lease_row row;
	int rc = read_lease(c, s, name, &row);
	if (rc < 0)
		return rc;
	if (row.holder.n == 0 || row.fence != fence)
		return state_denied_fence(c, name, row.fence, fence);
	if (row.expires_ns <= call_now_ns(c))
		return state_denied_expired(c, name);
	return 0;
}

static int take(struct call *c, struct sqlite_state *s, struct lease *wanted)
{
	struct lease_row row;
	int64_t now = call_now_ns(c);
	int rc = read_lease(c, s, wanted->name, &row);
	if (rc < 0)
		return rc;
	bool same = str_eq(row.holder, wanted->holder);
	if (row.holder.n && !same && row.expires_ns > now)
		return state_in_use(c, wanted->name, row.holder, row.expires_ns - now);
	row = (struct lease_row){
		.holder = wanted->holder, .fence = same ? row.fence : row.fence + 1, .expires_ns = wanted->expires_ns};
	wanted->fence = row.fence;
	return write_lease(c, s, wanted->name, &row);
}

int sqlite_lease(struct call *c, void *ctx, struct str name, struct str holder, int64_t ttl_ns, struct lease *out)
{
	struct sqlite_state *s = ctx;
	struct lease wanted = {.name = name, .holder = holder};
	int rc = state_check_lease(c, name, holder, ttl_ns);
	if (rc < 0)
		return rc;
	if (__builtin_add_overflow(call_now_ns(c), ttl_ns, &wanted.expires_ns))
		wanted.expires_ns = INT64_MAX;
	sqlite_enter(c, s);
	rc = sqlite_begin(c, s);
	if (rc == 0)
		rc = sqlite_end(c, s, take(c, s, &wanted));
	sqlite_leave(s);
	if (rc == 0)
		*out = wanted;
	return rc;
}

static int give_back(struct call *c, struct sqlite_state *s, const struct lease *lease)
{
	struct lease_row row;
	int rc = read_lease(c, s, lease->name, &row);
	if (rc < 0 || row.fence != lease->fence || !str_eq(row.holder, lease->holder))
		return rc;
	row = (struct lease_row){.fence = row.fence};
	return write_lease(c, s, lease->name, &row);
}

int sqlite_release(struct call *c, void *ctx, const struct lease *lease)
{
	struct sqlite_state *s = ctx;
	sqlite_enter(c, s);
	int rc = sqlite_begin(c, s);
	if (rc == 0)
		rc = sqlite_end(c, s, give_back(c, s, lease));
	sqlite_leave(s);
	return rc;
}
