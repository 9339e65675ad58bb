// SPDX-License-Identifier: Apache-2.0
// YAML and JSON as trees: places, types, paths, and what is refused with which words.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/json.h"
#include "base/node.h"

static struct node *parse(struct arena *a, const char *text)
{
	struct findings f = {.arena = a};
	struct node *root = NULL;
	int rc = node_parse_yaml(str_of(text), "x.yaml", &f, &root);
	if (rc < 0) {
		AUTO(buf) problem = {0};
		finding_text(f.first, &problem);
		fail_msg("%s", buf_cstr(&problem));
	}
	return root;
}

// All findings of a text, one a line.
static void assert_findings(struct str text, const char *expected)
{
	AUTO(arena) a = {0};
	AUTO(buf) all = {0};
	struct findings f = {.arena = &a};
	struct node *root = NULL;
	assert_int_equal(node_parse_yaml(text, "x.yaml", &f, &root), ERR_INVALID);
	for (const struct finding *finding = f.first; finding; finding = finding->next) {
		AUTO(buf) line = {0};
		finding_text(finding, &line);
		buf_add(&all, buf_str(&line));
		buf_add_char(&all, '\n');
	}
	assert_string_equal(buf_cstr(&all), expected);
}

static void assert_at(const struct node *n, int line, int column)
{
	assert_int_equal(n->at.line, line);
	assert_int_equal(n->at.column, column);
}

// What could be read to its end is there in spite of findings, for the checks that come after.
static void test_tree_in_spite_of_findings(UNUSED void **state)
{
	AUTO(arena) a = {0};
	struct findings f = {.arena = &a};
	struct node *root = NULL;
	assert_int_equal(node_parse_yaml(S("a: 1\nb: 2\na: 3\n"), "x.yaml", &f, &root), ERR_INVALID);
	assert_non_null(root);
	assert_true(str_eq(node_member(root, S("b"))->text, S("2")));
	root = NULL;
	assert_int_equal(node_parse_yaml(S("a: [1\n"), "x.yaml", &f, &root), ERR_INVALID);
	assert_null(root);
}

static void test_tree(UNUSED void **state)
{
	AUTO(arena) a = {0};
	const struct node *root =
		parse(&a, "# first\nclouds:\n  aws-us: {region: us-east-1}\nlist:\n  - one\n  - 'two'\n");
	assert_int_equal(root->type, NODE_MAP);
	assert_int_equal(root->count, 2);
	const struct node *clouds = node_member(root, S("clouds"));
	assert_ptr_equal(clouds, root->first);
	assert_int_equal(clouds->key_at.line, 2);
	assert_int_equal(clouds->key_at.column, 1);
	const struct node *region = node_member(node_member(clouds, S("aws-us")), S("region"));
	assert_int_equal(region->type, NODE_SCALAR);
	assert_true(str_eq(region->text, S("us-east-1")));
	assert_false(region->quoted);
	assert_at(region, 3, 20);
	assert_string_equal(region->at.file, "x.yaml");
	assert_true(str_eq(node_path(region, &a), S("clouds.aws-us.region")));
	const struct node *list = node_member(root, S("list"));
	assert_int_equal(list->type, NODE_LIST);
	assert_int_equal(list->count, 2);
	const struct node *two = list->first->next;
	assert_true(two->quoted);
	assert_at(two, 6, 5);
	assert_at(list->first, 5, 5);
	assert_true(str_eq(node_path(two, &a), S("list[1]")));
	assert_ptr_equal(two->parent, list);
	assert_null(two->next);
	assert_true(str_eq(node_path(root, &a), S("")));
	assert_null(node_member(root, S("absent")));
	assert_null(node_member(list, S("one")));
	assert_null(node_member(NULL, S("one")));
}

static void test_scalars_keep_their_text(UNUSED void **state)
{
	AUTO(arena) a = {0};
	AUTO(buf) out = {0};
	const char *text =
		"[no, on, 1:30, 012, 0x1f, 1_000, .5, +1, 1., 1e3, -0.5, 7, true, True, \"true\", '7', 2001-01-01, "
		"99999999999999999999, -9223372036854775808]";
	AUTO(json) j = node_to_json(parse(&a, text));
	assert_int_equal(json_write(j, &out, NULL), 0);
	assert_string_equal(buf_cstr(&out),
		"[\"no\",\"on\",\"1:30\",\"012\",\"0x1f\",\"1_000\",\".5\",\"+1\",\"1.\",1000.0,-0.5,7,true,"
		"\"True\",\"true\",\"7\",\"2001-01-01\",\"99999999999999999999\",-9223372036854775808]");
}

