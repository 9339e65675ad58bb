// SPDX-License-Identifier: Apache-2.0
// Batches on PostgreSQL: all or nothing, once, whatever the connection does. See postgres_impl.h.
//
// A commit whose connection broke before COMMIT was sent has not happened: it is tried again whole. One that broke
// during COMMIT may have happened or not. The next try locks the row `counter` first, which waits until the earlier
// transaction has ended one way or the other, and then looks for its token: there, it has happened, and is not
// repeated.
#include <stdio.h>
#include <string.h>

#include "state/postgres_impl.h"
#include "state/reconcile.h"

struct attempt {
	struct call *c; // its arena dies with the try
	struct postgres_state *s;
	struct postgres_link *link;
	const struct state_batch *b;
	uint64_t *revisions;
	uint64_t head, revision;          // as the counter had them, then as this commit leaves them
	uint64_t last_head;               // as the last try that came to COMMIT would leave it
	char writer[POSTGRES_WRITER_HEX]; // of that try's token
	int64_t number;
	bool ambiguous; // an earlier COMMIT broke: look for the token
	bool happened;
};

static int64_t real_now(void)
{
	const struct edges *real = edges_real();
	return real->mono_ns(real->ctx);
}

static int begin(struct attempt *t)
{
	struct postgres_rows rows;
	t->link->in_transaction = true;
	int rc = postgres_run_text(t->c, t->s, t->link,
		"BEGIN ISOLATION LEVEL READ COMMITTED; SELECT head, revision FROM counter FOR UPDATE", &rows);
	if (rc == 0 && rows.count != 1)
		rc = call_fail(
			t->c, ERR_CORRUPT, "the state on %s lacks the row that every state has", t->s->place.shown);
	if (rc < 0)
		return rc;
	t->head = (uint64_t)postgres_integer(&rows, 0, 0);
	t->revision = (uint64_t)postgres_integer(&rows, 0, 1);
	return 0;
}

static int look_for_token(struct attempt *t)
{
	struct postgres_rows rows;
	struct postgres_statement what = {.sql = "SELECT number FROM writer WHERE id = $1"};
	postgres_set_text(t->c, &what, 1, str_of(t->writer));
	int rc = postgres_run(t->c, t->s, t->link, &what, &rows);
	t->happened = rc == 0 && rows.count && postgres_integer(&rows, 0, 0) == t->number;
	return rc;
}

static int check_fence(struct attempt *t)
{
	char sql[256];
	struct postgres_rows rows;
	struct str name = t->b->fence_lease;
	// FOR SHARE: nobody takes the lease before this commit has ended.
	snprintf(sql, sizeof(sql),
		"SELECT holder, fence, expires_ns <= " POSTGRES_NOW " FROM lease WHERE name = $1 FOR SHARE", 2);
	struct postgres_statement what = {.sql = sql};
	postgres_set_text(t->c, &what, 1, name);
	postgres_set_now(t->c, &what, 2);
	int rc = postgres_run(t->c, t->s, t->link, &what, &rows);
	if (rc < 0)
		return rc;
	uint64_t fence = rows.count ? (uint64_t)postgres_integer(&rows, 0, 1) : 0;
	if (rows.count == 0 || postgres_str(&rows, 0, 0).n == 0 || fence != t->b->fence)
		return state_denied_fence(t->c, name, fence, t->b->fence);
	return str_eq(postgres_str(&rows, 0, 2), S("t")) ? state_denied_expired(t->c, name) : 0;
}

// ---------------------------------------------------------------- records
static int revision_of(struct attempt *t, struct str key, uint64_t *revision)
{
	struct postgres_rows rows;
	struct postgres_statement what = {.sql = "SELECT revision FROM record WHERE key = $1"};
	postgres_set_text(t->c, &what, 1, key);
	int rc = postgres_run(t->c, t->s, t->link, &what, &rows);
	if (rc == 0)
		*revision = rows.count ? (uint64_t)postgres_integer(&rows, 0, 0) : 0;
	return rc;
}

