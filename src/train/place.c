// SPDX-License-Identifier: Apache-2.0
// Costs of each place, and the least of them.
#include "train/place.h"

#include "data/passage.h"
#include "data/transfer.h"

// A price that no table has is no reason to stop: it counts as 0, and a place with fewer of them goes first.
static int add_cost(struct call *c, int rc, double amount, double *cost, struct place *p)
{
	if (rc < 0 && rc != ERR_UNSUPPORTED && rc != ERR_NOT_FOUND)
		return rc;
	err_clear(&c->err);
	if (rc < 0)
		p->unpriced++;
	else
		*cost += amount;
	return 0;
}

static int egress_cost(struct call *c, const struct parts *parts, struct place *out)
{
	const struct part *to = out->part;
	for (size_t i = 0; i < parts->count && parts->partitioned; i++) {
		const struct part *from = &parts->items[i];
		struct transfer move = {.from = from->cloud, .to = to->cloud, .bytes = from->bytes};
		struct price per_gb;
		double amount = 0;
		if (from == to)
			continue;
		int rc = transfer_price(c, &move, &per_gb, &amount);
		rc = add_cost(c, rc, amount, &out->egress, out);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int price_place(struct call *c, const struct parts *parts, const struct part *p, const struct place_need *need, struct place *out)
{
	struct price price = {0};
	*out = (struct place){.part = p};
	int rc = CLOUD_CALL(c, p->cloud, prices, compute, need->cpu, need->memory, &price);
	rc = add_cost(c, rc, price.amount, &out->compute, out);
	out->currency = price.currency;
	return rc < 0 ? rc : egress_cost(c, parts, out);
}

// May the other parts come to this one?
static int may_gather(struct call *c, const struct parts *parts, const struct part *to, const struct place_need *need, bool *may)
{
	struct bounds b;
	const struct passage p = {.what = to->of, .to = to->cloud};
	if (need->state)
		return passage_allows(c, need->state, &p, may);
	if (bounds_of_json(parts->outputs, &b, &c->err))
		return call_context(c, "the record of the data");
	const struct crossing at = {
		.what = to->of, .place = to->cloud->location, .law = to->cloud->law};
	*may = bounds_judge(&b, &at, NULL, 0).allowed;
	return 0;
}

static bool is_better(const struct place *a, const struct place *b)
{
	double cost_a = a->compute + a->egress, cost_b = b->compute + b->egress;
	if (a->unpriced != b->unpriced)
		return a->unpriced < b->unpriced;
	if (cost_a != cost_b)
		return cost_a < cost_b;
	return str_cmp(a->part->cloud->name, b->part->cloud->name) < 0;
}

int place_cheapest(struct call *c, const struct parts *parts, const struct place_need *need, struct place *out)
{
	struct place best = {0};
	int rc = 0;
	for (size_t i = 0; i < parts->count && rc == 0; i++) {
		const struct part *p = &parts->items[i];
		struct place one;
		bool may = true; // what already lies on a cloud was allowed there; other parts must be allowed to come
		if (parts->partitioned && parts->count > 1)
			rc = may_gather(c, parts, p, need, &may);
		if (rc < 0 || !may)
			continue;
		rc = price_place(c, parts, p, need, &one);
		if (rc == 0 && (!best.part || is_better(&one, &best)))
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
