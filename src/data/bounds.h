// SPDX-License-Identifier: Apache-2.0
// The bounds of data: how sensitive it is, in which countries its bytes may lie, and whose law may bind whoever operates
// the place. Location and law are two facts, and both must hold. What is made from several things has the meet of their
// bounds; the only way out is a door (a `transfer` that is in force), which covers exactly the thing that it names.
// Everything here is a pure function of its arguments: validate, plan and whoever moves bytes ask bounds_judge.
#ifndef ISOBAR_DATA_BOUNDS_H
#define ISOBAR_DATA_BOUNDS_H

#include "data/places.h"

enum data_class { CLASS_UNKNOWN, CLASS_PUBLIC, CLASS_INTERNAL, CLASS_PERSONAL, CLASS_SPECIAL }; // stricter is higher

enum data_class data_class_of(struct str name); // "personal"; CLASS_UNKNOWN for other words
const char *data_class_name(enum data_class class); // "" for CLASS_UNKNOWN

struct bounds {
	enum data_class class;
	struct places where; // countries
	struct places laws;  // of operators
};
struct bounds bounds_none(void); // anything goes: the bounds of what is made from nothing
struct bounds bounds_meet(const struct bounds *a, const struct bounds *b);
bool bounds_within(const struct bounds *inner, const struct bounds *outer); // inner is at least as strict in all three
// Members "class", "residency" and "operators" of the outputs of a step, of records and events.
int bounds_of_json(const json_t *object, struct bounds *out, struct err *e); // absent members bind nothing; ERR_CORRUPT
void bounds_to_json(const struct bounds *b, json_t *object);

struct door { // a transfer; all borrowed
	struct str address; // "transfer/us-support"
	struct str what;    // "model/fraud"
	struct places to;   // countries, and laws of operators
	int64_t until_ns;   // wall clock; the first instant at which it is out of force
	struct str until;   // as written: "2027-06-30"
	struct str basis, reference;
};
// A door's address covers the thing and its versions and parts: "model/fraud" is also "model/fraud@champion"; what is written
// with an alias or a part covers only that.
bool door_covers(const struct door *d, struct str what);

struct crossing { // bytes of `what` are to lie there
	struct str what;  // "dataset/returns", "model/fraud@champion"
	struct str place; // ISO code of the country; "": nobody knows, which only what may lie anywhere accepts
	struct str law;   // of the operator; "": nobody knows
	int64_t now_ns;   // wall clock
};
struct verdict {
	bool allowed;
	bool place_fits, law_fits;                // without any door
	const struct door *place_door, *law_door; // the doors that let it through, where it did not fit; else NULL
	const struct door *expired;               // a door that would have done; NULL: none
};
struct verdict bounds_judge(
	const struct bounds *b, const struct crossing *crossing, const struct door *doors, size_t door_count);

#endif
