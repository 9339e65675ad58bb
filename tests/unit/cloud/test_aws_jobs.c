// SPDX-License-Identifier: Apache-2.0
// Jobs of AWS against a SageMaker of the test's own behind the transport: what is asked for, what is made of answers,
// and that nothing is doubled when answers are lost. The store is one in memory.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cloud/aws/jobs.h"
#include "cloud/aws/sagemaker.h"
#include "cloud/aws/shapes.h"
#include "cloud/job_package.h"
#include "cloud/store_variable.h"
#include "fixture.h"
#include "memory_cloud.h"

#define TRAIN S("train/classifier/0f3a/round-1/aws-us")
#define TRANSFORM S("transform/prepared/0f3a/aws-us")

struct lab {
	struct fixture f;
	struct memory_cloud memory;
	struct credential_source *credentials;
	struct aws_services *services;
	json_t *jobs; // of the fake: name -> description, with "kind"
	json_t *logs; // of the fake: stream -> list of messages
	int created, lose; // creations; answers that are lost from now on
	struct buf log;
};

static struct lab *lab;

// ---------------------------------------------------------------- the fake
static int answer(struct call *c, struct transport_response *out, int status, json_t *j)
{
	AUTO(buf) text = {0};
	assert_int_equal(json_write(j, &text, NULL), 0);
	*out = (struct transport_response){.status = status, .body = arena_str(c->arena, buf_str(&text))};
	json_decref(j);
	return 0;
}

static int refuse(struct call *c, struct transport_response *out, const char *code, const char *message)
{
	return answer(c, out, 400, json_pack("{s:s, s:s}", "__type", code, "message", message));
}

static const char *name_of(const json_t *in)
{
	const char *name = json_text(in, "TrainingJobName");
	return name[0] ? name : json_text(in, "ProcessingJobName");
}

static int fake_create(struct call *c, const json_t *in, bool trains, struct transport_response *out)
{
	const char *name = name_of(in);
	if (json_object_get(lab->jobs, name))
		return refuse(c, out, "ResourceInUse", "a job with this name already exists (arn)");
	json_t *job = json_deep_copy(in);
	json_object_set_new(job, trains ? "TrainingJobStatus" : "ProcessingJobStatus", json_string("InProgress"));
	json_object_set_new(job, "SecondaryStatus", json_string("Starting"));
	json_object_set_new(job, trains ? "TrainingJobArn" : "ProcessingJobArn", json_string("arn:aws:sagemaker:x"));
	json_object_set_new(lab->jobs, name, job);
	lab->created++;
	return answer(c, out, 200, json_object());
}

static int fake_list(struct call *c, const json_t *in, bool trains, struct transport_response *out)
{
	const char *member = trains ? "TrainingJobName" : "ProcessingJobName", *key;
	json_t *list = json_array(), *j = json_object(), *job;
	int64_t from = 0, n = 0;
	assert_int_equal(str_to_i64(json_str(in, "NextToken").n ? json_str(in, "NextToken") : S("0"), &from), 0);
	json_object_foreach(lab->jobs, key, job)
	{
		if (!json_object_get(job, member) || n++ < from)
			continue;
		if (!json_array_size(list)) // pages of one
			json_array_append_new(list, json_pack("{s:s}", member, key));
		else
			json_object_set_new(j, "NextToken", json_sprintf("%lld", (long long)from + 1));
	}
	json_object_set_new(j, trains ? "TrainingJobSummaries" : "ProcessingJobSummaries", list);
	return answer(c, out, 200, j);
}

static int fake_job(struct call *c, struct str operation, const json_t *in, struct transport_response *out)
{
	bool trains = str_find(operation, S("Training")) >= 0;
	json_t *job = json_object_get(lab->jobs, name_of(in));
	if (str_starts(operation, S("Create")))
		return fake_create(c, in, trains, out);
	if (str_starts(operation, S("List")))
		return fake_list(c, in, trains, out);
	if (!job)
		return refuse(c, out, "ValidationException", "Requested resource not found.");
	if (str_starts(operation, S("Describe")))
		return answer(c, out, 200, json_deep_copy(job));
	const char *status = trains ? "TrainingJobStatus" : "ProcessingJobStatus";
	bool ended = !str_eq(json_str(job, status), S("InProgress"));
	if (str_starts(operation, S("Stop"))) {
		if (ended)
			return refuse(c, out, "ValidationException",
				"The request was rejected because the training job is in status Completed.");
		json_object_set_new(job, status, json_string("Stopped"));
	} else {
		assert_true(str_starts(operation, S("Delete")));
		json_object_del(lab->jobs, name_of(in));
	}
	return answer(c, out, 200, json_object());
}

