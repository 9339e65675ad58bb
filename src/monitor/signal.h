// SPDX-License-Identifier: Apache-2.0
// What a rule measures, as counters read from the gateway's exposition (Prometheus text) and judged over a window. Pure functions.
// Counters add up over all gateways that are scraped, so the values of several expositions may be collected into one array.
#ifndef ISOBAR_MONITOR_SIGNAL_H
#define ISOBAR_MONITOR_SIGNAL_H

#include "base/metrics.h"
#include "monitor/alert.h"

struct signal_target {
	struct field_ref watch; // endpoint or route
	struct str cloud;       // "" for all together
};

enum { SIGNAL_MAX_WIDTH = HISTOGRAM_BUCKETS + 2 };

// Number of counters of a signal: 2 for shares (all, bad), buckets + count + sum for latency, 0 for drift (read from sketches).
size_t signal_width(enum signal signal);
// Adds the target's counters of one exposition to values[signal_width()]. ERR_INVALID when the text is no exposition.
MUST_CHECK int signal_collect(const struct monitor_rule *rule, const struct signal_target *target, struct str exposition, double *values,
	struct err *e);
// The verdict over what the counters did during the window.
struct reading signal_judge(const struct monitor_rule *rule, const double *delta);

#endif
