// SPDX-License-Identifier: Apache-2.0
// A training of one job: the cheapest allowed place, the parts of its data brought there when there are several, the job, a look at
// what it left.
#include <stdio.h>

#include "base/time.h"
#include "data/bucket_kind.h"
#include "data/copy.h"
#include "data/digest_file.h"
#include "jobs/task.h"
#include "math/aggregate.h"
#include "train/carry.h"
#include "train/place.h"
#include "train/training_impl.h"

enum { METRICS_LIMIT = 1 << 20 };

struct single {
	const struct step *step;
	const struct training *training;
	const struct cloud *cloud;
	struct str bucket, folder; // physical bucket; "trainings/NAME/RUN/"
	struct job_input data;
};

static int bring_part(struct call *c, const struct single *s, const struct part *p)
{
	struct copy copy = {
		.from = {p->cloud, p->bucket, p->prefix},
		.to = {s->cloud, s->bucket, arena_printf(c->arena, "%.*sdata/%.*s/", STR(s->folder), STR(p->cloud->name))},
		.state = s->step->state,
		.what = s->step->address,
		.bytes_of = p->of,
		.id = arena_printf(c->arena, "%.*s/%.*s/bring/%.*s", STR(s->step->address), STR(s->step->run), STR(p->cloud->name)),
	};
	struct copy_result result;
	if (!copy.to.key.p || !copy.id.p)
		return call_no_memory(c);
	int rc = copy_prefix(c, &copy, &result);
	if (rc == 0)
		step_report(s->step, &(struct progress_event){.what = p->cloud->name, .done = (double)result.bytes,
			.total = (double)result.bytes, .unit = "bytes", .text = S("its part of the data was brought")});
	return rc;
}

// Where the job finds its data: in its place, or brought together from all parts.
static int gather(struct call *c, struct single *s, const struct parts *parts, const struct part *here)
{
	s->data = (struct job_input){S("data"), here->bucket, here->prefix};
	if (!parts->partitioned || parts->count < 2)
		return 0;
	int rc = 0;
	for (size_t i = 0; i < parts->count && rc == 0; i++)
		rc = bring_part(c, s, &parts->items[i]);
	s->data = (struct job_input){S("data"), s->bucket, arena_printf(c->arena, "%.*sdata/", STR(s->folder))};
	return rc < 0 || s->data.prefix.p ? rc : call_no_memory(c);
}

static int run_job(struct call *c, const struct single *s)
{
	struct job_input data = s->data;
	const struct training *t = s->training;
	struct task task = {
		.cloud = s->cloud,
		.spec = {
			.name = arena_printf(c->arena, "train/%.*s/%.*s/job", STR(s->step->resource->name), STR(s->step->run)),
			.argv = training_argv(t, c->arena),
			.code_directory = training_code(t, s->step, c->arena),
			.with = json_in_arena(c->arena, training_with(t)),
			.inputs = &data,
			.input_count = 1,
			.output = {s->bucket, arena_printf(c->arena, "%.*sfinal/", STR(s->folder))},
			.cpu = t->resources.cpu,
			.memory = (uint64_t)t->resources.memory,
			.deadline_ns = t->place.deadline_ns ? t->place.deadline_ns : t->deadline_ns,
		},
	};
	if (!task.spec.name.p || !task.spec.argv || !task.spec.with || !task.spec.output.prefix.p)
		return call_no_memory(c);
	return tasks_run(c, s->step, &task, 1);
}

static int read_metrics(struct call *c, const struct single *s, struct training_made *out)
{
	struct str text, key = arena_printf(c->arena, "%.*sfinal/metrics.json", STR(s->folder));
	json_t *metrics = NULL;
	int rc = key.p ? cloud_get_bytes(c, s->cloud, s->bucket, key, METRICS_LIMIT, &text) : call_no_memory(c);
	if (rc == ERR_NOT_FOUND) { // a user's program need not measure itself
		err_clear(&c->err);
		return 0;
	}
	if (rc == 0)
		rc = json_parse(text, &metrics, &c->err);
	if (rc < 0)
		return call_context(c, "%.*s: metrics.json", STR(s->step->address));
	out->metrics = json_in_arena(c->arena, metrics);
	out->samples = (uint64_t)MAX(json_int(metrics, "samples", 0), 0);
	return out->metrics ? 0 : call_no_memory(c);
}

static int check_weights(struct call *c, const struct single *s, struct training_made *out)
{
	AUTO(safetensors_file) file = {0};
	struct carry here = {
		.cloud = s->cloud,
		.bucket = s->bucket,
		.key = arena_printf(c->arena, "%.*sfinal/weights.safetensors", STR(s->folder)),
		.path = arena_printf(c->arena, "%s/weights.safetensors", s->step->scratch).p,
		.state = s->step->state,
		.what = s->step->address,
		.id = arena_printf(c->arena, "%.*s/%.*s/collect", STR(s->step->address), STR(s->step->run)),
	};
	if (!here.path)
		return call_no_memory(c);
	int rc = carry_here(c, &here);
	if (rc == ERR_NOT_FOUND)
		return call_context(c, "%.*s: its job left no weights.safetensors in ISOBAR_OUT", STR(s->step->address));
	if (rc == 0)
		rc = safetensors_open(here.path, c->arena, &file, &c->err);
	struct aggregate_site site = {.name = s->cloud->name, .samples = 1, .input = {.tensors = &file.content}};
	if (rc == 0)
		rc = aggregate_check(&site, NULL, &c->err);
	if (rc < 0)
		return call_context(c, "%.*s: what its job left", STR(s->step->address));
	struct file_digest digest;
	if (digest_file(here.path, &digest, &c->err) < 0)
		return c->err.code;
	out->size = digest.size;
	out->sha256 = arena_str(c->arena, str_of(digest.hex));
	return out->sha256.n ? 0 : call_no_memory(c);
}

static void tell_place(const struct single *s, const struct place *p)
{
	char text[200];
	snprintf(text, sizeof(text), "runs on %.*s: %.4g %.*s an hour, %.4g to bring its data there", STR(s->cloud->name), p->compute,
		STR(p->currency), p->egress);
	step_report(s->step, &(struct progress_event){.what = s->cloud->name, .unit = "", .text = str_of(text)});
}

int training_single(struct call *c, const struct step *step, const struct training *t, const struct parts *parts, struct training_made *out)
{
	struct place place;
	struct place_need need = {.cpu = t->resources.cpu, .memory = (uint64_t)t->resources.memory, .state = step->state};
	int rc = place_cheapest(c, parts, &need, &place);
	if (rc < 0)
		return call_context(c, "%.*s", STR(step->address));
	struct single s = {.step = step, .training = t, .cloud = place.part->cloud,
		.folder = arena_printf(c->arena, "trainings/%.*s/%.*s/", STR(step->resource->name), STR(step->run))};
	out->places = arena_new(c->arena, struct part);
	if (!s.folder.p || !out->places)
		return call_no_memory(c);
	tell_place(&s, &place);
	rc = bucket_find(c, step->state, t->bucket.name, s.cloud->name, &s.bucket);
	if (rc == 0)
		rc = gather(c, &s, parts, place.part);
	if (rc == 0)
		rc = run_job(c, &s);
	if (rc == 0)
		rc = read_metrics(c, &s, out);
	if (rc == 0)
		rc = check_weights(c, &s, out);
	if (rc < 0)
		return rc;
	out->rounds = 1;
	out->place_count = 1;
	out->places[0] = (struct part){.cloud = s.cloud, .bucket = s.bucket, .prefix = arena_printf(c->arena, "%.*sfinal/", STR(s.folder))};
	return 0;
}
