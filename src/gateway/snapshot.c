// SPDX-License-Identifier: Apache-2.0
// Snapshots out of JSON: see snapshot.h.
#include "gateway/snapshot.h"

#include <stdlib.h>

#include "base/time.h"
#include "gateway/route.h"
#include "net/address.h"
#include "net/url.h"

#define DEFAULT_TIMEOUT_MS 10000
enum { MAX_ROUTES = 1024, MAX_ATTEMPTS = 10 };

static int no_memory(struct err *e)
{
	return err_set(e, ERR_NO_MEMORY, "out of memory for the gateway's configuration");
}

// A copied text; empty ones become "" and never NULL.
static struct str text_of(struct arena *a, const json_t *object, const char *name)
{
	return arena_str(a, json_str(object, name));
}

static const char *path_of(struct arena *a, const json_t *object, const char *name)
{
	struct str text = json_str(object, name);
	return text.n ? arena_cstr(a, text) : NULL;
}

static int read_service(struct arena *a, const json_t *json, struct snapshot_target *out, struct err *e)
{
	AUTO(buf) text = {0};
	const json_t *model = json_object_get(json, "model");
	struct str word = json_str(json, "service");
	if (!upstream_service_of(word, &out->service))
		return err_set(e, ERR_INVALID, "target %.*s: service \"%.*s\" is none of open, sagemaker, vertex, azureml",
			STR(out->endpoint), STR(word));
	out->version = text_of(a, json, "version");
	int code = json_is_object(model) ? json_write(model, &text, e) : 0;
	if (code)
		return code;
	out->description = arena_str(a, buf_str(&text));
	return out->version.p && out->description.p ? 0 : no_memory(e);
}

static int read_target(struct arena *a, const json_t *json, struct snapshot_target *out, struct err *e)
{
	struct url url;
	out->endpoint = text_of(a, json, "endpoint");
	out->cloud = text_of(a, json, "cloud");
	out->url = text_of(a, json, "url");
	out->weight = json_num(json, "weight", 1.0);
	if (!out->endpoint.p || !out->cloud.p || !out->url.p)
		return no_memory(e);
	if (out->endpoint.n == 0 || !(out->weight >= 0 && out->weight <= 1000))
		return err_set(e, ERR_INVALID, "a target needs an endpoint, and a weight from 0 to 1000");
	int code = url_parse(out->url, &url, e);
	if (code)
		return err_context(e, "target %.*s on %.*s", STR(out->endpoint), STR(out->cloud));
	if (url.query.p)
		return err_set(e, ERR_INVALID, "target %.*s: the URL has a query", STR(out->endpoint));
	out->address = out->cloud.n ? arena_printf(a, "endpoint/%.*s on %.*s", STR(out->endpoint), STR(out->cloud))
				    : arena_printf(a, "endpoint/%.*s", STR(out->endpoint));
	return out->address.p ? read_service(a, json, out, e) : no_memory(e);
}

static int read_targets(struct arena *a, const json_t *json, struct snapshot_route *out, struct err *e)
{
	const json_t *list = json_object_get(json, "targets");
	size_t count = json_array_size(list);
	if (count > ROUTE_MAX_TARGETS)
		return err_set(e, ERR_LIMIT, "%zu targets; a route has at most %d", count, ROUTE_MAX_TARGETS);
	out->targets = arena_new_array(a, count, struct snapshot_target);
	if (!out->targets)
		return no_memory(e);
	for (; out->target_count < count; out->target_count++) {
		int code = read_target(a, json_array_get(list, out->target_count), &out->targets[out->target_count], e);
		if (code)
			return code;
	}
	return 0;
}

static int read_methods(struct arena *a, const json_t *json, struct snapshot_route *out, struct err *e)
{
	const json_t *list = json_object_get(json, "methods");
	size_t count = json_array_size(list);
	if (count == 0) {
		out->methods[out->method_count++] = S("GET");
		out->methods[out->method_count++] = S("POST");
		return 0;
	}
	for (size_t i = 0; i < count; i++) {
		const json_t *item = json_array_get(list, i);
		struct str method = str_bytes(json_string_value(item), json_string_length(item));
		if (i >= ROUTE_MAX_METHODS || !route_method_valid(method))
			return err_set(e, ERR_INVALID, "methods: not a list of at most %d methods", ROUTE_MAX_METHODS);
		out->methods[out->method_count++] = arena_str(a, method);
	}
	return 0;
}

// Anything but a list of known ways to identify oneself is refused: an unknown one must not turn into "nobody needs
// to".
static int read_require(const json_t *json, struct snapshot_route *out, struct err *e)
{
	const json_t *require = json_object_get(json, "require"), *any = json_object_get(require, "any");
	if (!require || json_is_null(require) || (json_is_object(require) && json_object_size(require) == 0))
		return 0;
	bool known = json_object_size(require) == 1 && json_is_array(any);
	for (size_t i = 0; known && i < json_array_size(any); i++) {
		const char *way = json_string_value(json_array_get(any, i));
		known = way && str_eq(str_of(way), S("api-key"));
		out->needs_key = true;
	}
	return known ? 0 : err_set(e, ERR_INVALID, "require: only {\"any\": [\"api-key\"]} is known");
}

