// SPDX-License-Identifier: Apache-2.0
// Many objects at once, on clouds in memory and in a folder: what is moved, what is passed over, what is deleted and
// when not, failures of some, names that no file may have, verification.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data/bulk.h"
#include "fixture_state.h"
#include "memory_cloud.h"

struct world {
	struct fixture f;
	struct state s;
	struct memory_cloud us, eu;
	struct cloud list[2];
	struct clouds all;
	struct object_env env;
	pthread_mutex_t lock;
	size_t events, failures;
	uint64_t begun_objects, begun_bytes;
};

static void begun(void *ctx, uint64_t objects, uint64_t bytes)
{
	struct world *w = ctx;
	w->begun_objects = objects;
	w->begun_bytes = bytes;
}

static void told(void *ctx, const struct bulk_event *e)
{
	struct world *w = ctx;
	pthread_mutex_lock(&w->lock);
	w->events++;
	w->failures += e->why.n > 0;
	pthread_mutex_unlock(&w->lock);
}

static void open_world(struct world *w)
{
	*w = (struct world){0};
	fixture_open_state(&w->f, &w->s);
	pthread_mutex_init(&w->lock, NULL);
	memory_cloud_init(&w->us, "aws-us", "aws");
	memory_cloud_init(&w->eu, "gcp-eu", "gcp");
	memory_cloud_bucket(&w->us, "raw");
	memory_cloud_bucket(&w->eu, "raw");
	w->list[0] = w->us.cloud;
	w->list[1] = w->eu.cloud;
	w->all = (struct clouds){.items = w->list, .count = 2};
	w->env = (struct object_env){.state = &w->s, .clouds = &w->all};
}

static void close_world(struct world *w)
{
	memory_cloud_free(&w->us);
	memory_cloud_free(&w->eu);
	pthread_mutex_destroy(&w->lock);
	fixture_close_state(&w->f, &w->s);
}

static struct bulk_options options(struct world *w, const char *from, const char *to)
{
	struct bulk_options o = {.env = &w->env, .begin = begun, .tell = told, .ctx = w};
	assert_ok(&w->f, object_place_parse(&w->f.call, &w->env, str_of(from), &o.from));
	if (to)
		assert_ok(&w->f, object_place_parse(&w->f.call, &w->env, str_of(to), &o.to));
	w->events = w->failures = 0;
	return o;
}

static void fill(struct world *w)
{
	static const char *const keys[] = {"in/a", "in/b/1", "in/b/2", "in/c/d/e", "inner/no", "in/folder/"};
	for (size_t i = 0; i < COUNT_OF(keys); i++)
		memory_cloud_poke(&w->us, "raw", keys[i], str_of(keys[i]));
}

static void test_sync(void **state)
{
	(void)state;
	struct world w;
	struct bulk_result r;
	open_world(&w);
	fill(&w);
	struct bulk_options o = options(&w, "aws-us:raw/in", "gcp-eu:raw/out/");
	o.update = o.delete_others = true;
	o.dry_run = true;
	assert_ok(&w.f, bulk_run(&w.f.call, &o, &r));
	assert_int_equal(r.copied, 4); // not the marker of a folder, not what only begins alike
	assert_int_equal(memory_cloud_count(&w.eu, "raw", ""), 0);
	o.dry_run = false;
	assert_ok(&w.f, bulk_run(&w.f.call, &o, &r));
	assert_int_equal(r.copied, 4);
	assert_int_equal(r.failed + r.skipped + r.deleted, 0);
	assert_int_equal(r.bytes, 4 + 6 + 6 + 8);
	assert_int_equal(w.begun_objects, 4);
	assert_int_equal(w.begun_bytes, r.bytes);
	assert_str(memory_cloud_peek(&w.eu, "raw", "out/c/d/e"), S("in/c/d/e"));
	// Again: nothing. Then one that changed, one that is too many.
	assert_ok(&w.f, bulk_run(&w.f.call, &o, &r));
	assert_int_equal(r.skipped, 4);
	assert_int_equal(r.copied, 0);
	memory_cloud_poke(&w.us, "raw", "in/a", S("longer than before"));
	memory_cloud_poke(&w.eu, "raw", "out/extra", S("x"));
	memory_cloud_poke(&w.eu, "raw", "outer", S("not ours"));
	assert_ok(&w.f, bulk_run(&w.f.call, &o, &r));
	assert_int_equal(r.copied, 1);
	assert_int_equal(r.deleted, 1);
	assert_str(memory_cloud_peek(&w.eu, "raw", "out/a"), S("longer than before"));
	assert_int_equal(memory_cloud_count(&w.eu, "raw", ""), 5);
	close_world(&w);
}

