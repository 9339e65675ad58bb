// SPDX-License-Identifier: Apache-2.0
// safetensors: each rule of the format has a file that breaks it; the writer's bytes are fixed; round trips; streams.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "math/safetensors.h"

// A file from a header text, with its length before it and `data` zero bytes behind it.
static void make_file(const char *header, size_t data, struct buf *out)
{
	uint64_t n = strlen(header);
	buf_clear(out);
	buf_add_bytes(out, &n, sizeof(n));
	buf_add(out, str_of(header));
	for (size_t i = 0; i < data; i++)
		buf_add_char(out, 0);
}

static int parse(struct str file, struct arena *a, struct safetensors *out, struct err *e)
{
	return safetensors_parse(file, a, out, e);
}

static void expect_refused(const char *header, size_t data, int code, const char *because)
{
	AUTO(buf) file = {0};
	AUTO(arena) a = {0};
	struct safetensors s = {.count = 77};
	struct err e = {0};
	make_file(header, data, &file);
	int rc = parse(buf_str(&file), &a, &s, &e);
	if (rc != code || e.code != code || !strstr(e.message, because))
		fail_msg("%s: %d (%s), expected %d because of \"%s\"", header, rc, e.message, code, because);
	assert_int_equal(s.count, 77);
}

static void test_reads_a_file(UNUSED void **state)
{
	AUTO(buf) file = {0};
	AUTO(arena) a = {0};
	struct safetensors s;
	struct err e = {0};
	make_file("{\"__metadata__\":{\"format\":\"pt\"},\"b\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[0,16]},"
		  "\"none\":{\"dtype\":\"U8\",\"shape\":[0,5],\"data_offsets\":[16,16]},"
		  "\"s\":{\"dtype\":\"BF16\",\"shape\":[],\"data_offsets\":[16,18]}}   ", 18, &file);
	assert_int_equal(parse(buf_str(&file), &a, &s, &e), 0);
	assert_int_equal(s.count, 3);
	assert_int_equal(s.data_size, 18);
	assert_int_equal(s.metadata_count, 1);
	assert_true(str_eq(s.metadata[0].key, S("format")) && str_eq(s.metadata[0].value, S("pt")));
	const struct tensor *t = safetensors_find(&s, S("b"));
	assert_non_null(t);
	assert_int_equal(t->type, TENSOR_F32);
	assert_int_equal(t->rank, 2);
	assert_int_equal(tensor_count(t), 4);
	assert_ptr_equal(t->data, file.p + s.data_offset);
	assert_int_equal(tensor_count(safetensors_find(&s, S("s"))), 1);
	assert_int_equal(tensor_count(safetensors_find(&s, S("none"))), 0);
	assert_null(safetensors_find(&s, S("x")));
	make_file("{}", 0, &file);
	assert_int_equal(parse(buf_str(&file), &a, &s, &e), 0);
	assert_int_equal(s.count, 0);
}

#define ENTRY(name, type, shape, offsets) "\"" name "\":{\"dtype\":\"" type "\",\"shape\":" shape ",\"data_offsets\":" offsets "}"

