// SPDX-License-Identifier: Apache-2.0
// Who may be whom in pocket clouds: what is refused without a signature, a token that is good, or the right to it. What
// clients do with roles, sessions and service accounts is shown by boto3 and google-auth (tests/interop).
#include "pocket_fixture.h"

#include "pocket/aws/query.h"
#include "pocket/aws/session.h"
#include "pocket/gcp/tokens.h"
#include "pocket/issuer.h"

static struct exchange ask(const char *method, const char *target, const char *type, const char *body)
{
	struct exchange x = {.method = str_of(method), .target = str_of(target), .body = str_of(body)};
	if (*type)
		exchange_add(&x, "content-type", str_of(type));
	exchange_send(&x);
	return x;
}

static void issue_nothing(void)
{
	char path[128];
	snprintf(path, sizeof(path), "%s/issuers.json", cloud.folder);
	assert_int_equal(file_write_atomic(path, S("{\"https://issuer.test\":{\"public_key\":\"x\",\"audiences\":[\"a\"]}}"), 0600, NULL), 0);
}

#define FORM "application/x-www-form-urlencoded"
#define ROLE "&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fx&RoleSessionName=me"
// {"alg":"RS256"}.{"iss":"https://issuer.test","aud":"a"}.x
#define UNSIGNED "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJodHRwczovL2lzc3Vlci50ZXN0IiwiYXVkIjoiYSJ9.AAAA"

static void test_aws(UNUSED void **state)
{
	assert_string_equal(aws_sts_service.name, "sts");
	assert_string_equal(aws_iam_service.name, "iam");
	assert_int_equal(cloud_setup("aws"), 0);
	issue_nothing();
	assert_int_equal(json_str(cloud.credentials, "account").n, SESSION_ACCOUNT_DIGITS);
	assert_true(str_ends(json_str(cloud.credentials, "role"), S(":role/" IAM_JOB_ROLE)));
	struct exchange x = ask("POST", "/", FORM, "Action=AssumeRoleWithWebIdentity&Version=2011-06-15" ROLE "&WebIdentityToken=x");
	assert_status(&x, 400);
	assert_contains(x.text, S("<Code>InvalidIdentityToken</Code>"));
	x = ask("POST", "/", FORM, "Action=AssumeRoleWithWebIdentity&Version=2011-06-15" ROLE "&WebIdentityToken=" UNSIGNED);
	assert_status(&x, 400);
	assert_contains(x.text, S("<Code>InvalidIdentityToken</Code>"));
	x = ask("POST", "/", FORM, "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=x");
	assert_contains(x.text, S("<Code>ValidationError</Code>"));
	x = ask("POST", "/", FORM, "Action=AssumeRole&Version=2011-06-15" ROLE);
	assert_status(&x, 403);
	assert_contains(x.text, S("<Code>AccessDenied</Code>")); // it is not signed
	x = ask("GET", "/v2/credentials/" IAM_JOB_ROLE "/job", "", "");
	assert_status(&x, 401);
	exchange_add(&x, "authorization", S("0000000000000000000000000000000000000000000000000000000000000000"));
	exchange_send(&x);
	assert_status(&x, 401);
	assert_int_equal(cloud_test_end(NULL), 0);
	assert_int_equal(cloud_teardown(NULL), 0);
}

static void test_gcp(UNUSED void **state)
{
	assert_string_equal(gcp_sts_service.name, "sts");
	assert_int_equal(gcp_scope_of(S("https://www.googleapis.com/auth/iam")), GCS_IAM);
	assert_int_equal(gcp_scope_of(S("x https://www.googleapis.com/auth/devstorage.read_only")), GCS_READ);
	assert_int_equal(gcp_scope_of(S("https://www.googleapis.com/auth/cloud-platform")), GCS_WRITE);
	assert_int_equal(gcp_scope_of(S("")), GCS_NONE);
	assert_int_equal(cloud_setup("gcp"), 0);
	issue_nothing();
	struct exchange x = ask("POST", "/v1/token", FORM, "grant_type=other");
	assert_status(&x, 400);
	assert_contains(x.text, S("\"unsupported_grant_type\""));
#define EXCHANGE "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange&subject_token=" UNSIGNED
	x = ask("POST", "/v1/token", FORM, EXCHANGE "&audience=x");
	assert_contains(x.text, S("\"invalid_request\""));
	x = ask("POST", "/v1/token", FORM,
		EXCHANGE "&audience=%2F%2Fiam.googleapis.com%2Fprojects%2F1%2Flocations%2Fglobal%2FworkloadIdentityPools%2Fp%2Fproviders%2Fo");
	assert_status(&x, 400);
	assert_contains(x.text, S("\"invalid_grant\""));
	x = ask("GET", "/v1/projects/unit-test/serviceAccounts", "", "");
	assert_status(&x, 401);
	exchange_add(&x, "authorization", S("Bearer ya29.AAAA"));
	exchange_send(&x);
	assert_status(&x, 401);
	assert_int_equal(cloud_test_end(NULL), 0);
	assert_int_equal(cloud_teardown(NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_aws), cmocka_unit_test(test_gcp)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
