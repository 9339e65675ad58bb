// SPDX-License-Identifier: Apache-2.0
// Matrix products. OpenBLAS is loaded when asked for, put on one thread, and its sgemm is checked against a plain loop on awkward
// shapes before it is used: a library that computes wrongly (there have been some, on new processors) is refused with a message, and
// a blocked loop of our own is used instead. Thread-safe after blas_open.
#ifndef ISOBAR_MATH_BLAS_H
#define ISOBAR_MATH_BLAS_H

#include <stdbool.h>

#include "base/err.h"

// C = alpha op(A) op(B) + beta C, all row-major with leading dimensions; op(A) is m x k, op(B) k x n.
struct gemm {
	bool transpose_a, transpose_b;
	size_t m, n, k;
	float alpha, beta;
	const float *a, *b;
	float *c;
	size_t lda, ldb, ldc;
};
struct blas {
	const char *name; // "openblas", "own"
	// cblas_sgemm of the library; NULL: our own loop.
	void (*sgemm)(int order, int trans_a, int trans_b, int m, int n, int k, float alpha, const float *a, int lda,
		const float *b, int ldb, float beta, float *c, int ldc);
};
// Always gives one that works. *why (NULL is allowed) says why it is not OpenBLAS; its code is 0 when it is.
void blas_open(struct blas *out, struct err *why);
void blas_gemm(const struct blas *b, const struct gemm *g);
struct blas blas_own(void);

// Compares with the plain loop on awkward shapes; 0, or ERR_FAILED with the first wrong product.
MUST_CHECK int blas_check(const struct blas *b, struct err *e);

// y = W x + bias for W [rows, columns] row-major: what serving needs, without any library. Always the same sum order, on
// every processor of one kind of arithmetic.
struct gemv {
	const float *w, *bias, *x; // bias NULL: none
	float *y;
	size_t rows, columns;
};
void blas_gemv(const struct gemv *g);

#endif
