// SPDX-License-Identifier: Apache-2.0
// `when: {environment: NAME}` of a rule: resolved inputs hold only the rules of the environment in force, without their
// `when`, so that whoever decides by them need not know environments.
#include "infra/workspace_impl.h"

static struct str environment_name_at(const void *ctx, size_t i)
{
	return ((const struct workspace *)ctx)->environments[i].name;
}

static bool is_environment(const struct workspace *w, struct str name)
{
	for (size_t i = 0; i < w->environment_count; i++)
		if (str_eq(w->environments[i].name, name))
			return true;
	return false;
}

static void check_rules(const struct workspace *w, const struct node *rules, struct findings *f)
{
	for (const struct node *rule = rules ? rules->first : NULL; rule; rule = rule->next) {
		const struct node *name = node_member(node_member(rule, S("when")), S("environment"));
		if (!name || name->type != NODE_SCALAR || is_environment(w, name->text))
			continue;
		struct str meant = kind_suggest(name->text, environment_name_at, w, w->environment_count);
		findings_add(f, name->at, node_path(name, f->arena),
			meant.n ? arena_printf(f->arena, "did you mean \"%.*s\"?", STR(meant)) : S(""),
			"the workspace has no environment \"%.*s\"", STR(str_clip(name->text, 80)));
	}
}

void workspace_check_when(const struct workspace *w, struct findings *f)
{
	for (size_t i = 0; i < w->entry_count; i++) {
		const struct node *n = w->entries[i].node;
		if (!str_eq(str_of(w->entries[i].kind->singular), S("role")))
			continue;
		check_rules(w, node_member(n, S("allow")), f);
		check_rules(w, node_member(n, S("deny")), f);
	}
}

static bool holds(const json_t *rule, struct str environment)
{
	const json_t *when = json_object_get(rule, "when");
	struct str name = json_str(when, "environment");
	return !when || str_eq(name, environment);
}

static void filter(json_t *rules, struct str environment)
{
	for (size_t i = json_array_size(rules); i-- > 0;) {
		json_t *rule = json_array_get(rules, i);
		if (holds(rule, environment))
			json_object_del(rule, "when");
		else
			json_array_remove(rules, i);
	}
}

void workspace_resolve_when(json_t *resolved, struct str environment)
{
	filter(json_object_get(resolved, "allow"), environment);
	filter(json_object_get(resolved, "deny"), environment);
}
