// SPDX-License-Identifier: Apache-2.0
// Ingest: parts that are complete and proven, sources that are refused whole, and runs that go on after a failure.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <unistd.h>
#include <zlib.h>

#include "data/ingest.h"
#include "data/manifest.h"
#include "fixture_state.h"
#include "math/idx.h"
#include "memory_cloud.h"

enum { COUNT = 300, SIZE = 4 };

struct world {
	struct fixture f;
	struct state s;
	struct memory_cloud clouds[3];
	struct cloud list[3];
	struct clouds all;
	struct resource dataset;
};

static const char *const names[] = {"aws-us", "gcp-eu", "azure-eu"};

// Records are numbered from `first`; the label is the number's last digit.
static void make_pair(struct world *w, const char *stem, uint32_t first, uint32_t count)
{
	static unsigned char images[COUNT * SIZE], labels[COUNT];
	AUTO(buf) bytes = {0};
	for (uint32_t i = 0; i < count; i++) {
		images[i * SIZE] = (unsigned char)((first + i) >> 8);
		images[i * SIZE + 1] = (unsigned char)(first + i);
		images[i * SIZE + 2] = 9;
		images[i * SIZE + 3] = (unsigned char)stem[0];
		labels[i] = (unsigned char)((first + i) % 10);
	}
	const struct idx im = {
		.count = count, .rows = 2, .columns = 2, .record_size = SIZE, .data = images, .images = true};
	const struct idx la = {.count = count, .rows = 1, .columns = 1, .record_size = 1, .data = labels};
	idx_write(&im, &bytes);
	fixture_write(&w->f, arena_printf(&w->f.arena, "ws/data/%s-images-idx3-ubyte", stem).p, buf_str(&bytes));
	buf_clear(&bytes);
	idx_write(&la, &bytes);
	// labels packed, images plain: both are read
	const char *path = arena_printf(&w->f.arena, "%s/ws/data/%s-labels-idx1-ubyte.gz", w->f.folder, stem).p;
	gzFile gz = gzopen(path, "wb");
	assert_int_equal(gzwrite(gz, bytes.p, (unsigned)bytes.n), (int)bytes.n);
	assert_int_equal(gzclose(gz), Z_OK);
}

static void declare(struct world *w, json_t *resolved)
{
	fixture_resource(&w->f, &w->s, "dataset/images", resolved, NULL);
	assert_ok(&w->f, resource_get(&w->f.call, &w->s, S("dataset/images"), &w->dataset));
}

static json_t *resolved(void)
{
	return json_pack("{s:s,s:s,s:s,s:s,s:s,s:{s:s,s:[s,s,s]}}", "source", "file:data", "format", "idx", "bucket",
		"bucket/lake", "class", "public", "residency", "anywhere", "partition", "by", "hash of record",
		"clouds", names[0], names[1], names[2]);
}

static void open_world(struct world *w)
{
	fixture_open_state(&w->f, &w->s);
	for (int i = 0; i < 3; i++) {
		memory_cloud_init(&w->clouds[i], names[i], "aws");
		memory_cloud_bucket(&w->clouds[i], "fashion-lake");
		w->list[i] = w->clouds[i].cloud;
		fixture_resource(
			&w->f, &w->s, arena_printf(&w->f.arena, "bucket/lake on %s", names[i]).p, json_object(), NULL);
	}
	w->all = (struct clouds){.items = w->list, .count = 3};
	make_pair(w, "train", 0, COUNT);
	make_pair(w, "t10k", 1000, 50);
	declare(w, resolved());
}

static void close_world(struct world *w)
{
	for (int i = 0; i < 3; i++)
		memory_cloud_free(&w->clouds[i]);
	fixture_close_state(&w->f, &w->s);
}

static int ingest(struct world *w, json_t **outputs)
{
	const struct ingest in = {.state = &w->s,
		.clouds = &w->all,
		.resource = &w->dataset,
		.run = S("0123456789ab"),
		.scratch = fixture_path(&w->f, "scratch"),
		.folder = fixture_path(&w->f, "ws")};
	int code = dataset_ingest(&w->f.call, &in, outputs);
	if (!code)
		json_in_arena(&w->f.arena, *outputs);
	return code;
}

