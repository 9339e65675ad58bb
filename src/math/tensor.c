// SPDX-License-Identifier: Apache-2.0
// Element types, sizes and half-precision numbers.
#include "math/tensor.h"

#include <string.h>

static const struct {
	struct str name;
	unsigned bits;
} types[] = {
#define X(name, bits) {S_INIT(#name), bits},
	TENSOR_TYPES(X)
#undef X
};

const char *tensor_type_name(enum tensor_type type)
{
	return (unsigned)type < TENSOR_TYPE_COUNT ? types[type].name.p : "unknown";
}

int tensor_type_of_name(struct str name, enum tensor_type *out)
{
	for (int i = 0; i < TENSOR_TYPE_COUNT; i++)
		if (str_eq(types[i].name, name)) {
			*out = (enum tensor_type)i;
			return 0;
		}
	return ERR_INVALID;
}

unsigned tensor_type_bits(enum tensor_type type)
{
	return types[type].bits;
}

int tensor_elements(const uint64_t *shape, size_t rank, uint64_t *out)
{
	uint64_t n = 1;
	for (size_t i = 0; i < rank; i++)
		if (__builtin_mul_overflow(n, shape[i], &n))
			return ERR_LIMIT;
	*out = n;
	return 0;
}

int tensor_bytes(enum tensor_type type, const uint64_t *shape, size_t rank, uint64_t *out)
{
	uint64_t n;
	if (tensor_elements(shape, rank, &n) < 0 || __builtin_mul_overflow(n, (uint64_t)types[type].bits, &n))
		return ERR_LIMIT;
	if (n % 8)
		return ERR_INVALID;
	*out = n / 8;
	return 0;
}

uint64_t tensor_count(const struct tensor *t)
{
	return (t->end - t->begin) * 8 / types[t->type].bits;
}

bool tensor_same_form(const struct tensor *a, const struct tensor *b)
{
	return a->type == b->type && a->rank == b->rank &&
		(!a->rank || memcmp(a->shape, b->shape, a->rank * sizeof(*a->shape)) == 0);
}

static uint32_t bits_of(float f)
{
	uint32_t u;
	memcpy(&u, &f, sizeof(u));
	return u;
}

static float float_of(uint32_t u)
{
	float f;
	memcpy(&f, &u, sizeof(f));
	return f;
}

float tensor_f32_of_f16(uint16_t half)
{
	uint32_t sign = (uint32_t)(half & 0x8000) << 16, exponent = (half >> 10) & 31, fraction = half & 1023;
	if (exponent == 31)
		return float_of(sign | 0x7f800000u | fraction << 13);
	if (exponent)
		return float_of(sign | (exponent + 112) << 23 | fraction << 13);
	float small = (float)fraction * 0x1p-24f; // subnormal or zero: exact
	return sign ? -small : small;
}

uint16_t tensor_f16_of_f32(float value)
{
	uint32_t u = bits_of(value), sign = u >> 16 & 0x8000, magnitude = u & 0x7fffffff;
	if (magnitude > 0x7f800000)
		return (uint16_t)(sign | 0x7e00 | (magnitude >> 13 & 0x3ff));
	if (magnitude >= 0x477ff000) // 65520 and more round to infinity
		return (uint16_t)(sign | 0x7c00);
	if (magnitude < 0x38800000) { // below 2^-14: the addition rounds to multiples of 2^-24
		uint32_t sum = bits_of(float_of(magnitude) + 0.5f);
		return (uint16_t)(sign | (sum - 0x3f000000));
	}
	magnitude += 0xfff + (magnitude >> 13 & 1);
	return (uint16_t)(sign | ((magnitude >> 13) - (112u << 10)));
}

float tensor_f32_of_bf16(uint16_t half)
{
	return float_of((uint32_t)half << 16);
}

uint16_t tensor_bf16_of_f32(float value)
{
	uint32_t u = bits_of(value);
	if ((u & 0x7fffffff) > 0x7f800000)
		return (uint16_t)(u >> 16 | 0x40);
	return (uint16_t)((u + 0x7fff + (u >> 16 & 1)) >> 16);
}
