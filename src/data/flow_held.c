// SPDX-License-Identifier: Apache-2.0
// What lies on one cloud, as the workspace says: for the guards that stand at its provider.
#include "data/flow_impl.h"

struct holder {
	struct flow *f;
	struct flow_place place;
	struct flow_held *held;
};

static void hold(const struct holder *h, size_t node)
{
	struct str what = h->f->nodes[node].r->address;
	const struct bounds *b = flow_node_bounds(h->f, node);
	h->held->things++;
	h->held->bounds = bounds_meet(&h->held->bounds, b);
	for (size_t i = 0; i < h->f->door_count; i++) {
		const struct door *d = &h->f->doors[i];
		if (!door_covers(d, what) || h->f->now_ns >= d->until_ns)
			continue;
		for (size_t w = 0; w < PLACES_WORDS; w++)
			h->held->doors.bits[w] |= d->to.bits[w];
	}
}

// A copy that may not lie there is not made there.
static bool is_there(const struct holder *h, const struct flow_node *n, const struct flow_member *m)
{
	return m->role != FLOW_SOME_IN || flow_rule(h->f, n->r->address, &h->place).verdict.allowed;
}

static int look_at_member(const struct holder *h, size_t node, const struct flow_member *m)
{
	const struct flow_node *n = &h->f->nodes[node];
	struct flow_clouds clouds = {0};
	if (!str_eq(str_of(m->kind), n->r->kind) || m->role == FLOW_FROM || m->role == FLOW_ALL || m->role == FLOW_ASKS)
		return 0;
	if (flow_member_of(n->r, "partition.clouds") && m->role == FLOW_LIES_IN)
		return 0; // only the name of the bucket
	if (flow_clouds_of(h->f, n->r, m, &clouds) < 0)
		return ERR_NO_MEMORY;
	for (size_t i = 0; i < clouds.count; i++) {
		if (!str_eq(clouds.names[i], h->place.cloud) || !is_there(h, n, m))
			continue;
		hold(h, node);
		for (size_t j = 0; m->role == FLOW_HOLDS_ON && j < n->from_count; j++)
			hold(h, n->from[j]);
		return 0;
	}
	return 0;
}

int flow_held_on(struct flow *f, struct str cloud, struct flow_held *out, struct err *e)
{
	struct flow_held held = {.bounds = bounds_none()};
	struct holder h = {.f = f, .held = &held};
	if (!flow_cloud(f, cloud, &h.place))
		return err_set(e, ERR_NOT_FOUND, "the workspace has no cloud \"%.*s\"", STR(cloud));
	for (size_t i = 0; i < f->count; i++)
		for (size_t j = 0; j < flow_member_count; j++)
			if (look_at_member(&h, i, &flow_members[j]) < 0)
				return err_set(e, ERR_NO_MEMORY, "out of memory");
	*out = held;
	return 0;
}
