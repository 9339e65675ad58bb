// SPDX-License-Identifier: Apache-2.0
// What is recorded and no longer wanted. What nothing else needs goes first; a ring (which no valid workspace gives) is
// taken in order of address. Each record is looked at once for each pass, and passes are as many as needs are deep.
#include "infra/plan_impl.h"
#include "state/resource_common.h"

struct leaving {
	bool *left;       // by record: to be deleted and not yet in the plan
	uint32_t *needed; // by how many of those that are left
	size_t pending;
};

static int add_needs(struct plan_maker *m, struct leaving *l, const struct resource *r, uint32_t change)
{
	size_t place;
	for (size_t j = 0; j < r->need_count; j++) {
		if (plan_find_record(m, r->needs[j], &place) < 0)
			return ERR_NO_MEMORY;
		if (place)
			l->needed[place - 1] += change; // UINT32_MAX takes one away
	}
	return 0;
}

static void decide_delete(const struct plan_maker *m, struct plan_change *change)
{
	const struct resource *r = change->recorded;
	size_t seen = address_find(&m->observed, r->address);
	change->unseen = seen && m->in->observed[seen - 1].unseen;
	change->action = resource_is_kept(r) ? PLAN_FORGET : PLAN_DELETE;
	if (change->action == PLAN_FORGET)
		change->note = S("it was only used, and stays as it is");
	else if (resource_is_protected(r))
		plan_refuse(change, ERR_DENIED,
			S("it is protected: write `protect: false` and apply that before it may be deleted"));
	else if (plan_protects(m->in, r->kind))
		plan_refuse(change, ERR_DENIED,
			S("its environment is protected: say `protect: false` there before anything is deleted"));
}

static void add_delete(struct plan_maker *m, struct leaving *l, size_t i)
{
	const struct resource *r = &m->in->recorded[i];
	l->left[i] = false;
	l->pending--;
	(void)add_needs(m, l, r, UINT32_MAX); // the index is there by now
	struct plan_change *change = plan_add(m->plan, r->address);
	change->recorded = r;
	decide_delete(m, change);
	plan_count(m->plan, change);
}

static int find_leaving(struct plan_maker *m, struct leaving *l)
{
	const struct plan_input *in = m->in;
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < in->recorded_count; i++) {
		l->left[i] = !m->taken[i] && !m->desired_of[i];
		l->pending += l->left[i];
		if (l->left[i])
			rc = add_needs(m, l, &in->recorded[i], 1);
	}
	return rc;
}

int plan_add_deletes(struct plan_maker *m, struct err *e)
{
	size_t n = m->in->recorded_count;
	if (m->in->refresh_only || !m->unwanted)
		return 0; // what is no longer written is no change from outside
	struct leaving l = {
		.left = arena_new_array(m->arena, n + 1, bool), .needed = arena_new_array(m->arena, n + 1, uint32_t)};
	if (!l.left || !l.needed)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	if (find_leaving(m, &l) < 0)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	for (bool force = false; l.pending > 0;) {
		size_t before = l.pending;
		for (size_t i = n; i-- > 0;) {
			if (!l.left[i] || (!force && l.needed[i]))
				continue;
			add_delete(m, &l, i);
			if (force)
				break;
		}
		force = l.pending == before;
	}
	return 0;
}
