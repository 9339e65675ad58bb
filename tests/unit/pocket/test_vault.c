// SPDX-License-Identifier: Apache-2.0
// Key Vault of a pocket Azure over loopback: the challenge, and what is asked without a right token. What it does with one:
// tests/interop/test_pocket_azure_keyvault.sh and test_keys_pocket.sh.
#include "pocket_fixture.h"

#include "pocket/arm/vault.h"

static void ask(struct exchange *x, const char *method, const char *target, const char *bearer)
{
	*x = (struct exchange){.method = str_of(method), .target = str_of(target)};
	if (bearer)
		exchange_add(x, "authorization", str_of(bearer));
	exchange_send(x);
}

static void test_challenge(UNUSED void **state)
{
	static const char *const targets[] = {"/keys/lake?api-version=7.4", "/secrets?api-version=7.4",
		"/deletedsecrets/x?api-version=7.4", "/keys/a/b/c/d?api-version=7.4"};
	struct exchange x;
	assert_string_equal(azure_vault_service.name, "vault");
	for (size_t i = 0; i < COUNT_OF(targets); i++) {
		ask(&x, "GET", targets[i], NULL);
		assert_status(&x, 401);
		assert_contains(answered(&x, "www-authenticate"), S("Bearer authorization=\"http://127.0.0.1:"));
		assert_contains(answered(&x, "www-authenticate"), S("resource=\"https://vault.azure.net\""));
		assert_contains(x.text, S("AKV10000"));
	}
	ask(&x, "GET", targets[0], "Bearer wrong");
	assert_status(&x, 401);
	assert_contains(x.text, S("\"code\":\"Unauthorized\""));
}

static void test_others(UNUSED void **state)
{
	struct exchange x;
	ask(&x, "GET", "/keys/lake", NULL); // of an account "keys": Blob Storage's, in XML
	assert_contains(x.text, S("<Error>"));
}

static int begin(UNUSED void **state)
{
	return cloud_setup("azure");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test_teardown(test_challenge, cloud_test_end),
		cmocka_unit_test_teardown(test_others, cloud_test_end)};
	return cmocka_run_group_tests(tests, begin, cloud_teardown);
}
