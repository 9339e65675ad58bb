// SPDX-License-Identifier: Apache-2.0
// The services of `isobar up` on their threads, over the clouds of the workspace. When clouds or encrypted buckets are
// declared anew, the services end, the clouds are opened again, and they start over: they keep everything that matters
// in state.
#ifndef ISOBAR_API_SERVICES_H
#define ISOBAR_API_SERVICES_H

#include "api/session.h"

struct services;
// s has its clouds open; it is borrowed until services_stop. ERR_NO_MEMORY.
MUST_CHECK int services_start(struct call *c, struct session *s, struct services **out);
void services_stop(struct services *all); // waits until all have ended; NULL is allowed
#endif
