// SPDX-License-Identifier: Apache-2.0
// The end of an environment that declares `expires:`: so long after its first apply it takes itself down, with the
// objects of its buckets. `isobar up` does so, `isobar status` shows when. Record "environment/expiry" {at_ns,
// refused?}; events environment.expires, environment.expired, environment.stays (refused, with the reason).
#ifndef ISOBAR_INFRA_EXPIRY_H
#define ISOBAR_INFRA_EXPIRY_H

#include "state/state.h"

struct expiry {
	int64_t at_ns;      // wall clock; 0: it does not expire
	struct str refused; // why the last try did nothing; "": there was none
};
MUST_CHECK int expiry_get(struct call *c, const struct state *s, struct expiry *out);
// After an apply: `after_ns` from now when nothing is set yet; 0 takes the end back that was set.
MUST_CHECK int expiry_set(struct call *c, const struct state *s, int64_t after_ns);
// After everything was destroyed: the next first apply sets it anew. expired: by its own end.
MUST_CHECK int expiry_clear(struct call *c, const struct state *s, bool expired);
// The end has come and nothing was taken down: tried again later.
MUST_CHECK int expiry_refuse(struct call *c, const struct state *s, struct str why);
bool expiry_is_due(const struct call *c, const struct expiry *e);

#endif
