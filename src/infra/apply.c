// SPDX-License-Identifier: Apache-2.0
// Apply as a reconciler. Its view is the plan with the state of each change; decide takes every change whose needs are
// met; act calls the kind's handler and writes the record. A name is made of revision, address, act and the record's
// revision, so that the same act after a kill has the same name, and a later one of the same kind another.
#include "infra/apply.h"

#include <string.h>

#include "base/hash.h"
#include "base/time.h"
#include "infra/apply_impl.h"

enum {
	APPLY_PARALLEL = 8, // acts at once: a few for each cloud
	LOOK_AGAIN_MS = 20,
};

struct view { // what decide sees: a copy, so that it is pure
	const struct plan *plan;
	enum progress_state *states;
	uint64_t revision;
};

const char *apply_state_word(enum apply_state state)
{
	static const char *const words[] = {"started", "done", "failed", "skipped"};
	return words[state];
}

void applier_report(struct applier *p, const struct plan_change *change, struct apply_event event)
{
	event.action = change->action;
	event.address = change->address;
	event.finished = p->finished;
	event.total = p->total;
	if (p->apply->report)
		p->apply->report(p->apply->ctx, &event);
}

// ---------------------------------------------------------------- the revision
static int digest_of(struct call *c, const struct plan *plan, char out[HEX_SHA256_SIZE])
{
	AUTO(json) all = json_object();
	for (size_t i = 0; i < plan->count; i++) {
		const struct plan_change *change = &plan->changes[i];
		char *address = arena_cstr(c->arena, change->address);
		if (!address)
			return call_no_memory(c);
		if (change->desired)
			json_object_set(all, address, (json_t *)(uintptr_t)change->desired->resolved);
	}
	AUTO(buf) text = {0};
	int rc = json_write(all, &text, &c->err);
	if (rc < 0)
		return rc;
	struct sha256 digest = sha256_of(buf_str(&text));
	hex_encode(str_bytes(digest.bytes, SHA256_SIZE), out);
	return 0;
}

static json_t *revision_json(struct call *c, uint64_t number, const char *digest)
{
	char at[TIME_TEXT_SIZE];
	time_rfc3339(call_now_ns(c), 3, at);
	json_t *value = json_object();
	json_object_set_new(value, "number", json_integer((json_int_t)number));
	json_object_set_new(value, "digest", json_string(digest));
	json_object_set_new(value, "at", json_string(at));
	json_set_str(value, "by", c->principal);
	return value;
}

static json_t *changes_json(const struct plan *plan)
{
	json_t *list = json_array();
	for (size_t i = 0; i < plan->count; i++) {
		if (plan->changes[i].action == PLAN_NOTHING)
			continue;
		json_t *one = json_object();
		json_set_str(one, "address", plan->changes[i].address);
		json_object_set_new(one, "action", json_string(plan_action_word(plan->changes[i].action)));
		json_array_append_new(list, one);
	}
	return list;
}

// The event and the record that names the revision in force, in one commit.
static int write_revision(struct call *c, const struct apply *apply, const json_t *value, uint64_t expected)
{
	json_t *data = json_in_arena(c->arena, json_copy((json_t *)(uintptr_t)value));
	if (!data)
		return call_no_memory(c);
	json_object_set_new(data, "changes", changes_json(apply->plan));
	struct event event = {.type = S("revision.committed"), .data = data};
	struct record record = {.key = S("revision/current"), .value = (json_t *)(uintptr_t)value};
	struct state_write write = {.record = &record, .expected = expected};
	const struct state_batch batch = {
		.expected_head = UINT64_MAX, .events = &event, .event_count = 1, .writes = &write, .write_count = 1};
	return state_commit(c, apply->env->state, &batch);
}

