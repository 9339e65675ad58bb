// SPDX-License-Identifier: Apache-2.0
// Transforms as steps: one job for each part of the input, on the part's own cloud, reading and writing there. What the
// jobs left is read from the markers that their workers wrote.
#include "transform/transform.h"

#include <string.h>

#include "data/bucket_kind.h"
#include "jobs/task.h"
#include "transform/transform_kind.h"

enum { MARKER_LIMIT = 16 << 20 };

struct transforming {
	const struct step *step;
	struct transform transform;
	const json_t *parts; // of the input
	const json_t *with;
	const char *const *argv;
	const char *code; // absolute; "" without
	struct task *tasks;
	size_t count;
};

// ---------------------------------------------------------------- the jobs
static int make_argv(struct call *c, struct transforming *t)
{
	const struct field_list *command = &t->transform.command;
	const char **argv = arena_new_array(c->arena, command->count + 2, const char *);
	if (!argv)
		return call_no_memory(c);
	if (t->transform.run.n)
		argv[0] = arena_cstr(c->arena, t->transform.run);
	const struct str *words = command->items;
	for (size_t i = 0; !t->transform.run.n && i < command->count; i++)
		argv[i] = arena_cstr(c->arena, words[i]);
	t->argv = argv;
	return argv[0] ? 0 : call_fail(c, ERR_INVALID, "neither `run:` nor `command:` says what to run");
}

static int make_code(struct call *c, struct transforming *t)
{
	struct str code = t->transform.code;
	t->code = "";
	if (!code.n)
		return 0;
	t->code = code.p[0] == '/' ? arena_cstr(c->arena, code)
				   : arena_printf(c->arena, "%s/%.*s", t->step->folder, STR(code)).p;
	return t->code ? 0 : call_no_memory(c);
}

// Where a part of the input lies: a dataset's part has one prefix, a transform's a prefix for each split.
static int part_prefix(struct call *c, const struct transforming *t, const json_t *part, struct str *out)
{
	struct field_ref input = transform_first_input(&t->transform);
	struct str split = input.qualifier;
	const json_t *splits = json_object_get(part, "splits");
	if (splits && !split.n)
		return call_fail(c, ERR_INVALID, "its input has splits: say which, as in %.*s/train",
			STR(input.name));
	*out = splits ? json_str(json_object_get(splits, arena_cstr(c->arena, split)), "prefix")
		      : json_str(part, "prefix");
	if (!out->n || !str_ends(*out, S("/")))
		return call_fail(c, ERR_NOT_FOUND, "its input has no part \"%.*s\"", STR(split));
	return 0;
}

static int make_task(struct call *c, struct transforming *t, const json_t *part)
{
	struct task *task = &t->tasks[t->count];
	const struct step *step = t->step;
	struct str cloud = json_str(part, "cloud"), bucket, prefix;
	task->cloud = clouds_find(step->clouds, cloud);
	if (!task->cloud)
		return call_fail(c, ERR_NOT_FOUND, "a part lies on %.*s, which the workspace does not have any more",
			STR(cloud));
	if (part_prefix(c, t, part, &prefix))
		return c->err.code;
	bucket = json_str(part, "bucket");
	if (t->transform.bucket.name.n && bucket_find(c, step->state, t->transform.bucket.name, cloud, &bucket))
		return c->err.code;
	struct job_input *input = arena_new(c->arena, struct job_input);
	if (!input)
		return call_no_memory(c);
	*input = (struct job_input){.name = S("input"), .bucket = json_str(part, "bucket"), .prefix = prefix};
	task->spec = (struct job_spec){
		.name = arena_printf(
			c->arena, "transform/%.*s/%.*s/%.*s", STR(step->resource->name), STR(step->run), STR(cloud)),
		.argv = t->argv,
		.code_directory = str_of(t->code),
		.with = t->with,
		.inputs = input,
		.input_count = 1,
		.output = {.bucket = bucket,
			.prefix = arena_printf(
				c->arena, "transforms/%.*s/%.*s/", STR(step->resource->name), STR(step->run))},
		.cpu = t->transform.resources.cpu,
		.memory = (uint64_t)t->transform.resources.memory,
		.deadline_ns = t->transform.deadline,
	};
	t->count++;
	return task->spec.name.p && task->spec.output.prefix.p ? 0 : call_no_memory(c);
}

