// SPDX-License-Identifier: Apache-2.0
// Lanes: one reconciler a cloud. Its view is the plan with the state of each change; decide takes every change of its
// own whose needs are met and that is more than a record (apply_records.c); act (apply_act.c) calls the kind's handler and writes the record. A name is made of revision,
// address, act and the record's revision, so that the same act after a kill has the same name, and a later one of the
// same kind another.
#include <string.h>

#include "base/time.h"
#include "infra/apply_impl.h"

enum {
	LANE_PARALLEL = 4, // acts at once on one cloud
	LOOK_AGAIN_MS = 20,
	MOST_LANES = 64, // threads; further clouds share the last lane
};

struct view { // what decide sees: a copy, so that it is pure
	const struct lane *lane;
	enum progress_state *states;
};

// ---------------------------------------------------------------- observe and decide
static int lane_observe(struct call *c, void *ctx, void **out)
{
	struct lane *l = ctx;
	struct applier *p = l->applier;
	struct view *v = arena_new(c->arena, struct view);
	size_t n = p->apply->plan->count;
	enum progress_state *states = arena_new_array(c->arena, n + 1, enum progress_state);
	if (!v || !states)
		return call_no_memory(c);
	pthread_mutex_lock(&p->lock);
	memcpy(states, p->states, n * sizeof(*states));
	pthread_mutex_unlock(&p->lock);
	*v = (struct view){.lane = l, .states = states};
	*out = v;
	return 0;
}

bool applier_must_wait(
	const struct applier *p, const enum progress_state *states, size_t index, bool *hopeless)
{
	const struct change_needs *needs = &p->needs[index];
	bool wait = false;
	for (size_t i = 0; i < needs->count; i++) {
		enum progress_state state = states[needs->on[i]];
		wait = wait || state == PENDING;
		*hopeless = *hopeless || state == FAILED || state == SKIPPED;
	}
	return wait;
}

static const json_t *action_input(struct arena *a, const struct plan_change *change)
{
	json_t *input = json_object();
	json_object_set_new(input, "action", json_string(plan_action_word(change->action)));
	if (change->desired)
		json_object_set(input, "resolved", (json_t *)(uintptr_t)change->desired->resolved);
	if (change->moved_from.n)
		json_set_str(input, "moved_from", change->moved_from);
	return json_in_arena(a, input);
}

static int add_action(struct arena *a, const struct view *v, const struct plan_change *change, struct actions *out)
{
	unsigned long long record = change->recorded ? change->recorded->revision : 0;
	struct action *action = &out->items[out->count++];
	*action = (struct action){
		.name = arena_printf(a, "apply/%llu/%.*s/%s/%llu", (unsigned long long)v->lane->applier->revision,
			STR(change->address), plan_action_word(change->action), record),
		.type = S("resource.apply"),
		.address = change->address,
		.input = action_input(a, change),
	};
	return action->name.p && action->input ? 0 : ERR_NO_MEMORY;
}

static int lane_decide(struct arena *a, const void *view, int64_t now_ns, struct actions *out)
{
	(void)now_ns;
	const struct view *v = view;
	const struct applier *p = v->lane->applier;
	out->items = arena_new_array(a, v->lane->count + 1, struct action);
	if (!out->items)
		return ERR_NO_MEMORY;
	bool pending = false;
	for (size_t i = 0; i < v->lane->count; i++) {
		size_t index = v->lane->changes[i];
		bool hopeless = false;
		if (v->states[index] != PENDING)
			continue;
		pending = true;
		const struct plan_change *change = &p->apply->plan->changes[index];
		if (applier_is_record_only(p, change) || applier_must_wait(p, v->states, index, &hopeless) || hopeless)
			continue;
		int rc = add_action(a, v, change, out);
		if (rc < 0)
			return rc;
	}
	out->finished = !pending;
	return 0;
}

// ---------------------------------------------------------------- one lane
// What needs something that failed is over, too; so on until nothing changes. Returns how many of the lane are over.
static size_t skip_hopeless(struct lane *l)
{
	struct applier *p = l->applier;
	size_t over = 0;
	pthread_mutex_lock(&p->lock);
	for (bool moved = true; moved;) {
		moved = false;
		over = 0;
		for (size_t i = 0; i < l->count; i++) {
			size_t index = l->changes[i];
			bool hopeless = false;
			over += p->states[index] != PENDING;
			if (p->states[index] != PENDING || applier_must_wait(p, p->states, index, &hopeless) || !hopeless)
				continue;
			p->states[index] = SKIPPED;
			p->finished++;
			moved = true;
			applier_report(p, &p->apply->plan->changes[index],
				(struct apply_event){.state = APPLY_SKIPPED,
					.error = S("not tried: something that it needs failed")});
		}
	}
	pthread_mutex_unlock(&p->lock);
	return over;
}

static bool is_broken(struct applier *p)
{
	pthread_mutex_lock(&p->lock);
	bool broken = p->broken;
	pthread_mutex_unlock(&p->lock);
	return broken;
}

