// SPDX-License-Identifier: Apache-2.0
// Three clouds in memory with prepared data and an engine that runs the built-in trainers at once, in this process, unless a test
// tells it to hang, fail, lose or spoil a job. Include after cmocka.h.
#ifndef ISOBAR_TESTS_TOY_WORLD_H
#define ISOBAR_TESTS_TOY_WORLD_H

#include <pthread.h>
#include <unistd.h>

#include "fixture_state.h"
#include "jobs/step.h"
#include "math/rng.h"
#include "math/sketch.h"
#include "memory_cloud.h"
#include "train/trainers.h"
#include "train/training.h"

enum { TOY_CLOUDS = 3, TOY_JOBS = 200, TOY_WIDTH = 6, TOY_SAMPLES = 40 };
enum toy_fault { TOY_NONE, TOY_HANG, TOY_FAIL, TOY_LOSE, TOY_NAN, TOY_SAMPLES_LIE, TOY_BASE_LIE, TOY_NO_WEIGHTS, TOY_REFUSE };

struct toy_job {
	char name[200];
	enum job_state state;
	int ran; // to completion
};
struct toy_engine {
	struct memory_cloud *cloud;
	const char *folder;
	pthread_mutex_t lock;
	struct toy_job jobs[TOY_JOBS];
	size_t count;
	enum toy_fault fault;
	const char *fault_in; // part of the names of jobs that it befalls
	int lose;             // how often
	int stops;
};
struct toy_world {
	struct fixture f;
	struct edges_fake edges; // time passes when somebody waits, and only then
	struct state s;
	struct memory_cloud memory[TOY_CLOUDS];
	struct toy_engine engines[TOY_CLOUDS];
	struct cloud list[TOY_CLOUDS];
	struct clouds clouds;
	struct step step;
	struct step_input inputs[4];
	struct buf told;
	struct progress progress;
};

static struct toy_job *toy_find(struct toy_engine *e, struct str name)
{
	for (size_t i = 0; i < e->count; i++)
		if (str_eq(name, str_of(e->jobs[i].name)))
			return &e->jobs[i];
	return NULL;
}

static void toy_stage_in(struct toy_engine *e, const struct job_spec *spec, struct fixture *f)
{
	for (size_t i = 0; i < spec->input_count; i++) {
		struct store_page page;
		const struct job_input *in = &spec->inputs[i];
		assert_ok(f, cloud_list_all(&f->call, &e->cloud->cloud, in->bucket, in->prefix, &page));
		for (size_t k = 0; k < page.count; k++) {
			struct str data;
			const char *name = arena_printf(&f->arena, "in/%.*s/%.*s", STR(in->name), STR(str_drop(page.objects[k].key, in->prefix.n))).p;
			assert_ok(f, cloud_get_bytes(&f->call, &e->cloud->cloud, in->bucket, page.objects[k].key, 1 << 20, &data));
			fixture_write(f, name, data);
		}
	}
}

static void toy_spoil(struct toy_engine *e, struct fixture *f)
{
	if (e->fault == TOY_NAN) { // the last float of the file
		struct str weights = fixture_read(f, "out/weights.safetensors");
		static const unsigned char nan[] = {0, 0, 0xc0, 0x7f};
		char *copy = arena_cstr(&f->arena, weights);
		memcpy(copy + weights.n - 4, nan, 4);
		fixture_write(f, "out/weights.safetensors", str_bytes(copy, weights.n));
	}
	if (e->fault == TOY_NO_WEIGHTS)
		assert_int_equal(unlink(fixture_path(f, "out/weights.safetensors")), 0);
	if (e->fault != TOY_SAMPLES_LIE && e->fault != TOY_BASE_LIE)
		return;
	json_t *metrics = NULL;
	struct buf text = {0};
	assert_ok(f, json_parse(fixture_read(f, "out/metrics.json"), &metrics, &f->call.err));
	if (e->fault == TOY_SAMPLES_LIE)
		json_object_set_new(metrics, "samples", json_integer(1000000));
	else
		json_object_set_new(metrics, "base", json_string("0123"));
	assert_ok(f, json_write(metrics, &text, &f->call.err));
	fixture_write(f, "out/metrics.json", buf_str(&text));
	json_decref(metrics);
	buf_free(&text);
}

