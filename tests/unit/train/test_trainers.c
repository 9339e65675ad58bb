// SPDX-License-Identifier: Apache-2.0
// The built-in trainers under their contract of files: what they read, write and refuse; equal input gives equal weights.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "math/rng.h"
#include "train/trainers.h"

enum { WIDTH = 6, CLASSES = 2 };
static char folder[] = "/tmp/isobar-test-XXXXXX";

static const char *at(const char *rest)
{
	static char paths[8][200];
	static int next;
	char *path = paths[next++ % 8];
	snprintf(path, 200, "%s/%s", folder, rest);
	return path;
}

static void make_folder(const char *rest)
{
	struct err e = {0};
	assert_int_equal(file_make_dirs(at(rest), 0700, &e), 0);
}

// n samples whose class is the larger of two halves.
static void write_data(const char *rest, size_t n, uint64_t seed)
{
	float *x = calloc(n * WIDTH, sizeof(*x));
	int64_t *label = calloc(n, sizeof(*label));
	const uint64_t shape[] = {n, 2, WIDTH / 2};
	struct rng r;
	struct err e = {0};
	rng_seed(&r, seed, 0);
	for (size_t i = 0; i < n; i++) {
		label[i] = (int64_t)rng_below(&r, CLASSES);
		for (size_t k = 0; k < WIDTH; k++)
			x[i * WIDTH + k] = (float)(rng_uniform(&r) + (k / (WIDTH / 2) == (size_t)label[i] ? 0.5 : 0));
	}
	struct tensor t[] = {{.name = S("image"), .type = TENSOR_F32, .shape = shape, .rank = 3, .data = (void *)x},
		{.name = S("class"), .type = TENSOR_I64, .shape = shape, .rank = 1, .data = (void *)label}};
	struct safetensors s = {.tensors = t, .count = 2};
	assert_int_equal(safetensors_write_file(at(rest), &s, NULL, &e), 0);
	free(x);
	free(label);
}

static json_t *read_json(const char *rest)
{
	json_t *j = NULL;
	struct err e = {0};
	assert_int_equal(json_parse_file(at(rest), 10000, &j, &e), 0);
	return j;
}

static int setup(UNUSED void **state)
{
	memcpy(folder + strlen(folder) - 6, "XXXXXX", 6);
	if (!mkdtemp(folder))
		return -1;
	make_folder("in/data");
	make_folder("in/global");
	make_folder("in/model");
	make_folder("out");
	return 0;
}

static int teardown(UNUSED void **state)
{
	struct err e = {0};
	return file_remove_tree(folder, &e);
}

static int run(int (*trainer)(const struct trainer_env *, struct err *), const char *with, struct err *e)
{
	AUTO(json) settings = json_loads(with, 0, NULL);
	assert_non_null(settings);
	return trainer(&(struct trainer_env){.data = at("in"), .out = at("out"), .with = settings}, e);
}

static void move(const char *from, const char *to)
{
	assert_int_equal(rename(at(from), at(to)), 0);
}

static void test_trains_and_evaluates(UNUSED void **state)
{
	struct err e = {0};
	write_data("in/data/a.safetensors", 300, 1);
	if (run(trainer_mlp, "{\"hidden\":[8],\"batch\":10,\"learning_rate\":0.2,\"seed\":3,\"epochs\":20}", &e) < 0)
		fail_msg("%s", e.message);
	AUTO(json) metrics = read_json("out/metrics.json");
	assert_int_equal(json_int(metrics, "samples", 0), 300);
	assert_int_equal(json_int(metrics, "round", -1), 0);
	assert_string_equal(json_text(metrics, "base"), "");
	assert_true(json_num(metrics, "loss", 9) < 0.3);
	move("out/weights.safetensors", "in/model/weights.safetensors");
	assert_int_equal(run(trainer_evaluate, "{}", &e), 0);
	AUTO(json) measured = read_json("out/metrics.json");
	assert_int_equal(json_int(measured, "samples", 0), 300);
	assert_true(json_int(measured, "correct", 0) > 280);
	assert_true(json_num(measured, "accuracy", 0) == (double)json_int(measured, "correct", 0) / 300);
}

static void read_weights(const char *rest, struct buf *out)
{
	struct err e = {0};
	buf_clear(out);
	assert_int_equal(file_read(at(rest), 1 << 20, out, &e), 0);
}

