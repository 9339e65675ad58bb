// SPDX-License-Identifier: Apache-2.0
// Training and processing jobs as clients see them. What goes on with a job once it is made is sagemaker_run.c's. Words
// of refusals and of states as SageMaker has them.
#include <math.h>

#include "base/time.h"
#include "pocket/aws/logs.h"
#include "pocket/aws/sagemaker_impl.h"

#define STOP_GRACE_NS (120 * NS_PER_S) // from SIGTERM to SIGKILL

// ---------------------------------------------------------------- states
bool sm_job_ended(const json_t *doc)
{
	struct str status = json_str(doc, "status");
	return !str_eq(status, S("InProgress")) && !str_eq(status, S("Stopping"));
}

static const char *message_of(struct str secondary)
{
	static const char *const words[][2] = {{"Starting", "Preparing the instances for training"},
		{"Downloading", "Downloading input data"},
		{"Training", "Training image download completed. Training in progress."},
		{"Uploading", "Uploading generated training model"},
		{"Interrupted", "Training job interrupted: the spot instance was taken away"},
		{"Restarting", "Restarting the training job on another instance"},
		{"Stopping", "Stopping the training job"},
		{"Stopped", "Training job stopped"},
		{"Completed", "Training job completed"},
		{"Failed", "Training job failed"},
		{"MaxRuntimeExceeded", "Training job runtime exceeded MaxRuntimeInSeconds provided"},
		{"MaxWaitTimeExceeded", "Training job waited longer than MaxWaitTimeInSeconds provided"}};
	for (size_t i = 0; i < COUNT_OF(words); i++)
		if (str_is(secondary, words[i][0]))
			return words[i][1];
	return "";
}

void sm_job_enter(json_t *doc, const char *status, const char *secondary, int64_t now_ns)
{
	json_t *transitions = json_object_get(doc, "transitions"), *one = json_object();
	size_t n = json_array_size(transitions);
	if (str_is(json_str(doc, "secondary"), secondary) && n) {
		json_decref(one);
	} else {
		if (!transitions)
			json_object_set_new(doc, "transitions", transitions = json_array());
		if (n)
			json_object_set_new(json_array_get(transitions, n - 1), "EndTime", aws_time(now_ns));
		json_object_set_new(one, "Status", json_string(secondary));
		json_object_set_new(one, "StartTime", aws_time(now_ns));
		json_object_set_new(one, "StatusMessage", json_string(message_of(str_of(secondary))));
		json_array_append_new(transitions, one);
	}
	json_object_set_new(doc, "secondary", json_string(secondary));
	if (status)
		json_object_set_new(doc, "status", json_string(status));
	if (!sm_job_ended(doc)) // (only an end closes the last transition and the job's time)
		return;
	json_t *last = json_array_get(transitions, json_array_size(transitions) - 1);
	json_object_set_new(last, "EndTime", aws_time(now_ns));
	if (!json_int(doc, "ended", 0))
		json_object_set_new(doc, "ended", json_integer(now_ns));
}

// ---------------------------------------------------------------- create
static int refuse_taken(struct front_request *r, enum sm_type type, const json_t *there)
{
	bool trains = type == SM_TRAINING;
	return aws_refuse(r, "ResourceInUse",
		"%s job names must be unique within an AWS account and region, and a %s with this name already exists "
		"(%s)",
		trains ? "Training" : "Processing", sm_kinds[type].what, json_text(there, "arn"));
}

