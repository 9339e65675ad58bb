// SPDX-License-Identifier: Apache-2.0
// What SageMaker refuses of a job before it makes it. Source: the constraints of CreateTrainingJob and
// CreateProcessingJob (Amazon SageMaker API Reference), as far as a pocket does something with the member.
#include "pocket/aws/sagemaker_impl.h"

#define INSTANCE_PATTERN "ml\\.[a-z0-9-]+\\.[a-z0-9]+"
#define TAGS                                                                                                           \
	{"Tags", AWS_LIST, false, 0, 50, NULL, NULL}, {"Tags[].Key", AWS_TEXT, true, 1, 128, NULL, NULL},              \
		{"Tags[].Value", AWS_TEXT, true, 0, 256, NULL, NULL}

static const struct aws_rule training_rules[] = {
	{"TrainingJobName", AWS_TEXT, true, 1, 63, AWS_NAME_PATTERN, NULL},
	{"RoleArn", AWS_TEXT, true, 20, 2048, AWS_ROLE_PATTERN, NULL},
	{"AlgorithmSpecification", AWS_OBJECT, true, 0, 0, NULL, NULL},
	{"AlgorithmSpecification.TrainingInputMode", AWS_TEXT, true, 0, 0, NULL, "Pipe File FastFile"},
	{"AlgorithmSpecification.TrainingImage", AWS_TEXT, false, 0, 255, NULL, NULL},
	{"AlgorithmSpecification.ContainerEntrypoint", AWS_LIST, false, 1, 100, NULL, NULL},
	{"AlgorithmSpecification.ContainerEntrypoint[]", AWS_TEXT, true, 0, 256, NULL, NULL},
	{"AlgorithmSpecification.ContainerArguments", AWS_LIST, false, 1, 100, NULL, NULL},
	{"AlgorithmSpecification.ContainerArguments[]", AWS_TEXT, true, 0, 256, NULL, NULL},
	{"HyperParameters", AWS_OBJECT, false, 0, 100, NULL, NULL},
	{"InputDataConfig", AWS_LIST, false, 1, 20, NULL, NULL},
	{"InputDataConfig[].ChannelName", AWS_TEXT, true, 1, 64, "[A-Za-z0-9._-]+", NULL},
	{"InputDataConfig[].DataSource", AWS_OBJECT, true, 0, 0, NULL, NULL},
	{"InputDataConfig[].DataSource.S3DataSource.S3Uri", AWS_TEXT, true, 0, 1024, AWS_S3_PATTERN, NULL},
	{"InputDataConfig[].DataSource.S3DataSource.S3DataType", AWS_TEXT, true, 0, 0, NULL,
		"ManifestFile S3Prefix AugmentedManifestFile"},
	{"OutputDataConfig", AWS_OBJECT, true, 0, 0, NULL, NULL},
	{"OutputDataConfig.S3OutputPath", AWS_TEXT, true, 0, 1024, AWS_S3_PATTERN, NULL},
	{"OutputDataConfig.CompressionType", AWS_TEXT, false, 0, 0, NULL, "GZIP NONE"},
	{"ResourceConfig", AWS_OBJECT, true, 0, 0, NULL, NULL},
	{"ResourceConfig.InstanceType", AWS_TEXT, true, 0, 0, INSTANCE_PATTERN, NULL},
	{"ResourceConfig.InstanceCount", AWS_WHOLE, true, 1, 0, NULL, NULL},
	{"ResourceConfig.VolumeSizeInGB", AWS_WHOLE, true, 1, 0, NULL, NULL},
	{"StoppingCondition", AWS_OBJECT, true, 0, 0, NULL, NULL},
	{"StoppingCondition.MaxRuntimeInSeconds", AWS_WHOLE, false, 1, 2419200, NULL, NULL},
	{"StoppingCondition.MaxWaitTimeInSeconds", AWS_WHOLE, false, 1, 0, NULL, NULL},
	{"EnableManagedSpotTraining", AWS_FLAG, false, 0, 0, NULL, NULL},
	{"CheckpointConfig.S3Uri", AWS_TEXT, true, 0, 1024, AWS_S3_PATTERN, NULL},
	{"Environment", AWS_OBJECT, false, 0, 100, NULL, NULL},
	TAGS,
};

