// SPDX-License-Identifier: Apache-2.0
// Blocks of numbers: exact to doubles, summed there, rounded once. F32, the common case, goes by vectors; their results are those
// of the plain loops, bit for bit.
#include <math.h>
#include <string.h>

#include "math/aggregate_impl.h"
#include "math/vector_impl.h"

typedef float vector_f32x4 __attribute__((vector_size(16)));
typedef int32_t vector_i32x4 __attribute__((vector_size(16)));
typedef int64_t vector_i64 __attribute__((vector_size(32)));

enum { F32_EXPONENT = 0x7f800000 };

bool aggregate_is_float(enum tensor_type type)
{
	return type == TENSOR_F16 || type == TENSOR_BF16 || type == TENSOR_F32 || type == TENSOR_F64;
}

bool aggregate_is_whole(enum tensor_type type)
{
	return type == TENSOR_BOOL || type == TENSOR_U8 || type == TENSOR_I8 || type == TENSOR_I16 || type == TENSOR_U16 ||
		type == TENSOR_I32 || type == TENSOR_U32 || type == TENSOR_I64 || type == TENSOR_U64;
}

static double load_one(enum tensor_type type, const unsigned char *raw, size_t i)
{
	uint16_t half;
	float single;
	double full;
	if (type == TENSOR_F64) {
		memcpy(&full, raw + i * sizeof(full), sizeof(full));
		return full;
	}
	if (type == TENSOR_F32) {
		memcpy(&single, raw + i * sizeof(single), sizeof(single));
		return (double)single;
	}
	memcpy(&half, raw + i * sizeof(half), sizeof(half));
	return (double)(type == TENSOR_F16 ? tensor_f32_of_f16(half) : tensor_f32_of_bf16(half));
}

// Four floats as doubles; in *bad, lanes with a full exponent (infinity, NaN) become all ones and stay so.
#define LOAD_F32(x, bad, raw) \
	do { \
		vector_f32x4 single_; \
		vector_i32x4 bits_; \
		VECTOR_LOAD(single_, (raw)); \
		VECTOR_LOAD(bits_, (raw)); \
		(bad) |= (bits_ & F32_EXPONENT) == F32_EXPONENT; \
		(x) = __builtin_convertvector(single_, vector_f64); \
	} while (0)

static bool any(vector_i32x4 bad)
{
	return bad[0] | bad[1] | bad[2] | bad[3];
}

VECTOR_INLINE bool load_f32_body(const unsigned char *raw, size_t n, double *out)
{
	vector_i32x4 bad = {0};
	vector_f64 x;
	for (size_t i = 0; i + VECTOR_F64 <= n; i += VECTOR_F64) {
		LOAD_F32(x, bad, raw + i * sizeof(float));
		VECTOR_STORE(out + i, x);
	}
	return !any(bad);
}

VECTOR_INLINE bool add_f32_body(const unsigned char *raw, size_t n, const struct aggregate_add *to)
{
	vector_i32x4 bad = {0};
	vector_f64 x, origin, sum;
	for (size_t i = 0; i + VECTOR_F64 <= n; i += VECTOR_F64) {
		LOAD_F32(x, bad, raw + i * sizeof(float));
		VECTOR_LOAD(origin, to->origin + i);
		VECTOR_LOAD(sum, to->sum + i);
		sum += to->weight * (x - origin);
		VECTOR_STORE(to->sum + i, sum);
	}
	return !any(bad);
}

VECTOR_INLINE void mean_body(const double *origin, double *sum, size_t n)
{
	vector_f64 x, s;
	for (size_t i = 0; i + VECTOR_F64 <= n; i += VECTOR_F64) {
		VECTOR_LOAD(x, origin + i);
		VECTOR_LOAD(s, sum + i);
		vector_i64 moved = s != 0;
		vector_f64 mean = (vector_f64)(((vector_i64)(x + s) & moved) | ((vector_i64)x & ~moved));
		VECTOR_STORE(sum + i, mean);
	}
}

static bool load_f32_plain(const unsigned char *raw, size_t n, double *out)
{
	return load_f32_body(raw, n, out);
}

VECTOR_TARGET static bool load_f32_wide(const unsigned char *raw, size_t n, double *out)
{
	return load_f32_body(raw, n, out);
}

static bool add_f32_plain(const unsigned char *raw, size_t n, const struct aggregate_add *to)
{
	return add_f32_body(raw, n, to);
}