// Passes until every change is over. A failed act is noted and does not end the run; anything else that fails does.
static int run_lane(struct call *c, struct lane *l)
{
	struct applier *p = l->applier;
	struct reconciler r = {
		.name = l->name,
		.observe = lane_observe,
		.decide = lane_decide,
		.act = applier_act,
		.ctx = l,
		.parallel = LANE_PARALLEL,
	};
	size_t before = 0;
	for (bool finished = false; !finished && !is_broken(p);) {
		int rc = reconcile_once(c, p->apply->env->state, &r, &finished); // first what a kill left open
		if (rc == 0)
			rc = applier_write_records(c, l);
		size_t over = skip_hopeless(l);
		if (rc < 0 && over == before)
			return rc;
		struct call probe = *c;
		if (call_check(&probe) < 0)
			return call_check(c);
		err_clear(&c->err);
		rc = 0;
		if (!finished && over == before) // what others do is awaited, or an act is tried again a little later
			rc = call_sleep(c, LOOK_AGAIN_MS * NS_PER_MS);
		if (rc < 0)
			return rc;
		before = over;
	}
	return 0;
}

static void *lane_thread(void *ctx)
{
	struct lane *l = ctx;
	struct applier *p = l->applier;
	l->rc = run_lane(&l->call, l);
	if (l->rc < 0) {
		pthread_mutex_lock(&p->lock);
		p->broken = true;
		pthread_mutex_unlock(&p->lock);
	}
	return NULL;
}

// ---------------------------------------------------------------- all lanes
static struct lane *lane_of(struct call *c, struct applier *p, struct lane *all, size_t *count, struct str cloud)
{
	for (size_t i = 0; i < *count; i++) {
		if (str_eq(all[i].cloud, cloud))
			return &all[i];
	}
	if (*count == MOST_LANES)
		return &all[MOST_LANES - 1];
	struct str name = cloud.n ? arena_printf(c->arena, "apply on %.*s", STR(cloud)) : S("apply");
	if (!name.p)
		return NULL;
	struct lane *l = &all[(*count)++];
	*l = (struct lane){.applier = p, .cloud = cloud, .name = name.p};
	return l;
}

static int add_change(struct call *c, struct lane *l, size_t index)
{
	if (l->count == l->room) {
		size_t room = l->room ? 2 * l->room : 64;
		uint32_t *more = arena_new_array(c->arena, room, uint32_t);
		if (!more)
			return call_no_memory(c);
		if (l->count)
			memcpy(more, l->changes, l->count * sizeof(*more));
		l->changes = more;
		l->room = room;
	}
	l->changes[l->count++] = (uint32_t)index;
	return 0;
}

// A cloud that was silent when the plan was made is not asked again now: each act would wait for it.
static void find_silent(const struct plan *plan, struct lane *all, size_t count)
{
	for (size_t i = 0; i < plan->count; i++) {
		const struct plan_change *change = &plan->changes[i];
		const struct resource *r = change->desired ? change->desired : change->recorded;
		for (size_t k = 0; change->unseen && k < count; k++) {
			if (str_eq(all[k].cloud, r->cloud) && r->cloud.n)
				all[k].down = S("it was silent when the plan was made");
		}
	}
}

static int fill_lanes(struct call *c, struct applier *p, struct lane *all, size_t *count)
{
	const struct plan *plan = p->apply->plan;
	for (size_t i = 0; i < plan->count; i++) {
		const struct plan_change *change = &plan->changes[i];
		const struct resource *r = change->desired ? change->desired : change->recorded;
		if (change->action == PLAN_NOTHING)
			continue;
		struct lane *l = lane_of(c, p, all, count, r->cloud);
		int rc = l ? add_change(c, l, i) : call_no_memory(c);
		if (rc < 0)
			return rc;
	}
	return 0;
}

// A kill between a record and the journal of its act leaves the intent open though the plan finds nothing to do: its
// lane runs to close it. "intent/apply on aws-us/apply/3/bucket/lake on aws-us/create/0"
static int add_interrupted(struct call *c, struct applier *p, struct lane *all, size_t *count)
{
	struct record *open;
	size_t n = 0;
	int rc = state_list(c, p->apply->env->state, S("intent/apply"), &open, &n);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		struct str name, rest, cloud = S("");
		str_cut(str_drop(open[i].key, sizeof("intent/") - 1), '/', &name, &rest);
		if (str_starts(name, S("apply on ")))
			cloud = str_drop(name, sizeof("apply on ") - 1);
		else if (!str_eq(name, S("apply")))
			continue;
		if (!lane_of(c, p, all, count, cloud))
			rc = call_no_memory(c);
	}
	return rc;
}

static void stop_all(struct applier *p, struct lane *l)
{
	l->rc = call_fail(&l->call, ERR_NO_MEMORY, "the system starts no thread for %s", l->name);
	pthread_mutex_lock(&p->lock);
	p->broken = true;
	pthread_mutex_unlock(&p->lock);
}

int applier_run_lanes(struct call *c, struct applier *p)
{
	size_t count = 0;
	struct lane *all = arena_new_array(c->arena, MOST_LANES, struct lane);
	int rc = all ? fill_lanes(c, p, all, &count) : call_no_memory(c);
	if (rc == 0)
		rc = add_interrupted(c, p, all, &count);
	if (rc < 0)
		return rc;
	find_silent(p->apply->plan, all, count);
	for (size_t i = 0; i < count; i++) { // before any thread runs: the call is this thread's alone
		call_child(&all[i].call, c, &all[i].arena, 0);
	}
	for (size_t i = 0; i < count; i++) {
		all[i].threaded = pthread_create(&all[i].thread, NULL, lane_thread, &all[i]) == 0;
		if (!all[i].threaded)
			stop_all(p, &all[i]);
	}
	for (size_t i = 0; i < count; i++) {
		if (all[i].threaded)
			pthread_join(all[i].thread, NULL);
		if (all[i].rc < 0 && rc == 0) {
			c->err = all[i].call.err;
			rc = all[i].rc;
		}
		arena_free(&all[i].arena);
	}
	return rc;
}
