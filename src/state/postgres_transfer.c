// SPDX-License-Identifier: Apache-2.0
// Dump and load on PostgreSQL. See transfer.h. A dump is one read-only transaction that sees one moment; rows come in
// pages, so that a large journal does not fill our memory.
#include <stdio.h>

#include "state/postgres_impl.h"
#include "state/reconcile.h"

enum { PAGE = 500 };

// ---------------------------------------------------------------- out
struct dump {
	struct call *c; // of the page
	struct postgres_state *s;
	struct postgres_link *link;
	const struct state_sink *sink;
};

static int put_row(struct dump *d, const struct postgres_rows *rows, int row, enum state_item_type type)
{
	struct state_item item = {.type = type};
	int rc = 0;
	if (type == STATE_ITEM_REVISION)
		item.revision = (uint64_t)postgres_integer(rows, row, 0);
	if (type == STATE_ITEM_LEASE)
		item.lease = (struct lease){
			.name = postgres_str(rows, row, 0), .fence = (uint64_t)postgres_integer(rows, row, 1)};
	if (type == STATE_ITEM_EVENT)
		rc = postgres_read_event(d->c, rows, row, &item.event);
	if (type == STATE_ITEM_RECORD)
		rc = postgres_read_record(d->c, rows, row, &item.record);
	return rc < 0 ? rc : d->sink->put(d->c, d->sink->ctx, &item);
}

// Pages by the first column: what is behind the last row of the page before.
static int dump_pages(struct call *c, struct dump *d, const char *sql, enum state_item_type type)
{
	AUTO(buf) last = {0};
	int rc = 0, count = PAGE;
	buf_add(&last, type == STATE_ITEM_EVENT ? S("0") : S(""));
	while (rc == 0 && count == PAGE) {
		AUTO(arena) arena = {0};
		struct call page;
		struct postgres_rows rows;
		struct postgres_statement what = {.sql = sql};
		call_child(&page, c, &arena, 0);
		d->c = &page;
		postgres_set(&what, 1, str_bytes(buf_cstr(&last), last.n));
		rc = postgres_run(&page, d->s, d->link, &what, &rows);
		count = rc == 0 ? rows.count : 0;
		for (int i = 0; rc == 0 && i < count; i++)
			rc = put_row(d, &rows, i, type);
		if (rc == 0 && count) {
			buf_clear(&last);
			buf_add(&last, postgres_str(&rows, count - 1, 0));
			rc = buf_check(&last, &page.err);
		}
		if (rc < 0)
			c->err = page.err;
	}
	return rc;
}

