// SPDX-License-Identifier: Apache-2.0
// XML in (trees, hostile documents) and out (escaping).
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "pocket/xml.h"

static void test_tree(UNUSED void **state)
{
	AUTO(arena) a = {0};
	struct err e = {0};
	struct xml_node *root = NULL;
	struct str text = S("<?xml version=\"1.0\"?><d:Delete xmlns:d=\"x\"> <Object><Key> a &lt;&#x41; </Key></Object>"
			    "<Object><Key><![CDATA[b<]]></Key></Object><Quiet>true</Quiet></d:Delete>");
	assert_int_equal(pocket_xml_parse(text, &a, &root, &e), 0);
	assert_true(str_eq(root->name, S("Delete")));
	assert_true(str_eq(pocket_xml_child_text(root, "Quiet"), S("true")));
	assert_true(str_eq(pocket_xml_child_text(root->first, "Key"), S("a <A")));
	assert_true(str_eq(pocket_xml_child_text(root->first->next, "Key"), S("b<")));
	assert_ptr_equal(root->first->parent, root);
	assert_null(pocket_xml_child(root, "Nothing"));
	assert_null(pocket_xml_child(NULL, "Nothing"));
	assert_int_equal(pocket_xml_child_text(root, "Nothing").n, 0);
}

static void test_hostile_documents(UNUSED void **state)
{
	static const struct str bad[] = {
		S_INIT(""),
		S_INIT("text"),
		S_INIT("<a>"),
		S_INIT("<a></b>"),
		S_INIT("<a:/>"),
		S_INIT("<a/><b/>"),
		S_INIT("<a>\xff</a>"),
		S_INIT("<a>\0</a>"),
		S_INIT("<a>&undefined;</a>"),
		S_INIT("<!DOCTYPE a><a/>"),
		S_INIT("<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>"),
		S_INIT("<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>"),
		S_INIT("<?xml version=\"1.0\" encoding=\"x-none\"?><a>"),
	};
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		AUTO(arena) a = {0};
		struct err e = {0};
		struct xml_node *root = NULL;
		if (pocket_xml_parse(bad[i], &a, &root, &e) != ERR_INVALID || root || !e.message[0])
			fail_msg("document %zu was not refused", i);
	}
}

static void test_bounds(UNUSED void **state)
{
	AUTO(arena) a = {0};
	AUTO(buf) text = {0};
	struct err e = {0};
	struct xml_node *root = NULL;
	for (int i = 0; i < XML_MAX_DEPTH + 1; i++)
		buf_add(&text, S("<a>"));
	for (int i = 0; i < XML_MAX_DEPTH + 1; i++)
		buf_add(&text, S("</a>"));
	assert_int_equal(pocket_xml_parse(buf_str(&text), &a, &root, &e), ERR_INVALID);
	struct arena small = {.limit = 200};
	assert_int_equal(pocket_xml_parse(S("<a><b>1</b><c>2</c><d>3</d></a>"), &small, &root, &e), ERR_NO_MEMORY);
	arena_free(&small);
	buf_clear(&text);
	buf_add(&text, S("<a>"));
	for (int i = 0; i < XML_MAX_ELEMENTS; i++)
		buf_add(&text, S("<b/>"));
	buf_add(&text, S("</a>"));
	assert_int_equal(pocket_xml_parse(buf_str(&text), &a, &root, &e), ERR_INVALID);
	assert_null(root);
}

static void test_writing(UNUSED void **state)
{
	AUTO(buf) out = {0};
	xml_element(&out, "K", S("a<b>&\"c\"\x01\r\n\t\xc3\xa9"));
	xml_number(&out, "N", UINT64_MAX);
	assert_string_equal(
		buf_cstr(&out), "<K>a&lt;b&gt;&amp;&quot;c&quot;&#x1;&#13;\n\t\xc3\xa9</K><N>18446744073709551615</N>");
	assert_true(xml_can_hold(S("a\tb\r\n\xc3\xa9")));
	assert_false(xml_can_hold(S("a\x01")));
	assert_false(xml_can_hold(S("\xef\xbf\xbf")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tree),
		cmocka_unit_test(test_hostile_documents),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_writing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
