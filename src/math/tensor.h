// SPDX-License-Identifier: Apache-2.0
// Tensors as files know them: an element type, a shape, a stretch of bytes (little-endian, row-major, packed). A struct tensor
// borrows all it points to. Pure, thread-safe.
#ifndef ISOBAR_MATH_TENSOR_H
#define ISOBAR_MATH_TENSOR_H

#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

// X(NAME, bits an element), in the alignment order of safetensors, which is also the order (from the end) that its writer uses.
#define TENSOR_TYPES(X) \
	X(BOOL, 8) \
	X(F4, 4) \
	X(F6_E2M3, 6) \
	X(F6_E3M2, 6) \
	X(U8, 8) \
	X(I8, 8) \
	X(F8_E5M2, 8) \
	X(F8_E4M3, 8) \
	X(F8_E8M0, 8) \
	X(F8_E4M3FNUZ, 8) \
	X(F8_E5M2FNUZ, 8) \
	X(I16, 16) \
	X(U16, 16) \
	X(F16, 16) \
	X(BF16, 16) \
	X(I32, 32) \
	X(U32, 32) \
	X(F32, 32) \
	X(C64, 64) \
	X(F64, 64) \
	X(I64, 64) \
	X(U64, 64)

enum tensor_type {
#define X(name, bits) TENSOR_##name,
	TENSOR_TYPES(X)
#undef X
	TENSOR_TYPE_COUNT
};

struct tensor {
	struct str name;
	enum tensor_type type;
	const uint64_t *shape; // rank numbers; rank 0: a scalar
	size_t rank;
	uint64_t begin, end;       // bytes of the file's data section
	const unsigned char *data; // end - begin bytes; NULL when only the header was read
};

const char *tensor_type_name(enum tensor_type type);                        // "F32"
MUST_CHECK int tensor_type_of_name(struct str name, enum tensor_type *out); // ERR_INVALID
unsigned tensor_type_bits(enum tensor_type type);
// The number of elements of a shape: 1 for a scalar, 0 with an empty dimension; ERR_LIMIT when it does not fit.
MUST_CHECK int tensor_elements(const uint64_t *shape, size_t rank, uint64_t *out);
// The bytes of a tensor; ERR_LIMIT on overflow, ERR_INVALID when a type below 8 bits does not end on a byte.
MUST_CHECK int tensor_bytes(enum tensor_type type, const uint64_t *shape, size_t rank, uint64_t *out);
uint64_t tensor_count(const struct tensor *t); // elements of a tensor whose shape was checked before
bool tensor_same_form(const struct tensor *a, const struct tensor *b); // type and shape
// Half precision (IEEE 754 binary16) and bfloat16, rounded to nearest, ties to even; too large becomes infinity.
float tensor_f32_of_f16(uint16_t half);
uint16_t tensor_f16_of_f32(float value);
float tensor_f32_of_bf16(uint16_t half);
uint16_t tensor_bf16_of_f32(float value);

#endif
