// SPDX-License-Identifier: Apache-2.0
// The control plane's side of upstream credentials: who gets an entry, when it is renewed, and that a cloud that grants
// nothing harms no other. A fake clock; the cloud's side is a table.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/time.h"
#include "gateway/publish.h"
#include "gateway/upstream_renewal.h"
#include "gateway/snapshot.h"
#include "gateway/upstreams.h"
#include "script_server.h"
#include "state/resource.h"

struct world {
	char folder[64];
	struct arena arena;
	struct edges_fake clock;
	struct call c;
	struct state state;
	struct gateway_ctx ctx;
	struct upstream_renewal *renewal;
	int asked[2]; // aws-us, azure-eu
	bool fails;   // aws-us
	int64_t life_ns;
	atomic_bool *ends; // set by the second cloud that is asked; NULL: by none
};

static int grant(struct call *c, void *ctx, struct str cloud, struct str endpoint, struct upstream_grant *out)
{
	struct world *w = ctx;
	bool aws = str_eq(cloud, S("aws-us"));
	assert_true(str_eq(endpoint, S("m")));
	struct str secret = arena_printf(c->arena, "secret-%d", ++w->asked[aws ? 0 : 1]);
	if (aws && w->fails)
		return call_fail(c, ERR_UNAVAILABLE, "connection refused");
	assert_int_equal(secret_set(&out->secret, secret, &c->err), 0);
	if (!aws && w->ends)
		atomic_store(w->ends, true);
	if (!aws)
		return 0;
	out->access_key = S("AKID");
	out->region = S("us-east-1");
	out->expires_ns = w->clock.now_ns + w->life_ns;
	return secret_set(&out->session, S("session"), &c->err);
}

static void put(struct world *w, const char *key, const char *text)
{
	json_t *json = NULL;
	assert_int_equal(json_parse(str_of(text), &json, &w->c.err), 0);
	if (state_put(&w->c, &w->state, str_of(key), json, UINT64_MAX, NULL))
		fail_msg("%s: %s", key, w->c.err.message);
	json_decref(json);
}

static void put_resource(struct world *w, const char *address, const char *kind, const char *resolved)
{
	json_t *json = NULL;
	struct str k, name, cloud;
	assert_int_equal(json_parse(str_of(resolved), &json, &w->c.err), 0);
	json = json_in_arena(&w->arena, json);
	assert_int_equal(resource_parse_address(str_of(address), &k, &name, &cloud), 0);
	struct resource r = {.address = str_of(address), .kind = str_of(kind), .name = name, .cloud = cloud,
		.uid = str_of(address), .status = S("ready"), .written = json, .resolved = json};
	if (resource_put(&w->c, &w->state, &r))
		fail_msg("%s: %s", address, w->c.err.message);
}

static const char *file_in(struct world *w, const char *name)
{
	return arena_printf(&w->arena, "%s/.isobar/gateways/edge/%s", w->folder, name).p;
}

static void publish(struct world *w)
{
	struct resource gateway;
	assert_int_equal(resource_get(&w->c, &w->state, S("gateway/edge"), &gateway), 0);
	if (gateway_publish_one(&w->c, &w->ctx, &gateway, NULL))
		fail_msg("%s", w->c.err.message);
}

