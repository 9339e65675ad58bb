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
#include "state/resource_common.h"
#include "state/resource_scan.h"

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

// ---------------------------------------------------------------- common fields
static json_t *parsed(struct bench *b, const char *text)
{
	json_t *j = NULL;
	assert_int_equal(json_parse(str_of(text), &j, &b->call.err), 0);
	return json_in_arena(&b->arena, j);
}

static const struct resource_common *common(struct bench *b, const char *text)
{
	const struct resource_common *c;
	assert_int_equal(resource_common_of_json(parsed(b, text), &b->arena, &c), 0);
	return c;
}

static void test_common_fields(void **out)
{
	struct bench *b = *out;
	static const char all[] = "{\"labels\":{\"a\":\"1\",\"b\":\"2\"},\"protect\":true,\"existing\":\"adopt\","
				  "\"drift\":\"revert\",\"owner\":\"group/ml\"}";
	struct resource r = {.common = common(b, all)};
	assert_true(json_equal(resource_common_to_json(&b->arena, r.common), parsed(b, all)));
	assert_true(resource_is_protected(&r) && resource_is_adopted(&r) && resource_reverts_drift(&r));
	assert_false(resource_is_kept(&r));
	assert_int_equal(json_object_size(resource_labels(&b->arena, r.common)), 2);
	assert_true(resource_common_equal(r.common, common(b, all)));
	assert_false(resource_common_equal(r.common, common(b, "{\"protect\":true}")));
	assert_null(common(b, "{}"));
	struct resource_common reports = {.drift = S("report")}; // the default, written out
	assert_true(resource_common_equal(NULL, &reports));
	assert_int_equal(json_object_size(resource_common_to_json(&b->arena, &reports)), 0);
	struct resource plain = {0};
	assert_false(resource_is_protected(&plain) || resource_is_kept(&plain) || resource_reverts_drift(&plain));
}

static void test_sums(void **out)
{
	struct bench *b = *out;
	static const char *const values[] = {"{\"a\":1,\"b\":[1,2],\"c\":{\"d\":\"x\"}}",
		"{\"a\":2,\"b\":[1,2],\"c\":{\"d\":\"x\"}}", "{\"a\":1,\"b\":[2,1],\"c\":{\"d\":\"x\"}}",
		"{\"a\":1,\"b\":[1,2],\"c\":{\"d\":\"y\"}}", "{\"a\":1,\"b\":[1,2],\"c\":{\"e\":\"x\"}}",
		"{\"a\":1,\"b\":[1,2]}", "{\"a\":true}", "{\"a\":false}", "{\"a\":null}", "{\"a\":\"\"}", "{}",
		"{\"a\":\"12345678\"}", "{\"a\":\"123456780\"}", "{\"a\":\"12345678\",\"b\":\"\"}"};
	uint64_t sums[COUNT_OF(values)][2], other[2];
	for (size_t i = 0; i < COUNT_OF(values); i++) {
		resource_sum(&(struct resource){.resolved = parsed(b, values[i])}, sums[i]);
		for (size_t k = 0; k < i; k++)
			assert_memory_not_equal(sums[i], sums[k], sizeof(sums[0]));
	}
	resource_sum(&(struct resource){.resolved = parsed(b, "{\"c\":{\"d\":\"x\"},\"b\":[1,2],\"a\":1}")}, other);
	assert_memory_equal(other, sums[0], sizeof(other)); // in whatever order
	resource_sum(&(struct resource){.resolved = parsed(b, values[0]), .common = common(b, "{\"protect\":true}")}, other);
	assert_memory_not_equal(other, sums[0], sizeof(other));
}

static bool only_buckets(void *ctx, struct str kind)
{
	(void)ctx;
	return str_eq(kind, S("bucket"));
}

static void put(struct bench *b, const char *address, const char *status, const char *reason)
{
	struct resource r = {.address = str_of(address),
		.status = str_of(status),
		.reason = str_of(reason),
		.cloud_id = S("id"),
		.common = common(b, "{\"labels\":{\"q\":\"a \\\"quoted\\\" one, }\"}}"),
		.resolved = parsed(b, "{\"text\":\"}{][,:\\\\\\\"\"}")};
	assert_int_equal(resource_put(&b->call, &b->state, &r), 0);
}