static const struct aws_rule processing_rules[] = {
	{"ProcessingJobName", AWS_TEXT, true, 1, 63, AWS_NAME_PATTERN, NULL},
	{"RoleArn", AWS_TEXT, true, 20, 2048, AWS_ROLE_PATTERN, NULL},
	{"AppSpecification", AWS_OBJECT, true, 0, 0, NULL, NULL},
	{"AppSpecification.ImageUri", AWS_TEXT, true, 0, 255, NULL, NULL},
	{"AppSpecification.ContainerEntrypoint", AWS_LIST, false, 1, 100, NULL, NULL},
	{"AppSpecification.ContainerEntrypoint[]", AWS_TEXT, true, 0, 256, NULL, NULL},
	{"AppSpecification.ContainerArguments", AWS_LIST, false, 1, 100, NULL, NULL},
	{"AppSpecification.ContainerArguments[]", AWS_TEXT, true, 0, 256, NULL, NULL},
	{"ProcessingResources", AWS_OBJECT, true, 0, 0, NULL, NULL},
	{"ProcessingResources.ClusterConfig", AWS_OBJECT, true, 0, 0, NULL, NULL},
	{"ProcessingResources.ClusterConfig.InstanceType", AWS_TEXT, true, 0, 0, INSTANCE_PATTERN, NULL},
	{"ProcessingResources.ClusterConfig.InstanceCount", AWS_WHOLE, true, 1, 100, NULL, NULL},
	{"ProcessingResources.ClusterConfig.VolumeSizeInGB", AWS_WHOLE, true, 1, 16384, NULL, NULL},
	{"StoppingCondition.MaxRuntimeInSeconds", AWS_WHOLE, true, 1, 777600, NULL, NULL},
	{"ProcessingInputs", AWS_LIST, false, 0, 10, NULL, NULL},
	{"ProcessingInputs[].InputName", AWS_TEXT, true, 0, 0, NULL, NULL},
	{"ProcessingInputs[].S3Input.S3Uri", AWS_TEXT, true, 0, 1024, AWS_S3_PATTERN, NULL},
	{"ProcessingInputs[].S3Input.S3DataType", AWS_TEXT, true, 0, 0, NULL, "ManifestFile S3Prefix"},
	{"ProcessingInputs[].S3Input.LocalPath", AWS_TEXT, true, 0, 256, "/opt/ml/processing(/.*)?", NULL},
	{"ProcessingOutputConfig.Outputs", AWS_LIST, true, 0, 10, NULL, NULL},
	{"ProcessingOutputConfig.Outputs[].OutputName", AWS_TEXT, true, 0, 0, NULL, NULL},
	{"ProcessingOutputConfig.Outputs[].S3Output.S3Uri", AWS_TEXT, true, 0, 1024, AWS_S3_PATTERN, NULL},
	{"ProcessingOutputConfig.Outputs[].S3Output.LocalPath", AWS_TEXT, true, 0, 256, "/opt/ml/processing(/.*)?",
		NULL},
	{"ProcessingOutputConfig.Outputs[].S3Output.S3UploadMode", AWS_TEXT, true, 0, 0, NULL, "Continuous EndOfJob"},
	{"Environment", AWS_OBJECT, false, 0, 100, NULL, NULL},
	TAGS,
};

static const struct aws_rule tag_rules[] = {TAGS};

// ---------------------------------------------------------------- what rules do not say
static int check_texts(struct front_request *r, const json_t *in, const char *member, size_t most)
{
	const json_t *value;
	const char *key;
	json_object_foreach((json_t *)(uintptr_t)json_object_get(in, member), key, value)
	{
		if (!json_is_string(value))
			return aws_refuse(r, "SerializationException", "the member %s.%s is no text", member, key);
		if (json_string_length(value) > most)
			return aws_refuse(r, "ValidationException",
				"1 validation error detected: Value at '%s.%s.member' failed to satisfy constraint: Member "
				"must have length less than or equal to %zu",
				member, key, most);
	}
	return 0;
}

