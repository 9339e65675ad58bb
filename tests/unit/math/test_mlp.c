// SPDX-License-Identifier: Apache-2.0
// The perceptron: it learns, its gradient is right, equal seeds give equal bytes, its file form is checked.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "math/mlp.h"
#include "math/rng.h"

enum { WIDTH = 12, CLASSES = 3, SAMPLES = 600 };
static float x[SAMPLES * WIDTH];
static int64_t label[SAMPLES];
static const size_t sizes[] = {WIDTH, 16, 8, CLASSES};

// Three clouds of points around corners of a cube, with noise.
static int setup(UNUSED void **state)
{
	struct rng r;
	rng_seed(&r, 7, 0);
	for (size_t i = 0; i < SAMPLES; i++) {
		label[i] = (int64_t)rng_below(&r, CLASSES);
		for (size_t k = 0; k < WIDTH; k++)
			x[i * WIDTH + k] = (float)((k % CLASSES == (size_t)label[i]) + rng_uniform(&r) - 0.5);
	}
	return 0;
}

static struct mlp trained(uint64_t seed, uint64_t stream, size_t epochs)
{
	struct mlp m;
	struct err e = {0};
	struct blas b = blas_own();
	double loss = 0;
	assert_int_equal(mlp_new(&m, sizes, 4, &e), 0);
	mlp_initialise(&m, seed);
	struct mlp_options o = {.batch = 50, .epochs = epochs, .rate = 0.1f, .seed = seed, .stream = stream, .blas = &b};
	struct mlp_data d = {x, label, SAMPLES};
	assert_int_equal(mlp_train(&m, &d, &o, &loss, &e), 0);
	assert_true(loss > 0 && loss < 1.5);
	return m;
}

static size_t bytes_of(void)
{
	return sizeof(float) * ((WIDTH + 1) * 16 + 17 * 8 + 9 * CLASSES);
}

static void test_learns(UNUSED void **state)
{
	AUTO(mlp) m = trained(1, 0, 20);
	struct blas b = blas_own();
	struct err e = {0};
	size_t correct = 0, served = 0;
	assert_int_equal(mlp_evaluate(&m, &(struct mlp_data){x, label, SAMPLES}, &b, &correct, &e), 0);
	assert_true(correct > SAMPLES * 95 / 100);
	float scratch[32], logits[CLASSES];
	assert_int_equal(mlp_scratch_size(&m), 32);
	for (size_t i = 0; i < SAMPLES; i++) {
		mlp_forward(&m, x + i * WIDTH, scratch, logits);
		served += mlp_class(logits, CLASSES) == (size_t)label[i];
	}
	assert_int_equal(served, correct);
	assert_int_equal(mlp_class((const float[]){1, 3, 3}, 3), 1);
}

static void test_equal_seeds_give_equal_bytes(UNUSED void **state)
{
	AUTO(mlp) a = trained(1, 4, 2);
	AUTO(mlp) b = trained(1, 4, 2);
	AUTO(mlp) c = trained(1, 5, 2);
	AUTO(mlp) d = trained(2, 4, 2);
	assert_memory_equal(a.memory, b.memory, bytes_of());
	assert_true(memcmp(a.memory, c.memory, bytes_of()) != 0);
	assert_true(memcmp(a.memory, d.memory, bytes_of()) != 0);
}

static double loss_of(const struct mlp *m)
{
	double loss = 0;
	float scratch[32], logits[CLASSES];
	for (size_t i = 0; i < SAMPLES; i++) {
		double sum = 0;
		mlp_forward(m, x + i * WIDTH, scratch, logits);
		for (size_t j = 0; j < CLASSES; j++)
			sum += exp((double)logits[j]);
		loss += log(sum) - (double)logits[label[i]];
	}
	return loss / SAMPLES;
}

// One full-batch step moves each weight by rate times the derivative that differences of the loss show.
static void test_gradient(UNUSED void **state)
{
	AUTO(mlp) m = {0};
	AUTO(mlp) stepped = {0};
	struct err e = {0};
	struct blas b = blas_own();
	double loss;
	assert_int_equal(mlp_new(&m, sizes, 4, &e), 0);
	assert_int_equal(mlp_new(&stepped, sizes, 4, &e), 0);
	mlp_initialise(&m, 3);
	memcpy(stepped.memory, m.memory, bytes_of());
	struct mlp_options o = {.batch = SAMPLES, .epochs = 1, .rate = 1, .blas = &b};
	assert_int_equal(mlp_train(&stepped, &(struct mlp_data){x, label, SAMPLES}, &o, &loss, &e), 0);
	assert_true(fabs(loss - loss_of(&m)) < 1e-5);
	for (size_t i = 0; i < bytes_of() / sizeof(float); i += 13) {
		float keep = m.memory[i], h = 0.01f;
		m.memory[i] = keep + h;
		double above = loss_of(&m);
		m.memory[i] = keep - h;
		double below = loss_of(&m);
		m.memory[i] = keep;
		double numeric = (above - below) / (2 * (double)h), step = (double)(keep - stepped.memory[i]);
		if (fabs(numeric - step) > 2e-3 * (1 + fabs(numeric)))
			fail_msg("weight %zu: derivative %g, step %g", i, numeric, step);
	}
}

static int end_after(void *ctx)
{
	int *left = ctx;
	return --*left > 0 ? 0 : ERR_CANCELLED;
}

