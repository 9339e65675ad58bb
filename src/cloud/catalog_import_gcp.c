// SPDX-License-Identifier: Apache-2.0
// SKUs of Compute Engine ("services.skus.list", Cloud Billing API v1): pages by token, with an API key. Google sells
// cores, memory and accelerators apart, so a machine's price is put together: those that the catalog knows are built when
// all their parts were found. A part is known by how its description begins, up to " running in": what only resembles
// it (flexible starts, commitments, sole tenants) costs something else.
#include <string.h>

#include "cloud/catalog_import_impl.h"
#include "cloud/http/exchange.h"
#include "cloud/http/pages.h"

#define COMPUTE_ENGINE "6F81-5844-456A"

enum { ON_DEMAND, SPOT, WAYS };
static const struct part_row {
	const char *of;          // beginning of a shape, or an accelerator
	const char *description; // without " running in REGION"
	const char *unit;
} part_rows[] = {
	{"e2-", "E2 Instance Core", "h"}, {"e2-", "E2 Instance Ram", "GiBy.h"},
	{"n1-", "N1 Predefined Instance Core", "h"}, {"n1-", "N1 Predefined Instance Ram", "GiBy.h"},
	{"n2-", "N2 Instance Core", "h"}, {"n2-", "N2 Instance Ram", "GiBy.h"},
	{"g2-", "G2 Instance Core", "h"}, {"g2-", "G2 Instance Ram", "GiBy.h"},
	{"a2-", "A2 Instance Core", "h"}, {"a2-", "A2 Instance Ram", "GiBy.h"},
	{"a3-highgpu-", "A3 Instance Core", "h"}, {"a3-highgpu-", "A3 Instance Ram", "GiBy.h"},
	{"a3-ultragpu-", "A3Ultra Instance Core", "h"}, {"a3-ultragpu-", "A3Ultra Instance Ram", "GiBy.h"},
	{"T4", "Nvidia Tesla T4 GPU", "h"}, {"L4", "Nvidia L4 GPU", "h"}, {"A100-40GB", "Nvidia Tesla A100 GPU", "h"},
	{"A100-80GB", "Nvidia Tesla A100 80GB GPU", "h"}, {"H100", "Nvidia H100 80GB GPU", "h"},
	{"H200", "Nvidia H200 141GB GPU", "h"},
};
struct found_parts {
	struct catalog_importer *m;
	double price[COUNT_OF(part_rows)][WAYS]; // 0: not seen; below 0: seen, but no price
};

static bool is_described(struct str text, const char *part, bool spot)
{
	struct str name = str_of(part);
	if (spot && str_starts(text, S("Spot Preemptible ")))
		text = str_drop(text, S("Spot Preemptible ").n);
	if (!str_starts(text, name))
		return false;
	text = str_drop(text, name.n);
	return str_starts(text, S(" running in ")) ||
		(spot && str_starts(text, S(" attached to Spot Preemptible VMs running in ")));
}

static bool is_sold_in(const json_t *sku, struct str region)
{
	const json_t *regions = json_object_get(sku, "serviceRegions");
	for (size_t i = 0; i < json_array_size(regions); i++)
		if (str_eq(json_value_str(json_array_get(regions, i)), region))
			return true;
	return false;
}

// The price of the last step of a scale (the first ones may be free). False, with *currency: not of these units.
static bool read_rate(const json_t *sku, const char *unit, double *amount, struct str *currency)
{
	const json_t *expression =
		json_object_get(json_array_get(json_object_get(sku, "pricingInfo"), 0), "pricingExpression");
	const json_t *rates = json_object_get(expression, "tieredRates");
	size_t n = json_array_size(rates);
	const json_t *price = n ? json_object_get(json_array_get(rates, n - 1), "unitPrice") : NULL;
	int64_t units = 0;
	if (!price || !str_is(json_str(expression, "usageUnit"), unit))
		return false;
	if (json_str(price, "units").n && str_to_i64(json_str(price, "units"), &units))
		return false;
	*amount = (double)units + (double)json_int(price, "nanos", 0) / 1e9;
	*currency = json_str(price, "currencyCode");
	return true;
}

