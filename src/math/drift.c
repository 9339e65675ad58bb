// SPDX-License-Identifier: Apache-2.0
// Distances over shares of bins and over sorted samples; the tests that give a chance stand in drift_tests.c.
#include "math/drift.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/attr.h"

// What stands for an empty bin in a logarithm (Evidently's get_binned_data with feel_zeroes): the choice of every dashboard that
// people compare with.
static double zero_fill(const double *share, size_t n)
{
	double least = INFINITY;
	for (size_t i = 0; i < n; i++)
		if (share[i] > 0 && share[i] < least)
			least = share[i];
	return least <= 1e-4 ? least / 1e6 : 1e-4;
}

double drift_psi(const double *reference, const double *current, size_t n)
{
	double fill_r = zero_fill(reference, n), fill_c = zero_fill(current, n), sum = 0;
	for (size_t i = 0; i < n; i++) {
		double r = reference[i] > 0 ? reference[i] : fill_r, c = current[i] > 0 ? current[i] : fill_c;
		sum += (r - c) * log(r / c);
	}
	return sum;
}

// Filled shares add up to more than 1, and are brought back to 1 here (PSI leaves them so).
double drift_kl(const double *reference, const double *current, size_t n)
{
	double fill_r = zero_fill(reference, n), fill_c = zero_fill(current, n), sum = 0, all_r = 0, all_c = 0;
	for (size_t i = 0; i < n; i++) {
		double r = reference[i] > 0 ? reference[i] : fill_r, c = current[i] > 0 ? current[i] : fill_c;
		sum += r * log(r / c);
		all_r += r;
		all_c += c;
	}
	return n ? sum / all_r + log(all_c / all_r) : 0;
}

static double entropy_part(double p, double middle)
{
	return p > 0 ? p * log(p / middle) : 0;
}

double drift_js(const double *reference, const double *current, size_t n)
{
	double sum = 0;
	for (size_t i = 0; i < n; i++) {
		double middle = (reference[i] + current[i]) / 2;
		sum += entropy_part(reference[i], middle) + entropy_part(current[i], middle);
	}
	return sqrt(MAX(sum, 0.0) / 2);
}

double drift_hellinger(const double *reference, const double *current, size_t n)
{
	double overlap = 0;
	for (size_t i = 0; i < n; i++)
		overlap += sqrt(reference[i] * current[i]);
	return sqrt(MAX(1 - overlap, 0.0));
}

static int ascending(const void *x, const void *y)
{
	double a = *(const double *)x, b = *(const double *)y;
	return (a > b) - (a < b);
}

void drift_sort(double *x, size_t n)
{
	if (n)
		qsort(x, n, sizeof(*x), ascending);
}

// Walks both samples upwards. At each distinct value, *i and *j become how many lie at or below it; false at the end.
static bool next_value(struct drift_sample a, struct drift_sample b, size_t *i, size_t *j, double *value)
{
	if (*i >= a.n && *j >= b.n)
		return false;
	*value = *j >= b.n || (*i < a.n && a.x[*i] <= b.x[*j]) ? a.x[*i] : b.x[*j];
	while (*i < a.n && a.x[*i] <= *value)
		(*i)++;
	while (*j < b.n && b.x[*j] <= *value)
		(*j)++;
	return true;
}

double drift_ks(struct drift_sample a, struct drift_sample b)
{
	size_t i = 0, j = 0;
	double most = 0, value;
	while (a.n && b.n && next_value(a, b, &i, &j, &value))
		most = fmax(most, fabs((double)i / (double)a.n - (double)j / (double)b.n));
	return most;
}

double drift_wasserstein(struct drift_sample a, struct drift_sample b)
{
	size_t i = 0, j = 0;
	double area = 0, value = 0, before = 0, height = 0;
	bool first = true;
	while (a.n && b.n && next_value(a, b, &i, &j, &value)) {
		if (!first)
			area += height * (value - before);
		first = false;
		before = value;
		height = fabs((double)i / (double)a.n - (double)j / (double)b.n);
	}
	return area;
}

double drift_wasserstein_normed(struct drift_sample reference, struct drift_sample current)
{
	double mean = 0, square = 0;
	for (size_t i = 0; i < reference.n; i++)
		mean += reference.x[i];
	mean /= (double)MAX(reference.n, (size_t)1);
	for (size_t i = 0; i < reference.n; i++)
		square += (reference.x[i] - mean) * (reference.x[i] - mean);
	double deviation = sqrt(square / (double)MAX(reference.n, (size_t)1));
	return drift_wasserstein(reference, current) / fmax(deviation, 0.001);
}

static size_t bin_of(double x, double low, double width, size_t bins)
{
	double at = (x - low) / width;
	if (!(at > 0))
		return 0;
	return at >= (double)bins ? bins - 1 : (size_t)at;
}

size_t drift_bins(struct drift_sample a, struct drift_sample b, uint64_t *count_a, uint64_t *count_b)
{
	if (!a.n || !b.n)
		return 0;
	double low = fmin(a.x[0], b.x[0]), high = fmax(a.x[a.n - 1], b.x[b.n - 1]);
	double wanted = ceil(log2((double)a.n + (double)b.n) + 1); // Sturges
	size_t bins = high > low ? (size_t)fmin(wanted, DRIFT_MAX_BINS) : 1;
	double width = high > low ? (high - low) / (double)bins : 1;
	for (size_t i = 0; i < bins; i++)
		count_a[i] = count_b[i] = 0;
	for (size_t i = 0; i < a.n; i++)
		count_a[bin_of(a.x[i], low, width, bins)]++;
	for (size_t i = 0; i < b.n; i++)
		count_b[bin_of(b.x[i], low, width, bins)]++;
	return bins;
}

void drift_shares(const uint64_t *counts, size_t n, double *shares)
{
	double total = 0;
	for (size_t i = 0; i < n; i++)
		total += (double)counts[i];
	for (size_t i = 0; i < n; i++)
		shares[i] = total > 0 ? (double)counts[i] / total : 0;
}
