// SPDX-License-Identifier: Apache-2.0
// Evaluation jobs and their sum.
#include "train/measure.h"

#include "data/bucket_kind.h"
#include "jobs/task.h"

#define MEASURE_DEADLINE_NS (INT64_C(3600) * 1000000000) // an hour: a job that evaluates for longer hangs

enum { METRICS_LIMIT = 1 << 20 };
static const char *const evaluate_argv[] = {"builtin/evaluate", NULL};

struct measured {
	uint64_t samples, correct;
};

struct str measure_name(struct arena *a, const struct need *n)
{
	return arena_printf(a, "%.*s on %.*s%s%.*s", STR(n->metric), STR(n->on.name), n->on.qualifier.n ? "/" : "", STR(n->on.qualifier));
}

// Names of jobs carry what was measured: the data's place says which of its runs.
static struct str measurement_id(struct arena *a, const struct parts *parts)
{
	AUTO(buf) text = {0};
	char hex[HEX_SHA256_SIZE];
	for (size_t i = 0; i < parts->count; i++)
		buf_printf(&text, "%.*s %.*s\n", STR(parts->items[i].cloud->name), STR(parts->items[i].prefix));
	if (text.failed)
		return (struct str){0};
	struct sha256 sum = sha256_of(buf_str(&text));
	hex_encode(str_bytes(sum.bytes, sizeof(sum.bytes)), hex);
	return arena_str(a, str_take(str_of(hex), 12));
}

static int fill_task(struct call *c, const struct step *step, const struct model_version *v, const struct part *p, struct str id,
	struct task *task)
{
	struct str bucket, prefix = model_prefix(c->arena, v->model, v->version);
	struct job_input *inputs = arena_new_array(c->arena, 2, struct job_input);
	int rc = bucket_find(c, step->state, v->bucket, p->cloud->name, &bucket);
	if (rc < 0)
		return rc;
	*task = (struct task){
		.cloud = p->cloud,
		.spec = {
			.name = arena_printf(c->arena, "measure/%.*s/%.*s/%.*s/%.*s", STR(v->model), STR(v->version), STR(id), STR(p->cloud->name)),
			.argv = evaluate_argv,
			.inputs = inputs,
			.input_count = 2,
			.output = {bucket, arena_printf(c->arena, "%.*smeasured/%.*s/", STR(prefix), STR(id))},
			.cpu = 1,
			.deadline_ns = MEASURE_DEADLINE_NS,
		},
	};
	if (!inputs || !prefix.p || !task->spec.name.p || !task->spec.output.prefix.p)
		return call_no_memory(c);
	inputs[0] = (struct job_input){S("data"), p->bucket, p->prefix};
	inputs[1] = (struct job_input){S("model"), bucket, prefix};
	return 0;
}

static int add_result(struct call *c, const struct task *task, struct measured *sum)
{
	AUTO(json) j = NULL;
	struct str text, key = arena_printf(c->arena, "%.*smetrics.json", STR(task->spec.output.prefix));
	int rc = key.p ? cloud_get_bytes(c, task->cloud, task->spec.output.bucket, key, METRICS_LIMIT, &text) : call_no_memory(c);
	if (rc == 0)
		rc = json_parse(text, &j, &c->err);
	if (rc < 0)
		return call_context(c, "the measurement on %.*s", STR(task->cloud->name));
	int64_t samples = json_int(j, "samples", 0), correct = json_int(j, "correct", -1);
	if (samples < 1 || correct < 0 || correct > samples)
		return call_fail(c, ERR_CORRUPT, "the measurement on %.*s says %lld of %lld right", STR(task->cloud->name), (long long)correct,
			(long long)samples);
	sum->samples += (uint64_t)samples;
	sum->correct += (uint64_t)correct;
	return 0;
}

static bool has_cloud(const struct model_version *v, struct str cloud)
{
	for (size_t i = 0; i < v->cloud_count; i++)
		if (str_eq(v->clouds[i], cloud))
			return true;
	return false;
}

static int measure_parts(struct call *c, const struct step *step, const struct model_version *v, const struct parts *parts,
	struct measured *out)
{
	size_t count = parts->partitioned ? parts->count : 1;
	struct task *tasks = arena_new_array(c->arena, count, struct task);
	struct str id = measurement_id(c->arena, parts);
	if (!tasks || !id.p)
		return call_no_memory(c);
	int rc = 0;
	for (size_t i = 0; i < count && rc == 0; i++) {
		const struct part *p = &parts->items[i];
		if (!has_cloud(v, p->cloud->name))
			return call_fail(c, ERR_INVALID, "model/%.*s version %.*s is not on %.*s, where a part of the data lies", STR(v->model),
				STR(v->version), STR(p->cloud->name));
		rc = fill_task(c, step, v, p, id, &tasks[i]);
	}
	if (rc == 0)
		rc = tasks_run(c, step, tasks, count);
	for (size_t i = 0; i < count && rc == 0; i++)
		rc = add_result(c, &tasks[i], out);
	return rc;
}

static int measure_one(struct call *c, const struct step *step, const struct model_version *v, const struct need *n, double *out)
{
	struct parts parts;
	struct measured sum = {0};
	if (!str_eq(n->metric, S("accuracy")))
		return call_fail(c, ERR_UNSUPPORTED, "\"%.*s\" cannot be measured; accuracy can", STR(n->metric));
	int rc = parts_find(c, step, &n->on, &parts);
	if (rc == 0)
		rc = measure_parts(c, step, v, &parts, &sum);
	if (rc < 0)
		return call_context(c, "measure \"%.*s\"", STR(n->text));
	*out = (double)sum.correct / (double)sum.samples;
	return 0;
}

int measure_needs(struct call *c, const struct step *step, const struct model_version *v, const struct field_list *needs,
	json_t **metrics)
{
	AUTO(json) all = json_object();
	for (size_t i = 0; i < needs->count; i++) {
		const struct need *n = &((const struct need *)needs->items)[i];
		const char *name = measure_name(c->arena, n).p;
		double value = 0;
		if (!name || !all)
			return call_no_memory(c);
		if (json_object_get(all, name))
			continue;
		int rc = measure_one(c, step, v, n, &value);
		if (rc < 0)
			return rc;
		json_object_set_new(all, name, json_real(value));
	}
	*metrics = json_incref(all);
	return 0;
}
