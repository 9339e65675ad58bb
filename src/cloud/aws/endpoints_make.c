// SPDX-License-Identifier: Apache-2.0
// What an endpoint of SageMaker is made of, generation by generation: see endpoints.h.
#include "cloud/aws/endpoints_impl.h"
#include "cloud/aws/shapes.h"
#include "cloud/endpoint_package.h"
#include "cloud/job_package.h"
#include "cloud/store_variable.h"

enum { ENDPOINT_NAME_MAX = 50, GENERATION_HEX = 10, VARIABLE_MAX = 1024, START_TIMEOUT_S = 300 };

// ---------------------------------------------------------------- names
int aws_endpoint_names(struct call *c, const struct aws_services *s, struct str name, struct str generation,
	struct aws_endpoint_names *out)
{
	char hex[HEX_SHA256_SIZE];
	struct str address = arena_printf(c->arena, "endpoint/%.*s", STR(name));
	struct sha256 digest = sha256_of(generation);
	hex_encode(str_bytes(digest.bytes, SHA256_SIZE), hex);
	out->endpoint = job_provider_name(c->arena, s->config.workspace, address, 1, ENDPOINT_NAME_MAX);
	out->generation = arena_printf(c->arena, "%.*s-%.*s", STR(out->endpoint), GENERATION_HEX, hex);
	return address.p && out->endpoint.n && out->generation.p ? 0 : call_no_memory(c);
}

