// SPDX-License-Identifier: Apache-2.0
// Records: packing, JSON and the file format, with files that were cut or altered. Digests against published values.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"
#include "pocket/store/record.h"

static struct pair properties[] = {{S_INIT("content-type"), S_INIT("text/plain")}};
static struct pair metadata[] = {{S_INIT("Name"), S_INIT("h\xc3\xa9")}, {S_INIT("b"), S_INIT("")}};
static struct piece pieces[] = {{S_INIT("00001"), 0, 5}, {S_INIT("00002"), 3, 4}};

static struct record sample(void)
{
	struct record r = {
		.key = S("a/b \xf0\x9f\x98\x80"),
		.size = 9,
		.created_ns = 11,
		.modified_ns = 12,
		.generation = 13,
		.metageneration = 14,
		.etag = S("etag-1"),
		.properties = {.items = properties, .count = 1},
		.metadata = {.items = metadata, .count = 2},
		.folder = S("f00"),
		.pieces = pieces,
		.piece_count = 2,
	};
	struct hasher *h = NULL;
	assert_int_equal(
		hasher_begin(HASH_MD5 | HASH_SHA1 | HASH_SHA256 | HASH_CRC32 | HASH_CRC32C | HASH_CRC64NVME, &h, NULL),
		0);
	hasher_add(h, S("123456"));
	hasher_add(h, S("789"));
	hasher_finish(h, &r.digests);
	hasher_free(h);
	return r;
}

static void assert_same(const struct record *a, const struct record *b)
{
	assert_true(str_eq(a->key, b->key));
	assert_int_equal(a->size, b->size);
	assert_int_equal(a->created_ns, b->created_ns);
	assert_int_equal(a->modified_ns, b->modified_ns);
	assert_int_equal(a->generation, b->generation);
	assert_int_equal(a->metageneration, b->metageneration);
	assert_true(str_eq(a->etag, b->etag));
	assert_memory_equal(&a->digests, &b->digests, sizeof(a->digests));
	assert_int_equal(a->metadata.count, b->metadata.count);
	assert_true(str_eq(pairs_get(&a->properties, S("Content-Type")), S("text/plain")));
	for (size_t i = 0; i < a->metadata.count; i++) {
		assert_true(str_eq(a->metadata.items[i].name, b->metadata.items[i].name));
		assert_true(str_eq(a->metadata.items[i].value, b->metadata.items[i].value));
	}
	assert_true(str_eq(a->folder, b->folder));
	assert_int_equal(a->piece_count, b->piece_count);
	for (size_t i = 0; i < a->piece_count; i++) {
		assert_true(str_eq(a->pieces[i].name, b->pieces[i].name));
		assert_int_equal(a->pieces[i].offset, b->pieces[i].offset);
		assert_int_equal(a->pieces[i].length, b->pieces[i].length);
	}
}

static void test_digests_are_the_published_ones(UNUSED void **state)
{
	struct record r = sample();
	static const struct {
		enum hash_flags which;
		const char *hex;
	} expected[] = {
		{HASH_MD5, "25f9e794323b453885f5181f1b624d0b"},
		{HASH_SHA1, "f7c3bc1d808e04732adf679965ccc34ca7ae3441"},
		{HASH_SHA256, "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225"},
		{HASH_CRC32, "cbf43926"},
		{HASH_CRC32C, "e3069283"},
		{HASH_CRC64NVME, "ae8b14860a799888"},
	};
	for (size_t i = 0; i < COUNT_OF(expected); i++) {
		unsigned char bytes[SHA256_SIZE];
		char hex[HEX_SHA256_SIZE];
		hex_encode(str_bytes(bytes, digests_bytes(&r.digests, expected[i].which, bytes)), hex);
		assert_string_equal(hex, expected[i].hex);
	}
	r.digests.have &= ~(unsigned)HASH_MD5;
	unsigned char none[SHA256_SIZE];
	assert_int_equal(digests_bytes(&r.digests, HASH_MD5, none), 0);
}

static void test_clone_is_the_same_and_its_own(UNUSED void **state)
{
	struct record r = sample();
	struct record *copy = record_clone(&r);
	assert_non_null(copy);
	assert_same(copy, &r);
	assert_ptr_not_equal(copy->key.p, r.key.p);
	record_free(copy);
}

static void test_pairs_grow(UNUSED void **state)
{
	AUTO(arena) a = {0};
	struct pairs p = {0};
	for (size_t i = 0; i < 100; i++)
		assert_int_equal(pairs_add(&p, &a, arena_printf(&a, "n%zu", i), arena_printf(&a, "v%zu", i)), 0);
	assert_int_equal(p.count, 100);
	for (size_t i = 0; i < 100; i++)
		assert_true(str_eq(pairs_get(&p, arena_printf(&a, "N%zu", i)), arena_printf(&a, "v%zu", i)));
	assert_false(pairs_has(&p, S("n100")));
}

// Arrays of others are copied before they change.
static void test_borrowed_pairs_stay(UNUSED void **state)
{
	AUTO(arena) a = {0};
	struct pairs p = {.items = metadata, .count = 2};
	assert_int_equal(pairs_remove(&p, &a, S("Name")), 0);
	assert_int_equal(p.count, 1);
	assert_true(str_eq(metadata[0].name, S("Name")));
	struct pairs q = {.items = properties, .count = 1};
	assert_int_equal(pairs_add(&q, &a, S("x"), S("y")), 0);
	assert_ptr_not_equal(q.items, properties);
	assert_true(str_eq(pairs_get(&q, S("content-type")), S("text/plain")));
	struct pairs none = {0};
	assert_int_equal(pairs_remove(&none, &a, S("x")), 0);
}

