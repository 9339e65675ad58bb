// SPDX-License-Identifier: Apache-2.0
// Endpoints as clients see them. What goes on behind them is sagemaker_deploy.c's. Source: CreateEndpoint,
// UpdateEndpoint, UpdateEndpointWeightsAndCapacities, DescribeEndpoint, DeleteEndpoint (Amazon SageMaker API Reference).
#include "pocket/aws/sagemaker_impl.h"

enum { MAX_SERVERS = 20 }; // of an endpoint: a pocket is one machine

static const struct aws_rule rules[] = {
	{"EndpointName", AWS_TEXT, true, 1, 63, AWS_NAME_PATTERN, NULL},
	{"EndpointConfigName", AWS_TEXT, true, 1, 63, AWS_NAME_PATTERN, NULL},
};
static const struct aws_rule weight_rules[] = {
	{"EndpointName", AWS_TEXT, true, 1, 63, AWS_NAME_PATTERN, NULL},
	{"DesiredWeightsAndCapacities", AWS_LIST, true, 1, 0, NULL, NULL},
	{"DesiredWeightsAndCapacities[].VariantName", AWS_TEXT, true, 1, 63, AWS_NAME_PATTERN, NULL},
	{"DesiredWeightsAndCapacities[].DesiredWeight", AWS_NUMBER, false, 0, 0, NULL, NULL},
	{"DesiredWeightsAndCapacities[].DesiredInstanceCount", AWS_WHOLE, false, 0, 0, NULL, NULL},
};

// ---------------------------------------------------------------- shared
static struct str arn_of(struct front_request *r, const char *resource, struct str name)
{
	return aws_arn(r, "sagemaker", arena_printf(r->arena, "%s/%.*s", resource, STR(name)));
}

static int find(struct front_request *r, const json_t *in, const json_t **doc)
{
	struct str name = json_str(in, "EndpointName");
	int rc = aws_rules_check(r, in, rules, 1);
	*doc = rc ? NULL : sm_find(r, SM_ENDPOINT, name);
	if (rc || *doc)
		return rc;
	return aws_refuse(
		r, "ValidationException", "Could not find endpoint \"%.*s\".", STR(arn_of(r, "endpoint", name)));
}

static int find_config(struct front_request *r, const json_t *in, const json_t **doc)
{
	struct str name = json_str(in, "EndpointConfigName");
	*doc = sm_find(r, SM_CONFIG, name);
	if (*doc)
		return 0;
	return aws_refuse(r, "ValidationException", "Could not find endpoint configuration \"%.*s\".",
		STR(arn_of(r, "endpoint-config", name)));
}

// The caller may also use the configuration that it names.
static int may_use(struct front_request *r, const char *action, struct str config)
{
	return aws_authorise(r, action, arn_of(r, "endpoint-config", config));
}

static int check_servers(struct front_request *r, const json_t *variants)
{
	const json_t *one;
	int64_t count = 0;
	size_t i;
	json_array_foreach(variants, i, one) count += json_int(one, "count", 0);
	if (count <= MAX_SERVERS)
		return 0;
	return aws_refuse(r, "ResourceLimitExceeded",
		"The account-level service limit 'Number of instances for an endpoint' is %d Instances, with current "
		"utilization of 0 Instances and a request delta of %lld Instances. Please use AWS Service Quotas to request "
		"an increase for this quota.",
		MAX_SERVERS, (long long)count);
}

// Takes over variants.
static int begin_change(struct front_request *r, json_t *doc, const char *change, struct str config, json_t *variants)
{
	json_t *pending = json_object();
	struct str doc_name = sm_doc_name(r, json_str(doc, "name"));
	int rc = check_servers(r, variants);
	json_set_str(pending, "config", config);
	json_object_set_new(pending, "change", json_string(change));
	json_object_set_new(pending, "began", json_integer(front_now_ns(r)));
	json_object_set_new(pending, "variants", variants);
	json_object_set_new(doc, "pending", pending);
	if (rc == 0)
		rc = sm_put(r->pocket, SM_ENDPOINT, doc_name, doc, &r->err);
	return rc ? rc : sm_activate(r->service_state, SM_ENDPOINT, doc_name, &r->err);
}

static void answer_arn(const json_t *doc, json_t **out)
{
	*out = json_object();
	json_object_set(*out, "EndpointArn", json_object_get(doc, "arn"));
}