static void test_checksum_and_select(void **state)
{
	(void)state;
	struct world w;
	struct bulk_result r;
	open_world(&w);
	memory_cloud_poke(&w.us, "raw", "in/a", S("one"));
	memory_cloud_poke(&w.us, "raw", "in/b.tmp", S("one"));
	memory_cloud_poke(&w.eu, "raw", "out/a", S("two")); // as long, and newer
	struct bulk_options o = options(&w, "aws-us:raw/in/", "gcp-eu:raw/out");
	const struct str exclude = S("*.tmp");
	o.select = (struct select){.exclude = &exclude, .exclude_count = 1};
	o.update = true;
	assert_ok(&w.f, bulk_run(&w.f.call, &o, &r));
	assert_int_equal(r.skipped, 1);
	o.checksum = true;
	assert_ok(&w.f, bulk_run(&w.f.call, &o, &r));
	assert_int_equal(r.copied, 1);
	assert_str(memory_cloud_peek(&w.eu, "raw", "out/a"), S("one"));
	assert_ok(&w.f, bulk_run(&w.f.call, &o, &r));
	assert_int_equal(r.skipped, 1);
	assert_null(memory_cloud_peek(&w.eu, "raw", "out/b.tmp").p);
	close_world(&w);
}

// What fails does not end the others, but then nothing is deleted.
static void test_failures(void **state)
{
	(void)state;
	struct world w;
	struct bulk_result r;
	open_world(&w);
	fill(&w);
	memory_cloud_poke(&w.eu, "raw", "out/extra", S("x"));
	struct bulk_options o = options(&w, "aws-us:raw/in", "gcp-eu:raw/out");
	o.update = o.delete_others = true;
	o.parallel = 2;
	atomic_store(&w.eu.fail_put_at, 2);
	assert_ok(&w.f, bulk_run(&w.f.call, &o, &r));
	assert_int_equal(r.failed, 1);
	assert_int_equal(r.copied, 3);
	assert_int_equal(r.deleted, 0);
	assert_int_equal(r.first.code, ERR_UNAVAILABLE);
	assert_int_equal(w.failures, 1);
	assert_non_null(memory_cloud_peek(&w.eu, "raw", "out/extra").p);
	assert_ok(&w.f, bulk_run(&w.f.call, &o, &r)); // goes on where it ended
	assert_int_equal(r.copied, 1);
	assert_int_equal(r.deleted, 1);
	// A source that is away is no reason to empty the target.
	atomic_store(&w.us.down, true);
	assert_fails(&w.f, bulk_run(&w.f.call, &o, &r), ERR_UNAVAILABLE);
	assert_int_equal(memory_cloud_count(&w.eu, "raw", "out/"), 4);
	atomic_bool cancel = true;
	atomic_store(&w.us.down, false);
	w.f.call.cancel = &cancel;
	assert_fails(&w.f, bulk_run(&w.f.call, &o, &r), ERR_CANCELLED);
	w.f.call.cancel = NULL;
	close_world(&w);
}

static void test_folders(void **state)
{
	(void)state;
	struct world w;
	struct bulk_result r;
	open_world(&w);
	fixture_write(&w.f, "up/a", S("1"));
	fixture_write(&w.f, "up/b/c", S("22"));
	assert_int_equal(symlink("/etc/passwd", fixture_path(&w.f, "up/link")), 0);
	assert_int_equal(mkfifo(fixture_path(&w.f, "up/pipe"), 0600), 0);
	struct bulk_options o = options(&w, fixture_path(&w.f, "up"), "aws-us:raw/x");
	assert_ok(&w.f, bulk_run(&w.f.call, &o, &r));
	assert_int_equal(r.copied, 2); // neither links nor pipes
	assert_str(memory_cloud_peek(&w.us, "raw", "x/b/c"), S("22"));
	o = options(&w, "aws-us:raw/x/", fixture_path(&w.f, "down/"));
	o.move = true;
	assert_ok(&w.f, bulk_run(&w.f.call, &o, &r));
	assert_int_equal(r.copied, 2);
	assert_str(fixture_read(&w.f, "down/b/c"), S("22"));
	assert_int_equal(memory_cloud_count(&w.us, "raw", ""), 0);
	// Names from a store that lead out of the folder are refused, one by one.
	memory_cloud_poke(&w.us, "raw", "y/../../escape", S("evil"));
	memory_cloud_poke(&w.us, "raw", "y/fine", S("good"));
	o = options(&w, "aws-us:raw/y", fixture_path(&w.f, "down"));
	assert_ok(&w.f, bulk_run(&w.f.call, &o, &r));
	assert_int_equal(r.failed, 1);
	assert_int_equal(r.first.code, ERR_INVALID);
	assert_str(fixture_read(&w.f, "down/fine"), S("good"));
	assert_int_equal(access(fixture_path(&w.f, "escape"), F_OK), -1);
	// A folder that is not there holds nothing.
	struct bulk_list list;
	o = options(&w, fixture_path(&w.f, "none"), NULL);
	assert_ok(&w.f, bulk_list(&w.f.call, &o.from, NULL, &list));
	assert_int_equal(list.count, 0);
	// As a source it is a mistake: nothing is deleted at the target for it.
	assert_int_equal(bulk_list_source(&w.f.call, &o.from, NULL, &list), ERR_NOT_FOUND);
	memory_cloud_poke(&w.us, "raw", "kept/a", S("1"));
	o = options(&w, fixture_path(&w.f, "none"), "aws-us:raw/kept");
	o.delete_others = true;
	assert_int_equal(bulk_run(&w.f.call, &o, &r), ERR_NOT_FOUND);
	assert_int_equal(memory_cloud_count(&w.us, "raw", "kept/"), 1);
	close_world(&w);
}

