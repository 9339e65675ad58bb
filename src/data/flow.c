// SPDX-License-Identifier: Apache-2.0
// The graph: finding its nodes, building it, and the questions. What members mean is in flow_links.c.
#include <stdio.h>
#include <stdlib.h>

#include "base/time.h"
#include "cloud/regions.h"
#include "data/flow_impl.h"

// ---------------------------------------------------------------- finding
static int compare_nodes(const void *a, const void *b)
{
	const struct flow_node *x = a, *y = b;
	return str_cmp(x->r->address, y->r->address);
}

// The first node whose address is not below this one.
static size_t lower_bound(const struct flow *f, struct str address)
{
	size_t low = 0, high = f->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (str_cmp(f->nodes[middle].r->address, address) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

// "model/fraud" of "model/fraud@champion" and "model/fraud/part"; " on CLOUD" is kept.
static struct str plain_address(const struct flow *f, struct str address)
{
	ptrdiff_t slash = str_find_char(address, '/'), on = str_find(address, S(" on "));
	struct str cloud = on < 0 ? S("") : str_drop(address, (size_t)on);
	struct str rest = on < 0 ? address : str_take(address, (size_t)on);
	size_t n = slash < 0 ? rest.n : (size_t)slash + 1;
	while (n < rest.n && rest.p[n] != '@' && rest.p[n] != '/')
		n++;
	if (n == rest.n)
		return address;
	return cloud.n ? arena_printf(f->arena, "%.*s%.*s", STR(str_take(rest, n)), STR(cloud)) : str_take(rest, n);
}

// The address in the answer is the graph's own, so that it may be kept.
static struct flow_seen look_for(const struct flow *f, struct str plain)
{
	size_t i = lower_bound(f, plain);
	if (i < f->count && str_eq(f->nodes[i].r->address, plain))
		return (struct flow_seen){.address = f->nodes[i].r->address, .first = i, .end = i + 1};
	const struct str parts[] = {plain, S(" on ")};
	struct str prefix = arena_join(f->arena, parts, COUNT_OF(parts));
	i = prefix.p ? lower_bound(f, prefix) : f->count;
	struct flow_seen found = {.address = str_take(prefix, plain.n), .first = i, .end = i};
	while (found.end < f->count && str_starts(f->nodes[found.end].r->address, prefix))
		found.end++;
	return found;
}

void flow_find(const struct flow *f, struct str address, size_t *first, size_t *end)
{
	struct str plain = plain_address(f, address);
	struct flow_seen *seen = &f->seen[plain.n ? (unsigned char)plain.p[0] % FLOW_SEEN : 0];
	if (!seen->address.n || !str_eq(seen->address, plain))
		*seen = look_for(f, plain);
	*first = seen->first;
	*end = seen->end;
}

const json_t *flow_member_of(const struct resource *r, const char *path)
{
	const json_t *j = r->resolved;
	struct str rest = str_of(path), name;
	while (j && str_next(&rest, '.', &name))
		j = json_object_getn(j, name.p, name.n);
	return j;
}

bool flow_from_bucket(const struct resource *r)
{
	return str_eq(r->kind, S("dataset")) && str_starts(json_str(r->resolved, "source"), S("bucket/"));
}

bool flow_declares_residency(const struct resource *r)
{
	const json_t *j = json_object_get(r->resolved, "residency");
	return j && !json_is_null(j);
}

// ---------------------------------------------------------------- doors
static int64_t end_of_day(struct str date)
{
	char text[TIME_TEXT_SIZE];
	int64_t ns;
	if (date.n == 10 && snprintf(text, sizeof(text), "%.*sT00:00:00Z", STR(date)) > 0 &&
		time_parse_rfc3339(str_of(text), &ns) == 0)
		return ns + 86400 * NS_PER_S;
	return time_parse_rfc3339(date, &ns) == 0 ? ns : 0; // what cannot be read is no door
}

static struct door door_of(const struct resource *r)
{
	struct door d = {.address = r->address,
		.what = json_str(r->resolved, "what"),
		.until = json_str(r->resolved, "until"),
		.basis = json_str(r->resolved, "basis"),
		.reference = json_str(r->resolved, "reference")};
	const json_t *to = json_object_get(r->resolved, "to");
	places_add(&d.to, json_value_str(to));
	for (size_t i = 0; i < json_array_size(to); i++)
		places_add(&d.to, json_value_str(json_array_get(to, i)));
	d.until_ns = end_of_day(d.until);
	return d;
}

const struct door *flow_doors(const struct flow *f, size_t *count)
{
	*count = f->door_count;
	return f->doors;
}

// ---------------------------------------------------------------- building
static bool carries_data(const struct resource *r)
{
	static const char *const kinds[] = {"cloud", "bucket", "transfer"};
	for (size_t i = 0; i < COUNT_OF(kinds); i++)
		if (str_is(r->kind, kinds[i]))
			return true;
	for (size_t i = 0; i < flow_member_count; i++)
		if (str_is(r->kind, flow_members[i].kind))
			return true;
	return false;
}

static int build(struct flow *f, struct err *e)
{
	qsort(f->nodes, f->count, sizeof(*f->nodes), compare_nodes);
	for (size_t i = 0; i < f->count; i++) {
		struct flow_node *n = &f->nodes[i];
		if (str_eq(n->r->kind, S("transfer")))
			f->doors[f->door_count++] = door_of(n->r);
		int rc = flow_own_bounds(f, n->r, &n->own, e);
		if (rc < 0)
			return rc;
		if (flow_link(f, n) < 0)
			return err_set(e, ERR_NO_MEMORY, "out of memory");
	}
	return 0;
}

int flow_new(struct arena *a, const struct resource *resources, size_t count, int64_t now_ns, struct flow **out, struct err *e)
{
	struct flow *f = arena_new(a, struct flow);
	size_t used = 0, doors = 0;
	for (size_t i = 0; i < count; i++) {
		used += carries_data(&resources[i]);
		doors += str_eq(resources[i].kind, S("transfer"));
	}
	struct flow_node *nodes = arena_new_array(a, used + 1, struct flow_node);
	if (!f || !nodes)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	*f = (struct flow){.arena = a, .nodes = nodes, .now_ns = now_ns};
	f->doors = arena_new_array(a, doors + 1, struct door);
	f->stack = arena_new_array(a, used + 1, size_t);
	f->seen = arena_new_array(a, FLOW_SEEN, struct flow_seen);
	if (!f->doors || !f->stack || !f->seen)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	for (size_t i = 0; i < count; i++)
		if (carries_data(&resources[i]))
			f->nodes[f->count++] = (struct flow_node){.r = &resources[i]};
	int rc = build(f, e);
	if (rc == 0)
		*out = f;
	return rc;
}

int flow_narrow(struct flow *f, struct str address, const json_t *outputs, struct err *e)
{
	size_t first, end;
	struct bounds made;
	flow_find(f, address, &first, &end);
	int rc = first < end ? bounds_of_json(outputs, &made, e) : 0;
	if (rc < 0)
		return err_context(e, "record of %.*s", STR(address));
	for (size_t i = first; i < end; i++)
		if (!str_eq(f->nodes[i].r->kind, S("dataset")))
			f->nodes[i].own = bounds_meet(&f->nodes[i].own, &made);
	return 0;
}

// ---------------------------------------------------------------- what is inherited
// Depth first without recursion: a workspace may be a chain of a hundred thousand. A ring is another check's finding; here
// it just ends, with what its members declare themselves.
static void settle(struct flow *f, size_t start)
{
	size_t depth = 0;
	f->stack[depth++] = start;
	f->nodes[start].mark = FLOW_OPEN;
	f->nodes[start].all = f->nodes[start].own;
	while (depth) {
		struct flow_node *n = &f->nodes[f->stack[depth - 1]];
		if (n->next == n->from_count) {
			n->mark = FLOW_DONE;
			depth--;
			continue;
		}
		struct flow_node *from = &f->nodes[n->from[n->next]];
		if (from->mark == FLOW_NEW) {
			from->mark = FLOW_OPEN;
			from->all = from->own;
			f->stack[depth++] = n->from[n->next];
			continue;
		}
		n->all = bounds_meet(&n->all, from->mark == FLOW_DONE ? &from->all : &from->own);
		n->next++;
	}
}

const struct bounds *flow_node_bounds(struct flow *f, size_t i)
{
	if (f->nodes[i].mark != FLOW_DONE)
		settle(f, i);
	return &f->nodes[i].all;
}

// ---------------------------------------------------------------- questions
bool flow_cloud(const struct flow *f, struct str cloud, struct flow_place *out)
{
	const struct str parts[] = {S("cloud/"), cloud};
	struct str address = arena_join(f->arena, parts, COUNT_OF(parts));
	size_t first = f->count, end = f->count;
	if (address.p)
		flow_find(f, address, &first, &end);
	if (first == end)
		return false;
	const json_t *j = f->nodes[first].r->resolved;
	struct str provider = json_str(j, "provider");
	const struct region *region = region_find(provider, json_str(j, "region"));
	struct str law = region_provider_law(provider);
	*out = (struct flow_place){.cloud = cloud,
		.country = region ? str_of(region->country) : json_str(j, "location"),
		.law = law.n ? law : json_str(json_object_get(j, "operator"), "law")};
	return true;
}

struct bounds flow_bounds(struct flow *f, struct str address)
{
	size_t first, end;
	struct bounds all = bounds_none();
	flow_find(f, address, &first, &end);
	for (size_t i = first; i < end; i++)
		all = bounds_meet(&all, flow_node_bounds(f, i));
	return all;
}

// The nearest thing upstream whose own bounds leave the place out; itself when it declares so.
static struct str find_origin(const struct flow *f, size_t i, const struct flow_place *place, size_t depth)
{
	const struct flow_node *n = &f->nodes[i];
	if (!places_hold(&n->own.where, place->country) || !places_hold(&n->own.laws, place->law))
		return n->r->address;
	for (size_t j = 0; depth && j < n->from_count; j++) {
		struct str origin = find_origin(f, n->from[j], place, depth - 1);
		if (origin.n)
			return origin;
	}
	return S("");
}

struct flow_ruling flow_rule(struct flow *f, struct str what, const struct flow_place *place)
{
	enum { DEPTH = 32 };
	struct flow_ruling r = {.bounds = flow_bounds(f, what), .place = *place};
	const struct crossing at = {.what = what, .place = place->country, .law = place->law, .now_ns = f->now_ns};
	r.verdict = bounds_judge(&r.bounds, &at, f->doors, f->door_count);
	size_t first, end;
	flow_find(f, what, &first, &end);
	for (size_t i = first; i < end && !r.origin.n && !(r.verdict.place_fits && r.verdict.law_fits); i++)
		r.origin = find_origin(f, i, place, DEPTH);
	return r;
}
