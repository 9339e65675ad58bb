// SPDX-License-Identifier: Apache-2.0
// Endpoints of AWS against a SageMaker of the test's own behind the transport, which grows one step a look: what is
// made for a generation, what is waited for, and what is done when an update fails or an answer is lost.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cloud/aws/endpoints.h"
#include "fixture.h"
#include "memory_cloud.h"

struct lab {
	struct fixture f;
	struct memory_cloud memory;
	struct credential_source *credentials;
	struct aws_services *services;
	json_t *things; // of the fake: name -> description, with "of": the member that names it
	int busy;       // looks until a change is over
	bool breaks;    // the next update is rolled back
	int lose;       // answers to calls that change something that are lost
	int created, updated;
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

static int refuse(struct call *c, struct transport_response *out, const char *message)
{
	return answer(c, out, 400, json_pack("{s:s, s:s}", "__type", "ValidationException", "message", message));
}

static const char *member_of(struct str operation)
{
	return str_find(operation, S("EndpointConfig")) >= 0 ? "EndpointConfigName"
	       : str_find(operation, S("Model")) >= 0	     ? "ModelName"
							     : "EndpointName";
}

static const char *key_of(const char *member, const char *name)
{
	return arena_printf(&lab->f.arena, "%s/%s", member, name).p;
}

static json_t *variants_of(const json_t *config)
{
	const json_t *one = json_array_get(json_object_get(config, "ProductionVariants"), 0);
	return json_pack("[{s:s, s:i, s:O}]", "VariantName", json_text(one, "VariantName"), "DesiredWeight", 1,
		"DesiredInstanceCount", json_object_get(one, "InitialInstanceCount"));
}

static void take_step(json_t *e)
{
	struct str status = json_str(e, "EndpointStatus");
	const char *config = json_text(e, "next");
	bool changes = str_eq(status, S("Creating")) || str_eq(status, S("Updating"));
	if (!changes || lab->busy-- > 0)
		return;
	json_object_set_new(e, "EndpointStatus", json_string("InService"));
	if (lab->breaks) {
		json_object_set_new(e, "FailureReason", json_string("did not pass the ping health check"));
		lab->breaks = false;
		return;
	}
	json_object_set_new(e, "EndpointConfigName", json_string(config));
	json_object_set_new(e, "ProductionVariants", variants_of(json_object_get(lab->things, key_of("EndpointConfigName", config))));
}

static int fake_create(struct call *c, struct str operation, const json_t *in, struct transport_response *out)
{
	const char *member = member_of(operation), *name = json_text(in, member);
	if (json_object_get(lab->things, key_of(member, name)))
		return refuse(c, out, "Cannot create already existing thing \"arn\".");
	json_t *thing = json_deep_copy(in);
	json_object_set_new(thing, "of", json_string(member));
	if (strcmp(member, "EndpointName") == 0) {
		json_object_set_new(thing, "EndpointStatus", json_string("Creating"));
		json_object_set(thing, "next", json_object_get(in, "EndpointConfigName"));
		json_object_set_new(thing, "EndpointArn", json_sprintf("arn:EndpointName/%s", name));
		lab->created++;
	}
	json_object_set_new(lab->things, key_of(member, name), thing);
	return answer(c, out, 200, json_object());
}

static int fake_list(struct call *c, struct str operation, const json_t *in, struct transport_response *out)
{
	const char *member = member_of(operation), *key;
	json_t *list = json_array(), *thing;
	json_object_foreach(lab->things, key, thing)
	{
		if (str_eq(json_str(thing, "of"), str_of(member)) &&
			str_find(str_of(key), json_str(in, "NameContains")) >= 0)
			json_array_append(list, thing);
	}
	return answer(c, out, 200,
		json_pack("{s:o}",
			str_eq(operation, S("ListModels"))	      ? "Models"
			: str_eq(operation, S("ListEndpointConfigs")) ? "EndpointConfigs"
								      : "Endpoints",
			list));
}

static int fake_update(struct call *c, struct str operation, json_t *e, const json_t *in, struct transport_response *out)
{
	if (!str_eq(json_str(e, "EndpointStatus"), S("InService")))
		return refuse(c, out, "Cannot update in-progress endpoint \"arn\".");
	lab->updated++;
	json_object_set_new(e, "EndpointStatus", json_string("Updating"));
	if (str_eq(operation, S("UpdateEndpoint")))
		json_object_set(e, "next", json_object_get(in, "EndpointConfigName"));
	return answer(c, out, 200, json_object());
}

static int fake_thing(struct call *c, struct str operation, const json_t *in, struct transport_response *out)
{
	const char *member = member_of(operation), *name = key_of(member, json_text(in, member));
	json_t *thing = json_object_get(lab->things, name);
	if (str_starts(operation, S("Create")))
		return fake_create(c, operation, in, out);
	if (str_starts(operation, S("List")))
		return fake_list(c, operation, in, out);
	if (!thing)
		return refuse(c, out, "Could not find thing \"arn\".");
	if (str_starts(operation, S("Update")))
		return fake_update(c, operation, thing, in, out);
	if (str_starts(operation, S("Delete"))) {
		json_object_del(lab->things, name);
		return answer(c, out, 200, json_object());
	}
	take_step(thing);
	return answer(c, out, 200, json_deep_copy(thing));
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
	if (str_eq(operation, S("ListTags"))) {
		json_t *thing = json_object_get(lab->things, json_text(in, "ResourceArn") + 4);
		return answer(c, out, 200, json_pack("{s:O}", "Tags", json_object_get(thing, "Tags")));
	}
	int rc = fake_thing(c, operation, in, out);
	if (!lab->lose || str_starts(operation, S("Describe")) || str_starts(operation, S("List")))
		return rc;
	lab->lose--;
	call_fail(c, ERR_UNAVAILABLE, "the connection was cut");
	c->err.retryable = true;
	return ERR_UNAVAILABLE;
}

// ---------------------------------------------------------------- lab
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

static int setup(void **state)
{
	static const struct credential_ops ops = {.make = make_credentials, .close = close_credentials};
	struct err e = {0};
	lab = calloc(1, sizeof(*lab));
	fixture_open(&lab->f);
	memory_cloud_init(&lab->memory, "aws-us", "aws");
	lab->things = json_object();
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
	json_decref(lab->things);
	fixture_close(&lab->f);
	free(lab);
	(void)state;
	return 0;
}

static void ok(int rc)
{
	if (rc)
		fail_msg("%d: %s", rc, lab->f.call.err.message);
}

static struct endpoint_spec spec_of(const char *generation)
{
	return (struct endpoint_spec){.name = S("classify"),
		.model = S("classifier"),
		.version = S("3"),
		.bucket = S("lake"),
		.prefix = S("models/classifier/3/"),
		.replicas = 2,
		.cpu = 1,
		.memory = 1 << 29,
		.generation = str_of(generation)};
}

static int ensure(const char *generation)
{
	const struct endpoint_spec spec = spec_of(generation);
	err_clear(&lab->f.call.err);
	return aws_endpoint_ops.ensure(&lab->f.call, lab->services, &spec);
}

static struct endpoint_status observe(void)
{
	struct endpoint_status status = {0};
	ok(aws_endpoint_ops.observe(&lab->f.call, lab->services, S("classify"), &status));
	return status;
}

static size_t count_of(const char *member)
{
	const char *key;
	const json_t *thing;
	size_t n = 0;
	json_object_foreach(lab->things, key, thing) n += str_eq(json_str(thing, "of"), str_of(member));
	return n;
}

// ---------------------------------------------------------------- tests
static void test_created(void **state)
{
	struct endpoint_status status;
	lab->busy = 1;
	assert_int_equal(
		aws_endpoint_ops.observe(&lab->f.call, lab->services, S("classify"), &status), ERR_NOT_FOUND);
	ok(ensure("aaaa1111"));
	status = observe();
	assert_int_equal(status.state, ENDPOINT_STARTING);
	assert_true(str_eq(status.generation, S("aaaa1111"))); // told by the configuration
	ok(ensure("aaaa1111"));
	status = observe();
	assert_int_equal(status.state, ENDPOINT_READY);
	assert_true(str_eq(status.generation, S("aaaa1111")));
	assert_int_equal(status.invoke.how, INVOKE_SAGEMAKER);
	assert_true(str_starts(status.invoke.url, S("http://127.0.0.1:4000/endpoints/endpoint-classify-")));
	assert_true(str_ends(status.invoke.url, S("/invocations")));
	assert_int_equal(lab->created, 1);
	const char *key;
	const json_t *thing;
	json_object_foreach(lab->things, key, thing)
	{
		if (!str_eq(json_str(thing, "of"), S("ModelName")))
			continue;
		const json_t *environment = json_object_get(json_object_get(thing, "PrimaryContainer"), "Environment");
		assert_true(str_eq(
			json_str(environment, "ISOBAR_ENDPOINT"), S("s3://lake/models/classifier/3/#classifier.3")));
		assert_true(json_str(environment, "ISOBAR_STORE").n > 0);
	}
	(void)state;
}

static void test_updated(void **state)
{
	ok(ensure("aaaa1111"));
	observe();
	lab->busy = 2;
	ok(ensure("bbbb2222")); // waited for
	assert_true(str_eq(observe().generation, S("bbbb2222")));
	assert_int_equal(count_of("EndpointConfigName"), 1); // that of the older generation is gone
	assert_int_equal(count_of("ModelName"), 1);
	assert_int_equal(lab->updated, 1);
	(void)state;
}

static void test_rolled_back(void **state)
{
	ok(ensure("aaaa1111"));
	observe();
	lab->breaks = true;
	assert_int_equal(ensure("bbbb2222"), ERR_FAILED);
	assert_non_null(strstr(lab->f.call.err.message, "did not pass the ping health check"));
	struct endpoint_status status = observe();
	assert_int_equal(status.state, ENDPOINT_READY);
	assert_true(str_eq(status.generation, S("aaaa1111")));
	(void)state;
}

static void test_lost_answers(void **state)
{
	lab->lose = 3; // of model, configuration and endpoint
	ok(ensure("aaaa1111"));
	observe();
	assert_int_equal(lab->created, 1);
	lab->lose = 3;
	ok(ensure("bbbb2222"));
	assert_int_equal(lab->updated, 1);
	assert_true(str_eq(observe().generation, S("bbbb2222")));
	(void)state;
}

static void test_capacity_restored(void **state)
{
	ok(ensure("aaaa1111"));
	observe();
	const char *key;
	json_t *thing;
	json_object_foreach(lab->things, key, thing)
	{
		json_t *variants = json_object_get(thing, "ProductionVariants");
		if (str_eq(json_str(thing, "of"), S("EndpointName")))
			json_object_set_new(json_array_get(variants, 0), "DesiredInstanceCount", json_integer(7));
	}
	ok(ensure("aaaa1111"));
	assert_int_equal(lab->updated, 1);
	(void)state;
}

static void test_failed_is_made_anew(void **state)
{
	ok(ensure("aaaa1111"));
	const char *key;
	json_t *thing;
	json_object_foreach(lab->things, key, thing)
	{
		if (str_eq(json_str(thing, "of"), S("EndpointName")))
			json_object_set_new(thing, "EndpointStatus", json_string("Failed"));
	}
	assert_int_equal(observe().state, ENDPOINT_DOWN);
	ok(ensure("aaaa1111"));
	assert_int_equal(lab->created, 2);
	assert_int_equal(observe().state, ENDPOINT_READY);
	(void)state;
}

static void test_list_and_delete(void **state)
{
	struct str *names;
	size_t count;
	ok(ensure("aaaa1111"));
	observe();
	json_object_set_new(lab->things, "EndpointName/endpoint-other", json_pack("{s:s, s:s, s:s, s:[]}", "of", "EndpointName",
		"EndpointName", "endpoint-other", "EndpointArn", "arn:EndpointName/endpoint-other", "Tags"));
	ok(aws_endpoint_ops.list(&lab->f.call, lab->services, &names, &count));
	assert_int_equal(count, 1);
	assert_true(str_eq(names[0], S("classify")));
	ok(aws_endpoint_ops.delete(&lab->f.call, lab->services, S("classify")));
	assert_int_equal(json_object_size(lab->things), 1);
	ok(aws_endpoint_ops.delete(&lab->f.call, lab->services, S("classify")));
	(void)state;
}

static void test_refused(void **state)
{
	assert_int_equal(ensure("no/variant"), ERR_INVALID);
	lab->services->config.image = S("");
	assert_int_equal(ensure("aaaa1111"), ERR_INVALID);
	assert_non_null(strstr(lab->f.call.err.message, "has no image"));
	assert_int_equal(json_object_size(lab->things), 0);
	(void)state;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {TEST(test_created), TEST(test_updated), TEST(test_rolled_back),
		TEST(test_lost_answers), TEST(test_capacity_restored), TEST(test_failed_is_made_anew),
		TEST(test_list_and_delete), TEST(test_refused)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
