// SPDX-License-Identifier: Apache-2.0
// The jobs of a workspace as their API shows them. Source: "Azure Machine Learning REST API: Jobs". The client chooses the
// id: the same PUT again finds the job, and only what describes it may change.
#include <string.h>

#include "base/time.h"
#include "pocket/arm/ml_jobs_impl.h"

#define TYPE ARM_TYPE "/jobs"

bool ml_job_ended(struct str status)
{
	return str_eq(status, S("Completed")) || str_eq(status, S("Failed")) || str_eq(status, S("Canceled"));
}

// ---------------------------------------------------------------- telling

static void set_time(json_t *properties, const char *name, int64_t ns)
{
	char text[TIME_TEXT_SIZE];
	if (!ns)
		return;
	time_rfc3339(ns, 6, text);
	json_object_set_new(properties, name, json_string(text));
}

static void add_outputs(struct front_request *r, struct str name, json_t *properties)
{
	json_t *outputs = json_object_get(properties, "outputs"), *output;
	const char *key;
	if (!json_is_object(outputs)) {
		outputs = json_object();
		json_object_set_new(properties, "outputs", outputs);
	}
	json_object_foreach(outputs, key, output)
	{
		if (json_is_object(output) && !json_str(output, "uri").n)
			json_set_str(output, "uri",
				arena_printf(r->arena, "azureml://datastores/workspaceblobstore/paths/azureml/%.*s/%s/",
					STR(name), key));
	}
	json_t *artifacts = json_pack("{s:s, s:s}", "jobOutputType", "uri_folder", "mode", "ReadWriteMount");
	json_set_str(artifacts, "uri",
		arena_printf(r->arena, "azureml://datastores/workspaceartifactstore/paths/ExperimentRun/dcid.%.*s", STR(name)));
	json_object_set_new(outputs, "default", artifacts);
}

static json_t *tell(struct front_request *r, struct str name, const json_t *doc)
{
	json_t *j = arm_resource(arm_id(arm_state(r), r->arena, "jobs/%.*s", STR(name)), name, TYPE, doc);
	json_t *properties = json_object_get(j, "properties"), *own = json_object_get(properties, "properties");
	if (!json_is_object(own)) {
		own = json_object();
		json_object_set_new(properties, "properties", own);
	}
	set_time(own, "StartTimeUtc", json_int(doc, "started_ns", 0));
	set_time(own, "EndTimeUtc", json_int(doc, "ended_ns", 0));
	json_set_str(properties, "status", json_str(doc, "status"));
	if (!json_str(properties, "displayName").n)
		json_set_str(properties, "displayName", name);
	if (!json_str(properties, "experimentName").n)
		json_object_set_new(properties, "experimentName", json_string("Default"));
	json_object_set_new(properties, "services",
		json_pack("{s:{s:s, s:s}}", "Tracking", "jobServiceType", "Tracking", "endpoint",
			arm_state(r)->origin.p));
	add_outputs(r, name, properties);
	return j;
}

void ml_get_job(struct front_request *r)
{
	struct str name = arm_name(r, 0);
	const json_t *doc = docs_get(r->pocket, ML_JOBS, name, NULL);
	if (doc) {
		arm_reply(r, 200, tell(r, name, doc));
		return;
	}
	arm_refuse(r, 404, "UserError", "Requested job %.*s was not found in workspace %.*s.", STR(str_clip(name, 260)),
		STR(arm_state(r)->workspace));
	arm_fail(r);
}

// tag: "NAME=VALUE" or "NAME".
static bool has_tag(const json_t *doc, struct str wanted)
{
	struct str name, value;
	bool valued = str_cut(wanted, '=', &name, &value);
	const char *key;
	json_t *tag;
	json_object_foreach(json_object_get((json_t *)(uintptr_t)arm_properties_of(doc), "tags"), key, tag)
	{
		if (str_eq(name, str_of(key)) && (!valued || str_eq(value, json_value_str(tag))))
			return true;
	}
	return false;
}

static bool takes(struct front_request *r, struct str name, const json_t *doc)
{
	struct str view = front_query(r, "listViewType"), type = front_query(r, "jobType"), tag = front_query(r, "tag");
	bool archived = json_flag(arm_properties_of(doc), "isArchived", false);
	(void)name;
	if (type.n && !str_eq_nocase(type, arm_text(doc, "jobType")))
		return false;
	if (tag.n && !has_tag(doc, tag))
		return false;
	return str_eq(view, S("All")) || archived == str_eq(view, S("ArchivedOnly"));
}

