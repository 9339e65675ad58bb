// SPDX-License-Identifier: Apache-2.0
// Listings: order, prefix, delimiter, pages of every size.
#include "objects_fixture.h"

static void put_all(const char *const *keys)
{
	for (; *keys; keys++)
		fixture_put(str_of(*keys), S("x"));
}

// All pages as one text: "key key [prefix] key", with "| " between pages.
static const char *list_text(struct objects_query q, struct buf *out)
{
	buf_clear(out);
	for (size_t pages = 0; pages < 100; pages++) {
		AUTO(arena) a = {0};
		struct err e = {0};
		struct objects_page page = {0};
		assert_int_equal(objects_list_page(fixture.bucket, &q, &a, &page, &e), 0);
		assert_true(page.count <= q.limit);
		for (size_t i = 0; i < page.count; i++) {
			const struct objects_entry *x = &page.entries[i];
			if (x->record)
				buf_printf(out, "%.*s ", STR(x->record->key));
			else
				buf_printf(out, "[%.*s] ", STR(x->prefix));
		}
		if (page.next.n == 0)
			return buf_cstr(out);
		buf_add(out, S("| "));
		static char next[2048];
		assert_true(str_copy(next, sizeof(next), page.next));
		q.after = str_of(next);
	}
	fail_msg("a listing does not end: %s", buf_cstr(out));
	return "";
}

static void test_order_is_bytewise(UNUSED void **state)
{
	AUTO(buf) out = {0};
	put_all((const char *const[]){
		"b", "a/b", "a", "B", "a0", "a-", "\xc3\xa9", "\xf0\x9f\x98\x80", "\xef\xbf\xbd", NULL});
	struct objects_query q = {.limit = 1000};
	assert_string_equal(list_text(q, &out), "B a a- a/b a0 b \xc3\xa9 \xef\xbf\xbd \xf0\x9f\x98\x80 ");
	fixture_restart();
	assert_string_equal(list_text(q, &out), "B a a- a/b a0 b \xc3\xa9 \xef\xbf\xbd \xf0\x9f\x98\x80 ");
}

static void test_prefix_and_delimiter(UNUSED void **state)
{
	AUTO(buf) out = {0};
	put_all((const char *const[]){"a", "a/1", "a/2", "a/b/1", "a/b/2", "a/c", "a0", "b/1", NULL});
	assert_string_equal(
		list_text((struct objects_query){.prefix = S("a"), .limit = 9}, &out), "a a/1 a/2 a/b/1 a/b/2 a/c a0 ");
	assert_string_equal(
		list_text((struct objects_query){.delimiter = S("/"), .limit = 9}, &out), "a [a/] a0 [b/] ");
	assert_string_equal(list_text((struct objects_query){.prefix = S("a/"), .delimiter = S("/"), .limit = 9}, &out),
		"a/1 a/2 [a/b/] a/c ");
	assert_string_equal(
		list_text((struct objects_query){.prefix = S("a"), .delimiter = S("/b/"), .limit = 9}, &out),
		"a a/1 a/2 [a/b/] a/c a0 ");
	assert_string_equal(list_text((struct objects_query){.prefix = S("z"), .limit = 9}, &out), "");
}

static void test_pages_of_every_size(UNUSED void **state)
{
	AUTO(buf) out = {0};
	put_all((const char *const[]){"a", "b/1", "b/2", "c", "d/1", "d/2", "e", NULL});
	struct objects_query q = {.delimiter = S("/"), .limit = 1};
	assert_string_equal(list_text(q, &out), "a | [b/] | c | [d/] | e ");
	q.limit = 2;
	assert_string_equal(list_text(q, &out), "a [b/] | c [d/] | e ");
	q.limit = 5;
	assert_string_equal(list_text(q, &out), "a [b/] c [d/] e ");
	q = (struct objects_query){.limit = 3};
	assert_string_equal(list_text(q, &out), "a b/1 b/2 | c d/1 d/2 | e ");
	q.limit = 0;
	assert_string_equal(list_text(q, &out), "");
}

static void test_start_points(UNUSED void **state)
{
	AUTO(buf) out = {0};
	put_all((const char *const[]){"a", "b/1", "b/2", "c", NULL});
	assert_string_equal(list_text((struct objects_query){.after = S("a"), .limit = 9}, &out), "b/1 b/2 c ");
	assert_string_equal(list_text((struct objects_query){.after = S("aa"), .limit = 9}, &out), "b/1 b/2 c ");
	assert_string_equal(list_text((struct objects_query){.from = S("b/2"), .limit = 9}, &out), "b/2 c ");
	assert_string_equal(
		list_text((struct objects_query){.from = S("b"), .until = S("c"), .limit = 9}, &out), "b/1 b/2 ");
	assert_string_equal(list_text((struct objects_query){.after = S("z"), .limit = 9}, &out), "");
	// S3's first listing goes on behind a common prefix by naming it.
	assert_string_equal(
		list_text((struct objects_query){.after = S("b/"), .delimiter = S("/"), .limit = 9}, &out), "c ");
	assert_string_equal(
		list_text((struct objects_query){.after = S("b/1"), .delimiter = S("/"), .limit = 9}, &out), "[b/] c ");
	assert_string_equal(
		list_text((struct objects_query){.prefix = S("b"), .after = S("a"), .limit = 9}, &out), "b/1 b/2 ");
}

static void test_many_objects_in_pages(UNUSED void **state)
{
	char key[32];
	for (int i = 0; i < 700; i++) {
		snprintf(key, sizeof(key), "k%03d", (i * 37) % 700);
		fixture_put(str_of(key), S(""));
	}
	AUTO(arena) a = {0};
	struct err e = {0};
	struct objects_query q = {.limit = 64};
	int seen = 0;
	for (;;) {
		struct objects_page page = {0};
		assert_int_equal(objects_list_page(fixture.bucket, &q, &a, &page, &e), 0);
		for (size_t i = 0; i < page.count; i++) {
			snprintf(key, sizeof(key), "k%03d", seen++);
			assert_true(str_eq(page.entries[i].record->key, str_of(key)));
		}
		if (page.next.n == 0)
			break;
		q.after = page.next;
	}
	assert_int_equal(seen, 700);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(order_is_bytewise),
		TEST(prefix_and_delimiter),
		TEST(pages_of_every_size),
		TEST(start_points),
		TEST(many_objects_in_pages),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
