// SPDX-License-Identifier: Apache-2.0
// The workspace of Azure ML and where it keeps its bytes: its storage account is the pocket's own. Its datastores are the
// two that the service makes: workspaceblobstore (container "azureml-blobstore-" and the workspace's id) and
// workspaceartifactstore (container "azureml", where logs and artifacts of runs lie). Source: "Azure Machine Learning REST
// API: Workspaces, Datastores". Read only.
#include "pocket/arm/ml_files_impl.h"

static struct str storage_id(const struct front_request *r)
{
	const struct arm_state *s = arm_state(r);
	return arena_printf(r->arena,
		"/subscriptions/%.*s/resourceGroups/%.*s/providers/Microsoft.Storage/storageAccounts/%.*s",
		STR(s->subscription), STR(s->group), STR(s->account));
}

static json_t *workspace(const struct front_request *r)
{
	const struct arm_state *s = arm_state(r);
	json_t *j = json_pack("{s:s, s:{s:s, s:s}, s:{}, s:{s:s}}", "type", ARM_TYPE, "sku", "name", "Basic", "tier",
		"Basic", "tags", "identity", "type", "SystemAssigned");
	json_t *p = json_pack("{s:s, s:b, s:b, s:s, s:b}", "provisioningState", "Succeeded", "hbiWorkspace", 0,
		"storageHnsEnabled", 0, "publicNetworkAccess", "Enabled", "v1LegacyMode", 0);
	json_set_str(j, "id", s->workspace_id);
	json_set_str(j, "name", s->workspace);
	json_set_str(j, "location", s->location);
	json_set_str(json_object_get(j, "identity"), "tenantId", s->tenant);
	json_set_str(json_object_get(j, "identity"), "principalId", s->guid);
	json_set_str(p, "workspaceId", s->guid);
	json_set_str(p, "friendlyName", s->workspace);
	json_set_str(p, "tenantId", s->tenant);
	json_set_str(p, "storageAccount", storage_id(r));
	json_object_set_new(j, "properties", p);
	return j;
}

void ml_list_workspaces(struct front_request *r)
{
	arm_reply_values(r, json_pack("[o]", workspace(r)));
}

void ml_get_workspace(struct front_request *r)
{
	arm_reply(r, 200, workspace(r));
}

static struct str account_key(const struct front_request *r)
{
	AUTO(json) j = NULL;
	struct err e = {0};
	if (pocket_read_json(r->pocket, "credentials.json", &j, &e) < 0)
		return S("");
	return arena_str(r->arena, json_str(j, "key"));
}

void ml_workspace_keys(struct front_request *r)
{
	json_t *j = json_object();
	json_set_str(j, "userStorageResourceId", storage_id(r));
	json_set_str(j, "userStorageKey", account_key(r));
	arm_reply(r, 200, j);
}

void ml_storage_keys(struct front_request *r)
{
	json_t *j = json_object();
	json_set_str(j, "userStorageKey", account_key(r));
	arm_reply(r, 200, j);
}

// ---------------------------------------------------------------- datastores

static json_t *datastore(const struct front_request *r, const char *name)
{
	const struct arm_state *s = arm_state(r);
	struct str scheme, rest, host = S(""), container = ml_datastore_container(s, r->arena, str_of(name));
	str_cut(s->origin, ':', &scheme, &rest);
	host = str_drop(rest, 2);
	json_t *p = json_pack("{s:s, s:{s:s}, s:b, s:s, s:{}, s:{}}", "datastoreType", "AzureBlob", "credentials",
		"credentialsType", "AccountKey", "isDefault", str_eq(str_of(name), S("workspaceblobstore")),
		"serviceDataAccessAuthIdentity", "None", "tags", "properties");
	json_set_str(p, "accountName", s->account);
	json_set_str(p, "containerName", container);
	json_set_str(p, "protocol", scheme);
	json_set_str(p, "endpoint", host);
	json_t *j = json_pack("{s:s, s:s, s:o}", "name", name, "type", ARM_TYPE "/datastores", "properties", p);
	json_set_str(j, "id", arm_id(s, r->arena, "datastores/%s", name));
	return j;
}

static const char *const datastores[] = {"workspaceartifactstore", "workspaceblobstore"};

void ml_list_datastores(struct front_request *r)
{
	json_t *values = json_array();
	for (size_t i = 0; i < COUNT_OF(datastores); i++)
		json_array_append_new(values, datastore(r, datastores[i]));
	arm_reply_values(r, values);
}

static const char *find_datastore(struct front_request *r)
{
	for (size_t i = 0; i < COUNT_OF(datastores); i++)
		if (str_eq(arm_name(r, 0), str_of(datastores[i])))
			return datastores[i];
	arm_not_found(r, ARM_TYPE "/datastores", arm_name(r, 0));
	arm_fail(r);
	return NULL;
}

void ml_get_datastore(struct front_request *r)
{
	const char *name = find_datastore(r);
	if (name)
		arm_reply(r, 200, datastore(r, name));
}

void ml_get_default_datastore(struct front_request *r)
{
	arm_reply(r, 200, datastore(r, "workspaceblobstore"));
}

void ml_datastore_secrets(struct front_request *r)
{
	if (!find_datastore(r))
		return;
	json_t *j = json_pack("{s:s}", "secretsType", "AccountKey");
	json_set_str(j, "key", account_key(r));
	arm_reply(r, 200, j);
}
