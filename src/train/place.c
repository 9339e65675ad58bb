// SPDX-License-Identifier: Apache-2.0
// Costs of each place, and the least of them.
#include "train/place.h"

#include <math.h>

#include "data/residency.h"
#include "data/transfer.h"

// A cloud without a price table is no reason to stop: it is taken when no other has a price.
static int cost_of(struct call *c, int rc, double amount, double *cost)
{
	if (rc < 0 && rc != ERR_UNSUPPORTED && rc != ERR_NOT_FOUND)
		return rc;
	err_clear(&c->err);
	*cost = rc < 0 ? INFINITY : amount;
	return 0;
}

static int egress_cost(struct call *c, const struct parts *parts, const struct part *to, double *out)
{
	*out = 0;
	for (size_t i = 0; i < parts->count && parts->partitioned; i++) {
		const struct part *from = &parts->items[i];
		struct transfer move = {.from = from->cloud, .to = to->cloud, .bytes = from->bytes};
		struct price per_gb;
		double amount = 0, cost = 0;
		if (from == to)
			continue;
		int rc = transfer_price(c, &move, &per_gb, &amount);
		rc = cost_of(c, rc, amount, &cost);
		if (rc < 0)
			return rc;
		*out += cost;
	}
	return 0;
}

static int price_place(struct call *c, const struct parts *parts, const struct part *p, const struct place_need *need, struct place *out)
{
	struct price price = {0};
	*out = (struct place){.part = p};
	int rc = CLOUD_CALL(c, p->cloud, prices, compute, need->cpu, need->memory, &price);
	rc = cost_of(c, rc, price.amount, &out->compute);
	out->currency = price.currency;
	return rc < 0 ? rc : egress_cost(c, parts, p, &out->egress);
}

static int read_residency(struct call *c, const struct parts *parts, struct residency *out)
{
	const json_t *written = json_object_get(parts->outputs, "residency");
	struct findings f = {.arena = c->arena};
	*out = (struct residency){0};
	if (!written || json_is_null(written))
		return 0;
	const struct node *node = node_of_json(written, c->arena);
	if (!node || !residency_parse(node, out, &f))
		return call_fail(c, ERR_CORRUPT, "the record of the data has a residency that cannot be read");
	return 0;
}

int place_cheapest(struct call *c, const struct parts *parts, const struct place_need *need, struct place *out)
{
	struct residency residency;
	struct place best = {0};
	int rc = read_residency(c, parts, &residency);
	for (size_t i = 0; i < parts->count && rc == 0; i++) {
		const struct part *p = &parts->items[i];
		struct place one;
		// What already lies on a cloud was allowed there; other parts must be allowed to come.
		if (parts->partitioned && parts->count > 1 && !residency_allows(&residency, p->cloud->location))
			continue;
		rc = price_place(c, parts, p, need, &one);
		double cost = one.compute + one.egress, least = best.compute + best.egress;
		if (rc == 0 && (!best.part || cost < least || (cost == least && str_cmp(p->cloud->name, best.part->cloud->name) < 0)))
			best = one;
	}
	if (rc < 0)
		return rc;
	if (!best.part)
		return call_fail(c, ERR_DENIED, "the data's residency lets its parts come together on none of the %zu clouds that have one",
			parts->count);
	*out = best;
	return 0;
}
