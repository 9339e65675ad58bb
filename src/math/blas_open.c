// SPDX-License-Identifier: Apache-2.0
// OpenBLAS, loaded and checked. Apart from blas.c, so that a program that never trains does not carry the loader.
#include <stddef.h>

#include "base/library.h"
#include "math/blas.h"

struct openblas {
	void (*sgemm)(int order, int trans_a, int trans_b, int m, int n, int k, float alpha, const float *a, int lda,
		const float *b, int ldb, float beta, float *c, int ldc);
	void (*set_threads)(int n);
};
static const struct library_symbol openblas_symbols[] = {
	{"cblas_sgemm", offsetof(struct openblas, sgemm)},
	{"openblas_set_num_threads", offsetof(struct openblas, set_threads)},
};
// The serial build first: a job has one thread, and no pool of workers needs to start.
static const char *const openblas_paths[] = {
	"/usr/lib/x86_64-linux-gnu/openblas-serial/libopenblas.so.0",
	"/usr/lib/x86_64-linux-gnu/openblas-pthread/libopenblas.so.0",
	"/usr/lib/aarch64-linux-gnu/openblas-serial/libopenblas.so.0",
	"/usr/lib/aarch64-linux-gnu/openblas-pthread/libopenblas.so.0",
	NULL,
};
static const struct library_spec openblas_spec = {
	.name = "OpenBLAS",
	.package = "libopenblas0-serial",
	.paths = openblas_paths,
	.symbols = openblas_symbols,
	.symbol_count = COUNT_OF(openblas_symbols),
};

void blas_open(struct blas *out, struct err *why)
{
	struct err e = {0};
	struct openblas library = {0};
	int rc = library_load(&openblas_spec, &library, &e);
	if (rc == 0) {
		library.set_threads(1);
		*out = (struct blas){.name = "openblas", .sgemm = library.sgemm};
		rc = blas_check(out, &e);
	}
	if (rc < 0) {
		*out = blas_own();
		err_context(&e, "OpenBLAS is left aside, products take a slower loop of our own");
	}
	if (why)
		*why = e;
}
