// SPDX-License-Identifier: Apache-2.0
// Pipelines like make: order, what is skipped, what is made again and why, and how a run goes on after a failure.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "data/lineage.h"
#include "fixture_state.h"
#include "jobs/ingest_step.h"
#include "jobs/pipeline.h"
#include "jobs/pipeline_graph.h"

struct world {
	struct fixture f;
	struct state s;
	struct clouds none;
	struct step_maker makers[4];
	struct pipeline_env env;
	struct buf trace;        // addresses of what was made, in order
	const char *failing;     // address that fails
	const char *fingerprint; // of the dataset
	size_t inputs;           // of the last step
};

static int make(struct call *c, void *ctx, const struct step *step, json_t **outputs)
{
	struct world *w = ctx;
	if (w->failing && str_eq(step->address, str_of(w->failing)))
		return call_fail(c, ERR_UNAVAILABLE, "the cloud is away");
	buf_printf(&w->trace, "%.*s ", STR(step->address));
	w->inputs = step->input_count;
	assert_int_equal(step->run.n, 12);
	assert_true(str_starts(step->digest, step->run));
	assert_true(file_exists(step->scratch));
	*outputs = json_pack("{s:s#}", "made", step->run.p, (int)step->run.n);
	if (str_eq(step->address, S("dataset/images"))) {
		json_object_set_new(*outputs, "class", json_string("personal"));
		json_object_set_new(*outputs, "residency", json_pack("[s]", "EU"));
	} else {
		assert_non_null(step_find_input(step, S("dataset/images")));
		assert_true(json_is_object(step_find_input(step, S("dataset/images"))->outputs));
	}
	return 0;
}

static int fingerprint(struct call *c, void *ctx, const struct step_look *look, struct str *out)
{
	const struct world *w = ctx;
	(void)c;
	assert_ptr_equal(look->state, &w->s);
	assert_string_equal(look->folder, w->env.folder);
	assert_str(look->resource->name, S("images"));
	*out = str_of(w->fingerprint);
	return 0;
}

static void open_world(struct world *w)
{
	memset(w, 0, sizeof(*w));
	fixture_open_state(&w->f, &w->s);
	const struct step_maker makers[] = {{"dataset", make, fingerprint, w}, {"transform", make, NULL, w},
		{"training", make, NULL, w}, {"model", make, NULL, w}};
	memcpy(w->makers, makers, sizeof(makers));
	w->fingerprint = "v1";
	w->env = (struct pipeline_env){.state = &w->s,
		.clouds = &w->none,
		.makers = w->makers,
		.maker_count = 4,
		.scratch = fixture_path(&w->f, "made"),
		.folder = w->f.folder};
	fixture_resource(&w->f, &w->s, "bucket/lake on aws-us", json_object(), NULL);
	fixture_resource(
		&w->f, &w->s, "dataset/images", json_pack("{s:s}", "source", "file:data"), "bucket/lake on aws-us");
	fixture_resource(&w->f, &w->s, "transform/prepared", json_pack("{s:s}", "input", "dataset/images"),
		"dataset/images,bucket/lake on aws-us");
	fixture_write(&w->f, "code/train.py", S("print(1)"));
	fixture_resource(&w->f, &w->s, "training/c",
		json_pack("{s:s, s:s}", "data", "transform/prepared/train", "code", "code"), "transform/prepared");
	fixture_resource(
		&w->f, &w->s, "model/m", json_pack("{s:s}", "from", "training/c"), "training/c,transform/prepared");
	fixture_resource(&w->f, &w->s, "pipeline/retrain",
		json_pack("{s:[s,s]}", "make", "model/m@champion", "transform/prepared"), "model/m");
}

static void close_world(struct world *w)
{
	buf_free(&w->trace);
	fixture_close_state(&w->f, &w->s);
}

static void run(struct world *w, const char *goal, const char *expected)
{
	buf_clear(&w->trace);
	assert_ok(&w->f, pipeline_run(&w->f.call, &w->env, str_of(goal)));
	assert_string_equal(buf_cstr(&w->trace), expected);
}

#define ALL "dataset/images transform/prepared training/c model/m@champion "

static void test_make(void **state)
{
	(void)state;
	struct world w;
	const json_t *made;
	open_world(&w);
	assert_fails(&w.f, pipeline_made(&w.f.call, &w.s, S("training/c"), &made), ERR_NOT_FOUND);
	run(&w, "model/m@champion", ALL);
	assert_int_equal(w.inputs, 3); // training, transform, dataset: each once
	run(&w, "model/m@champion", "");
	run(&w, "pipeline/retrain", "");
	assert_int_equal(fixture_events(&w.f, &w.s, "step.started", NULL), 4);
	assert_int_equal(fixture_events(&w.f, &w.s, "step.done", NULL), 4);
	assert_ok(&w.f, pipeline_made(&w.f.call, &w.s, S("training/c"), &made));
	assert_str(json_str(json_object_get(made, "outputs"), "made"), json_str(made, "run"));
	assert_str(json_str(json_object_get(made, "outputs"), "class"), S("personal")); // inherited over two steps
	assert_int_equal(json_array_size(json_object_get(json_object_get(made, "outputs"), "residency")), 1);
	struct lineage_link *links;
	size_t count;
	assert_ok(&w.f, lineage_upstream(&w.f.call, &w.s, S("model/m@champion"), &links, &count));
	assert_int_equal(count, 3);
	assert_true(links[0].current && links[1].current && links[2].current);
	assert_false(
		file_exists(arena_printf(&w.f.arena, "%s/training+c/%s", w.env.scratch, json_text(made, "run")).p));
	close_world(&w);
}

