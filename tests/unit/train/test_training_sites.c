// SPDX-License-Identifier: Apache-2.0
// Sites that fail, lie, hang, lose their jobs or are down: left out as long as a quorum holds, and back in the next round.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "toy_world.h"

static void spoil(struct toy_world *w, size_t cloud, enum toy_fault fault, const char *in)
{
	w->engines[cloud].fault = fault;
	w->engines[cloud].fault_in = in;
	w->engines[cloud].lose = 2;
}

static void test_bad_sites_are_left_out(void **state)
{
	(void)state;
	static const struct {
		enum toy_fault fault;
		const char *reason;
	} cases[] = {
		{TOY_FAIL, "exit code 7"},
		{TOY_NAN, "a number that is not finite"},
		{TOY_SAMPLES_LIE, "1000000 samples, its data has 40"},
		{TOY_BASE_LIE, "the job began with weights 0123"},
		{TOY_NO_WEIGHTS, "left no weights.safetensors"},
		{TOY_REFUSE, "not allowed"},
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct toy_world w;
		struct resource r;
		struct event *accepted;
		toy_open(&w);
		toy_declare_federated(&w, "20s", &r);
		spoil(&w, 0, cases[i].fault, "/round-2/");
		toy_make(&w);
		assert_int_equal(fixture_events(&w.f, &w.s, "round.accepted", &accepted), 3);
		assert_int_equal(json_array_size(json_object_get(accepted[0].data, "accepted")), 3);
		assert_int_equal(json_array_size(json_object_get(accepted[1].data, "accepted")), 2);
		const json_t *lost = json_array_get(json_object_get(accepted[1].data, "lost"), 0);
		assert_str(json_str(lost, "site"), S("gcp-eu"));
		if (!strstr(json_text(lost, "reason"), cases[i].reason))
			fail_msg("\"%s\" does not say \"%s\"", json_text(lost, "reason"), cases[i].reason);
		assert_int_equal(json_array_size(json_object_get(accepted[2].data, "accepted")), 3); // it is back
		toy_close(&w);
	}
}

static void test_lost_jobs_run_again(void **state)
{
	(void)state;
	struct toy_world w;
	struct resource r;
	toy_open(&w);
	toy_declare_federated(&w, "20s", &r);
	spoil(&w, 1, TOY_LOSE, "/round-1/");
	toy_make(&w);
	struct event *accepted;
	fixture_events(&w.f, &w.s, "round.accepted", &accepted);
	assert_int_equal(json_array_size(json_object_get(accepted[0].data, "accepted")), 3);
	toy_close(&w);
}

static void test_late_sites(void **state)
{
	(void)state;
	struct toy_world w;
	struct resource r;
	struct event *accepted;
	toy_open(&w);
	toy_declare_federated(&w, "60s", &r);
	spoil(&w, 2, TOY_HANG, "/round-2/");
	toy_make(&w);
	fixture_events(&w.f, &w.s, "round.accepted", &accepted);
	assert_int_equal(json_array_size(json_object_get(accepted[1].data, "accepted")), 2);
	assert_str(json_value_str(json_array_get(json_object_get(accepted[1].data, "late"), 0)), S("azure-eu"));
	assert_int_equal(w.engines[2].stops, 1);
	toy_close(&w);
}

static void test_no_quorum(void **state)
{
	(void)state;
	struct toy_world w;
	struct resource r;
	json_t *outputs = NULL;
	toy_open(&w);
	toy_declare_federated(&w, "20s", &r);
	spoil(&w, 0, TOY_FAIL, "/round-2/");
	spoil(&w, 1, TOY_FAIL, "/round-2/");
	assert_int_equal(training_make(&w.f.call, NULL, &w.step, &outputs), ERR_FAILED);
	if (!strstr(w.f.call.err.message, "aws-us: exit code 7") || !strstr(w.f.call.err.message, "2 are needed"))
		fail_msg("%s", w.f.call.err.message);
	err_clear(&w.f.call.err);
	spoil(&w, 0, TOY_NONE, "");
	spoil(&w, 1, TOY_NONE, "");
	toy_make(&w); // what failed is run again, what was accepted holds
	assert_int_equal(fixture_events(&w.f, &w.s, "round.accepted", NULL), 3);
	toy_close(&w);
}

static void test_a_cloud_that_is_down(void **state)
{
	(void)state;
	struct toy_world w;
	struct resource r;
	struct event *accepted;
	toy_open(&w);
	toy_declare_federated(&w, "60s", &r);
	atomic_store(&w.memory[1].down, true);
	json_t *outputs = toy_make(&w);
	assert_int_equal(json_array_size(json_object_get(outputs, "parts")), 2);
	fixture_events(&w.f, &w.s, "round.accepted", &accepted);
	for (size_t i = 0; i < 3; i++)
		assert_str(json_value_str(json_array_get(json_object_get(accepted[i].data, "late"), 0)), S("aws-us"));
	toy_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bad_sites_are_left_out),
		cmocka_unit_test(test_lost_jobs_run_again),
		cmocka_unit_test(test_late_sites),
		cmocka_unit_test(test_no_quorum),
		cmocka_unit_test(test_a_cloud_that_is_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
