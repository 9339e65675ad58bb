// SPDX-License-Identifier: Apache-2.0
// Formatting: exact cases, and over made-up texts in every style that it changes nothing that counts and is done after
// one go.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "infra/format.h"

static int format(struct str text, struct buf *out)
{
	AUTO(arena) arena = {0};
	struct findings f = {.arena = &arena};
	struct err e = {0};
	return format_yaml(text, "x.yaml", &f, out, &e);
}

static void becomes(const char *text, const char *expected)
{
	AUTO(buf) once = {0};
	AUTO(buf) twice = {0};
	assert_int_equal(0, format(str_of(text), &once));
	assert_string_equal(expected, buf_cstr(&once));
	assert_int_equal(0, format(buf_str(&once), &twice));
	assert_string_equal(expected, buf_cstr(&twice));
}

static void test_indentation(void **state)
{
	(void)state;
	becomes("a:\n    b: 1\n    c:\n          d: 2\n", "a:\n  b: 1\n  c:\n    d: 2\n");
	becomes("a:\n- 1\n-   2\n- b: 1\n  c: 2\n", "a:\n  - 1\n  - 2\n  - b: 1\n    c: 2\n");
	becomes("a:\n    - - x\n      - y\n    -\n        z: 1\n", "a:\n  - - x\n    - y\n  -\n    z: 1\n");
	becomes("- a:\n   - b\n-   c: 1\n    d: 2\n", "- a:\n    - b\n- c: 1\n  d: 2\n");
}

static void test_blanks(void **state)
{
	(void)state;
	becomes("\n\na:    1   \n\n\n\nb:  2\n\n", "a: 1\n\nb: 2\n");
	becomes("a: 1", "a: 1\n");
	becomes("a: 1\r\nb:\r\n    c: 2\r\n", "a: 1\nb:\n  c: 2\n");
	becomes("", "");
	becomes("# only a word\n", "# only a word\n");
	becomes("a: {b : 1 ,c:  [ 1,2 , 3 ],  \"d\":'x  y' }\n", "a: {b : 1, c: [1, 2, 3], \"d\":'x  y'}\n");
	becomes("a: [http://x/y:1, it's, \"a , b\", x y  z]\n", "a: [http://x/y:1, it's, \"a , b\", x y  z]\n");
	becomes("a: 'it''s  {x }'  \nb: \"\\\"  { \"\n", "a: 'it''s  {x }'\nb: \"\\\"  { \"\n");
}

static void test_lining_up(void **state)
{
	(void)state;
	becomes("c:\n   aws-us:   {a: 1}\n   gcp:      {b: 1}\n   x: 1\n", "c:\n  aws-us: {a: 1}\n  gcp:    {b: 1}\n  x: 1\n");
	becomes("a:   1\nbb: 2\n", "a: 1\nbb: 2\n");
	becomes("a:  1\nbb: 2\n", "a:  1\nbb: 2\n");
	becomes("a:  1\n\nbb: 2\n", "a: 1\n\nbb: 2\n");
	becomes("\xc3\xa9:  1\nbb: 2\n", "\xc3\xa9:  1\nbb: 2\n");
}

static void test_comments(void **state)
{
	(void)state;
	becomes("#one\na: 1 # two\nb:       # three\n        # four\n        c: 2     # five\n# six\n",
		"#one\na: 1 # two\nb:       # three\n  # four\n  c: 2           # five\n# six\n");
	becomes("a: 1# no comment\nb: \"x # y\" # z\nc: [a, # in\n    b]\n", "a: 1# no comment\nb: \"x # y\" # z\nc: [a, # in\n    b]\n");
	becomes("a:\n    b: 1\n    # of b\nc: 2\n", "a:\n  b: 1\n  # of b\nc: 2\n");
	becomes("a:\n    b: 1\n# of c\nc: 2\n", "a:\n  b: 1\n# of c\nc: 2\n");
}

static void test_texts_of_several_lines(void **state)
{
	(void)state;
	becomes("a:\n    b: |\n        one  \n\n          two # no comment\n    c: >-   # folded\n      x\n      y\n\n\nd: 1\n",
		"a:\n  b: |\n      one  \n\n        two # no comment\n  c: >-     # folded\n    x\n    y\n\n\nd: 1\n");
	becomes("a: long\n  text  here\nb: \"two\n    lines\"\n", "a: long\n  text  here\nb: \"two\n    lines\"\n");
	becomes("a:\n    b: [1,\n        2,\n\n        3]\n", "a:\n  b: [1,\n      2,\n\n      3]\n");
}

static void test_what_is_no_yaml(void **state)
{
	(void)state;
	AUTO(arena) arena = {0};
	AUTO(buf) out = {0};
	struct findings f = {.arena = &arena};
	struct err e = {0};
	assert_int_equal(ERR_INVALID, format_yaml(S("a: [1\n"), "x.yaml", &f, &out, &e));
	assert_non_null(strstr(e.message, "x.yaml:"));
	assert_int_equal(ERR_INVALID, format_yaml(S("a: 1\na: 2\n"), "x.yaml", &f, &out, &e));
	assert_int_equal(0, out.n);
}

