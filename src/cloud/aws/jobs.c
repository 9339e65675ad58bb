// SPDX-License-Identifier: Apache-2.0
// The six operations on jobs: see jobs.h. A job's attempts are found one after the other: the next one exists only when
// those before it were lost.
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "cloud/aws/jobs_impl.h"
#include "cloud/job_files.h"

#define DOWN_PAUSE_NS (50 * NS_PER_MS)
#define DOWN_MOST_NS (5 * NS_PER_S)
#define DOWN_LONGEST_NS (300 * NS_PER_S)

struct found { // an attempt at the provider
	struct str name;
	struct job_package package;
	struct job_status status; // the provider's and the worker's together
	bool at_work;             // the provider's machine is, also when the worker has said that it is done
	bool stop_asked;
};

// ---------------------------------------------------------------- one attempt
static struct str name_of(struct call *c, const struct aws_services *s, struct str job, uint32_t attempt)
{
	return job_provider_name(c->arena, s->config.workspace, job, attempt, AWS_NAME_MAX);
}

static int read_worker(struct call *c, struct aws_services *s, struct found *f)
{
	struct job_status provider = f->status, worker = {0};
	bool known = false;
	if (job_package_status(c, s->self, &f->package, &known, &worker, &f->stop_asked))
		return c->err.code;
	job_status_merge(&provider, known ? &worker : NULL, f->stop_asked, &f->status);
	return 0;
}

// ERR_NOT_FOUND: there is no such attempt.
static int find_attempt(
	struct call *c, struct aws_services *s, struct str job, uint32_t attempt, struct found *out)
{
	const struct aws_job_kind *kind = aws_job_kind_of(job);
	const json_t *description = NULL;
	struct found f = {.name = name_of(c, s, job, attempt)};
	if (!f.name.n)
		return call_no_memory(c);
	const struct aws_named named = {kind->name, f.name};
	int r = aws_sagemaker_named(c, s, kind->describe, &named, &description);
	if (r)
		return r;
	struct str url = aws_job_url(kind, description);
	aws_job_read(c->arena, kind, description, &f.status);
	f.at_work = f.status.state == JOB_QUEUED || f.status.state == JOB_RUNNING;
	if (job_package_of_url(c->arena, url, &f.package, &c->err) || !str_eq(f.package.job, job))
		return call_fail(c, ERR_CONFLICT, "the %s %.*s is another's: it does not run the package of job %.*s",
			kind->what, STR(f.name), STR(job));
	*out = f;
	return read_worker(c, s, out);
}

// The newest attempt. ERR_NOT_FOUND: there is none.
static int find_newest(struct call *c, struct aws_services *s, struct str job, struct found *out)
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
static int check_config(struct call *c, const struct aws_services *s)
{
	const char *missing = !s->config.job_role.n ? "a role for its jobs" : !s->config.image.n ? "an image" : NULL;
	return missing ? call_fail(c, ERR_INVALID, "cloud/%.*s has no %s", STR(s->config.name), missing + 2) : 0;
}

static int create(struct call *c, struct aws_services *s, const struct aws_job_request *request)
{
	AUTO(json) body = NULL;
	if (aws_job_request(c, s, request, &body))
		return c->err.code;
	return aws_sagemaker_call(c, s, request->kind->create, body, NULL);
}

static bool same_package(const struct job_package *a, const struct job_package *b)
{
	return str_eq(a->digest, b->digest) && str_eq(a->bucket, b->bucket) && str_eq(a->prefix, b->prefix);
}

// The name is taken: by an earlier submit of ours (*lost: which needs a new attempt), or by something else.
static int look_whose(struct call *c, struct aws_services *s, const struct aws_job_request *request, bool *lost)
{
	struct found f;
	err_clear(&c->err);
	int r = find_attempt(c, s, request->spec->name, request->package->attempt, &f);
	if (r)
		return r;
	if (!same_package(&f.package, request->package))
		return call_fail(c, ERR_CONFLICT, "job %.*s was submitted before with another specification (%s %.*s)",
			STR(request->spec->name), request->kind->what, STR(f.name));
	*lost = f.status.state == JOB_LOST && !f.stop_asked;
	return 0;
}

