// SPDX-License-Identifier: Apache-2.0
// Datasets of files: what is listed, hashed, counted, copied, copied again, removed and left alone.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "data/dataset_files.h"
#include "data/files_source.h"
#include "data/parquet.h"
#include "data/replica.h"
#include "fixture_state.h"
#include "memory_cloud.h"

enum { CLOUDS = 3 };
static const char *const names[CLOUDS] = {"aws-eu", "gcp-eu", "azure-us"};
static const char *const providers[CLOUDS] = {"aws", "gcp", "azure"};
static const char *const regions[CLOUDS] = {"eu-central-1", "europe-west4", "eastus"};

struct world {
	struct fixture f;
	struct state s;
	struct memory_cloud clouds[CLOUDS];
	struct cloud list[CLOUDS];
	struct clouds all;
	struct resource dataset;
	struct edges_fake edges;
};

static void declare(struct world *w, const char *json)
{
	AUTO(json) j = NULL;
	assert_ok(&w->f, json_parse(str_of(json), &j, &w->f.call.err));
	fixture_resource(&w->f, &w->s, "dataset/returns", json_incref(j), NULL);
	assert_ok(&w->f, resource_get(&w->f.call, &w->s, S("dataset/returns"), &w->dataset));
}

#define DECLARED(format, more)                                                                                         \
	"{\"source\":\"bucket/raw/in/returns/\",\"format\":\"" format                                                  \
	"\",\"class\":\"personal\",\"residency\":[\"EU\"]" more "}"
#define REPLICAS ",\"replicas\":{\"bucket\":\"bucket/lake\",\"refresh\":\"hourly\"}"

static void put(struct world *w, const char *name, const char *text)
{
	memory_cloud_poke(&w->clouds[0], "raw", arena_printf(&w->f.arena, "in/returns/%s", name).p, str_of(text));
}

static void drop(struct world *w, const char *name)
{
	const struct cloud *c = &w->list[0];
	assert_ok(&w->f,
		CLOUD_CALL(&w->f.call, c, store, delete, S("raw"), arena_printf(&w->f.arena, "in/returns/%s", name)));
}

static void open_world(struct world *w)
{
	fixture_open_state(&w->f, &w->s);
	edges_fake_init(&w->edges, INT64_C(1795521600000000000), 1);
	w->f.call.edges = &w->edges.edges;
	for (int i = 0; i < CLOUDS; i++) {
		memory_cloud_init(&w->clouds[i], names[i], providers[i]);
		memory_cloud_bucket(&w->clouds[i], "fashion-lake");
		w->list[i] = w->clouds[i].cloud;
		fixture_resource(
			&w->f, &w->s, arena_printf(&w->f.arena, "bucket/lake on %s", names[i]).p, json_object(), NULL);
		fixture_resource(&w->f, &w->s, arena_printf(&w->f.arena, "cloud/%s", names[i]).p,
			json_pack("{s:s,s:s}", "provider", providers[i], "region", regions[i]), NULL);
	}
	w->all = (struct clouds){.items = w->list, .count = CLOUDS};
	memory_cloud_bucket(&w->clouds[0], "raw");
	fixture_resource(&w->f, &w->s, "bucket/raw on aws-eu", json_object(), NULL);
	struct resource raw;
	assert_ok(&w->f, resource_get(&w->f.call, &w->s, S("bucket/raw on aws-eu"), &raw));
	raw.cloud_id = S("raw");
	assert_ok(&w->f, resource_put(&w->f.call, &w->s, &raw));
	declare(w, DECLARED("jsonl", REPLICAS));
	put(w, "a.jsonl", "{\"n\":1}\n{\"n\":2}\n");
	put(w, "2026/b.jsonl",
		"{\"n\":3}\n\n{\"n\":4}"); // a blank line is no record, a last one without its newline is
	put(w, "c.jsonl", "");
}

static void close_world(struct world *w)
{
	for (int i = 0; i < CLOUDS; i++)
		memory_cloud_free(&w->clouds[i]);
	fixture_close_state(&w->f, &w->s);
}

