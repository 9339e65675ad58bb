// SPDX-License-Identifier: Apache-2.0
// State on PostgreSQL: the conformance suite, and what is its own: connections that break (also during COMMIT), tokens,
// leases by the server's clock, schemas, TLS, refusals. Skipped where PostgreSQL is not installed.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/secret.h"
#include "base/time.h"
#include "conformance.h"
#include "postgres_server.h"
#include "relay.h"
#include "state/postgres_impl.h"

static struct postgres_server server;
static char url[640];
static int schemas;

static void next_schema(void)
{
	snprintf(url, sizeof(url), "%s&schema=test_%d_%d", server.url, (int)getpid(), ++schemas);
}

static int again(struct call *c, struct state *out)
{
	return state_open(c, &(struct state_place){.url = str_of(url)}, out);
}

static int make(struct call *c, struct state *out)
{
	next_schema();
	return again(c, out);
}

static void remove_nothing(void)
{
} // the server goes as a whole

struct bench {
	struct arena arena;
	struct call call;
	struct state state;
};

static int setup(void **out)
{
	struct bench *b = calloc(1, sizeof(*b));
	call_init(&b->call, &b->arena, edges_real(), S("user/test"));
	*out = b;
	return make(&b->call, &b->state);
}

static int teardown(void **out)
{
	struct bench *b = *out;
	state_close(&b->state);
	arena_free(&b->arena);
	free(b);
	return 0;
}

static void sql(struct bench *b, const char *text)
{
	struct postgres_state *s = b->state.ctx;
	struct postgres_link *link;
	struct postgres_rows rows;
	assert_int_equal(postgres_take(&b->call, s, &link), 0);
	if (postgres_run_text(&b->call, s, link, text, &rows) < 0)
		fail_msg("%s: %s", text, b->call.err.message);
	postgres_give(s, link);
}

static uint64_t head_of(struct bench *b)
{
	uint64_t head = 99;
	assert_int_equal(state_watch(&b->call, &b->state, UINT64_MAX, 0, &head), 0);
	return head;
}

static int append(struct bench *b, const char *type)
{
	return state_append_one(&b->call, &b->state, str_of(type), S(""), json_object(), NULL);
}

// ---------------------------------------------------------------- connections that break
static void open_as_victim(struct bench *b)
{
	state_close(&b->state);
	struct str named = arena_printf(&b->arena, "%s&application_name=victim", url);
	assert_int_equal(state_open(&b->call, &(struct state_place){.url = named}, &b->state), 0);
}

