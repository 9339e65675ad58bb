// SPDX-License-Identifier: Apache-2.0
// Resource records by the hundred thousand: read without their values where those are not needed. Each record carries a
// sum of its inputs; two resources with the same sum are the same to a plan. The sum is of 128 bits and not
// cryptographic: it tells changes from none, and nothing else rests on it.
#ifndef ISOBAR_STATE_RESOURCE_SCAN_H
#define ISOBAR_STATE_RESOURCE_SCAN_H

#include "state/resource.h"

// Of resolved and common: the same for equal values, whatever the order of their members.
void resource_sum(const struct resource *r, uint64_t out[2]);

struct resource_filter {
	bool (*whole)(void *ctx, struct str kind); // whether values of that kind are wanted at once; NULL: of none
	void *ctx;
};
// All records, in order of address, in c->arena. Light are those that the filter does not want whole, that are ready or
// waiting, and that carry a sum (those of older releases do not).
MUST_CHECK int resource_scan(struct call *c, const struct state *s, const struct resource_filter *filter,
	struct resource **out, size_t *count);
MUST_CHECK int resource_load(struct call *c, const struct state *s, struct resource *r); // makes a light one whole

#endif
