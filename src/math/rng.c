// SPDX-License-Identifier: Apache-2.0
// xoshiro256** 1.0 seeded by splitmix64 (both by their authors put in the public domain; written anew from the papers).
#include "math/rng.h"

static uint64_t splitmix(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

void rng_seed(struct rng *r, uint64_t seed, uint64_t stream)
{
	uint64_t mixed = stream;
	uint64_t state = seed ^ splitmix(&mixed);
	for (int i = 0; i < 4; i++)
		r->state[i] = splitmix(&state);
}

static uint64_t rotate(uint64_t x, int k)
{
	return x << k | x >> (64 - k);
}

uint64_t rng_next(struct rng *r)
{
	uint64_t *s = r->state, result = rotate(s[1] * 5, 7) * 9, t = s[1] << 17;
	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotate(s[3], 45);
	return result;
}

// Values below 2^64 mod bound would be drawn once too often, so they are drawn again.
uint64_t rng_below(struct rng *r, uint64_t bound)
{
	if (bound < 2)
		return 0;
	uint64_t least = (0 - bound) % bound, x;
	do {
		x = rng_next(r);
	} while (x < least);
	return x % bound;
}

double rng_uniform(struct rng *r)
{
	return (double)(rng_next(r) >> 11) * 0x1p-53;
}

void rng_shuffle(struct rng *r, uint32_t *items, size_t n)
{
	for (size_t i = n; i > 1; i--) {
		size_t j = rng_below(r, i);
		uint32_t keep = items[i - 1];
		items[i - 1] = items[j];
		items[j] = keep;
	}
}
