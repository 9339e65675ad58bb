// SPDX-License-Identifier: Apache-2.0
// Records and leases on PostgreSQL. See postgres_impl.h.
// A lease is one statement, by the server's clock; its row stays when it is released, so that its fence only ever
// grows.
#include <stdio.h>

#include "state/postgres_impl.h"

int postgres_read_record(struct call *c, const struct postgres_rows *rows, int row, struct record *out)
{
	struct record r = {.key = postgres_str(rows, row, 0), .revision = (uint64_t)postgres_integer(rows, row, 1)};
	json_t *value;
	int rc = postgres_json(c, rows, row, 2, &value);
	if (rc < 0)
		return call_context(c, "read \"%.*s\"", STR(r.key));
	r.value = value;
	*out = r;
	return 0;
}

int postgres_get(struct call *c, void *ctx, struct str key, struct record *out)
{
	struct postgres_rows rows;
	struct record found = {.key = key};
	struct postgres_statement what = {.sql = "SELECT key, revision, value FROM record WHERE key = $1"};
	int rc = state_check_text(c, key, "key");
	if (rc < 0)
		return rc;
	postgres_set_text(c, &what, 1, key);
	rc = postgres_ask(c, ctx, &what, &rows);
	if (rc == 0 && rows.count)
		rc = postgres_read_record(c, &rows, 0, &found);
	if (rc == 0)
		*out = found;
	return rc;
}

int postgres_list(struct call *c, void *ctx, struct str prefix, struct record **out, size_t *count)
{
	struct postgres_rows rows;
	// The first bound uses the index, the second ends the walk at the last key that begins with the prefix.
	struct postgres_statement what = {.sql = "SELECT key, revision, value FROM record WHERE key >= $1 AND "
						 "starts_with(key, $1) ORDER BY key"};
	int rc = state_check_text(c, prefix, "prefix");
	if (rc < 0)
		return rc;
	postgres_set_text(c, &what, 1, prefix);
	rc = postgres_ask(c, ctx, &what, &rows);
	if (rc < 0)
		return rc;
	struct record *records = arena_new_array(c->arena, (size_t)rows.count + 1, struct record);
	if (!records)
		return call_no_memory(c);
	for (int i = 0; rc == 0 && i < rows.count; i++)
		rc = postgres_read_record(c, &rows, i, &records[i]);
	if (rc < 0)
		return rc;
	*out = records;
	*count = (size_t)rows.count;
	return 0;
}

// ---------------------------------------------------------------- leases
static int in_use(struct call *c, struct postgres_state *s, struct str name)
{
	char sql[256];
	struct postgres_rows rows;
	snprintf(sql, sizeof(sql), "SELECT holder, expires_ns - " POSTGRES_NOW " FROM lease WHERE name = $1", 2);
	struct postgres_statement what = {.sql = sql};
	postgres_set_text(c, &what, 1, name);
	postgres_set_now(c, &what, 2);
	int rc = postgres_ask(c, s, &what, &rows);
	if (rc < 0)
		return rc;
	return state_in_use(c, name, rows.count ? postgres_str(&rows, 0, 0) : S("another"),
		rows.count ? MAX(postgres_integer(&rows, 0, 1), 0) : 0);
}

int postgres_lease(struct call *c, void *ctx, struct str name, struct str holder, int64_t ttl_ns, struct lease *out)
{
	struct postgres_state *s = ctx;
	char sql[1024];
	struct postgres_rows rows;
	int rc = state_check_lease(c, name, holder, ttl_ns);
	if (rc < 0)
		return rc;
	snprintf(sql, sizeof(sql),
		"INSERT INTO lease AS l SELECT $1, $2, 1, t.now + least($4::bigint, %lld - t.now)"
		"  FROM (SELECT " POSTGRES_NOW " AS now) t "
		"ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, expires_ns = excluded.expires_ns,"
		"  fence = CASE WHEN l.holder = excluded.holder THEN l.fence ELSE l.fence + 1 END"
		"  WHERE l.holder IN ('', excluded.holder) OR l.expires_ns <= " POSTGRES_NOW
		" RETURNING fence, expires_ns",
		(long long)INT64_MAX, 3, 3);
	struct postgres_statement take = {.sql = sql};
	postgres_set_text(c, &take, 1, name);
	postgres_set_text(c, &take, 2, holder);
	postgres_set_now(c, &take, 3);
	postgres_set_integer(c, &take, 4, ttl_ns);
	rc = postgres_ask(c, s, &take, &rows);
	if (rc == 0 && rows.count == 0)
		rc = in_use(c, s, name);
	if (rc < 0)
		return rc;
	*out = (struct lease){.name = name,
		.holder = holder,
		.fence = (uint64_t)postgres_integer(&rows, 0, 0),
		.expires_ns = postgres_integer(&rows, 0, 1)};
	return 0;
}

int postgres_release(struct call *c, void *ctx, const struct lease *lease)
{
	struct postgres_rows rows;
	struct postgres_statement what = {.sql = "UPDATE lease SET holder = '', expires_ns = 0 WHERE name = $1 AND "
						 "holder = $2 AND fence = $3::bigint"};
	postgres_set_text(c, &what, 1, lease->name);
	postgres_set_text(c, &what, 2, lease->holder);
	postgres_set_integer(c, &what, 3, (int64_t)lease->fence);
	return postgres_ask(c, ctx, &what, &rows);
}
