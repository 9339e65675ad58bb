// SPDX-License-Identifier: Apache-2.0
// Buckets that stand in for existing ones: filled once, from the workspace's folder or with made-up records.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <unistd.h>

#include "fixture.h"
#include "infra/stand_ins.h"
#include "memory_cloud.h"

enum { MOST = 8 };

struct world {
	struct fixture f;
	struct memory_cloud cloud;
	struct cloud list[1];
	struct clouds all;
	struct resource resources[MOST];
	size_t count;
	struct resource_common keep;
};

static struct resource *declare(struct world *w, const char *address, const char *json)
{
	AUTO(json) j = NULL;
	struct resource *r = &w->resources[w->count++];
	assert_ok(&w->f, json_parse(str_of(json), &j, &w->f.call.err));
	*r = (struct resource){.address = str_of(address)};
	assert_int_equal(resource_parse_address(r->address, &r->kind, &r->name, &r->cloud), 0);
	r->resolved = json_in_arena(&w->f.arena, json_incref(j));
	return r;
}

static void open_world(struct world *w)
{
	*w = (struct world){.keep = {.existing = S("keep")}};
	fixture_open(&w->f);
	memory_cloud_init(&w->cloud, "aws-eu", "aws");
	w->list[0] = w->cloud.cloud;
	w->all = (struct clouds){.items = w->list, .count = 1};
	assert_ok(&w->f, file_make_dirs(fixture_path(&w->f, "state/pocket/aws-eu"), 0700, &w->f.call.err));
	declare(w, "bucket/raw on aws-eu", "{\"name\":\"theirs\"}")->common = &w->keep;
	declare(w, "bucket/lake on aws-eu", "{}");
}

static void close_world(struct world *w)
{
	memory_cloud_free(&w->cloud);
	fixture_close(&w->f);
}

static int place(struct world *w, bool synthetic)
{
	const struct stand_ins s = {.folder = str_of(fixture_path(&w->f, "ws")),
		.state_folder = str_of(fixture_path(&w->f, "state")),
		.workspace = S("fashion"),
		.synthetic = synthetic,
		.clouds = &w->all,
		.resources = w->resources,
		.count = w->count};
	return stand_ins_place(&w->f.call, &s);
}

static void test_files(void **state)
{
	(void)state;
	struct world w;
	open_world(&w);
	fixture_write(&w.f, "ws/pocket/buckets/raw/in/2026/a.jsonl", S("{}\n"));
	fixture_write(&w.f, "ws/pocket/buckets/raw/top.txt", S("top"));
	fixture_write(&w.f, "ws/pocket/buckets/raw/.hidden", S("no"));
	fixture_write(&w.f, "ws/secret", S("no"));
	assert_int_equal(symlink(fixture_path(&w.f, "ws/secret"), fixture_path(&w.f, "ws/pocket/buckets/raw/link")), 0);
	declare(&w, "dataset/d", "{\"source\":\"bucket/raw/in/\",\"format\":\"jsonl\"}");
	assert_ok(&w.f, place(&w, false));
	assert_str(memory_cloud_peek(&w.cloud, "theirs", "in/2026/a.jsonl"), S("{}\n"));
	assert_str(memory_cloud_peek(&w.cloud, "theirs", "top.txt"), S("top"));
	assert_int_equal(memory_cloud_count(&w.cloud, "theirs", ""), 2);
	memory_cloud_poke(&w.cloud, "theirs", "top.txt", S("changed since"));
	assert_ok(&w.f, place(&w, false)); // once
	assert_str(memory_cloud_peek(&w.cloud, "theirs", "top.txt"), S("changed since"));
	assert_int_equal(memory_cloud_count(&w.cloud, "fashion-lake", ""), 0); // ours is made by apply
	close_world(&w);
}

static void test_synthetic(void **state)
{
	(void)state;
	struct world w;
	open_world(&w);
	fixture_write(&w.f, "ws/pocket/buckets/raw/there/a.jsonl", S("{}\n"));
	declare(&w, "dataset/there",
		"{\"source\":\"bucket/raw/there/\",\"format\":\"jsonl\",\"schema\":{\"a\":\"text\"}}");
	declare(&w, "dataset/p",
		"{\"source\":\"bucket/raw/p/\",\"format\":\"parquet\",\"schema\":{\"a\":\"text\",\"n\":\"decimal\"}}");
	declare(&w, "dataset/j", "{\"source\":\"bucket/raw/j\",\"format\":\"jsonl\",\"schema\":{\"a\":\"text\"}}");
	declare(&w, "dataset/other", "{\"source\":\"file:x\",\"format\":\"idx\"}");
	assert_ok(&w.f, place(&w, true));
	assert_int_equal(memory_cloud_count(&w.cloud, "theirs", "there/"), 1); // has a stand-in
	assert_true(str_starts(memory_cloud_peek(&w.cloud, "theirs", "p/part-0.parquet"), S("PAR1")));
	assert_true(str_starts(
		memory_cloud_peek(&w.cloud, "theirs", "j/part-0.jsonl"), S("{\"a\":\"a-1\"}\n{\"a\":\"a-2\"}\n")));
	close_world(&w);
}

static void test_missing(void **state)
{
	(void)state;
	struct world w;
	open_world(&w);
	declare(&w, "dataset/d", "{\"source\":\"bucket/raw/in/\",\"format\":\"parquet\",\"schema\":{\"a\":\"text\"}}");
	assert_int_equal(place(&w, false), ERR_NOT_FOUND);
	assert_non_null(strstr(w.f.call.err.message,
		"put files into pocket/buckets/raw/in/, or let the environment say `data: synthetic`"));
	err_clear(&w.f.call.err);
	w.resources[2].resolved =
		json_in_arena(&w.f.arena, json_pack("{s:s,s:s}", "source", "bucket/raw/in/", "format", "parquet"));
	assert_fails(&w.f, place(&w, true), ERR_NOT_FOUND); // nothing to make it up from
	w.resources[2].resolved = json_in_arena(&w.f.arena, json_pack("{s:s,s:s,s:{s:s}}", "source", "bucket/raw/in/",
								    "format", "parquet", "schema", "a", "integer"));
	assert_ok(&w.f, place(&w, true)); // what failed is not marked as done
	assert_int_equal(memory_cloud_count(&w.cloud, "theirs", "in/"), 1);
	close_world(&w);
}

static void test_cloud_away(void **state)
{
	(void)state;
	struct world w;
	open_world(&w);
	fixture_write(&w.f, "ws/pocket/buckets/raw/a", S("a"));
	atomic_store(&w.cloud.down, true);
	assert_ok(&w.f, place(&w, false)); // the next time
	atomic_store(&w.cloud.down, false);
	assert_ok(&w.f, place(&w, false));
	assert_int_equal(memory_cloud_count(&w.cloud, "theirs", ""), 1);
	close_world(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_files), cmocka_unit_test(test_synthetic),
		cmocka_unit_test(test_missing), cmocka_unit_test(test_cloud_away)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
