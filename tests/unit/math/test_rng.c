// SPDX-License-Identifier: Apache-2.0
// The generator's numbers are fixed for ever: weights and the order of samples depend on them.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/attr.h"
#include "math/rng.h"

// The first numbers of xoshiro256** from the state 1, 2, 3, 4, as its authors' program prints them.
static void test_known_numbers(UNUSED void **state)
{
	static const uint64_t expected[] = {11520, 0, 1509978240, 1215971899390074240};
	struct rng r = {.state = {1, 2, 3, 4}};
	for (size_t i = 0; i < COUNT_OF(expected); i++)
		assert_true(rng_next(&r) == expected[i]);
}

static void test_seeds_and_streams(UNUSED void **state)
{
	struct rng a, b, c, d;
	rng_seed(&a, 1, 0);
	rng_seed(&b, 1, 0);
	rng_seed(&c, 1, 1);
	rng_seed(&d, 2, 0);
	uint64_t x = rng_next(&a);
	assert_true(x == rng_next(&b));
	assert_true(x != rng_next(&c) && x != rng_next(&d));
}

static void test_below(UNUSED void **state)
{
	struct rng r;
	size_t counts[7] = {0};
	rng_seed(&r, 3, 0);
	for (int i = 0; i < 70000; i++)
		counts[rng_below(&r, 7)]++;
	for (size_t i = 0; i < COUNT_OF(counts); i++)
		assert_in_range(counts[i], 9600, 10400); // four standard deviations of 96
	assert_true(rng_below(&r, 0) == 0 && rng_below(&r, 1) == 0);
	for (int i = 0; i < 1000; i++) {
		double u = rng_uniform(&r);
		assert_true(u >= 0 && u < 1);
	}
}

static void test_shuffle(UNUSED void **state)
{
	uint32_t items[100], again[100];
	uint8_t seen[100] = {0};
	struct rng r;
	for (uint32_t i = 0; i < 100; i++)
		items[i] = again[i] = i;
	rng_seed(&r, 1, 5);
	rng_shuffle(&r, items, 100);
	for (size_t i = 0; i < 100; i++)
		seen[items[i]]++;
	for (size_t i = 0; i < 100; i++)
		assert_int_equal(seen[i], 1);
	rng_seed(&r, 1, 5);
	rng_shuffle(&r, again, 100);
	assert_memory_equal(items, again, sizeof(items));
	rng_shuffle(&r, items, 0);
	rng_shuffle(&r, items, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_numbers),
		cmocka_unit_test(test_seeds_and_streams),
		cmocka_unit_test(test_below),
		cmocka_unit_test(test_shuffle),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
