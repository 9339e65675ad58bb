// SPDX-License-Identifier: Apache-2.0
// Configurations of gateways out of state: see publish.h.
#include "gateway/publish_impl.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/time.h"
#include "gateway/gateway_kind.h"
#include "gateway/gateway_process.h"
#include "gateway/snapshot.h"
#include "net/http_call.h"

enum { HEAD_MAX_BYTES = 64 << 10 };
#define HEAD_NS (2 * NS_PER_S)

// Without links: control planes of one machine that share gateways know each other's processes by their paths.
const char *gateway_path(struct call *c, const struct gateway_ctx *g, struct str gateway, const char *name)
{
	const char *root = arena_printf(c->arena, "%s/gateways", g->state_folder).p;
	if (!root)
		return NULL;
	char *real = realpath(root, NULL);
	struct str path =
		arena_printf(c->arena, "%s/%.*s%s%s", real ? real : root, STR(gateway), name[0] ? "/" : "", name);
	free(real);
	return path.p;
}

// ---- routes

static json_t *texts_json(const struct field_list *list)
{
	json_t *array = json_array();
	const struct str *items = list->items;
	for (size_t i = 0; i < list->count; i++)
		json_array_append_new(array, json_of_str(items[i]));
	return array;
}

static json_t *route_json(const struct resource *r, const struct route *route)
{
	json_t *out = json_object(), *retry = json_object(), *require = json_object();
	json_set_str(out, "name", r->name);
	json_set_str(out, "path", route->match.path);
	json_set_str(out, "endpoint", route_first_target(route).name);
	json_set_str(out, "balance", route->balance);
	json_object_set_new(out, "methods", texts_json(&route->match.methods));
	json_object_set_new(retry, "attempts", json_integer(route->retry.attempts));
	json_object_set_new(retry, "idempotent", json_boolean(route->retry.idempotent));
	json_object_set_new(out, "retry", retry);
	if (route->require.any.count)
		json_object_set_new(require, "any", texts_json(&route->require.any));
	json_object_set_new(out, "require", require);
	json_object_set_new(out, "timeout_ms", json_integer(MAX(route->timeout_ns / NS_PER_MS, 1)));
	return out;
}

static int add_routes(struct call *c, const struct gateway_ctx *g, const struct resource *gateway, json_t *routes)
{
	struct resource *resources;
	size_t count;
	int code = resource_list(c, g->state, S("route/"), &resources, &count);
	for (size_t i = 0; code == 0 && i < count; i++) {
		struct route route = {0};
		code = kind_decode_json(&route_kind, resources[i].resolved, c->arena, &route, &c->err);
		if (code)
			return call_context(c, "%.*s", STR(resources[i].address));
		// A route that waits for what this release cannot check would let through whom it must not.
		if (!str_eq(route.gateway.name, gateway->name) || resources[i].waits_for.n)
			continue;
		json_t *targets = json_array(), *json = route_json(&resources[i], &route);
		json_object_set_new(json, "targets", targets);
		json_array_append_new(routes, json);
		code = publish_targets(c, g, route_first_target(&route).name, targets);
	}
	return code;
}

// ---- who may what

static int add_keys(struct call *c, const struct gateway_ctx *g, json_t *keys)
{
	struct record *records;
	size_t count;
	int code = state_list(c, g->state, S("api-key/"), &records, &count);
	for (size_t i = 0; code == 0 && i < count; i++) {
		json_t *key = json_object();
		static const char *const members[] = {"name", "id", "digest", "expires"};
		for (size_t m = 0; m < COUNT_OF(members); m++)
			json_set_str(key, members[m], json_str(records[i].value, members[m]));
		json_array_append_new(keys, key);
	}
	return code;
}

static int add_roles(struct call *c, const struct gateway_ctx *g, json_t *roles)
{
	struct resource *resources;
	size_t count;
	int code = resource_list(c, g->state, S("role/"), &resources, &count);
	for (size_t i = 0; code == 0 && i < count; i++) {
		static const char *const members[] = {"members", "allow", "deny"};
		json_t *role = json_object();
		json_set_str(role, "name", resources[i].name);
		for (size_t m = 0; m < COUNT_OF(members); m++) {
			json_t *value = json_object_get(resources[i].resolved, members[m]);
			if (value)
				json_object_set_new(role, members[m], json_deep_copy(value));
		}
		json_array_append_new(roles, role);
	}
	return code;
}

// ---- the whole

static void set_path(json_t *object, const char *name, const char *path)
{
	json_object_set_new(object, name, json_string(path));
}

static int set_head(struct call *c, const struct gateway_ctx *g, const struct resource *r, json_t *out)
{
	struct gateway gateway = {0};
	int code = kind_decode_json(&gateway_kind, r->resolved, c->arena, &gateway, &c->err);
	if (code)
		return call_context(c, "%.*s", STR(r->address));
	bool strict = str_eq(gateway.audit, S("strict"));
	json_t *audit = json_object(), *tls = json_object();
	json_set_str(out, "name", r->name);
	json_set_str(out, "listen", gateway.listen);
	json_set_str(audit, "mode", gateway.audit);
	if (strict)
		set_path(audit, "folder", gateway_path(c, g, r->name, "audit"));
	json_object_set_new(out, "audit", audit);
	if (gateway.tls.automatic) {
		set_path(tls, "certificate", gateway_path(c, g, r->name, "cert.pem"));
		set_path(tls, "key", gateway_path(c, g, r->name, "key.pem"));
	} else if (gateway.tls.certificate.n) { // with its key in a file
		set_path(tls, "certificate",
			arena_printf(c->arena, "%s/%.*s", g->folder, STR(gateway.tls.certificate)).p);
		set_path(tls, "key", arena_printf(c->arena, "%s/%.*s", g->folder, STR(gateway.tls.key)).p);
	}
	json_object_set_new(out, "tls", tls);
	return 0;
}

