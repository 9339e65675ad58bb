// SPDX-License-Identifier: Apache-2.0
// What a round looks like now: the records say what was done, the clouds' engines what became of the jobs.
#include <math.h>

#include "base/time.h"
#include "train/rounds_impl.h"

static const int64_t pace_first_ns = 25 * NS_PER_MS, pace_most_ns = 2 * NS_PER_S;

static struct str action_name(const struct rounds *t, struct arena *a, const struct site *s, const char *what)
{
	if (t->round > t->training->federated.rounds)
		return arena_printf(a, "%.*s/final/%.*s/%s", STR(t->prefix), STR(s->cloud->name), what);
	return arena_printf(
		a, "%.*s/round-%lld/%.*s/%s", STR(t->prefix), (long long)t->round, STR(s->cloud->name), what);
}

// *output NULL when the action is not done.
static int result_of(struct call *c, const struct rounds *t, struct str name, json_t **output)
{
	*output = NULL;
	int rc = name.p ? reconcile_result(c, t->step->state, name, output) : call_no_memory(c);
	if (rc != ERR_NOT_FOUND)
		return rc;
	err_clear(&c->err);
	return 0;
}

static int count_again(struct call *c, struct rounds *t, struct site *s, struct site_view *v)
{
	json_t *output;
	for (;; v->again++) {
		struct str name = arena_printf(
			c->arena, "%.*s-%lld", STR(action_name(t, c->arena, s, "again")), (long long)v->again + 1);
		int rc = result_of(c, t, name, &output);
		if (rc < 0)
			return rc;
		if (!output)
			break;
	}
	if (!s->looked)
		s->again_before = v->again;
	s->looked = true;
	return 0;
}

static void set_state(struct site_view *v, enum site_state state, struct str reason)
{
	v->state = state;
	v->reason = reason;
}

// An engine that cannot be asked now says nothing: the site is awaited.
static int look_at_job(struct call *c, struct rounds *t, struct site *s, struct site_view *v)
{
	struct job_status status = {0};
	struct call child;
	call_child(&child, c, c->arena, 5 * NS_PER_S);
	struct str job = site_job_name(t, c->arena, s, t->round);
	int rc = CLOUD_CALL(&child, s->cloud, jobs, observe, job, &status);
	set_state(v, SITE_RUNNING, S(""));
	if (rc == ERR_NOT_FOUND)
		set_state(v, SITE_LOST, S("its engine does not know the job"));
	if (rc < 0)
		return rc == ERR_CANCELLED || rc == ERR_NO_MEMORY ? call_fail(c, rc, "%s", child.err.message) : 0;
	if (status.state == JOB_SUCCEEDED)
		set_state(v, SITE_ENDED, S(""));
	else if (status.state == JOB_LOST)
		set_state(v, SITE_LOST, status.reason);
	else if (status.state == JOB_FAILED)
		set_state(v, SITE_OUT, status.reason.n ? status.reason : S("its job failed"));
	else if (status.state == JOB_STOPPED)
		set_state(v, SITE_OUT, S("its job was stopped"));
	return 0;
}

// Does the next thing to ask of a site keep failing?
static int look_at_failures(struct call *c, struct rounds *t, struct site *s, struct site_view *v)
{
	bool final = t->round > t->training->federated.rounds;
	struct str next = action_name(t, c->arena, s, final ? "finish" : v->state == SITE_ENDED ? "collect" : "start");
	struct reconcile_failures past = {0};
	if (v->state == SITE_LOST)
		next = arena_printf(
			c->arena, "%.*s-%lld", STR(action_name(t, c->arena, s, "again")), (long long)v->again + 1);
	if (v->state == SITE_RUNNING || v->state == SITE_OUT)
		return 0;
	int rc = next.p ? reconcile_failures(c, t->step->state, next, &past) : call_no_memory(c);
	v->failing = past.attempts > 0;
	return rc;
}

enum { SWEEP_ATTEMPTS = 3 }; // a cloud that cannot be tidied now is tidied by the next run of the training

static int look_at_sweep(struct call *c, struct rounds *t, struct site *s, struct site_view *v)
{
	json_t *swept = NULL;
	struct reconcile_failures past = {0};
	struct str name = action_name(t, c->arena, s, "sweep");
	int rc = result_of(c, t, name, &swept);
	if (rc == 0 && !swept)
		rc = reconcile_failures(c, t->step->state, name, &past);
	v->failing = past.attempts > 0;
	v->swept = swept || past.attempts >= SWEEP_ATTEMPTS;
	return rc;
}

