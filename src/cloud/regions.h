// SPDX-License-Identifier: Apache-2.0
// The table of regions: where the bytes of each provider's region lie. Constant data, from the providers' own lists of
// locations (named in regions.c). Pure.
#ifndef ISOBAR_CLOUD_REGIONS_H
#define ISOBAR_CLOUD_REGIONS_H

#include "base/arena.h"
#include "base/str.h"

enum region_area {
	AREA_NORTH_AMERICA,
	AREA_SOUTH_AMERICA,
	AREA_EUROPE,
	AREA_ASIA,
	AREA_OCEANIA,
	AREA_MIDDLE_EAST,
	AREA_AFRICA
};

struct region {
	const char *provider; // "aws"
	const char *name;     // "us-east-1"
	const char *country;  // ISO 3166-1 alpha-2: "US"
	const char *place;    // "Northern Virginia"
	enum region_area area;
	const char *source; // URL of the provider's list of regions
	const char *date;   // of that list: "2026-05-16"
};

const struct region *region_find(struct str provider, struct str name); // NULL when unknown
const struct region *region_find_any(struct str name);                  // of any provider; NULL when unknown
bool region_provider_known(struct str provider);
// Whose law binds who runs the provider's regions, as ISO code: where its company has its home, not where the bytes lie.
// "" for a provider that is not in the table (a hall of one's own: its declaration says).
struct str region_provider_law(struct str provider);
// The name of the provider's region that is closest to what was written; "" when none is close.
struct str region_suggest(struct str provider, struct str written);
const struct region *region_table(size_t *count);

#endif
