// SPDX-License-Identifier: Apache-2.0
// Endpoints of Azure ML: the steps to a generation, an update that never leaves the endpoint without an answer, going
// back, what fails, what a lost answer leaves, list, credential and removal.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/time.h"
#include "cloud/azure/endpoints.h"
#include "cloud_test.h"
#include "fake_arm.h"
#include "memory_cloud.h"

struct lab {
	struct cloud_test t;
	struct memory_cloud memory;
	struct fake_arm arm;
	const char *deployed; // provisioningState that a new deployment gets
};

static const struct cloud_config config = {.name = S_INIT("azure-eu"),
	.provider = S_INIT("azure"),
	.region = S_INIT("westeurope"),
	.store_url = S_INIT("http://127.0.0.1:4000/account"),
	.services_url = S_INIT("http://127.0.0.1:4000/account"),
	.workspace = S_INIT("fashion"),
	.subscription = S_INIT("11111111-2222-3333-4444-555555555555"),
	.resource_group = S_INIT("rg"),
	.ml_workspace = S_INIT("ml"),
	.job_role = S_INIT("/subscriptions/s/resourceGroups/rg/providers/Microsoft.ManagedIdentity/userAssignedIdentities/run"),
	.image = S_INIT("registry.example/isobar:1")};

static struct endpoint_spec spec_of(const char *generation)
{
	return (struct endpoint_spec){.name = S("classify"),
		.model = S("classify"),
		.version = S("3"),
		.bucket = S("lake"),
		.prefix = S("models/classify/3/"),
		.replicas = 2,
		.cpu = 1,
		.memory = UINT64_C(1) << 30,
		.generation = str_of(generation)};
}

static void set_state(json_t *resource, const char *state)
{
	json_object_set_new(json_object_get(resource, "properties"), "provisioningState", json_string(state));
}

static void answer(struct fake_arm *f, const char *method, const char *path, int *status, json_t **body)
{
	const struct lab *lab = f->ctx;
	json_t *kept = json_object_get(f->resources, path);
	if (strcmp(method, "PUT") == 0 && strstr(path, "/deployments/"))
		set_state(kept, lab->deployed);
	else if (strcmp(method, "PUT") == 0 && strstr(path, "/onlineEndpoints/")) {
		set_state(kept, "Succeeded");
		json_object_set_new(json_object_get(kept, "properties"), "scoringUri", json_string("http://127.0.0.1:4000/score"));
	} else if (str_ends(str_of(path), S("/listKeys"))) {
		*status = 200;
		*body = json_pack("{s:s, s:s}", "primaryKey", "first-key", "secondaryKey", "second-key");
	}
}

static int setup(void **state)
{
	static struct lab lab;
	lab = (struct lab){.deployed = "Succeeded"};
	cloud_test_init(&lab.t);
	memory_cloud_init(&lab.memory, "azure-eu", "azure");
	fake_arm_init(&lab.arm, &config, &lab.memory.cloud);
	lab.arm.answer = answer;
	lab.arm.ctx = &lab;
	*state = &lab;
	return 0;
}

static int teardown(void **state)
{
	struct lab *lab = *state;
	fake_arm_free(&lab->arm);
	memory_cloud_free(&lab->memory);
	cloud_test_free(&lab->t);
	return 0;
}

static void good(struct lab *lab, int rc)
{
	if (rc)
		fail_msg("%s", lab->t.call.err.message);
}

static void ensure(struct lab *lab, const char *generation)
{
	struct endpoint_spec spec = spec_of(generation);
	good(lab, azure_endpoint_ops.ensure(&lab->t.call, lab->arm.services, &spec));
}

static struct endpoint_status observe(struct lab *lab)
{
	struct endpoint_status out = {0};
	good(lab, azure_endpoint_ops.observe(&lab->t.call, lab->arm.services, S("classify"), &out));
	return out;
}

