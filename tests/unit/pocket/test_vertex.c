// SPDX-License-Identifier: Apache-2.0
// Custom jobs and their logs in a pocket Google Cloud: real processes behind Vertex AI's states.
#include "vertex_fixture.h"

#include <stdatomic.h>

#include "pocket/gcp/metadata.h"
#include "pocket/gcp/vertex.h"
#include "pocket/pocket_impl.h"

static const char *job_body(const char *script, const char *scheduling)
{
	return arena_printf(&cloud.arena,
		"{\"displayName\":\"job\",\"labels\":{\"run\":\"r1\"},\"jobSpec\":{\"workerPoolSpecs\":[{\"machineSpec\":"
		"{\"machineType\":\"n1-standard-4\"},\"replicaCount\":\"1\",\"containerSpec\":{\"imageUri\":\"debian:12\","
		"\"command\":[\"sh\",\"-c\"],\"args\":[\"%s\"],\"env\":[{\"name\":\"WORD\",\"value\":\"hello\"}]}}],"
		"\"baseOutputDirectory\":{\"outputUriPrefix\":\"gs://b/out/\"}%s}}",
		script, scheduling)
		.p;
}

// The path of the job.
static const char *create(const char *script, const char *scheduling)
{
	asked(200, "POST", LOCATION "/customJobs", job_body(script, scheduling));
	assert_string_equal(text("state"), "JOB_STATE_PENDING");
	return arena_printf(&cloud.arena, "/v1/%s", text("name")).p;
}

static struct str log_of(const char *job)
{
	AUTO(buf) all = {0};
	const char *token = "";
	do {
		const char *body = arena_printf(&cloud.arena,
			"{\"resourceNames\":[\"projects/unit-test\"],\"filter\":\"resource.type=\\\"ml_job\\\" AND "
			"resource.labels.job_id=\\\"%s\\\"\",\"orderBy\":\"timestamp asc\",\"pageSize\":2,\"pageToken\":"
			"\"%s\"}",
			strrchr(job, '/') + 1, token)
					   .p;
		asked(200, "POST", "/v2/entries:list", body);
		const json_t *entries = json_object_get(answer, "entries"), *entry;
		size_t i;
		assert_true(json_array_size(entries) <= 2);
		json_array_foreach(entries, i, entry) buf_printf(&all, "%s: %s\n", json_text(entry, "severity"),
			json_text(json_object_get(entry, "jsonPayload"), "message"));
		token = text("nextPageToken");
	} while (token[0]);
	return arena_str(&cloud.arena, buf_str(&all));
}

static void test_succeeds(UNUSED void **state)
{
	assert_string_equal(vertex_service.name, "aiplatform");
	assert_string_equal(logging_service.name, "logging");
	const char *job = create("echo $WORD $AIP_MODEL_DIR $CLOUD_ML_PROJECT_ID; echo 2; echo 3", "");
	await(job, "state", "JOB_STATE_SUCCEEDED");
	assert_true(text("startTime")[0] && text("endTime")[0] && !json_object_get(answer, "error"));
	assert_str(log_of(job), S("INFO: hello gs://b/out/model/ unit-test\nINFO: 2\nINFO: 3\n"));
}

static void test_fails(UNUSED void **state)
{
	const char *job = create("echo bad >&2; exit 3", "");
	await(job, "state", "JOB_STATE_FAILED");
	const json_t *error = json_object_get(answer, "error");
	assert_int_equal(json_int(error, "code", 0), 3);
	assert_contains(json_str(error, "message"), S("exited with a non-zero status of 3."));
	assert_str(log_of(job), S("ERROR: bad\n"));
	asked(400, "POST", arena_printf(&cloud.arena, "%s:cancel", job).p, "{}");
	assert_string_equal(error_status(), "FAILED_PRECONDITION");
	asked(200, "DELETE", job, "");
	await_operation();
	assert_string_equal(json_text(json_object_get(answer, "response"), "@type"),
		"type.googleapis.com/google.protobuf.Empty");
	asked(404, "GET", job, "");
	assert_string_equal(error_status(), "NOT_FOUND");
}

static void test_cancelled(UNUSED void **state)
{
	const char *job = create("echo up; exec sleep 60", "");
	await(job, "state", "JOB_STATE_RUNNING");
	asked(400, "DELETE", job, "");
	asked(200, "POST", arena_printf(&cloud.arena, "%s:cancel", job).p, "{}");
	await(job, "state", "JOB_STATE_CANCELLED");
	assert_int_equal(json_int(json_object_get(answer, "error"), "code", 0), 1);
}

