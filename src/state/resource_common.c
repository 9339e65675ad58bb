// SPDX-License-Identifier: Apache-2.0
// Fields of every resource in records. See resource_common.h.
#include "state/resource_common.h"

#include "base/kind_scalars.h"

static bool says(struct str written, const char *what)
{
	return str_eq(written, str_of(what));
}

bool resource_is_protected(const struct resource *r)
{
	return r->common && r->common->protect;
}

bool resource_is_kept(const struct resource *r)
{
	return r->common && says(r->common->existing, "keep");
}

bool resource_is_adopted(const struct resource *r)
{
	return r->common && says(r->common->existing, "adopt");
}

bool resource_reverts_drift(const struct resource *r)
{
	return r->common && says(r->common->drift, "revert");
}

// ---------------------------------------------------------------- comparing
static bool same_labels(const struct field_list *a, const struct field_list *b)
{
	const struct field_label *x = a->items, *y = b->items;
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++) {
		if (!str_eq(x[i].name, y[i].name) || !str_eq(x[i].value, y[i].value))
			return false; // another order is told apart by JSON, which is asked then
	}
	return true;
}

static struct str drift_of(const struct resource_common *c)
{
	return c->drift.n ? c->drift : S("report");
}

bool resource_common_equal(const struct resource_common *a, const struct resource_common *b)
{
	static const struct resource_common none;
	a = a ? a : &none;
	b = b ? b : &none;
	return a == b || (a->protect == b->protect && str_eq(a->existing, b->existing) &&
				 str_eq(drift_of(a), drift_of(b)) && str_eq(a->owner.kind, b->owner.kind) &&
				 str_eq(a->owner.name, b->owner.name) && same_labels(&a->labels, &b->labels));
}

// ---------------------------------------------------------------- as JSON
json_t *resource_labels(struct arena *a, const struct resource_common *common)
{
	json_t *labels = json_in_arena(a, json_object());
	const struct field_label *items = common ? common->labels.items : NULL;
	for (size_t i = 0; labels && i < (common ? common->labels.count : 0); i++) {
		char *name = arena_cstr(a, items[i].name);
		if (!name)
			return NULL;
		json_set_str(labels, name, items[i].value);
	}
	return labels;
}

json_t *resource_common_to_json(struct arena *a, const struct resource_common *common)
{
	json_t *j = json_in_arena(a, json_object());
	if (!common || !j)
		return j;
	if (common->labels.count)
		json_object_set(j, "labels", resource_labels(a, common));
	if (common->protect)
		json_object_set_new(j, "protect", json_true());
	if (common->existing.n)
		json_set_str(j, "existing", common->existing);
	if (says(common->drift, "revert"))
		json_set_str(j, "drift", common->drift);
	if (common->owner.name.n) {
		AUTO(buf) owner = {0};
		ref_write(&common->owner, &owner);
		json_set_str(j, "owner", buf_str(&owner));
	}
	return j;
}

static int read_labels(const json_t *object, struct arena *a, struct field_list *out)
{
	size_t count = json_object_size(object);
	struct field_label *items = arena_new_array(a, count + 1, struct field_label);
	const char *name;
	json_t *value;
	if (!items)
		return ERR_NO_MEMORY;
	json_object_foreach((json_t *)(uintptr_t)object, name, value)
		items[out->count++] = (struct field_label){.name = str_of(name), .value = json_value_str(value)};
	out->items = items;
	return 0;
}

int resource_common_of_json(const json_t *j, struct arena *a, const struct resource_common **out)
{
	*out = NULL;
	if (json_object_size(j) == 0)
		return 0;
	struct resource_common *c = arena_new(a, struct resource_common);
	if (!c)
		return ERR_NO_MEMORY;
	c->protect = json_flag(j, "protect", false);
	c->existing = json_str(j, "existing");
	c->drift = json_str(j, "drift");
	struct str owner = json_str(j, "owner");
	(void)str_cut(owner, '/', &c->owner.kind, &c->owner.name);
	*out = c;
	return read_labels(json_object_get(j, "labels"), a, &c->labels);
}
