// SPDX-License-Identifier: Apache-2.0
// Tasks: the reconciler that submits jobs and waits. What it decides from is what the engines say of each job and how
// often it was submitted; so it may be killed at any moment and go on.
#include "jobs/task.h"

#include <string.h>

#include "base/time.h"
#include "cloud/job_files.h"
#include "data/attempts.h"
#include "state/reconcile.h"

#define TASK_PACE_NS (30 * NS_PER_MS)

enum { LOG_TAIL = 600, MAX_SUBMITS = 1000 };

struct task_run { // ctx
	const struct step *step;
	struct task *tasks;
	size_t count;
	int64_t *failures;    // as attempts_check keeps them
	int *before;          // submits of earlier runs
	enum job_state *told; // last state that was reported
	bool *known;          // whether one was
};
struct task_view {
	const struct task_run *run;
	struct job_status *statuses;
	bool *absent;
	int *submitted; // times, in all runs
	struct err failed;
};

// ---------------------------------------------------------------- observe
static struct str submit_name(struct arena *a, const struct task *t, int n)
{
	return arena_printf(a, "%.*s/submit/%d", STR(t->spec.name), n);
}

static int count_submits(struct call *c, const struct task_run *run, const struct task *t, int *out)
{
	json_t *ignored = NULL;
	for (int n = 0; n < MAX_SUBMITS; n++) {
		int code = reconcile_result(c, run->step->state, submit_name(c->arena, t, n + 1), &ignored);
		*out = n;
		if (code == ERR_NOT_FOUND) {
			err_clear(&c->err);
			return 0;
		}
		if (code)
			return code;
	}
	return call_fail(c, ERR_LIMIT, "job %.*s was submitted %d times", STR(t->spec.name), MAX_SUBMITS);
}

static void tell(struct task_run *run, size_t i, const struct job_status *status)
{
	if (run->known[i] && run->told[i] == status->state)
		return;
	run->known[i] = true;
	run->told[i] = status->state;
	const struct task *t = &run->tasks[i];
	const struct progress_event e = {.what = t->cloud->name,
		.done = status->state == JOB_SUCCEEDED,
		.total = 1,
		.unit = "jobs",
		.text = str_of(job_state_text(status->state))};
	step_report(run->step, &e);
}

static int observe_task(struct call *c, struct task_run *run, size_t i, struct task_view *v)
{
	const struct task *t = &run->tasks[i];
	int code = CLOUD_CALL(c, t->cloud, jobs, observe, t->spec.name, &v->statuses[i]);
	if (code && code != ERR_NOT_FOUND)
		return call_context(c, "job %.*s", STR(t->spec.name));
	err_clear(&c->err);
	v->absent[i] = code != 0;
	if (!code)
		tell(run, i, &v->statuses[i]);
	if (count_submits(c, run, t, &v->submitted[i]))
		return c->err.code;
	struct str next = submit_name(c->arena, t, v->submitted[i] + 1);
	return attempts_check(c, run->step->state, next, &run->failures[i], &v->failed);
}

static int tasks_observe(struct call *c, void *ctx, void **view)
{
	struct task_run *run = ctx;
	struct task_view *v = arena_new(c->arena, struct task_view);
	if (!v)
		return call_no_memory(c);
	*v = (struct task_view){
		.run = run,
		.statuses = arena_new_array(c->arena, run->count + 1, struct job_status),
		.absent = arena_new_array(c->arena, run->count + 1, bool),
		.submitted = arena_new_array(c->arena, run->count + 1, int),
	};
	if (!v->statuses || !v->absent || !v->submitted)
		return call_no_memory(c);
	for (size_t i = 0; i < run->count; i++)
		if (observe_task(c, run, i, v))
			return c->err.code;
	*view = v;
	return 0;
}

// ---------------------------------------------------------------- decide
static int want_submit(struct arena *a, const struct task_view *v, size_t i, struct actions *out)
{
	const struct task *t = &v->run->tasks[i];
	int lost = v->submitted[i] - v->run->before[i];
	if (lost > TASK_MAX_LOST)
		return err_set(&out->failed, ERR_FAILED, "job %.*s on %.*s was lost %d times: %.*s", STR(t->spec.name),
			STR(t->cloud->name), lost, STR(v->statuses[i].reason));
	json_t *input = json_in_arena(a, json_object());
	if (!input)
		return ERR_NO_MEMORY;
	json_set_str(input, "job", t->spec.name);
	json_set_str(input, "cloud", t->cloud->name);
	out->items[out->count++] = (struct action){.name = submit_name(a, t, v->submitted[i] + 1),
		.type = S("job.submit"),
		.address = v->run->step->address,
		.input = input};
	return 0;
}

static int decide_task(struct arena *a, const struct task_view *v, size_t i, struct actions *out, size_t *done)
{
	const struct task *t = &v->run->tasks[i];
	const struct job_status *s = &v->statuses[i];
	if (v->absent[i] || s->state == JOB_LOST)
		return want_submit(a, v, i, out);
	if (s->state == JOB_FAILED || s->state == JOB_STOPPED)
		return err_set(&out->failed, s->state == JOB_STOPPED ? ERR_CANCELLED : ERR_FAILED,
			"job %.*s on %.*s %s: %.*s", STR(t->spec.name), STR(t->cloud->name), job_state_text(s->state),
			STR(s->reason));
	*done += s->state == JOB_SUCCEEDED;
	return 0;
}

