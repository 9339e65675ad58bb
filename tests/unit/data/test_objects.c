// SPDX-License-Identifier: Apache-2.0
// Places as users write them, and ls, cp, cat, rm on them.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <unistd.h>

#include "data/objects.h"
#include "fixture_state.h"
#include "memory_cloud.h"

struct world {
	struct fixture f;
	struct state s;
	struct memory_cloud us, eu;
	struct cloud list[2];
	struct clouds all;
	struct object_env env;
};

static void open_world(struct world *w)
{
	fixture_open_state(&w->f, &w->s);
	memory_cloud_init(&w->us, "aws-us", "aws");
	memory_cloud_init(&w->eu, "gcp-eu", "gcp");
	memory_cloud_bucket(&w->us, "fashion-lake");
	memory_cloud_bucket(&w->us, "raw");
	memory_cloud_bucket(&w->eu, "raw");
	w->list[0] = w->us.cloud;
	w->list[1] = w->eu.cloud;
	w->all = (struct clouds){.items = w->list, .count = 2};
	w->env = (struct object_env){.state = &w->s, .clouds = &w->all};
	fixture_resource(&w->f, &w->s, "bucket/lake on aws-us", json_object(), NULL);
}

static void close_world(struct world *w)
{
	memory_cloud_free(&w->us);
	memory_cloud_free(&w->eu);
	fixture_close_state(&w->f, &w->s);
}

static struct object_place place(struct world *w, const char *text)
{
	struct object_place p;
	assert_ok(&w->f, object_place_parse(&w->f.call, &w->env, str_of(text), &p));
	return p;
}

static void test_places(void **state)
{
	(void)state;
	struct world w;
	struct object_place p;
	open_world(&w);
	p = place(&w, "aws-us:lake/a/b");
	assert_ptr_equal(p.cloud, &w.list[0]);
	assert_str(p.bucket, S("fashion-lake")); // declared
	assert_str(p.key, S("a/b"));
	p = place(&w, "gcp-eu:raw");
	assert_str(p.bucket, S("raw")); // as the provider calls it
	assert_str(p.key, S(""));
	p = place(&w, "./file:with/colon");
	assert_null(p.cloud);
	assert_str(p.key, S("./file:with/colon"));
	p = place(&w, "file:///tmp/x");
	assert_null(p.cloud);
	assert_str(p.key, S("/tmp/x"));
	assert_fails(&w.f, object_place_parse(&w.f.call, &w.env, S("nowhere:lake/a"), &p), ERR_NOT_FOUND);
	assert_fails(&w.f, object_place_parse(&w.f.call, &w.env, S("aws-us:"), &p), ERR_INVALID);
	assert_fails(&w.f, object_place_parse(&w.f.call, &w.env, S(""), &p), ERR_INVALID);
	close_world(&w);
}

static void test_list(void **state)
{
	(void)state;
	static const char *const keys[] = {"a", "b/1", "b/2", "b/c/3", "d", "e", "f"};
	struct world w;
	struct object_row *rows;
	size_t count;
	open_world(&w);
	for (size_t i = 0; i < COUNT_OF(keys); i++)
		memory_cloud_poke(&w.us, "raw", keys[i], str_of(keys[i]));
	struct object_place p = place(&w, "aws-us:raw");
	assert_ok(&w.f, objects_list(&w.f.call, &p, false, &rows, &count));
	assert_int_equal(count, 5); // b/ is one row; pages of three are all read
	assert_ok(&w.f, objects_list(&w.f.call, &p, true, &rows, &count));
	assert_int_equal(count, 7);
	p = place(&w, "aws-us:raw/b/");
	assert_ok(&w.f, objects_list(&w.f.call, &p, false, &rows, &count));
	assert_int_equal(count, 3);
	p = place(&w, "file.txt");
	assert_fails(&w.f, objects_list(&w.f.call, &p, false, &rows, &count), ERR_NOT_FOUND);
	close_world(&w);
}

