// SPDX-License-Identifier: Apache-2.0
// The policy decision and principals: default deny, deny wins, wildcards, damaged policies.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "failing_malloc.h"
#include "security/policy.h"
#include "security/principal.h"

static const char *const roles_text =
	"[{\"name\":\"shop-app\",\"members\":[\"api-key/shop-app\"],"
	"  \"allow\":[{\"actions\":[\"model.predict\"],\"resources\":[\"endpoint/classify\"]}]},"
	" {\"name\":\"ml\",\"members\":[\"group/ml\",\"user/root\"],"
	"  \"allow\":[{\"actions\":[\"training.*\",\"model.*\",\"data.read\"],\"resources\":[\"*\"]}],"
	"  \"deny\":[{\"actions\":[\"model.promote\"],\"resources\":[\"model/fraud\"]}]},"
	" {\"name\":\"oversight\",\"members\":[\"user/"
	"*\"],\"allow\":[{\"actions\":[\"route.stop\"],\"resources\":[\"route/*\"]}]},"
	" {\"name\":\"frozen\",\"members\":[\"group/"
	"frozen\"],\"allow\":null,\"deny\":[{\"actions\":[\"*\"],\"resources\":[\"*\"]}]}]";

struct bench {
	struct arena arena;
	struct policy policy;
};

static int setup(void **out)
{
	struct bench *b = calloc(1, sizeof(*b));
	json_t *roles;
	struct err e = {0};
	assert_int_equal(json_parse(str_of(roles_text), &roles, &e), 0);
	assert_int_equal(policy_of_json(roles, &b->arena, &b->policy, &e), 0);
	json_decref(roles); // texts were copied
	*out = b;
	return 0;
}

static int teardown(void **out)
{
	struct bench *b = *out;
	arena_free(&b->arena);
	free(b);
	return 0;
}

static struct policy_decision decide(struct bench *b, const char *who, const char *action, const char *resource)
{
	const struct policy_request r = {
		.principal = str_of(who), .action = str_of(action), .resource = str_of(resource)};
	return policy_decide(&b->policy, &r);
}

static void test_allowed_by_a_rule(void **out)
{
	struct bench *b = *out;
	struct policy_decision d = decide(b, "api-key/shop-app", "model.predict", "endpoint/classify");
	assert_true(d.allowed);
	assert_string_equal(d.reason, "allowed");
	assert_true(str_eq(d.role->name, S("shop-app")));
	assert_ptr_equal(d.rule, &d.role->allow[0]);
	assert_true(decide(b, "api-key/shop-app", "model.predict", "endpoint/classify on aws-us").allowed);
}

static void test_denied_by_default(void **out)
{
	struct bench *b = *out;
	static const char *const cases[][3] = {
		{"api-key/other", "model.predict", "endpoint/classify"},
		{"api-key/shop-app", "model.delete", "endpoint/classify"},
		{"api-key/shop-app", "model.predict", "endpoint/classify2"},
		{"api-key/shop-app", "model.predict", "endpoint/class"},
		{"api-key/shop-ap", "model.predict", "endpoint/classify"},
		{"api-key/shop-app2", "model.predict", "endpoint/classify"},
		{"API-KEY/shop-app", "model.predict", "endpoint/classify"},
		{"api-key/shop-app", "model.predict", "endpoint/classify\nendpoint/classify"},
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct policy_decision d = decide(b, cases[i][0], cases[i][1], cases[i][2]);
		assert_false(d.allowed);
		assert_null(d.role);
		assert_string_equal(d.reason, "no rule allows it");
	}
	struct policy empty = {0};
	const struct policy_request r = {
		.principal = S_INIT("user/root"), .action = S_INIT("x"), .resource = S_INIT("y")};
	assert_false(policy_decide(&empty, &r).allowed);
}

static void test_nobody_is_denied(void **out)
{
	struct bench *b = *out;
	assert_false(decide(b, "", "model.predict", "endpoint/classify").allowed);
	assert_string_equal(decide(b, "", "model.predict", "endpoint/classify").reason, "no principal");
	assert_false(decide(b, "user/root", "", "x").allowed);
	assert_false(decide(b, "user/root", "model.read", "").allowed);
}

static void test_deny_wins(void **out)
{
	struct bench *b = *out;
	assert_true(decide(b, "user/root", "model.promote", "model/other").allowed);
	struct policy_decision d = decide(b, "user/root", "model.promote", "model/fraud");
	assert_false(d.allowed);
	assert_string_equal(d.reason, "denied by a rule");
	assert_ptr_equal(d.rule, &d.role->deny[0]);
	// A deny of a later role beats an allow of an earlier one.
	const struct str groups[] = {S_INIT("group/frozen")};
	const struct policy_request r = {.principal = S_INIT("user/root"),
		.groups = groups,
		.group_count = 1,
		.action = S_INIT("data.read"),
		.resource = S_INIT("dataset/x")};
	assert_false(policy_decide(&b->policy, &r).allowed);
	assert_true(str_eq(policy_decide(&b->policy, &r).role->name, S("frozen")));
}

