// SPDX-License-Identifier: Apache-2.0
// What drivers share of identity.h.
#include "cloud/identity.h"

// What is not there was looked for, so that looking is allowed; only some refusals are about permissions.
int probe_judge(struct call *c, int rc, struct probe *out)
{
	if (rc == ERR_TIMEOUT || rc == ERR_CANCELLED || rc == ERR_NO_MEMORY)
		return rc;
	*out = (struct probe){.verdict = rc == 0 || rc == ERR_NOT_FOUND                  ? PROBE_ALLOWED
					 : rc == ERR_DENIED || rc == ERR_UNAUTHENTICATED ? PROBE_DENIED
											 : PROBE_FAILED};
	if (out->verdict != PROBE_ALLOWED)
		out->reason = arena_str(c->arena, str_of(c->err.message));
	err_clear(&c->err);
	return 0;
}
