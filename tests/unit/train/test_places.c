// SPDX-License-Identifier: Apache-2.0
// Where data lies, what it looks like, what a place costs, and files on their way.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "data/transfer.h"
#include "toy_world.h"
#include "train/carry.h"
#include "train/parts.h"
#include "train/place.h"
#include "train/shape.h"

static struct field_ref ref(const char *kind, const char *name, const char *qualifier)
{
	return (struct field_ref){.kind = str_of(kind), .name = str_of(name), .qualifier = str_of(qualifier)};
}

static void test_parts(void **state)
{
	(void)state;
	struct toy_world w;
	struct parts p;
	toy_open(&w);
	struct field_ref train = ref("transform", "prepared", "train"), bare = ref("", "prepared", "test"), set = ref("dataset", "images", "");
	assert_ok(&w.f, parts_find(&w.f.call, &w.step, &train, &p));
	assert_true(p.count == 3 && p.partitioned);
	assert_str(p.items[0].prefix, S("transforms/prepared/t/train/"));
	assert_int_equal(p.items[0].bytes, 1000);
	assert_str(json_str(p.outputs, "class"), S("public"));
	assert_ptr_equal(parts_on(&p, S("aws-us"))->cloud, &w.list[1]);
	assert_null(parts_on(&p, S("elsewhere")));
	assert_ok(&w.f, parts_find(&w.f.call, &w.step, &bare, &p));
	assert_str(p.items[2].prefix, S("transforms/prepared/t/test/"));
	assert_ok(&w.f, parts_find(&w.f.call, &w.step, &set, &p));
	assert_true(p.partitioned && p.items[1].records == 2 * TOY_SAMPLES);
	struct field_ref no_split = ref("transform", "prepared", ""), absent = ref("", "nothing", "train"), whole = ref("dataset", "images", "train");
	assert_fails(&w.f, parts_find(&w.f.call, &w.step, &no_split, &p), ERR_INVALID);
	assert_fails(&w.f, parts_find(&w.f.call, &w.step, &absent, &p), ERR_WAITING);
	assert_fails(&w.f, parts_find(&w.f.call, &w.step, &whole, &p), ERR_INVALID);
	toy_close(&w);
}

// Whole copies have all records each.
static void test_copies_are_no_partition(void **state)
{
	(void)state;
	struct toy_world w;
	struct parts p;
	toy_open(&w);
	json_t *parts = json_array();
	for (size_t i = 0; i < 2; i++)
		json_array_append_new(parts, json_pack("{s:s, s:s, s:s, s:i}", "cloud", w.list[i].name.p, "bucket", "b", "prefix", "p/", "records", 5));
	w.inputs[1].outputs = json_in_arena(&w.f.arena, json_pack("{s:o, s:i}", "parts", parts, "records", 5));
	struct field_ref set = ref("dataset", "images", "");
	assert_ok(&w.f, parts_find(&w.f.call, &w.step, &set, &p));
	assert_true(p.count == 2 && !p.partitioned);
	toy_close(&w);
}

static void test_shape(void **state)
{
	(void)state;
	struct toy_world w;
	struct parts p;
	struct data_shape shape;
	toy_open(&w);
	struct field_ref train = ref("transform", "prepared", "train");
	assert_ok(&w.f, parts_find(&w.f.call, &w.step, &train, &p));
	assert_ok(&w.f, shape_read(&w.f.call, &p.items[0], &shape)); // without metadata: the labels' largest
	assert_true(shape.samples == TOY_SAMPLES && shape.width == TOY_WIDTH && shape.classes == 2);
	static const char header[] = "{\"__metadata__\":{\"classes\":\"9\"},\"class\":{\"dtype\":\"I64\",\"shape\":[1],\"data_offsets\":[0,8]},"
				     "\"image\":{\"dtype\":\"F32\",\"shape\":[1,6],\"data_offsets\":[8,32]}}   ";
	struct buf file = {0};
	uint64_t n = sizeof(header) - 1;
	buf_add_bytes(&file, &n, sizeof(n));
	buf_add(&file, S(header));
	buf_add_bytes(&file, (const char[32]){5}, 32);
	memory_cloud_poke(&w.memory[0], "fashion-lake", "transforms/prepared/t/train/more.safetensors", buf_str(&file));
	assert_ok(&w.f, shape_read(&w.f.call, &p.items[0], &shape)); // two files, one with metadata
	assert_true(shape.samples == TOY_SAMPLES + 1 && shape.classes == 9);
	file.n--;
	memory_cloud_poke(&w.memory[0], "fashion-lake", "transforms/prepared/t/train/more.safetensors", buf_str(&file));
	assert_int_equal(shape_read(&w.f.call, &p.items[0], &shape), ERR_CORRUPT);
	assert_non_null(strstr(w.f.call.err.message, "transforms/prepared/t/train/ on gcp-eu"));
	err_clear(&w.f.call.err);
	struct part none = p.items[1];
	none.prefix = S("nowhere/");
	assert_fails(&w.f, shape_read(&w.f.call, &none, &shape), ERR_INVALID);
	buf_free(&file);
	toy_close(&w);
}

