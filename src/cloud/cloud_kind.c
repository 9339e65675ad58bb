// SPDX-License-Identifier: Apache-2.0
// The kind `clouds:`: see cloud_kind.h.
#include "cloud/cloud_kind.h"

#include "cloud/regions.h"

static const char *const providers[] = {"aws", "gcp", "azure", NULL};

static const struct field fields[] = {
	{.name = "provider",
		.type = FIELD_CHOICE,
		.flags = FIELD_REQUIRED,
		.offset = offsetof(struct cloud_declaration, provider),
		.choices = providers,
		.help = "whose cloud it is; says which object store, signatures and prices apply"},
	{.name = "region",
		.type = FIELD_NAME,
		.flags = FIELD_REQUIRED,
		.offset = offsetof(struct cloud_declaration, region),
		.help = "the provider's own name of the region; where the bytes lie follows from it"},
	{.name = "location",
		.type = FIELD_NAME,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct cloud_declaration, location),
		.help = "the country that you take the region to be in, as ISO 3166 code (US, NL); checked, never "
			"believed"},
};

static struct position member_at(const struct node *n, const char *name)
{
	struct node *member = node_member(n, str_of(name));
	return member ? member->at : n->at;
}

static struct str member_path(const struct node *n, const char *name, struct findings *f)
{
	struct node *member = node_member(n, str_of(name));
	return node_path(member ? member : n, f->arena);
}

static void check_unknown_region(const struct cloud_declaration *d, const struct node *n, struct findings *f)
{
	const struct region *elsewhere = region_find_any(d->region);
	struct str near = region_suggest(d->provider, d->region), suggestion = S("");
	if (elsewhere)
		suggestion = arena_printf(f->arena, "%.*s is a region of %s: write provider: %s", STR(d->region),
			elsewhere->provider, elsewhere->provider);
	else if (near.n)
		suggestion = arena_printf(f->arena, "did you mean \"%.*s\"?", STR(near));
	findings_add(f, member_at(n, "region"), member_path(n, "region", f), suggestion,
		"expected a region of %.*s, got \"%.*s\"", STR(d->provider), STR(d->region));
}

static void check_location(
	const struct cloud_declaration *d, const struct region *region, const struct node *n, struct findings *f)
{
	if (!d->location.n || str_eq(d->location, str_of(region->country)))
		return;
	findings_add(f, member_at(n, "location"), member_path(n, "location", f),
		arena_printf(f->arena, "write location: %s, or leave it out", region->country),
		"\"%.*s\" contradicts the region: %.*s lies in %s (%s)", STR(d->location), STR(d->region),
		region->country, region->place);
}

static void check(const struct kind_check *c)
{
	const void *value = c->value;
	const struct node *n = c->map;
	struct findings *f = c->f;
	if (c->wrong)
		return;
	const struct cloud_declaration *d = value;
	if (!d->region.n || !region_provider_known(d->provider))
		return; // said already
	const struct region *region = region_find(d->provider, d->region);
	if (region)
		check_location(d, region, n, f);
	else
		check_unknown_region(d, n, f);
}

const struct kind cloud_kind = {
	.plural = "clouds",
	.singular = "cloud",
	.help = "a place to run work: a provider's region, with its object store, jobs, endpoints, keys and prices",
	.example = "clouds:\n"
		   "  aws-us: {provider: aws, region: us-east-1}\n"
		   "  gcp-eu: {provider: gcp, region: europe-west4}\n",
	.size = sizeof(struct cloud_declaration),
	KIND_FIELDS(fields),
	.check = check,
};
