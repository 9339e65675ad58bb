// SPDX-License-Identifier: Apache-2.0
// Sectioned text: what counts, what is passed over, what is refused, and that an error never repeats a line.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/ini.h"

static struct str find(struct str text, struct str section, struct str name)
{
	struct err e = {0};
	struct str value = S("untouched");
	bool there;
	if (ini_find(text, section, name, &value, &there, &e) < 0)
		fail_msg("%s", e.message);
	return value;
}

#define assert_value(text, section, name, wanted)                                                                      \
	do {                                                                                                           \
		struct str got = find(S(text), S(section), S(name));                                                   \
		if (!str_eq(got, S(wanted)))                                                                           \
			fail_msg("[%s] %s is \"%.*s\" instead of \"%s\"", section, name, STR(got), wanted);            \
	} while (0)

static void test_values(void **state)
{
	(void)state;
	assert_value("[default]\naws_access_key_id = AK\n", "default", "aws_access_key_id", "AK");
	assert_value("[default]\r\naws_access_key_id=AK\r\n", "default", "AWS_ACCESS_KEY_ID", "AK");
	assert_value("# c\n; c\n\n[ a b ]\nk = a=b+/ == # no\n", "a b", "k", "a=b+/ ==");
	assert_value("[a]\nk = x#y;z\n", "a", "k", "x#y;z");
	assert_value("[a]\nk = 1\n[b]\nk = 2\n[a]\nk = 3\n", "a", "k", "3");
	assert_value("[a]\nk = 1\n", "b", "k", "");
	assert_value("[a] # why\nk =\n", "a", "k", "");
	// Settings inside of a value are not the section's own.
	assert_value("[a]\ns3 =\n  k = inner\nj = 1\n", "a", "k", "");
	assert_value("[a]\ns3 =\n  k = inner\nj = 1\n", "a", "j", "1");
}

static void test_sections(void **state)
{
	(void)state;
	struct str value;
	bool there = true;
	assert_int_equal(ini_find(S("[a]\n"), S("b"), S("k"), &value, &there, NULL), 0);
	assert_false(there);
	assert_int_equal(ini_find(S("[a]\n[b]\n"), S("b"), S("k"), &value, &there, NULL), 0);
	assert_true(there);
	struct ini ini;
	struct ini_entry entry;
	assert_int_equal(ini_begin(&ini, S("[a]\n\nk = v\n"), NULL), 0);
	assert_int_equal(ini_next(&ini, &entry, NULL), 1);
	assert_int_equal(entry.name.n, 0);
	assert_int_equal(entry.line, 1);
	assert_int_equal(ini_next(&ini, &entry, NULL), 1);
	assert_true(str_eq(entry.section, S("a")) && str_eq(entry.name, S("k")) && str_eq(entry.value, S("v")));
	assert_int_equal(entry.line, 3);
	assert_int_equal(ini_next(&ini, &entry, NULL), 0);
}

static void test_refused(void **state)
{
	(void)state;
	static const struct {
		struct str text;
		const char *part;
	} rows[] = {
		{S_INIT("[a\n"), "line 1: a section is written [NAME]"},
		{S_INIT("[]\n"), "line 1: a section is written [NAME]"},
		{S_INIT("[a] hunter2\n"), "line 1: nothing may stand behind a section's name"},
		{S_INIT("[a]\nhunter2\n"), "line 2 is neither [SECTION] nor NAME = VALUE"},
		{S_INIT("[a]\n= hunter2\n"), "line 2 is neither"},
		{S_INIT("k = hunter2\n"), "line 1 stands before the first [SECTION]"},
		{S_INIT("[a]\nk = hunter2\001\n"), "line 2 has control characters"},
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct err e = {0};
		struct str value = S("untouched");
		bool there;
		assert_int_equal(ini_find(rows[i].text, S("a"), S("k"), &value, &there, &e), ERR_INVALID);
		assert_true(str_eq(value, S("untouched")));
		assert_null(strstr(e.message, "hunter2"));
		if (!strstr(e.message, rows[i].part))
			fail_msg("\"%s\" has no \"%s\"", e.message, rows[i].part);
	}
	char *large = calloc(1, INI_MAX_BYTES + 1);
	struct ini ini;
	assert_int_equal(ini_begin(&ini, str_bytes(large, INI_MAX_BYTES + 1), NULL), ERR_LIMIT);
	free(large);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_sections),
		cmocka_unit_test(test_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
