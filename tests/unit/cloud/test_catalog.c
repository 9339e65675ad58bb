// SPDX-License-Identifier: Apache-2.0
// The catalog of machines: the shipped rows, looking up, the validator, and the file of prices.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/time.h"
#include "cloud/catalog.h"
#include "cloud/catalog_impl.h"
#include "cloud/prices.h"
#include "cloud_test.h"

#define DAY(d) ((d) * INT64_C(86400) * NS_PER_S)

static int64_t day_of(const char *text)
{
	int64_t day = -1;
	assert_int_equal(catalog_day(str_of(text), &day), 0);
	return day;
}

struct told {
	size_t by_fault[CATALOG_SHAPE + 1];
	char last[200];
};
static void tell(void *ctx, const struct catalog_finding *f)
{
	struct told *told = ctx;
	told->by_fault[f->fault]++;
	memcpy(told->last, f->text, sizeof(told->last));
}
static void fail_telling(void *ctx, const struct catalog_finding *f)
{
	(void)ctx;
	fail_msg("%s: %s", catalog_fault_word(f->fault), f->text);
}

static void test_shipped(void **state)
{
	(void)state;
	AUTO(arena) arena = {0};
	struct catalog all;
	struct err e = {0};
	assert_int_equal(catalog_with(&arena, NULL, &all, &e), 0);
	assert_int_equal(all.count, catalog_aws.count + catalog_azure.count + catalog_gcp.count);
	assert_in_range(all.count, 150, 300);
	assert_int_equal(catalog_check(&all, DAY(day_of(CATALOG_WRITTEN)), fail_telling, NULL), 0);
	assert_ptr_equal(catalog_shipped(S("gcp")).rows, catalog_gcp.rows);
	assert_int_equal(catalog_shipped(S("site")).count, 0);
	for (size_t i = 0; i < all.count; i++) // what was not looked up again says so
		assert_true(strcmp(all.rows[i].date, CATALOG_WRITTEN) != 0 || strcmp(all.rows[i].confidence, "low") == 0);
	struct told told = {0};
	assert_int_equal(catalog_check(&all, DAY(day_of(CATALOG_WRITTEN) + 1000), tell, &told), all.count);
	assert_int_equal(told.by_fault[CATALOG_AGE], all.count);
}

static void test_find(void **state)
{
	(void)state;
	const struct catalog aws = catalog_shipped(S("aws"));
	const struct catalog_row *row = catalog_find(&aws, S("aws"), S("us-west-2"), S("p5.48xlarge"));
	assert_non_null(row);
	assert_true(row->on_demand == 55.04 && row->spot == 12.69 && row->count == 8);
	assert_true(catalog_price(row, true) == 12.69 && catalog_price(row, false) == 55.04);
	assert_null(catalog_find(&aws, S("aws"), S("us-west-2"), S("p5.48xlarg")));
	assert_null(catalog_find(&aws, S("gcp"), S("us-west-2"), S("p5.48xlarge")));
	assert_null(catalog_find(&aws, S("aws"), S("eu-north-1"), S("p5.48xlarge")));
}

static const char *cheapest(const struct catalog *all, struct catalog_need need)
{
	const struct catalog_row *row = catalog_cheapest(all, &need);
	return row ? row->shape : "none";
}

static void test_cheapest(void **state)
{
	(void)state;
	AUTO(arena) arena = {0};
	struct catalog all;
	assert_int_equal(catalog_with(&arena, NULL, &all, NULL), 0);
	const struct str east = S("us-east-1"), aws = S("aws");
	const uint64_t gib = UINT64_C(1) << 30;
	assert_string_equal(cheapest(&all, (struct catalog_need){.provider = aws, .region = east, .cpu = 3}), "m5.xlarge");
	assert_string_equal(
		cheapest(&all, (struct catalog_need){.provider = aws, .region = east, .cpu = 2, .memory = 8 * gib}), "m5.large");
	assert_string_equal(
		cheapest(&all, (struct catalog_need){.provider = aws, .region = east, .memory = 60 * gib}), "r5.2xlarge");
	assert_string_equal(cheapest(&all, (struct catalog_need){.provider = aws, .region = east, .cpu = 10}), "m5.4xlarge");
	assert_string_equal(
		cheapest(&all, (struct catalog_need){.provider = aws, .region = east, .cpu = 90, .plain = true}), "none");
	assert_string_equal(
		cheapest(&all, (struct catalog_need){.region = east, .accelerator = S("h100"), .count = 1}), "p5.4xlarge");
	assert_string_equal(
		cheapest(&all, (struct catalog_need){.region = east, .accelerator = S("A100"), .count = 8}), "p4d.24xlarge");
	assert_string_equal(
		cheapest(&all, (struct catalog_need){.accelerator = S("A100-80GB"), .count = 8, .spot = true}), "p4de.24xlarge");
	assert_string_equal(cheapest(&all, (struct catalog_need){.accelerator = S("A100-8")}), "none");
	assert_string_equal(cheapest(&all, (struct catalog_need){.accelerator = S("H100"), .count = 9}), "none");
	assert_string_equal(cheapest(&all, (struct catalog_need){.region = east, .accelerator = S("T4"), .spot = true}), "none");
	const struct catalog nothing = {0};
	assert_string_equal(cheapest(&nothing, (struct catalog_need){.cpu = 1}), "none");
	assert_false(catalog_fits(&catalog_aws.rows[0], &(struct catalog_need){.provider = S("gcp")}));
}

