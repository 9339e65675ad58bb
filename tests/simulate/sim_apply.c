// SPDX-License-Identifier: Apache-2.0
// Plan and apply of random workspaces, one after the other, on three clouds: what lies on the clouds is in the end what was declared,
// each thing once, made after what it needs and deleted before it; a second plan is empty; nothing is left when nothing is wanted.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "fixture_state.h"
#include "infra/apply.h"
#include "scheduler.h"
#include "sim.h"
#include "toy_kinds.h"

enum { MOST = 24, GOALS = 4, BUCKETS = 8 };

struct thing { // on a cloud
	char uid[40], address[64];
	bool versioned;
};
struct world {
	struct fixture f;
	struct edges_fake edges;
	struct state state;
	struct thing things[MOST];
	size_t thing_count;
	struct sim *sim;
	struct resource_handler handlers[3];
	struct infra_env env;
	struct resource desired[MOST];
	size_t desired_count;
	size_t goal;
};
static const char *const names[SIM_CLOUDS] = {"aws-us", "gcp-eu", "azure-eu"};

static size_t cloud_number(struct str name)
{
	size_t i = 0;
	while (i + 1 < SIM_CLOUDS && !str_eq(str_of(names[i]), name))
		i++;
	return i;
}

static struct thing *find(struct world *w, struct str address)
{
	for (size_t i = 0; i < w->thing_count; i++)
		if (str_eq(str_of(w->things[i].address), address))
			return &w->things[i];
	return NULL;
}

static void set(struct world *w, struct thing *t, const struct resource *r)
{
	SIM_NEED(w->sim, str_copy(t->uid, sizeof(t->uid), r->uid) && str_copy(t->address, sizeof(t->address), r->address), "long names");
	t->versioned = json_is_true(json_object_get(r->resolved, "versioning"));
}

// A cloud makes a thing once for one uid, whatever is repeated.
static void make(struct world *w, const struct resource *r)
{
	struct thing *t = find(w, r->address);
	for (size_t i = 0; i < r->need_count; i++)
		SIM_NEED(w->sim, !str_starts(r->needs[i], S("bucket/")) || find(w, r->needs[i]), "%.*s is made before %.*s, which it needs",
			STR(r->address), STR(r->needs[i]));
	SIM_NEED(w->sim, !t || str_eq(str_of(t->uid), r->uid), "%.*s is there already, as %s, and is made again as %.*s", STR(r->address), t->uid,
		STR(r->uid));
	if (!t) {
		SIM_NEED(w->sim, w->thing_count < MOST, "too many things");
		t = &w->things[w->thing_count++];
	}
	set(w, t, r);
}

static int toy_create(struct call *c, void *ctx, const struct resource *r, json_t **outputs, struct str *cloud_id)
{
	struct world *w = ctx;
	enum sim_fault fault = sim_draw(w->sim, c, cloud_number(r->cloud));
	if (fault != SIM_BEFORE)
		make(w, r);
	if (fault != SIM_FINE)
		return c->err.code;
	*outputs = json_pack("{s:b}", "versioning", (int)json_is_true(json_object_get(r->resolved, "versioning")));
	*cloud_id = arena_printf(c->arena, "id-%.*s", STR(r->name));
	return 0;
}

static int toy_read(struct call *c, void *ctx, const struct resource *r, json_t **outputs)
{
	struct world *w = ctx;
	const struct thing *t = find(w, r->address);
	if (sim_draw(w->sim, c, cloud_number(r->cloud)) != SIM_FINE)
		return c->err.code;
	if (!t)
		return call_fail(c, ERR_NOT_FOUND, "no %.*s", STR(r->address));
	*outputs = json_pack("{s:b}", "versioning", (int)t->versioned);
	return 0;
}

static int toy_update(struct call *c, void *ctx, const struct resource *r, const json_t *before, json_t **outputs)
{
	struct world *w = ctx;
	enum sim_fault fault = sim_draw(w->sim, c, cloud_number(r->cloud));
	struct thing *t = find(w, r->address);
	(void)before;
	if (fault != SIM_BEFORE) {
		SIM_NEED(w->sim, t, "%.*s is updated and is not there", STR(r->address));
		set(w, t, r);
	}
	if (fault != SIM_FINE)
		return c->err.code;
	*outputs = json_pack("{s:b}", "versioning", (int)t->versioned);
	return 0;
}

static int toy_delete(struct call *c, void *ctx, const struct resource *r)
{
	struct world *w = ctx;
	enum sim_fault fault = sim_draw(w->sim, c, cloud_number(r->cloud));
	struct thing *t = find(w, r->address);
	if (fault != SIM_BEFORE && t)
		*t = w->things[--w->thing_count];
	return fault == SIM_FINE ? 0 : c->err.code;
}

