// SPDX-License-Identifier: Apache-2.0
// Azure's retail prices ("Azure Retail Prices overview", Cost Management REST API, 2023-01-01-preview): pages of 100 items,
// the next one by its address, which is only followed where it leads to the same host. An item is a meter: Linux is what
// is not Windows, spot says so in its name. Sizes have no processors in this list: those that the catalog knows are taken.
#include "cloud/catalog_import_impl.h"
#include "cloud/http/exchange.h"
#include "cloud/http/pages.h"

static bool has_word(const json_t *item, const char *member, struct str word)
{
	return str_find(json_str(item, member), word) >= 0;
}

static int take_item(struct catalog_importer *m, const json_t *item)
{
	struct str shape = json_str(item, "armSkuName");
	if (!str_is(json_str(item, "type"), "Consumption") || !str_is(json_str(item, "unitOfMeasure"), "1 Hour") ||
		!str_eq(json_str(item, "armRegionName"), m->from->region) || has_word(item, "productName", S("Windows")) ||
		has_word(item, "productName", S("Cloud Services")) || has_word(item, "skuName", S("Low Priority")) ||
		json_num(item, "tierMinimumUnits", 0) > 0)
		return 0;
	const struct catalog_row *spec = import_shape(m, shape);
	if (!spec)
		return 0;
	return import_take(m, &(struct import_price){.spec = spec,
				      .amount = json_num(item, "retailPrice", 0),
				      .currency = json_str(item, "currencyCode"),
				      .spot = has_word(item, "skuName", S("Spot"))});
}

static int check_next(struct catalog_importer *m, struct str next)
{
	struct str here, there;
	int r = transport_host(m->base, m->c->arena, &here, &m->c->err);
	if (!r)
		r = transport_host(next, m->c->arena, &there, &m->c->err);
	struct str scheme = str_take(m->base, (size_t)str_find_char(m->base, ':') + 1);
	if (!r && (!str_eq(here, there) || !str_starts(next, scheme)))
		r = call_fail(m->c, ERR_PROTOCOL, "the next page is said to be at %.*s, another host than %.*s",
			STR(str_clip(next, 100)), STR(m->base));
	return r;
}

static int ask(struct call *c, void *ctx, struct str token, struct str *next)
{
	struct catalog_importer *m = ctx;
	AUTO(json) page = NULL;
	int r = import_page(m, token, &page);
	const json_t *items = json_object_get(page, "Items");
	if (!r && !json_is_array(items))
		r = call_fail(c, ERR_PROTOCOL, "a page of prices has no Items");
	for (size_t i = 0; !r && i < json_array_size(items); i++)
		r = take_item(m, json_array_get(items, i));
	struct str link = json_str(page, "NextPageLink");
	if (r || !link.n) {
		*next = S("");
		return r;
	}
	*next = arena_str(c->arena, link);
	return next->p ? check_next(m, *next) : call_no_memory(c);
}

static int ask_first(struct call *c, void *ctx, struct str token, struct str *next)
{
	struct catalog_importer *m = ctx;
	if (token.n)
		return ask(c, ctx, token, next);
	AUTO(buf) url = {0};
	buf_printf(&url, "%.*s/api/retail/prices?api-version=2023-01-01-preview&$filter=", STR(m->base));
	AUTO(buf) query = {0};
	struct str filter = arena_printf(c->arena,
		"serviceName eq 'Virtual Machines' and priceType eq 'Consumption' and armRegionName eq '%.*s'",
		STR(m->from->region));
	exchange_parameter(&query, "x", filter);
	buf_add(&url, str_drop(buf_str(&query), 2));
	int r = buf_check(&url, &c->err);
	return r ? r : ask(c, ctx, arena_str(c->arena, buf_str(&url)), next);
}

int catalog_import_azure(struct catalog_importer *m)
{
	return pages_all(m->c, ask_first, m);
}