static struct ingest ingest_of(struct world *w)
{
	return (struct ingest){.state = &w->s,
		.clouds = &w->all,
		.resource = &w->dataset,
		.run = S("0123456789ab"),
		.scratch = fixture_path(&w->f, "made/dataset+returns/run"),
		.folder = fixture_path(&w->f, "ws")};
}

static int run(struct world *w, json_t **outputs)
{
	const struct ingest in = ingest_of(w);
	int rc = dataset_ingest(&w->f.call, &in, outputs); // as the step does
	if (rc == 0)
		json_in_arena(&w->f.arena, *outputs);
	return rc;
}

static int refresh(struct world *w)
{
	const struct ingest in = ingest_of(w);
	struct dataset d;
	assert_ok(&w->f, kind_decode_json(&dataset_kind, w->dataset.resolved, &w->f.arena, &d, &w->f.call.err));
	return dataset_files_refresh(&w->f.call, &in, &d);
}

static void check_copy(const json_t *outputs, const char *cloud, int copied, int removed, int objects)
{
	size_t i;
	const json_t *one, *found = NULL;
	json_array_foreach(json_object_get(outputs, "copies"), i,
		one) if (str_eq(json_str(one, "cloud"), str_of(cloud))) found = one;
	assert_non_null(found);
	assert_int_equal(json_int(found, "copied", -1), copied);
	assert_int_equal(json_int(found, "removed", -1), removed);
	assert_int_equal(json_int(found, "objects", -1), objects);
}

#define AT "datasets/returns/files/"

static void test_copies(void **state)
{
	(void)state;
	struct world w;
	json_t *out;
	struct event *events;
	open_world(&w);
	assert_ok(&w.f, run(&w, &out));
	assert_int_equal(json_int(out, "files", 0), 3);
	assert_int_equal(json_int(out, "records", 0), 4);
	assert_int_equal(json_int(out, "bytes", 0), 32);
	assert_str(json_str(out, "class"), S("personal"));
	assert_int_equal(json_array_size(json_object_get(out, "parts")), 3); // the source, and a copy in two lakes
	const json_t *source = json_array_get(json_object_get(out, "parts"), 0);
	assert_str(json_str(source, "bucket"), S("raw"));
	assert_str(json_str(source, "prefix"), S("in/returns/"));
	check_copy(out, "aws-eu", 3, 0, 3);
	check_copy(out, "gcp-eu", 3, 0, 3);
	assert_str(memory_cloud_peek(&w.clouds[1], "fashion-lake", AT "2026/b.jsonl"), S("{\"n\":3}\n\n{\"n\":4}"));
	assert_int_equal(memory_cloud_count(&w.clouds[1], "fashion-lake", AT), 3);
	assert_int_equal(memory_cloud_count(&w.clouds[2], "fashion-lake", ""), 0); // not a byte to the US
	assert_int_equal(memory_cloud_count(&w.clouds[0], "raw", ""), 3);          // nothing was written at the source
	assert_int_equal(fixture_events(&w.f, &w.s, "replica.synced", &events), 2);
	assert_str(json_str(events[1].data, "cloud"), S("gcp-eu"));
	assert_str(json_str(events[1].data, "class"), S("personal"));
	assert_str(json_value_str(json_array_get(json_object_get(events[1].data, "residency"), 0)), S("EU"));
	AUTO(json) manifest = NULL;
	assert_ok(&w.f, json_parse(memory_cloud_peek(&w.clouds[1], "fashion-lake", "datasets/returns/files.json"),
				&manifest, &w.f.call.err));
	assert_int_equal(json_array_size(json_object_get(manifest, "files")), 3);
	close_world(&w);
}

