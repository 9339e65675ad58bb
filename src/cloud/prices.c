// SPDX-License-Identifier: Apache-2.0
// The table of prices: see prices.h. USD, list prices of the named month.
#include "cloud/prices.h"

#include "cloud/catalog.h"
#include "cloud/regions.h"

#define AREA(a) (1u << (a))
#define NA_EU (AREA(AREA_NORTH_AMERICA) | AREA(AREA_EUROPE))
#define ALL_AREAS 0xffu
#define REST (ALL_AREAS & ~NA_EU)

enum reach { TO_INTERNET, TO_SAME_AREA, TO_OTHER_AREA }; // the latter two within one provider, between regions

struct egress_row {
	const char *provider;
	const char *region; // NULL: all of the areas
	unsigned areas;
	enum reach reach;
	double amount;
	const char *unit, *source, *date, *confidence;
};

// In order: the first row that fits.
static const struct egress_row egress_rows[] = {
	{"aws", "ap-northeast-1", ALL_AREAS, TO_INTERNET, 0.114, "GB", "Skyplane price table", "2024-01", "medium"},
	{"aws", "ap-southeast-2", ALL_AREAS, TO_INTERNET, 0.114, "GB", "Skyplane price table", "2024-01", "medium"},
	{"aws", "ap-south-1", ALL_AREAS, TO_INTERNET, 0.1093, "GB", "Skyplane price table", "2024-01", "medium"},
	{"aws", "sa-east-1", ALL_AREAS, TO_INTERNET, 0.15, "GB", "Skyplane price table", "2024-01", "medium"},
	{"aws", NULL, NA_EU, TO_INTERNET, 0.09, "GB", "usage.ai, AWS data transfer pricing", "2026-06", "high"},
	{"aws", NULL, REST, TO_INTERNET, 0.15, "GB", "highest AWS row of the Skyplane price table", "2024-01", "low"},
	{"aws", "ap-northeast-1", ALL_AREAS, TO_SAME_AREA, 0.09, "GB", "Skyplane price table", "2024-01", "medium"},
	{"aws", "ap-northeast-1", ALL_AREAS, TO_OTHER_AREA, 0.09, "GB", "Skyplane price table", "2024-01", "medium"},
	{"aws", "ap-southeast-2", ALL_AREAS, TO_SAME_AREA, 0.098, "GB", "Skyplane price table", "2024-01", "medium"},
	{"aws", "ap-southeast-2", ALL_AREAS, TO_OTHER_AREA, 0.098, "GB", "Skyplane price table", "2024-01", "medium"},
	{"aws", "ap-south-1", ALL_AREAS, TO_SAME_AREA, 0.086, "GB", "Skyplane price table", "2024-01", "medium"},
	{"aws", "ap-south-1", ALL_AREAS, TO_OTHER_AREA, 0.086, "GB", "Skyplane price table", "2024-01", "medium"},
	{"aws", "sa-east-1", ALL_AREAS, TO_SAME_AREA, 0.138, "GB", "Skyplane price table", "2024-01", "medium"},
	{"aws", "sa-east-1", ALL_AREAS, TO_OTHER_AREA, 0.138, "GB", "Skyplane price table", "2024-01", "medium"},
	{"aws", NULL, NA_EU, TO_SAME_AREA, 0.02, "GB", "usage.ai, AWS data transfer pricing", "2026-06", "high"},
	{"aws", NULL, NA_EU, TO_OTHER_AREA, 0.02, "GB", "usage.ai, AWS data transfer pricing", "2026-06", "high"},
	{"aws", NULL, REST, TO_SAME_AREA, 0.138, "GB", "highest AWS row of the Skyplane price table", "2024-01", "low"},
	{"aws", NULL, REST, TO_OTHER_AREA, 0.138, "GB", "highest AWS row of the Skyplane price table", "2024-01",
		"low"},

	{"azure", NULL, NA_EU, TO_INTERNET, 0.087, "GB", "cloudcalcep, Azure bandwidth pricing", "2026-01", "high"},
	{"azure", NULL, AREA(AREA_SOUTH_AMERICA), TO_INTERNET, 0.181, "GB", "Skyplane price table", "2024-01",
		"medium"},
	{"azure", NULL, ALL_AREAS, TO_INTERNET, 0.12, "GB", "Skyplane price table; lucidity", "2024-01", "medium"},
	{"azure", NULL, NA_EU, TO_SAME_AREA, 0.02, "GB", "cloudcalcep, Azure bandwidth pricing", "2026-01", "high"},
	{"azure", NULL, NA_EU, TO_OTHER_AREA, 0.05, "GB", "Skyplane price table", "2024-01", "medium"},
	{"azure", NULL, AREA(AREA_SOUTH_AMERICA), TO_SAME_AREA, 0.16, "GB", "lucidity (Skyplane says 0.181)", "2024-01",
		"low"},
	{"azure", NULL, AREA(AREA_SOUTH_AMERICA), TO_OTHER_AREA, 0.16, "GB", "Skyplane price table", "2024-01",
		"medium"},
	{"azure", NULL, ALL_AREAS, TO_SAME_AREA, 0.08, "GB", "Skyplane price table", "2024-01", "medium"},
	{"azure", NULL, ALL_AREAS, TO_OTHER_AREA, 0.08, "GB", "Skyplane price table", "2024-01", "medium"},

	{"gcp", NULL, AREA(AREA_OCEANIA), TO_INTERNET, 0.19, "GiB", "egresscost, Premium tier to Australia", "2026-04",
		"medium"},
	{"gcp", NULL, ALL_AREAS, TO_INTERNET, 0.12, "GiB", "egresscost, Premium tier; Google's pricing examples",
		"2026-04", "high"},
	{"gcp", NULL, AREA(AREA_NORTH_AMERICA), TO_SAME_AREA, 0.01, "GiB", "Skyplane price table (newer lists: 0.02)",
		"2024-01", "low"},
	{"gcp", NULL, AREA(AREA_EUROPE), TO_SAME_AREA, 0.02, "GiB", "Skyplane price table", "2024-01", "low"},
	{"gcp", NULL, AREA(AREA_ASIA), TO_SAME_AREA, 0.05, "GiB", "Skyplane price table (newer lists: 0.08)", "2024-01",
		"low"},
	{"gcp", NULL, ALL_AREAS, TO_SAME_AREA, 0.08, "GiB", "Skyplane price table", "2024-01", "low"},
	{"gcp", NULL, AREA(AREA_OCEANIA), TO_OTHER_AREA, 0.15, "GiB", "Skyplane price table", "2024-01", "low"},
	{"gcp", NULL, ALL_AREAS, TO_OTHER_AREA, 0.08, "GiB", "Skyplane price table", "2024-01", "low"},
};

