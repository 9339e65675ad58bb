// SPDX-License-Identifier: Apache-2.0
// Groups and streams over the engine's logs: see logs.h. A token of GetLogEvents says where in the stream's bytes the
// page to come begins: "f/OFFSET.SKIP" leaves out SKIP lines of the piece at OFFSET, so that pages of any size follow
// each other without a line lost or told twice; "b/COUNT" ends a page before that line, counted from the head.
#include "pocket/aws/logs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "pocket/aws/logs_impl.h"

#define STREAMS "logs/streams"
#define GROUPS "logs/groups"

// ---------------------------------------------------------------- what there is
static json_t *stream_doc(const struct aws_log_stream *s)
{
	json_t *doc = json_object();
	json_set_str(doc, "group", s->group);
	json_set_str(doc, "stream", s->stream);
	json_set_str(doc, "engine", s->engine_id);
	json_object_set_new(doc, "created", json_integer(s->created_ns / NS_PER_MS));
	return doc;
}

int aws_logs_announce(struct pocket *p, const struct aws_log_stream *s, struct err *e)
{
	AUTO(arena) a = {0};
	AUTO(json) doc = stream_doc(s);
	struct str group = arena_printf(&a, "%.*s %.*s", STR(s->region), STR(s->group));
	struct str stream = arena_printf(&a, "%.*s %.*s", STR(group), STR(s->stream));
	int rc = group.p && stream.p ? 0 : err_set(e, ERR_NO_MEMORY, "out of memory");
	if (rc == 0 && !docs_get(p, GROUPS, group, NULL))
		rc = docs_put(p, GROUPS, group, doc, e);
	return rc ? rc : docs_put(p, STREAMS, stream, doc, e);
}

int aws_logs_forget(struct pocket *p, struct str region, struct str group, struct str prefix, struct err *e)
{
	AUTO(arena) a = {0};
	struct docs_row row;
	struct docs_cursor from = {.collection = STREAMS,
		.prefix = arena_printf(&a, "%.*s %.*s %.*s", STR(region), STR(group), STR(prefix))};
	size_t count = 1;
	bool more = true;
	int rc = from.prefix.p ? 0 : err_set(e, ERR_NO_MEMORY, "out of memory");
	while (rc == 0 && count && more) {
		rc = docs_list(p, &from, &row, 1, &count, &more);
		if (rc == 0 && count)
			rc = docs_delete(p, STREAMS, arena_str(&a, row.name), e);
	}
	return rc;
}

// ---------------------------------------------------------------- groups and streams
struct page { // of documents
	struct front_request *r;
	const char *collection;
	struct str prefix, after;
	size_t limit;
};

static int list_page(const struct page *page, struct docs_row *rows, size_t *count, bool *more)
{
	const struct docs_cursor from = {
		.collection = page->collection, .prefix = page->prefix, .after = page->after};
	int rc = docs_list(page->r->pocket, &from, rows, page->limit, count, more);
	return rc ? err_set(&page->r->err, rc, "the documents %s cannot be read", page->collection) : 0;
}

static int token_of(struct front_request *r, const json_t *in, struct str *after)
{
	struct str token = json_str(in, "nextToken");
	AUTO(buf) text = {0};
	*after = S("");
	if (!token.n)
		return 0;
	if (base64_decode(token, &text) || !text.n)
		return aws_refuse(r, "InvalidParameterException", "The specified nextToken is invalid.");
	*after = arena_str(r->arena, buf_str(&text));
	return 0;
}

static void set_token(json_t *out, struct str after)
{
	AUTO(buf) text = {0};
	base64_encode(after, &text);
	json_set_str(out, "nextToken", buf_str(&text));
}

static int read_limit(struct front_request *r, const json_t *in, int64_t most, size_t *out)
{
	int64_t limit = json_int(in, "limit", most);
	if (limit < 1 || limit > most)
		return aws_refuse(r, "InvalidParameterException",
			"1 validation error detected: Value '%lld' at 'limit' failed to satisfy constraint: Member must have "
			"value less than or equal to %lld",
			(long long)limit, (long long)most);
	*out = (size_t)limit;
	return 0;
}