static int check_spot(struct front_request *r, const json_t *in)
{
	const json_t *stopping = json_object_get(in, "StoppingCondition");
	int64_t run = json_int(stopping, "MaxRuntimeInSeconds", 86400);
	int64_t wait = json_int(stopping, "MaxWaitTimeInSeconds", 0);
	bool spot = json_flag(in, "EnableManagedSpotTraining", false);
	if (spot && wait < run)
		return aws_refuse(r, "ValidationException",
			"Invalid MaxWaitTimeInSeconds. It must be present and be greater than or equal to "
			"MaxRuntimeInSeconds");
	if (!spot && wait)
		return aws_refuse(r, "ValidationException",
			"Invalid MaxWaitTimeInSeconds. It is supported only when EnableManagedSpotTraining is set to true");
	return 0;
}

// A pocket is one machine.
static int check_count(struct front_request *r, const json_t *cluster, const char *what)
{
	int64_t count = json_int(cluster, "InstanceCount", 1);
	if (count <= 1)
		return 0;
	return aws_refuse(r, "ResourceLimitExceeded",
		"The account-level service limit '%s for %s usage' is 1 Instances, with current utilization of 0 Instances "
		"and a request delta of %lld Instances. Please use AWS Service Quotas to request an increase for this quota.",
		json_text(cluster, "InstanceType"), what, (long long)count);
}

static int check_training(struct front_request *r, const json_t *in)
{
	const json_t *algorithm = json_object_get(in, "AlgorithmSpecification");
	int rc = check_texts(r, in, "HyperParameters", 2500);
	if (rc == 0)
		rc = check_texts(r, in, "Environment", 512);
	if (rc == 0 && !json_str(algorithm, "TrainingImage").n)
		rc = aws_refuse(r, "ValidationException",
			"You must specify a training image: a pocket cloud has no algorithms of its own");
	if (rc == 0 && str_eq(json_str(algorithm, "TrainingInputMode"), S("Pipe")))
		rc = aws_refuse(r, "ValidationException", "A pocket cloud has no Pipe mode: use File");
	if (rc == 0)
		rc = check_spot(r, in);
	return rc ? rc : check_count(r, json_object_get(in, "ResourceConfig"), "training job");
}

static int check_processing(struct front_request *r, const json_t *in)
{
	const json_t *resources = json_object_get(in, "ProcessingResources");
	int rc = check_texts(r, in, "Environment", 256);
	return rc ? rc : check_count(r, json_object_get(resources, "ClusterConfig"), "processing job");
}

int sm_check_job(struct front_request *r, const json_t *in, enum sm_type type)
{
	bool trains = type == SM_TRAINING;
	int rc = trains ? aws_rules_check(r, in, training_rules, COUNT_OF(training_rules))
			: aws_rules_check(r, in, processing_rules, COUNT_OF(processing_rules));
	if (rc)
		return rc;
	return trains ? check_training(r, in) : check_processing(r, in);
}

int sm_check_tags(struct front_request *r, const json_t *in)
{
	return aws_rules_check(r, in, tag_rules, COUNT_OF(tag_rules));
}

// ---------------------------------------------------------------- machines
static const struct shape {
	const char *suffix; // of the general-purpose and compute families alike
	double cpu, gib;
} shapes[] = {
	{".medium", 2, 4},
	{".large", 2, 8},
	{".xlarge", 4, 16},
	{".2xlarge", 8, 32},
	{".4xlarge", 16, 64},
	{".8xlarge", 32, 128},
	{".12xlarge", 48, 192},
	{".16xlarge", 64, 256},
	{".24xlarge", 96, 384},
};

static const struct shape *shape_of(struct str instance)
{
	for (size_t i = 0; i < COUNT_OF(shapes); i++)
		if (str_ends(instance, str_of(shapes[i].suffix)))
			return &shapes[i];
	return NULL;
}

double sm_shape_cpu(struct str instance)
{
	const struct shape *s = shape_of(instance);
	return s ? s->cpu : 0;
}

uint64_t sm_shape_memory(struct str instance)
{
	const struct shape *s = shape_of(instance);
	return s ? (uint64_t)(s->gib * (1 << 30)) : 0;
}
