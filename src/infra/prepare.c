// SPDX-License-Identifier: Apache-2.0
// Gathering the inputs of a plan. See prepare.h.
#include "infra/prepare.h"

#include <pthread.h>
#include <string.h>

#include "base/time.h"

enum { OBSERVE_TIMEOUT_S = 10 }; // of all resources of one cloud: a plan should say soon that a cloud is silent

const struct resource_handler *infra_handler(const struct infra_env *env, struct str kind)
{
	for (size_t i = 0; i < env->handler_count; i++) {
		if (str_eq(str_of(env->handlers[i].kind->singular), kind))
			return &env->handlers[i];
	}
	return NULL;
}

// ---------------------------------------------------------------- observing
struct look { // one resource to look at
	const struct resource *r;
	const struct resource_handler *handler;
	bool seen, gone;
	json_t *outputs; // owned until it moves into the plan's arena
};

struct observer { // one cloud, one thread
	const struct call *parent;
	struct str cloud;
	struct look *looks;
	size_t count;
	pthread_t thread;
	bool started;
	struct err err; // of the first resource that could not be observed
};

static void observe_one(struct call *c, struct observer *o, struct look *look)
{
	int rc = look->handler->read(c, look->handler->ctx, look->r, &look->outputs);
	look->seen = rc == 0 || rc == ERR_NOT_FOUND;
	look->gone = rc == ERR_NOT_FOUND;
	if (!look->seen && !o->err.code)
		o->err = c->err;
	err_clear(&c->err);
}

static void *observe_cloud(void *ctx)
{
	struct observer *o = ctx;
	AUTO(arena) arena = {0};
	struct call c;
	call_child(&c, o->parent, &arena, OBSERVE_TIMEOUT_S * NS_PER_S);
	for (size_t i = 0; i < o->count && !o->err.code; i++) {
		if (str_eq(o->looks[i].r->cloud, o->cloud) && o->looks[i].handler)
			observe_one(&c, o, &o->looks[i]);
	}
	return NULL;
}

static void add_observer(struct observer *all, size_t *count, struct str cloud)
{
	for (size_t i = 0; i < *count; i++) {
		if (str_eq(all[i].cloud, cloud))
			return;
	}
	all[*count].cloud = cloud;
	(*count)++;
}

static void observe_all(struct call *c, struct observer *all, size_t count, struct look *looks, size_t look_count)
{
	for (size_t i = 0; i < count; i++) {
		all[i].parent = c;
		all[i].looks = looks;
		all[i].count = look_count;
		all[i].started = pthread_create(&all[i].thread, NULL, observe_cloud, &all[i]) == 0;
		if (!all[i].started)
			observe_cloud(&all[i]);
	}
	for (size_t i = 0; i < count; i++) {
		if (all[i].started)
			pthread_join(all[i].thread, NULL);
	}
}

static bool is_to_observe(const struct resource *r, const struct resource_handler *h)
{
	return h && h->read && !str_eq(r->status, S("waiting")) && !str_eq(r->status, S("failed"));
}

static int observe(struct call *c, const struct infra_env *env, struct plan_input *in)
{
	struct look *looks = arena_new_array(c->arena, in->recorded_count + 1, struct look);
	struct observer *observers = arena_new_array(c->arena, in->recorded_count + 1, struct observer);
	struct plan_observed *observed = arena_new_array(c->arena, in->recorded_count + 1, struct plan_observed);
	if (!looks || !observers || !observed)
		return call_no_memory(c);
	size_t observer_count = 0;
	for (size_t i = 0; i < in->recorded_count; i++) {
		const struct resource_handler *h = infra_handler(env, in->recorded[i].kind);
		looks[i].r = &in->recorded[i];
		looks[i].handler = is_to_observe(looks[i].r, h) ? h : NULL;
		if (looks[i].handler)
			add_observer(observers, &observer_count, looks[i].r->cloud);
	}
	observe_all(c, observers, observer_count, looks, in->recorded_count);
	for (size_t i = 0; i < in->recorded_count; i++) {
		const json_t *outputs = looks[i].outputs ? json_in_arena(c->arena, looks[i].outputs) : NULL;
		if (looks[i].seen)
			observed[in->observed_count++] = (struct plan_observed){
				.address = looks[i].r->address, .gone = looks[i].gone, .outputs = outputs};
		else if (looks[i].handler)
			observed[in->observed_count++] =
				(struct plan_observed){.address = looks[i].r->address, .unseen = true};
	}
	in->observed = observed;
	return 0;
}

// ---------------------------------------------------------------- waiting
static int find_waits(struct call *c, const struct infra_env *env, struct plan_input *in)
{
	struct plan_waiting *waits = arena_new_array(c->arena, in->desired_count + 1, struct plan_waiting);
	if (!waits)
		return call_no_memory(c);
	for (size_t i = 0; i < in->desired_count; i++) {
		const struct resource *r = &in->desired[i];
		const struct resource_handler *h = infra_handler(env, r->kind);
		struct str reason = {0};
		if (!h || !h->waiting)
			continue;
		int rc = h->waiting(c, h->ctx, r, &reason);
		if (rc < 0)
			return call_context(c, "look whether %.*s must wait", STR(r->address));
		if (reason.n)
			waits[in->waiting_count++] = (struct plan_waiting){.address = r->address, .reason = reason};
	}
	in->waiting = waits;
	return 0;
}

static int list_overrides(struct call *c, const struct infra_env *env, struct plan_input *in)
{
	struct override *list;
	int rc = override_list(c, env->state, &list, &in->override_count);
	in->overrides = list;
	return rc;
}

static int list_recorded(struct call *c, const struct infra_env *env, struct plan_input *in)
{
	struct resource *list;
	int rc = resource_list(c, env->state, S(""), &list, &in->recorded_count);
	in->recorded = list;
	return rc;
}

int plan_prepare(struct call *c, const struct infra_env *env, const struct workspace *desired, struct plan *out)
{
	struct plan_input in = {.handlers = env->handlers, .handler_count = env->handler_count};
	if (desired) {
		in.desired = desired->resources;
		in.desired_count = desired->resource_count;
	}
	int rc = list_recorded(c, env, &in);
	if (rc == 0)
		rc = observe(c, env, &in);
	if (rc == 0)
		rc = find_waits(c, env, &in);
	if (rc == 0)
		rc = list_overrides(c, env, &in);
	return rc < 0 ? rc : plan_make(&in, c->arena, out, &c->err);
}
