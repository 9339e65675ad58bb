// SPDX-License-Identifier: Apache-2.0
// Policies from tables of calls. See permissions.h. Each provider's own form is permissions_PROVIDER.c.
#include "infra/permissions.h"

#include <stdlib.h>

#include "cloud/registry.h"
#include "infra/permissions_impl.h"

// ---------------------------------------------------------------- what is asked for

static int compare(const void *a, const void *b)
{
	return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static size_t words_of(const struct permissions_request *r)
{
	size_t n = 0;
	for (size_t i = 0; i < r->calls->count; i++) {
		struct str rest = str_of(r->calls->rows[i].permissions), word;
		while (rest.n && str_next(&rest, ' ', &word))
			n++;
	}
	return n;
}

static void add_words(const struct cloud_call *row, struct str *list, size_t *count)
{
	struct str rest = str_of(row->permissions), word;
	while (rest.n && str_next(&rest, ' ', &word))
		list[(*count)++] = word;
}

// What every account needs, or only one whose own services run jobs and endpoints and keep keys and secrets.
static bool is_wanted(const struct permissions_request *r, const struct cloud_call *row)
{
	bool always = row->part == CALL_PART_STORE || row->part == CALL_PART_IDENTITY;
	return (always || r->services) && (row->reads || !r->read_only);
}

int permissions_collect(
	struct call *c, const struct permissions_request *r, unsigned scopes, struct str **out, size_t *count)
{
	struct str *list = arena_new_array(c->arena, words_of(r) + 1, struct str);
	size_t n = 0, unique = 0;
	if (!list)
		return call_no_memory(c);
	for (size_t i = 0; i < r->calls->count; i++) {
		const struct cloud_call *row = &r->calls->rows[i];
		if ((scopes & PERMISSIONS_OF(row->scope)) && is_wanted(r, row))
			add_words(row, list, &n);
	}
	qsort(list, n, sizeof(*list), compare);
	for (size_t i = 0; i < n; i++) {
		if (!unique || !str_eq(list[unique - 1], list[i]))
			list[unique++] = list[i];
	}
	*out = list;
	*count = unique;
	return 0;
}

// ---------------------------------------------------------------- of a workspace

struct str permissions_physical(struct call *c, const struct resource *bucket, struct str workspace)
{
	struct str name = json_str(bucket->resolved, "name");
	return name.n ? name : arena_printf(c->arena, "%.*s-%.*s", STR(workspace), STR(bucket->name));
}

static const struct resource *find_cloud(
	struct call *c, const struct resource *resources, size_t count, struct str cloud)
{
	AUTO(buf) names = {0};
	for (size_t i = 0; i < count; i++) {
		if (!str_eq(resources[i].kind, S("cloud")))
			continue;
		if (str_eq(resources[i].name, cloud))
			return &resources[i];
		buf_printf(&names, "%s%.*s", names.n ? ", " : "", STR(resources[i].name));
	}
	call_fail(c, ERR_NOT_FOUND, "the workspace has no cloud/%.*s; it has %s", STR(cloud),
		names.n ? buf_cstr(&names) : "none");
	return NULL;
}

static int add_buckets(
	struct call *c, const struct resource *resources, size_t count, struct permissions_request *r, struct str cloud)
{
	struct str *names = arena_new_array(c->arena, count + 1, struct str);
	if (!names)
		return call_no_memory(c);
	for (size_t i = 0; i < count; i++) {
		if (!str_eq(resources[i].kind, S("bucket")) || !str_eq(resources[i].cloud, cloud))
			continue;
		names[r->bucket_count] = permissions_physical(c, &resources[i], r->workspace);
		if (!names[r->bucket_count++].p)
			return call_no_memory(c);
	}
	r->buckets = names;
	return 0;
}

int permissions_read(struct call *c, const struct resource *resources, size_t count, struct str cloud,
	struct permissions_request *out)
{
	const struct resource *found = find_cloud(c, resources, count, cloud);
	if (!found)
		return c->err.code;
	const json_t *declared = found->resolved;
	struct str project = json_str(declared, "project"), subscription = json_str(declared, "subscription");
	*out = (struct permissions_request){.provider = json_str(declared, "provider"),
		.workspace = c->workspace,
		.region = json_str(declared, "region"),
		.account = project.n        ? project
			   : subscription.n ? subscription
					    : json_str(declared, "account"),
		.group = json_str(declared, "resource_group"),
		.calls = cloud_calls_of(json_str(declared, "provider"))};
	if (!out->calls || !permissions_form(out->provider))
		return call_fail(c, ERR_UNSUPPORTED,
			"cloud/%.*s: the provider %.*s has no policies that Isobar could write: aws, azure and gcp do",
			STR(cloud), STR(out->provider));
	return add_buckets(c, resources, count, out, cloud);
}

// ---------------------------------------------------------------- in the provider's form

static const struct form {
	const char *provider;
	permissions_form_fn *write;
} forms[] = {
	{"aws", permissions_write_aws},
	{"azure", permissions_write_azure},
	{"gcp", permissions_write_gcp},
};

permissions_form_fn *permissions_form(struct str provider)
{
	for (size_t i = 0; i < COUNT_OF(forms); i++) {
		if (str_eq(str_of(forms[i].provider), provider))
			return forms[i].write;
	}
	return NULL;
}

int permissions_write(struct call *c, const struct permissions_request *r, struct str *out)
{
	AUTO(buf) text = {0};
	permissions_form_fn *write = permissions_form(r->provider);
	int rc = write ? write(c, r, &text) : call_fail(c, ERR_UNSUPPORTED, "no policy of %.*s", STR(r->provider));
	if (rc == 0)
		rc = buf_check(&text, &c->err);
	if (rc == 0) {
		*out = arena_str(c->arena, buf_str(&text));
		rc = out->p ? 0 : call_no_memory(c);
	}
	return rc;
}

json_t *permissions_list(const struct str *items, size_t count)
{
	json_t *list = json_array();
	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, json_of_str(items[i]));
	return list;
}

// Members stay in the order that they are put in: people read policies.
int permissions_print(struct call *c, json_t *j, struct buf *out)
{
	char *text = j ? json_dumps(j, JSON_INDENT(2) | JSON_PRESERVE_ORDER) : NULL;
	json_decref(j);
	if (!text)
		return call_no_memory(c);
	buf_printf(out, "%s\n", text);
	free(text);
	return 0;
}