static json_t *group_json(struct front_request *r, const json_t *doc)
{
	json_t *j = json_object();
	struct str name = json_str(doc, "group");
	struct str arn = aws_arn(r, "logs", arena_printf(r->arena, "log-group:%.*s", STR(name)));
	json_set_str(j, "logGroupName", name);
	json_set_str(j, "logGroupArn", arn);
	json_set_str(j, "arn", arena_printf(r->arena, "%.*s:*", STR(arn)));
	json_object_set(j, "creationTime", json_object_get(doc, "created"));
	json_object_set_new(j, "metricFilterCount", json_integer(0));
	json_object_set_new(j, "storedBytes", json_integer(0));
	json_object_set_new(j, "logGroupClass", json_string("STANDARD"));
	return j;
}

int aws_logs_describe_groups(struct front_request *r, const json_t *in, json_t **out)
{
	struct docs_row rows[LOGS_PAGE];
	struct page page = {.r = r, .collection = GROUPS};
	size_t count = 0;
	bool more = false;
	page.prefix = arena_printf(
		r->arena, "%.*s %.*s", STR(aws_region(r)), STR(json_str(in, "logGroupNamePrefix")));
	int rc = read_limit(r, in, LOGS_PAGE, &page.limit);
	if (rc == 0)
		rc = token_of(r, in, &page.after);
	if (rc == 0)
		rc = list_page(&page, rows, &count, &more);
	if (rc < 0)
		return rc;
	json_t *list = json_array();
	*out = json_object();
	json_object_set_new(*out, "logGroups", list);
	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, group_json(r, rows[i].doc));
	if (more)
		set_token(*out, rows[count - 1].name);
	return 0;
}

struct str aws_logs_group(const struct front_request *r, const json_t *in)
{
	struct str name = json_str(in, "logGroupName"), arn = json_str(in, "logGroupIdentifier");
	ptrdiff_t at = str_find(arn, S(":log-group:"));
	if (!name.n)
		name = at < 0 ? arn : str_drop(arn, (size_t)at + sizeof(":log-group:") - 1);
	(void)r;
	return str_ends(name, S(":*")) ? str_take(name, name.n - 2) : name;
}

int aws_logs_need_group(struct front_request *r, struct str group)
{
	struct str name = arena_printf(r->arena, "%.*s %.*s", STR(aws_region(r)), STR(group));
	if (!group.n)
		return aws_refuse(r, "InvalidParameterException",
			"1 validation error detected: Value null at 'logGroupName' failed to satisfy constraint: Member must "
			"not be null");
	if (docs_get(r->pocket, GROUPS, name, NULL))
		return 0;
	return aws_refuse(r, "ResourceNotFoundException", "The specified log group does not exist.");
}

static json_t *stream_json(struct front_request *r, const json_t *doc)
{
	json_t *j = json_object();
	struct str name = json_str(doc, "stream");
	struct log_span span = aws_logs_span(r, json_str(doc, "engine"));
	json_set_str(j, "logStreamName", name);
	json_object_set(j, "creationTime", json_object_get(doc, "created"));
	json_set_str(j, "arn",
		aws_arn(r, "logs",
			arena_printf(r->arena, "log-group:%s:log-stream:%.*s", json_text(doc, "group"), STR(name))));
	json_object_set_new(j, "storedBytes", json_integer(0));
	if (!span.last_ms)
		return j;
	json_object_set_new(j, "firstEventTimestamp", json_integer(span.first_ms));
	json_object_set_new(j, "lastEventTimestamp", json_integer(span.last_ms));
	json_object_set_new(j, "lastIngestionTime", json_integer(span.last_ms));
	return j;
}

static int by_last_event(const void *a, const void *b)
{
	int64_t x = json_int(*(json_t *const *)a, "lastEventTimestamp", 0);
	int64_t y = json_int(*(json_t *const *)b, "lastEventTimestamp", 0);
	return (x > y) - (x < y);
}

