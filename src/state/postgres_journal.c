// SPDX-License-Identifier: Apache-2.0
// Reading and watching the journal on PostgreSQL. See postgres_impl.h.
// Watchers share one listening link: one of them waits on its socket and wakes the others; when it leaves, another
// takes its place. A notification that was missed (the link broke) costs at most one look every second.
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/time.h"
#include "state/postgres_impl.h"

static const int64_t look_every_ns = NS_PER_S;           // at the head itself, whatever was notified
static const int64_t simulated_step_ns = 20 * NS_PER_MS; // of a clock that only moves by being slept on
static const int64_t listen_again_ns = 200 * NS_PER_MS;  // when there is no listening link

// ---------------------------------------------------------------- reading
int postgres_read_event(struct call *c, const struct postgres_rows *rows, int row, struct event *e)
{
	json_t *data;
	int rc = postgres_json(c, rows, row, 8, &data);
	if (rc < 0)
		return call_context(c, "read event %" PRId64, postgres_integer(rows, row, 0));
	*e = (struct event){
		.sequence = (uint64_t)postgres_integer(rows, row, 0),
		.schema = (int)postgres_integer(rows, row, 1),
		.time_ns = postgres_integer(rows, row, 2),
		.type = postgres_str(rows, row, 3), // the rows live as long as the arena
		.address = postgres_str(rows, row, 4),
		.trace = postgres_str(rows, row, 5),
		.principal = postgres_str(rows, row, 6),
		.workspace = postgres_str(rows, row, 7),
		.data = data,
	};
	return 0;
}

int postgres_read(struct call *c, void *ctx, const struct state_query *q, struct event **out, size_t *count)
{
	struct postgres_state *s = ctx;
	struct postgres_rows rows;
	char sql[256];
	struct postgres_statement what = {.sql = sql};
	size_t most = q->limit == 0 ? STATE_READ_MAX : MIN(q->limit, STATE_READ_MAX);
	snprintf(sql, sizeof(sql), "SELECT * FROM event WHERE sequence > $1%s%s ORDER BY sequence LIMIT $2",
		q->type_prefix.n ? " AND starts_with(type, $3) AND type >= $3" : "",
		q->address.n ? q->type_prefix.n ? " AND address = $4" : " AND address = $3" : "");
	postgres_set_integer(c, &what, 1, (int64_t)MIN(q->after, (uint64_t)INT64_MAX));
	postgres_set_integer(c, &what, 2, (int64_t)most);
	if (q->type_prefix.n)
		postgres_set_text(c, &what, what.count + 1, q->type_prefix);
	if (q->address.n)
		postgres_set_text(c, &what, what.count + 1, q->address);
	int rc = postgres_ask(c, s, &what, &rows);
	if (rc < 0)
		return rc;
	struct event *events = arena_new_array(c->arena, (size_t)rows.count + 1, struct event);
	if (!events)
		return call_no_memory(c);
	for (int i = 0; rc == 0 && i < rows.count; i++)
		rc = postgres_read_event(c, &rows, i, &events[i]);
	if (rc < 0)
		return rc;
	*out = events;
	*count = (size_t)rows.count;
	return 0;
}

static int read_head(struct call *c, struct postgres_state *s, uint64_t *head)
{
	AUTO(arena) arena = {0};
	struct call child;
	struct postgres_rows rows;
	struct postgres_statement what = {.sql = "SELECT head FROM counter"};
	call_child(&child, c, &arena, 0);
	int rc = postgres_ask(&child, s, &what, &rows);
	if (rc == 0 && rows.count != 1)
		rc = call_fail(
			&child, ERR_CORRUPT, "the state on %s lacks the row that every state has", s->place.shown);
	if (rc == 0)
		*head = (uint64_t)postgres_integer(&rows, 0, 0);
	else
		c->err = child.err;
	return rc;
}

// ---------------------------------------------------------------- waiting for news
static void tell(struct postgres_state *s, uint64_t head)
{
	pthread_mutex_lock(&s->news_lock);
	s->known_head = MAX(s->known_head, head);
	pthread_cond_broadcast(&s->news);
	pthread_mutex_unlock(&s->news_lock);
}

