// SPDX-License-Identifier: Apache-2.0
// Statements: sending, awaiting within the call's time, results, what the server's codes mean. See postgres_impl.h.
#include <poll.h>
#include <string.h>
#include <time.h>

#include "base/time.h"
#include "state/postgres_impl.h"

enum { FIELD_SQLSTATE = 'C', FIELD_MESSAGE = 'M', FIELD_DETAIL = 'D' }; // PG_DIAG_*

int postgres_context(struct call *c, const struct postgres_state *s, const char *what)
{
	return call_context(c, "%s in the state on %s", what, s->place.shown);
}

// ---------------------------------------------------------------- errors
static const struct {
	const char *prefix; // of the SQLSTATE (PostgreSQL documentation, appendix A)
	int code;
	const char *advice;
} codes[] = {
	{"08", ERR_UNAVAILABLE, NULL},
	{"57P", ERR_UNAVAILABLE, NULL}, // shut down, starting up
	{"57014", ERR_TIMEOUT, "the server is overloaded, or another session keeps the state locked"},
	{"55P03", ERR_TIMEOUT, "another session keeps the state locked"},
	{"25P03", ERR_UNAVAILABLE, NULL}, // this session was stopped in a transaction for too long
	{"53100", ERR_NO_SPACE, "free some space on the server and try again; nothing was written"},
	{"53200", ERR_NO_MEMORY, NULL},
	{"53", ERR_UNAVAILABLE, "the server is short of something: see its log"},
	{"40", ERR_UNAVAILABLE, NULL}, // deadlock, serialisation
	{"28", ERR_UNAUTHENTICATED, NULL},
	{"3D000", ERR_NOT_FOUND, "create the database first"},
	{"42501", ERR_DENIED, "grant the role what docs/state.md lists"},
	{"25006", ERR_DENIED, "this server is a standby: name the primary"},
	{"42P01", ERR_CORRUPT, "a table of the state is gone: restore it from a backup"},
	{"3F000", ERR_CORRUPT, "the schema of the state is gone: restore it from a backup"},
	{"XX", ERR_CORRUPT, "the database is damaged: restore it from a backup"},
};

static int server_failed(struct call *c, struct postgres_state *s, const struct pg_result *result)
{
	const char *state = s->pq->resultErrorField(result, FIELD_SQLSTATE);
	const char *message = s->pq->resultErrorField(result, FIELD_MESSAGE);
	const char *advice = NULL;
	int code = ERR_INTERNAL;
	for (size_t i = 0; state && i < COUNT_OF(codes); i++) {
		if (strncmp(state, codes[i].prefix, strlen(codes[i].prefix)) != 0)
			continue;
		code = codes[i].code;
		advice = codes[i].advice;
		break;
	}
	(void)call_fail(c, code, "the state on %s: %s%s%s", s->place.shown, message ? message : "no reason given",
		advice ? ": " : "", advice ? advice : "");
	(void)str_copy(c->err.provider_code, sizeof(c->err.provider_code), str_of(state));
	return code;
}

static int connection_failed(
	struct call *c, struct postgres_state *s, struct postgres_link *link, struct postgres_statement *statement)
{
	struct str why = str_trim(str_of(s->pq->errorMessage(link->conn)));
	int rc = call_fail(c, ERR_UNAVAILABLE, "the state on %s: the connection broke: %.*s", s->place.shown,
		STR(str_clip(why.n ? why : S("the server closed it"), 400)));
	statement->lost = true;
	postgres_drop(s, link);
	return rc;
}

// ---------------------------------------------------------------- sending and awaiting
static int send_statement(
	struct call *c, struct postgres_state *s, struct postgres_link *link, struct postgres_statement *statement)
{
	const char *values[POSTGRES_PARAMETERS];
	for (int i = 0; i < statement->count; i++)
		values[i] = statement->values[i].p;
	int sent = statement->count < 0 ? s->pq->sendQuery(link->conn, statement->sql)
					: s->pq->sendQueryParams(link->conn, statement->sql, statement->count, NULL,
						  values, NULL, NULL, 0);
	return sent ? 0 : connection_failed(c, s, link, statement);
}

static int64_t real_now(void)
{
	const struct edges *real = edges_real();
	return real->mono_ns(real->ctx);
}

// The server ends a statement after POSTGRES_STATEMENT_S; a server that does not answer even then is gone.
static int wait_more(struct call *c, struct postgres_state *s, struct postgres_link *link,
	struct postgres_statement *statement, int64_t until)
{
	int unsent = s->pq->flush(link->conn);
	if (unsent < 0 || real_now() > until)
		return connection_failed(c, s, link, statement);
	int rc = statement->certain ? 0 : call_check(c);
	if (rc < 0) {
		statement->lost = true;
		postgres_cancel(s, link);
		postgres_drop(s, link);
		return rc;
	}
	rc = postgres_poll(s, link, unsent ? POLLIN | POLLOUT : POLLIN, until - real_now());
	if (rc < 0 || !s->pq->consumeInput(link->conn))
		return connection_failed(c, s, link, statement);
	return 0;
}

static void keep_rows(struct postgres_state *s, struct postgres_rows *out, struct pg_result *result)
{
	if (out->result)
		s->pq->clear(out->result);
	*out = (struct postgres_rows){.pq = s->pq, .result = result, .count = s->pq->ntuples(result)};
}

