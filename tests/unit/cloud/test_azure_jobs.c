// SPDX-License-Identifier: Apache-2.0
// Jobs of Azure ML: what is sent, that nothing is doubled, what is told of a job, and logs, list and removal.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/time.h"
#include "cloud/azure/jobs.h"
#include "cloud/azure/ml.h"
#include "cloud/job_files.h"
#include "cloud/job_package.h"
#include "cloud_test.h"
#include "fake_arm.h"
#include "memory_cloud.h"

struct lab {
	struct cloud_test t;
	struct memory_cloud memory;
	struct fake_arm arm;
	const char *status; // of the job that the service answers next; NULL: as it was sent
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
	.job_role = S_INIT("99999999-0000-0000-0000-000000000000"),
	.image = S_INIT("registry.example/isobar:1")};

static const char *const argv[] = {"builtin/mlp", NULL};
static struct job_spec spec_named(const char *name)
{
	return (struct job_spec){.name = str_of(name),
		.argv = argv,
		.output = {.bucket = S("lake"), .prefix = S("out/")},
		.code_directory = S(""),
		.cpu = 3,
		.memory = UINT64_C(4) << 30,
		.deadline_ns = 90 * NS_PER_S,
		.spot = true};
}

static void set_status(struct fake_arm *f, const char *method, const char *path, int *status, json_t **body)
{
	const struct lab *lab = f->ctx;
	json_t *job = json_object_get(f->resources, path);
	if (!job || !strstr(path, "/jobs/"))
		return;
	if (strcmp(method, "PUT") == 0 && *status == 201)
		json_object_set_new(json_object_get(job, "properties"), "status", json_string("Starting"));
	else if (strcmp(method, "GET") == 0 && lab->status)
		json_object_set_new(json_object_get(job, "properties"), "status", json_string(lab->status));
	(void)body;
}