static int write_sample(struct record *r, uint64_t data_size)
{
	int fd = memfd_create("record", MFD_CLOEXEC);
	assert_true(fd >= 0);
	for (uint64_t i = 0; i < data_size; i++)
		assert_int_equal(write(fd, "x", 1), 1);
	struct err e = {0};
	assert_int_equal(record_write(fd, r, data_size, &e), 0);
	return fd;
}

static void test_file_round_trip(UNUSED void **state)
{
	AUTO(arena) a = {0};
	struct err e = {0};
	struct record r = sample(), back = {0};
	uint64_t data_size = 0;
	AUTO(fd) fd = write_sample(&r, 9);
	assert_int_equal(record_read(fd, &a, &back, &data_size, &e), 0);
	assert_int_equal(data_size, 9);
	assert_same(&back, &r);
}

// Records longer than the first look at the end of a file.
static void test_long_record(UNUSED void **state)
{
	AUTO(arena) a = {0};
	struct err e = {0};
	struct record r = sample(), back = {0};
	uint64_t data_size = 0;
	for (size_t i = 0; i < 2000; i++)
		assert_int_equal(pairs_add(&r.properties, &a, arena_printf(&a, "name-%zu", i), S("value")), 0);
	AUTO(fd) fd = write_sample(&r, 0);
	assert_int_equal(record_read(fd, &a, &back, &data_size, &e), 0);
	assert_int_equal(back.properties.count, 2001);
	assert_same(&back, &r);
}

// Every way to cut the file, and every byte behind the data altered, is noticed.
static void test_torn_files_are_refused(UNUSED void **state)
{
	AUTO(arena) a = {0};
	struct record r = sample(), back = {0};
	uint64_t data_size = 0;
	AUTO(fd) fd = write_sample(&r, 3);
	off_t size = lseek(fd, 0, SEEK_END);
	for (off_t at = 3; at < size; at++) {
		struct err e = {0};
		char byte = 0;
		assert_int_equal(pread(fd, &byte, 1, at), 1);
		byte = (char)(byte ^ 1);
		assert_int_equal(pwrite(fd, &byte, 1, at), 1);
		assert_int_equal(record_read(fd, &a, &back, &data_size, &e), ERR_CORRUPT);
		byte = (char)(byte ^ 1);
		assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	}
	for (off_t cut = size - 1; cut >= 0; cut -= 7) {
		struct err e = {0};
		assert_int_equal(ftruncate(fd, cut), 0);
		assert_int_equal(record_read(fd, &a, &back, &data_size, &e), ERR_CORRUPT);
	}
}

static void test_text_that_is_no_utf8_is_refused(UNUSED void **state)
{
	struct err e = {0};
	struct pair bad = {S_INIT("x"), S_INIT("\xff")};
	struct record r = {.key = S("k"), .metadata = {.items = &bad, .count = 1}};
	AUTO(fd) fd = memfd_create("record", MFD_CLOEXEC);
	assert_int_equal(record_write(fd, &r, 0, &e), ERR_INVALID);
	assert_int_equal(lseek(fd, 0, SEEK_END), 0);
}

static void test_json_with_wrong_members_is_refused(UNUSED void **state)
{
	static const char *const wrong[] = {
		"{}",
		"{\"key\":1,\"size\":0,\"etag\":\"\"}",
		"{\"key\":\"k\",\"size\":-1,\"etag\":\"\"}",
		"{\"key\":\"k\",\"size\":0}",
		"{\"key\":\"k\",\"size\":0,\"etag\":\"\",\"digests\":{\"md5\":\"00\"}}",
		"{\"key\":\"k\",\"size\":0,\"etag\":\"\",\"metadata\":[[\"a\"]]}",
		"{\"key\":\"k\",\"size\":0,\"etag\":\"\",\"folder\":\"f\",\"pieces\":[[\"1\",0,5]]}",
		"{\"key\":\"k\",\"size\":5,\"etag\":\"\",\"folder\":\"f\",\"pieces\":[[1,0,5]]}",
	};
	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		AUTO(arena) a = {0};
		AUTO(json) j = NULL;
		struct err e = {0};
		struct record r = {.key = S("untouched")};
		assert_int_equal(json_parse(str_of(wrong[i]), &j, &e), 0);
		assert_int_equal(record_of_json(j, &a, &r, &e), ERR_CORRUPT);
		assert_true(str_eq(r.key, S("untouched")));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_digests_are_the_published_ones),
		cmocka_unit_test(test_clone_is_the_same_and_its_own),
		cmocka_unit_test(test_pairs_grow),
		cmocka_unit_test(test_borrowed_pairs_stay),
		cmocka_unit_test(test_file_round_trip),
		cmocka_unit_test(test_long_record),
		cmocka_unit_test(test_torn_files_are_refused),
		cmocka_unit_test(test_text_that_is_no_utf8_is_refused),
		cmocka_unit_test(test_json_with_wrong_members_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
