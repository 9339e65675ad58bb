// SPDX-License-Identifier: Apache-2.0
// The transform step: which jobs it makes, where they run, and what it gives. The engine only leaves what a worker
// would leave.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>

#include "fixture_state.h"
#include "memory_cloud.h"
#include "transform/transform.h"
#include "transform/transform_kind.h"

struct world {
	struct fixture f;
	struct state s;
	struct memory_cloud m[2];
	struct cloud list[2];
	struct clouds all;
	struct buf trace; // of submits
	bool done[2];
	bool fail;
	pthread_mutex_t lock; // submits run on the pool
};

static size_t which(const struct world *w, const void *jobs)
{
	return jobs == &w->m[1];
}

static struct world *current; // an engine's ctx is its cloud; the test's world stands here

static int engine_submit(struct call *c, void *jobs, const struct job_spec *spec)
{
	struct world *w = current;
	struct memory_cloud *m = jobs;
	pthread_mutex_lock(&w->lock);
	assert_str(spec->inputs[0].name, S("input"));
	assert_int_equal(spec->input_count, 1);
	assert_str(json_str(spec->with, "scale"), S("0..1"));
	buf_printf(&w->trace, "%.*s %s %.*s/%.*s -> %.*s/%.*s;", STR(spec->name), spec->argv[0],
		STR(spec->inputs[0].bucket), STR(spec->inputs[0].prefix), STR(spec->output.bucket),
		STR(spec->output.prefix));
	(void)c;
	memory_cloud_poke(m, "fashion-lake", arena_printf(&w->f.arena, "%.*s_SUCCESS", STR(spec->output.prefix)).p,
		S("{\"job\":\"x\",\"files\":[{\"name\":\"README\",\"size\":1,\"sha256\":\"00\"},"
		  "{\"name\":\"train/data.safetensors\",\"size\":100,\"sha256\":\"aa\"},{\"name\":\"train/"
		  "sketch.json\",\"size\":7,\"sha256\":\"bb\"},"
		  "{\"name\":\"test/data.safetensors\",\"size\":10,\"sha256\":\"cc\"}]}"));
	w->done[which(w, jobs)] = true;
	pthread_mutex_unlock(&w->lock);
	return 0;
}

static int engine_observe(struct call *c, void *jobs, struct str name, struct job_status *out)
{
	struct world *w = current;
	if (!w->done[which(w, jobs)])
		return call_fail(c, ERR_NOT_FOUND, "no job %.*s", STR(name));
	*out = (struct job_status){
		.state = w->fail ? JOB_FAILED : JOB_SUCCEEDED, .reason = S("exit code 3"), .cpu_s = 2};
	return 0;
}

static const struct job_ops engine_ops = {.name = "test", .submit = engine_submit, .observe = engine_observe};

static void open_world(struct world *w)
{
	memset(w, 0, sizeof(*w));
	current = w;
	pthread_mutex_init(&w->lock, NULL);
	fixture_open_state(&w->f, &w->s);
	for (int i = 0; i < 2; i++) {
		memory_cloud_init(&w->m[i], i ? "gcp-eu" : "aws-us", i ? "gcp" : "aws");
		memory_cloud_bucket(&w->m[i], "fashion-lake");
		w->list[i] = w->m[i].cloud;
		w->list[i].jobs = &engine_ops;
		w->list[i].jobs_ctx = &w->m[i];
	}
	w->all = (struct clouds){.items = w->list, .count = 2};
}

static void close_world(struct world *w)
{
	buf_free(&w->trace);
	memory_cloud_free(&w->m[0]);
	memory_cloud_free(&w->m[1]);
	fixture_close_state(&w->f, &w->s);
}

