// SPDX-License-Identifier: Apache-2.0
// The edges of the program that tests replace: wall clock, monotonic clock, sleeping, randomness. edges_real() gives the
// operating system's; edges_fake_* a clock that moves only when told and a seeded generator. Borrowed by struct call.
#ifndef ISOBAR_BASE_EDGES_H
#define ISOBAR_BASE_EDGES_H

#include <stddef.h>
#include <stdint.h>

struct edges {
	void *ctx;
	int64_t (*wall_ns)(void *ctx);           // nanoseconds since 1970-01-01 UTC
	int64_t (*mono_ns)(void *ctx);           // nanoseconds since some start; never goes back
	void (*sleep_ns)(void *ctx, int64_t ns); // may return early on a signal
	int (*random)(void *ctx, void *out, size_t n); // 0, or ERR_IO
};

const struct edges *edges_real(void);

struct edges_fake {
	struct edges edges; // hand out &fake.edges
	int64_t now_ns;     // both clocks
	uint64_t seed;
};
void edges_fake_init(struct edges_fake *f, int64_t now_ns, uint64_t seed);

#endif
