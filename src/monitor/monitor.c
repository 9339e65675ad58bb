// SPDX-License-Identifier: Apache-2.0
// The monitor's tick: see monitor.h. Scrape, judge each rule on each target, then pay what is owed: fixes first, messages after.
#include "monitor/monitor.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/time.h"
#include "monitor/watch_impl.h"
#include "net/http_call.h"
#include "state/override.h"
#include "state/resource.h"

// A sketch is 100 KB a cloud, so drift is read less often than counters.
#define DRIFT_PACE_NS (2 * NS_PER_S)
#define SCRAPE_NS NS_PER_S
#define TELL_WAIT_MIN_NS NS_PER_S
#define TELL_WAIT_MAX_NS (60 * NS_PER_S)

struct monitors {
	struct monitor_options options;
	struct watch *watches;
	int64_t drift_at_ns;
};

struct tick { // what one rule on one target needs
	struct monitors *m;
	const struct monitor *monitor;
	const struct monitor_rule *rule;
	struct watch *watch;
};

int monitors_new(const struct monitor_options *options, struct monitors **out, struct err *e)
{
	struct monitors *m = calloc(1, sizeof(*m));
	if (!m)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	m->options = *options;
	*out = m;
	return 0;
}

void monitors_free(struct monitors *m)
{
	if (!m)
		return;
	while (m->watches) {
		struct watch *next = m->watches->next;
		watch_free(m->watches);
		m->watches = next;
	}
	free(m);
}

static int scrape(struct call *c, const struct monitors *m, struct scrapes *out)
{
	struct resource *gateways;
	size_t count;
	int rc = resource_list(c, m->options.state, S("gateway/"), &gateways, &count);
	if (rc < 0)
		return rc;
	out->expositions = arena_new_array(c->arena, MAX(count, (size_t)1), struct str);
	if (!out->expositions)
		return call_no_memory(c);
	for (size_t i = 0; i < count; i++) {
		struct str admin = json_str(gateways[i].outputs, "admin_url");
		struct http_call_response answer;
		struct http_call_request request = {
			.url = arena_printf(c->arena, "%.*s/metrics", STR(admin)), .guard = m->options.guard, .total_ns = SCRAPE_NS};
		if (admin.n && http_call(c, &request, &answer) == 0 && answer.status == 200)
			out->expositions[out->count++] = answer.body;
		else
			out->gateways_missing = true;
		err_clear(&c->err);
	}
	return 0;
}

static int find_watch(struct call *c, struct monitors *m, const struct alert_place *place, uint64_t revision, struct watch **out)
{
	for (struct watch *w = m->watches; w; w = w->next)
		if (w->revision == revision && w->place.rule == place->rule && str_eq(w->place.monitor, place->monitor) &&
			str_eq(w->place.cloud, place->cloud)) {
			*out = w;
			return 0;
		}
	int rc = watch_new(c, m->options.state, place, out);
	if (rc < 0)
		return rc;
	(*out)->revision = revision;
	(*out)->next = m->watches;
	m->watches = *out;
	return 0;
}

// What nobody declares any more is forgotten.
static void sweep(struct monitors *m)
{
	struct watch **link = &m->watches;
	while (*link) {
		struct watch *w = *link;
		if (w->seen) {
			w->seen = false;
			link = &w->next;
		} else {
			*link = w->next;
			watch_free(w);
		}
	}
}

static int fix_traffic(struct call *c, struct tick *t, bool firing)
{
	struct override o = {
		.address = arena_printf(c->arena, "%.*s on %.*s", STR(t->watch->place.watch), STR(t->watch->place.cloud)),
		.field = S("traffic"),
		.author = arena_printf(c->arena, "monitor/%.*s", STR(t->monitor->name)),
		.reason = alert_summary(c->arena, &t->watch->alert, &t->watch->place, t->rule),
	};
	if (!firing) {
		int rc = override_end(c, t->m->options.state, &o, o.author, S("its rule has cleared"));
		bool gone = rc == ERR_NOT_FOUND || rc == ERR_DENIED; // a person ended or took it over
		if (gone)
			err_clear(&c->err);
		return gone ? 0 : rc;
	}
	AUTO(json) nothing = json_integer(0);
	o.value = nothing;
	return override_set(c, t->m->options.state, &o);
}

