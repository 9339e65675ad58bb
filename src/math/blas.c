// SPDX-License-Identifier: Apache-2.0
// A product, by the library that was opened or by the loop of gemm.c.
#include "math/blas.h"

#include <limits.h>
#include <pthread.h>

#include "math/gemm_impl.h"

// The enumerations of the C interface to BLAS.
enum { CBLAS_ROW_MAJOR = 101, CBLAS_NO_TRANS = 111, CBLAS_TRANS = 112 };

struct blas blas_own(void)
{
	return (struct blas){.name = "own"};
}

// The distribution's serial OpenBLAS shares its work space between threads without a lock: products at the same time are wrong now
// and then, by a little. The library is one a process, so the lock is too.
static pthread_mutex_t library_lock = PTHREAD_MUTEX_INITIALIZER;

void blas_gemm(const struct blas *b, const struct gemm *g)
{
	size_t largest = MAX(MAX(MAX(g->m, g->n), g->k), MAX(MAX(g->lda, g->ldb), g->ldc));
	if (!b->sgemm || largest > INT_MAX) {
		gemm_own(g);
		return;
	}
	pthread_mutex_lock(&library_lock);
	b->sgemm(CBLAS_ROW_MAJOR, g->transpose_a ? CBLAS_TRANS : CBLAS_NO_TRANS, g->transpose_b ? CBLAS_TRANS : CBLAS_NO_TRANS,
		(int)g->m, (int)g->n, (int)g->k, g->alpha, g->a, (int)g->lda, g->b, (int)g->ldb, g->beta, g->c, (int)g->ldc);
	pthread_mutex_unlock(&library_lock);
}
