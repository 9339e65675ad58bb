// SPDX-License-Identifier: Apache-2.0
// Inside aggregation: the inputs side by side (aggregate_prepare.c) and the arithmetic of one block (aggregate_block.c).
// Pure, thread-safe on different work.
#ifndef ISOBAR_MATH_AGGREGATE_IMPL_H
#define ISOBAR_MATH_AGGREGATE_IMPL_H

#include "math/aggregate.h"

enum { AGGREGATE_BLOCK = 8192 }; // elements: a handful of such blocks of doubles stay in a core's cache

struct aggregate_in { // an aggregate_input with its tensors by name
	const struct aggregate_input *from;
	const struct tensor **by_name;
	struct str name; // for messages
	double weight;
};
struct aggregate_work {
	const struct aggregate *a;
	struct arena *arena;
	struct aggregate_in *sites; // by name
	struct aggregate_in base, state;
	const struct aggregate_in *form;   // whose tensors the result has
	bool any_type;              // tensors without a mean are let through, for a look at their numbers alone
	size_t most_samples;        // index of that site, the first of equals
	struct safetensors out, state_out;
	struct safetensors_writer writer, state_writer;
	double *origin, *mean, *base_block, *momentum; // AGGREGATE_BLOCK each
	unsigned char *raw, *stored;                   // AGGREGATE_BLOCK x 8 bytes
	double norm2;
};


// Orders the sites by name, checks them and all headers, lays the results out. Nothing is read or written yet.
MUST_CHECK int aggregate_prepare(struct aggregate_work *w, struct err *e);
const struct tensor *aggregate_tensor(const struct aggregate_in *in, struct str name); // NULL when absent

enum tensor_type aggregate_state_type(enum tensor_type type); // of the momentum: F64 for F64, else F32
bool aggregate_is_float(enum tensor_type type); // F16, BF16, F32, F64
bool aggregate_is_whole(enum tensor_type type); // booleans and integers of 8 to 64 bits
// n elements of raw as doubles, exactly; false when one is not finite.
bool aggregate_load(enum tensor_type type, const unsigned char *raw, size_t n, double *out);
// The same, and at once sum += weight (x - origin).
struct aggregate_add {
	const double *origin;
	double weight;
	double *sum;
};
bool aggregate_add(enum tensor_type type, const unsigned char *raw, size_t n, const struct aggregate_add *to);
// mean = origin + sum; where sum is 0 it is the origin, also when this is -0.
void aggregate_mean(const double *origin, double *sum_to_mean, size_t n);
// The outer step: base w, mean -> w' in mean, momentum b in place (first: there is none yet).
struct aggregate_step {
	const double *base;
	double *mean, *momentum;
	bool first;
	double rate, beta;
};
void aggregate_step(const struct aggregate_step *o, size_t n);
double aggregate_distance(const double *base, const double *mean, size_t n); // sum of squared differences
// Rounds once to the type; false when a result is not finite there.
bool aggregate_store(enum tensor_type type, const double *x, size_t n, unsigned char *raw);

#endif
