// SPDX-License-Identifier: Apache-2.0
// The reconciler of a copy: observe (what lies there, what the record says), decide (batches, then the finish), act. A
// pass has a number, raised by each finish, and the names of its actions carry it and the source's fingerprint, so that
// an action that is done stands for these bytes and no others.
#include "data/replica.h"

#include <string.h>

#include "data/attempts.h"
#include "data/replica_impl.h"
#include "state/reconcile.h"

struct str replica_prefix(struct arena *a, struct str name)
{
	return arena_printf(a, "datasets/%.*s/files/", STR(name));
}

struct str replica_key(struct arena *a, struct str address, struct str cloud)
{
	return arena_printf(a, "replica/%.*s on %.*s", STR(address), STR(cloud));
}

// ---------------------------------------------------------------- observing
struct replica_view {
	const struct replica_run *run;
	struct str pass; // "3-0123456789ab"
	size_t *puts;    // indexes of the source's files that must be copied
	size_t put_count;
	bool *batch_done;
	size_t batches;
	bool watched; // an action that is not done was looked at
	bool current; // the record is of this very source, and nothing is to be copied
	struct err failed;
};

static bool is_current(const struct replica_view *v, const struct replica_there *there)
{
	bool release = v->run->r->by_hand && json_int(there->record, "held", 0) > 0;
	return v->put_count == 0 && !release && !json_str(there->record, "error").n &&
	       str_eq(json_str(there->record, "fingerprint"), v->run->r->source->fingerprint);
}

static int find_puts(struct call *c, struct replica_view *v, const struct replica_there *there)
{
	const struct files_source *s = v->run->r->source;
	v->puts = arena_new_array(c->arena, s->count + 1, size_t);
	if (!v->puts)
		return call_no_memory(c);
	for (size_t i = 0; i < s->count; i++)
		if (!replica_has(there, &s->files[i]))
			v->puts[v->put_count++] = i;
	return 0;
}

static struct str batch_name(struct arena *a, const struct replica_view *v, size_t batch)
{
	return arena_printf(a, "%s/%.*s/put-%zu", v->run->name, STR(v->pass), batch);
}

static struct str finish_name(struct arena *a, const struct replica_view *v)
{
	return arena_printf(a, "%s/%.*s/finish", v->run->name, STR(v->pass));
}

static int look_at_action(struct call *c, struct replica_run *run, struct replica_view *v, struct str name, bool *done)
{
	json_t *ignored = NULL;
	int code = name.p ? reconcile_result(c, run->r->in->state, name, &ignored) : call_no_memory(c);
	*done = code == 0;
	if (code != ERR_NOT_FOUND)
		return code;
	err_clear(&c->err);
	if (v->watched) // one action after the other: the first that is not done is what a run waits for
		return 0;
	v->watched = true;
	if (!str_eq(name, str_of(run->watched))) {
		(void)str_copy(run->watched, sizeof(run->watched), name);
		run->failures = ATTEMPTS_UNKNOWN;
	}
	return attempts_check(c, run->r->in->state, name, &run->failures, &v->failed);
}

static int look_at_batches(struct call *c, struct replica_run *run, struct replica_view *v)
{
	v->batches = (v->put_count + REPLICA_BATCH - 1) / REPLICA_BATCH;
	v->batch_done = arena_new_array(c->arena, v->batches + 1, bool);
	if (!v->batch_done)
		return call_no_memory(c);
	for (size_t i = 0; i < v->batches && !v->failed.code; i++)
		if (look_at_action(c, run, v, batch_name(c->arena, v, i), &v->batch_done[i]))
			return c->err.code;
	bool finished;
	return v->failed.code ? 0 : look_at_action(c, run, v, finish_name(c->arena, v), &finished);
}

