// SPDX-License-Identifier: Apache-2.0
// Addresses for completion, also of a workspace with mistakes.
#include "infra/addresses.h"
#include "loaded_workspace.h"

static void assert_lists(const char *text, const char *prefix, const char *expected)
{
	struct loaded l;
	AUTO(buf) out = {0};
	loaded_begin(&l, text);
	loaded_put(&l, "lib/a.yaml", "buckets: {x: {clouds: [a]}}\n");
	loaded_put(&l, "env/e.yaml", "buckets: {old: null}\n");
	l.options = (struct workspace_options){.path = l.folder,
		.check_only = true,
		.kinds = toy_kinds,
		.handlers = loaded_handlers,
		.handler_count = COUNT_OF(loaded_handlers)};
	assert_int_equal(0, workspace_addresses(&l.options, str_of(prefix), &out, &l.err));
	assert_string_equal(expected, buf_cstr(&out));
	loaded_end(&l);
}

#define FILE_TEXT                                                                                                      \
	LOADED_HEAD "groups: {g: [a]}\nmodules: {m: {source: lib}}\n"                                                  \
		    "buckets:\n  lake: {for_each: [one, two], clouds: all}\n  old: {clouds: group/g}\n"               \
		    "transforms: {t: {colour: red, input: nowhere}}\n"

static void test_addresses(void **state)
{
	(void)state;
	assert_lists(FILE_TEXT, "",
		"bucket/lake.one\nbucket/lake.one on a\nbucket/lake.one on b\nbucket/lake.two\nbucket/lake.two on a\n"
		"bucket/lake.two on b\nbucket/m.x\nbucket/m.x on a\nbucket/old\nbucket/old on a\ncloud/a\ncloud/b\n"
		"transform/t\n");
	assert_lists(FILE_TEXT, "bucket/lake.two on", "bucket/lake.two on a\nbucket/lake.two on b\n");
	assert_lists(FILE_TEXT "environments: {e: {overlay: env/e.yaml}, f: {}}\n", "bucket/o", "");
	assert_lists(FILE_TEXT, "tr", "transform/t\n");
	assert_lists("clouds: [\n", "", "");
}

static void test_no_workspace(void **state)
{
	(void)state;
	AUTO(buf) out = {0};
	struct err e = {0};
	const struct workspace_options options = {.path = "/tmp/isobar-no-such", .kinds = toy_kinds};
	assert_int_equal(ERR_NOT_FOUND, workspace_addresses(&options, S(""), &out, &e));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_no_workspace),
	};
	return cmocka_run_group_tests_name("infra-addresses", tests, NULL, NULL);
}