static int make(struct world *w, json_t *resolved, json_t **outputs)
{
	static const char parts[] =
		"{\"parts\":[{\"cloud\":\"aws-us\",\"bucket\":\"fashion-lake\",\"prefix\":\"datasets/images/d1/\"},"
		"{\"cloud\":\"gcp-eu\",\"bucket\":\"fashion-lake\",\"prefix\":\"datasets/images/d1/\"}]}";
	json_t *in;
	assert_ok(&w->f, json_parse(str_of(parts), &in, &w->f.call.err));
	const struct step_input input = {.address = S("dataset/images"), .outputs = json_in_arena(&w->f.arena, in)};
	const struct resource r = {.address = S("transform/prepared"),
		.name = S("prepared"),
		.resolved = json_in_arena(&w->f.arena, resolved)};
	const struct step step = {.state = &w->s,
		.clouds = &w->all,
		.address = r.address,
		.resource = &r,
		.inputs = &input,
		.input_count = 1,
		.run = S("0123456789ab"),
		.folder = w->f.folder};
	int code = transform_make(&w->f.call, NULL, &step, outputs);
	if (!code)
		json_in_arena(&w->f.arena, *outputs);
	return code;
}

static json_t *resolved(void)
{
	return json_pack(
		"{s:s,s:s,s:{s:s}}", "input", "dataset/images", "run", "builtin/images", "with", "scale", "0..1");
}

static void test_make(void **state)
{
	(void)state;
	struct world w;
	json_t *out;
	open_world(&w);
	assert_ok(&w.f, make(&w, resolved(), &out));
	const char *aws = "transform/prepared/0123456789ab/aws-us builtin/images fashion-lake/datasets/images/d1/ -> "
			  "fashion-lake/transforms/prepared/0123456789ab/;";
	assert_non_null(strstr(buf_cstr(&w.trace), aws));
	assert_non_null(strstr(buf_cstr(&w.trace), "transform/prepared/0123456789ab/gcp-eu "));
	const json_t *part = json_array_get(json_object_get(out, "parts"), 1);
	assert_str(json_str(part, "cloud"), S("gcp-eu"));
	assert_str(json_str(part, "bucket"), S("fashion-lake"));
	const json_t *splits = json_object_get(part, "splits"), *train = json_object_get(splits, "train");
	assert_int_equal(json_object_size(splits), 2);
	assert_str(json_str(train, "prefix"), S("transforms/prepared/0123456789ab/train/"));
	assert_int_equal(json_int(train, "bytes", 0), 107);
	assert_str(json_str(json_object_get(train, "files"), "data.safetensors"), S("aa"));
	size_t before = w.trace.n;
	assert_ok(&w.f, make(&w, resolved(), &out)); // all done: nothing is submitted
	assert_int_equal(w.trace.n, before);
	close_world(&w);
}

static void test_failures(void **state)
{
	(void)state;
	struct world w;
	json_t *out;
	open_world(&w);
	w.fail = true;
	assert_fails(&w.f, make(&w, resolved(), &out), ERR_FAILED);
	json_t *other = resolved();
	json_object_set_new(other, "input", json_string("dataset/none"));
	assert_fails(&w.f, make(&w, other, &out), ERR_NOT_FOUND);
	close_world(&w);
}

static void test_kind(void **state)
{
	(void)state;
	static const struct {
		const char *yaml;
		size_t findings;
	} rows[] = {
		{"input: images\nrun: builtin/images\nwith: {scale: 0..1, split: {train: \"train-*\", test: "
		 "\"t10k-*\"}}\n",
			0},
		{"input: prepared/train\ncode: ./code\ncommand: [python3, clean.py]\nresources: {cpu: 2, memory: "
		 "1GiB}\ndeadline: 10m\n",
			0},
		{"input: images\n", 1},
		{"input: images\nrun: builtin/images\ncommand: [x]\n", 1},
		{"input: images\nrun: builtin/imagse\n", 1},
		{"run: builtin/images\n", 1},
		{"input: images\nrun: builtin/images\nwith: {scael: 0..1}\n", 1},
		{"input: images\nrun: builtin/images\nwith: {scale: 1..0}\n", 1},
		{"input: images\nrun: builtin/images\nwith: {split: {train: 3}}\n", 1},
	};
	struct fixture f;
	fixture_open(&f);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct node *root;
		struct findings found = {.arena = &f.arena};
		struct transform t = {0};
		assert_int_equal(node_parse_yaml(str_of(rows[i].yaml), "x.yaml", &found, &root), 0);
		(void)!kind_decode(&transform_kind, root, &f.arena, &t, &found);
		assert_int_equal(found.count, rows[i].findings);
	}
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_make), cmocka_unit_test(test_failures), cmocka_unit_test(test_kind)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
