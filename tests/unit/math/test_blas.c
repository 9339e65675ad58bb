// SPDX-License-Identifier: Apache-2.0
// Our own product is right, the check finds a wrong one, and matrix times vector agrees with both.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <pthread.h>
#include <string.h>

#include "math/blas.h"
#include "math/rng.h"

static void test_own_is_right(UNUSED void **state)
{
	struct blas b = blas_own();
	struct err e = {0};
	assert_int_equal(blas_check(&b, &e), 0);
}

enum fault { FAULT_NONE, FAULT_VALUE, FAULT_PADDING, FAULT_BETA };
static enum fault fault;

// A library that computes like our own, but for one fault.
static void faulty_sgemm(UNUSED int order, int trans_a, int trans_b, int m, int n, int k, float alpha, const float *a, int lda,
	const float *b, int ldb, float beta, float *c, int ldc)
{
	struct blas own = blas_own();
	struct gemm g = {.transpose_a = trans_a == 112, .transpose_b = trans_b == 112, .m = (size_t)m, .n = (size_t)n, .k = (size_t)k,
		.alpha = alpha, .beta = beta, .a = a, .b = b, .c = c, .lda = (size_t)lda, .ldb = (size_t)ldb, .ldc = (size_t)ldc};
	if (fault == FAULT_BETA && beta == 0) // 0 x NaN is NaN
		for (int i = 0; i < m; i++)
			c[i * ldc] = c[i * ldc] * 0;
	bool nan = fault == FAULT_BETA && beta == 0 && isnan(c[0]);
	blas_gemm(&own, &g);
	if (nan)
		c[0] = NAN;
	if (fault == FAULT_VALUE && m == 17 && trans_b == 112)
		c[16 * ldc + 32] += 0.001f;
	if (fault == FAULT_PADDING && ldc > n)
		c[n] = 0;
}

static void test_check_finds_faults(UNUSED void **state)
{
	struct blas b = {.name = "faulty", .sgemm = faulty_sgemm};
	struct err e = {0};
	fault = FAULT_NONE;
	assert_int_equal(blas_check(&b, &e), 0);
	fault = FAULT_VALUE;
	assert_int_equal(blas_check(&b, &e), ERR_FAILED);
	assert_non_null(strstr(e.message, "faulty: a product of 17 x 33 x 65, second transposed gives "));
	assert_non_null(strstr(e.message, "in row 16, column 32, where a plain loop gives "));
	fault = FAULT_PADDING;
	assert_int_equal(blas_check(&b, &e), ERR_FAILED);
	fault = FAULT_BETA;
	assert_int_equal(blas_check(&b, &e), ERR_FAILED);
}

static void test_open_gives_one_that_works(UNUSED void **state)
{
	struct blas b;
	struct err why = {0}, e = {0};
	blas_open(&b, &why);
	assert_int_equal(blas_check(&b, &e), 0);
	if (why.code)
		assert_string_equal(b.name, "own");
	else
		assert_string_equal(b.name, "openblas");
	blas_open(&b, NULL);
}

enum { SIDE = 48, THREADS = 4, PRODUCTS = 400 };
struct product { // the same in every thread
	const struct blas *blas;
	float a[SIDE * SIDE], b[SIDE * SIDE], expected[SIDE * SIDE];
	int wrong[THREADS];
};

static void multiply(const struct product *p, float *c)
{
	blas_gemm(p->blas,
		&(struct gemm){.transpose_b = true, .m = SIDE, .n = SIDE, .k = SIDE, .alpha = 1, .a = p->a, .lda = SIDE, .b = p->b,
			.ldb = SIDE, .c = c, .ldc = SIDE});
}

struct multiplier {
	struct product *product;
	size_t number;
};
static void *multiply_often(void *ctx)
{
	const struct multiplier *m = ctx;
	float c[SIDE * SIDE];
	for (int i = 0; i < PRODUCTS; i++) {
		multiply(m->product, c);
		m->product->wrong[m->number] += memcmp(c, m->product->expected, sizeof(c)) != 0;
	}
	return NULL;
}

static void test_products_at_the_same_time(UNUSED void **state)
{
	static struct product p;
	struct multiplier multipliers[THREADS];
	pthread_t threads[THREADS];
	struct blas blas;
	struct rng r;
	blas_open(&blas, NULL);
	p.blas = &blas;
	rng_seed(&r, 5, 0);
	for (size_t i = 0; i < COUNT_OF(p.a); i++) {
		p.a[i] = (float)rng_uniform(&r);
		p.b[i] = (float)rng_uniform(&r);
	}
	multiply(&p, p.expected);
	for (size_t i = 0; i < THREADS; i++) {
		multipliers[i] = (struct multiplier){&p, i};
		assert_int_equal(pthread_create(&threads[i], NULL, multiply_often, &multipliers[i]), 0);
	}
	for (size_t i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		assert_int_equal(p.wrong[i], 0);
	}
}

static void test_gemv(UNUSED void **state)
{
	enum { ROWS = 7, COLUMNS = 75 };
	float w[ROWS * COLUMNS], x[COLUMNS], bias[ROWS], y[ROWS], plain[ROWS];
	struct rng r;
	rng_seed(&r, 1, 0);
	for (size_t i = 0; i < ROWS * COLUMNS; i++)
		w[i] = (float)rng_uniform(&r);
	for (size_t i = 0; i < COLUMNS; i++)
		x[i] = (float)rng_uniform(&r);
	for (size_t i = 0; i < ROWS; i++) {
		bias[i] = (float)i;
		double sum = (double)bias[i];
		for (size_t k = 0; k < COLUMNS; k++)
			sum += (double)w[i * COLUMNS + k] * (double)x[k];
		plain[i] = (float)sum;
	}
	blas_gemv(&(struct gemv){.w = w, .bias = bias, .x = x, .y = y, .rows = ROWS, .columns = COLUMNS});
	for (size_t i = 0; i < ROWS; i++)
		assert_true(fabsf(y[i] - plain[i]) < 1e-5f);
	blas_gemv(&(struct gemv){.w = w, .x = x, .y = y, .rows = 1, .columns = 3});
	assert_true(fabsf(y[0] - (w[0] * x[0] + w[1] * x[1] + w[2] * x[2])) < 1e-6f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_own_is_right),
		cmocka_unit_test(test_check_finds_faults),
		cmocka_unit_test(test_open_gives_one_that_works),
		cmocka_unit_test(test_products_at_the_same_time),
		cmocka_unit_test(test_gemv),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