static void test_scanning(void **out)
{
	struct bench *b = *out;
	const struct resource_filter filter = {.whole = only_buckets};
	struct resource *list;
	size_t count;
	assert_int_equal(resource_scan(&b->call, &b->state, &filter, &list, &count), 0);
	assert_int_equal(count, 0);
	put(b, "bucket/lake on a", "ready", "");
	put(b, "dataset/d", "ready", "");
	put(b, "dataset/e", "waiting", "said \"no\"");
	put(b, "dataset/f", "failed", "why");
	json_t *older = parsed(b, "{\"uid\":\"u\",\"status\":\"ready\",\"resolved\":{},\"needs\":[]}"); // without a sum
	assert_int_equal(state_put(&b->call, &b->state, S("resource/role/old"), older, 0, NULL), 0);
	assert_int_equal(resource_scan(&b->call, &b->state, &filter, &list, &count), 0);
	assert_int_equal(count, 5);
	static const bool light[] = {false, true, true, false, false};
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(list[i].light, light[i]);
		assert_int_equal(list[i].resolved == NULL, light[i]);
	}
	assert_str(list[1].address, "dataset/d");
	assert_str(list[1].kind, "dataset");
	assert_str(list[1].cloud_id, "id");
	assert_str(list[2].status, "waiting");
	struct resource light_one = list[1];
	assert_int_equal(resource_load(&b->call, &b->state, &list[1]), 0);
	assert_false(list[1].light);
	uint64_t sum[2];
	resource_sum(&list[1], sum);
	assert_memory_equal(sum, light_one.sum, sizeof(sum));
	assert_true(str_eq(list[1].uid, light_one.uid));
	assert_int_equal(list[1].revision, light_one.revision);
	assert_int_equal(resource_load(&b->call, &b->state, &list[0]), 0); // whole already
}

static void test_moving_and_noting(void **out)
{
	struct bench *b = *out;
	struct resource from, to;
	struct event *events;
	size_t count;
	put(b, "bucket/lake on a", "ready", "");
	assert_int_equal(resource_get(&b->call, &b->state, S("bucket/lake on a"), &from), 0);
	to = from;
	to.address = S("bucket/pond on a");
	assert_int_equal(resource_move(&b->call, &b->state, &from, &to), 0);
	assert_int_equal(resource_get(&b->call, &b->state, S("bucket/lake on a"), &from), ERR_NOT_FOUND);
	err_clear(&b->call.err);
	assert_int_equal(resource_get(&b->call, &b->state, S("bucket/pond on a"), &from), 0);
	assert_true(str_eq(from.uid, to.uid) && from.revision == to.revision);
	assert_int_equal(state_read_all(&b->call, &b->state, S("resource.moved"), S("bucket/pond on a"), &events, &count), 0);
	assert_int_equal(count, 1);
	assert_string_equal(json_text(events[0].data, "from"), "bucket/lake on a");
	put(b, "bucket/sea on a", "ready", "");
	to.address = S("bucket/sea on a"); // taken
	assert_int_equal(resource_move(&b->call, &b->state, &from, &to), ERR_CONFLICT);
	err_clear(&b->call.err);
	json_t *data = json_pack("{s:s}", "from", "Terraform");
	assert_int_equal(resource_put_noted(&b->call, &b->state, &from, S("resource.adopted"), data), 0);
	assert_int_equal(
		state_read_all(&b->call, &b->state, S("resource.adopted"), S("bucket/pond on a"), &events, &count), 0);
	assert_int_equal(count, 1);
	struct record record;
	struct resource fresh = {.address = S("dataset/x"), .status = S("ready"), .resolved = parsed(b, "{}")};
	assert_int_equal(resource_record(&b->call, &fresh, &record), 0);
	assert_str(record.key, "resource/dataset/x");
	assert_int_equal(json_str(record.value, "sum").n, 32);
	assert_int_equal(json_str(record.value, "uid").n, 24);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_addresses),
		TEST(test_a_resource_round_trip),
		TEST(test_listing),
		TEST(test_a_damaged_record_is_told),
		TEST(test_common_fields),
		TEST(test_sums),
		TEST(test_scanning),
		TEST(test_moving_and_noting),
		TEST(test_overrides),
		TEST(test_overrides_expire),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
