// SPDX-License-Identifier: Apache-2.0
// Every allocation fails once, ours, jansson's and SQLite's: the n-th and all later ones, for every n until the act
// succeeds. It must then say "out of memory", the state must be as it was, and the same handle must go on working.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <malloc.h>
#include <sqlite3.h>
#include <unistd.h>

#include "failing_malloc.h"
#include "fixture_state.h"
#include "state/archive.h"
#include "state/postgres_url.h"
#include "state/transfer.h"

// ---------------------------------------------------------------- SQLite's memory
void *__wrap_realloc(void *p, size_t size);
void *__real_malloc(size_t size);

static void *db_malloc(int size)
{
	return failing_malloc((size_t)size);
}

static void *db_realloc(void *p, int size)
{
	return __wrap_realloc(p, (size_t)size);
}

static int db_size(void *p)
{
	return p ? (int)malloc_usable_size(p) : 0;
}

static int db_roundup(int size)
{
	return (size + 7) & ~7;
}

static int db_init(void *ctx)
{
	(void)ctx;
	return SQLITE_OK;
}

static void db_shutdown(void *ctx)
{
	(void)ctx;
}

// ---------------------------------------------------------------- the loop
struct bench {
	struct fixture f;
	struct state state;
};
static struct bench bench; // of the test that runs

static uint64_t head_now(void)
{
	uint64_t head = 99;
	assert_ok(&bench.f, state_watch(&bench.f.call, &bench.state, UINT64_MAX, 0, &head));
	return head;
}

static size_t records_now(void)
{
	struct record *records;
	size_t count;
	assert_ok(&bench.f, state_list(&bench.f.call, &bench.state, S(""), &records, &count));
	return count;
}

// Runs act, each time with a call and memory of its own. writes: what one success adds to journal and records.
static void fail_each(int (*act)(struct call *c), uint64_t events, size_t records)
{
	for (size_t n = 0; n < 100000; n++) {
		AUTO(arena) arena = {0};
		struct call c;
		uint64_t head = head_now();
		size_t count = records_now();
		call_init(&c, &arena, edges_real(), S("user/test"));
		failing_malloc_after(n);
		int rc = act(&c);
		bool refused = failing_malloc_stop();
		if (rc < 0 && (rc != ERR_NO_MEMORY || !refused))
			fail_msg("after %zu allocations: %s: %s", n, err_name(rc), c.err.message);
		assert_int_equal(head_now(), head + (rc == 0 ? events : 0));
		assert_int_equal(records_now(), count + (rc == 0 ? records : 0));
		if (!refused)
			return;
	}
	fail_msg("never succeeds");
}

static int setup(void **out)
{
	struct resource r = {
		.address = S("bucket/lake on aws"), .kind = S("bucket"), .name = S("lake"), .cloud = S("aws")};
	memset(&bench, 0, sizeof(bench));
	fixture_open_state(&bench.f, &bench.state);
	r.uid = r.status = S("ready");
	r.written = r.resolved = json_in_arena(&bench.f.arena, json_pack("{s:s}", "name", "lake"));
	assert_ok(&bench.f, resource_put(&bench.f.call, &bench.state, &r));
	AUTO(json) v = json_pack("{s:[i, s, f]}", "list", 1, "two", 3.5);
	for (int i = 0; i < 3; i++)
		assert_ok(&bench.f, state_append_one(&bench.f.call, &bench.state, S("some.event"), S("a"),
					    json_deep_copy(v), NULL));
	assert_ok(&bench.f, state_put(&bench.f.call, &bench.state, S("k"), v, 0, NULL));
	*out = NULL;
	return 0;
}

static int teardown(void **out)
{
	(void)out;
	fixture_close_state(&bench.f, &bench.state);
	return 0;
}

// ---------------------------------------------------------------- acts
static int act_open(struct call *c)
{
	struct state s;
	int rc = state_open_sqlite(c, bench.f.folder[0] ? fixture_path(&bench.f, "state.db") : "", &s);
	if (rc == 0)
		state_close(&s);
	return rc;
}

static int act_create(struct call *c)
{
	static int number;
	struct state s;
	char path[128];
	snprintf(path, sizeof(path), "%s/new-%d.db", bench.f.folder, number++ % 4);
	int rc = state_open_sqlite(c, path, &s);
	if (rc == 0)
		state_close(&s);
	return rc;
}

static int act_commit(struct call *c)
{
	static int number;
	json_t *v = json_in_arena(c->arena, json_pack("{s:s, s:i}", "text", "value", "n", number));
	struct str key = arena_printf(c->arena, "new/%06d", number++);
	if (!v || !key.p)
		return call_no_memory(c);
	struct event events[] = {{.type = S_INIT("one"), .data = v}, {.type = S_INIT("two"), .data = v}};
	struct record record = {.key = key, .value = v};
	struct state_write write = {.record = &record, .expected = 0};
	const struct state_batch batch = {
		.expected_head = UINT64_MAX, .events = events, .event_count = 2, .writes = &write, .write_count = 1};
	return state_commit(c, &bench.state, &batch);
}