static void expect(struct lab *lab, enum endpoint_state state, const char *generation)
{
	struct endpoint_status s = observe(lab);
	assert_int_equal(s.state, state);
	assert_string_equal(arena_cstr(&lab->t.arena, s.generation), generation);
}

static size_t deployments(struct lab *lab)
{
	const char *key;
	json_t *one;
	size_t n = 0;
	json_object_foreach(lab->arm.resources, key, one) n += strstr(key, "/deployments/") != NULL;
	return n;
}

static json_t *only_deployment(struct lab *lab)
{
	const char *key;
	json_t *one;
	assert_int_equal(deployments(lab), 1);
	json_object_foreach(lab->arm.resources, key, one)
	{
		if (strstr(key, "/deployments/"))
			return one;
	}
	return NULL;
}

static void test_made(void **state)
{
	struct lab *lab = *state;
	struct endpoint_status none;
	assert_int_equal(
		azure_endpoint_ops.observe(&lab->t.call, lab->arm.services, S("classify"), &none), ERR_NOT_FOUND);
	err_clear(&lab->t.call.err);
	ensure(lab, "one");
	struct endpoint_status s = observe(lab);
	assert_int_equal(s.state, ENDPOINT_READY);
	assert_true(str_eq(s.generation, S("one")));
	assert_int_equal(s.invoke.how, INVOKE_AZUREML);
	assert_true(str_eq(s.invoke.url, S("http://127.0.0.1:4000/score")));
	const json_t *d = only_deployment(lab), *p = json_object_get(d, "properties");
	assert_int_equal(json_int(json_object_get(d, "sku"), "capacity", 0), 2);
	assert_string_equal(json_text(p, "instanceType"), "Standard_DS1_v2");
	const json_t *variables = json_object_get(p, "environmentVariables");
	assert_string_equal(json_text(variables, "ISOBAR_ENDPOINT"), "az://lake/models/classify/3/#classify.3");
	assert_string_equal(json_text(variables, "ISOBAR_PORT"), "8080");
	assert_true(json_str(variables, "ISOBAR_STORE").n > 0);
	size_t requests = json_array_size(lab->arm.log);
	ensure(lab, "one"); // looks, and has nothing to do
	assert_int_equal(json_array_size(lab->arm.log), requests + 2);
}

// In the order of the requests there is never a moment without a deployment that has succeeded and all of the traffic.
static void test_updated_without_a_gap(void **state)
{
	struct lab *lab = *state;
	ensure(lab, "one");
	size_t from = json_array_size(lab->arm.log), put = 0, shifted = 0, deleted = 0;
	ensure(lab, "two");
	for (size_t i = from; i < json_array_size(lab->arm.log); i++) {
		const char *line = json_string_value(json_array_get(lab->arm.log, i));
		bool deployment = strstr(line, "/deployments/") != NULL;
		if (strncmp(line, "PUT ", 4) == 0 && deployment)
			put = i;
		else if (strncmp(line, "PUT ", 4) == 0 && strstr(line, "/onlineEndpoints/"))
			shifted = i;
		else if (strncmp(line, "DELETE ", 7) == 0 && deployment)
			deleted = i;
	}
	assert_true(from <= put && put < shifted && shifted < deleted);
	expect(lab, ENDPOINT_READY, "two");
	only_deployment(lab);
	ensure(lab, "one"); // back
	expect(lab, ENDPOINT_READY, "one");
	only_deployment(lab);
}

static json_t *deployment_of(struct lab *lab, const char *generation)
{
	const char *key;
	json_t *one;
	json_object_foreach(lab->arm.resources, key, one)
	{
		if (strstr(key, "/deployments/") &&
			strcmp(json_text(json_object_get(one, "tags"), "isobar-generation"), generation) == 0)
			return one;
	}
	fail_msg("no deployment of generation %s", generation);
	return NULL;
}

