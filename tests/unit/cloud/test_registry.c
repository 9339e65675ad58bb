// SPDX-License-Identifier: Apache-2.0
// Opening clouds: the six parts and where they come from, what is refused, and that nothing stays open after a failure.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "cloud/registry.h"
#include "cloud/sign/jwt_rs256.h"
#include "cloud_test.h"

static struct cloud_config aws_config(struct cloud_test *t)
{
	struct cloud_config config = {.name = S("aws-us"), .provider = S("aws"), .region = S("us-east-1")};
	config.credentials =
		json_in_arena(&t->arena, json_pack("{s:s,s:s}", "access_key_id", "AK", "secret_access_key", "secret"));
	return config;
}

static void test_open(void **state)
{
	(void)state;
	struct cloud_test t;
	struct cloud cloud;
	struct price price;
	cloud_test_init(&t);
	struct cloud_config config = aws_config(&t);
	assert_int_equal(cloud_open(&t.call, &config, &cloud), 0);
	assert_true(str_eq(cloud.location, S("US")));
	assert_string_equal(cloud.store->name, "aws");
	assert_null(cloud.jobs);
	assert_null(cloud.keys);
	assert_int_equal(CLOUD_CALL(&t.call, &cloud, prices, egress, S("internet"), &price), 0);
	assert_ptr_equal(cloud.resources_ctx, &cloud);
	cloud_close(&cloud);
	assert_null(cloud.store);
	cloud_close(&cloud);
	cloud_close(NULL);
	cloud_test_free(&t);
}

static void test_local_and_sealed(void **state)
{
	(void)state;
	struct cloud_test t;
	struct cloud cloud;
	char folder[] = "/tmp/isobar-test-registry-XXXXXX";
	assert_non_null(mkdtemp(folder));
	cloud_test_init(&t);
	struct cloud_config config = aws_config(&t);
	struct cloud_sealed sealed[] = {{S("lake"), S("key")}};
	config.sealed = sealed;
	config.sealed_count = 1;
	assert_int_equal(cloud_open(&t.call, &config, &cloud), ERR_INVALID); // encrypted buckets and no keys
	err_clear(&t.call.err);
	config.local_root = str_of(folder);
	config.store_url = S("http://127.0.0.1:1");
	assert_int_equal(cloud_open(&t.call, &config, &cloud), 0);
	assert_string_equal(cloud.store->name, "sealed");
	assert_string_equal(cloud.jobs->name, "local");
	assert_string_equal(cloud.keys->name, "local");
	assert_non_null(cloud.endpoints);
	cloud_close(&cloud);
	assert_int_equal(file_remove_tree(folder, NULL), 0);
	cloud_test_free(&t);
}

static void check_refused(struct cloud_test *t, const struct cloud_config *config, const char *message)
{
	struct cloud cloud;
	err_clear(&t->call.err);
	assert_int_equal(cloud_open(&t->call, config, &cloud), ERR_INVALID);
	if (!strstr(t->call.err.message, message))
		fail_msg("%s", t->call.err.message);
}

static void test_refused(void **state)
{
	(void)state;
	struct cloud_test t;
	cloud_test_init(&t);
	struct cloud_config config = aws_config(&t);
	config.provider = S("ibm");
	check_refused(&t, &config, "no provider \"ibm\"");
	config = aws_config(&t);
	config.region = S("moon");
	check_refused(&t, &config, "no region \"moon\"");
	config = aws_config(&t);
	config.store_url = S("gopher://x");
	check_refused(&t, &config, "open cloud/aws-us: ");
	config = aws_config(&t);
	config.credentials = NULL;
	check_refused(&t, &config, "has no credentials");
	config.credentials = json_in_arena(&t.arena, json_pack("{s:s}", "access_key_id", "AK"));
	check_refused(&t, &config, "secret_access_key");
	config = aws_config(&t);
	struct str host = S("not a host");
	config.hosts = &host;
	config.host_count = 1;
	check_refused(&t, &config, "not a host");
	cloud_test_free(&t);
}

