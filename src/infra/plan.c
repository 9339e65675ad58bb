// SPDX-License-Identifier: Apache-2.0
// The three-way diff. What is written (desired) against what was recorded at the last apply says what the user changed;
// what was recorded against what was observed says what changed outside. Only the first leads to changes, but for what
// is gone: it is made again.
#include "infra/plan.h"

#include <string.h>

#include "base/hash.h"
#include "base/time.h"

struct maker {
	const struct plan_input *in;
	struct arena *arena;
	struct plan *plan;
};

// ---------------------------------------------------------------- lookup
static const struct resource *find_resource(const struct resource *all, size_t count, struct str address)
{
	for (size_t i = 0; i < count; i++) {
		if (str_eq(all[i].address, address))
			return &all[i];
	}
	return NULL;
}

static const struct plan_observed *find_observed(const struct plan_input *in, struct str address)
{
	for (size_t i = 0; i < in->observed_count; i++) {
		if (str_eq(in->observed[i].address, address))
			return &in->observed[i];
	}
	return NULL;
}

static struct str find_waiting(const struct plan_input *in, struct str address)
{
	for (size_t i = 0; i < in->waiting_count; i++) {
		if (str_eq(in->waiting[i].address, address))
			return in->waiting[i].reason;
	}
	return (struct str){0};
}

static const struct resource_handler *find_handler(const struct plan_input *in, struct str kind)
{
	for (size_t i = 0; i < in->handler_count; i++) {
		if (str_eq(str_of(in->handlers[i].kind->singular), kind))
			return &in->handlers[i];
	}
	return NULL;
}

// ---------------------------------------------------------------- fields
struct field_diff {
	struct arena *arena;
	struct plan_field *items;
	size_t count, room;
};

static void add_field(struct field_diff *d, struct plan_field field)
{
	if (d->count == d->room) {
		size_t room = d->room ? 2 * d->room : 8;
		struct plan_field *more = arena_new_array(d->arena, room, struct plan_field);
		if (!more)
			return;
		if (d->count)
			memcpy(more, d->items, d->count * sizeof(*more));
		d->items = more;
		d->room = room;
	}
	d->items[d->count++] = field;
}

struct diff_place { // where in the object, and what the kind's table says of it
	struct str path;
	const struct kind *kind; // table of the object's members; NULL: not known to a table
	bool in_place;
};

static struct diff_place member_place(struct field_diff *d, const struct diff_place *at, const char *name)
{
	struct diff_place place = {.in_place = at->in_place};
	place.path =
		at->path.n ? arena_printf(d->arena, "%.*s.%s", STR(at->path), name) : arena_str(d->arena, str_of(name));
	const struct field *field = at->kind ? kind_field(at->kind, str_of(name)) : NULL;
	if (field) {
		place.in_place = (field->flags & FIELD_IN_PLACE) != 0;
		place.kind = field->type == FIELD_BLOCK ? field->block : NULL;
	}
	return place;
}

static void diff_values(struct field_diff *d, struct diff_place at, const json_t *before, const json_t *after)
{
	if (before && after && json_equal(before, after))
		return;
	if (!json_is_object(before) || !json_is_object(after)) {
		add_field(d, (struct plan_field){
				     .path = at.path, .before = before, .after = after, .replaces = !at.in_place});
		return;
	}
	const char *name;
	json_t *value;
	json_object_foreach((json_t *)(uintptr_t)after, name, value)
		diff_values(d, member_place(d, &at, name), json_object_get(before, name), value);
	json_object_foreach((json_t *)(uintptr_t)before, name, value)
	{
		if (!json_object_get(after, name))
			diff_values(d, member_place(d, &at, name), value, NULL);
	}
}

static void diff_inputs(const struct maker *m, struct plan_change *change)
{
	const struct resource_handler *h = find_handler(m->in, change->desired->kind);
	struct field_diff d = {.arena = m->arena};
	struct diff_place root = {.kind = h ? h->kind : NULL, .in_place = !h};
	const json_t *before = change->recorded ? change->recorded->resolved : json_in_arena(m->arena, json_object());
	diff_values(&d, root, before, change->desired->resolved);
	change->fields = d.items;
	change->field_count = d.count;
	for (size_t i = 0; i < d.count && (!h || !h->create); i++)
		d.items[i].replaces = false; // only recorded: there is nothing to replace
}

