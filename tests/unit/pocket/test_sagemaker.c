// SPDX-License-Identifier: Apache-2.0
// SageMaker's jobs and their logs in a pocket: real processes behind the provider's states, its refusals, its pages.
#include "aws_fixture.h"

#include "pocket/aws/api.h"
#include "pocket/aws/logs.h"
#include "pocket/aws/rules.h"
#include "pocket/aws/sagemaker.h"

#define ROLE "arn:aws:iam::123456789012:role/jobs"

static const json_t *sm(const char *operation, json_t *in)
{
	return aws_call("sagemaker", arena_printf(&cloud.arena, "SageMaker.%s", operation).p, in, 200);
}

static void sm_refused(const char *operation, json_t *in, const char *code)
{
	aws_refused("sagemaker", arena_printf(&cloud.arena, "SageMaker.%s", operation).p, in, code);
}

static json_t *training(const char *name, const char *script)
{
	return json_pack("{s:s, s:s, s:{s:s, s:s, s:[s,s,s]}, s:{s:s}, s:{s:s, s:i, s:i}, s:{s:i}}", "TrainingJobName", name,
		"RoleArn", ROLE, "AlgorithmSpecification", "TrainingImage", "mine", "TrainingInputMode", "File",
		"ContainerEntrypoint", "/bin/sh", "-c", script, "OutputDataConfig", "S3OutputPath", "s3://lake/out",
		"ResourceConfig", "InstanceType", "ml.m5.large", "InstanceCount", 1, "VolumeSizeInGB", 1,
		"StoppingCondition", "MaxRuntimeInSeconds", 60);
}

static json_t *named(const char *name)
{
	return json_pack("{s:s}", "TrainingJobName", name);
}

// Until the job has ended.
static const json_t *ended(const char *name)
{
	const struct timespec pause = {.tv_nsec = 10000000};
	for (int i = 0; i < 2000; i++) {
		const json_t *job = sm("DescribeTrainingJob", named(name));
		struct str status = json_str(job, "TrainingJobStatus");
		if (!str_eq(status, S("InProgress")) && !str_eq(status, S("Stopping")))
			return job;
		nanosleep(&pause, NULL);
	}
	fail_msg("job %s does not end", name);
	return NULL;
}

// ---------------------------------------------------------------- tests
static void test_completes(UNUSED void **state)
{
	const json_t *made = sm("CreateTrainingJob", training("t1", "echo hello; echo again"));
	struct str arn = json_str(made, "TrainingJobArn");
	assert_true(str_ends(arn, S(":training-job/t1")));
	assert_true(str_starts(arn, S("arn:aws:sagemaker:us-east-1:")));
	const json_t *job = ended("t1");
	assert_str(json_str(job, "TrainingJobStatus"), S("Completed"));
	assert_str(json_str(job, "SecondaryStatus"), S("Completed"));
	assert_str(json_str(json_object_get(job, "ModelArtifacts"), "S3ModelArtifacts"),
		S("s3://lake/out/t1/output/model.tar.gz"));
	assert_int_equal(json_int(job, "BillableTimeInSeconds", 0), 1);
	const json_t *first = json_array_get(json_object_get(job, "SecondaryStatusTransitions"), 0);
	assert_str(json_str(first, "Status"), S("Starting"));
	assert_true(json_num(first, "EndTime", 0) >= json_num(first, "StartTime", 1e18) - 1);
	sm_refused("CreateTrainingJob", training("t1", "true"), "ResourceInUse");
	sm_refused("StopTrainingJob", named("t1"), "ValidationException");
}

