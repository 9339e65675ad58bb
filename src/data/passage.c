// SPDX-License-Identifier: Apache-2.0
// The lineage that is in force, read from state, and what is told of its rulings.
#include "data/passage.h"

#include <string.h>


// ---------------------------------------------------------------- the graph in force
struct gathered {
	struct resource *items;
	size_t count;
};

static int gather_kind(struct call *c, const struct state *s, const char *prefix, struct gathered *g)
{
	struct resource *list = NULL;
	size_t count = 0;
	if (resource_list(c, s, str_of(prefix), &list, &count))
		return c->err.code;
	struct resource *all = arena_new_array(c->arena, g->count + count + 1, struct resource); // one more: the one at hand
	if (!all)
		return call_no_memory(c);
	if (g->count)
		memcpy(all, g->items, g->count * sizeof(*all));
	if (count)
		memcpy(all + g->count, list, count * sizeof(*all));
	g->items = all;
	g->count += count;
	return 0;
}

static void put_at_hand(struct gathered *g, const struct resource *of)
{
	for (size_t i = 0; i < g->count; i++)
		if (str_eq(g->items[i].address, of->address)) {
			g->items[i] = *of;
			return;
		}
	g->items[g->count++] = *of;
}

static int narrow_by_made(struct call *c, const struct state *s, struct flow *flow, struct str but)
{
	struct record *made = NULL;
	size_t count = 0;
	if (state_list(c, s, S("made/"), &made, &count))
		return c->err.code;
	for (size_t i = 0; i < count; i++) {
		struct str address = str_drop(made[i].key, sizeof("made/") - 1);
		if (!str_eq(address, but) && flow_narrow(flow, address, json_object_get(made[i].value, "outputs"), &c->err))
			return c->err.code;
	}
	return 0;
}

static int open_flow(struct call *c, const struct state *s, const struct passage *p, struct flow **out)
{
	static const char *const kinds[] = {
		"cloud/", "bucket/", "dataset/", "transform/", "training/", "model/", "endpoint/", "transfer/"};
	struct gathered g = {0};
	for (size_t i = 0; i < COUNT_OF(kinds); i++)
		if (gather_kind(c, s, kinds[i], &g))
			return c->err.code;
	if (p->of)
		put_at_hand(&g, p->of);
	if (flow_new(c->arena, g.items, g.count, call_now_ns(c), out, &c->err))
		return c->err.code;
	if (narrow_by_made(c, s, *out, p->making ? p->what : S("")))
		return c->err.code;
	return p->made ? flow_narrow(*out, p->what, p->made, &c->err) : 0;
}

static int rule(struct call *c, const struct state *s, const struct passage *p, struct flow_ruling *out)
{
	struct flow *flow = NULL;
	struct flow_place place;
	if (open_flow(c, s, p, &flow))
		return call_context(c, "lineage of %.*s", STR(p->what));
	if (!flow_cloud(flow, p->to->name, &place)) // no record of it: what its driver was opened with
		place = (struct flow_place){.cloud = p->to->name,
			.country = p->to->location,
			.law = p->to->law};
	*out = flow_rule(flow, p->what, &place);
	return 0;
}

// ---------------------------------------------------------------- telling
static void add_door(json_t *j, const struct door *door)
{
	json_set_str(j, "transfer", door->address);
	json_set_str(j, "basis", door->basis);
	json_set_str(j, "reference", door->reference);
	json_set_str(j, "until", door->until);
}

static json_t *ruling_json(const struct passage *p, const struct flow_ruling *r, struct str reason)
{
	json_t *j = json_object();
	bounds_to_json(&r->bounds, j);
	json_object_set_new(j, "allowed", json_boolean(r->verdict.allowed));
	json_set_str(j, "what", p->what);
	json_set_str(j, "cloud", r->place.cloud);
	json_set_str(j, "place", r->place.country);
	json_set_str(j, "law", r->place.law);
	json_set_str(j, "origin", r->origin);
	if (r->verdict.law_door)
		add_door(j, r->verdict.law_door);
	if (r->verdict.place_door)
		add_door(j, r->verdict.place_door);
	if (reason.n)
		json_set_str(j, "reason", reason);
	return j;
}

// One event for each change: a loop that asks every second tells the same thing once.
static int tell(struct call *c, const struct state *s, const struct passage *p, const struct flow_ruling *r, struct str reason)
{
	bool plain = r->verdict.place_fits && r->verdict.law_fits;
	struct str key = arena_printf(c->arena, "passage/%.*s on %.*s", STR(p->what), STR(r->place.cloud));
	struct record before = {0};
	if (!key.p)
		return call_no_memory(c);
	if (state_get(c, s, key, &before))
		return c->err.code;
	if (plain) // nothing to tell; what was told before is over
		return before.revision ? state_put(c, s, key, NULL, UINT64_MAX, NULL) : 0;
	AUTO(json) value = ruling_json(p, r, reason);
	if (before.revision && json_equal(before.value, value))
		return 0;
	json_t *data = json_deep_copy(value);
	json_set_str(data, "id", p->id);
	const struct state_note note = {.key = key,
		.value = value,
		.expected = UINT64_MAX,
		.type = r->verdict.allowed ? S("residency.passed") : S("residency.refused"),
		.address = p->what,
		.data = data};
	return state_put_noted(c, s, &note);
}

