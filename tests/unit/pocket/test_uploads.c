// SPDX-License-Identifier: Apache-2.0
// Uploads in parts, blocks that are committed again, objects composed of objects, resumable uploads; across restarts.
#include "objects_fixture.h"

#include <dirent.h>
#include <unistd.h>

static size_t count_files(const char *folder)
{
	char path[256];
	snprintf(path, sizeof(path), "%s/%s", fixture.folder, folder);
	DIR *dir = opendir(path);
	size_t n = 0;
	assert_non_null(dir);
	for (const struct dirent *entry = readdir(dir); entry; entry = readdir(dir))
		n += entry->d_name[0] != '.';
	closedir(dir);
	return n;
}

static struct upload *begin(struct str id)
{
	struct err e = {0};
	struct upload *u = NULL;
	struct pair metadata[] = {{S("who"), S("me")}};
	struct record draft = {.key = S("big"), .metadata = {.items = metadata, .count = 1}};
	assert_int_equal(objects_upload_create(fixture.bucket, &draft, id, &u, &e), 0);
	return u;
}

static void put_piece(struct upload *u, struct str name, struct str data)
{
	struct err e = {0};
	struct record draft = {.key = name};
	if (objects_upload_piece(fixture.bucket, u, fixture_writer(data), &draft, &e) < 0)
		fail_msg("%s", e.message);
}

static struct object *complete(struct upload *u, const char *const *names)
{
	struct err e = {0};
	struct assembly *as = NULL;
	struct object *object = NULL;
	struct record draft = {.key = u->record->key, .metadata = u->record->metadata, .etag = S("multi-2")};
	assert_int_equal(assembly_begin(fixture.bucket, &as, &e), 0);
	for (; *names; names++)
		assert_int_equal(assembly_add_upload(as, u, upload_piece_find(u, str_of(*names)), &e), 0);
	if (objects_put_assembly(as, &draft, &object, &e) < 0)
		fail_msg("%s", e.message);
	return object;
}

static void assert_crcs(const struct digests *d, struct str whole)
{
	assert_int_equal(d->have, HASH_CRC32 | HASH_CRC32C | HASH_CRC64NVME);
	struct hasher *h = NULL;
	struct digests expected;
	assert_int_equal(hasher_begin(d->have, &h, NULL), 0);
	hasher_add(h, whole);
	hasher_finish(h, &expected);
	hasher_free(h);
	assert_int_equal(d->crc32, expected.crc32);
	assert_int_equal(d->crc32c, expected.crc32c);
	assert_int_equal(d->crc64nvme, expected.crc64nvme);
}

static void test_parts_become_an_object(UNUSED void **state)
{
	struct upload *u = begin(S(""));
	assert_int_equal(strlen(u->id), 32);
	put_piece(u, S("00002"), S("world"));
	put_piece(u, S("00001"), S("HELLO "));
	put_piece(u, S("00001"), S("hello ")); // the last one wins
	assert_int_equal(u->count, 2);
	assert_null(upload_piece_find(u, S("00003")));
	struct object *object = complete(u, (const char *const[]){"00001", "00002", NULL});
	assert_true(str_eq(object->record->etag, S("multi-2")));
	assert_crcs(&object->record->digests, S("hello world"));
	objects_upload_drop(fixture.bucket, u);
	fixture_assert_bytes(S("big"), S("hello world"));
	assert_int_equal(count_files("buckets/lake/uploads"), 0);
	fixture_restart();
	fixture_assert_bytes(S("big"), S("hello world"));
	assert_true(str_eq(pairs_get(&objects_find(fixture.bucket, S("big"))->record->metadata, S("who")), S("me")));
}

static void test_ranges_over_pieces(UNUSED void **state)
{
	struct err e = {0};
	struct upload *u = begin(S(""));
	put_piece(u, S("1"), S("012"));
	put_piece(u, S("2"), S(""));
	put_piece(u, S("3"), S("3456"));
	put_piece(u, S("4"), S("789"));
	struct object *object = complete(u, (const char *const[]){"1", "2", "3", "4", NULL});
	for (uint64_t from = 0; from <= 10; from++)
		for (uint64_t n = 0; from + n <= 10; n++) {
			AUTO(buf) got = {0};
			assert_int_equal(object_read(object, from, n, &got, &e), 0);
			assert_int_equal(got.n, n);
			assert_memory_equal(buf_cstr(&got), &"0123456789"[from], n);
		}
	assert_int_equal(object->refs, 1);
}