// Rates of containers by the second, which have no sizes to round up to. Of one US region each: others cost 10 to 30 %
// more.
struct compute_row {
	const char *provider;
	double per_cpu, per_gib; // an hour
	const char *source, *date, *confidence;
};
static const struct compute_row compute_rows[] = {
	{"aws", 0.04048, 0.004445, "Fargate, Linux on x86, us-east-1 (cloudburn, vantage)", "2026-03", "medium"},
	{"azure", 0.0405, 0.00445, "Container Instances, Linux, eastus", "2024-07", "low"},
	{"gcp", 0.02181, 0.00292, "Compute Engine E2 by resource, us-central1", "2024-07", "low"},
};

static const struct price nothing = {.amount = 0,
	.currency = {"USD", 3},
	.unit = {"GB", 2},
	.source = {"traffic within a region is free of charge", 41},
	.date = {"2026-06", 7},
	.confidence = {"high", 4}};

static const struct egress_row *find_row(const struct region *from, enum reach reach)
{
	for (size_t i = 0; i < COUNT_OF(egress_rows); i++) {
		const struct egress_row *row = &egress_rows[i];
		if (row->reach == reach && (row->areas & AREA(from->area)) &&
			str_eq(str_of(row->provider), str_of(from->provider)) &&
			(!row->region || str_eq(str_of(row->region), str_of(from->name))))
			return row;
	}
	return NULL;
}

