// SPDX-License-Identifier: Apache-2.0
// From weights to a version: files on every cloud, a record after them, an alias that must be earned; and the sum of measurements.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "models/registry.h"
#include "toy_world.h"
#include "train/measure.h"
#include "train/model_files.h"
#include "train/model_step.h"
#include "train/reference.h"

static const char declared[] =
	"{\"from\":\"training/classifier\",\"bucket\":\"bucket/lake\",\"input\":{\"image\":{\"type\":\"fp32\",\"shape\":[6]}},"
	"\"output\":{\"class\":{\"type\":\"int64\",\"shape\":[1]}},"
	"\"aliases\":{\"champion\":{\"needs\":[\"accuracy >= 0.6 on prepared/test\"]},\"star\":{\"needs\":[\"accuracy > 1 on prepared/test\"]},"
	"\"odd\":{\"needs\":[\"auc >= 0.6 on prepared/test\"]},\"any\":{}}}";

struct model_world {
	struct toy_world w;
	struct resource training, model;
};

static void open_world(struct model_world *m)
{
	toy_open(&m->w);
	toy_declare_federated(&m->w, "20s", &m->training);
	m->w.inputs[2] = (struct step_input){.address = S("training/classifier"), .run = m->w.step.run, .outputs = toy_make(&m->w)};
	m->w.step.input_count = 3;
	toy_declare(&m->w, "model/classifier", declared, &m->model);
	m->w.step.alias = S("champion");
}

static int make(struct model_world *m, json_t **outputs)
{
	*outputs = NULL;
	int rc = model_make(&m->w.f.call, NULL, &m->w.step, outputs);
	if (rc == 0)
		*outputs = json_in_arena(&m->w.f.arena, *outputs);
	return rc;
}

static void test_version_and_alias(void **state)
{
	(void)state;
	struct model_world m;
	struct model_version v;
	struct model_alias_record alias;
	json_t *outputs, *again;
	open_world(&m);
	assert_ok(&m.w.f, make(&m, &outputs));
	assert_str(json_str(outputs, "version"), S("1"));
	assert_ok(&m.w.f, model_version_get(&m.w.f.call, &m.w.s, S("classifier"), S("1"), &v));
	assert_int_equal(v.cloud_count, 3);
	assert_str(v.sha256, json_str(m.w.inputs[2].outputs, "sha256"));
	assert_str(json_str(v.lineage, "training"), S("classifier"));
	assert_str(json_str(json_object_get(v.lineage, "inputs"), "dataset/images"), S("d"));
	double accuracy = json_num(v.metrics, "accuracy on prepared/test", 0);
	assert_true(accuracy >= 0.6 && accuracy <= 1);
	assert_ok(&m.w.f, model_alias_get(&m.w.f.call, &m.w.s, S("classifier"), S("champion"), &alias));
	assert_str(alias.version, S("1"));
	const json_t *need = json_array_get(alias.needs, 0);
	assert_str(json_str(need, "need"), S("accuracy >= 0.6 on prepared/test"));
	assert_true(json_num(need, "measured", 0) == accuracy);
	for (size_t i = 0; i < TOY_CLOUDS; i++)
		assert_digest(memory_cloud_peek(&m.w.memory[i], "fashion-lake", "models/classifier/1/weights.safetensors"), v.sha256);
	assert_ok(&m.w.f, make(&m, &again)); // again: nothing new
	assert_true(json_equal(outputs, again));
	assert_int_equal(fixture_events(&m.w.f, &m.w.s, "model.registered", NULL), 1);
	assert_int_equal(fixture_events(&m.w.f, &m.w.s, "model.promoted", NULL), 1);
	toy_close(&m.w);
}

