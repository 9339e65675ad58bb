// SPDX-License-Identifier: Apache-2.0
// Resources in an order in which what is needed stands first, the order of the files otherwise: a walk in depth that
// keeps its own stack, since chains may be as long as the workspace. A ring of needs is a finding.
#include "infra/workspace_impl.h"

// ---------------------------------------------------------------- needs
static bool is_needed(const struct draft *by, const struct resource *r)
{
	return r != by->r && (!r->cloud.n || !by->r->cloud.n || str_eq(r->cloud, by->r->cloud));
}

static size_t visit_needs(const struct workspace *w, struct draft *d, bool take)
{
	size_t found = 0;
	for (size_t j = 0; j < d->need_count; j++) {
		const struct workspace_entry *e = d->needs[j];
		for (size_t i = 0; i < e->resource_count; i++) {
			const struct resource *r = &w->resources[e->first_resource + i];
			if (!is_needed(d, r))
				continue;
			if (take) {
				d->r->needs[found] = r->address;
				d->before[found] = e->first_resource + i;
			}
			found++;
		}
	}
	return found;
}

static bool link_needs(const struct workspace *w, struct draft *d)
{
	size_t count = visit_needs(w, d, false);
	d->r->needs = arena_new_array(w->arena, count, struct str);
	d->before = arena_new_array(d->scratch, count + 1, size_t);
	if (!d->r->needs || !d->before)
		return false;
	d->r->need_count = visit_needs(w, d, true);
	return true;
}

// ---------------------------------------------------------------- the walk
enum mark { UNSEEN, OPEN, PLACED };

struct walk {
	const struct workspace *w;
	struct draft *drafts;
	unsigned char *marks;
	size_t *next;  // of each open one: which need comes next
	size_t *stack; // open ones, the one that was started from first
	size_t depth;
	size_t *order; // indices, as they are placed
	size_t placed;
};

static void report_ring(const struct walk *k, size_t again, struct findings *f)
{
	AUTO(buf) names = {0};
	size_t from = k->depth, first = again;
	while (k->stack[from - 1] != again)
		from--;
	for (size_t i = from - 1; i < k->depth; i++) // blame the one that stands first in the files
		first = k->stack[i] < first ? k->stack[i] : first;
	for (size_t i = from - 1; i < k->depth && names.n < 300; i++)
		buf_printf(&names, "%s%.*s", names.n ? ", " : "", STR(k->w->resources[k->stack[i]].address));
	const struct node *n = k->drafts[first].entry->node;
	findings_add(f, n->key_at, node_path(n, f->arena), (struct str){0},
		"these need each other in a ring, so none can be made first: %.*s", STR(buf_str(&names)));
}

static void open_one(struct walk *k, size_t i)
{
	k->marks[i] = OPEN;
	k->stack[k->depth++] = i;
}

// Places i and all that it needs; false on a ring.
static bool place(struct walk *k, size_t i, struct findings *f)
{
	open_one(k, i);
	while (k->depth) {
		size_t top = k->stack[k->depth - 1];
		const struct draft *d = &k->drafts[top];
		if (k->next[top] == d->r->need_count) {
			k->marks[top] = PLACED;
			k->order[k->placed++] = top;
			k->depth--;
			continue;
		}
		size_t need = d->before[k->next[top]++];
		if (k->marks[need] == OPEN) {
			report_ring(k, need, f);
			return false;
		}
		if (k->marks[need] == UNSEEN)
			open_one(k, need);
	}
	return true;
}

// resources[i] becomes the one that was resources[order[i]]; order is used up.
static void permute(struct resource *resources, size_t *order, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct resource first = resources[i];
		size_t at = i;
		while (order[at] != i) {
			size_t from = order[at];
			resources[at] = resources[from];
			order[at] = at;
			at = from;
		}
		resources[at] = first;
		order[at] = at;
	}
}

void workspace_order(struct workspace *w, struct draft *drafts, struct findings *f)
{
	AUTO(arena) scratch = {0};
	size_t n = w->resource_count;
	struct walk k = {
		.w = w,
		.drafts = drafts,
		.marks = arena_alloc(&scratch, n + 1),
		.next = arena_new_array(&scratch, n + 1, size_t),
		.stack = arena_new_array(&scratch, n + 1, size_t),
		.order = arena_new_array(&scratch, n + 1, size_t),
	};
	bool good = k.marks && k.next && k.stack && k.order;
	for (size_t i = 0; i < n && good; i++)
		good = link_needs(w, &drafts[i]);
	for (size_t i = 0; i < n && good; i++)
		good = k.marks[i] == PLACED || place(&k, i, f);
	if (good)
		permute(w->resources, k.order, n);
}
