// SPDX-License-Identifier: Apache-2.0
// Whose credentials a cloud is opened with: each source, their order, what this release cannot use, and every way in
// which a workspace could have credentials sent somewhere that the operator did not list.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sys/stat.h>

#include "fixture.h"
#include "security/account.h"

#define PLANTED "hunter2hunter2"

static const char *const variables[] = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
	"AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE",
	"AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI",
	"AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "GOOGLE_APPLICATION_CREDENTIALS", "AZURE_STORAGE_ACCOUNT",
	"AZURE_STORAGE_KEY", "AZURE_STORAGE_CONNECTION_STRING", "AZURE_CLIENT_ID", "AZURE_FEDERATED_TOKEN_FILE",
	"ISOBAR_OPERATOR"};

static int set_up(void **state)
{
	static struct fixture f;
	fixture_open(&f);
	for (size_t i = 0; i < COUNT_OF(variables); i++)
		unsetenv(variables[i]);
	setenv("HOME", f.folder, 1);
	setenv("XDG_CONFIG_HOME", f.folder, 1);
	setenv("PLANTED", PLANTED, 1);
	*state = &f;
	return 0;
}

static int tear_down(void **state)
{
	fixture_close(*state);
	return 0;
}

static struct operator_file *operator_of(struct fixture *f, struct str text)
{
	struct operator_file *op = NULL;
	fixture_write(f, "isobar/operator.yaml", text);
	assert_ok(f, operator_load(&f->call, NULL, &op));
	return op;
}

static const struct account_request aws = {
	.cloud = S_INIT("c"), .provider = S_INIT("aws"), .region = S_INIT("eu-central-1")};
static const struct account_request gcp = {
	.cloud = S_INIT("c"), .provider = S_INIT("gcp"), .region = S_INIT("europe-west4")};
static const struct account_request azure = {
	.cloud = S_INIT("c"), .provider = S_INIT("azure"), .region = S_INIT("westeurope")};
static const struct account_request site = {
	.cloud = S_INIT("c"), .provider = S_INIT("site"), .store_api = S_INIT("https://minio.example")};

static struct account found(struct fixture *f, struct str operator_text, const struct account_request *request)
{
	struct account account = {0};
	struct operator_file *op = operator_of(f, operator_text);
	assert_ok(f, account_find(&f->call, op, request, &account));
	// What is borrowed from the file is copied before the file goes.
	account.store_url = arena_str(&f->arena, account.store_url);
	account.ca_file = arena_str(&f->arena, account.ca_file);
	account.account = arena_str(&f->arena, account.account);
	for (size_t i = 0; i < account.host_count; i++)
		account.hosts[i] = arena_str(&f->arena, account.hosts[i]);
	operator_free(op);
	return account;
}

static const char *refused(
	struct fixture *f, struct str operator_text, const struct account_request *request, int wanted)
{
	struct account account = {.account = S("untouched")};
	AUTO(operator_file) op = operator_of(f, operator_text);
	int rc = account_find(&f->call, op, request, &account);
	if (rc != wanted)
		fail_msg("%s (%s) instead of %s", err_name(rc), f->call.err.message, err_name(wanted));
	assert_str(account.account, S("untouched"));
	const char *message = arena_cstr(&f->arena, str_of(f->call.err.message));
	assert_null(strstr(message, PLANTED));
	err_clear(&f->call.err);
	return message;
}

#define assert_part(text, part)                                                                                        \
	do {                                                                                                           \
		if (!strstr(text, part))                                                                               \
			fail_msg("\"%s\" has no \"%s\"", text, part);                                                  \
	} while (0)

// ---------------------------------------------------------------- AWS
static void test_aws_environment(void **state)
{
	struct fixture *f = *state;
	assert_part(refused(f, S(""), &aws, ERR_NOT_FOUND), "AWS_ACCESS_KEY_ID");
	setenv("AWS_ACCESS_KEY_ID", "AK", 1);
	setenv("AWS_SECRET_ACCESS_KEY", PLANTED, 1);
	struct account account = found(f, S(""), &aws);
	assert_string_equal(json_text(account.credentials, "access_key_id"), "AK");
	assert_string_equal(json_text(account.credentials, "secret_access_key"), PLANTED);
	assert_null(json_object_get(account.credentials, "session_token"));
	assert_str(account.source, S("AWS_ACCESS_KEY_ID"));
	assert_str(account.store_url, S(""));
	assert_str(account.region, S("eu-central-1"));
	setenv("AWS_SESSION_TOKEN", "ST", 1);
	setenv("AWS_ENDPOINT_URL_S3", "https://elsewhere.example", 1);
	account = found(f, S(""), &aws);
	assert_string_equal(json_text(account.credentials, "session_token"), "ST");
	assert_str(account.store_url, S("")); // with a workspace, addresses are the operator's file's
	struct account_request bare = {.cloud = S("s3"), .provider = S("aws"), .environment_addresses = true};
	setenv("AWS_REGION", "us-west-2", 1);
	account = found(f, S(""), &bare);
	assert_str(account.store_url, S("https://elsewhere.example"));
	assert_str(account.region, S("us-west-2"));
}