// ---------------------------------------------------------------- goals
static void want(struct world *w, size_t bucket, size_t cloud)
{
	struct resource *r = &w->desired[w->desired_count];
	json_t *resolved = json_pack("{s:[s], s:b}", "clouds", names[cloud], "versioning", (int)scheduler_draw(2));
	*r = (struct resource){.address = arena_printf(&w->f.arena, "bucket/b%zu on %s", bucket, names[cloud]),
		.kind = S("bucket"),
		.name = arena_printf(&w->f.arena, "b%zu", bucket),
		.cloud = str_of(names[cloud]),
		.resolved = json_in_arena(&w->f.arena, resolved)};
	r->written = r->resolved;
	r->needs = arena_new_array(&w->f.arena, 2, struct str);
	for (size_t i = 0; i < 2 && w->desired_count; i++)
		if (scheduler_draw(3) == 0)
			r->needs[r->need_count++] = w->desired[scheduler_draw(w->desired_count)].address;
	w->desired_count++;
}

static void new_goal(struct world *w)
{
	w->desired_count = 0;
	for (size_t i = 0; i < BUCKETS; i++)
		for (size_t k = 0; k < SIM_CLOUDS; k++)
			if (scheduler_draw(3) == 0 && w->desired_count < MOST)
				want(w, i, k);
}

static void *open_world(struct sim *sim)
{
	struct world *w = calloc(1, sizeof(*w));
	w->sim = sim;
	fixture_open_state(&w->f, &w->state);
	edges_fake_init(&w->edges, INT64_C(1800000000000000000), sim->seed);
	scheduler_begin(&w->edges, sim->seed);
	sim_begin(sim, &w->edges, &w->state, NULL);
	w->handlers[0] = (struct resource_handler){.kind = &toy_bucket_kind,
		.per_cloud = true,
		.create = toy_create,
		.read = toy_read,
		.update = toy_update,
		.delete = toy_delete,
		.ctx = w};
	w->handlers[1] = (struct resource_handler){.kind = &toy_set_kind};
	w->handlers[2] = (struct resource_handler){.kind = &toy_cloud_kind};
	w->env = (struct infra_env){.state = &sim->state, .handlers = w->handlers, .handler_count = COUNT_OF(w->handlers)};
	new_goal(w);
	return w;
}

static int plan(struct world *w, struct call *c, struct plan *out)
{
	const struct workspace workspace = {.resources = w->desired, .resource_count = w->desired_count};
	struct plan_request request = {.desired = w->goal + 1 < GOALS ? &workspace : NULL};
	return plan_prepare(c, &w->env, &request, out);
}

static int attempt(struct sim *sim, void *ctx)
{
	struct world *w = ctx;
	AUTO(arena) arena = {0};
	struct call c;
	struct plan made;
	struct apply_result result = {0};
	(void)sim;
	call_init(&c, &arena, &w->edges.edges, S("user/simulation"));
	c.workspace = S("w");
	int rc = plan(w, &c, &made);
	const struct apply run = {.env = &w->env, .plan = &made};
	if (rc == 0)
		rc = plan_apply(&c, &run, &result);
	return rc;
}

static void check(struct sim *sim, void *ctx)
{
	struct world *w = ctx;
	AUTO(arena) arena = {0};
	struct call c;
	struct plan again;
	size_t wanted = w->goal + 1 < GOALS ? w->desired_count : 0;
	call_init(&c, &arena, &w->edges.edges, S("user/simulation"));
	c.workspace = S("w");
	SIM_NEED(sim, w->thing_count == wanted, "%zu things lie on the clouds, %zu are declared", w->thing_count, wanted);
	for (size_t i = 0; i < wanted; i++) {
		const struct thing *t = find(w, w->desired[i].address);
		SIM_NEED(sim, t, "%.*s is not there", STR(w->desired[i].address));
		SIM_NEED(sim, t->versioned == json_is_true(json_object_get(w->desired[i].resolved, "versioning")), "%s is not as declared", t->address);
	}
	SIM_NEED(sim, plan(w, &c, &again) == 0, "%s", c.err.message);
	SIM_NEED(sim, plan_is_empty(&again), "a second plan is not empty");
	w->goal++;
	new_goal(w);
}

static void close_world(struct sim *sim, void *ctx)
{
	struct world *w = ctx;
	sim_end(sim);
	scheduler_end();
	fixture_close_state(&w->f, &w->state);
	free(w);
}

const struct sim_world sim_apply = {
	.name = "apply", .open = open_world, .attempt = attempt, .check = check, .goals = GOALS, .close = close_world};