static void toy_stage_out(struct toy_engine *e, const struct job_spec *spec, struct fixture *f)
{
	static const char *const names[] = {"weights.safetensors", "metrics.json"};
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		const char *from = arena_printf(&f->arena, "out/%s", names[i]).p;
		if (!file_exists(fixture_path(f, from)))
			continue;
		struct store_put put = {.bucket = spec->output.bucket, .key = arena_printf(&f->arena, "%.*s%s", STR(spec->output.prefix), names[i])};
		struct object object;
		assert_ok(f, cloud_put_bytes(&f->call, &e->cloud->cloud, &put, fixture_read(f, from), &object));
	}
}

// Runs a job whole. The caller has the engine's lock.
static void toy_run(struct toy_engine *e, const struct job_spec *spec, struct toy_job *job, bool faulty)
{
	struct fixture f;
	struct err err = {0};
	fixture_open(&f);
	assert_ok(&f, file_make_dirs(fixture_path(&f, "out"), 0700, &f.call.err));
	assert_ok(&f, file_make_dirs(fixture_path(&f, "in"), 0700, &f.call.err));
	toy_stage_in(e, spec, &f);
	json_t *none = json_object();
	struct trainer_env env = {.data = fixture_path(&f, "in"), .out = fixture_path(&f, "out"), .with = spec->with ? spec->with : none};
	bool evaluate = str_eq(str_of(spec->argv[0]), S("builtin/evaluate"));
	if ((evaluate ? trainer_evaluate : trainer_mlp)(&env, &err) < 0)
		fail_msg("job %.*s: %s", STR(spec->name), err.message);
	if (faulty)
		toy_spoil(e, &f);
	toy_stage_out(e, spec, &f);
	json_decref(none);
	job->state = JOB_SUCCEEDED;
	job->ran++;
	fixture_close(&f);
}

static int toy_submit_locked(struct call *c, struct toy_engine *e, const struct job_spec *spec)
{
	struct toy_job *job = toy_find(e, spec->name);
	bool faulty = e->fault != TOY_NONE && str_find(spec->name, str_of(e->fault_in)) >= 0;
	if (atomic_load(&e->cloud->down))
		return call_fail(c, ERR_UNAVAILABLE, "the cloud is down");
	if (faulty && e->fault == TOY_REFUSE)
		return call_fail(c, ERR_DENIED, "not allowed");
	if (job && job->state != JOB_LOST)
		return 0;
	if (!job) {
		assert_true(e->count < TOY_JOBS);
		job = &e->jobs[e->count++];
		snprintf(job->name, sizeof(job->name), "%.*s", STR(spec->name));
	}
	job->state = JOB_RUNNING;
	if (faulty && e->fault == TOY_HANG)
		return 0;
	if (faulty && (e->fault == TOY_FAIL || (e->fault == TOY_LOSE && e->lose-- > 0)))
		job->state = e->fault == TOY_FAIL ? JOB_FAILED : JOB_LOST;
	else
		toy_run(e, spec, job, faulty);
	return 0;
}

static int toy_submit(struct call *c, void *jobs, const struct job_spec *spec)
{
	struct toy_engine *e = jobs;
	pthread_mutex_lock(&e->lock);
	int rc = toy_submit_locked(c, e, spec);
	pthread_mutex_unlock(&e->lock);
	return rc;
}

static int toy_observe(struct call *c, void *jobs, struct str name, struct job_status *out)
{
	struct toy_engine *e = jobs;
	pthread_mutex_lock(&e->lock);
	const struct toy_job *job = toy_find(e, name);
	*out = (struct job_status){.state = job ? job->state : JOB_LOST, .reason = S("exit code 7")};
	pthread_mutex_unlock(&e->lock);
	return job ? 0 : call_fail(c, ERR_NOT_FOUND, "no job %.*s", STR(name));
}

static int toy_stop(struct call *c, void *jobs, struct str name)
{
	struct toy_engine *e = jobs;
	(void)c;
	pthread_mutex_lock(&e->lock);
	struct toy_job *job = toy_find(e, name);
	if (job && job->state == JOB_RUNNING) {
		job->state = JOB_STOPPED;
		e->stops++;
	}
	pthread_mutex_unlock(&e->lock);
	return 0;
}

static int toy_remove(struct call *c, void *jobs, struct str name)
{
	struct toy_engine *e = jobs;
	(void)c;
	pthread_mutex_lock(&e->lock);
	struct toy_job *job = toy_find(e, name);
	if (job)
		*job = e->jobs[--e->count];
	pthread_mutex_unlock(&e->lock);
	return 0;
}

static int toy_logs(struct call *c, void *jobs, struct str name, struct sink *to)
{
	(void)c;
	(void)jobs;
	(void)name;
	return to->write(to->ctx, S("log\n"));
}