// ---------------------------------------------------------------- create, update
int sm_create_endpoint(struct front_request *r, const json_t *in, json_t **out)
{
	struct str name = json_str(in, "EndpointName"), config_name = json_str(in, "EndpointConfigName");
	const json_t *config = NULL;
	int rc = aws_rules_check(r, in, rules, COUNT_OF(rules));
	if (rc == 0)
		rc = sm_check_tags(r, in);
	if (rc == 0)
		rc = may_use(r, "sagemaker:CreateEndpoint", config_name);
	if (rc == 0 && sm_find(r, SM_ENDPOINT, name))
		rc = aws_refuse(r, "ValidationException", "Cannot create already existing endpoint \"%.*s\".",
			STR(arn_of(r, "endpoint", name)));
	if (rc == 0)
		rc = find_config(r, in, &config);
	json_t *variants = rc ? NULL : sm_variants_of(r, config);
	if (!variants)
		return rc ? rc : r->err.code;
	AUTO(json) doc = sm_doc_new(r, SM_ENDPOINT, in);
	json_object_set_new(doc, "status", json_string("Creating"));
	json_set_str(doc, "config", config_name);
	json_object_set_new(doc, "variants", json_array());
	rc = begin_change(r, doc, "create", config_name, variants);
	if (rc == 0)
		answer_arn(doc, out);
	return rc;
}

static int check_at_rest(struct front_request *r, const json_t *doc)
{
	struct str status = json_str(doc, "status");
	if (str_eq(status, S("InService")))
		return 0;
	if (str_eq(status, S("Failed")))
		return aws_refuse(r, "ValidationException", "Cannot update endpoint \"%s\" in status Failed.",
			json_text(doc, "arn"));
	return aws_refuse(r, "ValidationException", "Cannot update in-progress endpoint \"%s\".", json_text(doc, "arn"));
}

static json_t *variant_named(const json_t *variants, struct str name)
{
	for (size_t i = 0; i < json_array_size(variants); i++) {
		json_t *one = json_array_get(variants, i);
		if (str_eq(json_str(one, "name"), name))
			return one;
	}
	return NULL;
}

static void retain_properties(const json_t *old, json_t *variants)
{
	static const char *const kept[] = {"weight", "count"};
	json_t *one;
	size_t i;
	json_array_foreach(variants, i, one)
	{
		const json_t *before = variant_named(old, json_str(one, "name"));
		if (before)
			sm_copy(before, one, kept, COUNT_OF(kept));
	}
}

int sm_update_endpoint(struct front_request *r, const json_t *in, json_t **out)
{
	const json_t *there = NULL, *config = NULL;
	int rc = aws_rules_check(r, in, rules, COUNT_OF(rules));
	if (rc == 0)
		rc = may_use(r, "sagemaker:UpdateEndpoint", json_str(in, "EndpointConfigName"));
	if (rc == 0)
		rc = find(r, in, &there);
	if (rc == 0)
		rc = check_at_rest(r, there);
	if (rc == 0)
		rc = find_config(r, in, &config);
	json_t *variants = rc ? NULL : sm_variants_of(r, config);
	if (!variants)
		return rc ? rc : r->err.code;
	AUTO(json) doc = json_deep_copy(there);
	if (json_flag(in, "RetainAllVariantProperties", false))
		retain_properties(json_object_get(doc, "variants"), variants);
	json_object_set_new(doc, "status", json_string("Updating"));
	json_object_del(doc, "failure");
	rc = begin_change(r, doc, "update", json_str(in, "EndpointConfigName"), variants);
	if (rc == 0)
		answer_arn(doc, out);
	return rc;
}

static int change_weights(struct front_request *r, const json_t *in, json_t *variants)
{
	const json_t *one;
	size_t i;
	json_array_foreach(json_object_get(in, "DesiredWeightsAndCapacities"), i, one)
	{
		json_t *variant = variant_named(variants, json_str(one, "VariantName"));
		const json_t *weight = json_object_get(one, "DesiredWeight");
		json_t *count = json_object_get(one, "DesiredInstanceCount");
		if (!variant)
			return aws_refuse(r, "ValidationException", "Could not find variant \"%s\" of the endpoint.",
				json_text(one, "VariantName"));
		if (json_number_value(weight) < 0 || (count && json_integer_value(count) < 1))
			return aws_refuse(r, "ValidationException",
				"A variant's weight must not be negative, and it has 1 instance or more.");
		if (weight)
			json_object_set_new(variant, "weight", json_real(json_number_value(weight)));
		if (count)
			json_object_set(variant, "count", count);
	}
	return 0;
}

