// SPDX-License-Identifier: Apache-2.0
// The kind `clouds:`: see cloud_kind.h.
#include "cloud/cloud_kind.h"

#include "base/json.h"
#include "base/kind_scalars.h"
#include "cloud/regions.h"

static const char *const providers[] = {"aws", "gcp", "azure", "site", NULL};
static const char *const connections[] = {"direct", "outbound", NULL};

// ---------------------------------------------------------------- prices
static bool parse_price(const struct node *n, struct cloud_price *out, struct findings *f)
{
	out->what = n->key;
	bool good = n->type == NODE_SCALAR && money_parse(n->text, &out->money) == 0 && out->money.per.n;
	if (!good)
		findings_add(f, n->at, node_path(n, f->arena), S("write it as 1.90 EUR/h or 0.02 EUR/GB"),
			"expected money for a time or an amount");
	return good;
}

// {H100: 1.90 EUR/h, egress: 0 EUR/GB}
static bool parse_prices(const struct node *node, void *out, struct findings *f)
{
	size_t before = f->count, count = 0;
	struct cloud_price *prices = arena_new_array(f->arena, node->count + 1, struct cloud_price);
	if (node->type != NODE_MAP || !prices) {
		findings_add(f, node->at, node_path(node, f->arena), S(""), "expected a map of what to its price");
		return false;
	}
	for (const struct node *n = node->first; n; n = n->next)
		count += parse_price(n, &prices[count], f);
	*(struct field_list *)out = (struct field_list){.items = prices, .count = count};
	return f->count == before;
}

static json_t *normal_prices(const struct node *node)
{
	const struct field money = {.type = FIELD_MONEY};
	json_t *out = json_object();
	for (const struct node *n = node->first; n; n = n->next)
		json_object_setn_new(out, n->key.p, n->key.n, scalar_to_normal(&money, n));
	return out;
}

// ---------------------------------------------------------------- parts
static const char *const store_engines[] = {"s3", "gcs", "blob", NULL};
static const struct field store_fields[] = {
	{.name = "engine",
		.type = FIELD_CHOICE,
		.flags = FIELD_REQUIRED | FIELD_IN_PLACE,
		.offset = offsetof(struct cloud_part, engine),
		.choices = store_engines,
		.help = "protocol of its object store"},
	{.name = "api",
		.type = FIELD_URL,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct cloud_part, api),
		.help = "URL of its API; only an address: credentials are the operator's"},
};
static const struct kind store_kind = {
	.singular = "store",
	.help = "the object store",
	.size = sizeof(struct cloud_part),
	KIND_FIELDS(store_fields),
};

static const char *const jobs_engines[] = {"local", "kubernetes", "slurm", "sagemaker", "vertex", "azureml", NULL};
static const struct field jobs_fields[] = {
	{.name = "engine",
		.type = FIELD_CHOICE,
		.flags = FIELD_REQUIRED | FIELD_IN_PLACE,
		.offset = offsetof(struct cloud_part, engine),
		.choices = jobs_engines,
		.help = "who runs jobs"},
	{.name = "api",
		.type = FIELD_URL,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct cloud_part, api),
		.help = "URL of its API; only an address: credentials are the operator's"},
	{.name = "context",
		.type = FIELD_NAME,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct cloud_part, context),
		.help = "context of the operator's kubeconfig"},
	{.name = "namespace",
		.type = FIELD_NAME,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct cloud_part, space),
		.help = "namespace of Kubernetes"},
	{.name = "partition",
		.type = FIELD_NAME,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct cloud_part, partition),
		.help = "partition of Slurm"},
};
static const struct kind jobs_kind = {
	.singular = "jobs",
	.help = "what runs jobs",
	.size = sizeof(struct cloud_part),
	KIND_FIELDS(jobs_fields),
};

static const char *const endpoints_engines[] = {
	"local", "kubernetes", "kserve", "sagemaker", "vertex", "azureml", NULL};
