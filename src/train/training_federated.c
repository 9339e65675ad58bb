// SPDX-License-Identifier: Apache-2.0
// A federated training from its declaration to its result: the sites, the reconciler, what came out.
#include <stdlib.h>

#include "base/time.h"
#include "cloud/job_files.h"
#include "data/bucket_kind.h"
#include "train/rounds_impl.h"
#include "train/training_impl.h"

enum { SITES_AT_ONCE = 16 };

static int by_name(const void *x, const void *y)
{
	const struct site *a = x, *b = y;
	return str_cmp(a->cloud->name, b->cloud->name);
}

static int add_site(struct call *c, struct rounds *t, const struct parts *parts, struct str cloud)
{
	const struct part *part = parts_on(parts, cloud);
	struct site *s = &t->sites[t->count];
	if (!part)
		return call_fail(c, ERR_INVALID, "%.*s: %.*s takes part, but no part of its data lies there", STR(t->step->address), STR(cloud));
	*s = (struct site){.cloud = part->cloud, .data = *part};
	int rc = bucket_find(c, t->step->state, t->training->bucket.name, cloud, &s->bucket);
	if (rc == 0)
		t->count++;
	return rc;
}

static int find_sites(struct call *c, struct rounds *t, const struct parts *parts)
{
	const struct field_list *clouds = &t->training->federated.clouds;
	size_t most = clouds->count ? clouds->count : parts->count;
	int rc = 0;
	t->sites = arena_new_array(c->arena, most + 1, struct site);
	if (!t->sites)
		return call_no_memory(c);
	for (size_t i = 0; i < most && rc == 0; i++)
		rc = add_site(c, t, parts, clouds->count ? ((const struct str *)clouds->items)[i] : parts->items[i].cloud->name);
	if (rc < 0)
		return rc;
	qsort(t->sites, t->count, sizeof(*t->sites), by_name);
	t->need = t->training->federated.quorum.need ? (size_t)t->training->federated.quorum.need : t->count;
	if (t->need > t->count)
		return call_fail(c, ERR_INVALID, "%.*s needs a quorum of %zu, but %zu clouds take part", STR(t->step->address), t->need, t->count);
	return 0;
}

static int prepare(struct call *c, struct rounds *t, const struct parts *parts)
{
	t->name = t->step->resource->name;
	t->prefix = arena_printf(c->arena, "train/%.*s/%.*s", STR(t->name), STR(t->step->run));
	t->with = training_with(t->training);
	t->deadline_ns = t->training->federated.deadline_ns;
	t->builtin = t->training->trainer.n > 0;
	if (!t->prefix.p || !t->with)
		return call_no_memory(c);
	if (t->builtin && mlp_settings_read(t->with, &t->settings, &c->err) < 0)
		return call_context(c, "%.*s", STR(t->step->address));
	return find_sites(c, t, parts);
}

// A job that failed in an earlier run of this step is forgotten, so that it can be submitted again under its name.
static void forget_failed(struct call *c, struct rounds *t, struct site *s, int64_t round)
{
	struct job_status status;
	struct call child;
	call_child(&child, c, c->arena, 5 * NS_PER_S);
	struct str job = site_job_name(t, c->arena, s, round);
	if (CLOUD_CALL(&child, s->cloud, jobs, observe, job, &status) == 0 && (status.state == JOB_FAILED || status.state == JOB_STOPPED))
		(void)CLOUD_CALL(&child, s->cloud, jobs, remove, job);
}

// The first round without a result, as far as it goes without the reconciler.
static int64_t open_round(struct call *c, struct rounds *t)
{
	int64_t round = 1;
	for (; round <= t->training->federated.rounds; round++) {
		struct record r = {0};
		if (state_get(c, t->step->state, rounds_record_key(t, c->arena, round), &r) < 0 || !json_object_get(r.value, "aggregated"))
			break;
	}
	return round;
}

