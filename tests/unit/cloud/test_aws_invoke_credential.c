// SPDX-License-Identifier: Apache-2.0
// Credentials that may only invoke one endpoint of SageMaker: what STS is asked for, and what is made of its answers.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/time.h"
#include "cloud/aws/invoke_credential.h"
#include "fixture.h"

#define ROLE "arn:aws:iam::123456789012:role/isobar"
#define ANSWER                                                                                                         \
	"<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult><Credentials>"         \
	"<AccessKeyId>ASIA1</AccessKeyId><SecretAccessKey>shh</SecretAccessKey><SessionToken>tok</SessionToken>"          \
	"<Expiration>2026-11-24T11:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"

static struct {
	struct fixture f;
	struct credential_source *credentials;
	struct aws_services *services;
	const char *answer;
	int status, asked;
	struct buf body;
} lab;

static int fake_perform(
	struct call *c, UNUSED void *ctx, const struct transport_request *r, struct transport_response *out)
{
	lab.asked++;
	buf_clear(&lab.body);
	buf_add(&lab.body, r->body);
	*out = (struct transport_response){.status = lab.status, .body = arena_str(c->arena, str_of(lab.answer))};
	return 0;
}

static int fake_make(struct call *c, UNUSED void *ctx, UNUSED struct str audience, struct credential_made *out)
{
	int r = secret_set(&out->access_key, S("AKIDEXAMPLE"), &c->err);
	return r ? r : secret_set(&out->secret_key, S("secret"), &c->err);
}

static void close_nothing(UNUSED void *ctx)
{
}

static void open_services(const char *role)
{
	static const struct credential_ops ops = {.make = fake_make, .close = close_nothing};
	struct err e = {0};
	const struct cloud_config config = {.name = S("aws-us"), .provider = S("aws"), .region = S("us-east-1"),
		.account = S("123456789012"), .services_url = S("http://127.0.0.1:9"), .job_role = str_of(role)};
	memset(&lab, 0, sizeof(lab)); // a credential keeps no text of an earlier lab
	fixture_open(&lab.f);
	lab.status = 200;
	lab.answer = ANSWER;
	assert_int_equal(credential_source_new(&ops, NULL, &lab.credentials, &e), 0);
	const struct services_options options = {
		.config = &config, .transport = {.perform = fake_perform}, .credentials = lab.credentials};
	assert_int_equal(aws_services_open(&options, &lab.services, &e), 0);
}

static void close_services(void)
{
	aws_services_close(lab.services);
	credential_source_free(lab.credentials);
	buf_free(&lab.body);
	fixture_close(&lab.f);
}

static void test_asks_for_one_endpoint_alone(void **state)
{
	AUTO(endpoint_credential) got = {0};
	int64_t expires_ns;
	(void)state;
	open_services(ROLE);
	assert_int_equal(aws_invoke_credential(&lab.f.call, lab.services, S("Fashion-Classify"), &got), 0);
	assert_string_equal(buf_cstr(&lab.body),
		"Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fisobar&"
		"RoleSessionName=isobar-gateway&Policy=%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B"
		"%22Effect%22%3A%22Allow%22%2C%22Action%22%3A%22sagemaker%3AInvokeEndpoint%22%2C%22Resource%22%3A%22"
		"arn%3Aaws%3Asagemaker%3Aus-east-1%3A123456789012%3Aendpoint%2Ffashion-classify%22%7D%5D%7D&"
		"DurationSeconds=3600");
	assert_int_equal(got.how, INVOKE_SAGEMAKER);
	assert_true(str_eq(got.access_key, S("ASIA1")) && str_eq(got.region, S("us-east-1")));
	assert_true(str_eq(secret_str(&got.secret), S("shh")) && str_eq(secret_str(&got.session), S("tok")));
	assert_int_equal(time_parse_rfc3339(S("2026-11-24T11:00:00Z"), &expires_ns), 0);
	assert_int_equal(got.expires_ns, expires_ns);
	close_services();
}

static void test_failures(void **state)
{
	static const char *const halves[] = {
		"<AssumeRoleResponse/>", "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>A</AccessKeyId>"
					 "</Credentials></AssumeRoleResult></AssumeRoleResponse>",
		"<Other/>"};
	(void)state;
	open_services("");
	AUTO(endpoint_credential) got = {0};
	assert_int_equal(aws_invoke_credential(&lab.f.call, lab.services, S("m"), &got), ERR_UNSUPPORTED);
	assert_non_null(strstr(lab.f.call.err.message, "job_role"));
	assert_int_equal(lab.asked, 0);
	close_services();
	open_services(ROLE);
	for (size_t i = 0; i < COUNT_OF(halves); i++) {
		lab.answer = halves[i];
		err_clear(&lab.f.call.err);
		assert_int_equal(aws_invoke_credential(&lab.f.call, lab.services, S("m"), &got), ERR_PROTOCOL);
		assert_null(got.secret.p);
	}
	lab.status = 403;
	lab.answer = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>";
	err_clear(&lab.f.call.err);
	assert_int_equal(aws_invoke_credential(&lab.f.call, lab.services, S("m"), &got), ERR_DENIED);
	assert_non_null(strstr(lab.f.call.err.message, "aws-us: credentials to invoke endpoint m"));
	close_services();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_asks_for_one_endpoint_alone),
		cmocka_unit_test(test_failures),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
