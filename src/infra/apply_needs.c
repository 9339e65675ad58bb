// SPDX-License-Identifier: Apache-2.0
// Which changes of a plan wait for which: a change for the changes of what it needs, a delete for the deletes of what
// needs it. Found once, through an index, so that a plan of a hundred thousand changes costs no more than its edges.
#include "infra/apply_impl.h"

static bool ends(const struct plan_change *change)
{
	return change->action == PLAN_DELETE || change->action == PLAN_FORGET;
}

typedef int edge_visit(struct applier *p, size_t waits, size_t on);

static int each_edge(struct applier *p, edge_visit *visit)
{
	const struct plan *plan = p->apply->plan;
	for (size_t i = 0; i < plan->count; i++) {
		const struct plan_change *change = &plan->changes[i];
		const struct resource *r = ends(change) ? change->recorded : change->desired;
		for (size_t j = 0; change->action != PLAN_NOTHING && r && j < r->need_count; j++) {
			size_t place = address_find(&p->index, r->needs[j]);
			if (!place || place - 1 == i || plan->changes[place - 1].action == PLAN_NOTHING)
				continue;
			bool deletes = ends(change), other_deletes = ends(&plan->changes[place - 1]);
			int rc = 0;
			if (deletes && other_deletes)
				rc = visit(p, place - 1, i); // what is needed goes after what needs it
			else if (!deletes)
				rc = visit(p, i, place - 1);
			if (rc < 0)
				return rc;
		}
	}
	return 0;
}

static int count_edge(struct applier *p, size_t waits, size_t on)
{
	(void)on;
	p->needs[waits].count++;
	return 0;
}

static int add_edge(struct applier *p, size_t waits, size_t on)
{
	struct change_needs *needs = &p->needs[waits];
	needs->on[needs->count++] = (uint32_t)on;
	return 0;
}

int applier_find_needs(struct call *c, struct applier *p)
{
	const struct plan *plan = p->apply->plan;
	size_t offset = offsetof(struct plan_change, address);
	p->needs = arena_new_array(c->arena, plan->count + 1, struct change_needs);
	if (!p->needs || address_index_make(c->arena, (const char *)plan->changes + offset, plan->count,
				 sizeof(*plan->changes), &p->index) < 0)
		return call_no_memory(c);
	(void)each_edge(p, count_edge);
	for (size_t i = 0; i < plan->count; i++) {
		if (!p->needs[i].count)
			continue;
		p->needs[i].on = arena_new_array(c->arena, p->needs[i].count, uint32_t);
		if (!p->needs[i].on)
			return call_no_memory(c);
		p->needs[i].count = 0;
	}
	return each_edge(p, add_edge);
}