static int fake_streams(struct call *c, const json_t *in, struct transport_response *out)
{
	json_t *list, *stream;
	const char *key;
	if (!json_object_size(lab->logs))
		return refuse(c, out, "ResourceNotFoundException", "The specified log group does not exist.");
	list = json_array();
	json_object_foreach(lab->logs, key, stream)
	{
		if (str_starts(str_of(key), json_str(in, "logStreamNamePrefix")))
			json_array_append_new(list, json_pack("{s:s}", "logStreamName", key));
	}
	return answer(c, out, 200, json_pack("{s:o}", "logStreams", list));
}

static int fake_events(struct call *c, const json_t *in, struct transport_response *out)
{
	const json_t *stream = json_object_get(lab->logs, json_text(in, "logStreamName"));
	int64_t at = 0;
	struct str token = json_str(in, "nextToken");
	json_t *events = json_array();
	assert_true(json_flag(in, "startFromHead", false));
	if (token.n)
		assert_int_equal(str_to_i64(token, &at), 0);
	const json_t *message = json_array_get(stream, (size_t)at);
	if (message)
		json_array_append_new(events, json_pack("{s:O}", "message", message));
	at += message ? 1 : 0;
	return answer(c, out, 200,
		json_pack("{s:o, s:o}", "events", events, "nextForwardToken", json_sprintf("%lld", (long long)at)));
}

static int fake_perform(struct call *c, void *ctx, const struct transport_request *r, struct transport_response *out)
{
	struct str target = S(""), service, operation;
	AUTO(json) in = NULL;
	(void)ctx;
	for (size_t i = 0; i < r->header_count; i++)
		if (str_eq_nocase(r->headers[i].name, S("x-amz-target")))
			target = r->headers[i].value;
	str_cut(target, '.', &service, &operation);
	assert_int_equal(json_parse(r->body, &in, NULL), 0);
	int rc = str_eq(service, S("SageMaker"))		   ? fake_job(c, operation, in, out)
		 : str_eq(operation, S("DescribeLogStreams")) ? fake_streams(c, in, out)
							      : fake_events(c, in, out);
	if (!lab->lose)
		return rc;
	lab->lose--;
	call_fail(c, ERR_UNAVAILABLE, "the connection was cut");
	c->err.retryable = true;
	return ERR_UNAVAILABLE;
}

static int make_credentials(struct call *c, void *ctx, struct str audience, struct credential_made *out)
{
	(void)ctx, (void)audience;
	int rc = secret_set(&out->access_key, S("AKIATEST"), &c->err);
	return rc ? rc : secret_set(&out->secret_key, S("hush"), &c->err);
}

static void close_credentials(void *ctx)
{
	(void)ctx;
}

// ---------------------------------------------------------------- lab
static int setup(void **state)
{
	static const struct credential_ops ops = {.make = make_credentials, .close = close_credentials};
	struct err e = {0};
	lab = calloc(1, sizeof(*lab));
	fixture_open(&lab->f);
	memory_cloud_init(&lab->memory, "aws-us", "aws");
	memory_cloud_bucket(&lab->memory, "lake");
	lab->jobs = json_object();
	lab->logs = json_object();
	const struct cloud_config config = {.name = S("aws-us"),
		.provider = S("aws"),
		.region = S("us-east-1"),
		.store_url = S("http://127.0.0.1:4000"),
		.services_url = S("http://127.0.0.1:4000"),
		.workspace = S("fashion"),
		.image = S("isobar"),
		.job_role = S("arn:aws:iam::123456789012:role/isobar-jobs")};
	assert_int_equal(credential_source_new(&ops, NULL, &lab->credentials, &e), 0);
	const struct services_options options = {.config = &config,
		.transport = {.perform = fake_perform},
		.credentials = lab->credentials,
		.self = &lab->memory.cloud};
	assert_int_equal(aws_services_open(&options, &lab->services, &e), 0);
	*state = lab;
	return 0;
}

static int teardown(void **state)
{
	aws_services_close(lab->services);
	credential_source_free(lab->credentials);
	memory_cloud_free(&lab->memory);
	json_decref(lab->jobs);
	json_decref(lab->logs);
	buf_free(&lab->log);
	fixture_close(&lab->f);
	free(lab);
	(void)state;
	return 0;
}