static void test_groups_and_wildcards(void **out)
{
	struct bench *b = *out;
	const struct str groups[] = {S_INIT("group/other"), S_INIT("group/ml")};
	const struct policy_request r = {.principal = S_INIT("identity-provider/x"),
		.groups = groups,
		.group_count = 2,
		.action = S_INIT("training.start"),
		.resource = S_INIT("training/a")};
	assert_true(policy_decide(&b->policy, &r).allowed);
	assert_false(decide(b, "identity-provider/x", "training.start", "training/a").allowed);
	assert_true(decide(b, "user/anna", "route.stop", "route/classify").allowed);
	assert_false(decide(b, "user/anna", "route.stop", "routes").allowed);
	assert_false(decide(b, "user/root", "trainings", "x").allowed);
}

static void test_patterns(UNUSED void **out)
{
	assert_true(policy_pattern_covers(S("*"), S("anything")));
	assert_true(policy_pattern_covers(S("a.*"), S("a.b")));
	assert_false(policy_pattern_covers(S("a.*"), S("ab")));
	assert_false(policy_pattern_covers(S("a*b"), S("axb")));
	assert_false(policy_pattern_covers(S(""), S("")));
	assert_false(policy_pattern_valid(S("**")));
	assert_true(policy_pattern_valid(S("x*")));
}

static void test_a_damaged_policy_decides_nothing(void **out)
{
	struct bench *b = *out;
	static const char *const bad[] = {
		"{}",
		"[{\"members\":[]}]",
		"[{\"name\":\"x\"}]",
		"[{\"name\":\"x\",\"members\":\"user/root\"}]",
		"[{\"name\":\"x\",\"members\":[1]}]",
		"[{\"name\":\"x\",\"members\":[\"a*b\"]}]",
		"[{\"name\":\"x\",\"members\":[],\"allow\":{}}]",
		"[{\"name\":\"x\",\"members\":[],\"allow\":[{\"actions\":[\"a\"]}]}]",
		"[{\"name\":\"x\",\"members\":[],\"deny\":[{\"resources\":[\"a\"]}]}]",
	};
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		AUTO(json) roles = NULL;
		struct err e = {0};
		struct policy p = {0};
		assert_int_equal(json_parse(str_of(bad[i]), &roles, &e), 0);
		assert_int_equal(policy_of_json(roles, &b->arena, &p, &e), ERR_CORRUPT);
		assert_int_equal(p.count, 0);
	}
}

static void test_without_memory(UNUSED void **out)
{
	AUTO(json) roles = NULL;
	struct err e = {0};
	assert_int_equal(json_parse(str_of(roles_text), &roles, &e), 0);
	for (size_t n = 0;; n++) {
		AUTO(arena) a = {0};
		struct policy p = {0};
		failing_malloc_after(n);
		int rc = policy_of_json(roles, &a, &p, &e);
		bool ended = !failing_malloc_stop();
		assert_int_equal(rc, ended ? 0 : ERR_NO_MEMORY);
		assert_int_equal(p.count, ended ? 4 : 0);
		if (ended)
			break;
	}
}

static void test_principals(void **out)
{
	struct bench *b = *out;
	struct str kind, name;
	struct err e = {0};
	assert_int_equal(principal_parse(S("api-key/shop-app"), &kind, &name, &e), 0);
	assert_true(str_eq(kind, S("api-key")) && str_eq(name, S("shop-app")));
	assert_int_equal(principal_parse(S("system"), &kind, &name, &e), 0);
	assert_int_equal(name.n, 0);
	static const char *const bad[] = {
		"", "user", "user/", "/root", "pet/rex", "user/a b", "user/a\n", "user/../x", "User/root"};
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_int_equal(principal_parse(str_of(bad[i]), &kind, &name, &e), ERR_INVALID);
	assert_true(str_eq(principal_make(&b->arena, S("user"), S("anna@x.org")), S("user/anna@x.org")));
	assert_int_equal(principal_make(&b->arena, S("user"), S("a/b")).n, 0);
	struct str mine = principal_of_process(&b->arena);
	assert_int_equal(principal_parse(mine, &kind, &name, &e), 0);
	assert_true(str_eq(kind, S("user")));
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_allowed_by_a_rule),
		TEST(test_denied_by_default),
		TEST(test_nobody_is_denied),
		TEST(test_deny_wins),
		TEST(test_groups_and_wildcards),
		TEST(test_patterns),
		TEST(test_a_damaged_policy_decides_nothing),
		TEST(test_without_memory),
		TEST(test_principals),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
