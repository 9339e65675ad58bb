// SPDX-License-Identifier: Apache-2.0
// Jobs of Google Cloud against a Vertex AI of the test's own: what is asked for, what is made of answers, and that nothing
// is doubled when answers are lost. The store is one in memory.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "cloud/gcp/jobs.h"
#include "cloud/gcp/vertex.h"
#include "cloud/job_package.h"
#include "cloud_test.h"
#include "fake_vertex.h"
#include "memory_cloud.h"

#define TRAIN S("train/classifier/0f3a/round-1/gcp-eu")

static struct lab {
	struct cloud_test t;
	struct memory_cloud memory;
	struct fake_vertex fake;
	struct test_sink log;
} lab;

static int setup(UNUSED void **state)
{
	memset(&lab, 0, sizeof(lab));
	cloud_test_init(&lab.t);
	memory_cloud_init(&lab.memory, "gcp-eu", "gcp");
	memory_cloud_bucket(&lab.memory, "lake");
	fake_vertex_open(&lab.fake, &lab.memory.cloud);
	return 0;
}

static int teardown(UNUSED void **state)
{
	fake_vertex_close(&lab.fake);
	memory_cloud_free(&lab.memory);
	buf_free(&lab.log.bytes);
	cloud_test_free(&lab.t);
	return 0;
}

static struct job_spec spec_of(struct str name)
{
	static const char *const argv[] = {"builtin/mlp", NULL};
	return (struct job_spec){.name = name,
		.argv = argv,
		.cpu = 6,
		.memory = UINT64_C(20) << 30,
		.deadline_ns = INT64_C(60000000000),
		.output = {.bucket = S("lake"), .prefix = S("out/")}};
}

static void ok(int rc)
{
	if (rc)
		fail_msg("%d: %s", rc, lab.t.call.err.message);
}

static void submit(struct str name)
{
	struct job_spec spec = spec_of(name);
	ok(gcp_job_ops.submit(&lab.t.call, lab.fake.services, &spec));
}

static struct job_status observe(struct str name)
{
	struct job_status status = {0};
	ok(gcp_job_ops.observe(&lab.t.call, lab.fake.services, name, &status));
	return status;
}

static json_t *first_job(void)
{
	return json_object_iter_value(json_object_iter(lab.fake.jobs));
}

static void end(json_t *job, const char *state, int code, const char *message)
{
	json_object_set_new(job, "state", json_string(state));
	if (code)
		json_object_set_new(job, "error", json_pack("{s:i, s:s}", "code", code, "message", message));
}

// What the worker in the container writes.
static void worker_says(const json_t *job, enum job_state state, int exit_code)
{
	struct job_package package;
	const json_t *pool = json_array_get(json_object_get(json_object_get(job, "jobSpec"), "workerPoolSpecs"), 0);
	const json_t *args = json_object_get(json_object_get(pool, "containerSpec"), "args");
	ok(job_package_of_url(
		&lab.t.arena, json_value_str(json_array_get(args, 2)), &package, &lab.t.call.err));
	const struct job_status status = {.state = state, .exit_code = exit_code, .cpu_s = 1.5, .peak_rss = 4096};
	ok(job_package_tell(&lab.t.call, &lab.memory.cloud, &package, &status));
}

// ---------------------------------------------------------------- tests

static void test_request(UNUSED void **state)
{
	struct job_spec spec = spec_of(TRAIN);
	spec.spot = true;
	ok(gcp_job_ops.submit(&lab.t.call, lab.fake.services, &spec));
	const json_t *job = first_job(), *labels = json_object_get(job, "labels");
	const json_t *inner = json_object_get(job, "jobSpec"), *scheduling = json_object_get(inner, "scheduling");
	const json_t *pool = json_array_get(json_object_get(inner, "workerPoolSpecs"), 0);
	const json_t *container = json_object_get(pool, "containerSpec");
	assert_string_equal(json_text(job, "displayName"), "train/classifier/0f3a/round-1/gcp-eu");
	assert_string_equal(json_text(labels, "isobar-workspace"), "fashion");
	assert_string_equal(json_text(labels, "isobar-address"), "train-classifier-0f3a-round-1-gcp-eu");
	assert_true(str_starts(json_str(labels, "isobar-job"), S("train-classifier-0f3a-round-1-gcp-eu-")));
	assert_string_equal(json_text(json_object_get(pool, "machineSpec"), "machineType"), "e2-standard-8");
	assert_string_equal(json_text(pool, "replicaCount"), "1");
	assert_string_equal(json_text(scheduling, "strategy"), "SPOT");
	assert_string_equal(json_text(scheduling, "timeout"), "660s");
	assert_string_equal(json_text(inner, "serviceAccount"), "jobs@p-1.iam.gserviceaccount.com");
	assert_string_equal(json_text(container, "imageUri"), "isobar");
	const json_t *args = json_object_get(container, "args");
	assert_string_equal(json_string_value(json_array_get(args, 0)), "worker");
	assert_string_equal(json_string_value(json_array_get(args, 1)), "--package");
	assert_true(str_starts(json_value_str(json_array_get(args, 2)), S("gs://lake/.isobar/jobs/train+")) ||
		str_starts(json_value_str(json_array_get(args, 2)), S("s3://lake/.isobar/jobs/train+")));
	AUTO(json) config = NULL;
	const json_t *variable = json_array_get(json_object_get(container, "env"), 0);
	assert_string_equal(json_text(variable, "name"), "ISOBAR_STORE");
	assert_int_equal(json_parse(json_str(variable, "value"), &config, NULL), 0);
	assert_string_equal(json_text(config, "name"), "gcp-eu");
	assert_null(json_object_get(config, "credentials"));
}