static struct job_spec spec_of(struct str name)
{
	static const char *const argv[] = {"builtin/mlp", NULL};
	return (struct job_spec){.name = name,
		.argv = argv,
		.cpu = 1,
		.memory = 1 << 30,
		.deadline_ns = INT64_C(60000000000),
		.output = {.bucket = S("lake"), .prefix = S("out/")}};
}

static void ok(int rc)
{
	if (rc)
		fail_msg("%d: %s", rc, lab->f.call.err.message);
}

static void submit(struct str name)
{
	struct job_spec spec = spec_of(name);
	ok(aws_job_ops.submit(&lab->f.call, lab->services, &spec));
}

static struct job_status observe(struct str name)
{
	struct job_status status = {0};
	ok(aws_job_ops.observe(&lab->f.call, lab->services, name, &status));
	return status;
}

static json_t *only_job(void)
{
	assert_int_equal(json_object_size(lab->jobs), 1);
	return json_object_iter_value(json_object_iter(lab->jobs));
}

static void set(json_t *job, const char *member, const char *value)
{
	json_object_set_new(job, member, json_string(value));
}

// ---------------------------------------------------------------- tests
static void test_training_request(void **state)
{
	struct job_spec spec = spec_of(TRAIN);
	spec.spot = true;
	ok(aws_job_ops.submit(&lab->f.call, lab->services, &spec));
	const json_t *job = only_job(), *algorithm = json_object_get(job, "AlgorithmSpecification");
	const json_t *arguments = json_object_get(algorithm, "ContainerArguments");
	const json_t *stopping = json_object_get(job, "StoppingCondition");
	assert_true(str_starts(json_str(job, "TrainingJobName"), S("train-classifier-0f3a-round-1-aws-us-")));
	assert_true(str_eq(json_str(algorithm, "TrainingImage"), S("isobar")));
	assert_true(str_eq(json_value_str(json_array_get(arguments, 1)), S("--package")));
	assert_true(str_starts(json_value_str(json_array_get(arguments, 2)), S("s3://lake/.isobar/jobs/train+")));
	assert_true(json_flag(job, "EnableManagedSpotTraining", false));
	assert_int_equal(json_int(stopping, "MaxRuntimeInSeconds", 0), 360);
	assert_int_equal(json_int(stopping, "MaxWaitTimeInSeconds", 0), 3960);
	assert_true(str_eq(
		json_str(json_object_get(job, "ResourceConfig"), "InstanceType"), S("ml.m5.large")));
	const json_t *tag = json_array_get(json_object_get(job, "Tags"), 1);
	assert_true(str_eq(json_str(tag, "Key"), S("isobar-address")));
	assert_true(str_eq(json_str(tag, "Value"), TRAIN));
	(void)state;
}

static void test_processing_request(void **state)
{
	submit(TRANSFORM);
	const json_t *job = only_job(), *value;
	const char *key;
	assert_true(str_starts(json_str(job, "ProcessingJobName"), S("transform-prepared-0f3a-aws-us-")));
	AUTO(buf) store = {0};
	json_object_foreach(json_object_get(job, "Environment"), key, value)
	{
		assert_true(json_string_length(value) <= 256);
		buf_add(&store, json_value_str(value));
	}
	AUTO(json) config = NULL;
	assert_int_equal(json_parse(buf_str(&store), &config, NULL), 0);
	assert_true(str_eq(json_str(config, "name"), S("aws-us")));
	(void)state;
}

static void test_submitted_twice(void **state)
{
	submit(TRAIN);
	submit(TRAIN);
	assert_int_equal(lab->created, 1);
	json_object_clear(lab->jobs);
	lab->lose = 1; // made, and never told
	submit(TRAIN);
	assert_int_equal(lab->created, 2);
	assert_int_equal(json_object_size(lab->jobs), 1);
	(void)state;
}

static void test_anothers_name(void **state)
{
	struct job_spec spec = spec_of(TRAIN);
	submit(TRAIN);
	const json_t *algorithm = json_object_get(only_job(), "AlgorithmSpecification");
	json_array_clear(json_object_get(algorithm, "ContainerArguments"));
	assert_int_equal(aws_job_ops.submit(&lab->f.call, lab->services, &spec), ERR_CONFLICT);
	assert_int_equal(lab->created, 1);
	(void)state;
}

