// SPDX-License-Identifier: Apache-2.0
// The journal on SQLite: batches, appending, reading, watching. See sqlite_impl.h.
#include <errno.h>
#include <inttypes.h>
#include <time.h>

#include "state/reconcile.h"
#include "state/sqlite_impl.h"

// Another process' appends are looked for this often: the bound of what a watcher may see late.
static const int64_t watch_poll_ns = 20000000;

static int bind_json(struct call *c, sqlite3_stmt *statement, int index, const json_t *value)
{
	AUTO(buf) text = {0};
	int rc = state_write_json(c, value, &text);
	if (rc < 0)
		return rc;
	rc = sqlite3_bind_text64(statement, index, buf_cstr(&text), text.n, SQLITE_TRANSIENT, SQLITE_UTF8);
	return rc == SQLITE_OK ? 0 : call_no_memory(c);
}

int sqlite_insert_event(struct call *c, struct sqlite_state *s, struct event *e, uint64_t sequence)
{
	int rc = state_fill_event(c, e);
	sqlite3_stmt *statement = rc == 0 ? sqlite_statement(c, s, SQL_APPEND) : NULL;
	if (!statement)
		return c->err.code;
	AUTO(json) nothing = json_object();
	sqlite3_bind_int64(statement, 1, (sqlite3_int64)sequence);
	sqlite3_bind_int(statement, 2, e->schema);
	sqlite3_bind_int64(statement, 3, e->time_ns);
	sqlite_bind_str(statement, 4, e->type);
	sqlite_bind_str(statement, 5, e->address);
	sqlite_bind_str(statement, 6, e->trace);
	sqlite_bind_str(statement, 7, e->principal);
	sqlite_bind_str(statement, 8, e->workspace);
	rc = bind_json(c, statement, 9, e->data ? e->data : nothing);
	if (rc == 0)
		rc = sqlite_step(c, s, statement);
	sqlite3_reset(statement);
	e->sequence = sequence;
	return rc;
}

static int insert_events(struct call *c, struct sqlite_state *s, const struct state_batch *b, uint64_t *head)
{
	int rc = sqlite_one_integer(c, s, SQL_HEAD, head);
	if (rc == 0 && b->expected_head != UINT64_MAX && b->expected_head != *head)
		rc = state_conflict_head(c, *head, b->expected_head);
	for (size_t i = 0; rc == 0 && i < b->event_count; i++)
		rc = sqlite_insert_event(c, s, &b->events[i], ++*head);
	return rc;
}

static int revision_of(struct call *c, struct sqlite_state *s, struct str key, uint64_t *revision)
{
	sqlite3_stmt *statement = sqlite_statement(c, s, SQL_GET);
	if (!statement)
		return c->err.code;
	sqlite_bind_str(statement, 1, key);
	int rc = sqlite_step(c, s, statement);
	*revision = rc > 0 ? (uint64_t)sqlite3_column_int64(statement, 1) : 0;
	sqlite3_reset(statement);
	return MIN(rc, 0);
}

int sqlite_write_value(struct call *c, struct sqlite_state *s, const struct record *r, uint64_t revision)
{
	sqlite3_stmt *statement = sqlite_statement(c, s, r->value ? SQL_PUT : SQL_DELETE);
	if (!statement)
		return c->err.code;
	int rc = 0;
	sqlite_bind_str(statement, 1, r->key);
	if (r->value) {
		sqlite3_bind_int64(statement, 2, (sqlite3_int64)revision);
		rc = bind_json(c, statement, 3, r->value);
	}
	if (rc == 0)
		rc = sqlite_step(c, s, statement);
	sqlite3_reset(statement);
	return rc < 0 ? call_context(c, "write \"%.*s\"", STR(r->key)) : 0;
}

