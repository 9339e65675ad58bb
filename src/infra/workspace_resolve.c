// SPDX-License-Identifier: Apache-2.0
// From entries to resources: one a cloud where the kind's handler says so, with inputs as written and resolved and what
// each needs by kind and name; workspace_order.c does the rest.
#include "infra/workspace_impl.h"

#include <string.h>

static const struct resource_handler *handler_of(const struct workspace *w, const struct kind *k)
{
	for (size_t i = 0; i < w->options->handler_count; i++) {
		if (w->options->handlers[i].kind == k || strcmp(w->options->handlers[i].kind->singular, k->singular) == 0)
			return &w->options->handlers[i];
	}
	return NULL;
}

// ---------------------------------------------------------------- rule 12
static void check_place(const struct workspace *w, const struct workspace_entry *e, struct findings *f)
{
	const struct field *field = kind_field(e->kind, S("bucket"));
	if (!field || field->type != FIELD_REF || node_member(e->node, S("bucket")))
		return;
	if (workspace_needs_no_place(e->kind, e->node) || workspace_followed_bucket(w, e->kind, e->node).n)
		return;
	struct str why = {0};
	workspace_only_bucket(w, &why);
	if (why.n)
		findings_add(f, e->node->key_at, node_path(e->node, f->arena), S("say where with `bucket:`"),
			"has no place for what it makes: %.*s", STR(why));
}

// ---------------------------------------------------------------- resources
static void draft_need(void *ctx, struct str kind, struct str name)
{
	struct draft *d = ctx;
	struct workspace_entry *e = workspace_find(d->w, kind, name);
	if (!e || e->needed_by == d->r)
		return; // of somebody else, or known already
	if (d->need_count == d->room) {
		size_t room = d->room ? 2 * d->room : 4;
		struct workspace_entry **more = arena_new_array(d->scratch, room, struct workspace_entry *);
		if (!more)
			return;
		if (d->need_count)
			memcpy(more, d->needs, d->need_count * sizeof(struct workspace_entry *));
		d->needs = more;
		d->room = room;
	}
	e->needed_by = d->r;
	d->needs[d->need_count++] = e;
}

static struct str copy_or_none(struct arena *a, struct str text)
{
	return text.n ? arena_str(a, text) : (struct str){0};
}

// What waits for a later release, and where it was before.
static void draft_note(struct workspace *w, struct draft *d)
{
	struct kind_later later = {0};
	struct err ignored = {0};
	const struct workspace_entry *e = d->entry;
	if (kind_later(e->kind, e->node, w->arena, &later, &ignored) == 0) {
		d->r->later = copy_or_none(w->arena, later.later);
		d->r->waits_for = copy_or_none(w->arena, later.waits);
	}
	d->r->common = e->common;
	d->r->moved_from = workspace_moved_from(w, d->r);
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
	};
	json_t *resolved = workspace_resolved(e->kind, e->node, w->arena, &resolver);
	workspace_resolve_when(resolved, w->environment->name);
	d->r->resolved = json_in_arena(w->arena, resolved);
	draft_note(w, d);
}

struct drafts {
	struct draft *items;
	struct arena *scratch;
};

static void add_draft(struct workspace *w, const struct drafts *all, struct workspace_entry *e, struct str cloud)
{
	struct draft *d = &all->items[w->resource_count];
	*d = (struct draft){.w = w, .r = &w->resources[w->resource_count], .scratch = all->scratch, .entry = e};
	w->resource_count++;
	e->resource_count++;
	draft_fill(w, d, cloud);
}

static void add_entry(struct workspace *w, const struct drafts *all, struct workspace_entry *e, bool per_cloud)
{
	size_t count;
	struct workspace_entry **clouds = workspace_clouds(w, &count);
	e->first_resource = w->resource_count;
	if (!per_cloud)
		add_draft(w, all, e, (struct str){0});
	for (size_t i = 0; per_cloud && i < count; i++) {
		if (workspace_is_on(e, clouds[i]->name))
			add_draft(w, all, e, clouds[i]->name);
	}
}

static bool is_per_cloud(const struct workspace *w, const struct kind *k)
{
	const struct resource_handler *h = handler_of(w, k);
	return h && h->per_cloud;
}

// How many resources there will be: a list of clouds is taken as long as it may be.
static size_t count_resources(const struct workspace *w)
{
	size_t n = 0, clouds;
	workspace_clouds(w, &clouds);
	for (size_t i = 0; i < w->entry_count; i++) {
		const struct workspace_entry *e = &w->entries[i];
		const struct node *on = is_per_cloud(w, e->kind) ? node_member(e->node, S("clouds")) : NULL;
		size_t most = on && on->type == NODE_LIST && on->count < clouds ? on->count : clouds;
		n += is_per_cloud(w, e->kind) ? most : 1;
	}
	return n;
}

void workspace_resolve(struct workspace *w, struct findings *f)
{
	for (size_t i = 0; i < w->entry_count; i++)
		check_place(w, &w->entries[i], f);
	for (size_t i = 0; i < w->entry_count && f->count == 0; i++)
		workspace_check_parts(w, &w->entries[i], f);
	if (f->count)
		return;
	size_t most = count_resources(w);
	if (most > WORKSPACE_MAX_ENTRIES) {
		findings_add(f, w->root->at, (struct str){0}, (struct str){0}, "stands for more than %d resources",
			WORKSPACE_MAX_ENTRIES);
		return;
	}
	AUTO(arena) scratch = {0};
	const struct drafts all = {.items = arena_new_array(&scratch, most + 1, struct draft), .scratch = &scratch};
	w->resources = arena_new_array(w->arena, most + 1, struct resource);
	if (!all.items || !w->resources)
		return;
	for (size_t i = 0; i < w->entry_count; i++)
		add_entry(w, &all, &w->entries[i], is_per_cloud(w, w->entries[i].kind));
	for (size_t i = 0; i < w->resource_count; i++)
		workspace_check_resolved(w, all.items[i].entry, all.items[i].r, f);
	workspace_check_flow(w, f);
	workspace_order(w, all.items, f);
}
