// SPDX-License-Identifier: Apache-2.0
// The service, its table of operations, and its documents: see sagemaker.h.
#include "pocket/aws/sagemaker.h"

#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "pocket/aws/sagemaker_impl.h"

enum { SCAN = 100 };

const struct sm_kind sm_kinds[SM_TYPES] = {
	[SM_TRAINING] = {"training job", "sagemaker/training-jobs", "training-job", "TrainingJobName", "TrainingJobArn",
		"TrainingJobStatus", "TrainingJobSummaries", "TrainingEndTime", true, true, false},
	[SM_PROCESSING] = {"processing job", "sagemaker/processing-jobs", "processing-job", "ProcessingJobName",
		"ProcessingJobArn", "ProcessingJobStatus", "ProcessingJobSummaries", "ProcessingEndTime", false, true,
		false},
	[SM_MODEL] = {"model", "sagemaker/models", "model", "ModelName", "ModelArn", NULL, "Models", NULL, false, false,
		true},
	[SM_CONFIG] = {"endpoint configuration", "sagemaker/endpoint-configs", "endpoint-config", "EndpointConfigName",
		"EndpointConfigArn", NULL, "EndpointConfigs", NULL, false, false, true},
	[SM_ENDPOINT] = {"endpoint", "sagemaker/endpoints", "endpoint", "EndpointName", "EndpointArn", "EndpointStatus",
		"Endpoints", NULL, false, true, true},
};

// ---------------------------------------------------------------- documents
struct str sm_doc_name(const struct front_request *r, struct str name)
{
	return arena_printf(r->arena, "%.*s/%.*s", STR(aws_region(r)), STR(name));
}

const json_t *sm_find(struct front_request *r, enum sm_type type, struct str name)
{
	return name.n ? docs_get(r->pocket, sm_kinds[type].collection, sm_doc_name(r, name), NULL) : NULL;
}

json_t *sm_doc_new(struct front_request *r, enum sm_type type, const json_t *in)
{
	const struct sm_kind *k = &sm_kinds[type];
	struct str name = json_str(in, k->name);
	json_t *doc = json_object(), *tags = json_object_get(in, "Tags");
	int64_t now = front_now_ns(r);
	json_set_str(doc, "name", name);
	json_set_str(doc, "region", aws_region(r));
	json_set_str(doc, "account", aws_account(r));
	json_set_str(doc, "arn", aws_arn(r, "sagemaker", arena_printf(r->arena, "%s/%.*s", k->resource, STR(name))));
	json_object_set_new(doc, "created", json_integer(now));
	json_object_set_new(doc, "modified", json_integer(now));
	json_object_set_new(doc, "in", json_deep_copy(in));
	json_object_set_new(doc, "tags", tags ? json_deep_copy(tags) : json_array());
	return doc;
}

int sm_put(struct pocket *p, enum sm_type type, struct str doc_name, json_t *doc, struct err *e)
{
	json_object_set_new(doc, "modified", json_integer(p->edges->wall_ns(p->edges->ctx)));
	return docs_put(p, sm_kinds[type].collection, doc_name, doc, e);
}

void sm_copy(const json_t *from, json_t *to, const char *const *members, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		json_t *value = json_object_get(from, members[i]);
		if (value)
			json_object_set(to, members[i], value);
	}
}

void sm_set_time(json_t *out, const char *member, const json_t *doc, const char *from)
{
	int64_t ns = json_int(doc, from, 0);
	if (ns)
		json_object_set_new(out, member, aws_time(ns));
}

// ---------------------------------------------------------------- what is at work
int sm_activate(struct sagemaker *s, enum sm_type type, struct str doc_name, struct err *e)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->items[i].type == type && !s->items[i].over && str_is(doc_name, s->items[i].name))
			return 0;
	if (s->count == s->room) {
		size_t room = s->room ? 2 * s->room : 16;
		struct sm_active *items = realloc(s->items, room * sizeof(*items));
		if (!items)
			return err_set(e, ERR_NO_MEMORY, "out of memory");
		s->items = items;
		s->room = room;
	}
	char *name = strndup(doc_name.p, doc_name.n);
	if (!name)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	s->items[s->count++] = (struct sm_active){.type = type, .name = name};
	service_wake(s->pocket);
	return 0;
}

static bool is_at_work(enum sm_type type, const json_t *doc)
{
	if (type == SM_TRAINING || type == SM_PROCESSING)
		return !sm_job_ended(doc);
	return type == SM_ENDPOINT && sm_endpoint_at_work(doc);
}

static int find_work_of(struct sagemaker *s, enum sm_type type, struct err *e)
{
	struct docs_row rows[SCAN];
	struct docs_cursor from = {.collection = sm_kinds[type].collection};
	AUTO(buf) after = {0};
	size_t count = 0;
	bool more = true;
	while (more) {
		int rc = docs_list(s->pocket, &from, rows, SCAN, &count, &more);
		if (rc < 0)
			return err_set(e, rc, "the documents %s cannot be read", from.collection);
		for (size_t i = 0; rc == 0 && i < count; i++)
			rc = is_at_work(type, rows[i].doc) ? sm_activate(s, type, rows[i].name, e) : 0;
		if (rc < 0)
			return rc;
		buf_clear(&after);
		if (count)
			buf_add(&after, rows[count - 1].name);
		from.after = buf_str(&after);
	}
	return 0;
}