static int setup(void **state)
{
	static struct lab lab;
	lab = (struct lab){0};
	cloud_test_init(&lab.t);
	memory_cloud_init(&lab.memory, "azure-eu", "azure");
	memory_cloud_bucket(&lab.memory, "lake");
	fake_arm_init(&lab.arm, &config, &lab.memory.cloud);
	lab.arm.answer = set_status;
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

static void submit(struct lab *lab, const char *name)
{
	struct job_spec spec = spec_named(name);
	good(lab, azure_job_ops.submit(&lab->t.call, lab->arm.services, &spec));
}

static struct job_status observe(struct lab *lab, const char *name, const char *status)
{
	struct job_status out = {0};
	lab->status = status;
	good(lab, azure_job_ops.observe(&lab->t.call, lab->arm.services, str_of(name), &out));
	return out;
}

static json_t *only_job(struct lab *lab)
{
	const char *key;
	json_t *one, *found = NULL;
	json_object_foreach(lab->arm.resources, key, one)
	{
		if (strstr(key, "/jobs/")) {
			assert_null(found);
			found = one;
		}
	}
	assert_non_null(found);
	return found;
}

static void test_request(void **state)
{
	struct lab *lab = *state;
	submit(lab, "train/classifier/1/azure-eu");
	const json_t *p = json_object_get(only_job(lab), "properties");
	assert_string_equal(json_text(p, "jobType"), "Command");
	assert_true(str_starts(json_str(p, "command"), S("isobar worker --package az://lake/.isobar/jobs/")));
	assert_string_equal(json_text(json_object_get(p, "limits"), "timeout"), "PT90S");
	assert_string_equal(json_text(json_object_get(p, "queueSettings"), "jobTier"), "Spot");
	assert_string_equal(json_text(json_object_get(p, "resources"), "instanceType"), "Standard_F4s_v2");
	assert_string_equal(json_text(json_object_get(p, "identity"), "clientId"), "99999999-0000-0000-0000-000000000000");
	assert_string_equal(json_text(json_object_get(p, "tags"), "isobar-workspace"), "fashion");
	assert_string_equal(json_text(json_object_get(p, "tags"), "isobar-address"), "train/classifier/1/azure-eu");
	struct str environment = json_str(p, "environmentId");
	const json_t *kept = json_object_get(lab->arm.resources, environment.p);
	assert_string_equal(json_text(json_object_get(kept, "properties"), "image"), "registry.example/isobar:1");
}

static void test_nothing_doubled(void **state)
{
	struct lab *lab = *state;
	lab->arm.lose = 2; // the environment's PUT comes first; that of the job acts, and its answer is lost
	submit(lab, "train/a");
	only_job(lab);
	submit(lab, "train/a");
	only_job(lab);
	struct job_spec other = spec_named("train/a");
	other.cpu = 1;
	assert_int_equal(azure_job_ops.submit(&lab->t.call, lab->arm.services, &other), ERR_CONFLICT);
}

static void test_states(void **state)
{
	struct lab *lab = *state;
	submit(lab, "train/a");
	assert_int_equal(observe(lab, "train/a", NULL).state, JOB_QUEUED);
	assert_int_equal(observe(lab, "train/a", "Queued").state, JOB_QUEUED);
	assert_int_equal(observe(lab, "train/a", "Running").state, JOB_RUNNING);
	assert_int_equal(observe(lab, "train/a", "Finalizing").state, JOB_RUNNING);
	struct job_status failed = observe(lab, "train/a", "Failed");
	assert_int_equal(failed.state, JOB_FAILED);
	assert_true(str_find(failed.reason, S("azureml/ExperimentRun/dcid.train-a-")) >= 0);
	// Canceled, and not by us: its machine was taken from it.
	assert_int_equal(observe(lab, "train/a", "Canceled").state, JOB_LOST);
	struct job_status none;
	assert_int_equal(
		azure_job_ops.observe(&lab->t.call, lab->arm.services, S("train/b"), &none), ERR_NOT_FOUND);
}

static void test_overdue(void **state)
{
	struct lab *lab = *state;
	submit(lab, "train/a");
	json_object_set_new(json_object_get(only_job(lab), "properties"), "properties",
		json_pack("{s:s, s:s}", "StartTimeUtc", "2026-01-01T00:00:00Z", "EndTimeUtc", "2026-01-01T00:01:30Z"));
	struct job_status s = observe(lab, "train/a", "Canceled");
	assert_int_equal(s.state, JOB_FAILED);
	assert_string_equal(arena_cstr(&lab->t.arena, s.reason), "it ran for longer than its deadline");
}

static void test_lost_is_tried_again(void **state)
{
	struct lab *lab = *state;
	submit(lab, "train/a");
	assert_int_equal(observe(lab, "train/a", "Canceled").state, JOB_LOST);
	json_object_set_new(json_object_get(only_job(lab), "properties"), "status", json_string("Canceled"));
	lab->status = NULL;
	submit(lab, "train/a");
	assert_int_equal(fake_arm_count(&lab->arm, "PUT", "/jobs/"), 3); // found the first, then made the second
	assert_int_equal(observe(lab, "train/a", NULL).state, JOB_QUEUED);
}

static void test_stop(void **state)
{
	struct lab *lab = *state;
	submit(lab, "train/a");
	lab->status = "Running";
	good(lab, azure_job_ops.stop(&lab->t.call, lab->arm.services, S("train/a")));
	assert_int_equal(fake_arm_count(&lab->arm, "POST", "/cancel"), 1);
	assert_int_equal(observe(lab, "train/a", "Canceled").state, JOB_STOPPED);
	good(lab, azure_job_ops.stop(&lab->t.call, lab->arm.services, S("train/a")));
	assert_int_equal(fake_arm_count(&lab->arm, "POST", "/cancel"), 1);
	good(lab, azure_job_ops.stop(&lab->t.call, lab->arm.services, S("train/none")));
}

static void test_logs(void **state)
{
	struct lab *lab = *state;
	struct test_sink sink;
	submit(lab, "train/a");
	test_sink_init(&sink);
	good(lab, azure_job_ops.logs(&lab->t.call, lab->arm.services, S("train/a"), &sink.sink));
	assert_int_equal(sink.bytes.n, 0);
	char key[200];
	snprintf(key, sizeof(key), "ExperimentRun/dcid.%s/user_logs/std_log.txt", json_text(only_job(lab), "name"));
	memory_cloud_bucket(&lab->memory, AZURE_LOG_CONTAINER);
	memory_cloud_poke(&lab->memory, AZURE_LOG_CONTAINER, key, S("epoch 1\n"));
	good(lab, azure_job_ops.logs(&lab->t.call, lab->arm.services, S("train/a"), &sink.sink));
	assert_true(str_eq(buf_str(&sink.bytes), S("epoch 1\n")));
	buf_free(&sink.bytes);
}

static void test_list_and_remove(void **state)
{
	struct lab *lab = *state;
	struct str *names = NULL;
	size_t count = 0;
	static const char *const jobs[] = {"train/c", "train/a", "transform/x", "train/b", "train/d"};
	for (size_t i = 0; i < COUNT_OF(jobs); i++)
		submit(lab, jobs[i]);
	good(lab, azure_job_ops.list(&lab->t.call, lab->arm.services, S("train/"), &names, &count));
	assert_int_equal(count, 4); // over three pages
	for (size_t i = 0; i < count; i++)
		assert_int_equal(names[i].p[6], 'a' + (int)i);
	lab->status = "Running";
	assert_int_equal(azure_job_ops.remove(&lab->t.call, lab->arm.services, S("train/a")), ERR_IN_USE);
	err_clear(&lab->t.call.err);
	lab->status = "Completed";
	// A job that its worker never spoke of is lost: its removal is complete all the same.
	good(lab, azure_job_ops.remove(&lab->t.call, lab->arm.services, S("train/a")));
	assert_int_equal(fake_arm_count(&lab->arm, "DELETE", "/jobs/train-a-"), 1);
	assert_int_equal(memory_cloud_count(&lab->memory, "lake", ".isobar/jobs/train+a/"), 0);
	good(lab, azure_job_ops.remove(&lab->t.call, lab->arm.services, S("train/a")));
}

static void test_refusals(void **state)
{
	struct lab *lab = *state;
	struct job_spec spec = spec_named("train/a");
	spec.memory = UINT64_C(1) << 50;
	assert_int_equal(azure_job_ops.submit(&lab->t.call, lab->arm.services, &spec), ERR_LIMIT);
	assert_non_null(strstr(lab->t.call.err.message, "Standard_E32s_v3"));
	lab->arm.services->config.image = S("");
	assert_int_equal(azure_job_ops.submit(&lab->t.call, lab->arm.services, &spec), ERR_INVALID);
	assert_non_null(strstr(lab->t.call.err.message, "names no image"));
}

static void test_sizes(void **state)
{
	(void)state;
	assert_string_equal(ml_size_for(0.5, 0)->name, "Standard_DS1_v2");
	assert_string_equal(ml_size_for(2, UINT64_C(8) << 30)->name, "Standard_D2s_v3");
	assert_null(ml_size_for(64, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_request, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nothing_doubled, setup, teardown),
		cmocka_unit_test_setup_teardown(test_states, setup, teardown),
		cmocka_unit_test_setup_teardown(test_overdue, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lost_is_tried_again, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stop, setup, teardown),
		cmocka_unit_test_setup_teardown(test_logs, setup, teardown),
		cmocka_unit_test_setup_teardown(test_list_and_remove, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refusals, setup, teardown),
		cmocka_unit_test(test_sizes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
