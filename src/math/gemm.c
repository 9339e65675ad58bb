// SPDX-License-Identifier: Apache-2.0
// C = alpha op(A) op(B) + beta C in blocks: a block of A and one of B are packed into tiles (zero-filled at the edges), so that
// the inner loop reads both in order and keeps a 4 x 16 tile of C in registers. And matrix times vector, for serving.
#include "math/gemm_impl.h"
#include "math/vector_impl.h"

enum { TILE_M = 4, TILE_N = 16, BLOCK_M = 32, BLOCK_N = 128, BLOCK_K = 128 };

struct block { // of the product: m x n of C, k long
	size_t row, column, depth;
	size_t m, n, k;
};

static float at(const float *p, size_t ld, bool transposed, size_t row, size_t column)
{
	return transposed ? p[column * ld + row] : p[row * ld + column];
}

// Tiles of TILE_M rows, each k columns of TILE_M numbers.
static void pack_a(const struct gemm *g, const struct block *b, float *out)
{
	for (size_t i = 0; i < b->m; i += TILE_M)
		for (size_t p = 0; p < b->k; p++)
			for (size_t t = 0; t < TILE_M; t++)
				*out++ = i + t < b->m ? at(g->a, g->lda, g->transpose_a, b->row + i + t, b->depth + p) : 0;
}

static void pack_b(const struct gemm *g, const struct block *b, float *out)
{
	for (size_t j = 0; j < b->n; j += TILE_N)
		for (size_t p = 0; p < b->k; p++)
			for (size_t t = 0; t < TILE_N; t++)
				*out++ = j + t < b->n ? at(g->b, g->ldb, g->transpose_b, b->depth + p, b->column + j + t) : 0;
}

VECTOR_INLINE void tile_body(const float *a, const float *b, size_t k, float *out)
{
	vector_f32 s00 = {0}, s01 = {0}, s10 = {0}, s11 = {0}, s20 = {0}, s21 = {0}, s30 = {0}, s31 = {0}, left, right;
	for (size_t p = 0; p < k; p++, a += TILE_M, b += TILE_N) {
		VECTOR_LOAD(left, b);
		VECTOR_LOAD(right, b + VECTOR_F32);
		s00 += a[0] * left;
		s01 += a[0] * right;
		s10 += a[1] * left;
		s11 += a[1] * right;
		s20 += a[2] * left;
		s21 += a[2] * right;
		s30 += a[3] * left;
		s31 += a[3] * right;
	}
	const vector_f32 *const sums[] = {&s00, &s01, &s10, &s11, &s20, &s21, &s30, &s31};
	for (size_t i = 0; i < COUNT_OF(sums); i++)
		VECTOR_STORE(out + i * VECTOR_F32, *sums[i]);
}

static void tile_plain(const float *a, const float *b, size_t k, float *out)
{
	tile_body(a, b, k, out);
}

VECTOR_TARGET static void tile_wide(const float *a, const float *b, size_t k, float *out)
{
	tile_body(a, b, k, out);
}

static void add_tile(const struct gemm *g, const struct block *b, size_t i, size_t j, const float *tile)
{
	size_t rows = MIN(b->m - i, (size_t)TILE_M), columns = MIN(b->n - j, (size_t)TILE_N);
	for (size_t r = 0; r < rows; r++) {
		float *c = g->c + (b->row + i + r) * g->ldc + b->column + j;
		for (size_t s = 0; s < columns; s++)
			c[s] += g->alpha * tile[r * TILE_N + s];
	}
}

static void multiply_block(const struct gemm *g, const struct block *b, const float *a_pack, const float *b_pack)
{
	void (*multiply)(const float *, const float *, size_t, float *) = VECTOR_WIDE() ? tile_wide : tile_plain;
	float tile[TILE_M * TILE_N];
	for (size_t j = 0; j < b->n; j += TILE_N)
		for (size_t i = 0; i < b->m; i += TILE_M) {
			multiply(a_pack + i * b->k, b_pack + j * b->k, b->k, tile);
			add_tile(g, b, i, j, tile);
		}
}

static void scale(const struct gemm *g)
{
	for (size_t i = 0; i < g->m; i++)
		for (size_t j = 0; j < g->n; j++) {
			float *c = &g->c[i * g->ldc + j];
			*c = g->beta == 0 ? 0 : g->beta * *c; // as BLAS has it: beta 0 never reads C, so NaN there does not matter
		}
}

void gemm_own(const struct gemm *g)
{
	float a_pack[BLOCK_M * BLOCK_K], b_pack[BLOCK_N * BLOCK_K];
	struct block b = {0};
	scale(g);
	for (b.depth = 0; b.depth < g->k; b.depth += BLOCK_K) {
		b.k = MIN(g->k - b.depth, (size_t)BLOCK_K);
		for (b.column = 0; b.column < g->n; b.column += BLOCK_N) {
			b.n = MIN(g->n - b.column, (size_t)BLOCK_N);
			pack_b(g, &b, b_pack);
			for (b.row = 0; b.row < g->m; b.row += BLOCK_M) {
				b.m = MIN(g->m - b.row, (size_t)BLOCK_M);
				pack_a(g, &b, a_pack);
				multiply_block(g, &b, a_pack, b_pack);
			}
		}
	}
}

// Four sums of eight lanes, joined in one order. The sums are named one by one: an array of them would live in memory.
VECTOR_INLINE float dot_body(const float *w, const float *x, size_t n)
{
	vector_f32 s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0}, a0, a1, a2, a3, x0, x1, x2, x3;
	size_t i = 0;
	for (; i + 4 * VECTOR_F32 <= n; i += 4 * VECTOR_F32) {
		VECTOR_LOAD(a0, w + i);
		VECTOR_LOAD(x0, x + i);
		VECTOR_LOAD(a1, w + i + VECTOR_F32);
		VECTOR_LOAD(x1, x + i + VECTOR_F32);
		VECTOR_LOAD(a2, w + i + 2 * VECTOR_F32);
		VECTOR_LOAD(x2, x + i + 2 * VECTOR_F32);
		VECTOR_LOAD(a3, w + i + 3 * VECTOR_F32);
		VECTOR_LOAD(x3, x + i + 3 * VECTOR_F32);
		s0 += a0 * x0;
		s1 += a1 * x1;
		s2 += a2 * x2;
		s3 += a3 * x3;
	}
	vector_f32 all = (s0 + s1) + (s2 + s3);
	float y = ((all[0] + all[4]) + (all[1] + all[5])) + ((all[2] + all[6]) + (all[3] + all[7]));
	for (; i < n; i++)
		y += w[i] * x[i];
	return y;
}

VECTOR_INLINE void gemv_body(const struct gemv *g)
{
	for (size_t r = 0; r < g->rows; r++) {
		float y = dot_body(g->w + r * g->columns, g->x, g->columns);
		g->y[r] = g->bias ? y + g->bias[r] : y;
	}
}

static void gemv_plain(const struct gemv *g)
{
	gemv_body(g);
}

VECTOR_TARGET static void gemv_wide(const struct gemv *g)
{
	gemv_body(g);
}

void blas_gemv(const struct gemv *g)
{
	if (VECTOR_WIDE())
		gemv_wide(g);
	else
		gemv_plain(g);
}