static void diff_drift(const struct maker *m, struct plan_change *change)
{
	const struct plan_observed *seen = find_observed(m->in, change->address);
	if (!change->recorded || !seen || seen->gone || !seen->outputs || !change->recorded->outputs)
		return;
	struct field_diff d = {.arena = m->arena};
	diff_values(&d, (struct diff_place){.in_place = true}, change->recorded->outputs, seen->outputs);
	change->drift = d.items;
	change->drift_count = d.count;
}

// ---------------------------------------------------------------- one change
static enum plan_action action_of_fields(const struct plan_change *change)
{
	for (size_t i = 0; i < change->field_count; i++) {
		if (change->fields[i].replaces)
			return PLAN_REPLACE;
	}
	return change->field_count ? PLAN_UPDATE : PLAN_NOTHING;
}

static void decide_recorded(const struct maker *m, struct plan_change *change)
{
	const struct resource *r = change->recorded;
	const struct plan_observed *seen = find_observed(m->in, change->address);
	const struct resource_handler *h = find_handler(m->in, r->kind);
	if (str_eq(r->status, S("failed")) || str_eq(r->status, S("creating"))) {
		change->action = PLAN_CREATE;
		change->note = str_eq(r->status, S("creating"))
				       ? S("the last apply did not finish it")
				       : arena_printf(m->arena, "the last apply failed: %.*s", STR(r->reason));
	} else if (seen && seen->gone) {
		change->action = PLAN_CREATE;
		change->note = S("was deleted outside of Isobar");
	} else if (str_eq(r->status, S("waiting")) && !change->waiting.n && h && h->create) {
		change->action = PLAN_CREATE;
		change->note = S("waits no longer");
	} else {
		change->action = action_of_fields(change);
		if (seen && seen->unseen)
			change->note = S("its cloud did not answer, so the plan goes by the record");
	}
}

static void decide(const struct maker *m, struct plan_change *change)
{
	change->waiting = find_waiting(m->in, change->address);
	diff_inputs(m, change);
	diff_drift(m, change);
	if (!change->recorded)
		change->action = PLAN_CREATE;
	else
		decide_recorded(m, change);
}

static void count(struct plan *p, const struct plan_change *change)
{
	p->creates += change->action == PLAN_CREATE;
	p->updates += change->action == PLAN_UPDATE;
	p->replaces += change->action == PLAN_REPLACE;
	p->deletes += change->action == PLAN_DELETE;
	p->waits += change->waiting.n > 0;
}

static struct plan_change *add_change(struct plan *p, struct str address)
{
	struct plan_change *change = &p->changes[p->count++];
	change->address = address;
	return change;
}

// ---------------------------------------------------------------- deletes
static bool is_needed_by_left(const struct resource *r, const struct plan_input *in, const bool *left)
{
	for (size_t i = 0; i < in->recorded_count; i++) {
		for (size_t j = 0; left[i] && j < in->recorded[i].need_count; j++) {
			if (str_eq(in->recorded[i].needs[j], r->address))
				return true;
		}
	}
	return false;
}

static void add_delete(const struct maker *m, const struct resource *r)
{
	struct plan_change *change = add_change(m->plan, r->address);
	change->action = PLAN_DELETE;
	change->recorded = r;
	count(m->plan, change);
}

// What nothing else needs goes first. A ring (which no valid workspace gives) is taken in order of address.
static int add_deletes(const struct maker *m, struct err *e)
{
	const struct plan_input *in = m->in;
	bool *left = arena_new_array(m->arena, in->recorded_count + 1, bool);
	if (!left)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	size_t pending = 0;
	for (size_t i = 0; i < in->recorded_count; i++) {
		left[i] = !find_resource(in->desired, in->desired_count, in->recorded[i].address);
		pending += left[i];
	}
	for (bool force = false; pending > 0;) {
		size_t before = pending;
		for (size_t i = in->recorded_count; i-- > 0;) {
			if (!left[i] || (!force && is_needed_by_left(&in->recorded[i], in, left)))
				continue;
			left[i] = false;
			pending--;
			add_delete(m, &in->recorded[i]);
			if (force)
				break;
		}
		force = pending == before;
	}
	return 0;
}

// ---------------------------------------------------------------- digest
static json_t *fields_json(const struct plan_field *fields, size_t n)
{
	json_t *list = json_array();
	for (size_t i = 0; i < n; i++) {
		json_t *one = json_object();
		json_set_str(one, "path", fields[i].path);
		json_object_set_new(one, "before",
			fields[i].before ? json_incref((json_t *)(uintptr_t)fields[i].before) : json_null());
		json_object_set_new(one, "after",
			fields[i].after ? json_incref((json_t *)(uintptr_t)fields[i].after) : json_null());
		json_object_set_new(one, "replaces", json_boolean(fields[i].replaces));
		json_array_append_new(list, one);
	}
	return list;
}