void ml_list_jobs(struct front_request *r)
{
	arm_reply_list(r, &(struct arm_list){.collection = ML_JOBS, .takes = takes, .tell = tell});
}

// ---------------------------------------------------------------- making

static int check_inputs(struct front_request *r, const json_t *properties)
{
	const char *name;
	json_t *input;
	json_object_foreach(json_object_get((json_t *)(uintptr_t)properties, "inputs"), name, input)
	{
		struct str type = json_str(input, "jobInputType"), uri = json_str(input, "uri");
		struct ml_place place;
		if (str_eq(type, S("literal")))
			continue;
		if (!str_eq(type, S("uri_folder")) && !str_eq(type, S("uri_file")))
			return arm_user_error(r, "The input %s is of type '%.*s': a pocket cloud has uri_folder, uri_file and "
						 "literal.",
				name, STR(str_clip(type, 40)));
		if (ml_place_of(arm_state(r), r->arena, uri, &place, &r->err) < 0)
			return arm_user_error(r, "The input %s: %s.", name,
				arena_printf(r->arena, "%s", r->err.message).p);
	}
	return 0;
}

static int check_command(struct front_request *r, const json_t *properties)
{
	struct arm_state *s = arm_state(r);
	struct str command = json_str(properties, "command"), environment = json_str(properties, "environmentId");
	struct str timeout = json_str(json_object_get(properties, "limits"), "timeout");
	int64_t ns = 0;
	if (!str_eq(json_str(properties, "jobType"), S("Command")))
		return arm_user_error(r, "A pocket cloud runs jobs of type Command, not '%.*s'.",
			STR(str_clip(json_str(properties, "jobType"), 40)));
	if (!command.n || !environment.n)
		return arm_user_error(r, "The %s of a command job is required.", command.n ? "environmentId" : "command");
	if (!str_starts(environment, S("azureml://registries/")) && !ml_asset_find(s, "environments", environment))
		return arm_user_error(r, "The environment %.*s is not found in workspace %.*s.",
			STR(str_clip(environment, 300)), STR(s->workspace));
	if (!ml_compute_exists(s, json_str(properties, "computeId")))
		return arm_user_error(r, "The specified compute %.*s does not exist.",
			STR(str_clip(json_str(properties, "computeId"), 300)));
	if (json_str(properties, "codeId").n && !ml_asset_find(s, "codes", json_str(properties, "codeId")))
		return arm_user_error(r, "The code %.*s is not found.", STR(str_clip(json_str(properties, "codeId"), 300)));
	if (timeout.n && arm_duration(timeout, &ns) < 0)
		return arm_user_error(r, "The timeout '%.*s' is no ISO 8601 duration.", STR(str_clip(timeout, 40)));
	if (json_int(json_object_get(properties, "resources"), "instanceCount", 1) != 1)
		return arm_user_error(r, "A pocket cloud runs a job on one machine.");
	return check_inputs(r, properties);
}

static int create(struct front_request *r, struct str name)
{
	const json_t *properties = json_object_get(arm_request(r)->body, "properties");
	int rc = arm_check_name(r, "job", name);
	if (rc == 0)
		rc = check_command(r, properties);
	if (rc < 0)
		return rc;
	AUTO(json) doc = arm_document(r, NULL, arm_request(r)->body);
	json_object_set_new(doc, "status", json_string("Starting"));
	json_object_set_new(doc, "since_ns", json_integer(front_now_ns(r)));
	json_object_set_new(doc, "runs", json_integer(1));
	rc = doc ? docs_put(r->pocket, ML_JOBS, name, doc, &r->err) : err_set(&r->err, ERR_NO_MEMORY, "out of memory");
	return rc < 0 ? rc : ml_job_begin(arm_state(r), name, &r->err);
}

