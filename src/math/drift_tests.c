// SPDX-License-Identifier: Apache-2.0
// Chances: the two-sample Kolmogorov-Smirnov test (exact by counting lattice paths, and its limit), chi-square, two proportions.
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/attr.h"
#include "math/drift.h"

enum { KS_EXACT_MOST = 10000 };

// The chance that a random path from (0, 0) to (n, m) leaves |i/n - j/m| < d. P(i, j) is that of having left it when the path, seen
// from its end, is at (i, j): its last step came along the first axis with chance i/(i + j). All terms are positive, so that
// small chances keep their digits.
static double ks_exact(double d, size_t n, size_t m, double *row)
{
	double dn = (double)n, dm = (double)m;
	double reach = (floor(d * dn * dm + 0.5) - 0.5) / (dn * dm); // d is a multiple of 1/(n m): half a step below it
	for (size_t j = 0; j <= m; j++)
		row[j] = (double)j / dm >= reach;
	for (size_t i = 1; i <= n; i++) {
		double di = (double)i;
		row[0] = di / dn >= reach;
		for (size_t j = 1; j <= m; j++) {
			double dj = (double)j;
			bool left = fabs(di / dn - dj / dm) >= reach;
			row[j] = left ? 1 : (row[j] * di + row[j - 1] * dj) / (di + dj);
		}
	}
	return row[m];
}

double drift_ks_p_limit(double d, size_t n, size_t m)
{
	double lambda = d * sqrt((double)n * (double)m / ((double)n + (double)m)), sum = 0;
	if (lambda < 0.2) // the series converges slowly there; the chance is 1 to 15 digits
		return 1;
	for (int k = 1; k <= 100; k++) {
		double term = exp(-2.0 * k * k * lambda * lambda);
		sum += k % 2 ? term : -term;
		if (term < 1e-18)
			break;
	}
	return fmin(fmax(2 * sum, 0), 1);
}

double drift_ks_p(double d, size_t n, size_t m)
{
	if (!n || !m || !(d > 0))
		return 1;
	double *row = MAX(n, m) <= KS_EXACT_MOST ? calloc(m + 1, sizeof(*row)) : NULL;
	double p = row ? fmin(ks_exact(d, n, m, row), 1) : drift_ks_p_limit(d, n, m);
	free(row);
	return p;
}

// The upper regularised incomplete gamma function Q(a, x): a series below a + 1, a continued fraction (Lentz) above.
static double gamma_q(double a, double x)
{
	if (!(x > 0))
		return 1;
	double scale = exp(a * log(x) - x - lgamma(a));
	if (x < a + 1) {
		double term = 1 / a, sum = term;
		for (int k = 1; k < 10000 && term > sum * 1e-17; k++)
			sum += term *= x / (a + k);
		return 1 - sum * scale;
	}
	double b = x + 1 - a, c = 1e300, d = 1 / b, h = d;
	for (int k = 1; k < 10000; k++) {
		double an = -k * (k - a);
		b += 2;
		d = 1 / (an * d + b);
		c = b + an / c;
		h *= c * d;
		if (fabs(c * d - 1) < 1e-16)
			break;
	}
	return h * scale;
}

double drift_chi2(const uint64_t *reference, const uint64_t *current, size_t n, double *p)
{
	double all_reference = 0, all_current = 0, sum = 0;
	for (size_t i = 0; i < n; i++) {
		all_reference += (double)reference[i];
		all_current += (double)current[i];
	}
	for (size_t i = 0; i < n; i++) {
		double expected = all_reference > 0 ? (double)reference[i] * all_current / all_reference : 0;
		double off = (double)current[i] - expected;
		if (expected > 0)
			sum += off * off / expected;
		else if (current[i])
			sum = INFINITY;
	}
	*p = isinf(sum) ? 0 : n > 1 ? gamma_q((double)(n - 1) / 2, sum / 2) : 1;
	return sum;
}

double drift_z(uint64_t hits_a, uint64_t n_a, uint64_t hits_b, uint64_t n_b, double *p)
{
	double a = (double)n_a, b = (double)n_b;
	double pooled = n_a && n_b ? ((double)hits_a + (double)hits_b) / (a + b) : 0;
	double spread = sqrt(pooled * (1 - pooled) * (n_a && n_b ? 1 / a + 1 / b : 0));
	double z = spread > 0 ? ((double)hits_a / a - (double)hits_b / b) / spread : 0;
	*p = erfc(fabs(z) / sqrt(2));
	return z;
}
