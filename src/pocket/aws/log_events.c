// SPDX-License-Identifier: Apache-2.0
// What the streams say: GetLogEvents and FilterLogEvents. Source: Amazon CloudWatch Logs API Reference; of filter
// patterns a pocket knows terms: words and "phrases" that all must be there, -word that must not, ?word of which one
// must.
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/time.h"
#include "pocket/aws/logs_impl.h"
#include "pocket/engine/engine.h"

// ---------------------------------------------------------------- lines
struct cursor {
	uint64_t offset; // of a piece of the engine's log
	size_t skip;     // lines of it that are left out
};

static int read_piece(struct front_request *r, struct str id, uint64_t offset, struct engine_log *out)
{
	const struct engine_log_from from = {.id = id, .offset = offset, .most = LOGS_PIECE};
	struct err e = {0};
	int rc = engine_log(r->pocket->engine, &from, r->arena, out, &e);
	if (rc == ERR_NOT_FOUND) { // the engine has forgotten it
		*out = (struct engine_log){.next = offset};
		return 0;
	}
	if (rc == ERR_INVALID)
		return aws_refuse(r, "InvalidParameterException", "The specified nextToken is invalid.");
	if (rc < 0)
		r->err = e;
	return rc;
}

static json_t *event_json(const struct engine_line *line)
{
	json_t *j = json_object();
	int64_t ms = line->time_ns / NS_PER_MS;
	json_object_set_new(j, "timestamp", json_integer(ms));
	json_set_str(j, "message", line->text.n ? line->text : S(" "));
	json_object_set_new(j, "ingestionTime", json_integer(ms));
	return j;
}

static bool in_time(const json_t *in, const struct engine_line *line)
{
	int64_t ms = line->time_ns / NS_PER_MS, until = json_int(in, "endTime", INT64_MAX);
	return ms >= json_int(in, "startTime", 0) && ms < until;
}

struct log_span aws_logs_span(struct front_request *r, struct str id)
{
	struct log_span span = {0};
	struct engine_log log = {0};
	uint64_t offset = 0;
	while (read_piece(r, id, offset, &log) == 0 && log.count) {
		if (!span.first_ms)
			span.first_ms = log.lines[0].time_ns / NS_PER_MS;
		span.last_ms = log.lines[log.count - 1].time_ns / NS_PER_MS;
		offset = log.next;
	}
	err_clear(&r->err);
	return span;
}

// ---------------------------------------------------------------- GetLogEvents
struct reading {
	struct front_request *r;
	const json_t *in;
	struct str id;
	size_t limit;
	json_t *events;
	struct cursor next; // after what was read
	uint64_t before;    // lines from the head to the first that was read
};

static int read_token(const struct reading *g, struct str token, struct cursor *at, uint64_t *before, bool *back)
{
	struct str offset, skip;
	uint64_t number = 0;
	*back = str_starts(token, S("b/"));
	if (*back && str_to_u64(str_drop(token, 2), before) == 0)
		return 0;
	if (str_starts(token, S("f/")) && str_cut(str_drop(token, 2), '.', &offset, &skip) &&
		str_to_u64(offset, &at->offset) == 0 && str_to_u64(skip, &number) == 0) {
		at->skip = (size_t)number;
		return 0;
	}
	return aws_refuse(g->r, "InvalidParameterException", "The specified nextToken is invalid.");
}

static int read_forward(struct reading *g, struct cursor from)
{
	struct engine_log log = {0};
	size_t taken = 0;
	g->next = from;
	for (;;) {
		int rc = read_piece(g->r, g->id, g->next.offset, &log);
		if (rc < 0)
			return rc;
		for (; g->next.skip < log.count && taken < g->limit; g->next.skip++) {
			if (!in_time(g->in, &log.lines[g->next.skip]))
				continue;
			json_array_append_new(g->events, event_json(&log.lines[g->next.skip]));
			taken++;
		}
		// A piece that may still grow is begun anew by the next page, behind the lines that were told.
		bool full = log.next > g->next.offset && log.next - g->next.offset >= LOGS_PIECE / 2;
		if (taken == g->limit || g->next.skip < log.count || !full)
			return 0;
		g->next = (struct cursor){.offset = log.next};
	}
}

