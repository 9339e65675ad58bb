// SPDX-License-Identifier: Apache-2.0
// Bytes between clouds: counted, priced from the dated table of the sending cloud, recorded as event "transfer.done"
// {from, to, bytes, what, id, price, currency, price_date, price_source, confidence}. Whoever moves bytes out of or
// into a cloud records it here.
#ifndef ISOBAR_DATA_TRANSFER_H
#define ISOBAR_DATA_TRANSFER_H

#include "cloud/cloud.h"
#include "state/state.h"

struct transfer {
	const struct cloud
		*from;          // NULL: from here (a file, the control plane): sending is free, and so is every ingress
	const struct cloud *to; // NULL: to here, over the internet
	uint64_t bytes;
	struct str what; // address: "dataset/images", "training/classifier"
	struct str id;   // name of the action that moved them: recorded once only, whatever is repeated after a crash;
			 // "": always
};
struct transfer_total {
	struct str from, to; // names of clouds; "here"
	uint64_t bytes;
	double price;
	struct str currency;
};

// Price of a transfer; same cloud and "from here" cost nothing. A cloud without a price table is ERR_UNSUPPORTED.
MUST_CHECK int transfer_price(struct call *c, const struct transfer *t, struct price *per_gb, double *amount);
// Prices and appends the event. A move inside one cloud, or of nothing, is not recorded.
MUST_CHECK int transfer_record(struct call *c, const struct state *s, const struct transfer *t);
// Sums of all recorded transfers, one row for each pair of clouds, in order of first appearance; rows in c's arena.
MUST_CHECK int transfer_totals(struct call *c, const struct state *s, struct transfer_total **out, size_t *count);

#endif