// The same desired state keeps its number: an apply that goes on where another was cut off is no new revision.
static int commit(struct call *c, const struct apply *apply, uint64_t *number)
{
	char digest[HEX_SHA256_SIZE];
	struct record current;
	int rc = digest_of(c, apply->plan, digest);
	if (rc == 0)
		rc = state_get(c, apply->env->state, S("revision/current"), &current);
	if (rc < 0)
		return rc;
	*number = (uint64_t)json_int(current.value, "number", 0);
	if (current.revision && strcmp(json_text(current.value, "digest"), digest) == 0)
		return 0;
	(*number)++;
	AUTO(json) value = revision_json(c, *number, digest);
	rc = write_revision(c, apply, value, current.revision);
	return rc < 0 ? call_context(c, "commit revision %llu", (unsigned long long)*number) : 0;
}

// ---------------------------------------------------------------- observe and decide
static int apply_observe(struct call *c, void *ctx, void **out)
{
	struct applier *p = ctx;
	struct view *v = arena_new(c->arena, struct view);
	size_t n = p->apply->plan->count;
	enum progress_state *states = arena_new_array(c->arena, n + 1, enum progress_state);
	if (!v || !states)
		return call_no_memory(c);
	pthread_mutex_lock(&p->lock);
	memcpy(states, p->states, n * sizeof(*states));
	pthread_mutex_unlock(&p->lock);
	*v = (struct view){.plan = p->apply->plan, .states = states, .revision = p->revision};
	*out = v;
	return 0;
}

const struct plan_change *applier_find(const struct applier *p, struct str address, size_t *index)
{
	const struct plan *plan = p->apply->plan;
	for (size_t i = 0; i < plan->count; i++) {
		if (str_eq(plan->changes[i].address, address)) {
			*index = i;
			return &plan->changes[i];
		}
	}
	return NULL;
}

// A change waits for the changes of what it needs; a delete waits for the deletes of what needs it.
static bool must_wait(const struct view *v, size_t index, enum progress_state *worst)
{
	const struct plan_change *change = &v->plan->changes[index];
	bool deleting = change->action == PLAN_DELETE, wait = false;
	for (size_t i = 0; i < v->plan->count; i++) {
		const struct plan_change *other = &v->plan->changes[i];
		if (i == index || (deleting && other->action != PLAN_DELETE))
			continue;
		const struct resource *r = deleting ? other->recorded : change->desired;
		struct str wanted = deleting ? change->address : other->address;
		for (size_t j = 0; j < r->need_count; j++) {
			if (!str_eq(r->needs[j], wanted))
				continue;
			wait = wait || v->states[i] == PENDING;
			if (v->states[i] == FAILED || v->states[i] == SKIPPED)
				*worst = FAILED;
		}
	}
	return wait;
}

static const json_t *action_input(struct arena *a, const struct plan_change *change)
{
	json_t *input = json_object();
	json_object_set_new(input, "action", json_string(plan_action_word(change->action)));
	if (change->desired)
		json_object_set(input, "resolved", (json_t *)(uintptr_t)change->desired->resolved);
	return json_in_arena(a, input);
}

static int add_action(struct arena *a, const struct view *v, const struct plan_change *change, struct actions *out)
{
	unsigned long long record = change->recorded ? change->recorded->revision : 0;
	struct action *action = &out->items[out->count++];
	*action = (struct action){
		.name = arena_printf(a, "apply/%llu/%.*s/%s/%llu", (unsigned long long)v->revision,
			STR(change->address), plan_action_word(change->action), record),
		.type = S("resource.apply"),
		.address = change->address,
		.input = action_input(a, change),
	};
	return action->name.p && action->input ? 0 : ERR_NO_MEMORY;
}

static int apply_decide(struct arena *a, const void *view, int64_t now_ns, struct actions *out)
{
	(void)now_ns;
	const struct view *v = view;
	out->items = arena_new_array(a, v->plan->count + 1, struct action);
	if (!out->items)
		return ERR_NO_MEMORY;
	bool pending = false;
	for (size_t i = 0; i < v->plan->count; i++) {
		enum progress_state worst = PENDING;
		if (v->states[i] != PENDING)
			continue;
		pending = true;
		if (must_wait(v, i, &worst) || worst == FAILED)
			continue;
		int rc = add_action(a, v, &v->plan->changes[i], out);
		if (rc < 0)
			return rc;
	}
	out->finished = !pending;
	return 0;
}

