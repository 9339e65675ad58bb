// SPDX-License-Identifier: Apache-2.0
// Endpoints on three clouds while versions come, are rolled back and clouds fail: in the end every cloud serves the version that the
// alias names, and none was started while its cloud did not answer.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "deploy/deploy.h"
#include "fixture_state.h"
#include "scheduler.h"
#include "sim.h"

enum { VERSIONS = 5 };
struct toy { // an endpoint of a cloud
	struct world *world;
	size_t number;
	bool exists;
	char generation[40], version[16];
	int64_t replicas;
};
struct world {
	struct fixture f;
	struct edges_fake edges;
	struct state state;
	struct sim *sim;
	struct toy toys[SIM_CLOUDS];
	struct cloud items[SIM_CLOUDS];
	struct clouds clouds;
	struct deploy_ctx deploy;
	char version[16]; // that the alias names
};
static const char *const names[SIM_CLOUDS] = {"aws-us", "gcp-eu", "azure-eu"};

static int toy_bucket_head(struct call *c, void *ctx, struct str bucket)
{
	struct toy *t = ctx;
	(void)bucket;
	return sim_draw(t->world->sim, c, t->number) == SIM_FINE ? 0 : c->err.code;
}

static int toy_ensure(struct call *c, void *ctx, const struct endpoint_spec *spec)
{
	struct toy *t = ctx;
	enum sim_fault fault = sim_draw(t->world->sim, c, t->number);
	if (fault != SIM_BEFORE) {
		t->exists = true;
		t->replicas = spec->replicas;
		SIM_NEED(t->world->sim, str_copy(t->generation, sizeof(t->generation), spec->generation) &&
			str_copy(t->version, sizeof(t->version), spec->version), "a long name");
	}
	return fault == SIM_FINE ? 0 : c->err.code;
}

static int toy_observe(struct call *c, void *ctx, struct str name, struct endpoint_status *out)
{
	struct toy *t = ctx;
	if (sim_draw(t->world->sim, c, t->number) != SIM_FINE)
		return c->err.code;
	if (t->exists && t->world->sim->trouble && scheduler_draw(20) == 0)
		t->exists = false; // the cloud lost it
	*out = (struct endpoint_status){.state = ENDPOINT_READY,
		.url = S("http://127.0.0.1:4000"),
		.pids = {77},
		.generation = arena_str(c->arena, str_of(t->generation))};
	return t->exists ? 0 : call_fail(c, ERR_NOT_FOUND, "no endpoint %.*s", STR(name));
}

static int toy_delete(struct call *c, void *ctx, struct str name)
{
	struct toy *t = ctx;
	enum sim_fault fault = sim_draw(t->world->sim, c, t->number);
	(void)name;
	if (fault != SIM_BEFORE)
		t->exists = false;
	return fault == SIM_FINE ? 0 : c->err.code;
}

static const struct store_ops toy_store = {.name = "toy", .bucket_head = toy_bucket_head};
static const struct endpoint_ops toy_endpoints = {
	.name = "toy", .ensure = toy_ensure, .observe = toy_observe, .delete = toy_delete};

// The alias is given to a version, an old or a new one.
static void promote(struct world *w)
{
	snprintf(w->version, sizeof(w->version), "%d", 1 + (int)scheduler_draw(VERSIONS));
	AUTO(json) alias = json_pack("{s:s}", "version", w->version);
	AUTO(json) record = json_pack("{s:s, s:s}", "version", w->version, "bucket", "lake");
	struct str key = arena_printf(&w->f.arena, "model-version/classifier/%s", w->version);
	assert_ok(&w->f, state_put(&w->f.call, &w->state, key, record, UINT64_MAX, NULL));
	assert_ok(&w->f, state_put(&w->f.call, &w->state, S("model-alias/classifier/champion"), alias, UINT64_MAX, NULL));
}

static void *open_world(struct sim *sim)
{
	struct world *w = calloc(1, sizeof(*w));
	w->sim = sim;
	fixture_open_state(&w->f, &w->state);
	edges_fake_init(&w->edges, INT64_C(1800000000000000000), sim->seed);
	w->f.call.edges = &w->edges.edges;
	scheduler_begin(&w->edges, sim->seed);
	for (size_t i = 0; i < SIM_CLOUDS; i++) {
		w->toys[i] = (struct toy){.world = w, .number = i};
		w->items[i] = (struct cloud){.name = str_of(names[i]),
			.store = &toy_store,
			.store_ctx = &w->toys[i],
			.endpoints = &toy_endpoints,
			.endpoints_ctx = &w->toys[i]};
		fixture_resource(&w->f, &w->state, arena_printf(&w->f.arena, "bucket/lake on %s", names[i]).p, json_object(), NULL);
		fixture_resource(&w->f, &w->state, arena_printf(&w->f.arena, "endpoint/classify on %s", names[i]).p,
			json_pack("{s:s, s:[s,s,s], s:{s:f, s:s}, s:{s:i, s:i}}", "model", "model/classifier@champion", "clouds", names[0],
				names[1], names[2], "resources", "cpu", 1.0, "memory", "512MiB", "scale", "min", 1, "max", 2),
			NULL);
	}
	promote(w);
	sim_begin(sim, &w->edges, &w->state, NULL);
	w->clouds = (struct clouds){.items = w->items, .count = SIM_CLOUDS};
	w->deploy = (struct deploy_ctx){.clouds = &w->clouds, .state = &sim->state};
	return w;
}

static int attempt(struct sim *sim, void *ctx)
{
	struct world *w = ctx;
	AUTO(arena) arena = {0};
	struct call c;
	size_t pending = 0;
	(void)sim;
	call_init(&c, &arena, &w->edges.edges, S("reconciler/deploy"));
	int rc = deploy_pass(&c, &w->deploy, &pending);
	return rc == 0 && pending ? ERR_UNAVAILABLE : rc;
}

static void check(struct sim *sim, void *ctx)
{
	struct world *w = ctx;
	for (size_t i = 0; i < SIM_CLOUDS; i++) {
		SIM_NEED(sim, w->toys[i].exists && str_eq(str_of(w->toys[i].version), str_of(w->version)), "%s serves version %s instead of %s",
			names[i], w->toys[i].version, w->version);
		SIM_NEED(sim, w->toys[i].replicas == 1, "%lld replicas on %s", (long long)w->toys[i].replicas, names[i]);
	}
	promote(w);
}

static void close_world(struct sim *sim, void *ctx)
{
	struct world *w = ctx;
	sim_end(sim);
	scheduler_end();
	fixture_close_state(&w->f, &w->state);
	free(w);
}

const struct sim_world sim_deploy = {
	.name = "deploy", .open = open_world, .attempt = attempt, .check = check, .goals = VERSIONS, .close = close_world};
