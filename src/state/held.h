// SPDX-License-Identifier: Apache-2.0
// A lease that is held: taken, renewed by a thread of its own, given back. While it is held, whoever works under it
// writes through held_state(): every write carries the lease's fence, so that one that comes late, from a process that
// was paused or cut off while another took over, is refused (ERR_DENIED) and changes nothing. When the lease is lost,
// the flag of the options is set: what runs under it should end, and may ask for the lease again. Owned by whoever took
// it; held_state's handle may be used by several threads, and dies with it.
#ifndef ISOBAR_STATE_HELD_H
#define ISOBAR_STATE_HELD_H

#include "state/state.h"

enum { HELD_TTL_MS = 6000 }; // how long after its holder's death a lease is free: three renewals may be missed

struct held_options {
	const struct state *state; // borrowed
	struct str name, holder;   // copied; the holder's name must be unique to this taking
	int64_t ttl_ns;            // 0: HELD_TTL_MS
	atomic_bool *lost;         // set to true when the lease is lost; NULL: nobody listens
};
struct held;
// ERR_IN_USE while another holds it.
MUST_CHECK int held_take(struct call *c, const struct held_options *options, struct held **out);
const struct state *held_state(const struct held *h);
bool held_is_lost(const struct held *h);
void held_give_back(struct call *c, struct held *h); // NULL is allowed; leaves c's error as it was

#endif
