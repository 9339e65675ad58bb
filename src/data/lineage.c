// SPDX-License-Identifier: Apache-2.0
// Lineage over the records made/ADDRESS, and how class and residency are inherited.
#include "data/lineage.h"

#include <string.h>

enum { LINEAGE_MAX = 1000 };

static int read_made(struct call *c, const struct state *s, struct str address, const json_t **out)
{
	struct record r = {0};
	struct str key = arena_printf(c->arena, "made/%.*s", STR(address));
	if (!key.p)
		return call_no_memory(c);
	if (state_get(c, s, key, &r))
		return c->err.code;
	*out = r.revision ? r.value : NULL;
	return 0;
}

static bool seen(const struct lineage_link *links, size_t count, const struct lineage_link *one)
{
	for (size_t i = 0; i < count; i++)
		if (str_eq(links[i].address, one->address) && str_eq(links[i].run, one->run))
			return true;
	return false;
}

static int add_inputs(const json_t *made, struct lineage_link *links, size_t *count)
{
	const json_t *inputs = json_object_get(made, "inputs");
	for (size_t i = 0; i < json_array_size(inputs) && *count < LINEAGE_MAX; i++) {
		const json_t *in = json_array_get(inputs, i);
		struct lineage_link link = {.address = json_str(in, "address"),
			.run = json_str(in, "run"),
			.digest = json_str(in, "digest")};
		if (!seen(links, *count, &link))
			links[(*count)++] = link;
	}
	return 0;
}

int lineage_upstream(
	struct call *c, const struct state *s, struct str address, struct lineage_link **out, size_t *count)
{
	const json_t *made = NULL;
	size_t n = 0;
	if (read_made(c, s, address, &made))
		return c->err.code;
	if (!made)
		return call_fail(c, ERR_NOT_FOUND, "%.*s was never made", STR(address));
	struct lineage_link *links = arena_new_array(c->arena, LINEAGE_MAX, struct lineage_link);
	if (!links)
		return call_no_memory(c);
	add_inputs(made, links, &n);
	for (size_t i = 0; i < n; i++) { // grows while it is walked: breadth first
		if (read_made(c, s, links[i].address, &made))
			return c->err.code;
		links[i].current = made && str_eq(json_str(made, "run"), links[i].run);
		if (links[i].current) // what an older run was made from is not recorded any more
			add_inputs(made, links, &n);
	}
	*out = links;
	*count = n;
	return 0;
}

// ---------------------------------------------------------------- inheritance
static int class_rank(struct str class)
{
	static const char *const classes[] = {"public", "internal", "personal", "special"};
	for (size_t i = 0; i < COUNT_OF(classes); i++)
		if (str_eq(class, str_of(classes[i])))
			return (int)i + 1;
	return 0;
}

struct str lineage_class(struct str a, struct str b)
{
	return class_rank(a) >= class_rank(b) ? a : b;
}

static bool is_anything(const json_t *r)
{
	return !r || json_is_null(r) || json_is_string(r);
}

static bool lists(const json_t *list, const char *place)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		if (strcmp(json_string_value(json_array_get(list, i)) ? json_string_value(json_array_get(list, i)) : "",
			    place) == 0)
			return true;
	return false;
}

json_t *lineage_residency(const json_t *a, const json_t *b)
{
	if (is_anything(a) && is_anything(b))
		return json_is_string(a) || json_is_string(b) ? json_string("anywhere") : json_null();
	if (is_anything(a) || is_anything(b))
		return json_deep_copy(is_anything(a) ? b : a);
	json_t *both = json_array();
	for (size_t i = 0; i < json_array_size(a); i++) {
		const char *place = json_string_value(json_array_get(a, i));
		if (place && lists(b, place))
			json_array_append_new(both, json_string(place));
	}
	return both;
}
