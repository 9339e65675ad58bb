// SPDX-License-Identifier: Apache-2.0
// Policies: patterns, what allows, what denies, conditions, and who may all.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pocket/access.h"

static void test_patterns(void **state)
{
	(void)state;
	assert_true(access_pattern_fits(S("*"), S(""), false));
	assert_true(access_pattern_fits(S("s3:Get*"), S("s3:GetObject"), false));
	assert_true(access_pattern_fits(S("S3:GETobject"), S("s3:GetObject"), true));
	assert_false(access_pattern_fits(S("S3:GETobject"), S("s3:GetObject"), false));
	assert_true(access_pattern_fits(S("arn:aws:s3:::lake/*/b"), S("arn:aws:s3:::lake/a/x/b"), false));
	assert_false(access_pattern_fits(S("arn:aws:s3:::lake/*/b"), S("arn:aws:s3:::lake/a/x/bc"), false));
	assert_true(access_pattern_fits(S("a?c*"), S("abc"), false));
	assert_false(access_pattern_fits(S("a?c"), S("ac"), false));
	assert_false(access_pattern_fits(S("abc"), S("ab"), false));
}

static enum access decide(const char *statements, const char *action, const char *resource, const char *context)
{
	AUTO(buf) text = {0};
	AUTO(json) document = NULL;
	AUTO(json) keys = NULL;
	buf_printf(&text, "{\"Statement\":%s}", statements);
	assert_int_equal(json_parse(buf_str(&text), &document, NULL), 0);
	if (context)
		assert_int_equal(json_parse(str_of(context), &keys, NULL), 0);
	struct access_question q = {str_of(action), str_of(resource), keys};
	return access_of_document(document, &q);
}

static void test_documents(void **state)
{
	(void)state;
	const char *reads = "{\"Effect\":\"Allow\",\"Action\":[\"s3:Get*\",\"s3:List*\"],\"Resource\":\"arn:1/*\"}";
	assert_int_equal(decide(reads, "s3:GetObject", "arn:1/a", NULL), ACCESS_ALLOW);
	assert_int_equal(decide(reads, "s3:PutObject", "arn:1/a", NULL), ACCESS_NONE);
	assert_int_equal(decide(reads, "s3:GetObject", "arn:2/a", NULL), ACCESS_NONE);
	const char *both = "[{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\"},"
			   "{\"Effect\":\"Deny\",\"NotAction\":\"s3:*\",\"Resource\":\"*\"},"
			   "{\"Effect\":\"Deny\",\"Action\":\"*\",\"NotResource\":\"arn:1/*\"}]";
	assert_int_equal(decide(both, "s3:PutObject", "arn:1/a", NULL), ACCESS_ALLOW);
	assert_int_equal(decide(both, "kms:Decrypt", "arn:1/a", NULL), ACCESS_DENY);
	assert_int_equal(decide(both, "s3:PutObject", "arn:2/a", NULL), ACCESS_DENY);
}

static void test_conditions(void **state)
{
	(void)state;
#define STATEMENT(effect, condition) "{\"Effect\":\"" effect "\",\"Action\":\"*\",\"Resource\":\"*\",\"Condition\":" condition "}"
	const char *equals = STATEMENT("Allow", "{\"StringEquals\":{\"k\":[\"a\",\"b\"]}}");
	assert_int_equal(decide(equals, "x:Y", "r", "{\"k\":\"b\"}"), ACCESS_ALLOW);
	assert_int_equal(decide(equals, "x:Y", "r", "{\"k\":\"c\"}"), ACCESS_NONE);
	assert_int_equal(decide(equals, "x:Y", "r", NULL), ACCESS_NONE);
	const char *like = STATEMENT("Allow", "{\"StringLike\":{\"k\":\"a*\"}}");
	assert_int_equal(decide(like, "x:Y", "r", "{\"k\":\"abc\"}"), ACCESS_ALLOW);
	const char *differs = STATEMENT("Allow", "{\"StringNotEquals\":{\"k\":\"a\"}}");
	assert_int_equal(decide(differs, "x:Y", "r", "{\"k\":\"a\"}"), ACCESS_NONE);
	assert_int_equal(decide(differs, "x:Y", "r", NULL), ACCESS_ALLOW);
	// An operator that is not known allows nothing, and denies.
	assert_int_equal(decide(STATEMENT("Allow", "{\"DateLessThan\":{\"k\":\"a\"}}"), "x:Y", "r", "{\"k\":\"a\"}"), ACCESS_NONE);
	assert_int_equal(decide(STATEMENT("Deny", "{\"DateLessThan\":{\"k\":\"a\"}}"), "x:Y", "r", "{\"k\":\"a\"}"), ACCESS_DENY);
}

static void test_principals(void **state)
{
	(void)state;
	struct access_question q = {S("s3:GetObject"), S("arn:1"), NULL};
	AUTO(json) all = json_pack("[{s:[{s:s,s:s,s:s}]}]", "Statement", "Effect", "Allow", "Action", "s3:*", "Resource", "*");
	AUTO(json) none = json_pack("{s:[]}", "Statement");
	struct pocket_principal owner = {.name = S("o"), .owner = true}, nobody = {.name = S("n")},
				role = {.name = S("r"), .policies = all}, limited = {.name = S("l"), .policies = all, .limit = none};
	assert_true(access_allowed(&owner, &q));
	assert_false(access_allowed(&nobody, &q));
	assert_true(access_allowed(&role, &q));
	assert_false(access_allowed(&limited, &q));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_patterns),
		cmocka_unit_test(test_documents),
		cmocka_unit_test(test_conditions),
		cmocka_unit_test(test_principals),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
