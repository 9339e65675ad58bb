// SPDX-License-Identifier: Apache-2.0
// XML of providers with every allocation of ours refused in turn (expat's own are the library's).
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "cloud/http/xml.h"
#include "fail_each.h"

static int act_parse(struct err *e)
{
	AUTO(arena) a = {0};
	struct xml *root = NULL;
	int rc = xml_parse(
		S("<?xml version=\"1.0\"?><List xmlns=\"x\"><Contents><Key>a &amp; b</Key><Size>7</Size></Contents>"
		  "<Contents><Key>c</Key></Contents></List>"),
		&a, &root, e);
	if (rc == 0)
		assert_true(str_eq(xml_child_text(xml_child(root, "Contents"), "Key"), S("a & b")));
	return rc;
}

static int act_escape(struct err *e)
{
	AUTO(buf) out = {0};
	for (int i = 0; i < 100; i++)
		xml_escape(S("<a & \"b\">"), &out);
	return buf_check(&out, e);
}

static void test_each(UNUSED void **state)
{
	fail_each(act_parse);
	fail_each(act_escape);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_each)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
