// SPDX-License-Identifier: Apache-2.0
// Seeded pseudo-random numbers, the same on every machine: xoshiro256** (Blackman and Vigna, 2018), seeded by splitmix64.
// For training and simulation, never for secrets. One thread a generator.
#ifndef ISOBAR_MATH_RNG_H
#define ISOBAR_MATH_RNG_H

#include <stddef.h>
#include <stdint.h>

struct rng {
	uint64_t state[4];
};
// Different streams of one seed do not overlap in practice: stream numbers a site, a round, an epoch.
void rng_seed(struct rng *r, uint64_t seed, uint64_t stream);
uint64_t rng_next(struct rng *r);
uint64_t rng_below(struct rng *r, uint64_t bound); // uniform in [0, bound), without bias; 0 for bound 0
double rng_uniform(struct rng *r);                 // [0, 1), 53 bits
void rng_shuffle(struct rng *r, uint32_t *items, size_t n); // Fisher-Yates

#endif
