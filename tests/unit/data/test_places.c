// SPDX-License-Identifier: Apache-2.0
// Sets of countries: codes, the Union, meets, forms.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cloud/regions.h"
#include "data/places.h"
#include "fixture.h"

static struct places of(const char *codes)
{
	struct places p = {.any = strcmp(codes, "*") == 0};
	struct str rest = str_of(codes), one;
	while (!p.any && rest.n && str_next(&rest, ' ', &one))
		places_add(&p, one);
	return p;
}

static void test_codes(void **state)
{
	(void)state;
	static const char *const good[] = {"DE", "US", "GB", "EU", "TW", "XK"};
	struct str meant = {0};
	for (size_t i = 0; i < COUNT_OF(good) - 1; i++)
		assert_int_equal(places_check(str_of(good[i]), NULL), 0);
	assert_int_equal(places_check(S("XK"), &meant), ERR_INVALID); // used, but never assigned
	assert_str(meant, S(""));
	assert_int_equal(places_check(S("UK"), &meant), ERR_INVALID);
	assert_str(meant, S("GB"));
	assert_int_equal(places_check(S("usa"), &meant), ERR_INVALID);
	assert_str(meant, S("US"));
	static const char *const bad[] = {"", "D", "de", "DEU", "D1", "\0\0", "ZZ", "AB"};
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_int_equal(places_check(str_of(bad[i]), &meant), ERR_INVALID);
	size_t count;
	const struct region *regions = region_table(&count);
	for (size_t i = 0; i < count; i++) // every region lies in a country that can be written
		assert_int_equal(places_check(str_of(regions[i].country), NULL), 0);
}

static void test_union(void **state)
{
	(void)state;
	static const char *const members[] = {"AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR",
		"HU", "IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK"};
	struct places eu = of("EU"), de = of("DE"), none = of(""), any = of("*");
	for (size_t i = 0; i < COUNT_OF(members); i++)
		assert_true(places_hold(&eu, str_of(members[i])));
	static const char *const others[] = {"GB", "CH", "NO", "US", "IS", "TR", ""};
	for (size_t i = 0; i < COUNT_OF(others); i++)
		assert_false(places_hold(&eu, str_of(others[i])));
	assert_true(places_hold(&eu, S("EU")));
	assert_false(places_hold(&de, S("EU")));
	assert_true(places_hold(&any, S("")));
	assert_true(places_empty(&none));
	assert_false(places_empty(&any));
	assert_true(places_within(&de, &eu));
	assert_false(places_within(&eu, &de));
	assert_true(places_within(&none, &de));
	assert_true(places_within(&any, &any));
	assert_false(places_within(&any, &eu));
}

static void check_meet(struct arena *a, const char *x, const char *y, const char *want)
{
	struct places p = of(x), q = of(y), both = places_meet(&p, &q), other = places_meet(&q, &p);
	assert_str(places_text(&both, a), str_of(want));
	assert_str(places_text(&other, a), str_of(want));
}

static void test_meet(void **state)
{
	(void)state;
	AUTO(arena) a = {0};
	check_meet(&a, "EU", "DE CH", "[DE]");
	check_meet(&a, "EU CH", "CH US", "[CH]");
	check_meet(&a, "EU CH", "EU US", "[EU]");
	check_meet(&a, "*", "EU DE", "[EU]");
	check_meet(&a, "*", "*", "anywhere");
	check_meet(&a, "DE", "US", "nowhere");
	check_meet(&a, "ZW AD", "AD ZW", "[AD, ZW]"); // first and last bits
}

static void test_json(void **state)
{
	(void)state;
	struct fixture f;
	fixture_open(&f);
	struct places p = of("US EU CH"), back = {0};
	AUTO(json) j = places_to_json(&p);
	AUTO(json) want = json_pack("[s,s,s]", "CH", "EU", "US");
	assert_true(json_equal(j, want));
	assert_ok(&f, places_of_json(j, &back, &f.call.err));
	assert_memory_equal(&back, &p, sizeof(p));
	assert_ok(&f, places_of_json(NULL, &back, &f.call.err));
	assert_true(back.any);
	AUTO(json) word = json_string("anywhere");
	assert_ok(&f, places_of_json(word, &back, &f.call.err));
	assert_true(back.any);
	AUTO(json) bad = json_pack("[s,i]", "DE", 1);
	assert_fails(&f, places_of_json(bad, &back, &f.call.err), ERR_CORRUPT);
	AUTO(json) map = json_object();
	assert_fails(&f, places_of_json(map, &back, &f.call.err), ERR_CORRUPT);
	assert_true(back.any); // untouched on failure
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_codes), cmocka_unit_test(test_union), cmocka_unit_test(test_meet),
		cmocka_unit_test(test_json)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
