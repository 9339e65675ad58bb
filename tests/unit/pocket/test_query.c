// SPDX-License-Identifier: Apache-2.0
// The query protocol of a pocket AWS over loopback: forms that are taken, and what is refused in which words.
#include "aws_fixture.h"

#include "pocket/aws/query.h"

static int setup(UNUSED void **state)
{
	return cloud_setup("aws");
}

// A signed form; service: of the signature.
static struct exchange ask(const char *service, const char *secret, const char *form)
{
	struct exchange x = {.method = S("POST"), .target = S("/"), .body = str_of(form)};
	const struct aws_ask how = {.service = service, .secret = secret};
	exchange_add(&x, "content-type", S("application/x-www-form-urlencoded"));
	aws_sign(&x, &how);
	exchange_send(&x);
	return x;
}

static struct exchange ask_unsigned(const char *method, const char *target, const char *form)
{
	struct exchange x = {.method = str_of(method), .target = str_of(target), .body = str_of(form)};
	exchange_add(&x, "content-type", S("application/x-www-form-urlencoded"));
	exchange_send(&x);
	return x;
}

static void assert_error(const struct exchange *x, int status, const char *code, const char *message)
{
	assert_status(x, status);
	assert_str(answered(x, "content-type"), S("text/xml"));
	struct str id = answered(x, "x-amzn-requestid");
	assert_int_equal(id.n, FRONT_ID_SIZE - 1);
	assert_contains(x->text, arena_printf(&cloud.arena,
		"<Error><Type>Sender</Type><Code>%s</Code><Message>%s</Message></Error><RequestId>%.*s</RequestId>", code,
		message, STR(id)));
	assert_true(str_starts(x->text, S("<ErrorResponse xmlns=\"https://")));
	assert_true(str_ends(x->text, S("</ErrorResponse>")));
}

static void test_answer(UNUSED void **state)
{
	struct exchange x = ask("sts", NULL, "Action=GetCallerIdentity&Version=2011-06-15");
	assert_status(&x, 200);
	assert_str(answered(&x, "content-type"), S("text/xml"));
	assert_true(str_starts(x.text, S("<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">"
					"<GetCallerIdentityResult>")));
	assert_contains(x.text, S(":user/pocket</Arn>"));
	assert_true(str_ends(x.text, arena_printf(&cloud.arena,
		"</GetCallerIdentityResult><ResponseMetadata><RequestId>%.*s</RequestId></ResponseMetadata>"
		"</GetCallerIdentityResponse>", STR(answered(&x, "x-amzn-requestid")))));
}

static void test_actions(UNUSED void **state)
{
	struct exchange x = ask("sts", NULL, "Action=NoSuch&Version=2011-06-15");
	assert_error(&x, 400, "InvalidAction", "Could not find operation NoSuch for version 2011-06-15");
	x = ask("iam", NULL, "Action=GetCallerIdentity"); // of another service
	assert_error(&x, 400, "InvalidAction", "Could not find operation GetCallerIdentity for version 2010-05-08");
	x = ask("sts", NULL, "");
	assert_error(&x, 400, "InvalidAction", "Could not find operation  for version 2011-06-15");
	x = ask("sts", NULL, "Action=AssumeRole");
	assert_error(&x, 400, "ValidationError", "1 validation error detected: Value null at 'RoleArn' failed to "
						 "satisfy constraint: Member must not be null");
	x = ask("sts", NULL, "Action=%zz");
	assert_status(&x, 400);
	assert_contains(x.text, S("<Code>MalformedQueryString</Code>"));
}

static void test_signatures(UNUSED void **state)
{
	struct exchange x = ask("sts", "not-the-secret", "Action=GetCallerIdentity");
	assert_status(&x, 403);
	assert_contains(x.text, S("<Code>SignatureDoesNotMatch</Code>"));
	x = ask("sts", "not-the-secret", "Action=NoSuch"); // nothing is told to who is not known
	assert_contains(x.text, S("<Code>SignatureDoesNotMatch</Code>"));
	x = ask_unsigned("POST", "/", "Action=GetCallerIdentity");
	assert_status(&x, 403);
	assert_false(str_find(x.text, S("GetCallerIdentityResult")) >= 0);
	x = ask_unsigned("POST", "/", "Action=AssumeRoleWithWebIdentity"); // is open
	assert_status(&x, 400);
	assert_contains(x.text, S("<Code>ValidationError</Code>"));
}

static void test_body_is_signed(UNUSED void **state)
{
	struct exchange x = {.method = S("POST"), .target = S("/"), .body = S("Action=GetCallerIdentity")};
	const struct aws_ask how = {.service = "sts"};
	aws_sign(&x, &how);
	x.body = S("Action=GetSessionToken");
	exchange_send(&x);
	assert_error(&x, 403, "SignatureDoesNotMatch",
		"The request signature we calculated does not match the signature you provided.");
}

static void test_methods(UNUSED void **state)
{
	struct exchange x = {.method = S("POST"), .target = S("/elsewhere"), .body = S("Action=GetCallerIdentity")};
	const struct aws_ask how = {.service = "sts"};
	aws_sign(&x, &how);
	exchange_send(&x);
	assert_error(&x, 501, "NotImplemented", "Only forms that are posted to / are answered here.");
}

static void test_parts(UNUSED void **state)
{
	struct front_request r = {.err = {0}};
	struct sign_parameters form = {0};
	AUTO(buf) out = {0};
	struct str value = S("?");
	aws_query_time(&out, "Expiration", 1795515331);
	assert_str(buf_str(&out), S("<Expiration>2026-11-24T10:15:31Z</Expiration>"));
	assert_int_equal(sign_parameters_parse(S("Name=a+b&Empty="), &form, &r.err), 0);
	assert_int_equal(aws_query_need(&r, &form, "Empty", &value), ERR_INVALID);
	assert_string_equal(r.err.provider_code, "ValidationError");
	assert_int_equal(r.err.http_status, 400);
	sign_parameters_free(&form);
	assert_int_equal(aws_query_refuse(&r, 403, "AccessDenied", "no %d", 7), ERR_DENIED);
	assert_string_equal(r.err.message, "no 7");
	assert_string_equal(r.err.provider_code, "AccessDenied");
	assert_int_equal(r.err.http_status, 403);
	assert_int_equal(aws_query_refuse(&r, 404, "NoSuchEntity", "gone"), ERR_NOT_FOUND);
	assert_int_equal(aws_query_refuse(&r, 409, "EntityAlreadyExists", "there"), ERR_EXISTS);
}

#define ONE(test) cmocka_unit_test_teardown(test, cloud_test_end)

int main(int argc, char **argv)
{
	int role = aws_test_role(argc, argv);
	if (role >= 0)
		return role;
	const struct CMUnitTest tests[] = {ONE(test_answer), ONE(test_actions), ONE(test_signatures),
		ONE(test_body_is_signed), ONE(test_methods), ONE(test_parts)};
	return cmocka_run_group_tests(tests, setup, cloud_teardown);
}