static void test_incremental(void **state)
{
	(void)state;
	struct world w;
	json_t *out;
	open_world(&w);
	assert_ok(&w.f, run(&w, &out));
	size_t moved = fixture_events(&w.f, &w.s, "transfer.done", NULL);
	assert_ok(&w.f, run(&w, &out)); // nothing changed: nothing moves
	check_copy(out, "gcp-eu", 0, 0, 3);
	assert_int_equal(fixture_events(&w.f, &w.s, "transfer.done", NULL), moved);
	put(&w, "a.jsonl", "{\"n\":5}\n");
	put(&w, "d.jsonl", "{\"n\":6}\n");
	drop(&w, "c.jsonl");
	memory_cloud_poke(&w.clouds[1], "fashion-lake", AT "theirs.txt", S("not ours"));
	assert_ok(&w.f, run(&w, &out));
	check_copy(out, "gcp-eu", 2, 1, 3);
	assert_int_equal(fixture_events(&w.f, &w.s, "transfer.done", NULL), moved + 2); // across clouds only
	assert_str(memory_cloud_peek(&w.clouds[1], "fashion-lake", AT "a.jsonl"), S("{\"n\":5}\n"));
	assert_null(memory_cloud_peek(&w.clouds[1], "fashion-lake", AT "c.jsonl").p);
	assert_str(memory_cloud_peek(&w.clouds[1], "fashion-lake", AT "theirs.txt"), S("not ours"));
	put(&w, "a.jsonl", "{\"n\":1}\n{\"n\":2}\n"); // back to what was copied in the first run
	assert_ok(&w.f, run(&w, &out));
	check_copy(out, "gcp-eu", 1, 0, 3);
	assert_str(memory_cloud_peek(&w.clouds[1], "fashion-lake", AT "a.jsonl"), S("{\"n\":1}\n{\"n\":2}\n"));
	close_world(&w);
}

static void test_healed(void **state)
{
	(void)state;
	struct world w;
	json_t *out;
	open_world(&w);
	assert_ok(&w.f, run(&w, &out));
	memory_cloud_poke(&w.clouds[1], "fashion-lake", AT "a.jsonl", S("tampered with"));
	const struct cloud *gcp = &w.list[1];
	assert_ok(&w.f, CLOUD_CALL(&w.f.call, gcp, store, delete, S("fashion-lake"), S(AT "2026/b.jsonl")));
	assert_ok(&w.f, run(&w, &out));
	check_copy(out, "gcp-eu", 2, 0, 3);
	check_copy(out, "aws-eu", 0, 0, 3);
	assert_str(memory_cloud_peek(&w.clouds[1], "fashion-lake", AT "a.jsonl"), S("{\"n\":1}\n{\"n\":2}\n"));
	drop(&w, "a.jsonl"); // and what somebody else wrote over ours is not removed
	memory_cloud_poke(&w.clouds[1], "fashion-lake", AT "a.jsonl", S("theirs now"));
	assert_ok(&w.f, run(&w, &out));
	check_copy(out, "gcp-eu", 0, 0, 2);
	check_copy(out, "aws-eu", 0, 1, 2);
	assert_str(memory_cloud_peek(&w.clouds[1], "fashion-lake", AT "a.jsonl"), S("theirs now"));
	close_world(&w);
}

static void test_held(void **state)
{
	(void)state;
	struct world w;
	json_t *out;
	struct replica_status *list;
	size_t count;
	open_world(&w);
	assert_ok(&w.f, run(&w, &out));
	drop(&w, "a.jsonl");
	drop(&w, "2026/b.jsonl");
	assert_ok(&w.f, refresh(&w)); // two of three gone, and nobody asked
	assert_int_equal(memory_cloud_count(&w.clouds[1], "fashion-lake", AT), 3);
	assert_ok(&w.f, replica_list(&w.f.call, &w.s, &list, &count));
	assert_int_equal(count, 2);
	assert_str(list[1].cloud, S("gcp-eu"));
	assert_int_equal(list[1].held, 2);
	assert_ok(&w.f, refresh(&w));
	assert_int_equal(memory_cloud_count(&w.clouds[1], "fashion-lake", AT), 3);
	assert_ok(&w.f, run(&w, &out)); // a person did
	check_copy(out, "gcp-eu", 0, 2, 1);
	drop(&w, "c.jsonl");
	assert_fails(&w.f, run(&w, &out), ERR_NOT_FOUND); // nothing there at all is no change, it is a mistake
	assert_int_equal(memory_cloud_count(&w.clouds[1], "fashion-lake", AT), 1);
	close_world(&w);
}

