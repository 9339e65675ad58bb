// SPDX-License-Identifier: Apache-2.0
// Resource records and overrides, on a state of their own.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/time.h"
#include "state/override.h"
#include "state/resource.h"

struct bench {
	char folder[64];
	struct arena arena;
	struct call call;
	struct edges_fake fake;
	struct state state;
};

static int setup(void **out)
{
	struct bench *b = calloc(1, sizeof(*b));
	char path[96];
	snprintf(b->folder, sizeof(b->folder), "/tmp/isobar-resource-XXXXXX");
	assert_non_null(mkdtemp(b->folder));
	snprintf(path, sizeof(path), "%s/state.db", b->folder);
	edges_fake_init(&b->fake, 1000 * NS_PER_S, 3);
	call_init(&b->call, &b->arena, &b->fake.edges, S("user/test"));
	assert_int_equal(state_open_sqlite(&b->call, path, &b->state), 0);
	*out = b;
	return 0;
}

static int teardown(void **out)
{
	struct bench *b = *out;
	struct err e = {0};
	state_close(&b->state);
	arena_free(&b->arena);
	assert_int_equal(file_remove_tree(b->folder, &e), 0);
	free(b);
	return 0;
}

static void assert_str(struct str s, const char *expected)
{
	assert_int_equal(s.n, strlen(expected));
	assert_memory_equal(s.p, expected, s.n);
}

static void test_addresses(void **out)
{
	struct bench *b = *out;
	struct str kind, name, cloud;
	assert_int_equal(resource_parse_address(S("bucket/lake on aws-us"), &kind, &name, &cloud), 0);
	assert_str(kind, "bucket");
	assert_str(name, "lake");
	assert_str(cloud, "aws-us");
	assert_int_equal(resource_parse_address(S("route/classify"), &kind, &name, &cloud), 0);
	assert_str(name, "classify");
	assert_str(cloud, "");
	static const char *const bad[] = {"", "bucket", "/lake", "bucket/", "bucket/lake on ", "bucket/ on aws"};
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_int_equal(resource_parse_address(str_of(bad[i]), &kind, &name, &cloud), ERR_INVALID);
	assert_str(resource_address(&b->arena, S("bucket"), S("lake"), S("aws-us")), "bucket/lake on aws-us");
	assert_str(resource_address(&b->arena, S("route"), S("x"), S("")), "route/x");
}

static void test_a_resource_round_trip(void **out)
{
	struct bench *b = *out;
	struct str needs[] = {S_INIT("encryption-key/lake on aws-us"), S_INIT("cloud/aws-us")};
	AUTO(json) written = json_pack("{s:s}", "clouds", "all");
	AUTO(json) resolved = json_pack("{s:[s]}", "clouds", "aws-us");
	struct resource r = {.address = S("bucket/lake on aws-us"),
		.cloud_id = S("fashion-lake"),
		.status = S("ready"),
		.written = written,
		.resolved = resolved,
		.needs = needs,
		.need_count = 2};
	assert_int_equal(resource_put(&b->call, &b->state, &r), 0);
	assert_int_equal(r.uid.n, 24);
	struct resource read;
	assert_int_equal(resource_get(&b->call, &b->state, r.address, &read), 0);
	assert_str(read.kind, "bucket");
	assert_str(read.name, "lake");
	assert_str(read.cloud, "aws-us");
	assert_true(str_eq(read.uid, r.uid));
	assert_str(read.cloud_id, "fashion-lake");
	assert_str(read.status, "ready");
	assert_true(json_equal(read.written, written));
	assert_true(json_equal(read.resolved, resolved));
	assert_null(read.outputs);
	assert_int_equal(read.need_count, 2);
	assert_str(read.needs[1], "cloud/aws-us");
	assert_int_equal(read.revision, r.revision);
	read.status = S("waiting");
	assert_int_equal(resource_put(&b->call, &b->state, &read), 0);
	assert_int_equal(resource_put(&b->call, &b->state, &r), ERR_CONFLICT); // an old revision
	assert_int_equal(resource_delete(&b->call, &b->state, &r), ERR_CONFLICT);
	assert_int_equal(resource_delete(&b->call, &b->state, &read), 0);
	assert_int_equal(resource_get(&b->call, &b->state, r.address, &read), ERR_NOT_FOUND);
	assert_non_null(strstr(b->call.err.message, "bucket/lake on aws-us"));
	r.address = S("no address");
	assert_int_equal(resource_put(&b->call, &b->state, &r), ERR_INVALID);
}

