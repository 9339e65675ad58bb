// SPDX-License-Identifier: Apache-2.0
// Names to addresses, on a loop, by c-ares. Literals and "localhost" are answered without asking anybody. The resolver
// is set up at the first real name. Loop thread only.
#ifndef ISOBAR_NET_DNS_H
#define ISOBAR_NET_DNS_H

#include "net/address.h"
#include "net/loop.h"

enum { DNS_MAX_ADDRESSES = 8, DNS_TIMEOUT_MS = 5000 };

struct dns;
struct dns_query;
// count 0: e says why (ERR_NOT_FOUND: no such name; ERR_TIMEOUT; ERR_UNAVAILABLE). Never called from inside
// dns_resolve().
typedef void dns_answer(void *ctx, const struct address *addresses, size_t count, const struct err *e);

MUST_CHECK int dns_new(struct loop *l, struct dns **out, struct err *e);
void dns_free(struct dns *d); // open queries end without an answer
struct dns_question {
	struct str host;
	uint16_t port; // put into the addresses
	dns_answer *answer;
	void *ctx;
};
MUST_CHECK int dns_resolve(struct dns *d, const struct dns_question *question, struct dns_query **out, struct err *e);
void dns_cancel(struct dns_query *q); // no answer will come; not after the answer

#endif