static void test_submitted_twice(UNUSED void **state)
{
	submit(TRAIN);
	submit(TRAIN);
	assert_int_equal(lab.fake.made, 1);
}

static void test_lost_answers(UNUSED void **state)
{
	lab.fake.lose_after = 1; // made, and never told
	submit(TRAIN);
	assert_int_equal(lab.fake.made, 1);
	lab.fake.lose_before = 2; // never arrived, twice
	submit(S("transform/x"));
	assert_int_equal(lab.fake.made, 2);
}

// A request that was given up arrives all the same, behind the one that took its place.
static void test_double_is_cancelled(UNUSED void **state)
{
	submit(TRAIN);
	json_t *twin = json_deep_copy(first_job());
	json_object_set_new(twin, "name", json_string("projects/p-1/locations/europe-west4/customJobs/999"));
	json_object_set_new(twin, "createTime", json_string("2026-11-24T11:00:00Z"));
	json_object_set_new(lab.fake.jobs, "projects/p-1/locations/europe-west4/customJobs/999", twin);
	struct job_status status = observe(TRAIN);
	assert_int_equal(status.state, JOB_QUEUED);
	assert_true(str_ends(status.id, S("customJobs/100")));
	assert_string_equal(json_text(twin, "state"), "JOB_STATE_CANCELLED");
	assert_string_equal(json_text(first_job(), "state"), "JOB_STATE_PENDING");
	assert_int_equal(observe(TRAIN).state, JOB_QUEUED);
}

static void test_observe(UNUSED void **state)
{
	static const struct {
		const char *theirs;
		int code;
		const char *message;
		enum job_state ours;
		int exit_code;
	} cases[] = {
		{"JOB_STATE_QUEUED", 0, "", JOB_QUEUED, 0},
		{"JOB_STATE_PENDING", 0, "", JOB_QUEUED, 0},
		{"JOB_STATE_RUNNING", 0, "", JOB_RUNNING, 0},
		{"JOB_STATE_CANCELLING", 0, "", JOB_RUNNING, 0},
		{"JOB_STATE_FAILED", 3, "The replica workerpool0-0 exited with a non-zero status of 42.", JOB_FAILED, 42},
		{"JOB_STATE_FAILED", 3, "Something else.", JOB_FAILED, 1},
		{"JOB_STATE_FAILED", 8, "No machines.", JOB_LOST, 0},
		{"JOB_STATE_FAILED", 10, "Preempted.", JOB_LOST, 0},
		{"JOB_STATE_EXPIRED", 0, "", JOB_LOST, 0},
		{"JOB_STATE_CANCELLED", 1, "CANCELED", JOB_LOST, 0}, // nobody of ours asked for it
		{"JOB_STATE_CANCELLED", 4, "It did not finish in time.", JOB_FAILED, 1},
	};
	submit(TRAIN);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		json_object_del(first_job(), "error");
		end(first_job(), cases[i].theirs, cases[i].code, cases[i].message);
		struct job_status status = observe(TRAIN);
		if (status.state != cases[i].ours || status.exit_code != cases[i].exit_code)
			fail_msg("case %zu: state %d, exit code %d", i, (int)status.state, status.exit_code);
	}
	struct job_status none;
	assert_int_equal(
		gcp_job_ops.observe(&lab.t.call, lab.fake.services, S("train/no"), &none), ERR_NOT_FOUND);
}

static void test_worker_knows_more(UNUSED void **state)
{
	submit(TRAIN);
	json_object_set_new(first_job(), "startTime", json_string("2026-11-24T10:00:01Z"));
	worker_says(first_job(), JOB_FAILED, 7);
	end(first_job(), "JOB_STATE_FAILED", 3, "exited with a non-zero status of 1");
	struct job_status status = observe(TRAIN);
	assert_int_equal(status.state, JOB_FAILED);
	assert_int_equal(status.exit_code, 7);
	assert_int_equal(status.peak_rss, 4096);
}

static void test_lost_gets_another_attempt(UNUSED void **state)
{
	submit(TRAIN);
	end(first_job(), "JOB_STATE_FAILED", 10, "Preempted.");
	assert_int_equal(observe(TRAIN).state, JOB_LOST);
	submit(TRAIN);
	submit(TRAIN);
	assert_int_equal(lab.fake.made, 2);
	assert_int_equal(observe(TRAIN).state, JOB_QUEUED);
}

