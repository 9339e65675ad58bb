// SPDX-License-Identifier: Apache-2.0
// The kind `clouds` and the table of regions.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/node.h"
#include "cloud/cloud_kind.h"
#include "cloud/regions.h"

static int decode(const char *yaml, struct arena *a, struct cloud_declaration *out, struct findings *f)
{
	struct node *root = NULL;
	*f = (struct findings){.arena = a};
	assert_int_equal(node_parse_yaml(str_of(yaml), "isobar.yaml", f, &root), 0);
	return kind_decode(&cloud_kind, root, a, out, f);
}

static void test_accepted(void **state)
{
	(void)state;
	static const char *const good[] = {"{provider: aws, region: us-east-1}",
		"{provider: gcp, region: europe-west4}", "{provider: azure, region: westeurope}",
		"{provider: aws, region: us-east-1, location: US}"};
	for (size_t i = 0; i < COUNT_OF(good); i++) {
		AUTO(arena) a = {0};
		struct findings f;
		struct cloud_declaration d;
		assert_int_equal(decode(good[i], &a, &d, &f), 0);
		assert_int_equal(f.count, 0);
		assert_non_null(region_find(d.provider, d.region));
	}
}

static void check_refused(const char *yaml, int column, const char *problem, const char *suggestion)
{
	AUTO(arena) a = {0};
	struct findings f;
	struct cloud_declaration d;
	assert_int_equal(decode(yaml, &a, &d, &f), ERR_INVALID);
	assert_int_equal(f.count, 1);
	assert_int_equal(f.first->at.line, 1);
	assert_int_equal(f.first->at.column, column);
	assert_true(str_eq(f.first->problem, str_of(problem)));
	assert_true(str_eq(f.first->suggestion, str_of(suggestion)));
}

static void test_refused(void **state)
{
	(void)state;
	check_refused("{provider: aws, region: us-eats-1}", 25, "expected a region of aws, got \"us-eats-1\"",
		"did you mean \"us-east-1\"?");
	check_refused("{provider: aws, region: europe-west4}", 25, "expected a region of aws, got \"europe-west4\"",
		"europe-west4 is a region of gcp: write provider: gcp");
	check_refused("{provider: aws, region: moon}", 25, "expected a region of aws, got \"moon\"", "");
	check_refused("{provider: gcp, region: europe-west4, location: DE}", 49,
		"\"DE\" contradicts the region: europe-west4 lies in NL (Eemshaven)",
		"write location: NL, or leave it out");
	check_refused("{provider: aws, region: eu-central-1, operator: {name: x, law: EU}}", 64,
		"\"EU\" contradicts the provider: the company behind aws is bound by the law of US, wherever its "
		"regions lie",
		"write law: US, or leave it out");
}

static void test_bad_fields(void **state)
{
	(void)state;
	static const char *const bad[] = {"{provider: ibm, region: us-east-1}", "{provider: aws}",
		"{region: us-east-1}", "{provider: aws, region: us-east-1, zone: a}"};
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		AUTO(arena) a = {0};
		struct findings f;
		struct cloud_declaration d;
		assert_int_equal(decode(bad[i], &a, &d, &f), ERR_INVALID);
		assert_int_equal(f.count, 1);
	}
}

static void test_table(void **state)
{
	(void)state;
	size_t count;
	const struct region *table = region_table(&count);
	assert_true(count > 100);
	for (size_t i = 0; i < count; i++) {
		assert_ptr_equal(
			region_find(str_of(table[i].provider), str_of(table[i].name)), &table[i]); // no name twice
		assert_int_equal(strlen(table[i].country), 2);
		assert_true(region_provider_known(str_of(table[i].provider)));
	}
	assert_string_equal(region_find(S("azure"), S("germanywestcentral"))->country, "DE");
	assert_string_equal(region_find(S("aws"), S("eu-central-1"))->place, "Frankfurt");
	assert_int_equal(region_find(S("gcp"), S("me-west1"))->area, AREA_MIDDLE_EAST);
	assert_null(region_find(S("gcp"), S("us-east-1")));
	assert_string_equal(region_find_any(S("westeurope"))->provider, "azure");
	assert_null(region_find_any(S("")));
	assert_false(region_provider_known(S("site")));
	assert_true(str_eq(region_suggest(S("azure"), S("westeurop")), S("westeurope")));
	assert_int_equal(region_suggest(S("azure"), S("us-east-1")).n, 0);
}

static void test_regions(void **state)
{
	(void)state;
	size_t count;
	const struct region *rows = region_table(&count);
	assert_true(count >= 120);
	for (size_t i = 0; i < count; i++) {
		assert_true(region_find(str_of(rows[i].provider), str_of(rows[i].name)) == &rows[i]); // each once
		assert_int_equal(strlen(rows[i].country), 2);
		assert_true(str_starts(str_of(rows[i].source), S("https://")));
		assert_int_equal(strlen(rows[i].date), 10);
		assert_true(str_eq(region_provider_law(str_of(rows[i].provider)), S("US"))); // wherever the bytes lie
	}
	assert_true(str_eq(region_provider_law(S("site")), S("")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_regions),
		cmocka_unit_test(test_accepted),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_bad_fields),
		cmocka_unit_test(test_table),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