// Another session ends all of the victim's, as a restarting server or a firewall does.
static void break_connections(void)
{
	struct bench other = {0};
	call_init(&other.call, &other.arena, edges_real(), S("user/other"));
	assert_int_equal(again(&other.call, &other.state), 0);
	sql(&other, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'victim'");
	state_close(&other.state);
	arena_free(&other.arena);
}

static void test_a_broken_connection_is_made_again(void **out)
{
	struct bench *b = *out;
	open_as_victim(b);
	assert_int_equal(append(b, "one"), 0);
	break_connections();
	assert_int_equal(append(b, "two"), 0);
	break_connections();
	assert_int_equal(head_of(b), 2);
}

static void *break_often(UNUSED void *ctx)
{
	for (int i = 0; i < 12; i++)
		break_connections(); // connecting and leaving takes as long as a few commits
	return NULL;
}

// Each batch is there once, wherever its connection broke.
static void test_commits_are_neither_lost_nor_doubled(void **out)
{
	struct bench *b = *out;
	enum { COMMITS = 30 };
	pthread_t breaker;
	open_as_victim(b);
	assert_int_equal(pthread_create(&breaker, NULL, break_often, NULL), 0);
	for (int i = 0; i < COMMITS; i++) {
		struct event e = {.type = S_INIT("counted")};
		AUTO(json) v = json_pack("{s:i}", "n", i);
		struct record r = {.key = arena_printf(&b->arena, "count/%03d", i), .value = v};
		struct state_write w = {.record = &r, .expected = 0}; // a second one would be refused
		const struct state_batch batch = {
			.expected_head = UINT64_MAX, .events = &e, .event_count = 1, .writes = &w, .write_count = 1};
		if (state_commit(&b->call, &b->state, &batch) < 0)
			fail_msg("commit %d: %s", i, b->call.err.message);
		assert_int_equal(e.sequence, i + 1);
		assert_int_equal(r.revision, i + 1);
	}
	pthread_join(breaker, NULL);
	struct record *records;
	size_t n;
	assert_int_equal(head_of(b), COMMITS);
	assert_int_equal(state_list(&b->call, &b->state, S("count/"), &records, &n), 0);
	assert_int_equal(n, COMMITS);
}

static void open_through_relay(struct bench *b, struct relay *r)
{
	const char *host = strstr(url, "host=") + 5, *port = strstr(url, "port=") + 5, *schema = strstr(url, "schema=");
	memset(r, 0, sizeof(*r));
	snprintf(r->target, sizeof(r->target), "%.*s/.s.PGSQL.%.*s", (int)strcspn(host, "&"), host,
		(int)strcspn(port, "&"), port);
	assert_int_equal(relay_start(r), 0);
	state_close(&b->state);
	struct str at = arena_printf(
		&b->arena, "postgresql://isobar@127.0.0.1:%d/postgres?sslmode=disable&%s", r->port, schema);
	assert_int_equal(state_open(&b->call, &(struct state_place){.url = at}, &b->state), 0);
}

// The answer to COMMIT is lost, or COMMIT itself: the caller cannot tell, and need not.
static void test_an_ambiguous_commit_happens_once(void **out)
{
	struct bench *b = *out;
	struct relay r;
	static const enum relay_cut cuts[] = {RELAY_AFTER_COMMIT, RELAY_BEFORE_COMMIT};
	open_through_relay(b, &r);
	for (size_t i = 0; i < COUNT_OF(cuts); i++) {
		struct event e[] = {{.type = S_INIT("first")}, {.type = S_INIT("second")}};
		AUTO(json) v = json_object();
		struct record record = {.key = arena_printf(&b->arena, "k/%zu", i), .value = v};
		struct state_write w = {.record = &record, .expected = 0};
		const struct state_batch batch = {
			.expected_head = 2 * i, .events = e, .event_count = 2, .writes = &w, .write_count = 1};
		atomic_store(&r.cut, cuts[i]);
		if (state_commit(&b->call, &b->state, &batch) < 0)
			fail_msg("%zu: %s", i, b->call.err.message);
		assert_int_equal(atomic_load(&r.cuts), i + 1);
		assert_int_equal(e[0].sequence, 2 * i + 1);
		assert_int_equal(e[1].sequence, 2 * i + 2);
		assert_int_equal(record.revision, i + 1);
		assert_int_equal(head_of(b), 2 * i + 2);
	}
	state_close(&b->state);
	relay_stop(&r);
	assert_int_equal(again(&b->call, &b->state), 0);
	assert_int_equal(head_of(b), 4);
}

// When nobody can be asked any more, the caller hears that it is not known.
static void test_what_cannot_be_known_is_said(void **out)
{
	struct bench *b = *out;
	struct relay r;
	open_through_relay(b, &r);
	sql(b, "CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM "
	       "pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$; CREATE CONSTRAINT TRIGGER dies AFTER "
	       "INSERT ON "
	       "event DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION die()");
	b->call.deadline_ns = call_mono_ns(&b->call) + 300 * NS_PER_MS;
	assert_true(append(b, "never") < 0); // each COMMIT ends its own session
	assert_non_null(strstr(b->call.err.message, "it is not known whether this was written"));
	b->call.deadline_ns = 0;
	sql(b, "DROP TRIGGER dies ON event");
	assert_int_equal(head_of(b), 0);
	assert_int_equal(append(b, "once"), 0);
	assert_int_equal(head_of(b), 1);
	state_close(&b->state);
	relay_stop(&r);
	assert_int_equal(again(&b->call, &b->state), 0);
}

// ---------------------------------------------------------------- leases, time
// What this machine thinks the time is does not matter.
static void test_leases_run_by_the_servers_clock(void **out)
{
	struct bench *b = *out;
	struct lease first, second;
	assert_int_equal(b->state.ops->lease(&b->call, b->state.ctx, S("l"), S("one"), 60 * NS_PER_S, &first), 0);
	assert_int_equal(b->state.ops->lease(&b->call, b->state.ctx, S("l"), S("two"), NS_PER_S, &second), ERR_IN_USE);
	assert_non_null(strstr(b->call.err.message, "held by one for another"));
	sql(b, "UPDATE lease SET expires_ns = 1");
	AUTO(json) v = json_object();
	struct record r = {.key = S_INIT("k"), .value = v};
	assert_int_equal(b->state.ops->put(&b->call, b->state.ctx, &r, 0, S("l"), first.fence), ERR_DENIED);
	assert_int_equal(b->state.ops->lease(&b->call, b->state.ctx, S("l"), S("two"), NS_PER_S, &second), 0);
	assert_int_equal(second.fence, first.fence + 1);
	int64_t off = second.expires_ns - call_now_ns(&b->call);
	assert_true(off > -60 * NS_PER_S && off < 60 * NS_PER_S); // one machine here: the server's clock is ours
}

// A holder is stopped (SIGSTOP), its lease runs out, another takes it; woken up, the first one's write is refused.
static int hold_and_write_late(int ready)
{
	AUTO(arena) arena = {0};
	struct call c;
	struct state s;
	struct lease lease;
	call_init(&c, &arena, edges_real(), S("user/first"));
	if (again(&c, &s) < 0 || s.ops->lease(&c, s.ctx, S("control"), S("first"), 100 * NS_PER_MS, &lease) < 0)
		return 1;
	char byte = 'r';
	if (write(ready, &byte, 1) != 1)
		return 2;
	raise(SIGSTOP);
	AUTO(json) v = json_object();
	struct record r = {.key = S("shared"), .value = v};
	int rc = s.ops->put(&c, s.ctx, &r, UINT64_MAX, S("control"), lease.fence);
	state_close(&s);
	return rc == ERR_DENIED ? 0 : 3;
}

static void test_a_paused_holder_cannot_write(void **out)
{
	struct bench *b = *out;
	struct lease lease = {0};
	int ready[2], status;
	char byte;
	assert_int_equal(pipe(ready), 0);
	pid_t child = fork();
	if (child == 0)
		_exit(hold_and_write_late(ready[1]));
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_int_equal(waitpid(child, &status, WUNTRACED), child);
	assert_true(WIFSTOPPED(status));
	while (b->state.ops->lease(&b->call, b->state.ctx, S("control"), S("second"), 10 * NS_PER_S, &lease) ==
		ERR_IN_USE)
		usleep(5000);
	assert_int_equal(lease.fence, 2);
	kill(child, SIGCONT);
	waitpid(child, &status, 0);
	assert_int_equal(status, 0);
	struct record r;
	assert_int_equal(state_get(&b->call, &b->state, S("shared"), &r), 0);
	assert_int_equal(r.revision, 0);
	close(ready[0]);
	close(ready[1]);
}

static void test_a_deadline_ends_a_wait_for_a_lock(void **out)
{
	struct bench *b = *out, other = {0};
	struct postgres_link *link;
	struct postgres_rows rows;
	call_init(&other.call, &other.arena, edges_real(), S("user/other"));
	assert_int_equal(again(&other.call, &other.state), 0);
	struct postgres_state *s = other.state.ctx;
	assert_int_equal(postgres_take(&other.call, s, &link), 0);
	assert_int_equal(postgres_run_text(&other.call, s, link, "BEGIN; SELECT * FROM counter FOR UPDATE", &rows), 0);
	b->call.deadline_ns = call_mono_ns(&b->call) + 100 * NS_PER_MS;
	assert_int_equal(append(b, "late"), ERR_TIMEOUT);
	b->call.deadline_ns = 0;
	link->in_transaction = true;
	postgres_give(s, link); // rolls back
	assert_int_equal(append(b, "then"), 0);
	assert_int_equal(head_of(b), 1);
	state_close(&other.state);
	arena_free(&other.arena);
}

// ---------------------------------------------------------------- schemas
static void test_schemas_are_states_of_their_own(void **out)
{
	struct bench *b = *out;
	struct state other;
	assert_int_equal(append(b, "mine"), 0);
	assert_int_equal(make(&b->call, &other), 0);
	uint64_t head = 99;
	assert_int_equal(state_watch(&b->call, &other, UINT64_MAX, 0, &head), 0);
	assert_int_equal(head, 0);
	state_close(&other);
}

static void test_newer_and_foreign_schemas_are_refused(void **out)
{
	struct bench *b = *out;
	struct state other;
	sql(b, "INSERT INTO migration VALUES (99, 'of the future', '9.1.0', 0)");
	assert_int_equal(again(&b->call, &other), ERR_UNSUPPORTED);
	assert_non_null(strstr(b->call.err.message, "schema 99, version 9.1.0"));
	assert_non_null(strstr(b->call.err.message, "use that version or newer"));
	sql(b, "DROP TABLE migration");
	assert_int_equal(again(&b->call, &other), ERR_UNSUPPORTED);
	assert_non_null(strstr(b->call.err.message, "tables of another program"));
}

static void test_two_starters_agree(UNUSED void **out)
{
	pid_t children[3];
	next_schema();
	for (size_t i = 0; i < COUNT_OF(children); i++) {
		children[i] = fork();
		if (children[i] == 0) {
			AUTO(arena) arena = {0};
			struct call c;
			struct state s;
			call_init(&c, &arena, edges_real(), S("user/child"));
			int rc = again(&c, &s);
			if (rc == 0)
				rc = state_append_one(&c, &s, S("started"), S(""), json_object(), NULL);
			if (rc < 0)
				fprintf(stderr, "%s\n", c.err.message);
			_exit(rc == 0 ? 0 : 1);
		}
	}
	for (size_t i = 0; i < COUNT_OF(children); i++) {
		int status;
		waitpid(children[i], &status, 0);
		assert_int_equal(status, 0);
	}
}

// ---------------------------------------------------------------- who answers, and who asks
static int open_tls(struct bench *b, const char *settings, const char *password, const char *ca)
{
	struct state s;
	AUTO(secret) secret = {0};
	struct str at = arena_printf(
		&b->arena, "postgresql://tls@%s/postgres?schema=tls_%d%s", server.address, (int)getpid(), settings);
	if (password)
		assert_int_equal(secret_set(&secret, str_of(password), NULL), 0);
	int rc = state_open(&b->call, &(struct state_place){.url = at, .password = &secret, .ca_file = ca}, &s);
	if (rc == 0)
		state_close(&s);
	return rc;
}

static void test_the_server_must_prove_itself(void **out)
{
	struct bench *b = *out;
	if (open_tls(b, "&sslmode=verify-full", "correct horse", server.ca_file) != 0)
		fail_msg("%s", b->call.err.message);
	assert_int_equal(
		open_tls(b, "&sslmode=verify-full", "correct horse", "/etc/ssl/certs/ca-certificates.crt"), ERR_DENIED);
	assert_non_null(strstr(b->call.err.message, "certificate verify failed"));
	assert_int_equal(open_tls(b, "", "wrong staple", server.ca_file), ERR_UNAUTHENTICATED);
	assert_non_null(strstr(b->call.err.message, "127.0.0.1"));
	assert_null(strstr(b->call.err.message, "wrong staple"));
	assert_int_equal(open_tls(b, "", NULL, server.ca_file), ERR_UNAUTHENTICATED);
}

static void test_a_server_that_is_away_is_named(void **out)
{
	struct bench *b = *out;
	struct state s;
	assert_int_equal(
		state_open(&b->call, &(struct state_place){.url = S("postgresql://127.0.0.1:1/away?user=x")}, &s),
		ERR_UNAVAILABLE);
	assert_non_null(strstr(b->call.err.message, "127.0.0.1:1/away (schema isobar)"));
	struct str at = arena_printf(&b->arena, "%s", server.url);
	const char *slash = strstr(at.p, "/postgres?");
	at = arena_printf(&b->arena, "%.*s/absent%s", (int)(slash - at.p), at.p, slash + strlen("/postgres"));
	assert_int_equal(state_open(&b->call, &(struct state_place){.url = at}, &s), ERR_NOT_FOUND);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	static const struct conformance_factory factory = {.make = make, .again = again, .remove = remove_nothing};
	const struct CMUnitTest tests[] = {
		TEST(test_a_broken_connection_is_made_again),
		TEST(test_commits_are_neither_lost_nor_doubled),
		TEST(test_an_ambiguous_commit_happens_once),
		TEST(test_what_cannot_be_known_is_said),
		TEST(test_leases_run_by_the_servers_clock),
		TEST(test_a_paused_holder_cannot_write),
		TEST(test_a_deadline_ends_a_wait_for_a_lock),
		TEST(test_schemas_are_states_of_their_own),
		TEST(test_newer_and_foreign_schemas_are_refused),
		TEST(test_two_starters_agree),
		TEST(test_the_server_must_prove_itself),
		TEST(test_a_server_that_is_away_is_named),
	};
	int rc = postgres_server_start(&server);
	if (rc != 0)
		return rc;
	int failed = conformance_run("conformance of postgresql", &factory);
	failed += cmocka_run_group_tests(tests, NULL, NULL);
	postgres_server_stop(&server);
	return failed;
}
