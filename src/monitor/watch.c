// SPDX-License-Identifier: Apache-2.0
// Reading one rule on one target: see watch_impl.h.
#include "monitor/watch_impl.h"

#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "net/http_call.h"

// A window of counters needs few bytes, one of sketches 80 KB a snapshot.
enum { COUNTER_SNAPSHOTS = 64, SKETCH_SNAPSHOTS = 8, SKETCH_LIMIT = 8 << 20 };

static struct str key_of(struct arena *a, const struct alert_place *p)
{
	return arena_printf(a, "alert/%.*s/%zu/%.*s", STR(p->monitor), p->rule, STR(p->cloud.n ? p->cloud : S("all")));
}

int watch_new(struct call *c, const struct state *s, const struct alert_place *place, struct watch **out)
{
	struct watch *w = calloc(1, sizeof(*w));
	struct record record = {0};
	if (!w)
		return call_no_memory(c);
	w->place = *place;
	w->place.monitor = arena_str(&w->arena, place->monitor);
	w->place.watch = arena_str(&w->arena, place->watch);
	w->place.cloud = arena_str(&w->arena, place->cloud);
	int rc = state_get(c, s, key_of(c->arena, place), &record);
	if (rc < 0) {
		watch_free(w);
		return rc;
	}
	if (record.revision) {
		alert_of_json(record.value, &w->alert);
		w->fixed = json_flag(record.value, "fixed", false);
		w->told = str_eq(json_str(record.value, "told"), S("firing")) ? ALERT_FIRING : ALERT_RESOLVED;
	}
	*out = w;
	return 0;
}

void watch_free(struct watch *w)
{
	if (!w)
		return;
	window_free(&w->window);
	sketch_free(&w->reference);
	arena_free(&w->arena);
	free(w);
}

int watch_save(struct call *c, const struct state *s, const struct watch *w, const struct monitor_rule *rule)
{
	uint64_t revision;
	AUTO(json) j = alert_to_json(&w->alert, &w->place, rule);
	json_object_set_new(j, "fixed", json_boolean(w->fixed));
	json_object_set_new(j, "told", json_string(alert_state_word(w->told)));
	return state_put(c, s, key_of(c->arena, &w->place), j, UINT64_MAX, &revision);
}

static struct field_ref ref_of(const struct alert_place *p)
{
	struct field_ref ref = {0};
	str_cut(p->watch, '/', &ref.kind, &ref.name);
	return ref;
}

static int read_counters(struct call *c, struct watch *w, const struct monitor_rule *rule, const struct scrapes *scrapes, struct reading *out)
{
	size_t width = signal_width(monitor_signal_of(rule->signal));
	double values[SIGNAL_MAX_WIDTH] = {0}, delta[SIGNAL_MAX_WIDTH];
	struct signal_target target = {.watch = ref_of(&w->place), .cloud = w->place.cloud};
	if (scrapes->gateways_missing || scrapes->count == 0)
		return 0;
	for (size_t i = 0; i < scrapes->count; i++)
		if (signal_collect(rule, &target, scrapes->expositions[i], values, &c->err) < 0)
			return c->err.code;
	if (!w->window.capacity && window_init(&w->window, rule->over_ns, width, COUNTER_SNAPSHOTS) < 0)
		return call_no_memory(c);
	window_push(&w->window, call_mono_ns(c), values);
	if (window_delta(&w->window, false, delta))
		*out = signal_judge(rule, delta);
	return 0;
}

// The sketch of one endpoint's inputs; false when it does not answer now.
static bool fetch_sketch(struct call *c, const struct guard *guard, struct str url, struct sketch *out)
{
	AUTO(json) j = NULL;
	struct http_call_response answer;
	struct http_call_request request = {
		.url = arena_printf(c->arena, "%.*s/sketch", STR(url)),
		.guard = guard,
		.body_limit = SKETCH_LIMIT,
		.total_ns = NS_PER_S,
	};
	bool fine = http_call(c, &request, &answer) == 0 && answer.status == 200 && json_parse(answer.body, &j, &c->err) == 0 &&
		sketch_of_json(json_object_get(j, "input"), out, &c->err) == 0;
	err_clear(&c->err);
	return fine;
}

