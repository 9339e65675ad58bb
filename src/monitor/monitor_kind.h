// SPDX-License-Identifier: Apache-2.0
// The kind `monitors:` what is watched, by which rules, what is done and who is told when a rule fires.
#ifndef ISOBAR_MONITOR_MONITOR_KIND_H
#define ISOBAR_MONITOR_MONITOR_KIND_H

#include "base/kind.h"
#include "state/resource.h"

enum signal { SIGNAL_FAILED_ATTEMPTS, SIGNAL_ERRORS, SIGNAL_LATENCY, SIGNAL_DRIFT, SIGNAL_COUNT };

struct threshold { // `above:` and `below:`; a share as 0.05, a latency in seconds, a distance as it is
	bool set;
	double value;
};

struct monitor_rule {
	struct str signal; // one of monitor_signal_names
	struct threshold above, below;
	int64_t over_ns;      // length of the window that is judged
	double quantile;      // latency only
	struct str of;        // drift only: "input"
	struct str method;    // drift only: "psi"
	struct field_ref against; // drift only: transform and its part
	int64_t min_samples;  // drift only: fewer in the window give no verdict
	struct field_ref labels; // of quality signals: the dataset that says what was right
	struct str join;         // of quality signals: the column that both have
};

struct monitor {
	struct str name;
	struct field_ref watch;  // endpoint or route
	struct str per;          // "cloud" or ""
	struct field_list rules; // struct monitor_rule
	struct field_list then;  // struct str: "shift traffic", "run pipeline/NAME"
	struct field_list notify; // struct field_ref to channels
};
extern const struct kind monitor_kind;
extern const struct resource_handler monitor_handler; // recorded only; the monitor loop reads the records

extern const char *const monitor_signal_names[SIGNAL_COUNT + 1]; // NULL-ended, in the order of enum signal
// Of a validated rule; SIGNAL_COUNT for a signal that only a later release measures.
enum signal monitor_signal_of(struct str name);

#endif
