// SPDX-License-Identifier: Apache-2.0
// Links to the server: connecting within the call's time, and the bounded pool. See postgres_impl.h.
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/time.h"
#include "state/postgres_impl.h"

enum { LOOK_EVERY_MS = 50 }; // at cancellation, while waiting for a socket or for a link

int postgres_poll(struct postgres_state *s, const struct postgres_link *link, short events, int64_t ns)
{
	struct pollfd wait = {.fd = s->pq->socket(link->conn), .events = events};
	int ms = (int)MIN(MAX(ns / NS_PER_MS, 0), LOOK_EVERY_MS);
	if (wait.fd < 0)
		return ERR_UNAVAILABLE;
	int n = poll(&wait, 1, ms);
	return n < 0 && errno != EINTR ? ERR_IO : n > 0;
}

void postgres_drop(struct postgres_state *s, struct postgres_link *link)
{
	if (link->conn)
		s->pq->finish(link->conn);
	link->conn = NULL;
	link->in_transaction = false;
}

void postgres_cancel(struct postgres_state *s, struct postgres_link *link)
{
	char why[256];
	struct pg_cancel *cancel = s->pq->getCancel(link->conn);
	if (cancel)
		(void)s->pq->cancel(cancel, why, sizeof(why)); // the link is closed next: that ends the statement too
	s->pq->freeCancel(cancel);
}

// A name of its own for each connection: a commit that is looked for later is never confused with another's.
static int name_writer(struct call *c, struct postgres_link *link)
{
	unsigned char bytes[POSTGRES_WRITER_HEX / 2];
	// The real source, whatever the call's edges are: two writers of one name would lose commits.
	const struct edges *real = edges_real();
	if (real->random(real->ctx, bytes, sizeof(bytes)) < 0)
		return call_fail(c, ERR_IO, "no randomness for the state's commit tokens");
	hex_encode(str_bytes(bytes, sizeof(bytes)), link->writer);
	link->number = 0;
	return 0;
}

// ---------------------------------------------------------------- connecting
// Notices are for people at a prompt; library code does not print.
static void hear_nothing(void *ctx, const char *text)
{
	(void)ctx;
	(void)text;
}

static int begin(struct call *c, struct postgres_state *s, struct postgres_link *link)
{
	const struct postgres_place *p = &s->place;
	// Everything that the environment or files of the user could set is set here: only the workspace and the
	// operator say where the state lies and who speaks to it.
	const char *const pairs[][2] = {
		{"host", p->hosts},
		{"port", *p->ports ? p->ports : "5432"},
		{"dbname", p->database},
		{"user", p->user},
		{"password", s->password.n ? s->password.p : NULL},
		{"passfile", "/dev/null/none"},
		{"sslmode", p->sslmode},
		{"sslrootcert", p->sslrootcert ? p->sslrootcert : s->ca_file},
		{"ssl_min_protocol_version", "TLSv1.2"},
		{"gssencmode", "disable"},
		{"target_session_attrs", p->session},
		{"application_name", p->application_name},
		{"client_encoding", "UTF8"},
		{"options", ""},
		{"keepalives", "1"},
		{"keepalives_idle", "10"},
		{"keepalives_interval", "5"},
		{"keepalives_count", "3"},
		{"tcp_user_timeout", "30000"},
	};
	const char *names[COUNT_OF(pairs) + 1], *values[COUNT_OF(pairs) + 1];
	size_t n = 0;
	for (size_t i = 0; i < COUNT_OF(pairs); i++) {
		if (!pairs[i][1])
			continue;
		names[n] = pairs[i][0];
		values[n++] = pairs[i][1];
	}
	names[n] = values[n] = NULL;
	link->conn = s->pq->connectStartParams(names, values, 0);
	if (!link->conn)
		return call_no_memory(c);
	s->pq->setNoticeProcessor(link->conn, hear_nothing, NULL);
	return 0;
}

static int refused(struct call *c, struct postgres_state *s, struct postgres_link *link)
{
	struct str why = str_trim(str_of(s->pq->errorMessage(link->conn)));
	// libpq has no code for a refused connection: the server's words are all there is (in its language; English
	// unless lc_messages says otherwise).
	int code = ERR_UNAVAILABLE;
	if (str_find(why, S("authentication failed")) >= 0 || str_find(why, S("no password supplied")) >= 0 ||
		str_find(why, S("role \"")) >= 0 || str_find(why, S("no pg_hba.conf entry")) >= 0)
		code = ERR_UNAUTHENTICATED;
	else if (str_find(why, S("database \"")) >= 0)
		code = ERR_NOT_FOUND;
	else if (str_find(why, S("certificate")) >= 0 || str_find(why, S("SSL")) >= 0)
		code = ERR_DENIED;
	int rc = call_fail(c, code, "connect to the state on %s: %.*s", s->place.shown, STR(str_clip(why, 400)));
	postgres_drop(s, link);
	return rc;
}

static int64_t left_of(const struct call *c, int64_t until)
{
	const struct edges *real = edges_real();
	int64_t left = until - real->mono_ns(real->ctx);
	return state_clock_is_real(c) ? MIN(left, call_left_ns(c)) : left;
}

