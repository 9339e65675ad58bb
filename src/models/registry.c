// SPDX-License-Identifier: Apache-2.0
// Versions and aliases as records of state, each written together with the event that tells of it.
#include "models/registry.h"

#include <stdlib.h>

struct str model_prefix(struct arena *a, struct str model, struct str version)
{
	return arena_printf(a, "models/%.*s/%.*s/", STR(model), STR(version));
}

static struct str version_key(struct call *c, struct str model, struct str version)
{
	return arena_printf(c->arena, "model-version/%.*s/%.*s", STR(model), STR(version));
}

static struct str alias_key(struct call *c, struct str model, struct str alias)
{
	return arena_printf(c->arena, "model-alias/%.*s/%.*s", STR(model), STR(alias));
}

static struct str model_address(struct call *c, struct str model)
{
	return arena_printf(c->arena, "model/%.*s", STR(model));
}

// ---------------------------------------------------------------- versions
static json_t *version_to_json(const struct model_version *v)
{
	json_t *j = json_object(), *clouds = json_array();
	for (size_t i = 0; i < v->cloud_count; i++)
		json_array_append_new(clouds, json_of_str(v->clouds[i]));
	json_set_str(j, "version", v->version);
	json_set_str(j, "sha256", v->sha256);
	json_set_str(j, "bucket", v->bucket);
	json_object_set_new(j, "metrics", v->metrics ? json_deep_copy(v->metrics) : json_object());
	json_object_set_new(j, "lineage", v->lineage ? json_deep_copy(v->lineage) : json_object());
	json_object_set_new(j, "clouds", clouds);
	json_object_set_new(j, "created", json_integer(v->created_ns));
	return j;
}

static int version_of_json(struct call *c, struct str model, const json_t *j, struct model_version *out)
{
	const json_t *clouds = json_object_get(j, "clouds");
	struct model_version v = {
		.model = arena_str(c->arena, model),
		.version = json_str(j, "version"),
		.sha256 = json_str(j, "sha256"),
		.bucket = json_str(j, "bucket"),
		.metrics = json_object_get(j, "metrics"),
		.lineage = json_object_get(j, "lineage"),
		.clouds = arena_new_array(c->arena, json_array_size(clouds) + 1, struct str),
		.created_ns = json_int(j, "created", 0),
	};
	if (!v.model.p || !v.clouds)
		return call_no_memory(c);
	for (size_t i = 0; i < json_array_size(clouds); i++)
		v.clouds[v.cloud_count++] = json_value_str(json_array_get(clouds, i));
	*out = v;
	return 0;
}

int model_version_get(struct call *c, const struct state *s, struct str model, struct str version, struct model_version *out)
{
	struct record r = {0};
	struct str key = version_key(c, model, version);
	int rc = key.p ? state_get(c, s, key, &r) : call_no_memory(c);
	if (rc < 0)
		return rc;
	if (!r.revision)
		return call_fail(c, ERR_NOT_FOUND, "model/%.*s has no version %.*s", STR(model), STR(version));
	return version_of_json(c, model, r.value, out);
}

static uint64_t number_of(const struct model_version *v)
{
	uint64_t n = 0;
	return str_to_u64(v->version, &n) == 0 ? n : 0;
}

static int by_number(const void *x, const void *y)
{
	uint64_t a = number_of(x), b = number_of(y);
	return (a > b) - (a < b);
}

int model_version_list(struct call *c, const struct state *s, struct str model, struct model_version **out, size_t *count)
{
	struct record *records;
	size_t n;
	struct str prefix = version_key(c, model, S(""));
	int rc = prefix.p ? state_list(c, s, prefix, &records, &n) : call_no_memory(c);
	if (rc < 0)
		return rc;
	struct model_version *all = arena_new_array(c->arena, n + 1, struct model_version);
	if (!all)
		return call_no_memory(c);
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = version_of_json(c, model, records[i].value, &all[i]);
	if (rc < 0)
		return rc;
	qsort(all, n, sizeof(*all), by_number);
	*out = all;
	*count = n;
	return 0;
}

static bool same_run(const struct model_version *a, const struct model_version *b)
{
	return str_eq(a->sha256, b->sha256) && str_eq(json_str(a->lineage, "training"), json_str(b->lineage, "training")) &&
		str_eq(json_str(a->lineage, "run"), json_str(b->lineage, "run"));
}