static size_t objects(struct world *w)
{
	size_t n = 0;
	for (int i = 0; i < 3; i++)
		n += memory_cloud_count(&w->clouds[i], "fashion-lake", "");
	return n;
}

#define KEY(file) "datasets/images/0123456789ab/" file

static void mark_records(struct world *w, int cloud, bool seen[COUNT], size_t expected)
{
	struct str bytes = memory_cloud_peek(&w->clouds[cloud], "fashion-lake", KEY("train-images-idx3-ubyte"));
	struct str labels = memory_cloud_peek(&w->clouds[cloud], "fashion-lake", KEY("train-labels-idx1-ubyte"));
	struct idx i, l;
	assert_ok(&w->f, idx_parse(bytes, &i, &w->f.call.err));
	assert_ok(&w->f, idx_parse(labels, &l, &w->f.call.err));
	assert_int_equal(i.count, expected);
	assert_int_equal(l.count, expected);
	for (size_t k = 0; k < i.count; k++) {
		size_t record = (size_t)i.data[k * SIZE] << 8 | i.data[k * SIZE + 1];
		assert_false(seen[record]);
		seen[record] = true;
		assert_int_equal(l.data[k], record % 10);
	}
}

static void test_parts(void **state)
{
	(void)state;
	struct world w;
	json_t *out;
	bool seen[COUNT] = {false};
	open_world(&w);
	assert_ok(&w.f, ingest(&w, &out));
	assert_int_equal(json_int(out, "records", 0), COUNT + 50);
	assert_str(json_str(out, "class"), S("public"));
	assert_str(json_str(out, "residency"), S("anywhere"));
	assert_int_equal(json_array_size(json_object_get(out, "parts")), 3);
	assert_int_equal(objects(&w), 3 * 5);
	int64_t test_records = 0;
	for (int i = 0; i < 3; i++) {
		const json_t *part = json_array_get(json_object_get(out, "parts"), (size_t)i);
		const json_t *files = json_object_get(part, "files");
		assert_str(json_str(part, "cloud"), str_of(names[i]));
		assert_str(json_str(part, "bucket"), S("fashion-lake"));
		assert_str(json_str(part, "prefix"), S("datasets/images/0123456789ab/"));
		mark_records(&w, i, seen, (size_t)json_int(files, "train", 0));
		test_records += json_int(files, "t10k", 0);
		AUTO(json) m = NULL;
		struct manifest manifest;
		assert_ok(&w.f, json_parse(memory_cloud_peek(&w.clouds[i], "fashion-lake", KEY("manifest.json")), &m,
					&w.f.call.err));
		assert_ok(&w.f, manifest_of_json(&w.f.arena, m, &manifest, &w.f.call.err));
		assert_int_equal(manifest.index, i);
		assert_int_equal(manifest.file_count, 4);
		assert_str(manifest.source, S("file:data"));
	}
	for (size_t k = 0; k < COUNT; k++)
		assert_true(seen[k]);
	assert_int_equal(test_records, 50);
	assert_int_equal(fixture_events(&w.f, &w.s, "transfer.done", NULL), 3);
	assert_false(file_exists(fixture_path(&w.f, "scratch")));

	int before = atomic_load(&w.clouds[0].calls);
	json_t *again;
	assert_ok(&w.f, ingest(&w, &again)); // all is recorded: nothing is sent
	assert_true(json_equal(out, again));
	assert_int_equal(atomic_load(&w.clouds[0].calls), before);
	close_world(&w);
}