static int await_connection(struct call *c, struct postgres_state *s, struct postgres_link *link)
{
	const struct edges *real = edges_real();
	int64_t until = real->mono_ns(real->ctx) + POSTGRES_CONNECT_S * NS_PER_S;
	int state = PG_POLLING_WRITING;
	while (state != PG_POLLING_OK) {
		int rc = call_check(c);
		if (rc == 0 && left_of(c, until) <= 0)
			rc = call_fail(c, ERR_UNAVAILABLE, "connect to the state on %s: no answer within %d s",
				s->place.shown, POSTGRES_CONNECT_S);
		if (rc < 0) {
			postgres_drop(s, link);
			return rc;
		}
		short events = state == PG_POLLING_READING ? POLLIN : POLLOUT;
		rc = postgres_poll(s, link, events, left_of(c, until));
		if (rc != 0) // ready, or a socket that is gone: libpq says which
			state = s->pq->connectPoll(link->conn);
		if (state == PG_POLLING_FAILED)
			return refused(c, s, link);
	}
	return 0;
}

static int check_server(struct call *c, struct postgres_state *s, struct postgres_link *link)
{
	const char *encoding = s->pq->parameterStatus(link->conn, "server_encoding");
	int version = s->pq->serverVersion(link->conn);
	if (version < POSTGRES_OLDEST)
		return call_fail(c, ERR_UNSUPPORTED, "the state on %s: PostgreSQL %d is too old; %d is needed at least",
			s->place.shown, version / 10000, POSTGRES_OLDEST / 10000);
	if (!encoding || strcmp(encoding, "UTF8") != 0)
		return call_fail(c, ERR_UNSUPPORTED,
			"the state on %s: the database's encoding is %s; make one with createdb -E UTF8 -T template0",
			s->place.shown, encoding ? encoding : "unknown");
	return 0;
}

static int set_up(struct call *c, struct postgres_state *s, struct postgres_link *link)
{
	char sql[512];
	struct postgres_rows rows;
	snprintf(sql, sizeof(sql),
		"SET search_path TO \"%s\"; SET statement_timeout = '%ds'; SET lock_timeout = '%ds';"
		"SET idle_in_transaction_session_timeout = '%ds'; SET client_min_messages = warning;"
		"SET synchronous_commit = on; SET standard_conforming_strings = on",
		s->place.schema, POSTGRES_STATEMENT_S, POSTGRES_STATEMENT_S, POSTGRES_IDLE_S);
	return postgres_run_text(c, s, link, sql, &rows);
}

int postgres_connect(struct call *c, struct postgres_state *s, struct postgres_link *link)
{
	int rc = name_writer(c, link);
	if (rc == 0)
		rc = begin(c, s, link);
	if (rc == 0)
		rc = await_connection(c, s, link);
	if (rc == 0 && s->pq->setnonblocking(link->conn, 1) < 0)
		rc = call_no_memory(c);
	if (rc == 0)
		rc = check_server(c, s, link);
	if (rc == 0)
		rc = set_up(c, s, link);
	if (rc < 0)
		postgres_drop(s, link);
	return rc;
}

// ---------------------------------------------------------------- the pool
static struct postgres_link *free_link(struct postgres_state *s)
{
	struct postgres_link *found = NULL;
	for (size_t i = 0; i < POSTGRES_LINKS; i++) {
		struct postgres_link *link = &s->links[i];
		if (!link->busy && (!found || (link->conn && !found->conn))) // rather one that is connected
			found = link;
	}
	return found;
}

static int wait_for_link(struct call *c, struct postgres_state *s, struct postgres_link **out)
{
	int rc = 0;
	pthread_mutex_lock(&s->lock);
	while (rc == 0 && !(*out = free_link(s))) {
		struct timespec until;
		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_nsec += LOOK_EVERY_MS * NS_PER_MS;
		until.tv_sec += until.tv_nsec / NS_PER_S;
		until.tv_nsec %= NS_PER_S;
		pthread_cond_timedwait(&s->given, &s->lock, &until);
		rc = call_check(c);
	}
	if (rc == 0)
		(*out)->busy = true;
	pthread_mutex_unlock(&s->lock);
	return rc;
}

int postgres_take(struct call *c, struct postgres_state *s, struct postgres_link **out)
{
	struct postgres_link *link = NULL;
	int rc = wait_for_link(c, s, &link);
	if (rc < 0)
		return rc;
	if (link->conn && s->pq->status(link->conn) != PG_CONNECTION_OK)
		postgres_drop(s, link);
	if (!link->conn)
		rc = postgres_connect(c, s, link);
	if (rc < 0) {
		postgres_give(s, link);
		return rc;
	}
	*out = link;
	return 0;
}

void postgres_give(struct postgres_state *s, struct postgres_link *link)
{
	if (link->in_transaction) // an act that failed in the middle: the server rolls back
		postgres_drop(s, link);
	pthread_mutex_lock(&s->lock);
	link->busy = false;
	pthread_cond_signal(&s->given);
	pthread_mutex_unlock(&s->lock);
}