static void check_plan(struct world *w, const enum pipeline_need wanted[4])
{
	struct pipeline_step *steps;
	size_t count;
	assert_ok(&w->f, pipeline_plan(&w->f.call, &w->env, S("pipeline/retrain"), &steps, &count));
	assert_int_equal(count, 4);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(steps[i].need, wanted[i]);
}

static void test_changes(void **state)
{
	(void)state;
	struct world w;
	open_world(&w);
	check_plan(&w, (enum pipeline_need[]){
			       PIPELINE_NEVER_MADE, PIPELINE_NEVER_MADE, PIPELINE_NEVER_MADE, PIPELINE_NEVER_MADE});
	run(&w, "pipeline/retrain", ALL);
	check_plan(&w, (enum pipeline_need[]){
			       PIPELINE_UP_TO_DATE, PIPELINE_UP_TO_DATE, PIPELINE_UP_TO_DATE, PIPELINE_UP_TO_DATE});

	fixture_write(&w.f, "code/train.py", S("print(2)")); // the code of one step
	check_plan(&w,
		(enum pipeline_need[]){PIPELINE_UP_TO_DATE, PIPELINE_UP_TO_DATE, PIPELINE_CHANGED, PIPELINE_UPSTREAM});
	run(&w, "pipeline/retrain", "training/c model/m@champion ");

	w.fingerprint = "v2"; // the contents of the source
	check_plan(
		&w, (enum pipeline_need[]){PIPELINE_CHANGED, PIPELINE_UPSTREAM, PIPELINE_UPSTREAM, PIPELINE_UPSTREAM});
	run(&w, "transform/prepared/train", "dataset/images transform/prepared ");
	run(&w, "pipeline/retrain", "training/c model/m@champion ");

	w.fingerprint = "v1"; // back: what was made is overwritten by now
	run(&w, "pipeline/retrain", ALL);

	fixture_resource(&w.f, &w.s, "training/c",
		json_pack("{s:s, s:i}", "data", "transform/prepared/train", "seed", 2), "transform/prepared");
	run(&w, "pipeline/retrain", "training/c model/m@champion ");
	close_world(&w);
}

static void test_failure(void **state)
{
	(void)state;
	struct world w;
	struct event *events;
	open_world(&w);
	w.failing = "training/c";
	assert_fails(&w.f, pipeline_run(&w.f.call, &w.env, S("pipeline/retrain")), ERR_UNAVAILABLE);
	assert_string_equal(buf_cstr(&w.trace), "dataset/images transform/prepared ");
	assert_int_equal(fixture_events(&w.f, &w.s, "step.failed", &events), 1);
	assert_str(json_str(events[0].data, "error"), S("the cloud is away"));
	assert_str(json_str(events[0].data, "code"), S("UNAVAILABLE"));
	w.failing = NULL;
	run(&w, "pipeline/retrain", "training/c model/m@champion ");
	close_world(&w);
}

static void test_refused(void **state)
{
	(void)state;
	struct world w;
	open_world(&w);
	assert_fails(&w.f, pipeline_run(&w.f.call, &w.env, S("model/none@champion")), ERR_NOT_FOUND);
	assert_fails(&w.f, pipeline_run(&w.f.call, &w.env, S("bucket/lake")), ERR_INVALID);
	assert_fails(&w.f, pipeline_run(&w.f.call, &w.env, S("pipeline/none")), ERR_NOT_FOUND);
	fixture_resource(
		&w.f, &w.s, "transform/prepared", json_pack("{s:s}", "input", "training/c"), "training/c"); // a ring
	assert_fails(&w.f, pipeline_run(&w.f.call, &w.env, S("training/c")), ERR_INVALID);
	assert_int_equal(w.trace.n, 0);
	close_world(&w);
}

static void test_graph(void **state)
{
	(void)state;
	struct world w;
	struct pipeline_graph g;
	open_world(&w);
	assert_ok(&w.f, pipeline_graph_build(&w.f.call, &w.env, S("model/m@champion"), &g));
	assert_int_equal(g.order_count, 4);
	const struct pipeline_node *model = &g.nodes[g.order[3]];
	assert_str(model->step.address, S("model/m@champion"));
	assert_str(model->alias, S("champion"));
	assert_int_equal(model->input_count, 2);
	assert_null(model->made);
	assert_string_equal(pipeline_need_text(model->step.need), "never made");
	close_world(&w);
}

// The maker of datasets gives ingest what the step knows: without a declared bucket that is where it ends.
static void test_ingest_step(void **state)
{
	(void)state;
	struct world w;
	struct str text;
	json_t *outputs;
	open_world(&w);
	struct resource r;
	fixture_resource(
		&w.f, &w.s, "dataset/images", json_pack("{s:s, s:s}", "source", "file:data", "format", "idx"), NULL);
	assert_ok(&w.f, resource_get(&w.f.call, &w.s, S("dataset/images"), &r));
	const struct step step = {.state = &w.s,
		.clouds = &w.none,
		.address = r.address,
		.resource = &r,
		.run = S("0123456789ab"),
		.scratch = fixture_path(&w.f, "scratch"),
		.folder = w.f.folder};
	assert_fails(&w.f, data_ingest_make(&w.f.call, NULL, &step, &outputs), ERR_NOT_FOUND); // no such cloud
	const struct step_look look = {.state = &w.s, .clouds = &w.none, .resource = &r, .folder = w.f.folder};
	assert_fails(&w.f, data_ingest_fingerprint(&w.f.call, NULL, &look, &text), ERR_NOT_FOUND); // no such folder
	close_world(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_make),
		cmocka_unit_test(test_changes),
		cmocka_unit_test(test_failure),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_graph),
		cmocka_unit_test(test_ingest_step),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
