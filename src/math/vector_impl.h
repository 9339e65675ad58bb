// SPDX-License-Identifier: Apache-2.0
// Vectors of eight floats and of four doubles, as both compilers have them. Without AVX2 each is two registers with the same
// order of additions, so that results are the same bits either way (products are never fused: -ffp-contract=off).
#ifndef ISOBAR_MATH_VECTOR_IMPL_H
#define ISOBAR_MATH_VECTOR_IMPL_H

#include <stddef.h>
#include <string.h>

typedef float vector_f32 __attribute__((vector_size(32)));
typedef double vector_f64 __attribute__((vector_size(32)));
enum { VECTOR_F32 = 8, VECTOR_F64 = 4 };

#define VECTOR_INLINE static inline __attribute__((always_inline))

#if defined(__x86_64__)
// A function compiled for AVX2 beside the plain one; VECTOR_WIDE() says whether this processor has it.
#define VECTOR_TARGET __attribute__((target("avx2")))
#define VECTOR_WIDE() __builtin_cpu_supports("avx2")
#else
#define VECTOR_TARGET
#define VECTOR_WIDE() 0
#endif

// No vector goes through a call: without AVX2 the compilers would pass it in another way than with it.
#define VECTOR_LOAD(v, from) memcpy(&(v), (from), sizeof(v))
#define VECTOR_STORE(to, v) memcpy((to), &(v), sizeof(v))

#endif
