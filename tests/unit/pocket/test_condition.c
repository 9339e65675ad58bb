// SPDX-License-Identifier: Apache-2.0
// Conditions as a truth table: RFC 9110 13.2.2's order, and generations.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/time.h"
#include "pocket/condition.h"

static struct record current(void)
{
	return (struct record){.etag = S("e1"),
		.modified_ns = INT64_C(1795000000) * NS_PER_S + 500,
		.generation = 7,
		.metageneration = 2};
}

#define SINCE(field, s) .has_##field = true, .field##_ns = (INT64_C(1795000000) + (s)) * NS_PER_S
#define NUMBER(v)                                                                                                      \
	{                                                                                                              \
		.set = true, .value = (v)                                                                              \
	}

static void test_table(UNUSED void **state)
{
	static const struct {
		struct condition c;
		enum condition_result there, absent;
	} cases[] = {
		{{.if_match = S_INIT("")}, CONDITION_HOLDS, CONDITION_HOLDS},
		{{.if_match = S_INIT("\"e1\"")}, CONDITION_HOLDS, CONDITION_ABSENT},
		{{.if_match = S_INIT("e1")}, CONDITION_HOLDS, CONDITION_ABSENT},
		{{.if_match = S_INIT("*")}, CONDITION_HOLDS, CONDITION_ABSENT},
		{{.if_match = S_INIT("\"e2\"")}, CONDITION_FAILED, CONDITION_ABSENT},
		{{.if_match = S_INIT("\"e2\", \"e1\"")}, CONDITION_HOLDS, CONDITION_ABSENT},
		{{.if_none_match = S_INIT("*")}, CONDITION_EXISTS, CONDITION_HOLDS},
		{{.if_none_match = S_INIT("W/\"e1\"")}, CONDITION_NOT_MODIFIED, CONDITION_HOLDS},
		{{.if_none_match = S_INIT("\"e2\"")}, CONDITION_HOLDS, CONDITION_HOLDS},
		{{SINCE(modified_since, 0)}, CONDITION_NOT_MODIFIED, CONDITION_HOLDS}, // within the same second
		{{SINCE(modified_since, -1)}, CONDITION_HOLDS, CONDITION_HOLDS},
		{{SINCE(unmodified_since, 0)}, CONDITION_HOLDS, CONDITION_HOLDS},
		{{SINCE(unmodified_since, -1)}, CONDITION_FAILED, CONDITION_HOLDS},
		{{.if_match = S_INIT("\"e1\""), SINCE(unmodified_since, -1)}, CONDITION_HOLDS,
			CONDITION_ABSENT}, // hidden
		{{.if_none_match = S_INIT("\"e2\""), SINCE(modified_since, 0)}, CONDITION_HOLDS, CONDITION_HOLDS},
		{{.generation_match = NUMBER(0)}, CONDITION_EXISTS, CONDITION_HOLDS},
		{{.generation_match = NUMBER(7)}, CONDITION_HOLDS, CONDITION_FAILED},
		{{.generation_match = NUMBER(8)}, CONDITION_FAILED, CONDITION_FAILED},
		{{.generation_not_match = NUMBER(7)}, CONDITION_NOT_MODIFIED, CONDITION_HOLDS},
		{{.generation_not_match = NUMBER(0)}, CONDITION_HOLDS, CONDITION_NOT_MODIFIED},
		{{.metageneration_match = NUMBER(2)}, CONDITION_HOLDS, CONDITION_FAILED},
		{{.metageneration_match = NUMBER(3)}, CONDITION_FAILED, CONDITION_FAILED},
		{{.metageneration_not_match = NUMBER(2)}, CONDITION_NOT_MODIFIED, CONDITION_HOLDS},
	};
	struct record r = current();
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		if (condition_check(&cases[i].c, &r) != cases[i].there ||
			condition_check(&cases[i].c, NULL) != cases[i].absent)
			fail_msg("row %zu: %d and %d", i, condition_check(&cases[i].c, &r),
				condition_check(&cases[i].c, NULL));
	}
}

static void test_headers(UNUSED void **state)
{
	struct http_header headers[] = {HTTP_HEADER("if-match", "\"a\""),
		HTTP_HEADER("x-amz-copy-source-if-none-match", "\"b\""),
		HTTP_HEADER("if-modified-since", "Thu, 01 Jan 1998 00:00:00 GMT"),
		HTTP_HEADER("if-unmodified-since", "yesterday")};
	struct http_headers h = {.items = headers, .count = COUNT_OF(headers)};
	struct condition c = {0};
	condition_read(&h, "", &c);
	assert_true(str_eq(c.if_match, S("\"a\"")));
	assert_int_equal(c.if_none_match.n, 0);
	assert_true(c.has_modified_since);
	assert_int_equal(c.modified_since_ns, INT64_C(883612800) * NS_PER_S);
	assert_false(c.has_unmodified_since); // no date: as if it were not there
	condition_read(&h, "x-amz-copy-source-", &c);
	assert_int_equal(c.if_match.n, 0);
	assert_true(str_eq(c.if_none_match, S("\"b\"")));
	assert_false(c.has_modified_since);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_headers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