static bool heard(struct postgres_state *s, uint64_t after)
{
	pthread_mutex_lock(&s->news_lock);
	bool news = s->known_head > after;
	pthread_mutex_unlock(&s->news_lock);
	return news;
}

static bool start_listening(struct call *c, struct postgres_state *s)
{
	AUTO(arena) arena = {0};
	struct call child;
	struct postgres_rows rows;
	char sql[POSTGRES_SCHEMA_MAX + 16];
	if (s->listener.conn)
		return true;
	call_child(&child, c, &arena, 0);
	snprintf(sql, sizeof(sql), "LISTEN \"%s\"", s->place.schema);
	if (postgres_connect(&child, s, &s->listener) == 0 &&
		postgres_run_text(&child, s, &s->listener, sql, &rows) == 0)
		return true;
	postgres_drop(s, &s->listener);
	return false;
}

static void take_notifications(struct postgres_state *s)
{
	struct pg_notify *one;
	while ((one = s->pq->notifies(s->listener.conn))) {
		uint64_t head = 0;
		if (str_to_u64(str_of(one->extra), &head) == 0)
			tell(s, head);
		s->pq->freemem(one);
	}
}

// Waits on the listening link until something came, ns are over, or the call ends.
static void listen_for(struct call *c, struct postgres_state *s, uint64_t after, int64_t ns)
{
	struct call probe = *c;
	int64_t begin = call_mono_ns(c);
	while (!heard(s, after) && call_check(&probe) == 0) {
		int64_t left = ns - (call_mono_ns(c) - begin);
		int ready = left > 0 ? postgres_poll(s, &s->listener, POLLIN, left) : 0;
		if (left <= 0)
			return;
		if (ready < 0 || (ready > 0 && !s->pq->consumeInput(s->listener.conn))) {
			postgres_drop(s, &s->listener);
			return;
		}
		take_notifications(s);
	}
}

static void wait_for_others(struct postgres_state *s, uint64_t after, int64_t ns)
{
	struct timespec until;
	clock_gettime(CLOCK_MONOTONIC, &until);
	int64_t at = (int64_t)until.tv_sec * NS_PER_S + until.tv_nsec + MIN(ns, listen_again_ns);
	until = (struct timespec){.tv_sec = at / NS_PER_S, .tv_nsec = at % NS_PER_S};
	if (s->known_head <= after)
		pthread_cond_timedwait(&s->news, &s->news_lock, &until);
}

static void wait_for_news(struct call *c, struct postgres_state *s, uint64_t after, int64_t ns)
{
	if (!state_clock_is_real(c)) {
		c->edges->sleep_ns(c->edges->ctx, MIN(ns, simulated_step_ns));
		return;
	}
	pthread_mutex_lock(&s->news_lock);
	bool lead = !s->listening;
	if (lead)
		s->listening = true;
	else
		wait_for_others(s, after, ns);
	pthread_mutex_unlock(&s->news_lock);
	if (!lead)
		return;
	if (start_listening(c, s))
		listen_for(c, s, after, ns);
	else
		c->edges->sleep_ns(c->edges->ctx, MIN(ns, listen_again_ns));
	pthread_mutex_lock(&s->news_lock);
	s->listening = false;
	pthread_cond_broadcast(&s->news); // another may lead
	pthread_mutex_unlock(&s->news_lock);
}

int postgres_watch(struct call *c, void *ctx, uint64_t after, int64_t timeout_ns, uint64_t *head)
{
	struct postgres_state *s = ctx;
	int64_t begin = call_mono_ns(c), now = begin;
	// What is written between the first look and the start of listening is seen at the next look, a moment later.
	for (bool listening = false;; listening = true) {
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
		wait_for_news(c, s, after, MAX(1, MIN(left, listening ? look_every_ns : listen_again_ns)));
		now = call_mono_ns(c);
	}
}
