// SPDX-License-Identifier: Apache-2.0
// Patterns: every form, and that a hostile one takes no time.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/attr.h"
#include "data/select.h"

static void test_matches(void **state)
{
	(void)state;
	static const struct {
		const char *pattern, *name;
		bool matches;
	} rows[] = {
		{"*.txt", "a.txt", true},
		{"*.txt", "deep/er/a.txt", true}, // without '/': the last part
		{"*.txt", "a.txt.gz", false},
		{"a", "a", true},
		{"a", "b/a", true},
		{"a", "a/b", false},
		{"?", "ab", false},
		{"?", "a", true},
		{"a/*", "a/b", true},
		{"a/*", "a/b/c", false},
		{"a/**", "a/b/c", true},
		{"**/b", "a/b", true},
		{"**/x/*.txt", "a/b/x/c.txt", true},
		{"**/x/*.txt", "a/x/b/x/c.txt", true},
		{"**/x/*.txt", "a/x/b/c.txt", false},
		{"**/a*b", "x/a/ab", true},
		{"/a/*", "a/b", true},
		{"a/?", "a//", false},
		{"**", "a/b", true},
		{"*", "", true},
		{"", "", true},
		{"", "a", false},
		{"a*b*c", "axxbyyc", true},
		{"a*b*c", "axxbyy", false},
		{"a/b*/c", "a/bx/c", true},
		{"a/b*/c", "a/bx/y/c", false},
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		if (select_matches(str_of(rows[i].pattern), str_of(rows[i].name)) != rows[i].matches)
			fail_msg("%s on %s", rows[i].pattern, rows[i].name);
	}
}

static void test_takes(void **state)
{
	(void)state;
	const struct str include[] = {S("*.csv"), S("keep/**")}, exclude[] = {S("*.tmp"), S("keep/not.csv")};
	const struct select all = {0}, both = {include, 2, exclude, 2}, only_out = {NULL, 0, exclude, 2};
	assert_true(select_takes(&all, S("anything")));
	assert_true(select_takes(&both, S("x/a.csv")));
	assert_true(select_takes(&both, S("keep/a/b")));
	assert_false(select_takes(&both, S("a.txt")));
	assert_false(select_takes(&both, S("keep/a.tmp"))); // out is out
	assert_false(select_takes(&both, S("keep/not.csv")));
	assert_true(select_takes(&only_out, S("a.txt")));
	assert_false(select_takes(&only_out, S("a.tmp")));
}

static void test_hostile(void **state)
{
	(void)state;
	static char name[1024], pattern[256];
	memset(name, 'a', sizeof(name));
	for (size_t i = 0; i + 2 < sizeof(pattern); i += 2)
		memcpy(pattern + i, i % 4 ? "*a" : "**", 2);
	pattern[sizeof(pattern) - 2] = 'b';
	assert_false(select_matches(str_bytes(pattern, sizeof(pattern) - 1), str_bytes(name, sizeof(name))));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_matches),
		cmocka_unit_test(test_takes),
		cmocka_unit_test(test_hostile),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
