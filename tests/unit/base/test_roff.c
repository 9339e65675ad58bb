// SPDX-License-Identifier: Apache-2.0
// Manual pages: what troff would misread is escaped, and pages are written whole.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/roff.h"

static char *text;
static size_t size;

static FILE *begin(void)
{
	FILE *out = open_memstream(&text, &size);
	assert_non_null(out);
	return out;
}

static void expect(FILE *out, const char *wanted)
{
	assert_int_equal(fclose(out), 0);
	assert_string_equal(text, wanted);
	free(text);
}

static void test_what_troff_would_misread(UNUSED void **state)
{
	FILE *out = begin();
	roff_text(S(".TH is a macro, 'so too"), out);
	roff_text(S("line\n.and \\n[x] --flag"), out);
	roff_words(S(""), out);
	expect(out, "\\&.TH is a macro, 'so too\nline\n\\&.and \\en[x] \\-\\-flag\n");
	out = begin();
	roff_text(S("'quoted"), out);
	expect(out, "\\&'quoted\n");
}

static void test_forms(UNUSED void **state)
{
	FILE *out = begin();
	roff_title("isobar-data-ls", 1, out);
	roff_section("NAME", out);
	roff_example(S("isobar a\nisobar b\n"), out);
	expect(out, ".TH \"ISOBAR-DATA-LS\" 1 \"\" \"isobar " ISOBAR_VERSION
		    "\" \"Isobar\"\n.SH NAME\n.RS 4\n.nf\nisobar a\nisobar b\n.fi\n.RE\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_troff_would_misread),
		cmocka_unit_test(test_forms),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