static int set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	w->life_ns = 3600 * NS_PER_S;
	snprintf(w->folder, sizeof(w->folder), "/tmp/isobar-renewal-XXXXXX");
	assert_non_null(mkdtemp(w->folder));
	edges_fake_init(&w->clock, INT64_C(1790000000) * NS_PER_S, 1);
	call_init(&w->c, &w->arena, &w->clock.edges, S("user/test"));
	assert_int_equal(
		state_open_sqlite(&w->c, arena_printf(&w->arena, "%s/state.db", w->folder).p, &w->state), 0);
	w->ctx = (struct gateway_ctx){.state = &w->state,
		.folder = w->folder,
		.state_folder = arena_printf(&w->arena, "%s/.isobar", w->folder).p,
		.hash_secret_path = arena_printf(&w->arena, "%s/hash", w->folder).p,
		.upstreams = {w, grant}};
	put_resource(w, "gateway/edge", "gateway", "{\"listen\":\"127.0.0.1:8443\",\"tls\":\"none\",\"audit\":\"none\"}");
	put_resource(w, "route/m", "route",
		"{\"gateway\":\"gateway/edge\",\"match\":{\"path\":\"/v2/models/m/**\"},\"to\":\"endpoint/m\"}");
	put_resource(w, "endpoint/m on aws-us", "endpoint", "{\"model\":\"model/digits@champion\"}");
	put_resource(w, "model/digits", "model",
		"{\"input\":{\"image\":{\"type\":\"fp32\",\"shape\":[784]}},\"output\":{\"class\":{\"type\":\"int64\",\"shape\":[1]}}}");
	put(w, "endpoint-status/m on aws-us",
		"{\"state\":\"ready\",\"url\":\"\",\"version\":\"3\",\"invoke\":{\"how\":\"sagemaker\",\"url\":\"https://"
		"runtime.sagemaker.us-east-1.amazonaws.com/endpoints/m/invocations\"}}");
	put(w, "endpoint-status/m on azure-eu",
		"{\"state\":\"ready\",\"url\":\"x\",\"version\":\"3\",\"invoke\":{\"how\":\"azureml\",\"url\":\"https://m.westeurope.inference.ml."
		"azure.com/score\"}}");
	put(w, "endpoint-status/m on gcp-eu", // its address is there, and nothing behind it yet
		"{\"state\":\"down\",\"url\":\"\",\"version\":\"\",\"invoke\":{\"how\":\"vertex\",\"url\":\"https://x/v1/e:rawPredict\"}}");
	put(w, "endpoint-status/m on site", "{\"state\":\"ready\",\"url\":\"http://127.0.0.1:9001\"}");
	assert_int_equal(upstream_renewal_new(&w->ctx, &w->renewal, &w->c.err), 0);
	publish(w);
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;
	upstream_renewal_free(w->renewal);
	state_close(&w->state);
	int code = file_remove_tree(w->folder, NULL);
	arena_free(&w->arena);
	free(w);
	return code;
}

static void round_after(struct world *w, int64_t seconds)
{
	w->clock.now_ns += seconds * NS_PER_S;
	if (upstream_renewal_round(&w->c, w->renewal))
		fail_msg("%s", w->c.err.message);
}

static void expect_asked(const struct world *w, int aws, int azure)
{
	assert_int_equal(w->asked[0], aws);
	assert_int_equal(w->asked[1], azure);
}

static struct upstreams *load(struct world *w)
{
	struct upstreams *u = NULL;
	if (upstreams_load(file_in(w, UPSTREAMS_FILE), &u, &w->c.err))
		fail_msg("%s", w->c.err.message);
	return u;
}

// ---------------------------------------------------------------- tests

static void publishes_how_targets_are_asked(void **state)
{
	struct world *w = *state;
	AUTO(buf) text = {0};
	struct snapshot *s = NULL;
	assert_int_equal(snapshot_load(file_in(w, "snapshot.json"), &s, &w->c.err), 0);
	const struct snapshot_route *r = &s->routes[0];
	assert_int_equal(r->target_count, 3);
	assert_int_equal(r->targets[0].service, UPSTREAM_SAGEMAKER);
	assert_true(str_eq(r->targets[0].version, S("3")));
	assert_true(str_ends(r->targets[0].url, S("amazonaws.com/endpoints/m/invocations")));
	assert_true(str_eq(r->targets[0].description,
		S("{\"inputs\":[{\"datatype\":\"FP32\",\"name\":\"image\",\"shape\":[-1,784]}],\"name\":\"m\","
		  "\"outputs\":[{\"datatype\":\"INT64\",\"name\":\"class\",\"shape\":[-1,1]}],\"platform\":\"isobar\","
		  "\"versions\":[\"3\"]}")));
	assert_int_equal(r->targets[1].service, UPSTREAM_AZUREML);
	assert_int_equal(r->targets[1].description.n, 0); // its resource is not there
	assert_int_equal(r->targets[2].service, UPSTREAM_OPEN);
	snapshot_release(s);
	// No secret ever stands in the configuration itself.
	round_after(w, 0);
	publish(w);
	assert_int_equal(file_read(file_in(w, "snapshot.json"), 1 << 20, &text, &w->c.err), 0);
	assert_true(str_find(buf_str(&text), S("secret-")) < 0 && str_find(buf_str(&text), S("session")) < 0);
}

