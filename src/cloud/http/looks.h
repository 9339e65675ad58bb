// SPDX-License-Identifier: Apache-2.0
// Acts that a provider has no token or name for, so that a lost answer leaves open whether they were done (making a key,
// a version): tried once, then looked at, and tried again only when the look says that nothing came of it. Thread-safe.
#ifndef ISOBAR_CLOUD_HTTP_LOOKS_H
#define ISOBAR_CLOUD_HTTP_LOOKS_H

#include "cloud/http/retry.h"

struct looked_act {
	void *ctx;
	int (*act)(struct call *c, void *ctx);              // one request of a CALL_REPEAT_LOOKS row
	int (*look)(struct call *c, void *ctx, bool *done); // whether it was done after all
};
// 0, or the error of the last act (of a look that fails, too: then the act's, since that is what is not known).
MUST_CHECK int act_looking(struct call *c, const struct looked_act *a);

#endif
