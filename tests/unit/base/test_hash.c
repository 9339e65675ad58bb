// SPDX-License-Identifier: Apache-2.0
// Digests, checksums and text forms against published vectors (FIPS 180-2, RFC 1321, RFC 4231, RFC 3720, RFC 4648,
// NVMe).
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/edges.h"
#include "base/hash.h"

static void assert_hex(const void *bytes, size_t n, const char *expected)
{
	char text[2 * SHA256_SIZE + 1];
	hex_encode(str_bytes(bytes, n), text);
	assert_string_equal(text, expected);
}

static void test_sha256(UNUSED void **state)
{
	struct sha256 d = sha256_of(S("abc"));
	assert_hex(d.bytes, SHA256_SIZE, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	d = sha256_of((struct str){0});
	assert_hex(d.bytes, SHA256_SIZE, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

static void test_md5(UNUSED void **state)
{
	unsigned char out[MD5_SIZE];
	md5_of(S("message digest"), out);
	assert_hex(out, MD5_SIZE, "f96b697d7cb7938d525a2f31aaf161d0");
	md5_of((struct str){0}, out);
	assert_hex(out, MD5_SIZE, "d41d8cd98f00b204e9800998ecf8427e");
}

static void test_hmac(UNUSED void **state)
{
	struct sha256 d = hmac_sha256(S("Jefe"), S("what do ya want for nothing?"));
	assert_hex(d.bytes, SHA256_SIZE, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	char key[131];
	memset(key, 0xaa, sizeof(key));
	d = hmac_sha256(str_bytes(key, sizeof(key)), S("Test Using Larger Than Block-Size Key - Hash Key First"));
	assert_hex(d.bytes, SHA256_SIZE, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
	d = hmac_sha256((struct str){0}, (struct str){0});
	assert_hex(d.bytes, SHA256_SIZE, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

static void test_digest_streams_and_resets(UNUSED void **state)
{
	AUTO(digest) d = digest_new(DIGEST_SHA256);
	assert_non_null(d);
	unsigned char out[SHA256_SIZE];
	for (int round = 0; round < 2; round++) {
		digest_update(d, S("a"));
		digest_update(d, (struct str){0});
		digest_update(d, S("bc"));
		assert_int_equal(digest_final(d, out), SHA256_SIZE);
		assert_hex(out, SHA256_SIZE, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	}
	AUTO(digest) m = digest_new(DIGEST_MD5);
	digest_update(m, S("abc"));
	assert_int_equal(digest_final(m, out), MD5_SIZE);
	assert_hex(out, MD5_SIZE, "900150983cd24fb0d6963f7d28e17f72");
	digest_free(NULL);
}

static void test_equal(UNUSED void **state)
{
	assert_true(hash_equal("abc", "abc", 3));
	assert_false(hash_equal("abc", "abd", 3));
	assert_true(hash_equal("x", "y", 0));
}

static void test_crc32c(UNUSED void **state)
{
	char zeros[32] = {0};
	assert_int_equal(crc32c(0, S("123456789")), 0xe3069283);
	assert_int_equal(crc32c_portable(0, S("123456789")), 0xe3069283);
	assert_int_equal(crc32c(0, str_bytes(zeros, sizeof(zeros))), 0x8a9136aa);
	assert_int_equal(crc32c(0, (struct str){0}), 0);
	assert_int_equal(crc32c(crc32c(0, S("1234")), S("56789")), 0xe3069283);
}

// Every length around the strides, at every alignment, with a checksum to go on from.
static void test_crc64nvme_is_the_same_by_tables(UNUSED void **state)
{
	static unsigned char bytes[700];
	uint32_t x = 1;
	for (size_t i = 0; i < sizeof(bytes); i++) {
		x = x * 1664525 + 1013904223;
		bytes[i] = (unsigned char)(x >> 24);
	}
	for (size_t from = 0; from < 16; from++)
		for (size_t n = 0; from + n <= sizeof(bytes); n += n < 300 ? 1 : 37) {
			struct str s = str_bytes(bytes + from, n);
			assert_true(crc64nvme(0x1234567890abcdef, s) == crc64nvme_portable(0x1234567890abcdef, s));
		}
}

static void test_crc64nvme(UNUSED void **state)
{
	char block[4096] = {0};
	assert_true(crc64nvme(0, S("123456789")) == UINT64_C(0xae8b14860a799888));
	assert_true(crc64nvme(0, str_bytes(block, sizeof(block))) == UINT64_C(0x6482d367eb22b64e));
	memset(block, 0xff, sizeof(block));
	assert_true(crc64nvme(0, str_bytes(block, sizeof(block))) == UINT64_C(0xc0ddba7302eca3ac));
	assert_true(crc64nvme(crc64nvme(0, S("123")), S("456789")) == UINT64_C(0xae8b14860a799888));
	assert_true(crc64nvme(0, (struct str){0}) == 0);
}

// Every cut of a random text: combine equals the whole, and the instruction equals the tables at every alignment.
static void test_crc_combine(UNUSED void **state)
{
	char text[301];
	struct edges_fake fake;
	edges_fake_init(&fake, 0, 7);
	assert_int_equal(fake.edges.random(&fake, text, sizeof(text)), 0);
	struct str whole = str_bytes(text, sizeof(text));
	for (size_t cut = 0; cut <= whole.n; cut++) {
		struct str a = str_take(whole, cut), b = str_drop(whole, cut);
		assert_int_equal(crc32c_combine(crc32c(0, a), crc32c(0, b), b.n), crc32c(0, whole));
		assert_true(crc64nvme_combine(crc64nvme(0, a), crc64nvme(0, b), b.n) == crc64nvme(0, whole));
		assert_int_equal(crc32c(0, b), crc32c_portable(0, b));
	}
	// The length may be far beyond memory: 2^40 zero bytes by repeated doubling.
	uint32_t doubled = crc32c(0, S("\0"));
	uint64_t size = 1;
	for (; size < UINT64_C(1) << 40; size *= 2)
		doubled = crc32c_combine(doubled, doubled, size);
	assert_int_equal(crc32c_combine(0, doubled, size), doubled);
	assert_int_equal(crc32c_combine(doubled, 0, 0), doubled);
}

static void test_hex(UNUSED void **state)
{
	char text[9];
	unsigned char out[4] = {9, 9, 9, 9};
	hex_encode(S("\x00\x7f\xff\xa5"), text);
	assert_string_equal(text, "007fffa5");
	assert_int_equal(hex_decode(S("007fFFa5"), out), 0);
	assert_memory_equal(out, "\x00\x7f\xff\xa5", 4);
	assert_int_equal(hex_decode(S("11g1"), out), ERR_INVALID);
	assert_int_equal(hex_decode(S("111"), out), ERR_INVALID);
	assert_int_equal(hex_decode(S("1 "), out), ERR_INVALID);
	assert_memory_equal(out, "\x00\x7f\xff\xa5", 4);
	assert_int_equal(hex_decode((struct str){0}, out), 0);
}

static const struct {
	struct str plain, padded, url;
} base64_rows[] = {
	{S_INIT(""), S_INIT(""), S_INIT("")},
	{S_INIT("f"), S_INIT("Zg=="), S_INIT("Zg")},
	{S_INIT("fo"), S_INIT("Zm8="), S_INIT("Zm8")},
	{S_INIT("foo"), S_INIT("Zm9v"), S_INIT("Zm9v")},
	{S_INIT("foob"), S_INIT("Zm9vYg=="), S_INIT("Zm9vYg")},
	{S_INIT("fooba"), S_INIT("Zm9vYmE="), S_INIT("Zm9vYmE")},
	{S_INIT("foobar"), S_INIT("Zm9vYmFy"), S_INIT("Zm9vYmFy")},
	{S_INIT("\xfb\xff\xfe"), S_INIT("+//+"), S_INIT("-__-")},
};

static void test_base64(UNUSED void **state)
{
	for (size_t i = 0; i < COUNT_OF(base64_rows); i++) {
		AUTO(buf) padded = {0};
		AUTO(buf) url = {0};
		AUTO(buf) back = {0};
		base64_encode(base64_rows[i].plain, &padded);
		base64url_encode(base64_rows[i].plain, &url);
		assert_true(str_eq(buf_str(&padded), base64_rows[i].padded));
		assert_true(str_eq(buf_str(&url), base64_rows[i].url));
		assert_int_equal(base64_decode(buf_str(&padded), &back), 0);
		assert_int_equal(base64url_decode(buf_str(&url), &back), 0);
		size_t n = base64_rows[i].plain.n;
		assert_int_equal(back.n, 2 * n);
		assert_true(str_eq(str_take(buf_str(&back), n), base64_rows[i].plain));
		assert_true(str_eq(str_drop(buf_str(&back), n), base64_rows[i].plain));
	}
}

static void test_base64_refuses(UNUSED void **state)
{
	static const char *const padded[] = {"Zg", "Zg=", "Zh==", "Zm9=", "Z===", "====", "Zg==Zg==", "Zm9v\n", "Zm-v",
		"Zm9 ", "Zg=A", "=Zg=", "A===", "\xff\xff\xff\xff"};
	static const char *const url[] = {"Zg==", "Zh", "Zm9", "Z", "Zm9vA", "Zm+v", "Zm/v", "Zm9v "};
	AUTO(buf) out = {0};
	buf_add(&out, S("kept"));
	for (size_t i = 0; i < COUNT_OF(padded); i++)
		assert_int_equal(base64_decode(str_of(padded[i]), &out), ERR_INVALID);
	for (size_t i = 0; i < COUNT_OF(url); i++)
		assert_int_equal(base64url_decode(str_of(url[i]), &out), ERR_INVALID);
	assert_true(str_eq(buf_str(&out), S("kept")));
	AUTO(buf) small = {.limit = 2};
	assert_int_equal(base64_decode(S("Zm9vYmFy"), &small), ERR_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sha256),
		cmocka_unit_test(test_md5),
		cmocka_unit_test(test_hmac),
		cmocka_unit_test(test_digest_streams_and_resets),
		cmocka_unit_test(test_equal),
		cmocka_unit_test(test_crc32c),
		cmocka_unit_test(test_crc64nvme),
		cmocka_unit_test(test_crc64nvme_is_the_same_by_tables),
		cmocka_unit_test(test_crc_combine),
		cmocka_unit_test(test_hex),
		cmocka_unit_test(test_base64),
		cmocka_unit_test(test_base64_refuses),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