static void test_rounds_begin_with_global_weights(UNUSED void **state)
{
	struct err e = {0};
	AUTO(buf) first = {0};
	AUTO(buf) again = {0};
	char with[300], digest[HEX_SHA256_SIZE];
	write_data("in/data/a.safetensors", 60, 1);
	make_folder("in/data/more");
	write_data("in/data/more/b.safetensors", 40, 2); // several files are read one after the other
	assert_int_equal(run(trainer_mlp, "{\"hidden\":[8,4],\"classes\":5}", &e), 0);
	move("out/weights.safetensors", "in/global/weights.safetensors");
	read_weights("in/global/weights.safetensors", &first);
	struct sha256 sum = sha256_of(buf_str(&first));
	hex_encode(str_bytes(sum.bytes, SHA256_SIZE), digest);
	snprintf(with, sizeof(with), "{\"round\":2,\"base\":\"%s\"}", digest);
	if (run(trainer_mlp, with, &e) < 0)
		fail_msg("%s", e.message);
	AUTO(json) metrics = read_json("out/metrics.json");
	assert_int_equal(json_int(metrics, "samples", 0), 100);
	assert_int_equal(json_int(metrics, "round", 0), 2);
	assert_string_equal(json_text(metrics, "base"), digest);
	read_weights("out/weights.safetensors", &first);
	assert_int_equal(run(trainer_mlp, with, &e), 0);
	read_weights("out/weights.safetensors", &again);
	assert_true(str_eq(buf_str(&first), buf_str(&again)));
	assert_int_equal(run(trainer_mlp, "{\"round\":3}", &e), 0); // another round, another order
	read_weights("out/weights.safetensors", &again);
	assert_false(str_eq(buf_str(&first), buf_str(&again)));
	assert_int_equal(run(trainer_mlp, "{\"base\":\"abc\"}", &e), ERR_CORRUPT);
	assert_non_null(strstr(e.message, "this round begins with abc"));
	assert_int_equal(unlink(at("in/global/weights.safetensors")), 0);
	assert_int_equal(run(trainer_mlp, with, &e), ERR_INVALID);
	assert_non_null(strstr(e.message, "is missing"));
}

static void refuse(int (*trainer)(const struct trainer_env *, struct err *), const char *with, const char *because)
{
	struct err e = {0};
	assert_true(run(trainer, with, &e) < 0);
	if (!strstr(e.message, because))
		fail_msg("\"%s\" does not say \"%s\"", e.message, because);
}

static void test_refuses_settings(UNUSED void **state)
{
	refuse(trainer_mlp, "{\"batch\":0}", "with.batch");
	refuse(trainer_mlp, "{\"batch\":\"x\"}", "with.batch");
	refuse(trainer_mlp, "{\"epochs\":-1}", "with.epochs");
	refuse(trainer_mlp, "{\"hidden\":8}", "with.hidden");
	refuse(trainer_mlp, "{\"hidden\":[0]}", "with.hidden");
	refuse(trainer_mlp, "{\"learning_rate\":0}", "with.learning_rate");
	refuse(trainer_mlp, "{\"seed\":1.5}", "with.seed");
	refuse(trainer_mlp, "{}", "no file *.safetensors");
}

static void write_text(const char *rest, const char *text)
{
	struct err e = {0};
	assert_int_equal(file_write_atomic(at(rest), str_of(text), 0600, &e), 0);
}

static void test_refuses_data(UNUSED void **state)
{
	write_text("in/data/a.safetensors", "not at all");
	refuse(trainer_mlp, "{}", "a.safetensors");
	write_text("in/data/a.safetensors", "\2");
	refuse(trainer_mlp, "{}", "too few");
	uint64_t shape[] = {2, 3};
	float zeros[6] = {0};
	struct tensor t = {.name = S("image"), .type = TENSOR_F32, .shape = shape, .rank = 2, .data = (void *)zeros};
	struct safetensors s = {.tensors = &t, .count = 1};
	struct err e = {0};
	assert_int_equal(safetensors_write_file(at("in/data/a.safetensors"), &s, NULL, &e), 0);
	refuse(trainer_mlp, "{}", "\"class\" is missing");
	t.name = S("images");
	assert_int_equal(safetensors_write_file(at("in/data/a.safetensors"), &s, NULL, &e), 0);
	refuse(trainer_mlp, "{}", "expected a tensor \"image\"");
	write_data("in/data/a.safetensors", 20, 1);
	refuse(trainer_evaluate, "{}", "model/weights.safetensors");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_trains_and_evaluates, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rounds_begin_with_global_weights, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refuses_settings, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refuses_data, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
