// SPDX-License-Identifier: Apache-2.0
// What check makes of a cloud's answers, on a cloud whose identity says what the test wants; and what check --deep
// refuses before it asks anybody.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "cloud/identity.h"
#include "cloud/prices.h"
#include "infra/check.h"

struct fixture {
	struct arena arena;
	struct call c;
	struct cloud cloud;
	struct price_region prices;
	int who;            // code of whoami
	int bucket;         // code of describe
	const char *denied; // permission that the account lacks
	const char *location;
	unsigned probes;
};

static int whoami(struct call *c, void *ctx, struct cloud_identity *out)
{
	const struct fixture *f = ctx;
	if (f->who)
		return call_fail(c, f->who, "the key is not known");
	*out = (struct cloud_identity){.who = S("arn:ann"), .account = S("123456789012"), .kind = S("user")};
	return 0;
}

static int describe(struct call *c, void *ctx, struct str bucket, struct bucket_facts *out)
{
	const struct fixture *f = ctx;
	(void)bucket;
	if (f->bucket)
		return call_fail(c, f->bucket, "no");
	*out = (struct bucket_facts){.location = str_of(f->location ? f->location : "US-EAST-1"), .unseen = S("")};
	return 0;
}

static int probe(struct call *c, void *ctx, const struct cloud_call *row, struct str bucket, struct probe *out)
{
	struct fixture *f = ctx;
	(void)c;
	f->probes++;
	bool testable = row->reads && (bucket.n || row->scope == CALL_ON_ACCOUNT);
	*out = (struct probe){.verdict = testable ? PROBE_ALLOWED : PROBE_NOT_TESTED, .reason = S("")};
	if (f->denied && strcmp(row->permissions, f->denied) == 0)
		*out = (struct probe){.verdict = PROBE_DENIED, .reason = S("AccessDenied")};
	return 0;
}

static int no_bucket(struct call *c, void *store, struct str bucket)
{
	(void)store;
	return call_fail(c, ERR_NOT_FOUND, "no bucket %.*s", STR(bucket));
}

static const struct store_ops store_ops = {.name = "aws", .bucket_head = no_bucket};
static const struct identity_ops identity_ops = {.name = "aws", .whoami = whoami, .describe = describe, .probe = probe};

static void begin(struct fixture *f)
{
	*f = (struct fixture){.prices = {.provider = S("aws"), .region = S("us-east-1")}};
	call_init(&f->c, &f->arena, edges_real(), S("test"));
	f->cloud = (struct cloud){.name = S("aws-us"),
		.provider = S("aws"),
		.region = S("us-east-1"),
		.location = S("US"),
		.store = &store_ops,
		.prices = &table_price_ops,
		.prices_ctx = &f->prices,
		.identity = &identity_ops,
		.identity_ctx = f};
}

static const json_t *run(struct fixture *f)
{
	static const struct str buckets[] = {S_INIT("one-lake")};
	struct check_request r = {.cloud = &f->cloud, .buckets = buckets, .bucket_count = 1};
	json_t *out = NULL;
	assert_int_equal(check_cloud(&f->c, &r, &out), 0);
	assert_int_equal(f->c.err.code, 0);
	return out;
}

static const json_t *find(const json_t *list, const char *member, const char *value)
{
	size_t i;
	const json_t *one;
	json_array_foreach(list, i, one)
	{
		if (strcmp(json_text(one, member), value) == 0)
			return one;
	}
	fail_msg("there is no %s %s", member, value);
	return NULL;
}

static const json_t *permission(const json_t *out, const char *name)
{
	return find(json_object_get(out, "permissions"), "permission", name);
}

static void test_all_is_well(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f);
	const json_t *out = run(&f);
	assert_true(json_flag(out, "ok", false));
	assert_string_equal(json_text(out, "who"), "arn:ann");
	assert_string_equal(json_text(out, "account"), "123456789012");
	assert_string_equal(json_text(out, "location"), "US");
	assert_string_equal(json_text(permission(out, "s3:GetObject"), "verdict"), "allowed");
	assert_string_equal(json_text(permission(out, "s3:GetObject"), "bucket"), "one-lake");
	assert_int_equal(json_array_size(json_object_get(permission(out, "s3:GetObject"), "calls")), 2);
	assert_string_equal(json_text(permission(out, "s3:PutObject"), "verdict"), "not tested");
	const json_t *parts = json_object_get(out, "parts");
	assert_string_equal(json_text(find(parts, "part", "store"), "state"), "works");
	assert_string_equal(json_text(find(parts, "part", "jobs"), "state"), "unsupported");
	assert_string_equal(json_text(find(parts, "part", "prices"), "state"), "works");
	assert_string_equal(json_text(json_object_get(out, "quota"), "state"), "unsupported");
	arena_free(&f.arena);
}

static void test_permission_lacks(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f);
	f.denied = "s3:ListBucket";
	const json_t *out = run(&f);
	assert_false(json_flag(out, "ok", true));
	assert_int_equal(json_array_size(json_object_get(out, "lacks")), 1);
	assert_string_equal(
		json_string_value(json_array_get(json_object_get(out, "lacks"), 0)), "s3:ListBucket: AccessDenied");
	assert_string_equal(json_text(permission(out, "s3:ListBucket"), "verdict"), "denied");
	arena_free(&f.arena);
}

