// SPDX-License-Identifier: Apache-2.0
// The reconciler of one cloud's endpoints: each cloud has its own, on its own thread, so that a dead cloud delays
// nobody else. Before anything is started the cloud's store is asked, with a short deadline: nothing is begun on a
// cloud that is down, and the first look after its return begins at once, without the pause that failed attempts would
// have earned.
#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "deploy/deploy_impl.h"

static const int64_t default_observe_ns = NS_PER_S, ensure_timeout_ns = 60 * NS_PER_S;
static const int64_t starting_look_ns = 100 * NS_PER_MS;

// ---------------------------------------------------------------- observing

static bool is_good(const struct item *item)
{
	return item->seen == SEEN_PRESENT && item->status.state == ENDPOINT_READY &&
	       str_eq(item->status.generation, item->want.spec.generation);
}

static bool is_starting(const struct item *item)
{
	return item->seen == SEEN_PRESENT && item->status.state == ENDPOINT_STARTING &&
	       str_eq(item->status.generation, item->want.spec.generation);
}

static bool needs_start(const struct item *item)
{
	return item->want.resource && item->want.waiting.n == 0 && item->seen != SEEN_UNREACHABLE && !is_good(item) &&
	       !is_starting(item);
}

static struct call short_call(struct call *c, const struct cloud_runner *r)
{
	struct call child;
	int64_t timeout = r->deploy->observe_timeout_ns ? r->deploy->observe_timeout_ns : default_observe_ns;
	call_child(&child, c, c->arena, timeout);
	return child;
}

static void look_at_endpoint(struct call *c, const struct cloud_runner *r, struct item *item)
{
	struct call child = short_call(c, r);
	int rc = CLOUD_CALL(&child, r->cloud, endpoints, observe, item->want.name, &item->status);
	item->seen = rc == 0 ? SEEN_PRESENT : rc == ERR_NOT_FOUND ? SEEN_ABSENT : SEEN_UNREACHABLE;
	if (item->seen == SEEN_UNREACHABLE)
		item->reason = arena_str(c->arena, str_of(child.err.message));
}

static void look_at_cloud(struct call *c, const struct cloud_runner *r, struct item *item)
{
	struct call child = short_call(c, r);
	item->cloud_answers = CLOUD_CALL(&child, r->cloud, store, bucket_head, item->want.spec.bucket) == 0;
	if (!item->cloud_answers)
		item->reason = arena_str(c->arena, str_of(child.err.message));
}

static struct status_record seen_status(const struct item *item)
{
	struct status_record now = item->recorded;
	now.reason = item->failure;
	if (item->seen == SEEN_PRESENT) {
		now.state = str_of(status_word(item->status.state));
		now.generation = item->status.generation;
		if (!item->failure.n)
			now.reason = item->status.reason;
		if (item->status.url.n) // the last known one stays: the gateway goes on probing it
			now.url = item->status.url;
		if (item->status.url.n || item->status.invoke.url.n)
			now.invoke = item->status.invoke;
		memcpy(now.pids, item->status.pids, sizeof(now.pids));
		if (str_eq(now.generation, item->want.spec.generation))
			now.version = item->want.spec.version;
	} else if (item->seen == SEEN_UNREACHABLE) {
		now.state = S("unreachable");
		now.reason = item->reason;
	} else {
		now.state = item->want.waiting.n ? S("waiting") : S("absent");
		if (item->want.waiting.n)
			now.reason = item->want.waiting;
		memset(now.pids, 0, sizeof(now.pids));
	}
	return now;
}

// The resource itself waits, or does not any more: plan and status read it there.
static int settle_resource(struct call *c, const struct state *s, const struct item *item)
{
	const struct resource *r = item->want.resource;
	struct str status = item->want.waiting.n ? S("waiting") : S("ready");
	if (!r || str_eq(r->status, status) || (!item->want.waiting.n && !is_good(item)))
		return 0;
	struct resource changed = *r;
	changed.status = status;
	changed.reason = item->want.waiting;
	int rc = resource_put(c, s, &changed);
	if (rc != ERR_CONFLICT)
		return rc;
	err_clear(&c->err); // an apply is under way: it has the last word
	return 0;
}

// Why it is not up: what the last try said. Tries of earlier runs do not count against this one.
static int look_at_failures(struct call *c, const struct cloud_runner *r, struct item *item)
{
	struct reconcile_failures past = {0};
	struct str action = item_action_name(c->arena, item);
	int rc = action.p ? reconcile_failures(c, r->deploy->state, action, &past) : call_no_memory(c);
	if (past.attempts)
		item->failure = arena_str(c->arena, str_of(past.last.message));
	bool recent = past.at_ns >= r->began_ns && past.at_ns <= call_now_ns(c); // a clock may be set back
	item->failures = recent ? past.attempts : 0;
	return rc;
}

static int look(struct call *c, struct cloud_runner *r, struct item *item)
{
	const struct state *s = r->deploy->state;
	int rc = status_read(c, s, status_key(c->arena, item->want.name, r->cloud->name), &item->recorded);
	if (rc < 0)
		return rc;
	look_at_endpoint(c, r, item);
	if (needs_start(item)) {
		look_at_cloud(c, r, item);
		rc = look_at_failures(c, r, item);
	}
	if (rc == 0 && item->want.resource) {
		struct status_record now = seen_status(item);
		rc = status_write(c, s, item->want.address, &item->recorded, &now);
	}
	if (rc == 0)
		rc = settle_resource(c, s, item);
	r->pending += !item->want.resource || (item->want.waiting.n == 0 && !is_good(item));
	return rc;
}

