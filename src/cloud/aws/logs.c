// SPDX-License-Identifier: Apache-2.0
// What containers wrote, as CloudWatch Logs keeps it. Sources: DescribeLogStreams, GetLogEvents (Amazon CloudWatch Logs
// API Reference): a page of events ends the stream when its forward token is the one that was asked with.
#include <stdlib.h>

#include "cloud/aws/jobs_impl.h"

enum { MAX_STREAMS = 1000, MAX_PAGES = 100000 };

struct streams {
	struct str *names;
	size_t count;
	struct str next;
};

static json_t *group_object(struct str group)
{
	json_t *j = json_object();
	json_set_str(j, "logGroupName", group);
	return j;
}

static int add_stream(struct call *c, struct streams *streams, struct str name)
{
	if (streams->count == MAX_STREAMS)
		return call_fail(c, ERR_LIMIT, "more than %d log streams", MAX_STREAMS);
	streams->names[streams->count] = arena_str(c->arena, name);
	return streams->names[streams->count++].p ? 0 : call_no_memory(c);
}

static int stream_page(
	struct call *c, struct aws_services *s, struct str group, struct str prefix, struct streams *streams)
{
	AUTO(json) in = group_object(group);
	const json_t *out = NULL;
	json_set_str(in, "logStreamNamePrefix", prefix);
	if (streams->next.n)
		json_set_str(in, "nextToken", streams->next);
	int r = aws_json_call(c, s, AWS_DESCRIBE_LOG_STREAMS, in, &out);
	const json_t *list = json_object_get(out, "logStreams"), *one;
	size_t i;
	json_array_foreach(list, i, one)
	{
		if (!r)
			r = add_stream(c, streams, json_str(one, "logStreamName"));
	}
	if (!r)
		streams->next = arena_str(c->arena, json_str(out, "nextToken"));
	return r;
}

static int send_event(struct call *c, const json_t *event, struct sink *to)
{
	struct str message = json_str(event, "message");
	int r = to->write(to->ctx, message);
	if (!r && !str_ends(message, S("\n")))
		r = to->write(to->ctx, S("\n"));
	if (!r)
		return 0;
	return c->err.code == r ? r : call_fail(c, r, "the receiver of the log refused it");
}

// *token is the one of the page to come; it stays when the stream is read.
static int event_page(
	struct call *c, struct aws_services *s, const json_t *stream, struct str *token, struct sink *to)
{
	AUTO(json) in = json_copy((json_t *)(uintptr_t)stream);
	const json_t *out = NULL;
	json_object_set_new(in, "startFromHead", json_true());
	if (token->n)
		json_set_str(in, "nextToken", *token);
	int r = aws_json_call(c, s, AWS_GET_LOG_EVENTS, in, &out);
	const json_t *events = json_object_get(out, "events"), *one;
	size_t i;
	json_array_foreach(events, i, one)
	{
		if (!r)
			r = send_event(c, one, to);
	}
	if (!r)
		*token = arena_str(c->arena, json_str(out, "nextForwardToken"));
	return r;
}

static int send_stream(struct call *c, struct aws_services *s, struct str group, struct str name, struct sink *to)
{
	AUTO(json) stream = group_object(group);
	struct str token = S(""), asked;
	int r = 0, pages = 0;
	json_set_str(stream, "logStreamName", name);
	do {
		asked = token;
		r = event_page(c, s, stream, &token, to);
	} while (!r && token.n && !str_eq(token, asked) && ++pages < MAX_PAGES);
	return r;
}

static int by_name(const void *a, const void *b)
{
	return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

int aws_logs_send(struct call *c, struct aws_services *s, struct str group, struct str prefix, struct sink *to)
{
	struct streams streams = {.names = arena_new_array(c->arena, MAX_STREAMS, struct str)};
	int r = streams.names ? 0 : call_no_memory(c);
	do {
		if (!r)
			r = stream_page(c, s, group, prefix, &streams);
	} while (!r && streams.next.n);
	if (r == ERR_NOT_FOUND) { // nothing of this kind has run in this account
		err_clear(&c->err);
		return 0;
	}
	if (streams.count)
		qsort(streams.names, streams.count, sizeof(*streams.names), by_name); // a name ends in its time
	for (size_t i = 0; i < streams.count && !r; i++)
		r = send_stream(c, s, group, streams.names[i], to);
	return r ? call_context(c, "read the log streams %.*s in %.*s", STR(prefix), STR(group)) : 0;
}
