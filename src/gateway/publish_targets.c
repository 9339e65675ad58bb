// SPDX-License-Identifier: Apache-2.0
// Targets of a published configuration: where each cloud's endpoint is, how it is asked, and what the gateway must know
// of a model that lies in a provider's service, which answers inferences alone.
#include "gateway/publish_impl.h"
#include "gateway/upstreams.h"
#include "state/override.h"

static int weight_of(struct call *c, const struct gateway_ctx *g, struct str address, double *weight)
{
	const struct override *o;
	int code = override_find(c, g->state, address, S("traffic"), &o);
	*weight = 1.0;
	if (code == 0 && o && json_is_number(o->value))
		*weight = json_number_value(o->value);
	return code;
}

// ---- what a model takes and gives, as the protocol describes it

static json_t *datatype_of(struct call *c, struct str type)
{
	char *p = arena_cstr(c->arena, type);
	for (size_t i = 0; p && i < type.n; i++)
		p[i] = (char)(p[i] >= 'a' && p[i] <= 'z' ? p[i] - 32 : p[i]);
	return json_of_str(p ? str_bytes(p, type.n) : S(""));
}

// {"image": {"type": "fp32", "shape": [784]}} -> [{"name", "datatype", "shape": [-1, 784]}]
static json_t *tensors_json(struct call *c, const json_t *map)
{
	json_t *out = json_array(), *value;
	const char *name;
	json_object_foreach((json_t *)(uintptr_t)map, name, value)
	{
		json_t *tensor = json_object(), *shape = json_array();
		const json_t *declared = json_object_get(value, "shape");
		json_array_append_new(shape, json_integer(-1));
		for (size_t i = 0; i < json_array_size(declared); i++)
			json_array_append(shape, json_array_get(declared, i));
		json_set_str(tensor, "name", str_of(name));
		json_object_set_new(tensor, "datatype", datatype_of(c, json_str(value, "type")));
		json_object_set_new(tensor, "shape", shape);
		json_array_append_new(out, tensor);
	}
	return out;
}

// The declared model of an endpoint's resource, "model/classifier" of "model/classifier@champion". NULL: unknown.
static int find_model(struct call *c, const struct gateway_ctx *g, struct str address, const json_t **resolved)
{
	struct resource endpoint, model;
	struct str name, version;
	*resolved = NULL;
	int code = resource_get(c, g->state, address, &endpoint);
	if (code == 0) {
		str_cut(json_str(endpoint.resolved, "model"), '@', &name, &version);
		code = resource_get(c, g->state, name, &model);
	}
	if (code == 0)
		*resolved = model.resolved;
	if (code != ERR_NOT_FOUND)
		return code;
	err_clear(&c->err);
	return 0;
}

static int describe_model(
	struct call *c, const struct gateway_ctx *g, struct str address, const struct record *record, json_t *target)
{
	const json_t *resolved;
	struct str version = json_str(record->value, "version");
	int code = find_model(c, g, address, &resolved);
	if (code || !resolved)
		return code;
	json_t *model = json_object(), *versions = json_array();
	json_set_str(model, "name", json_str(target, "endpoint"));
	if (version.n)
		json_array_append_new(versions, json_of_str(version));
	json_object_set_new(model, "versions", versions);
	json_set_str(model, "platform", S("isobar"));
	json_object_set_new(model, "inputs", tensors_json(c, json_object_get(resolved, "input")));
	json_object_set_new(model, "outputs", tensors_json(c, json_object_get(resolved, "output")));
	json_object_set_new(target, "model", model);
	return 0;
}

// ---- targets

static int add_target(struct call *c, const struct gateway_ctx *g, struct str endpoint, struct str cloud,
	const struct record *record, json_t *targets)
{
	const json_t *invoke = json_object_get(record->value, "invoke");
	struct str service = json_str(invoke, "how"), url = json_str(service.n ? invoke : record->value, "url");
	struct str address = arena_printf(c->arena, "endpoint/%.*s on %.*s", STR(endpoint), STR(cloud));
	double weight = 1;
	// A service gives an address before anything answers there: one that never served a version is none yet.
	if (url.n == 0 || (service.n && json_str(record->value, "version").n == 0))
		return 0;
	int code = weight_of(c, g, address, &weight);
	if (code)
		return code;
	json_t *target = json_object();
	json_array_append_new(targets, target);
	json_set_str(target, "endpoint", endpoint);
	json_set_str(target, "cloud", cloud);
	json_set_str(target, "url", url);
	json_object_set_new(target, "weight", json_real(weight));
	if (service.n == 0)
		return 0;
	json_set_str(target, "service", service);
	json_set_str(target, "version", json_str(record->value, "version"));
	return describe_model(c, g, address, record, target);
}

int publish_targets(struct call *c, const struct gateway_ctx *g, struct str endpoint, json_t *targets)
{
	struct record *records;
	size_t count;
	struct str prefix = arena_printf(c->arena, "endpoint-status/%.*s on ", STR(endpoint));
	int code = state_list(c, g->state, prefix, &records, &count);
	for (size_t i = 0; code == 0 && i < count; i++)
		code = add_target(c, g, endpoint, str_drop(records[i].key, prefix.n), &records[i], targets);
	return code;
}
