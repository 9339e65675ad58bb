// SPDX-License-Identifier: Apache-2.0
// A source cut into parts, and what drivers write about objects alike.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/http/object_fields.h"
#include "cloud/http/parts.h"
#include "cloud_test.h"

enum { MIB = 1 << 20 };

// Reads all parts; checks that they are the source's bytes; gives their number.
static unsigned read_all(struct cloud_test *t, struct test_source *s, unsigned char md5[SHA256_SIZE])
{
	AUTO(parts) p;
	parts_init(&p, &s->source, true);
	uint64_t total = 0;
	do {
		assert_int_equal(parts_next(&t->call, &p), 0);
		assert_int_equal(p.offset, total);
		assert_true(str_eq(p.part, str_take(str_drop(s->bytes, (size_t)total), p.part.n)));
		assert_int_equal(p.part_crc, crc32c(0, p.part));
		total += p.part.n;
	} while (!p.last);
	assert_int_equal(total, s->bytes.n);
	assert_int_equal(p.total, total);
	assert_int_equal(p.crc, crc32c(0, s->bytes));
	parts_md5(&p, md5);
	return p.number;
}

static void test_sizes(void **state)
{
	(void)state;
	static const struct {
		size_t size;
		unsigned parts;
	} cases[] = {
		{0, 1}, {1, 1}, {8 * MIB - 1, 1}, {8 * MIB, 1}, {8 * MIB + 1, 2}, {16 * MIB, 2}, {16 * MIB + 1, 3}};
	struct cloud_test t;
	cloud_test_init(&t);
	struct str bytes = test_bytes(&t.arena, 16 * MIB + 1);
	for (size_t i = 0; i < 2 * COUNT_OF(cases); i++) {
		struct test_source s;
		unsigned char md5[SHA256_SIZE], expected[MD5_SIZE];
		size_t size = cases[i / 2].size;
		test_source_init(&s, str_take(bytes, size));
		if (i % 2)
			s.source.size = UINT64_MAX; // not known before
		s.step = 1000003;
		assert_int_equal(read_all(&t, &s, md5), cases[i / 2].parts);
		md5_of(s.bytes, expected);
		assert_memory_equal(md5, expected, MD5_SIZE);
	}
	cloud_test_free(&t);
}

static void test_source_lies(void **state)
{
	(void)state;
	struct cloud_test t;
	cloud_test_init(&t);
	static const uint64_t said[] = {4, 6};
	for (size_t i = 0; i < 2; i++) {
		AUTO(parts) p;
		struct test_source s;
		test_source_init(&s, S("12345"));
		s.source.size = said[i];
		parts_init(&p, &s.source, false);
		assert_int_equal(parts_next(&t.call, &p), ERR_IO);
	}
	AUTO(parts) p;
	struct test_source s;
	test_source_init(&s, S("12345"));
	s.fail = ERR_CORRUPT;
	s.fail_at = 5;
	parts_init(&p, &s.source, false);
	assert_int_equal(parts_next(&t.call, &p), ERR_CORRUPT);
	cloud_test_free(&t);
}

static void test_rewind(void **state)
{
	(void)state;
	struct cloud_test t;
	cloud_test_init(&t);
	AUTO(parts) p;
	struct test_source s;
	test_source_init(&s, S("12345"));
	parts_init(&p, &s.source, true);
	assert_int_equal(parts_next(&t.call, &p), 0);
	assert_int_equal(parts_rewind(&t.call, &p), 0);
	assert_int_equal(parts_next(&t.call, &p), 0);
	assert_true(str_eq(p.part, S("12345")));
	assert_int_equal(p.crc, crc32c(0, S("12345")));
	s.source.rewind = NULL;
	assert_int_equal(parts_rewind(&t.call, &p), ERR_CONFLICT);
	cloud_test_free(&t);
}

