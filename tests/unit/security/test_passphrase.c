// SPDX-License-Identifier: Apache-2.0
// Texts sealed under a passphrase: open with the same alone.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fixture.h"
#include "security/passphrase.h"

static void secret_of(const char *text, struct secret *out)
{
	assert_int_equal(secret_set(out, str_of(text), NULL), 0);
}

static void test_what_is_sealed_opens(UNUSED void **state)
{
	struct fixture f;
	AUTO(secret) phrase = {0}, wrong = {0}, plain = {0};
	AUTO(passphrase_key) k = {0}, again = {0}, other = {0};
	AUTO(buf) sealed = {0};
	fixture_open(&f);
	secret_of("correct horse battery", &phrase);
	secret_of("correct horse batterz", &wrong);
	assert_ok(&f, passphrase_new(&f.call, &phrase, &k));
	assert_ok(&f, passphrase_seal(&f.call, &k, S("ca.key"), S("-----BEGIN"), &sealed));
	assert_true(str_find(buf_str(&sealed), S("BEGIN")) < 0);
	AUTO(json) how = passphrase_to_json(&k);
	assert_ok(&f, passphrase_of_json(&f.call, how, &phrase, &again));
	assert_ok(&f, passphrase_open(&f.call, &again, S("ca.key"), buf_str(&sealed), &plain));
	assert_str(secret_str(&plain), S("-----BEGIN"));
	assert_fails(&f, passphrase_open(&f.call, &again, S("ca.pem"), buf_str(&sealed), &plain), ERR_DENIED);
	assert_ok(&f, passphrase_of_json(&f.call, how, &wrong, &other));
	assert_fails(&f, passphrase_open(&f.call, &other, S("ca.key"), buf_str(&sealed), &plain), ERR_DENIED);
	assert_fails(&f, passphrase_open(&f.call, &again, S("ca.key"), S("AAAA"), &plain), ERR_CORRUPT);
	sealed.p[20] = sealed.p[20] == 'A' ? 'B' : 'A';
	assert_fails(&f, passphrase_open(&f.call, &again, S("ca.key"), buf_str(&sealed), &plain), ERR_DENIED);
	fixture_close(&f);
}

static void test_costs_and_forms_are_bounded(UNUSED void **state)
{
	struct fixture f;
	AUTO(secret) phrase = {0};
	AUTO(passphrase_key) k = {0};
	fixture_open(&f);
	secret_of("short", &phrase);
	assert_fails(&f, passphrase_new(&f.call, &phrase, &k), ERR_INVALID);
	static const struct {
		int64_t n;
		const char *salt;
		int code;
	} cases[] = {
		{3, "00112233445566778899aabbccddeeff", ERR_INVALID},
		{1 << 30, "00112233445566778899aabbccddeeff", ERR_LIMIT},
		{1 << 10, "0011", ERR_INVALID},
		{-2, "00112233445566778899aabbccddeeff", ERR_INVALID},
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		AUTO(json)
		how = json_pack("{s:s, s:I, s:i, s:i, s:s}", "kdf", "scrypt", "n", (json_int_t)cases[i].n, "r", 8, "p",
			1, "salt", cases[i].salt);
		assert_fails(&f, passphrase_of_json(&f.call, how, &phrase, &k), cases[i].code);
	}
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_sealed_opens),
		cmocka_unit_test(test_costs_and_forms_are_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
