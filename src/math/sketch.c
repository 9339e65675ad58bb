// SPDX-License-Identifier: Apache-2.0
// Histograms of a tensor's elements, their JSON form, and drift between two of them.
#include "math/sketch.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "math/drift.h"

enum { SKETCH_EXTRA = 3 }; // below, above, not a number

static size_t width_of(const struct sketch *s)
{
	return s->bins + SKETCH_EXTRA;
}

int sketch_new(struct sketch *s, size_t elements, size_t bins, double low, double high, struct err *e)
{
	if (!elements || elements > SKETCH_MAX_ELEMENTS || !bins || bins > SKETCH_MAX_BINS)
		return err_set(e, ERR_LIMIT, "a sketch of %zu elements with %zu bins: at most %d and %d are possible", elements, bins,
			SKETCH_MAX_ELEMENTS, SKETCH_MAX_BINS);
	if (!isfinite(low) || !isfinite(high) || !(low < high))
		return err_set(e, ERR_INVALID, "a sketch from %g to %g has no width", low, high);
	struct sketch new = {.elements = elements, .bins = bins, .low = low, .high = high};
	new.counts = calloc(elements * width_of(&new), sizeof(*new.counts));
	if (!new.counts)
		return err_set(e, ERR_NO_MEMORY, "a sketch of %zu elements: out of memory", elements);
	*s = new;
	return 0;
}

void sketch_free(struct sketch *s)
{
	if (s)
		free(s->counts);
	if (s)
		*s = (struct sketch){0};
}

void sketch_clear(struct sketch *s)
{
	memset(s->counts, 0, s->elements * width_of(s) * sizeof(*s->counts));
	s->samples = 0;
}

static size_t slot_of(const struct sketch *s, double x)
{
	if (isnan(x))
		return s->bins + 2;
	if (x < s->low)
		return 0;
	if (x > s->high)
		return s->bins + 1;
	size_t bin = (size_t)((x - s->low) / (s->high - s->low) * (double)s->bins);
	return 1 + (bin < s->bins ? bin : s->bins - 1);
}

void sketch_add(struct sketch *s, const float *values)
{
	uint64_t *counts = s->counts;
	for (size_t i = 0; i < s->elements; i++, counts += width_of(s))
		counts[slot_of(s, (double)values[i])]++;
	s->samples++;
}

static int check_form(const struct sketch *a, const struct sketch *b, struct err *e)
{
	if (a->elements == b->elements && a->bins == b->bins && a->low == b->low && a->high == b->high)
		return 0;
	return err_set(e, ERR_INVALID, "sketches of another form: %zu elements, %zu bins from %g to %g, and %zu, %zu, %g to %g",
		a->elements, a->bins, a->low, a->high, b->elements, b->bins, b->low, b->high);
}

int sketch_merge(struct sketch *into, const struct sketch *from, struct err *e)
{
	int rc = check_form(into, from, e);
	for (size_t i = 0; rc == 0 && i < into->elements * width_of(into); i++)
		into->counts[i] += from->counts[i];
	if (rc == 0)
		into->samples += from->samples;
	return rc;
}

int sketch_since(const struct sketch *after, const struct sketch *before, struct sketch *out, struct err *e)
{
	int rc = check_form(after, before, e);
	if (rc < 0)
		return rc;
	size_t n = after->elements * width_of(after);
	for (size_t i = 0; i < n; i++)
		if (after->counts[i] < before->counts[i])
			return err_set(e, ERR_INVALID, "a sketch's counts fell between two readings: it began anew");
	struct sketch since = {0};
	rc = sketch_new(&since, after->elements, after->bins, after->low, after->high, e);
	for (size_t i = 0; rc == 0 && i < n; i++)
		since.counts[i] = after->counts[i] - before->counts[i];
	if (rc < 0)
		return rc;
	since.samples = after->samples - MIN(before->samples, after->samples);
	*out = since;
	return 0;
}

json_t *sketch_to_json(const struct sketch *s)
{
	json_t *counts = json_array();
	for (size_t i = 0; i < s->elements * width_of(s); i++)
		json_array_append_new(counts, json_integer((json_int_t)s->counts[i]));
	return json_pack("{s:I, s:I, s:f, s:f, s:I, s:o}", "elements", (json_int_t)s->elements, "bins", (json_int_t)s->bins, "low",
		s->low, "high", s->high, "samples", (json_int_t)s->samples, "counts", counts);
}

static int read_counts(const json_t *list, struct sketch *s, struct err *e)
{
	size_t n = s->elements * width_of(s);
	if (!json_is_array(list) || json_array_size(list) != n)
		return err_set(e, ERR_INVALID, "sketch: \"counts\" must be a list of %zu numbers", n);
	for (size_t i = 0; i < n; i++) {
		const json_t *count = json_array_get(list, i);
		if (!json_is_integer(count) || json_integer_value(count) < 0)
			return err_set(e, ERR_INVALID, "sketch: count %zu is no whole number from 0 on", i);
		s->counts[i] = (uint64_t)json_integer_value(count);
	}
	return 0;
}

int sketch_of_json(const json_t *j, struct sketch *out, struct err *e)
{
	int64_t elements, bins, samples;
	if (json_need_int(j, "elements", &elements, e) < 0 || json_need_int(j, "bins", &bins, e) < 0 ||
		json_need_int(j, "samples", &samples, e) < 0)
		return err_context(e, "sketch");
	if (elements < 1 || bins < 1 || samples < 0)
		return err_set(e, ERR_INVALID, "sketch: elements and bins must be above 0, samples not below");
	AUTO(sketch) s = {0};
	int rc = sketch_new(&s, (size_t)elements, (size_t)bins, json_num(j, "low", NAN), json_num(j, "high", NAN), e);
	if (rc == 0)
		rc = read_counts(json_object_get(j, "counts"), &s, e);
	if (rc < 0)
		return rc;
	s.samples = (uint64_t)samples;
	*out = s;
	s = (struct sketch){0};
	return 0;
}

double sketch_element_drift(const struct sketch *reference, const struct sketch *current, size_t element, enum sketch_method method)
{
	uint64_t r[SKETCH_MAX_BINS + SKETCH_EXTRA], c[SKETCH_MAX_BINS + SKETCH_EXTRA];
	double share_r[SKETCH_MAX_BINS + SKETCH_EXTRA], share_c[SKETCH_MAX_BINS + SKETCH_EXTRA];
	size_t width = width_of(reference), n = 0;
	for (size_t i = element * width; i < (element + 1) * width; i++)
		if (reference->counts[i] || current->counts[i]) {
			r[n] = reference->counts[i];
			c[n++] = current->counts[i];
		}
	drift_shares(r, n, share_r);
	drift_shares(c, n, share_c);
	switch (method) {
	case SKETCH_PSI:
		return drift_psi(share_r, share_c, n);
	case SKETCH_JS:
		return drift_js(share_r, share_c, n);
	case SKETCH_HELLINGER:
		return drift_hellinger(share_r, share_c, n);
	}
	return NAN;
}

int sketch_drift(const struct sketch *reference, const struct sketch *current, enum sketch_method method, double *out, struct err *e)
{
	int rc = check_form(reference, current, e);
	if (rc < 0)
		return rc;
	if (!reference->samples || !current->samples)
		return err_set(e, ERR_INVALID, "drift needs samples on both sides: %llu in the reference, %llu now",
			(unsigned long long)reference->samples, (unsigned long long)current->samples);
	double sum = 0;
	for (size_t i = 0; i < reference->elements; i++)
		sum += sketch_element_drift(reference, current, i, method);
	*out = sum / (double)reference->elements;
	return 0;
}
