// SPDX-License-Identifier: Apache-2.0
// Rolling back: which version is the one before, what gets an override, that the same again changes nothing, and what is
// refused.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "deploy/rollback.h"
#include "fixture_state.h"
#include "models/registry.h"
#include "state/override.h"

static struct fixture f;
static struct state s;

static void promote(const char *version)
{
	AUTO(json) needs = json_array();
	const struct model_version v = {.model = S("classifier"), .version = str_of(version), .sha256 = str_of(version),
		.bucket = S("lake")};
	const struct model_alias_record alias = {
		.model = S("classifier"), .alias = S("champion"), .version = str_of(version), .needs = needs};
	assert_ok(&f, model_register(&f.call, &s, &v));
	assert_ok(&f, model_promote(&f.call, &s, &alias));
}

static int setup(UNUSED void **state)
{
	fixture_open_state(&f, &s);
	fixture_resource(&f, &s, "endpoint/classify on aws-us", json_pack("{s:s}", "model", "model/classifier@champion"), NULL);
	fixture_resource(&f, &s, "endpoint/classify on gcp-eu", json_pack("{s:s}", "model", "model/classifier@champion"), NULL);
	fixture_resource(&f, &s, "endpoint/other on gcp-eu", json_pack("{s:s}", "model", "model/other@champion"), NULL);
	f.call.principal = S("user/ann");
	return 0;
}

static int teardown(UNUSED void **state)
{
	fixture_close_state(&f, &s);
	return 0;
}

static int roll(const char *target, const char *version, struct rolled_back *out)
{
	const struct rollback r = {.target = str_of(target), .version = str_of(version)};
	err_clear(&f.call.err);
	return rollback_make(&f.call, &s, &r, out);
}

static struct str pinned(const char *address, const char *field)
{
	const struct override *o = NULL;
	assert_ok(&f, override_find(&f.call, &s, str_of(address), str_of(field), &o));
	return o ? json_value_str(o->value) : S("");
}

static void test_alias(UNUSED void **state)
{
	struct rolled_back back;
	struct override *all;
	size_t count;
	promote("1");
	promote("2");
	promote("3");
	assert_ok(&f, roll("model/classifier@champion", "", &back));
	assert_true(str_eq(back.from, S("3")) && str_eq(back.to, S("2")));
	assert_true(str_eq(pinned("model/classifier", "aliases.champion"), S("2")));
	size_t events = fixture_events(&f, &s, "override.set", NULL);
	assert_ok(&f, roll("classifier@champion", "", &back)); // the same again goes no further
	assert_true(str_eq(back.to, S("2")));
	assert_int_equal(fixture_events(&f, &s, "override.set", NULL), events);
	assert_ok(&f, override_list(&f.call, &s, &all, &count));
	assert_int_equal(count, 1);
	assert_true(str_eq(all[0].author, S("user/ann")));
	assert_true(str_eq(all[0].reason, S("rolled back from version 3 to 2")));
	assert_ok(&f, roll("classifier@champion", "1", &back));
	assert_true(str_eq(pinned("model/classifier", "aliases.champion"), S("1")));
}

static void test_endpoint(UNUSED void **state)
{
	struct rolled_back back;
	promote("1");
	promote("2");
	assert_ok(&f, roll("endpoint/classify", "", &back));
	assert_int_equal(back.count, 2);
	assert_true(str_eq(pinned("endpoint/classify on aws-us", "version"), S("1")));
	assert_true(str_eq(pinned("endpoint/classify on gcp-eu", "version"), S("1")));
	assert_int_equal(pinned("endpoint/other on gcp-eu", "version").n, 0);
	assert_int_equal(pinned("model/classifier", "aliases.champion").n, 0);
}

// An alias that came back to a version it had before: the one before is that of the last time.
static void test_before_goes_by_the_last_time(UNUSED void **state)
{
	struct rolled_back back;
	promote("1");
	promote("2");
	promote("1");
	assert_ok(&f, roll("classifier@champion", "", &back));
	assert_true(str_eq(back.from, S("1")) && str_eq(back.to, S("2")));
}

static void test_refusals(UNUSED void **state)
{
	struct rolled_back back;
	assert_int_equal(roll("classifier@champion", "", &back), ERR_NOT_FOUND); // no version at all
	promote("1");
	assert_int_equal(roll("classifier@champion", "", &back), ERR_NOT_FOUND);
	assert_non_null(strstr(f.call.err.message, "--to"));
	assert_int_equal(roll("classifier@champion", "7", &back), ERR_NOT_FOUND);
	assert_int_equal(roll("classifier@nobody", "", &back), ERR_NOT_FOUND);
	assert_int_equal(roll("endpoint/nothing", "", &back), ERR_NOT_FOUND);
	static const char *const wrong[] = {"classifier", "model/classifier", "@champion", "classifier@", "training/x@y"};
	for (size_t i = 0; i < COUNT_OF(wrong); i++)
		assert_int_equal(roll(wrong[i], "", &back), ERR_INVALID);
	struct override *all;
	size_t count;
	err_clear(&f.call.err);
	assert_ok(&f, override_list(&f.call, &s, &all, &count));
	assert_int_equal(count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_alias, setup, teardown),
		cmocka_unit_test_setup_teardown(test_endpoint, setup, teardown),
		cmocka_unit_test_setup_teardown(test_before_goes_by_the_last_time, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refusals, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