static void test_copy(void **state)
{
	(void)state;
	struct world w;
	struct copy_result r;
	open_world(&w);
	fixture_write(&w.f, "in.txt", S("hello"));
	struct object_place file = place(&w, fixture_path(&w.f, "in.txt")), bucket = place(&w, "aws-us:lake/up/");
	assert_ok(&w.f, objects_copy(&w.f.call, &w.env, &file, &bucket, &r));
	assert_str(memory_cloud_peek(&w.us, "fashion-lake", "up/in.txt"), S("hello"));
	struct object_place from = place(&w, "aws-us:lake/up/in.txt"), other = place(&w, "gcp-eu:raw/x");
	assert_ok(&w.f, objects_copy(&w.f.call, &w.env, &from, &other, &r));
	assert_str(memory_cloud_peek(&w.eu, "raw", "x"), S("hello"));
	struct object_place out = place(&w, fixture_path(&w.f, "out.txt"));
	assert_ok(&w.f, objects_copy(&w.f.call, &w.env, &other, &out, &r));
	assert_int_equal(r.bytes, 5);
	assert_str(fixture_read(&w.f, "out.txt"), S("hello"));
	assert_int_equal(fixture_events(&w.f, &w.s, "transfer.done", NULL), 3);
	struct object_place missing = place(&w, "aws-us:lake/none"), kept = place(&w, fixture_path(&w.f, "kept"));
	assert_fails(&w.f, objects_copy(&w.f.call, &w.env, &missing, &kept, &r), ERR_NOT_FOUND);
	assert_false(file_exists(fixture_path(&w.f, "kept")));
	assert_fails(&w.f, objects_copy(&w.f.call, &w.env, &file, &out, &r), ERR_UNSUPPORTED);
	close_world(&w);
}

static void test_cat_and_remove(void **state)
{
	(void)state;
	struct world w;
	uint64_t removed = 99;
	int ends[2];
	char text[16] = "";
	open_world(&w);
	memory_cloud_poke(&w.us, "raw", "images/a", S("alpha"));
	memory_cloud_poke(&w.us, "raw", "images/b", S("b"));
	memory_cloud_poke(&w.us, "raw", "images-old/a", S("a"));
	struct object_place a = place(&w, "aws-us:raw/images/a"), images = place(&w, "aws-us:raw/images"),
			    whole = place(&w, "aws-us:raw");
	assert_int_equal(pipe(ends), 0);
	assert_ok(&w.f, objects_cat(&w.f.call, &a, 0, 0, ends[1]));
	assert_int_equal(read(ends[0], text, sizeof(text)), 5);
	assert_string_equal(text, "alpha");
	close(ends[0]);
	close(ends[1]);
	assert_fails(&w.f, objects_remove(&w.f.call, &images, false, &removed), ERR_NOT_FOUND);
	assert_fails(&w.f, objects_remove(&w.f.call, &whole, false, &removed), ERR_INVALID);
	assert_int_equal(removed, 99);
	assert_ok(&w.f, objects_remove(&w.f.call, &images, true, &removed));
	assert_int_equal(removed, 2);
	assert_int_equal(memory_cloud_count(&w.us, "raw", ""), 1);
	close_world(&w);
}

// A download that was cut goes on where it ended, of the same version only, and never into a wrong whole.
static void test_download_goes_on(void **state)
{
	(void)state;
	struct world w;
	struct object whole;
	struct copy_result r;
	open_world(&w);
	memory_cloud_poke(&w.us, "raw", "big", S("0123456789"));
	struct object_place from = place(&w, "aws-us:raw/big"), to = place(&w, fixture_path(&w.f, "big"));
	assert_ok(&w.f, CLOUD_CALL(&w.f.call, from.cloud, store, head, from.bucket, from.key, &whole));
	struct str partial = object_partial(&w.f.arena, to.key, &whole);
	const char *name = strrchr(partial.p, '/') + 1;
	fixture_write(&w.f, name, S("0123"));
	assert_ok(&w.f, objects_copy(&w.f.call, &w.env, &from, &to, &r));
	assert_int_equal(r.bytes, 10);
	assert_str(fixture_read(&w.f, "big"), S("0123456789"));
	assert_int_equal(access(partial.p, F_OK), -1);
	// What is wrong is noticed at the end, and the next run begins anew.
	fixture_write(&w.f, name, S("wrong"));
	assert_fails(&w.f, objects_copy(&w.f.call, &w.env, &from, &to, &r), ERR_CORRUPT);
	assert_int_equal(access(partial.p, F_OK), -1);
	fixture_write(&w.f, name, S("0123456789 and too much"));
	assert_ok(&w.f, objects_copy(&w.f.call, &w.env, &from, &to, &r));
	assert_str(fixture_read(&w.f, "big"), S("0123456789"));
	// Another version is another file.
	memory_cloud_poke(&w.us, "raw", "big", S("abcdefghij"));
	fixture_write(&w.f, name, S("0123"));
	assert_ok(&w.f, objects_copy(&w.f.call, &w.env, &from, &to, &r));
	assert_str(fixture_read(&w.f, "big"), S("abcdefghij"));
	// An empty object, and one that is not there.
	memory_cloud_poke(&w.us, "raw", "none", S(""));
	from = place(&w, "aws-us:raw/none");
	assert_ok(&w.f, objects_copy(&w.f.call, &w.env, &from, &to, &r));
	assert_str(fixture_read(&w.f, "big"), S(""));
	from = place(&w, "aws-us:raw/absent");
	assert_fails(&w.f, objects_copy(&w.f.call, &w.env, &from, &to, &r), ERR_NOT_FOUND);
	struct object_row row;
	assert_fails(&w.f, objects_head(&w.f.call, &from, &row), ERR_NOT_FOUND);
	assert_ok(&w.f, objects_head(&w.f.call, &to, &row));
	assert_int_equal(row.size, 0);
	close_world(&w);
}

