// SPDX-License-Identifier: Apache-2.0
// The monitor: reads the counters of gateways and the sketches of endpoints, judges every rule of every `monitors:` resource, keeps
// alerts in state, tells channels and carries out fixes. It is driven by ticks from the control plane's loop and owns nothing but
// windows: alerts, fixes and messages that are still owed survive a restart, since they stand in state.
// One thread. Errors of one rule are logged and do not stop the others.
#ifndef ISOBAR_MONITOR_MONITOR_H
#define ISOBAR_MONITOR_MONITOR_H

#include "math/sketch.h"
#include "monitor/notify.h"
#include "state/state.h"

// A fix that another room carries out, by the words behind `then:` ("run pipeline/"); rows are given by main.c.
struct monitor_fix {
	struct str prefix;
	int (*run)(struct call *c, void *ctx, struct str what); // what stands behind the prefix
	void *ctx;
};
struct monitor_options {
	const struct state *state;
	const struct guard *guard; // for scrapes and channels
	struct str recorder;       // "http://127.0.0.1:1234": channels go there instead; "": to themselves
	// The reference of a drift rule ("prepared/train"); out is owned by the monitor. ERR_NOT_FOUND while it is not made yet.
	int (*reference)(struct call *c, void *ctx, const struct field_ref *against, struct sketch *out);
	void *reference_ctx;
	const struct monitor_fix *fixes;
	size_t fix_count;
};

struct monitors;
MUST_CHECK int monitors_new(const struct monitor_options *options, struct monitors **out, struct err *e);
void monitors_free(struct monitors *m); // NULL is fine
// One look at everything; meant for every quarter second. An error means that state could not be read or written.
MUST_CHECK int monitors_tick(struct call *c, struct monitors *m);

#endif
