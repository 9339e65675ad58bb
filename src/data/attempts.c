// SPDX-License-Identifier: Apache-2.0
// Counting the failures of an action since a run began.
#include "data/attempts.h"

int attempts_check(struct call *c, const struct state *s, struct str action, int64_t *before, struct err *failed)
{
	struct err last = {0};
	int64_t attempts = 0;
	if (reconcile_failures(c, s, action, &last, &attempts))
		return c->err.code;
	if (*before < 0 || *before > attempts) // it succeeded or was forgotten in between
		*before = attempts;
	if (attempts - *before >= ATTEMPTS_MAX)
		*failed = last;
	return 0;
}
