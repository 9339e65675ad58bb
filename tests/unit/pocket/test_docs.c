// SPDX-License-Identifier: Apache-2.0
// Documents of a pocket's services: kept, found again, listed in pages, and what is refused.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "pocket/docs.h"
#include "pocket/pocket_impl.h"

static char folder[64];
static struct pocket pocket;

static void open_docs(void)
{
	struct err e = {0};
	assert_int_equal(docs_open(folder, &pocket.docs, &e), 0);
}

static void open_again(void)
{
	docs_close(pocket.docs);
	open_docs();
}

static int setup(UNUSED void **state)
{
	snprintf(folder, sizeof(folder), "/tmp/isobar-test-docs-XXXXXX");
	assert_non_null(mkdtemp(folder));
	pocket.name = folder;
	open_docs();
	return 0;
}

static int teardown(UNUSED void **state)
{
	docs_close(pocket.docs);
	return file_remove_tree(folder, NULL);
}

static void put(const char *collection, struct str name, int64_t n)
{
	struct err e = {0};
	AUTO(json) j = json_pack("{s:I}", "n", (json_int_t)n);
	if (docs_put(&pocket, collection, name, j, &e) < 0)
		fail_msg("%s", e.message);
}

static int64_t get(const char *collection, struct str name)
{
	struct err e = {0};
	const json_t *doc = docs_get(&pocket, collection, name, &e);
	assert_int_equal(e.code, 0);
	return doc ? json_int(doc, "n", -2) : -1;
}

static void test_kept(UNUSED void **state)
{
	put("a/jobs", S("one"), 1);
	put("a/jobs", S("one"), 2);
	put("a/other", S("one"), 3);
	assert_int_equal(get("a/jobs", S("one")), 2);
	assert_int_equal(get("a/other", S("one")), 3);
	assert_int_equal(get("a/jobs", S("two")), -1);
	open_again();
	assert_int_equal(get("a/jobs", S("one")), 2);
	assert_int_equal(get("a/other", S("one")), 3);
}

static void test_a_copy_is_kept(UNUSED void **state)
{
	struct err e = {0};
	AUTO(json) j = json_pack("{s:i}", "n", 1);
	assert_int_equal(docs_put_durable(&pocket, "a", S("x"), j, &e), 0);
	json_object_set_new(j, "n", json_integer(9));
	assert_int_equal(get("a", S("x")), 1);
}

// Names that are no names of files, and ones that are too long for it.
static void test_names(UNUSED void **state)
{
	char long_name[1000];
	memset(long_name, 'x', sizeof(long_name));
	const struct str names[] = {S("arn:aws:x/../../y"), S(".."), S("."), S("a b%2e"), S("\xc3\xa4"), S("@x"),
		str_bytes(long_name, 1000), str_bytes(long_name, 999), S("UPPER"), S("upper")};
	for (size_t i = 0; i < COUNT_OF(names); i++)
		put("names", names[i], (int64_t)i);
	open_again();
	for (size_t i = 0; i < COUNT_OF(names); i++)
		assert_int_equal(get("names", names[i]), i);
	size_t count = 0;
	assert_int_equal(docs_count(&pocket, "names", &count, NULL), 0);
	assert_int_equal(count, COUNT_OF(names));
}

static void test_refused(UNUSED void **state)
{
	struct err e = {0};
	AUTO(json) j = json_object();
	char long_name[1001];
	memset(long_name, 'x', sizeof(long_name));
	assert_int_equal(docs_put(&pocket, "a", S(""), j, &e), ERR_INVALID);
	assert_int_equal(docs_put(&pocket, "a", str_bytes(long_name, 1001), j, &e), ERR_INVALID);
	assert_int_equal(docs_put(&pocket, "a", S("x\0y"), j, &e), ERR_INVALID);
	const char *const collections[] = {"", "/a", "a/", "a//b", "../a", "a/../b", "a b"};
	for (size_t i = 0; i < COUNT_OF(collections); i++) {
		assert_int_equal(docs_put(&pocket, collections[i], S("x"), j, &e), ERR_INVALID);
		err_clear(&e);
		assert_null(docs_get(&pocket, collections[i], S("x"), &e));
		assert_int_equal(e.code, ERR_INVALID);
	}
	assert_int_equal(docs_delete(&pocket, "a", S("x"), &e), ERR_NOT_FOUND);
}

