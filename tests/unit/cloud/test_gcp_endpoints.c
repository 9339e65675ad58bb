// SPDX-License-Identifier: Apache-2.0
// Endpoints of Google Cloud against a Vertex AI of the test's own: made, updated beside the one that answers, rolled back,
// deleted, with lost answers and a model that does not come up.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "cloud/gcp/endpoints.h"
#include "cloud_test.h"
#include "fake_vertex.h"
#include "memory_cloud.h"

static struct lab {
	struct cloud_test t;
	struct memory_cloud memory;
	struct fake_vertex fake;
} lab;

static int setup(UNUSED void **state)
{
	memset(&lab, 0, sizeof(lab));
	cloud_test_init(&lab.t);
	memory_cloud_init(&lab.memory, "gcp-eu", "gcp");
	memory_cloud_bucket(&lab.memory, "weights");
	fake_vertex_open(&lab.fake, &lab.memory.cloud);
	return 0;
}

static int teardown(UNUSED void **state)
{
	fake_vertex_close(&lab.fake);
	memory_cloud_free(&lab.memory);
	cloud_test_free(&lab.t);
	return 0;
}

static void ok(int rc)
{
	if (rc)
		fail_msg("%d: %s", rc, lab.t.call.err.message);
}

static int ensure(const char *generation)
{
	const struct endpoint_spec spec = {.name = S("classify"),
		.model = S("classifier"),
		.version = S("3"),
		.bucket = S("weights"),
		.prefix = S("models/classifier/3/"),
		.replicas = 2,
		.cpu = 1,
		.generation = str_of(generation)};
	return gcp_endpoint_ops.ensure(&lab.t.call, lab.fake.services, &spec);
}

static struct endpoint_status observe(void)
{
	struct endpoint_status status = {0};
	ok(gcp_endpoint_ops.observe(&lab.t.call, lab.fake.services, S("classify"), &status));
	return status;
}

static const json_t *endpoint(void)
{
	return json_object_iter_value(json_object_iter(lab.fake.endpoints));
}

static const json_t *deployed(size_t i)
{
	return json_array_get(json_object_get(endpoint(), "deployedModels"), i);
}

static void assert_serves(const char *generation)
{
	struct endpoint_status status = observe();
	assert_int_equal(status.state, ENDPOINT_READY);
	assert_true(str_is(status.generation, generation));
	assert_int_equal(json_array_size(json_object_get(endpoint(), "deployedModels")), 1);
	assert_int_equal(json_int(json_object_get(endpoint(), "trafficSplit"), json_text(deployed(0), "id"), 0), 100);
	assert_int_equal(json_object_size(lab.fake.models), 1);
	assert_int_equal(json_object_size(lab.fake.endpoints), 1);
}

static void test_made(UNUSED void **state)
{
	ok(ensure("g1"));
	assert_serves("g1");
	const json_t *model = json_object_iter_value(json_object_iter(lab.fake.models));
	const json_t *container = json_object_get(model, "containerSpec");
	assert_string_equal(json_text(container, "imageUri"), "isobar");
	assert_string_equal(json_text(container, "predictRoute"), "/v2/models/classifier/infer");
	assert_string_equal(json_text(container, "healthRoute"), "/v2/health/ready");
	assert_string_equal(json_string_value(json_array_get(json_object_get(container, "args"), 1)), "--endpoint");
	const json_t *resources = json_object_get(deployed(0), "dedicatedResources");
	assert_int_equal(json_int(resources, "minReplicaCount", 0), 2);
	assert_string_equal(json_text(deployed(0), "serviceAccount"), "jobs@p-1.iam.gserviceaccount.com");
	struct endpoint_status status = observe();
	assert_int_equal(status.invoke.how, INVOKE_VERTEX);
	assert_true(str_starts(status.invoke.url,
		S("http://127.0.0.1:4000/v1/projects/p-1/locations/europe-west4/endpoints/endpoint-classify-")));
	assert_true(str_ends(status.invoke.url, S(":rawPredict")));
}

