// SPDX-License-Identifier: Apache-2.0
// A ring of snapshots: see window.h. The newest slot is overwritten until a step (span / (capacity - 2)) has passed since the one
// before it, so the latest values are always there and the ring always reaches back over the span.
#include "monitor/window.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"

int window_init(struct window *w, int64_t span_ns, size_t width, size_t capacity)
{
	*w = (struct window){.span_ns = span_ns, .width = width, .capacity = MAX(capacity, (size_t)4)};
	w->at_ns = calloc(w->capacity, sizeof(*w->at_ns));
	w->values = calloc(w->capacity * width, sizeof(*w->values));
	if (w->at_ns && w->values)
		return 0;
	window_free(w);
	return ERR_NO_MEMORY;
}

void window_free(struct window *w)
{
	if (!w)
		return;
	free(w->at_ns);
	free(w->values);
	*w = (struct window){0};
}

static size_t slot(const struct window *w, size_t i)
{
	return (w->first + i) % w->capacity;
}

static bool went_back(const struct window *w, const double *values)
{
	const double *last = w->values + slot(w, w->count - 1) * w->width;
	for (size_t i = 0; i < w->width; i++)
		if (values[i] < last[i])
			return true;
	return false;
}

void window_push(struct window *w, int64_t now_ns, const double *values)
{
	int64_t step_ns = w->span_ns / (int64_t)(w->capacity - 2);
	if (w->count && went_back(w, values))
		w->count = w->first = 0;
	bool overwrite = w->count >= 2 && now_ns - w->at_ns[slot(w, w->count - 2)] < step_ns;
	if (!overwrite && w->count == w->capacity)
		w->first = (w->first + 1) % w->capacity;
	else if (!overwrite)
		w->count++;
	size_t at = slot(w, w->count - 1);
	w->at_ns[at] = now_ns;
	memcpy(w->values + at * w->width, values, w->width * sizeof(*values));
}

bool window_delta(const struct window *w, bool full, double *out)
{
	if (w->count < 2)
		return false;
	int64_t now_ns = w->at_ns[slot(w, w->count - 1)];
	size_t base = 0;
	for (size_t i = 0; i + 1 < w->count && now_ns - w->at_ns[slot(w, i)] >= w->span_ns; i++)
		base = i;
	if (full && now_ns - w->at_ns[slot(w, 0)] < w->span_ns)
		return false;
	const double *before = w->values + slot(w, base) * w->width;
	const double *after = w->values + slot(w, w->count - 1) * w->width;
	for (size_t i = 0; i < w->width; i++)
		out[i] = after[i] - before[i];
	return true;
}