// A generation is the name of a variant.
static int check_generation(struct call *c, const struct endpoint_spec *spec)
{
	struct str g = spec->generation;
	bool good = g.n && g.n <= AWS_NAME_MAX && g.p[0] != '-' && g.p[g.n - 1] != '-';
	for (size_t i = 0; i < g.n; i++) {
		char ch = g.p[i];
		good &= (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') || ch == '-';
	}
	return good ? 0
		    : call_fail(c, ERR_INVALID, "the generation \"%.*s\" cannot be the name of a variant",
			      STR(str_clip(g, 100)));
}

static struct str address_of(struct call *c, const struct endpoint_spec *spec)
{
	return arena_printf(c->arena, "endpoint/%.*s", STR(spec->name));
}

static json_t *tags_of(struct call *c, const struct aws_services *s, const struct endpoint_spec *spec)
{
	return aws_sagemaker_tags(c->arena, s->config.workspace, address_of(c, spec));
}

// What was made before by the same name is the same: names follow from what they hold.
static int there_is_fine(struct call *c, int r)
{
	if (r != ERR_EXISTS)
		return r;
	err_clear(&c->err);
	return 0;
}

// ---------------------------------------------------------------- model, configuration, endpoint
static int create_model(struct call *c, struct aws_services *s, const struct endpoint_spec *spec,
	const struct aws_endpoint_names *names)
{
	AUTO(json) request = json_object();
	json_t *container = json_object(), *environment = json_object();
	struct endpoint_package package = {0};
	json_set_str(request, "ModelName", names->generation);
	json_set_str(request, "ExecutionRoleArn", s->config.job_role);
	json_object_set_new(request, "Tags", tags_of(c, s, spec));
	json_object_set_new(request, "PrimaryContainer", container);
	json_set_str(container, "Image", s->config.image);
	json_object_set_new(container, "Environment", environment);
	if (endpoint_package_make(c, s->self, &s->config, spec, &package) ||
		store_variable_split(environment, package.store, VARIABLE_MAX, &c->err))
		return c->err.code;
	json_set_str(environment, ENDPOINT_VARIABLE, package.url);
	return there_is_fine(c, aws_sagemaker_call(c, s, AWS_CREATE_MODEL, request, NULL));
}

static int shape_of(struct call *c, const struct endpoint_spec *spec, const struct aws_shape **out)
{
	*out = aws_shape_for(spec->cpu, spec->memory);
	if (*out)
		return 0;
	return call_fail(c, ERR_LIMIT, "a replica asks for %g cores and %llu bytes of memory; the largest machine that is "
				       "chosen for endpoints is %s",
		spec->cpu, (unsigned long long)spec->memory, aws_shape_largest()->instance);
}

static int create_config(struct call *c, struct aws_services *s, const struct endpoint_spec *spec,
	const struct aws_endpoint_names *names)
{
	AUTO(json) request = json_object();
	json_t *variant = json_object(), *variants = json_array();
	const struct aws_shape *shape = NULL;
	json_array_append_new(variants, variant);
	json_object_set_new(request, "ProductionVariants", variants);
	if (shape_of(c, spec, &shape))
		return c->err.code;
	json_set_str(request, "EndpointConfigName", names->generation);
	json_object_set_new(request, "Tags", tags_of(c, s, spec));
	json_set_str(variant, "VariantName", spec->generation);
	json_set_str(variant, "ModelName", names->generation);
	json_object_set_new(variant, "InitialInstanceCount", json_integer(spec->replicas));
	json_object_set_new(variant, "InstanceType", json_string(shape->instance));
	json_object_set_new(variant, "InitialVariantWeight", json_real(1));
	json_object_set_new(variant, "ContainerStartupHealthCheckTimeoutInSeconds", json_integer(START_TIMEOUT_S));
	return there_is_fine(c, aws_sagemaker_call(c, s, AWS_CREATE_ENDPOINT_CONFIG, request, NULL));
}

int aws_endpoint_prepare(struct call *c, struct aws_services *s, const struct endpoint_spec *spec,
	const struct aws_endpoint_names *names)
{
	const char *missing = !s->config.job_role.n ? "role for its endpoints" : !s->config.image.n ? "image" : NULL;
	if (missing)
		return call_fail(c, ERR_INVALID, "cloud/%.*s has no %s", STR(s->config.name), missing);
	if (spec->replicas < 1)
		return call_fail(c, ERR_INVALID, "an endpoint of SageMaker has 1 replica or more, not %lld",
			(long long)spec->replicas);
	if (check_generation(c, spec) || create_model(c, s, spec, names))
		return c->err.code;
	return create_config(c, s, spec, names);
}

int aws_endpoint_create(struct call *c, struct aws_services *s, const struct endpoint_spec *spec,
	const struct aws_endpoint_names *names)
{
	AUTO(json) request = json_object();
	json_set_str(request, "EndpointName", names->endpoint);
	json_set_str(request, "EndpointConfigName", names->generation);
	json_object_set_new(request, "Tags", tags_of(c, s, spec));
	return there_is_fine(c, aws_sagemaker_call(c, s, AWS_CREATE_ENDPOINT, request, NULL));
}

// ---------------------------------------------------------------- what is left of older generations
struct kind {
	enum aws_call list, delete;
	const char *members, *name;
};

static int delete_one(struct call *c, struct aws_services *s, const struct kind *k, struct str name)
{
	const struct aws_named named = {k->name, name};
	int r = aws_sagemaker_named(c, s, k->delete, &named, NULL);
	if (r != ERR_NOT_FOUND)
		return r;
	err_clear(&c->err);
	return 0;
}

// A token names the last entry of its page, so that deleting moves nothing.
static int tidy_kind(struct call *c, struct aws_services *s, const struct kind *k, const struct aws_endpoint_names *n)
{
	struct str token = S("");
	size_t i;
	do {
		AUTO(json) in = json_object();
		const json_t *out = NULL, *one;
		json_set_str(in, "NameContains", n->endpoint);
		json_object_set_new(in, "MaxResults", json_integer(AWS_PAGE));
		if (token.n)
			json_set_str(in, "NextToken", token);
		int r = aws_sagemaker_call(c, s, k->list, in, &out);
		json_array_foreach(json_object_get(out, k->members), i, one)
		{
			struct str name = json_str(one, k->name);
			bool ours = str_starts(name, n->endpoint) && !str_eq(name, n->generation);
			if (!r && ours)
				r = delete_one(c, s, k, name);
		}
		if (r)
			return r;
		token = json_str(out, "NextToken");
	} while (token.n);
	return 0;
}

int aws_endpoint_tidy(struct call *c, struct aws_services *s, struct str endpoint, struct str keep)
{
	static const struct kind kinds[] = {
		{AWS_LIST_ENDPOINT_CONFIGS, AWS_DELETE_ENDPOINT_CONFIG, "EndpointConfigs", "EndpointConfigName"},
		{AWS_LIST_MODELS, AWS_DELETE_MODEL, "Models", "ModelName"}};
	const struct aws_endpoint_names names = {.endpoint = endpoint, .generation = keep};
	int r = tidy_kind(c, s, &kinds[0], &names);
	return r ? r : tidy_kind(c, s, &kinds[1], &names);
}
