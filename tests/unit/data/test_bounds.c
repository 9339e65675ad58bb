// SPDX-License-Identifier: Apache-2.0
// Bounds, their meet and forms, doors, and the judgement.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "data/bounds.h"
#include "fixture.h"

static struct bounds of(struct fixture *f, const char *json)
{
	AUTO(json) j = NULL;
	struct bounds b;
	assert_ok(f, json_parse(str_of(json), &j, &f->call.err));
	assert_ok(f, bounds_of_json(j, &b, &f->call.err));
	return b;
}

static void test_meet(void **state)
{
	(void)state;
	struct fixture f;
	fixture_open(&f);
	struct bounds a = of(&f, "{\"class\":\"personal\",\"residency\":[\"EU\"],\"operators\":[\"EU\",\"US\"]}");
	struct bounds b = of(&f, "{\"class\":\"internal\",\"residency\":[\"DE\",\"CH\"],\"operators\":null}");
	struct bounds both = bounds_meet(&a, &b), none = bounds_none(), same = bounds_meet(&a, &none);
	AUTO(json) j = json_object();
	bounds_to_json(&both, j);
	AUTO(json) want = json_pack("{s:s,s:[s],s:[s,s]}", "class", "personal", "residency", "DE", "operators", "EU", "US");
	assert_true(json_equal(j, want));
	assert_true(bounds_within(&both, &a));
	assert_true(bounds_within(&both, &b));
	assert_false(bounds_within(&a, &both));
	assert_true(bounds_within(&same, &a) && bounds_within(&a, &same));
	AUTO(json) open = json_object();
	bounds_to_json(&none, open);
	AUTO(json) null = json_pack("{s:s,s:n,s:n}", "class", "", "residency", "operators");
	assert_true(json_equal(open, null));
	struct bounds public = of(&f, "{\"class\":\"public\",\"residency\":\"anywhere\"}");
	AUTO(json) said = json_object();
	bounds_to_json(&public, said);
	assert_str(json_str(said, "residency"), S("anywhere"));
	fixture_close(&f);
}

static void test_class(void **state)
{
	(void)state;
	static const char *const names[] = {"", "public", "internal", "personal", "special"};
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		assert_int_equal(data_class_of(str_of(names[i])), i);
		assert_string_equal(data_class_name((enum data_class)i), names[i]);
	}
	assert_int_equal(data_class_of(S("secret")), CLASS_UNKNOWN);
}

static struct door door(const char *what, const char *to, int64_t until)
{
	struct door d = {.address = S("transfer/t"), .what = str_of(what), .until_ns = until};
	places_add(&d.to, str_of(to));
	return d;
}

static void test_doors(void **state)
{
	(void)state;
	struct door model = door("model/fraud", "US", 1), alias = door("model/fraud@champion", "US", 1), set = door("transform/f", "US", 1);
	assert_true(door_covers(&model, S("model/fraud")));
	assert_true(door_covers(&model, S("model/fraud@champion")));
	assert_false(door_covers(&model, S("model/fraud2")));
	assert_false(door_covers(&model, S("model/frau")));
	assert_false(door_covers(&model, S("training/fraud")));
	assert_false(door_covers(&model, S("endpoint/fraud")));
	assert_true(door_covers(&alias, S("model/fraud@champion")));
	assert_false(door_covers(&alias, S("model/fraud")));
	assert_false(door_covers(&alias, S("model/fraud@candidate")));
	assert_true(door_covers(&set, S("transform/f/train")));
}

static void test_judge(void **state)
{
	(void)state;
	struct fixture f;
	fixture_open(&f);
	struct bounds eu = of(&f, "{\"class\":\"personal\",\"residency\":[\"EU\"],\"operators\":[\"EU\"]}");
	struct door doors[] = {door("model/fraud", "US", 100), door("model/old", "US", 50)};
	struct crossing at = {.what = S("model/fraud"), .place = S("DE"), .law = S("EU"), .now_ns = 60};
	struct verdict v = bounds_judge(&eu, &at, doors, 2);
	assert_true(v.allowed && v.place_fits && v.law_fits && !v.place_door && !v.law_door);
	at.law = S("US"); // in Germany, run by a company of the United States: the second fact fails, the door covers it
	v = bounds_judge(&eu, &at, doors, 2);
	assert_true(v.allowed && v.place_fits && !v.law_fits && !v.place_door && v.law_door == &doors[0]);
	assert_false(bounds_judge(&eu, &at, NULL, 0).allowed);
	at.place = S("US");
	v = bounds_judge(&eu, &at, doors, 2);
	assert_true(v.allowed && v.place_door == &doors[0] && v.law_door == &doors[0]);
	at.place = S("GB"); // the door leads to the US only
	assert_false(bounds_judge(&eu, &at, doors, 2).allowed);
	at.place = S("US");
	at.now_ns = 100; // not a moment longer
	v = bounds_judge(&eu, &at, doors, 2);
	assert_true(!v.allowed && v.expired == &doors[0]);
	at.now_ns = 60;
	at.what = S("model/old");
	v = bounds_judge(&eu, &at, doors, 2);
	assert_true(!v.allowed && v.expired == &doors[1]);
	at.what = S("training/fraud"); // what it was made from is another thing
	assert_false(bounds_judge(&eu, &at, doors, 2).allowed);
	at = (struct crossing){.what = S("model/fraud"), .place = S(""), .law = S(""), .now_ns = 60};
	assert_false(bounds_judge(&eu, &at, doors, 2).allowed); // nobody knows where: no door leads there
	struct bounds none = bounds_none();
	assert_true(bounds_judge(&none, &at, doors, 2).allowed);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_meet), cmocka_unit_test(test_class), cmocka_unit_test(test_doors),
		cmocka_unit_test(test_judge)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