int postgres_write_value(
	struct call *c, struct postgres_state *s, struct postgres_link *link, const struct record *r)
{
	AUTO(buf) text = {0};
	struct postgres_rows rows;
	struct postgres_statement what = {
		.sql = r->value ? "INSERT INTO record VALUES ($1, $2, $3) ON CONFLICT (key) DO UPDATE SET revision = "
				  "excluded.revision, value = excluded.value"
				: "DELETE FROM record WHERE key = $1"};
	postgres_set_text(c, &what, 1, r->key);
	int rc = r->value ? state_write_json(c, r->value, &text) : 0;
	if (rc == 0 && r->value) {
		postgres_set_integer(c, &what, 2, (int64_t)r->revision);
		postgres_set(&what, 3, str_bytes(buf_cstr(&text), text.n));
	}
	if (rc == 0)
		rc = postgres_run(c, s, link, &what, &rows);
	return rc < 0 ? call_context(c, "write \"%.*s\"", STR(r->key)) : 0;
}

static int write_record(struct attempt *t, const struct state_write *w, uint64_t *revision)
{
	struct str key = w->record->key;
	uint64_t found = 0;
	int rc = revision_of(t, key, &found);
	if (rc == 0 && w->expected != UINT64_MAX && w->expected != found)
		rc = state_conflict_revision(t->c, key, found, w->expected);
	*revision = 0;
	if (rc == 0 && w->record->value)
		*revision = ++t->revision;
	const struct record new = {.key = key, .revision = t->revision, .value = w->record->value};
	if (rc == 0 && (w->record->value || found))
		rc = postgres_write_value(t->c, t->s, t->link, &new);
	return rc;
}

// ---------------------------------------------------------------- events
int postgres_insert_event(
	struct call *c, struct postgres_state *s, struct postgres_link *link, const struct event *e)
{
	AUTO(buf) text = {0};
	struct postgres_rows rows;
	struct postgres_statement what = {.sql = "INSERT INTO event VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"};
	int rc = e->data ? state_write_json(c, e->data, &text) : 0;
	if (rc < 0)
		return rc;
	postgres_set_integer(c, &what, 1, (int64_t)e->sequence);
	postgres_set_integer(c, &what, 2, e->schema);
	postgres_set_integer(c, &what, 3, e->time_ns);
	postgres_set_text(c, &what, 4, e->type);
	postgres_set_text(c, &what, 5, e->address);
	postgres_set_text(c, &what, 6, e->trace);
	postgres_set_text(c, &what, 7, e->principal);
	postgres_set_text(c, &what, 8, e->workspace);
	postgres_set(&what, 9, e->data ? str_bytes(buf_cstr(&text), text.n) : S("{}"));
	return postgres_run(c, s, link, &what, &rows);
}

static int insert_events(struct attempt *t)
{
	const struct state_batch *b = t->b;
	if (b->expected_head != UINT64_MAX && b->expected_head != t->head)
		return state_conflict_head(t->c, t->head, b->expected_head);
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < b->event_count; i++) {
		struct event e = b->events[i];
		e.sequence = ++t->head;
		rc = postgres_insert_event(t->c, t->s, t->link, &e);
	}
	return rc;
}

// ---------------------------------------------------------------- the end
// The counter, the token and the news in one statement; readers see all of it together or nothing.
static int finish(struct attempt *t)
{
	struct postgres_rows rows;
	struct postgres_statement last = {
		.sql = "WITH c AS (UPDATE counter SET head = $1::bigint, revision = $2::bigint RETURNING head),"
		       " w AS (INSERT INTO writer VALUES ($3, $4::bigint, now())"
		       "   ON CONFLICT (id) DO UPDATE SET number = excluded.number, at = excluded.at)"
		       " SELECT CASE WHEN $5::boolean THEN pg_notify($6, head::text) END FROM c"};
	postgres_set_integer(t->c, &last, 1, (int64_t)t->head);
	postgres_set_integer(t->c, &last, 2, (int64_t)t->revision);
	postgres_set_text(t->c, &last, 3, str_of(t->writer));
	postgres_set_integer(t->c, &last, 4, t->number);
	postgres_set(&last, 5, t->b->event_count ? S("t") : S("f"));
	postgres_set_text(t->c, &last, 6, str_of(t->s->place.schema));
	return postgres_run(t->c, t->s, t->link, &last, &rows);
}

