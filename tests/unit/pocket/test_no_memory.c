// SPDX-License-Identifier: Apache-2.0
// The object store with every allocation refused in turn: each act fails as a whole or succeeds as a whole.
#include "objects_fixture.h"

#include <unistd.h>

#include "failing_malloc.h"

// Runs act() with the n-th allocation and all later ones refused, for every n until none is.
static void with_every_failure(int (*act)(struct err *e), void (*check)(bool done))
{
	for (size_t n = 0; n < 10000; n++) {
		struct err e = {0};
		failing_malloc_after(n);
		int rc = act(&e);
		bool refused = failing_malloc_stop();
		if (rc != 0 && rc != ERR_NO_MEMORY)
			fail_msg("after %zu allocations: %d: %s", n, rc, e.message);
		check(rc == 0);
		if (!refused) {
			assert_int_equal(rc, 0);
			return;
		}
	}
	fail_msg("it never ends");
}

static int put(struct err *e)
{
	struct writer *w = NULL;
	struct object *object = NULL;
	struct pair pairs[] = {{S("content-type"), S("text/plain")}};
	struct record draft = {.key = S("a"), .properties = {.items = pairs, .count = 1}};
	int rc = writer_begin(fixture.store, HASH_CRC32C, 0, &w, e);
	if (rc == 0) {
		rc = writer_add(w, S("new"), e);
		assert_int_equal(rc, 0); // allocates nothing
		rc = objects_put(fixture.bucket, w, &draft, &object, e);
	}
	return rc;
}

static void check_put(bool done)
{
	fixture_assert_bytes(S("a"), done ? S("new") : S("old"));
	fixture_put(S("a"), S("old"));
}

static void test_put(UNUSED void **state)
{
	fixture_put(S("a"), S("old"));
	with_every_failure(put, check_put);
	fixture_restart();
	fixture_assert_bytes(S("a"), S("old"));
}

static int compose(struct err *e)
{
	struct assembly *as = NULL;
	struct object *object = NULL;
	struct record draft = {.key = S("whole")};
	int rc = assembly_begin(fixture.bucket, &as, e);
	for (int i = 0; i < 20 && rc == 0; i++)
		rc = assembly_add_object(as, objects_find(fixture.bucket, S("part")), 0, 4, e);
	if (rc == 0)
		return objects_put_assembly(as, &draft, &object, e);
	assembly_abandon(as);
	return rc;
}

static void check_compose(bool done)
{
	const struct object *object = objects_find(fixture.bucket, S("whole"));
	assert_true(done == (object != NULL));
	if (done)
		assert_int_equal(object->record->size, 80);
}

static void test_compose(UNUSED void **state)
{
	fixture_put(S("part"), S("part"));
	with_every_failure(compose, check_compose);
}

static int upload(struct err *e)
{
	struct upload *u = NULL;
	struct writer *w = NULL;
	struct record draft = {.key = S("big")}, piece = {.key = S("1")};
	int rc = objects_upload_create(fixture.bucket, &draft, S("up"), &u, e);
	if (rc < 0)
		return rc;
	rc = writer_begin(fixture.store, HASH_CRC32C, 0, &w, e);
	if (rc == 0)
		rc = objects_upload_piece(fixture.bucket, u, w, &piece, e);
	return rc;
}

static void check_upload(bool done)
{
	struct upload *u = objects_upload_find(fixture.bucket, S("up"));
	if (done)
		assert_int_equal(u->count, 1);
	if (u)
		objects_upload_drop(fixture.bucket, u);
	assert_null(objects_upload_find(fixture.bucket, S("up")));
}

static void test_upload(UNUSED void **state)
{
	with_every_failure(upload, check_upload);
}

static int list(struct err *e)
{
	AUTO(arena) a = {0};
	struct objects_page page = {0};
	struct objects_query q = {.delimiter = S("/"), .limit = 2};
	int rc = objects_list_page(fixture.bucket, &q, &a, &page, e);
	if (rc == 0)
		assert_int_equal(page.count, 2);
	return rc;
}

static void check_nothing(UNUSED bool done)
{
}

static void test_list(UNUSED void **state)
{
	fixture_put(S("a"), S("x"));
	fixture_put(S("d/1"), S("x"));
	fixture_put(S("e"), S("x"));
	with_every_failure(list, check_nothing);
}

static json_malloc_t jansson_malloc; // its own, which never fails here
static json_free_t jansson_free;

static int reopen(struct err *e)
{
	struct objects_config config = {.root = fixture.folder, .edges = &fixture.edges.edges, .etag = fixture_etag};
	objects_close(fixture.store);
	fixture.store = NULL;
	int rc = objects_open(&config, &fixture.store, e);
	return rc < 0 ? rc : objects_bucket_find(fixture.store, S("lake"), &fixture.bucket, e);
}

static void check_reopened(bool done)
{
	if (done)
		fixture_assert_bytes(S("a"), S("kept"));
}

static void test_reopen(UNUSED void **state)
{
	fixture_put(S("a"), S("kept"));
	fixture_put(S("b"), S("kept"));
	json_set_alloc_funcs(jansson_malloc, jansson_free); // its reader asserts what only holds with memory
	with_every_failure(reopen, check_reopened);
	json_set_alloc_funcs(failing_malloc, free);
}

static int make_bucket(struct err *e)
{
	struct bucket *b = NULL;
	struct record draft = {.key = S("other")};
	return objects_bucket_create(fixture.store, &draft, &b, e);
}

static void check_bucket(bool done)
{
	struct err e = {0};
	int rc = objects_bucket_delete(fixture.store, S("other"), false, &e);
	assert_int_equal(rc, done ? 0 : ERR_NOT_FOUND);
}

static void test_bucket(UNUSED void **state)
{
	with_every_failure(make_bucket, check_bucket);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(put),
		TEST(compose),
		TEST(upload),
		TEST(list),
		TEST(reopen),
		TEST(bucket),
	};
	json_get_alloc_funcs(&jansson_malloc, &jansson_free);
	json_set_alloc_funcs(failing_malloc, free);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
