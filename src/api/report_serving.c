// SPDX-License-Identifier: Apache-2.0
// The report's second half: answers per cloud and second as the audit logs have them, and beside them what the monitor
// and the deploy loop did: alerts, overrides, endpoints that went down and came back.
#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "api/report_impl.h"
#include "base/file.h"
#include "base/time.h"

enum { MAX_CLOUDS = 16, MAX_SECONDS = 7200, MAX_SPANS = 512, MAX_ROWS = 64, SEGMENT_LIMIT = 64 << 20 };

struct traffic {
	struct str clouds[MAX_CLOUDS];
	double *answers[MAX_CLOUDS]; // each MAX_SECONDS
	size_t cloud_count;
	int64_t first_ns, last_ns; // wall clock; 0: no request
	uint64_t requests, failed, refused;
	struct arena *arena;
};

// ---------------------------------------------------------------- traffic, from the audit logs
static double *answers_of(struct traffic *t, struct str cloud)
{
	for (size_t i = 0; i < t->cloud_count; i++) {
		if (str_eq(t->clouds[i], cloud))
			return t->answers[i];
	}
	if (t->cloud_count == MAX_CLOUDS)
		return NULL;
	t->clouds[t->cloud_count] = arena_str(t->arena, cloud);
	t->answers[t->cloud_count] = arena_new_array(t->arena, MAX_SECONDS, double);
	return t->answers[t->cloud_count++];
}

static void take_record(struct traffic *t, const json_t *body)
{
	int64_t at, status = json_int(body, "status", 0);
	if (strcmp(json_text(body, "kind"), "request") != 0 || time_parse_rfc3339(json_str(body, "time"), &at) < 0)
		return;
	t->requests++;
	t->failed += status >= 500;
	t->refused += status == 401 || status == 403;
	t->first_ns = t->first_ns ? MIN(t->first_ns, at) : at;
	t->last_ns = MAX(t->last_ns, at);
	struct str cloud = json_str(body, "cloud");
	double *answers = cloud.n ? answers_of(t, cloud) : NULL;
	int64_t second = (at - t->first_ns) / NS_PER_S;
	if (answers && second >= 0 && second < MAX_SECONDS)
		answers[second]++;
}