// Asked to stop before it was ever started: it does not start.
static int is_stopped(struct call *c, struct aws_services *s, const struct job_package *package, bool *out)
{
	struct job_status worker;
	bool known;
	return job_package_status(c, s->self, package, &known, &worker, out);
}

static int submit_attempts(struct call *c, struct aws_services *s, struct aws_job_request *request,
	struct job_package *package)
{
	for (;;) {
		bool lost = false;
		request->name = name_of(c, s, request->spec->name, package->attempt);
		int r = request->name.n ? create(c, s, request) : call_no_memory(c);
		if (r == ERR_EXISTS || r == ERR_IN_USE || r == ERR_CONFLICT)
			r = look_whose(c, s, request, &lost);
		if (r || !lost)
			return r;
		if (job_package_next_attempt(c, s->self, package))
			return c->err.code;
	}
}

static int aws_job_submit(struct call *c, void *jobs, const struct job_spec *spec)
{
	struct aws_services *s = jobs;
	struct job_package package = {0};
	struct aws_job_request request = {
		.kind = aws_job_kind_of(spec->name), .spec = spec, .package = &package};
	bool stopped = false;
	if (check_config(c, s) || job_package_put(c, s->self, &s->config, spec, &package) ||
		is_stopped(c, s, &package, &stopped) || (!stopped && submit_attempts(c, s, &request, &package)))
		return call_context(c, "%.*s: submit job %.*s", STR(s->config.name), STR(spec->name));
	return 0;
}

// ---------------------------------------------------------------- observe, stop
static int aws_job_observe(struct call *c, void *jobs, struct str name, struct job_status *out)
{
	struct aws_services *s = jobs;
	struct found f;
	if (find_newest(c, s, name, &f))
		return call_context(c, "%.*s: job %.*s", STR(s->config.name), STR(name));
	*out = f.status;
	return 0;
}