// The last `limit` of the lines before one: all are walked from the head.
static int read_back(struct reading *g, uint64_t before)
{
	struct engine_log log = {0};
	struct cursor at = {0};
	uint64_t n = 0;
	for (;;) {
		int rc = read_piece(g->r, g->id, at.offset, &log);
		if (rc < 0)
			return rc;
		for (size_t i = 0; i < log.count && n < before; i++, n++) {
			if (in_time(g->in, &log.lines[i]))
				json_array_append_new(g->events, event_json(&log.lines[i]));
			if (json_array_size(g->events) > g->limit)
				json_array_remove(g->events, 0);
			at.skip = i + 1;
		}
		g->next = at;
		bool full = log.next > at.offset && log.next - at.offset >= LOGS_PIECE / 2;
		if (!full || n == before)
			break;
		at = (struct cursor){.offset = log.next};
	}
	size_t got = json_array_size(g->events);
	g->before = n > got ? n - got : 0;
	return 0;
}

int aws_logs_get_events(struct front_request *r, const json_t *in, json_t **out)
{
	struct str group = aws_logs_group(r, in), token = json_str(in, "nextToken");
	struct reading g = {.r = r, .in = in, .events = json_array()};
	struct cursor at = {0};
	uint64_t before = UINT64_MAX;
	bool back = !json_flag(in, "startFromHead", false);
	int64_t limit = json_int(in, "limit", LOGS_MAX_EVENTS);
	*out = json_object();
	json_object_set_new(*out, "events", g.events);
	int rc = aws_logs_need_group(r, group);
	const json_t *stream = rc ? NULL : aws_logs_find_stream(r, group, json_str(in, "logStreamName"));
	if (rc == 0 && !stream)
		rc = aws_refuse(r, "ResourceNotFoundException", "The specified log stream does not exist.");
	if (rc == 0 && (limit < 1 || limit > LOGS_MAX_EVENTS))
		rc = aws_refuse(r, "InvalidParameterException", "limit must be between 1 and %d", LOGS_MAX_EVENTS);
	if (rc == 0 && token.n)
		rc = read_token(&g, token, &at, &before, &back);
	if (rc < 0)
		return rc;
	g.id = json_str(stream, "engine");
	g.limit = (size_t)limit;
	rc = back ? read_back(&g, before) : read_forward(&g, at);
	json_set_str(*out, "nextForwardToken",
		arena_printf(r->arena, "f/%llu.%zu", (unsigned long long)g.next.offset, g.next.skip));
	json_set_str(*out, "nextBackwardToken", arena_printf(r->arena, "b/%llu", (unsigned long long)g.before));
	return rc;
}

// ---------------------------------------------------------------- patterns
static bool next_term(struct str *pattern, struct str *term, char *mark)
{
	*pattern = str_trim(*pattern);
	*mark = 0;
	if (!pattern->n)
		return false;
	if (pattern->p[0] == '-' || pattern->p[0] == '?') {
		*mark = pattern->p[0];
		*pattern = str_drop(*pattern, 1);
	}
	if (pattern->n && pattern->p[0] == '"')
		str_cut(str_drop(*pattern, 1), '"', term, pattern);
	else if (!str_cut(*pattern, ' ', term, pattern))
		*pattern = S("");
	return true;
}

static bool pattern_matches(struct str pattern, struct str text)
{
	struct str term;
	char mark;
	bool any = false, one_of = false;
	while (next_term(&pattern, &term, &mark)) {
		bool there = str_find(text, term) >= 0;
		if (mark == '?') {
			any = true;
			one_of |= there;
		} else if (there == (mark == '-')) {
			return false;
		}
	}
	return !any || one_of;
}

// ---------------------------------------------------------------- FilterLogEvents
struct hit {
	json_t *event;
	int64_t ms;
	size_t order; // of equal times: as they were read
};
struct hits {
	struct front_request *r;
	const json_t *in;
	struct hit *items;
	size_t count;
};

static bool stream_wanted(const json_t *in, struct str stream)
{
	const json_t *names = json_object_get(in, "logStreamNames"), *one;
	size_t i;
	json_array_foreach(names, i, one) if (str_eq(json_value_str(one), stream)) return true;
	return !json_array_size(names);
}