static json_t *change_json(const struct plan_change *change)
{
	json_t *one = json_object();
	json_set_str(one, "address", change->address);
	json_object_set_new(one, "action", json_string(plan_action_word(change->action)));
	json_object_set_new(one, "fields", fields_json(change->fields, change->field_count));
	if (change->drift_count)
		json_object_set_new(one, "drift", fields_json(change->drift, change->drift_count));
	if (change->waiting.n)
		json_set_str(one, "waiting", change->waiting);
	if (change->note.n)
		json_set_str(one, "note", change->note);
	return one;
}

static json_t *overrides_json(const struct plan *p)
{
	json_t *list = json_array();
	for (size_t i = 0; i < p->override_count; i++) {
		const struct override *o = &p->overrides[i];
		json_t *one = json_object();
		json_set_str(one, "address", o->address);
		json_set_str(one, "field", o->field);
		json_object_set_new(one, "value", o->value ? json_incref((json_t *)(uintptr_t)o->value) : json_null());
		json_set_str(one, "author", o->author);
		json_set_str(one, "reason", o->reason);
		char expires[TIME_TEXT_SIZE] = "";
		if (o->expires_ns)
			time_rfc3339(o->expires_ns, 0, expires);
		json_object_set_new(one, "expires", json_string(expires));
		json_array_append_new(list, one);
	}
	return list;
}

json_t *plan_to_json(const struct plan *p)
{
	json_t *changes = json_array(), *out = json_object();
	for (size_t i = 0; i < p->count; i++)
		json_array_append_new(changes, change_json(&p->changes[i]));
	json_object_set_new(out, "digest", json_string(p->digest));
	json_object_set_new(out, "create", json_integer((json_int_t)p->creates));
	json_object_set_new(out, "update", json_integer((json_int_t)p->updates));
	json_object_set_new(out, "replace", json_integer((json_int_t)p->replaces));
	json_object_set_new(out, "delete", json_integer((json_int_t)p->deletes));
	json_object_set_new(out, "waiting", json_integer((json_int_t)p->waits));
	json_object_set_new(out, "changes", changes);
	json_object_set_new(out, "overrides", overrides_json(p));
	return out;
}

// Of what would be done and nothing else: a new override or a drifted output does not make an approved plan another
// one.
static int make_digest(struct plan *p, struct err *e)
{
	AUTO(json) list = json_array();
	for (size_t i = 0; i < p->count; i++) {
		if (p->changes[i].action == PLAN_NOTHING)
			continue;
		json_t *one = json_object();
		json_set_str(one, "address", p->changes[i].address);
		json_object_set_new(one, "action", json_string(plan_action_word(p->changes[i].action)));
		json_object_set_new(one, "fields", fields_json(p->changes[i].fields, p->changes[i].field_count));
		json_array_append_new(list, one);
	}
	AUTO(buf) text = {0};
	int rc = json_write(list, &text, e);
	if (rc < 0)
		return rc;
	struct sha256 digest = sha256_of(buf_str(&text));
	hex_encode(str_bytes(digest.bytes, SHA256_SIZE), p->digest);
	return 0;
}

// ---------------------------------------------------------------- all
int plan_make(const struct plan_input *in, struct arena *a, struct plan *out, struct err *e)
{
	struct plan plan = {.overrides = in->overrides, .override_count = in->override_count};
	struct maker m = {.in = in, .arena = a, .plan = &plan};
	plan.changes = arena_new_array(a, in->desired_count + in->recorded_count + 1, struct plan_change);
	if (!plan.changes)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	for (size_t i = 0; i < in->desired_count; i++) {
		struct plan_change *change = add_change(&plan, in->desired[i].address);
		change->desired = &in->desired[i];
		change->recorded = find_resource(in->recorded, in->recorded_count, change->address);
		decide(&m, change);
		count(&plan, change);
	}
	int rc = add_deletes(&m, e);
	if (rc == 0)
		rc = make_digest(&plan, e);
	if (rc == 0)
		*out = plan;
	return rc;
}

bool plan_is_empty(const struct plan *p)
{
	return p->creates + p->updates + p->replaces + p->deletes == 0;
}

const char *plan_action_word(enum plan_action action)
{
	static const char *const words[] = {
		[PLAN_NOTHING] = "nothing",
		[PLAN_CREATE] = "create",
		[PLAN_UPDATE] = "update",
		[PLAN_REPLACE] = "replace",
		[PLAN_DELETE] = "delete",
	};
	return words[action];
}
