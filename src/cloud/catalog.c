// SPDX-License-Identifier: Apache-2.0
// Looking up machines: see catalog.h.
#include "cloud/catalog.h"

#include "cloud/catalog_impl.h"

static const struct {
	const char *provider;
	const struct catalog *rows;
} shipped[] = {{"aws", &catalog_aws}, {"azure", &catalog_azure}, {"gcp", &catalog_gcp}};

struct catalog catalog_shipped(struct str provider)
{
	for (size_t i = 0; i < COUNT_OF(shipped); i++)
		if (str_is(provider, shipped[i].provider))
			return *shipped[i].rows;
	return (struct catalog){0};
}

static bool same_region(const struct catalog_row *a, const struct catalog_row *b)
{
	return str_is(str_of(a->provider), b->provider) && str_is(str_of(a->region), b->region);
}

static bool has_region(const struct catalog *all, const struct catalog_row *row)
{
	for (size_t i = 0; i < all->count; i++)
		if (same_region(&all->rows[i], row))
			return true;
	return false;
}

int catalog_with(struct arena *a, const struct catalog *mine, struct catalog *out, struct err *e)
{
	const struct catalog none = {0}, *first = mine ? mine : &none;
	size_t most = first->count, n = 0;
	for (size_t i = 0; i < COUNT_OF(shipped); i++)
		most += shipped[i].rows->count;
	struct catalog_row *rows = arena_new_array(a, most, struct catalog_row);
	if (!rows)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	for (size_t i = 0; i < first->count; i++)
		rows[n++] = first->rows[i];
	for (size_t i = 0; i < COUNT_OF(shipped); i++) {
		const struct catalog *of = shipped[i].rows;
		for (size_t k = 0; k < of->count; k++)
			if (!has_region(first, &of->rows[k]))
				rows[n++] = of->rows[k];
	}
	*out = (struct catalog){.rows = rows, .count = n};
	return 0;
}

static bool is_accelerator(struct str wanted, struct str has)
{
	return str_eq_nocase(wanted, has) ||
		(has.n > wanted.n && has.p[wanted.n] == '-' && str_eq_nocase(wanted, str_take(has, wanted.n)));
}

bool catalog_fits(const struct catalog_row *row, const struct catalog_need *need)
{
	if (need->provider.n && !str_is(need->provider, row->provider))
		return false;
	if (need->region.n && !str_is(need->region, row->region))
		return false;
	if (row->vcpu < need->cpu || row->memory_gib * (double)(1 << 30) < (double)need->memory)
		return false;
	if (need->plain && !need->accelerator.n && row->count)
		return false;
	if (need->accelerator.n && !is_accelerator(need->accelerator, str_of(row->accelerator)))
		return false;
	return row->count >= need->count && catalog_price(row, need->spot) > 0;
}

double catalog_price(const struct catalog_row *row, bool spot)
{
	return spot ? row->spot : row->on_demand;
}

const struct catalog_row *catalog_find(const struct catalog *all, struct str provider, struct str region, struct str shape)
{
	for (size_t i = 0; i < all->count; i++) {
		const struct catalog_row *row = &all->rows[i];
		if (str_is(shape, row->shape) && str_is(region, row->region) && str_is(provider, row->provider))
			return row;
	}
	return NULL;
}

const struct catalog_row *catalog_cheapest(const struct catalog *all, const struct catalog_need *need)
{
	const struct catalog_row *best = NULL;
	for (size_t i = 0; i < all->count; i++) {
		const struct catalog_row *row = &all->rows[i];
		if (catalog_fits(row, need) &&
			(!best || catalog_price(row, need->spot) < catalog_price(best, need->spot)))
			best = row;
	}
	return best;
}
