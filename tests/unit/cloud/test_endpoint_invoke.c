// SPDX-License-Identifier: Apache-2.0
// How endpoints are asked, as the JSON of deploy's records: there and back, and what is refused.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cloud/cloud.h"

static void test_round_trip(void **state)
{
	static const enum invoke_how hows[] = {INVOKE_SAGEMAKER, INVOKE_VERTEX, INVOKE_AZUREML};
	static const char *const texts[] = {"{\"how\":\"sagemaker\",\"url\":\"https://x/endpoints/a/invocations\"}",
		"{\"how\":\"vertex\",\"url\":\"https://x/endpoints/a/invocations\"}",
		"{\"how\":\"azureml\",\"url\":\"https://x/endpoints/a/invocations\"}"};
	(void)state;
	for (size_t i = 0; i < COUNT_OF(hows); i++) {
		AUTO(buf) text = {0};
		struct err e = {0};
		struct endpoint_invoke back, given = {hows[i], S("https://x/endpoints/a/invocations")};
		AUTO(json) json = endpoint_invoke_to_json(&given);
		assert_int_equal(json_write(json, &text, &e), 0);
		assert_string_equal(buf_cstr(&text), texts[i]);
		assert_int_equal(endpoint_invoke_of_json(json, &back, &e), 0);
		assert_int_equal(back.how, given.how);
		assert_true(str_eq(back.url, given.url));
	}
}

static void test_open(void **state)
{
	struct endpoint_invoke back = {INVOKE_VERTEX, S("x")}, open = {0};
	struct err e = {0};
	(void)state;
	assert_null(endpoint_invoke_to_json(&open));
	assert_int_equal(endpoint_invoke_of_json(NULL, &back, &e), 0);
	assert_int_equal(back.how, INVOKE_OPEN);
	assert_int_equal(back.url.n, 0);
	assert_string_equal(invoke_how_word(INVOKE_OPEN), "open");
	assert_string_equal(invoke_how_word((enum invoke_how)77), "open");
}

static void test_refused(void **state)
{
	static const char *const wrong[] = {"{\"how\":\"bedrock\",\"url\":\"https://x\"}", "{\"url\":\"https://x\"}",
		"{\"how\":\"vertex\"}", "[]"};
	(void)state;
	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		AUTO(json) json = NULL;
		struct err e = {0};
		struct endpoint_invoke out = {INVOKE_VERTEX, S("untouched")};
		assert_int_equal(json_parse(str_of(wrong[i]), &json, &e), 0);
		assert_int_equal(endpoint_invoke_of_json(json, &out, &e), ERR_INVALID);
		assert_true(str_eq(out.url, S("untouched")));
	}
}

static void test_credential_is_wiped(void **state)
{
	struct endpoint_credential credential = {.how = INVOKE_SAGEMAKER, .access_key = S("AKIA")};
	struct err e = {0};
	(void)state;
	assert_int_equal(secret_set(&credential.secret, S("very"), &e), 0);
	assert_int_equal(secret_set(&credential.session, S("secret"), &e), 0);
	endpoint_credential_free(&credential);
	assert_null(credential.secret.p);
	assert_null(credential.session.p);
	assert_int_equal(credential.access_key.n, 0);
	endpoint_credential_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_open),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_credential_is_wiped),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
