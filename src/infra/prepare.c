// SPDX-License-Identifier: Apache-2.0
// Gathering the inputs of a plan. See prepare.h.
#include "infra/prepare.h"

#include <pthread.h>
#include <string.h>

#include "base/time.h"
#include "data/passage.h"
#include "infra/address_index.h"
#include "state/resource_common.h"
#include "state/resource_scan.h"

enum { READ_TIMEOUT_S = 10 }; // of one resource: a plan should say soon that a cloud is silent

const struct resource_handler *infra_handler(const struct infra_env *env, struct str kind)
{
	for (size_t i = 0; i < env->handler_count; i++) {
		if (is_named(env->handlers[i].kind, kind))
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

static void observe_one(struct observer *o, struct look *look)
{
	AUTO(arena) arena = {0};
	struct call c;
	call_child(&c, o->parent, &arena, READ_TIMEOUT_S * NS_PER_S);
	int rc = look->handler->read(&c, look->handler->ctx, look->r, &look->outputs);
	look->seen = rc == 0 || rc == ERR_NOT_FOUND;
	look->gone = rc == ERR_NOT_FOUND;
	if (!look->seen)
		o->err = c.err;
}

static void *observe_cloud(void *ctx)
{
	struct observer *o = ctx;
	for (size_t i = 0; i < o->count && !o->err.code; i++) {
		if (str_eq(o->looks[i].r->cloud, o->cloud))
			observe_one(o, &o->looks[i]);
	}
	return NULL;
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

struct observation { // all of it
	struct look *looks;
	size_t look_count;
	struct observer *observers;
	size_t observer_count, observer_room;
};

static int add_observer(struct call *c, struct observation *o, struct str cloud)
{
	for (size_t i = 0; i < o->observer_count; i++) {
		if (str_eq(o->observers[i].cloud, cloud))
			return 0;
	}
	if (o->observer_count == o->observer_room) {
		size_t room = o->observer_room ? 2 * o->observer_room : 8;
		struct observer *more = arena_new_array(c->arena, room, struct observer);
		if (!more)
			return call_no_memory(c);
		if (o->observer_count)
			memcpy(more, o->observers, o->observer_count * sizeof(*more));
		o->observers = more;
		o->observer_room = room;
	}
	o->observers[o->observer_count++].cloud = cloud;
	return 0;
}

static int add_look(struct call *c, struct observation *o, const struct resource *r, const struct resource_handler *h)
{
	o->looks[o->look_count++] = (struct look){.r = r, .handler = h};
	return add_observer(c, o, r->cloud);
}

// What is recorded, and what is declared to exist already but was never looked at.
static int find_looks(struct call *c, const struct infra_env *env, const struct plan_input *in, struct observation *o)
{
	struct address_index recorded = {0};
	int rc = 0;
	bool existing = false;
	for (size_t i = 0; i < in->desired_count && !existing; i++)
		existing = resource_is_kept(&in->desired[i]) || resource_is_adopted(&in->desired[i]);
	o->looks = arena_new_array(c->arena, in->recorded_count + in->desired_count + 1, struct look);
	if (!o->looks || (existing && address_index_make(c->arena, in->recorded, in->recorded_count,
						    sizeof(*in->recorded), &recorded) < 0))
		return call_no_memory(c);
	for (size_t i = 0; rc == 0 && i < in->recorded_count; i++) {
		const struct resource_handler *h = infra_handler(env, in->recorded[i].kind);
		if (is_to_observe(&in->recorded[i], h))
			rc = add_look(c, o, &in->recorded[i], h);
	}
	for (size_t i = 0; rc == 0 && existing && i < in->desired_count; i++) {
		const struct resource *r = &in->desired[i];
		const struct resource_handler *h = NULL;
		if ((resource_is_kept(r) || resource_is_adopted(r)) && !address_find(&recorded, r->address))
			h = infra_handler(env, r->kind);
		if (h && h->read && !r->waits_for.n)
			rc = add_look(c, o, r, h);
	}
	return rc;
}

// What a cloud said that answered, and did not say what is there; "" for one that was silent.
static struct str why_unseen(struct call *c, const struct observation *o, const struct look *look)
{
	const struct err *e = NULL;
	for (size_t i = 0; i < o->observer_count && !look->seen; i++)
		e = str_eq(o->observers[i].cloud, look->r->cloud) ? &o->observers[i].err : e;
	bool said = e && (e->code == ERR_UNAUTHENTICATED || e->code == ERR_DENIED || e->code == ERR_INVALID);
	return said ? arena_str(c->arena, str_of(e->message)) : (struct str){0};
}

static int observe(struct call *c, const struct infra_env *env, struct plan_input *in, bool blind)
{
	struct observation o = {0};
	int rc = find_looks(c, env, in, &o);
	struct plan_observed *observed = arena_new_array(c->arena, o.look_count + 1, struct plan_observed);
	if (rc < 0 || !observed)
		return rc < 0 ? rc : call_no_memory(c);
	if (!blind)
		observe_all(c, o.observers, o.observer_count, o.looks, o.look_count);
	for (size_t i = 0; i < o.look_count; i++) {
		const struct look *look = &o.looks[i];
		observed[in->observed_count++] = (struct plan_observed){
			.address = look->r->address,
			.gone = look->gone,
			.unseen = !look->seen,
			.why = why_unseen(c, &o, look),
			.outputs = look->outputs ? json_in_arena(c->arena, look->outputs) : NULL,
		};
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

bool infra_reads_whole(void *env, struct str kind)
{
	const struct resource_handler *h = infra_handler(env, kind);
	return (h && h->read) || str_eq(kind, S("cloud"));
}

static int list_recorded(struct call *c, const struct infra_env *env, struct plan_request *request)
{
	const struct resource_filter filter = {.whole = infra_reads_whole, .ctx = (void *)(uintptr_t)env};
	if (request->recorded)
		return 0;
	return resource_scan(c, env->state, &filter, &request->recorded, &request->recorded_count);
}

static bool is_same(const struct resource *light, const struct resource *desired)
{
	uint64_t sum[2];
	resource_sum(desired, sum);
	return memcmp(sum, light->sum, sizeof(sum)) == 0;
}

static int index_desired(struct call *c, const struct workspace *w, struct address_index *desired, struct address_index *moved)
{
	size_t moves = 0, count = w ? w->resource_count : 0;
	struct str *from = arena_new_array(c->arena, count + 1, struct str);
	for (size_t i = 0; from && i < count; i++) {
		if (w->resources[i].moved_from.n)
			from[moves++] = w->resources[i].moved_from;
	}
	if (!from || address_index_make(c->arena, from, moves, sizeof(*from), moved) < 0 ||
		address_index_make(c->arena, w ? w->resources : NULL, count, sizeof(struct resource), desired) < 0)
		return call_no_memory(c);
	return 0;
}

// What differs, moves or goes is read whole; what is the same stays light. Fills the pairs of in.
static int load_changed(
	struct call *c, const struct infra_env *env, struct plan_request *request, struct plan_input *in)
{
	const struct workspace *w = request->desired;
	struct address_index *desired = arena_new(c->arena, struct address_index), moved;
	uint32_t *pairs = arena_new_array(c->arena, request->recorded_count + 1, uint32_t);
	int rc = desired && pairs ? index_desired(c, w, desired, &moved) : call_no_memory(c);
	for (size_t i = 0; rc == 0 && i < request->recorded_count; i++) {
		struct resource *r = &request->recorded[i];
		size_t place = address_find(desired, r->address);
		pairs[i] = (uint32_t)place;
		if (r->light && (!place || address_find(&moved, r->address) || !is_same(r, &w->resources[place - 1])))
			rc = resource_load(c, env->state, r);
	}
	in->desired_index = desired;
	in->pairs = pairs;
	return rc;
}

int plan_prepare(struct call *c, const struct infra_env *env, struct plan_request *request, struct plan *out)
{
	struct plan_input in = {.handlers = env->handlers,
		.handler_count = env->handler_count,
		.refresh_only = request->refresh_only,
		.protect = request->protect};
	if (request->desired) {
		in.desired = request->desired->resources;
		in.desired_count = request->desired->resource_count;
	}
	int rc = list_recorded(c, env, request);
	int64_t start = call_mono_ns(c);
	if (rc == 0)
		rc = load_changed(c, env, request, &in);
	request->diff_ns = call_mono_ns(c) - start;
	in.recorded = request->recorded;
	in.recorded_count = request->recorded_count;
	if (rc == 0)
		rc = observe(c, env, &in, request->blind);
	if (rc == 0)
		rc = find_waits(c, env, &in);
	if (rc == 0)
		rc = list_overrides(c, env, &in);
	if (rc == 0 && request->desired && !request->refresh_only)
		rc = passage_plan(c, env->state, in.desired, in.desired_count);
	if (rc < 0)
		return rc;
	start = call_mono_ns(c);
	rc = plan_make(&in, c->arena, out, &c->err);
	request->diff_ns += call_mono_ns(c) - start;
	return rc;
}