int gateway_snapshot_build(struct call *c, const struct gateway_ctx *g, const struct resource *gateway, json_t **out)
{
	AUTO(json) json = json_object();
	json_t *routes = json_array(), *keys = json_array(), *roles = json_array();
	json_object_set_new(json, "routes", routes);
	json_object_set_new(json, "api_keys", keys);
	json_object_set_new(json, "roles", roles);
	int code = set_head(c, g, gateway, json);
	if (code == 0)
		code = add_routes(c, g, gateway, routes);
	if (code == 0)
		code = add_keys(c, g, keys);
	if (code == 0)
		code = add_roles(c, g, roles);
	if (code)
		return call_context(c, "configuration of %.*s", STR(gateway->address));
	if (json_array_size(keys))
		set_path(json, "key_hash_secret_file", g->hash_secret_path);
	*out = json_incref(json);
	return 0;
}

// The file is compared without its generation; one that cannot be read is written anew.
static bool differs(const char *path, const json_t *json, int64_t *generation)
{
	AUTO(json) old = NULL;
	if (json_parse_file(path, SNAPSHOT_MAX_BYTES, &old, NULL))
		return true;
	*generation = json_int(old, "generation", 0);
	json_object_del(old, "generation");
	return !json_equal(old, json);
}

int gateway_publish_one(struct call *c, const struct gateway_ctx *g, const struct resource *gateway, bool *changed)
{
	AUTO(json) json = NULL;
	AUTO(buf) text = {0};
	int64_t generation = 0;
	const char *folder = gateway_path(c, g, gateway->name, ""),
		   *path = gateway_path(c, g, gateway->name, "snapshot.json");
	if (!folder || !path)
		return call_no_memory(c);
	int code = gateway_snapshot_build(c, g, gateway, &json);
	if (code)
		return code;
	bool write = differs(path, json, &generation);
	if (changed)
		*changed = write;
	if (!write)
		return 0;
	json_object_set_new(json, "generation", json_integer(generation + 1));
	code = json_write(json, &text, &c->err);
	if (code == 0)
		code = file_make_dirs(folder, 0700, &c->err);
	return code ? code : file_write_atomic(path, buf_str(&text), 0600, &c->err);
}

// ---- tending

static int copy_head(struct call *c, const struct gateway_ctx *g, const struct resource *r)
{
	struct str admin = json_str(r->outputs, "admin_url");
	struct guard *guard;
	struct http_call_response answer;
	struct record before;
	json_t *head = NULL;
	int code = admin.n ? guard_new_loopback(&guard, &c->err) : ERR_NOT_FOUND;
	if (code)
		return 0; // not started yet
	struct http_call_request request = {.url = arena_printf(c->arena, "%.*s/audit/head", STR(admin)),
		.guard = guard,
		.body_limit = HEAD_MAX_BYTES,
		.total_ns = HEAD_NS};
	code = http_call(c, &request, &answer);
	guard_free(guard);
	if (code || answer.status != 200)
		return code;
	code = json_parse(answer.body, &head, &c->err);
	head = code ? NULL : json_in_arena(c->arena, head);
	struct str key = arena_printf(c->arena, "audit-head/%.*s", STR(r->name));
	if (code == 0)
		code = state_get(c, g->state, key, &before);
	if (code || (before.revision && json_equal(before.value, head)))
		return code;
	return state_put(c, g->state, key, head, UINT64_MAX, &before.revision);
}

static int tend(struct call *c, const struct gateway_ctx *g, struct resource *r)
{
	json_t *outputs = NULL;
	if (json_str(r->outputs, "url").n == 0)
		return 0; // its creation is still to come, or under way
	int code = gateway_publish_one(c, g, r, NULL);
	if (code == 0)
		code = gateway_process_ensure(c, g, r, &outputs);
	if (code)
		return code;
	r->outputs = json_in_arena(c->arena, outputs);
	struct resource now;
	code = resource_get(c, g->state, r->address, &now);
	if (code == 0 && !json_equal(now.outputs, r->outputs)) {
		now.outputs = r->outputs;
		code = resource_put(c, g->state, &now);
	}
	return code ? code : copy_head(c, g, r);
}

int gateway_publish(struct call *c, const struct gateway_ctx *g)
{
	struct resource *resources;
	size_t count;
	struct err first = {0};
	int code = resource_list(c, g->state, S("gateway/"), &resources, &count);
	if (code)
		return code;
	for (size_t i = 0; i < count; i++) {
		code = tend(c, g, &resources[i]);
		if (code && first.code == 0)
			first = c->err;
		err_clear(&c->err);
	}
	c->err = first;
	return first.code;
}

int publish_at_changes(
	struct call *c, const struct gateway_ctx *g, int (*act)(struct call *c, void *ctx), void *ctx)
{
	uint64_t head = 0;
	int code = 0;
	while (code == 0) {
		AUTO(arena) arena = {0};
		struct call round;
		call_child(&round, c, &arena, 0);
		code = state_watch(&round, g->state, head, NS_PER_S, &head);
		if (code == 0)
			code = act(&round, ctx);
		if (code)
			c->err = round.err;
	}
	return code;
}

static int publish_round(struct call *c, void *ctx)
{
	return gateway_publish(c, ctx);
}

int gateway_publish_run(struct call *c, const struct gateway_ctx *g)
{
	return publish_at_changes(c, g, publish_round, (void *)(uintptr_t)g);
}
