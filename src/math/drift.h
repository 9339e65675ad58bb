// SPDX-License-Identifier: Apache-2.0
// How far two distributions lie apart: over shares of bins (PSI, Jensen-Shannon, Kullback-Leibler, Hellinger), over sorted
// samples (Kolmogorov-Smirnov, Wasserstein), and tests on counts (chi-square, two proportions). Definitions and zero rules
// are those of Evidently, so that thresholds people know keep their meaning. Pure, thread-safe.
#ifndef ISOBAR_MATH_DRIFT_H
#define ISOBAR_MATH_DRIFT_H

#include <stddef.h>
#include <stdint.h>

// Shares of n bins; each array sums to 1. PSI and KL fill empty bins with 1e-4, or with a millionth of the smallest share of
// that array when this is at most 1e-4; JS and Hellinger take them as they are.
double drift_psi(const double *reference, const double *current, size_t n);
double drift_kl(const double *reference, const double *current, size_t n);
double drift_js(const double *reference, const double *current, size_t n); // the distance, natural logarithm
double drift_hellinger(const double *reference, const double *current, size_t n);

// Samples in ascending order.
struct drift_sample {
	const double *x;
	size_t n;
};
void drift_sort(double *x, size_t n);
double drift_ks(struct drift_sample a, struct drift_sample b); // largest distance of the two distribution functions
// Chance of a distance of at least d: exact up to 10,000 samples a side, the limit distribution above.
double drift_ks_p(double d, size_t n, size_t m);
double drift_ks_p_limit(double d, size_t n, size_t m);
double drift_wasserstein(struct drift_sample a, struct drift_sample b); // W1 = integral of |F - G|
// Divided by the reference's standard deviation (at least 0.001).
double drift_wasserstein_normed(struct drift_sample reference, struct drift_sample current);

// Equal-width bins over both samples by Sturges' rule on all of them; counts hold at most DRIFT_MAX_BINS.
enum { DRIFT_MAX_BINS = 128 };
size_t drift_bins(struct drift_sample a, struct drift_sample b, uint64_t *count_a, uint64_t *count_b);
void drift_shares(const uint64_t *counts, size_t n, double *shares);

// Counts of k categories against a reference; *p from n - 1 degrees of freedom. Infinite when a category is new.
double drift_chi2(const uint64_t *reference, const uint64_t *current, size_t n, double *p);
// Two proportions, pooled, two-sided.
double drift_z(uint64_t hits_a, uint64_t n_a, uint64_t hits_b, uint64_t n_b, double *p);

#endif