static int look_at_site(struct call *c, struct rounds *t, struct site *s, struct site_view *v)
{
	bool final = t->round > t->training->federated.rounds;
	json_t *started = NULL, *done = NULL;
	v->name = s->cloud->name;
	int rc = result_of(c, t, action_name(t, c->arena, s, final ? "finish" : "collect"), &done);
	if (rc == 0 && done) {
		set_state(v, SITE_READY, S(""));
		v->samples = (uint64_t)json_int(done, "samples", 0);
		v->sha256 = json_str(done, "sha256");
		v->loss = json_num(done, "loss", NAN);
		v->seconds = json_num(done, "seconds", NAN);
		return final ? look_at_sweep(c, t, s, v) : 0;
	}
	pthread_mutex_lock(&t->lock);
	if (s->out[0])
		set_state(v, SITE_OUT, arena_str(c->arena, str_of(s->out)));
	pthread_mutex_unlock(&t->lock);
	if (rc < 0 || v->state == SITE_OUT)
		return rc;
	if (final)
		return look_at_failures(c, t, s, v);
	rc = result_of(c, t, action_name(t, c->arena, s, "start"), &started);
	if (rc == 0)
		rc = count_again(c, t, s, v);
	if (rc == 0 && started)
		rc = look_at_job(c, t, s, v);
	if (rc == 0 && v->state == SITE_LOST && v->again - s->again_before >= TASK_MAX_LOST)
		set_state(v, SITE_OUT,
			arena_printf(c->arena, "its job was lost %d times: %.*s", TASK_MAX_LOST + 1, STR(v->reason)));
	return rc < 0 ? rc : look_at_failures(c, t, s, v);
}

static void enter_round(struct call *c, struct rounds *t, int64_t round)
{
	if (t->round == round)
		return;
	pthread_mutex_lock(&t->lock);
	t->round = round;
	t->round_began_ns = call_mono_ns(c);
	for (size_t i = 0; i < t->count; i++) {
		t->sites[i].out[0] = '\0';
		t->sites[i].looked = false;
	}
	pthread_mutex_unlock(&t->lock);
}

// The first round that is not aggregated; *set is its accepted set, or NULL.
static int find_round(struct call *c, struct rounds *t, const json_t **set)
{
	int64_t round = MAX(t->round, 1);
	*set = NULL;
	for (; round <= t->training->federated.rounds; round++) {
		struct record r = {0};
		struct str key = rounds_record_key(t, c->arena, round);
		int rc = key.p ? state_get(c, t->step->state, key, &r) : call_no_memory(c);
		if (rc < 0)
			return rc;
		*set = r.revision ? r.value : NULL;
		if (!*set || !json_object_get(*set, "aggregated"))
			break;
	}
	if (round > t->training->federated.rounds)
		*set = NULL;
	enter_round(c, t, round);
	return 0;
}

static int fill_view(struct call *c, struct rounds *t, struct round_view *v)
{
	json_t *begun = NULL;
	int rc = find_round(c, t, &v->accepted_set);
	if (rc == 0)
		rc = result_of(c, t, arena_printf(c->arena, "%.*s/begin", STR(t->prefix)), &begun);
	if (rc < 0)
		return rc;
	if (begun && !t->begun) // how long the beginning took is not counted against the sites
		t->round_began_ns = call_mono_ns(c);
	t->begun = v->begun = begun != NULL;
	int64_t elapsed = call_mono_ns(c) - t->round_began_ns;
	v->accepted = v->accepted_set != NULL;
	v->round = t->round;
	v->deadline_ns = call_now_ns(c) + t->deadline_ns - elapsed; // however the wall clock was set meanwhile
	v->pace_ns = MAX(pace_first_ns, MIN(elapsed / 20, pace_most_ns));
	for (size_t i = 0; i < t->count && rc == 0 && v->begun; i++) {
		v->sites[i].name = t->sites[i].cloud->name;
		if (!v->accepted)
			rc = look_at_site(c, t, &t->sites[i], &v->sites[i]);
	}
	return rc;
}

int rounds_observe(struct call *c, void *ctx, void **view)
{
	struct rounds *t = ctx;
	struct round_view *v = arena_new(c->arena, struct round_view);
	if (!v)
		return call_no_memory(c);
	*v = (struct round_view){
		.prefix = t->prefix,
		.address = t->step->address,
		.rounds = t->training->federated.rounds,
		.allowed_ns = t->deadline_ns,
		.need = t->need,
		.sites = arena_new_array(c->arena, t->count, struct site_view),
		.count = t->count,
	};
	if (!v->sites)
		return call_no_memory(c);
	int rc = fill_view(c, t, v);
	if (rc == 0)
		*view = v;
	return rc;
}