// The same number as counting by hand over the three clouds' test parts.
static void test_measuring_adds_up(void **state)
{
	(void)state;
	struct model_world m;
	struct model_version v;
	struct safetensors s;
	struct mlp mlp;
	json_t *outputs;
	size_t correct = 0;
	open_world(&m);
	assert_ok(&m.w.f, make(&m, &outputs));
	assert_ok(&m.w.f, model_version_get(&m.w.f.call, &m.w.s, S("classifier"), S("1"), &v));
	assert_ok(&m.w.f, safetensors_parse(toy_final(&m.w, 0), &m.w.f.arena, &s, &m.w.f.call.err));
	assert_ok(&m.w.f, mlp_read(&s, &mlp, &m.w.f.call.err));
	for (size_t i = 0; i < TOY_CLOUDS; i++) {
		struct str data = memory_cloud_peek(&m.w.memory[i], "fashion-lake", "transforms/prepared/t/test/data.safetensors");
		assert_ok(&m.w.f, safetensors_parse(data, &m.w.f.arena, &s, &m.w.f.call.err));
		const float *x = (const void *)safetensors_find(&s, S("image"))->data;
		const int64_t *label = (const void *)safetensors_find(&s, S("class"))->data;
		for (size_t k = 0; k < TOY_SAMPLES; k++) {
			float scratch[16], logits[2];
			mlp_forward(&mlp, x + k * TOY_WIDTH, scratch, logits);
			correct += mlp_class(logits, 2) == (size_t)label[k];
		}
	}
	assert_true(json_num(v.metrics, "accuracy on prepared/test", 0) == (double)correct / (TOY_CLOUDS * TOY_SAMPLES));
	mlp_free(&mlp);
	toy_close(&m.w);
}

static void test_description(void **state)
{
	(void)state;
	struct model_world m;
	json_t *outputs, *j = NULL;
	struct sketch sketch, reference;
	struct reference_env env;
	struct field_ref ref = {.name = S("prepared"), .qualifier = S("train")};
	open_world(&m);
	assert_ok(&m.w.f, make(&m, &outputs));
	struct str text = memory_cloud_peek(&m.w.memory[1], "fashion-lake", "models/classifier/1/model.json");
	assert_ok(&m.w.f, json_parse(text, &j, &m.w.f.call.err));
	assert_str(json_str(j, "format"), S("mlp"));
	assert_str(json_str(j, "version"), S("1"));
	const json_t *input = json_array_get(json_object_get(j, "inputs"), 0);
	assert_str(json_str(input, "name"), S("image"));
	assert_str(json_str(input, "datatype"), S("FP32"));
	assert_int_equal(json_integer_value(json_array_get(json_object_get(input, "shape"), 0)), -1);
	assert_int_equal(json_integer_value(json_array_get(json_object_get(input, "shape"), 1)), 6);
	assert_int_equal(json_array_size(json_object_get(j, "layers")), 3);
	assert_ok(&m.w.f, sketch_of_json(json_object_get(j, "sketch"), &sketch, &m.w.f.call.err));
	assert_int_equal(sketch.samples, TOY_CLOUDS * TOY_SAMPLES);
	env = (struct reference_env){.state = &m.w.s, .clouds = &m.w.clouds};
	assert_fails(&m.w.f, reference_sketch(&m.w.f.call, &env, &ref, &reference), ERR_NOT_FOUND); // no pipeline recorded it here
	sketch_free(&sketch);
	json_decref(j);
	toy_close(&m.w);
}

