// SPDX-License-Identifier: Apache-2.0
// The object store on disk: whole puts, hostile keys, buckets, restarts, full disks, readers that outlive a version.
#include "objects_fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
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

static void test_put_and_read(UNUSED void **state)
{
	struct object *object = fixture_put(S("a"), S("hello"));
	assert_int_equal(object->record->size, 5);
	assert_int_equal(object->record->metageneration, 1);
	assert_true(object->record->generation > 0);
	assert_true(str_eq(object->record->etag, S("5d41402abc4b2a76b9719d911017c592")));
	fixture_assert_bytes(S("a"), S("hello"));
	assert_null(objects_find(fixture.bucket, S("b")));
	assert_int_equal(count_files("tmp"), 0);
}

static void test_replacing_gives_a_later_generation(UNUSED void **state)
{
	int64_t first = fixture_put(S("a"), S("one"))->record->generation;
	struct object *second = fixture_put(S("a"), S("two!")); // the fake clock stands still
	assert_true(second->record->generation > first);
	fixture_assert_bytes(S("a"), S("two!"));
	assert_int_equal(count_files("buckets/lake/objects"), 1);
}

static void test_keys_of_all_shapes(UNUSED void **state)
{
	static const struct str keys[] = {S_INIT("../../etc/passwd"), S_INIT("/"), S_INIT("//"), S_INIT("."),
		S_INIT(".."), S_INIT("a"), S_INIT("a/"), S_INIT("a/b"), S_INIT("a/b/c"), S_INIT("a\nb"),
		S_INIT("h\xc3\xa9"), S_INIT("%2e%2e/"), S_INIT("con"), S_INIT("A")};
	char longest[OBJECT_KEY_MAX + 1];
	memset(longest, 'x', sizeof(longest));
	for (size_t i = 0; i < COUNT_OF(keys); i++)
		fixture_put(keys[i], keys[i]);
	fixture_put(str_bytes(longest, OBJECT_KEY_MAX), S("long"));
	fixture_restart();
	for (size_t i = 0; i < COUNT_OF(keys); i++)
		fixture_assert_bytes(keys[i], keys[i]);
	fixture_assert_bytes(str_bytes(longest, OBJECT_KEY_MAX), S("long"));
	assert_int_equal(count_files("buckets/lake/objects"), COUNT_OF(keys) + 1);
	assert_int_equal(count_files("."), 3); // lock, tmp, buckets: nothing escaped
}

static void test_bad_keys_are_refused(UNUSED void **state)
{
	char longer[OBJECT_KEY_MAX + 1];
	memset(longer, 'x', sizeof(longer));
	const struct str bad[] = {S(""), S("a\0b"), S("\xff"), S("\xed\xa0\x80"), str_bytes(longer, sizeof(longer))};
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct err e = {0};
		struct object *object = NULL;
		struct record draft = {.key = bad[i]};
		assert_false(objects_key_valid(bad[i]));
		assert_int_equal(objects_put(fixture.bucket, fixture_writer(S("x")), &draft, &object, &e), ERR_INVALID);
		assert_null(object);
	}
	assert_int_equal(count_files("tmp"), 0);
	assert_int_equal(count_files("buckets/lake/objects"), 0);
}

static void test_delete(UNUSED void **state)
{
	struct err e = {0};
	fixture_put(S("a"), S("x"));
	assert_int_equal(objects_delete(fixture.bucket, S("a"), &e), 0);
	assert_null(objects_find(fixture.bucket, S("a")));
	assert_int_equal(objects_delete(fixture.bucket, S("a"), &e), ERR_NOT_FOUND);
	fixture_restart();
	assert_null(objects_find(fixture.bucket, S("a")));
}

static void test_ranges(UNUSED void **state)
{
	struct err e = {0};
	struct object *object = fixture_put(S("a"), S("0123456789"));
	AUTO(buf) got = {0};
	assert_int_equal(object_read(object, 3, 4, &got, &e), 0);
	assert_string_equal(buf_cstr(&got), "3456");
	buf_clear(&got);
	assert_int_equal(object_read(object, 10, 0, &got, &e), 0);
	assert_int_equal(got.n, 0);
	assert_int_equal(object_read(object, 10, 1, &got, &e), ERR_INVALID);
	assert_int_equal(object_read(object, UINT64_MAX, 2, &got, &e), ERR_INVALID);
	assert_int_equal(object->refs, 1);
}

