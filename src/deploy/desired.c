// SPDX-License-Identifier: Apache-2.0
// What ought to run on a cloud: endpoint resources with the version that their alias names now. See deploy_impl.h.
// The version's record is read by its key: deploy needs of it only where its files lie.
#include <string.h>

#include "base/hash.h"
#include "data/bucket_kind.h"
#include "deploy/deploy_impl.h"
#include "data/passage.h"
#include "deploy/endpoint_kind.h"
#include "state/override.h"

struct reader { // of one endpoint
	struct call *c;
	const struct deploy_ctx *deploy;
	const struct resource *resource;
	struct endpoint endpoint;
};

json_t *desired_spec_to_json(const struct endpoint_spec *spec)
{
	json_t *j = json_object();
	json_set_str(j, "name", spec->name);
	json_set_str(j, "model", spec->model);
	json_set_str(j, "version", spec->version);
	json_set_str(j, "bucket", spec->bucket);
	json_set_str(j, "prefix", spec->prefix);
	json_set_str(j, "generation", spec->generation);
	json_object_set_new(j, "replicas", json_integer(spec->replicas));
	json_object_set_new(j, "cpu", json_real(spec->cpu));
	json_object_set_new(j, "memory", json_integer((json_int_t)spec->memory));
	return j;
}

void desired_spec_of_json(const json_t *j, struct endpoint_spec *out)
{
	*out = (struct endpoint_spec){
		.name = json_str(j, "name"),
		.model = json_str(j, "model"),
		.version = json_str(j, "version"),
		.bucket = json_str(j, "bucket"),
		.prefix = json_str(j, "prefix"),
		.generation = json_str(j, "generation"),
		.replicas = json_int(j, "replicas", 1),
		.cpu = json_num(j, "cpu", 1),
		.memory = (uint64_t)json_int(j, "memory", 0),
	};
}

// 12 digits of the digest of everything that makes an endpoint what it is.
static int set_generation(struct call *c, struct endpoint_spec *spec)
{
	char hex[HEX_SHA256_SIZE];
	AUTO(json) j = desired_spec_to_json(spec);
	AUTO(buf) text = {0};
	int rc = json_write(j, &text, &c->err);
	if (rc < 0)
		return rc;
	struct sha256 digest = sha256_of(buf_str(&text));
	hex_encode(str_bytes(digest.bytes, SHA256_SIZE), hex);
	spec->generation = arena_str(c->arena, str_bytes(hex, 12));
	return spec->generation.p ? 0 : call_no_memory(c);
}

static int read_replicas(const struct reader *r, int64_t *out)
{
	const struct override *o = NULL;
	int rc = override_find(r->c, r->deploy->state, r->resource->address, S("scale.min"), &o);
	if (rc < 0)
		return rc;
	*out = o && json_is_integer(o->value) ? (int64_t)json_integer_value(o->value) : r->endpoint.scale.min;
	return 0;
}

// A version keeps the bounds of its making: it is loaded only where these let it lie.
static int may_load(const struct reader *r, const json_t *lineage)
{
	const struct field_ref *model = &r->endpoint.model;
	struct call *c = r->c;
	const struct passage p = {
		.what = arena_printf(c->arena, "model/%.*s@%.*s", STR(model->name), STR(model->qualifier)),
		.to = clouds_find(r->deploy->clouds, r->resource->cloud),
		.made = lineage,
		.id = r->resource->address};
	if (!p.what.p)
		return call_no_memory(c);
	return p.to ? passage_check(c, r->deploy->state, &p) : 0;
}

// A version that an operator rolled back to: of this endpoint, else of the alias.
static int read_rollback(const struct reader *r, struct str *version)
{
	struct call *c = r->c;
	const struct override *o = NULL;
	const struct field_ref *model = &r->endpoint.model;
	int rc = override_find(c, r->deploy->state, r->resource->address, S("version"), &o);
	if (rc == 0 && !o)
		rc = override_find(c, r->deploy->state, arena_printf(c->arena, "model/%.*s", STR(model->name)),
			arena_printf(c->arena, "aliases.%.*s", STR(model->qualifier)), &o);
	if (rc == 0 && o)
		*version = json_value_str(o->value);
	return rc;
}