int passage_check(struct call *c, const struct state *s, const struct passage *p)
{
	struct flow_ruling r;
	if (rule(c, s, p, &r))
		return c->err.code;
	struct str reason = r.verdict.allowed ? S("") : flow_ruling_text(&r, p->what, c->arena);
	if (tell(c, s, p, &r, reason))
		return c->err.code;
	return r.verdict.allowed ? 0 : call_fail(c, ERR_DENIED, "residency: %.*s", STR(reason));
}

int passage_allows(struct call *c, const struct state *s, const struct passage *p, bool *allowed)
{
	struct flow_ruling r;
	if (rule(c, s, p, &r))
		return c->err.code;
	*allowed = r.verdict.allowed;
	return 0;
}

int passage_bounds(struct call *c, const struct state *s, const struct passage *p, struct bounds *out)
{
	struct flow *flow = NULL;
	if (open_flow(c, s, p, &flow))
		return call_context(c, "lineage of %.*s", STR(p->what));
	*out = flow_bounds(flow, p->what);
	return 0;
}

// ---------------------------------------------------------------- whose object it is
static bool below(struct str key, const char *folder, struct str *name)
{
	struct str rest;
	if (!str_starts(key, str_of(folder)))
		return false;
	return str_cut(str_drop(key, strlen(folder)), '/', name, &rest) && name->n;
}

static int has_bucket(struct call *c, const struct state *s, const struct passage_object *o, struct str name, bool *is)
{
	struct resource *list = NULL;
	size_t count = 0;
	struct str prefix = name.n ? arena_printf(c->arena, "bucket/%.*s on ", STR(name)) : S("bucket/");
	*is = false;
	if (!prefix.p)
		return call_no_memory(c);
	if (resource_list(c, s, prefix, &list, &count))
		return c->err.code;
	for (size_t i = 0; i < count; i++)
		*is = *is || (str_eq(list[i].cloud, o->cloud->name) && str_eq(list[i].cloud_id, o->bucket));
	return 0;
}

// "bucket/raw/returns/": its bucket, and what keys of it begin with.
static bool parse_source(struct str source, struct str *bucket, struct str *prefix)
{
	if (!str_starts(source, S("bucket/")))
		return false;
	str_cut(str_drop(source, sizeof("bucket/") - 1), '/', bucket, prefix);
	return true;
}

static int owner_by_source(struct call *c, const struct state *s, const struct passage_object *o, struct str *what)
{
	struct resource *list = NULL;
	size_t count = 0;
	if (resource_list(c, s, S("dataset/"), &list, &count))
		return c->err.code;
	for (size_t i = 0; i < count && !what->n; i++) {
		struct str bucket, prefix;
		bool is = false;
		if (!parse_source(json_str(list[i].resolved, "source"), &bucket, &prefix) || !str_starts(o->key, prefix))
			continue;
		if (has_bucket(c, s, o, bucket, &is))
			return c->err.code;
		if (is)
			*what = list[i].address;
	}
	return 0;
}

int passage_owner(struct call *c, const struct state *s, const struct passage_object *o, struct str *what)
{
	static const char *const folders[][2] = {
		{"datasets/", "dataset"}, {"transforms/", "transform"}, {"trainings/", "training"}, {"models/", "model"}};
	struct str name;
	bool ours = false;
	*what = S("");
	if (has_bucket(c, s, o, S(""), &ours))
		return c->err.code;
	for (size_t i = 0; i < COUNT_OF(folders) && ours; i++)
		if (below(o->key, folders[i][0], &name)) {
			*what = arena_printf(c->arena, "%s/%.*s", folders[i][1], STR(name));
			return what->p ? 0 : call_no_memory(c);
		}
	return owner_by_source(c, s, o, what);
}

// ---------------------------------------------------------------- plan
int passage_plan(struct call *c, const struct state *s, const struct resource *resources, size_t count)
{
	AUTO(arena) scratch = {0}; // of a hundred thousand resources the graph takes 50 MB, and nobody asks it again
	struct flow *flow = NULL;
	struct flow_finding *found = NULL;
	size_t n = 0;
	if (flow_new(&scratch, resources, count, call_now_ns(c), &flow, &c->err) || narrow_by_made(c, s, flow, S("")) ||
		flow_check(flow, &found, &n, &c->err))
		return call_context(c, "residency of what is planned");
	if (!n)
		return 0;
	if (n > 1)
		return call_fail(c, ERR_DENIED, "residency: %.*s: %.*s (%.*s); %zu more; what was made before keeps the bounds of its making until it is made again", STR(found->address), STR(found->problem),
			STR(found->suggestion), n - 1);
	return call_fail(c, ERR_DENIED, "residency: %.*s: %.*s (%.*s); what was made before keeps the bounds of its making until it is made again", STR(found->address), STR(found->problem), STR(found->suggestion));
}