static void test_again_changes_nothing(UNUSED void **state)
{
	ok(ensure("g1"));
	int made = lab.fake.made;
	ok(ensure("g1"));
	assert_int_equal(lab.fake.made, made);
	assert_int_equal(made, 3);
}

static void test_updated_and_rolled_back(UNUSED void **state)
{
	ok(ensure("g1"));
	ok(ensure("g2"));
	assert_serves("g2");
	assert_true(str_find(buf_str(&lab.fake.seen), S("PATCH endpoints/")) > 0);
	ok(ensure("g1"));
	assert_serves("g1");
}

// Whatever answer is lost, nothing is there twice.
static void test_lost_answers(UNUSED void **state)
{
	lab.fake.lose_after = 1; // models:upload
	ok(ensure("g1"));
	assert_serves("g1");
	assert_int_equal(lab.fake.made, 3);
	for (int before = 0; before < 2; before++) {
		lab.fake.lose_after = before ? 0 : 2;
		lab.fake.lose_before = before ? 2 : 0;
		int made = lab.fake.made;
		ok(ensure(before ? "g1" : "g2"));
		assert_serves(before ? "g1" : "g2");
		assert_int_equal(lab.fake.made, made + 2); // a model, a deployment
	}
}

static void test_failed_update_leaves_the_old(UNUSED void **state)
{
	ok(ensure("g1"));
	lab.fake.refuse_deploys = 1;
	assert_true(ensure("g2") < 0);
	assert_non_null(strstr(lab.t.call.err.message, "exit_code: 3"));
	err_clear(&lab.t.call.err);
	struct endpoint_status status = observe();
	assert_int_equal(status.state, ENDPOINT_READY);
	assert_true(str_eq(status.generation, S("g1")));
	ok(ensure("g2"));
	assert_serves("g2");
}

static void test_failed_first(UNUSED void **state)
{
	lab.fake.refuse_deploys = 1;
	assert_true(ensure("g1") < 0);
	err_clear(&lab.t.call.err);
	struct endpoint_status status = observe();
	assert_int_equal(status.state, ENDPOINT_DOWN);
	assert_true(str_eq(status.reason, S("Model server terminated: exit_code: 3")));
}

static void test_deleted(UNUSED void **state)
{
	struct str *names;
	size_t count = 0;
	ok(ensure("g1"));
	ok(gcp_endpoint_ops.list(&lab.t.call, lab.fake.services, &names, &count));
	assert_int_equal(count, 1);
	assert_true(str_eq(names[0], S("classify")));
	ok(gcp_endpoint_ops.delete(&lab.t.call, lab.fake.services, S("classify")));
	assert_int_equal(json_object_size(lab.fake.endpoints), 0);
	assert_int_equal(json_object_size(lab.fake.models), 0);
	ok(gcp_endpoint_ops.delete(&lab.t.call, lab.fake.services, S("classify")));
	struct endpoint_status status;
	assert_int_equal(gcp_endpoint_ops.observe(&lab.t.call, lab.fake.services, S("classify"), &status),
		ERR_NOT_FOUND);
}

static void test_credential(UNUSED void **state)
{
	AUTO(endpoint_credential) credential = {0};
	ok(gcp_endpoint_ops.credential(&lab.t.call, lab.fake.services, S("classify"), &credential));
	assert_int_equal(credential.how, INVOKE_VERTEX);
	assert_true(str_eq(secret_str(&credential.secret), S("reads")));
	assert_true(credential.expires_ns > call_now_ns(&lab.t.call));
}

static void test_refused(UNUSED void **state)
{
	assert_int_equal(ensure(""), ERR_INVALID);
	lab.fake.services->config.image = S("");
	assert_int_equal(ensure("g1"), ERR_INVALID);
	assert_int_equal(lab.fake.made, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_made, setup, teardown),
		cmocka_unit_test_setup_teardown(test_again_changes_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_updated_and_rolled_back, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lost_answers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_failed_update_leaves_the_old, setup, teardown),
		cmocka_unit_test_setup_teardown(test_failed_first, setup, teardown),
		cmocka_unit_test_setup_teardown(test_deleted, setup, teardown),
		cmocka_unit_test_setup_teardown(test_credential, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
