// SPDX-License-Identifier: Apache-2.0
// Metric primitives: a counter is a plain uint64_t of one thread; a histogram has fixed exponential buckets. Written
// and read as Prometheus text 0.0.4. One writer thread a value; readers on the same loop.
#ifndef ISOBAR_BASE_METRICS_H
#define ISOBAR_BASE_METRICS_H

#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"

enum { HISTOGRAM_BUCKETS = 40 };
// Bucket i counts values <= histogram_bound(i) seconds: 0.00001 x 1.5^i; the last one is +Inf.
struct histogram {
	uint64_t counts[HISTOGRAM_BUCKETS];
	uint64_t count;
	double sum;
};
double histogram_bound(size_t i);
// The bucket whose bound was written as `le`, for readers of metrics_histogram()'s text; HISTOGRAM_BUCKETS when none
// is.
size_t histogram_bucket_of(double bound);
void histogram_add(struct histogram *h, double seconds);
// Quantile q in [0,1] with linear interpolation inside the bucket, as Prometheus' histogram_quantile does; NAN when
// empty.
double histogram_quantile(const struct histogram *h, double q);
// after - before, bucket by bucket: what happened between two scrapes.
struct histogram histogram_since(const struct histogram *after, const struct histogram *before);

void metrics_head(struct buf *out, const char *name, const char *type, const char *help); // # HELP and # TYPE
// labels: "route=\"x\",code=\"200\"" already escaped by metrics_label; "" for none.
void metrics_sample(struct buf *out, const char *name, const char *labels, double value);
void metrics_histogram(struct buf *out, const char *name, const char *labels, const struct histogram *h);
void metrics_label(
	struct buf *labels, const char *name, struct str value); // adds name="escaped value" with a comma where needed

// Reads samples of an exposition: calls each for every sample; ERR_INVALID with the line. name and labels are borrowed.
struct metrics_sample_read {
	struct str name;
	struct str labels; // raw text between the braces
	double value;
};
MUST_CHECK int metrics_parse(
	struct str text, void (*each)(void *ctx, const struct metrics_sample_read *s), void *ctx, struct err *e);
// The value of one label in raw label text, unescaped into a; empty when absent.
struct str metrics_label_get(struct str labels, const char *name, struct arena *a);

#endif