static const struct job_ops toy_job_ops = {
	.name = "toy", .submit = toy_submit, .observe = toy_observe, .stop = toy_stop, .remove = toy_remove, .logs = toy_logs};

// Samples whose class says which half is larger; written as builtin/images writes.
static void toy_write_split(struct toy_world *w, struct memory_cloud *m, const char *prefix, uint64_t seed)
{
	float x[TOY_SAMPLES][TOY_WIDTH];
	int64_t label[TOY_SAMPLES];
	const uint64_t shape[] = {TOY_SAMPLES, TOY_WIDTH};
	struct sketch sketch;
	struct rng r;
	struct buf file = {0}, text = {0};
	rng_seed(&r, seed, 0);
	assert_ok(&w->f, sketch_new(&sketch, TOY_WIDTH, SKETCH_BINS, 0, 1, &w->f.call.err));
	for (size_t i = 0; i < TOY_SAMPLES; i++) {
		label[i] = (int64_t)rng_below(&r, 2);
		for (size_t k = 0; k < TOY_WIDTH; k++)
			x[i][k] = (float)(rng_uniform(&r) * 0.6 + (k / (TOY_WIDTH / 2) == (size_t)label[i] ? 0.4 : 0));
		sketch_add(&sketch, x[i]);
	}
	struct tensor t[] = {{.name = S("image"), .type = TENSOR_F32, .shape = shape, .rank = 2, .data = (void *)x},
		{.name = S("class"), .type = TENSOR_I64, .shape = shape, .rank = 1, .data = (void *)label}};
	struct safetensors s = {.tensors = t, .count = 2};
	assert_ok(&w->f, safetensors_lay_out(&s, &w->f.call.err));
	assert_ok(&w->f, safetensors_write(&s, &file, &w->f.call.err));
	memory_cloud_poke(m, "fashion-lake", arena_printf(&w->f.arena, "%sdata.safetensors", prefix).p, buf_str(&file));
	json_t *j = sketch_to_json(&sketch);
	assert_ok(&w->f, json_write(j, &text, &w->f.call.err));
	memory_cloud_poke(m, "fashion-lake", arena_printf(&w->f.arena, "%ssketch.json", prefix).p, buf_str(&text));
	json_decref(j);
	sketch_free(&sketch);
	buf_free(&file);
	buf_free(&text);
}

static void toy_told(void *ctx, const struct progress_event *e)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	struct toy_world *w = ctx;
	pthread_mutex_lock(&lock);
	if (e->text.n)
		buf_printf(&w->told, "%.*s\n", STR(e->text));
	pthread_mutex_unlock(&lock);
}

// Outputs of a dataset and of a transform over the clouds' parts.
static void toy_upstream(struct toy_world *w)
{
	json_t *dataset = json_array(), *transform = json_array();
	for (size_t i = 0; i < TOY_CLOUDS; i++) {
		json_array_append_new(dataset, json_pack("{s:s, s:s, s:s, s:i}", "cloud", w->list[i].name.p, "bucket", "fashion-lake", "prefix",
			"datasets/images/d/", "records", 2 * TOY_SAMPLES));
		json_array_append_new(transform, json_pack("{s:s, s:s, s:{s:{s:s, s:i}, s:{s:s, s:i}}}", "cloud", w->list[i].name.p, "bucket",
			"fashion-lake", "splits", "train", "prefix", "transforms/prepared/t/train/", "bytes", 1000, "test", "prefix",
			"transforms/prepared/t/test/", "bytes", 1000));
	}
	json_t *made = json_pack("{s:o, s:s, s:s}", "parts", transform, "class", "public", "residency", "anywhere");
	w->inputs[0] = (struct step_input){.address = S("transform/prepared"), .run = S("t"), .outputs = json_in_arena(&w->f.arena, made)};
	made = json_pack("{s:o, s:i}", "parts", dataset, "records", 2 * TOY_SAMPLES * TOY_CLOUDS);
	w->inputs[1] = (struct step_input){.address = S("dataset/images"), .run = S("d"), .outputs = json_in_arena(&w->f.arena, made)};
	w->step.inputs = w->inputs;
	w->step.input_count = 2;
}