static void take_part(struct found_parts *f, size_t i, int way, const json_t *sku)
{
	double amount, *to = &f->price[i][way];
	struct str currency, name = str_of(part_rows[i].description);
	if (!read_rate(sku, part_rows[i].unit, &amount, &currency))
		import_refuse(f->m, name, "a SKU whose rate cannot be read");
	else if (!str_is(currency, "USD"))
		import_refuse(f->m, name, "a SKU whose price is not in USD");
	else if (!(amount > 0))
		import_refuse(f->m, name, "a SKU of price 0 or below");
	else if (*to > 0 && *to != amount)
		import_refuse(f->m, name, "a second SKU of another price: the first is taken");
	else
		*to = amount;
}

static void take_sku(struct found_parts *f, const json_t *sku)
{
	struct str usage = json_str(json_object_get(sku, "category"), "usageType"), text = json_str(sku, "description");
	int way = str_is(usage, "Preemptible") ? SPOT : ON_DEMAND;
	if ((way == ON_DEMAND && !str_is(usage, "OnDemand")) || !is_sold_in(sku, f->m->from->region))
		return;
	for (size_t i = 0; i < COUNT_OF(part_rows); i++)
		if (is_described(text, part_rows[i].description, way == SPOT))
			take_part(f, i, way, sku);
}

static int ask(struct call *c, void *ctx, struct str token, struct str *next)
{
	struct found_parts *f = ctx;
	AUTO(json) page = NULL;
	AUTO(buf) url = {0};
	buf_printf(&url, "%.*s/v1/services/" COMPUTE_ENGINE "/skus?currencyCode=USD&pageSize=5000", STR(f->m->base));
	if (token.n) {
		AUTO(buf) query = {0};
		exchange_parameter(&query, "pageToken", token);
		buf_add_char(&url, '&');
		buf_add(&url, buf_str(&query));
	}
	int r = buf_check(&url, &c->err);
	if (!r)
		r = import_page(f->m, buf_str(&url), &page);
	const json_t *skus = json_object_get(page, "skus");
	if (!r && !json_is_array(skus))
		r = call_fail(c, ERR_PROTOCOL, "a page of prices has no skus");
	for (size_t i = 0; !r && i < json_array_size(skus); i++)
		take_sku(f, json_array_get(skus, i));
	*next = r ? S("") : arena_str(c->arena, json_str(page, "nextPageToken"));
	return r;
}

// The sum of a machine's parts; 0 when one of them was not found.
static double sum_of(const struct found_parts *f, const struct catalog_row *shape, int way)
{
	double sum = 0;
	bool accelerator = false;
	size_t host = 0;
	for (size_t i = 0; i < COUNT_OF(part_rows); i++) {
		const struct part_row *row = &part_rows[i];
		bool is_accelerator = shape->count && str_is(str_of(row->of), shape->accelerator);
		if (!is_accelerator && !str_starts(str_of(shape->shape), str_of(row->of)))
			continue;
		if (f->price[i][way] <= 0)
			return 0;
		double many = is_accelerator ? shape->count : strcmp(row->unit, "h") == 0 ? shape->vcpu : shape->memory_gib;
		sum += many * f->price[i][way];
		accelerator |= is_accelerator;
		host += !is_accelerator;
	}
	return host == 2 && accelerator == (shape->count != 0) ? sum : 0;
}

static int take_shape(struct found_parts *f, const struct catalog_row *shape)
{
	const double on_demand = sum_of(f, shape, ON_DEMAND), spot = sum_of(f, shape, SPOT);
	if (on_demand <= 0)
		return 0; // not sold there
	int r = import_take(f->m, &(struct import_price){.spec = shape, .amount = on_demand, .currency = S("USD")});
	if (!r && spot > 0)
		r = import_take(f->m, &(struct import_price){.spec = shape, .amount = spot, .currency = S("USD"), .spot = true});
	return r;
}

int catalog_import_gcp(struct catalog_importer *m)
{
	struct found_parts f = {.m = m};
	const struct catalog known = catalog_shipped(m->from->provider);
	if (!m->from->key.n)
		return call_fail(m->c, ERR_INVALID, "Google's price interface wants an API key: --key-file FILE");
	int r = pages_all(m->c, ask, &f);
	for (size_t i = 0; !r && i < known.count; i++) // each shape once: further regions give the same sum
		r = take_shape(&f, &known.rows[i]);
	return r;
}