static void test_clear_and_usage(void **state)
{
	(void)state;
	struct world w;
	struct bulk_result r;
	struct bulk_list list;
	struct bulk_usage *rows;
	size_t count;
	open_world(&w);
	fill(&w);
	struct bulk_options o = options(&w, "aws-us:raw/in", NULL);
	assert_ok(&w.f, bulk_list(&w.f.call, &o.from, NULL, &list));
	assert_int_equal(list.count, 4);
	assert_str(list.items[0].name, S("a"));
	assert_ok(&w.f, bulk_usage(&w.f.call, &list, &rows, &count));
	assert_int_equal(count, 3);
	assert_str(rows[1].name, S("b/"));
	assert_int_equal(rows[1].objects, 2);
	assert_int_equal(rows[1].bytes, 12);
	const struct str include = S("b/*");
	o.select = (struct select){.include = &include, .include_count = 1};
	o.dry_run = true;
	assert_ok(&w.f, bulk_clear(&w.f.call, &o, &r));
	assert_int_equal(r.deleted, 2);
	assert_int_equal(memory_cloud_count(&w.us, "raw", "in/b/"), 2);
	o.dry_run = false;
	assert_ok(&w.f, bulk_clear(&w.f.call, &o, &r));
	assert_int_equal(r.deleted, 2);
	assert_int_equal(memory_cloud_count(&w.us, "raw", "in/"), 3);
	struct object_place at;
	assert_ok(&w.f, bulk_place(&w.f.call, &o.from, S("c/d/e"), &at));
	assert_str(at.key, S("in/c/d/e"));
	assert_str(at.text, S("aws-us:raw/in/c/d/e"));
	assert_ok(&w.f, bulk_remove(&w.f.call, &at));
	assert_null(memory_cloud_peek(&w.us, "raw", "in/c/d/e").p);
	close_world(&w);
}

static void test_verify(void **state)
{
	(void)state;
	struct world w;
	struct bulk_result r;
	open_world(&w);
	fill(&w);
	struct bulk_options o = options(&w, "aws-us:raw/in", NULL);
	assert_ok(&w.f, bulk_verify(&w.f.call, &o, &r));
	assert_int_equal(r.copied, 4);
	assert_int_equal(r.failed, 0);
	memory_cloud_poke(&w.eu, "raw", "out/a", S("in/a"));
	memory_cloud_poke(&w.eu, "raw", "out/b/1", S("in/b/X"));
	memory_cloud_poke(&w.eu, "raw", "out/b/2", S("in/b/2"));
	for (int i = 0; i < 2; i++) { // by what the stores say, then by reading
		atomic_store(&w.eu.no_checksums, i == 1);
		o = options(&w, "aws-us:raw/in", "gcp-eu:raw/out");
		o.parallel = 1;
		assert_ok(&w.f, bulk_verify(&w.f.call, &o, &r));
		assert_int_equal(r.copied, 2);
		assert_int_equal(r.failed, 2); // other bytes, and not there
		assert_int_equal(r.first.code, ERR_CORRUPT);
		assert_int_equal(w.failures, 2);
	}
	close_world(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sync),
		cmocka_unit_test(test_checksum_and_select),
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_folders),
		cmocka_unit_test(test_clear_and_usage),
		cmocka_unit_test(test_verify),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
