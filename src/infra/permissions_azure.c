// SPDX-License-Identifier: Apache-2.0
// A custom role of Azure, and the condition that limits its data actions to the workspace's containers. Sources: "Azure
// custom roles", "Azure role assignment condition format and syntax". Actions on containers themselves cannot be
// limited by a condition: they hold on the scope of the assignment, which is the resource group, where the storage
// account, the workspace of Azure Machine Learning and the key vault are.
#include "infra/permissions_impl.h"

#define BLOBS S("Microsoft.Storage/storageAccounts/blobServices/containers/blobs/")
enum { EVERY = PERMISSIONS_OF(CALL_ON_ACCOUNT) | PERMISSIONS_OF(CALL_ON_BUCKET) | PERMISSIONS_OF(CALL_ON_OBJECT) };

// Blobs, keys and secrets are data: an Azure role keeps them apart from the management of what holds them.
static bool is_data(struct str permission)
{
	return str_starts(permission, BLOBS) || str_starts(permission, S("Microsoft.KeyVault/vaults/keys/")) ||
	       str_starts(permission, S("Microsoft.KeyVault/vaults/secrets/"));
}

static struct str scope_of(struct call *c, const struct permissions_request *r)
{
	return arena_printf(c->arena, "/subscriptions/%.*s/resourceGroups/%.*s",
		STR(r->account.n ? r->account : S("SUBSCRIPTION_ID")),
		STR(r->group.n ? r->group : S("RESOURCE_GROUP")));
}

static json_t *role_of(
	const struct permissions_request *r, struct str scope, const struct str *permissions, size_t count)
{
	json_t *actions = json_array(), *data = json_array();
	AUTO(buf) name = {0};
	buf_printf(&name, "Isobar %.*s%s", STR(r->workspace), r->read_only ? " (read only)" : "");
	for (size_t i = 0; i < count; i++)
		json_array_append_new(is_data(permissions[i]) ? data : actions, json_of_str(permissions[i]));
	return json_pack("{s:s, s:b, s:s, s:o, s:[], s:o, s:[], s:[o]}", "Name", buf_cstr(&name), "IsCustom", 1,
		"Description", "What Isobar calls, and no more", "Actions", actions, "NotActions", "DataActions", data,
		"NotDataActions", "AssignableScopes", json_of_str(scope));
}

static struct str condition_of(
	struct call *c, const struct permissions_request *r, const struct str *permissions, size_t count)
{
	AUTO(buf) text = {0};
	size_t n = 0;
	buf_add(&text, S("(("));
	for (size_t i = 0; i < count; i++) {
		if (str_starts(permissions[i], BLOBS))
			buf_printf(&text, "%s!(ActionMatches{'%.*s'})", n++ ? " AND " : "", STR(permissions[i]));
	}
	buf_add(&text, S(") OR ("));
	n = 0;
	for (size_t i = 0; i < r->bucket_count + r->deep; i++) {
		bool scratch = i == r->bucket_count;
		buf_printf(&text,
			"%s@Resource[Microsoft.Storage/storageAccounts/blobServices/containers:name] %s '%.*s'",
			n++ ? " OR " : "", scratch ? "StringStartsWith" : "StringEquals",
			STR(scratch ? S(PERMISSIONS_SCRATCH) : r->buckets[i]));
	}
	buf_add(&text, S("))"));
	return n ? arena_str(c->arena, buf_str(&text)) : S("");
}

int permissions_write_azure(struct call *c, const struct permissions_request *r, struct buf *out)
{
	struct str *permissions, scope = scope_of(c, r);
	size_t count;
	int rc = permissions_collect(c, r, EVERY, &permissions, &count);
	if (rc < 0)
		return rc;
	struct str condition = condition_of(c, r, permissions, count);
	if (!scope.p || !condition.p)
		return call_no_memory(c);
	json_t *assignment = json_pack("{s:o, s:s}", "scope", json_of_str(scope), "assignee", "OBJECT_ID");
	if (condition.n) {
		json_set_str(assignment, "condition", condition);
		json_object_set_new(assignment, "conditionVersion", json_string("2.0"));
	}
	return permissions_print(c,
		json_pack("{s:o, s:o}", "roleDefinition", role_of(r, scope, permissions, count), "roleAssignment",
			assignment),
		out);
}
