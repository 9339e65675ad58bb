// SPDX-License-Identifier: Apache-2.0
// The route of permissions: the least that Isobar needs on an account, from what the workspace declares and what the
// drivers call. Reads the workspace alone: makes no call.
#include "api/handlers.h"
#include "infra/permissions.h"
#include "net/url.h"

static bool query_flag(const struct api_request *r, const char *name)
{
	struct str value = url_query_get(r->query, name, r->call->arena);
	return value.p && str_eq(value, S("1"));
}

int handle_permissions(struct api_request *r, json_t **result)
{
	struct session s;
	struct permissions_request request;
	struct str text, cloud = url_query_get(r->query, "cloud", r->call->arena);
	if (!cloud.p || !cloud.n)
		return call_fail(r->call, ERR_INVALID, "say which cloud: ?cloud=NAME");
	session_begin(r, &s);
	int rc = session_load(&s);
	if (rc == 0)
		rc = permissions_read(r->call, s.workspace.resources, s.workspace.resource_count, cloud, &request);
	if (rc < 0)
		return rc;
	request.read_only = query_flag(r, "read_only");
	request.deep = query_flag(r, "deep");
	request.services = query_flag(r, "services");
	rc = permissions_write(r->call, &request, &text);
	if (rc < 0)
		return rc;
	*result = json_object();
	json_set_str(*result, "cloud", cloud);
	json_set_str(*result, "provider", request.provider);
	json_set_str(*result, "policy", text);
	return 0;
}
