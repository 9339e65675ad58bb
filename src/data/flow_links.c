// SPDX-License-Identifier: Apache-2.0
// What the members of resources say about their bytes: the table, the walk over the addresses in a member, the clouds
// that they mean, and the bounds that a thing has by its own declaration.
#include <string.h>

#include "data/flow_impl.h"

const struct flow_member flow_members[] = {
	{"dataset", "source", FLOW_SOURCE, "bucket"},
	{"dataset", "partition.clouds", FLOW_LIES_ON, NULL},
	{"dataset", "bucket", FLOW_LIES_IN, "bucket"},
	{"dataset", "replicas.bucket", FLOW_SOME_IN, "bucket"},
	{"transform", "input", FLOW_FROM, "dataset|transform"},
	{"training", "data", FLOW_FROM, "transform|dataset"},
	{"training", "federated.clouds", FLOW_LIES_ON, NULL},
	{"model", "from", FLOW_FROM, "training|model"},
	{"endpoint", "model", FLOW_FROM, "model"},
	{"endpoint", "clouds", FLOW_HOLDS_ON, NULL},
	{"route", "to", FLOW_FROM, "endpoint"},
	{"route", "to", FLOW_ASKS, "endpoint"},
	{"route", "record.bucket", FLOW_LIES_IN, "bucket"},
	{"audit", "copies", FLOW_ALL, "route"}, // a log is made from all that is logged
	{"audit", "copies", FLOW_LIES_IN, "bucket"},
};
const size_t flow_member_count = COUNT_OF(flow_members);

// ---------------------------------------------------------------- clouds
static int add_cloud(const struct flow *f, struct flow_clouds *out, struct str name)
{
	if ((out->count & (out->count - 1)) == 0) { // 0 or a power of two: full
		struct str *more = arena_new_array(f->arena, out->count ? 2 * out->count : 1, struct str);
		if (!more)
			return ERR_NO_MEMORY;
		if (out->count)
			memcpy(more, out->names, out->count * sizeof(*more));
		out->names = more;
	}
	out->names[out->count++] = name;
	return 0;
}

// The clouds of "bucket/lake", "bucket/lake on munich" or "bucket/raw/prefix/", or of an endpoint.
static int add_clouds_of_address(const struct flow *f, struct str address, struct flow_clouds *out)
{
	size_t first, end;
	flow_find(f, address, &first, &end);
	for (size_t i = first; i < end; i++) {
		const struct resource *r = f->nodes[i].r;
		int rc = r->cloud.n ? add_cloud(f, out, r->cloud) : 0;
		const json_t *clouds = r->cloud.n ? NULL : json_object_get(r->resolved, "clouds");
		for (size_t j = 0; rc == 0 && j < json_array_size(clouds); j++)
			rc = add_cloud(f, out, json_value_str(json_array_get(clouds, j)));
		if (rc < 0)
			return rc;
	}
	return 0;
}

// ---------------------------------------------------------------- addresses in members
struct walk { // over all addresses that a member names
	const struct flow *f;
	const struct flow_member *m;
	int (*each)(void *ctx, struct str address);
	void *ctx;
};

static int walk_name(const struct walk *w, struct str text)
{
	struct str kinds = str_of(w->m->kinds), kind, head, tail;
	bool whole = str_cut(text, '/', &head, &tail) && tail.n;
	for (struct str rest = kinds; whole && str_next(&rest, '|', &kind);)
		if (str_eq(kind, head))
			return w->each(w->ctx, text);
	while (str_next(&kinds, '|', &kind)) {
		const struct str parts[] = {kind, S("/"), text};
		struct str address = arena_join(w->f->arena, parts, COUNT_OF(parts));
		size_t first, end;
		if (!address.p)
			return ERR_NO_MEMORY;
		flow_find(w->f, address, &first, &end);
		if (first < end)
			return w->each(w->ctx, address);
	}
	return 0;
}

static int walk_value(const struct walk *w, const json_t *value)
{
	const char *key;
	json_t *one;
	size_t i;
	int rc = 0;
	if (json_is_string(value))
		return walk_name(w, json_value_str(value));
	json_array_foreach(value, i, one) rc = rc ? rc : walk_value(w, one);
	json_object_foreach((json_t *)(uintptr_t)value, key, one) rc = rc ? rc : walk_value(w, one);
	return rc;
}

struct gather_clouds {
	const struct flow *f;
	struct flow_clouds *out;
};

static int gather_from_address(void *ctx, struct str address)
{
	struct gather_clouds *g = ctx;
	return add_clouds_of_address(g->f, address, g->out);
}