// ---------------------------------------------------------------- all
static bool needs_failed(const struct applier *p, size_t index)
{
	struct view v = {.plan = p->apply->plan, .states = p->states};
	enum progress_state worst = PENDING;
	return !must_wait(&v, index, &worst) && worst == FAILED;
}

// What needs something that failed is over, too; so on until nothing changes.
static void skip_hopeless(struct applier *p)
{
	const struct plan *plan = p->apply->plan;
	for (bool moved = true; moved;) {
		moved = false;
		for (size_t i = 0; i < plan->count; i++) {
			if (p->states[i] != PENDING || !needs_failed(p, i))
				continue;
			p->states[i] = SKIPPED;
			p->finished++;
			moved = true;
			applier_report(p, &plan->changes[i],
				(struct apply_event){.state = APPLY_SKIPPED,
					.error = S("not tried: something that it needs failed")});
		}
	}
}

static size_t count_state(const struct applier *p, enum progress_state state)
{
	size_t n = 0;
	for (size_t i = 0; i < p->apply->plan->count; i++)
		n += p->apply->plan->changes[i].action != PLAN_NOTHING && p->states[i] == state;
	return n;
}

static int conclude(struct call *c, const struct applier *p, struct apply_result *out)
{
	*out = (struct apply_result){.revision = p->revision,
		.done = count_state(p, DONE),
		.failed = count_state(p, FAILED),
		.skipped = count_state(p, SKIPPED)};
	if (out->failed == 0)
		return 0;
	for (size_t i = 0; i < p->apply->plan->count; i++) {
		if (p->states[i] == FAILED)
			return call_fail(c, p->codes[i], "%zu of %zu changes failed, %zu were not tried; first: %.*s",
				out->failed, p->total, out->skipped, STR(p->errors[i]));
	}
	return 0;
}

// Passes until every change is over. A failed act is noted and does not end the run; anything else that fails does.
static int run(struct call *c, struct applier *p)
{
	struct reconciler r = {
		.name = "apply",
		.observe = apply_observe,
		.decide = apply_decide,
		.act = applier_act,
		.ctx = p,
		.parallel = APPLY_PARALLEL,
	};
	for (bool finished = false; !finished;) {
		size_t before = p->finished;
		int rc = reconcile_once(c, p->apply->env->state, &r, &finished);
		if (rc < 0 && (p->finished == before || rc == ERR_CANCELLED || rc == ERR_TIMEOUT))
			return rc;
		err_clear(&c->err);
		skip_hopeless(p);
		if (!finished && p->finished == before) // an act that failed a moment ago is tried again a little later
			rc = call_sleep(c, LOOK_AGAIN_MS * NS_PER_MS);
		if (rc < 0 && c->err.code)
			return rc;
	}
	return 0;
}

int plan_apply(struct call *c, const struct apply *apply, struct apply_result *out)
{
	size_t n = apply->plan->count;
	struct applier p = {.apply = apply};
	p.states = arena_new_array(c->arena, n + 1, enum progress_state);
	p.errors = arena_new_array(c->arena, n + 1, struct str);
	p.codes = arena_new_array(c->arena, n + 1, int);
	if (!p.states || !p.errors || !p.codes)
		return call_no_memory(c);
	for (size_t i = 0; i < n; i++) {
		p.states[i] = apply->plan->changes[i].action == PLAN_NOTHING ? DONE : PENDING;
		p.total += p.states[i] == PENDING;
	}
	int rc = p.total ? commit(c, apply, &p.revision) : 0;
	if (rc < 0)
		return rc;
	pthread_mutex_init(&p.lock, NULL);
	rc = p.total ? run(c, &p) : 0;
	if (rc == 0)
		rc = conclude(c, &p, out);
	pthread_mutex_destroy(&p.lock);
	arena_free(&p.arena);
	return rc;
}