static int write_record(struct call *c, struct sqlite_state *s, const struct state_write *w, uint64_t *revision)
{
	struct str key = w->record->key;
	uint64_t found = 0, next = 0;
	int rc = state_check_key(c, key);
	if (rc == 0)
		rc = revision_of(c, s, key, &found);
	if (rc == 0 && w->expected != UINT64_MAX && w->expected != found)
		rc = state_conflict_revision(c, key, found, w->expected);
	if (rc == 0 && w->record->value)
		rc = sqlite_one_integer(c, s, SQL_NEXT_REVISION, &next);
	if (rc == 0 && (w->record->value || found))
		rc = sqlite_write_value(c, s, w->record, next);
	*revision = next;
	return rc;
}

static int write_records(struct call *c, struct sqlite_state *s, const struct state_batch *b, uint64_t *revisions)
{
	int rc = 0;
	if (b->fence_lease.n)
		rc = sqlite_check_fence(c, s, b->fence_lease, b->fence);
	for (size_t i = 0; rc == 0 && i < b->write_count; i++)
		rc = write_record(c, s, &b->writes[i], &revisions[i]);
	return rc;
}

static void tell_watchers(struct sqlite_state *s, uint64_t head)
{
	pthread_mutex_lock(&s->news_lock);
	s->known_head = MAX(s->known_head, head);
	pthread_cond_broadcast(&s->news);
	pthread_mutex_unlock(&s->news_lock);
}

static int commit_locked(struct call *c, struct sqlite_state *s, const struct state_batch *b, uint64_t *revisions)
{
	uint64_t head = 0;
	int rc = sqlite_begin(c, s);
	if (rc < 0)
		return rc;
	rc = write_records(c, s, b, revisions);
	if (rc == 0)
		rc = insert_events(c, s, b, &head);
	rc = sqlite_end(c, s, rc);
	if (rc == 0 && b->event_count)
		tell_watchers(s, head);
	return rc;
}

int sqlite_commit(struct call *c, void *ctx, const struct state_batch *b)
{
	struct sqlite_state *s = ctx;
	uint64_t *revisions = arena_new_array(c->arena, b->write_count + 1, uint64_t);
	if (!revisions)
		return call_no_memory(c);
	journal_boundary("before a commit");
	sqlite_enter(c, s);
	int rc = commit_locked(c, s, b, revisions);
	sqlite_leave(s);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < b->write_count; i++)
		b->writes[i].record->revision = revisions[i];
	journal_boundary("after a commit");
	return 0;
}

int sqlite_append(struct call *c, void *s, uint64_t expected_head, struct event *events, size_t count)
{
	const struct state_batch batch = {.expected_head = expected_head, .events = events, .event_count = count};
	return sqlite_commit(c, s, &batch);
}

static struct str keep(struct call *c, sqlite3_stmt *row, int column)
{
	return arena_str(c->arena, sqlite_column_str(row, column));
}

int sqlite_read_event(struct call *c, sqlite3_stmt *row, struct event *e)
{
	json_t *data;
	int rc = sqlite_column_json(c, row, 8, &data);
	if (rc < 0)
		return call_context(c, "read event %" PRId64, (int64_t)sqlite3_column_int64(row, 0));
	*e = (struct event){
		.sequence = (uint64_t)sqlite3_column_int64(row, 0),
		.schema = sqlite3_column_int(row, 1),
		.time_ns = sqlite3_column_int64(row, 2),
		.type = keep(c, row, 3),
		.address = keep(c, row, 4),
		.trace = keep(c, row, 5),
		.principal = keep(c, row, 6),
		.workspace = keep(c, row, 7),
		.data = data,
	};
	return e->type.p && e->address.p && e->trace.p && e->principal.p && e->workspace.p ? 0 : call_no_memory(c);
}

