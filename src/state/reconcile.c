// SPDX-License-Identifier: Apache-2.0
// The reconcile loop: see reconcile.h. What an action went through is kept twice, in one commit each time: as events
// for people and other rooms, and as records by name, so that the loop asks for one action without reading the journal.
//     intent/RECONCILER/ACTION  {type, address, input}                         while it is open
//     action/ACTION             {state: done|failed, type, address, output | error, attempts, recent, retry_at_ns,
//                                at_ns}
#include "state/reconcile.h"

#include <string.h>

#include "base/time.h"
#include "state/reconcile_impl.h"

static const int64_t pace_ns = 200 * NS_PER_MS;
static const int64_t retry_first_ns = 100 * NS_PER_MS, retry_most_ns = 10 * NS_PER_S;

struct pass {
	struct call *c; // arena of the pass
	const struct state *s;
	const struct reconciler *r;
	bool acted; // something ended
	bool finished;
	bool resuming;    // what fails now only closes its intent: decide will say whether it is still wanted
	int64_t again_ns; // 0: the loop's choice
	struct err fatal; // first failure that is not worth a retry
	int64_t began_ns; // of the run: pauses that earlier runs earned are not waited for; 0: they are
};

static struct str action_key(struct call *c, struct str name)
{
	return arena_printf(c->arena, "action/%.*s", STR(name));
}

static struct str intent_key(struct pass *p, struct str name)
{
	return arena_printf(p->c->arena, "intent/%s/%.*s", p->r->name, STR(name));
}

static int64_t retry_pause(int64_t attempts)
{
	int64_t shift = MIN(attempts - 1, 10);
	return MIN(retry_first_ns << shift, retry_most_ns);
}

static json_t *action_json(const struct pass *p, const struct action *a)
{
	json_t *j = json_object();
	json_set_str(j, "action", a->name);
	json_set_str(j, "type", a->type);
	json_set_str(j, "reconciler", str_of(p->r->name));
	return j;
}

static json_t *error_json(const struct err *e)
{
	json_t *j = json_object();
	json_set_str(j, "code", str_of(err_name(e->code)));
	json_set_str(j, "message", str_of(e->message));
	json_set_str(j, "provider_code", str_of(e->provider_code));
	json_object_set_new(j, "retryable", json_boolean(e->retryable));
	return j;
}

static void error_of_json(const json_t *j, struct err *e)
{
	int code = err_code_of_name(json_str(j, "code"));
	(void)err_set(e, code ? code : ERR_FAILED, "%s", json_text(j, "message"));
	e->retryable = json_flag(j, "retryable", false);
	(void)str_copy(e->provider_code, sizeof(e->provider_code), json_str(j, "provider_code"));
}

// ---------------------------------------------------------------- intents

static json_t *intent_json(const struct action *a)
{
	json_t *j = json_object();
	json_set_str(j, "type", a->type);
	json_set_str(j, "address", a->address);
	json_object_set_new(j, "input", a->input ? json_deep_copy(a->input) : json_object());
	return j;
}

// All intents of a batch become durable in one commit, in the order in which decide gave them.
static int journal_intents(struct pass *p, const struct work *works, size_t count)
{
	struct arena *arena = p->c->arena;
	struct event *events = arena_new_array(arena, count, struct event);
	struct record *records = arena_new_array(arena, count, struct record);
	struct state_write *writes = arena_new_array(arena, count, struct state_write);
	if (!events || !records || !writes)
		return call_no_memory(p->c);
	for (size_t i = 0; i < count; i++) {
		const struct action *a = works[i].action;
		json_t *data = json_in_arena(arena, action_json(p, a)), *intent = json_in_arena(arena, intent_json(a));
		if (!data || !intent)
			return call_no_memory(p->c);
		json_object_set(data, "input", json_object_get(intent, "input"));
		events[i] = (struct event){.type = S("action.intended"), .address = a->address, .data = data};
		records[i] = (struct record){.key = intent_key(p, a->name), .value = intent};
		writes[i] = (struct state_write){.record = &records[i], .expected = 0};
	}
	const struct state_batch batch = {.expected_head = UINT64_MAX,
		.events = events,
		.event_count = count,
		.writes = writes,
		.write_count = count};
	int rc = state_commit(p->c, p->s, &batch);
	if (rc == ERR_CONFLICT)
		return call_context(p->c, "another process runs the reconciler %s", p->r->name);
	return rc;
}

// ---------------------------------------------------------------- results

static json_t *result_json(const struct pass *p, const struct work *w)
{
	int64_t now = call_now_ns(p->c), recent = w->recent + 1;
	json_t *j = intent_json(w->action);
	json_object_del(j, "input");
	json_set_str(j, "state", w->rc < 0 ? S("failed") : S("done"));
	json_object_set_new(j, "at_ns", json_integer(now));
	if (w->rc == 0) {
		json_object_set_new(j, "output", w->output ? json_deep_copy(w->output) : json_object());
		return j;
	}
	json_object_set_new(j, "error", error_json(&w->call.err));
	json_object_set_new(j, "attempts", json_integer(w->attempts + 1));
	json_object_set_new(j, "recent", json_integer(recent));
	json_object_set_new(j, "retry_at_ns", json_integer(now + retry_pause(recent)));
	return j;
}