static void grants_and_renews_ahead(void **state)
{
	struct world *w = *state;
	struct stat at;
	round_after(w, 0);
	expect_asked(w, 1, 1);
	assert_int_equal(stat(file_in(w, UPSTREAMS_FILE), &at), 0);
	assert_int_equal(at.st_mode & 0777, 0600);
	struct upstreams *u = load(w);
	assert_int_equal(u->count, 2); // none for the site's open endpoint
	struct upstream *aws = upstreams_find(u, S("aws-us"), S("m"));
	assert_true(str_eq(secret_str(&aws->secret), S("secret-1")) && str_eq(aws->region, S("us-east-1")));
	assert_int_equal(aws->expires_ns, w->clock.now_ns + w->life_ns);
	assert_true(str_eq(secret_str(&upstreams_find(u, S("azure-eu"), S("m"))->bearer), S("Bearer secret-1")));
	upstreams_release(u);
	round_after(w, 1199); // not a third of the hour yet
	expect_asked(w, 1, 1);
	round_after(w, 1);
	expect_asked(w, 2, 1);
	round_after(w, 2400); // what does not end is asked for once an hour
	expect_asked(w, 3, 2);
	// A control plane that starts anew asks for nothing that holds.
	upstream_renewal_free(w->renewal);
	assert_int_equal(upstream_renewal_new(&w->ctx, &w->renewal, &w->c.err), 0);
	round_after(w, 60);
	expect_asked(w, 3, 2);
}

static void a_dead_cloud_harms_nobody(void **state)
{
	struct world *w = *state;
	w->fails = true;
	round_after(w, 0);
	expect_asked(w, 1, 1);
	struct upstreams *u = load(w);
	assert_int_equal(u->count, 1);
	upstreams_release(u);
	round_after(w, 0); // a pause of 1 s, then of 2, 4, ...
	expect_asked(w, 1, 1);
	round_after(w, 1);
	expect_asked(w, 2, 1);
	round_after(w, 1);
	expect_asked(w, 2, 1);
	round_after(w, 1);
	expect_asked(w, 3, 1);
	w->fails = false;
	round_after(w, 30);
	expect_asked(w, 4, 1);
	// What was granted stays while its cloud is away.
	w->fails = true;
	round_after(w, 1200);
	expect_asked(w, 5, 1);
	u = load(w);
	assert_true(str_eq(secret_str(&upstreams_find(u, S("aws-us"), S("m"))->secret), S("secret-4")));
	upstreams_release(u);
}

static void forgets_what_is_no_target(void **state)
{
	struct world *w = *state;
	AUTO(buf) text = {0};
	round_after(w, 0);
	put(w, "endpoint-status/m on aws-us", "{\"state\":\"ready\",\"url\":\"http://127.0.0.1:9003\"}");
	publish(w);
	round_after(w, 1);
	struct upstreams *u = load(w);
	assert_int_equal(u->count, 1);
	upstreams_release(u);
	assert_int_equal(file_read(file_in(w, UPSTREAMS_FILE), 1 << 20, &text, &w->c.err), 0);
	assert_true(str_find(buf_str(&text), S("aws-us")) < 0);
	// A file that somebody broke is written anew.
	assert_int_equal(file_write_atomic(file_in(w, UPSTREAMS_FILE), S("{"), 0600, &w->c.err), 0);
	round_after(w, 1);
	expect_asked(w, 1, 2);
	u = load(w);
	assert_int_equal(u->count, 1);
	upstreams_release(u);
}

static void a_new_service_is_granted_at_once(void **state)
{
	struct world *w = *state;
	round_after(w, 0);
	put(w, "endpoint-status/m on azure-eu",
		"{\"state\":\"ready\",\"url\":\"x\",\"version\":\"3\",\"invoke\":{\"how\":\"vertex\",\"url\":\"https://x/v1/e:rawPredict\"}}");
	publish(w);
	round_after(w, 0);
	expect_asked(w, 1, 2);
	struct upstreams *u = load(w);
	assert_int_equal(upstreams_find(u, S("azure-eu"), S("m"))->service, UPSTREAM_VERTEX);
	upstreams_release(u);
}