static void add_hit(struct hits *h, const json_t *stream, const struct engine_line *line)
{
	json_t *event = event_json(line);
	struct hit *hit = &h->items[h->count];
	json_set_str(event, "logStreamName", json_str(stream, "stream"));
	json_set_str(event, "eventId",
		arena_printf(h->r->arena, "%020lld%010zu", (long long)line->time_ns, h->count));
	*hit = (struct hit){.event = event, .ms = line->time_ns / NS_PER_MS, .order = h->count};
	h->count++;
}

static int search_stream(struct hits *h, const json_t *stream, size_t most)
{
	struct engine_log log = {0};
	struct str pattern = json_str(h->in, "filterPattern");
	uint64_t offset = 0;
	do {
		int rc = read_piece(h->r, json_str(stream, "engine"), offset, &log);
		if (rc < 0)
			return rc;
		for (size_t i = 0; i < log.count && h->count < most; i++)
			if (in_time(h->in, &log.lines[i]) && pattern_matches(pattern, log.lines[i].text))
				add_hit(h, stream, &log.lines[i]);
		offset = log.next;
	} while (log.count && h->count < most);
	return 0;
}

static int by_time(const void *a, const void *b)
{
	const struct hit *x = a, *y = b;
	if (x->ms != y->ms)
		return x->ms < y->ms ? -1 : 1;
	return (x->order > y->order) - (x->order < y->order);
}

static int search(struct hits *h, struct str group)
{
	struct docs_row *rows = arena_new_array(h->r->arena, LOGS_MAX_STREAMS, struct docs_row);
	size_t count = 0, most = 10 * LOGS_MAX_EVENTS;
	h->items = arena_new_array(h->r->arena, most, struct hit);
	if (!rows || !h->items)
		return err_set(&h->r->err, ERR_NO_MEMORY, "out of memory");
	int rc = aws_logs_streams_of(h->r, group, json_str(h->in, "logStreamNamePrefix"), rows, &count);
	for (size_t i = 0; rc == 0 && i < count; i++)
		if (stream_wanted(h->in, json_str(rows[i].doc, "stream")))
			rc = search_stream(h, rows[i].doc, most);
	if (h->count)
		qsort(h->items, h->count, sizeof(*h->items), by_time);
	return rc;
}

// A page's token counts the events before it: what is written later has later times.
int aws_logs_filter_events(struct front_request *r, const json_t *in, json_t **out)
{
	struct str group = aws_logs_group(r, in), pattern = json_str(in, "filterPattern");
	struct str token = json_str(in, "nextToken");
	struct hits h = {.r = r, .in = in};
	int64_t limit = json_int(in, "limit", LOGS_MAX_EVENTS);
	uint64_t from = 0;
	json_t *events = json_array();
	*out = json_object();
	json_object_set_new(*out, "events", events);
	json_object_set_new(*out, "searchedLogStreams", json_array());
	int rc = aws_logs_need_group(r, group);
	if (rc == 0 && (limit < 1 || limit > LOGS_MAX_EVENTS))
		rc = aws_refuse(r, "InvalidParameterException", "limit must be between 1 and %d", LOGS_MAX_EVENTS);
	if (rc == 0 && (str_starts(pattern, S("{")) || str_starts(pattern, S("[")) || str_starts(pattern, S("%"))))
		rc = aws_refuse(r, "InvalidParameterException",
			"Invalid filter pattern: a pocket cloud knows terms, not JSON, columns or regular expressions");
	if (rc == 0 && token.n && str_to_u64(token, &from))
		rc = aws_refuse(r, "InvalidParameterException", "The specified nextToken is invalid.");
	if (rc == 0)
		rc = search(&h, group);
	size_t end = h.count > from && h.count - from > (uint64_t)limit ? (size_t)from + (size_t)limit : h.count;
	for (size_t i = 0; i < h.count; i++) {
		if (i >= from && i < end)
			json_array_append(events, h.items[i].event);
		json_decref(h.items[i].event);
	}
	if (rc == 0 && end < h.count)
		json_set_str(*out, "nextToken", arena_printf(r->arena, "%zu", end));
	return rc;
}