int flow_clouds_of(const struct flow *f, const struct resource *r, const struct flow_member *m, struct flow_clouds *out)
{
	const json_t *value = flow_member_of(r, m->path);
	if (m->role == FLOW_LIES_ON || m->role == FLOW_HOLDS_ON) {
		int rc = r->cloud.n ? add_cloud(f, out, r->cloud) : 0;
		for (size_t i = 0; !r->cloud.n && rc == 0 && i < json_array_size(value); i++)
			rc = add_cloud(f, out, json_value_str(json_array_get(value, i)));
		return rc;
	}
	struct gather_clouds g = {f, out};
	struct walk w = {.f = f, .m = m, .each = gather_from_address, .ctx = &g};
	return m->role == FLOW_FROM || m->role == FLOW_ALL || !value ? 0 : walk_value(&w, value);
}

// ---------------------------------------------------------------- own bounds
// Undeclared means where the source lies: by the countries of its bucket's clouds. A file lies on a machine whose
// country nobody told, so there the clouds that it is to be brought to say it.
static int derive_places(const struct flow *f, const struct resource *r, struct places *out)
{
	struct flow_clouds clouds = {0};
	enum flow_role wanted = flow_from_bucket(r) ? FLOW_SOURCE : FLOW_LIES_ON;
	const json_t *spread = flow_member_of(r, "partition.clouds");
	for (size_t i = 0; i < flow_member_count; i++) {
		const struct flow_member *m = &flow_members[i];
		bool fits = m->role == wanted || (wanted == FLOW_LIES_ON && !spread && m->role == FLOW_LIES_IN);
		if (!fits || !str_is(r->kind, m->kind))
			continue;
		int rc = flow_clouds_of(f, r, m, &clouds);
		if (rc < 0)
			return rc;
	}
	struct places p = {.any = clouds.count == 0};
	for (size_t i = 0; i < clouds.count; i++) {
		struct flow_place place;
		if (flow_cloud(f, clouds.names[i], &place))
			places_add(&p, place.country);
	}
	*out = p;
	return 0;
}

int flow_own_bounds(const struct flow *f, const struct resource *r, struct bounds *out, struct err *e)
{
	struct bounds b = bounds_none();
	bool declares = str_eq(r->kind, S("dataset")) || str_eq(r->kind, S("route"));
	int rc = declares ? bounds_of_json(r->resolved, &b, e) : 0;
	if (rc == 0 && str_eq(r->kind, S("dataset")) && !flow_declares_residency(r) &&
		derive_places(f, r, &b.where) < 0)
		rc = err_set(e, ERR_NO_MEMORY, "out of memory");
	*out = b;
	return rc < 0 ? err_context(e, "%.*s", STR(r->address)) : 0;
}

// ---------------------------------------------------------------- edges
struct link {
	struct flow *f;
	struct flow_node *node;
};

static int link_address(void *ctx, struct str address)
{
	struct link *l = ctx;
	size_t first, end;
	flow_find(l->f, address, &first, &end);
	if (first == end)
		return 0;
	size_t *more = arena_new_array(l->f->arena, l->node->from_count + (end - first), size_t);
	if (!more)
		return ERR_NO_MEMORY;
	if (l->node->from_count)
		memcpy(more, l->node->from, l->node->from_count * sizeof(*more));
	l->node->from = more;
	for (size_t i = first; i < end; i++)
		l->node->from[l->node->from_count++] = i;
	return 0;
}

static int link_all(struct flow *f, struct flow_node *node, const struct flow_member *m)
{
	size_t n = 0;
	node->from = arena_new_array(f->arena, f->count + 1, size_t);
	if (!node->from)
		return ERR_NO_MEMORY;
	for (size_t i = 0; i < f->count; i++)
		if (str_eq(f->nodes[i].r->kind, str_of(m->kinds)))
			node->from[n++] = i;
	node->from_count = n;
	return 0;
}

int flow_link(struct flow *f, struct flow_node *node)
{
	struct link l = {f, node};
	for (size_t i = 0; i < flow_member_count; i++) {
		const struct flow_member *m = &flow_members[i];
		const json_t *value = str_is(node->r->kind, m->kind) ? flow_member_of(node->r, m->path) : NULL;
		if (!value)
			continue;
		if (m->role == FLOW_ALL && link_all(f, node, m) < 0)
			return ERR_NO_MEMORY;
		if (m->role != FLOW_FROM)
			continue;
		struct walk w = {.f = f, .m = m, .each = link_address, .ctx = &l};
		int rc = walk_value(&w, value);
		if (rc < 0)
			return rc;
	}
	return 0;
}