static void test_list_folder(void **state)
{
	(void)state;
	struct world w;
	struct object_row *rows;
	size_t count;
	open_world(&w);
	fixture_write(&w.f, "list/b", S("22"));
	fixture_write(&w.f, "list/a/c", S("1"));
	struct object_place p = place(&w, fixture_path(&w.f, "list"));
	assert_ok(&w.f, objects_list(&w.f.call, &p, false, &rows, &count));
	assert_int_equal(count, 2);
	assert_str(rows[0].name, str_of(fixture_path(&w.f, "list/a/")));
	assert_int_equal(rows[0].modified_ns, 0);
	assert_int_equal(rows[1].size, 2);
	assert_ok(&w.f, objects_list(&w.f.call, &p, true, &rows, &count));
	assert_int_equal(count, 2);
	assert_str(rows[0].name, str_of(fixture_path(&w.f, "list/a/c")));
	p = place(&w, fixture_path(&w.f, "list/b"));
	assert_ok(&w.f, objects_list(&w.f.call, &p, false, &rows, &count));
	assert_int_equal(count, 1);
	p = place(&w, fixture_path(&w.f, "none"));
	assert_fails(&w.f, objects_list(&w.f.call, &p, false, &rows, &count), ERR_NOT_FOUND);
	close_world(&w);
}

static int open_toy(struct call *c, void *ctx, struct str name, const struct cloud **out)
{
	if (!str_eq(name, S("s3")) && !str_eq(name, S("own")))
		return call_fail(c, ERR_NOT_FOUND, "no %.*s", STR(name));
	*out = ctx;
	return 0;
}

// Without a workspace: no state, no clouds of its own.
static void test_schemes(void **state)
{
	(void)state;
	struct world w;
	struct object_place p;
	open_world(&w);
	const struct object_env env = {.open = open_toy, .open_ctx = &w.us.cloud};
	assert_ok(&w.f, object_place_parse(&w.f.call, &env, S("s3://raw/a/b:c"), &p));
	assert_ptr_equal(p.cloud, &w.us.cloud);
	assert_str(p.bucket, S("raw"));
	assert_str(p.key, S("a/b:c"));
	assert_ok(&w.f, object_place_parse(&w.f.call, &env, S("own:raw/a"), &p));
	assert_ptr_equal(p.cloud, &w.us.cloud);
	assert_fails(&w.f, object_place_parse(&w.f.call, &env, S("gs://raw/a"), &p), ERR_NOT_FOUND);
	assert_fails(&w.f, object_place_parse(&w.f.call, &env, S("s3:///a"), &p), ERR_INVALID);
	assert_fails(&w.f, object_place_parse(&w.f.call, &env, S("ftp://raw/a"), &p), ERR_INVALID);
	assert_true(object_place_is_named(S("aws-us:lake/a")));
	assert_false(object_place_is_named(S("s3://lake/a")));
	assert_false(object_place_is_named(S("./a:b")));
	assert_false(object_place_is_named(S("file:///a")));
	// Copies are made, and counted by nobody.
	struct copy_result r;
	memory_cloud_poke(&w.us, "raw", "x", S("bytes"));
	struct object_place from, to;
	assert_ok(&w.f, object_place_parse(&w.f.call, &env, S("s3://raw/x"), &from));
	assert_ok(&w.f, object_place_parse(&w.f.call, &env, S("own:raw/y/"), &to));
	assert_ok(&w.f, objects_copy(&w.f.call, &env, &from, &to, &r));
	assert_str(memory_cloud_peek(&w.us, "raw", "y/x"), S("bytes"));
	close_world(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_download_goes_on),
		cmocka_unit_test(test_list_folder),
		cmocka_unit_test(test_schemes),
		cmocka_unit_test(test_copy),
		cmocka_unit_test(test_cat_and_remove),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