static void test_logs(UNUSED void **state)
{
	const char *group = "/aws/sagemaker/TrainingJobs";
	sm("CreateTrainingJob", training("t-logs", "echo one; echo two; echo three"));
	ended("t-logs");
	const json_t *streams = aws_call("logs", "Logs_20140328.DescribeLogStreams",
		json_pack("{s:s, s:s}", "logGroupName", group, "logStreamNamePrefix", "t-logs/"), 200);
	const json_t *stream = json_array_get(json_object_get(streams, "logStreams"), 0);
	const char *name = json_text(stream, "logStreamName"), *token = "";
	assert_true(str_starts(str_of(name), S("t-logs/algo-1-")));
	assert_true(json_int(stream, "lastEventTimestamp", 0) > 0);
	static const char *const lines[] = {"one", "two", "three"};
	for (size_t i = 0; i <= COUNT_OF(lines); i++) { // pages of one line, and an empty one at the end
		json_t *in = json_pack("{s:s, s:s, s:b, s:i}", "logGroupName", group, "logStreamName", name,
			"startFromHead", 1, "limit", 1);
		if (token[0])
			json_object_set_new(in, "nextToken", json_string(token));
		const json_t *page = aws_call("logs", "Logs_20140328.GetLogEvents", in, 200);
		const json_t *events = json_object_get(page, "events");
		assert_int_equal(json_array_size(events), i < COUNT_OF(lines));
		if (i < COUNT_OF(lines))
			assert_str(json_str(json_array_get(events, 0), "message"), str_of(lines[i]));
		else
			assert_string_equal(json_text(page, "nextForwardToken"), token);
		token = json_text(page, "nextForwardToken");
	}
	const json_t *last = aws_call("logs", "Logs_20140328.GetLogEvents",
		json_pack("{s:s, s:s, s:i}", "logGroupName", group, "logStreamName", name, "limit", 2), 200);
	assert_str(json_str(json_array_get(json_object_get(last, "events"), 0), "message"), S("two"));
	const json_t *back = aws_call("logs", "Logs_20140328.GetLogEvents",
		json_pack("{s:s, s:s, s:i, s:s}", "logGroupName", group, "logStreamName", name, "limit", 2, "nextToken",
			json_text(last, "nextBackwardToken")),
		200);
	assert_int_equal(json_array_size(json_object_get(back, "events")), 1);
	const json_t *hits = aws_call("logs", "Logs_20140328.FilterLogEvents",
		json_pack("{s:s, s:s, s:s}", "logGroupName", group, "logStreamNamePrefix", "t-logs/", "filterPattern",
			"t -three"),
		200);
	assert_int_equal(json_array_size(json_object_get(hits, "events")), 1);
	aws_refused("logs", "Logs_20140328.GetLogEvents",
		json_pack("{s:s, s:s}", "logGroupName", group, "logStreamName", "none"), "ResourceNotFoundException");
	aws_refused("logs", "Logs_20140328.DescribeLogStreams", json_pack("{s:s}", "logGroupName", "none"),
		"ResourceNotFoundException");
}

static void test_fails(UNUSED void **state)
{
	sm("CreateTrainingJob", training("t-fails", "echo why > $SM_OUTPUT_DIR/failure; exit 3"));
	const json_t *job = ended("t-fails");
	assert_str(json_str(job, "TrainingJobStatus"), S("Failed"));
	assert_str(json_str(job, "FailureReason"), S("AlgorithmError: why, exit code: 3"));
}

static void test_stopped_and_deleted(UNUSED void **state)
{
	sm("CreateTrainingJob", training("t-stop", "sleep 1000"));
	sm_refused("DeleteTrainingJob", named("t-stop"), "ResourceInUse");
	sm("StopTrainingJob", named("t-stop"));
	assert_str(json_str(ended("t-stop"), "SecondaryStatus"), S("Stopped"));
	sm("DeleteTrainingJob", named("t-stop"));
	sm_refused("DescribeTrainingJob", named("t-stop"), "ValidationException");
	sm("CreateTrainingJob", training("t-stop", "true")); // the name is free again
	ended("t-stop");
}

