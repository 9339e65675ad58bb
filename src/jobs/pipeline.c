// SPDX-License-Identifier: Apache-2.0
// Running the graph: what is out of date, in order, one step after the other (each step is parallel inside).
#include "jobs/pipeline.h"

#include <string.h>

#include "base/file.h"
#include "base/time.h"
#include "cloud/job_files.h"
#include "data/bounds.h"
#include "jobs/pipeline_graph.h"

const char *pipeline_need_text(enum pipeline_need need)
{
	static const char *const texts[] = {
		[PIPELINE_UP_TO_DATE] = "up to date",
		[PIPELINE_NEVER_MADE] = "never made",
		[PIPELINE_CHANGED] = "changed since it was made",
		[PIPELINE_UPSTREAM] = "what it is made from changes",
	};
	return (size_t)need < COUNT_OF(texts) ? texts[need] : "unknown";
}

static struct str made_key(struct call *c, struct str address)
{
	return arena_printf(c->arena, "made/%.*s", STR(address));
}

int pipeline_made(struct call *c, const struct state *s, struct str address, const json_t **made)
{
	struct record r = {0};
	struct str key = made_key(c, address);
	if (!key.p)
		return call_no_memory(c);
	if (state_get(c, s, key, &r))
		return c->err.code;
	if (!r.revision)
		return call_fail(c, ERR_NOT_FOUND, "%.*s was never made", STR(address));
	*made = r.value;
	return 0;
}

int pipeline_plan(
	struct call *c, const struct pipeline_env *env, struct str goal, struct pipeline_step **steps, size_t *count)
{
	struct pipeline_graph g = {0};
	if (pipeline_graph_build(c, env, goal, &g))
		return c->err.code;
	struct pipeline_step *list = arena_new_array(c->arena, g.order_count + 1, struct pipeline_step);
	if (!list)
		return call_no_memory(c);
	for (size_t i = 0; i < g.order_count; i++)
		list[i] = g.nodes[g.order[i]].step;
	*steps = list;
	*count = g.order_count;
	return 0;
}

// ---------------------------------------------------------------- inputs of a step
static bool has_input(const struct step_input *inputs, size_t count, struct str address)
{
	for (size_t i = 0; i < count; i++)
		if (str_eq(inputs[i].address, address))
			return true;
	return false;
}

static void add_inputs(
	const struct pipeline_graph *g, const struct pipeline_node *n, struct step_input *inputs, size_t *count)
{
	for (size_t i = 0; i < n->input_count; i++) {
		const struct pipeline_node *in = &g->nodes[n->inputs[i]];
		if (!has_input(inputs, *count, in->step.address))
			inputs[(*count)++] = (struct step_input){.address = in->step.address,
				.run = in->step.run,
				.digest = in->step.digest,
				.outputs = json_object_get(in->made, "outputs")};
	}
	for (size_t i = 0; i < n->input_count; i++)
		add_inputs(g, &g->nodes[n->inputs[i]], inputs, count);
}

// ---------------------------------------------------------------- events and records
static json_t *event_data(const struct pipeline_node *n)
{
	json_t *j = json_object();
	json_set_str(j, "run", n->step.run);
	json_set_str(j, "digest", n->step.digest);
	return j;
}

// What is made inherits the strictest class of its inputs, only places that all of them allow, and only operators.
static int inherit(struct call *c, const struct pipeline_graph *g, const struct pipeline_node *n, json_t *outputs)
{
	struct bounds all, from;
	int rc = bounds_of_json(outputs, &all, &c->err);
	for (size_t i = 0; rc == 0 && i < n->input_count; i++) {
		rc = bounds_of_json(json_object_get(g->nodes[n->inputs[i]].made, "outputs"), &from, &c->err);
		if (rc == 0)
			all = bounds_meet(&all, &from);
	}
	if (rc == 0)
		bounds_to_json(&all, outputs);
	return rc < 0 ? call_context(c, "%.*s: what it inherits", STR(n->step.address)) : 0;
}

static json_t *made_record(
	struct call *c, const struct pipeline_graph *g, const struct pipeline_node *n, json_t *outputs)
{
	json_t *j = event_data(n), *inputs = json_array();
	char at[TIME_TEXT_SIZE];
	time_rfc3339(call_now_ns(c), 3, at);
	for (size_t i = 0; i < n->input_count; i++) {
		const struct pipeline_step *in = &g->nodes[n->inputs[i]].step;
		json_t *one = json_object();
		json_set_str(one, "address", in->address);
		json_set_str(one, "digest", in->digest);
		json_set_str(one, "run", in->run);
		json_array_append_new(inputs, one);
	}
	json_object_set_new(j, "at", json_string(at));
	json_object_set_new(j, "inputs", inputs);
	json_object_set(j, "outputs", outputs);
	return j;
}