static void test_refuses(UNUSED void **state)
{
	AUTO(mlp) m = {0};
	struct err e = {0};
	struct blas b = blas_own();
	double loss;
	size_t correct;
	int left = 3;
	int64_t wrong[SAMPLES] = {0, 3};
	assert_int_equal(mlp_new(&m, sizes, 1, &e), ERR_INVALID);
	assert_int_equal(mlp_new(&m, (const size_t[]){3, 0}, 2, &e), ERR_INVALID);
	assert_int_equal(mlp_new(&m, (const size_t[]){3, MLP_MAX_WIDTH + 1}, 2, &e), ERR_INVALID);
	assert_int_equal(mlp_new(&m, sizes, 4, &e), 0);
	mlp_initialise(&m, 1);
	struct mlp_options o = {.batch = 50, .epochs = 1, .rate = 0.1f, .blas = &b};
	struct mlp_data d = {x, wrong, SAMPLES};
	assert_int_equal(mlp_train(&m, &d, &o, &loss, &e), ERR_INVALID);
	assert_string_equal(e.message, "sample 1 has class 3; the perceptron has classes 0 to 2");
	assert_int_equal(mlp_evaluate(&m, &d, &b, &correct, &e), ERR_INVALID);
	d.label = label;
	o.rate = 1e30f;
	assert_int_equal(mlp_train(&m, &d, &o, &loss, &e), ERR_FAILED);
	assert_non_null(strstr(e.message, "diverged"));
	o.rate = -1;
	assert_int_equal(mlp_train(&m, &d, &o, &loss, &e), ERR_INVALID);
	o = (struct mlp_options){.batch = 50, .epochs = 1, .rate = 0.1f, .blas = &b, .tick = end_after, .ctx = &left};
	assert_int_equal(mlp_train(&m, &d, &o, &loss, &e), ERR_CANCELLED);
	d.n = 0;
	o.tick = NULL;
	assert_int_equal(mlp_train(&m, &d, &o, &loss, &e), ERR_INVALID);
}

static void test_file_form(UNUSED void **state)
{
	AUTO(mlp) m = trained(1, 0, 1);
	AUTO(mlp) again = {0};
	AUTO(arena) a = {0};
	AUTO(buf) file = {0};
	struct safetensors s;
	struct err e = {0};
	assert_int_equal(mlp_describe(&m, &a, &s, &e), 0);
	assert_int_equal(s.count, 6);
	assert_int_equal(safetensors_lay_out(&s, &e), 0);
	assert_int_equal(safetensors_write(&s, &file, &e), 0);
	assert_int_equal(safetensors_parse(buf_str(&file), &a, &s, &e), 0);
	assert_int_equal(mlp_read(&s, &again, &e), 0);
	assert_int_equal(again.layers, 3);
	assert_memory_equal(again.sizes, sizes, sizeof(sizes));
	assert_memory_equal(again.memory, m.memory, bytes_of());
	assert_int_equal(mlp_finite(&again, &e), 0);
	again.bias[1][2] = NAN;
	assert_int_equal(mlp_finite(&again, &e), ERR_FAILED);
	assert_string_equal(e.message, "tensor \"layer1.bias\" has a number that is not finite");
}

static void test_file_form_refused(UNUSED void **state)
{
	static const uint64_t good[] = {3, 4}, other[] = {5, 7};
	static const float zeros[64];
	const unsigned char *data = (const unsigned char *)zeros;
	struct tensor t[] = {
		{.name = S("layer0.weight"), .type = TENSOR_F32, .shape = good, .rank = 2, .end = 48, .data = data},
		{.name = S("layer0.bias"), .type = TENSOR_F32, .shape = good, .rank = 1, .end = 12, .data = data},
		{.name = S("layer1.weight"), .type = TENSOR_F32, .shape = other, .rank = 2, .end = 140, .data = data},
		{.name = S("layer1.bias"), .type = TENSOR_F32, .shape = other, .rank = 1, .end = 20, .data = data},
	};
	struct safetensors s = {.tensors = t, .count = 4};
	struct mlp m = {0};
	struct err e = {0};
	assert_int_equal(mlp_read(&s, &m, &e), ERR_INVALID); // 7 inputs do not fit 3 outputs
	assert_string_equal(e.message, "tensor \"layer1.weight\" is F32 [5, 7]; expected F32 [any, 3]");
	s.count = 3;
	assert_int_equal(mlp_read(&s, &m, &e), ERR_INVALID);
	s.count = 2;
	assert_int_equal(mlp_read(&s, &m, &e), 0);
	mlp_free(&m);
	t[1].name = S("layer0.offset");
	assert_int_equal(mlp_read(&s, &m, &e), ERR_INVALID);
	assert_non_null(strstr(e.message, "\"layer0.bias\" is missing"));
	t[1].name = S("layer0.bias");
	t[1].type = TENSOR_F64;
	assert_int_equal(mlp_read(&s, &m, &e), ERR_INVALID);
	s.count = 0;
	assert_int_equal(mlp_read(&s, &m, &e), ERR_INVALID);
	assert_null(m.memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_learns),
		cmocka_unit_test(test_equal_seeds_give_equal_bytes),
		cmocka_unit_test(test_gradient),
		cmocka_unit_test(test_refuses),
		cmocka_unit_test(test_file_form),
		cmocka_unit_test(test_file_form_refused),
	};
	return cmocka_run_group_tests(tests, setup, NULL);
}