static const struct field endpoints_fields[] = {
	{.name = "engine",
		.type = FIELD_CHOICE,
		.flags = FIELD_REQUIRED | FIELD_IN_PLACE,
		.offset = offsetof(struct cloud_part, engine),
		.choices = endpoints_engines,
		.help = "who serves models"},
	{.name = "api",
		.type = FIELD_URL,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct cloud_part, api),
		.help = "URL of its API; only an address: credentials are the operator's"},
	{.name = "context",
		.type = FIELD_NAME,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct cloud_part, context),
		.help = "context of the operator's kubeconfig"},
	{.name = "namespace",
		.type = FIELD_NAME,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct cloud_part, space),
		.help = "namespace of Kubernetes"},
};
static const struct kind endpoints_kind = {
	.singular = "endpoints",
	.help = "what serves models",
	.size = sizeof(struct cloud_part),
	KIND_FIELDS(endpoints_fields),
};

static const char *const keys_engines[] = {"local", "kms", "vault", NULL};
static const struct field keys_fields[] = {
	{.name = "engine",
		.type = FIELD_CHOICE,
		.flags = FIELD_REQUIRED | FIELD_IN_PLACE,
		.offset = offsetof(struct cloud_part, engine),
		.choices = keys_engines,
		.help = "who keeps keys"},
	{.name = "api",
		.type = FIELD_URL,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct cloud_part, api),
		.help = "URL of its API; only an address: credentials are the operator's"},
};
static const struct kind keys_kind = {
	.singular = "keys",
	.help = "the key service",
	.size = sizeof(struct cloud_part),
	KIND_FIELDS(keys_fields),
};

static const struct field operator_fields[] = {
	{.name = "name",
		.type = FIELD_TEXT,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct cloud_operator, name),
		.help = "who operates it, for reports"},
	{.name = "law",
		.type = FIELD_NAME,
		.flags = FIELD_REQUIRED | FIELD_IN_PLACE,
		.offset = offsetof(struct cloud_operator, law),
		.help = "whose law binds the operator, as a code of two capitals: EU, US, DE"},
};
static const struct kind operator_kind_of_cloud = {
	.singular = "operator",
	.help = "who operates the cloud, and whose law binds them: another fact than where the bytes lie",
	.size = sizeof(struct cloud_operator),
	KIND_FIELDS(operator_fields),
};

static const struct field credentials_fields[] = {
	{.name = "assume",
		.type = FIELD_TEXT,
		.flags = FIELD_IN_PLACE | FIELD_LATER,
		.offset = offsetof(struct cloud_credentials_declared, assume),
		.help = "role that is taken on with the operator's credentials: an ARN, or a service account"},
	{.name = "profile",
		.type = FIELD_NAME,
		.flags = FIELD_IN_PLACE | FIELD_LATER,
		.offset = offsetof(struct cloud_credentials_declared, profile),
		.help = "profile of the operator's own configuration"},
};
static const struct kind credentials_kind_of_cloud = {
	.singular = "credentials",
	.help = "as whom Isobar comes; the credentials themselves are the operator's and never stand in a workspace",
	.size = sizeof(struct cloud_credentials_declared),
	KIND_FIELDS(credentials_fields),
};

// The engines of this machine act in this release, and stores that speak S3.
static bool is_acting_part(const struct node *node)
{
	const struct node *engine = node_member(node, S("engine"));
	return engine && (str_eq(engine->text, S("local")) || str_eq(engine->text, S("s3")));
}

