// SPDX-License-Identifier: Apache-2.0
// The plan as JSON for programs, and the digest by which it is approved.
#include "base/hash.h"
#include "base/time.h"
#include "infra/plan_impl.h"

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
	if (change->moved_from.n)
		json_set_str(one, "moved_from", change->moved_from);
	if (change->refused.n)
		json_set_str(one, "refused", change->refused);
	if (change->desired && change->desired->later.n)
		json_set_str(one, "later", change->desired->later);
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

static bool says_something(const struct plan_change *c)
{
	return c->action != PLAN_NOTHING || c->drift_count || c->waiting.n || c->note.n || c->refused.n;
}

json_t *plan_to_json(const struct plan *p)
{
	json_t *changes = json_array(), *out = json_object();
	for (size_t i = 0; i < p->count; i++) {
		if (says_something(&p->changes[i]))
			json_array_append_new(changes, change_json(&p->changes[i]));
	}
	json_object_set_new(out, "digest", json_string(p->digest));
	for (size_t i = PLAN_NOTHING + 1; i < PLAN_ACTIONS; i++)
		json_object_set_new(
			out, plan_action_word((enum plan_action)i), json_integer((json_int_t)p->totals[i]));
	json_object_set_new(out, "waiting", json_integer((json_int_t)p->waits));
	json_object_set_new(out, "refused", json_integer((json_int_t)p->refusals));
	json_object_set_new(out, "resources", json_integer((json_int_t)p->count));
	json_object_set_new(out, "changes", changes);
	json_object_set_new(out, "overrides", overrides_json(p));
	return out;
}

// ---------------------------------------------------------------- digest
static json_t *digested(const struct plan_change *c)
{
	json_t *one = json_object();
	json_set_str(one, "address", c->address);
	json_object_set_new(one, "action", json_string(plan_action_word(c->action)));
	json_object_set_new(one, "fields", fields_json(c->fields, c->field_count));
	if (c->moved_from.n)
		json_set_str(one, "moved_from", c->moved_from);
	if (c->reverts || c->action == PLAN_REFRESH) // what they do is in the drift
		json_object_set_new(one, "drift", fields_json(c->drift, c->drift_count));
	return one;
}

// Of what would be done and nothing else: a new override or a drifted output does not make an approved plan another
// one.
int plan_make_digest(struct plan *p, struct err *e)
{
	AUTO(json) list = json_array();
	for (size_t i = 0; i < p->count; i++) {
		if (p->changes[i].action != PLAN_NOTHING)
			json_array_append_new(list, digested(&p->changes[i]));
	}
	AUTO(buf) text = {0};
	int rc = json_write(list, &text, e);
	if (rc < 0)
		return rc;
	struct sha256 digest = sha256_of(buf_str(&text));
	hex_encode(str_bytes(digest.bytes, SHA256_SIZE), p->digest);
	return 0;
}