static int cloud_observe(struct call *c, void *ctx, void **view)
{
	struct cloud_runner *r = ctx;
	struct desired *wanted;
	size_t count;
	struct cloud_view *v = arena_new(c->arena, struct cloud_view);
	int rc = desired_read(c, r->deploy, r->cloud->name, &wanted, &count);
	if (rc < 0)
		return rc;
	r->pending = 0;
	if (v)
		v->items = arena_new_array(c->arena, count + 1, struct item);
	if (!v || !v->items)
		return call_no_memory(c);
	v->count = count;
	for (size_t i = 0; rc == 0 && i < count; i++) {
		v->items[i].want = wanted[i];
		rc = call_check(c);
		if (rc == 0)
			rc = look(c, r, &v->items[i]);
	}
	*view = v;
	return rc;
}

// ---------------------------------------------------------------- deciding

// Revisions of records and uids of resources are never used again, so neither are these names.
struct str item_action_name(struct arena *a, const struct item *item)
{
	struct str name = str_drop(item->want.address, sizeof("endpoint/") - 1);
	const struct resource *r = item->want.resource;
	if (!r)
		return arena_printf(
			a, "deploy/%.*s/delete/%llu", STR(name), (unsigned long long)item->recorded.revision);
	return arena_printf(a, "deploy/%.*s/%.*s/%.*s/%lld", STR(name), STR(r->uid), STR(item->want.spec.generation),
		(long long)item->recorded.starts + 1);
}

static json_t *action_input(const struct item *item)
{
	json_t *input = item->want.resource ? desired_spec_to_json(&item->want.spec) : json_object();
	json_set_str(input, "name", item->want.name);
	json_object_set_new(input, "starts", json_integer(item->recorded.starts + 1));
	return input;
}

static int add_action(struct arena *a, const struct item *item, struct actions *out)
{
	const json_t *input = json_in_arena(a, action_input(item));
	struct str name = item_action_name(a, item);
	if (!input || !name.p)
		return ERR_NO_MEMORY;
	out->items[out->count++] = (struct action){
		.name = name,
		.type = item->want.resource ? S("endpoint.ensure") : S("endpoint.delete"),
		.address = item->want.address,
		.input = input,
	};
	return 0;
}

// finished: nothing that this pass could still bring about. What a dead cloud or three failures in a row hold up is not
// waited for.
int cloud_decide(struct arena *a, const void *view, UNUSED int64_t now_ns, struct actions *out)
{
	const struct cloud_view *v = view;
	out->items = arena_new_array(a, v->count + 1, struct action);
	if (!out->items)
		return ERR_NO_MEMORY;
	out->finished = true;
	for (size_t i = 0; i < v->count; i++) {
		const struct item *item = &v->items[i];
		bool remove = !item->want.resource && item->seen != SEEN_UNREACHABLE;
		bool start = needs_start(item) && item->cloud_answers;
		if (is_starting(item) && item->want.resource) {
			out->finished = false;
			out->again_ns = starting_look_ns;
		}
		if (!remove && !start)
			continue;
		if (item->failures < 3)
			out->finished = false;
		int rc = add_action(a, item, out);
		if (rc < 0)
			return rc;
	}
	return 0;
}

// ---------------------------------------------------------------- acting

static int take_down(struct call *c, const struct cloud_runner *r, const struct action *action)
{
	int rc = CLOUD_CALL(c, r->cloud, endpoints, delete, json_str(action->input, "name"));
	return rc < 0 ? rc : status_forget(c, r->deploy->state, action->address);
}

// The record is written before the action is journaled as done: the next name counts on it.
static int bring_up(struct call *c, const struct cloud_runner *r, const struct action *action, json_t **output)
{
	struct endpoint_spec spec;
	struct item item = {.want.name = json_str(action->input, "name")};
	desired_spec_of_json(action->input, &spec);
	int rc = CLOUD_CALL(c, r->cloud, endpoints, ensure, &spec);
	if (rc < 0)
		return rc;
	item.want.spec = spec;
	rc = status_read(c, r->deploy->state, status_key(c->arena, spec.name, r->cloud->name), &item.recorded);
	if (rc < 0)
		return rc;
	look_at_endpoint(c, r, &item);
	struct status_record now = seen_status(&item);
	now.starts = MAX(item.recorded.starts, json_int(action->input, "starts", 1));
	rc = status_write(c, r->deploy->state, action->address, &item.recorded, &now);
	*output = json_pack("{s:s#, s:s#}", "state", now.state.p, (int)now.state.n, "url", now.url.n ? now.url.p : "",
		(int)now.url.n);
	return rc;
}

static int cloud_act(struct call *c, void *ctx, const struct action *action, json_t **output)
{
	const struct cloud_runner *r = ctx;
	struct call child;
	call_child(&child, c, c->arena, ensure_timeout_ns);
	int rc = str_eq(action->type, S("endpoint.delete")) ? take_down(&child, r, action)
							    : bring_up(&child, r, action, output);
	if (rc == 0)
		return 0;
	c->err = child.err;
	c->err.retryable = true; // one endpoint that cannot come up must not end the loop for the others
	return call_context(c, "%.*s", STR(action->address));
}

struct reconciler cloud_reconciler(struct cloud_runner *r, const struct deploy_ctx *d, const struct cloud *cloud)
{
	*r = (struct cloud_runner){.deploy = d, .cloud = cloud};
	snprintf(r->name, sizeof(r->name), "deploy/%.*s", STR(str_take(cloud->name, 64)));
	return (struct reconciler){
		.name = r->name,
		.observe = cloud_observe,
		.decide = cloud_decide,
		.act = cloud_act,
		.ctx = r,
		.parallel = 4,
	};
}