static void test_aws_profiles(void **state)
{
	struct fixture *f = *state;
	fixture_write(f, ".aws/credentials",
		S("[default]\naws_access_key_id = D\naws_secret_access_key = DS\n"
		  "[lumen]\naws_access_key_id = L\naws_secret_access_key = LS\naws_session_token = LT\n"
		  "[half]\naws_access_key_id = H\n"));
	fixture_write(f, ".aws/config",
		S("[default]\nregion = us-east-2\n[profile lumen]\nregion = eu-west-1\n"
		  "[profile sso]\nsso_session = corp\n[profile role]\nrole_arn = arn:aws:iam::1:role/x\n"
		  "[profile conf]\naws_access_key_id = C\naws_secret_access_key = CS\n"));
	struct account_request bare = {.cloud = S("s3"), .provider = S("aws")};
	struct account account = found(f, S(""), &bare);
	assert_string_equal(json_text(account.credentials, "secret_access_key"), "DS");
	assert_str(account.region, S("us-east-2"));
	setenv("AWS_PROFILE", "lumen", 1);
	account = found(f, S(""), &bare);
	assert_string_equal(json_text(account.credentials, "session_token"), "LT");
	assert_str(account.region, S("eu-west-1"));
	account = found(f, S("clouds: {c: {credentials: {profile: conf}}}"), &aws);
	assert_string_equal(json_text(account.credentials, "secret_access_key"), "CS");
	assert_part(
		refused(f, S("clouds: {c: {credentials: {profile: sso}}}"), &aws, ERR_UNSUPPORTED), "single sign-on");
	assert_part(
		refused(f, S("clouds: {c: {credentials: {profile: role}}}"), &aws, ERR_UNSUPPORTED), "assuming a role");
	assert_part(
		refused(f, S("clouds: {c: {credentials: {profile: half}}}"), &aws, ERR_NOT_FOUND), "profile \"half\"");
	assert_part(refused(f, S("clouds: {c: {credentials: {profile: none}}}"), &aws, ERR_NOT_FOUND),
		"no profile \"none\"");
	fixture_write(f, ".aws/credentials", S("[default]\n" PLANTED "\n"));
	assert_part(refused(f, S("clouds: {c: {credentials: {profile: lumen}}}"), &aws, ERR_INVALID),
		"credentials: line 2");
}

static void test_aws_indirect(void **state)
{
	struct fixture *f = *state;
	setenv("AWS_WEB_IDENTITY_TOKEN_FILE", "/x", 1);
	assert_part(refused(f, S(""), &aws, ERR_UNSUPPORTED), "federation");
	unsetenv("AWS_WEB_IDENTITY_TOKEN_FILE");
	setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.170.23/x", 1);
	assert_part(refused(f, S(""), &aws, ERR_UNSUPPORTED), "a container's role");
	struct account_request assume = aws;
	assume.assume = S("arn:aws:iam::1:role/x");
	assert_part(refused(f, S(""), &assume, ERR_UNSUPPORTED), "arn:aws:iam::1:role/x");
}

static void test_secret_is_bound_to_the_store(void **state)
{
	struct fixture *f = *state;
	const struct str text = S("secrets: {k: {from: \"env:PLANTED\", hosts: [s3.eu-central-1.amazonaws.com]}}\n"
				  "clouds: {c: {credentials: {access_key_id: A, secret_access_key: secret/k}}}\n");
	struct account account = found(f, text, &aws);
	assert_string_equal(json_text(account.credentials, "secret_access_key"), PLANTED);
	struct account_request elsewhere = aws;
	elsewhere.region = S("us-east-1");
	assert_part(refused(f, text, &elsewhere, ERR_DENIED), "s3.us-east-1.amazonaws.com:443");
	assert_part(
		refused(f,
			S("secrets: {k: {from: \"env:PLANTED\", hosts: [s3.eu-central-1.amazonaws.com]}}\n"
			  "clouds: {c: {endpoints: {store: \"https://proxy.example\"}, credentials: {access_key_id: A, "
			  "secret_access_key: secret/k}}}\n"),
			&aws, ERR_DENIED),
		"may not be sent to proxy.example:443");
	assert_part(refused(f, S("clouds: {c: {credentials: {file: /x}}}"), &aws, ERR_INVALID), "write profile:");
}

