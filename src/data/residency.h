// SPDX-License-Identifier: Apache-2.0
// Residency: where bytes may lie. A field "anywhere" or a list of countries and regions ([EU], [DE, CH]). What is made
// from a dataset inherits class and residency through the outputs of each step (members "class" and "residency").
#ifndef ISOBAR_DATA_RESIDENCY_H
#define ISOBAR_DATA_RESIDENCY_H

#include "base/kind.h"
#include "data/places.h"

struct residency {
	bool anywhere;
	struct field_list places; // of struct str: "EU", "DE"; empty and not anywhere: not declared
};
bool residency_parse(const struct node *node, void *out, struct findings *f); // a FIELD_CUSTOM parser
struct places residency_places(const struct residency *r);              // undeclared: anywhere
bool residency_allows(const struct residency *r, struct str country); // EU stands for its members; undeclared allows
json_t *residency_to_json(const struct residency *r);                 // "anywhere", a list, or null; new reference

#endif
