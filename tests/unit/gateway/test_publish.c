// SPDX-License-Identifier: Apache-2.0
// Configurations built from state: what is in them, that they are read by the gateway, and that they are written only
// when they differ.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "gateway/gateway_kind.h"
#include "gateway/publish.h"
#include "gateway/snapshot.h"
#include "security/api_key.h"
#include "state/override.h"

struct world {
	char folder[64];
	struct arena arena;
	struct call c;
	struct state state;
	struct gateway_ctx ctx;
};

static const char *path_in(struct world *w, const char *name)
{
	return arena_printf(&w->arena, "%s/%s", w->folder, name).p;
}

static void put(struct world *w, const char *key, const char *text)
{
	json_t *json = NULL;
	assert_int_equal(json_parse(str_of(text), &json, &w->c.err), 0);
	if (state_put(&w->c, &w->state, str_of(key), json, UINT64_MAX, NULL))
		fail_msg("%s: %s", key, w->c.err.message);
	json_decref(json);
}

static void put_resource(struct world *w, const char *kind, const char *name, const char *resolved)
{
	json_t *json = NULL;
	assert_int_equal(json_parse(str_of(resolved), &json, &w->c.err), 0);
	json = json_in_arena(&w->arena, json);
	struct resource r = {.address = resource_address(&w->arena, str_of(kind), str_of(name), S("")),
		.kind = str_of(kind),
		.name = str_of(name),
		.uid = str_of(name),
		.status = S("ready"),
		.written = json,
		.resolved = json};
	if (resource_put(&w->c, &w->state, &r))
		fail_msg("%s: %s", name, w->c.err.message);
}

static int set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	AUTO(secret) secret = {0}, key = {0};
	snprintf(w->folder, sizeof(w->folder), "/tmp/isobar-publish-XXXXXX");
	assert_non_null(mkdtemp(w->folder));
	call_init(&w->c, &w->arena, edges_real(), S("user/test"));
	assert_int_equal(state_open_sqlite(&w->c, path_in(w, "state.db"), &w->state), 0);
	w->ctx = (struct gateway_ctx){
		.state = &w->state, .folder = w->folder, .state_folder = path_in(w, ".isobar"), .hash_secret_path = path_in(w, "hash.secret")};
	put_resource(
		w, "gateway", "edge", "{\"listen\":\"127.0.0.1:8443\",\"tls\":\"automatic\",\"audit\":\"strict\"}");
	put_resource(w, "route", "classify",
		"{\"gateway\":\"gateway/edge\",\"match\":{\"path\":\"/v2/models/classify/**\"},\"to\":\"endpoint/"
		"classify\","
		"\"balance\":\"lowest "
		"latency\",\"retry\":{\"attempts\":3,\"idempotent\":true},\"require\":{\"any\":[\"api-key\"]},"
		"\"timeout\":\"2s\"}");
	put_resource(w, "route", "elsewhere",
		"{\"gateway\":\"gateway/other\",\"match\":{\"path\":\"/x\"},\"to\":\"endpoint/classify\"}");
	put_resource(w, "role", "shop-app",
		"{\"members\":[\"api-key/"
		"shop-app\"],\"allow\":[{\"actions\":[\"model.predict\"],\"resources\":[\"endpoint/classify\"]}]}");
	put(w, "endpoint-status/classify on aws-us", "{\"state\":\"ready\",\"url\":\"http://127.0.0.1:9001\"}");
	put(w, "endpoint-status/classify on azure-eu", "{\"state\":\"down\",\"url\":\"http://127.0.0.1:9002\"}");
	put(w, "endpoint-status/classify on gcp-eu", "{\"state\":\"waiting\",\"url\":\"\"}");
	put(w, "endpoint-status/classify2 on aws-us", "{\"state\":\"ready\",\"url\":\"http://127.0.0.1:9003\"}");
	struct api_key_record record = {.name = S("shop-app")};
	assert_int_equal(api_key_hash_secret_open(edges_real(), w->ctx.hash_secret_path, &secret, &w->c.err), 0);
	assert_int_equal(api_key_make(&w->c, &secret, &key, &record), 0);
	AUTO(json) stored = api_key_to_json(&record);
	assert_int_equal(state_put(&w->c, &w->state, S("api-key/shop-app"), stored, 0, NULL), 0);
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;
	state_close(&w->state);
	int code = file_remove_tree(w->folder, NULL);
	arena_free(&w->arena);
	free(w);
	return code;
}