static int tasks_decide(struct arena *a, const void *view, int64_t now_ns, struct actions *out)
{
	const struct task_view *v = view;
	size_t done = 0;
	(void)now_ns;
	out->failed = v->failed;
	out->items = arena_new_array(a, v->run->count + 1, struct action);
	if (!out->items)
		return ERR_NO_MEMORY;
	for (size_t i = 0; i < v->run->count && !out->failed.code; i++)
		if (decide_task(a, v, i, out, &done) == ERR_NO_MEMORY)
			return ERR_NO_MEMORY;
	out->finished = done == v->run->count;
	out->again_ns = TASK_PACE_NS;
	return 0;
}

// ---------------------------------------------------------------- act
static int tasks_act(struct call *c, void *ctx, const struct action *action, json_t **output)
{
	const struct task_run *run = ctx;
	(void)output;
	for (size_t i = 0; i < run->count; i++)
		if (str_eq(run->tasks[i].spec.name, json_str(action->input, "job")))
			return CLOUD_CALL(c, run->tasks[i].cloud, jobs, submit, &run->tasks[i].spec);
	return call_fail(c, ERR_INTERNAL, "no task is called %s", json_text(action->input, "job"));
}

// ---------------------------------------------------------------- the whole
struct tail {
	char text[2 * LOG_TAIL];
	size_t n;
};

static int tail_write(void *ctx, struct str data)
{
	struct tail *t = ctx;
	data = str_drop(data, data.n > LOG_TAIL ? data.n - LOG_TAIL : 0);
	if (t->n + data.n > sizeof(t->text)) {
		size_t keep = MIN(t->n, (size_t)LOG_TAIL);
		memmove(t->text, t->text + t->n - keep, keep);
		t->n = keep;
	}
	memcpy(t->text + t->n, data.p, data.n);
	t->n += data.n;
	return 0;
}

// The end of the log of a job that failed, as text for people: for the boundary that tells of the failure.
static void tell_log(struct call *c, const struct task_run *run, const struct task *t)
{
	struct tail tail = {.n = 0};
	struct sink sink = {.ctx = &tail, .write = tail_write};
	AUTO(arena) arena = {0};
	struct call child = {0};
	call_child(&child, c, &arena, 0);
	if (CLOUD_CALL(&child, t->cloud, jobs, logs, t->spec.name, &sink) || !tail.n)
		return;
	struct str text = str_trim(str_drop(str_bytes(tail.text, tail.n), tail.n > LOG_TAIL ? tail.n - LOG_TAIL : 0));
	step_report(run->step, &(struct progress_event){.what = t->cloud->name, .text = text, .unit = ""});
}

static int finish(struct call *c, const struct task_run *run)
{
	for (size_t i = 0; i < run->count; i++) {
		struct task *t = &run->tasks[i];
		if (CLOUD_CALL(c, t->cloud, jobs, observe, t->spec.name, &t->status))
			return c->err.code;
	}
	return 0;
}

// A job that failed in an earlier run is forgotten, or running again would only find the old failure under its name.
static int begin(struct call *c, struct task_run *run)
{
	for (size_t i = 0; i < run->count; i++) {
		const struct task *t = &run->tasks[i];
		struct job_status status = {0};
		run->failures[i] = ATTEMPTS_UNKNOWN;
		int code = CLOUD_CALL(c, t->cloud, jobs, observe, t->spec.name, &status);
		if (!code && (status.state == JOB_FAILED || status.state == JOB_STOPPED))
			code = CLOUD_CALL(c, t->cloud, jobs, remove, t->spec.name);
		if (code && code != ERR_NOT_FOUND)
			return call_context(c, "job %.*s", STR(t->spec.name));
		err_clear(&c->err);
		if (count_submits(c, run, t, &run->before[i]))
			return c->err.code;
	}
	return 0;
}

int tasks_run(struct call *c, const struct step *step, struct task *tasks, size_t count)
{
	struct task_run run = {
		.step = step,
		.tasks = tasks,
		.count = count,
		.failures = arena_new_array(c->arena, count + 1, int64_t),
		.before = arena_new_array(c->arena, count + 1, int),
		.told = arena_new_array(c->arena, count + 1, enum job_state),
		.known = arena_new_array(c->arena, count + 1, bool),
	};
	if (!run.failures || !run.before || !run.told || !run.known)
		return call_no_memory(c);
	if (!count || begin(c, &run))
		return c->err.code;
	struct str name = arena_printf(c->arena, "tasks/%.*s", STR(tasks[0].spec.name));
	if (!name.p)
		return call_no_memory(c);
	const struct reconciler reconciler = {.name = name.p,
		.observe = tasks_observe,
		.decide = tasks_decide,
		.act = tasks_act,
		.ctx = &run,
		.parallel = MIN(count, (size_t)8)};
	if (reconcile_run(c, step->state, &reconciler) == 0)
		return finish(c, &run);
	for (size_t i = 0; i < count; i++)
		if (run.known[i] && run.told[i] == JOB_FAILED)
			tell_log(c, &run, &tasks[i]);
	return c->err.code;
}