static void test_deleted(UNUSED void **state)
{
	struct err e = {0};
	put("a", S("x"), 1);
	assert_int_equal(docs_delete(&pocket, "a", S("x"), &e), 0);
	assert_int_equal(get("a", S("x")), -1);
	assert_int_equal(docs_delete(&pocket, "a", S("x"), &e), ERR_NOT_FOUND);
	open_again();
	assert_int_equal(get("a", S("x")), -1);
}

static void test_pages(UNUSED void **state)
{
	struct docs_row rows[3];
	size_t count = 0;
	bool more = false;
	const char *const names[] = {"b/2", "a/9", "b/1", "b/3", "c/1", "b/4"};
	for (size_t i = 0; i < COUNT_OF(names); i++)
		put("list", str_of(names[i]), (int64_t)i);
	struct docs_cursor from = {.collection = "list", .prefix = S("b/")};
	assert_int_equal(docs_list(&pocket, &from, rows, 3, &count, &more), 0);
	assert_int_equal(count, 3);
	assert_true(more);
	assert_true(str_eq(rows[0].name, S("b/1")) && str_eq(rows[2].name, S("b/3")));
	assert_int_equal(json_int(rows[0].doc, "n", -1), 2);
	from.after = rows[2].name;
	assert_int_equal(docs_list(&pocket, &from, rows, 3, &count, &more), 0);
	assert_int_equal(count, 1);
	assert_false(more);
	assert_true(str_eq(rows[0].name, S("b/4")));
	from = (struct docs_cursor){.collection = "list", .after = S("b/25")}; // need not be there
	assert_int_equal(docs_list(&pocket, &from, rows, 1, &count, &more), 0);
	assert_true(count == 1 && more && str_eq(rows[0].name, S("b/3")));
	from = (struct docs_cursor){.collection = "none"};
	assert_int_equal(docs_list(&pocket, &from, rows, 3, &count, &more), 0);
	assert_true(count == 0 && !more);
}

// A torn file costs its document and no other; what a killed writer left is no document.
static void test_torn(UNUSED void **state)
{
	char path[128];
	struct err e = {0};
	put("a", S("good"), 1);
	snprintf(path, sizeof(path), "%s/docs/a/torn.json", folder);
	assert_int_equal(file_write_atomic(path, S("{\"name\": \"torn\", \"do"), 0600, &e), 0);
	snprintf(path, sizeof(path), "%s/docs/a/late.json.partial", folder);
	assert_int_equal(file_write_atomic(path, S("{\"name\": \"late\", \"doc\": {}}"), 0600, &e), 0);
	open_again();
	assert_int_equal(get("a", S("good")), 1);
	assert_int_equal(get("a", S("torn")), -1);
	assert_int_equal(get("a", S("late")), -1);
	put("a", S("torn"), 2);
	assert_int_equal(get("a", S("torn")), 2);
}

// A folder that cannot be written: the document stays as it was.
static void test_no_folder(UNUSED void **state)
{
	char path[128];
	struct err e = {0};
	AUTO(json) j = json_object();
	snprintf(path, sizeof(path), "%s/docs", folder);
	assert_int_equal(file_write_atomic(path, S("in the way"), 0600, &e), 0);
	assert_true(docs_put(&pocket, "a", S("x"), j, &e) < 0);
	assert_non_null(strstr(e.message, "keep x in a"));
	unlink(path);
	assert_int_equal(docs_put(&pocket, "a", S("x"), j, &e), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_copy_is_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(test_names, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_deleted, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pages, setup, teardown),
		cmocka_unit_test_setup_teardown(test_torn, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_folder, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
