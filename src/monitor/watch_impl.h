// SPDX-License-Identifier: Apache-2.0
// One rule of one monitor on one target: its window, its alert, what it still owes. Owned by the monitor; its record in state is
// "alert/MONITOR/RULE/CLOUD".
#ifndef ISOBAR_MONITOR_WATCH_IMPL_H
#define ISOBAR_MONITOR_WATCH_IMPL_H

#include "monitor/monitor.h"
#include "monitor/signal.h"
#include "monitor/window.h"

struct watch {
	struct arena arena; // of the texts below
	struct watch *next;
	struct alert_place place;
	uint64_t revision; // of the monitor's resource that this was built from
	bool seen;         // in this tick
	struct window window;
	struct sketch reference; // drift only, once it is known
	struct alert alert;
	bool fixed;              // the fixes of the alert that fires now are done
	enum alert_state told;   // what the channels heard last
	int64_t tell_again_ns;   // after a failed attempt
	int64_t tell_wait_ns;
};

// Loads what state remembers of it.
MUST_CHECK int watch_new(struct call *c, const struct state *s, const struct alert_place *place, struct watch **out);
void watch_free(struct watch *w);
MUST_CHECK int watch_save(struct call *c, const struct state *s, const struct watch *w, const struct monitor_rule *rule);
// The reading now: pushes the counters of the expositions (or the sketches) and judges the window.
struct scrapes { // of this tick
	struct str *expositions; // one a gateway that answered
	size_t count;
	bool gateways_missing; // one did not answer: no verdict from counters
};
MUST_CHECK int watch_read(struct call *c, const struct monitor_options *o, struct watch *w, const struct monitor_rule *rule,
	const struct scrapes *scrapes, struct reading *out);

#endif
