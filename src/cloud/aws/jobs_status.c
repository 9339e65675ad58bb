// SPDX-License-Identifier: Apache-2.0
// What SageMaker says of a job, as ours. Sources: TrainingJob status and SecondaryStatus, FailureReason, ExitMessage
// (Amazon SageMaker API Reference); "Troubleshooting training jobs" for the words that failures begin with.
#include <string.h>

#include "base/time.h"
#include "cloud/aws/jobs_impl.h"

// Failures of the provider and not of the program: trying again may help. Others begin with AlgorithmError or ClientError.
static const char *const not_ours[] = {"CapacityError", "InternalServerError", "InternalError", "InsufficientCapacity"};

static int64_t time_of(const json_t *description, const char *member)
{
	double seconds = json_num(description, member, 0);
	return seconds > 0 && seconds < 1e10 ? (int64_t)(seconds * 1e6) * 1000 : 0;
}

static bool begins_with_any(struct str text, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (str_starts(text, str_of(words[i])))
			return true;
	return false;
}

// "AlgorithmError: , exit code: 3" and "ExitCode 3": the number, or 1 when the words hold none.
static int exit_code_of(struct str reason)
{
	static const char *const before[] = {"exit code: ", "exit code ", "ExitCode ", "ExitCode: "};
	for (size_t i = 0; i < COUNT_OF(before); i++) {
		ptrdiff_t at = str_find(reason, str_of(before[i]));
		struct str rest = str_drop(reason, at < 0 ? reason.n : (size_t)at + strlen(before[i]));
		size_t n = 0;
		int value = 0;
		for (; n < rest.n && n < 3 && rest.p[n] >= '0' && rest.p[n] <= '9'; n++)
			value = value * 10 + (rest.p[n] - '0');
		if (n)
			return value;
	}
	return 1;
}

static uint32_t interruptions(const json_t *description)
{
	const json_t *transitions = json_object_get(description, "SecondaryStatusTransitions"), *one;
	uint32_t n = 0;
	size_t i;
	json_array_foreach(transitions, i, one) n += str_eq(json_str(one, "Status"), S("Interrupted"));
	return n;
}

// A training job's machines come and go below InProgress; a processing job only shows when it started.
static enum job_state state_in_progress(const struct aws_job_kind *kind, const json_t *description)
{
	static const char *const runs[] = {"Training", "Uploading", "Stopping"};
	if (!kind->trains)
		return time_of(description, kind->started) ? JOB_RUNNING : JOB_QUEUED;
	return begins_with_any(json_str(description, "SecondaryStatus"), runs, COUNT_OF(runs)) ? JOB_RUNNING
											       : JOB_QUEUED;
}

// It was ended by somebody: by us, by the deadline that we set, or because no spot machine came back in time.
static void read_stopped(struct arena *a, const struct aws_job_kind *kind, const json_t *description,
	struct job_status *out)
{
	struct str secondary = json_str(description, "SecondaryStatus");
	const json_t *condition = json_object_get(description, "StoppingCondition");
	int64_t most = json_int(condition, "MaxRuntimeInSeconds", 0);
	bool overdue = str_eq(secondary, S("MaxRuntimeExceeded")) ||
		       (!kind->trains && most && out->started_ns && out->ended_ns - out->started_ns >= most * NS_PER_S);
	out->state = JOB_STOPPED;
	if (overdue) {
		out->state = JOB_FAILED;
		out->exit_code = 1;
		out->reason = arena_printf(a, "it ran for more than %lld s, its deadline", (long long)most);
	} else if (str_eq(secondary, S("MaxWaitTimeExceeded")) || str_eq(secondary, S("Interrupted"))) {
		out->state = JOB_LOST;
		out->reason = S("its machine was taken away, and no other came in time");
	}
}

static void read_failed(struct job_status *out)
{
	out->state = begins_with_any(out->reason, not_ours, COUNT_OF(not_ours)) ? JOB_LOST : JOB_FAILED;
	if (out->state == JOB_FAILED)
		out->exit_code = exit_code_of(out->reason);
}

void aws_job_read(struct arena *a, const struct aws_job_kind *kind, const json_t *description, struct job_status *out)
{
	struct str status = json_str(description, kind->status);
	struct str arn = json_str(description, kind->trains ? "TrainingJobArn" : "ProcessingJobArn");
	struct str exit_message = json_str(description, "ExitMessage"), reason = json_str(description, "FailureReason");
	*out = (struct job_status){.started_ns = time_of(description, kind->started),
		.ended_ns = time_of(description, kind->ended),
		.billed_s = json_num(description, "BillableTimeInSeconds", 0),
		.interrupted = interruptions(description),
		.reason = arena_str(a, reason.n ? reason : exit_message),
		.id = arena_str(a, arn)};
	if (str_eq(status, S("Completed")))
		out->state = JOB_SUCCEEDED;
	else if (str_eq(status, S("Failed")))
		read_failed(out);
	else if (str_eq(status, S("Stopped")) || str_eq(status, S("Deleting")))
		read_stopped(a, kind, description, out);
	else
		out->state = state_in_progress(kind, description);
}

struct str aws_job_url(const struct aws_job_kind *kind, const json_t *description)
{
	const json_t *program = json_object_get(description, kind->program);
	const json_t *arguments = json_object_get(program, "ContainerArguments");
	for (size_t i = 0; i + 1 < json_array_size(arguments); i++)
		if (str_eq(json_value_str(json_array_get(arguments, i)), S("--package")))
			return json_value_str(json_array_get(arguments, i + 1));
	return S("");
}
