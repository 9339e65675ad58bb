// SPDX-License-Identifier: Apache-2.0
// Marks of ownership. Sources: AWS CloudFormation User Guide ("Resource tag": aws:cloudformation:*), Terraform's provider
// for Google Cloud ("default labels": goog-terraform-provisioned), Pulumi's provider for Google Cloud
// (goog-pulumi-provisioned) and its auto-tagging examples (pulumi:project), Helm ("Labels and annotations"), Kubernetes
// ("Recommended labels"), Config Connector (managed-by-cnrm). Terraform, OpenTofu and Pulumi write no mark on AWS and
// Azure by themselves; the tag managed-by that most teams write is read, too.
#include "cloud/tags.h"

#include <string.h>

struct rule {
	const char *name;  // plain; a trailing '*' fits whatever follows
	const char *value; // plain, without that it begins so; NULL: any
	const char *by, *advice;
};

#define TERRAFORM_ADVICE                                                                                               \
	"write `existing: keep` to use it as it is, or let go of it there first (terraform state rm ADDRESS)"
#define PULUMI_ADVICE                                                                                                  \
	"write `existing: keep` to use it as it is, or let go of it there first (pulumi state delete URN)"
#define FORMATION_ADVICE                                                                                               \
	"write `existing: keep` to use it as it is, or let go of it there first (DeletionPolicy: Retain, then take it "    \
	"out of the stack)"
#define HELM_ADVICE                                                                                                    \
	"write `existing: keep` to use it as it is, or let go of it there first (helm.sh/resource-policy: keep, then "     \
	"take it out of the chart)"
#define KUBERNETES_ADVICE                                                                                              \
	"write `existing: keep` to use it as it is, or have its controller let go of it first"

static const struct rule rules[] = {
	{"aws-cloudformation-*", NULL, "CloudFormation", FORMATION_ADVICE},
	{"goog-terraform-provisioned", "true", "Terraform", TERRAFORM_ADVICE},
	{"terraform", "true", "Terraform", TERRAFORM_ADVICE},
	{"managed-by", "terraform", "Terraform", TERRAFORM_ADVICE},
	{"managedby", "terraform", "Terraform", TERRAFORM_ADVICE},
	{"managed-by", "opentofu", "OpenTofu", TERRAFORM_ADVICE},
	{"managedby", "opentofu", "OpenTofu", TERRAFORM_ADVICE},
	{"goog-pulumi-provisioned", "true", "Pulumi", PULUMI_ADVICE},
	{"pulumi-*", NULL, "Pulumi", PULUMI_ADVICE},
	{"managed-by", "pulumi", "Pulumi", PULUMI_ADVICE},
	{"managedby", "pulumi", "Pulumi", PULUMI_ADVICE},
	{"managed-by", "cloudformation", "CloudFormation", FORMATION_ADVICE},
	{"meta-helm-sh-*", NULL, "Helm", HELM_ADVICE},
	{"app-kubernetes-io-managed-by", "helm", "Helm", HELM_ADVICE},
	{"managed-by", "helm", "Helm", HELM_ADVICE},
	{"app-kubernetes-io-managed-by", NULL, "Kubernetes", KUBERNETES_ADVICE},
	{"managed-by-cnrm", "true", "Kubernetes", KUBERNETES_ADVICE},
	{"kubernetes-io-*", NULL, "Kubernetes", KUBERNETES_ADVICE},
	{"crossplane-*", NULL, "Kubernetes", KUBERNETES_ADVICE},
};

struct str tags_plain(struct arena *a, struct str text, char other, size_t most)
{
	size_t n = MIN(text.n, most);
	char *out = arena_cstr(a, str_take(text, n));
	for (size_t i = 0; out && i < n; i++) {
		char c = out[i];
		bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
		if (c >= 'A' && c <= 'Z')
			out[i] = (char)(c + 'a' - 'A');
		else if (!plain || (c == '-' && other == '_'))
			out[i] = other;
	}
	return out ? str_bytes(out, n) : (struct str){0};
}

static struct str compared(struct arena *a, struct str text)
{
	struct str out = tags_plain(a, text, '-', text.n);
	for (size_t i = 0; i < out.n; i++) {
		if (out.p[i] == '_')
			((char *)(uintptr_t)out.p)[i] = '-'; // our own copy
	}
	return out;
}

static bool fits(const struct rule *r, struct str name, struct str value)
{
	struct str wanted = str_of(r->name);
	bool open = str_ends(wanted, S("*"));
	bool same = open ? str_starts(name, str_take(wanted, wanted.n - 1)) : str_eq(name, wanted);
	return same && (!r->value || str_starts(value, str_of(r->value)));
}

static int find_in(struct arena *a, const char *name, const json_t *value, struct tags_owner *out)
{
	struct str plain = compared(a, str_of(name)), text = json_value_str(value), plain_value = compared(a, text);
	if (!plain.p || !plain_value.p)
		return ERR_NO_MEMORY;
	if (str_eq(plain, S(TAG_WORKSPACE)))
		out->workspace = text;
	else if (str_eq(plain, S(TAG_UID)))
		out->uid = text;
	for (size_t i = 0; i < COUNT_OF(rules) && !out->by.n; i++) {
		if (!fits(&rules[i], plain, plain_value))
			continue;
		out->by = str_of(rules[i].by);
		out->advice = str_of(rules[i].advice);
		out->mark = arena_printf(a, "%s=%.*s", name, STR(text));
		if (!out->mark.p)
			return ERR_NO_MEMORY;
	}
	return 0;
}

int tags_find_owner(struct arena *a, const json_t *tags, struct tags_owner *out)
{
	struct tags_owner found = {0};
	const char *name;
	json_t *value;
	json_object_foreach((json_t *)(uintptr_t)tags, name, value)
	{
		int rc = find_in(a, name, value, &found);
		if (rc < 0)
			return rc;
	}
	*out = found;
	return 0;
}

static bool is_mark(struct arena *a, const char *name)
{
	struct str plain = compared(a, str_of(name));
	return str_eq(plain, S(TAG_WORKSPACE)) || str_eq(plain, S(TAG_UID));
}

json_t *tags_without_mark(struct arena *a, const json_t *tags)
{
	json_t *rest = json_object();
	const char *name;
	json_t *value;
	json_object_foreach((json_t *)(uintptr_t)tags, name, value)
	{
		if (rest && !is_mark(a, name))
			json_object_set(rest, name, value);
	}
	return rest;
}

json_t *tags_with_mark(const json_t *tags, struct str workspace, struct str uid)
{
	json_t *all = tags ? json_copy((json_t *)(uintptr_t)tags) : json_object();
	if (!all)
		return NULL;
	json_set_str(all, TAG_WORKSPACE, workspace);
	json_set_str(all, TAG_UID, uid);
	return all;
}