static void take_segment(struct traffic *t, const char *path)
{
	AUTO(buf) text = {0};
	struct str rest, line;
	if (file_read(path, SEGMENT_LIMIT, &text, NULL) < 0)
		return; // the audit section says what is wrong with the log
	rest = buf_str(&text);
	while (str_next(&rest, '\n', &line)) {
		AUTO(json) record = NULL;
		if (line.n && json_parse(line, &record, NULL) == 0)
			take_record(t, json_object_get(record, "body"));
	}
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_segment(const struct dirent *entry)
{
	return entry->d_name[0] >= '0' && entry->d_name[0] <= '9' && str_ends(str_of(entry->d_name), S(".jsonl"));
}

static void take_log(struct report *r, struct traffic *t, struct str gateway)
{
	struct str folder = arena_printf(
		t->arena, "%.*s/gateways/%.*s/audit", STR(r->session.binding.state_folder), STR(gateway));
	struct dirent **entries;
	int count = folder.p ? scandir(folder.p, &entries, is_segment, by_name) : -1;
	for (int i = 0; i < count; i++) {
		struct str path = arena_printf(t->arena, "%.*s/%s", STR(folder), entries[i]->d_name);
		if (path.p)
			take_segment(t, path.p);
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
}

static size_t seconds_of(const struct traffic *t)
{
	return t->requests ? (size_t)MIN((t->last_ns - t->first_ns) / NS_PER_S + 1, (int64_t)MAX_SECONDS) : 0;
}

static void write_traffic(struct report *r, const struct traffic *t)
{
	size_t n = seconds_of(t);
	double *x = arena_new_array(t->arena, n + 1, double);
	struct chart_series series[MAX_CLOUDS];
	for (size_t i = 0; x && i < n; i++)
		x[i] = (double)i;
	for (size_t i = 0; i < t->cloud_count; i++)
		series[i] = (struct chart_series){
			.name = t->clouds[i], .x = x, .y = t->answers[i], .count = x && t->answers[i] ? n : 0};
	const struct chart chart = {.x_label = "seconds since the first request",
		.y_label = "answers per second",
		.series = series,
		.series_count = t->cloud_count,
		.stacked = true};
	report_heading(r, "Traffic", "Answers per second and cloud, from the audit logs.");
	buf_printf(&r->out,
		"<p>%llu requests: <span class=\"%s\">%llu failed</span>, %llu refused for want of a key or a "
		"role.</p>\n",
		(unsigned long long)t->requests, t->failed ? "bad" : "good", (unsigned long long)t->failed,
		(unsigned long long)t->refused);
	chart_write(&chart, &r->out);
}

// ---------------------------------------------------------------- failover, from the journal
struct lane { // one row of the timeline: something that begins and ends
	struct str name;
	double since; // NAN: not begun
	struct str text;
};

struct failover {
	struct arena *arena;
	int64_t zero_ns;
	double end;
	struct lane lanes[MAX_ROWS];
	struct str names[MAX_ROWS];
	size_t lane_count;
	struct chart_span spans[MAX_SPANS];
	size_t span_count;
};

static size_t lane_of(struct failover *f, struct str name)
{
	for (size_t i = 0; i < f->lane_count; i++) {
		if (str_eq(f->lanes[i].name, name))
			return i;
	}
	if (f->lane_count == MAX_ROWS)
		return MAX_ROWS - 1;
	f->lanes[f->lane_count] = (struct lane){.name = name, .since = NAN};
	f->names[f->lane_count] = name;
	return f->lane_count++;
}

static void add_span(struct failover *f, struct chart_span span)
{
	if (span.to < 0 || f->span_count == MAX_SPANS)
		return; // before the first request
	span.from = fmax(span.from, 0);
	f->spans[f->span_count++] = span;
}

struct moment {
	struct str lane, text;
	double at;
	int color;
	bool begins;
};

static void take_moment(struct failover *f, const struct moment *m)
{
	size_t row = lane_of(f, m->lane);
	struct lane *lane = &f->lanes[row];
	if (m->begins && isnan(lane->since)) {
		lane->since = m->at;
		lane->text = m->text;
	} else if (!m->begins && !isnan(lane->since)) {
		add_span(f,
			(struct chart_span){
				.row = row, .from = lane->since, .to = m->at, .text = lane->text, .color = m->color});
		lane->since = NAN;
	}
}

static void take_event(struct failover *f, const json_t *event)
{
	const json_t *data = json_object_get(event, "data");
	struct str type = json_str(event, "type"), address = json_str(event, "address");
	int64_t at;
	if (time_parse_rfc3339(json_str(event, "time"), &at) < 0)
		return;
	struct moment m = {.at = (double)(at - f->zero_ns) / 1e9, .lane = address};
	struct str state = json_str(data, "state");
	if (str_starts(type, S("alert."))) {
		m.lane = arena_printf(f->arena, "alert %.*s", STR(address));
		m.begins = str_eq(type, S("alert.firing"));
		m.text = json_str(data, "summary");
		m.color = 4;
	} else if (str_starts(type, S("override."))) {
		m.lane = arena_printf(f->arena, "override %.*s", STR(address));
		m.begins = str_eq(type, S("override.set"));
		m.text = json_str(data, "reason");
		m.color = 3;
	} else if (str_eq(type, S("endpoint.changed"))) {
		m.begins = !str_eq(state, S("ready"));
		m.text = arena_printf(f->arena, "%.*s %.*s", STR(state), STR(json_str(data, "reason")));
		m.color = 1;
	} else {
		return;
	}
	take_moment(f, &m);
}

static void close_open(struct failover *f)
{
	for (size_t i = 0; i < f->lane_count; i++) {
		const struct moment m = {.lane = f->lanes[i].name, .at = f->end, .color = 4};
		take_moment(f, &m);
	}
}

static int write_failover(struct report *r, const struct traffic *t)
{
	const json_t *answer = NULL, *event;
	size_t i;
	struct failover *f = arena_new(t->arena, struct failover);
	if (!f)
		return call_no_memory(r->request->call);
	int rc = report_ask(r, handle_events, "limit=100000", &answer);
	if (rc < 0)
		return rc;
	f->arena = t->arena;
	f->zero_ns = t->first_ns;
	f->end = t->requests ? (double)seconds_of(t) : 0;
	json_array_foreach(json_object_get(answer, "events"), i, event) take_event(f, event);
	for (i = 0; i < f->span_count; i++)
		f->end = fmax(f->end, f->spans[i].to);
	close_open(f);
	report_heading(r, "Failover",
		"When endpoints were down, alerts fired and traffic was shifted, on the same clock as the traffic.");
	const struct chart_timeline timeline = {.rows = f->names,
		.row_count = t->requests ? f->lane_count : 0,
		.spans = f->spans,
		.span_count = f->span_count,
		.from = 0,
		.to = f->end};
	chart_write_timeline(&timeline, &r->out);
	return 0;
}

int report_serving(struct report *r)
{
	struct traffic *t = arena_new(r->request->call->arena, struct traffic);
	if (!t)
		return call_no_memory(r->request->call);
	t->arena = r->request->call->arena;
	for (size_t i = 0; i < r->session.recorded_count; i++) {
		if (str_eq(r->session.recorded[i].kind, S("gateway")))
			take_log(r, t, r->session.recorded[i].name);
	}
	write_traffic(r, t);
	return write_failover(r, t);
}
