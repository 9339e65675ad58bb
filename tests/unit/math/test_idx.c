// SPDX-License-Identifier: Apache-2.0
// idx and gzip: what is read, and every cut and lie that is refused.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <zlib.h>

#include "math/idx.h"

static const char images[] = "\0\0\x08\x03\0\0\0\2\0\0\0\1\0\0\0\3abcdef";
static const char labels[] = "\0\0\x08\x01\0\0\0\3\5\6\7";

static struct str image_bytes(void)
{
	return str_bytes(images, sizeof(images) - 1);
}

static void test_reads_images_and_labels(UNUSED void **state)
{
	struct idx i;
	struct err e = {0};
	assert_int_equal(idx_parse(image_bytes(), &i, &e), 0);
	assert_true(i.images && i.count == 2 && i.rows == 1 && i.columns == 3 && i.record_size == 3);
	assert_memory_equal(i.data, "abcdef", 6);
	AUTO(buf) out = {0};
	idx_write(&i, &out);
	assert_true(str_eq(buf_str(&out), image_bytes()));
	assert_int_equal(idx_parse(str_bytes(labels, sizeof(labels) - 1), &i, &e), 0);
	assert_true(!i.images && i.count == 3 && i.record_size == 1 && i.data[2] == 7);
	buf_clear(&out);
	idx_write(&i, &out);
	assert_true(str_eq(buf_str(&out), str_bytes(labels, sizeof(labels) - 1)));
}

static void refuse(const char *bytes, size_t n, int code, const char *because)
{
	struct idx i = {.count = 9};
	struct err e = {0};
	assert_int_equal(idx_parse(str_bytes(bytes, n), &i, &e), code);
	if (!strstr(e.message, because))
		fail_msg("\"%s\" does not say \"%s\"", e.message, because);
	assert_int_equal(i.count, 9);
}

static void test_refuses(UNUSED void **state)
{
	for (size_t n = 0; n < sizeof(images) - 1; n++)
		refuse(images, n, ERR_CORRUPT, "cut");
	refuse(images, sizeof(images), ERR_CORRUPT, "followed by other bytes");
	refuse("\1\0\x08\x01\0\0\0\0", 8, ERR_CORRUPT, "begins with 0100");
	refuse("\0\0\x0d\x01\0\0\0\0", 8, ERR_CORRUPT, "element type 0x0d");
	refuse("\0\0\x08\x02\0\0\0\0\0\0\0\0", 12, ERR_CORRUPT, "2 dimensions");
	refuse("\0\0\x08\x03\0\0\0\1\0\0\0\0\0\0\0\1", 16, ERR_CORRUPT, "empty");
	refuse("\0\0\x08\x03\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 16, ERR_LIMIT, "more than");
	refuse("\0\0\x08\x01\xff\xff\xff\xff", 8, ERR_LIMIT, "more than");
}

static void pack(struct str raw, struct buf *out)
{
	z_stream z = {.next_in = (unsigned char *)(uintptr_t)raw.p, .avail_in = (uInt)raw.n};
	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
	assert_true(buf_reserve(out, raw.n + 100));
	z.next_out = (unsigned char *)out->p + out->n;
	z.avail_out = (uInt)(raw.n + 100);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	out->n += z.total_out;
	deflateEnd(&z);
}

static void test_unpacks_members_within_a_limit(UNUSED void **state)
{
	AUTO(buf) packed = {0};
	AUTO(buf) out = {0};
	struct err e = {0};
	pack(S("hello "), &packed);
	pack(S("world"), &packed);
	assert_int_equal(gzip_unpack(buf_str(&packed), 11, &out, &e), 0);
	assert_true(str_eq(buf_str(&out), S("hello world")));
	assert_int_equal(gzip_unpack(buf_str(&packed), 10, &out, &e), ERR_LIMIT);
	assert_int_equal(out.n, 11);
	for (size_t n = 0; n < packed.n; n++) {
		AUTO(buf) part = {0};
		int rc = gzip_unpack(str_take(buf_str(&packed), n), 100, &part, &e);
		if (rc == 0) // a cut between the members is a whole file
			assert_true(str_eq(buf_str(&part), S("hello ")));
		else
			assert_int_equal(rc, ERR_CORRUPT);
	}
	packed.p[packed.n - 5] ^= 1; // the checksum
	assert_int_equal(gzip_unpack(buf_str(&packed), 100, &out, &e), ERR_CORRUPT);
	buf_clear(&packed);
	pack(S("hello "), &packed);
	buf_add(&packed, S("trailing"));
	assert_int_equal(gzip_unpack(buf_str(&packed), 100, &out, &e), ERR_CORRUPT);
}

static void test_unpacks_what_is_packed(UNUSED void **state)
{
	AUTO(buf) packed = {0};
	AUTO(buf) out = {0};
	struct idx i;
	struct err e = {0};
	pack(image_bytes(), &packed);
	assert_int_equal(idx_unpack(buf_str(&packed), "x.gz", &out, &e), 0);
	assert_int_equal(idx_parse(buf_str(&out), &i, &e), 0);
	buf_clear(&out);
	assert_int_equal(idx_unpack(image_bytes(), "x", &out, &e), 0);
	assert_true(str_eq(buf_str(&out), image_bytes()));
	assert_int_equal(idx_unpack(str_take(buf_str(&packed), 12), "x.gz", &out, &e), ERR_CORRUPT);
	assert_true(strncmp(e.message, "x.gz: gzip: ", 12) == 0);
	assert_int_equal(idx_load("/nonexistent/file", &out, &i, &e), ERR_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads_images_and_labels),
		cmocka_unit_test(test_refuses),
		cmocka_unit_test(test_unpacks_members_within_a_limit),
		cmocka_unit_test(test_unpacks_what_is_packed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