// A hall of one's own is whatever speaks S3 at an address that somebody said; its traffic has no listed price.
static void test_site_and_unplaced(void **state)
{
	(void)state;
	struct cloud_test t;
	struct cloud cloud;
	struct price price;
	cloud_test_init(&t);
	struct cloud_config config = aws_config(&t);
	config.provider = S("site");
	config.name = S("munich");
	config.location = S("DE");
	config.store_url = S("");
	check_refused(&t, &config, "has no address of a store");
	err_clear(&t.call.err);
	config.store_url = S("http://127.0.0.1:1");
	assert_int_equal(cloud_open(&t.call, &config, &cloud), 0);
	assert_string_equal(cloud.store->name, "aws");
	assert_true(str_eq(cloud.provider, S("site")) && str_eq(cloud.location, S("DE")));
	assert_int_equal(CLOUD_CALL(&t.call, &cloud, prices, egress, S("internet"), &price), 0);
	assert_true(price.amount == 0 && str_eq(price.confidence, S("low")));
	cloud_close(&cloud);
	// From a provider, a hall lies behind the internet.
	config = aws_config(&t);
	assert_int_equal(cloud_open(&t.call, &config, &cloud), 0);
	struct price internet;
	assert_int_equal(CLOUD_CALL(&t.call, &cloud, prices, egress, S("internet"), &internet), 0);
	assert_int_equal(CLOUD_CALL(&t.call, &cloud, prices, egress, S("site/us-east-1"), &price), 0);
	assert_true(price.amount > 0 && price.amount == internet.amount);
	cloud_close(&cloud);
	// "az://container": nobody said where.
	config = (struct cloud_config){.name = S("az"), .provider = S("azure"),
		.credentials = json_in_arena(&t.arena, json_pack("{s:s,s:s}", "account", "acct", "key", "AAAA"))};
	assert_true(str_eq(cloud_store_url(&t.arena, &config), S("https://acct.blob.core.windows.net")));
	assert_int_equal(cloud_open(&t.call, &config, &cloud), 0);
	assert_true(str_eq(cloud.provider, S("azure")) && cloud.region.n == 0 && cloud.location.n == 0);
	cloud_close(&cloud);
	config = (struct cloud_config){.provider = S("aws"), .region = S("eu-west-1")};
	assert_true(str_eq(cloud_store_url(&t.arena, &config), S("https://s3.eu-west-1.amazonaws.com")));
	config.provider = S("site");
	assert_int_equal(cloud_store_url(&t.arena, &config).n, 0);
	config.provider = S("ibm");
	assert_int_equal(cloud_store_url(&t.arena, &config).n, 0);
	cloud_test_free(&t);
}

static void test_all_providers(void **state)
{
	(void)state;
	struct cloud_test t;
	struct clouds all;
	AUTO(buf) private_key = {0};
	AUTO(buf) public_key = {0};
	cloud_test_init(&t);
	assert_int_equal(jwt_rs256_make_key(JWT_MIN_RSA_BITS, &private_key, &public_key, NULL), 0);
	struct cloud_config configs[3] = {aws_config(&t),
		{.name = S("gcp-eu"), .provider = S("gcp"), .region = S("europe-west4")},
		{.name = S("azure-eu"), .provider = S("azure"), .region = S("westeurope")}};
	configs[1].credentials = json_in_arena(&t.arena,
		json_pack("{s:s,s:s,s:s,s:s}", "type", "service_account", "client_email", "a@b", "private_key",
			buf_cstr(&private_key), "token_uri", "https://oauth2.googleapis.com/token"));
	configs[2].credentials = json_in_arena(&t.arena, json_pack("{s:s,s:s}", "account", "acct", "key", "AAAA"));
	assert_int_equal(clouds_open(&t.call, configs, 3, &all), 0);
	assert_int_equal(all.count, 3);
	assert_string_equal(clouds_find(&all, S("gcp-eu"))->store->name, "gcp");
	assert_true(str_eq(clouds_find(&all, S("azure-eu"))->location, S("NL")));
	assert_ptr_equal(all.items[1].resources_ctx, &all.items[1]);
	clouds_close(&all);
	assert_null(all.items);
	configs[1].credentials = configs[2].credentials;
	assert_int_equal(clouds_open(&t.call, configs, 3, &all), ERR_INVALID);
	assert_null(all.items);
	clouds_close(NULL);
	cloud_test_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_open),
		cmocka_unit_test(test_local_and_sealed),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_site_and_unplaced),
		cmocka_unit_test(test_all_providers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