static void test_bad_sources(void **state)
{
	(void)state;
	struct world w;
	json_t *out;
	open_world(&w);
	struct str whole = fixture_read(&w.f, "ws/data/train-images-idx3-ubyte");
	fixture_write(&w.f, "ws/data/train-images-idx3-ubyte", str_take(whole, whole.n - 3));
	assert_fails(&w.f, ingest(&w, &out), ERR_CORRUPT);
	fixture_write(&w.f, "ws/data/train-images-idx3-ubyte", whole);

	struct str packed = fixture_read(&w.f, "ws/data/t10k-labels-idx1-ubyte.gz");
	fixture_write(&w.f, "ws/data/t10k-labels-idx1-ubyte.gz", str_take(packed, packed.n - 9));
	assert_fails(&w.f, ingest(&w, &out), ERR_CORRUPT);
	char *flipped = arena_cstr(&w.f.arena, packed);
	flipped[packed.n - 6] ^= 1; // in the checksum
	fixture_write(&w.f, "ws/data/t10k-labels-idx1-ubyte.gz", str_bytes(flipped, packed.n));
	assert_fails(&w.f, ingest(&w, &out), ERR_CORRUPT);
	make_pair(&w, "t10k", 1000, 50);
	make_pair(&w, "short", 0, 20);
	make_pair(&w, "other", 0, 21);
	assert_int_equal(rename(fixture_path(&w.f, "ws/data/other-labels-idx1-ubyte.gz"),
				 fixture_path(&w.f, "ws/data/short-labels-idx1-ubyte.gz")),
		0);
	assert_fails(&w.f, ingest(&w, &out), ERR_NOT_FOUND); // other-labels is gone
	assert_int_equal(unlink(fixture_path(&w.f, "ws/data/other-images-idx3-ubyte")), 0);
	assert_fails(&w.f, ingest(&w, &out), ERR_CORRUPT); // 20 images, 21 labels
	assert_int_equal(objects(&w), 0);
	close_world(&w);
}

static void test_where(void **state)
{
	(void)state;
	struct world w;
	json_t *out;
	struct str folder;
	open_world(&w);
	const char *ws = fixture_path(&w.f, "ws");
	assert_fails(&w.f, dataset_source_folder(&w.f.call, S("file:///etc"), ws, &folder), ERR_DENIED);
	assert_fails(&w.f, dataset_source_folder(&w.f.call, S("file:../"), ws, &folder), ERR_DENIED);
	assert_fails(&w.f, dataset_source_folder(&w.f.call, S("file://host/x"), ws, &folder), ERR_INVALID);
	assert_fails(&w.f, dataset_source_folder(&w.f.call, S("https://x/y"), ws, &folder), ERR_UNSUPPORTED);
	assert_fails(&w.f, dataset_source_folder(&w.f.call, S("file:none"), ws, &folder), ERR_NOT_FOUND);
	assert_int_equal(symlink("/etc", fixture_path(&w.f, "ws/link")), 0);
	assert_fails(&w.f, dataset_source_folder(&w.f.call, S("file:link"), ws, &folder), ERR_DENIED);
	assert_ok(&w.f, dataset_source_folder(&w.f.call, S("file:data"), ws, &folder));
	assert_str(folder, str_of(fixture_path(&w.f, "ws/data")));

	json_t *r = resolved();
	json_object_set_new(r, "residency", json_pack("[s]", "EU"));
	declare(&w, r);
	w.list[1].location = S("US");
	assert_fails(&w.f, ingest(&w, &out), ERR_DENIED);
	json_t *whole = resolved();
	json_object_del(whole, "partition");
	declare(&w, whole);
	assert_fails(&w.f, ingest(&w, &out), ERR_INVALID); // three buckets fit
	assert_int_equal(objects(&w), 0);
	close_world(&w);
}

static void test_fingerprint(void **state)
{
	(void)state;
	struct world w;
	struct str a, b;
	open_world(&w);
	const char *ws = fixture_path(&w.f, "ws");
	assert_ok(&w.f, dataset_fingerprint(&w.f.call, &w.dataset, ws, &a));
	fixture_write(&w.f, "ws/data/README", S("not part of it"));
	assert_ok(&w.f, dataset_fingerprint(&w.f.call, &w.dataset, ws, &b));
	assert_str(a, b);
	make_pair(&w, "train", 1, COUNT);
	assert_ok(&w.f, dataset_fingerprint(&w.f.call, &w.dataset, ws, &b));
	assert_false(str_eq(a, b));
	close_world(&w);
}

static void test_resume(void **state)
{
	(void)state;
	struct world w;
	json_t *out;
	open_world(&w);
	atomic_store(&w.clouds[1].fail_put_at, 2); // one failed put is tried again
	assert_ok(&w.f, ingest(&w, &out));
	assert_int_equal(json_int(out, "records", 0), COUNT + 50);
	assert_int_equal(fixture_events(&w.f, &w.s, "transfer.done", NULL), 3);
	close_world(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_bad_sources),
		cmocka_unit_test(test_where),
		cmocka_unit_test(test_fingerprint),
		cmocka_unit_test(test_resume),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
