// SPDX-License-Identifier: Apache-2.0
// XML answers: what is read, and what is refused.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/http/xml.h"

static void test_tree(void **state)
{
	(void)state;
	AUTO(arena) a = {0};
	struct xml *root;
	assert_int_equal(xml_parse(S("<?xml version='1.0'?><s3:List xmlns:s3='u'>\n <K>a&amp;b</K><K>c<!-- x "
				     "-->d</K><E/><P Encoded='true'>"
				     "p</P>mixed<Z><![CDATA[<z>]]></Z> text</s3:List>"),
				 &a, &root, NULL),
		0);
	assert_true(str_eq(root->name, S("List")));
	const struct xml *k = xml_child(root, "K");
	assert_true(str_eq(k->text, S("a&b")));
	k = xml_next(k, "K");
	assert_true(str_eq(k->text, S("cd")));
	assert_null(xml_next(k, "K"));
	assert_int_equal(xml_child(root, "E")->text.n, 0);
	assert_true(xml_child(root, "P")->encoded);
	assert_false(k->encoded);
	assert_true(str_eq(xml_child_text(root, "Z"), S("<z>")));
	assert_int_equal(xml_child_text(root, "absent").n, 0);
	assert_null(xml_child(NULL, "x"));
	assert_true(str_eq(str_trim(root->text), S("mixed text")));
	assert_ptr_equal(k->parent, root);
}

static void check_refused(struct str text, int code, const char *message)
{
	AUTO(arena) a = {0};
	struct xml *root = NULL;
	struct err e = {0};
	assert_int_equal(xml_parse(text, &a, &root, &e), code);
	assert_null(root);
	if (!strstr(e.message, message))
		fail_msg("%s", e.message);
}

static void test_refused(void **state)
{
	(void)state;
	check_refused(S(""), ERR_PROTOCOL, "no element found");
	check_refused(S("<a><b></a>"), ERR_PROTOCOL, "line 1, column 9: mismatched tag");
	check_refused(S("<a/><b/>"), ERR_PROTOCOL, "junk after document element");
	check_refused(S("<a>\xff</a>"), ERR_PROTOCOL, "not well-formed");
	check_refused(S("<a>&b;</a>"), ERR_PROTOCOL, "undefined entity");
	check_refused(S("<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"), ERR_PROTOCOL, "document type");
	check_refused(S("<!DOCTYPE a SYSTEM 'http://x/'><a/>"), ERR_PROTOCOL, "document type");
	check_refused(S("<a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a/>"), ERR_LIMIT, "nested too deep");
}

static void test_many(void **state)
{
	(void)state;
	AUTO(buf) text = {0};
	buf_add(&text, S("<a>"));
	for (int i = 0; i < XML_MAX_ELEMENTS; i++)
		buf_add(&text, S("<b/>"));
	buf_add(&text, S("</a>"));
	check_refused(buf_str(&text), ERR_LIMIT, "too many elements");
	check_refused((struct str){buf_cstr(&text), (size_t)XML_MAX_BYTES + 1}, ERR_LIMIT,
		"at most"); // refused by its size alone
}

static void test_escape(void **state)
{
	(void)state;
	AUTO(buf) out = {0};
	xml_escape(S("a<b>&\"c'"), &out);
	assert_string_equal(buf_cstr(&out), "a&lt;b&gt;&amp;&quot;c'");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tree),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_escape),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