// What the event tells besides: what it was made from, and the bounds that it has from there.
static json_t *bounds_of_made(const json_t *outputs)
{
	static const char *const told[] = {"class", "residency", "operators"};
	json_t *j = json_object();
	for (size_t i = 0; i < COUNT_OF(told); i++)
		json_object_set(j, told[i], json_object_get(outputs, told[i]));
	return j;
}

static int record_made(
	struct call *c, const struct pipeline_graph *g, struct pipeline_node *n, json_t *outputs, int64_t started_ns)
{
	if (inherit(c, g, n, outputs))
		return c->err.code;
	json_t *made = json_in_arena(c->arena, made_record(c, g, n, outputs));
	json_t *data = event_data(n);
	json_object_update_new(data, bounds_of_made(outputs));
	json_object_set(data, "inputs", json_object_get(made, "inputs"));
	json_object_set_new(data, "seconds", json_real((double)(call_mono_ns(c) - started_ns) / 1e9));
	const struct state_note note = {.key = made_key(c, n->step.address),
		.value = made,
		.expected = UINT64_MAX,
		.type = S("step.done"),
		.address = n->step.address,
		.data = data};
	if (!note.key.p || !made) {
		json_decref(data);
		return call_no_memory(c);
	}
	if (state_put_noted(c, g->env->state, &note))
		return c->err.code;
	n->made = made;
	return 0;
}

// The step's own error stays, also when it cannot be recorded.
static int record_failed(struct call *c, const struct pipeline_graph *g, const struct pipeline_node *n)
{
	struct err failed = c->err;
	json_t *data = event_data(n);
	json_set_str(data, "error", str_of(failed.message));
	json_object_set_new(data, "code", json_string(err_name(failed.code)));
	(void)!state_append_one(c, g->env->state, S("step.failed"), n->step.address, data, NULL);
	c->err = failed;
	return failed.code;
}

// ---------------------------------------------------------------- running
static int make_scratch(struct call *c, const struct pipeline_env *env, const struct pipeline_node *n, const char **out)
{
	char *name = arena_cstr(c->arena, n->step.address);
	for (char *p = name; p && (p = strchr(p, '/'));)
		*p = '+';
	*out = name ? arena_printf(c->arena, "%s/%s/%.*s", env->scratch, name, STR(n->step.run)).p : NULL;
	return *out ? file_make_dirs(*out, 0700, &c->err) : call_no_memory(c);
}

static int run_step(struct call *c, struct pipeline_graph *g, struct pipeline_node *n)
{
	const char *scratch = NULL;
	int64_t started = call_mono_ns(c);
	AUTO(json) outputs = NULL;
	struct step step = {.state = g->env->state,
		.clouds = g->env->clouds,
		.address = n->step.address,
		.resource = &n->resource,
		.alias = n->alias,
		.digest = n->step.digest,
		.run = n->step.run,
		.progress = g->env->progress,
		.folder = g->env->folder};
	struct step_input *inputs = arena_new_array(c->arena, g->count + 1, struct step_input);
	if (!inputs || make_scratch(c, g->env, n, &scratch))
		return inputs ? c->err.code : call_no_memory(c);
	add_inputs(g, n, inputs, &step.input_count);
	step.inputs = inputs;
	step.scratch = scratch;
	if (state_append_one(c, g->env->state, S("step.started"), n->step.address, event_data(n), NULL))
		return c->err.code;
	step_report(&step, &(struct progress_event){.text = str_of(pipeline_need_text(n->step.need))});
	if (n->maker->make(c, n->maker->ctx, &step, &outputs))
		return record_failed(c, g, n);
	if (!json_is_object(outputs))
		return call_fail(c, ERR_INTERNAL, "%.*s: its maker gave no outputs", STR(n->step.address));
	if (record_made(c, g, n, outputs, started))
		return c->err.code;
	return file_remove_tree(scratch, &c->err);
}

int pipeline_run(struct call *c, const struct pipeline_env *env, struct str goal)
{
	struct pipeline_graph g = {0};
	AUTO(fd) lock = -1;
	const char *path = arena_printf(c->arena, "%s/lock", env->scratch).p;
	if (!path)
		return call_no_memory(c);
	if (file_make_dirs(env->scratch, 0700, &c->err))
		return c->err.code;
	int code = lock_take(path, &lock, &c->err);
	if (code == ERR_IN_USE)
		return call_fail(c, ERR_IN_USE, "another pipeline of this workspace is running (%s)", path);
	if (code || pipeline_graph_build(c, env, goal, &g))
		return c->err.code;
	for (size_t i = 0; i < g.order_count; i++) {
		struct pipeline_node *n = &g.nodes[g.order[i]];
		if (n->step.need != PIPELINE_UP_TO_DATE && (call_check(c) || run_step(c, &g, n)))
			return c->err.code;
	}
	return 0;
}