static int fix(struct call *c, struct tick *t, bool firing)
{
	const struct str *then = t->monitor->then.items;
	for (size_t i = 0; i < t->monitor->then.count; i++) {
		int rc = 0;
		if (str_eq(then[i], S("shift traffic")))
			rc = fix_traffic(c, t, firing);
		for (size_t f = 0; firing && rc == 0 && f < t->m->options.fix_count; f++) {
			const struct monitor_fix *row = &t->m->options.fixes[f];
			if (str_starts(then[i], row->prefix))
				rc = row->run(c, row->ctx, str_drop(then[i], row->prefix.n));
		}
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int channel_url(struct call *c, const struct monitors *m, struct str name, struct str *url)
{
	struct resource r;
	struct channel *channel = arena_new(c->arena, struct channel);
	int rc = resource_get(c, m->options.state, resource_address(c->arena, S("channel"), name, S("")), &r);
	if (rc == 0 && channel)
		rc = kind_decode_json(&channel_kind, r.resolved, c->arena, channel, &c->err);
	if (rc < 0 || !channel)
		return rc < 0 ? rc : call_no_memory(c);
	*url = m->options.recorder.n ? notify_redirect(c->arena, m->options.recorder, channel->webhook) : channel->webhook;
	return 0; // "" for e-mail and PagerDuty, which a later release knows how to tell; the recorder is told of them, too
}

static int tell(struct call *c, struct tick *t)
{
	const struct field_ref *channels = t->monitor->notify.items;
	for (size_t i = 0; i < t->monitor->notify.count; i++) {
		struct str url;
		AUTO(json) message = notify_message(channels[i].name, &t->watch->alert, &t->watch->place, t->rule);
		int rc = channel_url(c, t->m, channels[i].name, &url);
		if (rc == 0 && url.n)
			rc = notify_post(c, t->m->options.guard, url, message);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int journal(struct call *c, struct tick *t)
{
	const struct watch *w = t->watch;
	const struct state *s = t->m->options.state;
	struct str type = w->alert.state == ALERT_FIRING ? S("alert.firing") : S("alert.resolved");
	struct str address = arena_printf(c->arena, "monitor/%.*s", STR(t->monitor->name));
	int rc = state_append_one(c, s, type, address, alert_to_json(&w->alert, &w->place, t->rule), NULL);
	return rc < 0 ? rc : watch_save(c, s, w, t->rule);
}

// Fixes and messages that the alert's state asks for and that are not done yet.
static int pay(struct call *c, struct tick *t)
{
	struct watch *w = t->watch;
	bool firing = w->alert.state == ALERT_FIRING;
	if (w->fixed != firing && w->alert.state != ALERT_INACTIVE) {
		int rc = fix(c, t, firing);
		if (rc < 0)
			return rc;
		w->fixed = firing;
		rc = watch_save(c, t->m->options.state, w, t->rule);
		if (rc < 0)
			return rc;
	}
	bool owed = w->alert.state != w->told && !(w->alert.state == ALERT_RESOLVED && w->told == ALERT_INACTIVE);
	if (!owed || w->alert.state == ALERT_INACTIVE || call_mono_ns(c) < w->tell_again_ns)
		return 0;
	int rc = tell(c, t);
	if (rc < 0 && rc != ERR_FAILED) { // a receiver that refuses for good is not asked again
		w->tell_wait_ns = MIN(MAX(w->tell_wait_ns * 2, TELL_WAIT_MIN_NS), TELL_WAIT_MAX_NS);
		w->tell_again_ns = call_mono_ns(c) + w->tell_wait_ns;
		return rc;
	}
	w->told = w->alert.state;
	w->tell_wait_ns = 0;
	int saved = watch_save(c, t->m->options.state, w, t->rule);
	return rc < 0 ? rc : saved;
}

static int look(struct call *c, struct tick *t, const struct scrapes *scrapes)
{
	struct reading reading;
	bool drift = monitor_signal_of(t->rule->signal) == SIGNAL_DRIFT;
	if (!drift || call_mono_ns(c) >= t->m->drift_at_ns) {
		int rc = watch_read(c, &t->m->options, t->watch, t->rule, scrapes, &reading);
		if (rc == 0 && alert_step(&t->watch->alert, t->rule, reading, call_now_ns(c)) != ALERT_SAME)
			rc = journal(c, t);
		if (rc < 0)
			return rc;
	}
	return pay(c, t);
}

// The clouds that a monitor judges one by one; one "" for all together.
static int targets(struct call *c, struct monitors *m, const struct monitor *monitor, struct str **clouds, size_t *count)
{
	struct resource *list;
	size_t n = 0;
	struct str one = {0};
	if (monitor->per.n) {
		struct str prefix = arena_printf(c->arena, "%.*s/%.*s on ", STR(monitor->watch.kind), STR(monitor->watch.name));
		int rc = resource_list(c, m->options.state, prefix, &list, &n);
		if (rc < 0)
			return rc;
	}
	*clouds = arena_new_array(c->arena, MAX(n, (size_t)1), struct str);
	if (!*clouds)
		return call_no_memory(c);
	*count = monitor->per.n ? n : 1;
	(*clouds)[0] = one;
	for (size_t i = 0; i < n; i++)
		(*clouds)[i] = list[i].cloud;
	return 0;
}

static int look_at_monitor(struct call *c, struct monitors *m, const struct resource *r, const struct scrapes *scrapes)
{
	struct monitor *monitor = arena_new(c->arena, struct monitor);
	struct str *clouds = NULL;
	size_t count = 0;
	int rc = monitor ? kind_decode_json(&monitor_kind, r->resolved, c->arena, monitor, &c->err) : call_no_memory(c);
	if (rc == 0)
		rc = targets(c, m, monitor, &clouds, &count);
	if (rc < 0)
		return rc;
	monitor->name = r->name;
	struct str watch = arena_printf(c->arena, "%.*s/%.*s", STR(monitor->watch.kind), STR(monitor->watch.name));
	const struct monitor_rule *rules = monitor->rules.items;
	for (size_t i = 0; i < monitor->rules.count * count; i++) {
		size_t rule = i / count;
		struct alert_place place = {.monitor = r->name, .watch = watch, .cloud = clouds[i % count], .rule = rule};
		struct tick t = {.m = m, .monitor = monitor, .rule = &rules[rule]};
		rc = find_watch(c, m, &place, r->revision, &t.watch);
		if (rc < 0)
			return rc;
		t.watch->seen = true;
		if (monitor_signal_of(rules[rule].signal) == SIGNAL_COUNT)
			continue; // a later release measures it
		if (look(c, &t, scrapes) < 0) {
			log_err(LOG_WARNING, &c->err, "monitor");
			err_clear(&c->err);
		}
	}
	return 0;
}

int monitors_tick(struct call *c, struct monitors *m)
{
	struct scrapes scrapes = {0};
	struct resource *monitors;
	size_t count = 0;
	int rc = scrape(c, m, &scrapes);
	if (rc == 0)
		rc = resource_list(c, m->options.state, S("monitor/"), &monitors, &count);
	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = look_at_monitor(c, m, &monitors[i], &scrapes);
	if (rc == 0)
		sweep(m);
	if (call_mono_ns(c) >= m->drift_at_ns)
		m->drift_at_ns = call_mono_ns(c) + DRIFT_PACE_NS;
	return rc;
}
