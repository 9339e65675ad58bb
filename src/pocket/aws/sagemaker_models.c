// SPDX-License-Identifier: Apache-2.0
// Models and endpoint configurations: documents that endpoints are made from. Words of refusals as SageMaker has them.
// Source: CreateModel, CreateEndpointConfig and the like (Amazon SageMaker API Reference).
#include "pocket/aws/sagemaker_impl.h"

#define MODEL_PATTERN "[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?"

static const struct aws_rule model_rules[] = {
	{"ModelName", AWS_TEXT, true, 1, 63, MODEL_PATTERN, NULL},
	{"ExecutionRoleArn", AWS_TEXT, true, 20, 2048, AWS_ROLE_PATTERN, NULL},
	{"PrimaryContainer", AWS_OBJECT, false, 0, 0, NULL, NULL},
	{"PrimaryContainer.Image", AWS_TEXT, false, 0, 255, "[^[:space:]]+", NULL},
	{"PrimaryContainer.ModelDataUrl", AWS_TEXT, false, 0, 1024, AWS_S3_PATTERN, NULL},
	{"PrimaryContainer.Environment", AWS_OBJECT, false, 0, 100, NULL, NULL},
	{"PrimaryContainer.Mode", AWS_TEXT, false, 0, 0, NULL, "SingleModel MultiModel"},
	{"Containers", AWS_LIST, false, 0, 15, NULL, NULL},
	{"Containers[].Image", AWS_TEXT, false, 0, 255, "[^[:space:]]+", NULL},
};

static const struct aws_rule config_rules[] = {
	{"EndpointConfigName", AWS_TEXT, true, 1, 63, AWS_NAME_PATTERN, NULL},
	{"ProductionVariants", AWS_LIST, true, 1, 10, NULL, NULL},
	{"ProductionVariants[].VariantName", AWS_TEXT, true, 1, 63, AWS_NAME_PATTERN, NULL},
	{"ProductionVariants[].ModelName", AWS_TEXT, true, 1, 63, MODEL_PATTERN, NULL},
	{"ProductionVariants[].InitialInstanceCount", AWS_WHOLE, true, 1, 0, NULL, NULL},
	{"ProductionVariants[].InstanceType", AWS_TEXT, true, 0, 0, "ml\\.[a-z0-9-]+\\.[a-z0-9]+", NULL},
	{"ProductionVariants[].InitialVariantWeight", AWS_NUMBER, false, 0, 0, NULL, NULL},
	{"ProductionVariants[].ContainerStartupHealthCheckTimeoutInSeconds", AWS_WHOLE, false, 60, 3600, NULL, NULL},
	{"ProductionVariants[].ModelDataDownloadTimeoutInSeconds", AWS_WHOLE, false, 60, 3600, NULL, NULL},
};

static int find(struct front_request *r, const json_t *in, enum sm_type type, const json_t **doc)
{
	const struct sm_kind *k = &sm_kinds[type];
	struct str name = json_str(in, k->name);
	const struct aws_rule rule = {k->name, AWS_TEXT, true, 1, 63, MODEL_PATTERN, NULL};
	int rc = aws_rules_check(r, in, &rule, 1);
	*doc = rc ? NULL : sm_find(r, type, name);
	if (rc || *doc)
		return rc;
	struct str arn = aws_arn(r, "sagemaker", arena_printf(r->arena, "%s/%.*s", k->resource, STR(name)));
	return aws_refuse(r, "ValidationException", "Could not find %s \"%.*s\".", k->what, STR(arn));
}

static int keep(struct front_request *r, const json_t *in, enum sm_type type, json_t **out)
{
	const struct sm_kind *k = &sm_kinds[type];
	struct str name = json_str(in, k->name);
	const json_t *there = sm_find(r, type, name);
	if (there)
		return aws_refuse(r, "ValidationException", "Cannot create already existing %s \"%s\".", k->what,
			json_text(there, "arn"));
	AUTO(json) doc = sm_doc_new(r, type, in);
	int rc = sm_put(r->pocket, type, sm_doc_name(r, name), doc, &r->err);
	if (rc < 0)
		return rc;
	*out = json_object();
	json_object_set(*out, k->arn, json_object_get(doc, "arn"));
	return 0;
}

static int describe(struct front_request *r, const json_t *in, enum sm_type type, json_t **out)
{
	const json_t *doc = NULL;
	int rc = find(r, in, type, &doc);
	if (rc < 0)
		return rc;
	*out = json_deep_copy(json_object_get(doc, "in"));
	json_object_del(*out, "Tags");
	json_object_set(*out, sm_kinds[type].arn, json_object_get(doc, "arn"));
	sm_set_time(*out, "CreationTime", doc, "created");
	return 0;
}

static int drop(struct front_request *r, const json_t *in, enum sm_type type)
{
	const json_t *doc = NULL;
	int rc = find(r, in, type, &doc);
	if (rc < 0)
		return rc;
	return docs_delete(
		r->pocket, sm_kinds[type].collection, sm_doc_name(r, json_str(in, sm_kinds[type].name)), &r->err);
}

