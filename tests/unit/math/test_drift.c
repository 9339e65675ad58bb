// SPDX-License-Identifier: Apache-2.0
// Drift against numbers that scipy 1.10.1 and numpy 1.24.2 gave for two samples of a linear congruential generator.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "base/attr.h"
#include "math/drift.h"

enum { REFERENCE = 2000, CURRENT = 1500 };
static double reference[REFERENCE], current[CURRENT];

static void generate(uint32_t seed, double scale, double shift, double *out, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		seed = seed * 1664525u + 1013904223u;
		out[i] = scale * ((double)seed / 4294967296.0) + shift;
	}
}

static void close_to(double got, double expected, double relative)
{
	if (!(fabs(got - expected) <= relative * fabs(expected)))
		fail_msg("%.17g, expected %.17g", got, expected);
}

static int setup(UNUSED void **state)
{
	generate(1, 1, 0, reference, REFERENCE);
	generate(2, 0.9, 0.08, current, CURRENT);
	return 0;
}

static void test_generator(UNUSED void **state)
{
	generate(1, 1, 0, reference, REFERENCE);
	close_to(reference[0], 0.23645553, 1e-7);
	close_to(reference[2], 0.50424203, 1e-7);
	close_to(current[0], 0.29315877, 1e-7);
}

static void test_first_samples(UNUSED void **state)
{
	double a[60], b[50];
	memcpy(a, reference, sizeof(a));
	memcpy(b, current, sizeof(b));
	drift_sort(a, 60);
	drift_sort(b, 50);
	double d = drift_ks((struct drift_sample){a, 60}, (struct drift_sample){b, 50});
	close_to(d, 0.16, 1e-12);
	close_to(drift_ks_p(d, 60, 50), 0.44042358812153937, 1e-10);
	close_to(drift_ks_p_limit(d, 60, 50), 0.4874, 1e-3);
}

static void test_samples(UNUSED void **state)
{
	drift_sort(reference, REFERENCE);
	drift_sort(current, CURRENT);
	struct drift_sample r = {reference, REFERENCE}, c = {current, CURRENT};
	double d = drift_ks(r, c);
	close_to(d, 0.08766666666666667, 1e-12);
	close_to(drift_ks_p(d, REFERENCE, CURRENT), 3.5576138829e-06, 1e-8);
	close_to(drift_ks_p_limit(d, REFERENCE, CURRENT), 3.5576e-06, 0.1);
	close_to(drift_wasserstein(r, c), 0.040403527775378895, 1e-12);
	close_to(drift_wasserstein(c, r), 0.040403527775378895, 1e-12);
	close_to(drift_wasserstein_normed(r, c), 0.13891830353699136, 1e-12);
}

static void test_bins_and_shares(UNUSED void **state)
{
	static const uint64_t expected_r[] = {171, 137, 149, 154, 164, 144, 128, 148, 169, 181, 166, 127, 162};
	static const uint64_t expected_c[] = {0, 135, 114, 127, 120, 114, 113, 122, 147, 138, 130, 142, 98};
	uint64_t in_r[DRIFT_MAX_BINS], in_c[DRIFT_MAX_BINS];
	double r[DRIFT_MAX_BINS], c[DRIFT_MAX_BINS];
	drift_sort(reference, REFERENCE);
	drift_sort(current, CURRENT);
	size_t n = drift_bins((struct drift_sample){reference, REFERENCE}, (struct drift_sample){current, CURRENT}, in_r, in_c);
	assert_int_equal(n, 13);
	assert_memory_equal(in_r, expected_r, sizeof(expected_r));
	assert_memory_equal(in_c, expected_c, sizeof(expected_c));
	drift_shares(in_r, n, r);
	drift_shares(in_c, n, c);
	close_to(drift_js(r, c, n), 0.18178809613022245, 1e-12);
	close_to(drift_psi(r, c, n), 0.6039741275030825, 1e-12);
	close_to(drift_kl(r, c, n), 0.5049855443603795, 1e-12);
	close_to(drift_hellinger(r, c, n), 0.21487622198573272, 1e-12);
	assert_true(drift_psi(r, r, n) == 0 && drift_js(r, r, n) == 0 && drift_hellinger(r, r, n) < 1e-7);
}

// An empty bin takes 1e-4, and a millionth of the smallest share where this is as small.
static void test_empty_bins(UNUSED void **state)
{
	static const double even[] = {0.5, 0.5, 0}, rare[] = {0.99995, 0.00005, 0}, full[] = {0.5, 0.25, 0.25};
	double expected = (0.5 - 0.25) * log(0.5 / 0.25) + (1e-4 - 0.25) * log(1e-4 / 0.25);
	close_to(drift_psi(even, full, 3), expected, 1e-13);
	expected = (0.99995 - 0.5) * log(0.99995 / 0.5) + (0.00005 - 0.25) * log(0.00005 / 0.25) +
		(5e-11 - 0.25) * log(5e-11 / 0.25);
	close_to(drift_psi(rare, full, 3), expected, 1e-13);
}

static void test_counts(UNUSED void **state)
{
	static const uint64_t was[] = {400, 350, 250}, is[] = {50, 30, 20}, with_new[] = {400, 350, 0};
	double p;
	close_to(drift_chi2(was, is, 3, &p), 4.214285714285714, 1e-12);
	close_to(p, 0.12158485594365533, 1e-12);
	assert_true(isinf(drift_chi2(with_new, is, 3, &p)) && p == 0);
	close_to(drift_chi2((const uint64_t[]){500, 500}, (const uint64_t[]){90, 10}, 2, &p), 64, 1e-12);
	close_to(p, 1.2441921148543639e-15, 1e-9);
	close_to(drift_z(300, 1000, 45, 100, &p), -3.0825105970241062, 1e-12);
	close_to(p, 0.002052624219982535, 1e-10);
	assert_true(drift_z(0, 0, 1, 2, &p) == 0 && p == 1);
}

static void test_edges(UNUSED void **state)
{
	static const double x[] = {1, 2, 3}, far[] = {11, 12, 13}, flat[] = {4, 4};
	struct drift_sample a = {x, 3}, b = {far, 3}, none = {NULL, 0}, one = {flat, 2};
	uint64_t in_a[DRIFT_MAX_BINS], in_b[DRIFT_MAX_BINS];
	assert_true(drift_ks(a, b) == 1 && drift_ks(a, a) == 0 && drift_ks(a, none) == 0);
	close_to(drift_ks_p(1, 3, 3), 0.1, 1e-12); // 2 of the 20 paths
	assert_true(drift_ks_p(0, 3, 3) == 1 && drift_ks_p(0.5, 0, 3) == 1);
	close_to(drift_wasserstein(a, b), 10, 1e-12);
	close_to(drift_wasserstein_normed(one, a), 2 / 0.001, 1e-12);
	assert_int_equal(drift_bins(one, one, in_a, in_b), 1);
	assert_int_equal(in_a[0], 2);
	assert_int_equal(drift_bins(a, none, in_a, in_b), 0);
	assert_true(drift_ks_p_limit(0.001, 100, 100) == 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_generator),
		cmocka_unit_test_setup(test_first_samples, setup),
		cmocka_unit_test_setup(test_samples, setup),
		cmocka_unit_test(test_bins_and_shares),
		cmocka_unit_test(test_empty_bins),
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_edges),
	};
	return cmocka_run_group_tests(tests, setup, NULL);
}