// One that ended meanwhile cannot be stopped (ValidationException): what it is now decides.
static int stop_found(struct call *c, struct aws_services *s, const struct aws_job_kind *kind, struct found *f)
{
	const struct aws_named named = {kind->name, f->name};
	if (job_state_ended(f->status.state))
		return 0;
	if (job_package_stop(c, s->self, &f->package) || !f->at_work) // lost: it is not to start again
		return c->err.code;
	int r = aws_sagemaker_named(c, s, kind->stop, &named, NULL);
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

static int aws_job_stop(struct call *c, void *jobs, struct str name)
{
	struct aws_services *s = jobs;
	struct found f;
	int r = find_newest(c, s, name, &f);
	if (r == ERR_NOT_FOUND) {
		err_clear(&c->err);
		return 0;
	}
	if (!r)
		r = stop_found(c, s, aws_job_kind_of(name), &f);
	return r ? call_context(c, "%.*s: stop job %.*s", STR(s->config.name), STR(name)) : 0;
}

// ---------------------------------------------------------------- logs
static int aws_job_logs(struct call *c, void *jobs, struct str name, struct sink *to)
{
	struct aws_services *s = jobs;
	struct found newest;
	int r = find_newest(c, s, name, &newest);
	for (uint32_t attempt = 1; !r && attempt <= newest.package.attempt; attempt++) {
		struct str prefix = arena_printf(c->arena, "%.*s/", STR(name_of(c, s, name, attempt)));
		r = aws_logs_send(c, s, str_of(aws_job_kind_of(name)->log_group), prefix, to);
	}
	return r ? call_context(c, "%.*s: logs of job %.*s", STR(s->config.name), STR(name)) : 0;
}

// ---------------------------------------------------------------- list
struct names {
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

// Whose job it is, only its package says: the names at the provider are digests. Jobs of others have no package.
static int add_summary(struct call *c, struct aws_services *s, const struct aws_job_kind *kind, struct str provider_name,
	struct str prefix, struct names *names)
{
	const json_t *description = NULL;
	struct job_package package;
	const struct aws_named named = {kind->name, provider_name};
	int r = aws_sagemaker_named(c, s, kind->describe, &named, &description);
	if (r == ERR_NOT_FOUND) { // gone since it was listed
		err_clear(&c->err);
		return 0;
	}
	if (r)
		return r;
	if (job_package_of_url(c->arena, aws_job_url(kind, description), &package, NULL) ||
		!str_starts(package.job, prefix) ||
		!str_eq(name_of(c, s, package.job, package.attempt), provider_name))
		return 0;
	return add_name(c, names, package.job);
}

// The part of a job's name that is certain to stand in its name at the provider: NameContains is a filter there.
static struct str filter_of(struct call *c, struct str prefix)
{
	struct str word = {.p = prefix.p};
	while (word.n < prefix.n && word.n < 20 && prefix.p[word.n] >= 'a' && prefix.p[word.n] <= 'z')
		word.n++;
	return arena_str(c->arena, word);
}

static int list_kind(struct call *c, struct aws_services *s, const struct aws_job_kind *kind, struct str prefix,
	struct names *names)
{
	struct str token = S(""), filter = filter_of(c, prefix);
	do {
		AUTO(json) in = json_object();
		const json_t *out = NULL, *one;
		size_t i;
		json_object_set_new(in, "MaxResults", json_integer(AWS_PAGE));
		if (filter.n)
			json_set_str(in, "NameContains", filter);
		if (token.n)
			json_set_str(in, "NextToken", token);
		int r = aws_sagemaker_call(c, s, kind->list, in, &out);
		json_array_foreach(json_object_get(out, kind->summaries), i, one)
		{
			if (!r)
				r = add_summary(c, s, kind, json_str(one, kind->name), prefix, names);
		}
		if (r)
			return r;
		token = arena_str(c->arena, json_str(out, "NextToken"));
	} while (token.n);
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static int aws_job_list(struct call *c, void *jobs, struct str prefix, struct str **out, size_t *count)
{
	struct aws_services *s = jobs;
	struct names names = {0};
	for (size_t i = 0; i < COUNT_OF(aws_job_kinds); i++)
		if (list_kind(c, s, &aws_job_kinds[i], prefix, &names))
			return call_context(c, "%.*s: list jobs", STR(s->config.name));
	if (names.count)
		qsort(names.items, names.count, sizeof(*names.items), by_name);
	*out = names.items;
	*count = names.count;
	return 0;
}

// ---------------------------------------------------------------- remove
// Newest first: what is left when this ends in between is still found.
static int remove_attempts(struct call *c, struct aws_services *s, struct found *newest)
{
	const struct aws_job_kind *kind = aws_job_kind_of(newest->package.job);
	int r = job_package_remove(c, s->self, &newest->package);
	for (uint32_t attempt = newest->package.attempt; !r && attempt > 0; attempt--) {
		const struct aws_named named = {kind->name, name_of(c, s, newest->package.job, attempt)};
		r = aws_sagemaker_named(c, s, kind->delete, &named, NULL);
		if (r == ERR_NOT_FOUND || r == ERR_UNSUPPORTED) { // older servers keep jobs for ever
			err_clear(&c->err);
			r = 0;
		}
	}
	return r;
}

// The worker has said how it ended, and SageMaker still takes its machine down.
static int wait_until_down(struct call *c, struct aws_services *s, struct found *f)
{
	int64_t pause = DOWN_PAUSE_NS, until = call_mono_ns(c) + DOWN_LONGEST_NS;
	int r = 0;
	while (!r && f->at_work && pause < call_left_ns(c) && call_mono_ns(c) < until) {
		if (call_sleep(c, pause))
			return c->err.code;
		pause = MIN(pause * 2, DOWN_MOST_NS);
		r = find_attempt(c, s, f->package.job, f->package.attempt, f);
	}
	return r || !f->at_work ? r : call_fail(c, ERR_IN_USE, "SageMaker is not done with its machine yet");
}

static int aws_job_remove(struct call *c, void *jobs, struct str name)
{
	struct aws_services *s = jobs;
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
		r = wait_until_down(c, s, &f);
	if (!r)
		r = remove_attempts(c, s, &f);
	return r ? call_context(c, "%.*s: remove job %.*s", STR(s->config.name), STR(name)) : 0;
}

const struct job_ops aws_job_ops = {
	.name = "aws",
	.submit = aws_job_submit,
	.observe = aws_job_observe,
	.stop = aws_job_stop,
	.logs = aws_job_logs,
	.list = aws_job_list,
	.remove = aws_job_remove,
};
