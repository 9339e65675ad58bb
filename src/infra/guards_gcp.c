// SPDX-License-Identifier: Apache-2.0
// Google Cloud: organisation policies of the cloud's project, as `gcloud org-policies set-policy` reads them.
// Constraints and value groups (in:REGION-locations): "Restricting resource locations" and "Organization policy
// constraints for Cloud Storage".
#include "infra/guards_impl.h"

struct policy {
	const char *constraint, *file;
	struct str rules; // YAML below `rules:`
	struct str about;
};

static int add_policy(struct guard_list *list, const struct guard_cloud *cloud, const struct policy *p)
{
	struct str project = json_str(cloud->resolved, "project");
	struct guard_file file = {
		.path = arena_printf(list->arena, "%.*s/%s.yaml", STR(cloud->name), p->file),
		.content = arena_printf(list->arena, "%sname: projects/%.*s/policies/%s\nspec:\n  rules:\n%.*s",
			project.n ? "" : "# the cloud declares no `project:`; write its id in place of PROJECT_ID\n",
			STR(project.n ? project : S("PROJECT_ID")), p->constraint, STR(p->rules)),
		.about = p->about,
	};
	file.put = arena_printf(list->arena, "gcloud org-policies set-policy %.*s", STR(file.path));
	return file.content.p && file.put.p ? guard_add(list, &file)
					    : err_set(list->err, ERR_NO_MEMORY, "out of memory");
}

static struct str location_rules(struct guard_list *list, const struct guard_cloud *cloud)
{
	AUTO(buf) text = {0};
	buf_printf(&text, "    - values:\n        allowedValues:\n");
	for (size_t i = 0; i < cloud->region_count; i++)
		buf_printf(&text, "          - in:%.*s-locations\n", STR(cloud->regions[i]));
	return arena_str(list->arena, buf_str(&text));
}

int guards_gcp(struct guard_list *list, const struct guard_cloud *cloud)
{
	static const struct str enforced = S_INIT("    - enforce: true\n");
	const struct policy policies[] = {
		{"storage.publicAccessPrevention", "public-access-prevention", enforced,
			S("the project: no bucket is ever public")},
		{"storage.uniformBucketLevelAccess", "uniform-bucket-level-access", enforced,
			S("the project: no object is opened by a list of its own")},
		{"storage.secureHttpTransport", "secure-http-transport", enforced,
			S("the project: no request without TLS")},
		{"gcp.resourceLocations", "resource-locations", location_rules(list, cloud),
			S("the project: nothing is made outside the regions that residency allows")},
	};
	int rc = 0;
	for (size_t i = 0; i < COUNT_OF(policies) - !cloud->bound && rc == 0; i++)
		rc = add_policy(list, cloud, &policies[i]);
	return rc;
}