static void test_reader_keeps_replaced_pieces(UNUSED void **state)
{
	struct err e = {0};
	struct object_range range;
	struct object_extent extent;
	struct upload *u = begin(S(""));
	put_piece(u, S("1"), S("abc"));
	put_piece(u, S("2"), S("def"));
	assert_int_equal(object_range_open(&range, complete(u, (const char *const[]){"1", "2", NULL}), 0, 6, &e), 0);
	fixture_put(S("big"), S("new"));
	assert_int_equal(count_files("buckets/lake/pieces"), 1);
	size_t extents = 0;
	do {
		assert_int_equal(object_range_next(&range, &extent, &e), 0);
		extents += extent.length > 0;
	} while (extent.length);
	assert_int_equal(extents, 2);
	object_range_close(&range);
	assert_int_equal(count_files("buckets/lake/pieces"), 0);
	fixture_assert_bytes(S("big"), S("new"));
}

// Blocks as Azure has them: a second commit takes some committed ones again.
static void test_committed_pieces_are_taken_again(UNUSED void **state)
{
	struct err e = {0};
	struct assembly *as = NULL;
	struct object *object = NULL;
	struct upload *u = begin(S("blocks-1"));
	put_piece(u, S("AA=="), S("one "));
	put_piece(u, S("AB=="), S("two "));
	object = complete(u, (const char *const[]){"AA==", "AB==", NULL});
	objects_upload_drop(fixture.bucket, u);
	assert_true(str_eq(object->record->pieces[1].name, S("AB==")));
	u = begin(S("blocks-1"));
	put_piece(u, S("AC=="), S("three"));
	assert_int_equal(assembly_begin(fixture.bucket, &as, &e), 0);
	assert_int_equal(assembly_add_piece(as, object, 1, &e), 0);
	assert_int_equal(assembly_add_upload(as, u, upload_piece_find(u, S("AC==")), &e), 0);
	assert_int_equal(assembly_add_piece(as, object, 1, &e), 0); // twice is allowed
	assert_int_equal(assembly_size(as), 13);
	assert_int_equal(assembly_digests(as)->have, 0);
	struct record draft = {.key = S("big")};
	assert_int_equal(objects_put_assembly(as, &draft, &object, &e), 0);
	objects_upload_drop(fixture.bucket, u);
	fixture_assert_bytes(S("big"), S("two threetwo "));
	assert_int_equal(count_files("buckets/lake/pieces"), 1);
	fixture_restart();
	fixture_assert_bytes(S("big"), S("two threetwo "));
}

static void test_objects_are_composed(UNUSED void **state)
{
	struct err e = {0};
	struct assembly *as = NULL;
	struct object *object = NULL;
	struct record draft = {.key = S("c")};
	fixture_put(S("a"), S("0123"));
	fixture_put(S("b"), S("4567"));
	assert_int_equal(assembly_begin(fixture.bucket, &as, &e), 0);
	assert_int_equal(assembly_add_object(as, objects_find(fixture.bucket, S("a")), 0, 4, &e), 0);
	assert_int_equal(assembly_add_object(as, objects_find(fixture.bucket, S("b")), 0, 4, &e), 0);
	assert_int_equal(objects_put_assembly(as, &draft, &object, &e), 0);
	assert_crcs(&object->record->digests, S("01234567"));
	// A part of an object of pieces, over their border.
	assert_int_equal(assembly_begin(fixture.bucket, &as, &e), 0);
	assert_int_equal(assembly_add_object(as, object, 2, 4, &e), 0);
	draft.key = S("d");
	assert_int_equal(objects_put_assembly(as, &draft, &object, &e), 0);
	assert_int_equal(objects_delete(fixture.bucket, S("a"), &e), 0);
	assert_int_equal(objects_delete(fixture.bucket, S("b"), &e), 0);
	fixture_restart();
	fixture_assert_bytes(S("c"), S("01234567"));
	fixture_assert_bytes(S("d"), S("2345"));
}

