// SPDX-License-Identifier: Apache-2.0
// The policy decision: see policy.h. Deny rules of every role are looked at before any allow rule.
#include "security/policy.h"

bool policy_pattern_valid(struct str pattern)
{
	ptrdiff_t star = str_find_char(pattern, '*');
	return pattern.n > 0 && (star < 0 || (size_t)star == pattern.n - 1);
}

bool policy_pattern_covers(struct str pattern, struct str text)
{
	if (!policy_pattern_valid(pattern))
		return false;
	if (pattern.p[pattern.n - 1] == '*')
		return str_starts(text, str_take(pattern, pattern.n - 1));
	return str_eq(pattern, text);
}

// "endpoint/classify" covers "endpoint/classify on aws-us" too.
static bool covers_resource(struct str pattern, struct str resource)
{
	if (policy_pattern_covers(pattern, resource))
		return true;
	ptrdiff_t on = str_find(resource, S(" on "));
	return on > 0 && policy_pattern_covers(pattern, str_take(resource, (size_t)on));
}

static bool is_member(const struct policy_role *role, const struct policy_request *r)
{
	for (size_t i = 0; i < role->members.count; i++) {
		struct str pattern = role->members.items[i];
		if (policy_pattern_covers(pattern, r->principal))
			return true;
		for (size_t g = 0; g < r->group_count; g++)
			if (r->groups[g].n && policy_pattern_covers(pattern, r->groups[g]))
				return true;
	}
	return false;
}

static bool rule_covers(const struct policy_rule *rule, const struct policy_request *r)
{
	bool action = false, resource = false;
	for (size_t i = 0; i < rule->actions.count && !action; i++)
		action = policy_pattern_covers(rule->actions.items[i], r->action);
	for (size_t i = 0; i < rule->resources.count && action && !resource; i++)
		resource = covers_resource(rule->resources.items[i], r->resource);
	return resource;
}

static const struct policy_rule *find_rule(
	const struct policy_rule *rules, size_t count, const struct policy_request *r)
{
	for (size_t i = 0; i < count; i++)
		if (rule_covers(&rules[i], r))
			return &rules[i];
	return NULL;
}

struct policy_decision policy_decide(const struct policy *p, const struct policy_request *r)
{
	if (r->principal.n == 0 || r->action.n == 0 || r->resource.n == 0)
		return (struct policy_decision){.reason = "no principal"};
	struct policy_decision d = {.reason = "no rule allows it"};
	for (size_t i = 0; i < p->count; i++) {
		const struct policy_role *role = &p->roles[i];
		if (!is_member(role, r))
			continue;
		const struct policy_rule *deny = find_rule(role->deny, role->deny_count, r);
		if (deny)
			return (struct policy_decision){.role = role, .rule = deny, .reason = "denied by a rule"};
		const struct policy_rule *allow = d.rule ? NULL : find_rule(role->allow, role->allow_count, r);
		if (allow)
			d = (struct policy_decision){.allowed = true, .role = role, .rule = allow, .reason = "allowed"};
	}
	return d;
}

struct reader { // of one role, for the messages
	struct arena *arena;
	struct str role;
	struct err *err;
};

static int read_texts(const struct reader *r, const json_t *object, const char *name, struct policy_texts *out)
{
	const json_t *array = json_object_get(object, name);
	if (!json_is_array(array))
		return err_set(r->err, ERR_CORRUPT, "role \"%.*s\": \"%s\" is not a list", STR(r->role), name);
	out->count = json_array_size(array);
	out->items = arena_new_array(r->arena, out->count + 1, struct str);
	if (!out->items)
		return err_set(r->err, ERR_NO_MEMORY, "out of memory");
	for (size_t i = 0; i < out->count; i++) {
		const json_t *item = json_array_get(array, i);
		struct str text = str_bytes(json_string_value(item), json_string_length(item));
		if (!policy_pattern_valid(text))
			return err_set(r->err, ERR_CORRUPT,
				"role \"%.*s\": \"%.*s\" in \"%s\" is not a pattern: '*' may only stand at the end",
				STR(r->role), STR(text), name);
		out->items[i] = arena_str(r->arena, text);
		if (!out->items[i].p)
			return err_set(r->err, ERR_NO_MEMORY, "out of memory");
	}
	return 0;
}

static int read_rules(const struct reader *r, const json_t *array, struct policy_rule **rules, size_t *count)
{
	if (array && !json_is_null(array) && !json_is_array(array))
		return err_set(r->err, ERR_CORRUPT, "role \"%.*s\": its rules are not a list", STR(r->role));
	*count = json_array_size(array);
	*rules = arena_new_array(r->arena, *count + 1, struct policy_rule);
	if (!*rules)
		return err_set(r->err, ERR_NO_MEMORY, "out of memory");
	for (size_t i = 0; i < *count; i++) {
		const json_t *rule = json_array_get(array, i);
		int rc = read_texts(r, rule, "actions", &(*rules)[i].actions);
		if (rc == 0)
			rc = read_texts(r, rule, "resources", &(*rules)[i].resources);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int read_role(const json_t *j, struct reader *r, struct policy_role *out)
{
	struct str name = json_str(j, "name");
	if (name.n == 0)
		return err_set(r->err, ERR_CORRUPT, "a role has no name");
	r->role = out->name = arena_str(r->arena, name);
	if (!out->name.p)
		return err_set(r->err, ERR_NO_MEMORY, "out of memory");
	int rc = read_texts(r, j, "members", &out->members);
	if (rc == 0)
		rc = read_rules(r, json_object_get(j, "allow"), &out->allow, &out->allow_count);
	if (rc == 0)
		rc = read_rules(r, json_object_get(j, "deny"), &out->deny, &out->deny_count);
	return rc;
}

int policy_of_json(const json_t *roles, struct arena *a, struct policy *out, struct err *e)
{
	if (!json_is_array(roles))
		return err_set(e, ERR_CORRUPT, "the roles are not a list");
	struct policy p = {.count = json_array_size(roles)};
	p.roles = arena_new_array(a, p.count + 1, struct policy_role);
	if (!p.roles)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	struct reader r = {.arena = a, .err = e};
	for (size_t i = 0; i < p.count; i++) {
		int rc = read_role(json_array_get(roles, i), &r, &p.roles[i]);
		if (rc < 0)
			return rc;
	}
	*out = p;
	return 0;
}