static int read_version(const struct reader *r, struct desired *out)
{
	struct call *c = r->c;
	const struct field_ref *model = &r->endpoint.model;
	struct record alias, version;
	int rc = state_get(c, r->deploy->state,
		arena_printf(c->arena, "model-alias/%.*s/%.*s", STR(model->name), STR(model->qualifier)), &alias);
	if (rc < 0)
		return rc;
	out->spec.version = json_str(alias.value, "version");
	rc = read_rollback(r, &out->spec.version);
	if (rc < 0)
		return rc;
	if (alias.revision == 0 || out->spec.version.n == 0) {
		out->waiting = arena_printf(c->arena, "model/%.*s has no version with the alias %.*s", STR(model->name),
			STR(model->qualifier));
		return 0;
	}
	out->spec.prefix = arena_printf(c->arena, "models/%.*s/%.*s/", STR(model->name), STR(out->spec.version));
	rc = state_get(c, r->deploy->state,
		arena_printf(c->arena, "model-version/%.*s/%.*s", STR(model->name), STR(out->spec.version)), &version);
	if (rc == 0)
		rc = bucket_find(
			c, r->deploy->state, json_str(version.value, "bucket"), r->resource->cloud, &out->spec.bucket);
	if (rc == 0)
		rc = may_load(r, json_object_get(version.value, "lineage"));
	if (rc == ERR_WAITING || rc == ERR_NOT_FOUND || rc == ERR_DENIED) {
		out->waiting = arena_str(c->arena, str_of(c->err.message));
		err_clear(&c->err);
		rc = 0;
	}
	return rc;
}

static int read_one(const struct reader *r, struct desired *out)
{
	struct call *c = r->c;
	*out = (struct desired){.resource = r->resource, .address = r->resource->address, .name = r->resource->name};
	out->spec.name = r->resource->name;
	out->spec.model = r->resource->name; // clients address the endpoint, whichever model stands behind it
	out->spec.cpu = r->endpoint.resources.cpu;
	out->spec.memory = (uint64_t)r->endpoint.resources.memory;
	if (r->resource->waits_for.n) {
		out->waiting = arena_printf(c->arena, "a later release: %.*s", STR(r->resource->waits_for));
		return out->waiting.p ? 0 : call_no_memory(c);
	}
	int rc = read_replicas(r, &out->spec.replicas);
	if (rc == 0)
		rc = read_version(r, out);
	if (rc == 0 && out->waiting.n == 0)
		rc = set_generation(c, &out->spec);
	return rc < 0 ? call_context(c, "read %.*s", STR(r->resource->address)) : 0;
}

static bool is_listed(const struct desired *list, size_t count, struct str address)
{
	for (size_t i = 0; i < count; i++)
		if (str_eq(list[i].address, address))
			return true;
	return false;
}

// Records of endpoints that are no longer declared: still to be taken down.
static int add_undeclared(
	struct call *c, struct str cloud, const struct record *records, size_t n, struct desired *list, size_t *count)
{
	for (size_t i = 0; i < n; i++) {
		struct str kind, name, on;
		struct str address = arena_printf(
			c->arena, "endpoint/%.*s", STR(str_drop(records[i].key, sizeof("endpoint-status/") - 1)));
		if (!address.p)
			return call_no_memory(c);
		if (resource_parse_address(address, &kind, &name, &on) == 0 && str_eq(on, cloud) &&
			!is_listed(list, *count, address))
			list[(*count)++] = (struct desired){.address = address, .name = name};
	}
	return 0;
}

int desired_read(struct call *c, const struct deploy_ctx *d, struct str cloud, struct desired **out, size_t *count)
{
	struct resource *declared;
	struct record *records;
	size_t declared_count, record_count, n = 0;
	int rc = resource_list(c, d->state, S("endpoint/"), &declared, &declared_count);
	if (rc == 0)
		rc = state_list(c, d->state, S("endpoint-status/"), &records, &record_count);
	if (rc < 0)
		return rc;
	struct desired *list = arena_new_array(c->arena, declared_count + record_count + 1, struct desired);
	if (!list)
		return call_no_memory(c);
	for (size_t i = 0; rc == 0 && i < declared_count; i++) {
		struct reader r = {.c = c, .deploy = d, .resource = &declared[i]};
		if (!str_eq(declared[i].cloud, cloud))
			continue;
		rc = kind_decode_json(&endpoint_kind, declared[i].resolved, c->arena, &r.endpoint, &c->err);
		if (rc == 0)
			rc = read_one(&r, &list[n++]);
	}
	if (rc == 0)
		rc = add_undeclared(c, cloud, records, record_count, list, &n);
	if (rc < 0)
		return rc;
	*out = list;
	*count = n;
	return 0;
}