static int dump_all(struct call *c, struct dump *d)
{
	static const struct {
		enum state_item_type type;
		const char *sql;
	} parts[] = {
		{STATE_ITEM_REVISION, "SELECT revision FROM counter WHERE $1 = ''"},
		{STATE_ITEM_LEASE, "SELECT name, fence FROM lease WHERE name > $1 ORDER BY name LIMIT 500"},
		{STATE_ITEM_EVENT, "SELECT * FROM event WHERE sequence > $1::bigint ORDER BY sequence LIMIT 500"},
		{STATE_ITEM_RECORD, "SELECT key, revision, value FROM record WHERE key > $1 ORDER BY key LIMIT 500"},
	};
	struct postgres_rows rows;
	d->link->in_transaction = true; // giving the link back ends it
	int rc = postgres_run_text(c, d->s, d->link, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", &rows);
	for (size_t i = 0; rc == 0 && i < COUNT_OF(parts); i++)
		rc = dump_pages(c, d, parts[i].sql, parts[i].type);
	return rc;
}

int postgres_dump(struct call *c, void *ctx, const struct state_sink *sink)
{
	struct dump d = {.s = ctx, .sink = sink};
	int rc = postgres_take(c, d.s, &d.link);
	if (rc < 0)
		return rc;
	rc = dump_all(c, &d);
	postgres_give(d.s, d.link);
	return rc;
}

// ---------------------------------------------------------------- in
struct load {
	struct call *c;
	struct postgres_state *s;
	struct postgres_link *link;
	uint64_t head, revision;
};

static int keep_lease(struct load *l, const struct lease *lease)
{
	struct postgres_rows rows;
	struct postgres_statement what = {
		.sql = "INSERT INTO lease VALUES ($1, '', $2::bigint, 0) ON CONFLICT (name) DO NOTHING"};
	int rc = state_check_text(l->c, lease->name, "lease name");
	if (rc < 0)
		return rc;
	postgres_set_text(l->c, &what, 1, lease->name);
	postgres_set_integer(l->c, &what, 2, (int64_t)lease->fence);
	return postgres_run(l->c, l->s, l->link, &what, &rows);
}

static int load_item(struct load *l, struct state_item *item)
{
	int rc = 0;
	switch (item->type) {
	case STATE_ITEM_REVISION:
		l->revision = MAX(l->revision, item->revision);
		return 0;
	case STATE_ITEM_LEASE:
		return keep_lease(l, &item->lease);
	case STATE_ITEM_EVENT:
		if (item->event.sequence != ++l->head)
			return state_gap(l->c, item->event.sequence, l->head);
		rc = state_fill_event(l->c, &item->event);
		return rc < 0 ? rc : postgres_insert_event(l->c, l->s, l->link, &item->event);
	case STATE_ITEM_RECORD:
		rc = state_check_key(l->c, item->record.key);
		l->revision = MAX(l->revision, item->record.revision);
		return rc < 0 ? rc : postgres_write_value(l->c, l->s, l->link, &item->record);
	}
	return call_fail(l->c, ERR_INTERNAL, "an item of no type");
}

static int load_items(struct load *l, const struct state_source *source)
{
	int rc = 0, more = 1;
	for (struct call *outer = l->c; rc == 0 && more; l->c = outer) {
		AUTO(arena) arena = {0};
		struct call child;
		struct state_item item;
		call_child(&child, outer, &arena, 0);
		l->c = &child;
		rc = more = source->next(&child, source->ctx, &item);
		if (rc > 0)
			rc = load_item(l, &item);
		if (rc < 0)
			outer->err = child.err;
	}
	return rc;
}

// Everything is locked: a commit of another waits, and then finds the new state.
static int begin(struct load *l, bool replace)
{
	struct postgres_rows rows;
	l->link->in_transaction = true;
	int rc = postgres_run_text(l->c, l->s, l->link,
		"BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL idle_in_transaction_session_timeout = '10min';"
		"SELECT revision, (SELECT count(*) FROM event) + (SELECT count(*) FROM record) FROM counter FOR UPDATE",
		&rows);
	if (rc < 0)
		return rc;
	uint64_t held = (uint64_t)postgres_integer(&rows, 0, 1);
	l->revision = (uint64_t)postgres_integer(&rows, 0, 0);
	if (held && !replace)
		return state_not_empty(l->c, held);
	return held ? postgres_run_text(l->c, l->s, l->link, "DELETE FROM event; DELETE FROM record", &rows) : 0;
}

static int finish(struct load *l)
{
	struct postgres_rows rows;
	struct postgres_statement set = {
		.sql = "WITH c AS (UPDATE counter SET head = $1::bigint, revision = $2::bigint RETURNING head)"
		       " SELECT pg_notify($3, head::text) FROM c"};
	struct postgres_statement commit = {.sql = "COMMIT", .certain = true};
	postgres_set_integer(l->c, &set, 1, (int64_t)l->head);
	postgres_set_integer(l->c, &set, 2, (int64_t)l->revision);
	postgres_set_text(l->c, &set, 3, str_of(l->s->place.schema));
	int rc = postgres_run(l->c, l->s, l->link, &set, &rows);
	journal_boundary("before the end of a load");
	if (rc == 0)
		rc = postgres_run(l->c, l->s, l->link, &commit, &rows);
	journal_boundary("after a load");
	if (rc == 0)
		l->link->in_transaction = false;
	return rc;
}

int postgres_load(struct call *c, void *ctx, const struct state_source *source, bool replace)
{
	struct load l = {.c = c, .s = ctx};
	int rc = postgres_take(c, l.s, &l.link);
	if (rc < 0)
		return rc;
	rc = begin(&l, replace);
	if (rc == 0)
		rc = load_items(&l, source);
	if (rc == 0)
		rc = finish(&l);
	postgres_give(l.s, l.link);
	return rc;
}
