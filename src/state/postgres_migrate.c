// SPDX-License-Identifier: Apache-2.0
// The schema on PostgreSQL, as numbered steps. All steps that a state lacks run in one transaction under an advisory
// lock, so that a program that starts beside us waits and finds the work done; what fails leaves the state as it was.
// A step that was released is never changed. Keys are compared bytewise (COLLATE "C"), as everywhere else.
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "state/postgres_impl.h"

struct migration {
	const char *name;
	const char *sql;
};

static const struct migration migrations[] = {
	// number = index + 1
	{"journal, records, leases, commit tokens",
		"CREATE TABLE event (sequence bigint PRIMARY KEY, schema integer NOT NULL, time_ns bigint NOT NULL,"
		"  type text COLLATE \"C\" NOT NULL, address text COLLATE \"C\" NOT NULL, trace text NOT NULL,"
		"  principal text NOT NULL, workspace text NOT NULL, data text NOT NULL);"
		"CREATE INDEX event_of_address ON event (address, sequence);"
		"CREATE INDEX event_of_type ON event (type, sequence);"
		"CREATE TABLE record (key text COLLATE \"C\" PRIMARY KEY, revision bigint NOT NULL, value text NOT "
		"NULL);"
		"CREATE TABLE counter (one boolean PRIMARY KEY CHECK (one), head bigint NOT NULL, revision bigint NOT "
		"NULL);"
		"INSERT INTO counter VALUES (true, 0, 0);"
		"CREATE TABLE lease (name text COLLATE \"C\" PRIMARY KEY, holder text NOT NULL, fence bigint NOT NULL,"
		"  expires_ns bigint NOT NULL);"
		"CREATE TABLE writer (id text PRIMARY KEY, number bigint NOT NULL, at timestamptz NOT NULL);"
		"CREATE TABLE identity (name text PRIMARY KEY, value text NOT NULL);"
		"INSERT INTO identity VALUES ('id', replace(gen_random_uuid()::text, '-', ''));"},
};

struct found {
	bool schema, migration;
	int64_t tables, number;
	struct str program;
};

static int look(struct call *c, struct postgres_state *s, struct postgres_link *link, struct found *out)
{
	struct postgres_rows rows;
	struct postgres_statement what = {
		.sql = "SELECT (SELECT count(*) FROM pg_namespace WHERE nspname = $1),"
		       " (SELECT count(*) FROM pg_class r JOIN pg_namespace n ON n.oid = r.relnamespace"
		       "   WHERE n.nspname = $1 AND r.relkind IN ('r', 'p', 'v', 'm')),"
		       " (SELECT count(*) FROM pg_class r JOIN pg_namespace n ON n.oid = r.relnamespace"
		       "   WHERE n.nspname = $1 AND r.relname = 'migration')"};
	postgres_set_text(c, &what, 1, str_of(s->place.schema));
	int rc = postgres_run(c, s, link, &what, &rows);
	if (rc < 0)
		return rc;
	*out = (struct found){.schema = postgres_integer(&rows, 0, 0) > 0,
		.tables = postgres_integer(&rows, 0, 1),
		.migration = postgres_integer(&rows, 0, 2) > 0};
	if (!out->migration)
		return 0;
	rc = postgres_run_text(c, s, link, "SELECT number, program FROM migration ORDER BY number DESC LIMIT 1", &rows);
	if (rc == 0 && rows.count) {
		out->number = postgres_integer(&rows, 0, 0);
		out->program = postgres_str(&rows, 0, 1);
	}
	return rc;
}

static int check(struct call *c, struct postgres_state *s, const struct found *found)
{
	if (found->tables && !found->migration)
		return call_fail(c, ERR_UNSUPPORTED,
			"the schema %s of %s holds tables of another program: name another with ?schema=NAME",
			s->place.schema, s->place.shown);
	if (found->number > (int64_t)COUNT_OF(migrations))
		return call_fail(c, ERR_UNSUPPORTED,
			"the state on %s was written by a newer Isobar (schema %" PRId64
			", version %.*s); this one, version %s, knows schemas up to %zu: use that version or newer, or "
			"restore a backup that was made before the upgrade",
			s->place.shown, found->number, STR(found->program), ISOBAR_VERSION, COUNT_OF(migrations));
	return 0;
}

static int make_schema(struct call *c, struct postgres_state *s, struct postgres_link *link, const struct found *found)
{
	char sql[512];
	struct postgres_rows rows;
	int n = 0;
	if (!found->schema)
		n = snprintf(sql, sizeof(sql), "CREATE SCHEMA \"%s\";", s->place.schema);
	snprintf(sql + n, sizeof(sql) - (size_t)n,
		"CREATE TABLE migration (number integer PRIMARY KEY, name text NOT NULL, program text NOT NULL, at_ns "
		"bigint NOT NULL)");
	return postgres_run_text(c, s, link, sql, &rows);
}

static int run_step(struct call *c, struct postgres_state *s, struct postgres_link *link, size_t number)
{
	const struct migration *step = &migrations[number - 1];
	struct postgres_rows rows;
	struct postgres_statement note = {.sql = "INSERT INTO migration VALUES ($1, $2, $3, $4)"};
	postgres_set_integer(c, &note, 1, (int64_t)number);
	postgres_set(&note, 2, str_of(step->name));
	postgres_set(&note, 3, S(ISOBAR_VERSION));
	postgres_set_integer(c, &note, 4, call_now_ns(c));
	int rc = postgres_run_text(c, s, link, step->sql, &rows);
	return rc < 0 ? rc : postgres_run(c, s, link, &note, &rows);
}

static int upgrade(struct call *c, struct postgres_state *s, struct postgres_link *link)
{
	struct found found;
	struct postgres_rows rows;
	struct postgres_statement lock = {.sql = "SELECT pg_advisory_xact_lock(hashtextextended($1, 4242))"};
	postgres_set_text(c, &lock, 1, str_of(s->place.schema));
	int rc = postgres_run_text(c, s, link, "BEGIN ISOLATION LEVEL READ COMMITTED", &rows);
	link->in_transaction = true;
	if (rc == 0)
		rc = postgres_run(c, s, link, &lock, &rows);
	if (rc == 0)
		rc = look(c, s, link, &found); // again: another may have been first
	if (rc == 0)
		rc = check(c, s, &found);
	if (rc == 0 && !found.migration)
		rc = make_schema(c, s, link, &found);
	for (size_t i = 0; rc == 0 && i < COUNT_OF(migrations); i++)
		if ((int64_t)i + 1 > found.number)
			rc = run_step(c, s, link, i + 1);
	if (rc == 0)
		rc = postgres_run_text(c, s, link, "COMMIT", &rows);
	if (rc == 0)
		link->in_transaction = false;
	return rc;
}

// Commit tokens of writers that are long gone.
static int forget_writers(struct call *c, struct postgres_state *s, struct postgres_link *link)
{
	struct postgres_rows rows;
	return postgres_run_text(c, s, link, "DELETE FROM writer WHERE at < now() - interval '1 day'", &rows);
}

int postgres_migrate(struct call *c, struct postgres_state *s)
{
	struct postgres_link *link;
	struct found found;
	int rc = postgres_take(c, s, &link);
	if (rc < 0)
		return rc;
	rc = look(c, s, link, &found);
	if (rc == 0)
		rc = check(c, s, &found);
	if (rc == 0)
		rc = found.migration && found.number == (int64_t)COUNT_OF(migrations) ? forget_writers(c, s, link)
										      : upgrade(c, s, link);
	postgres_give(s, link);
	return rc < 0 ? call_context(c, "open the state") : 0;
}