static void test_cloud_away(void **state)
{
	(void)state;
	struct world w;
	json_t *out;
	struct replica_status *list;
	size_t count;
	open_world(&w);
	atomic_store(&w.clouds[0].no_checksums, false);
	atomic_store(&w.clouds[1].down, true);
	assert_fails(&w.f, run(&w, &out), ERR_UNAVAILABLE);
	assert_int_equal(memory_cloud_count(&w.clouds[0], "fashion-lake", AT), 3); // the other has its copy
	assert_ok(&w.f, replica_list(&w.f.call, &w.s, &list, &count));
	assert_int_equal(count, 2);
	assert_str(list[0].error, S(""));
	assert_true(list[1].error.n > 0);
	assert_int_equal(list[1].synced_ns, 0);
	assert_int_equal(fixture_events(&w.f, &w.s, "replica.failed", NULL), 1);
	atomic_store(&w.clouds[1].down, false);
	w.edges.now_ns += INT64_C(3600000000000);
	assert_ok(&w.f, refresh(&w));
	assert_ok(&w.f, replica_list(&w.f.call, &w.s, &list, &count));
	assert_str(list[1].error, S(""));
	assert_int_equal(list[1].synced_ns, w.edges.now_ns);
	assert_int_equal(list[1].objects, 3);
	close_world(&w);
}

static void test_withdrawn(void **state)
{
	(void)state;
	struct world w;
	json_t *out;
	struct replica_status *list;
	struct event *events;
	size_t count;
	open_world(&w);
	assert_ok(&w.f, run(&w, &out));
	memory_cloud_poke(&w.clouds[1], "fashion-lake", AT "theirs.txt", S("not ours"));
	declare(&w, "{\"source\":\"bucket/raw/in/returns/"
		    "\",\"format\":\"jsonl\",\"class\":\"personal\",\"residency\":[\"DE\"]" REPLICAS "}");
	atomic_store(&w.clouds[1].down, true);
	assert_fails(&w.f, run(&w, &out), ERR_UNAVAILABLE); // it must go, and cannot yet
	assert_ok(&w.f, replica_list(&w.f.call, &w.s, &list, &count));
	assert_int_equal(count, 2);
	assert_true(list[1].error.n > 0);
	atomic_store(&w.clouds[1].down, false);
	assert_ok(&w.f, run(&w, &out));
	assert_int_equal(memory_cloud_count(&w.clouds[1], "fashion-lake", ""), 1); // what is not ours
	assert_int_equal(memory_cloud_count(&w.clouds[0], "fashion-lake", AT), 3);
	assert_ok(&w.f, replica_list(&w.f.call, &w.s, &list, &count));
	assert_int_equal(count, 1);
	assert_int_equal(fixture_events(&w.f, &w.s, "replica.withdrawn", &events), 1);
	assert_int_equal(json_int(events[0].data, "removed", 0), 3);
	assert_int_equal(json_int(events[0].data, "left", 0), 1);
	close_world(&w);
}

