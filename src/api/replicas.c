// SPDX-License-Identifier: Apache-2.0
// Due datasets, their copies, and alerts about copies that are behind. See replicas.h.
#include "api/replicas.h"

#include "base/log.h"
#include "base/time.h"
#include "data/dataset_files.h"
#include "data/files_source.h"
#include "data/replica.h"

enum { LOOK_EVERY_S = 1, AFTER_FAILURE_S = 60, HOUR_S = 3600, DAY_S = 86400, WEEK_S = 604800 };

static int64_t interval_ns(struct str refresh)
{
	int64_t ns;
	if (str_eq(refresh, S("hourly")))
		return HOUR_S * NS_PER_S;
	if (str_eq(refresh, S("weekly")))
		return WEEK_S * NS_PER_S;
	return duration_parse(refresh, &ns) == 0 ? ns : DAY_S * NS_PER_S;
}

// ---------------------------------------------------------------- alerts
static json_t *alert_json(const struct call *c, const struct replica_status *r, bool firing, const json_t *before)
{
	char text[TIME_TEXT_SIZE];
	AUTO(arena) a = {0};
	json_t *j = json_object();
	int64_t now = call_now_ns(c);
	time_rfc3339(now, 3, text);
	json_set_str(j, "monitor", r->dataset);
	json_set_str(j, "watch", r->dataset);
	json_set_str(j, "cloud", r->cloud);
	json_set_str(j, "signal", S("replica lag"));
	json_object_set_new(j, "state", json_string(firing ? "firing" : "resolved"));
	json_object_set_new(j, "value", json_real((double)r->lag_ns / 1e9));
	json_object_set_new(
		j, "since_ns", firing ? json_integer(now) : json_incref(json_object_get(before, "since_ns")));
	json_object_set_new(j, "since", firing ? json_string(text) : json_incref(json_object_get(before, "since")));
	if (!firing)
		json_object_set_new(j, "ended", json_string(text));
	json_set_str(j, "summary",
		arena_printf(&a, "the copy of %.*s on %.*s is %lld minutes behind%s%.*s", STR(r->dataset),
			STR(r->cloud), (long long)(r->lag_ns / (60 * NS_PER_S)), r->error.n ? ": " : "",
			STR(r->error)));
	return j;
}

static int judge_lag(struct call *c, const struct binding *b, const struct replica_status *r, int64_t limit_ns)
{
	struct record before = {0};
	bool late = limit_ns && r->lag_ns > limit_ns;
	struct str key = arena_printf(c->arena, "alert/%.*s/lag/%.*s", STR(r->dataset), STR(r->cloud));
	if (!key.p)
		return call_no_memory(c);
	if (state_get(c, b->state, key, &before))
		return c->err.code;
	bool firing = before.revision && str_eq(json_str(before.value, "state"), S("firing"));
	if (late == firing)
		return 0;
	AUTO(json) value = alert_json(c, r, late, before.value);
	const struct state_note note = {.key = key,
		.value = value,
		.expected = before.revision,
		.type = late ? S("alert.firing") : S("alert.resolved"),
		.address = r->dataset,
		.data = json_deep_copy(value)};
	return state_put_noted(c, b->state, &note);
}

static int judge_copies(
	struct call *c, const struct binding *b, const struct resource *resource, const struct dataset *d)
{
	struct replica_status *list = NULL;
	size_t count = 0;
	if (replica_list(c, b->state, &list, &count))
		return c->err.code;
	for (size_t i = 0; i < count; i++)
		if (str_eq(list[i].dataset, resource->address) && judge_lag(c, b, &list[i], d->replicas.lag_alert_ns))
			return c->err.code;
	return 0;
}

// ---------------------------------------------------------------- refreshing
static int refresh(struct call *c, const struct binding *b, const struct resource *resource, const struct dataset *d)
{
	const struct ingest in = {
		.state = b->state,
		.clouds = b->clouds,
		.resource = resource,
		.run = S("refresh"),
		.scratch = arena_printf(
			c->arena, "%.*s/made/dataset+%.*s/refresh", STR(b->state_folder), STR(resource->name))
				   .p,
		.folder = arena_cstr(c->arena, b->folder),
	};
	return in.scratch && in.folder ? dataset_files_refresh(c, &in, d) : call_no_memory(c);
}

static int note_attempt(struct call *c, const struct binding *b, struct str key, bool ok)
{
	AUTO(json) value = json_pack("{s:I, s:b}", "at_ns", (json_int_t)call_now_ns(c), "ok", (int)ok);
	return state_put(c, b->state, key, value, UINT64_MAX, NULL);
}

// A run by hand that is under way does the same: it is not waited for.
static int refresh_and_note(
	struct call *c, const struct binding *b, const struct resource *resource, const struct dataset *d)
{
	AUTO(arena) arena = {0};
	struct call child;
	struct str key = arena_printf(c->arena, "refresh/%.*s", STR(resource->address));
	call_child(&child, c, &arena, 0);
	if (!key.p)
		return call_no_memory(c);
	int rc = refresh(&child, b, resource, d);
	struct call probe = *c;
	if (rc < 0 && call_check(&probe) < 0) {
		c->err = child.err;
		return rc; // the control plane ends
	}
	if (rc == ERR_IN_USE)
		return 0;
	if (rc < 0)
		log_err(LOG_WARNING, &child.err, "bring copies up to date");
	return note_attempt(c, b, key, rc == 0);
}

static int look_at(struct call *c, const struct binding *b, const struct resource *resource)
{
	struct dataset d = {0};
	struct record last = {0};
	struct str key = arena_printf(c->arena, "refresh/%.*s", STR(resource->address));
	if (!key.p)
		return call_no_memory(c);
	if (kind_decode_json(&dataset_kind, resource->resolved, c->arena, &d, &c->err) ||
		state_get(c, b->state, key, &last))
		return c->err.code;
	if (!d.replicas.bucket.name.n || !files_format(d.format))
		return 0;
	int64_t pause = json_flag(last.value, "ok", true)
				? interval_ns(d.replicas.refresh)
				: MIN(interval_ns(d.replicas.refresh), AFTER_FAILURE_S * NS_PER_S);
	bool due = !last.revision || call_now_ns(c) - json_int(last.value, "at_ns", 0) >= pause ||
		   call_now_ns(c) <
			   json_int(last.value, "at_ns", 0); // a clock that was set back must not stop them for long
	if (due && refresh_and_note(c, b, resource, &d))
		return c->err.code;
	return judge_copies(c, b, resource, &d);
}

int replicas_tick(struct call *c, const struct binding *b)
{
	struct resource *list = NULL;
	size_t count = 0;
	if (resource_list(c, b->state, S("dataset/"), &list, &count))
		return c->err.code;
	for (size_t i = 0; i < count; i++)
		if (call_check(c) || look_at(c, b, &list[i]))
			return c->err.code;
	return 0;
}

int replicas_serve(struct call *c, const struct binding *b)
{
	for (;;) {
		AUTO(arena) arena = {0};
		struct call round;
		call_child(&round, c, &arena, 0);
		int rc = replicas_tick(&round, b);
		if (rc == 0)
			rc = call_sleep(&round, LOOK_EVERY_S * NS_PER_S);
		if (rc < 0) {
			c->err = round.err;
			return rc;
		}
	}
}
