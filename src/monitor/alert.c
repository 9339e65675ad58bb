// SPDX-License-Identifier: Apache-2.0
// The life of an alert: see alert.h.
#include "monitor/alert.h"

#include "base/time.h"

bool alert_breaches(const struct monitor_rule *rule, double value)
{
	return (rule->above.set && value > rule->above.value) || (rule->below.set && value < rule->below.value);
}

enum alert_change alert_step(struct alert *a, const struct monitor_rule *rule, struct reading reading, int64_t now_ns)
{
	if (!reading.known)
		return ALERT_SAME;
	bool breach = alert_breaches(rule, reading.value);
	a->value = reading.value;
	if (breach && a->state != ALERT_FIRING) {
		*a = (struct alert){.state = ALERT_FIRING, .since_ns = now_ns, .value = reading.value};
		return ALERT_FIRED;
	}
	if (!breach && a->state == ALERT_FIRING) {
		a->state = ALERT_RESOLVED;
		a->ended_ns = now_ns;
		return ALERT_CLEARED;
	}
	return ALERT_SAME;
}

const char *alert_state_word(enum alert_state state)
{
	switch (state) {
	case ALERT_FIRING:
		return "firing";
	case ALERT_RESOLVED:
		return "resolved";
	case ALERT_INACTIVE:
		break;
	}
	return "inactive";
}

struct str alert_summary(struct arena *a, const struct alert *alert, const struct alert_place *place, const struct monitor_rule *rule)
{
	double limit = rule->above.set ? rule->above.value : rule->below.value;
	char over[TIME_TEXT_SIZE];
	duration_text(rule->over_ns, over);
	enum signal signal = monitor_signal_of(rule->signal);
	bool share = signal == SIGNAL_FAILED_ATTEMPTS || signal == SIGNAL_ERRORS;
	bool seconds = signal == SIGNAL_LATENCY;
	double unit = share ? 100 : seconds ? 1000 : 1;
	const char *mark = share ? "%" : seconds ? "ms" : "";
	return arena_printf(a, "%.*s of %.*s%s%.*s is %.4g%s (%s %.6g%s over %s)", STR(rule->signal), STR(place->watch),
		place->cloud.n ? " on " : "", STR(place->cloud), alert->value * unit, mark, rule->above.set ? "above" : "below",
		limit * unit, mark, over);
}

static void set_time(json_t *object, const char *name, int64_t wall_ns)
{
	char text[TIME_TEXT_SIZE];
	if (wall_ns == 0)
		return;
	time_rfc3339(wall_ns, 3, text);
	json_object_set_new(object, name, json_string(text));
}

json_t *alert_to_json(const struct alert *a, const struct alert_place *place, const struct monitor_rule *rule)
{
	AUTO(arena) arena = {0};
	json_t *j = json_object();
	json_set_str(j, "monitor", place->monitor);
	json_set_str(j, "watch", place->watch);
	json_set_str(j, "cloud", place->cloud);
	json_object_set_new(j, "rule", json_integer((json_int_t)place->rule));
	json_set_str(j, "signal", rule->signal);
	json_object_set_new(j, "state", json_string(alert_state_word(a->state)));
	json_object_set_new(j, "value", json_real(a->value));
	json_set_str(j, "summary", alert_summary(&arena, a, place, rule));
	json_object_set_new(j, "since_ns", json_integer(a->since_ns));
	json_object_set_new(j, "ended_ns", json_integer(a->ended_ns));
	set_time(j, "since", a->since_ns);
	set_time(j, "ended", a->ended_ns);
	return j;
}

void alert_of_json(const json_t *j, struct alert *out)
{
	struct str state = json_str(j, "state");
	*out = (struct alert){
		.state = str_eq(state, S("firing")) ? ALERT_FIRING : str_eq(state, S("resolved")) ? ALERT_RESOLVED : ALERT_INACTIVE,
		.since_ns = json_int(j, "since_ns", 0),
		.ended_ns = json_int(j, "ended_ns", 0),
		.value = json_num(j, "value", 0),
	};
}
