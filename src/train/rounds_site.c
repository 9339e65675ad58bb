// SPDX-License-Identifier: Apache-2.0
// What a round does on one cloud: the weights go there, the job is submitted, what it made is fetched and looked at. All of it may
// be done again after a crash: objects and jobs have deterministic names and equal bytes.
#include <stdio.h>

#include "base/file.h"
#include "math/aggregate.h"
#include "train/carry.h"
#include "train/rounds_impl.h"
#include "train/training_impl.h"

enum { METRICS_LIMIT = 1 << 20 };

struct str site_job_name(const struct rounds *t, struct arena *a, const struct site *s, int64_t round)
{
	return arena_printf(a, "%.*s/round-%lld/%.*s", STR(t->prefix), (long long)round, STR(s->cloud->name));
}

static struct carry carry_of(const struct rounds *t, const struct site *s, const char *path, struct str key, struct str id)
{
	return (struct carry){.cloud = s->cloud, .bucket = s->bucket, .key = key, .path = path, .state = t->step->state,
		.what = t->step->address, .id = id};
}

// The settings of the training, and what this round adds to them.
static json_t *with_of(const struct rounds *t, struct arena *a, int64_t round, struct str base)
{
	json_t *with = json_deep_copy(t->with);
	json_object_set_new(with, "epochs", json_integer(t->training->federated.local_epochs));
	json_object_set_new(with, "round", json_integer(round));
	json_set_str(with, "base", base);
	return json_in_arena(a, with);
}

static int submit(struct call *c, struct rounds *t, struct site *s, int64_t round, struct str base)
{
	struct arena *a = c->arena;
	struct job_input inputs[] = {
		{S("data"), s->data.bucket, s->data.prefix},
		{S("global"), s->bucket, rounds_key(t, a, "round-%lld/global/", (long long)round)},
	};
	struct job_spec spec = {
		.name = site_job_name(t, a, s, round),
		.argv = training_argv(t->training, a),
		.code_directory = training_code(t->training, t->step, a),
		.with = with_of(t, a, round, base),
		.inputs = inputs,
		.input_count = base.n ? 2 : 1,
		.output = {s->bucket, rounds_key(t, a, "round-%lld/%.*s/", (long long)round, STR(s->cloud->name))},
		.cpu = t->training->resources.cpu,
		.memory = (uint64_t)t->training->resources.memory,
		.deadline_ns = t->deadline_ns,
	};
	if (!spec.name.p || !spec.argv || !spec.with || !spec.output.prefix.p || !inputs[1].prefix.p)
		return call_no_memory(c);
	return CLOUD_CALL(c, s->cloud, jobs, submit, &spec);
}

int site_start(struct call *c, struct rounds *t, struct site *s, const struct action *action, json_t **output)
{
	int64_t round = json_int(action->input, "round", 0);
	const char *path = NULL;
	struct str base = {0};
	(void)output;
	pthread_mutex_lock(&t->lock);
	int rc = global_file(c, t, round, &path, &base);
	pthread_mutex_unlock(&t->lock);
	if (rc == 0 && path) {
		struct str key = rounds_key(t, c->arena, "round-%lld/global/weights.safetensors", (long long)round);
		struct carry there = carry_of(t, s, path, key, action->name);
		rc = carry_there(c, &there);
	}
	if (rc == 0)
		rc = submit(c, t, s, round, base);
	return rc;
}

int site_fetch(struct call *c, struct rounds *t, struct site *s, int64_t round, struct str sha256)
{
	const char *folder = rounds_path(t, c->arena, "round-%lld", (long long)round);
	const char *path = rounds_path(t, c->arena, "round-%lld/%.*s.safetensors", (long long)round, STR(s->cloud->name));
	struct str id = arena_printf(c->arena, "%.*s/round-%lld/%.*s/collect", STR(t->prefix), (long long)round, STR(s->cloud->name));
	if (!folder || !path || !id.p)
		return call_no_memory(c);
	if (sha256.n && carry_is(path, sha256))
		return 0;
	struct carry here = carry_of(t, s, path,
		rounds_key(t, c->arena, "round-%lld/%.*s/weights.safetensors", (long long)round, STR(s->cloud->name)), id);
	int rc = file_make_dirs(folder, 0700, &c->err);
	if (rc == 0)
		rc = carry_here(c, &here);
	if (rc == ERR_NOT_FOUND)
		call_context(c, "the job left no weights.safetensors");
	if (rc == 0 && sha256.n && !carry_is(path, sha256))
		rc = call_fail(c, ERR_CORRUPT, "the weights of %.*s in round %lld are not those that were accepted", STR(s->cloud->name),
			(long long)round);
	return rc;
}

static int read_metrics(struct call *c, struct rounds *t, struct site *s, int64_t round, json_t **out)
{
	struct str text, key = rounds_key(t, c->arena, "round-%lld/%.*s/metrics.json", (long long)round, STR(s->cloud->name));
	int rc = key.p ? cloud_get_bytes(c, s->cloud, s->bucket, key, METRICS_LIMIT, &text) : call_no_memory(c);
	if (rc == ERR_NOT_FOUND)
		return call_context(c, "the job left no metrics.json");
	if (rc == 0)
		rc = json_parse(text, out, &c->err);
	if (rc < 0)
		call_context(c, "metrics.json");
	return rc;
}