static void test_timeout(UNUSED void **state)
{
	const char *job = create("exec sleep 60", ",\"scheduling\":{\"timeout\":\"0.2s\"}");
	await(job, "state", "JOB_STATE_CANCELLED");
	assert_int_equal(json_int(json_object_get(answer, "error"), "code", 0), 4);
}

static struct interruption {
	struct loop_task task;
	struct pocket *pocket;
	atomic_int done; // how many, and 1
} interruption;

static void interrupt_spot(struct loop_task *t)
{
	struct interruption *i = CONTAINER_OF(t, struct interruption, task);
	atomic_store(&i->done, 1 + engine_interrupt_spot(i->pocket->engine, 0));
}

// A spot machine is taken away: the job starts again by itself.
static void test_preempted(UNUSED void **state)
{
	const char *job = create("echo up; exec sleep 60", ",\"scheduling\":{\"strategy\":4}");
	int64_t began = edges_real()->mono_ns(NULL);
	await(job, "state", "JOB_STATE_RUNNING");
	while (log_of(job).n == 0)
		pause_briefly(began);
	interruption = (struct interruption){.task.run = interrupt_spot, .pocket = cloud.pocket};
	loop_post(cloud.loop, &interruption.task);
	while (!str_eq(log_of(job), S("INFO: up\nINFO: up\n")))
		pause_briefly(began);
	assert_int_equal(atomic_load(&interruption.done), 2);
	await(job, "state", "JOB_STATE_RUNNING");
	asked(200, "POST", arena_printf(&cloud.arena, "%s:cancel", job).p, "{}");
	await(job, "state", "JOB_STATE_CANCELLED");
}

// The pocket is killed and comes back: the job went on.
static void test_outlives_the_pocket(UNUSED void **state)
{
	const char *job = create("sleep 0.3; echo done", "");
	await(job, "state", "JOB_STATE_RUNNING");
	cloud_stop();
	cloud_start();
	await(job, "state", "JOB_STATE_SUCCEEDED");
	assert_str(log_of(job), S("INFO: done\n"));
}

// A job has a metadata server of its own, as long as it runs.
static void test_metadata(UNUSED void **state)
{
	const char *job = create("echo $GCE_METADATA_HOST; exec sleep 60", "");
	int64_t began = edges_real()->mono_ns(NULL);
	struct str said = S("");
	while (said.n == 0) {
		pause_briefly(began);
		said = log_of(job);
	}
	struct str host = str_trim(str_drop(said, sizeof("INFO: ") - 1));
	struct str base = str_drop(host, cloud_host().n);
	struct exchange x = {.method = S("GET"),
		.target = arena_printf(&cloud.arena,
			"%.*s/computeMetadata/v1/instance/service-accounts/default/token?scopes=" SCOPE, STR(base))};
	exchange_send(&x);
	assert_status(&x, 403);
	exchange_add(&x, "metadata-flavor", S("Google"));
	exchange_send(&x);
	assert_status(&x, 200);
	AUTO(json) token = NULL;
	assert_int_equal(json_parse(x.text, &token, NULL), 0);
	assert_int_equal(ask_as(json_str(token, "access_token"), "GET", LOCATION "/customJobs", ""), 200);
	x.target = arena_printf(&cloud.arena, "%.*s/computeMetadata/v1/project/project-id", STR(base));
	exchange_send(&x);
	assert_str(x.text, S("unit-test"));
	x.target = arena_printf(&cloud.arena, "%.*s0/computeMetadata/v1/project/project-id", STR(str_take(base, base.n - 1)));
	exchange_send(&x);
	bool same = str_ends(base, S("0")); // of sixteen secrets one ends so
	assert_status(&x, same ? 200 : 404);
	asked(200, "POST", arena_printf(&cloud.arena, "%s:cancel", job).p, "{}");
	await(job, "state", "JOB_STATE_CANCELLED");
	x.target = arena_printf(&cloud.arena, "%.*s/computeMetadata/v1/project/project-id", STR(base));
	exchange_send(&x);
	assert_status(&x, 404);
	assert_string_equal(metadata_service.name, "metadata");
}