static void test_needs_must_hold(void **state)
{
	(void)state;
	struct model_world m;
	struct model_version v;
	struct model_alias_record alias;
	json_t *outputs;
	open_world(&m);
	m.w.step.alias = S("star");
	assert_int_equal(make(&m, &outputs), ERR_FAILED);
	assert_non_null(strstr(m.w.f.call.err.message, "for \"accuracy > 1 on prepared/test\": the alias star stays where it was"));
	err_clear(&m.w.f.call.err);
	assert_fails(&m.w.f, model_alias_get(&m.w.f.call, &m.w.s, S("classifier"), S("star"), &alias), ERR_NOT_FOUND);
	assert_ok(&m.w.f, model_version_get(&m.w.f.call, &m.w.s, S("classifier"), S("1"), &v)); // the version exists, measured
	assert_true(json_num(v.metrics, "accuracy on prepared/test", -1) >= 0);
	m.w.step.alias = S("odd");
	assert_int_equal(make(&m, &outputs), ERR_UNSUPPORTED);
	assert_non_null(strstr(m.w.f.call.err.message, "\"auc\" cannot be measured"));
	err_clear(&m.w.f.call.err);
	m.w.step.alias = S("absent");
	assert_fails(&m.w.f, make(&m, &outputs), ERR_NOT_FOUND);
	m.w.step.alias = S("any");
	assert_ok(&m.w.f, make(&m, &outputs));
	assert_str(json_str(outputs, "version"), S("1"));
	assert_ok(&m.w.f, model_alias_get(&m.w.f.call, &m.w.s, S("classifier"), S("any"), &alias));
	toy_close(&m.w);
}

static void test_weights_must_be_those_recorded(void **state)
{
	(void)state;
	struct model_world m;
	json_t *outputs;
	open_world(&m);
	struct str good = arena_str(&m.w.f.arena, toy_final(&m.w, 0));
	for (size_t i = 0; i < TOY_CLOUDS; i++)
		memory_cloud_poke(&m.w.memory[i], "fashion-lake", "trainings/classifier/3fa2c1d20b6e/final/weights.safetensors", S("other"));
	assert_int_equal(make(&m, &outputs), ERR_CORRUPT);
	assert_non_null(strstr(m.w.f.call.err.message, "are not those that the training recorded"));
	err_clear(&m.w.f.call.err);
	memory_cloud_poke(&m.w.memory[2], "fashion-lake", "trainings/classifier/3fa2c1d20b6e/final/weights.safetensors", good);
	assert_ok(&m.w.f, make(&m, &outputs)); // one good copy is enough
	toy_close(&m.w);
}

// Weights that are no perceptron are kept as they are, and a model without a sketch has none.
static void test_other_weights(void **state)
{
	(void)state;
	struct model_world m;
	struct model_files files;
	struct model model = {0};
	json_t *j = NULL;
	open_world(&m);
	struct str text = memory_cloud_peek(&m.w.memory[0], "fashion-lake", "transforms/prepared/t/train/data.safetensors");
	struct sha256 sum = sha256_of(text);
	char digest[HEX_SHA256_SIZE];
	hex_encode(str_bytes(sum.bytes, SHA256_SIZE), digest);
	memory_cloud_poke(&m.w.memory[0], "fashion-lake", "own/weights.safetensors", arena_str(&m.w.f.arena, text));
	struct model_version v = {.model = S("cnn"), .version = S("4"), .sha256 = str_of(digest)};
	AUTO(json) trained = json_pack("{s:[{s:s, s:s, s:s}]}", "parts", "cloud", "gcp-eu", "bucket", "fashion-lake", "prefix", "own/");
	struct model_source from = {.model = &model, .version = &v, .trained = trained};
	assert_ok(&m.w.f, model_files_make(&m.w.f.call, &m.w.step, &from, &files));
	assert_ok(&m.w.f, json_parse_file(files.description, 1 << 20, &j, &m.w.f.call.err));
	assert_str(json_str(j, "format"), S("safetensors"));
	assert_null(json_object_get(j, "layers"));
	assert_null(json_object_get(j, "sketch"));
	json_decref(j);
	toy_close(&m.w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_version_and_alias),
		cmocka_unit_test(test_measuring_adds_up),
		cmocka_unit_test(test_description),
		cmocka_unit_test(test_needs_must_hold),
		cmocka_unit_test(test_weights_must_be_those_recorded),
		cmocka_unit_test(test_other_weights),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
