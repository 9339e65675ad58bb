// SPDX-License-Identifier: Apache-2.0
// The graph behind flow.h: shared by flow.c (building, bounds), flow_links.c (members) and flow_check.c (findings).
#ifndef ISOBAR_DATA_FLOW_IMPL_H
#define ISOBAR_DATA_FLOW_IMPL_H

#include "data/flow.h"

// What a member of a resource says about its bytes. The table is in flow_links.c.
enum flow_role {
	FLOW_FROM,     // addresses or names: it is made from these
	FLOW_ALL,      // it is made from everything of that kind
	FLOW_SOURCE,   // "bucket/raw/returns/": its bytes lie there already
	FLOW_LIES_ON,  // names of clouds: its bytes go to each of them
	FLOW_LIES_IN,  // a bucket: its bytes go to each cloud of it
	FLOW_SOME_IN,  // a bucket: its bytes go to those clouds of it that are allowed
	FLOW_HOLDS_ON, // names of clouds: what it is made from goes to each of them, as it is
	FLOW_ASKS,     // endpoints: its bytes go to each cloud of them
};
struct flow_member {
	const char *kind, *path;
	enum flow_role role;
	const char *kinds; // of a name without a kind, separated by '|', tried in this order
};
extern const struct flow_member flow_members[];
extern const size_t flow_member_count;

enum flow_mark { FLOW_NEW, FLOW_OPEN, FLOW_DONE };
struct flow_node {
	const struct resource *r;
	size_t *from; // nodes that it is made from
	size_t from_count;
	struct bounds own; // declared, or of its making
	struct bounds all; // with what it inherits, once DONE
	enum flow_mark mark;
	size_t next; // of `from`, while it is OPEN
};
struct flow_seen { // where an address was found: neighbours name the same bucket and the same clouds
	struct str address;
	size_t first, end;
};
enum { FLOW_SEEN = 8 }; // by the first letter of the kind
struct flow {
	struct arena *arena;
	struct flow_seen *seen; // FLOW_SEEN of them
	struct flow_node *nodes; // in order of address
	size_t count;
	struct door *doors;
	size_t door_count;
	size_t *stack; // room for all nodes
	int64_t now_ns;
};

// The nodes "KIND/NAME" and "KIND/NAME on CLOUD": *first and one past the last.
void flow_find(const struct flow *f, struct str address, size_t *first, size_t *end);
const struct json_t *flow_member_of(const struct resource *r, const char *path); // "partition.clouds"; NULL when absent
// Calls back with each cloud that a member names (by name, by bucket, by endpoint).
struct flow_clouds {
	struct str *names; // arena
	size_t count;
};
int flow_clouds_of(
	const struct flow *f, const struct resource *r, const struct flow_member *m, struct flow_clouds *out);
const struct bounds *flow_node_bounds(struct flow *f, size_t node);
bool flow_from_bucket(const struct resource *r); // a dataset whose source is `bucket/...`
bool flow_declares_residency(const struct resource *r);
int flow_own_bounds(const struct flow *f, const struct resource *r, struct bounds *out, struct err *e);
int flow_link(struct flow *f, struct flow_node *node); // fills `from`; ERR_NO_MEMORY

#endif