int sm_update_weights(struct front_request *r, const json_t *in, json_t **out)
{
	const json_t *there = NULL;
	int rc = aws_rules_check(r, in, weight_rules, COUNT_OF(weight_rules));
	if (rc == 0)
		rc = find(r, in, &there);
	if (rc == 0)
		rc = check_at_rest(r, there);
	if (rc < 0)
		return rc;
	AUTO(json) doc = json_deep_copy(there);
	json_t *variants = json_deep_copy(json_object_get(doc, "variants"));
	rc = change_weights(r, in, variants);
	if (rc < 0) {
		json_decref(variants);
		return rc;
	}
	json_object_set_new(doc, "status", json_string("Updating"));
	rc = begin_change(r, doc, "capacity", json_str(doc, "config"), variants);
	if (rc == 0)
		answer_arn(doc, out);
	return rc;
}

// ---------------------------------------------------------------- describe, delete
static json_t *summary_of(const json_t *variants, const json_t *wanted)
{
	json_t *list = json_array();
	const json_t *one;
	size_t i;
	json_array_foreach(variants, i, one)
	{
		const json_t *after = variant_named(wanted, json_str(one, "name"));
		const json_t *container = json_object_get(json_object_get(one, "model"), "PrimaryContainer");
		json_t *v = json_object();
		json_object_set(v, "VariantName", json_object_get(one, "name"));
		json_object_set(v, "CurrentWeight", json_object_get(one, "weight"));
		json_object_set(v, "DesiredWeight", json_object_get(after ? after : one, "weight"));
		json_object_set_new(v, "CurrentInstanceCount",
			json_integer((json_int_t)json_array_size(json_object_get(one, "servers"))));
		json_object_set(v, "DesiredInstanceCount", json_object_get(after ? after : one, "count"));
		json_object_set_new(v, "DeployedImages",
			json_pack("[{s:s, s:s}]", "SpecifiedImage", json_text(container, "Image"), "ResolvedImage",
				json_text(container, "Image")));
		json_array_append_new(list, v);
	}
	return list;
}

int sm_describe_endpoint(struct front_request *r, const json_t *in, json_t **out)
{
	const json_t *doc = NULL;
	int rc = find(r, in, &doc);
	if (rc < 0)
		return rc;
	const json_t *pending = json_object_get(doc, "pending"), *variants = json_object_get(doc, "variants");
	json_t *j = *out = json_object();
	json_object_set(j, "EndpointName", json_object_get(doc, "name"));
	json_object_set(j, "EndpointArn", json_object_get(doc, "arn"));
	json_object_set(j, "EndpointConfigName", json_object_get(doc, "config"));
	json_object_set(j, "EndpointStatus", json_object_get(doc, "status"));
	sm_set_time(j, "CreationTime", doc, "created");
	sm_set_time(j, "LastModifiedTime", doc, "modified");
	if (json_str(doc, "failure").n)
		json_object_set(j, "FailureReason", json_object_get(doc, "failure"));
	if (json_array_size(variants))
		json_object_set_new(j, "ProductionVariants",
			summary_of(variants, json_object_get(pending, "variants")));
	if (pending && !str_eq(json_str(pending, "change"), S("create"))) {
		json_t *p = json_object();
		json_object_set(p, "EndpointConfigName", json_object_get(pending, "config"));
		json_object_set_new(p, "ProductionVariants", summary_of(json_object_get(pending, "variants"), NULL));
		sm_set_time(p, "StartTime", pending, "began");
		json_object_set_new(j, "PendingDeploymentSummary", p);
	}
	return 0;
}

int sm_delete_endpoint(struct front_request *r, const json_t *in, json_t **out)
{
	const json_t *there = NULL;
	(void)out;
	int rc = find(r, in, &there);
	if (rc < 0)
		return rc;
	struct str status = json_str(there, "status");
	if (!str_eq(status, S("InService")) && !str_eq(status, S("Failed")))
		return aws_refuse(
			r, "ValidationException", "Cannot update in-progress endpoint \"%s\".", json_text(there, "arn"));
	AUTO(json) doc = json_deep_copy(there);
	struct str doc_name = sm_doc_name(r, json_str(doc, "name"));
	json_object_set_new(doc, "status", json_string("Deleting"));
	rc = sm_put(r->pocket, SM_ENDPOINT, doc_name, doc, &r->err);
	return rc ? rc : sm_activate(r->service_state, SM_ENDPOINT, doc_name, &r->err);
}

int sm_list_endpoints(struct front_request *r, const json_t *in, json_t **out)
{
	return sm_list(r, in, SM_ENDPOINT, out);
}