static int create(struct front_request *r, const json_t *in, enum sm_type type, json_t **out)
{
	const struct sm_kind *k = &sm_kinds[type];
	struct str name = json_str(in, k->name), doc_name = sm_doc_name(r, name);
	AUTO(json) doc = NULL;
	int rc = sm_check_job(r, in, type);
	if (rc == 0)
		rc = aws_authorise(r, "iam:PassRole", json_str(in, "RoleArn"));
	const json_t *there = rc ? NULL : sm_find(r, type, name);
	if (there)
		rc = refuse_taken(r, type, there);
	if (rc < 0)
		return rc;
	doc = sm_doc_new(r, type, in);
	json_object_set_new(doc, "attempt", json_integer(1));
	sm_job_enter(doc, "InProgress", "Starting", front_now_ns(r));
	rc = sm_put(r->pocket, type, doc_name, doc, &r->err);
	if (rc == 0)
		rc = sm_activate(r->service_state, type, doc_name, &r->err);
	if (rc < 0)
		return rc;
	*out = json_object();
	json_object_set(*out, k->arn, json_object_get(doc, "arn"));
	return 0;
}

int sm_create_training(struct front_request *r, const json_t *in, json_t **out)
{
	return create(r, in, SM_TRAINING, out);
}

int sm_create_processing(struct front_request *r, const json_t *in, json_t **out)
{
	return create(r, in, SM_PROCESSING, out);
}

// ---------------------------------------------------------------- describe
static int find(struct front_request *r, const json_t *in, enum sm_type type, const json_t **doc)
{
	const struct sm_kind *k = &sm_kinds[type];
	const struct aws_rule rule = {k->name, AWS_TEXT, true, 1, 63, AWS_NAME_PATTERN, NULL};
	int rc = aws_rules_check(r, in, &rule, 1);
	*doc = rc ? NULL : sm_find(r, type, json_str(in, k->name));
	if (rc || *doc)
		return rc;
	if (type == SM_TRAINING)
		return aws_refuse(r, "ValidationException", "Requested resource not found.");
	return aws_refuse(r, "ResourceNotFound", "Could not find requested job with name: %s", json_text(in, k->name));
}

// Times of the way on the machine, which is what is charged: spot or not, a pocket asks the same.
static void add_usage(json_t *out, const json_t *doc)
{
	int64_t started = json_int(doc, "started", 0), ended = json_int(doc, "ended", 0);
	if (!started || !ended)
		return;
	int64_t seconds = (int64_t)ceil((double)(ended - started) / 1e9);
	json_object_set_new(out, "TrainingTimeInSeconds", json_integer(MAX(seconds, 1)));
	json_object_set_new(out, "BillableTimeInSeconds", json_integer(MAX(seconds, 1)));
}

static json_t *describe(const json_t *doc, enum sm_type type)
{
	const struct sm_kind *k = &sm_kinds[type];
	json_t *out = json_deep_copy(json_object_get(doc, "in"));
	json_object_del(out, "Tags");
	json_object_set(out, k->arn, json_object_get(doc, "arn"));
	json_object_set(out, k->status, json_object_get(doc, "status"));
	sm_set_time(out, "CreationTime", doc, "created");
	sm_set_time(out, "LastModifiedTime", doc, "modified");
	sm_set_time(out, type == SM_TRAINING ? "TrainingStartTime" : "ProcessingStartTime", doc, "started");
	sm_set_time(out, k->ended, doc, "ended");
	if (json_str(doc, "failure").n)
		json_object_set(out, "FailureReason", json_object_get(doc, "failure"));
	return out;
}

int sm_describe_training(struct front_request *r, const json_t *in, json_t **out)
{
	const json_t *doc = NULL;
	int rc = find(r, in, SM_TRAINING, &doc);
	if (rc < 0)
		return rc;
	json_t *j = *out = describe(doc, SM_TRAINING), *artifacts = json_object();
	const json_t *output = json_object_get(json_object_get(doc, "in"), "OutputDataConfig");
	struct str path = json_str(output, "S3OutputPath");
	json_object_set(j, "SecondaryStatus", json_object_get(doc, "secondary"));
	json_object_set(j, "SecondaryStatusTransitions", json_object_get(doc, "transitions"));
	json_set_str(artifacts, "S3ModelArtifacts",
		arena_printf(r->arena, "%.*s%s%s/output/model%s", STR(path), str_ends(path, S("/")) ? "" : "/",
			json_text(doc, "name"),
			str_eq(json_str(output, "CompressionType"), S("NONE")) ? "/" : ".tar.gz"));
	json_object_set_new(j, "ModelArtifacts", artifacts);
	add_usage(j, doc);
	return 0;
}