int model_version_of_run(struct call *c, const struct state *s, const struct model_version *wanted, struct str *version)
{
	struct model_version *all;
	size_t n;
	uint64_t last = 0;
	int rc = model_version_list(c, s, wanted->model, &all, &n);
	for (size_t i = 0; i < n && rc == 0; i++) {
		if (same_run(&all[i], wanted)) {
			*version = all[i].version;
			return 0;
		}
		last = MAX(last, number_of(&all[i]));
	}
	if (rc < 0)
		return rc;
	struct str next = arena_printf(c->arena, "%llu", (unsigned long long)last + 1);
	if (!next.p)
		return call_no_memory(c);
	*version = next;
	return 0;
}

// Recorded before: the same is fine.
static int check_recorded(struct call *c, const struct state *s, const struct model_version *v)
{
	struct model_version there;
	err_clear(&c->err);
	int rc = model_version_get(c, s, v->model, v->version, &there);
	if (rc < 0 || same_run(&there, v))
		return rc;
	return call_fail(c, ERR_EXISTS, "model/%.*s has another version %.*s, with weights %.*s", STR(v->model), STR(v->version),
		STR(there.sha256));
}

int model_register(struct call *c, const struct state *s, const struct model_version *v)
{
	AUTO(json) value = version_to_json(v);
	struct state_note note = {
		.key = version_key(c, v->model, v->version),
		.value = value,
		.type = S("model.registered"),
		.address = model_address(c, v->model),
		.data = json_deep_copy(value),
	};
	if (!note.key.p || !note.address.p) {
		json_decref(note.data);
		return call_no_memory(c);
	}
	int rc = state_put_noted(c, s, &note);
	return rc == ERR_CONFLICT ? check_recorded(c, s, v) : rc;
}

int model_record_metrics(struct call *c, const struct state *s, struct str model, struct str version, const json_t *metrics)
{
	struct record r = {0};
	struct str key = version_key(c, model, version);
	int rc = key.p ? state_get(c, s, key, &r) : call_no_memory(c);
	if (rc < 0)
		return rc;
	if (!r.revision)
		return call_fail(c, ERR_NOT_FOUND, "model/%.*s has no version %.*s", STR(model), STR(version));
	AUTO(json) value = json_deep_copy(r.value);
	json_t *known = json_object_get(value, "metrics");
	json_object_update(known, (json_t *)(uintptr_t)metrics);
	if (json_equal(value, r.value))
		return 0;
	struct state_note note = {
		.key = key,
		.value = value,
		.expected = r.revision,
		.type = S("model.measured"),
		.address = model_address(c, model),
		.data = json_pack("{s:s%, s:O}", "version", version.p, version.n, "metrics", metrics),
	};
	return state_put_noted(c, s, &note);
}

// ---------------------------------------------------------------- aliases
int model_alias_get(struct call *c, const struct state *s, struct str model, struct str alias, struct model_alias_record *out)
{
	struct record r = {0};
	struct str key = alias_key(c, model, alias);
	int rc = key.p ? state_get(c, s, key, &r) : call_no_memory(c);
	if (rc < 0)
		return rc;
	if (!r.revision)
		return call_fail(c, ERR_NOT_FOUND, "model/%.*s has no version with the alias %.*s", STR(model), STR(alias));
	struct model_alias_record a = {
		.model = arena_str(c->arena, model),
		.alias = arena_str(c->arena, alias),
		.version = json_str(r.value, "version"),
		.needs = json_object_get(r.value, "needs"),
		.at_ns = json_int(r.value, "at", 0),
	};
	if (!a.model.p || !a.alias.p)
		return call_no_memory(c);
	*out = a;
	return 0;
}

static bool alias_is(const json_t *value, const struct model_alias_record *r)
{
	return value && str_eq(json_str(value, "version"), r->version) && json_equal(json_object_get(value, "needs"), r->needs);
}

int model_promote(struct call *c, const struct state *s, const struct model_alias_record *r)
{
	struct record before = {0};
	struct str key = alias_key(c, r->model, r->alias);
	int rc = key.p ? state_get(c, s, key, &before) : call_no_memory(c);
	if (rc < 0 || alias_is(before.value, r))
		return rc;
	AUTO(json) value = json_object();
	json_set_str(value, "version", r->version);
	json_object_set_new(value, "needs", r->needs ? json_deep_copy(r->needs) : json_array());
	json_object_set_new(value, "at", json_integer(call_now_ns(c)));
	json_t *data = json_deep_copy(value);
	json_set_str(data, "alias", r->alias);
	json_set_str(data, "before", json_str(before.value, "version"));
	struct state_note note = {
		.key = key,
		.value = value,
		.expected = before.revision,
		.type = S("model.promoted"),
		.address = arena_printf(c->arena, "model/%.*s@%.*s", STR(r->model), STR(r->alias)),
		.data = data,
	};
	return state_put_noted(c, s, &note);
}
