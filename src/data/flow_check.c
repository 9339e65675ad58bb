// SPDX-License-Identifier: Apache-2.0
// What the static lineage shows to be wrong, as findings; and what a denial says.
#include <string.h>

#include "data/flow_impl.h"

// ---------------------------------------------------------------- words
static void say_bounds(const struct flow_ruling *r, struct str what, bool by_place, struct arena *a, struct buf *text)
{
	struct str allowed = places_text(by_place ? &r->bounds.where : &r->bounds.laws, a);
	if (by_place)
		buf_printf(text, "%.*s may lie in %.*s only", STR(what), STR(allowed));
	else
		buf_printf(text, "%.*s may lie with operators under the law of %.*s only", STR(what), STR(allowed));
	if (!r->bounds.class && !r->origin.n)
		return;
	buf_printf(text, " (");
	if (r->bounds.class)
		buf_printf(text, "class %s%s", data_class_name(r->bounds.class), r->origin.n ? ", " : "");
	if (r->origin.n && str_eq(r->origin, what))
		buf_printf(text, "as it declares");
	else if (r->origin.n)
		buf_printf(text, "from %.*s", STR(r->origin));
	buf_printf(text, ")");
}

struct str flow_ruling_text(const struct flow_ruling *r, struct str what, struct arena *a)
{
	AUTO(buf) text = {0};
	bool by_place = !r->verdict.place_fits && !r->verdict.place_door;
	struct str fact = by_place ? r->place.country : r->place.law;
	say_bounds(r, what, by_place, a, &text);
	buf_printf(&text, "; %.*s ", STR(r->place.cloud));
	if (!fact.n)
		buf_printf(
			&text, by_place ? "does not say where it lies" : "does not say whose law binds its operator");
	else if (by_place)
		buf_printf(&text, "lies in %.*s", STR(fact));
	else
		buf_printf(&text, "is operated under the law of %.*s", STR(fact));
	if (r->verdict.expired)
		buf_printf(&text, ", and %.*s ran out on %.*s", STR(r->verdict.expired->address),
			STR(r->verdict.expired->until));
	return arena_str(a, buf_str(&text));
}

// ---------------------------------------------------------------- gathering
struct checker {
	struct flow *f;
	struct flow_finding *items; // arena, doubled when full
	size_t count, room;
	bool no_memory;
};

static void add(struct checker *k, const struct flow_finding *finding)
{
	if (k->count == k->room) {
		size_t room = k->room ? 2 * k->room : 16;
		struct flow_finding *more = arena_new_array(k->f->arena, room, struct flow_finding);
		if (!more) {
			k->no_memory = true;
			return;
		}
		if (k->count)
			memcpy(more, k->items, k->count * sizeof(*more));
		k->items = more;
		k->room = room;
	}
	k->items[k->count++] = *finding;
}

static struct str way_out(const struct checker *k, const struct flow_ruling *r, struct str what)
{
	bool by_place = !r->verdict.place_fits && !r->verdict.place_door;
	struct str fact = by_place ? r->place.country : r->place.law;
	if (!fact.n)
		return by_place ? S("say it with `location:` of that cloud")
				: S("say it with `operator: {name: ..., law: ...}` of that cloud");
	return arena_printf(k->f->arena, "leave %.*s out, or declare a transfer of %.*s to %.*s", STR(r->place.cloud),
		STR(what), STR(fact));
}

static bool may_lie(const struct checker *k, struct str what, struct str cloud, struct flow_ruling *ruling)
{
	struct flow_place place;
	if (!flow_cloud(k->f, cloud, &place))
		return true; // that there is no such cloud is said elsewhere
	*ruling = flow_rule(k->f, what, &place);
	return ruling->verdict.allowed;
}

struct target { // bytes of `what` go to `cloud`, because a member of `r` says so
	const struct resource *r;
	const struct flow_member *member;
	struct str what, cloud;
};

static void check_target(struct checker *k, const struct target *t)
{
	struct flow_ruling ruling;
	if (may_lie(k, t->what, t->cloud, &ruling))
		return;
	const struct flow_finding finding = {.address = t->r->address,
		.path = str_of(t->member->path),
		.item = t->cloud,
		.problem = flow_ruling_text(&ruling, t->what, k->f->arena),
		.suggestion = way_out(k, &ruling, t->what)};
	add(k, &finding);
}

// ---------------------------------------------------------------- members
// A part of a made thing, and the things themselves that an endpoint holds.
static void check_held(struct checker *k, const struct flow_node *n, const struct flow_member *m, struct str cloud)
{
	for (size_t i = 0; i < n->from_count; i++) {
		const struct target t = {n->r, m, k->f->nodes[n->from[i]].r->address, cloud};
		check_target(k, &t);
	}
}