static int journal_result(struct pass *p, const struct work *w)
{
	const struct action *a = w->action;
	AUTO(json) result = result_json(p, w);
	AUTO(json) data = action_json(p, a);
	static const char *const copied[] = {"output", "error", "attempts"};
	for (size_t i = 0; i < COUNT_OF(copied); i++)
		if (json_object_get(result, copied[i]))
			json_object_set(data, copied[i], json_object_get(result, copied[i]));
	struct record records[] = {
		{.key = intent_key(p, a->name)}, {.key = action_key(p->c, a->name), .value = result}};
	struct state_write writes[] = {
		{.record = &records[0], .expected = UINT64_MAX}, {.record = &records[1], .expected = UINT64_MAX}};
	struct event e = {
		.type = w->rc < 0 ? S("action.failed") : S("action.done"), .address = a->address, .data = data};
	const struct state_batch batch = {.expected_head = UINT64_MAX,
		.events = &e,
		.event_count = 1,
		.writes = writes,
		.write_count = COUNT_OF(writes)};
	return state_commit(p->c, p->s, &batch);
}

// An action that the end of the call cut off has no result: its intent stays open and is acted on again.
static int action_ended(struct batch *b, struct work *w)
{
	struct pass *p = b->ctx;
	struct call probe = *p->c;
	if (w->rc < 0 && (!w->begun || call_check(&probe) < 0))
		return call_fail(p->c, w->call.err.code, "%s", w->call.err.message);
	p->acted = true;
	if (w->rc < 0 && !w->call.err.retryable && !p->resuming && p->fatal.code == 0)
		p->fatal = w->call.err;
	return journal_result(p, w);
}

static int carry_out(struct pass *p, struct work *works, size_t count)
{
	struct batch b = {
		.call = p->c, .reconciler = p->r, .works = works, .count = count, .ended = action_ended, .ctx = p};
	return batch_run(&b);
}

// ---------------------------------------------------------------- a pass

static int past_failures(struct pass *p, struct str name, struct record *out)
{
	return state_get(p->c, p->s, action_key(p->c, name), out);
}

// A time that lies ahead was written before the clock was set back: it says nothing.
static bool is_of_this_run(const struct pass *p, const struct record *past)
{
	int64_t at_ns = json_int(past->value, "at_ns", 0);
	return at_ns >= p->began_ns && at_ns <= call_now_ns(p->c);
}

static struct work work_of(const struct pass *p, const struct action *action, const struct record *past)
{
	int64_t attempts = json_int(past->value, "attempts", 0);
	return (struct work){.action = action,
		.attempts = attempts,
		.recent = is_of_this_run(p, past) ? json_int(past->value, "recent", attempts) : 0};
}

static int resume(struct pass *p)
{
	struct record *open;
	size_t count;
	struct str prefix = intent_key(p, S(""));
	int rc = state_list(p->c, p->s, prefix, &open, &count);
	if (rc < 0 || count == 0)
		return rc;
	struct work *works = arena_new_array(p->c->arena, count, struct work);
	struct action *actions = arena_new_array(p->c->arena, count, struct action);
	if (!works || !actions)
		return call_no_memory(p->c);
	for (size_t i = 0; rc == 0 && i < count; i++) {
		struct record past;
		actions[i] = (struct action){
			.name = str_drop(open[i].key, prefix.n),
			.type = json_str(open[i].value, "type"),
			.address = json_str(open[i].value, "address"),
			.input = json_object_get(open[i].value, "input"),
		};
		rc = past_failures(p, actions[i].name, &past);
		if (rc == 0)
			works[i] = work_of(p, &actions[i], &past);
	}
	p->resuming = true;
	if (rc == 0)
		rc = carry_out(p, works, count);
	p->resuming = false;
	return rc;
}

static int check_action(struct pass *p, const struct actions *all, size_t i)
{
	const struct action *a = &all->items[i];
	for (size_t k = 0; k < i; k++)
		if (str_eq(all->items[k].name, a->name))
			return call_fail(p->c, ERR_INTERNAL, "the reconciler %s names two actions %.*s", p->r->name,
				STR(a->name));
	if (a->name.n == 0 || a->type.n == 0)
		return call_fail(
			p->c, ERR_INTERNAL, "the reconciler %s gives an action without name or type", p->r->name);
	return 0;
}

static void look_again(struct pass *p, int64_t ns)
{
	p->again_ns = p->again_ns ? MIN(p->again_ns, MAX(ns, 1)) : MAX(ns, 1);
}

