// SPDX-License-Identifier: Apache-2.0
// What every implementation of state_ops does alike: checks of what callers give, defaults of events, growing lists.
#ifndef ISOBAR_STATE_STATE_IMPL_H
#define ISOBAR_STATE_STATE_IMPL_H

#include "state/state.h"

// At most STATE_KEY_MAX bytes of UTF-8 without NUL: ERR_LIMIT, ERR_INVALID. `what` names it in the message.
MUST_CHECK int state_check_text(struct call *c, struct str text, const char *what);
MUST_CHECK int state_check_key(struct call *c, struct str key);
MUST_CHECK int state_check_lease(struct call *c, struct str name, struct str holder, int64_t ttl_ns);
// Gives an event its defaults from the call, and checks it.
MUST_CHECK int state_fill_event(struct call *c, struct event *e);
// A value as JSON, at most STATE_VALUE_MAX bytes.
MUST_CHECK int state_write_json(struct call *c, const json_t *value, struct buf *out);
// Room for one item more in a list that grows in the arena; NULL with c->err set.
void *state_grow(struct call *c, void *items, size_t count, size_t size);
// False in simulations: then the call's clock rules, not that of a server.
bool state_clock_is_real(const struct call *c);
// Failures of conditions, in the same words everywhere.
int state_conflict_head(struct call *c, uint64_t head, uint64_t expected);
int state_conflict_revision(struct call *c, struct str key, uint64_t found, uint64_t expected);
int state_denied_fence(struct call *c, struct str lease, uint64_t held, uint64_t fence);
int state_denied_expired(struct call *c, struct str lease);
int state_not_empty(struct call *c, uint64_t items);
int state_gap(struct call *c, uint64_t found, uint64_t expected);
int state_in_use(struct call *c, struct str lease, struct str holder, int64_t left_ns);

#endif
