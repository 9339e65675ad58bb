// SPDX-License-Identifier: Apache-2.0
// Residency as users write it, and whether a country is inside it.
#include "data/residency.h"

#include "base/json.h"

static const char *const eu_members[] = {"AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR",
	"HU", "IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK"};

static bool place_is_code(struct str s)
{
	return s.n == 2 && s.p[0] >= 'A' && s.p[0] <= 'Z' && s.p[1] >= 'A' && s.p[1] <= 'Z';
}

static bool parse_places(const struct node *list, struct residency *r, struct findings *f)
{
	struct str *places = arena_new_array(f->arena, list->count, struct str);
	bool good = places != NULL;
	for (const struct node *n = list->first; n && places; n = n->next) {
		if (n->type != NODE_SCALAR || !place_is_code(n->text)) {
			findings_add(f, n->at, node_path(n, f->arena), S(""),
				"expected a country or region of two capital letters such as DE or EU");
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

static bool place_holds(struct str place, struct str country)
{
	if (str_eq(place, country))
		return true;
	if (!str_eq(place, S("EU")))
		return false;
	for (size_t i = 0; i < COUNT_OF(eu_members); i++)
		if (str_eq(country, str_of(eu_members[i])))
			return true;
	return false;
}

bool residency_allows(const struct residency *r, struct str country)
{
	if (r->anywhere || r->places.count == 0)
		return true;
	const struct str *places = r->places.items;
	for (size_t i = 0; i < r->places.count; i++)
		if (place_holds(places[i], country))
			return true;
	return false;
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