int sm_describe_processing(struct front_request *r, const json_t *in, json_t **out)
{
	const json_t *doc = NULL;
	int rc = find(r, in, SM_PROCESSING, &doc);
	if (rc < 0)
		return rc;
	*out = describe(doc, SM_PROCESSING);
	if (json_str(doc, "message").n)
		json_object_set(*out, "ExitMessage", json_object_get(doc, "message"));
	return 0;
}

// ---------------------------------------------------------------- stop
static int stop(struct front_request *r, const json_t *in, enum sm_type type)
{
	const json_t *there = NULL;
	struct pocket *p = r->pocket;
	int rc = find(r, in, type, &there);
	if (rc < 0)
		return rc;
	if (sm_job_ended(there))
		return aws_refuse(r, "ValidationException", "The request was rejected because the %s is in status %s.",
			sm_kinds[type].what, json_text(there, "status"));
	struct str doc_name = sm_doc_name(r, json_str(there, "name"));
	struct str id = sm_engine_id(r->arena, type, doc_name, json_int(there, "attempt", 1));
	AUTO(json) doc = json_deep_copy(there);
	sm_job_enter(doc, "Stopping", "Stopping", front_now_ns(r));
	rc = sm_put(p, type, doc_name, doc, &r->err);
	if (rc == 0 && json_flag(doc, "begun", false))
		rc = engine_stop(p->engine, id, service_pace_ns(p, STOP_GRACE_NS), &r->err);
	return rc == ERR_NOT_FOUND ? 0 : rc;
}

int sm_stop_training(struct front_request *r, const json_t *in, json_t **out)
{
	(void)out;
	return stop(r, in, SM_TRAINING);
}

int sm_stop_processing(struct front_request *r, const json_t *in, json_t **out)
{
	(void)out;
	return stop(r, in, SM_PROCESSING);
}

// ---------------------------------------------------------------- delete
static int forget(struct front_request *r, enum sm_type type, const json_t *doc)
{
	struct str name = json_str(doc, "name"), doc_name = sm_doc_name(r, name);
	struct str group = type == SM_TRAINING ? S("/aws/sagemaker/TrainingJobs") : S("/aws/sagemaker/ProcessingJobs");
	int rc = aws_logs_forget(
		r->pocket, aws_region(r), group, arena_printf(r->arena, "%.*s/", STR(name)), &r->err);
	for (int64_t attempt = json_int(doc, "attempt", 1); rc == 0 && attempt > 0; attempt--) {
		rc = engine_remove(r->pocket->engine, sm_engine_id(r->arena, type, doc_name, attempt), &r->err);
		rc = rc == ERR_NOT_FOUND ? 0 : rc;
	}
	return rc ? rc : docs_delete(r->pocket, sm_kinds[type].collection, doc_name, &r->err);
}

static int delete(struct front_request *r, const json_t *in, enum sm_type type)
{
	const json_t *doc = NULL;
	int rc = find(r, in, type, &doc);
	if (rc < 0)
		return rc;
	if (!sm_job_ended(doc))
		return aws_refuse(r, "ResourceInUse", "The request was rejected because the %s is in status %s.",
			sm_kinds[type].what, json_text(doc, "status"));
	AUTO(json) copy = json_deep_copy(doc);
	return forget(r, type, copy);
}

int sm_delete_training(struct front_request *r, const json_t *in, json_t **out)
{
	(void)out;
	return delete (r, in, SM_TRAINING);
}

int sm_delete_processing(struct front_request *r, const json_t *in, json_t **out)
{
	(void)out;
	return delete (r, in, SM_PROCESSING);
}
