// SPDX-License-Identifier: Apache-2.0
// A declared cloud becomes the configuration that it is opened with: fields of the workspace, credentials, proxies and
// CAs of this machine.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fixture.h"
#include "infra/accounts.h"
#include "infra/input_state.h"
#include "infra/named_clouds.h"

static int set_up(void **state)
{
	static struct fixture f;
	fixture_open(&f);
	setenv("XDG_CONFIG_HOME", f.folder, 1);
	unsetenv("ISOBAR_OPERATOR");
	setenv("AWS_ACCESS_KEY_ID", "AK", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "SK", 1);
	setenv("MUNICH", "MK", 1);
	setenv("https_proxy", "http://ambient.example:1", 1);
	setenv("no_proxy", "direct.example", 1);
	*state = &f;
	return 0;
}

static int tear_down(void **state)
{
	unsetenv("https_proxy");
	unsetenv("no_proxy");
	fixture_close(*state);
	return 0;
}

static struct resource declare(struct fixture *f, const char *name, const char *resolved)
{
	json_t *j = NULL;
	assert_ok(f, json_parse(str_of(resolved), &j, &f->call.err));
	return (struct resource){.kind = S("cloud"), .name = str_of(name), .resolved = json_in_arena(&f->arena, j)};
}

static struct operator_file *operator_of(struct fixture *f, struct str text)
{
	struct operator_file *op = NULL;
	fixture_write(f, "isobar/operator.yaml", text);
	assert_ok(f, operator_load(&f->call, NULL, &op));
	return op;
}

static void test_provider(void **state)
{
	struct fixture *f = *state;
	struct cloud_config config;
	AUTO(operator_file) op = operator_of(f, S(""));
	struct resource r = declare(f, "aws-eu", "{\"provider\": \"aws\", \"region\": \"eu-central-1\"}");
	assert_ok(f, account_config_of_resource(&f->call, op, &r, &config));
	assert_str(config.name, S("aws-eu"));
	assert_str(config.provider, S("aws"));
	assert_str(config.region, S("eu-central-1"));
	assert_str(config.store_url, S(""));
	assert_str(config.local_root, S(""));
	assert_string_equal(json_text(config.credentials, "access_key_id"), "AK");
	assert_str(config.proxy.https, S("http://ambient.example:1"));
	assert_str(config.proxy.no, S("direct.example"));
}

static void test_site(void **state)
{
	struct fixture *f = *state;
	struct cloud_config config;
	AUTO(operator_file)
	op = operator_of(f, S("secrets: {m: {from: \"env:MUNICH\", hosts: [minio.example]}}\n"
			      "clouds: {munich: {credentials: {access_key_id: A, secret_access_key: secret/m}, hosts: "
			      "[minio.example], ca: "
			      "/ca.pem}}\n"
			      "ca: /corp.pem\n"
			      "proxy: {https: \"http://own.example:2\", no: [a.example, 10.0.0.0/8]}\n"));
	struct resource r = declare(f, "munich",
		"{\"provider\": \"site\", \"location\": \"DE\", \"store\": {\"engine\": \"s3\", \"api\": "
		"\"https://minio.example\"}}");
	assert_ok(f, account_config_of_resource(&f->call, op, &r, &config));
	assert_str(config.store_url, S("https://minio.example"));
	assert_str(config.location, S("DE"));
	assert_str(config.region, S("us-east-1"));
	assert_str(config.ca_file, S("/ca.pem"));
	assert_str(config.trust_file, S("/corp.pem"));
	assert_str(config.proxy.https, S("http://own.example:2"));
	assert_str(config.proxy.no, S("a.example,10.0.0.0/8"));
	assert_int_equal(config.host_count, 1);
	assert_string_equal(json_text(config.credentials, "secret_access_key"), "MK");
	r = declare(f, "munich",
		"{\"provider\": \"site\", \"store\": {\"engine\": \"ceph\", \"api\": \"https://minio.example\"}}");
	assert_fails(f, account_config_of_resource(&f->call, op, &r, &config), ERR_UNSUPPORTED);
	r = declare(f, "other", "{\"provider\": \"site\", \"store\": {\"api\": \"https://minio.example\"}}");
	assert_fails(f, account_config_of_resource(&f->call, op, &r, &config), ERR_DENIED);
}

