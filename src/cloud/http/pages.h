// SPDX-License-Identifier: Apache-2.0
// What comes in pages and what takes its time, once for all drivers: the first page, then with the token of each the
// next, until there is none; and looking at a thing again and again, ever more seldom, until it is done. Both are
// bounded, by number and by the call's deadline. Nothing is kept.
#ifndef ISOBAR_CLOUD_HTTP_PAGES_H
#define ISOBAR_CLOUD_HTTP_PAGES_H

#include "base/call.h"

enum { PAGES_MOST = 1000 };

// One page: *next is the token of the page after, "" when there is none.
typedef int page_asker(struct call *c, void *ctx, struct str token, struct str *next);
// ERR_PROTOCOL for a server that gives the same token twice in a row; ERR_LIMIT after PAGES_MOST.
MUST_CHECK int pages_all(struct call *c, page_asker *ask, void *ctx);

// A look: *done, or *after_ns (what the provider asks for, Retry-After; 0: it does not) until the next.
struct lro_look {
	bool done;
	int64_t after_ns;
};
typedef int lro_asker(struct call *c, void *ctx, struct lro_look *look);
// ERR_TIMEOUT when the call's deadline (or most_ns after now; 0: only the deadline) comes first. Failures of a look that
// are worth a repetition are waited out, too.
MUST_CHECK int lro_wait(struct call *c, lro_asker *ask, void *ctx, int64_t most_ns);

#endif