static void note_admin(struct world *w, const char *url)
{
	struct resource gateway;
	assert_int_equal(resource_get(&w->c, &w->state, S("gateway/edge"), &gateway), 0);
	gateway.outputs = json_in_arena(&w->arena, json_pack("{s:s}", "admin_url", url));
	assert_int_equal(resource_put(&w->c, &w->state, &gateway), 0);
}

// What the gateway finds refused is granted anew at once, though it would hold for long; but not again and again.
static void what_is_refused_is_renewed(void **state)
{
	struct world *w = *state;
	static const struct str refused = S_INIT("{\"targets\":[{\"endpoint\":\"m\",\"cloud\":\"aws-us\",\"refused\":true},"
						 "{\"endpoint\":\"m\",\"cloud\":\"azure-eu\",\"refused\":false}]}");
	const struct script_step steps[] = {{200, NULL, refused, SCRIPT_WHOLE}, {200, NULL, refused, SCRIPT_WHOLE},
		{200, NULL, refused, SCRIPT_WHOLE}, {500, NULL, S(""), SCRIPT_WHOLE}, {200, NULL, S("nonsense"), SCRIPT_WHOLE}};
	round_after(w, 0);
	expect_asked(w, 1, 1);
	struct script_server *admin = script_server_start(steps, COUNT_OF(steps));
	assert_non_null(admin);
	note_admin(w, script_server_url(admin));
	round_after(w, 1); // younger than five seconds: not its age is what is refused
	expect_asked(w, 1, 1);
	round_after(w, 5);
	expect_asked(w, 2, 1);
	round_after(w, 9); // it did not help: twice as long until the next
	expect_asked(w, 2, 1);
	round_after(w, 10); // a gateway that does not say
	round_after(w, 10);
	expect_asked(w, 2, 1);
	assert_int_equal(script_server_served(admin), COUNT_OF(steps));
	assert_true(str_eq(buf_str(&script_server_request(admin, 0)->target), S("/targets")));
	script_server_stop(admin);
	round_after(w, 10); // nor one that is gone
	expect_asked(w, 2, 1);
}

// The loop of a control plane ends with its call and has done its work by then; a command does one round.
static void runs_until_the_call_ends(void **state)
{
	struct world *w = *state;
	assert_int_equal(upstream_renewal_once(&w->c, &w->ctx), 0);
	expect_asked(w, 1, 1);
	assert_int_equal(remove(file_in(w, UPSTREAMS_FILE)), 0);
	struct call ends;
	call_child(&ends, &w->c, &w->arena, 0);
	atomic_bool cancelled = false;
	ends.cancel = &cancelled;
	w->ends = &cancelled;
	assert_int_equal(upstream_renewal_run(&ends, &w->ctx), ERR_CANCELLED);
	expect_asked(w, 2, 2);
	assert_true(file_exists(file_in(w, UPSTREAMS_FILE)));
}

static void without_services_there_is_no_file(void **state)
{
	struct world *w = *state;
	put(w, "endpoint-status/m on aws-us", "{\"state\":\"ready\",\"url\":\"http://127.0.0.1:9003\"}");
	put(w, "endpoint-status/m on azure-eu", "{\"state\":\"waiting\",\"url\":\"\"}");
	publish(w);
	round_after(w, 0);
	assert_false(file_exists(file_in(w, UPSTREAMS_FILE)));
	expect_asked(w, 0, 0);
	upstream_grant_free(NULL);
	upstream_renewal_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(publishes_how_targets_are_asked, set_up, tear_down),
		cmocka_unit_test_setup_teardown(grants_and_renews_ahead, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_dead_cloud_harms_nobody, set_up, tear_down),
		cmocka_unit_test_setup_teardown(forgets_what_is_no_target, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_new_service_is_granted_at_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_refused_is_renewed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(runs_until_the_call_ends, set_up, tear_down),
		cmocka_unit_test_setup_teardown(without_services_there_is_no_file, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