static void builds_from_state(void **state)
{
	struct world *w = *state;
	struct resource gateway;
	AUTO(json) json = NULL;
	assert_int_equal(resource_get(&w->c, &w->state, S("gateway/edge"), &gateway), 0);
	struct override shift = {.address = S("endpoint/classify on azure-eu"),
		.field = S("traffic"),
		.value = json_in_arena(&w->arena, json_integer(0)),
		.author = S("monitor/cloud-lost"),
		.reason = S("failed attempts")};
	assert_int_equal(override_set(&w->c, &w->state, &shift), 0);
	if (gateway_snapshot_build(&w->c, &w->ctx, &gateway, &json))
		fail_msg("%s", w->c.err.message);
	struct snapshot *s = NULL;
	if (snapshot_of_json(json, &s, &w->c.err))
		fail_msg("%s", w->c.err.message);
	assert_int_equal(s->route_count, 1);
	const struct snapshot_route *r = &s->routes[0];
	assert_true(r->needs_key && r->idempotent && r->attempts == 3 && r->timeout_ns == INT64_C(2000000000));
	assert_true(str_eq(r->resource, S("endpoint/classify")));
	assert_int_equal(r->target_count, 2);
	assert_true(str_eq(r->targets[0].address, S("endpoint/classify on aws-us")) && r->targets[0].weight == 1.0);
	assert_true(str_eq(r->targets[1].url, S("http://127.0.0.1:9002")) && r->targets[1].weight == 0.0);
	assert_int_equal(s->keys.count, 1);
	assert_true(str_eq(s->keys.records[0].principal, S("api-key/shop-app")));
	const struct policy_request asked = {.principal = S("api-key/shop-app"),
		.action = S("model.predict"),
		.resource = S("endpoint/classify on aws-us")};
	assert_true(policy_decide(&s->policy, &asked).allowed);
	assert_true(str_ends(str_of(s->certificate_file), S("/.isobar/gateways/edge/cert.pem")));
	assert_true(str_ends(str_of(s->audit_folder), S("/.isobar/gateways/edge/audit")));
	snapshot_release(s);
}

static void writes_only_changes(void **state)
{
	struct world *w = *state;
	struct resource gateway;
	bool changed = false;
	struct snapshot *s = NULL;
	const char *path = path_in(w, ".isobar/gateways/edge/snapshot.json");
	assert_int_equal(resource_get(&w->c, &w->state, S("gateway/edge"), &gateway), 0);
	static const bool expected[] = {true, false, true};
	for (size_t i = 0; i < COUNT_OF(expected); i++) {
		if (i == 2)
			put(w, "endpoint-status/classify on gcp-eu",
				"{\"state\":\"ready\",\"url\":\"http://127.0.0.1:9004\"}");
		if (gateway_publish_one(&w->c, &w->ctx, &gateway, &changed))
			fail_msg("%s", w->c.err.message);
		assert_int_equal(changed, expected[i]);
	}
	assert_int_equal(snapshot_load(path, &s, &w->c.err), 0);
	assert_int_equal(s->generation, 2);
	assert_int_equal(s->routes[0].target_count, 3);
	snapshot_release(s);
}

static void tends_nothing_that_was_not_created(void **state)
{
	struct world *w = *state;
	assert_int_equal(gateway_publish(&w->c, &w->ctx), 0);
	assert_false(file_exists(path_in(w, ".isobar/gateways/edge/announce.json")));
	struct resource gateway;
	json_t *outputs = NULL;
	assert_int_equal(resource_get(&w->c, &w->state, S("gateway/edge"), &gateway), 0);
	struct gateway_ctx ctx = w->ctx;
	assert_int_equal(gateway_handler.read(&w->c, &ctx, &gateway, &outputs), ERR_NOT_FOUND);
	assert_int_equal(gateway_handler.delete(&w->c, &ctx, &gateway), 0);
	assert_false(file_exists(path_in(w, ".isobar/gateways/edge/snapshot.json")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(builds_from_state),
		cmocka_unit_test(writes_only_changes),
		cmocka_unit_test(tends_nothing_that_was_not_created),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
