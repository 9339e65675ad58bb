// SPDX-License-Identifier: Apache-2.0
// Overrides as records and events: see override.h.
#include "state/override.h"

static struct str key_of(struct call *c, const struct override *o)
{
	return arena_printf(c->arena, "override/%.*s#%.*s", STR(o->address), STR(o->field));
}

static json_t *to_json(const struct override *o)
{
	json_t *j = json_object();
	json_set_str(j, "address", o->address);
	json_set_str(j, "field", o->field);
	json_object_set(j, "value", o->value);
	json_set_str(j, "author", o->author);
	json_set_str(j, "reason", o->reason);
	json_object_set_new(j, "made_ns", json_integer(o->made_ns));
	json_object_set_new(j, "expires_ns", json_integer(o->expires_ns));
	return j;
}

static struct override of_json(const json_t *j)
{
	return (struct override){
		.address = json_str(j, "address"),
		.field = json_str(j, "field"),
		.value = json_object_get(j, "value"),
		.author = json_str(j, "author"),
		.reason = json_str(j, "reason"),
		.made_ns = json_int(j, "made_ns", 0),
		.expires_ns = json_int(j, "expires_ns", 0),
	};
}

static bool holds(const struct override *o, int64_t now_ns)
{
	return o->expires_ns == 0 || now_ns < o->expires_ns;
}

static bool same(const struct override *a, const struct override *b)
{
	return json_equal(a->value, b->value) && str_eq(a->author, b->author) && a->expires_ns == b->expires_ns;
}

int override_set(struct call *c, const struct state *s, const struct override *o)
{
	struct record now = {0};
	struct str key = key_of(c, o);
	struct override made = *o;
	if (o->address.n == 0 || o->field.n == 0 || o->author.n == 0 || !o->value)
		return call_fail(c, ERR_INVALID, "an override needs an address, a field, a value and an author");
	int rc = state_get(c, s, key, &now);
	if (rc < 0)
		return rc;
	struct override before = of_json(now.value);
	if (now.revision && holds(&before, call_now_ns(c)) && same(&before, o))
		return 0;
	made.made_ns = call_now_ns(c);
	AUTO(json) value = to_json(&made);
	const struct state_note note = {.key = key,
		.value = value,
		.expected = now.revision,
		.type = S("override.set"),
		.address = o->address,
		.data = to_json(&made)};
	return state_put_noted(c, s, &note);
}

int override_end(struct call *c, const struct state *s, const struct override *which, struct str by, struct str why)
{
	struct record now = {0};
	struct str key = key_of(c, which);
	int rc = state_get(c, s, key, &now);
	if (rc < 0)
		return rc;
	if (now.revision == 0)
		return call_fail(
			c, ERR_NOT_FOUND, "no override of %.*s on %.*s", STR(which->field), STR(which->address));
	struct override before = of_json(now.value);
	if (str_starts(by, S("monitor/")) && !str_eq(by, before.author))
		return call_fail(
			c, ERR_DENIED, "%.*s made this override; only a person may end it besides", STR(before.author));
	json_t *data = to_json(&before);
	json_set_str(data, "ended_by", by);
	json_set_str(data, "why", why);
	const struct state_note note = {.key = key,
		.expected = now.revision,
		.type = S("override.ended"),
		.address = which->address,
		.data = data};
	return state_put_noted(c, s, &note);
}

int override_expire(struct call *c, const struct state *s, size_t *count)
{
	struct record *records;
	size_t n, ended = 0;
	int rc = state_list(c, s, S("override/"), &records, &n);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		struct override o = of_json(records[i].value);
		if (holds(&o, call_now_ns(c)))
			continue;
		rc = override_end(c, s, &o, S("system"), S("expired"));
		ended += rc == 0;
	}
	if (rc == 0)
		*count = ended;
	return rc;
}

int override_list(struct call *c, const struct state *s, struct override **out, size_t *count)
{
	struct record *records;
	size_t n, kept = 0;
	int rc = state_list(c, s, S("override/"), &records, &n);
	if (rc < 0)
		return rc;
	struct override *list = arena_new_array(c->arena, MAX(n, (size_t)1), struct override);
	if (!list)
		return call_no_memory(c);
	for (size_t i = 0; i < n; i++) {
		list[kept] = of_json(records[i].value);
		kept += holds(&list[kept], call_now_ns(c));
	}
	*out = list;
	*count = kept;
	return 0;
}

int override_find(
	struct call *c, const struct state *s, struct str address, struct str field, const struct override **out)
{
	struct override *list;
	size_t n;
	int rc = override_list(c, s, &list, &n);
	if (rc < 0)
		return rc;
	*out = NULL;
	for (size_t i = 0; i < n; i++)
		if (str_eq(list[i].address, address) && str_eq(list[i].field, field))
			*out = &list[i];
	return 0;
}
