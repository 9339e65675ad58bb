// SPDX-License-Identifier: Apache-2.0
// The six operations on jobs: see jobs.h. A job's attempts are found one after the other: the next one exists only when
// those before it were lost.
#include <stdlib.h>
#include <string.h>

#include "cloud/azure/jobs_impl.h"
#include "cloud/job_files.h"
#include "cloud/tags.h"

struct found { // an attempt at the provider
	struct str name;
	struct job_package package;
	struct job_status status; // the provider's and the worker's together
	bool stop_asked;
};

// ---------------------------------------------------------------- one attempt

static struct str name_of(struct call *c, const struct azure_services *s, struct str job, uint32_t attempt)
{
	return job_provider_name(c->arena, s->config.workspace, job, attempt, ML_JOB_NAME_MAX);
}

static struct str path_of(struct call *c, const struct azure_services *s, struct str name)
{
	return ml_path(c, s, "jobs/%.*s", STR(name));
}

// What the provider answered, together with what the worker says.
static int read_found(struct call *c, struct azure_services *s, struct str job, const json_t *resource, struct found *f)
{
	struct job_status provider = {0}, worker = {0};
	bool known = false;
	azure_job_read(c->arena, resource, &provider);
	if (job_package_of_url(c->arena, azure_job_url(resource), &f->package, &c->err) || !str_eq(f->package.job, job))
		return call_fail(c, ERR_CONFLICT, "the job %.*s of Azure ML is another's: it does not run the package of "
						  "job %.*s",
			STR(f->name), STR(job));
	if (job_package_status(c, s->self, &f->package, &known, &worker, &f->stop_asked))
		return c->err.code;
	job_status_merge(&provider, known ? &worker : NULL, f->stop_asked, &f->status);
	return 0;
}

// ERR_NOT_FOUND: there is no such attempt.
static int find_attempt(struct call *c, struct azure_services *s, struct str job, uint32_t attempt, struct found *out)
{
	struct azure_answer answer;
	struct found f = {.name = name_of(c, s, job, attempt)};
	int r = f.name.n ? ml_call(c, s, AZURE_ML_GET_JOB, path_of(c, s, f.name), NULL, &answer) : call_no_memory(c);
	if (!r)
		r = read_found(c, s, job, answer.body, &f);
	if (!r)
		*out = f;
	return r;
}

// The newest attempt. ERR_NOT_FOUND: there is none.
static int find_newest(struct call *c, struct azure_services *s, struct str job, struct found *out)
{
	struct found f = {0};
	int r = find_attempt(c, s, job, 1, &f);
	for (uint32_t attempt = 2; !r && f.status.state == JOB_LOST && attempt <= JOB_ATTEMPTS_MAX; attempt++) {
		struct found next;
		int code = find_attempt(c, s, job, attempt, &next);
		if (code == ERR_NOT_FOUND) {
			err_clear(&c->err);
			break;
		}
		r = code;
		f = r ? f : next;
	}
	if (!r)
		*out = f;
	return r;
}

// ---------------------------------------------------------------- submit

static bool same_package(const struct job_package *a, const struct job_package *b)
{
	return str_eq(a->digest, b->digest) && str_eq(a->bucket, b->bucket) && str_eq(a->prefix, b->prefix);
}

// The id is taken: by an earlier submit of ours (*lost: which needs a new attempt), or by something else.
static int look_whose(struct call *c, const struct found *f, const struct job_package *package, bool *lost)
{
	if (!same_package(&f->package, package))
		return call_fail(c, ERR_CONFLICT, "job %.*s was submitted before with another specification (%.*s)",
			STR(package->job), STR(f->name));
	*lost = f->status.state == JOB_LOST && !f->stop_asked;
	return 0;
}

