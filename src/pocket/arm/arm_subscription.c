// SPDX-License-Identifier: Apache-2.0
// What stands above the workspace: the tenant, the one subscription, the one resource group. Source: "Azure Resource
// Manager REST API: Subscriptions, Tenants, Resource Groups, Providers". Read only.
#include "pocket/arm/arm_impl.h"

static json_t *subscription(const struct front_request *r)
{
	const struct arm_state *s = arm_state(r);
	json_t *j = json_pack("{s:s, s:s, s:{s:s, s:s, s:s}}", "state", "Enabled", "authorizationSource", "RoleBased",
		"subscriptionPolicies", "locationPlacementId", "Public_2014-09-01", "quotaId", "PayAsYouGo_2014-09-01",
		"spendingLimit", "Off");
	json_set_str(j, "id", arena_printf(r->arena, "/subscriptions/%.*s", STR(s->subscription)));
	json_set_str(j, "subscriptionId", s->subscription);
	json_set_str(j, "tenantId", s->tenant);
	json_set_str(j, "displayName", str_of(s->pocket->name));
	return j;
}

void arm_list_subscriptions(struct front_request *r)
{
	arm_reply_values(r, json_pack("[o]", subscription(r)));
}

void arm_get_subscription(struct front_request *r)
{
	arm_reply(r, 200, subscription(r));
}

void arm_list_tenants(struct front_request *r)
{
	const struct arm_state *s = arm_state(r);
	json_t *j = json_object();
	json_set_str(j, "id", arena_printf(r->arena, "/tenants/%.*s", STR(s->tenant)));
	json_set_str(j, "tenantId", s->tenant);
	arm_reply_values(r, json_pack("[o]", j));
}

void arm_list_locations(struct front_request *r)
{
	const struct arm_state *s = arm_state(r);
	json_t *j = json_object();
	json_set_str(j, "id",
		arena_printf(r->arena, "/subscriptions/%.*s/locations/%.*s", STR(s->subscription), STR(s->location)));
	json_set_str(j, "name", s->location);
	json_set_str(j, "displayName", s->location);
	arm_reply_values(r, json_pack("[o]", j));
}

static json_t *group(const struct front_request *r)
{
	const struct arm_state *s = arm_state(r);
	json_t *j = json_pack("{s:s, s:{s:s}}", "type", "Microsoft.Resources/resourceGroups", "properties",
		"provisioningState", "Succeeded");
	json_set_str(j, "id",
		arena_printf(r->arena, "/subscriptions/%.*s/resourceGroups/%.*s", STR(s->subscription), STR(s->group)));
	json_set_str(j, "name", s->group);
	json_set_str(j, "location", s->location);
	return j;
}

void arm_list_groups(struct front_request *r)
{
	arm_reply_values(r, json_pack("[o]", group(r)));
}

void arm_get_group(struct front_request *r)
{
	arm_reply(r, 200, group(r));
}

// Clients ask which versions of the API a type has before they use it.
void arm_get_provider(struct front_request *r)
{
	struct str namespace = arm_request(r)->names[1];
	if (!str_eq_nocase(namespace, S("Microsoft.MachineLearningServices"))) {
		arm_refuse(r, 404, "InvalidResourceNamespace", "The resource namespace '%.*s' is invalid.",
			STR(str_clip(namespace, 80)));
		arm_fail(r);
		return;
	}
	static const char *const types[] = {"workspaces", "workspaces/jobs", "workspaces/environments", "workspaces/models",
		"workspaces/onlineEndpoints", "workspaces/onlineEndpoints/deployments", "workspaces/computes"};
	json_t *list = json_array();
	for (size_t i = 0; i < COUNT_OF(types); i++)
		json_array_append_new(list,
			json_pack("{s:s, s:[s#], s:[s, s, s]}", "resourceType", types[i], "locations",
				arm_state(r)->location.p, (int)arm_state(r)->location.n, "apiVersions", "2025-12-01",
				"2024-04-01", "2023-04-01"));
	arm_reply(r, 200,
		json_pack("{s:s, s:s, s:o}", "namespace", "Microsoft.MachineLearningServices", "registrationState",
			"Registered", "resourceTypes", list));
}