VECTOR_TARGET static bool add_f32_wide(const unsigned char *raw, size_t n, const struct aggregate_add *to)
{
	return add_f32_body(raw, n, to);
}

static void mean_plain(const double *origin, double *sum, size_t n)
{
	mean_body(origin, sum, n);
}

VECTOR_TARGET static void mean_wide(const double *origin, double *sum, size_t n)
{
	mean_body(origin, sum, n);
}

// The part of a block that vectors take; the rest, and all other types, go one by one.
static size_t vector_part(enum tensor_type type, size_t n)
{
	return type == TENSOR_F32 ? n - n % VECTOR_F64 : 0;
}

bool aggregate_load(enum tensor_type type, const unsigned char *raw, size_t n, double *out)
{
	size_t i = vector_part(type, n);
	bool finite = !i || (VECTOR_WIDE() ? load_f32_wide(raw, i, out) : load_f32_plain(raw, i, out));
	for (; i < n; i++) {
		out[i] = load_one(type, raw, i);
		finite &= isfinite(out[i]) != 0;
	}
	return finite;
}

bool aggregate_add(enum tensor_type type, const unsigned char *raw, size_t n, const struct aggregate_add *to)
{
	size_t i = vector_part(type, n);
	bool finite = !i || (VECTOR_WIDE() ? add_f32_wide(raw, i, to) : add_f32_plain(raw, i, to));
	for (; i < n; i++) {
		double x = load_one(type, raw, i);
		finite &= isfinite(x) != 0;
		to->sum[i] += to->weight * (x - to->origin[i]);
	}
	return finite;
}

void aggregate_mean(const double *origin, double *sum_to_mean, size_t n)
{
	size_t i = n - n % VECTOR_F64;
	if (VECTOR_WIDE())
		mean_wide(origin, sum_to_mean, i);
	else
		mean_plain(origin, sum_to_mean, i);
	for (; i < n; i++)
		sum_to_mean[i] = sum_to_mean[i] != 0 ? origin[i] + sum_to_mean[i] : origin[i];
}

double aggregate_distance(const double *base, const double *mean, size_t n)
{
	double sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += (mean[i] - base[i]) * (mean[i] - base[i]);
	return sum;
}

// w' = w - rate (g + beta b) with w = mean + g, so that rate 1 and beta 0 give the mean itself, and not nearly.
void aggregate_step(const struct aggregate_step *o, size_t n)
{
	double stay = 1 - o->rate, push = o->rate * o->beta;
	for (size_t i = 0; i < n; i++) {
		double g = o->base[i] - o->mean[i];
		double b = o->first ? g : o->beta * o->momentum[i] + g;
		double w = o->mean[i];
		if (stay != 0)
			w += stay * g;
		if (push != 0)
			w -= push * b;
		o->mean[i] = w;
		o->momentum[i] = b;
	}
}

static bool store_f32(const double *x, size_t n, unsigned char *raw)
{
	vector_i32x4 bad = {0}, bits;
	vector_f64 full;
	size_t i = 0;
	for (; i + VECTOR_F64 <= n; i += VECTOR_F64) {
		VECTOR_LOAD(full, x + i);
		vector_f32x4 single = __builtin_convertvector(full, vector_f32x4);
		VECTOR_STORE(raw + i * sizeof(float), single);
		VECTOR_LOAD(bits, &single);
		bad |= (bits & F32_EXPONENT) == F32_EXPONENT;
	}
	bool finite = !any(bad);
	for (; i < n; i++) {
		float single = (float)x[i];
		memcpy(raw + i * sizeof(single), &single, sizeof(single));
		finite &= isfinite(single) != 0;
	}
	return finite;
}

bool aggregate_store(enum tensor_type type, const double *x, size_t n, unsigned char *raw)
{
	bool finite = true;
	if (type == TENSOR_F32)
		return store_f32(x, n, raw);
	for (size_t i = 0; i < n; i++) {
		// Doubles go to halves by way of floats: the detour rounds twice, which can miss the nearest half by
		// less than 2^-13 of its last bit, and does so alike everywhere.
		float single = (float)x[i];
		uint16_t half = type == TENSOR_F16 ? tensor_f16_of_f32(single) : tensor_bf16_of_f32(single);
		if (type == TENSOR_F64)
			memcpy(raw + i * sizeof(*x), &x[i], sizeof(*x));
		else
			memcpy(raw + i * sizeof(half), &half, sizeof(half));
		finite &= isfinite(load_one(type, raw, i)) != 0;
	}
	return finite;
}
