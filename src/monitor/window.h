// SPDX-License-Identifier: Apache-2.0
// What a set of counters did during the last span of time: a ring of snapshots, thinned so that a long window costs no more than a
// short one. Owned by its user; one thread. A counter that went back (its process restarted) empties the window.
#ifndef ISOBAR_MONITOR_WINDOW_H
#define ISOBAR_MONITOR_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

struct window {
	int64_t span_ns;
	size_t width;    // counters in a snapshot
	size_t capacity; // snapshots kept
	size_t count, first;
	int64_t *at_ns;  // of each snapshot
	double *values;  // capacity x width
};

// capacity snapshots cover span_ns; ERR_NO_MEMORY.
MUST_CHECK int window_init(struct window *w, int64_t span_ns, size_t width, size_t capacity);
void window_free(struct window *w); // NULL is fine
void window_push(struct window *w, int64_t now_ns, const double *values);
// out[i] = latest - the newest snapshot that is at least span old (or the oldest there is). false with fewer than two snapshots,
// or while `full` is asked and the window does not reach back over its whole span yet.
bool window_delta(const struct window *w, bool full, double *out);

#endif