static int end(struct attempt *t)
{
	struct postgres_rows rows;
	struct postgres_statement commit = {.sql = "COMMIT", .certain = true};
	t->last_head = t->head;
	journal_boundary("before COMMIT");
	int rc = postgres_run(t->c, t->s, t->link, &commit, &rows);
	t->ambiguous = commit.lost;
	if (rc == 0)
		t->link->in_transaction = false;
	return rc;
}

static int write_all(struct attempt *t)
{
	int rc = t->b->fence_lease.n ? check_fence(t) : 0;
	for (size_t i = 0; rc == 0 && i < t->b->write_count; i++)
		rc = write_record(t, &t->b->writes[i], &t->revisions[i]);
	if (rc == 0)
		rc = insert_events(t);
	if (rc == 0)
		rc = finish(t);
	return rc < 0 ? rc : end(t);
}

static int try_once(struct attempt *t)
{
	int rc = begin(t);
	if (rc == 0 && t->ambiguous)
		rc = look_for_token(t);
	if (rc < 0)
		return rc;
	if (t->happened)
		return 0; // giving the link back ends the transaction, which only looked
	t->ambiguous = false;
	memcpy(t->writer, t->link->writer, sizeof(t->writer));
	t->number = ++t->link->number;
	return write_all(t);
}

static int try_on_a_link(struct call *c, struct attempt *t)
{
	AUTO(arena) arena = {0};
	struct call child;
	call_child(&child, c, &arena, 0);
	t->c = &child;
	int rc = postgres_take(&child, t->s, &t->link);
	if (rc == 0) {
		rc = try_once(t);
		postgres_give(t->s, t->link);
	}
	if (rc < 0)
		c->err = child.err;
	return rc;
}

static int commit(struct call *c, struct attempt *t)
{
	int64_t began = real_now();
	for (int attempt = 0;; attempt++) {
		int rc = try_on_a_link(c, t);
		if (rc == 0)
			return 0;
		if (!postgres_again(c, began, attempt)) {
			if (t->ambiguous)
				return call_context(
					c, "it is not known whether this was written; look before you repeat it");
			return rc;
		}
		err_clear(&c->err);
	}
}

static int check_batch(struct call *c, const struct state_batch *b)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < b->write_count; i++)
		rc = state_check_key(c, b->writes[i].record->key);
	for (size_t i = 0; rc == 0 && i < b->event_count; i++)
		rc = state_fill_event(c, &b->events[i]);
	return rc;
}

int postgres_commit(struct call *c, void *ctx, const struct state_batch *b)
{
	struct postgres_state *s = ctx;
	struct attempt t = {.s = s, .b = b, .revisions = arena_new_array(c->arena, b->write_count + 1, uint64_t)};
	int rc = t.revisions ? check_batch(c, b) : call_no_memory(c);
	if (rc < 0)
		return rc;
	journal_boundary("before a commit");
	rc = commit(c, &t);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < b->event_count; i++)
		b->events[i].sequence = t.last_head - b->event_count + i + 1;
	for (size_t i = 0; i < b->write_count; i++)
		b->writes[i].record->revision = t.revisions[i];
	journal_boundary("after a commit");
	return 0;
}

int postgres_append(struct call *c, void *s, uint64_t expected_head, struct event *events, size_t count)
{
	const struct state_batch batch = {.expected_head = expected_head, .events = events, .event_count = count};
	return postgres_commit(c, s, &batch);
}

int postgres_put(
	struct call *c, void *s, struct record *record, uint64_t expected, struct str fence_lease, uint64_t fence)
{
	struct state_write write = {.record = record, .expected = expected};
	const struct state_batch batch = {.expected_head = UINT64_MAX,
		.writes = &write,
		.write_count = 1,
		.fence_lease = fence_lease,
		.fence = fence};
	return postgres_commit(c, s, &batch);
}