static void test_listing(void **out)
{
	struct bench *b = *out;
	static const char *const addresses[] = {
		"route/b", "bucket/lake on gcp-eu", "bucket/lake on aws-us", "buckets/x"};
	for (size_t i = 0; i < COUNT_OF(addresses); i++) {
		struct resource r = {.address = str_of(addresses[i])};
		assert_int_equal(resource_put(&b->call, &b->state, &r), 0);
	}
	struct resource *list;
	size_t n;
	assert_int_equal(resource_list(&b->call, &b->state, S("bucket/"), &list, &n), 0);
	assert_int_equal(n, 2);
	assert_str(list[0].address, "bucket/lake on aws-us");
	assert_int_equal(resource_list(&b->call, &b->state, S(""), &list, &n), 0);
	assert_int_equal(n, 4);
}

static void test_a_damaged_record_is_told(void **out)
{
	struct bench *b = *out;
	AUTO(json) v = json_object();
	struct resource r;
	assert_int_equal(state_put(&b->call, &b->state, S("resource/bucket/x"), v, 0, NULL), 0);
	assert_int_equal(resource_get(&b->call, &b->state, S("bucket/x"), &r), ERR_CORRUPT);
}

static size_t events(struct bench *b, const char *type)
{
	struct event *e;
	size_t n;
	assert_int_equal(state_read_all(&b->call, &b->state, str_of(type), S(""), &e, &n), 0);
	return n;
}

static void test_overrides(void **out)
{
	struct bench *b = *out;
	AUTO(json) zero = json_integer(0);
	struct override o = {.address = S("endpoint/classify on azure-eu"),
		.field = S("traffic"),
		.value = zero,
		.author = S("monitor/cloud-lost"),
		.reason = S("failed attempts above 5%")};
	const struct override *found;
	assert_int_equal(override_set(&b->call, &b->state, &o), 0);
	assert_int_equal(override_set(&b->call, &b->state, &o), 0); // the same again
	assert_int_equal(events(b, "override.set"), 1);
	assert_int_equal(override_find(&b->call, &b->state, o.address, o.field, &found), 0);
	assert_non_null(found);
	assert_int_equal(json_integer_value(found->value), 0);
	assert_str(found->author, "monitor/cloud-lost");
	assert_str(found->reason, "failed attempts above 5%");
	assert_int_equal(found->made_ns, 1000 * NS_PER_S);
	assert_int_equal(override_end(&b->call, &b->state, &o, S("monitor/other"), S("no")), ERR_DENIED);
	assert_int_equal(override_end(&b->call, &b->state, &o, S("monitor/cloud-lost"), S("resolved")), 0);
	assert_int_equal(events(b, "override.ended"), 1);
	assert_int_equal(override_end(&b->call, &b->state, &o, S("user/root"), S("gone")), ERR_NOT_FOUND);
	assert_int_equal(override_find(&b->call, &b->state, o.address, o.field, &found), 0);
	assert_null(found);
	o.author = S("");
	assert_int_equal(override_set(&b->call, &b->state, &o), ERR_INVALID);
}

static void test_overrides_expire(void **out)
{
	struct bench *b = *out;
	AUTO(json) value = json_integer(2);
	struct override o = {.address = S("endpoint/classify on aws-us"),
		.field = S("scale.min"),
		.value = value,
		.author = S("user/root"),
		.expires_ns = 1010 * NS_PER_S};
	struct override *list;
	size_t n;
	assert_int_equal(override_set(&b->call, &b->state, &o), 0);
	assert_int_equal(override_expire(&b->call, &b->state, &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(override_list(&b->call, &b->state, &list, &n), 0);
	assert_int_equal(n, 1);
	b->fake.now_ns = 1010 * NS_PER_S;
	assert_int_equal(override_list(&b->call, &b->state, &list, &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(override_expire(&b->call, &b->state, &n), 0);
	assert_int_equal(n, 1);
	struct event *e;
	assert_int_equal(state_read_all(&b->call, &b->state, S("override.ended"), S(""), &e, &n), 0);
	assert_int_equal(n, 1);
	assert_string_equal(json_text(e[0].data, "ended_by"), "system");
	assert_string_equal(json_text(e[0].data, "why"), "expired");
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_addresses),
		TEST(test_a_resource_round_trip),
		TEST(test_listing),
		TEST(test_a_damaged_record_is_told),
		TEST(test_overrides),
		TEST(test_overrides_expire),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
