// SPDX-License-Identifier: Apache-2.0
// Who asks Resource Manager, and whether that may be: Entra's tokens in Resource Manager's words. Source: "Troubleshoot Azure
// RBAC", "Authorization and authentication errors" (Azure Resource Manager).
#include <stdio.h>

#include "pocket/arm/arm_impl.h"
#include "pocket/arm/entra.h"

// A client that was refused for its token is told where to get one (RFC 6750, 3).
static void add_challenge(struct front_request *r)
{
	const struct arm_state *s = arm_state(r);
	front_addf(r, "www-authenticate",
		"Bearer authorization_uri=\"%.*s/%.*s\", error=\"invalid_token\", error_description=\"The access token is "
		"missing, wrong or expired.\"",
		STR(s->origin), STR(s->tenant));
}

int arm_authenticate(struct front_request *r)
{
	if (!front_header(r, "authorization").n) {
		add_challenge(r);
		return arm_refuse(r, 401, "AuthenticationFailed",
			"Authentication failed. The 'Authorization' header is missing.");
	}
	struct entra_caller *who = arena_new(r->arena, struct entra_caller);
	int rc = who ? entra_authenticate(r, entra_audience_arm, who) : err_set(&r->err, ERR_NO_MEMORY, "out of memory");
	if (rc < 0)
		add_challenge(r);
	arm_request(r)->who = who;
	return rc;
}

int arm_authorise(struct front_request *r, const char *action, struct str scope)
{
	const struct entra_caller *who = arm_request(r)->who;
	if (entra_may(who, action))
		return 0;
	return arm_refuse(r, 403, "AuthorizationFailed",
		"The client '%.*s' with object id '%.*s' does not have authorization to perform action '%s' over scope "
		"'%.*s' or the scope is invalid. If access was recently granted, please refresh your credentials.",
		STR(who->client_id), STR(who->object_id), action, STR(str_clip(scope, 300)));
}

struct str arm_who(const struct front_request *r)
{
	return arm_request(r)->who->client_id;
}
