// SPDX-License-Identifier: Apache-2.0
// Buckets and datasets as users declare them, and the bucket's handler.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "data/bucket_kind.h"
#include "data/dataset_kind.h"
#include "fixture_state.h"
#include "memory_cloud.h"

static int decode(struct fixture *f, const struct kind *k, const char *yaml, void *out, struct findings *findings)
{
	struct node *root;
	*findings = (struct findings){.arena = &f->arena};
	assert_int_equal(node_parse_yaml(str_of(yaml), "isobar.yaml", findings, &root), 0);
	return kind_decode(k, root, &f->arena, out, findings);
}

static void test_dataset(void **state)
{
	(void)state;
	struct fixture f;
	struct findings found;
	struct dataset d = {0};
	fixture_open(&f);
	assert_int_equal(
		decode(&f, &dataset_kind,
			"source: file:///usr/share/datasets/fashion-mnist\nformat: idx\nbucket: lake\nclass: public\n"
			"residency: anywhere\npartition: {by: hash of record, clouds: all}\n",
			&d, &found),
		0);
	assert_str(d.format, S("idx"));
	assert_str(d.bucket.name, S("lake"));
	assert_true(d.residency.anywhere);
	assert_str(d.partition.by, S("hash of record"));
	assert_true(d.partition.clouds.all);
	d = (struct dataset){0};
	assert_int_equal(
		decode(&f, &dataset_kind, "source: file:data\nformat: idx\nresidency: [EU, CH]\n", &d, &found), 0);
	assert_str(d.class, S("internal"));
	assert_int_equal(d.residency.places.count, 2);
	assert_int_equal(d.partition.by.n, 0);
	fixture_close(&f);
}

static void test_dataset_refused(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"source: file:data\nformat: idx\nclass: personal\nresidency: anywhere\n",
		"source: file:data\nformat: idx\nresidency: [Europe]\n",
		"source: file:data\nformat: idx\nresidency: []\n",
		"source: https://x.example/data\nformat: idx\n",
		"source: file:data\nformat: xlsx\n",
		"format: idx\n",
		"source: file:data\nformat: idx\npartition: {by: hash of record}\n",
	};
	struct fixture f;
	fixture_open(&f);
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		struct findings found;
		struct dataset d = {0};
		assert_int_equal(decode(&f, &dataset_kind, texts[i], &d, &found), ERR_INVALID);
		assert_int_equal(found.count, 1);
		assert_true(found.first->at.line > 0);
	}
	fixture_close(&f);
}

static void test_bucket_handler(void **state)
{
	(void)state;
	struct fixture f;
	struct state s;
	struct memory_cloud m;
	fixture_open_state(&f, &s);
	memory_cloud_init(&m, "aws-us", "aws");
	struct clouds all = {.items = &m.cloud, .count = 1};
	struct call *c = &f.call;
	struct resource r = {
		.address = S("bucket/lake on aws-us"), .kind = S("bucket"), .name = S("lake"), .cloud = S("aws-us")};
	r.resolved = json_in_arena(&f.arena, json_pack("{s:[s]}", "clouds", "aws-us"));
	json_t *out = NULL;
	struct str id;
	assert_ok(&f, bucket_handler.create(c, &all, &r, &out, &id));
	json_decref(out);
	assert_str(id, S("fashion-lake"));
	r.cloud_id = id;
	assert_ok(&f, bucket_handler.read(c, &all, &r, &out));
	json_decref(out);
	assert_ok(&f, bucket_handler.create(c, &all, &r, &out, &id)); // idempotent
	json_decref(out);
	assert_ok(&f, bucket_handler.delete(c, &all, &r));
	assert_ok(&f, bucket_handler.delete(c, &all, &r));
	assert_fails(&f, bucket_handler.read(c, &all, &r, &out), ERR_NOT_FOUND);
	r.cloud = S("gone");
	assert_fails(&f, bucket_handler.create(c, &all, &r, &out, &id), ERR_NOT_FOUND);
	memory_cloud_free(&m);
	fixture_close_state(&f, &s);
}

static void test_bucket_find(void **state)
{
	(void)state;
	struct fixture f;
	struct state s;
	struct str id;
	fixture_open_state(&f, &s);
	struct call *c = &f.call;
	assert_fails(&f, bucket_find(c, &s, S(""), S("aws-us"), &id), ERR_NOT_FOUND);
	fixture_resource(&f, &s, "bucket/lake on aws-us", json_object(), NULL);
	fixture_resource(&f, &s, "bucket/lake on gcp-eu", json_object(), NULL);
	assert_ok(&f, bucket_find(c, &s, S("lake"), S("aws-us"), &id));
	assert_str(id, S("fashion-lake"));
	assert_ok(&f, bucket_find(c, &s, S(""), S("aws-us"), &id));
	assert_str(id, S("fashion-lake"));
	assert_fails(&f, bucket_find(c, &s, S("lake"), S("azure-eu"), &id), ERR_NOT_FOUND);
	fixture_resource(&f, &s, "bucket/raw on aws-us", json_object(), NULL);
	assert_fails(&f, bucket_find(c, &s, S(""), S("aws-us"), &id), ERR_INVALID); // several: which?
	fixture_close_state(&f, &s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dataset),
		cmocka_unit_test(test_dataset_refused),
		cmocka_unit_test(test_bucket_handler),
		cmocka_unit_test(test_bucket_find),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