static void test_formats(void **state)
{
	(void)state;
	struct world w;
	json_t *out;
	AUTO(buf) file = {0};
	open_world(&w);
	static const struct parquet_column column = {S_INIT("n"), PARQUET_INTEGER};
	static const union parquet_value values[7] = {{.integer = 1}};
	const struct parquet_table table = {&column, 1, values, 7};
	assert_ok(&w.f, parquet_write(&table, &file, &w.f.call.err));
	drop(&w, "a.jsonl");
	drop(&w, "2026/b.jsonl");
	drop(&w, "c.jsonl");
	memory_cloud_poke(&w.clouds[0], "raw", "in/returns/p.parquet", buf_str(&file));
	declare(&w, DECLARED("parquet", ""));
	assert_ok(&w.f, run(&w, &out));
	assert_int_equal(json_int(out, "records", 0), 7);
	assert_int_equal(json_array_size(json_object_get(out, "parts")), 1); // where it is
	put(&w, "p.parquet", "no parquet at all");
	assert_fails(&w.f, run(&w, &out), ERR_CORRUPT);
	drop(&w, "p.parquet");
	put(&w, "x.csv", "a,b\n1,\"two\nlines\"\n3,4\n");
	declare(&w, DECLARED("csv", ""));
	assert_ok(&w.f, run(&w, &out));
	assert_int_equal(json_int(out, "records", 0), 2);
	close_world(&w);
}

static void test_folder(void **state)
{
	(void)state;
	struct world w;
	json_t *out;
	open_world(&w);
	fixture_write(&w.f, "ws/data/x.jsonl", S("{}\n{}\n"));
	fixture_write(&w.f, "ws/data/.hidden", S("no"));
	declare(&w, "{\"source\":\"file:data\",\"format\":\"jsonl\",\"class\":\"internal\",\"bucket\":\"bucket/lake on "
		    "gcp-eu\"}");
	assert_ok(&w.f, run(&w, &out));
	assert_int_equal(json_int(out, "records", 0), 2);
	assert_int_equal(json_array_size(json_object_get(out, "parts")), 1);
	assert_str(memory_cloud_peek(&w.clouds[1], "fashion-lake", AT "x.jsonl"), S("{}\n{}\n"));
	assert_int_equal(memory_cloud_count(&w.clouds[0], "fashion-lake", ""), 0);
	close_world(&w);
}

static void test_source(void **state)
{
	(void)state;
	struct world w;
	json_t *out;
	struct str bucket, prefix, cloud, before, after;
	struct dataset d;
	open_world(&w);
	assert_true(files_source_parse(S("bucket/raw/a/b/ on munich"), &bucket, &prefix, &cloud));
	assert_str(bucket, S("raw"));
	assert_str(prefix, S("a/b/"));
	assert_str(cloud, S("munich"));
	assert_true(files_source_parse(S("bucket/raw"), &bucket, &prefix, &cloud));
	assert_str(prefix, S(""));
	assert_false(files_source_parse(S("file:data"), &bucket, &prefix, &cloud));
	assert_true(files_format(S("parquet")) && files_format(S("jsonl")) && files_format(S("csv")) &&
		    !files_format(S("idx")));
	const struct ingest in = ingest_of(&w);
	assert_ok(&w.f, kind_decode_json(&dataset_kind, w.dataset.resolved, &w.f.arena, &d, &w.f.call.err));
	assert_ok(&w.f, dataset_files_fingerprint(&w.f.call, &in, &d, &before));
	put(&w, "a.jsonl", "{\"n\":9}\n");
	assert_ok(&w.f, dataset_files_fingerprint(&w.f.call, &in, &d, &after));
	assert_false(str_eq(before, after));
	declare(&w,
		"{\"source\":\"bucket/lake/x/\",\"format\":\"jsonl\",\"class\":\"personal\",\"residency\":[\"EU\"]}");
	assert_fails(&w.f, run(&w, &out), ERR_INVALID); // on three clouds: which?
	put(&w, "../evil.jsonl", "{}");
	declare(&w, DECLARED("jsonl", ""));
	assert_fails(&w.f, run(&w, &out), ERR_INVALID); // a key that would leave the folder of whoever reads it
	close_world(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_copies),
		cmocka_unit_test(test_incremental),
		cmocka_unit_test(test_healed),
		cmocka_unit_test(test_held),
		cmocka_unit_test(test_cloud_away),
		cmocka_unit_test(test_withdrawn),
		cmocka_unit_test(test_formats),
		cmocka_unit_test(test_folder),
		cmocka_unit_test(test_source),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