// ---------------------------------------------------------------- what a workspace may not do
static void test_api_of_a_workspace(void **state)
{
	struct fixture *f = *state;
	setenv("AWS_ACCESS_KEY_ID", "AK", 1);
	setenv("AWS_SECRET_ACCESS_KEY", PLANTED, 1);
	// Neither a site nor a provider's cloud with an address of the workspace gets what lies about.
	assert_part(refused(f, S(""), &site, ERR_DENIED), "credentials go there only if the operator's file says so");
	struct account_request hostile = aws;
	hostile.store_api = S("https://evil.example");
	assert_part(refused(f, S(""), &hostile, ERR_DENIED), "evil.example:443");
	assert_part(
		refused(f, S("clouds: {c: {hosts: [evil.example]}}"), &hostile, ERR_NOT_FOUND), "not a provider's own");
	const struct str text = S("secrets: {k: {from: \"env:PLANTED\", hosts: [minio.example]}}\n"
				  "clouds:\n"
				  "  c:\n"
				  "    credentials: {access_key_id: A, secret_access_key: secret/k}\n"
				  "    hosts: [minio.example, \"other.example:9000\"]\n"
				  "    ca: /etc/ca.pem\n");
	struct account account = found(f, text, &site);
	assert_str(account.store_url, S("https://minio.example"));
	assert_str(account.ca_file, S("/etc/ca.pem"));
	assert_int_equal(account.host_count, 2);
	assert_str(account.hosts[0], S("minio.example:443"));
	assert_str(account.hosts[1], S("other.example:9000"));
	struct account_request moved = site;
	moved.store_api = S("https://minio.example:9000");
	assert_part(refused(f, text, &moved, ERR_DENIED), "minio.example:9000");
	moved.store_api = S("https://other.example:9000"); // listed for the cloud, but not for the secret
	assert_part(refused(f, text, &moved, ERR_DENIED), "secret/k may not be sent to other.example:9000");
	moved.store_api = S("ftp://minio.example");
	refused(f, text, &moved, ERR_INVALID);
	moved.store_api = S("");
	assert_part(refused(f, text, &moved, ERR_INVALID), "has no address");
}

static void test_account_must_agree(void **state)
{
	struct fixture *f = *state;
	setenv("AWS_ACCESS_KEY_ID", "AK", 1);
	setenv("AWS_SECRET_ACCESS_KEY", PLANTED, 1);
	struct account_request request = aws;
	request.account = S("111111111111");
	assert_str(found(f, S("clouds: {c: {account: \"111111111111\"}}"), &request).account, S("111111111111"));
	assert_part(
		refused(f, S("clouds: {c: {account: \"222222222222\"}}"), &request, ERR_DENIED), "no call was made");
	assert_str(found(f, S(""), &request).account, S("")); // not known before the provider is asked
	request = gcp;
	request.account = S("lumen-ml-prod");
	fixture_write(f, "sa.json", S("{\"type\": \"service_account\", \"project_id\": \"lumen-ml-dev\"}"));
	setenv("GOOGLE_APPLICATION_CREDENTIALS", fixture_path(f, "sa.json"), 1);
	assert_part(refused(f, S(""), &request, ERR_DENIED), "belong to \"lumen-ml-dev\"");
	assert_part(refused(f, S("clouds: {c: {account: other}}"), &gcp, ERR_DENIED), "says account \"other\"");
}