// Sums the sketches of the endpoint on the watched clouds into *sum, which takes their form. false: none, or one is missing.
static int sum_sketches(struct call *c, const struct monitor_options *o, const struct watch *w, struct sketch *sum, bool *complete)
{
	struct record *records;
	size_t count;
	struct str prefix = arena_printf(c->arena, "endpoint-status/%.*s on ", STR(ref_of(&w->place).name));
	int rc = o->state->ops->list(c, o->state->ctx, prefix, &records, &count);
	*complete = rc == 0 && count > 0;
	for (size_t i = 0; rc == 0 && i < count && *complete; i++) {
		AUTO(sketch) one = {0};
		struct str cloud = str_drop(records[i].key, prefix.n);
		if (w->place.cloud.n && !str_eq(cloud, w->place.cloud))
			continue;
		if (!fetch_sketch(c, o->guard, json_str(records[i].value, "url"), &one))
			*complete = false;
		else if (sum->elements == 0)
			rc = sketch_new(sum, one.elements, one.bins, one.low, one.high, &c->err);
		if (rc == 0 && *complete)
			rc = sketch_merge(sum, &one, &c->err);
	}
	*complete = *complete && sum->elements > 0;
	return rc;
}

// Pushes the counts and judges what came since the window's start.
static int judge_sketch(struct call *c, struct watch *w, const struct monitor_rule *rule, struct sketch *now, struct reading *out)
{
	size_t width = now->elements * (now->bins + 3) + 1;
	double *values = arena_new_array(c->arena, width, double), *delta = arena_new_array(c->arena, width, double);
	if (!values || !delta)
		return call_no_memory(c);
	for (size_t i = 0; i + 1 < width; i++)
		values[i] = (double)now->counts[i];
	values[width - 1] = (double)now->samples;
	if (w->window.width != width) {
		window_free(&w->window);
		if (window_init(&w->window, rule->over_ns, width, SKETCH_SNAPSHOTS) < 0)
			return call_no_memory(c);
	}
	window_push(&w->window, call_mono_ns(c), values);
	if (!window_delta(&w->window, false, delta) || delta[width - 1] < (double)rule->min_samples)
		return 0;
	for (size_t i = 0; i + 1 < width; i++)
		now->counts[i] = (uint64_t)delta[i];
	now->samples = (uint64_t)delta[width - 1];
	int rc = sketch_drift(&w->reference, now, SKETCH_PSI, &out->value, &c->err);
	out->known = rc == 0;
	return rc;
}

static int read_drift(struct call *c, const struct monitor_options *o, struct watch *w, const struct monitor_rule *rule, struct reading *out)
{
	AUTO(sketch) now = {0};
	bool complete = false;
	if (w->reference.elements == 0 && o->reference) {
		int rc = o->reference(c, o->reference_ctx, &rule->against, &w->reference);
		if (rc == ERR_NOT_FOUND)
			err_clear(&c->err);
		if (rc < 0)
			return rc == ERR_NOT_FOUND ? 0 : rc;
	}
	int rc = sum_sketches(c, o, w, &now, &complete);
	return rc < 0 || !complete || w->reference.elements == 0 ? rc : judge_sketch(c, w, rule, &now, out);
}

int watch_read(struct call *c, const struct monitor_options *o, struct watch *w, const struct monitor_rule *rule,
	const struct scrapes *scrapes, struct reading *out)
{
	*out = (struct reading){0};
	if (monitor_signal_of(rule->signal) == SIGNAL_DRIFT)
		return read_drift(c, o, w, rule, out);
	return read_counters(c, w, rule, scrapes, out);
}