// Takes all results of what was sent; the last one's rows, the first one's error.
static int take_results(struct call *c, struct postgres_state *s, struct postgres_link *link,
	struct postgres_statement *statement, struct postgres_rows *out)
{
	int64_t until = real_now() + (POSTGRES_STATEMENT_S + 5) * NS_PER_S;
	int failed = 0;
	for (;;) {
		int rc = 0;
		while (rc == 0 && s->pq->isBusy(link->conn))
			rc = wait_more(c, s, link, statement, until);
		if (rc < 0)
			return rc;
		struct pg_result *result = s->pq->getResult(link->conn);
		if (!result)
			break;
		int status = s->pq->resultStatus(result);
		if (status == PG_COMMAND_OK || status == PG_TUPLES_OK || status == PG_EMPTY_QUERY) {
			keep_rows(s, out, result);
			continue;
		}
		if (failed == 0)
			failed = server_failed(c, s, result);
		s->pq->clear(result);
	}
	if (s->pq->status(link->conn) != PG_CONNECTION_OK)
		return connection_failed(c, s, link, statement);
	return failed;
}

static void clear_rows(void *p)
{
	struct postgres_rows *rows = p;
	if (rows->result)
		rows->pq->clear(rows->result);
}

int postgres_run(struct call *c, struct postgres_state *s, struct postgres_link *link,
	struct postgres_statement *statement, struct postgres_rows *out)
{
	struct postgres_rows *kept = arena_new(c->arena, struct postgres_rows);
	if (!kept || statement->broken || !arena_defer(c->arena, clear_rows, kept))
		return call_no_memory(c);
	statement->lost = false;
	int rc = send_statement(c, s, link, statement);
	if (rc == 0)
		rc = take_results(c, s, link, statement, kept);
	if (rc == 0)
		*out = *kept;
	return rc;
}

int postgres_run_text(struct call *c, struct postgres_state *s, struct postgres_link *link, const char *sql,
	struct postgres_rows *out)
{
	struct postgres_statement statement = {.sql = sql, .count = -1};
	return postgres_run(c, s, link, &statement, out);
}

// ---------------------------------------------------------------- trying again
bool postgres_again(struct call *c, int64_t began_ns, int attempt)
{
	struct err why = c->err;
	bool worth = why.code == ERR_UNAVAILABLE && real_now() - began_ns < POSTGRES_RECONNECT_S * NS_PER_S &&
		     call_check(c) == 0;
	struct timespec pause = {.tv_nsec = MIN(20 << MIN(attempt, 5), 500) * NS_PER_MS};
	if (worth)
		nanosleep(&pause, NULL);
	c->err = why;
	return worth;
}

int postgres_ask(
	struct call *c, struct postgres_state *s, struct postgres_statement *statement, struct postgres_rows *out)
{
	int64_t began = real_now();
	for (int attempt = 0;; attempt++) {
		struct postgres_link *link;
		int rc = postgres_take(c, s, &link);
		if (rc == 0) {
			rc = postgres_run(c, s, link, statement, out);
			postgres_give(s, link);
		}
		if (rc == 0 || !postgres_again(c, began, attempt))
			return rc;
		err_clear(&c->err);
	}
}

// ---------------------------------------------------------------- parameters and values
void postgres_set(struct postgres_statement *statement, int index, struct str text)
{
	statement->values[index - 1] = text;
	statement->count = MAX(statement->count, index);
	if (!text.p)
		statement->broken = true;
}

void postgres_set_text(struct call *c, struct postgres_statement *statement, int index, struct str text)
{
	postgres_set(statement, index, arena_str(c->arena, text));
}

void postgres_set_integer(struct call *c, struct postgres_statement *statement, int index, int64_t value)
{
	postgres_set(statement, index, arena_printf(c->arena, "%lld", (long long)value));
}

void postgres_set_now(struct call *c, struct postgres_statement *statement, int index)
{
	if (!state_clock_is_real(c)) {
		postgres_set_integer(c, statement, index, call_now_ns(c));
		return;
	}
	statement->values[index - 1] = (struct str){0};
	statement->count = MAX(statement->count, index);
}

struct str postgres_str(const struct postgres_rows *rows, int row, int column)
{
	return str_bytes(
		rows->pq->getvalue(rows->result, row, column), (size_t)rows->pq->getlength(rows->result, row, column));
}

int64_t postgres_integer(const struct postgres_rows *rows, int row, int column)
{
	int64_t value = 0;
	return str_to_i64(postgres_str(rows, row, column), &value) == 0 ? value : 0;
}

int postgres_json(struct call *c, const struct postgres_rows *rows, int row, int column, json_t **out)
{
	json_t *value = NULL;
	struct err why = {0};
	int rc = json_parse(postgres_str(rows, row, column), &value, &why);
	if (rc == ERR_NO_MEMORY)
		return call_no_memory(c);
	if (rc < 0)
		return call_fail(c, ERR_CORRUPT, "a stored value is not JSON: %s", why.message);
	*out = json_in_arena(c->arena, value);
	return *out ? 0 : call_no_memory(c);
}
