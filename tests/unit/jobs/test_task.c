// SPDX-License-Identifier: Apache-2.0
// Tasks on an engine that loses, fails and refuses jobs as the test says.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fixture_state.h"
#include "jobs/task.h"

struct engine { // of one cloud; one job
	int submits, removes, observes;
	enum job_state state;
	bool there;
	int lose;   // how often the job is lost after a submit
	int refuse; // how often submit fails with ERR_UNAVAILABLE
	enum job_state end;
};

static int engine_submit(struct call *c, void *jobs, const struct job_spec *spec)
{
	struct engine *e = jobs;
	assert_str(spec->name, S("t/1"));
	if (e->refuse > 0) {
		e->refuse--;
		return call_fail(c, ERR_UNAVAILABLE, "down");
	}
	e->submits++;
	e->there = true;
	e->state = e->lose-- > 0 ? JOB_LOST : JOB_RUNNING;
	return 0;
}

static int engine_observe(struct call *c, void *jobs, struct str name, struct job_status *out)
{
	struct engine *e = jobs;
	if (!e->there)
		return call_fail(c, ERR_NOT_FOUND, "no job %.*s", STR(name));
	*out = (struct job_status){.state = e->state, .reason = S("because"), .cpu_s = 1.5};
	if (e->state == JOB_RUNNING && ++e->observes % 2 == 0)
		e->state = e->end;
	return 0;
}

static int engine_logs(struct call *c, void *jobs, struct str name, struct sink *to)
{
	(void)c;
	(void)jobs;
	(void)name;
	return to->write(to->ctx, S("the last words\n"));
}

static int engine_remove(struct call *c, void *jobs, struct str name)
{
	struct engine *e = jobs;
	(void)c;
	(void)name;
	e->removes++;
	e->there = false;
	return 0;
}

static const struct job_ops engine_ops = {.name = "test",
	.submit = engine_submit,
	.observe = engine_observe,
	.logs = engine_logs,
	.remove = engine_remove};

struct world {
	struct fixture f;
	struct state s;
	struct engine engines[2];
	struct cloud clouds[2];
	struct task tasks[2];
	struct step step;
	struct progress progress;
	struct buf told;
};

static void told(void *ctx, const struct progress_event *e)
{
	struct world *w = ctx;
	assert_str(e->step, S("transform/t"));
	buf_printf(&w->told, "%.*s:%.*s ", STR(e->what), STR(e->text));
}

static void open_world(struct world *w)
{
	memset(w, 0, sizeof(*w));
	fixture_open_state(&w->f, &w->s);
	w->progress = (struct progress){.ctx = w, .report = told};
	w->step = (struct step){.state = &w->s, .address = S("transform/t"), .progress = &w->progress};
	for (int i = 0; i < 2; i++) {
		w->engines[i].end = JOB_SUCCEEDED;
		w->clouds[i] =
			(struct cloud){.name = i ? S("b") : S("a"), .jobs = &engine_ops, .jobs_ctx = &w->engines[i]};
		w->tasks[i] = (struct task){.cloud = &w->clouds[i], .spec = {.name = S("t/1")}};
	}
}

static void close_world(struct world *w)
{
	buf_free(&w->told);
	fixture_close_state(&w->f, &w->s);
}

static void test_success(void **state)
{
	(void)state;
	struct world w;
	open_world(&w);
	assert_ok(&w.f, tasks_run(&w.f.call, &w.step, w.tasks, 1));
	assert_int_equal(w.engines[0].submits, 1);
	assert_int_equal(w.tasks[0].status.state, JOB_SUCCEEDED);
	assert_float_equal(w.tasks[0].status.cpu_s, 1.5, 0);
	assert_string_equal(buf_cstr(&w.told), "a:running a:succeeded ");
	assert_ok(&w.f, tasks_run(&w.f.call, &w.step, w.tasks, 1)); // done before
	assert_int_equal(w.engines[0].submits, 1);
	assert_ok(&w.f, tasks_run(&w.f.call, &w.step, w.tasks, 0));
	close_world(&w);
}

static void test_lost(void **state)
{
	(void)state;
	struct world w;
	open_world(&w);
	w.engines[0].lose = 2;
	assert_ok(&w.f, tasks_run(&w.f.call, &w.step, w.tasks, 1));
	assert_int_equal(w.engines[0].submits, 3);
	close_world(&w);

	open_world(&w);
	w.engines[0].lose = 100;
	assert_fails(&w.f, tasks_run(&w.f.call, &w.step, w.tasks, 1), ERR_FAILED);
	assert_int_equal(w.engines[0].submits, TASK_MAX_LOST + 1);
	w.engines[0].lose = 0; // a later run tries anew
	assert_ok(&w.f, tasks_run(&w.f.call, &w.step, w.tasks, 1));
	close_world(&w);
}

static void test_failed(void **state)
{
	(void)state;
	struct world w;
	open_world(&w);
	w.engines[1].end = JOB_FAILED;
	w.tasks[1].spec.name = w.tasks[0].spec.name;
	assert_int_equal(tasks_run(&w.f.call, &w.step, &w.tasks[1], 1), ERR_FAILED);
	assert_non_null(strstr(w.f.call.err.message, "job t/1 on b failed: because"));
	assert_non_null(strstr(buf_cstr(&w.told), "b:the last words"));
	err_clear(&w.f.call.err);
	w.engines[1].end = JOB_SUCCEEDED; // run again: the old failure is not found again
	assert_ok(&w.f, tasks_run(&w.f.call, &w.step, &w.tasks[1], 1));
	assert_int_equal(w.engines[1].removes, 1);
	assert_int_equal(w.engines[1].submits, 2);
	close_world(&w);
}

static void test_unavailable(void **state)
{
	(void)state;
	struct world w;
	open_world(&w);
	w.engines[0].refuse = 1;
	assert_ok(&w.f, tasks_run(&w.f.call, &w.step, w.tasks, 1));
	assert_int_equal(w.engines[0].submits, 1);
	w.clouds[0].jobs = NULL;
	assert_fails(&w.f, tasks_run(&w.f.call, &w.step, w.tasks, 1), ERR_UNSUPPORTED);
	close_world(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_success),
		cmocka_unit_test(test_lost),
		cmocka_unit_test(test_failed),
		cmocka_unit_test(test_unavailable),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