static void test_reader_keeps_its_version(UNUSED void **state)
{
	struct err e = {0};
	struct object_range range;
	struct object_extent extent;
	char bytes[8] = "";
	assert_int_equal(object_range_open(&range, fixture_put(S("a"), S("old")), 0, 3, &e), 0);
	fixture_put(S("a"), S("new"));
	assert_int_equal(objects_delete(fixture.bucket, S("a"), &e), 0);
	assert_int_equal(object_range_next(&range, &extent, &e), 0);
	assert_int_equal(extent.length, 3);
	assert_int_equal(pread(extent.fd, bytes, 3, (off_t)extent.offset), 3);
	assert_string_equal(bytes, "old");
	assert_int_equal(object_range_next(&range, &extent, &e), 0);
	assert_int_equal(extent.length, 0);
	object_range_close(&range);
	object_range_close(&range); // twice is harmless
}

static void test_properties_survive_a_restart(UNUSED void **state)
{
	struct err e = {0};
	struct object *object = NULL;
	struct pair properties[] = {{S("content-type"), S("text/plain")}}, metadata[] = {{S("Who"), S("me")}};
	struct record draft = {.key = S("a"),
		.properties = {.items = properties, .count = 1},
		.metadata = {.items = metadata, .count = 1}};
	assert_int_equal(objects_put(fixture.bucket, fixture_writer(S("x")), &draft, &object, &e), 0);
	struct digests digests = object->record->digests;
	int64_t generation = object->record->generation;
	fixture_restart();
	const struct record *r = objects_find(fixture.bucket, S("a"))->record;
	assert_true(str_eq(pairs_get(&r->properties, S("content-type")), S("text/plain")));
	assert_true(str_eq(pairs_get(&r->metadata, S("Who")), S("me")));
	assert_memory_equal(&r->digests, &digests, sizeof(digests));
	assert_int_equal(r->generation, generation);
	assert_true(fixture_put(S("a"), S("y"))->record->generation > generation);
}

static void test_update_changes_the_description_alone(UNUSED void **state)
{
	struct err e = {0};
	struct object *old = fixture_put(S("a"), S("bytes")), *object = NULL;
	int64_t generation = old->record->generation, modified = old->record->modified_ns;
	struct pair metadata[] = {{S("k"), S("v")}};
	struct record draft = {.metadata = {.items = metadata, .count = 1}};
	for (int64_t i = 2; i < 5; i++) {
		old = objects_find(fixture.bucket, S("a"));
		assert_int_equal(objects_update(fixture.bucket, old, &draft, &object, &e), 0);
		assert_int_equal(object->record->generation, generation);
		assert_int_equal(object->record->metageneration, i);
		assert_true(object->record->modified_ns > modified);
		fixture_assert_bytes(S("a"), S("bytes"));
	}
	assert_int_equal(count_files("buckets/lake/pieces"), 1);
	fixture_restart();
	fixture_assert_bytes(S("a"), S("bytes"));
	assert_int_equal(objects_delete(fixture.bucket, S("a"), &e), 0);
	assert_int_equal(count_files("buckets/lake/pieces"), 0);
}

static void test_killed_put_leaves_nothing(UNUSED void **state)
{
	struct err e = {0};
	fixture_put(S("a"), S("old"));
	pid_t child = fork();
	if (child == 0) {
		struct writer *w = NULL;
		if (writer_begin(fixture.store, HASH_MD5, 0, &w, &e) == 0 &&
			writer_add(w, S("half of the new"), &e) == 0)
			raise(SIGKILL);
		_exit(1);
	}
	int status = 0;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(count_files("tmp"), 1);
	fixture_restart();
	assert_int_equal(count_files("tmp"), 0);
	fixture_assert_bytes(S("a"), S("old"));
}

static void test_torn_file_is_dropped(UNUSED void **state)
{
	char command_path[256] = "";
	fixture_put(S("a"), S("kept"));
	fixture_put(S("b"), S("will be cut"));
	struct sha256 digest = sha256_of(S("b"));
	char hex[HEX_SHA256_SIZE];
	hex_encode(str_bytes(digest.bytes, SHA256_SIZE), hex);
	snprintf(command_path, sizeof(command_path), "%s/buckets/lake/objects/%s", fixture.folder, hex);
	assert_int_equal(truncate(command_path, 20), 0);
	fixture_restart();
	assert_null(objects_find(fixture.bucket, S("b")));
	fixture_assert_bytes(S("a"), S("kept"));
	assert_false(file_exists(command_path));
}

// In a child: limits of the file size cannot be raised again.
static int put_beyond_the_limit(void)
{
	struct err e = {0};
	struct object *object = NULL;
	struct writer *w = NULL;
	struct record draft = {.key = S("big")};
	static char block[65536];
	struct rlimit limit = {.rlim_cur = 100000, .rlim_max = 100000};
	signal(SIGXFSZ, SIG_IGN);
	if (setrlimit(RLIMIT_FSIZE, &limit) < 0 || writer_begin(fixture.store, HASH_MD5, 0, &w, &e) < 0)
		return 1;
	if (writer_add(w, str_bytes(block, sizeof(block)), &e) < 0 ||
		writer_add(w, str_bytes(block, sizeof(block)), &e) == 0)
		return 2;
	if (writer_size(w) != sizeof(block))
		return 3;
	if (writer_add(w, str_bytes(block, 34464), &e) < 0) // filled to the last byte: no room for the record
		return 4;
	if (objects_put(fixture.bucket, w, &draft, &object, &e) == 0 || objects_find(fixture.bucket, S("big")))
		return 5;
	if (writer_begin(fixture.store, HASH_MD5, INT64_MAX / 2, &w, &e) == 0) // announced to be too big
		return 6;
	return count_files("tmp") == 0 ? 0 : 7;
}