static int replica_observe(struct call *c, void *ctx, void **view)
{
	struct replica_run *run = ctx;
	struct replica_view *v = arena_new(c->arena, struct replica_view);
	struct replica_there there;
	if (!v)
		return call_no_memory(c);
	v->run = run;
	int code = replica_look(c, run, &there);
	if (code && err_is_retryable(code) && ++run->looks < ATTEMPTS_MAX) {
		err_clear(&c->err);
		v->failed = (struct err){0};
		v->put_count = SIZE_MAX; // nothing is known: look again
		*view = v;
		return 0;
	}
	if (code)
		return code;
	v->pass = replica_pass(c->arena, run, &there);
	if (!v->pass.p || find_puts(c, v, &there))
		return v->pass.p ? c->err.code : call_no_memory(c);
	v->current = is_current(v, &there);
	if (run->incomplete >= REPLICA_INCOMPLETE_MAX)
		(void)err_set(&v->failed, ERR_CONFLICT,
			"files of its source change while they are copied; the next run takes them as they are then");
	if (look_at_batches(c, run, v))
		return c->err.code;
	*view = v;
	return 0;
}

// ---------------------------------------------------------------- deciding
static json_t *batch_input(const struct replica_view *v, size_t batch)
{
	json_t *j = json_object(), *files = json_array();
	for (size_t i = batch * REPLICA_BATCH; i < MIN((batch + 1) * REPLICA_BATCH, v->put_count); i++) {
		const struct source_file *f = &v->run->r->source->files[v->puts[i]];
		json_array_append_new(files, json_of_str(f->name));
	}
	json_object_set_new(j, "files", files);
	json_set_str(j, "cloud", v->run->r->to->name);
	json_set_str(j, "pass", v->pass);
	return j;
}

static int add_action(struct arena *a, const struct replica_view *v, struct actions *out, struct action action)
{
	action.address = v->run->r->source->address;
	out->items[out->count++] = action;
	(void)a;
	return action.name.p && action.input ? 0 : ERR_NO_MEMORY;
}

static int replica_decide(struct arena *a, const void *view, int64_t now_ns, struct actions *out)
{
	const struct replica_view *v = view;
	int rc = 0;
	(void)now_ns;
	if (v->put_count == SIZE_MAX) {
		out->again_ns = REPLICA_AGAIN_NS;
		return 0;
	}
	out->failed = v->failed;
	if (v->failed.code)
		return 0;
	if (v->current) {
		out->finished = true;
		return 0;
	}
	out->items = arena_new_array(a, v->batches + 1, struct action);
	if (!out->items)
		return ERR_NO_MEMORY;
	for (size_t i = 0; i < v->batches && rc == 0; i++)
		if (!v->batch_done[i])
			rc = add_action(a, v, out,
				(struct action){.name = batch_name(a, v, i),
					.type = S("replica.put"),
					.input = json_in_arena(a, batch_input(v, i))});
	if (!out->count) {
		json_t *input = json_in_arena(a, json_object());
		json_set_str(input, "cloud", v->run->r->to->name);
		json_set_str(input, "pass", v->pass);
		json_object_set_new(input, "batches", json_integer((json_int_t)v->batches));
		rc = add_action(a, v, out,
			(struct action){.name = finish_name(a, v), .type = S("replica.finish"), .input = input});
	}
	return rc;
}

// ---------------------------------------------------------------- acting
static int replica_act(struct call *c, void *ctx, const struct action *action, json_t **output)
{
	struct replica_run *run = ctx;
	return str_eq(action->type, S("replica.put")) ? replica_put(c, run, action, output)
						      : replica_finish(c, run, action, output);
}

int replica_make(struct call *c, const struct replica *r, struct replica_result *out)
{
	struct replica_run run = {
		.r = r, .failures = ATTEMPTS_UNKNOWN, .prefix = replica_prefix(c->arena, r->in->resource->name)};
	const struct passage p = {
		.what = r->source->address, .to = r->to, .making = true, .of = r->in->resource, .id = r->in->run};
	run.name = arena_printf(c->arena, "replica/%.*s/%.*s", STR(r->in->resource->name), STR(r->to->name)).p;
	run.key = replica_key(c->arena, r->source->address, r->to->name);
	if (!run.name || !run.key.p || !run.prefix.p)
		return call_no_memory(c);
	if (passage_check(c, r->in->state, &p))
		return c->err.code;
	const struct reconciler reconciler = {.name = run.name,
		.observe = replica_observe,
		.decide = replica_decide,
		.act = replica_act,
		.ctx = &run,
		.parallel = 1};
	if (reconcile_run(c, r->in->state, &reconciler))
		return call_context(c, "copy of %.*s on %.*s", STR(r->source->address), STR(r->to->name));
	*out = run.result;
	return replica_result_of(c, &run, out);
}