static void test_names(void **state)
{
	(void)state;
	struct cloud_test t;
	cloud_test_init(&t);
	static const char *const good[] = {"lake", "fashion-lake", "a.b_c", "123"};
	static const char *const bad[] = {"", "ab", "Lake", "a/b", "a..b", "-ab", ".ab", "a b", "a?b", "\xc3\xa9tang"};
	for (size_t i = 0; i < COUNT_OF(good); i++)
		assert_int_equal(object_check_bucket(&t.call, str_of(good[i])), 0);
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_int_equal(object_check_bucket(&t.call, str_of(bad[i])), ERR_INVALID);
	char key[OBJECT_MAX_KEY + 1];
	memset(key, 'k', sizeof(key));
	assert_int_equal(object_check_names(&t.call, S("lake"), str_bytes(key, OBJECT_MAX_KEY)), 0);
	assert_int_equal(object_check_names(&t.call, S("lake"), str_bytes(key, OBJECT_MAX_KEY + 1)), ERR_INVALID);
	assert_int_equal(object_check_names(&t.call, S("lake"), S("a\0b")), ERR_INVALID);
	assert_int_equal(object_check_names(&t.call, S("lake"), S("a\xff")), ERR_INVALID);
	assert_int_equal(object_check_names(&t.call, S("lake"), S("a/../b//c ?#%")), 0);
	cloud_test_free(&t);
}

static void test_metadata(void **state)
{
	(void)state;
	struct cloud_test t;
	cloud_test_init(&t);
	struct exchange x = {0};
	AUTO(json) good = json_pack("{s:s,s:s}", "one", "1", "t_2", "a value");
	AUTO(json) number = json_pack("{s:i}", "one", 1);
	AUTO(json) space = json_pack("{s:s}", "one", " x");
	AUTO(json) empty = json_object();
	assert_int_equal(object_add_metadata(&t.call, &x, "x-m-", good), 0);
	assert_int_equal(object_add_metadata(&t.call, &x, "x-m-", empty), 0);
	assert_int_equal(object_add_metadata(&t.call, &x, "x-m-", NULL), 0);
	assert_int_equal(x.header_count, 2);
	assert_int_equal(object_add_metadata(&t.call, &x, "x-m-", number), ERR_INVALID);
	assert_int_equal(object_add_metadata(&t.call, &x, "x-m-", space), ERR_INVALID);
	struct sign_header headers[] = {
		{S("X-M-One"), S("1")}, {S("x-m-skipped"), S("s")}, {S("x-m-"), S("nameless")}, {S("other"), S("o")}};
	struct transport_response r = {.headers = headers, .header_count = COUNT_OF(headers)};
	json_t *read = NULL;
	assert_int_equal(object_read_metadata(&t.call, &r, "x-m-", S("skipped"), &read), 0);
	assert_int_equal(json_object_size(read), 1);
	assert_string_equal(json_text(read, "one"), "1");
	r.header_count = 0;
	assert_int_equal(object_read_metadata(&t.call, &r, "x-m-", S(""), &read), 0);
	assert_null(read);
	cloud_test_free(&t);
}

static void test_checksums(void **state)
{
	(void)state;
	AUTO(arena) a = {0};
	uint32_t crc = 7;
	assert_true(str_eq(object_crc32c_text(&a, 0xe3069283), S("4waSgw==")));
	assert_int_equal(object_crc32c_read(S("4waSgw=="), &crc), 0);
	assert_int_equal(crc, 0xe3069283);
	assert_int_equal(object_crc32c_read(S("4waSgw==-3"), &crc), ERR_INVALID); // of parts
	assert_int_equal(object_crc32c_read(S("4waS"), &crc), ERR_INVALID);
	assert_int_equal(object_crc32c_read(S(""), &crc), ERR_INVALID);
	assert_int_equal(crc, 0xe3069283);
	assert_true(str_eq(object_base64(&a, S("hi")), S("aGk=")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_source_lies),
		cmocka_unit_test(test_rewind),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_metadata),
		cmocka_unit_test(test_checksums),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
