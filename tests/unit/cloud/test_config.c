// SPDX-License-Identifier: Apache-2.0
// Cloud configurations: to JSON and back, and what is refused.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/config.h"

static void test_round_trip(void **state)
{
	(void)state;
	AUTO(arena) a = {0};
	AUTO(json) credentials = json_pack("{s:s}", "account", "x");
	struct cloud_sealed sealed[] = {{S("fashion-lake"), S("lake")}, {S("other"), S("k2")}};
	struct str hosts[] = {S("127.0.0.1:4000"), S("login.example:443")};
	struct cloud_config config = {.name = S("azure-eu"),
		.provider = S("azure"),
		.region = S("westeurope"),
		.store_url = S("http://127.0.0.1:4000/x"),
		.credentials = credentials,
		.ca_file = S("/ca.pem"),
		.identity_url = S("http://127.0.0.1:4001"),
		.location = S("DE"),
		.services_url = S("http://127.0.0.1:4002"),
		.vault_url = S("https://v.vault.azure.net"),
		.account = S("123456789012"),
		.project = S("p"),
		.subscription = S("s"),
		.resource_group = S("g"),
		.ml_workspace = S("w"),
		.job_role = S("role"),
		.image = S("isobar"),
		.jobs_engine = S("local"),
		.endpoints_engine = S("azureml"),
		.keys_engine = S("vault"),
		.trust_file = S("/corp.pem"),
		.proxy = {.https = S("http://u:p@proxy:3128"), .http = S("h:1"), .no = S("a,b")},
		.local_root = S("/r"),
		.workspace = S("fashion"),
		.sealed = sealed,
		.sealed_count = 2,
		.hosts = hosts,
		.host_count = 2};
	AUTO(json) j = cloud_config_to_json(&config);
	struct cloud_config back = {0};
	struct err e = {0};
	assert_int_equal(cloud_config_of_json(j, &a, &back, &e), 0);
	assert_true(str_eq(back.name, config.name) && str_eq(back.provider, config.provider) &&
		    str_eq(back.region, config.region));
	assert_true(str_eq(back.store_url, config.store_url) && str_eq(back.ca_file, config.ca_file));
	assert_true(str_eq(back.local_root, config.local_root) && str_eq(back.workspace, config.workspace));
	assert_true(str_eq(back.identity_url, config.identity_url) && str_eq(back.location, config.location));
	assert_true(str_eq(back.trust_file, config.trust_file) && str_eq(back.proxy.https, config.proxy.https));
	assert_true(str_eq(back.proxy.http, config.proxy.http) && str_eq(back.proxy.no, config.proxy.no));
	assert_true(str_eq(back.services_url, config.services_url) && str_eq(back.vault_url, config.vault_url));
	assert_true(str_eq(back.ml_workspace, S("w")) && str_eq(back.job_role, S("role")));
	assert_true(str_eq(back.jobs_engine, S("local")) && str_eq(back.endpoints_engine, S("azureml")) &&
		    str_eq(back.keys_engine, S("vault")));
	assert_true(json_equal(back.credentials, credentials));
	assert_int_equal(back.sealed_count, 2);
	assert_true(str_eq(back.sealed[1].bucket, S("other")) && str_eq(back.sealed[1].key, S("k2")));
	assert_int_equal(back.host_count, 2);
	assert_true(str_eq(back.hosts[1], S("login.example:443")));
	struct cloud_config texts = {0};
	assert_int_equal(cloud_config_copy_texts(&back, &a, &texts, &e), 0);
	assert_true(str_eq(texts.job_role, S("role")) && !texts.credentials && !texts.proxy.https.n && !texts.host_count);
	AUTO(json) twice = cloud_config_to_json(&back);
	assert_true(json_equal(j, twice));
}

static void test_least(void **state)
{
	(void)state;
	AUTO(arena) a = {0};
	AUTO(json) j = json_pack("{s:s,s:s,s:s}", "name", "a", "provider", "aws", "region", "us-east-1");
	struct cloud_config config;
	assert_int_equal(cloud_config_of_json(j, &a, &config, NULL), 0);
	assert_int_equal(config.store_url.n + config.sealed_count + config.host_count, 0);
	assert_null(config.credentials);
}

static void test_refused(void **state)
{
	(void)state;
	static const char start[] = "{\"name\":\"a\",\"provider\":\"aws\",\"region\":\"r\"";
	static const char *const bad[] = {",\"other\":1}", ",\"sealed\":{}}", ",\"sealed\":[{\"bucket\":\"b\"}]}",
		",\"hosts\":[1]}", ",\"credentials\":\"x\"}", ",\"store_url\":7}"};
	struct cloud_config config = {.name = S("unchanged")};
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		AUTO(arena) a = {0};
		AUTO(buf) text = {0};
		AUTO(json) j = NULL;
		struct err e = {0};
		buf_printf(&text, "%s%s", start, bad[i]);
		assert_int_equal(json_parse(buf_str(&text), &j, &e), 0);
		assert_int_equal(cloud_config_of_json(j, &a, &config, &e), ERR_INVALID);
		assert_true(strstr(e.message, "cloud configuration: ") == e.message);
	}
	AUTO(arena) a = {0};
	AUTO(json) nameless = json_pack("{s:s,s:s}", "provider", "aws", "region", "r");
	AUTO(json) list = json_array();
	assert_int_equal(cloud_config_of_json(nameless, &a, &config, NULL), ERR_INVALID);
	assert_int_equal(cloud_config_of_json(list, &a, &config, NULL), ERR_INVALID);
	assert_true(str_eq(config.name, S("unchanged")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_least),
		cmocka_unit_test(test_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