static void toy_open(struct toy_world *w)
{
	static const char *const names[][2] = {{"gcp-eu", "gcp"}, {"aws-us", "aws"}, {"azure-eu", "azure"}};
	memset(w, 0, sizeof(*w));
	fixture_open_state(&w->f, &w->s);
	edges_fake_init(&w->edges, INT64_C(1800000000000000000), 1);
	w->f.call.edges = &w->edges.edges;
	for (size_t i = 0; i < TOY_CLOUDS; i++) {
		struct memory_cloud *m = &w->memory[i];
		memory_cloud_init(m, names[i][0], names[i][1]);
		memory_cloud_bucket(m, "fashion-lake");
		toy_write_split(w, m, "transforms/prepared/t/train/", 10 + i);
		toy_write_split(w, m, "transforms/prepared/t/test/", 20 + i);
		w->engines[i] = (struct toy_engine){.cloud = m};
		pthread_mutex_init(&w->engines[i].lock, NULL);
		m->cloud.jobs = &toy_job_ops;
		m->cloud.jobs_ctx = &w->engines[i];
		w->list[i] = m->cloud;
		fixture_resource(&w->f, &w->s, arena_printf(&w->f.arena, "bucket/lake on %s", names[i][0]).p, json_object(), NULL);
	}
	w->clouds = (struct clouds){.items = w->list, .count = TOY_CLOUDS};
	w->progress = (struct progress){.ctx = w, .report = toy_told};
	w->step = (struct step){.state = &w->s, .clouds = &w->clouds, .run = S("3fa2c1d20b6e"), .progress = &w->progress,
		.scratch = fixture_path(&w->f, "scratch"), .folder = w->f.folder};
	assert_ok(&w->f, file_make_dirs(w->step.scratch, 0700, &w->f.call.err));
	toy_upstream(w);
}

static void toy_close(struct toy_world *w)
{
	for (size_t i = 0; i < TOY_CLOUDS; i++) {
		memory_cloud_free(&w->memory[i]);
		pthread_mutex_destroy(&w->engines[i].lock);
	}
	buf_free(&w->told);
	fixture_close_state(&w->f, &w->s);
}

// A resource as infra records it: the YAML of the declaration, resolved.
static void toy_declare(struct toy_world *w, const char *address, const char *json, struct resource *out)
{
	json_t *resolved = NULL;
	assert_ok(&w->f, json_parse(str_of(json), &resolved, &w->f.call.err));
	fixture_resource(&w->f, &w->s, address, resolved, NULL);
	assert_ok(&w->f, resource_get(&w->f.call, &w->s, str_of(address), out));
	w->step.resource = out;
	w->step.address = str_of(address);
}

static const char toy_federated[] =
	"{\"data\":\"transform/prepared/train\",\"trainer\":\"builtin/mlp\",\"bucket\":\"bucket/lake\","
	"\"with\":{\"hidden\":[5],\"batch\":10,\"learning_rate\":0.1,\"seed\":3},"
	"\"federated\":{\"clouds\":[\"aws-us\",\"gcp-eu\",\"azure-eu\"],\"rounds\":3,\"local_epochs\":2,"
	"\"aggregate\":{\"rule\":\"fedavg\",\"outer\":{\"optimizer\":\"nesterov\",\"rate\":0.7,\"momentum\":0.9}},"
	"\"quorum\":\"2 of 3\",\"deadline\":\"%s\"}}";

static inline void toy_declare_federated(struct toy_world *w, const char *deadline, struct resource *r)
{
	AUTO(buf) text = {0};
	struct str before, after;
	ptrdiff_t at = str_find(str_of(toy_federated), S("%s"));
	before = str_take(str_of(toy_federated), (size_t)at);
	after = str_drop(str_of(toy_federated), (size_t)at + 2);
	buf_printf(&text, "%.*s%s%.*s", STR(before), deadline, STR(after));
	toy_declare(w, "training/classifier", buf_cstr(&text), r);
}

static inline json_t *toy_make(struct toy_world *w)
{
	json_t *outputs = NULL;
	assert_ok(&w->f, training_make(&w->f.call, NULL, &w->step, &outputs));
	return json_in_arena(&w->f.arena, outputs);
}

static inline struct str toy_final(struct toy_world *w, size_t cloud)
{
	return memory_cloud_peek(&w->memory[cloud], "fashion-lake", "trainings/classifier/3fa2c1d20b6e/final/weights.safetensors");
}

static inline void assert_digest(struct str bytes, struct str sha256)
{
	char digest[HEX_SHA256_SIZE];
	struct sha256 sum = sha256_of(bytes);
	hex_encode(str_bytes(sum.bytes, SHA256_SIZE), digest);
	assert_str(str_of(digest), sha256);
}

#endif