static void test_full_disk_leaves_nothing(UNUSED void **state)
{
	int status = 0;
	pid_t child = fork();
	if (child == 0)
		_exit(put_beyond_the_limit());
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_buckets(UNUSED void **state)
{
	struct err e = {0};
	struct bucket *b = NULL;
	struct record draft = {.key = S("other")};
	assert_int_equal(objects_bucket_create(fixture.store, &draft, &b, &e), 0);
	assert_int_equal(objects_bucket_create(fixture.store, &draft, &b, &e), ERR_EXISTS);
	const struct index_node *node = objects_buckets(fixture.store, S(""));
	assert_true(str_eq(bucket_record(node->value)->key, S("lake")));
	assert_true(str_eq(bucket_record(index_next(node)->value)->key, S("other")));
	assert_int_equal(objects_bucket_find(fixture.store, S("nope"), &b, &e), ERR_NOT_FOUND);
	fixture_put(S("a"), S("x"));
	assert_int_equal(objects_bucket_delete(fixture.store, S("lake"), false, &e), ERR_CONFLICT);
	assert_int_equal(objects_bucket_delete(fixture.store, S("other"), false, &e), 0);
	assert_int_equal(objects_bucket_delete(fixture.store, S("other"), false, &e), ERR_NOT_FOUND);
	fixture_restart();
	assert_null(index_next(objects_buckets(fixture.store, S(""))));
	assert_int_equal(objects_bucket_delete(fixture.store, S("lake"), true, &e), 0);
	assert_int_equal(count_files("buckets"), 0);
	assert_int_equal(count_files("tmp"), 0);
}

static void test_bucket_names_are_checked(UNUSED void **state)
{
	char longer[BUCKET_NAME_MAX + 1];
	memset(longer, 'x', sizeof(longer));
	const struct str bad[] = {S(""), S("."), S(".."), S(".x"), S("a/b"), S("A"), S("a b"), S("a\0"), S("\xc3\xa9"),
		str_bytes(longer, sizeof(longer))};
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct err e = {0};
		struct bucket *b = NULL;
		struct record draft = {.key = bad[i]};
		assert_int_equal(objects_bucket_create(fixture.store, &draft, &b, &e), ERR_INVALID);
	}
	assert_int_equal(count_files("buckets"), 1);
}

static void test_bucket_update_survives_a_restart(UNUSED void **state)
{
	struct err e = {0};
	struct pair metadata[] = {{S("team"), S("data")}};
	struct record draft = {.metadata = {.items = metadata, .count = 1}};
	assert_int_equal(objects_bucket_update(fixture.bucket, &draft, &e), 0);
	fixture_restart();
	const struct record *r = bucket_record(fixture.bucket);
	assert_true(str_eq(pairs_get(&r->metadata, S("team")), S("data")));
	assert_int_equal(r->metageneration, 2);
}

static void test_second_process_is_refused(UNUSED void **state)
{
	struct err e = {0};
	struct objects *again = NULL;
	struct objects_config config = {.root = fixture.folder, .edges = edges_real(), .etag = fixture_etag};
	assert_int_equal(objects_open(&config, &again, &e), ERR_IN_USE);
	assert_non_null(strstr(e.message, fixture.folder));
	assert_null(again);
}

static void test_object_outlives_its_bucket(UNUSED void **state)
{
	struct err e = {0};
	struct object *object = object_ref(fixture_put(S("a"), S("x")));
	assert_int_equal(objects_bucket_delete(fixture.store, S("lake"), true, &e), 0);
	assert_int_equal(object->record->size, 1);
	object_unref(object);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(put_and_read),
		TEST(replacing_gives_a_later_generation),
		TEST(keys_of_all_shapes),
		TEST(bad_keys_are_refused),
		TEST(delete),
		TEST(ranges),
		TEST(reader_keeps_its_version),
		TEST(properties_survive_a_restart),
		TEST(update_changes_the_description_alone),
		TEST(killed_put_leaves_nothing),
		TEST(torn_file_is_dropped),
		TEST(full_disk_leaves_nothing),
		TEST(buckets),
		TEST(bucket_names_are_checked),
		TEST(bucket_update_survives_a_restart),
		TEST(second_process_is_refused),
		TEST(object_outlives_its_bucket),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