static void test_other_specification(UNUSED void **state)
{
	struct job_spec spec = spec_of(TRAIN);
	submit(TRAIN);
	spec.cpu = 2;
	assert_int_equal(gcp_job_ops.submit(&lab.t.call, lab.fake.services, &spec), ERR_CONFLICT);
	assert_int_equal(lab.fake.made, 1);
}

static void test_stop(UNUSED void **state)
{
	submit(TRAIN);
	ok(gcp_job_ops.stop(&lab.t.call, lab.fake.services, TRAIN));
	assert_string_equal(json_text(first_job(), "state"), "JOB_STATE_CANCELLED");
	assert_int_equal(observe(TRAIN).state, JOB_STOPPED);
	ok(gcp_job_ops.stop(&lab.t.call, lab.fake.services, TRAIN)); // ended is fine
	ok(gcp_job_ops.stop(&lab.t.call, lab.fake.services, S("train/no")));
}

static void test_logs(UNUSED void **state)
{
	submit(TRAIN);
	end(first_job(), "JOB_STATE_FAILED", 10, "Preempted.");
	submit(TRAIN);
	static const char *const lines[][3] = {{"\"100\"", "jsonPayload", "one"}, {"\"7\"", "jsonPayload", "not ours"},
		{"\"101\"", "textPayload", "two\n"}, {"\"100\"", "jsonPayload", ""}};
	for (size_t i = 0; i < COUNT_OF(lines); i++) {
		json_t *entry = json_pack("{s:s}", "job", lines[i][0]);
		if (strcmp(lines[i][1], "jsonPayload") == 0)
			json_object_set_new(entry, "jsonPayload", json_pack("{s:s}", "message", lines[i][2]));
		else
			json_object_set_new(entry, "textPayload", json_string(lines[i][2]));
		json_array_append_new(lab.fake.entries, entry);
	}
	test_sink_init(&lab.log);
	ok(gcp_job_ops.logs(&lab.t.call, lab.fake.services, TRAIN, &lab.log.sink));
	assert_true(str_eq(buf_str(&lab.log.bytes), S("one\n\ntwo\n")));
}

static void test_list_and_remove(UNUSED void **state)
{
	struct str *names;
	size_t count = 0;
	submit(S("train/b"));
	submit(S("train/a"));
	submit(S("transform/c"));
	json_object_set_new(lab.fake.jobs, "other",
		json_pack("{s:s, s:{s:s}}", "name", "other", "labels", "isobar-workspace", "fashion"));
	ok(gcp_job_ops.list(&lab.t.call, lab.fake.services, S("train/"), &names, &count));
	assert_int_equal(count, 2);
	assert_true(str_eq(names[0], S("train/a")) && str_eq(names[1], S("train/b")));
	assert_int_equal(gcp_job_ops.remove(&lab.t.call, lab.fake.services, S("train/a")), ERR_IN_USE);
	err_clear(&lab.t.call.err);
	ok(gcp_job_ops.stop(&lab.t.call, lab.fake.services, S("train/a")));
	ok(gcp_job_ops.remove(&lab.t.call, lab.fake.services, S("train/a")));
	ok(gcp_job_ops.remove(&lab.t.call, lab.fake.services, S("train/a")));
	ok(gcp_job_ops.list(&lab.t.call, lab.fake.services, S(""), &names, &count));
	assert_int_equal(count, 2);
	assert_true(str_eq(names[0], S("train/b")) && str_eq(names[1], S("transform/c")));
}

static void test_names(UNUSED void **state)
{
	struct arena *a = &lab.t.arena;
	assert_true(str_eq(vertex_label(a, S("Training/A_b-1")), S("training-a_b-1")));
	char longer[100];
	memset(longer, 'x', sizeof(longer));
	struct str label = vertex_label(a, str_bytes(longer, sizeof(longer)));
	assert_int_equal(label.n, VERTEX_LABEL_MAX);
	longer[99] = 'y';
	assert_false(str_eq(label, vertex_label(a, str_bytes(longer, sizeof(longer)))));
	assert_string_equal(vertex_machine_for(1, 0), "e2-standard-4");
	assert_string_equal(vertex_machine_for(4, UINT64_C(17) << 30), "e2-highmem-4");
	assert_string_equal(vertex_machine_for(1000, 0), "n1-highmem-96");
	assert_true(str_eq(vertex_id_of(S("projects/p/locations/l/models/m")), S("m")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_request, setup, teardown),
		cmocka_unit_test_setup_teardown(test_submitted_twice, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lost_answers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_double_is_cancelled, setup, teardown),
		cmocka_unit_test_setup_teardown(test_observe, setup, teardown),
		cmocka_unit_test_setup_teardown(test_worker_knows_more, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lost_gets_another_attempt, setup, teardown),
		cmocka_unit_test_setup_teardown(test_other_specification, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stop, setup, teardown),
		cmocka_unit_test_setup_teardown(test_logs, setup, teardown),
		cmocka_unit_test_setup_teardown(test_list_and_remove, setup, teardown),
		cmocka_unit_test_setup_teardown(test_names, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