// A PUT answers with the job that has the id. One whose image or machine has changed since is refused: then it is looked at.
static int create(struct call *c, struct azure_services *s, const struct job_spec *spec,
	const struct job_package *package, bool *lost)
{
	AUTO(json) body = NULL;
	struct azure_answer answer;
	struct found f = {.name = name_of(c, s, spec->name, package->attempt)};
	int r = f.name.n ? azure_job_request(c, s, spec, package, &body) : call_no_memory(c);
	if (r)
		return r;
	r = ml_call(c, s, AZURE_ML_PUT_JOB, path_of(c, s, f.name), body, &answer);
	if (!r)
		r = answer.status == 201 ? 0 : read_found(c, s, spec->name, answer.body, &f);
	else if (r == ERR_INVALID || r == ERR_CONFLICT || r == ERR_EXISTS) {
		struct err refused = c->err;
		err_clear(&c->err);
		r = find_attempt(c, s, spec->name, package->attempt, &f);
		if (r == ERR_NOT_FOUND) { // it was refused for itself
			c->err = refused;
			r = refused.code;
		}
	}
	if (r || !f.package.job.n)
		return r;
	return look_whose(c, &f, package, lost);
}

static int azure_job_submit(struct call *c, void *jobs, const struct job_spec *spec)
{
	struct azure_services *s = jobs;
	struct job_package package = {0};
	struct job_status worker;
	bool known = false, stopped = false, lost = true;
	int r = ml_check_config(c, s);
	if (!r)
		r = job_package_put(c, s->self, &s->config, spec, &package);
	if (!r) // asked to stop before it was ever started: it does not start
		r = job_package_status(c, s->self, &package, &known, &worker, &stopped);
	while (!r && !stopped && lost) {
		lost = false;
		r = create(c, s, spec, &package, &lost);
		if (!r && lost)
			r = job_package_next_attempt(c, s->self, &package);
	}
	return r ? call_context(c, "%.*s: submit job %.*s", STR(s->config.name), STR(spec->name)) : 0;
}

// ---------------------------------------------------------------- observe, stop

static int azure_job_observe(struct call *c, void *jobs, struct str name, struct job_status *out)
{
	struct azure_services *s = jobs;
	struct found f;
	if (find_newest(c, s, name, &f))
		return call_context(c, "%.*s: job %.*s", STR(s->config.name), STR(name));
	*out = f.status;
	return 0;
}

// One that ended meanwhile cannot be canceled: what it is now decides.
static int stop_found(struct call *c, struct azure_services *s, struct found *f)
{
	if (job_state_ended(f->status.state) || f->status.state == JOB_LOST)
		return job_package_stop(c, s->self, &f->package); // so that it does not start again
	if (job_package_stop(c, s->self, &f->package))
		return c->err.code;
	int r = ml_call(c, s, AZURE_ML_CANCEL_JOB, ml_path(c, s, "jobs/%.*s/cancel", STR(f->name)), NULL, NULL);
	if (r != ERR_INVALID && r != ERR_CONFLICT && r != ERR_NOT_FOUND)
		return r;
	struct err refused = c->err;
	err_clear(&c->err);
	r = find_attempt(c, s, f->package.job, f->package.attempt, f);
	if (!r && !job_state_ended(f->status.state)) {
		c->err = refused;
		r = refused.code;
	}
	return r;
}

static int azure_job_stop(struct call *c, void *jobs, struct str name)
{
	struct azure_services *s = jobs;
	struct found f;
	int r = find_newest(c, s, name, &f);
	if (r == ERR_NOT_FOUND) {
		err_clear(&c->err);
		return 0;
	}
	if (!r)
		r = stop_found(c, s, &f);
	return r ? call_context(c, "%.*s: stop job %.*s", STR(s->config.name), STR(name)) : 0;
}

// ---------------------------------------------------------------- logs

// A job that has not said anything has no blob, and before the first job there is no container.
static int send_log(struct call *c, const struct azure_services *s, struct str name, struct sink *to)
{
	struct object object;
	struct store_get get = {.bucket = S(AZURE_LOG_CONTAINER),
		.key = arena_printf(c->arena, "ExperimentRun/dcid.%.*s/user_logs/std_log.txt", STR(name))};
	if (!get.key.p)
		return call_no_memory(c);
	int r = CLOUD_CALL(c, s->self, store, get, &get, to, &object);
	if (r == ERR_NOT_FOUND) {
		err_clear(&c->err);
		r = 0;
	}
	return r;
}