static void set_residency(struct toy_world *w, struct parts *p, const char *json)
{
	json_t *residency = json_loads(json, JSON_DECODE_ANY, NULL);
	p->outputs = json_in_arena(&w->f.arena, json_pack("{s:o}", "residency", residency));
}

static void test_place(void **state)
{
	(void)state;
	struct toy_world w;
	struct parts p;
	struct place place;
	struct place_need need = {.cpu = 1};
	toy_open(&w);
	struct field_ref train = ref("transform", "prepared", "train");
	assert_ok(&w.f, parts_find(&w.f.call, &w.step, &train, &p));
	for (size_t i = 0; i < TOY_CLOUDS; i++)
		p.items[i].bytes = (i + 1) * 1000000000ull;
	w.memory[0].egress_usd = 0.10; // gcp-eu, 1 GB
	w.memory[1].egress_usd = 0.01; // aws-us, 2 GB
	w.memory[2].egress_usd = 0.10; // azure-eu, 3 GB: bringing the others there costs 0.12, all else more
	assert_ok(&w.f, place_cheapest(&w.f.call, &p, &need, &place));
	assert_str(place.part->cloud->name, S("azure-eu"));
	assert_true(place.egress > 0.1199 && place.egress < 0.1201);
	w.list[0].location = S("NL");
	w.list[1].location = S("US");
	w.list[2].location = S("US");
	set_residency(&w, &p, "[\"EU\"]");
	assert_ok(&w.f, place_cheapest(&w.f.call, &p, &need, &place));
	assert_str(place.part->cloud->name, S("gcp-eu"));
	set_residency(&w, &p, "[\"CH\"]");
	assert_fails(&w.f, place_cheapest(&w.f.call, &p, &need, &place), ERR_DENIED);
	p.partitioned = false; // nothing has to move: the first by name
	assert_ok(&w.f, place_cheapest(&w.f.call, &p, &need, &place));
	assert_str(place.part->cloud->name, S("aws-us"));
	assert_true(place.egress == 0);
	toy_close(&w);
}

static void test_carry(void **state)
{
	(void)state;
	struct toy_world w;
	struct transfer_total *totals;
	size_t count;
	toy_open(&w);
	fixture_write(&w.f, "there", S("weights"));
	struct carry f = {.cloud = &w.list[0], .bucket = S("fashion-lake"), .key = S("a/b"), .path = fixture_path(&w.f, "there"), .state = &w.s,
		.what = S("training/t"), .id = S("act/1")};
	assert_ok(&w.f, carry_there(&w.f.call, &f));
	assert_str(memory_cloud_peek(&w.memory[0], "fashion-lake", "a/b"), S("weights"));
	f.path = fixture_path(&w.f, "here");
	f.id = S("act/2");
	assert_ok(&w.f, carry_here(&w.f.call, &f));
	assert_ok(&w.f, carry_here(&w.f.call, &f)); // again: counted once
	assert_str(fixture_read(&w.f, "here"), S("weights"));
	char digest[HEX_SHA256_SIZE];
	struct sha256 sum = sha256_of(S("weights"));
	hex_encode(str_bytes(sum.bytes, SHA256_SIZE), digest);
	assert_true(carry_is(f.path, str_of(digest)) && !carry_is(f.path, S("00")) && !carry_is("/nonexistent", str_of(digest)));
	assert_ok(&w.f, transfer_totals(&w.f.call, &w.s, &totals, &count));
	assert_int_equal(count, 2);
	assert_int_equal(totals[1].bytes, 7);
	f.key = S("absent");
	f.path = fixture_path(&w.f, "nothing");
	assert_fails(&w.f, carry_here(&w.f.call, &f), ERR_NOT_FOUND);
	assert_false(file_exists(f.path));
	assert_false(file_exists(fixture_path(&w.f, "nothing.partial")));
	assert_fails(&w.f, carry_there(&w.f.call, &f), ERR_NOT_FOUND);
	toy_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_copies_are_no_partition),
		cmocka_unit_test(test_shape),
		cmocka_unit_test(test_place),
		cmocka_unit_test(test_carry),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