#define GOOD_ENDS "page", "2026-06", "high"
static void test_check(void **state)
{
	(void)state;
	const int64_t now = DAY(day_of("2026-11-24"));
	const struct {
		struct catalog_row row;
		enum catalog_fault fault;
		const char *text;
	} bad[] = {
		{{"aws", "us-east-1", "m", 1, 1, "", 0, 0, 0, GOOD_ENDS}, CATALOG_PRICE,
			"aws us-east-1 m: 0.00 on demand is no price"},
		{{"aws", "us-east-1", "m", 1, 1, "", 0, 1, 1.5, GOOD_ENDS}, CATALOG_PRICE,
			"aws us-east-1 m: spot 1.50 is above 1.00 on demand"},
		{{"aws", "us-east-1", "m", 1, 1, "", 0, 1, -1, GOOD_ENDS}, CATALOG_PRICE,
			"aws us-east-1 m: spot -1.00 is no price"},
		{{"aws", "us-east-9", "m", 1, 1, "", 0, 1, 1, GOOD_ENDS}, CATALOG_REGION, "aws us-east-9 m: no such region"},
		{{"aws", "us-east-1", "m", 1, 1, "T4", 0, 1, 1, GOOD_ENDS}, CATALOG_SHAPE,
			"aws us-east-1 m: accelerator and count do not go together"},
		{{"aws", "us-east-1", "m", 0, 1, "", 0, 1, 1, GOOD_ENDS}, CATALOG_SHAPE,
			"aws us-east-1 m: it has no processors or no memory"},
		{{"aws", "us-east-1", "m", 1, 1, "", 0, 1, 1, "", "2026-06", "low"}, CATALOG_SHAPE,
			"aws us-east-1 m: no source"},
		{{"aws", "us-east-1", "m", 1, 1, "", 0, 1, 1, "page", "2026-06", "sure"}, CATALOG_SHAPE,
			"aws us-east-1 m: its confidence is neither high, medium nor low"},
		{{"aws", "us-east-1", "m", 1, 1, "", 0, 1, 1, "page", "2026-11-25", "low"}, CATALOG_AGE,
			"aws us-east-1 m: its date, 2026-11-25, is yet to come"},
		{{"aws", "us-east-1", "m", 1, 1, "", 0, 1, 1, "page", "2025-10-19", "low"}, CATALOG_AGE,
			"aws us-east-1 m: 401 days old: import again"},
		{{"aws", "us-east-1", "m", 1, 1, "", 0, 1, 1, "page", "soon", "low"}, CATALOG_AGE,
			"aws us-east-1 m: its date is neither YYYY-MM nor YYYY-MM-DD"},
	};
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		const struct catalog one = {&bad[i].row, 1};
		struct told told = {0};
		assert_int_equal(catalog_check(&one, now, tell, &told), 1);
		assert_int_equal(told.by_fault[bad[i].fault], 1);
		assert_string_equal(told.last, bad[i].text);
	}
	const struct catalog_row apart[] = {{"aws", "us-east-1", "m", 1, 1, "", 0, 1, 1, GOOD_ENDS},
		{"aws", "us-west-2", "m", 1, 1, "", 0, 2.5, 0, GOOD_ENDS}, {"gcp", "us-west1", "m", 1, 1, "", 0, 9, 0, GOOD_ENDS},
		{"gcp", "us-west1", "m", 1, 1, "", 0, 9, 0, GOOD_ENDS}};
	struct told told = {0};
	assert_int_equal(catalog_check(&(struct catalog){apart, 3}, now, tell, &told), 1);
	assert_string_equal(told.last, "aws us-west-2 m: 2.50 there, and 1.00 in us-east-1: are these the same thing?");
	assert_int_equal(catalog_check(&(struct catalog){apart + 1, 3}, now, tell, &told), 1);
	assert_int_equal(told.by_fault[CATALOG_DUPLICATE], 1);
	assert_int_equal(catalog_check(&(struct catalog){apart, 1}, now, NULL, NULL), 0);
	int64_t day;
	assert_int_equal(catalog_day(S("2026-13"), &day), ERR_INVALID);
	assert_int_equal(catalog_day(S("1970-01-02"), &day), 0);
	assert_int_equal(day, 1);
}

