// SPDX-License-Identifier: Apache-2.0
// Histograms and the writing of Prometheus text: see metrics.h. Reading it stands in metrics_read.c.
#include "base/metrics.h"

#include <math.h>

double histogram_bound(size_t i)
{
	if (i >= HISTOGRAM_BUCKETS - 1)
		return (double)INFINITY;
	double bound = 0.00001;
	for (; i; i--)
		bound *= 1.5;
	return bound;
}

size_t histogram_bucket_of(double bound)
{
	for (size_t i = 0; i < HISTOGRAM_BUCKETS - 1; i++) {
		double own = histogram_bound(i);
		if (fabs(bound - own) <= own * 1e-5) // the text has 6 digits
			return i;
	}
	return isinf(bound) && bound > 0 ? HISTOGRAM_BUCKETS - 1 : HISTOGRAM_BUCKETS;
}

void histogram_add(struct histogram *h, double seconds)
{
	size_t i = 0;
	double bound = 0.00001;
	// The product of histogram_bound(), step by step. NAN compares false and lands in the first bucket; a clock
	// gives none.
	while (i < HISTOGRAM_BUCKETS - 1 && seconds > bound) {
		bound *= 1.5;
		i++;
	}
	h->counts[i]++;
	h->count++;
	h->sum += seconds;
}

double histogram_quantile(const struct histogram *h, double q)
{
	if (h->count == 0 || !(q >= 0 && q <= 1))
		return (double)NAN;
	double rank = q * (double)h->count, below = 0;
	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
		double here = (double)h->counts[i];
		if (here == 0 || below + here < rank) {
			below += here;
			continue;
		}
		if (i == HISTOGRAM_BUCKETS - 1) // nothing is known above the last bound
			return histogram_bound(i - 1);
		double low = i ? histogram_bound(i - 1) : 0;
		return low + (histogram_bound(i) - low) * (rank - below) / here;
	}
	return histogram_bound(HISTOGRAM_BUCKETS - 2);
}

struct histogram histogram_since(const struct histogram *after, const struct histogram *before)
{
	struct histogram delta = {0};
	// A writer that started anew counts from 0: then all of `after` is new.
	if (after->count < before->count)
		return *after;
	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++)
		delta.counts[i] = after->counts[i] >= before->counts[i] ? after->counts[i] - before->counts[i] : 0;
	delta.count = after->count - before->count;
	delta.sum = after->sum - before->sum;
	return delta;
}

void metrics_head(struct buf *out, const char *name, const char *type, const char *help)
{
	buf_printf(out, "# HELP %s ", name);
	for (; *help; help++) {
		if (*help == '\\' || *help == '\n')
			buf_add_char(out, '\\');
		buf_add_char(out, *help == '\n' ? 'n' : *help);
	}
	buf_printf(out, "\n# TYPE %s %s\n", name, type);
}

static void add_value(struct buf *out, double value)
{
	char text[DOUBLE_TEXT_SIZE];
	if (isnan(value)) {
		buf_add(out, S("NaN"));
		return;
	}
	if (isinf(value)) {
		buf_add(out, value > 0 ? S("+Inf") : S("-Inf"));
		return;
	}
	double_text(value, text);
	buf_add(out, str_of(text));
}

void metrics_sample(struct buf *out, const char *name, const char *labels, double value)
{
	buf_add(out, str_of(name));
	if (labels[0])
		buf_printf(out, "{%s}", labels);
	buf_add_char(out, ' ');
	add_value(out, value);
	buf_add_char(out, '\n');
}

void metrics_histogram(struct buf *out, const char *name, const char *labels, const struct histogram *h)
{
	uint64_t total = 0;
	const char *comma = labels[0] ? "," : "";
	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
		total += h->counts[i];
		bool last = i == HISTOGRAM_BUCKETS - 1;
		buf_printf(out, "%s_bucket{%s%sle=\"", name, labels, comma);
		if (last)
			buf_add(out, S("+Inf"));
		else
			buf_printf(out, "%.6g", histogram_bound(i));
		buf_printf(out, "\"} %llu\n", (unsigned long long)total);
	}
	const char *open = labels[0] ? "{" : "", *close = labels[0] ? "}" : "";
	buf_printf(out, "%s_sum%s%s%s ", name, open, labels, close);
	add_value(out, h->sum);
	buf_printf(out, "\n%s_count%s%s%s %llu\n", name, open, labels, close, (unsigned long long)h->count);
}

void metrics_label(struct buf *labels, const char *name, struct str value)
{
	buf_printf(labels, "%s%s=\"", labels->n ? "," : "", name);
	for (size_t i = 0; i < value.n; i++) {
		char c = value.p[i];
		if (c == '\\' || c == '"' || c == '\n')
			buf_add_char(labels, '\\');
		buf_add_char(labels, c == '\n' ? 'n' : c);
	}
	buf_add_char(labels, '"');
}