static int act_read(struct call *c)
{
	struct event *events;
	size_t count;
	int rc = state_read_all(c, &bench.state, S("some."), S("a"), &events, &count);
	if (rc == 0)
		assert_int_equal(count, 3);
	return rc;
}

static int act_get_and_list(struct call *c)
{
	struct record r, *all;
	size_t count;
	int rc = state_get(c, &bench.state, S("k"), &r);
	if (rc == 0)
		rc = state_list(c, &bench.state, S("k"), &all, &count);
	if (rc == 0)
		assert_int_equal(count, 1);
	return rc;
}

static int act_lease(struct call *c)
{
	struct lease lease;
	int rc = bench.state.ops->lease(c, bench.state.ctx, S("l"), S("me"), 1000000000, &lease);
	return rc < 0 ? rc : bench.state.ops->release(c, bench.state.ctx, &lease);
}

static int act_resource(struct call *c)
{
	struct resource r;
	int rc = resource_get(c, &bench.state, S("bucket/lake on aws"), &r);
	return rc < 0 ? rc : resource_put(c, &bench.state, &r);
}

static int drop(struct call *c, void *ctx, const struct state_item *item)
{
	(void)c;
	*(size_t *)ctx += item->type == STATE_ITEM_EVENT;
	return 0;
}

static int act_dump(struct call *c)
{
	size_t events = 0;
	const struct state_sink sink = {.put = drop, .ctx = &events};
	int rc = state_dump(c, &bench.state, &sink);
	if (rc == 0)
		assert_true(events >= 3);
	return rc;
}

static int act_archive(struct call *c)
{
	struct archive_writer *w;
	struct archive_counts counts;
	const struct state *s = &bench.state;
	char path[128];
	snprintf(path, sizeof(path), "%s/archive", bench.f.folder);
	unlink(path);
	int rc = archive_create(c, path, NULL, &w);
	if (rc < 0)
		return rc;
	const struct state_sink sink = archive_sink(w);
	rc = state_dump(c, s, &sink);
	if (rc == 0)
		return archive_finish(c, w, &counts);
	archive_abandon(w);
	return rc;
}

static int act_load(struct call *c)
{
	struct archive_reader *r;
	const json_t *head;
	char path[128];
	snprintf(path, sizeof(path), "%s/archive", bench.f.folder);
	int rc = archive_open(c, path, &r, &head);
	if (rc < 0)
		return rc;
	const struct state_source source = archive_source(r, NULL, NULL);
	rc = state_load(c, &bench.state, &source, true);
	archive_close(r);
	return rc;
}

static int act_url(struct call *c)
{
	struct postgres_place p;
	int rc = postgres_url_parse(
		S("postgresql://u@a:1,b:2/d?sslmode=verify-ca&schema=x"), S(""), c->arena, &p, &c->err);
	return rc < 0 ? rc : postgres_schema_of(c->arena, S("a-b"), S("c")).p ? 0 : call_no_memory(c);
}

static void test_open(UNUSED void **out)
{
	fail_each(act_open, 0, 0);
	fail_each(act_create, 0, 0);
}

static void test_commit(UNUSED void **out)
{
	fail_each(act_commit, 2, 1);
}

static void test_reads(UNUSED void **out)
{
	fail_each(act_read, 0, 0);
	fail_each(act_get_and_list, 0, 0);
	fail_each(act_lease, 0, 0);
	fail_each(act_resource, 0, 0);
	fail_each(act_url, 0, 0);
}

static void test_copies(UNUSED void **out)
{
	fail_each(act_dump, 0, 0);
	fail_each(act_archive, 0, 0);
	// jansson 2.14 ends the process by an assertion when memory ends inside a number of more than 15 characters, as
	// times are: its own allocations are not refused here.
	json_set_alloc_funcs(__real_malloc, free);
	fail_each(act_load, 0, 0);
	json_wipe_freed();
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	static const sqlite3_mem_methods memory = {
		db_malloc, free, db_realloc, db_size, db_roundup, db_init, db_shutdown, NULL};
	if (sqlite3_config(SQLITE_CONFIG_MALLOC, &memory) != SQLITE_OK ||
		sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0) != SQLITE_OK)
		return 1;
	json_wipe_freed(); // whose malloc is ours to refuse
	const struct CMUnitTest tests[] = {
		TEST(test_open),
		TEST(test_commit),
		TEST(test_reads),
		TEST(test_copies),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