// ---------------------------------------------------------------- the table
static const struct field fields[] = {
	{.name = "provider",
		.type = FIELD_CHOICE,
		.flags = FIELD_REQUIRED,
		.offset = offsetof(struct cloud_declaration, provider),
		.choices = providers,
		.help = "whose cloud it is; says which object store, signatures and prices apply; site: a hall of "
			"one's own"},
	{.name = "region",
		.type = FIELD_NAME,
		.flags = 0,
		.offset = offsetof(struct cloud_declaration, region),
		.help = "the provider's own name of the region; where the bytes lie follows from it"},
	{.name = "location",
		.type = FIELD_NAME,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct cloud_declaration, location),
		.help = "country as ISO 3166 code (US, NL): of a site, where it is; of a region, where you take it to "
			"be; checked, never believed"},
	{.name = "account",
		.type = FIELD_TEXT,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct cloud_declaration, account),
		.help = "aws: number of the account, in quotes; credentials of another one are refused"},
	{.name = "project",
		.type = FIELD_NAME,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct cloud_declaration, project),
		.help = "gcp: id of the project; credentials of another one are refused"},
	{.name = "subscription",
		.type = FIELD_NAME,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct cloud_declaration, subscription),
		.help = "azure: id of the subscription; credentials of another one are refused"},
	{.name = "resource_group",
		.type = FIELD_NAME,
		.flags = FIELD_IN_PLACE | FIELD_LATER,
		.offset = offsetof(struct cloud_declaration, resource_group),
		.help = "azure: resource group in which things are made"},
	{.name = "credentials",
		.type = FIELD_BLOCK,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct cloud_declaration, credentials),
		.block = &credentials_kind_of_cloud,
		.help = "as whom Isobar comes"},
	{.name = "operator",
		.type = FIELD_BLOCK,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct cloud_declaration, operator),
		.block = &operator_kind_of_cloud,
		.help = "who operates it; of the three providers it is known"},
	{.name = "connect",
		.type = FIELD_CHOICE,
		.flags = FIELD_IN_PLACE | FIELD_LATER,
		.offset = offsetof(struct cloud_declaration, connect),
		.choices = connections,
		.otherwise = "direct",
		.help = "outbound: an agent there dials out, and no port is opened inwards"},
	{.name = "store",
		.type = FIELD_BLOCK,
		.flags = FIELD_IN_PLACE | FIELD_LATER,
		.offset = offsetof(struct cloud_declaration, store),
		.acting = is_acting_part,
		.block = &store_kind,
		.help = "another object store than the provider's"},
	{.name = "jobs",
		.type = FIELD_BLOCK,
		.flags = FIELD_IN_PLACE | FIELD_LATER,
		.offset = offsetof(struct cloud_declaration, jobs),
		.acting = is_acting_part,
		.block = &jobs_kind,
		.help = "another engine for jobs"},
	{.name = "endpoints",
		.type = FIELD_BLOCK,
		.flags = FIELD_IN_PLACE | FIELD_LATER,
		.offset = offsetof(struct cloud_declaration, endpoints),
		.acting = is_acting_part,
		.block = &endpoints_kind,
		.help = "another engine for endpoints"},
	{.name = "keys",
		.type = FIELD_BLOCK,
		.flags = FIELD_IN_PLACE | FIELD_LATER,
		.offset = offsetof(struct cloud_declaration, keys),
		.acting = is_acting_part,
		.block = &keys_kind,
		.help = "another key service"},
	{.name = "prices",
		.type = FIELD_CUSTOM,
		.flags = FIELD_IN_PLACE | FIELD_LATER,
		.offset = offsetof(struct cloud_declaration, prices),
		.parse = parse_prices,
		.normal = normal_prices,
		.help = "prices that no price list tells, such as those of one's own hall: {H100: 1.90 EUR/h, egress: "
			"0 EUR/GB}"},
};

// ---------------------------------------------------------------- checks
static void check_unknown_region(const struct kind_check *c, const struct cloud_declaration *d)
{
	const struct region *elsewhere = region_find_any(d->region);
	struct str near = region_suggest(d->provider, d->region), suggestion = S("");
	if (elsewhere)
		suggestion = arena_printf(c->f->arena, "%.*s is a region of %s: write provider: %s", STR(d->region),
			elsewhere->provider, elsewhere->provider);
	else if (near.n)
		suggestion = arena_printf(c->f->arena, "did you mean \"%.*s\"?", STR(near));
	kind_check_add(
		c, "region", suggestion, "expected a region of %.*s, got \"%.*s\"", STR(d->provider), STR(d->region));
}

static void check_location(const struct kind_check *c, const struct cloud_declaration *d, const struct region *region)
{
	if (!d->location.n || str_eq(d->location, str_of(region->country)))
		return;
	kind_check_add(c, "location", arena_printf(c->f->arena, "write location: %s, or leave it out", region->country),
		"\"%.*s\" contradicts the region: %.*s lies in %s (%s)", STR(d->location), STR(d->region),
		region->country, region->place);
}

static void check_region(const struct kind_check *c, const struct cloud_declaration *d)
{
	if (!d->region.n) {
		kind_check_add(
			c, "", S("add region:"), "\"region\" is missing; expected a region of %.*s", STR(d->provider));
		return;
	}
	const struct region *region = region_find(d->provider, d->region);
	if (!region)
		check_unknown_region(c, d);
	else if (kind_check_sound(c, "location"))
		check_location(c, d, region);
}

