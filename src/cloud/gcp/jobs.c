// SPDX-License-Identifier: Apache-2.0
// The six operations on jobs: see jobs.h. All custom jobs of one job of ours carry the same label; their packages say
// which attempt they are.
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "cloud/gcp/jobs_impl.h"
#include "cloud/job_files.h"

struct found { // the custom job that is the job
	struct str id;
	struct job_package package;
	struct job_status status; // the provider's and the worker's together
	bool stop_asked;
	const json_t *all; // everything with the job's label
};

static struct str label_of(struct call *c, const struct gcp_services *s, struct str job)
{
	return job_provider_name(c->arena, s->config.workspace, job, 0, VERTEX_LABEL_MAX);
}

// ---------------------------------------------------------------- finding

static bool is_attempt(struct call *c, const json_t *job, struct str name, struct job_package *out)
{
	return job_package_of_url(c->arena, gcp_job_url(job), out, NULL) == 0 && str_eq(out->job, name);
}

static bool is_older(const json_t *a, const json_t *b)
{
	int64_t left = gcp_job_time(a, "createTime"), right = gcp_job_time(b, "createTime");
	return left != right ? left < right : str_cmp(json_str(a, "name"), json_str(b, "name")) < 0;
}

// Of the newest attempt the oldest: any younger ones of it are doubles.
static const json_t *choose(struct call *c, const json_t *all, struct str name, struct job_package *out)
{
	const json_t *best = NULL, *job;
	struct job_package package;
	size_t i;
	json_array_foreach(all, i, job)
	{
		if (!is_attempt(c, job, name, &package))
			continue;
		bool better = !best || package.attempt > out->attempt ||
			(package.attempt == out->attempt && is_older(job, best));
		if (better) {
			best = job;
			*out = package;
		}
	}
	return best;
}

static int cancel(struct call *c, struct gcp_services *s, struct str id)
{
	AUTO(json) nothing = json_object();
	const struct gcp_request request = {.call = GCP_CUSTOM_JOBS_CANCEL,
		.path = vertex_path_of(c, s, "customJobs", id, ":cancel"),
		.in = nothing};
	return request.path.p ? gcp_json_call(c, s, &request, NULL) : call_no_memory(c);
}

// Two requests got through: what is not the job is ended. One that ends by itself meanwhile is as good.
static int cancel_doubles(struct call *c, struct gcp_services *s, const json_t *best, const struct found *f)
{
	struct job_package package;
	const json_t *job;
	size_t i;
	json_array_foreach(f->all, i, job)
	{
		struct job_status status;
		gcp_job_read(c->arena, job, &status);
		bool live = status.state == JOB_QUEUED || status.state == JOB_RUNNING;
		if (job == best || !live || !is_attempt(c, job, f->package.job, &package) ||
			package.attempt != f->package.attempt || str_eq(json_str(job, "state"), S("JOB_STATE_CANCELLING")))
			continue;
		int r = cancel(c, s, vertex_id_of(json_str(job, "name")));
		if (r && r != ERR_CONFLICT && r != ERR_NOT_FOUND)
			return call_context(c, "a second custom job of job %.*s", STR(f->package.job));
		err_clear(&c->err);
	}
	return 0;
}

static int read_worker(struct call *c, struct gcp_services *s, struct found *f)
{
	struct job_status provider = f->status, worker = {0};
	bool known = false;
	if (job_package_status(c, s->self, &f->package, &known, &worker, &f->stop_asked))
		return c->err.code;
	job_status_merge(&provider, known ? &worker : NULL, f->stop_asked, &f->status);
	f->status.id = provider.id;
	return 0;
}

// ERR_NOT_FOUND: there is none.
static int find(struct call *c, struct gcp_services *s, struct str name, struct found *out)
{
	struct found f = {0};
	struct str label = label_of(c, s, name);
	const struct vertex_list list = {.call = GCP_CUSTOM_JOBS_LIST,
		.kind = "customJobs",
		.member = "customJobs",
		.filter = arena_printf(c->arena, "labels." GCP_JOB_LABEL "=\"%.*s\"", STR(label))};
	if (!label.n || !list.filter.p)
		return call_no_memory(c);
	int r = vertex_list(c, s, &list, &f.all);
	if (r)
		return r;
	const json_t *best = choose(c, f.all, name, &f.package);
	if (!best)
		return call_fail(c, ERR_NOT_FOUND, "there is no custom job of it");
	f.id = vertex_id_of(json_str(best, "name"));
	gcp_job_read(c->arena, best, &f.status);
	r = cancel_doubles(c, s, best, &f);
	if (!r)
		r = read_worker(c, s, &f);
	if (!r)
		*out = f;
	return r;
}