static int make_tasks(struct call *c, struct transforming *t)
{
	size_t i;
	json_t *part = NULL;
	t->tasks = arena_new_array(c->arena, json_array_size(t->parts) + 1, struct task);
	if (!t->tasks)
		return call_no_memory(c);
	json_array_foreach(t->parts, i, part) if (make_task(c, t, part)) return c->err.code;
	return t->count ? 0 : call_fail(c, ERR_NOT_FOUND, "its input has no parts");
}

// ---------------------------------------------------------------- what they left
static void add_to_split(json_t *splits, const struct job_output *output, const json_t *file)
{
	struct str name = json_str(file, "name"), split, rest;
	if (!str_cut(name, '/', &split, &rest) || !split.n)
		return; // files beside the splits belong to none
	json_t *one = json_object_getn(splits, split.p, split.n);
	if (!one) {
		AUTO(buf) prefix = {0};
		buf_printf(&prefix, "%.*s%.*s/", STR(output->prefix), STR(split));
		one = json_object();
		json_set_str(one, "prefix", buf_str(&prefix));
		json_object_set_new(one, "bytes", json_integer(0));
		json_object_set_new(one, "files", json_object());
		json_object_setn_new(splits, split.p, split.n, one);
	}
	json_object_set_new(one, "bytes", json_integer(json_int(one, "bytes", 0) + json_int(file, "size", 0)));
	json_object_setn_new(json_object_get(one, "files"), rest.p, rest.n, json_of_str(json_str(file, "sha256")));
}

static int gather_part(struct call *c, const struct task *task, json_t *parts)
{
	const struct job_output *output = &task->spec.output;
	AUTO(json) marker = NULL;
	struct str text, key = arena_printf(c->arena, "%.*s_SUCCESS", STR(output->prefix));
	size_t i;
	json_t *file, *splits = json_object(), *part = json_object();
	json_array_append_new(parts, part);
	json_object_set_new(part, "splits", splits);
	if (!key.p)
		return call_no_memory(c);
	if (cloud_get_bytes(c, task->cloud, output->bucket, key, MARKER_LIMIT, &text) ||
		json_parse(text, &marker, &c->err))
		return call_context(c, "read %.*s of %.*s", STR(key), STR(task->cloud->name));
	json_array_foreach(json_object_get(marker, "files"), i, file) add_to_split(splits, output, file);
	if (!json_object_size(splits))
		return call_fail(c, ERR_FAILED, "job %.*s left no folder in its output: each split needs one",
			STR(task->spec.name));
	json_set_str(part, "cloud", task->cloud->name);
	json_set_str(part, "bucket", output->bucket);
	json_set_str(part, "job", task->spec.name);
	json_object_set_new(part, "cpu_s", json_real(task->status.cpu_s));
	json_object_set_new(part, "peak_rss", json_integer((json_int_t)task->status.peak_rss));
	return 0;
}

static int run_transform(struct call *c, struct transforming *t, json_t *outputs)
{
	const struct step *step = t->step;
	json_t *parts = json_array();
	json_object_set_new(outputs, "parts", parts);
	if (kind_decode_json(&transform_kind, step->resource->resolved, c->arena, &t->transform, &c->err))
		return c->err.code;
	struct field_ref from = transform_first_input(&t->transform);
	const struct step_input *input = step_find_input(step, resource_address(c->arena, from.kind, from.name, S("")));
	if (!input)
		return call_fail(c, ERR_NOT_FOUND, "its input %.*s/%.*s was not made", STR(from.kind), STR(from.name));
	t->parts = json_object_get(input->outputs, "parts");
	t->with = json_object_get(step->resource->resolved, "with");
	if (make_argv(c, t) || make_code(c, t) || make_tasks(c, t) || tasks_run(c, step, t->tasks, t->count))
		return c->err.code;
	for (size_t i = 0; i < t->count; i++)
		if (gather_part(c, &t->tasks[i], parts))
			return c->err.code;
	return 0;
}

int transform_make(struct call *c, void *ctx, const struct step *step, json_t **outputs)
{
	struct transforming t = {.step = step};
	AUTO(json) j = json_object();
	(void)ctx;
	if (!j)
		return call_no_memory(c);
	if (run_transform(c, &t, j))
		return call_context(c, "%.*s", STR(step->address));
	*outputs = json_incref(j);
	return 0;
}