static void check_some(
	struct checker *k, const struct flow_node *n, const struct flow_member *m, const struct flow_clouds *clouds)
{
	struct flow_ruling ruling = {0};
	for (size_t i = 0; i < clouds->count; i++)
		if (may_lie(k, n->r->address, clouds->names[i], &ruling))
			return;
	if (!clouds->count)
		return;
	const struct flow_finding finding = {.address = n->r->address,
		.path = str_of(m->path),
		.problem = arena_printf(k->f->arena, "none of its clouds may have a copy: %.*s",
			STR(flow_ruling_text(&ruling, n->r->address, k->f->arena))),
		.suggestion = S("name a bucket that lies where the records may")};
	add(k, &finding);
}

// A bucket of a dataset that is spread by `partition` only says the name, and a source is where its bytes are anyway.
static bool is_passive(const struct flow_node *n, const struct flow_member *m)
{
	if (m->role == FLOW_FROM || m->role == FLOW_ALL || m->role == FLOW_SOURCE)
		return true;
	return str_eq(n->r->kind, S("dataset")) && m->role == FLOW_LIES_IN && flow_member_of(n->r, "partition.clouds");
}

static void check_member(struct checker *k, const struct flow_node *n, const struct flow_member *m)
{
	struct flow_clouds clouds = {0};
	if (is_passive(n, m))
		return;
	if (flow_clouds_of(k->f, n->r, m, &clouds) < 0) {
		k->no_memory = true;
		return;
	}
	if (m->role == FLOW_SOME_IN) {
		check_some(k, n, m, &clouds);
		return;
	}
	for (size_t i = 0; i < clouds.count; i++) {
		const struct target t = {n->r, m, n->r->address, clouds.names[i]};
		if (m->role == FLOW_HOLDS_ON)
			check_held(k, n, m, clouds.names[i]);
		else
			check_target(k, &t);
	}
}

// ---------------------------------------------------------------- whole things
static void check_possible(struct checker *k, const struct flow_node *n, size_t i)
{
	const struct bounds *b = flow_node_bounds(k->f, i);
	bool nowhere = places_empty(&b->where), nobody = places_empty(&b->laws);
	if (!nowhere && !nobody)
		return;
	for (size_t j = 0; j < n->from_count; j++) { // said already of what it is made from
		const struct bounds *from = flow_node_bounds(k->f, n->from[j]);
		if (places_empty(&from->where) || places_empty(&from->laws))
			return;
	}
	const struct flow_finding finding = {.address = n->r->address,
		.problem = nowhere ? S("may lie nowhere: what it is made from shares no country")
				   : S("may be operated by nobody: what it is made from shares no law of operators"),
		.suggestion = S("widen `residency:` or `operators:` of one of them, or leave one out")};
	add(k, &finding);
}

static void check_said(struct checker *k, const struct resource *r)
{
	enum data_class class = data_class_of(json_str(r->resolved, "class"));
	if (!str_eq(r->kind, S("dataset")) || flow_declares_residency(r) || flow_from_bucket(r) ||
		class < CLASS_PERSONAL)
		return;
	const struct flow_finding finding = {.address = r->address,
		.path = S("class"),
		.problem = arena_printf(k->f->arena,
			"records of class %s from a file must say where they may lie: the country of a file is not "
			"known",
			data_class_name(class)),
		.suggestion = S("residency: [EU]")};
	add(k, &finding);
}

static void check_door(struct checker *k, const struct resource *r)
{
	for (size_t i = 0; i < k->f->door_count; i++) {
		const struct door *d = &k->f->doors[i];
		if (!str_eq(d->address, r->address) || k->f->now_ns < d->until_ns)
			continue;
		const struct flow_finding finding = {.address = r->address,
			.path = S("until"),
			.problem = arena_printf(k->f->arena, "ran out on %.*s: nothing of %.*s goes out any more",
				STR(d->until), STR(d->what)),
			.suggestion = S("renew it with its basis and reference, or take it and what it allowed away")};
		add(k, &finding);
	}
}

static void check_node(struct checker *k, size_t i)
{
	const struct flow_node *n = &k->f->nodes[i];
	check_said(k, n->r);
	if (str_eq(n->r->kind, S("transfer")))
		check_door(k, n->r);
	check_possible(k, n, i);
	for (size_t j = 0; j < flow_member_count; j++)
		if (str_is(n->r->kind, flow_members[j].kind) && flow_member_of(n->r, flow_members[j].path))
			check_member(k, n, &flow_members[j]);
}

int flow_check(struct flow *f, struct flow_finding **out, size_t *count, struct err *e)
{
	struct checker k = {.f = f};
	for (size_t i = 0; i < f->count && !k.no_memory; i++)
		check_node(&k, i);
	if (k.no_memory)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	*out = k.items;
	*count = k.count;
	return 0;
}