// What describes a job may change; what it runs may not.
static int update(struct front_request *r, struct str name, const json_t *before)
{
	static const char *const describes[] = {"description", "tags", "displayName", "properties", "isArchived"};
	const json_t *old = arm_properties_of(before), *sent = json_object_get(arm_request(r)->body, "properties");
	AUTO(json) doc = arm_document(r, before, arm_request(r)->body);
	AUTO(json) kept = json_deep_copy(old);
	const char *key;
	json_t *value;
	json_object_foreach((json_t *)(uintptr_t)sent, key, value)
	{
		bool free_to = strcmp(key, "status") == 0 || strcmp(key, "services") == 0 || strcmp(key, "outputs") == 0;
		for (size_t i = 0; i < COUNT_OF(describes); i++)
			free_to = free_to || strcmp(key, describes[i]) == 0;
		if (!free_to && !json_is_null(value) && !json_equal(value, json_object_get(old, key)) &&
			json_object_get(old, key))
			return arm_user_error(r,
				"A job with this name already exists. If you are trying to create a new job, use a different "
				"name. If you are trying to update an existing job, the existing job's %s cannot be changed. "
				"Only description, tags, displayName, properties, and isArchived can be updated.",
				key);
	}
	for (size_t i = 0; i < COUNT_OF(describes); i++)
		if ((value = json_object_get(sent, describes[i])) && !json_is_null(value))
			json_object_set(kept, describes[i], value);
	json_object_set(json_object_get(doc, "resource"), "properties", kept);
	return doc && kept ? docs_put(r->pocket, ML_JOBS, name, doc, &r->err)
			   : err_set(&r->err, ERR_NO_MEMORY, "out of memory");
}

void ml_put_job(struct front_request *r)
{
	struct str name = arm_name(r, 0);
	const json_t *before = docs_get(r->pocket, ML_JOBS, name, NULL);
	bool made = !before;
	int rc = made ? create(r, name) : update(r, name, before);
	if (rc < 0)
		arm_fail(r);
	else
		arm_reply(r, made ? 201 : 200, tell(r, name, docs_get(r->pocket, ML_JOBS, name, NULL)));
}

// ---------------------------------------------------------------- ending

static const json_t *find(struct front_request *r)
{
	const json_t *doc = docs_get(r->pocket, ML_JOBS, arm_name(r, 0), NULL);
	if (!doc)
		arm_refuse(r, 404, "UserError", "Requested job %.*s was not found in workspace %.*s.",
			STR(str_clip(arm_name(r, 0), 260)), STR(arm_state(r)->workspace));
	return doc;
}

void ml_cancel_job(struct front_request *r)
{
	struct str name = arm_name(r, 0), operation = S("");
	const json_t *doc = find(r);
	int rc = doc ? 0 : ERR_NOT_FOUND;
	struct str status = json_str(doc, "status");
	if (doc && ml_job_ended(status))
		rc = arm_user_error(r, "The job %.*s is in state %.*s and can no longer be canceled.",
			STR(str_clip(name, 260)), STR(status));
	if (rc == 0)
		rc = arm_operation_begin(r, arm_request(r)->scope, ARM_TOLD_BOTH, &operation);
	if (rc == 0 && str_eq(status, S("CancelRequested")))
		arm_operation_end(arm_state(r), operation, "Succeeded", S(""));
	else if (rc == 0)
		rc = ml_job_update(arm_state(r), name,
			json_pack("{s:s, s:I, s:s#}", "status", "CancelRequested", "since_ns",
				(json_int_t)front_now_ns(r), "operation", operation.p, (int)operation.n),
			&r->err);
	if (rc < 0)
		arm_fail(r);
	else
		front_reply(r, 202, S(""));
}

void ml_delete_job(struct front_request *r)
{
	struct arm_state *s = arm_state(r);
	struct str name = arm_name(r, 0), operation = S("");
	const json_t *doc = docs_get(r->pocket, ML_JOBS, name, NULL);
	int rc = 0;
	if (!doc) {
		front_reply(r, 204, S(""));
		return;
	}
	if (!ml_job_ended(json_str(doc, "status")))
		rc = arm_user_error(r, "The job %.*s is in state %.*s: only a job that has ended can be deleted.",
			STR(str_clip(name, 260)), STR(json_str(doc, "status")));
	if (rc == 0)
		rc = arm_operation_begin(r, arm_request(r)->scope, ARM_TOLD_BOTH, &operation);
	if (rc == 0)
		rc = docs_delete(r->pocket, ML_JOBS, name, &r->err);
	if (rc < 0) {
		arm_fail(r);
		return;
	}
	arm_operation_end(s, operation, "Succeeded", S(""));
	front_reply(r, 202, S(""));
}
