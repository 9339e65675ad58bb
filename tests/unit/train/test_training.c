// SPDX-License-Identifier: Apache-2.0
// Whole trainings on clouds in memory: the result is what a plain computation gives, the journal tells of it, one job finds its place.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "toy_world.h"
#include "data/transfer.h"

// The same three rounds by hand: train each site from the same weights, mean, Nesterov.
static void by_hand(struct toy_world *w, struct mlp *global)
{
	static const size_t sizes[] = {TOY_WIDTH, 5, 2}, floats = (TOY_WIDTH + 1) * 5 + 6 * 2;
	float momentum[64] = {0};
	struct blas blas;
	blas_open(&blas, NULL);
	assert_ok(&w->f, mlp_new(global, sizes, 3, &w->f.call.err));
	mlp_initialise(global, 3);
	for (int round = 1; round <= 3; round++) {
		double mean[64] = {0};
		for (size_t i = 0; i < TOY_CLOUDS; i++) {
			struct safetensors s;
			struct mlp site;
			double loss;
			struct str data = memory_cloud_peek(&w->memory[i], "fashion-lake", "transforms/prepared/t/train/data.safetensors");
			assert_ok(&w->f, safetensors_parse(data, &w->f.arena, &s, &w->f.call.err));
			struct mlp_data d = {(const void *)safetensors_find(&s, S("image"))->data,
				(const void *)safetensors_find(&s, S("class"))->data, TOY_SAMPLES};
			struct mlp_options o = {.batch = 10, .epochs = 2, .rate = 0.1f, .seed = 3, .stream = (uint64_t)round, .blas = &blas};
			assert_ok(&w->f, mlp_new(&site, sizes, 3, &w->f.call.err));
			memcpy(site.memory, global->memory, floats * sizeof(float));
			assert_ok(&w->f, mlp_train(&site, &d, &o, &loss, &w->f.call.err));
			for (size_t k = 0; k < floats; k++)
				mean[k] += (double)site.memory[k] / TOY_CLOUDS;
			mlp_free(&site);
		}
		for (size_t k = 0; k < floats; k++) {
			double g = (double)global->memory[k] - mean[k], b = round == 1 ? g : 0.9 * (double)momentum[k] + g;
			momentum[k] = (float)b;
			global->memory[k] = (float)((double)global->memory[k] - 0.7 * (g + 0.9 * b));
		}
	}
}

static void test_result(void **state)
{
	(void)state;
	struct toy_world w;
	struct resource r;
	struct mlp expected, got;
	struct safetensors s;
	toy_open(&w);
	toy_declare_federated(&w, "20s", &r);
	json_t *outputs = toy_make(&w);
	assert_int_equal(json_int(outputs, "rounds", 0), 3);
	assert_int_equal(json_int(outputs, "samples", 0), TOY_CLOUDS * TOY_SAMPLES);
	assert_str(json_str(outputs, "class"), S("public"));
	assert_int_equal(json_array_size(json_object_get(outputs, "parts")), 3);
	for (size_t i = 0; i < TOY_CLOUDS; i++)
		assert_digest(toy_final(&w, i), json_str(outputs, "sha256"));
	by_hand(&w, &expected);
	assert_ok(&w.f, safetensors_parse(toy_final(&w, 0), &w.f.arena, &s, &w.f.call.err));
	assert_ok(&w.f, mlp_read(&s, &got, &w.f.call.err));
	for (size_t i = 0; i < (TOY_WIDTH + 1) * 5 + 6 * 2; i++)
		assert_true(expected.memory[i] - got.memory[i] < 1e-5f && got.memory[i] - expected.memory[i] < 1e-5f);
	mlp_free(&expected);
	mlp_free(&got);
	assert_non_null(strstr(buf_cstr(&w.told), "round 3 of 3: 3 of 3 clouds, 120 samples, loss "));
	for (size_t i = 0; i < TOY_CLOUDS; i++) { // of the rounds themselves nothing is left
		struct store_page left;
		assert_ok(&w.f, cloud_list_all(&w.f.call, &w.list[i], S("fashion-lake"), S("trainings/"), &left));
		assert_int_equal(left.count, 1);
		assert_true(str_ends(left.objects[0].key, S("/final/weights.safetensors")));
	}
	toy_close(&w);
}

