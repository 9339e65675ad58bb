// SPDX-License-Identifier: Apache-2.0
// Azure: policy definitions as the resource manager takes them (a PUT of the file). Fields: Azure Policy definition
// structure and the aliases of Microsoft.Storage/storageAccounts.
#include "infra/guards_impl.h"

#define STORAGE "Microsoft.Storage/storageAccounts"

static json_t *definition(const char *name, const char *description, const char *mode, json_t *condition)
{
	return json_pack("{s:{s:s, s:s, s:s, s:s, s:{s:s}, s:{s:o, s:{s:s}}}}", "properties", "displayName", name,
		"policyType", "Custom", "mode", mode, "description", description, "metadata", "category", "Isobar",
		"policyRule", "if", condition, "then", "effect", "deny");
}

static int add_definition(
	struct guard_list *list, const struct guard_cloud *cloud, const char *name, const char *about, json_t *j)
{
	struct str subscription = json_str(cloud->resolved, "subscription");
	struct guard_file file = {
		.path = arena_printf(list->arena, "%.*s/%s.json", STR(cloud->name), name),
		.about = str_of(about),
	};
	file.put = arena_printf(list->arena,
		"az rest --method put --url "
		"https://management.azure.com/subscriptions/%.*s/providers/Microsoft.Authorization/"
		"policyDefinitions/isobar-%s?api-version=2021-06-01 --body @%.*s",
		STR(subscription.n ? subscription : S("SUBSCRIPTION_ID")), name, STR(file.path));
	return guard_add_json(list, &file, j);
}

// What has no region of its own ("global") holds no data of a region.
static json_t *outside(const struct guard_cloud *cloud)
{
	return json_pack("{s:[{s:s, s:o}, {s:s, s:s}, {s:s, s:s}]}", "allOf", "field", "location", "notIn",
		guard_strings(cloud->regions, cloud->region_count), "field", "location", "notEquals", "global", "field",
		"type", "notEquals", "Microsoft.AzureActiveDirectory/b2cDirectories");
}

static json_t *without_https(void)
{
	return json_pack("{s:[{s:s, s:s}, {s:[{s:s, s:s}, {s:s, s:[s, s]}, {s:s, s:s}]}]}", "allOf", "field", "type",
		"equals", STORAGE, "anyOf", "field", STORAGE "/supportsHttpsTrafficOnly", "notEquals", "true", "field",
		STORAGE "/minimumTlsVersion", "notIn", "TLS1_2", "TLS1_3", "field", STORAGE "/allowBlobPublicAccess",
		"notEquals", "false");
}

// Geo-redundant accounts copy everything to the paired region by themselves, and object replication to another
// tenant's.
static json_t *copied_elsewhere(void)
{
	return json_pack("{s:[{s:s, s:s}, {s:[{s:s, s:[s, s, s, s]}, {s:s, s:s}]}]}", "allOf", "field", "type",
		"equals", STORAGE, "anyOf", "field", STORAGE "/sku.name", "in", "Standard_GRS", "Standard_RAGRS",
		"Standard_GZRS", "Standard_RAGZRS", "field", STORAGE "/allowCrossTenantReplication", "notEquals",
		"false");
}

int guards_azure(struct guard_list *list, const struct guard_cloud *cloud)
{
	int rc = add_definition(list, cloud, "storage-https-only", "storage accounts: TLS 1.2 at least, never public",
		definition("Isobar: storage over HTTPS only",
			"Storage accounts take no plain HTTP, no TLS below 1.2 and no anonymous reader.", "Indexed",
			without_https()));
	if (rc < 0 || !cloud->bound)
		return rc;
	rc = add_definition(list, cloud, "allowed-locations",
		"the subscription: nothing is made outside the regions that residency allows",
		definition("Isobar: allowed locations",
			"Resources lie only in the regions that the residency of the data allows.", "Indexed",
			outside(cloud)));
	return rc < 0 ? rc
		      : add_definition(list, cloud, "no-geo-replication",
				"storage accounts: no copies in a paired region or another tenant",
				definition("Isobar: no copies elsewhere",
					"Storage accounts keep their bytes in their region; Isobar makes the copies "
					"that are allowed.",
					"Indexed", copied_elsewhere()));
}
