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
		const struct workspace_entry *e = workspace_find(w, d->needs[j].kind, d->needs[j].name);
		for (size_t i = 0; e && i < e->resource_count; i++) {
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
	d->r->needs = arena_new_array(w->arena, count + 1, struct str);
	d->before = arena_new_array(w->arena, count + 1, size_t);
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
	struct resource *sorted;
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
			k->sorted[k->placed++] = *d->r;
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

void workspace_order(struct workspace *w, struct draft *drafts, struct findings *f)
{
	size_t n = w->resource_count;
	struct walk k = {
		.w = w,
		.drafts = drafts,
		.marks = arena_alloc(w->arena, n + 1),
		.next = arena_new_array(w->arena, n + 1, size_t),
		.stack = arena_new_array(w->arena, n + 1, size_t),
		.sorted = arena_new_array(w->arena, n + 1, struct resource),
	};
	bool good = k.marks && k.next && k.stack && k.sorted;
	for (size_t i = 0; i < n && good; i++)
		good = link_needs(w, &drafts[i]);
	for (size_t i = 0; i < n && good; i++)
		good = k.marks[i] == PLACED || place(&k, i, f);
	if (good)
		w->resources = k.sorted;
}
