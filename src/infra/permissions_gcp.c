// SPDX-License-Identifier: Apache-2.0
// Custom roles of Google Cloud, and bindings that limit them to the workspace's buckets. Sources: "Create and manage
// custom roles", "Conditions: resource attributes" (Google Cloud IAM). Making and listing buckets are asked of the
// project, where no bucket's name can be a condition: hence two roles.
#include "infra/permissions_impl.h"

enum { BUCKETS = PERMISSIONS_OF(CALL_ON_BUCKET) | PERMISSIONS_OF(CALL_ON_OBJECT) };

// Ids of roles have letters, digits, '_' and '.' only.
static struct str role_id(struct call *c, const struct permissions_request *r, const char *of)
{
	char *workspace = arena_cstr(c->arena, r->workspace);
	for (size_t i = 0; workspace && i < r->workspace.n; i++) {
		bool letter =
			(workspace[i] >= 'a' && workspace[i] <= 'z') || (workspace[i] >= '0' && workspace[i] <= '9');
		workspace[i] = letter ? workspace[i] : '_';
	}
	return workspace ? arena_printf(c->arena, "isobar_%s_%s%s", workspace, of, r->read_only ? "_read" : "")
			 : (struct str){0};
}

static int write_role(
	struct call *c, const struct permissions_request *r, const char *of, unsigned scopes, struct buf *out)
{
	struct str *permissions, id = role_id(c, r, of);
	size_t count;
	int rc = permissions_collect(c, r, scopes, &permissions, &count);
	if (rc < 0 || !id.p)
		return rc < 0 ? rc : call_no_memory(c);
	buf_printf(out, "# gcloud iam roles create %.*s --project=%.*s --file=FILE (this document)\n", STR(id),
		STR(r->account.n ? r->account : S("PROJECT_ID")));
	buf_printf(out, "title: Isobar %.*s, %s%s\n", STR(r->workspace), of, r->read_only ? ", read only" : "");
	buf_add(out, S("description: What Isobar calls, and no more\nstage: GA\nincludedPermissions:\n"));
	for (size_t i = 0; i < count; i++)
		buf_printf(out, "- %.*s\n", STR(permissions[i]));
	buf_add(out, S("---\n"));
	return 0;
}

static void write_binding(
	struct call *c, const struct permissions_request *r, const char *of, struct str expression, struct buf *out)
{
	buf_printf(out, "- role: projects/%.*s/roles/%.*s\n  members:\n  - serviceAccount:SERVICE_ACCOUNT\n",
		STR(r->account.n ? r->account : S("PROJECT_ID")), STR(role_id(c, r, of)));
	if (expression.n)
		buf_printf(out, "  condition:\n    title: one bucket of Isobar\n    expression: '%.*s'\n",
			STR(expression));
}

int permissions_write_gcp(struct call *c, const struct permissions_request *r, struct buf *out)
{
	int rc = write_role(c, r, "project", PERMISSIONS_OF(CALL_ON_ACCOUNT), out);
	if (rc == 0)
		rc = write_role(c, r, "buckets", BUCKETS, out);
	if (rc < 0)
		return rc;
	buf_add(out, S("# gcloud projects add-iam-policy-binding, one for each\nbindings:\n"));
	write_binding(c, r, "project", S(""), out);
	for (size_t i = 0; i < r->bucket_count; i++)
		write_binding(c, r, "buckets",
			arena_printf(c->arena,
				"resource.name == \"projects/_/buckets/%.*s\" || "
				"resource.name.startsWith(\"projects/_/buckets/%.*s/\")",
				STR(r->buckets[i]), STR(r->buckets[i])),
			out);
	if (r->deep)
		write_binding(c, r, "buckets",
			S("resource.name.startsWith(\"projects/_/buckets/" PERMISSIONS_SCRATCH "\")"), out);
	return 0;
}
