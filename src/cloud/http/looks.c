// SPDX-License-Identifier: Apache-2.0
// Acts that are looked at before they are repeated: see looks.h.
#include "cloud/http/looks.h"

int act_looking(struct call *c, const struct looked_act *a)
{
	for (int attempt = 1;; attempt++) {
		int r = a->act(c, a->ctx);
		if (!r || !c->err.retryable)
			return r;
		struct err unknown = c->err;
		bool done = false;
		err_clear(&c->err);
		int looked = a->look(c, a->ctx, &done);
		if (!looked && done)
			return 0;
		c->err = unknown;
		if (looked || (r = retry_pause(c, &retry_standard, attempt, 0)))
			return unknown.code;
	}
}