static void test_takes_minutes(void **state)
{
	struct lab *lab = *state;
	ensure(lab, "one");
	lab->deployed = "Creating";
	ensure(lab, "two");
	expect(lab, ENDPOINT_STARTING, "two");
	assert_true(observe(lab).url.n > 0); // the old one answers
	ensure(lab, "two");                  // nothing to do but wait
	assert_int_equal(deployments(lab), 2);
	set_state(deployment_of(lab, "two"), "Succeeded");
	expect(lab, ENDPOINT_READY, ""); // of no generation: ensure is called, and shifts the traffic
	ensure(lab, "two");
	expect(lab, ENDPOINT_READY, "two");
	assert_int_equal(deployments(lab), 1);
}

static void test_failed(void **state)
{
	struct lab *lab = *state;
	struct endpoint_spec two = spec_of("two");
	ensure(lab, "one");
	lab->deployed = "Failed";
	assert_int_equal(azure_endpoint_ops.ensure(&lab->t.call, lab->arm.services, &two), ERR_FAILED);
	assert_non_null(strstr(lab->t.call.err.message, "did not get ready"));
	err_clear(&lab->t.call.err);
	expect(lab, ENDPOINT_READY, "one"); // the failed one was taken away again
	lab->deployed = "Succeeded";
	ensure(lab, "two");
	expect(lab, ENDPOINT_READY, "two");
}

static void test_lost_answers(void **state)
{
	struct lab *lab = *state;
	for (int lose = 1; lose <= 8; lose++) {
		lab->arm.lose = lose;
		ensure(lab, lose % 2 ? "one" : "two");
		expect(lab, ENDPOINT_READY, lose % 2 ? "one" : "two");
		only_deployment(lab);
		lab->arm.lose = 0;
	}
}

static void test_list_credential_delete(void **state)
{
	struct lab *lab = *state;
	struct str *names = NULL;
	size_t count = 0;
	AUTO(endpoint_credential) key = {0};
	ensure(lab, "one");
	good(lab, azure_endpoint_ops.list(&lab->t.call, lab->arm.services, &names, &count));
	assert_int_equal(count, 1);
	assert_true(str_eq(names[0], S("classify")));
	good(lab, azure_endpoint_ops.credential(&lab->t.call, lab->arm.services, S("classify"), &key));
	assert_true(str_eq(secret_str(&key.secret), S("first-key")));
	assert_int_equal(key.how, INVOKE_AZUREML);
	assert_int_equal(key.expires_ns, 0);
	good(lab, azure_endpoint_ops.delete(&lab->t.call, lab->arm.services, S("classify")));
	good(lab, azure_endpoint_ops.delete(&lab->t.call, lab->arm.services, S("classify")));
	assert_int_equal(fake_arm_count(&lab->arm, "DELETE", "/onlineEndpoints/"), 1);
}

static void test_of_another(void **state)
{
	struct lab *lab = *state;
	struct endpoint_spec one = spec_of("one");
	ensure(lab, "one");
	const char *key;
	json_t *resource;
	json_object_foreach(lab->arm.resources, key, resource)
	{
		if (!strstr(key, "/deployments/") && strstr(key, "/onlineEndpoints/"))
			json_object_set_new(
				json_object_get(resource, "tags"), "isobar-workspace", json_string("other"));
	}
	assert_int_equal(azure_endpoint_ops.ensure(&lab->t.call, lab->arm.services, &one), ERR_CONFLICT);
	assert_int_equal(
		azure_endpoint_ops.delete(&lab->t.call, lab->arm.services, S("classify")), ERR_CONFLICT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_made, setup, teardown),
		cmocka_unit_test_setup_teardown(test_updated_without_a_gap, setup, teardown),
		cmocka_unit_test_setup_teardown(test_takes_minutes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_failed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lost_answers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_list_credential_delete, setup, teardown),
		cmocka_unit_test_setup_teardown(test_of_another, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