static void test_the_same(void **state)
{
	(void)state;
	static const struct {
		const char *a, *b;
		bool same;
	} cases[] = {
		{"a: {b: 1, c: [x]}", "a:\n  b:  1\n  c:\n  - x", true},
		{"a: 1", "a: \"1\"", false},
		{"a: 1", "b: 1", false},
		{"a: [1]", "a: [1, 2]", false},
		{"a:", "a: {}", false},
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		AUTO(arena) arena = {0};
		struct findings f = {.arena = &arena};
		struct node *a, *b;
		assert_int_equal(0, node_parse_yaml(str_of(cases[i].a), "a", &f, &a));
		assert_int_equal(0, node_parse_yaml(str_of(cases[i].b), "b", &f, &b));
		assert_int_equal(cases[i].same, format_same(a, b));
		assert_false(format_same(a, NULL));
	}
}

// ---------------------------------------------------------------- made-up texts
struct maker {
	struct buf *out;
	uint64_t seed;
	int names, comments;
};

static unsigned dice(struct maker *m, unsigned sides)
{
	m->seed = m->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned)(m->seed >> 33) % sides;
}

static void some_blanks(struct maker *m, int n)
{
	for (; n > 0; n--)
		buf_add_char(m->out, ' ');
}

static const char *const plains[] = {"1", "x", "it's", "a b  c", "30d", "true", "~", "http://h:1/p?q", "0..1", "a#b", "-x", "5%",
	"\xc3\xa9t\xc3\xa9"};
static const char *const quoted[] = {"\"a: b\"", "'it''s # not'", "\"\\\"{ ,\"", "\"\"", "'[x,  y]'", "\"${var.x}\""};

static void make_flow(struct maker *m, int depth)
{
	unsigned what = dice(m, depth > 3 ? 2 : 4);
	if (what == 0) {
		buf_add(m->out, str_of(quoted[dice(m, COUNT_OF(quoted))]));
		return;
	}
	if (what == 1) {
		buf_add(m->out, str_of(plains[dice(m, COUNT_OF(plains))]));
		return;
	}
	buf_add_char(m->out, what == 2 ? '[' : '{');
	unsigned count = dice(m, 4);
	for (unsigned i = 0; i < count; i++) {
		some_blanks(m, (int)dice(m, 3));
		if (what == 3) {
			buf_printf(m->out, "k%d:", m->names++);
			some_blanks(m, 1 + (int)dice(m, 2));
		}
		make_flow(m, depth + 1);
		some_blanks(m, (int)dice(m, 2));
		if (i + 1 < count)
			buf_add(m->out, dice(m, 2) ? S(",") : S(", "));
	}
	some_blanks(m, (int)dice(m, 2));
	buf_add_char(m->out, what == 2 ? ']' : '}');
}

static void end_line(struct maker *m, bool value)
{
	if (value && dice(m, 4) == 0)
		buf_printf(m->out, "%*s# word %d {", 1 + (int)dice(m, 9), "", m->comments++);
	else if (dice(m, 6) == 0)
		some_blanks(m, (int)dice(m, 4));
	buf_add_char(m->out, '\n');
}

static void between(struct maker *m, int indent)
{
	unsigned what = dice(m, 8);
	if (what == 0)
		buf_add(m->out, dice(m, 2) ? S("\n") : S("\n\n\n"));
	if (what == 1) {
		some_blanks(m, indent);
		buf_printf(m->out, "# line: %d\n", m->comments++);
	}
}

static void make_literal(struct maker *m, int indent)
{
	buf_add(m->out, dice(m, 2) ? S(" |") : S(" >-"));
	buf_add_char(m->out, '\n');
	int inner = indent + 1 + (int)dice(m, 4);
	for (unsigned i = 1 + dice(m, 3); i > 0; i--) {
		some_blanks(m, inner);
		buf_add(m->out, dice(m, 2) ? S("some: text  # and more") : S("- {words"));
		buf_add_char(m->out, '\n');
		if (i > 1 && dice(m, 3) == 0)
			buf_add_char(m->out, '\n');
	}
}

static void make_block(struct maker *m, int indent, int depth);

// The value of a member or item that began at `indent`.
static void make_value(struct maker *m, int indent, int depth)
{
	unsigned what = dice(m, depth > 4 ? 2 : 6);
	if (what == 2) {
		make_literal(m, indent);
		return;
	}
	if (what > 2) {
		end_line(m, true);
		make_block(m, indent + 1 + (int)dice(m, 4), depth + 1);
		return;
	}
	some_blanks(m, 1 + (int)dice(m, 3) * (int)dice(m, 2));
	make_flow(m, 0);
	end_line(m, true);
}