static void test_nobody_knows_us(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f);
	f.who = ERR_UNAUTHENTICATED;
	const json_t *out = run(&f);
	assert_false(json_flag(out, "ok", true));
	assert_int_equal(f.probes, 0); // nothing more is asked
	assert_string_equal(json_text(out, "error"), "the key is not known");
	assert_string_equal(json_text(find(json_object_get(out, "parts"), "part", "store"), "state"), "fails");
	assert_string_equal(json_text(permission(out, "s3:GetObject"), "verdict"), "not tested");
	arena_free(&f.arena);
}

static void test_buckets(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f);
	f.bucket = ERR_NOT_FOUND;
	const json_t *out = run(&f);
	assert_true(json_flag(out, "ok", false)); // it is not made yet
	assert_string_equal(json_text(json_array_get(json_object_get(out, "buckets"), 0), "state"), "absent");
	assert_string_equal(json_text(permission(out, "s3:GetObject"), "verdict"), "not tested");
	f.bucket = ERR_DENIED;
	out = run(&f);
	assert_false(json_flag(out, "ok", true));
	assert_string_equal(json_text(json_array_get(json_object_get(out, "buckets"), 0), "state"), "denied");
	arena_free(&f.arena);
}

static void test_elsewhere(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f);
	f.location = "eu-central-1";
	const json_t *out = run(&f);
	assert_string_equal(json_string_value(json_array_get(json_object_get(out, "lacks"), 0)),
		"bucket one-lake: lies in eu-central-1, and its cloud in us-east-1");
	arena_free(&f.arena);
}

// A store of one's own says nothing of who we are.
static void test_store_alone(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f);
	f.cloud.identity = NULL;
	const json_t *out = run(&f);
	assert_true(json_flag(out, "ok", false));
	assert_int_equal(f.probes, 0);
	assert_null(json_object_get(out, "who"));
	assert_string_equal(json_text(find(json_object_get(out, "parts"), "part", "store"), "state"), "works");
	assert_string_equal(json_text(json_array_get(json_object_get(out, "buckets"), 0), "state"), "absent");
	f.cloud.store = &(const struct store_ops){.name = "aws"};
	out = run(&f);
	assert_false(json_flag(out, "ok", true));
	assert_string_equal(json_text(find(json_object_get(out, "parts"), "part", "store"), "state"), "fails");
	arena_free(&f.arena);
}

static void test_unopened(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f);
	AUTO(json) declared = json_pack("{s:s,s:s}", "provider", "gcp", "region", "europe-west4");
	(void)call_fail(&f.c, ERR_NOT_FOUND, "no credentials");
	const json_t *out = check_unopened(&f.c, S("gcp-eu"), declared);
	assert_int_equal(f.c.err.code, 0);
	assert_false(json_flag(out, "ok", true));
	assert_string_equal(json_text(out, "error"), "no credentials");
	assert_string_equal(json_text(out, "provider"), "gcp");
	arena_free(&f.arena);
}

// The store of these is at an address where nobody answers: a request would fail otherwise.
static void test_deep_limit(void **state)
{
	(void)state;
	static const struct {
		const char *at_most;
		int code;
	} cases[] = {{"0.0001EUR", ERR_LIMIT}, {"0.0001 USD", ERR_LIMIT}, {"1", ERR_INVALID}, {"lots", ERR_INVALID},
		{"1 GBP", ERR_INVALID}, {"", ERR_INVALID}};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct fixture f;
		json_t *out = NULL;
		begin(&f);
		struct cloud_config config = {.name = S("aws-us"),
			.provider = S("aws"),
			.region = S("us-east-1"),
			.store_url = S("http://127.0.0.1:1"),
			.credentials = json_in_arena(&f.arena,
				json_pack("{s:s,s:s}", "access_key_id", "AK", "secret_access_key", "secret"))};
		struct check_deep r = {.config = &config, .at_most = str_of(cases[i].at_most)};
		int code = check_deep(&f.c, &r, &out);
		if (code != cases[i].code)
			fail_msg("%s gives %d: %s", cases[i].at_most, code, f.c.err.message);
		arena_free(&f.arena);
	}
}

static void test_open(void **state)
{
	(void)state;
	struct fixture f;
	struct cloud_config config;
	struct cloud cloud = {0};
	struct operator_file op = {0};
	begin(&f);
	struct resource declared = {
		.name = S("nowhere"), .resolved = json_in_arena(&f.arena, json_pack("{s:s}", "provider", "mainframe"))};
	assert_true(check_open(&f.c, &op, &declared, &config, &cloud) < 0);
	check_close(&cloud);
	arena_free(&f.arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_all_is_well), cmocka_unit_test(test_permission_lacks),
		cmocka_unit_test(test_nobody_knows_us), cmocka_unit_test(test_buckets),
		cmocka_unit_test(test_elsewhere), cmocka_unit_test(test_store_alone), cmocka_unit_test(test_unopened),
		cmocka_unit_test(test_deep_limit), cmocka_unit_test(test_open)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
