// SPDX-License-Identifier: Apache-2.0
// The life of an alert as a pure function: inactive -> firing -> resolved. Values come from windows, so a rule that holds over its window
// fires at once; it clears when the window no longer breaches. No verdict (too little data) changes nothing.
#ifndef ISOBAR_MONITOR_ALERT_H
#define ISOBAR_MONITOR_ALERT_H

#include "base/json.h"
#include "monitor/monitor_kind.h"

struct reading { // of one rule on one target, now
	bool known;  // enough data for a verdict
	double value;
};

enum alert_state { ALERT_INACTIVE, ALERT_FIRING, ALERT_RESOLVED };
enum alert_change { ALERT_SAME, ALERT_FIRED, ALERT_CLEARED };

struct alert {
	enum alert_state state;
	int64_t since_ns, ended_ns; // wall clock; 0: not yet
	double value;               // the last known one
};

bool alert_breaches(const struct monitor_rule *rule, double value);
enum alert_change alert_step(struct alert *a, const struct monitor_rule *rule, struct reading reading, int64_t now_ns);
const char *alert_state_word(enum alert_state state);

// The alert as state keeps it: {monitor, rule, cloud, state, since, ended, value, summary}; new reference.
struct alert_place {
	struct str monitor;  // name
	struct str watch;    // "endpoint/classify"
	struct str cloud;    // "" when all together
	size_t rule;         // index
};
json_t *alert_to_json(const struct alert *a, const struct alert_place *place, const struct monitor_rule *rule);
void alert_of_json(const json_t *j, struct alert *out); // what a restarted monitor goes on with
// "failed_attempts of endpoint/classify on azure-eu is 96% (above 5% over 2s)"
struct str alert_summary(struct arena *a, const struct alert *alert, const struct alert_place *place, const struct monitor_rule *rule);

#endif