static void free_active(struct sm_active *active)
{
	sm_bringing_free(active->bringing);
	sm_taking_free(active->taking);
	free(active->name);
}

static void sagemaker_close(void *state)
{
	struct sagemaker *s = state;
	if (!s)
		return;
	for (size_t i = 0; i < s->count; i++)
		free_active(&s->items[i]);
	free(s->items);
	free(s);
}

static int sagemaker_open(struct pocket *p, void **state, struct err *e)
{
	struct sagemaker *s = calloc(1, sizeof(*s));
	int rc = s ? 0 : err_set(e, ERR_NO_MEMORY, "out of memory");
	if (rc)
		return rc;
	s->pocket = p;
	for (int type = 0; rc == 0 && type < SM_TYPES; type++)
		rc = find_work_of(s, (enum sm_type)type, e);
	if (rc < 0)
		sagemaker_close(s);
	else
		*state = s;
	return rc;
}

static bool step(struct sagemaker *s, struct sm_active *active)
{
	return active->type == SM_ENDPOINT ? sm_endpoint_step(s, active) : sm_job_step(s, active);
}

// What is begun while others go on is at the list's end, and has its turn at once.
static bool sagemaker_tick(void *state, int64_t now_ns)
{
	struct sagemaker *s = state;
	size_t kept = 0;
	(void)now_ns;
	for (size_t i = 0; i < s->count; i++)
		s->items[i].over = !step(s, &s->items[i]);
	for (size_t i = 0; i < s->count; i++) {
		if (!s->items[i].over) {
			s->items[kept++] = s->items[i];
			continue;
		}
		free_active(&s->items[i]);
	}
	s->count = kept;
	return kept > 0;
}

// ---------------------------------------------------------------- the table
static const struct aws_operation operations[] = {
	{"AddTags", "", "ResourceArn", sm_add_tags},
	{"CreateEndpoint", "endpoint", "EndpointName", sm_create_endpoint},
	{"CreateEndpointConfig", "endpoint-config", "EndpointConfigName", sm_create_config},
	{"CreateModel", "model", "ModelName", sm_create_model},
	{"CreateProcessingJob", "processing-job", "ProcessingJobName", sm_create_processing},
	{"CreateTrainingJob", "training-job", "TrainingJobName", sm_create_training},
	{"DeleteEndpoint", "endpoint", "EndpointName", sm_delete_endpoint},
	{"DeleteEndpointConfig", "endpoint-config", "EndpointConfigName", sm_delete_config},
	{"DeleteModel", "model", "ModelName", sm_delete_model},
	{"DeleteProcessingJob", "processing-job", "ProcessingJobName", sm_delete_processing},
	{"DeleteTags", "", "ResourceArn", sm_delete_tags},
	{"DeleteTrainingJob", "training-job", "TrainingJobName", sm_delete_training},
	{"DescribeEndpoint", "endpoint", "EndpointName", sm_describe_endpoint},
	{"DescribeEndpointConfig", "endpoint-config", "EndpointConfigName", sm_describe_config},
	{"DescribeModel", "model", "ModelName", sm_describe_model},
	{"DescribeProcessingJob", "processing-job", "ProcessingJobName", sm_describe_processing},
	{"DescribeTrainingJob", "training-job", "TrainingJobName", sm_describe_training},
	{"ListEndpointConfigs", NULL, NULL, sm_list_configs},
	{"ListEndpoints", NULL, NULL, sm_list_endpoints},
	{"ListModels", NULL, NULL, sm_list_models},
	{"ListProcessingJobs", NULL, NULL, sm_list_processing},
	{"ListTags", "", "ResourceArn", sm_list_tags},
	{"ListTrainingJobs", NULL, NULL, sm_list_training},
	{"StopProcessingJob", "processing-job", "ProcessingJobName", sm_stop_processing},
	{"StopTrainingJob", "training-job", "TrainingJobName", sm_stop_training},
	{"UpdateEndpoint", "endpoint", "EndpointName", sm_update_endpoint},
	{"UpdateEndpointWeightsAndCapacities", "endpoint", "EndpointName", sm_update_weights},
};
static const struct aws_api api = {
	.service = "sagemaker", .target = "SageMaker", .operations = operations, .count = COUNT_OF(operations)};

static bool sagemaker_matches(const struct front_request *r)
{
	return aws_api_matches(r, &api);
}

static void sagemaker_handle(struct front_request *r)
{
	aws_api_handle(r, &api);
}

const struct pocket_service aws_sagemaker_service = {
	.name = "sagemaker",
	.matches = sagemaker_matches,
	.handle = sagemaker_handle,
	.fail = aws_api_fail,
	.trouble = aws_api_trouble,
	.open = sagemaker_open,
	.close = sagemaker_close,
	.tick = sagemaker_tick,
};
