// SPDX-License-Identifier: Apache-2.0
// Identity providers, audit: and rules of roles: what is read, what is refused, what waits.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/time.h"
#include "kind_test.h"
#include "security/audit_kind.h"
#include "security/identity_provider_kind.h"
#include "security/role_kind.h"

static void test_identity_provider(UNUSED void **state)
{
	AUTO(arena) a = {0};
	struct identity_provider p;
	kind_test_decode(&identity_provider_kind,
		"{issuer: \"https://login.example.org/realms/staff\", audience: isobar, groups_claim: teams}", &a, &p, "");
	assert_true(str_eq(p.audience, S("isobar")) && str_eq(p.groups_claim, S("teams")) && str_eq(p.user_claim, S("sub")));
	assert_int_equal(p.clock_skew_ns, 60 * NS_PER_S);
	kind_test_wrong(&identity_provider_kind, "{issuer: \"http://login.example.org\", audience: a}",
		"1:10: issuer: tokens and the keys that check them travel over TLS only (OpenID Connect Discovery, 3); begin it "
		"with https://\n");
	kind_test_wrong(&identity_provider_kind, "{issuer: \"https://x.example\"}",
		"1:1: \"audience\" is missing; expected text\n");
	kind_test_later(&identity_provider_kind, "{issuer: \"https://x.example\", audience: a}", "", "identity_providers");
	assert_ptr_equal(identity_provider_handler.kind, &identity_provider_kind);
}

static void test_audit(UNUSED void **state)
{
	AUTO(arena) a = {0};
	struct audit audit;
	static const char text[] = "keep: {at_least: 190d, at_most: 2y}\ncopies: [bucket/lake on munich]\n"
				   "timestamp: {rfc3161: \"https://tsa.example\", every: 1h}\n";
	kind_test_decode(&audit_kind, text, &a, &audit, "");
	assert_int_equal(audit.keep.at_most_ns, 730 * 86400 * NS_PER_S);
	const struct field_ref *copies = audit.copies.items;
	assert_true(audit.copies.count == 1 && str_eq(copies[0].name, S("lake")) && str_eq(copies[0].on, S("munich")));
	kind_test_later(&audit_kind, text, "keep.at_least, keep.at_most, copies, timestamp", "");
	kind_test_wrong(&audit_kind, "keep: {at_least: 2y, at_most: 1y}",
		"1:31: keep.at_most: nothing can be kept longer than at least and shorter than at most; raise at_most, or lower "
		"at_least\n");
	kind_test_wrong(&audit_kind, "timestamp: {every: 5s}",
		"1:12: timestamp: \"rfc3161\" is missing; expected an absolute http, https or file URL without user and "
		"password\n1:20: timestamp.every: expected a duration such as 30d, 5m or 250ms, from 1m to 30d, got \"5s\"\n");
	assert_true(audit_kind.single && audit_handler.kind == &audit_kind);
}

static void test_role_when(UNUSED void **state)
{
	AUTO(arena) a = {0};
	struct role role;
	kind_test_decode(&role_kind,
		"members: [group/ml]\ndeny: [{actions: [model.promote], resources: [model/fraud], when: {environment: prod}}]",
		&a, &role, "");
	const struct role_rule *deny = role.deny.items;
	assert_true(str_eq(deny[0].when.environment, S("prod")));
	kind_test_wrong(&role_kind, "members: [group/ml]\nallow: [{actions: [\"a.*.b\"], resources: [5x/y]}]\nowns: 1\n",
		"3:1: owns: role has no field \"owns\"\n"
		"2:20: allow[0].actions[0]: expected an exact name, or one that ends in '*', got \"a.*.b\"\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_identity_provider),
		cmocka_unit_test(test_audit),
		cmocka_unit_test(test_role_when),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
