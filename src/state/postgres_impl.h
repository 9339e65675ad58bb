// SPDX-License-Identifier: Apache-2.0
// The PostgreSQL implementation of state_ops, shared by its files: the handle, a bounded pool of links, statements.
// A link is used by one thread at a time, from postgres_take to postgres_give. Every statement is sent without blocking
// and awaited with the call's deadline and cancellation; a link whose statement was not awaited to its end is closed.
// Commits are told apart by a token (this link's name and a number), written in the same transaction: after a
// connection that broke during COMMIT, the next one asks whether the number is there. All writers lock the row
// `counter`, so that whoever holds it knows that no earlier commit is still under way.
#ifndef ISOBAR_STATE_POSTGRES_IMPL_H
#define ISOBAR_STATE_POSTGRES_IMPL_H

#include <pthread.h>

#include "base/secret.h"
#include "state/postgres_library.h"
#include "state/postgres_url.h"
#include "state/state_impl.h"
#include "state/transfer.h"

enum {
	POSTGRES_LINKS = 4,        // commits wait for each other anyway; more only serves readers
	POSTGRES_PARAMETERS = 9,   // of a statement, at most
	POSTGRES_OLDEST = 120000,  // server versions: PostgreSQL 12
	POSTGRES_STATEMENT_S = 30, // no statement of ours takes a second
	POSTGRES_IDLE_S = 5,       // in a transaction: then its holder is stopped, and its locks are given back
	POSTGRES_CONNECT_S = 10,   // of one try
	POSTGRES_RECONNECT_S = 20, // how long an act goes on trying when the server is away
	POSTGRES_WRITER_HEX = 33,
};

struct postgres_link {
	struct pg_conn *conn; // NULL: not connected
	bool busy;
	bool in_transaction;
	char writer[POSTGRES_WRITER_HEX]; // of commit tokens; random for each connection
	int64_t number;                   // of the last commit that was tried
};

struct postgres_state {
	const struct postgres_library *pq;
	struct arena arena; // of place
	struct postgres_place place;
	const char *ca_file;
	struct secret password;
	pthread_mutex_t lock; // of links' busy
	pthread_cond_t given;
	struct postgres_link links[POSTGRES_LINKS];
	pthread_mutex_t news_lock;
	pthread_cond_t news;           // somebody's append was heard of
	uint64_t known_head;           // under news_lock
	struct postgres_link listener; // used by who set listening
	bool listening;
};

struct postgres_rows { // freed with the call's arena
	const struct postgres_library *pq;
	struct pg_result *result;
	int count;
};

// -- postgres_link.c
// A connected link of the pool; waits for one. ERR_UNAVAILABLE, ERR_UNAUTHENTICATED, ERR_TIMEOUT, ...
MUST_CHECK int postgres_take(struct call *c, struct postgres_state *s, struct postgres_link **out);
void postgres_give(struct postgres_state *s, struct postgres_link *link);
MUST_CHECK int postgres_connect(struct call *c, struct postgres_state *s, struct postgres_link *link);
void postgres_drop(struct postgres_state *s, struct postgres_link *link); // closes it; the next use connects again
void postgres_cancel(struct postgres_state *s, struct postgres_link *link);
// Waits until the link's socket is readable (or writable), at most ns: 1 ready, 0 not, or a negative code.
int postgres_poll(struct postgres_state *s, const struct postgres_link *link, short events, int64_t ns);

// -- postgres_run.c
struct postgres_statement {
	const char *sql;
	int count;
	struct str values[POSTGRES_PARAMETERS]; // .p NULL: null; each ends in NUL
	bool broken;                            // a parameter found no memory
	bool certain;                           // COMMIT: neither the call's deadline nor its cancellation cuts it off
	bool lost;                              // out: the connection broke, so that nobody knows what became of it
};
MUST_CHECK int postgres_run(struct call *c, struct postgres_state *s, struct postgres_link *link,
	struct postgres_statement *statement, struct postgres_rows *out);
// Without parameters, possibly several statements; the rows of the last.
MUST_CHECK int postgres_run_text(struct call *c, struct postgres_state *s, struct postgres_link *link, const char *sql,
	struct postgres_rows *out);
// One statement outside a transaction, tried again on a new link when its connection breaks: it must be safe to repeat.
MUST_CHECK int postgres_ask(
	struct call *c, struct postgres_state *s, struct postgres_statement *statement, struct postgres_rows *out);
// Between two tries: false when the time of reconnecting is over or the error is not of that sort; else sleeps.
bool postgres_again(struct call *c, int64_t began_ns, int attempt);
void postgres_set(struct postgres_statement *statement, int index, struct str text); // text ends in NUL
void postgres_set_text(struct call *c, struct postgres_statement *statement, int index, struct str text); // copies
void postgres_set_integer(struct call *c, struct postgres_statement *statement, int index, int64_t value);
struct str postgres_str(const struct postgres_rows *rows, int row, int column); // borrowed from the rows
int64_t postgres_integer(const struct postgres_rows *rows, int row, int column);
MUST_CHECK int postgres_json(
	struct call *c, const struct postgres_rows *rows, int row, int column, json_t **out); // in c's arena
// Context of an error: "<what> in the state on <host:port/database>".
int postgres_context(struct call *c, const struct postgres_state *s, const char *what);

// The server's clock in ns, or a parameter of a simulation: %d is that parameter's number.
#define POSTGRES_NOW "coalesce($%d::bigint, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint * 1000)"
void postgres_set_now(struct call *c, struct postgres_statement *statement, int index);

// -- rows, and one written with the sequence or revision that it has
MUST_CHECK int postgres_read_event(struct call *c, const struct postgres_rows *rows, int row, struct event *e);
MUST_CHECK int postgres_read_record(struct call *c, const struct postgres_rows *rows, int row, struct record *out);
MUST_CHECK int postgres_insert_event(
	struct call *c, struct postgres_state *s, struct postgres_link *link, const struct event *e);
MUST_CHECK int postgres_write_value(
	struct call *c, struct postgres_state *s, struct postgres_link *link, const struct record *r);

// -- postgres_migrate.c
MUST_CHECK int postgres_migrate(struct call *c, struct postgres_state *s);
// -- postgres_commit.c
int postgres_commit(struct call *c, void *s, const struct state_batch *batch);
// -- the other slots
int postgres_append(struct call *c, void *s, uint64_t expected_head, struct event *events, size_t count);
int postgres_put(
	struct call *c, void *s, struct record *record, uint64_t expected, struct str fence_lease, uint64_t fence);
int postgres_read(struct call *c, void *s, const struct state_query *query, struct event **out, size_t *count);
int postgres_watch(struct call *c, void *s, uint64_t after, int64_t timeout_ns, uint64_t *head);
int postgres_get(struct call *c, void *s, struct str key, struct record *out);
int postgres_list(struct call *c, void *s, struct str prefix, struct record **out, size_t *count);
int postgres_lease(struct call *c, void *s, struct str name, struct str holder, int64_t ttl_ns, struct lease *out);
int postgres_release(struct call *c, void *s, const struct lease *lease);
int postgres_dump(struct call *c, void *s, const struct state_sink *sink);
int postgres_load(struct call *c, void *s, const struct state_source *source, bool replace);
void postgres_close(void *s);

#endif
