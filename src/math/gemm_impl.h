// SPDX-License-Identifier: Apache-2.0
// The product loop of our own, behind blas.h. Pure, thread-safe; its packed blocks stand on the stack (80 KiB).
#ifndef ISOBAR_MATH_GEMM_IMPL_H
#define ISOBAR_MATH_GEMM_IMPL_H

#include "math/blas.h"

void gemm_own(const struct gemm *g);

#endif