// Does what the job says of itself fit what was asked of it?
static int check_metrics(struct call *c, struct rounds *t, struct site *s, int64_t round, const json_t *metrics, struct str base)
{
	int64_t samples = json_int(metrics, "samples", 0);
	uint64_t known = 0;
	int rc = global_samples(c, t, s, &known);
	if (rc < 0)
		return rc;
	if (samples < 1 || (known && (uint64_t)samples > known))
		return call_fail(c, ERR_INVALID, "metrics.json says %lld samples, its data has %llu", (long long)samples, (unsigned long long)known);
	if (json_int(metrics, "round", t->builtin ? -1 : round) != round)
		return call_fail(c, ERR_INVALID, "metrics.json is of round %lld, this is round %lld", (long long)json_int(metrics, "round", -1),
			(long long)round);
	struct str said = json_str(metrics, "base");
	if ((t->builtin || said.n) && !str_eq(said, base))
		return call_fail(c, ERR_INVALID, "the job began with weights %.*s, this round begins with %.*s", STR(said), STR(base));
	return 0;
}

static int check_weights(struct call *c, const struct site *s, const char *path, const char *base_path, struct safetensors_file *file)
{
	AUTO(safetensors_file) base = {0};
	struct aggregate_input from = {0}, compare = {0};
	int rc = safetensors_open(path, c->arena, file, &c->err);
	if (rc == 0 && base_path)
		rc = safetensors_open(base_path, c->arena, &base, &c->err);
	if (rc < 0)
		return rc;
	from.tensors = &file->content;
	compare.tensors = &base.content;
	struct aggregate_site site = {.name = s->cloud->name, .samples = 1, .input = from};
	return aggregate_check(&site, base_path ? &compare : NULL, &c->err);
}

static json_t *collected(const json_t *metrics, const struct safetensors_file *file)
{
	char digest[HEX_SHA256_SIZE];
	struct sha256 sum = sha256_of(file->bytes);
	hex_encode(str_bytes(sum.bytes, sizeof(sum.bytes)), digest);
	json_t *j = json_pack("{s:I, s:s, s:I}", "samples", (json_int_t)json_int(metrics, "samples", 0), "sha256", digest, "size",
		(json_int_t)file->bytes.n);
	static const char *const copied[] = {"loss", "seconds"};
	for (size_t i = 0; i < COUNT_OF(copied); i++)
		if (json_is_number(json_object_get(metrics, copied[i])))
			json_object_set(j, copied[i], json_object_get(metrics, copied[i]));
	return j;
}

static void tell(struct rounds *t, const struct site *s, int64_t round, const json_t *output)
{
	char what[128];
	snprintf(what, sizeof(what), "round %lld on %.*s", (long long)round, STR(s->cloud->name));
	double samples = (double)json_int(output, "samples", 0);
	step_report(t->step, &(struct progress_event){.what = str_of(what), .done = samples, .total = samples, .unit = "samples"});
}

int site_collect(struct call *c, struct rounds *t, struct site *s, const struct action *action, json_t **output)
{
	int64_t round = json_int(action->input, "round", 0);
	const char *base_path = NULL, *path = rounds_path(t, c->arena, "round-%lld/%.*s.safetensors", (long long)round, STR(s->cloud->name));
	struct str base = {0};
	AUTO(json) metrics = NULL;
	AUTO(safetensors_file) file = {0};
	pthread_mutex_lock(&t->lock);
	int rc = path ? global_file(c, t, round, &base_path, &base) : call_no_memory(c);
	pthread_mutex_unlock(&t->lock);
	if (rc == 0)
		rc = read_metrics(c, t, s, round, &metrics);
	if (rc == 0)
		rc = check_metrics(c, t, s, round, metrics, base);
	if (rc == 0)
		rc = site_fetch(c, t, s, round, S(""));
	if (rc == 0)
		rc = check_weights(c, s, path, base_path, &file);
	if (rc < 0)
		return rc;
	*output = collected(metrics, &file);
	tell(t, s, round, *output);
	return *output ? 0 : call_no_memory(c);
}

int site_finish(struct call *c, struct rounds *t, struct site *s, const struct action *action, json_t **output)
{
	const char *path = NULL;
	struct str sha256 = {0};
	pthread_mutex_lock(&t->lock);
	int rc = global_file(c, t, t->training->federated.rounds + 1, &path, &sha256);
	pthread_mutex_unlock(&t->lock);
	struct carry there = carry_of(t, s, path, rounds_key(t, c->arena, "final/weights.safetensors"), action->name);
	if (rc == 0)
		rc = carry_there(c, &there);
	if (rc < 0)
		return rc;
	*output = json_object();
	json_set_str(*output, "sha256", sha256);
	return *output ? 0 : call_no_memory(c);
}