static void test_overdue(UNUSED void **state)
{
	json_t *in = training("t-late", "sleep 1000");
	json_object_set_new(in, "StoppingCondition", json_pack("{s:i}", "MaxRuntimeInSeconds", 1));
	sm("CreateTrainingJob", in);
	const json_t *job = ended("t-late");
	assert_str(json_str(job, "TrainingJobStatus"), S("Stopped"));
	assert_str(json_str(job, "SecondaryStatus"), S("MaxRuntimeExceeded"));
}

static void test_lists(UNUSED void **state)
{
	const char *token = NULL;
	static const char *const names[] = {"list-b", "list-a", "list-c"};
	for (size_t i = 0; i < COUNT_OF(names); i++)
		sm("CreateTrainingJob", training(names[i], "true"));
	static const char *const by_name[] = {"list-c", "list-b", "list-a"};
	for (size_t i = 0; i < COUNT_OF(by_name); i++) {
		json_t *in = json_pack("{s:s, s:s, s:s, s:i}", "NameContains", "list-", "SortBy", "Name", "SortOrder",
			"Descending", "MaxResults", 1);
		if (token)
			json_object_set_new(in, "NextToken", json_string(token));
		const json_t *page = sm("ListTrainingJobs", in);
		const json_t *one = json_array_get(json_object_get(page, "TrainingJobSummaries"), 0);
		assert_str(json_str(one, "TrainingJobName"), str_of(by_name[i]));
		token = json_text(page, "NextToken");
		assert_int_equal(token[0] != 0, i + 1 < COUNT_OF(by_name));
	}
	for (size_t i = 0; i < COUNT_OF(names); i++)
		ended(names[i]);
	const json_t *page = sm("ListTrainingJobs", json_pack("{s:s, s:s}", "StatusEquals", "Failed", "NameContains", "list-"));
	assert_int_equal(json_array_size(json_object_get(page, "TrainingJobSummaries")), 0);
	sm_refused("ListTrainingJobs", json_pack("{s:s}", "NextToken", "!"), "ValidationException");
	sm_refused("ListTrainingJobs", json_pack("{s:i}", "MaxResults", 101), "ValidationException");
}

static void test_tags(UNUSED void **state)
{
	json_t *in = training("t-tags", "true");
	json_object_set_new(in, "Tags", json_pack("[{s:s, s:s}]", "Key", "a", "Value", "1"));
	const char *arn = json_text(sm("CreateTrainingJob", in), "TrainingJobArn");
	sm("AddTags", json_pack("{s:s, s:[{s:s, s:s}]}", "ResourceArn", arn, "Tags", "Key", "b", "Value", "2"));
	sm("DeleteTags", json_pack("{s:s, s:[s]}", "ResourceArn", arn, "TagKeys", "a"));
	const json_t *tags = json_object_get(sm("ListTags", json_pack("{s:s}", "ResourceArn", arn)), "Tags");
	assert_int_equal(json_array_size(tags), 1);
	assert_str(json_str(json_array_get(tags, 0), "Value"), S("2"));
	sm_refused("ListTags", json_pack("{s:s}", "ResourceArn", "arn:aws:sagemaker:us-east-1:1:model/x"),
		"ValidationException");
	ended("t-tags");
}

static void test_processing(UNUSED void **state)
{
	sm("CreateProcessingJob",
		json_pack("{s:s, s:s, s:{s:s, s:[s,s,s]}, s:{s:{s:s, s:i, s:i}}}", "ProcessingJobName", "p1", "RoleArn",
			ROLE, "AppSpecification", "ImageUri", "mine", "ContainerEntrypoint", "/bin/sh", "-c", "exit 0",
			"ProcessingResources", "ClusterConfig", "InstanceType", "ml.m5.large", "InstanceCount", 1,
			"VolumeSizeInGB", 1));
	const struct timespec pause = {.tv_nsec = 10000000};
	const json_t *job = NULL;
	for (int i = 0; i < 2000 && (!job || str_eq(json_str(job, "ProcessingJobStatus"), S("InProgress"))); i++) {
		job = sm("DescribeProcessingJob", json_pack("{s:s}", "ProcessingJobName", "p1"));
		nanosleep(&pause, NULL);
	}
	assert_str(json_str(job, "ProcessingJobStatus"), S("Completed"));
	assert_true(json_num(job, "ProcessingEndTime", 0) > 0);
	const json_t *list = sm("ListProcessingJobs", json_object());
	assert_int_equal(json_array_size(json_object_get(list, "ProcessingJobSummaries")), 1);
	sm_refused("DescribeProcessingJob", json_pack("{s:s}", "ProcessingJobName", "none"), "ResourceNotFound");
}

