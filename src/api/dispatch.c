// SPDX-License-Identifier: Apache-2.0
// From a request to its handler: the route by method and pattern, the permission by the policy decision. See api.h.
#include <string.h>

#include "api/session.h"
#include "net/url.h"
#include "security/policy.h"
#include "security/principal.h"

// Cuts the pattern at '{': what stands before must match exactly, what follows is the parameter.
static bool pattern_matches(const char *pattern, struct str path, struct str *parameter)
{
	struct str p = str_of(pattern);
	ptrdiff_t brace = str_find_char(p, '{');
	*parameter = (struct str){0};
	if (brace < 0)
		return str_eq(p, path);
	struct str fixed = str_take(p, (size_t)brace);
	if (!str_starts(path, fixed) || path.n == fixed.n)
		return false;
	*parameter = str_drop(path, fixed.n);
	return true;
}

static const struct api_route *find_route(
	const struct api_call *call, struct str path, struct str *parameter, bool *other_method)
{
	*other_method = false;
	for (size_t i = 0; i < api_route_count; i++) {
		if (!pattern_matches(api_routes[i].pattern, path, parameter))
			continue;
		if (str_eq(str_of(api_routes[i].method), call->method))
			return &api_routes[i];
		*other_method = true;
	}
	return NULL;
}

// ---------------------------------------------------------------- permission
// Whoever runs the process owns the workspace; roles of the workspace come on top, and their deny rules hold for the
// owner as well.
static json_t *owner_role(struct call *c)
{
	return json_pack("{s:s, s:[o], s:[{s:[s], s:[s]}]}", "name", "owner", "members",
		json_of_str(principal_of_process(c->arena)), "allow", "actions", "*", "resources", "*");
}

static int add_roles(struct call *c, const struct state *state, json_t *roles)
{
	struct resource *list;
	size_t count;
	int rc = resource_list(c, state, S("role/"), &list, &count);
	for (size_t i = 0; rc == 0 && i < count; i++) {
		json_t *role = json_copy((json_t *)(uintptr_t)list[i].resolved);
		json_set_str(role, "name", list[i].name);
		json_array_append_new(roles, role);
	}
	return rc;
}

static int check_permission(struct call *c, const struct control *control, const struct api_route *route)
{
	AUTO(json) roles = json_array();
	json_array_append_new(roles, owner_role(c));
	const struct state *state = control_state(control);
	int rc = state ? add_roles(c, state, roles) : 0;
	struct policy policy;
	if (rc == 0)
		rc = policy_of_json(roles, c->arena, &policy, &c->err);
	if (rc < 0)
		return call_context(c, "decide on %s", route->permission);
	struct policy_request request = {
		.principal = c->principal, .action = str_of(route->permission), .resource = S("workspace")};
	struct policy_decision decision = policy_decide(&policy, &request);
	if (decision.allowed)
		return 0;
	return call_fail(
		c, ERR_DENIED, "%.*s may not do %s: %s", STR(c->principal), route->permission, decision.reason);
}

// ---------------------------------------------------------------- one request
json_t *api_error_json(const struct err *e)
{
	return json_pack("{s:{s:s, s:s, s:b}}", "error", "code", err_name(e->code), "message", e->message, "retryable",
		(int)e->retryable);
}

static int check_body(struct call *c, const struct api_call *call, json_t **empty)
{
	if (call->body && !json_is_object(call->body))
		return call_fail(c, ERR_INVALID, "the body of a request must be a JSON object");
	*empty = json_in_arena(c->arena, json_object());
	return *empty ? 0 : call_no_memory(c);
}

int api_dispatch(struct call *c, struct control *control, const struct api_call *call, json_t **result)
{
	struct str path, query, parameter;
	bool other_method;
	json_t *empty = NULL;
	if (!str_cut(call->target, '?', &path, &query))
		query = (struct str){0};
	const struct api_route *route = find_route(call, path, &parameter, &other_method);
	if (!route && other_method)
		return call_fail(c, ERR_UNSUPPORTED, "%.*s does not answer to %.*s", STR(path), STR(call->method));
	if (!route)
		return call_fail(c, ERR_NOT_FOUND, "the API has no %.*s", STR(path));
	int rc = check_body(c, call, &empty);
	if (rc == 0)
		rc = check_permission(c, control, route);
	if (rc < 0)
		return rc;
	struct api_request request = {
		.call = c,
		.control = control,
		.parameter = url_decode_arena(parameter, c->arena),
		.query = query,
		.body = call->body ? call->body : empty,
		.emit = call->emit,
		.emit_ctx = call->emit_ctx,
	};
	if (parameter.n && !request.parameter.p)
		return call_fail(c, ERR_INVALID, "the path %.*s is not well encoded", STR(path));
	return route->handle(&request, result);
}
