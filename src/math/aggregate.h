// SPDX-License-Identifier: Apache-2.0
// Aggregation of weights from several sites, as a stream: tensor by tensor, block by block, so that memory does not grow with
// the model. Sums are in f64 and always in the order of the sites' names, then rounded once: arrival order cannot change a bit.
// FedAvg (McMahan and others, 2017), and on top of it an outer Nesterov step as DiLoCo takes it (Douillard and others, 2023):
//	g = w - mean;  b = momentum b + g  (b = g in the first round);  w' = w - rate (g + momentum b)
// Float tensors (F16, BF16, F32, F64) are averaged; whole numbers and booleans are taken from the site with most samples.
// All input is outside bytes: every tensor of every site must have the base's name, type and shape, and only finite numbers.
// Single-threaded; the struct borrows everything. Nothing is left at the output paths on failure.
// Errors: ERR_INVALID for sites that do not fit, ERR_CORRUPT for NaN and infinity, ERR_UNSUPPORTED for element types, files' own.
#ifndef ISOBAR_MATH_AGGREGATE_H
#define ISOBAR_MATH_AGGREGATE_H

#include "math/safetensors.h"

// Reads n bytes at offset of a file's data section.
struct aggregate_input {
	const struct safetensors *tensors;
	void *ctx;
	int (*read)(void *ctx, uint64_t offset, void *out, size_t n, struct err *e); // NULL: tensors have data pointers
};
struct aggregate_site {
	struct str name;
	uint64_t samples;
	struct aggregate_input input;
};
struct aggregate_outer { // zero: none, the mean is the result
	bool nesterov;
	double rate, momentum;
};
struct aggregate {
	const struct aggregate_site *sites;
	size_t count;
	const struct aggregate_input *base;  // the weights that the round began with; NULL: the first site's form, and no outer step
	const struct aggregate_input *state; // momentum of the last round; NULL: this is the first
	struct aggregate_outer outer;
	const char *out_path;       // the new weights
	const char *state_out_path; // the new momentum; NULL without outer step
};
struct aggregate_result {
	struct sha256 sha256, state_sha256; // of the files written
	uint64_t size, samples;
	double delta_norm; // L2 norm of mean - base; 0 without base
};
MUST_CHECK int aggregate_run(const struct aggregate *a, struct aggregate_result *out, struct err *e);
// What a site sent, looked at before it is accepted: it has the base's tensors (NULL: nothing to compare with) and only finite numbers.
MUST_CHECK int aggregate_check(const struct aggregate_site *site, const struct aggregate_input *base, struct err *e);

#endif