static void make_block(struct maker *m, int indent, int depth)
{
	bool list = depth > 0 && dice(m, 3) == 0;
	for (unsigned i = 1 + dice(m, 4); i > 0; i--) {
		between(m, indent);
		some_blanks(m, indent);
		if (!list) {
			buf_printf(m->out, dice(m, 9) ? "name%d:" : "\"n%d\":", m->names++);
			make_value(m, indent, depth);
			continue;
		}
		int gap = 1 + (int)dice(m, 3);
		buf_add_char(m->out, '-');
		some_blanks(m, gap);
		if (dice(m, 2)) {
			make_flow(m, 0);
			end_line(m, true);
		} else {
			buf_printf(m->out, "name%d:", m->names++);
			make_value(m, indent + 1 + gap, depth + 1);
		}
	}
}

// All "# ..." of comments, in order: made-up texts number them.
static void take_comments(struct str text, struct buf *out)
{
	struct str line;
	while (str_next(&text, '\n', &line)) {
		ptrdiff_t word = str_find(line, S("# word ")), own = str_find(line, S("# line: "));
		if (word >= 0 || own >= 0)
			buf_printf(out, "%.*s\n", STR(str_trim(str_drop(line, (size_t)(word >= 0 ? word : own)))));
	}
}

static void test_nothing_that_counts_changes(void **state)
{
	(void)state;
	size_t formatted = 0;
	for (uint64_t seed = 1; seed <= 400; seed++) {
		AUTO(arena) arena = {0};
		AUTO(buf) text = {0};
		AUTO(buf) once = {0};
		AUTO(buf) twice = {0};
		AUTO(buf) before = {0};
		AUTO(buf) after = {0};
		struct findings f = {.arena = &arena};
		struct err e = {0};
		struct node *a, *b;
		struct maker m = {.out = &text, .seed = seed * 7919};
		make_block(&m, 0, 0);
		if (node_parse_yaml(buf_str(&text), "made", &f, &a) < 0)
			continue; // not every made-up text is YAML
		if (format_yaml(buf_str(&text), "made", &f, &once, &e) < 0)
			fail_msg("seed %d: %s\n%s", (int)seed, e.message, buf_cstr(&text));
		formatted++;
		assert_int_equal(0, node_parse_yaml(buf_str(&once), "made", &f, &b));
		assert_true(format_same(a, b));
		assert_int_equal(0, format(buf_str(&once), &twice));
		if (!str_eq(buf_str(&once), buf_str(&twice)))
			fail_msg("seed %d is not done in one go:\n%s-----\n%s-----\n%s", (int)seed, buf_cstr(&text), buf_cstr(&once),
				buf_cstr(&twice));
		take_comments(buf_str(&text), &before);
		take_comments(buf_str(&once), &after);
		assert_string_equal(buf_cstr(&before), buf_cstr(&after));
	}
	assert_true(formatted > 300);
}

// ---------------------------------------------------------------- the command
static int run_command(const char *folder, bool check)
{
	char *argv[] = {"isobar", "fmt", check ? "--check" : "--", (char *)(uintptr_t)folder, NULL};
	static const struct command *const commands[] = {&format_command};
	return command_main(commands, 1, 4, argv, NULL);
}

static void test_the_command(void **state)
{
	(void)state;
	char folder[] = "/tmp/isobar-fmt-XXXXXX", path[64];
	struct err e = {0};
	AUTO(buf) text = {0};
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/a.yaml", folder);
	assert_int_equal(0, file_write_atomic(path, S("a:\n    b: 1\n"), 0640, &e));
	assert_int_equal(1, run_command(folder, true));
	assert_int_equal(0, file_read(path, 100, &text, &e));
	assert_string_equal("a:\n    b: 1\n", buf_cstr(&text));
	assert_int_equal(0, run_command(folder, false));
	buf_clear(&text);
	assert_int_equal(0, file_read(path, 100, &text, &e));
	assert_string_equal("a:\n  b: 1\n", buf_cstr(&text));
	assert_int_equal(0, run_command(folder, true));
	assert_int_equal(0, file_write_atomic(path, S("a: [\n"), 0640, &e));
	assert_int_equal(err_exit_code(ERR_INVALID), run_command(folder, true));
	assert_int_equal(0, file_remove_tree(folder, &e));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_indentation),
		cmocka_unit_test(test_blanks),
		cmocka_unit_test(test_lining_up),
		cmocka_unit_test(test_comments),
		cmocka_unit_test(test_texts_of_several_lines),
		cmocka_unit_test(test_what_is_no_yaml),
		cmocka_unit_test(test_the_same),
		cmocka_unit_test(test_nothing_that_counts_changes),
		cmocka_unit_test(test_the_command),
	};
	return cmocka_run_group_tests_name("infra-format", tests, NULL, NULL);
}
