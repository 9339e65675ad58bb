// SPDX-License-Identifier: Apache-2.0
// Bounds of data, their meet, and the one judgement.
#include "data/bounds.h"

static const char *const class_names[] = {
	[CLASS_UNKNOWN] = "", [CLASS_PUBLIC] = "public", [CLASS_INTERNAL] = "internal", [CLASS_PERSONAL] = "personal", [CLASS_SPECIAL] = "special"};

enum data_class data_class_of(struct str name)
{
	for (enum data_class i = CLASS_PUBLIC; i <= CLASS_SPECIAL; i++)
		if (str_eq(name, str_of(class_names[i])))
			return i;
	return CLASS_UNKNOWN;
}

const char *data_class_name(enum data_class class)
{
	return class_names[class];
}

struct bounds bounds_none(void)
{
	return (struct bounds){.where = {.any = true}, .laws = {.any = true}};
}

struct bounds bounds_meet(const struct bounds *a, const struct bounds *b)
{
	return (struct bounds){.class = MAX(a->class, b->class),
		.where = places_meet(&a->where, &b->where),
		.laws = places_meet(&a->laws, &b->laws)};
}

bool bounds_within(const struct bounds *inner, const struct bounds *outer)
{
	return inner->class >= outer->class && places_within(&inner->where, &outer->where) &&
	       places_within(&inner->laws, &outer->laws);
}

// ---------------------------------------------------------------- forms
int bounds_of_json(const json_t *object, struct bounds *out, struct err *e)
{
	struct bounds b = {.class = data_class_of(json_str(object, "class"))};
	int rc = places_of_json(json_object_get(object, "residency"), &b.where, e);
	if (rc == 0)
		rc = places_of_json(json_object_get(object, "operators"), &b.laws, e);
	if (rc == 0)
		*out = b;
	return rc;
}

static json_t *places_member(const struct places *p, bool say_anywhere)
{
	return p->any && !say_anywhere ? json_null() : places_to_json(p);
}

void bounds_to_json(const struct bounds *b, json_t *object)
{
	json_object_set_new(object, "class", json_string(class_names[b->class]));
	json_object_set_new(object, "residency", places_member(&b->where, b->class == CLASS_PUBLIC));
	json_object_set_new(object, "operators", places_member(&b->laws, false));
}

// ---------------------------------------------------------------- doors
// "model/fraud" of "model/fraud@champion", "transform/features" of "transform/features/train".
static struct str thing_of(struct str address)
{
	ptrdiff_t slash = str_find_char(address, '/');
	size_t n = slash < 0 ? address.n : (size_t)slash + 1;
	while (n < address.n && address.p[n] != '@' && address.p[n] != '/')
		n++;
	return str_take(address, n);
}

bool door_covers(const struct door *d, struct str what)
{
	return str_eq(d->what, what) || str_eq(d->what, thing_of(what));
}

static const struct door *find_door(const struct crossing *at, struct str to, const struct door *doors, size_t count, const struct door **expired)
{
	for (size_t i = 0; i < count; i++) {
		const struct door *d = &doors[i];
		if (!to.n || !door_covers(d, at->what) || !places_hold(&d->to, to))
			continue;
		if (at->now_ns < d->until_ns)
			return d;
		*expired = d;
	}
	return NULL;
}

struct verdict bounds_judge(const struct bounds *b, const struct crossing *at, const struct door *doors, size_t door_count)
{
	struct verdict v = {.place_fits = places_hold(&b->where, at->place), .law_fits = places_hold(&b->laws, at->law)};
	if (!v.place_fits)
		v.place_door = find_door(at, at->place, doors, door_count, &v.expired);
	if (!v.law_fits)
		v.law_door = find_door(at, at->law, doors, door_count, &v.expired);
	v.allowed = (v.place_fits || v.place_door) && (v.law_fits || v.law_door);
	return v;
}
