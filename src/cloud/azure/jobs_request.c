// SPDX-License-Identifier: Apache-2.0
// A command job as Azure ML takes and tells it. Sources: CommandJob, JobStatus, QueueSettings (Azure Machine Learning REST
// API); ISO 8601 for durations and times.
#include <string.h>

#include "base/time.h"
#include "cloud/azure/jobs_impl.h"

// ---------------------------------------------------------------- request

static int command_of(struct call *c, const struct job_package *package, json_t *properties)
{
	const char *const *argv = NULL;
	AUTO(buf) command = {0};
	int r = job_package_command(c, package, &argv);
	if (r)
		return r;
	for (size_t i = 0; argv[i]; i++) { // of letters, digits and "._@+-/:#": no shell changes them
		if (strpbrk(argv[i], " \t\n'\"\\$`&|;<>()*?[]{}~!"))
			return call_fail(c, ERR_INTERNAL, "the word \"%s\" of a container's command needs quoting", argv[i]);
		buf_printf(&command, "%s%s", i ? " " : "", argv[i]);
	}
	json_set_str(properties, "command", buf_str(&command));
	return buf_check(&command, &c->err);
}

static int resources_of(struct call *c, const struct job_spec *spec, json_t *properties)
{
	const struct ml_size *size = ml_size_for(spec->cpu, spec->memory), *most = ml_size_largest();
	if (!size)
		return call_fail(c, ERR_LIMIT,
			"it asks for %g cores and %llu bytes of memory; the largest machine that is chosen for jobs, %s, has "
			"%g and %llu",
			spec->cpu, (unsigned long long)spec->memory, most->name, most->cpu,
			(unsigned long long)most->memory);
	json_object_set_new(properties, "resources",
		json_pack("{s:i, s:s}", "instanceCount", 1, "instanceType", size->name));
	json_object_set_new(
		properties, "queueSettings", json_pack("{s:s}", "jobTier", spec->spot ? "Spot" : "Standard"));
	return 0;
}

static void limits_of(struct call *c, const struct job_spec *spec, json_t *properties)
{
	if (!spec->deadline_ns)
		return;
	long long seconds = (long long)((spec->deadline_ns + NS_PER_S - 1) / NS_PER_S);
	json_t *limits = json_pack("{s:s}", "jobLimitsType", "Command");
	json_set_str(limits, "timeout", arena_printf(c->arena, "PT%lldS", seconds));
	json_object_set_new(properties, "limits", limits);
}

// Named by its resource id or by its client id; none: that of the compute.
static json_t *identity_of(const struct azure_services *s)
{
	json_t *identity = json_pack("{s:s}", "identityType", "Managed");
	struct str role = s->config.job_role;
	if (role.n)
		json_set_str(identity, str_starts(role, S("/")) ? "resourceId" : "clientId", role);
	return identity;
}

int azure_job_request(struct call *c, struct azure_services *s, const struct job_spec *spec,
	const struct job_package *package, json_t **out)
{
	AUTO(json) properties = json_pack("{s:s, s:s}", "jobType", "Command", "experimentName", "isobar");
	struct str environment = S("");
	json_t *variables = json_object();
	json_set_str(variables, JOB_STORE_VARIABLE, package->store);
	json_object_set_new(properties, "environmentVariables", variables);
	json_object_set_new(properties, "tags", ml_tags(s, spec->name));
	json_object_set_new(properties, "identity", identity_of(s));
	json_set_str(properties, "displayName", spec->name);
	limits_of(c, spec, properties);
	int r = command_of(c, package, properties);
	if (!r)
		r = resources_of(c, spec, properties);
	if (!r)
		r = ml_environment(c, s, false, &environment);
	if (r)
		return r;
	json_set_str(properties, "environmentId", environment);
	*out = json_pack("{s:O}", "properties", properties);
	return *out ? 0 : call_no_memory(c);
}

// ---------------------------------------------------------------- status

static const struct {
	const char *status;
	enum job_state state;
} states[] = {
	{"NotStarted", JOB_QUEUED}, {"Starting", JOB_QUEUED}, {"Provisioning", JOB_QUEUED}, {"Preparing", JOB_QUEUED},
	{"Queued", JOB_QUEUED}, {"Paused", JOB_QUEUED}, {"Running", JOB_RUNNING}, {"Finalizing", JOB_RUNNING},
	{"CancelRequested", JOB_RUNNING}, {"NotResponding", JOB_RUNNING}, {"Completed", JOB_SUCCEEDED},
	{"Failed", JOB_FAILED}, {"Canceled", JOB_STOPPED},
};

static int64_t time_of(const json_t *properties, const char *name)
{
	int64_t ns = 0;
	return time_parse_rfc3339(json_str(json_object_get(properties, "properties"), name), &ns) ? 0 : ns;
}

// Canceled for running too long is said as any other cancellation.
static bool is_overdue(const json_t *properties, const struct job_status *s)
{
	struct str timeout = json_str(json_object_get(properties, "limits"), "timeout");
	uint64_t seconds = 0;
	if (!str_starts(timeout, S("PT")) || !str_ends(timeout, S("S")) || !s->started_ns || !s->ended_ns)
		return false;
	return str_to_u64(str_take(str_drop(timeout, 2), timeout.n - 3), &seconds) == 0 && seconds &&
	       seconds < INT32_MAX && s->ended_ns - s->started_ns >= (int64_t)seconds * NS_PER_S;
}

void azure_job_read(struct arena *a, const json_t *resource, struct job_status *out)
{
	const json_t *properties = json_object_get(resource, "properties");
	struct str status = json_str(properties, "status"), name = json_str(resource, "name");
	*out = (struct job_status){.state = JOB_RUNNING, // a state of a later version
		.started_ns = time_of(properties, "StartTimeUtc"),
		.ended_ns = time_of(properties, "EndTimeUtc"),
		.id = arena_str(a, name),
		.reason = S("")};
	for (size_t i = 0; i < COUNT_OF(states); i++)
		if (str_eq(status, str_of(states[i].status)))
			out->state = states[i].state;
	if (out->state == JOB_STOPPED && is_overdue(properties, out)) {
		out->state = JOB_FAILED;
		out->reason = S("it ran for longer than its deadline");
	} else if (out->state == JOB_FAILED) {
		out->reason = arena_printf(a,
			"Azure ML says that it failed; why is in the blobs " AZURE_LOG_CONTAINER
			"/ExperimentRun/dcid.%.*s/ (user_logs, system_logs)",
			STR(name));
	}
	if (out->state == JOB_FAILED)
		out->exit_code = 1; // which it was, the service does not say
}

struct str azure_job_url(const json_t *resource)
{
	struct str command = json_str(json_object_get(resource, "properties"), "command"), word;
	bool next = false;
	while (str_next(&command, ' ', &word)) {
		if (next)
			return word;
		next = str_eq(word, S("--package"));
	}
	return S("");
}