static void test_refuses_bad_json(UNUSED void **state)
{
	expect_refused("", 8, ERR_CORRUPT, "does not begin with {");
	expect_refused(" {}", 0, ERR_CORRUPT, "does not begin with {");
	expect_refused("[]", 0, ERR_CORRUPT, "does not begin with {");
	expect_refused("{\"a\xff\":1}", 0, ERR_CORRUPT, "UTF-8");
	expect_refused("{", 0, ERR_CORRUPT, "JSON");
	expect_refused("{} x", 0, ERR_CORRUPT, "JSON");
	expect_refused("{" ENTRY("a", "U8", "[1]", "[0,1]") "," ENTRY("a", "U8", "[1]", "[0,1]") "}", 1, ERR_CORRUPT, "JSON");
	expect_refused("{\"a\":{\"dtype\":\"U8\",\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1, ERR_CORRUPT, "JSON");
	expect_refused("{\"__metadata__\":[]}", 0, ERR_CORRUPT, "no object");
	expect_refused("{\"__metadata__\":{\"a\":1}}", 0, ERR_CORRUPT, "may only hold texts");
}

static void test_refuses_bad_entries(UNUSED void **state)
{
	expect_refused("{\"a\":1}", 0, ERR_CORRUPT, "exactly dtype, shape and data_offsets");
	expect_refused("{\"a\":{}}", 0, ERR_CORRUPT, "exactly dtype");
	expect_refused("{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1],\"more\":1}}", 1, ERR_CORRUPT, "exactly dtype");
	expect_refused("{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"offsets\":[0,1]}}", 1, ERR_CORRUPT, "data_offsets");
	expect_refused("{" ENTRY("a", "F31", "[1]", "[0,1]") "}", 1, ERR_CORRUPT, "unknown dtype \"F31\"");
	expect_refused("{" ENTRY("a", "u8", "[1]", "[0,1]") "}", 1, ERR_CORRUPT, "unknown dtype");
	expect_refused("{" ENTRY("a", "U8", "1", "[0,1]") "}", 1, ERR_CORRUPT, "no list \"shape\"");
	expect_refused("{" ENTRY("a", "U8", "[-1]", "[0,1]") "}", 1, ERR_CORRUPT, "no whole number");
	expect_refused("{" ENTRY("a", "U8", "[1.0]", "[0,1]") "}", 1, ERR_CORRUPT, "no whole number");
	expect_refused("{" ENTRY("a", "U8", "[1]", "[0,1,2]") "}", 1, ERR_CORRUPT, "two whole numbers");
	expect_refused("{" ENTRY("a", "U8", "[1]", "[0,\"1\"]") "}", 1, ERR_CORRUPT, "two whole numbers");
	expect_refused("{" ENTRY("a", "U8", "[1]", "[-1,0]") "}", 1, ERR_CORRUPT, "two whole numbers");
}

static void test_refuses_bad_places(UNUSED void **state)
{
	expect_refused("{" ENTRY("a", "U8", "[1]", "[1,2]") "}", 2, ERR_CORRUPT, "hole or an overlap");
	expect_refused("{" ENTRY("a", "U8", "[2]", "[0,2]") "," ENTRY("b", "U8", "[2]", "[1,3]") "}", 3, ERR_CORRUPT, "hole or an overlap");
	expect_refused("{" ENTRY("a", "U8", "[2]", "[0,2]") "," ENTRY("b", "U8", "[2]", "[3,5]") "}", 5, ERR_CORRUPT, "hole or an overlap");
	expect_refused("{" ENTRY("a", "U8", "[1]", "[0,1]") "," ENTRY("b", "U8", "[1]", "[0,1]") "}", 1, ERR_CORRUPT, "hole or an overlap");
	expect_refused("{" ENTRY("a", "U8", "[0]", "[0,0]") "," ENTRY("b", "U8", "[1]", "[1,0]") "}", 1, ERR_CORRUPT, "hole or an overlap");
	expect_refused("{" ENTRY("a", "F32", "[2]", "[0,4]") "}", 4, ERR_CORRUPT, "need 8");
	expect_refused("{" ENTRY("a", "F4", "[3]", "[0,2]") "}", 2, ERR_CORRUPT, "whole byte");
	expect_refused("{" ENTRY("a", "F32", "[4294967296,4294967296]", "[0,0]") "}", 0, ERR_CORRUPT, "too large to count");
	expect_refused("{" ENTRY("a", "F64", "[4611686018427387904]", "[0,0]") "}", 0, ERR_CORRUPT, "too large to count");
	expect_refused("{" ENTRY("a", "U8", "[4]", "[0,4]") "}", 3, ERR_CORRUPT, "is cut");
	expect_refused("{" ENTRY("a", "U8", "[4]", "[0,4]") "}", 5, ERR_CORRUPT, "followed by other bytes");
	expect_refused("{}", 1, ERR_CORRUPT, "followed by other bytes");
}

static void expect_lengths_refused(const void *bytes, size_t n, int code, const char *because)
{
	AUTO(arena) a = {0};
	struct safetensors s;
	struct err e = {0};
	assert_int_equal(parse(str_bytes(bytes, n), &a, &s, &e), code);
	assert_non_null(strstr(e.message, because));
}

static void test_refuses_bad_lengths(UNUSED void **state)
{
	expect_lengths_refused("", 0, ERR_CORRUPT, "too few");
	expect_lengths_refused("\x02\0\0\0\0\0\0", 7, ERR_CORRUPT, "too few");
	expect_lengths_refused("\x03\0\0\0\0\0\0\0{}", 10, ERR_CORRUPT, "is cut");
	expect_lengths_refused("\xff\xff\xff\xff\xff\xff\xff\xff{}", 10, ERR_LIMIT, "at most 100000000");
	expect_lengths_refused("\x01\xe1\xf5\x05\0\0\0\0{}", 10, ERR_LIMIT, "100000001 bytes");
	expect_lengths_refused("\0\xe1\xf5\x05\0\0\0\0{}", 10, ERR_CORRUPT, "is cut");
}

// Every prefix of a good file is refused, and so is the file with any byte behind it.
static void test_refuses_every_cut(UNUSED void **state)
{
	AUTO(buf) file = {0};
	make_file("{" ENTRY("a", "F32", "[1,2]", "[0,8]") "}", 8, &file);
	for (size_t n = 0; n < file.n; n++) {
		AUTO(arena) a = {0};
		struct safetensors s;
		struct err e = {0};
		assert_true(parse(str_take(buf_str(&file), n), &a, &s, &e) < 0);
		assert_true(e.message[0] != 0);
	}
}

static void fill(struct tensor tensors[4], const unsigned char *data)
{
	static const uint64_t shape[] = {2, 1};
	static const char *const names[] = {"z", "a", "\xc3\xa9\"\n\x01", "half"};
	static const enum tensor_type types[] = {TENSOR_F32, TENSOR_F32, TENSOR_I64, TENSOR_F16};
	for (size_t i = 0; i < 4; i++)
		tensors[i] = (struct tensor){.name = str_of(names[i]), .type = types[i], .shape = shape, .rank = 2, .data = data};
}

// What the reference implementation writes: larger alignment first, then by name; compact; padded to eight.
static void test_writes_as_the_reference_does(UNUSED void **state)
{
	static const unsigned char data[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
	struct safetensors_pair metadata[] = {{S("k"), S("v/\\")}};
	struct tensor tensors[4];
	struct safetensors s = {.tensors = tensors, .count = 4, .metadata = metadata, .metadata_count = 1};
	struct err e = {0};
	AUTO(buf) out = {0};
	fill(tensors, data);
	assert_int_equal(safetensors_lay_out(&s, &e), 0);
	assert_int_equal(safetensors_write(&s, &out, &e), 0);
	static const char json[] =
		"{\"__metadata__\":{\"k\":\"v/\\\\\"},"
		"\"\xc3\xa9\\\"\\n\\u0001\":{\"dtype\":\"I64\",\"shape\":[2,1],\"data_offsets\":[0,16]},"
		"\"a\":{\"dtype\":\"F32\",\"shape\":[2,1],\"data_offsets\":[16,24]},"
		"\"z\":{\"dtype\":\"F32\",\"shape\":[2,1],\"data_offsets\":[24,32]},"
		"\"half\":{\"dtype\":\"F16\",\"shape\":[2,1],\"data_offsets\":[32,36]}}";
	size_t padded = (sizeof(json) - 1 + 7) / 8 * 8;
	assert_int_equal(out.n, 8 + padded + 36);
	assert_int_equal((unsigned char)out.p[0] | (unsigned char)out.p[1] << 8, padded);
	assert_memory_equal(out.p + 8, json, sizeof(json) - 1);
	for (size_t i = sizeof(json) - 1; i < padded; i++)
		assert_int_equal(out.p[8 + i], ' ');
	assert_memory_equal(out.p + 8 + padded, data, 16);
	assert_memory_equal(out.p + 8 + padded + 32, data, 4);
	AUTO(arena) a = {0};
	struct safetensors again;
	assert_int_equal(parse(buf_str(&out), &a, &again, &e), 0);
	assert_int_equal(again.count, 4);
	assert_true(str_eq(again.tensors[0].name, S("\xc3\xa9\"\n\x01")));
}

static void test_lay_out_refuses(UNUSED void **state)
{
	static const uint64_t shape[] = {3}, huge[] = {UINT64_MAX, 2};
	struct err e = {0};
	struct tensor same[] = {{.name = S("a"), .type = TENSOR_U8, .shape = shape, .rank = 1},
		{.name = S("a"), .type = TENSOR_F32, .shape = shape, .rank = 1}};
	assert_int_equal(safetensors_lay_out(&(struct safetensors){.tensors = same, .count = 2}, &e), ERR_INVALID);
	assert_non_null(strstr(e.message, "two tensors are named \"a\""));
	struct tensor reserved = {.name = S("__metadata__"), .type = TENSOR_U8, .shape = shape, .rank = 1};
	assert_int_equal(safetensors_lay_out(&(struct safetensors){.tensors = &reserved, .count = 1}, &e), ERR_INVALID);
	struct tensor bad = {.name = S("\xff"), .type = TENSOR_U8, .shape = shape, .rank = 1};
	assert_int_equal(safetensors_lay_out(&(struct safetensors){.tensors = &bad, .count = 1}, &e), ERR_INVALID);
	struct tensor odd = {.name = S("a"), .type = TENSOR_F4, .shape = shape, .rank = 1};
	assert_int_equal(safetensors_lay_out(&(struct safetensors){.tensors = &odd, .count = 1}, &e), ERR_INVALID);
	struct tensor large = {.name = S("a"), .type = TENSOR_U8, .shape = huge, .rank = 2};
	assert_int_equal(safetensors_lay_out(&(struct safetensors){.tensors = &large, .count = 1}, &e), ERR_INVALID);
	struct safetensors_pair pairs[] = {{S("k"), S("1")}, {S("k"), S("2")}};
	assert_int_equal(safetensors_lay_out(&(struct safetensors){.metadata = pairs, .metadata_count = 2}, &e), ERR_INVALID);
}

static void path_in(const char *folder, const char *name, char out[256])
{
	snprintf(out, 256, "%s/%s", folder, name);
}

static size_t files_in(const char *folder)
{
	char command[300];
	struct stat about;
	path_in(folder, "w.safetensors", command);
	size_t found = stat(command, &about) == 0;
	// A folder of two links holds no other folder; partial files would stand in its listing.
	return found;
}

static void test_streams_to_a_file(UNUSED void **state)
{
	static const unsigned char data[16] = {7};
	char folder[] = "/tmp/isobar-test-XXXXXX", path[256];
	assert_non_null(mkdtemp(folder));
	path_in(folder, "w.safetensors", path);
	struct tensor tensors[4];
	struct safetensors s = {.tensors = tensors, .count = 4};
	struct sha256 sum;
	struct err e = {0};
	AUTO(buf) whole = {0};
	AUTO(buf) read = {0};
	fill(tensors, data);
	assert_int_equal(safetensors_write_file(path, &s, &sum, &e), 0);
	assert_int_equal(safetensors_write(&s, &whole, &e), 0);
	assert_int_equal(file_read(path, 10000, &read, &e), 0);
	assert_true(str_eq(buf_str(&whole), buf_str(&read)));
	struct sha256 expected = sha256_of(buf_str(&whole));
	assert_memory_equal(sum.bytes, expected.bytes, SHA256_SIZE);
	AUTO(arena) a = {0};
	AUTO(safetensors_file) f = {0};
	assert_int_equal(safetensors_open(path, &a, &f, &e), 0);
	assert_int_equal(f.content.count, 4);
	assert_memory_equal(f.content.tensors[0].data, data, 16);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(folder), 0);
}

static void test_writer_leaves_nothing_behind(UNUSED void **state)
{
	static const unsigned char data[16] = {7};
	char folder[] = "/tmp/isobar-test-XXXXXX", path[256];
	assert_non_null(mkdtemp(folder));
	path_in(folder, "w.safetensors", path);
	struct tensor tensors[4];
	struct safetensors s = {.tensors = tensors, .count = 4};
	struct err e = {0};
	struct safetensors_writer w;
	fill(tensors, data);
	assert_int_equal(safetensors_lay_out(&s, &e), 0);
	assert_int_equal(safetensors_writer_begin(&w, path, &s, &e), 0);
	assert_int_equal(safetensors_writer_put(&w, str_bytes(data, 10), &e), 0);
	assert_int_equal(safetensors_writer_end(&w, &e), ERR_INTERNAL); // 26 bytes are missing
	assert_int_equal(safetensors_writer_put(&w, (struct str){(const char *)data, 27}, &e), ERR_INTERNAL);
	safetensors_writer_free(&w);
	assert_int_equal(files_in(folder), 0);
	assert_int_equal(rmdir(folder), 0); // not empty if a partial file were left
	assert_int_equal(safetensors_writer_begin(&w, path, &s, &e), ERR_NOT_FOUND);
	AUTO(arena) a = {0};
	struct safetensors_file f;
	assert_int_equal(safetensors_open(path, &a, &f, &e), ERR_NOT_FOUND);
	assert_int_equal(safetensors_open("/tmp", &a, &f, &e), ERR_INVALID);
}

static void test_need(UNUSED void **state)
{
	static const uint64_t shape[] = {2, 3}, any[] = {UINT64_MAX, 3}, other[] = {2, 4};
	struct tensor t = {.name = S("w"), .type = TENSOR_F32, .shape = shape, .rank = 2};
	struct safetensors s = {.tensors = &t, .count = 1};
	const struct tensor *found = NULL;
	struct err e = {0};
	assert_int_equal(safetensors_need(&s, &(struct tensor){.name = S("w"), .type = TENSOR_F32, .shape = any, .rank = 2}, &found, &e), 0);
	assert_ptr_equal(found, &t);
	assert_int_equal(safetensors_need(&s, &(struct tensor){.name = S("w"), .type = TENSOR_F32, .shape = other, .rank = 2}, &found, &e), ERR_INVALID);
	assert_string_equal(e.message, "tensor \"w\" is F32 [2, 3]; expected F32 [2, 4]");
	assert_int_equal(safetensors_need(&s, &(struct tensor){.name = S("w"), .type = TENSOR_F64, .shape = any, .rank = 2}, &found, &e), ERR_INVALID);
	assert_string_equal(e.message, "tensor \"w\" is F32 [2, 3]; expected F64 [any, 3]");
	assert_int_equal(safetensors_need(&s, &(struct tensor){.name = S("v"), .type = TENSOR_F32, .shape = any, .rank = 2}, &found, &e), ERR_INVALID);
	assert_non_null(strstr(e.message, "is missing"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads_a_file),
		cmocka_unit_test(test_refuses_bad_json),
		cmocka_unit_test(test_refuses_bad_entries),
		cmocka_unit_test(test_refuses_bad_places),
		cmocka_unit_test(test_refuses_bad_lengths),
		cmocka_unit_test(test_refuses_every_cut),
		cmocka_unit_test(test_writes_as_the_reference_does),
		cmocka_unit_test(test_lay_out_refuses),
		cmocka_unit_test(test_streams_to_a_file),
		cmocka_unit_test(test_writer_leaves_nothing_behind),
		cmocka_unit_test(test_need),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
