// SPDX-License-Identifier: Apache-2.0
// All that a state holds, as a stream of items, out of one implementation and into another: what backups are made of.
// state_dump reads one consistent moment while others go on writing; state_load is one transaction: all of it or
// nothing, so that a crash in the middle leaves what was there.
#ifndef ISOBAR_STATE_TRANSFER_H
#define ISOBAR_STATE_TRANSFER_H

#include "state/state.h"

enum state_item_type { STATE_ITEM_REVISION, STATE_ITEM_LEASE, STATE_ITEM_EVENT, STATE_ITEM_RECORD };

struct state_item {
	enum state_item_type type;
	uint64_t revision;    // REVISION: the last that was given to any record
	struct lease lease;   // LEASE: name and fence; nobody holds it
	struct event event;   // EVENT: in order, without gaps, from 1
	struct record record; // RECORD: in order of keys
};

struct state_sink {
	int (*put)(struct call *c, void *ctx, const struct state_item *item); // borrowed until it returns
	void *ctx;
};
struct state_source {
	int (*next)(struct call *c, void *ctx, struct state_item *out); // 1: an item, 0: the end, or a negative code
	void *ctx;
};

MUST_CHECK int state_dump(struct call *c, const struct state *s, const struct state_sink *sink);
// Into a state without events and records, or with `replace` instead of what it holds; ERR_EXISTS otherwise.
// ERR_CORRUPT: the events have gaps, or what the source says.
MUST_CHECK int state_load(struct call *c, const struct state *s, const struct state_source *source, bool replace);

#endif