static void test_whose(void **state)
{
	struct fixture *f = *state;
	struct cloud_config config;
	struct account_request request;
	AUTO(operator_file) op = operator_of(f, S("clouds: {aws-eu: {account: \"222222222222\"}}\n"));
	static const char *const names[] = {"account", "project", "subscription"};
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		struct str text = arena_printf(&f->arena,
			"{\"provider\": \"aws\", \"region\": \"eu-central-1\", \"%s\": \"111111111111\"}", names[i]);
		struct resource r = declare(f, "aws-eu", text.p);
		account_request_of_resource(&r, &request);
		assert_str(request.account, S("111111111111"));
		assert_fails(f, account_config_of_resource(&f->call, op, &r, &config), ERR_DENIED);
	}
	struct resource r = declare(f, "aws-eu", "{\"provider\": \"aws\", \"credentials\": {\"assume\": \"arn:x\"}}");
	assert_fails(f, account_config_of_resource(&f->call, op, &r, &config), ERR_UNSUPPORTED);
}

static void test_named(void **state)
{
	struct fixture *f = *state;
	struct named_clouds *named;
	const struct cloud *cloud, *again;
	AUTO(operator_file)
	op = operator_of(f, S("clouds:\n"
			      "  own: {provider: aws, region: eu-west-1, endpoints: {store: \"http://127.0.0.1:1\"}}\n"
			      "  bare: {account: \"1\"}\n"));
	assert_ok(f, named_clouds_new(&f->call, op, &named));
	assert_ok(f, named_clouds_open(&f->call, named, S("s3"), &cloud));
	assert_str(cloud->name, S("s3"));
	assert_str(cloud->provider, S("aws"));
	assert_ok(f, named_clouds_open(&f->call, named, S("s3"), &again));
	assert_ptr_equal(cloud, again);
	assert_ok(f, named_clouds_open(&f->call, named, S("own"), &cloud));
	assert_str(cloud->region, S("eu-west-1"));
	assert_fails(f, named_clouds_open(&f->call, named, S("bare"), &cloud), ERR_INVALID);
	assert_fails(f, named_clouds_open(&f->call, named, S("none"), &cloud), ERR_NOT_FOUND);
	named_clouds_free(named);
	named_clouds_free(NULL);
}

static void test_input_state(void **state)
{
	struct fixture *f = *state;
	AUTO(operator_file) op = operator_of(f, S("clouds: {own: {endpoints: {store: \"http://127.0.0.1:1\"}}}\n"));
	struct input_reader reader = {.call = &f->call, .op = op};
	AUTO(buf) out = {0};
	struct err e = {0};
	static const char *const wrong[] = {"", "s3://", "s3://bucket", "s3://bucket/", "s3:///key", "https://x/y", "file:x"};
	for (size_t i = 0; i < COUNT_OF(wrong); i++)
		assert_int_equal(input_state_read(&reader, S("own"), str_of(wrong[i]), &out, &e), ERR_INVALID);
	f->call.deadline_ns = call_mono_ns(&f->call) + 20000000;
	int rc = input_state_read(&reader, S("own"), S("s3://bucket/key"), &out, &e);
	assert_true(rc == ERR_UNAVAILABLE || rc == ERR_TIMEOUT); // nobody is there
	f->call.deadline_ns = 0;
	unsetenv("AWS_ACCESS_KEY_ID");
	setenv("HOME", f->folder, 1);
	assert_int_equal(input_state_read(&reader, S("own"), S("s3://bucket/key"), &out, &e), ERR_NOT_FOUND);
	assert_int_equal(out.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_provider, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_site, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_named, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_input_state, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_whose, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