static void test_observe(void **state)
{
	struct job_status status;
	assert_int_equal(aws_job_ops.observe(&lab->f.call, lab->services, TRAIN, &status), ERR_NOT_FOUND);
	submit(TRAIN);
	json_t *job = only_job();
	assert_int_equal(observe(TRAIN).state, JOB_QUEUED);
	set(job, "SecondaryStatus", "Training");
	json_object_set_new(job, "TrainingStartTime", json_real(1000.5));
	status = observe(TRAIN);
	assert_int_equal(status.state, JOB_RUNNING);
	assert_int_equal(status.started_ns, INT64_C(1000500000000));
	json_object_set_new(job, "SecondaryStatusTransitions", json_pack("[{s:s}]", "Status", "Interrupted"));
	set(job, "SecondaryStatus", "Interrupted");
	status = observe(TRAIN);
	assert_int_equal(status.state, JOB_QUEUED); // it will be started again
	assert_int_equal(status.interrupted, 1);
	set(job, "TrainingJobStatus", "Failed");
	set(job, "FailureReason", "AlgorithmError: , exit code: 3");
	json_object_set_new(job, "BillableTimeInSeconds", json_integer(61));
	status = observe(TRAIN);
	assert_int_equal(status.state, JOB_FAILED);
	assert_int_equal(status.exit_code, 3);
	assert_float_equal(status.billed_s, 61, 0);
	assert_true(str_eq(status.id, S("arn:aws:sagemaker:x")));
	(void)state;
}

static void test_lost_and_again(void **state)
{
	submit(TRAIN);
	json_t *job = only_job();
	set(job, "TrainingJobStatus", "Failed");
	set(job, "FailureReason", "CapacityError: Unable to provision requested ML compute capacity.");
	assert_int_equal(observe(TRAIN).state, JOB_LOST);
	submit(TRAIN);
	assert_int_equal(json_object_size(lab->jobs), 2);
	assert_int_equal(observe(TRAIN).state, JOB_QUEUED);
	submit(TRAIN); // the second attempt is at work
	assert_int_equal(lab->created, 2);
	(void)state;
}

static void test_stop_and_remove(void **state)
{
	ok(aws_job_ops.stop(&lab->f.call, lab->services, TRAIN)); // absent is fine
	submit(TRAIN);
	assert_int_equal(aws_job_ops.remove(&lab->f.call, lab->services, TRAIN), ERR_IN_USE);
	ok(aws_job_ops.stop(&lab->f.call, lab->services, TRAIN));
	assert_int_equal(observe(TRAIN).state, JOB_STOPPED);
	ok(aws_job_ops.stop(&lab->f.call, lab->services, TRAIN));
	submit(TRAIN); // it does not start again
	assert_int_equal(lab->created, 1);
	assert_true(memory_cloud_count(&lab->memory, "lake", ".isobar/jobs/") > 0);
	ok(aws_job_ops.remove(&lab->f.call, lab->services, TRAIN));
	assert_int_equal(memory_cloud_count(&lab->memory, "lake", ".isobar/jobs/"), 0);
	assert_int_equal(json_object_size(lab->jobs), 0);
	ok(aws_job_ops.remove(&lab->f.call, lab->services, TRAIN));
	(void)state;
}

static void test_stopped_before_it_began(void **state)
{
	struct job_package package = {0};
	struct job_spec spec = spec_of(TRAIN);
	ok(job_package_put(&lab->f.call, &lab->memory.cloud, &lab->services->config, &spec, &package));
	ok(job_package_stop(&lab->f.call, &lab->memory.cloud, &package));
	submit(TRAIN);
	assert_int_equal(lab->created, 0);
	(void)state;
}

static void test_list(void **state)
{
	struct str *names;
	size_t count;
	submit(TRAIN);
	submit(TRANSFORM);
	submit(S("transform/prepared/ffff/aws-us"));
	json_object_set_new(lab->jobs, "not-ours", json_pack("{s:s}", "TrainingJobName", "not-ours"));
	ok(aws_job_ops.list(&lab->f.call, lab->services, S(""), &names, &count));
	assert_int_equal(count, 3);
	assert_true(str_eq(names[0], TRAIN));
	ok(aws_job_ops.list(&lab->f.call, lab->services, S("transform/prepared/0f3a"), &names, &count));
	assert_int_equal(count, 1);
	assert_true(str_eq(names[0], TRANSFORM));
	(void)state;
}

static int add_log(void *ctx, struct str data)
{
	buf_add(ctx, data);
	return 0;
}

