// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "cloud/key_wrap.h"

static void test_round(void **state)
{
	(void)state;
	AUTO(arena) a = {0};
	struct err e = {0};
	struct str text;
	const struct key_wrap w = {.engine = S("aws-kms"), .version = S("arn:aws:kms:x"), .ciphertext = S("\0\1abc")};
	struct key_wrap back = {0};
	assert_int_equal(key_wrap_write(&w, &a, &text, &e), 0);
	assert_true(str_eq(text, S("isobar-wrap-2\0\7aws-kms\0\15arn:aws:kms:x\0\1abc")));
	assert_int_equal(key_wrap_read(text, "aws-kms", &back, &e), 0);
	assert_true(str_eq(back.version, w.version) && str_eq(back.ciphertext, w.ciphertext));
	assert_true(str_eq(key_wrap_engine(text), S("aws-kms")));
	assert_int_equal(key_wrap_read(text, "gcp-kms", &back, &e), ERR_INVALID);
	assert_string_equal(e.message, "the data key was wrapped by the engine \"aws-kms\", and this is gcp-kms");
	for (size_t n = 0; n + 5 <= text.n; n++) // without its last byte of ciphertext at least, and any less
		assert_true(key_wrap_read(str_take(text, n), "aws-kms", &back, &e) == ERR_CORRUPT || n > text.n - 5);
}

static void test_refused(void **state)
{
	(void)state;
	AUTO(arena) a = {0};
	struct err e = {0};
	struct str text;
	static char long_version[3000];
	memset(long_version, 'v', sizeof(long_version));
	struct key_wrap w = {.engine = S("x"), .version = S(""), .ciphertext = S("")};
	assert_int_equal(key_wrap_write(&w, &a, &text, &e), ERR_PROTOCOL);
	w.ciphertext = S("1");
	w.version = str_bytes(long_version, sizeof(long_version));
	assert_int_equal(key_wrap_write(&w, &a, &text, &e), ERR_PROTOCOL);
	assert_int_equal(key_wrap_check(S("k"), S("c"), S("p"), &e), 0);
	assert_int_equal(key_wrap_check(S("k"), S("c"), S(""), &e), ERR_INVALID);
	assert_int_equal(key_wrap_check(S("k"), S("c"), str_bytes(long_version, 65), &e), ERR_INVALID);
	assert_int_equal(key_wrap_check(S("k"), str_bytes(long_version, 1025), S("p"), &e), ERR_INVALID);
	assert_true(str_eq(key_wrap_engine(S("isobar-wrap-1\0abc")), S("local")));
	assert_true(str_eq(key_wrap_engine(S("isobar-wrap-1abc")), S("")));
	assert_true(str_eq(key_wrap_engine(S("isobar-wrap-2\0\377x")), S("")));
}

static void test_names(void **state)
{
	(void)state;
	AUTO(arena) a = {0};
	struct key_name n = {.workspace = S("fashion"), .cloud = S("one"), .name = S("lake"), .most = 63};
	assert_string_equal(key_name_write(&n, &a).p, "fashion-one-lake");
	assert_string_equal(key_name_address(&n, &a).p, "encryption-key/lake on one");
	n.cloud = S("aws-us");
	struct str with_digest = key_name_write(&n, &a);
	assert_true(str_starts(with_digest, S("fashion-aws-us-lake-")) && with_digest.n == 20 + 12);
	n.workspace = S("fashion-aws");
	n.cloud = S("us");
	assert_false(str_eq(with_digest, key_name_write(&n, &a)));
	n = (struct key_name){.workspace = S("w"), .cloud = S("c"), .name = S("a.b_c"), .most = 63};
	struct str dashes = key_name_write(&n, &a);
	assert_true(str_starts(dashes, S("w-c-a-b-c-")));
	n.underscore = true;
	assert_true(str_starts(key_name_write(&n, &a), S("w-c-a-b_c-")));
	n.name = S("a-very-long-name-that-fills-more-than-there-is-room-for-at-any-provider");
	struct str cut = key_name_write(&n, &a);
	assert_int_equal(cut.n, 63);
	assert_true(str_eq(cut, key_name_write(&n, &a)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round), cmocka_unit_test(test_refused), cmocka_unit_test(test_names)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