static int read_rows(struct call *c, struct sqlite_state *s, sqlite3_stmt *statement, struct event **out, size_t *count)
{
	size_t n = 0;
	struct event *events = NULL;
	int rc;
	while ((rc = sqlite_step(c, s, statement)) > 0) {
		events = state_grow(c, events, n, sizeof(*events));
		if (!events)
			return c->err.code;
		rc = sqlite_read_event(c, statement, &events[n]);
		if (rc < 0)
			return rc;
		n++;
	}
	if (rc == 0) {
		*out = events;
		*count = n;
	}
	return rc;
}

// 0xff is in no UTF-8 text: everything that begins with the prefix sorts below prefix + 0xff.
static void bind_query(sqlite3_stmt *statement, const struct state_query *q, struct str prefix_end)
{
	size_t most = q->limit == 0 ? STATE_READ_MAX : MIN(q->limit, STATE_READ_MAX);
	sqlite3_bind_int64(statement, 1, (sqlite3_int64)MIN(q->after, (uint64_t)INT64_MAX));
	sqlite3_bind_int64(statement, 2, (sqlite3_int64)most);
	if (q->type_prefix.n) {
		sqlite_bind_str(statement, 3, q->type_prefix);
		sqlite_bind_str(statement, 4, prefix_end);
	}
	if (q->address.n)
		sqlite_bind_str(statement, 5, q->address);
}

int sqlite_read(struct call *c, void *ctx, const struct state_query *q, struct event **out, size_t *count)
{
	struct sqlite_state *s = ctx;
	static const enum sqlite_statement variants[2][2] = {
		{SQL_READ, SQL_READ_ADDRESS}, {SQL_READ_TYPE, SQL_READ_BOTH}};
	struct str end = arena_printf(c->arena, "%.*s\xff", STR(q->type_prefix));
	if (!end.p)
		return call_no_memory(c);
	sqlite_enter(c, s);
	sqlite3_stmt *statement = sqlite_statement(c, s, variants[q->type_prefix.n > 0][q->address.n > 0]);
	int rc = c->err.code;
	if (statement) {
		bind_query(statement, q, end);
		rc = read_rows(c, s, statement, out, count);
		sqlite3_reset(statement);
	}
	sqlite_leave(s);
	return rc;
}

static int read_head(struct call *c, struct sqlite_state *s, uint64_t *head)
{
	sqlite_enter(c, s);
	int rc = sqlite_one_integer(c, s, SQL_HEAD, head);
	sqlite_leave(s);
	return rc;
}

// Waits for this process' own appends at most ns; a simulated clock only moves by being slept on.
static void wait_for_news(struct call *c, struct sqlite_state *s, uint64_t after, int64_t ns)
{
	if (!state_clock_is_real(c)) {
		c->edges->sleep_ns(c->edges->ctx, ns);
		return;
	}
	struct timespec until;
	clock_gettime(CLOCK_MONOTONIC, &until);
	int64_t at = (int64_t)until.tv_sec * 1000000000 + until.tv_nsec + ns;
	until = (struct timespec){.tv_sec = at / 1000000000, .tv_nsec = at % 1000000000};
	pthread_mutex_lock(&s->news_lock);
	while (s->known_head <= after && pthread_cond_timedwait(&s->news, &s->news_lock, &until) != ETIMEDOUT)
		;
	pthread_mutex_unlock(&s->news_lock);
}

int sqlite_watch(struct call *c, void *ctx, uint64_t after, int64_t timeout_ns, uint64_t *head)
{
	struct sqlite_state *s = ctx;
	int64_t begin = call_mono_ns(c), now = begin;
	for (;;) {
		uint64_t found = 0;
		int rc = read_head(c, s, &found);
		if (rc == 0 && found <= after && now - begin < timeout_ns)
			rc = call_check(c);
		if (rc < 0)
			return rc;
		if (found > after || now - begin >= timeout_ns) {
			*head = found;
			return 0;
		}
		int64_t left = MIN(timeout_ns - (now - begin), call_left_ns(c));
		wait_for_news(c, s, after, MAX(1, MIN(left, watch_poll_ns)));
		now = call_mono_ns(c);
	}
}
