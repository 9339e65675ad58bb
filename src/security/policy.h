// SPDX-License-Identifier: Apache-2.0
// The policy decision: principal + action + resource -> allow or deny, with the rule that decided. Pure, no memory, any
// thread. The default is deny; a matching deny rule beats every allow; a policy that cannot be read decides nothing
// (policy_of_json fails). Patterns: "*" is everything; "training.*" and "endpoint/*" end in a wildcard; all else is
// exact. A resource pattern without " on CLOUD" covers the resource on every cloud. No '*' anywhere else.
#ifndef ISOBAR_SECURITY_POLICY_H
#define ISOBAR_SECURITY_POLICY_H

#include "base/arena.h"
#include "base/err.h"
#include "base/json.h"

struct policy_texts {
	struct str *items;
	size_t count;
};
struct policy_rule {
	struct policy_texts actions, resources;
};
struct policy_role {
	struct str name;             // "shop-app"
	struct policy_texts members; // "api-key/shop-app", "group/ml-returns", "user/*"
	struct policy_rule *allow, *deny;
	size_t allow_count, deny_count;
};
struct policy {
	struct policy_role *roles;
	size_t count;
};

struct policy_request {
	struct str principal;     // "api-key/shop-app"; "" is never allowed anything
	const struct str *groups; // "group/ml-returns": what an identity provider says of the principal
	size_t group_count;
	struct str action;   // "model.predict"
	struct str resource; // "endpoint/classify"
};
struct policy_decision {
	bool allowed;
	const struct policy_role *role; // of the deciding rule; NULL: no rule matched, so denied by default
	const struct policy_rule *rule; // the deciding rule
	const char *reason;             // "allowed", "denied by a rule", "no rule allows it", "no principal"
};

struct policy_decision policy_decide(const struct policy *p, const struct policy_request *r);
// From [{"name","members":[..],"allow":[{"actions":[..],"resources":[..]}],"deny":[..]}] as in the snapshot and in role
// resources. Texts are copied into a. ERR_CORRUPT names the role and what is wrong; a pattern with a '*' in the middle
// is refused.
MUST_CHECK int policy_of_json(const json_t *roles, struct arena *a, struct policy *out, struct err *e);
// Does the pattern cover the text? Exposed for route tables and tests.
bool policy_pattern_covers(struct str pattern, struct str text);
bool policy_pattern_valid(struct str pattern);

#endif