// What is neither done nor waiting for its next try.
static int pick(struct pass *p, const struct actions *all, struct work *works, size_t *count)
{
	for (size_t i = 0; i < all->count; i++) {
		struct record past;
		int rc = check_action(p, all, i);
		if (rc == 0)
			rc = past_failures(p, all->items[i].name, &past);
		if (rc < 0)
			return rc;
		int64_t left = json_int(past.value, "retry_at_ns", 0) - call_now_ns(p->c);
		if (str_eq(json_str(past.value, "state"), S("done")))
			continue;
		if (past.revision && left > 0 && is_of_this_run(p, &past))
			look_again(p, left);
		else
			works[(*count)++] = work_of(p, &all->items[i], &past);
	}
	return 0;
}

static int decide_and_act(struct pass *p)
{
	void *view = NULL;
	struct actions wanted = {0};
	int rc = p->r->observe(p->c, p->r->ctx, &view);
	if (rc == 0)
		rc = p->r->decide(p->c->arena, view, call_now_ns(p->c), &wanted);
	if (rc < 0)
		return p->c->err.code ? rc : call_fail(p->c, rc, "the reconciler %s could not decide", p->r->name);
	if (wanted.failed.code) {
		p->c->err = wanted.failed;
		return wanted.failed.code;
	}
	size_t count = 0;
	struct work *works = arena_new_array(p->c->arena, wanted.count + 1, struct work);
	if (!works)
		return call_no_memory(p->c);
	p->again_ns = wanted.again_ns;
	rc = pick(p, &wanted, works, &count);
	if (rc == 0 && count)
		rc = journal_intents(p, works, count);
	if (rc == 0 && count)
		rc = carry_out(p, works, count);
	p->finished = rc == 0 && wanted.finished && count == 0;
	return rc;
}

static int run_pass(struct pass *p)
{
	int rc = resume(p);
	if (rc == 0)
		rc = decide_and_act(p);
	if (rc == 0 && p->fatal.code) {
		p->c->err = p->fatal;
		rc = p->fatal.code;
	}
	return rc;
}

static int pass_of(struct call *c, struct pass *p)
{
	AUTO(arena) arena = {0};
	struct call child;
	call_child(&child, c, &arena, 0);
	p->c = &child;
	int rc = run_pass(p);
	if (rc < 0)
		c->err = child.err;
	return rc;
}

int reconcile_once(struct call *c, const struct state *s, const struct reconciler *r, bool *finished)
{
	struct pass p = {.s = s, .r = r};
	int rc = pass_of(c, &p);
	if (rc == 0)
		*finished = p.finished;
	return rc;
}

// The journal's news end the wait early: what another room appended may be what this one waits for.
static int wait_for_more(struct call *c, const struct pass *p, uint64_t head)
{
	if (p->again_ns == 0 && p->acted)
		return 0;
	if (p->again_ns > 0)
		return call_sleep(c, p->again_ns);
	uint64_t now;
	return state_watch(c, p->s, head, pace_ns, &now);
}

int reconcile_run(struct call *c, const struct state *s, const struct reconciler *r)
{
	int64_t began_ns = call_now_ns(c);
	for (;;) {
		AUTO(arena) arena = {0}; // watch and get use no memory that outlives a round
		struct call round;
		call_child(&round, c, &arena, 0);
		uint64_t head = 0;
		struct pass p = {.s = s, .r = r, .began_ns = began_ns};
		int rc = call_check(&round);
		if (rc == 0)
			rc = state_watch(&round, s, UINT64_MAX, 0, &head);
		if (rc == 0)
			rc = pass_of(&round, &p);
		if (rc == 0 && !p.finished)
			rc = wait_for_more(&round, &p, head);
		if (rc < 0)
			c->err = round.err;
		if (rc < 0 || p.finished)
			return rc;
	}
}

int reconcile_result(struct call *c, const struct state *s, struct str action_name, json_t **output)
{
	struct record r;
	int rc = state_get(c, s, action_key(c, action_name), &r);
	if (rc < 0)
		return rc;
	if (!str_eq(json_str(r.value, "state"), S("done")))
		return call_fail(c, ERR_NOT_FOUND, "the action %.*s is not done", STR(action_name));
	*output = json_object_get(r.value, "output");
	return 0;
}

int reconcile_failures(struct call *c, const struct state *s, struct str action_name, struct reconcile_failures *out)
{
	struct record r;
	int rc = state_get(c, s, action_key(c, action_name), &r);
	if (rc < 0)
		return rc;
	*out = (struct reconcile_failures){0};
	if (!str_eq(json_str(r.value, "state"), S("failed")))
		return 0;
	out->attempts = json_int(r.value, "attempts", 1);
	out->at_ns = json_int(r.value, "at_ns", 0);
	error_of_json(json_object_get(r.value, "error"), &out->last);
	return 0;
}