static int read_text(struct arena *a, const char *text, struct catalog *out, struct err *e)
{
	AUTO(json) j = NULL;
	assert_int_equal(json_parse(str_of(text), &j, NULL), 0);
	return catalog_of_json(j, a, out, e);
}

#define HEAD "{\"format\":\"isobar-prices/1\",\"currency\":\"USD\",\"rows\":["
#define ROW_HEAD HEAD "{\"provider\":\"aws\",\"region\":\"us-east-1\",\"shape\":\"m\",\"accelerator\":\"\",\"source\":\"s\","
static void test_file(void **state)
{
	(void)state;
	AUTO(arena) arena = {0};
	struct err e = {0};
	struct catalog all, again, with;
	assert_int_equal(catalog_with(&arena, NULL, &all, &e), 0);
	AUTO(json) written = catalog_json(&all);
	assert_int_equal(catalog_of_json(written, &arena, &again, &e), 0);
	assert_int_equal(again.count, all.count);
	for (size_t i = 0; i < all.count; i++) {
		AUTO(json) one = catalog_row_json(&all.rows[i]);
		AUTO(json) two = catalog_row_json(&again.rows[i]);
		assert_true(json_equal(one, two));
	}
	// One row of one's own stands in for all shipped ones of its region.
	const struct catalog_row own = {"aws", "us-east-1", "m5.xlarge", 4, 16, "", 0, 0.1, 0.05, "contract", "2026-11", "high"};
	assert_int_equal(catalog_with(&arena, &(struct catalog){&own, 1}, &with, &e), 0);
	assert_true(catalog_find(&with, S("aws"), S("us-east-1"), S("m5.xlarge"))->on_demand == 0.1);
	assert_null(catalog_find(&with, S("aws"), S("us-east-1"), S("m5.large")));
	assert_non_null(catalog_find(&with, S("aws"), S("us-west-2"), S("m5.large")));

	static const char *const wrong[][2] = {{"{}", "no file of prices"}, {"[]", "no file of prices"},
		{"{\"format\":\"isobar-prices/1\",\"currency\":\"EUR\",\"rows\":[]}", "not USD"},
		{HEAD "7]}", "row 1"}, {HEAD "{\"provider\":\"aws\"}]}", "region"},
		{ROW_HEAD "\"date\":\"2026\",\"confidence\":\"low\",\"vcpu\":\"4\"}]}", "\"vcpu\" is no number"},
		{ROW_HEAD "\"date\":\"2026\",\"confidence\":\"low\",\"vcpu\":4,\"memory_gib\":1,\"on_demand\":1,\"count\":-1}]}",
			"between 0 and 1024"},
		{ROW_HEAD "\"date\":\"2026\",\"confidence\":\"low\",\"vcpu\":4,\"memory_gib\":1,\"on_demand\":1,\"spot\":null,"
			  "\"count\":0}]}",
			"\"spot\" is no number"}};
	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		again.count = 77;
		assert_int_equal(read_text(&arena, wrong[i][0], &again, &e), ERR_INVALID);
		assert_non_null(strstr(e.message, wrong[i][1]));
		assert_int_equal(again.count, 77);
	}
	assert_int_equal(catalog_read("/nonexistent/prices.json", &arena, &again, &e), ERR_NOT_FOUND);
	assert_non_null(strstr(e.message, "/nonexistent/prices.json"));
}

static void test_price_ops(void **state)
{
	(void)state;
	struct cloud_test t;
	cloud_test_init(&t);
	struct price_region of = {S("aws"), S("us-west-2")};
	struct price price = {0};
	const struct catalog_need need = {.provider = S("gcp"), .accelerator = S("H100"), .count = 8, .spot = true};
	assert_int_equal(table_price_ops.machine(&t.call, &of, &need, &price), 0);
	assert_true(price.amount == 12.69);
	assert_true(str_eq(price.confidence, S("medium")) && str_eq(price.currency, S("USD")) && str_eq(price.unit, S("h")));
	of.region = S("eu-west-1");
	assert_int_equal(table_price_ops.machine(&t.call, &of, &need, &price), ERR_NOT_FOUND);
	assert_non_null(strstr(t.call.err.message, "no spot machine of aws in eu-west-1"));
	assert_true(price.amount == 12.69);
	cloud_test_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_shipped), cmocka_unit_test(test_find),
		cmocka_unit_test(test_cheapest), cmocka_unit_test(test_check), cmocka_unit_test(test_file), cmocka_unit_test(test_price_ops)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
