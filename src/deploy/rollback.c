// SPDX-License-Identifier: Apache-2.0
// Rolling back by overrides: see rollback.h.
#include "deploy/rollback.h"

#include "models/registry.h"
#include "state/override.h"
#include "state/resource.h"

// ---------------------------------------------------------------- what is meant

static bool split_alias(struct str reference, struct rolled_back *out)
{
	struct str name = str_starts(reference, S("model/")) ? str_drop(reference, 6) : reference;
	return str_cut(name, '@', &out->model, &out->alias) && out->model.n && out->alias.n &&
	       str_find_char(name, '/') < 0;
}

// The clouds' records of an endpoint, and the alias that it serves.
static int find_endpoint(struct call *c, const struct state *s, struct str target, struct rolled_back *out)
{
	struct record *records;
	size_t count;
	int rc = state_list(c, s, arena_printf(c->arena, "resource/%.*s on ", STR(target)), &records, &count);
	if (rc < 0)
		return rc;
	if (count == 0)
		return call_fail(c, ERR_NOT_FOUND, "%.*s is not applied: `isobar endpoints` lists those that are",
			STR(target));
	out->addresses = arena_new_array(c->arena, count, struct str);
	if (!out->addresses)
		return call_no_memory(c);
	for (size_t i = 0; i < count; i++)
		out->addresses[out->count++] = str_drop(records[i].key, sizeof("resource/") - 1);
	struct str model = json_str(json_object_get(records[0].value, "resolved"), "model");
	return split_alias(model, out) ? 0
				       : call_fail(c, ERR_INVALID, "%.*s serves \"%.*s\", which is no alias of a model",
						 STR(target), STR(model));
}

static int find_target(struct call *c, const struct state *s, struct str target, struct rolled_back *out)
{
	if (str_starts(target, S("endpoint/")))
		return find_endpoint(c, s, target, out);
	out->addresses = arena_new_array(c->arena, 1, struct str);
	if (!out->addresses)
		return call_no_memory(c);
	if (!split_alias(target, out))
		return call_fail(c, ERR_INVALID,
			"\"%.*s\" can not be rolled back: write endpoint/NAME or model/NAME@ALIAS", STR(target));
	out->addresses[out->count++] = arena_printf(c->arena, "model/%.*s", STR(out->model));
	return 0;
}

// ---------------------------------------------------------------- to which version

// What the alias named before it was given to the version that it names now.
static int find_before(struct call *c, const struct state *s, struct rolled_back *out)
{
	struct event *events;
	size_t count;
	struct str address = arena_printf(c->arena, "model/%.*s@%.*s", STR(out->model), STR(out->alias));
	int rc = state_read_all(c, s, S("model.promoted"), address, &events, &count);
	out->to = (struct str){0};
	for (size_t i = 0; rc == 0 && i < count; i++)
		if (str_eq(json_str(events[i].data, "version"), out->from))
			out->to = json_str(events[i].data, "before");
	if (rc == 0 && !out->to.n)
		return call_fail(c, ERR_NOT_FOUND, "%.*s named no version before %.*s: --to says which one to take",
			STR(address), STR(out->from));
	return rc;
}

static int find_versions(struct call *c, const struct state *s, const struct rollback *r, struct rolled_back *out)
{
	struct model_alias_record alias;
	struct model_version version;
	int rc = model_alias_get(c, s, out->model, out->alias, &alias);
	if (rc < 0)
		return rc;
	out->from = alias.version;
	out->to = r->version;
	if (!r->version.n)
		rc = find_before(c, s, out);
	return rc < 0 ? rc : model_version_get(c, s, out->model, out->to, &version);
}

// ---------------------------------------------------------------- the overrides

static int set_one(struct call *c, const struct state *s, const struct rollback *r, const struct rolled_back *back,
	struct str address)
{
	bool of_model = str_starts(address, S("model/"));
	AUTO(json) value = json_of_str(back->to);
	const struct override o = {
		.address = address,
		.field = of_model ? arena_printf(c->arena, "aliases.%.*s", STR(back->alias)) : S("version"),
		.value = value,
		.author = c->principal.n ? c->principal : S("system"),
		.reason = r->reason.n ? r->reason
				      : arena_printf(c->arena, "rolled back from version %.*s to %.*s", STR(back->from),
						STR(back->to)),
		.expires_ns = r->expires_ns,
	};
	return value && o.field.p && o.reason.p ? override_set(c, s, &o) : call_no_memory(c);
}

int rollback_make(struct call *c, const struct state *s, const struct rollback *r, struct rolled_back *out)
{
	struct rolled_back back = {0};
	int rc = find_target(c, s, r->target, &back);
	if (rc == 0)
		rc = find_versions(c, s, r, &back);
	for (size_t i = 0; rc == 0 && i < back.count; i++)
		rc = set_one(c, s, r, &back, back.addresses[i]);
	if (rc == 0)
		*out = back;
	return rc;
}
