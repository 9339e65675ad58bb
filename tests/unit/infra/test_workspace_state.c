// SPDX-License-Identifier: Apache-2.0
// Where the state of an environment lies, as the workspace says it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fixture.h"
#include "infra/workspace_state.h"

static int find(struct fixture *f, const char *environment, struct workspace_state_place *out)
{
	struct workspace_place place;
	assert_ok(f, workspace_place_find(f->folder, str_of(environment), &f->arena, &place, &f->call.err));
	return workspace_state_find(f->folder, &place, &f->arena, out, &f->call.err);
}

static void test_sqlite_without_a_word(UNUSED void **out)
{
	struct fixture f;
	struct workspace_state_place s;
	fixture_open(&f);
	fixture_write(&f, "isobar.yaml", S("isobar: 1\nworkspace: fashion\n"));
	assert_ok(&f, find(&f, "", &s));
	assert_int_equal(s.url.n, 0);
	fixture_close(&f);
}

static void test_base_overlay_and_environment(UNUSED void **out)
{
	struct fixture f;
	struct workspace_state_place s;
	fixture_open(&f);
	fixture_write(&f, "isobar.yaml",
		S("isobar: 1\nworkspace: returns\n"
		  "state: {url: \"postgresql://db.example/${workspace}_${env}\",\n  credentials: secret/state}\n"
		  "environments:\n  prod: {}\n  dev: {overlay: env/dev.yaml}\n  try: {pocket: true}\n"
		  "  two: {pocket: true, overlay: env/two.yaml}\n  far: {pocket: true, overlay: env/far.yaml}\n"));
	fixture_write(&f, "env/dev.yaml", S("state:\n  url: postgresql://[::1]:7000/dev?schema=mine\n"));
	fixture_write(&f, "env/two.yaml", S("{\"state\": {\"url\": \"postgresql:///x?host=/run/p\"}}\n"));
	fixture_write(&f, "env/far.yaml", S("state: {url: postgresql://db.example/x}\n"));
	assert_ok(&f, find(&f, "prod", &s));
	assert_str(s.url, S("postgresql://db.example/returns_prod"));
	assert_str(s.credentials, S("secret/state"));
	assert_str(s.schema, S("isobar_returns_prod"));
	assert_str(s.host, S("db.example:5432"));
	assert_ok(&f, find(&f, "dev", &s));
	assert_str(s.url, S("postgresql://[::1]:7000/dev?schema=mine"));
	assert_str(s.schema, S("mine"));
	assert_str(s.host, S("::1:7000"));
	assert_ok(&f, find(&f, "try", &s)); // pocket: local, whatever the base says
	assert_int_equal(s.url.n, 0);
	assert_ok(&f, find(&f, "two", &s));
	assert_str(s.schema, S("isobar_returns_two"));
	assert_fails(&f, find(&f, "far", &s), ERR_DENIED);
	fixture_close(&f);
}

static void test_what_may_not_stand_there(UNUSED void **out)
{
	struct fixture f;
	struct workspace_state_place s;
	fixture_open(&f);
	fixture_write(&f, "isobar.yaml",
		S("isobar: 1\nworkspace: w\n# state: none\nstate:\n  url: postgresql://${var.host}/x\n"));
	assert_int_equal(find(&f, "", &s), ERR_INVALID);
	assert_non_null(strstr(f.call.err.message, "${var.host} is not known there"));
	err_clear(&f.call.err);
	fixture_write(&f, "isobar.yaml", S("isobar: 1\nworkspace: w\nstate:\n  url: postgresql://u:p4ss@h/x\n"));
	assert_int_equal(find(&f, "", &s), ERR_DENIED);
	assert_null(strstr(f.call.err.message, "p4ss"));
	err_clear(&f.call.err);
	fixture_write(&f, "isobar.yaml", S("isobar: 1\nworkspace: w\nstate:\n  url: mongodb://h/x\n"));
	assert_fails(&f, find(&f, "", &s), ERR_INVALID);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sqlite_without_a_word),
		cmocka_unit_test(test_base_overlay_and_environment),
		cmocka_unit_test(test_what_may_not_stand_there),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
