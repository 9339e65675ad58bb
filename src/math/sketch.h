// SPDX-License-Identifier: Apache-2.0
// What a tensor's values looked like, in fixed space: for each element a histogram with the same equal-width bins, and counts of
// what lay below, above, or was no number. Two sketches of one form merge by addition and compare by drift; so a reference
// made where the data is and counts kept by a model server meet without the values. Owned; one thread at a time.
#ifndef ISOBAR_MATH_SKETCH_H
#define ISOBAR_MATH_SKETCH_H

#include "base/json.h"

// 10 bins are what drift rules of thumb were made for; limits keep a hostile sketch small.
enum { SKETCH_BINS = 10, SKETCH_MAX_BINS = 256, SKETCH_MAX_ELEMENTS = 1 << 20 };

struct sketch {
	size_t elements;
	size_t bins;
	double low, high; // of all bins: [low, high], the last bin closed
	uint64_t samples;
	uint64_t *counts; // elements x (bins + 3): below, bins.., above, not a number; owned
};
MUST_CHECK int sketch_new(struct sketch *s, size_t elements, size_t bins, double low, double high, struct err *e);
void sketch_free(struct sketch *s); // NULL and zero are fine
#define AUTO_TYPE_sketch struct sketch
static inline void sketch_autofree(struct sketch *s)
{
	sketch_free(s);
}
void sketch_add(struct sketch *s, const float *values);  // one sample: s->elements numbers
void sketch_clear(struct sketch *s);                     // counts become 0
MUST_CHECK int sketch_merge(struct sketch *into, const struct sketch *from, struct err *e); // ERR_INVALID: of another form
// to = after - before: what was seen between two readings. ERR_INVALID when a count fell (the counter started anew).
MUST_CHECK int sketch_since(const struct sketch *after, const struct sketch *before, struct sketch *out, struct err *e);

// {"elements","bins","low","high","samples","counts":[elements x (bins + 3)]}
json_t *sketch_to_json(const struct sketch *s); // new reference; NULL without memory
MUST_CHECK int sketch_of_json(const json_t *j, struct sketch *out, struct err *e);

enum sketch_method { SKETCH_PSI, SKETCH_JS, SKETCH_HELLINGER };
// Drift of one element, and of the tensor: the mean over its elements. Bins that are empty on both sides are left out.
// ERR_INVALID: of another form, or no samples on one side.
MUST_CHECK int sketch_drift(const struct sketch *reference, const struct sketch *current, enum sketch_method method, double *out, struct err *e);
double sketch_element_drift(const struct sketch *reference, const struct sketch *current, size_t element, enum sketch_method method);

#endif