static void test_listed(UNUSED void **state)
{
	const char *body = job_body("true", "");
	for (int i = 0; i < 3; i++)
		asked(200, "POST", "/v1/projects/unit-test/locations/us-central1/customJobs", body);
	const char *list = "/v1/projects/unit-test/locations/us-central1/customJobs?pageSize=2";
	asked(200, "GET", list, "");
	assert_int_equal(json_array_size(json_object_get(answer, "customJobs")), 2);
	const char *next = arena_printf(&cloud.arena, "%s&pageToken=%s", list, text("nextPageToken")).p;
	asked(200, "GET", next, "");
	assert_int_equal(json_array_size(json_object_get(answer, "customJobs")), 1);
	assert_string_equal(text("nextPageToken"), "");
	asked(200, "GET", LOCATION "/customJobs?filter=labels.run%3D%22r1%22%20AND%20displayName%3D%22no%22", "");
	assert_null(json_object_get(answer, "customJobs"));
	asked(200, "GET", LOCATION "/customJobs?filter=labels.run%3D%22r1%22", "");
	assert_true(json_array_size(json_object_get(answer, "customJobs")) > 0);
	asked(400, "GET", LOCATION "/customJobs?filter=labels.run%3D", "");
	asked(400, "GET", LOCATION "/customJobs?pageToken=x", "");
}

static void test_refused(UNUSED void **state)
{
	static const struct {
		const char *body;
		int status;
	} wrong[] = {
		{"{}", 400},
		{"[]", 400},
		{"{\"displayName\":\"x\"}", 400},
		{"{\"displayName\":\"x\",\"labels\":{\"A\":\"b\"}}", 400},
		{"{\"displayName\":\"x\",\"jobSpec\":{\"workerPoolSpecs\":[{},{}]}}", 501},
		{"{\"displayName\":\"x\",\"jobSpec\":{\"workerPoolSpecs\":[{\"machineSpec\":{\"machineType\":\"z1\"}}]}}", 400},
		{"{\"displayName\":\"x\",\"jobSpec\":{\"workerPoolSpecs\":[{\"machineSpec\":{\"machineType\":\"n1-standard-4\"}}"
		 "]}}",
			400},
	};
	for (size_t i = 0; i < COUNT_OF(wrong); i++)
		assert_int_equal(ask("POST", LOCATION "/customJobs", wrong[i].body), wrong[i].status);
	assert_int_equal(ask("POST", LOCATION "/customJobs",
				 job_body("true", ",\"scheduling\":{\"strategy\":\"SOON\"}")),
		400);
	assert_int_equal(ask("PUT", LOCATION "/customJobs", "{}"), 405);
	assert_int_equal(ask("POST", LOCATION "/customJobs/7:cancel", "{}"), 404);
}

static void test_who_asks(UNUSED void **state)
{
	struct str reader = token_for(SCOPE ".read-only");
	assert_int_equal(ask_as(S(""), "GET", LOCATION "/customJobs", ""), 401);
	assert_string_equal(error_status(), "UNAUTHENTICATED");
	assert_int_equal(ask_as(S("ya29.AAAA"), "GET", LOCATION "/customJobs", ""), 401);
	assert_int_equal(ask_as(reader, "GET", LOCATION "/customJobs", ""), 200);
	assert_int_equal(ask_as(reader, "POST", LOCATION "/customJobs", job_body("true", "")), 403);
	assert_string_equal(error_status(), "PERMISSION_DENIED");
	assert_contains(json_str(json_object_get(answer, "error"), "message"), S("aiplatform.customJobs.create"));
}

int main(int argc, char **argv)
{
	int role = vertex_role(argc, argv);
	if (role >= 0)
		return role;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_succeeds, cloud_test_end),
		cmocka_unit_test_teardown(test_fails, cloud_test_end),
		cmocka_unit_test_teardown(test_cancelled, cloud_test_end),
		cmocka_unit_test_teardown(test_timeout, cloud_test_end),
		cmocka_unit_test_teardown(test_outlives_the_pocket, cloud_test_end),
		cmocka_unit_test_teardown(test_preempted, cloud_test_end),
		cmocka_unit_test_teardown(test_metadata, cloud_test_end),
		cmocka_unit_test_teardown(test_listed, cloud_test_end),
		cmocka_unit_test_teardown(test_refused, cloud_test_end),
		cmocka_unit_test_teardown(test_who_asks, cloud_test_end),
	};
	return cmocka_run_group_tests(tests, vertex_setup, vertex_teardown);
}