// ---------------------------------------------------------------- submit

// Once: whoever does not hear the answer has to look first.
static int create(struct call *c, struct gcp_services *s, const struct gcp_job_request *request)
{
	AUTO(json) body = NULL;
	AUTO(buf) text = {0};
	struct transport_response answer = {0};
	int r = gcp_job_request(c, s, request, &body);
	if (!r)
		r = json_write(body, &text, &c->err);
	if (r)
		return r;
	struct exchange x = {.call = &gcp_calls[GCP_CUSTOM_JOBS_CREATE],
		.path = vertex_path(c, s, "customJobs"),
		.query = S(""),
		.body = buf_str(&text),
		.once = true};
	exchange_header(&x, "content-type", S("application/json"));
	return gcp_rest_call(c, s, &x, &answer);
}

static int check_same(struct call *c, const struct found *f, const struct job_package *package)
{
	if (str_eq(f->package.digest, package->digest) && str_eq(f->package.bucket, package->bucket) &&
		str_eq(f->package.prefix, package->prefix))
		return 0;
	return call_fail(c, ERR_CONFLICT, "it was submitted before with another specification (custom job %.*s)",
		STR(f->id));
}

// Looks, then asks; where the answer did not come, looks again before it asks again.
static int submit_attempt(struct call *c, struct gcp_services *s, const struct gcp_job_request *request, bool *lost)
{
	for (int tried = 1;; tried++) {
		struct found f;
		int r = find(c, s, request->spec->name, &f);
		if (!r && f.package.attempt >= request->package->attempt) {
			*lost = f.status.state == JOB_LOST && !f.stop_asked &&
				f.package.attempt == request->package->attempt;
			return check_same(c, &f, request->package);
		}
		if (r && r != ERR_NOT_FOUND)
			return r;
		err_clear(&c->err);
		*lost = false;
		r = create(c, s, request);
		if (!r && tried > 1) // an earlier request may have got through as well
			r = find(c, s, request->spec->name, &f);
		if (!r)
			return 0;
		if (retry_pause(c, &retry_standard, tried, 0))
			return c->err.code;
	}
}

static int submit_attempts(struct call *c, struct gcp_services *s, struct gcp_job_request *request,
	struct job_package *package)
{
	bool lost = true;
	while (lost) {
		if (submit_attempt(c, s, request, &lost))
			return c->err.code;
		if (lost && job_package_next_attempt(c, s->self, package))
			return c->err.code;
	}
	return 0;
}

// Asked to stop before it was ever started: it does not start.
static int is_stopped(struct call *c, struct gcp_services *s, const struct job_package *package, bool *out)
{
	struct job_status worker;
	bool known;
	return job_package_status(c, s->self, package, &known, &worker, out);
}

static int gcp_job_submit(struct call *c, void *jobs, const struct job_spec *spec)
{
	struct gcp_services *s = jobs;
	struct job_package package = {0};
	struct gcp_job_request request = {
		.spec = spec, .package = &package, .label = label_of(c, s, spec->name)};
	bool stopped = false;
	int r = request.label.n ? vertex_check_config(c, s) : call_no_memory(c);
	if (r || job_package_put(c, s->self, &s->config, spec, &package) || is_stopped(c, s, &package, &stopped) ||
		(!stopped && submit_attempts(c, s, &request, &package)))
		return call_context(c, "%.*s: submit job %.*s", STR(s->config.name), STR(spec->name));
	return 0;
}

// ---------------------------------------------------------------- observe, stop

static int gcp_job_observe(struct call *c, void *jobs, struct str name, struct job_status *out)
{
	struct gcp_services *s = jobs;
	struct found f;
	if (find(c, s, name, &f))
		return call_context(c, "%.*s: job %.*s", STR(s->config.name), STR(name));
	*out = f.status;
	return 0;
}

// One that ended meanwhile cannot be cancelled: what it is now decides.
static int stop_found(struct call *c, struct gcp_services *s, struct found *f)
{
	if (job_state_ended(f->status.state) || job_package_stop(c, s->self, &f->package))
		return c->err.code;
	int r = cancel(c, s, f->id);
	if (r != ERR_CONFLICT && r != ERR_NOT_FOUND)
		return r;
	struct err refused = c->err;
	err_clear(&c->err);
	r = find(c, s, f->package.job, f);
	if (!r && !job_state_ended(f->status.state) && f->status.state != JOB_LOST) {
		c->err = refused;
		r = refused.code;
	}
	return r;
}

