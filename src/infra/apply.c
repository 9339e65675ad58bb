// SPDX-License-Identifier: Apache-2.0
// Apply: the revision is committed, the lanes carry the changes out, and what became of them is told.
#include "infra/apply.h"

#include <string.h>

#include "base/hash.h"
#include "base/time.h"
#include "infra/apply_impl.h"
#include "state/resource_common.h"

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
			json_object_set_new(all, address, json_pack("{s:O, s:O?}", "resolved", change->desired->resolved,
				"common", resource_common_to_json(c->arena, change->desired->common)));
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

const struct plan_change *applier_find(const struct applier *p, struct str address, size_t *index)
{
	size_t place = address_find(&p->index, address);
	if (!place)
		return NULL;
	*index = place - 1;
	return &p->apply->plan->changes[place - 1];
}

// ---------------------------------------------------------------- all
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

static int prepare(struct call *c, struct applier *p)
{
	size_t n = p->apply->plan->count;
	p->states = arena_new_array(c->arena, n + 1, enum progress_state);
	p->errors = arena_new_array(c->arena, n + 1, struct str);
	p->codes = arena_new_array(c->arena, n + 1, int);
	if (!p->states || !p->errors || !p->codes)
		return call_no_memory(c);
	for (size_t i = 0; i < n; i++) {
		p->states[i] = p->apply->plan->changes[i].action == PLAN_NOTHING ? DONE : PENDING;
		p->total += p->states[i] == PENDING;
	}
	return applier_find_needs(c, p);
}

int plan_apply(struct call *c, const struct apply *apply, struct apply_result *out)
{
	struct applier p = {.apply = apply};
	int rc = plan_check_refusals(apply->plan, &c->err);
	if (rc == 0)
		rc = prepare(c, &p);
	if (rc == 0 && p.total)
		rc = commit(c, apply, &p.revision);
	if (rc < 0)
		return rc;
	pthread_mutex_init(&p.lock, NULL);
	rc = applier_run_lanes(c, &p); // also without a change: a kill may have left intents open
	if (rc == 0)
		rc = conclude(c, &p, out);
	pthread_mutex_destroy(&p.lock);
	arena_free(&p.arena);
	return rc;
}