// "internet", "same-cloud" (the dearest way within the provider) or "PROVIDER/REGION".
static int read_target(
	struct call *c, const struct region *from, struct str to, const struct region **target, enum reach *reach)
{
	struct str provider, name;
	*target = NULL;
	*reach = str_eq(to, S("internet")) ? TO_INTERNET : TO_OTHER_AREA;
	if (str_eq(to, S("internet")) || str_eq(to, S("same-cloud")))
		return 0;
	bool named = str_cut(to, '/', &provider, &name);
	if (named && !region_provider_known(provider)) { // a hall of one's own lies behind the internet
		*reach = TO_INTERNET;
		return 0;
	}
	if (!named || !(*target = region_find(provider, name)))
		return call_fail(c, ERR_INVALID,
			"\"%.*s\" is neither \"internet\", \"same-cloud\" nor a known PROVIDER/REGION", STR(to));
	if (!str_eq(provider, str_of(from->provider)))
		*reach = TO_INTERNET;
	else if ((*target)->area == from->area)
		*reach = TO_SAME_AREA;
	return 0;
}

static int table_price_egress(struct call *c, void *prices, struct str to, struct price *out)
{
	const struct price_region *of = prices;
	const struct region *from = region_find(of->provider, of->region), *target;
	enum reach reach;
	if (!from && !region_provider_known(of->provider)) {
		*out = nothing;
		out->source = S("a site's own line, whose price no table has");
		out->confidence = S("low");
		return 0;
	}
	if (!from)
		return call_fail(
			c, ERR_NOT_FOUND, "no prices for the region %.*s of %.*s", STR(of->region), STR(of->provider));
	int r = read_target(c, from, to, &target, &reach);
	if (r)
		return r;
	if (target == from) {
		*out = nothing;
		return 0;
	}
	const struct egress_row *row = find_row(from, reach);
	if (!row)
		return call_fail(c, ERR_NOT_FOUND, "no price for traffic from %s to %.*s", from->name, STR(to));
	*out = (struct price){.amount = row->amount,
		.currency = S("USD"),
		.unit = str_of(row->unit),
		.source = str_of(row->source),
		.date = str_of(row->date),
		.confidence = str_of(row->confidence)};
	return 0;
}

static int table_price_compute(struct call *c, void *prices, double cpu, uint64_t memory, struct price *out)
{
	const struct price_region *of = prices;
	for (size_t i = 0; i < COUNT_OF(compute_rows); i++) {
		const struct compute_row *row = &compute_rows[i];
		if (!str_eq(str_of(row->provider), of->provider))
			continue;
		*out = (struct price){.amount = cpu * row->per_cpu + (double)memory / (1 << 30) * row->per_gib,
			.currency = S("USD"),
			.unit = S("h"),
			.source = str_of(row->source),
			.date = str_of(row->date),
			.confidence = str_of(row->confidence)};
		return 0;
	}
	return call_fail(c, ERR_NOT_FOUND, "no prices of compute at %.*s", STR(of->provider));
}

// Container rates have no accelerators and no spot: those are machines of the catalog.
static int table_price_machine(struct call *c, void *prices, const struct catalog_need *need, struct price *out)
{
	const struct price_region *of = prices;
	const struct catalog rows = catalog_shipped(of->provider);
	struct catalog_need here = *need;
	here.provider = of->provider;
	here.region = of->region;
	const struct catalog_row *row = catalog_cheapest(&rows, &here);
	if (!row)
		return call_fail(c, ERR_NOT_FOUND,
			"the catalog has no %s of %.*s in %.*s with %g processors, %.1f GiB and %u x \"%.*s\": isobar prices list",
			need->spot ? "spot machine" : "machine", STR(of->provider), STR(of->region), need->cpu,
			(double)need->memory / (1 << 30), need->count, STR(need->accelerator));
	*out = (struct price){.amount = catalog_price(row, need->spot),
		.currency = S("USD"),
		.unit = S("h"),
		.source = str_of(row->source),
		.date = str_of(row->date),
		.confidence = str_of(row->confidence)};
	return 0;
}

const struct price_ops table_price_ops = {.name = "table",
	.egress = table_price_egress,
	.compute = table_price_compute,
	.machine = table_price_machine};

double price_of_bytes(const struct price *price, uint64_t bytes)
{
	return (double)bytes / (str_eq(price->unit, S("GiB")) ? (double)(1 << 30) : 1e9) * price->amount;
}