// ---------------------------------------------------------------- models
int sm_create_model(struct front_request *r, const json_t *in, json_t **out)
{
	int rc = aws_rules_check(r, in, model_rules, COUNT_OF(model_rules));
	const json_t *container = json_object_get(in, "PrimaryContainer");
	if (rc == 0)
		rc = sm_check_tags(r, in);
	if (rc == 0 && !container && json_array_size(json_object_get(in, "Containers")) > 1)
		rc = aws_refuse(r, "ValidationException",
			"A pocket cloud runs models of one container: inference pipelines are not there");
	if (rc == 0 && !container)
		container = json_array_get(json_object_get(in, "Containers"), 0);
	if (rc == 0 && !json_str(container, "Image").n)
		rc = aws_refuse(r, "ValidationException",
			"Image must be specified: a pocket cloud has no model packages and no containers of its own");
	if (rc == 0 && (json_object_get(container, "ModelDataUrl") || json_object_get(container, "ModelDataSource")))
		rc = aws_refuse(r, "ValidationException",
			"A pocket cloud fetches no model data: the container finds its model by its Environment");
	if (rc == 0)
		rc = aws_authorise(r, "iam:PassRole", json_str(in, "ExecutionRoleArn"));
	return rc ? rc : keep(r, in, SM_MODEL, out);
}

int sm_describe_model(struct front_request *r, const json_t *in, json_t **out)
{
	return describe(r, in, SM_MODEL, out);
}

int sm_delete_model(struct front_request *r, const json_t *in, json_t **out)
{
	(void)out;
	return drop(r, in, SM_MODEL);
}

int sm_list_models(struct front_request *r, const json_t *in, json_t **out)
{
	return sm_list(r, in, SM_MODEL, out);
}

// ---------------------------------------------------------------- configurations
static int check_variants(struct front_request *r, const json_t *in)
{
	const json_t *variants = json_object_get(in, "ProductionVariants"), *one;
	size_t i;
	json_array_foreach(variants, i, one)
	{
		struct str model = json_str(one, "ModelName"), name = json_str(one, "VariantName");
		for (size_t j = 0; j < i; j++)
			if (str_eq(json_str(json_array_get(variants, j), "VariantName"), name))
				return aws_refuse(r, "ValidationException",
					"Duplicate variant name \"%.*s\" in the endpoint configuration.", STR(name));
		if (json_num(one, "InitialVariantWeight", 1) < 0)
			return aws_refuse(r, "ValidationException", "A variant's weight must not be negative.");
		if (!sm_find(r, SM_MODEL, model))
			return aws_refuse(r, "ValidationException", "Could not find model \"%.*s\".",
				STR(aws_arn(r, "sagemaker", arena_printf(r->arena, "model/%.*s", STR(model)))));
	}
	return 0;
}

int sm_create_config(struct front_request *r, const json_t *in, json_t **out)
{
	int rc = aws_rules_check(r, in, config_rules, COUNT_OF(config_rules));
	if (rc == 0)
		rc = sm_check_tags(r, in);
	if (rc == 0)
		rc = check_variants(r, in);
	return rc ? rc : keep(r, in, SM_CONFIG, out);
}

int sm_describe_config(struct front_request *r, const json_t *in, json_t **out)
{
	return describe(r, in, SM_CONFIG, out);
}

int sm_delete_config(struct front_request *r, const json_t *in, json_t **out)
{
	(void)out;
	return drop(r, in, SM_CONFIG);
}

int sm_list_configs(struct front_request *r, const json_t *in, json_t **out)
{
	return sm_list(r, in, SM_CONFIG, out);
}

// A model that is deleted later goes on answering: its document travels with the variant.
json_t *sm_variants_of(struct front_request *r, const json_t *config)
{
	const json_t *list = json_object_get(json_object_get(config, "in"), "ProductionVariants"), *one;
	json_t *variants = json_array();
	size_t i;
	json_array_foreach(list, i, one)
	{
		const json_t *model = sm_find(r, SM_MODEL, json_str(one, "ModelName"));
		json_t *v = json_object();
		json_array_append_new(variants, v);
		if (!model) {
			json_decref(variants);
			aws_refuse(r, "ValidationException", "Could not find model \"%s\".", json_text(one, "ModelName"));
			return NULL;
		}
		json_object_set(v, "name", json_object_get(one, "VariantName"));
		json_object_set(v, "region", json_object_get(config, "region"));
		json_object_set_new(v, "model", json_deep_copy(json_object_get(model, "in")));
		json_object_set(v, "instance", json_object_get(one, "InstanceType"));
		json_object_set_new(v, "weight", json_real(json_num(one, "InitialVariantWeight", 1)));
		json_object_set(v, "count", json_object_get(one, "InitialInstanceCount"));
		json_object_set_new(v, "timeout",
			json_integer(json_int(one, "ContainerStartupHealthCheckTimeoutInSeconds", 600)));
		json_object_set_new(v, "servers", json_array());
	}
	return variants;
}
