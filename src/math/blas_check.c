// SPDX-License-Identifier: Apache-2.0
// Is a library's product right? Compared with a plain loop in doubles on shapes that fall between the blocks of fast kernels, with
// padded rows that must stay as they were, NaN where beta 0 must not look, and all four transpositions.
#include <math.h>
#include <stdlib.h>

#include "math/blas.h"
#include "math/rng.h"

static const struct {
	size_t m, n, k, padding;
	float alpha, beta;
} shapes[] = {
	{1, 1, 1, 0, 1, 0},
	{1, 10, 200, 0, 1, 0},
	{3, 5, 7, 2, 1, 1},
	{17, 33, 65, 1, -0.5f, 1},
	{50, 10, 200, 0, 1, 0},
	{9, 67, 131, 3, 0.1f, 0.75f},
	{50, 10, 784, 0, 1, 0},
};
static const float untouched = 12345.0f;

struct product {
	struct gemm g;
	size_t a_size, b_size, c_size;
	float *a, *b, *c;
	double *expected;
};

static void product_free(struct product *p)
{
	free(p->a);
	free(p->b);
	free(p->c);
	free(p->expected);
}

static float *random_floats(struct rng *r, size_t n)
{
	float *out = malloc(n * sizeof(*out));
	for (size_t i = 0; out && i < n; i++)
		out[i] = (float)(rng_uniform(r) * 2 - 1);
	return out;
}

static bool product_new(struct product *p, size_t shape, unsigned transposed, struct rng *r)
{
	struct gemm *g = &p->g;
	*g = (struct gemm){.m = shapes[shape].m, .n = shapes[shape].n, .k = shapes[shape].k, .alpha = shapes[shape].alpha,
		.beta = shapes[shape].beta, .transpose_a = transposed & 1, .transpose_b = transposed & 2};
	g->lda = (g->transpose_a ? g->m : g->k) + shapes[shape].padding;
	g->ldb = (g->transpose_b ? g->k : g->n) + shapes[shape].padding;
	g->ldc = g->n + shapes[shape].padding;
	p->c_size = g->m * g->ldc;
	g->a = p->a = random_floats(r, (g->transpose_a ? g->k : g->m) * g->lda);
	g->b = p->b = random_floats(r, (g->transpose_b ? g->n : g->k) * g->ldb);
	g->c = p->c = random_floats(r, p->c_size);
	p->expected = calloc(p->c_size, sizeof(*p->expected));
	return p->a && p->b && p->c && p->expected;
}

static double plain_sum(const struct gemm *g, size_t i, size_t j)
{
	double sum = 0;
	for (size_t k = 0; k < g->k; k++) {
		float a = g->transpose_a ? g->a[k * g->lda + i] : g->a[i * g->lda + k];
		float b = g->transpose_b ? g->b[j * g->ldb + k] : g->b[k * g->ldb + j];
		sum += (double)a * (double)b;
	}
	return sum;
}

static void expect(struct product *p)
{
	const struct gemm *g = &p->g;
	for (size_t i = 0; i < g->m; i++)
		for (size_t j = 0; j < g->ldc; j++) {
			size_t at = i * g->ldc + j;
			if (j >= g->n)
				p->expected[at] = (double)(p->c[at] = untouched);
			else
				p->expected[at] = (double)g->alpha * plain_sum(g, i, j) + (double)g->beta * (double)p->c[at];
			if (j < g->n && g->beta == 0)
				p->c[at] = NAN;
		}
}

static int compare(const struct blas *b, const struct product *p, struct err *e)
{
	const struct gemm *g = &p->g;
	// Each of k additions may lose half a unit of a number up to k; a quarter of that bound is far above what kernels lose.
	double tolerance = 1e-7 * (double)(g->k + 4);
	for (size_t at = 0; at < p->c_size; at++)
		if (!(fabs((double)p->c[at] - p->expected[at]) <= tolerance))
			return err_set(e, ERR_FAILED, "%s: a product of %zu x %zu x %zu%s%s gives %.9g in row %zu, column %zu, where a plain loop gives %.9g",
				b->name, g->m, g->n, g->k, g->transpose_a ? ", first transposed" : "",
				g->transpose_b ? ", second transposed" : "", (double)p->c[at], at / g->ldc, at % g->ldc, p->expected[at]);
	return 0;
}

static int check_one(const struct blas *b, size_t shape, unsigned transposed, struct err *e)
{
	struct rng r;
	struct product p = {0};
	int rc = 0;
	rng_seed(&r, shape, transposed);
	if (product_new(&p, shape, transposed, &r)) {
		expect(&p);
		blas_gemm(b, &p.g);
		rc = compare(b, &p, e);
	} else {
		rc = err_set(e, ERR_NO_MEMORY, "check of %s: out of memory", b->name);
	}
	product_free(&p);
	return rc;
}

int blas_check(const struct blas *b, struct err *e)
{
	int rc = 0;
	for (size_t shape = 0; shape < COUNT_OF(shapes) && rc == 0; shape++) {
		// The largest is checked in the form of the forward pass alone: a job must not start late for it.
		bool large = shapes[shape].m * shapes[shape].n * shapes[shape].k > 300000;
		for (unsigned transposed = large ? 2 : 0; transposed < (large ? 3u : 4u) && rc == 0; transposed++)
			rc = check_one(b, shape, transposed, e);
	}
	return rc;
}