static void test_logs(void **state)
{
	struct sink sink = {.ctx = &lab->log, .write = add_log};
	submit(TRAIN);
	ok(aws_job_ops.logs(&lab->f.call, lab->services, TRAIN, &sink));
	assert_int_equal(lab->log.n, 0); // nothing was written yet
	struct str name = json_str(only_job(), "TrainingJobName");
	char stream[100];
	snprintf(stream, sizeof(stream), "%.*s/algo-1-2", STR(name));
	json_object_set_new(lab->logs, stream, json_pack("[s]", "three"));
	snprintf(stream, sizeof(stream), "%.*s/algo-1-1", STR(name));
	json_object_set_new(lab->logs, stream, json_pack("[s, s]", "one", "two\n"));
	json_object_set_new(lab->logs, "another/algo-1-1", json_pack("[s]", "not ours"));
	ok(aws_job_ops.logs(&lab->f.call, lab->services, TRAIN, &sink));
	assert_string_equal(buf_cstr(&lab->log), "one\ntwo\nthree\n");
	(void)state;
}

static void test_refused(void **state)
{
	struct job_spec spec = spec_of(TRAIN);
	spec.memory = UINT64_C(1) << 50;
	assert_int_equal(aws_job_ops.submit(&lab->f.call, lab->services, &spec), ERR_LIMIT);
	spec.memory = 0;
	lab->services->config.job_role = S("");
	assert_int_equal(aws_job_ops.submit(&lab->f.call, lab->services, &spec), ERR_INVALID);
	assert_non_null(strstr(lab->f.call.err.message, "has no role for its jobs"));
	assert_int_equal(lab->created, 0);
	(void)state;
}

static void test_shapes(void **state)
{
	assert_string_equal(aws_shape_for(0.5, 1)->instance, "ml.m5.large");
	assert_string_equal(aws_shape_for(2.5, 1)->instance, "ml.m5.xlarge");
	assert_string_equal(aws_shape_for(1, UINT64_C(40) << 30)->instance, "ml.m5.4xlarge");
	assert_null(aws_shape_for(97, 1));
	assert_float_equal(aws_shape_largest()->cpu, 96, 0);
	(void)state;
}

static void test_store_variable(void **state)
{
	AUTO(json) environment = json_object();
	struct err e = {0};
	struct str joined;
	assert_int_equal(store_variable_split(environment, S("0123456789abcdef\xc3\xa9xyz"), 17, &e), 0);
	assert_true(str_eq(json_str(environment, "ISOBAR_STORE"), S("0123456789abcdef"))); // no half character
	assert_true(str_eq(json_str(environment, "ISOBAR_STORE_2"), S("\xc3\xa9xyz")));
	assert_int_equal(json_object_size(environment), 2);
	setenv("ISOBAR_STORE", "ab", 1);
	setenv("ISOBAR_STORE_2", "cd", 1);
	assert_int_equal(store_variable_join(&lab->f.arena, &joined, &e), 0);
	assert_true(str_eq(joined, S("abcd")));
	unsetenv("ISOBAR_STORE");
	assert_int_equal(store_variable_join(&lab->f.arena, &joined, &e), 0);
	assert_int_equal(joined.n, 0);
	unsetenv("ISOBAR_STORE_2");
	char *large = calloc(1, 20000);
	memset(large, 'x', 19999);
	assert_int_equal(store_variable_split(environment, str_of(large), 256, &e), ERR_LIMIT);
	free(large);
	(void)state;
}

static void test_meanings(void **state)
{
	const struct aws_named named = {"TrainingJobName", S("none")};
	assert_int_equal(aws_sagemaker_named(&lab->f.call, lab->services, AWS_DESCRIBE_TRAINING_JOB, &named, NULL),
		ERR_NOT_FOUND);
	AUTO(json) tags = aws_sagemaker_tags(&lab->f.arena, S("fashion"), S("a/b,c"));
	assert_true(str_eq(json_str(json_array_get(tags, 1), "Value"), S("a/b_c")));
	AUTO(json) in = json_pack("{s:s}", "TrainingJobName", "x");
	assert_int_equal(aws_sagemaker_call(&lab->f.call, lab->services, AWS_CREATE_TRAINING_JOB, in, NULL), 0);
	assert_int_equal(
		aws_sagemaker_call(&lab->f.call, lab->services, AWS_CREATE_TRAINING_JOB, in, NULL), ERR_EXISTS);
	(void)state;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {TEST(test_training_request), TEST(test_processing_request),
		TEST(test_submitted_twice), TEST(test_anothers_name), TEST(test_observe), TEST(test_lost_and_again),
		TEST(test_stop_and_remove), TEST(test_stopped_before_it_began), TEST(test_list), TEST(test_logs),
		TEST(test_refused), TEST(test_shapes), TEST(test_store_variable), TEST(test_meanings)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
