// SPDX-License-Identifier: Apache-2.0
// The managed identity of containers, as App Service and as jobs of Azure ML say it in their environment.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cloud/azure/credentials.h"
#include "cloud_test.h"
#include "script_server.h"

static struct lab {
	struct cloud_test t;
	struct script_server *server;
	bool ml; // as Azure ML says it
	char endpoint[80];
} lab;

static const char *variable(void *ctx, const char *name)
{
	const struct {
		bool ml;
		const char *name, *value;
	} set[] = {{false, "IDENTITY_ENDPOINT", lab.endpoint}, {false, "IDENTITY_HEADER", "a-secret"},
		{true, "MSI_ENDPOINT", lab.endpoint}, {true, "MSI_SECRET", "a-secret"},
		{true, "DEFAULT_IDENTITY_CLIENT_ID", "an-id"}};
	(void)ctx;
	for (size_t i = 0; i < COUNT_OF(set); i++)
		if (set[i].ml == lab.ml && strcmp(set[i].name, name) == 0)
			return set[i].value;
	return NULL;
}

static void check(bool ml, const char *target, const char *header)
{
	static const struct script_step steps[] = {
		{.status = 200, .body = S_INIT("{\"access_token\":\"of-a-job\",\"token_type\":\"Bearer\",\"expires_in\":\"3600\"}")}};
	struct credential_source *source = NULL;
	struct credential got = {0};
	struct err e = {0};
	json_t *chain = json_pack("{s:b}", "chain", 1);
	struct cloud_config config = {.name = S("azure-eu"), .provider = S("azure"), .credentials = chain};
	cloud_test_init(&lab.t);
	lab.ml = ml;
	lab.server = script_server_start(steps, COUNT_OF(steps));
	assert_non_null(lab.server);
	snprintf(lab.endpoint, sizeof(lab.endpoint), "%s/token", script_server_url(lab.server));
	assert_true(azure_credentials_give_tokens(chain));
	struct credential_options o = {.config = &config, .variable = variable};
	assert_int_equal(azure_credentials_open(&o, &source, &e), 0);
	if (credentials_get(&lab.t.call, source, S("https://storage.azure.com/.default"), &got) < 0)
		fail_msg("%s", lab.t.call.err.message);
	assert_true(str_eq(got.token, S("of-a-job")));
	assert_true(str_eq(buf_str(&script_server_request(lab.server, 0)->target), str_of(target)));
	assert_true(str_eq(script_server_header(lab.server, 0, header), S("a-secret")));
	credential_source_free(source);
	script_server_stop(lab.server);
	json_decref(chain);
	cloud_test_free(&lab.t);
}

static void test_app_service(void **state)
{
	(void)state;
	check(false, "/token?api-version=2019-08-01&resource=https%3A%2F%2Fstorage.azure.com", "x-identity-header");
}

static void test_azure_ml(void **state)
{
	(void)state;
	check(true, "/token?api-version=2017-09-01&resource=https%3A%2F%2Fstorage.azure.com&clientid=an-id", "secret");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_app_service), cmocka_unit_test(test_azure_ml)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