// Whose law binds a provider follows its company's home; a region elsewhere changes nothing about it.
static void check_law(const struct kind_check *c, const struct cloud_declaration *d)
{
	struct str law = region_provider_law(d->provider);
	if (d->operator.law.n && law.n && !str_eq(d->operator.law, law))
		kind_check_add(c, "operator.law",
			arena_printf(c->f->arena, "write law: %.*s, or leave it out", STR(law)),
			"\"%.*s\" contradicts the provider: the company behind %.*s is bound by the law of %.*s, "
			"wherever its regions lie",
			STR(d->operator.law), STR(d->provider), STR(law));
}

// No table knows a hall of one's own: it says itself where it is, and whose law binds who runs it.
static void check_site(const struct kind_check *c, const struct cloud_declaration *d)
{
	if (d->region.n)
		kind_check_add(c, "region", S("write location: with the code of its country"),
			"a site has no regions of a provider");
	if (kind_check_sound(c, "location") && !d->location.n)
		kind_check_add(c, "", S("add location: with the code of its country"),
			"\"location\" is missing: no table knows where a site is");
	if (kind_check_sound(c, "operator") && !d->operator.law.n)
		kind_check_add(c, "", S("add operator: {law: EU}"),
			"\"operator\" is missing: no table knows whose law binds the operator of a site");
}

static bool is_code(struct str s)
{
	return s.n == 2 && s.p[0] >= 'A' && s.p[0] <= 'Z' && s.p[1] >= 'A' && s.p[1] <= 'Z';
}

static void check_codes(const struct kind_check *c, const struct cloud_declaration *d)
{
	if (kind_check_sound(c, "location") && d->location.n && !is_code(d->location))
		kind_check_add(c, "location", S("write it as DE"), "expected the code of a country, got \"%.*s\"",
			STR(d->location));
	if (kind_check_sound(c, "operator") && d->operator.law.n && !is_code(d->operator.law))
		kind_check_add(c, "operator.law", S("write it as EU"),
			"expected the code of a country or EU, got \"%.*s\"", STR(d->operator.law));
}

// What belongs to another provider would be left aside without a word.
static void check_owners(const struct kind_check *c, const struct cloud_declaration *d)
{
	const struct {
		const char *field, *provider;
		struct str value;
	} rows[] = {
		{"account", "aws", d->account},
		{"project", "gcp", d->project},
		{"subscription", "azure", d->subscription},
		{"resource_group", "azure", d->resource_group},
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (rows[i].value.n && !str_eq(d->provider, str_of(rows[i].provider)))
			kind_check_add(c, rows[i].field, S("leave it out"), "only a cloud of provider %s has %s",
				rows[i].provider, rows[i].field);
	for (size_t i = 0; i < d->account.n; i++)
		if (d->account.p[i] < '0' || d->account.p[i] > '9' || d->account.n != 12) {
			kind_check_add(c, "account", S("write it in quotes: \"123456789012\""),
				"expected the 12 digits of an account, got \"%.*s\"", STR(str_clip(d->account, 40)));
			break;
		}
}

static void check(const struct kind_check *c)
{
	const struct cloud_declaration *d = c->value;
	if (!kind_check_sound(c, "provider"))
		return;
	check_codes(c, d);
	check_owners(c, d);
	if (str_eq(d->provider, S("site")))
		check_site(c, d);
	else if (kind_check_sound(c, "region"))
		check_region(c, d);
	if (kind_check_sound(c, "operator"))
		check_law(c, d);
}

const struct kind cloud_kind = {
	.plural = "clouds",
	.singular = "cloud",
	.help = "a place to run work: a provider's region or a site, with its object store, jobs, endpoints, keys and "
		"prices",
	.example = "clouds:\n"
		   "  aws-us: {provider: aws, region: us-east-1}\n"
		   "  gcp-eu: {provider: gcp, region: europe-west4}\n"
		   "  munich: {provider: site, location: DE, operator: {name: Lumen GmbH, law: EU}}\n",
	.size = sizeof(struct cloud_declaration),
	KIND_FIELDS(fields),
	.check = check,
};
