// SPDX-License-Identifier: Apache-2.0
// Lineage over the records made/ADDRESS.
#include "data/lineage.h"

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
