// SPDX-License-Identifier: Apache-2.0
// Records found by index and by trace, over several segments; what is not there is an empty answer, what is damaged an error.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "fixture.h"
#include "base/file.h"
#include "security/audit_find.h"

enum { RECORDS = 60, SEGMENT = 4096 };

static void fill(struct fixture *f)
{
	struct audit *log = NULL;
	uint64_t ticket = 0;
	const struct audit_options options = {
		.folder = fixture_path(f, "log"), .writer = S("gateway/edge"), .segment_bytes = SEGMENT, .edges = f->call.edges};
	assert_ok(f, audit_open(&options, &log, &f->call.err));
	for (int i = 0; i < RECORDS; i++) {
		struct audit_event event = {.kind = S("request"),
			.principal = arena_printf(&f->arena, "api-key/k%d", i),
			.trace = arena_printf(&f->arena, "%032x", i / 3)};
		assert_ok(f, audit_append(log, &event, &ticket, &f->call.err));
		assert_ok(f, audit_commit(log, &ticket, &f->call.err));
	}
	audit_close(log);
}

static json_t *find(struct fixture *f, uint64_t index, const char *trace, size_t most)
{
	json_t *out = NULL;
	const struct audit_query q = {fixture_path(f, "log"), index, str_of(trace), most};
	assert_ok(f, audit_find(&f->call, &q, &out));
	return json_in_arena(&f->arena, out);
}

static void test_found(UNUSED void **state)
{
	struct fixture f;
	fixture_open(&f);
	fill(&f);
	for (uint64_t i = 0; i < RECORDS; i++) {
		const json_t *found = find(&f, i, "", 5), *line = json_array_get(found, 0);
		assert_int_equal(json_array_size(found), 1);
		assert_int_equal(json_int(line, "index", -1), (int64_t)i);
	}
	const json_t *traced = find(&f, UINT64_MAX, "0000000000000000000000000000000a", 5);
	assert_int_equal(json_array_size(traced), 3);
	assert_string_equal(json_text(json_object_get(json_array_get(traced, 0), "body"), "principal"), "api-key/k30");
	assert_int_equal(json_array_size(find(&f, UINT64_MAX, "0000000000000000000000000000000a", 2)), 2);
	assert_int_equal(json_array_size(find(&f, 100000, "", 5)), 0);
	assert_int_equal(json_array_size(find(&f, UINT64_MAX, "ff", 5)), 0);
	fixture_close(&f);
}

static void test_absent_and_damaged(UNUSED void **state)
{
	struct fixture f;
	json_t *out = NULL;
	fixture_open(&f);
	assert_int_equal(json_array_size(find(&f, 1, "", 5)), 0); // no log yet
	fill(&f);
	assert_ok(&f, file_write_atomic(fixture_path(&f, "log/00000000000000000000.jsonl"), S("{\"index\":7,\"prev\n"), 0600, &f.call.err));
	const struct audit_query q = {fixture_path(&f, "log"), 7, S(""), 5};
	assert_int_equal(audit_find(&f.call, &q, &out), ERR_CORRUPT);
	assert_non_null(strstr(f.call.err.message, "00000000000000000000.jsonl"));
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_found),
		cmocka_unit_test(test_absent_and_damaged),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
