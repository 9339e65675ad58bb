// SPDX-License-Identifier: Apache-2.0
// The reconciler that puts a version's files on all its clouds and then records it: no record names files that are not there.
#include "data/attempts.h"
#include "state/reconcile.h"
#include "train/carry.h"
#include "train/model_step_impl.h"

struct model_view {
	const struct model_run *run;
	struct str prefix; // of names of actions: "model/classifier/3"
	bool *put;
	size_t put_count;
	bool registered;
	struct err failed;
};

static struct str put_name(struct arena *a, struct str prefix, const struct target *t)
{
	return arena_printf(a, "%.*s/%.*s/put", STR(prefix), STR(t->cloud->name));
}

static int is_done(struct call *c, const struct model_run *run, struct str name, bool *done)
{
	json_t *output;
	int rc = name.p ? reconcile_result(c, run->step->state, name, &output) : call_no_memory(c);
	*done = rc == 0;
	if (rc == ERR_NOT_FOUND)
		err_clear(&c->err);
	return rc == ERR_NOT_FOUND ? 0 : rc;
}

static int model_observe(struct call *c, void *ctx, void **view)
{
	struct model_run *run = ctx;
	struct model_view *v = arena_new(c->arena, struct model_view);
	bool *put = arena_new_array(c->arena, run->count + 1, bool);
	if (!v || !put)
		return call_no_memory(c);
	*v = (struct model_view){.run = run, .put = put,
		.prefix = arena_printf(c->arena, "model/%.*s/%.*s", STR(run->version.model), STR(run->version.version))};
	int rc = v->prefix.p ? 0 : call_no_memory(c);
	for (size_t i = 0; i < run->count && rc == 0; i++) {
		struct str name = put_name(c->arena, v->prefix, &run->targets[i]);
		rc = is_done(c, run, name, &put[i]);
		v->put_count += put[i];
		if (rc == 0 && !put[i])
			rc = attempts_check(c, run->step->state, name, &run->targets[i].failures, &v->failed);
	}
	if (rc == 0)
		rc = is_done(c, run, arena_printf(c->arena, "%.*s/register", STR(v->prefix)), &v->registered);
	if (rc == 0)
		*view = v;
	return rc;
}

static int model_decide(struct arena *a, const void *view, int64_t now_ns, struct actions *out)
{
	const struct model_view *v = view;
	(void)now_ns;
	out->failed = v->failed;
	out->items = arena_new_array(a, v->run->count + 1, struct action);
	if (!out->items)
		return ERR_NO_MEMORY;
	for (size_t i = 0; i < v->run->count; i++) {
		if (v->put[i])
			continue;
		json_t *input = json_in_arena(a, json_object());
		json_set_str(input, "cloud", v->run->targets[i].cloud->name);
		struct action put = {.name = put_name(a, v->prefix, &v->run->targets[i]), .type = S("model.put"), .input = input,
			.address = v->run->step->address};
		if (!input || !put.name.p)
			return ERR_NO_MEMORY;
		out->items[out->count++] = put;
	}
	if (!out->count && !v->registered) {
		struct action reg = {.name = arena_printf(a, "%.*s/register", STR(v->prefix)), .type = S("model.register"),
			.address = v->run->step->address};
		out->items[out->count++] = reg;
	}
	out->finished = v->registered && !out->count;
	return 0;
}

static int put_files(struct call *c, struct model_run *run, struct str cloud, struct str action)
{
	const struct target *t = NULL;
	for (size_t i = 0; i < run->count; i++)
		if (str_eq(run->targets[i].cloud->name, cloud))
			t = &run->targets[i];
	if (!t)
		return call_fail(c, ERR_INTERNAL, "no cloud %.*s takes the version", STR(cloud));
	const char *const paths[] = {run->files.weights, run->files.description};
	static const char *const names[] = {"weights.safetensors", "model.json"};
	int rc = 0;
	for (size_t i = 0; i < COUNT_OF(paths) && rc == 0; i++) {
		struct str prefix = model_prefix(c->arena, run->version.model, run->version.version);
		struct carry there = {
			.cloud = t->cloud,
			.bucket = t->bucket,
			.key = arena_printf(c->arena, "%.*s%s", STR(prefix), names[i]),
			.path = paths[i],
			.state = run->step->state,
			.what = run->step->address,
			.id = arena_printf(c->arena, "%.*s/%s", STR(action), names[i]),
		};
		rc = carry_there(c, &there);
	}
	return rc;
}

static int model_act(struct call *c, void *ctx, const struct action *action, json_t **output)
{
	struct model_run *run = ctx;
	(void)output;
	if (str_eq(action->type, S("model.put")))
		return put_files(c, run, json_str(action->input, "cloud"), action->name);
	return model_register(c, run->step->state, &run->version);
}

int model_put(struct call *c, struct model_run *run)
{
	struct str name = arena_printf(c->arena, "model/%.*s/%.*s", STR(run->version.model), STR(run->version.version));
	const struct reconciler reconciler = {.name = name.p, .observe = model_observe, .decide = model_decide, .act = model_act, .ctx = run,
		.parallel = MIN(run->count, (size_t)8)};
	return name.p ? reconcile_run(c, run->step->state, &reconciler) : call_no_memory(c);
}