static int azure_job_logs(struct call *c, void *jobs, struct str name, struct sink *to)
{
	struct azure_services *s = jobs;
	struct found newest;
	int r = find_newest(c, s, name, &newest);
	for (uint32_t attempt = 1; !r && attempt <= newest.package.attempt; attempt++)
		r = send_log(c, s, name_of(c, s, name, attempt), to);
	return r ? call_context(c, "%.*s: logs of job %.*s", STR(s->config.name), STR(name)) : 0;
}

// ---------------------------------------------------------------- list

struct names {
	struct azure_services *services;
	struct str prefix;
	struct str *items;
	size_t count, room;
};

static int add_name(struct call *c, struct names *names, struct str name)
{
	for (size_t i = 0; i < names->count; i++)
		if (str_eq(names->items[i], name)) // of another attempt
			return 0;
	if (names->count == names->room) {
		size_t room = names->room ? 2 * names->room : 64;
		struct str *items = arena_new_array(c->arena, room, struct str);
		if (!items)
			return call_no_memory(c);
		if (names->count)
			memcpy(items, names->items, names->count * sizeof(*items));
		names->items = items;
		names->room = room;
	}
	names->items[names->count] = arena_str(c->arena, name);
	return names->items[names->count++].p ? 0 : call_no_memory(c);
}

// Whose job it is, only its package says; others' have none.
static int add_job(struct call *c, void *ctx, const json_t *resource)
{
	struct names *names = ctx;
	struct job_package package;
	struct str provider_name = json_str(resource, "name");
	if (job_package_of_url(c->arena, azure_job_url(resource), &package, NULL) ||
		!str_starts(package.job, names->prefix) ||
		!str_eq(name_of(c, names->services, package.job, package.attempt), provider_name))
		return 0;
	return add_name(c, names, package.job);
}

static int by_name(const void *a, const void *b)
{
	return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static int azure_job_list(struct call *c, void *jobs, struct str prefix, struct str **out, size_t *count)
{
	struct azure_services *s = jobs;
	struct names names = {.services = s, .prefix = prefix};
	struct ml_list list = {.call = AZURE_ML_LIST_JOBS,
		.path = ml_path(c, s, "jobs"),
		.query = S("&jobType=Command&tag=" TAG_WORKSPACE), // of whichever workspace: the API filters by name alone
		.each = add_job,
		.ctx = &names};
	if (ml_list_all(c, s, &list))
		return call_context(c, "%.*s: list jobs", STR(s->config.name));
	if (names.count)
		qsort(names.items, names.count, sizeof(*names.items), by_name);
	*out = names.items;
	*count = names.count;
	return 0;
}

// ---------------------------------------------------------------- remove

static int remove_attempt(struct call *c, struct azure_services *s, struct str name)
{
	struct azure_answer answer;
	int r = ml_call(c, s, AZURE_ML_DELETE_JOB, path_of(c, s, name), NULL, &answer);
	if (!r)
		r = ml_wait(c, s, &answer);
	if (r == ERR_NOT_FOUND) {
		err_clear(&c->err);
		r = 0;
	}
	return r;
}

// Newest first: what is left when this ends in between is still found.
static int remove_attempts(struct call *c, struct azure_services *s, struct found *newest)
{
	int r = job_package_remove(c, s->self, &newest->package);
	for (uint32_t attempt = newest->package.attempt; !r && attempt > 0; attempt--)
		r = remove_attempt(c, s, name_of(c, s, newest->package.job, attempt));
	return r;
}

static int azure_job_remove(struct call *c, void *jobs, struct str name)
{
	struct azure_services *s = jobs;
	struct found f;
	int r = find_newest(c, s, name, &f);
	if (r == ERR_NOT_FOUND) {
		err_clear(&c->err);
		return 0;
	}
	if (!r && !job_state_ended(f.status.state) && f.status.state != JOB_LOST)
		return call_fail(c, ERR_IN_USE, "%.*s: job %.*s is still running: stop it first", STR(s->config.name),
			STR(name));
	if (!r)
		r = remove_attempts(c, s, &f);
	return r ? call_context(c, "%.*s: remove job %.*s", STR(s->config.name), STR(name)) : 0;
}

const struct job_ops azure_job_ops = {
	.name = "azure",
	.submit = azure_job_submit,
	.observe = azure_job_observe,
	.stop = azure_job_stop,
	.logs = azure_job_logs,
	.list = azure_job_list,
	.remove = azure_job_remove,
};