static void test_nulls_and_blocks(UNUSED void **state)
{
	AUTO(arena) a = {0};
	AUTO(buf) out = {0};
	AUTO(json)
	j = node_to_json(
		parse(&a, "a: ~\nb: null\nc:\nd: \"\"\ne: |\n  one\n  two\nf: >\n  one\n  two\ng: {}\nh: []\n"));
	assert_int_equal(json_write(j, &out, NULL), 0);
	assert_string_equal(buf_cstr(&out), "{\"a\":null,\"b\":null,\"c\":null,\"d\":\"\",\"e\":\"one\\ntwo\\n\",\"f\":"
					    "\"one two\\n\",\"g\":{},\"h\":[]}");
	AUTO(json) none = node_to_json(NULL);
	assert_true(json_is_null(none));
}

static void test_json_is_read_too(UNUSED void **state)
{
	AUTO(arena) a = {0};
	AUTO(buf) out = {0};
	const char *text = "{\"a\":[1,2.5,\"x\\u00fc\\n\",true,null],\"b\":{}}";
	AUTO(json) j = node_to_json(parse(&a, text));
	assert_int_equal(json_write(j, &out, NULL), 0);
	assert_string_equal(buf_cstr(&out), "{\"a\":[1,2.5,\"x\xc3\xbc\\n\",true,null],\"b\":{}}");
}

static void test_empty(UNUSED void **state)
{
	AUTO(arena) a = {0};
	assert_null(parse(&a, ""));
	assert_null(parse(&a, "\n  \n"));
	assert_null(parse(&a, "# only a comment\n"));
	assert_null(parse(&a, "---\n"));
}

static void test_duplicates(UNUSED void **state)
{
	assert_findings(S("a: {x: 1, y: 2, x: 3}\nb: 1\na: 2\nb: 3\nb: 4\n"),
		"x.yaml:1:17: a.x: \"x\" is declared twice; first at x.yaml:1:5; rename or remove one of them\n"
		"x.yaml:3:1: a: \"a\" is declared twice; first at x.yaml:1:1; rename or remove one of them\n"
		"x.yaml:4:1: b: \"b\" is declared twice; first at x.yaml:2:1; rename or remove one of them\n"
		"x.yaml:5:1: b: \"b\" is declared twice; first at x.yaml:2:1; rename or remove one of them\n");
}

static void test_refused_features(UNUSED void **state)
{
	assert_findings(S("a: &x 1\nb: *x\nc: !!str 5\nd: !t [1]\n*x : 3\n"),
		"x.yaml:1:4: a: anchors (&name) are not read; write the value out where it is needed\n"
		"x.yaml:2:4: b: aliases (*name) are not read; write the value out\n"
		"x.yaml:3:4: c: tags (!name) are not read\n"
		"x.yaml:4:4: d: tags (!name) are not read\n"
		"x.yaml:5:1: aliases (*name) are not read; write the value out\n");
	assert_findings(S("a: 1\n---\nb: 2\n"), "x.yaml:2:1: a second document (---) begins; one file is one map\n");
	assert_findings(S("? [1, 2]\n: x\n"), "x.yaml:1:3: a name must be text, not a list or a map\n");
}

static void test_syntax(UNUSED void **state)
{
	assert_findings(S("a: [1\nb: 2\n"), "x.yaml:3:1: a: not YAML: flow sequence without a closing bracket\n");
	assert_findings(S("a: \"x\\q\"\n"), "x.yaml:1:6: a: not YAML: invalid escape 'q' in double-quoted string\n");
}

static void test_bytes(UNUSED void **state)
{
	assert_findings(S("a: x\nb: \x01\n"), "x.yaml:2:4: control character 0x01\n");
	assert_findings(S("a: x\0y\n"), "x.yaml:1:5: control character 0x00\n");
	assert_findings(S("a: \xc3\xbc\nb: \xed\xa0\x80\n"), "x.yaml:2:4: bytes that are no UTF-8\n");
	assert_findings(S("a: \"x\\0\"\n"), "x.yaml:1:4: a: a text with a NUL character or half a character\n");
	assert_findings(S("a: \"x\\ \n y\"\n"), "x.yaml:1:6: blanks behind a backslash at the end of a line\n");
	assert_findings(S("a: \xe2\x82"), "x.yaml:1:4: bytes that are no UTF-8\n");
}

