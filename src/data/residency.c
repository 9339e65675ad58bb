// SPDX-License-Identifier: Apache-2.0
// Residency as users write it, and whether a country is inside it.
#include "data/residency.h"

static bool place_is_code(const struct node *n, struct findings *f)
{
	struct str meant = {0};
	if (n->type == NODE_SCALAR && places_check(n->text, &meant) == 0)
		return true;
	if (meant.n)
		meant = arena_printf(f->arena, "did you mean \"%.*s\"?", STR(meant));
	findings_add(f, n->at, node_path(n, f->arena), meant, "expected a country or region of two capital letters such as DE or EU");
	return false;
}

static bool parse_places(const struct node *list, struct residency *r, struct findings *f)
{
	struct str *places = arena_new_array(f->arena, list->count, struct str);
	bool good = places != NULL;
	for (const struct node *n = list->first; n && places; n = n->next) {
		if (!place_is_code(n, f)) {
			good = false;
			continue;
		}
		places[r->places.count++] = n->text;
	}
	r->places.items = places;
	return good;
}

bool residency_parse(const struct node *node, void *out, struct findings *f)
{
	struct residency *r = out;
	*r = (struct residency){0};
	if (node->type == NODE_NULL)
		return true;
	if (node->type == NODE_SCALAR && str_eq(node->text, S("anywhere"))) {
		r->anywhere = true;
		return true;
	}
	if (node->type == NODE_LIST && node->count)
		return parse_places(node, r, f);
	findings_add(f, node->at, node_path(node, f->arena), S("[EU]"),
		"expected \"anywhere\" or a list of countries and regions such as [EU]");
	return false;
}

struct places residency_places(const struct residency *r)
{
	struct places all = {.any = r->anywhere || r->places.count == 0};
	const struct str *places = r->places.items;
	for (size_t i = 0; i < r->places.count; i++)
		places_add(&all, places[i]);
	return all;
}

bool residency_allows(const struct residency *r, struct str country)
{
	struct places all = residency_places(r);
	return places_hold(&all, country);
}

json_t *residency_to_json(const struct residency *r)
{
	if (r->anywhere)
		return json_string("anywhere");
	if (!r->places.count)
		return json_null();
	json_t *list = json_array();
	const struct str *places = r->places.items;
	for (size_t i = 0; i < r->places.count; i++)
		json_array_append_new(list, json_of_str(places[i]));
	return list;
}
