// SPDX-License-Identifier: Apache-2.0
// What a job looks like as a request to SageMaker. Sources: CreateTrainingJob, CreateProcessingJob, Tag (Amazon
// SageMaker API Reference), whose bounds are checked here where our own names and texts could pass them.
#include "base/time.h"
#include "cloud/aws/jobs_impl.h"
#include "cloud/aws/shapes.h"
#include "cloud/store_variable.h"

enum {
	DISK_GB = 30,
	DEFAULT_RUN_S = 24 * 3600,
	MOST_TRAINING_S = 28 * 24 * 3600,
	MOST_PROCESSING_S = 777600, // nine days
	SPOT_WAIT_S = 3600,         // for a machine, on top of the run itself
	GRACE_S = 300,              // behind the deadline, which the worker keeps itself and says so
};

const struct aws_job_kind aws_job_kinds[2] = {
	{.what = "training job",
		.create = AWS_CREATE_TRAINING_JOB,
		.describe = AWS_DESCRIBE_TRAINING_JOB,
		.stop = AWS_STOP_TRAINING_JOB,
		.delete = AWS_DELETE_TRAINING_JOB,
		.list = AWS_LIST_TRAINING_JOBS,
		.name = "TrainingJobName",
		.status = "TrainingJobStatus",
		.started = "TrainingStartTime",
		.ended = "TrainingEndTime",
		.summaries = "TrainingJobSummaries",
		.program = "AlgorithmSpecification",
		.log_group = "/aws/sagemaker/TrainingJobs",
		.variable_max = 512,
		.trains = true},
	{.what = "processing job",
		.create = AWS_CREATE_PROCESSING_JOB,
		.describe = AWS_DESCRIBE_PROCESSING_JOB,
		.stop = AWS_STOP_PROCESSING_JOB,
		.delete = AWS_DELETE_PROCESSING_JOB,
		.list = AWS_LIST_PROCESSING_JOBS,
		.name = "ProcessingJobName",
		.status = "ProcessingJobStatus",
		.started = "ProcessingStartTime",
		.ended = "ProcessingEndTime",
		.summaries = "ProcessingJobSummaries",
		.program = "AppSpecification",
		.log_group = "/aws/sagemaker/ProcessingJobs",
		.variable_max = 256},
};

const struct aws_job_kind *aws_job_kind_of(struct str job)
{
	return &aws_job_kinds[str_starts(job, S("train/")) ? 0 : 1];
}

// ---------------------------------------------------------------- parts of both
static int program_of(struct call *c, const struct aws_job_request *r, json_t *program)
{
	const char *const *argv = NULL;
	json_t *entry = json_array(), *arguments = json_array();
	json_object_set_new(program, "ContainerEntrypoint", entry);
	json_object_set_new(program, "ContainerArguments", arguments);
	if (job_package_command(c, r->package, &argv))
		return c->err.code;
	for (size_t i = 0; argv[i]; i++) {
		struct str text = str_of(argv[i]);
		if (text.n > AWS_ARGUMENT_MAX)
			return call_fail(c, ERR_LIMIT,
				"\"%.*s\" has %zu bytes; SageMaker takes arguments of at most %d: choose shorter names",
				STR(text), text.n, AWS_ARGUMENT_MAX);
		json_array_append_new(i ? arguments : entry, json_of_str(text));
	}
	return 0;
}

static int environment_of(struct call *c, const struct aws_job_request *r, json_t *request)
{
	json_t *environment = json_object();
	json_object_set_new(request, "Environment", environment);
	return store_variable_split(environment, r->package->store, r->kind->variable_max, &c->err);
}

static int shape_of(struct call *c, const struct job_spec *spec, const struct aws_shape **out)
{
	*out = aws_shape_for(spec->cpu, spec->memory);
	if (*out)
		return 0;
	const struct aws_shape *most = aws_shape_largest();
	return call_fail(c, ERR_LIMIT,
		"it asks for %g cores and %llu bytes of memory; the largest machine that is chosen for jobs, %s, has %g and "
		"%llu",
		spec->cpu, (unsigned long long)spec->memory, most->instance, most->cpu, (unsigned long long)most->memory);
}

static json_t *cluster_of(const struct aws_shape *shape)
{
	json_t *j = json_object();
	json_object_set_new(j, "InstanceType", json_string(shape->instance));
	json_object_set_new(j, "InstanceCount", json_integer(1));
	json_object_set_new(j, "VolumeSizeInGB", json_integer(DISK_GB));
	return j;
}

static int64_t seconds_of(const struct job_spec *spec, int64_t most)
{
	int64_t s = (spec->deadline_ns + NS_PER_S - 1) / NS_PER_S;
	return s > 0 ? MIN(s + GRACE_S, most) : DEFAULT_RUN_S;
}

// ---------------------------------------------------------------- each
// SageMaker would copy what is in /opt/ml/model and /opt/ml/checkpoints itself, in the clear: the container leaves
// nothing there, and writes its results and checkpoints encrypted as the bucket is.
static void training_of(
	struct call *c, const struct aws_job_request *r, const struct aws_shape *shape, json_t *request)
{
	json_t *output = json_object(), *stopping = json_object();
	int64_t run = seconds_of(r->spec, MOST_TRAINING_S);
	json_set_str(output, "S3OutputPath",
		arena_printf(c->arena, "s3://%.*s/%.*s", STR(r->package->bucket), STR(r->package->prefix)));
	json_object_set_new(request, "OutputDataConfig", output);
	json_object_set_new(request, "ResourceConfig", cluster_of(shape));
	json_object_set_new(stopping, "MaxRuntimeInSeconds", json_integer(run));
	if (r->spec->spot) {
		json_object_set_new(stopping, "MaxWaitTimeInSeconds", json_integer(run + SPOT_WAIT_S));
		json_object_set_new(request, "EnableManagedSpotTraining", json_true());
	}
	json_object_set_new(request, "StoppingCondition", stopping);
}

static void processing_of(const struct aws_job_request *r, const struct aws_shape *shape, json_t *request)
{
	json_t *resources = json_object(), *stopping = json_object();
	json_object_set_new(resources, "ClusterConfig", cluster_of(shape));
	json_object_set_new(request, "ProcessingResources", resources);
	json_object_set_new(stopping, "MaxRuntimeInSeconds", json_integer(seconds_of(r->spec, MOST_PROCESSING_S)));
	json_object_set_new(request, "StoppingCondition", stopping);
}

int aws_job_request(struct call *c, const struct aws_services *s, const struct aws_job_request *r, json_t **out)
{
	AUTO(json) request = json_object();
	json_t *program = json_object();
	const struct aws_shape *shape = NULL;
	bool trains = r->kind->trains;
	json_set_str(request, r->kind->name, r->name);
	json_set_str(request, "RoleArn", s->config.job_role);
	json_object_set_new(request, "Tags", aws_sagemaker_tags(c->arena, s->config.workspace, r->spec->name));
	json_object_set_new(request, r->kind->program, program);
	json_set_str(program, trains ? "TrainingImage" : "ImageUri", s->config.image);
	if (trains)
		json_set_str(program, "TrainingInputMode", S("File"));
	if (program_of(c, r, program) || environment_of(c, r, request) || shape_of(c, r->spec, &shape))
		return c->err.code;
	if (trains)
		training_of(c, r, shape, request);
	else
		processing_of(r, shape, request);
	*out = json_incref(request);
	return 0;
}