static void test_failed_assembly_leaves_nothing(UNUSED void **state)
{
	struct err e = {0};
	struct assembly *as = NULL;
	struct object *object = NULL;
	struct record draft = {.key = S("")};
	fixture_put(S("a"), S("x"));
	assert_int_equal(assembly_begin(fixture.bucket, &as, &e), 0);
	assert_int_equal(assembly_add_object(as, objects_find(fixture.bucket, S("a")), 0, 1, &e), 0);
	assert_int_equal(objects_put_assembly(as, &draft, &object, &e), ERR_INVALID);
	assert_int_equal(count_files("buckets/lake/pieces"), 0);
	assert_int_equal(count_files("tmp"), 0);
}

static void test_orphan_pieces_are_swept(UNUSED void **state)
{
	struct err e = {0};
	struct assembly *as = NULL;
	fixture_put(S("a"), S("x"));
	assert_int_equal(assembly_begin(fixture.bucket, &as, &e), 0);
	assert_int_equal(assembly_add_object(as, objects_find(fixture.bucket, S("a")), 0, 1, &e), 0);
	assert_int_equal(count_files("buckets/lake/pieces"), 1); // killed here
	fixture_restart();
	assert_int_equal(count_files("buckets/lake/pieces"), 0);
	assembly_abandon(as);
}

static void test_uploads_survive_a_restart(UNUSED void **state)
{
	struct err e = {0};
	struct upload *u = begin(S("up-1"));
	put_piece(u, S("1"), S("abc"));
	assert_int_equal(objects_upload_create(fixture.bucket, u->record, S("up-1"), &u, &e), ERR_EXISTS);
	assert_int_equal(objects_upload_create(fixture.bucket, u->record, S("../x"), &u, &e), ERR_INVALID);
	fixture_restart();
	u = objects_upload_find(fixture.bucket, S("up-1"));
	assert_non_null(u);
	assert_true(str_eq(u->record->key, S("big")));
	assert_int_equal(u->count, 1);
	assert_int_equal(u->pieces[0]->size, 3);
	assert_true(u->pieces[0]->digests.have & HASH_MD5);
	complete(u, (const char *const[]){"1", NULL});
	fixture_assert_bytes(S("big"), S("abc"));
	objects_upload_drop(fixture.bucket, u);
	fixture_restart();
	assert_null(objects_uploads(fixture.bucket, S("")));
}

static void test_old_uploads_are_dropped(UNUSED void **state)
{
	begin(S("old"));
	fixture.edges.now_ns += 8 * 86400 * NS_PER_S;
	begin(S("young"));
	fixture_restart();
	assert_null(objects_upload_find(fixture.bucket, S("old")));
	assert_non_null(objects_upload_find(fixture.bucket, S("young")));
	assert_int_equal(count_files("buckets/lake/uploads"), 1);
}

static void test_resumable_goes_on_after_a_restart(UNUSED void **state)
{
	struct err e = {0};
	struct writer *w = NULL;
	struct object *object = NULL;
	struct upload *u = begin(S("re-1"));
	assert_int_equal(objects_upload_writer(fixture.bucket, u, HASH_MD5 | HASH_CRC32C, &w, &e), 0);
	assert_int_equal(writer_add(w, S("12345"), &e), 0);
	fixture_restart();
	u = objects_upload_find(fixture.bucket, S("re-1"));
	assert_int_equal(objects_upload_writer(fixture.bucket, u, HASH_MD5 | HASH_CRC32C, &w, &e), 0);
	assert_int_equal(writer_size(w), 5);
	assert_int_equal(writer_add(w, S("6789"), &e), 0);
	assert_int_equal(objects_put(fixture.bucket, upload_take_writer(u), u->record, &object, &e), 0);
	assert_int_equal(object->record->digests.crc32c, 0xe3069283);
	objects_upload_drop(fixture.bucket, u);
	fixture_assert_bytes(S("big"), S("123456789"));
	assert_int_equal(count_files("buckets/lake/uploads"), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(parts_become_an_object),
		TEST(ranges_over_pieces),
		TEST(reader_keeps_replaced_pieces),
		TEST(committed_pieces_are_taken_again),
		TEST(objects_are_composed),
		TEST(failed_assembly_leaves_nothing),
		TEST(orphan_pieces_are_swept),
		TEST(uploads_survive_a_restart),
		TEST(old_uploads_are_dropped),
		TEST(resumable_goes_on_after_a_restart),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
