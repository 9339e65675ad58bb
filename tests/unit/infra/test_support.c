// SPDX-License-Identifier: Apache-2.0
// The page of what works where: marks by the best record, and by none at all.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "infra/support.h"

static char folder[64];

static int setup(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/isobar-test-support-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	return file_remove_tree(folder, NULL);
}

static void put(const char *name, const char *text)
{
	char path[128];
	struct err e = {0};
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	assert_int_equal(file_write_atomic(path, str_of(text), 0600, &e), 0);
}

#define RECORD(kind, verdict)                                                                                          \
	"{\"format\": 1, \"isobar\": \"0.1.0\", \"provider\": \"aws\", \"region\": \"us-east-1\", \"kind\": \"" kind   \
	"\", \"server\": \"a server\", \"date\": \"2026-11-24\", \"cases\": [{\"part\": \"store\", \"name\": "         \
	"\"put it\", \"verdict\": \"ok\"}, {\"part\": \"store\", \"name\": \"get it\", \"verdict\": \"" verdict        \
	"\"}], \"calls\": [{\"operation\": \"PutObject\"}]}"

static struct str page(struct buf *out)
{
	struct err e = {0};
	buf_clear(out);
	if (support_write(folder, out, &e))
		fail_msg("%s", e.message);
	return buf_str(out);
}

static void expect(struct str text, const char *line)
{
	if (str_find(text, str_of(line)) < 0)
		fail_msg("no line \"%s\" in:\n%.*s", line, STR(text));
}

static void test_marks(void **state)
{
	(void)state;
	AUTO(buf) out = {0};
	struct str text = page(&out);
	expect(text, "**No record of a real account is here yet.**");
	expect(text, "| store | untested | untested | untested |");
	put("1.json", RECORD("pocket", "ok"));
	put("notes.txt", "nothing");
	text = page(&out);
	expect(text, "| store | own pocket cloud only | untested | untested |");
	expect(text, "| identity | untested | untested | untested |");
	put("2.json", RECORD("server", "failed"));
	text = page(&out);
	expect(text, "| store | own pocket cloud only | untested | untested |"); // a failure earns no mark
	expect(text, "| aws | a server | others' emulator | 2026-11-24 | 1 | get it | - |");
	put("2.json", RECORD("server", "skipped"));
	text = page(&out);
	expect(text, "| store | others' emulator | untested | untested |");
	expect(text, "| aws | a server | others' emulator | 2026-11-24 | 1 | - | get it |");
	put("3.json", RECORD("account", "ok"));
	text = page(&out);
	expect(text, "| store | **real account** | untested | untested |");
	expect(text, "| PutObject | s3:PutObject | store | yes | refused the second time, then looked at | **real "
		     "account** |");
	expect(text, "| GetObject | s3:GetObject | store | no | changes nothing | untested |");
	assert_true(str_find(text, S("No record of a real account")) < 0);
}

static void test_refused(void **state)
{
	(void)state;
	AUTO(buf) out = {0};
	struct err e = {0};
	assert_int_equal(support_write("/nonexistent", &out, &e), ERR_NOT_FOUND);
	put("bad.json", "{\"format\": 2}");
	assert_int_equal(support_write(folder, &out, &e), ERR_INVALID);
	assert_string_equal(e.message, "bad.json is no record of this format");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(test_marks, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
