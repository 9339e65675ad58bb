// SPDX-License-Identifier: Apache-2.0
// What can be wrong with rows of prices: see catalog.h. Public lists have spot above on demand, blank prices and one
// name for two things (an hour at once and an hour that may wait); each of these would quietly place work wrongly.
#include <math.h>
#include <stdio.h>

#include "base/time.h"
#include "cloud/catalog.h"
#include "cloud/regions.h"

struct checking {
	const struct catalog *all;
	catalog_teller *tell;
	void *ctx;
	int64_t today;
	size_t found;
};

const char *catalog_fault_word(enum catalog_fault fault)
{
	static const char *const words[] = {"price", "spread", "age", "duplicate", "region", "shape"};
	return (size_t)fault < COUNT_OF(words) ? words[fault] : "";
}

int catalog_day(struct str date, int64_t *days)
{
	char text[TIME_TEXT_SIZE];
	int64_t ns;
	if (date.n != 7 && date.n != 10)
		return ERR_INVALID;
	snprintf(text, sizeof(text), "%.*s%sT00:00:00Z", STR(date), date.n == 7 ? "-01" : "");
	if (time_parse_rfc3339(str_of(text), &ns))
		return ERR_INVALID;
	*days = ns / (NS_PER_S * 86400);
	return 0;
}

static void found(struct checking *k, enum catalog_fault fault, const struct catalog_row *row, const char *what)
{
	struct catalog_finding f = {.fault = fault, .row = row};
	snprintf(f.text, sizeof(f.text), "%.20s %.40s %.60s: %s", row->provider, row->region, row->shape, what);
	k->found++;
	if (k->tell)
		k->tell(k->ctx, &f);
}

static void check_price(struct checking *k, const struct catalog_row *row)
{
	char text[80];
	if (!isfinite(row->on_demand) || row->on_demand <= 0) {
		snprintf(text, sizeof(text), "%.2f on demand is no price", row->on_demand);
		found(k, CATALOG_PRICE, row, text);
	}
	if (!isfinite(row->spot) || row->spot < 0) {
		snprintf(text, sizeof(text), "spot %.2f is no price", row->spot);
		found(k, CATALOG_PRICE, row, text);
	} else if (row->spot > row->on_demand) {
		snprintf(text, sizeof(text), "spot %.2f is above %.2f on demand", row->spot, row->on_demand);
		found(k, CATALOG_PRICE, row, text);
	}
}

static void check_age(struct checking *k, const struct catalog_row *row)
{
	char text[80];
	int64_t day;
	if (catalog_day(str_of(row->date), &day)) {
		found(k, CATALOG_AGE, row, "its date is neither YYYY-MM nor YYYY-MM-DD");
		return;
	}
	if (day > k->today)
		snprintf(text, sizeof(text), "its date, %.12s, is yet to come", row->date);
	else if (k->today - day > CATALOG_MAX_AGE_DAYS)
		snprintf(text, sizeof(text), "%lld days old: import again", (long long)(k->today - day));
	else
		return;
	found(k, CATALOG_AGE, row, text);
}

static void check_shape(struct checking *k, const struct catalog_row *row)
{
	struct str trust = str_of(row->confidence);
	if (!(row->vcpu > 0) || !(row->memory_gib > 0))
		found(k, CATALOG_SHAPE, row, "it has no processors or no memory");
	if ((row->accelerator[0] != 0) != (row->count != 0))
		found(k, CATALOG_SHAPE, row, "accelerator and count do not go together");
	if (!row->source[0])
		found(k, CATALOG_SHAPE, row, "no source");
	if (!str_is(trust, "high") && !str_is(trust, "medium") && !str_is(trust, "low"))
		found(k, CATALOG_SHAPE, row, "its confidence is neither high, medium nor low");
	if (!region_find(str_of(row->provider), str_of(row->region)))
		found(k, CATALOG_REGION, row, "no such region");
}

static bool same_shape(const struct catalog_row *a, const struct catalog_row *b)
{
	return str_is(str_of(a->shape), b->shape) && str_is(str_of(a->provider), b->provider);
}

// Against the rows behind it: each pair once, and one finding of spread a shape, at its first row.
static void check_others(struct checking *k, size_t at)
{
	const struct catalog_row *row = &k->all->rows[at], *low = row, *high = row;
	char text[120];
	bool first = true;
	for (size_t i = 0; i < at && first; i++)
		first = !same_shape(row, &k->all->rows[i]);
	for (size_t i = at + 1; i < k->all->count; i++) {
		const struct catalog_row *other = &k->all->rows[i];
		if (!same_shape(row, other))
			continue;
		if (str_is(str_of(row->region), other->region))
			found(k, CATALOG_DUPLICATE, other, "it is there twice");
		low = other->on_demand < low->on_demand ? other : low;
		high = other->on_demand > high->on_demand ? other : high;
	}
	if (!first || high->on_demand < CATALOG_MAX_SPREAD * low->on_demand || low->on_demand <= 0)
		return;
	snprintf(text, sizeof(text), "%.2f there, and %.2f in %.40s: are these the same thing?", high->on_demand,
		low->on_demand, low->region);
	found(k, CATALOG_SPREAD, high, text);
}

size_t catalog_check(const struct catalog *all, int64_t now_ns, catalog_teller *tell, void *ctx)
{
	struct checking k = {.all = all, .tell = tell, .ctx = ctx, .today = now_ns / (NS_PER_S * 86400)};
	for (size_t i = 0; i < all->count; i++) {
		check_price(&k, &all->rows[i]);
		check_age(&k, &all->rows[i]);
		check_shape(&k, &all->rows[i]);
		check_others(&k, i);
	}
	return k.found;
}
