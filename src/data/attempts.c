// SPDX-License-Identifier: Apache-2.0
// Counting the failures of an action since a run began.
#include "data/attempts.h"

int attempts_check(struct call *c, const struct state *s, struct str action, int64_t *before, struct err *failed)
{
	struct reconcile_failures past;
	if (reconcile_failures(c, s, action, &past))
		return c->err.code;
	if (*before < 0 || *before > past.attempts) // it succeeded or was forgotten in between
		*before = past.attempts;
	if (past.attempts - *before >= ATTEMPTS_MAX)
		*failed = past.last;
	return 0;
}