// No job goes on for a training that failed. One that was only interrupted keeps its jobs: it will go on.
static void stop_jobs(struct call *c, struct rounds *t)
{
	for (size_t i = 0; i < t->count; i++) {
		struct call child;
		call_child(&child, c, c->arena, 5 * NS_PER_S);
		(void)CLOUD_CALL(&child, t->sites[i].cloud, jobs, stop, site_job_name(t, c->arena, &t->sites[i], t->round));
	}
}

static int run_rounds(struct call *c, struct rounds *t)
{
	int64_t round = open_round(c, t);
	for (size_t i = 0; i < t->count && round <= t->training->federated.rounds; i++)
		forget_failed(c, t, &t->sites[i], round);
	const struct reconciler reconciler = {
		.name = arena_cstr(c->arena, t->prefix),
		.observe = rounds_observe,
		.decide = rounds_decide,
		.act = rounds_act,
		.ctx = t,
		.parallel = MIN(t->count, (size_t)SITES_AT_ONCE),
	};
	if (!reconciler.name)
		return call_no_memory(c);
	int rc = reconcile_run(c, t->step->state, &reconciler);
	if (rc < 0 && call_check(&(struct call){.edges = c->edges, .deadline_ns = c->deadline_ns, .cancel = c->cancel}) == 0)
		stop_jobs(c, t);
	return rc;
}

// The sites that have the result, and what the last round says of it.
static int read_result(struct call *c, struct rounds *t, struct training_made *out)
{
	struct record r = {0};
	int rc = state_get(c, t->step->state, rounds_record_key(t, c->arena, t->training->federated.rounds), &r);
	out->places = arena_new_array(c->arena, t->count + 1, struct part);
	if (rc < 0 || !out->places)
		return rc < 0 ? rc : call_no_memory(c);
	const json_t *aggregated = json_object_get(r.value, "aggregated");
	out->sha256 = json_str(aggregated, "sha256");
	out->size = (uint64_t)json_int(aggregated, "size", 0);
	out->samples = (uint64_t)json_int(aggregated, "samples", 0);
	out->rounds = t->training->federated.rounds;
	for (size_t i = 0; i < t->count; i++) {
		json_t *done;
		struct site *s = &t->sites[i];
		struct str name = arena_printf(c->arena, "%.*s/final/%.*s/finish", STR(t->prefix), STR(s->cloud->name));
		rc = name.p ? reconcile_result(c, t->step->state, name, &done) : call_no_memory(c);
		if (rc < 0 && rc != ERR_NOT_FOUND)
			return rc;
		err_clear(&c->err);
		if (rc == 0)
			out->places[out->place_count++] =
				(struct part){.cloud = s->cloud, .bucket = s->bucket, .prefix = rounds_key(t, c->arena, "final/")};
	}
	return 0;
}

// Loss by round and samples by site, for reports.
static int read_metrics(struct call *c, struct rounds *t, struct training_made *out)
{
	json_t *rounds = json_array(), *metrics = json_in_arena(c->arena, json_pack("{s:o}", "rounds", rounds));
	if (!metrics)
		return call_no_memory(c);
	for (int64_t round = 1; round <= t->training->federated.rounds; round++) {
		struct record r = {0};
		int rc = state_get(c, t->step->state, rounds_record_key(t, c->arena, round), &r);
		if (rc < 0)
			return rc;
		json_array_append(rounds, json_object_get(r.value, "accepted"));
	}
	out->metrics = metrics;
	return 0;
}

int training_federated(struct call *c, const struct step *step, const struct training *t, const struct parts *parts, struct training_made *out)
{
	struct rounds r = {.step = step, .training = t};
	if (pthread_mutex_init(&r.lock, NULL))
		return call_fail(c, ERR_NO_MEMORY, "%.*s: no lock could be made", STR(step->address));
	int rc = prepare(c, &r, parts);
	if (rc == 0)
		rc = run_rounds(c, &r);
	if (rc == 0)
		rc = read_result(c, &r, out);
	if (rc == 0)
		rc = read_metrics(c, &r, out);
	json_decref(r.with);
	pthread_mutex_destroy(&r.lock);
	return rc;
}
