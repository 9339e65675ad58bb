// SPDX-License-Identifier: Apache-2.0
// From entries to resources: one a cloud where the kind's handler says so, with inputs as written and resolved and the
// addresses that each needs; then all in an order in which what is needed stands first (declared order otherwise). A
// ring of needs is a finding.
#include "infra/workspace_impl.h"

#include <string.h>

static const struct resource_handler *handler_of(const struct workspace *w, const struct kind *k)
{
	for (size_t i = 0; i < w->options->handler_count; i++) {
		if (strcmp(w->options->handlers[i].kind->singular, k->singular) == 0)
			return &w->options->handlers[i];
	}
	return NULL;
}

// ---------------------------------------------------------------- rule 12
// By its `clouds:` member: all of them, or the list.
static bool is_on(const struct workspace_entry *e, struct str cloud)
{
	const struct node *clouds = node_member(e->node, S("clouds"));
	if (!clouds)
		return false;
	if (clouds->type == NODE_SCALAR)
		return str_eq(clouds->text, S("all")) || str_eq(clouds->text, cloud);
	for (const struct node *n = clouds->first; n; n = n->next) {
		if (str_eq(n->text, cloud))
			return true;
	}
	return false;
}

static bool is_kind(const struct workspace_entry *e, const char *singular)
{
	return strcmp(e->kind->singular, singular) == 0;
}

struct str workspace_only_bucket(const struct workspace *w, struct str *why)
{
	struct str only = {0};
	bool same = true, any = false;
	for (size_t i = 0; i < w->entry_count; i++) {
		struct str found = {0};
		for (size_t j = 0; j < w->entry_count && is_kind(&w->entries[i], "cloud"); j++) {
			const struct workspace_entry *b = &w->entries[j];
			if (!is_kind(b, "bucket") || !is_on(b, w->entries[i].name))
				continue;
			if (found.n) {
				*why = arena_printf(w->arena, "several buckets lie on %.*s (%.*s and %.*s)",
					STR(w->entries[i].name), STR(found), STR(b->name));
				return (struct str){0};
			}
			found = b->name;
		}
		same = same && (!found.n || !only.n || str_eq(found, only));
		only = found.n ? found : only;
		any = any || found.n;
	}
	if (!any)
		*why = S("no bucket is declared");
	return any && same ? only : (struct str){0};
}

static void check_place(const struct workspace *w, const struct workspace_entry *e, struct findings *f)
{
	const struct field *field = kind_field(e->kind, S("bucket"));
	if (!field || field->type != FIELD_REF || node_member(e->node, S("bucket")))
		return;
	struct str why = {0};
	workspace_only_bucket(w, &why);
	if (why.n)
		findings_add(f, e->node->key_at, node_path(e->node, f->arena), S("say where with `bucket:`"),
			"has no place for what it makes: %.*s", STR(why));
}

// ---------------------------------------------------------------- resources
struct draft { // a resource in the making, and what it needs by kind and name
	struct resource *r;
	struct reference *needs;
	size_t need_count, room;
	struct arena *arena;
	const struct workspace_entry *entry;
};

static void draft_need(void *ctx, struct str kind, struct str name)
{
	struct draft *d = ctx;
	for (size_t i = 0; i < d->need_count; i++) {
		if (str_eq(d->needs[i].kind, kind) && str_eq(d->needs[i].name, name))
			return;
	}
	if (d->need_count == d->room) {
		size_t room = d->room ? 2 * d->room : 8;
		struct reference *more = arena_new_array(d->arena, room, struct reference);
		if (!more)
			return;
		if (d->need_count)
			memcpy(more, d->needs, d->need_count * sizeof(*more));
		d->needs = more;
		d->room = room;
	}
	d->needs[d->need_count++] = (struct reference){.kind = kind, .name = name};
}

static void draft_fill(struct workspace *w, struct draft *d, struct str cloud)
{
	const struct workspace_entry *e = d->entry;
	struct written_resolver resolver = {.w = w, .cloud = cloud, .needs = draft_need, .ctx = d};
	*d->r = (struct resource){
		.address = resource_address(w->arena, str_of(e->kind->singular), e->name, cloud),
		.kind = str_of(e->kind->singular),
		.name = e->name,
		.cloud = cloud,
		.written = json_in_arena(w->arena, workspace_written(e->kind, e->node, w->arena, NULL)),
		.resolved = json_in_arena(w->arena, workspace_written(e->kind, e->node, w->arena, &resolver)),
	};
}

struct drafts {
	struct draft *items;
	size_t count;
};

