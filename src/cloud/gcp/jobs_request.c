// SPDX-License-Identifier: Apache-2.0
// What is asked of Vertex AI for a job, and what it says of one: see jobs.h.
#include <string.h>

#include "base/time.h"
#include "cloud/gcp/jobs_impl.h"

enum { BOOT_DISK_GB = 100, SPARE_S = 600 }; // the worker ends a job at its deadline; Vertex AI, if that is gone, later

// ---------------------------------------------------------------- asking

static json_t *container_of(const struct gcp_services *s, const struct job_package *p, const char *const *argv)
{
	json_t *args = json_array(), *variable = json_object(), *container = json_object();
	for (size_t i = 1; argv[i]; i++) // argv[0] is the image's program
		json_array_append_new(args, json_string(argv[i]));
	json_object_set_new(variable, "name", json_string(JOB_STORE_VARIABLE));
	json_set_str(variable, "value", p->store);
	json_set_str(container, "imageUri", s->config.image);
	json_object_set_new(container, "args", args);
	json_object_set_new(container, "env", json_pack("[o]", variable));
	return container;
}

static json_t *pool_of(const struct job_spec *spec, json_t *container)
{
	return json_pack("{s:{s:s}, s:s, s:{s:s, s:i}, s:o}", "machineSpec", "machineType",
		vertex_machine_for(spec->cpu, spec->memory), "replicaCount", "1", "diskSpec", "bootDiskType", "pd-ssd",
		"bootDiskSizeGb", BOOT_DISK_GB, "containerSpec", container);
}

static json_t *scheduling_of(struct arena *a, const struct job_spec *spec)
{
	json_t *j = json_pack("{s:s, s:b}", "strategy", spec->spot ? "SPOT" : "STANDARD", "restartJobOnWorkerRestart", 0);
	int64_t seconds = (spec->deadline_ns + NS_PER_S - 1) / NS_PER_S + SPARE_S;
	if (spec->deadline_ns)
		json_set_str(j, "timeout", arena_printf(a, "%llds", (long long)seconds));
	return j;
}

int gcp_job_request(struct call *c, const struct gcp_services *s, const struct gcp_job_request *r, json_t **out)
{
	const char *const *argv;
	if (job_package_command(c, r->package, &argv))
		return c->err.code;
	json_t *labels = vertex_labels(c->arena, s->config.workspace, r->spec->name);
	json_set_str(labels, GCP_JOB_LABEL, r->label);
	json_t *spec = json_pack("{s:[o], s:o}", "workerPoolSpecs",
		pool_of(r->spec, container_of(s, r->package, argv)), "scheduling", scheduling_of(c->arena, r->spec));
	json_t *body = json_pack("{s:o, s:o}", "labels", labels, "jobSpec", spec);
	if (!body)
		return call_no_memory(c);
	json_set_str(spec, "serviceAccount", s->config.job_role);
	json_set_str(body, "displayName", str_clip(r->spec->name, VERTEX_NAME_MAX));
	*out = body;
	return 0;
}

// ---------------------------------------------------------------- hearing

int64_t gcp_job_time(const json_t *job, const char *member)
{
	int64_t ns;
	return time_parse_rfc3339(json_str(job, member), &ns) ? 0 : ns;
}

struct str gcp_job_url(const json_t *job)
{
	const json_t *pool = json_array_get(json_object_get(json_object_get(job, "jobSpec"), "workerPoolSpecs"), 0);
	const json_t *args = json_object_get(json_object_get(pool, "containerSpec"), "args");
	for (size_t i = 0; i + 1 < json_array_size(args); i++)
		if (str_eq(json_value_str(json_array_get(args, i)), S("--package")))
			return json_value_str(json_array_get(args, i + 1));
	return S("");
}

// "... exited with a non-zero status of 3": the number, or 1 when the words hold none.
static int exit_code_of(struct str message)
{
	struct str mark = S("non-zero status of ");
	ptrdiff_t at = str_find(message, mark);
	struct str rest = str_drop(message, at < 0 ? message.n : (size_t)at + mark.n);
	int value = 0;
	size_t n = 0;
	for (; n < rest.n && n < 3 && rest.p[n] >= '0' && rest.p[n] <= '9'; n++)
		value = value * 10 + (rest.p[n] - '0');
	return n && value ? value : 1;
}

// Codes of google.rpc.Status that are the provider's trouble and not the program's: no machine, taken away, broken.
static bool not_ours(int64_t code)
{
	enum { RESOURCE_EXHAUSTED = 8, ABORTED = 10, INTERNAL = 13, UNAVAILABLE = 14 };
	return code == RESOURCE_EXHAUSTED || code == ABORTED || code == INTERNAL || code == UNAVAILABLE;
}

static void read_end(const json_t *error, struct str state, struct job_status *out)
{
	enum { DEADLINE_EXCEEDED = 4 };
	int64_t code = json_int(error, "code", 0);
	if (str_eq(state, S("JOB_STATE_CANCELLED")) && code != DEADLINE_EXCEEDED) {
		out->state = JOB_STOPPED;
	} else if (str_eq(state, S("JOB_STATE_EXPIRED"))) {
		out->state = JOB_LOST;
		if (!out->reason.n)
			out->reason = S("no machine came in time");
	} else if (not_ours(code)) {
		out->state = JOB_LOST;
	} else {
		out->state = JOB_FAILED;
		out->exit_code = exit_code_of(out->reason);
	}
}

void gcp_job_read(struct arena *a, const json_t *job, struct job_status *out)
{
	static const struct {
		const char *word;
		enum job_state state;
	} going[] = {{"JOB_STATE_QUEUED", JOB_QUEUED}, {"JOB_STATE_PENDING", JOB_QUEUED},
		{"JOB_STATE_RUNNING", JOB_RUNNING}, {"JOB_STATE_CANCELLING", JOB_RUNNING},
		{"JOB_STATE_PAUSED", JOB_RUNNING}, {"JOB_STATE_UPDATING", JOB_RUNNING},
		{"JOB_STATE_SUCCEEDED", JOB_SUCCEEDED}, {"", JOB_QUEUED}};
	struct str state = json_str(job, "state");
	const json_t *error = json_object_get(job, "error");
	*out = (struct job_status){.started_ns = gcp_job_time(job, "startTime"),
		.ended_ns = gcp_job_time(job, "endTime"),
		.reason = arena_str(a, json_str(error, "message")),
		.id = arena_str(a, json_str(job, "name"))};
	for (size_t i = 0; i < COUNT_OF(going); i++) {
		if (str_is(state, going[i].word)) {
			out->state = going[i].state;
			return;
		}
	}
	read_end(error, state, out);
}