static void test_refused(UNUSED void **state)
{
	json_t *in = training("-bad", "true");
	json_object_del(in, "RoleArn");
	const json_t *said = aws_call("sagemaker", "SageMaker.CreateTrainingJob", in, 400);
	assert_str(json_str(said, "__type"), S("ValidationException"));
	assert_str(json_str(said, "message"),
		S("2 validation errors detected: Value '-bad' at 'trainingJobName' failed to satisfy constraint: Member "
		  "must satisfy regular expression pattern: [a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}; Value null at 'roleArn' "
		  "failed to satisfy constraint: Member must not be null"));
	in = training("t-spot", "true");
	json_object_set_new(in, "EnableManagedSpotTraining", json_true());
	sm_refused("CreateTrainingJob", in, "ValidationException");
	in = training("t-many", "true");
	json_object_set_new(json_object_get(in, "ResourceConfig"), "InstanceCount", json_integer(2));
	sm_refused("CreateTrainingJob", in, "ResourceLimitExceeded");
	in = training("t-type", "true");
	json_object_set_new(in, "RoleArn", json_integer(1));
	sm_refused("CreateTrainingJob", in, "SerializationException");
	sm_refused("DanceTheTango", json_object(), "UnknownOperationException");
}

static void test_signatures(UNUSED void **state)
{
	const struct {
		struct aws_ask ask;
		const char *code;
	} wrong[] = {{{"sagemaker", "SageMaker.ListModels", "another secret", 0}, "InvalidSignatureException"},
		{{"sagemaker", "SageMaker.ListModels", NULL, 1200}, "InvalidSignatureException"},
		{{"logs", "SageMaker.ListModels", NULL, 0}, "InvalidSignatureException"}};
	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		struct exchange x = aws_send(&wrong[i].ask, S("{}"));
		assert_status(&x, 400);
		assert_contains(x.text, str_of(wrong[i].code));
	}
	struct exchange x = {.method = S("POST"), .target = S("/"), .body = S("{}")};
	exchange_add(&x, "x-amz-target", S("SageMaker.ListModels"));
	exchange_send(&x);
	assert_contains(x.text, S("MissingAuthenticationTokenException"));
}

static void test_survives(UNUSED void **state)
{
	sm("CreateTrainingJob", training("t-lives", "sleep 0.3; echo done"));
	cloud_stop();
	cloud_start();
	assert_str(json_str(ended("t-lives"), "TrainingJobStatus"), S("Completed"));
}

static int setup(UNUSED void **state)
{
	return cloud_setup("aws");
}

#define TEST(f) cmocka_unit_test_teardown(f, cloud_test_end)

int main(int argc, char **argv)
{
	int role = aws_test_role(argc, argv);
	if (role >= 0)
		return role;
	const struct CMUnitTest tests[] = {TEST(test_completes), TEST(test_logs), TEST(test_fails),
		TEST(test_stopped_and_deleted), TEST(test_overdue), TEST(test_lists), TEST(test_tags),
		TEST(test_processing), TEST(test_refused), TEST(test_signatures), TEST(test_survives)};
	return cmocka_run_group_tests(tests, setup, cloud_teardown);
}
