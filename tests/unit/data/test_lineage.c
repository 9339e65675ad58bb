// SPDX-License-Identifier: Apache-2.0
// What was made from what, and what is inherited on the way.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "data/lineage.h"
#include "data/residency.h"
#include "fixture_state.h"

static void put_made(struct fixture *f, const struct state *s, const char *address, const char *made)
{
	AUTO(json) j = NULL;
	assert_ok(f, json_parse(str_of(made), &j, &f->call.err));
	assert_ok(f, state_put(&f->call, s, arena_printf(&f->arena, "made/%s", address), j, UINT64_MAX, NULL));
}

static void test_upstream(void **state)
{
	(void)state;
	struct fixture f;
	struct state s;
	struct lineage_link *links;
	size_t count;
	fixture_open_state(&f, &s);
	put_made(&f, &s, "dataset/images", "{\"run\":\"d2\",\"digest\":\"dd\",\"inputs\":[]}");
	put_made(&f, &s, "transform/prepared",
		"{\"run\":\"t1\",\"inputs\":[{\"address\":\"dataset/images\",\"run\":\"d1\",\"digest\":\"x\"}]}");
	put_made(&f, &s, "training/c",
		"{\"run\":\"c1\",\"inputs\":[{\"address\":\"transform/prepared\",\"run\":\"t1\",\"digest\":\"y\"},"
		"{\"address\":\"dataset/images\",\"run\":\"d2\",\"digest\":\"z\"}]}");
	assert_ok(&f, lineage_upstream(&f.call, &s, S("training/c"), &links, &count));
	assert_int_equal(count, 3);
	assert_str(links[0].address, S("transform/prepared"));
	assert_true(links[0].current);
	assert_str(links[1].run, S("d2"));
	assert_true(links[1].current);
	assert_str(links[2].run, S("d1")); // the transform was made from an older run
	assert_false(links[2].current);
	assert_fails(&f, lineage_upstream(&f.call, &s, S("training/none"), &links, &count), ERR_NOT_FOUND);
	fixture_close_state(&f, &s);
}

static void test_residency(void **state)
{
	(void)state;
	struct str eu[] = {S("EU"), S("CH")};
	const struct residency r = {.places = {.items = eu, .count = 2}}, anywhere = {.anywhere = true},
			       undeclared = {0};
	assert_true(residency_allows(&r, S("NL")));
	assert_true(residency_allows(&r, S("CH")));
	assert_false(residency_allows(&r, S("US")));
	assert_false(residency_allows(&r, S("GB")));
	assert_true(residency_allows(&anywhere, S("US")));
	assert_true(residency_allows(&undeclared, S("US")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_upstream), cmocka_unit_test(test_residency)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