static void test_journal(void **state)
{
	(void)state;
	struct toy_world w;
	struct resource r;
	struct event *accepted, *aggregated;
	toy_open(&w);
	toy_declare_federated(&w, "20s", &r);
	json_t *first = toy_make(&w), *again = toy_make(&w);
	assert_true(json_equal(first, again));
	assert_int_equal(fixture_events(&w.f, &w.s, "round.accepted", &accepted), 3);
	assert_int_equal(fixture_events(&w.f, &w.s, "round.aggregated", &aggregated), 3);
	for (size_t i = 0; i < 3; i++) {
		assert_true(accepted[i].sequence < aggregated[i].sequence);
		assert_int_equal(json_int(accepted[i].data, "round", 0), i + 1);
		assert_int_equal(json_array_size(json_object_get(accepted[i].data, "accepted")), 3);
		assert_str(json_str(accepted[i].data, "training"), S("classifier"));
	}
	assert_str(json_str(aggregated[2].data, "sha256"), json_str(first, "sha256"));
	for (size_t i = 0; i < TOY_CLOUDS; i++) {
		assert_int_equal(w.engines[i].count, 3);
		for (size_t k = 0; k < 3; k++)
			assert_int_equal(w.engines[i].jobs[k].ran, 1);
	}
	struct transfer_total *totals;
	size_t count;
	assert_ok(&w.f, transfer_totals(&w.f.call, &w.s, &totals, &count));
	assert_int_equal(count, 6); // here to each cloud and back
	toy_close(&w);
}

// ---------------------------------------------------------------- one job
static void test_single(void **state)
{
	(void)state;
	struct toy_world w;
	struct resource r;
	toy_open(&w);
	w.memory[0].egress_usd = 0.12;
	w.memory[1].egress_usd = 0.09;
	w.memory[2].egress_usd = 0.12;
	toy_declare(&w, "training/classifier",
		"{\"data\":\"transform/prepared/train\",\"trainer\":\"builtin/mlp\",\"bucket\":\"bucket/lake\",\"with\":{\"hidden\":[5],\"epochs\":30}}", &r);
	json_t *outputs = toy_make(&w);
	const json_t *place = json_array_get(json_object_get(outputs, "parts"), 0);
	assert_int_equal(json_array_size(json_object_get(outputs, "parts")), 1);
	assert_int_equal(json_int(outputs, "samples", 0), TOY_CLOUDS * TOY_SAMPLES); // all parts were brought together
	struct memory_cloud *there = NULL;
	for (size_t i = 0; i < TOY_CLOUDS; i++)
		if (str_eq(w.list[i].name, json_str(place, "cloud")))
			there = &w.memory[i];
	assert_non_null(there);
	assert_digest(memory_cloud_peek(there, "fashion-lake", "trainings/classifier/3fa2c1d20b6e/final/weights.safetensors"),
		json_str(outputs, "sha256"));
	assert_true(json_equal(outputs, toy_make(&w)));
	toy_close(&w);
}

static void test_refuses(void **state)
{
	(void)state;
	struct toy_world w;
	struct resource r;
	json_t *outputs = NULL;
	toy_open(&w);
	toy_declare(&w, "training/classifier", "{\"data\":\"transform/absent/train\",\"trainer\":\"builtin/mlp\"}", &r);
	assert_fails(&w.f, training_make(&w.f.call, NULL, &w.step, &outputs), ERR_WAITING);
	toy_declare(&w, "training/classifier", "{\"data\":\"transform/prepared/dev\",\"trainer\":\"builtin/mlp\"}", &r);
	assert_fails(&w.f, training_make(&w.f.call, NULL, &w.step, &outputs), ERR_INVALID);
	toy_declare(&w, "training/classifier",
		"{\"data\":\"transform/prepared/train\",\"trainer\":\"builtin/mlp\",\"with\":{\"batch\":0},\"bucket\":\"bucket/lake\","
		"\"federated\":{\"clouds\":[\"aws-us\"],\"rounds\":1}}", &r);
	assert_fails(&w.f, training_make(&w.f.call, NULL, &w.step, &outputs), ERR_CORRUPT); // no workspace with it is ever applied
	memory_cloud_poke(&w.memory[1], "fashion-lake", "transforms/prepared/t/train/data.safetensors", S("broken"));
	toy_declare_federated(&w, "20s", &r);
	assert_int_equal(training_make(&w.f.call, NULL, &w.step, &outputs), ERR_CORRUPT);
	assert_non_null(strstr(w.f.call.err.message, "aws-us"));
	toy_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_result),
		cmocka_unit_test(test_journal),
		cmocka_unit_test(test_single),
		cmocka_unit_test(test_refuses),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