static void add_draft(struct workspace *w, struct drafts *all, const struct workspace_entry *e, struct str cloud)
{
	struct draft *d = &all->items[all->count];
	*d = (struct draft){.r = &w->resources[all->count], .arena = w->arena, .entry = e};
	all->count++;
	draft_fill(w, d, cloud);
}

static void add_entry(struct workspace *w, struct drafts *all, const struct workspace_entry *e)
{
	const struct resource_handler *h = handler_of(w, e->kind);
	if (!h || !h->per_cloud) {
		add_draft(w, all, e, (struct str){0});
		return;
	}
	for (size_t i = 0; i < w->entry_count; i++) {
		if (is_kind(&w->entries[i], "cloud") && is_on(e, w->entries[i].name))
			add_draft(w, all, e, w->entries[i].name);
	}
}

// ---------------------------------------------------------------- needs
static bool is_needed(const struct draft *by, const struct reference *need, const struct resource *r)
{
	if (!str_eq(need->kind, r->kind) || !str_eq(need->name, r->name))
		return false;
	return !r->cloud.n || !by->r->cloud.n || str_eq(r->cloud, by->r->cloud);
}

static void link_needs(struct workspace *w, struct draft *d)
{
	size_t found = 0;
	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < w->resource_count; i++) {
			const struct resource *r = &w->resources[i];
			for (size_t j = 0; r != d->r && j < d->need_count; j++) {
				if (!is_needed(d, &d->needs[j], r))
					continue;
				if (pass == 0)
					found++;
				else
					d->r->needs[d->r->need_count++] = r->address;
				break;
			}
		}
		if (pass == 0)
			d->r->needs = arena_new_array(w->arena, found + 1, struct str);
		if (!d->r->needs)
			return;
	}
}

static bool all_placed(const struct resource *r, const struct resource *placed, size_t count)
{
	for (size_t i = 0; i < r->need_count; i++) {
		bool found = false;
		for (size_t j = 0; j < count && !found; j++)
			found = str_eq(placed[j].address, r->needs[i]);
		if (!found)
			return false;
	}
	return true;
}

static void report_ring(struct workspace *w, const struct drafts *all, const bool *done, struct findings *f)
{
	AUTO(buf) names = {0};
	const struct draft *first = NULL;
	for (size_t i = 0; i < w->resource_count; i++) {
		if (done[i])
			continue;
		first = first ? first : &all->items[i];
		buf_printf(&names, "%s%.*s", names.n ? ", " : "", STR(w->resources[i].address));
	}
	findings_add(f, first->entry->node->key_at, node_path(first->entry->node, f->arena), (struct str){0},
		"these need each other in a ring, so none can be made first: %.*s", STR(buf_str(&names)));
}

// Repeatedly takes the first resource whose needs are placed.
static void order(struct workspace *w, const struct drafts *all, struct findings *f)
{
	size_t n = w->resource_count, placed = 0;
	struct resource *sorted = arena_new_array(w->arena, n + 1, struct resource);
	bool *done = arena_new_array(w->arena, n + 1, bool);
	if (!sorted || !done)
		return;
	for (bool moved = true; moved && placed < n;) {
		moved = false;
		for (size_t i = 0; i < n; i++) {
			if (done[i] || !all_placed(&w->resources[i], sorted, placed))
				continue;
			sorted[placed++] = w->resources[i];
			done[i] = moved = true;
		}
	}
	if (placed < n)
		report_ring(w, all, done, f);
	else
		w->resources = sorted;
}

void workspace_resolve(struct workspace *w, struct findings *f)
{
	size_t clouds = 1;
	for (size_t i = 0; i < w->entry_count; i++) {
		clouds += is_kind(&w->entries[i], "cloud");
		check_place(w, &w->entries[i], f);
	}
	if (f->count)
		return;
	struct drafts all = {.items = arena_new_array(w->arena, w->entry_count * clouds + 1, struct draft)};
	w->resources = arena_new_array(w->arena, w->entry_count * clouds + 1, struct resource);
	if (!all.items || !w->resources)
		return;
	for (size_t i = 0; i < w->entry_count; i++)
		add_entry(w, &all, &w->entries[i]);
	w->resource_count = all.count;
	for (size_t i = 0; i < all.count; i++)
		workspace_check_resolved(w, all.items[i].entry, all.items[i].r, f);
	workspace_check_flow(w, f);
	for (size_t i = 0; i < all.count; i++)
		link_needs(w, &all.items[i]);
	order(w, &all, f);
}
