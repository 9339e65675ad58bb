// SPDX-License-Identifier: Apache-2.0
// What only the resolved form shows: that the clouds which `all` stands for agree with the rest of a resource, and that no
// dataset is spread to where its residency does not let it lie (rule 9; whoever moves bytes asks again).
#include "cloud/cloud_kind.h"
#include "cloud/regions.h"
#include "data/dataset_kind.h"
#include "infra/workspace_impl.h"

// The member that a path such as "federated.quorum" is about; where it was not written, what it would stand in.
static const struct node *node_at(const struct node *n, struct str path)
{
	struct str name;
	while (str_next(&path, '.', &name)) {
		const struct node *member = node_member(n, name);
		if (!member)
			break;
		n = member;
	}
	return n;
}

static void report(const struct workspace_entry *e, struct str path, const struct finding *found, struct findings *f)
{
	const struct node *n = node_at(e->node, path);
	findings_add(f, n->at.line ? n->at : n->key_at, node_path(n, f->arena), found->suggestion, "%.*s", STR(found->problem));
}

static void check_again(const struct workspace_entry *e, const struct resource *r, struct findings *f)
{
	struct findings again = {.arena = f->arena};
	const struct node *map = node_of_json(r->resolved, f->arena);
	void *value = arena_alloc(f->arena, e->kind->size);
	if (!map || !value || kind_decode(e->kind, map, f->arena, value, &again) == 0)
		return;
	for (const struct finding *one = again.first; one; one = one->next)
		report(e, one->field, one, f);
}

// ---------------------------------------------------------------- residency
struct spread { // of one dataset
	const struct workspace *w;
	const struct workspace_entry *entry;
	struct findings *f;
};

static void check_place(const struct spread *s, struct str cloud)
{
	const struct dataset *d = s->entry->value;
	const struct workspace_entry *e = workspace_find(s->w, S("cloud"), cloud);
	if (!e || e->kind != &cloud_kind)
		return;
	const struct cloud_declaration *declared = e->value;
	const struct region *region = region_find(declared->provider, declared->region);
	if (!region || residency_allows(&d->residency, str_of(region->country)))
		return;
	struct finding found = {.suggestion = S("leave that cloud out of `clouds:`, or allow the place"),
		.problem = arena_printf(s->f->arena, "records would lie on %.*s, in %s", STR(cloud), region->country)};
	report(s->entry, S("residency"), &found, s->f);
}

static void check_spread(const struct spread *s, const struct resource *r)
{
	const struct dataset *d = s->entry->value;
	const json_t *clouds = json_object_get(json_object_get(r->resolved, "partition"), "clouds");
	for (size_t i = 0; i < json_array_size(clouds); i++)
		check_place(s, json_value_str(json_array_get(clouds, i)));
	for (size_t i = 0; !clouds && i < s->w->resource_count; i++) { // whole, where its bucket is
		const struct resource *other = &s->w->resources[i];
		if (str_eq(other->kind, S("bucket")) && str_eq(other->name, d->bucket.name))
			check_place(s, other->cloud);
	}
}

void workspace_check_resolved(const struct workspace *w, const struct workspace_entry *e, const struct resource *r, struct findings *f)
{
	const struct spread spread = {.w = w, .entry = e, .f = f};
	if (r->cloud.n) // it says no more than the entry did
		return;
	check_again(e, r, f);
	if (e->kind == &dataset_kind)
		check_spread(&spread, r);
}