static int gcp_job_stop(struct call *c, void *jobs, struct str name)
{
	struct gcp_services *s = jobs;
	struct found f;
	int r = find(c, s, name, &f);
	if (!r)
		r = stop_found(c, s, &f);
	if (r == ERR_NOT_FOUND) {
		err_clear(&c->err);
		return 0;
	}
	return r ? call_context(c, "%.*s: stop job %.*s", STR(s->config.name), STR(name)) : 0;
}

// ---------------------------------------------------------------- logs

static const json_t *job_of_attempt(struct call *c, const struct found *f, uint32_t attempt)
{
	const json_t *best = NULL, *job;
	struct job_package package;
	size_t i;
	json_array_foreach(f->all, i, job)
	{
		if (is_attempt(c, job, f->package.job, &package) && package.attempt == attempt &&
			(!best || is_older(job, best)))
			best = job;
	}
	return best;
}

static int gcp_job_logs(struct call *c, void *jobs, struct str name, struct sink *to)
{
	struct gcp_services *s = jobs;
	struct found f;
	int r = find(c, s, name, &f);
	for (uint32_t attempt = 1; !r && attempt <= f.package.attempt; attempt++) {
		const json_t *job = job_of_attempt(c, &f, attempt);
		if (job)
			r = gcp_logs_send(c, s, vertex_id_of(json_str(job, "name")), to);
	}
	return r ? call_context(c, "%.*s: logs of job %.*s", STR(s->config.name), STR(name)) : 0;
}

// ---------------------------------------------------------------- list

static int by_name(const void *a, const void *b)
{
	return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static size_t without_doubles(struct str *names, size_t count)
{
	size_t kept = 0;
	if (count)
		qsort(names, count, sizeof(*names), by_name);
	for (size_t i = 0; i < count; i++)
		if (!kept || !str_eq(names[kept - 1], names[i])) // of another attempt
			names[kept++] = names[i];
	return kept;
}

static int gcp_job_list(struct call *c, void *jobs, struct str prefix, struct str **out, size_t *count)
{
	struct gcp_services *s = jobs;
	const json_t *all = NULL, *job;
	struct job_package package;
	size_t i, n = 0;
	const struct vertex_list list = {.call = GCP_CUSTOM_JOBS_LIST,
		.kind = "customJobs",
		.member = "customJobs",
		.filter = arena_printf(c->arena, "labels.isobar-workspace=\"%.*s\"",
			STR(vertex_label(c->arena, s->config.workspace)))};
	int r = list.filter.p ? vertex_list(c, s, &list, &all) : call_no_memory(c);
	struct str *names = r ? NULL : arena_new_array(c->arena, json_array_size(all) + 1, struct str);
	if (!r && !names)
		r = call_no_memory(c);
	if (r)
		return call_context(c, "%.*s: list jobs", STR(s->config.name));
	json_array_foreach(all, i, job)
	{
		if (job_package_of_url(c->arena, gcp_job_url(job), &package, NULL) == 0 &&
			str_starts(package.job, prefix))
			names[n++] = package.job;
	}
	*out = names;
	*count = without_doubles(names, n);
	return 0;
}

// ---------------------------------------------------------------- remove

static int remove_all(struct call *c, struct gcp_services *s, const struct found *f)
{
	const json_t *job;
	size_t i;
	int r = job_package_remove(c, s->self, &f->package);
	json_array_foreach(f->all, i, job)
	{
		if (r)
			return r;
		struct str id = vertex_id_of(json_str(job, "name"));
		r = vertex_delete(c, s, GCP_CUSTOM_JOBS_DELETE, vertex_path_of(c, s, "customJobs", id, ""));
	}
	return r;
}

static int gcp_job_remove(struct call *c, void *jobs, struct str name)
{
	struct gcp_services *s = jobs;
	struct found f;
	int r = find(c, s, name, &f);
	if (r == ERR_NOT_FOUND) {
		err_clear(&c->err);
		return 0;
	}
	if (!r && !job_state_ended(f.status.state) && f.status.state != JOB_LOST)
		return call_fail(c, ERR_IN_USE, "%.*s: job %.*s is still running: stop it first", STR(s->config.name),
			STR(name));
	if (!r)
		r = remove_all(c, s, &f);
	return r ? call_context(c, "%.*s: remove job %.*s", STR(s->config.name), STR(name)) : 0;
}

const struct job_ops gcp_job_ops = {
	.name = "gcp",
	.submit = gcp_job_submit,
	.observe = gcp_job_observe,
	.stop = gcp_job_stop,
	.logs = gcp_job_logs,
	.list = gcp_job_list,
	.remove = gcp_job_remove,
};
