// SPDX-License-Identifier: Apache-2.0
// Dump and load on SQLite. See transfer.h. A dump has a connection of its own: its read transaction sees one moment,
// and nobody waits for it.
#include <stdlib.h>

#include "state/reconcile.h"
#include "state/sqlite_impl.h"

enum { FREE_EVERY = 256 }; // items whose memory is kept at a time

// ---------------------------------------------------------------- out
struct dump {
	struct call *c;
	struct call item; // with memory that is freed often
	struct arena arena;
	struct sqlite_state *s;
	const struct state_sink *sink;
	size_t count;
};

static int fill(struct dump *d, sqlite3_stmt *row, enum state_item_type type, struct state_item *out)
{
	*out = (struct state_item){.type = type};
	switch (type) {
	case STATE_ITEM_REVISION:
		out->revision = (uint64_t)sqlite3_column_int64(row, 0);
		return 0;
	case STATE_ITEM_LEASE:
		out->lease.name = arena_str(d->item.arena, sqlite_column_str(row, 0));
		out->lease.fence = (uint64_t)sqlite3_column_int64(row, 1);
		return out->lease.name.p ? 0 : call_no_memory(&d->item);
	case STATE_ITEM_EVENT:
		return sqlite_read_event(&d->item, row, &out->event);
	case STATE_ITEM_RECORD:
		return sqlite_read_record(&d->item, row, &out->record);
	}
	return call_fail(&d->item, ERR_INTERNAL, "an item of no type");
}

static int dump_rows(struct dump *d, enum sqlite_statement which, enum state_item_type type)
{
	sqlite3_stmt *row = sqlite_statement(d->c, d->s, which);
	int rc = row ? 0 : d->c->err.code;
	if (row && which == SQL_READ) {
		sqlite3_bind_int64(row, 1, 0);
		sqlite3_bind_int64(row, 2, INT64_MAX);
	}
	while (rc == 0 && (rc = sqlite_step(d->c, d->s, row)) > 0) {
		struct state_item item;
		rc = fill(d, row, type, &item);
		if (rc == 0)
			rc = d->sink->put(&d->item, d->sink->ctx, &item);
		if (rc < 0)
			d->c->err = d->item.err;
		if (rc == 0)
			rc = call_check(d->c);
		if (++d->count % FREE_EVERY == 0)
			arena_free(&d->arena);
	}
	sqlite3_reset(row);
	return rc;
}

static int dump_all(struct dump *d)
{
	int rc = sqlite_run_text(d->c, d->s, "BEGIN");
	if (rc == 0)
		rc = dump_rows(d, SQL_LAST_REVISION, STATE_ITEM_REVISION);
	if (rc == 0)
		rc = dump_rows(d, SQL_LEASES, STATE_ITEM_LEASE);
	if (rc == 0)
		rc = dump_rows(d, SQL_READ, STATE_ITEM_EVENT);
	if (rc == 0)
		rc = dump_rows(d, SQL_LIST_ALL, STATE_ITEM_RECORD);
	arena_free(&d->arena);
	return rc;
}

int sqlite_dump(struct call *c, void *ctx, const struct state_sink *sink)
{
	struct state other;
	int rc = state_open_sqlite(c, ((struct sqlite_state *)ctx)->path, &other);
	if (rc < 0)
		return rc;
	struct dump d = {.c = c, .s = other.ctx, .sink = sink};
	call_child(&d.item, c, &d.arena, 0);
	sqlite_enter(c, d.s);
	rc = dump_all(&d);
	sqlite_leave(d.s);
	state_close(&other);
	return rc;
}

// ---------------------------------------------------------------- in
struct load {
	struct call *c;
	struct sqlite_state *s;
	uint64_t head;
};

static int run_bound(struct load *l, enum sqlite_statement which, struct str text, uint64_t number)
{
	sqlite3_stmt *statement = sqlite_statement(l->c, l->s, which);
	if (!statement)
		return l->c->err.code;
	if (text.n)
		sqlite_bind_str(statement, 1, text);
	sqlite3_bind_int64(statement, text.n ? 2 : 1, (sqlite3_int64)number);
	int rc = sqlite_step(l->c, l->s, statement);
	sqlite3_reset(statement);
	return MIN(rc, 0);
}

static int load_record(struct load *l, const struct record *r)
{
	int rc = state_check_key(l->c, r->key);
	if (rc == 0)
		rc = run_bound(l, SQL_SET_REVISION, S(""), r->revision);
	return rc < 0 ? rc : sqlite_write_value(l->c, l->s, r, r->revision);
}

static int load_item(struct load *l, struct state_item *item)
{
	switch (item->type) {
	case STATE_ITEM_REVISION:
		return run_bound(l, SQL_SET_REVISION, S(""), item->revision);
	case STATE_ITEM_LEASE:
		return run_bound(l, SQL_LEASE_KEEP, item->lease.name, item->lease.fence);
	case STATE_ITEM_EVENT:
		if (item->event.sequence != ++l->head)
			return state_gap(l->c, item->event.sequence, l->head);
		return sqlite_insert_event(l->c, l->s, &item->event, l->head);
	case STATE_ITEM_RECORD:
		return load_record(l, &item->record);
	}
	return call_fail(l->c, ERR_INTERNAL, "an item of no type");
}

static int load_all(struct load *l, const struct state_source *source, bool replace)
{
	uint64_t held = 0;
	int rc = sqlite_one_integer(l->c, l->s, SQL_HOLDS, &held), more = 1;
	if (rc == 0 && held && !replace)
		rc = state_not_empty(l->c, held);
	if (rc == 0 && held)
		rc = sqlite_run_text(l->c, l->s, "DELETE FROM event; DELETE FROM record");
	for (struct call *outer = l->c; rc == 0 && more; l->c = outer) {
		AUTO(arena) arena = {0};
		struct call child;
		struct state_item item;
		call_child(&child, outer, &arena, 0);
		l->c = &child;
		rc = more = source->next(&child, source->ctx, &item);
		if (rc > 0)
			rc = load_item(l, &item);
		if (rc == 0)
			rc = call_check(&child);
		if (rc < 0)
			outer->err = child.err;
	}
	return rc;
}

int sqlite_load(struct call *c, void *ctx, const struct state_source *source, bool replace)
{
	struct load l = {.c = c, .s = ctx};
	sqlite_enter(c, l.s);
	int rc = sqlite_begin(c, l.s);
	if (rc == 0) {
		rc = load_all(&l, source, replace);
		journal_boundary("before the end of a load");
		rc = sqlite_end(c, l.s, rc);
	}
	sqlite_leave(l.s);
	journal_boundary("after a load");
	return rc;
}