static void repeat(struct buf *b, const char *text, size_t n)
{
	while (n--)
		buf_add(b, str_of(text));
}

static void test_limits(UNUSED void **state)
{
	AUTO(buf) text = {0};
	repeat(&text, "[", NODE_MAX_DEPTH);
	repeat(&text, "]", NODE_MAX_DEPTH);
	AUTO(arena) a = {0};
	const struct node *root = parse(&a, buf_cstr(&text));
	assert_int_equal(root->count, 1);
	buf_clear(&text);
	repeat(&text, "{a: ", 100000);
	struct findings f = {.arena = &a};
	struct node *none = NULL;
	assert_int_equal(node_parse_yaml(buf_str(&text), "x.yaml", &f, &none), ERR_INVALID);
	assert_non_null(strstr(f.first->problem.p, "nested deeper than 64"));
	buf_clear(&text);
	buf_add(&text, S("a: |\n"));
	repeat(&text, " \n", 100001);
	assert_findings(buf_str(&text), "x.yaml:102:1: more than 100 blank lines in a row\n");
	struct str huge = {.p = "", .n = (size_t)NODE_MAX_BYTES + 1};
	assert_findings(huge, "x.yaml: 67108865 bytes; at most 67108864 are read\n");
}

static void test_memory_limit(UNUSED void **state)
{
	AUTO(arena) a = {.limit = 3000};
	AUTO(buf) text = {0};
	repeat(&text, "- x\n", 1000);
	struct findings f = {.arena = &a};
	struct node *root = NULL;
	struct err e = {0};
	assert_int_equal(node_parse_yaml(buf_str(&text), "x.yaml", &f, &root), ERR_INVALID);
	assert_true(f.count >= 1);
	assert_int_equal(findings_err(&f, ERR_INVALID, &e), f.first ? ERR_INVALID : ERR_NO_MEMORY);
	assert_non_null(strstr(e.message, "out of memory"));
}

static void test_json_round_trip(UNUSED void **state)
{
	AUTO(arena) a = {0};
	AUTO(buf) out = {0};
	struct str text = S("{\"a\":[1,-2.5,1.0,\"7\",\"true\",\"\",true,false,null,{}],\"b\":{\"c\":\"x\"}}");
	AUTO(json) j = NULL;
	assert_int_equal(json_parse(text, &j, NULL), 0);
	const struct node *root = node_of_json(j, &a);
	assert_non_null(root);
	assert_true(str_eq(node_path(node_member(node_member(root, S("b")), S("c")), &a), S("b.c")));
	assert_int_equal(root->count, 2);
	assert_at(root, 0, 0);
	AUTO(json) back = node_to_json(root);
	assert_int_equal(json_write(back, &out, NULL), 0);
	assert_true(str_eq(buf_str(&out), text));
	AUTO(json) deep = json_array();
	for (int i = 0; i <= NODE_MAX_DEPTH; i++) {
		json_t *outer = json_array();
		json_array_append_new(outer, deep);
		deep = outer;
	}
	assert_null(node_of_json(deep, &a));
	assert_null(node_of_json(NULL, &a));
	AUTO(arena) small = {.limit = 200};
	assert_null(node_of_json(j, &small));
}

static void test_findings(UNUSED void **state)
{
	AUTO(arena) a = {0};
	struct findings f = {.arena = &a};
	struct err e = {0};
	assert_int_equal(findings_err(&f, ERR_INVALID, &e), 0);
	findings_add(&f, (struct position){.file = "a.yaml", .line = 3, .column = 4}, S("x.y"), S("did you mean z?"),
		"bad %d", 7);
	findings_add(&f, (struct position){0}, S(""), S(""), "worse");
	assert_int_equal(f.count, 2);
	assert_int_equal(findings_err(&f, ERR_CORRUPT, &e), ERR_CORRUPT);
	assert_string_equal(e.message, "a.yaml:3:4: x.y: bad 7; did you mean z? (and 1 more)");
	AUTO(buf) text = {0};
	finding_text(f.last, &text);
	assert_string_equal(buf_cstr(&text), "worse");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tree),
		cmocka_unit_test(test_tree_in_spite_of_findings),
		cmocka_unit_test(test_scalars_keep_their_text),
		cmocka_unit_test(test_nulls_and_blocks),
		cmocka_unit_test(test_json_is_read_too),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_duplicates),
		cmocka_unit_test(test_refused_features),
		cmocka_unit_test(test_syntax),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_memory_limit),
		cmocka_unit_test(test_json_round_trip),
		cmocka_unit_test(test_findings),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
