// SPDX-License-Identifier: Apache-2.0
// Changes that are records and nothing else: a dataset, a role, what waits. They need no intent, because there is no act
// between the journal and the record: both are one commit, hundreds of them at a time. A lane's reconciler leaves them
// alone, since an intent that a kill leaves open would be acted on again after the record was written here.
#include "infra/apply_impl.h"

enum { BATCH_MOST = 512 }; // changes in one commit: far from the limits of a value, and a commit a few milliseconds long

struct records {
	struct call *call;
	struct lane *lane;
	enum progress_state *states; // as they will be: what the batch holds counts as done for what needs it
	size_t indexes[BATCH_MOST];
	struct record records[BATCH_MOST];
	struct state_write writes[BATCH_MOST];
	struct event events[BATCH_MOST];
	size_t count;
};

bool applier_is_record_only(const struct applier *p, const struct plan_change *change)
{
	const struct resource *r = change->desired ? change->desired : change->recorded;
	const struct resource_handler *h = infra_handler(p->apply->env, r->kind);
	bool waits = change->waiting.n > 0;
	if (change->moved_from.n)
		return false;
	if (change->action == PLAN_CREATE)
		return !h || !h->create || waits;
	if (change->action == PLAN_UPDATE)
		return !h || !h->update || waits;
	return change->action == PLAN_DELETE && (!h || !h->delete);
}

static json_t *event_data(const struct records *b, const struct plan_change *change)
{
	unsigned long long record = change->recorded ? change->recorded->revision : 0;
	json_t *data = json_object();
	json_set_str(data, "action",
		arena_printf(b->call->arena, "apply/%llu/%.*s/%s/%llu", (unsigned long long)b->lane->applier->revision,
			STR(change->address), plan_action_word(change->action), record));
	json_set_str(data, "type", S("resource.apply"));
	json_set_str(data, "reconciler", str_of(b->lane->name));
	json_object_set_new(data, "output", json_object());
	return json_in_arena(b->call->arena, data);
}

static int make_record(struct records *b, const struct plan_change *change, struct record *out)
{
	struct resource r;
	if (change->action == PLAN_DELETE) {
		*out = (struct record){
			.key = arena_printf(b->call->arena, "resource/%.*s", STR(change->recorded->address))};
		return out->key.p ? 0 : call_no_memory(b->call);
	}
	int rc = applier_new_record(b->call, b->lane->applier, change, &r);
	return rc < 0 ? rc : resource_record(b->call, &r, out);
}

static int add(struct records *b, size_t index)
{
	const struct plan_change *change = &b->lane->applier->apply->plan->changes[index];
	size_t i = b->count;
	int rc = make_record(b, change, &b->records[i]);
	json_t *data = rc < 0 ? NULL : event_data(b, change);
	if (!data)
		return rc < 0 ? rc : call_no_memory(b->call);
	// A record that an earlier try wrote may be newer than the plan's: the plan was made under the same lock.
	b->writes[i] = (struct state_write){.record = &b->records[i], .expected = UINT64_MAX};
	b->events[i] = (struct event){.type = S("action.done"), .address = change->address, .data = data};
	b->indexes[i] = index;
	b->states[index] = DONE;
	b->count++;
	return 0;
}

static int commit(struct records *b)
{
	struct applier *p = b->lane->applier;
	const struct state_batch batch = {.expected_head = UINT64_MAX,
		.events = b->events,
		.event_count = b->count,
		.writes = b->writes,
		.write_count = b->count};
	int rc = b->count ? state_commit(b->call, p->apply->env->state, &batch) : 0;
	if (rc < 0)
		return call_context(b->call, "record %zu resources", b->count);
	pthread_mutex_lock(&p->lock);
	for (size_t i = 0; i < b->count; i++) {
		const struct plan_change *change = &p->apply->plan->changes[b->indexes[i]];
		p->states[b->indexes[i]] = DONE;
		applier_report(p, change, (struct apply_event){.state = APPLY_STARTED});
		p->finished++;
		applier_report(p, change, (struct apply_event){.state = APPLY_DONE, .waiting = change->waiting});
	}
	pthread_mutex_unlock(&p->lock);
	b->count = 0;
	return 0;
}

// In the order of the plan, so that what is needed stands before what needs it, in this batch or an earlier one. Memory
// is a batch's.
static int write_some(struct call *parent, struct lane *l, enum progress_state *states, size_t *from)
{
	AUTO(arena) arena = {0};
	struct call c;
	struct applier *p = l->applier;
	struct records *b = arena_new(&arena, struct records);
	int rc = 0, written = 0;
	call_child(&c, parent, &arena, 0);
	if (!b)
		return call_no_memory(parent);
	b->call = &c;
	b->lane = l;
	b->states = states;
	for (; rc == 0 && *from < l->count && b->count < BATCH_MOST; (*from)++) {
		size_t index = l->changes[*from];
		bool hopeless = false;
		if (states[index] != PENDING || !applier_is_record_only(p, &p->apply->plan->changes[index]) ||
			applier_must_wait(p, states, index, &hopeless) || hopeless)
			continue;
		rc = add(b, index);
	}
	written = (int)b->count;
	if (rc == 0)
		rc = commit(b);
	if (rc < 0)
		parent->err = c.err;
	return rc < 0 ? rc : written;
}

int applier_write_records(struct call *c, struct lane *l)
{
	struct applier *p = l->applier;
	AUTO(arena) arena = {0};
	size_t n = p->apply->plan->count;
	enum progress_state *states = arena_new_array(&arena, n + 1, enum progress_state);
	int total = 0;
	if (!states)
		return call_no_memory(c);
	pthread_mutex_lock(&p->lock);
	for (size_t i = 0; i < n; i++)
		states[i] = p->states[i];
	pthread_mutex_unlock(&p->lock);
	for (size_t from = 0; from < l->count;) {
		int rc = call_check(c);
		if (rc == 0)
			rc = write_some(c, l, states, &from);
		if (rc < 0)
			return rc;
		total += rc;
	}
	return total;
}
