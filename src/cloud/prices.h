// SPDX-License-Identifier: Apache-2.0
// Prices from a dated table of list prices, each row with its source and how far it is to be trusted: what moving data
// out of a region costs (the first paid tier, without discounts and free volumes; taking data in costs nothing) and
// what an hour of compute costs. A table, not an invoice: good for comparing places and for telling the order of a sum.
// Pure.
#ifndef ISOBAR_CLOUD_PRICES_H
#define ISOBAR_CLOUD_PRICES_H

#include "cloud/cloud.h"

struct price_region { // the ctx of table_price_ops: whose prices. Borrowed
	struct str provider, region;
};
extern const struct price_ops table_price_ops;

// What bytes cost at a price per "GB" (10^9) or "GiB" (2^30).
double price_of_bytes(const struct price *price, uint64_t bytes);

#endif