// ---------------------------------------------------------------- Google Cloud and Azure
static void test_gcp(void **state)
{
	struct fixture *f = *state;
	assert_part(refused(f, S(""), &gcp, ERR_NOT_FOUND), "GOOGLE_APPLICATION_CREDENTIALS");
	fixture_write(f, ".config/gcloud/application_default_credentials.json",
		S("{\"type\": \"authorized_user\", \"refresh_token\": \"" PLANTED "\"}"));
	assert_part(refused(f, S(""), &gcp, ERR_UNSUPPORTED), "authorized_user");
	fixture_write(f, "sa.json",
		S("{\"type\": \"service_account\", \"project_id\": \"p\", \"private_key\": \"" PLANTED
		  "\", \"token_uri\": \"https://oauth2.googleapis.com/token\"}"));
	struct str entry =
		arena_printf(&f->arena, "clouds: {c: {credentials: {file: \"%s\"}}}", fixture_path(f, "sa.json"));
	assert_part(refused(f, entry, &gcp, ERR_DENIED), "chmod 600");
	assert_int_equal(chmod(fixture_path(f, "sa.json"), 0600), 0);
	struct account account = found(f, entry, &gcp);
	assert_str(account.account, S("p"));
	assert_string_equal(json_text(account.credentials, "private_key"), PLANTED);
	setenv("GOOGLE_APPLICATION_CREDENTIALS", fixture_path(f, "sa.json"), 1);
	assert_str(found(f, S(""), &gcp).account, S("p"));
	// The key's assertion goes to the token endpoint, so that the secret has to be allowed there, too.
	struct str secret = arena_printf(&f->arena,
		"secrets: {sa: {from: \"file:%s\", hosts: [storage.googleapis.com%s]}}\n"
		"clouds: {c: {credentials: {service_account: secret/sa}}}\n",
		fixture_path(f, "sa.json"), "");
	assert_part(refused(f, secret, &gcp, ERR_DENIED), "may not be sent to oauth2.googleapis.com:443");
	secret = arena_printf(&f->arena,
		"secrets: {sa: {from: \"file:%s\", hosts: [\"*.googleapis.com:443\"]}}\n"
		"clouds: {c: {credentials: {service_account: secret/sa}}}\n",
		fixture_path(f, "sa.json"));
	assert_str(found(f, secret, &gcp).account, S("p"));
	fixture_write(f, "sa.json", S("{}"));
	assert_part(refused(f, S(""), &gcp, ERR_INVALID), "is no file of a service account");
}

static void test_azure(void **state)
{
	struct fixture *f = *state;
	assert_part(refused(f, S(""), &azure, ERR_NOT_FOUND), "AZURE_STORAGE_ACCOUNT");
	setenv("AZURE_CLIENT_ID", "x", 1);
	assert_part(refused(f, S(""), &azure, ERR_UNSUPPORTED), "AZURE_CLIENT_ID");
	setenv("AZURE_STORAGE_CONNECTION_STRING",
		"DefaultEndpointsProtocol=http;AccountName=acct;AccountKey=QUJD==;BlobEndpoint=http://127.0.0.1:10000/"
		"acct",
		1);
	struct account account = found(f, S(""), &azure);
	assert_string_equal(json_text(account.credentials, "account"), "acct");
	assert_string_equal(json_text(account.credentials, "key"), "QUJD==");
	assert_str(account.store_url, S(""));
	struct account_request bare = {.cloud = S("az"), .provider = S("azure"), .environment_addresses = true};
	assert_str(found(f, S(""), &bare).store_url, S("http://127.0.0.1:10000/acct"));
	setenv("AZURE_STORAGE_CONNECTION_STRING", "SharedAccessSignature=" PLANTED, 1);
	assert_part(refused(f, S(""), &azure, ERR_UNSUPPORTED), "shared access signatures");
	setenv("AZURE_STORAGE_ACCOUNT", "two", 1);
	setenv("AZURE_STORAGE_KEY", "REVG", 1);
	assert_string_equal(json_text(found(f, S(""), &azure).credentials, "account"), "two");
	const struct str text = S("secrets: {k: {from: \"env:PLANTED\", hosts: [three.blob.core.windows.net]}}\n"
				  "clouds: {c: {credentials: {storage_account: three, storage_key: secret/k}}}\n");
	assert_string_equal(json_text(found(f, text, &azure).credentials, "key"), PLANTED);
	assert_part(refused(f, S("clouds: {c: {credentials: {profile: x}}}"), &azure, ERR_INVALID),
		"write storage_account:");
	struct account_request other = azure;
	other.provider = S("ibm");
	refused(f, S(""), &other, ERR_INVALID);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_aws_environment),
		TEST(test_aws_profiles),
		TEST(test_aws_indirect),
		TEST(test_secret_is_bound_to_the_store),
		TEST(test_api_of_a_workspace),
		TEST(test_account_must_agree),
		TEST(test_gcp),
		TEST(test_azure),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
