// SPDX-License-Identifier: Apache-2.0
// Specifications and states of jobs as JSON: what is written is read back whole, and older files keep their meaning.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cloud/job_files.h"

static const char *const argv[] = {"builtin/mlp", NULL};

static struct job_spec some_spec(void)
{
	return (struct job_spec){.name = S("train/classifier/0f3a/round-1/aws-us"),
		.argv = argv,
		.output = {.bucket = S("lake"), .prefix = S("trainings/classifier/")},
		.cpu = 0.5,
		.memory = 1 << 20,
		.deadline_ns = 7};
}

static void test_spec(void **state)
{
	AUTO(arena) a = {0};
	struct err e = {0};
	struct job_spec spec = some_spec(), read = {0};
	AUTO(json) plain = job_spec_to_json(&spec);
	spec.spot = true;
	AUTO(json) spot = job_spec_to_json(&spec);
	assert_null(json_object_get(plain, "spot")); // the same bytes as before there was such a thing
	assert_int_equal(job_spec_of_json(&a, plain, &read, &e), 0);
	assert_false(read.spot);
	assert_int_equal(job_spec_of_json(&a, spot, &read, &e), 0);
	assert_true(read.spot);
	assert_int_equal(read.deadline_ns, 7);
	(void)state;
}

static void test_status(void **state)
{
	AUTO(arena) a = {0};
	struct err e = {0};
	const struct job_status status = {.state = JOB_FAILED, .exit_code = 3, .reason = S("why"), .billed_s = 61, .interrupted = 2};
	struct job_status read = {0};
	AUTO(json) j = job_status_to_json(&status);
	assert_int_equal(job_status_of_json(&a, j, &read, &e), 0);
	assert_int_equal(read.state, JOB_FAILED);
	assert_int_equal(read.exit_code, 3);
	assert_float_equal(read.billed_s, 61, 0);
	assert_int_equal(read.interrupted, 2);
	json_object_del(j, "billed_s"); // as 0.2 wrote it
	json_object_del(j, "interrupted");
	assert_int_equal(job_status_of_json(&a, j, &read, &e), 0);
	assert_float_equal(read.billed_s, 0, 0);
	assert_int_equal(read.interrupted, 0);
	json_object_set_new(j, "state", json_string("dancing"));
	assert_int_equal(job_status_of_json(&a, j, &read, &e), ERR_CORRUPT);
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_spec), cmocka_unit_test(test_status)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