static int read_route(struct arena *a, const json_t *json, struct snapshot_route *out, struct err *e)
{
	const json_t *retry = json_object_get(json, "retry");
	int64_t attempts = json_int(retry, "attempts", 1),
		timeout_ms = json_int(json, "timeout_ms", DEFAULT_TIMEOUT_MS);
	out->name = text_of(a, json, "name");
	out->path = text_of(a, json, "path");
	struct str endpoint = json_str(json, "endpoint");
	out->resource = arena_printf(a, "endpoint/%.*s", STR(endpoint));
	if (!out->name.p || !out->path.p || !out->resource.p)
		return no_memory(e);
	if (out->name.n == 0 || endpoint.n == 0 || !route_pattern_valid(out->path))
		return err_set(e, ERR_INVALID, "a route needs a name, an endpoint and a path pattern");
	if (attempts < 1 || attempts > MAX_ATTEMPTS || timeout_ms < 1 || timeout_ms > 3600 * 1000)
		return err_set(e, ERR_INVALID, "attempts from 1 to %d, timeout_ms from 1 to 3600000", MAX_ATTEMPTS);
	out->attempts = (unsigned)attempts;
	out->idempotent = json_flag(retry, "idempotent", false);
	out->timeout_ns = timeout_ms * NS_PER_MS;
	int code = read_methods(a, json, out, e);
	if (code == 0)
		code = read_require(json, out, e);
	return code ? code : read_targets(a, json, out, e);
}

static int read_routes(const json_t *json, struct snapshot *s, struct err *e)
{
	const json_t *list = json_object_get(json, "routes");
	size_t count = json_array_size(list);
	if (!json_is_array(list) || count > MAX_ROUTES)
		return err_set(e, ERR_INVALID, "routes: not a list of at most %d", MAX_ROUTES);
	s->routes = arena_new_array(&s->arena, count, struct snapshot_route);
	if (!s->routes)
		return no_memory(e);
	for (; s->route_count < count; s->route_count++) {
		struct snapshot_route *r = &s->routes[s->route_count];
		int code = read_route(&s->arena, json_array_get(list, s->route_count), r, e);
		if (code)
			return err_context(e, "routes[%zu] \"%.*s\"", s->route_count, STR(r->name));
	}
	return 0;
}

static int read_head(const json_t *json, struct snapshot *s, struct err *e)
{
	const json_t *tls = json_object_get(json, "tls"), *audit = json_object_get(json, "audit");
	struct str mode = json_str(audit, "mode");
	struct address address;
	s->name = text_of(&s->arena, json, "name");
	s->listen = text_of(&s->arena, json, "listen");
	s->generation = (uint64_t)json_int(json, "generation", 0);
	s->certificate_file = path_of(&s->arena, tls, "certificate");
	s->key_file = path_of(&s->arena, tls, "key");
	s->ca_file = path_of(&s->arena, json, "ca_file");
	s->audit_folder = str_eq(mode, S("strict")) ? path_of(&s->arena, audit, "folder") : NULL;
	if (s->name.n == 0)
		return err_set(e, ERR_INVALID, "name: missing");
	if (!(str_eq(mode, S("strict")) && s->audit_folder) && !str_eq(mode, S("none")))
		return err_set(e, ERR_INVALID,
			"audit: expected {\"mode\": \"strict\", \"folder\": ...} or {\"mode\": \"none\"}");
	int code = address_parse(s->listen, &address, e);
	if (code)
		return err_context(e, "listen");
	if ((s->certificate_file == NULL) != (s->key_file == NULL))
		return err_set(e, ERR_INVALID, "tls: a certificate and its key belong together");
	if (!s->certificate_file && !address_is_loopback(&address))
		return err_set(e, ERR_INVALID, "listen: without TLS a gateway listens on loopback only");
	return 0;
}

static int read_security(const json_t *json, struct snapshot *s, struct err *e)
{
	const char *path = path_of(&s->arena, json, "key_hash_secret_file");
	int code = api_key_table_of_json(json_object_get(json, "api_keys"), &s->arena, &s->keys, e);
	if (code == 0)
		code = policy_of_json(json_object_get(json, "roles"), &s->arena, &s->policy, e);
	if (code == 0 && s->keys.count && !path)
		code = err_set(e, ERR_INVALID, "key_hash_secret_file: missing, but there are API keys");
	if (code == 0 && path)
		code = secret_read_file(&s->hash_secret, path, e);
	return code;
}

int snapshot_of_json(const json_t *json, struct snapshot **out, struct err *e)
{
	struct snapshot *s = calloc(1, sizeof(*s));
	if (!s)
		return no_memory(e);
	s->users = 1;
	int code = json_is_object(json) ? read_head(json, s, e) : err_set(e, ERR_INVALID, "not an object");
	if (code == 0)
		code = read_security(json, s, e);
	if (code == 0)
		code = read_routes(json, s, e);
	if (code) {
		snapshot_release(s);
		return code;
	}
	*out = s;
	return 0;
}

int snapshot_load(const char *path, struct snapshot **out, struct err *e)
{
	AUTO(json) json = NULL;
	int code = json_parse_file(path, SNAPSHOT_MAX_BYTES, &json, e);
	if (code)
		return code;
	code = snapshot_of_json(json, out, e);
	return code ? err_context(e, "%s", path) : 0;
}

struct snapshot *snapshot_hold(struct snapshot *s)
{
	s->users++;
	return s;
}

void snapshot_release(struct snapshot *s)
{
	if (!s || --s->users)
		return;
	secret_free(&s->hash_secret);
	arena_free(&s->arena);
	free(s);
}

const struct snapshot_route *snapshot_route_find(const struct snapshot *s, struct str path)
{
	const struct snapshot_route *best = NULL;
	for (size_t i = 0; i < s->route_count; i++) {
		const struct snapshot_route *r = &s->routes[i];
		if (route_pattern_matches(r->path, path) && (!best || route_pattern_compare(r->path, best->path) > 0))
			best = r;
	}
	return best;
}

bool snapshot_route_takes(const struct snapshot_route *r, struct str method)
{
	for (size_t i = 0; i < r->method_count; i++)
		if (str_eq(r->methods[i], method))
			return true;
	return false;
}