// Ordered by time there are no pages: all that begin so, at most LOGS_MAX_STREAMS.
static int describe_by_time(struct front_request *r, const json_t *in, const struct page *from, json_t *list)
{
	struct docs_row *rows = arena_new_array(r->arena, LOGS_MAX_STREAMS, struct docs_row);
	json_t **items = arena_new_array(r->arena, LOGS_MAX_STREAMS, json_t *);
	struct page page = *from;
	size_t count = 0;
	bool more = false, down = json_flag(in, "descending", false);
	page.limit = LOGS_MAX_STREAMS;
	if (!rows || !items)
		return err_set(&r->err, ERR_NO_MEMORY, "out of memory");
	int rc = list_page(&page, rows, &count, &more);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < count; i++)
		items[i] = stream_json(r, rows[i].doc);
	if (count)
		qsort(items, count, sizeof(*items), by_last_event);
	for (size_t i = 0; i < count; i++) {
		json_t *one = items[down ? count - 1 - i : i];
		if (i < from->limit)
			json_array_append(list, one);
		json_decref(one);
	}
	return 0;
}

static int describe_by_name(struct front_request *r, const struct page *page, json_t *out, json_t *list)
{
	struct docs_row rows[LOGS_PAGE];
	size_t count = 0;
	bool more = false;
	int rc = list_page(page, rows, &count, &more);
	for (size_t i = 0; rc == 0 && i < count; i++)
		json_array_append_new(list, stream_json(r, rows[i].doc));
	if (rc == 0 && more)
		set_token(out, rows[count - 1].name);
	return rc;
}

int aws_logs_describe_streams(struct front_request *r, const json_t *in, json_t **out)
{
	struct str group = aws_logs_group(r, in);
	struct page page = {.r = r, .collection = STREAMS};
	json_t *list = json_array();
	*out = json_object();
	json_object_set_new(*out, "logStreams", list);
	page.prefix = arena_printf(r->arena, "%.*s %.*s %.*s", STR(aws_region(r)), STR(group),
		STR(json_str(in, "logStreamNamePrefix")));
	int rc = aws_logs_need_group(r, group);
	if (rc == 0)
		rc = read_limit(r, in, LOGS_PAGE, &page.limit);
	if (rc == 0)
		rc = token_of(r, in, &page.after);
	if (rc < 0)
		return rc;
	if (!str_eq(json_str(in, "orderBy"), S("LastEventTime")))
		return describe_by_name(r, &page, *out, list);
	if (json_str(in, "logStreamNamePrefix").n)
		return aws_refuse(r, "InvalidParameterException",
			"Cannot order by LastEventTime with a logStreamNamePrefix.");
	return describe_by_time(r, in, &page, list);
}

int aws_logs_streams_of(struct front_request *r, struct str group, struct str prefix, struct docs_row *rows, size_t *count)
{
	bool more;
	const struct page page = {.r = r,
		.collection = STREAMS,
		.limit = LOGS_MAX_STREAMS,
		.prefix = arena_printf(r->arena, "%.*s %.*s %.*s", STR(aws_region(r)), STR(group), STR(prefix))};
	return list_page(&page, rows, count, &more);
}

const json_t *aws_logs_find_stream(struct front_request *r, struct str group, struct str stream)
{
	return docs_get(r->pocket, STREAMS,
		arena_printf(r->arena, "%.*s %.*s %.*s", STR(aws_region(r)), STR(group), STR(stream)), NULL);
}

// ---------------------------------------------------------------- the service
static const struct aws_operation operations[] = {
	{"DescribeLogGroups", NULL, NULL, aws_logs_describe_groups},
	{"DescribeLogStreams", "log-group:", "logGroupName", aws_logs_describe_streams},
	{"FilterLogEvents", "log-group:", "logGroupName", aws_logs_filter_events},
	{"GetLogEvents", "log-group:", "logGroupName", aws_logs_get_events},
};
static const struct aws_api api = {
	.service = "logs", .target = "Logs_20140328", .operations = operations, .count = COUNT_OF(operations)};

static bool logs_matches(const struct front_request *r)
{
	return aws_api_matches(r, &api);
}

static void logs_handle(struct front_request *r)
{
	aws_api_handle(r, &api);
}

const struct pocket_service aws_logs_service = {.name = "logs",
	.matches = logs_matches,
	.handle = logs_handle,
	.fail = aws_api_fail,
	.trouble = aws_api_trouble};
