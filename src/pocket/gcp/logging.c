// SPDX-License-Identifier: Apache-2.0
// Cloud Logging of a pocket cloud: what jobs and endpoints wrote, as entries:list gives it, oldest first. Nothing else is
// kept: entries:write is not offered. Source: "entries.list" (Cloud Logging API, v2); "Vertex AI: custom training logs".
#include <string.h>

#include "base/time.h"
#include "pocket/gcp/filter.h"
#include "pocket/gcp/vertex_impl.h"

enum { LOG_PAGE = 50, LOG_MAX_PAGE = 1000, LOG_MAX_SOURCES = 10000, LOG_READ = 256 << 10, LISTED_AT_ONCE = 64 };

// One process that wrote: an attempt of a job, or a replica of a deployed model.
struct log_source {
	struct str engine_id;
	const char *type;     // "ml_job"
	const char *id_label; // "job_id"
	struct str id;
};
struct log_listing {
	struct front_request *r;
	const struct google_filter *filter;
	struct log_source *sources;
	size_t count;
	size_t limit;
	struct str project;
	json_t *entries;
};

// ---------------------------------------------------------------- sources

static void add_source(struct log_listing *l, struct log_source source)
{
	if (l->count < LOG_MAX_SOURCES && source.engine_id.p && source.id.p)
		l->sources[l->count++] = source;
}

static void add_job(struct log_listing *l, const struct docs_row *row)
{
	struct arena *a = l->r->arena;
	struct str id = arena_str(a, vertex_last(row->name));
	for (int64_t i = json_int(row->doc, "attempt", 0); i >= 1; i--) // newest first, as the collection is
		add_source(l, (struct log_source){vertex_engine_id(a, row->name, i), "ml_job", "job_id", id});
}

static void add_servers(struct log_listing *l, struct str id, const json_t *servers)
{
	const char *deployed;
	json_t *server, *engine_id;
	size_t i;
	json_object_foreach((json_t *)(uintptr_t)servers, deployed, server)
	{
		json_array_foreach(json_object_get(server, "engines"), i, engine_id)
		{
			add_source(l, (struct log_source){arena_str(l->r->arena, json_value_str(engine_id)),
					      "aiplatform.googleapis.com/Endpoint", "endpoint_id", id});
		}
	}
}

static void add_endpoint(struct log_listing *l, const struct docs_row *row)
{
	struct str id = arena_str(l->r->arena, vertex_last(row->name));
	add_servers(l, id, json_object_get(row->doc, "servers"));
	add_servers(l, id, json_object_get(row->doc, "failed"));
}

static int add_all(struct log_listing *l, const char *collection, struct str only,
	void (*add)(struct log_listing *l, const struct docs_row *row))
{
	struct docs_row rows[LISTED_AT_ONCE];
	struct docs_cursor from = {.collection = collection};
	size_t count = 0;
	bool more = true;
	while (more) {
		int rc = docs_list(l->r->pocket, &from, rows, COUNT_OF(rows), &count, &more);
		if (rc < 0)
			return err_set(&l->r->err, rc, "the documents of %s cannot be read", collection);
		for (size_t i = 0; i < count; i++)
			if (!only.p || str_eq(vertex_last(rows[i].name), only))
				add(l, &rows[i]);
		if (count)
			from.after = rows[count - 1].name;
	}
	return 0;
}

// Oldest first.
static int find_sources(struct log_listing *l)
{
	struct str job = google_filter_equal(l->filter, S("resource.labels.job_id"));
	struct str endpoint = google_filter_equal(l->filter, S("resource.labels.endpoint_id"));
	struct str type = google_filter_equal(l->filter, S("resource.type"));
	bool jobs = !endpoint.p && (!type.p || str_eq(type, S("ml_job")));
	bool endpoints = !job.p && (!type.p || str_starts(type, S("aiplatform.googleapis.com/")));
	int rc = 0;
	l->sources = arena_new_array(l->r->arena, LOG_MAX_SOURCES, struct log_source);
	if (!l->sources)
		return err_set(&l->r->err, ERR_NO_MEMORY, "out of memory");
	if (jobs)
		rc = add_all(l, VERTEX_JOBS, job, add_job);
	if (rc == 0 && endpoints)
		rc = add_all(l, VERTEX_ENDPOINTS, endpoint, add_endpoint);
	for (size_t i = 0; i < l->count / 2; i++) {
		struct log_source swap = l->sources[i];
		l->sources[i] = l->sources[l->count - 1 - i];
		l->sources[l->count - 1 - i] = swap;
	}
	return rc;
}

// ---------------------------------------------------------------- entries

static json_t *make_entry(struct log_listing *l, const struct log_source *source, const struct engine_line *line)
{
	json_t *labels = json_object(), *resource = json_object(), *payload = json_object(), *entry = json_object();
	json_set_str(labels, "project_id", l->project);
	json_set_str(labels, source->id_label, source->id);
	if (strcmp(source->type, "ml_job") == 0)
		json_object_set_new(labels, "task_name", json_string("workerpool0-0"));
	json_object_set_new(resource, "type", json_string(source->type));
	json_object_set_new(resource, "labels", labels);
	json_set_str(payload, "message", line->text);
	json_set_str(entry, "insertId",
		arena_printf(l->r->arena, "%.*s-%lld", STR(source->engine_id), (long long)line->time_ns));
	json_set_str(entry, "logName", arena_printf(l->r->arena, "projects/%.*s/logs/%s", STR(l->project),
					       strcmp(source->type, "ml_job") ? "aiplatform.googleapis.com%2Fprediction_container"
									      : "workerpool0-0"));
	json_object_set_new(entry, "resource", resource);
	google_set_time(entry, "timestamp", line->time_ns);
	google_set_time(entry, "receiveTimestamp", line->time_ns);
	json_object_set_new(entry, "severity", json_string(line->error ? "ERROR" : "INFO"));
	json_object_set_new(entry, "jsonPayload", payload);
	return entry;
}

static void take_line(struct log_listing *l, const struct log_source *source, const struct engine_line *line)
{
	json_t *entry = make_entry(l, source, line);
	if (google_filter_matches(l->filter, entry))
		json_array_append(l->entries, entry);
	json_decref(entry);
}

static bool full(const struct log_listing *l)
{
	return json_array_size(l->entries) >= l->limit;
}

// Where a page begins: `skip` lines behind an offset of a source.
struct log_place {
	size_t source;
	uint64_t offset, skip;
};

static int take_source(struct log_listing *l, struct log_place *at)
{
	const struct log_source *source = &l->sources[at->source];
	while (!full(l)) {
		struct engine_log log = {0};
		const struct engine_log_from from = {
			.id = source->engine_id, .offset = at->offset, .most = LOG_READ};
		int rc = engine_log(l->r->pocket->engine, &from, l->r->arena, &log, &l->r->err);
		if (rc == ERR_NOT_FOUND)
			err_clear(&l->r->err);
		if (rc < 0 || log.count <= at->skip)
			return rc == ERR_NOT_FOUND ? 0 : rc;
		while (at->skip < log.count && !full(l))
			take_line(l, source, &log.lines[at->skip++]);
		if (at->skip < log.count)
			return 0;
		at->offset = log.next;
		at->skip = 0;
	}
	return 0;
}

// "ENGINE-ID OFFSET SKIP": a page token.
static int read_place(struct log_listing *l, struct str after, struct log_place *at)
{
	struct str id, rest, offset, skip;
	*at = (struct log_place){0};
	if (!after.n)
		return 0;
	str_cut(after, ' ', &id, &rest);
	str_cut(rest, ' ', &offset, &skip);
	while (at->source < l->count && !str_eq(l->sources[at->source].engine_id, id))
		at->source++;
	if (at->source < l->count && str_to_u64(offset, &at->offset) == 0 && str_to_u64(skip, &at->skip) == 0)
		return 0;
	return google_refuse(l->r, "INVALID_ARGUMENT", "page_token doesn't match arguments from the request");
}

static int take_entries(struct log_listing *l, struct str after, struct str *token)
{
	struct log_place at;
	int rc = read_place(l, after, &at);
	for (; rc == 0 && at.source < l->count; at = (struct log_place){.source = at.source + 1}) {
		rc = take_source(l, &at);
		if (rc < 0 || !full(l))
			continue;
		*token = google_page_token(
			l->r, arena_printf(l->r->arena, "%.*s %llu %llu", STR(l->sources[at.source].engine_id),
				      (unsigned long long)at.offset, (unsigned long long)at.skip));
		return 0;
	}
	return rc;
}

// ---------------------------------------------------------------- entries:list

static int check_request(struct front_request *r, const json_t *body, struct log_listing *l, struct google_page *page)
{
	const json_t *name;
	size_t i;
	struct err cause = {0};
	struct str order = json_str(body, "orderBy");
	json_array_foreach(json_object_get(body, "resourceNames"), i, name)
	{
		if (!str_starts(json_value_str(name), S("projects/")))
			return google_refuse(r, "INVALID_ARGUMENT", "resource_names[%zu] is no project.", i);
		str_cut(str_drop(json_value_str(name), 9), '/', &l->project, &(struct str){0});
	}
	if (!l->project.n)
		return google_refuse(r, "INVALID_ARGUMENT", "resource_names cannot be empty");
	if (order.n && !str_eq(order, S("timestamp asc")))
		return google_refuse(r, "UNIMPLEMENTED", "A pocket cloud lists entries by \"timestamp asc\" only.");
	if (google_filter_parse(json_str(body, "filter"), r->arena, &l->filter, &cause) < 0)
		return google_refuse(r, "INVALID_ARGUMENT", "Unparseable filter: %s", cause.message);
	int64_t size = json_int(body, "pageSize", 0);
	int rc = google_page_of(r, size, json_str(body, "pageToken"), page);
	l->limit = size ? page->limit : LOG_PAGE;
	return rc;
}

// Google's own permission is on the project that is named in the body.
static void list_with(struct front_request *r, json_t *body)
{
	struct log_listing l = {.r = r};
	struct google_page page;
	struct str token = {0};
	int rc = check_request(r, body, &l, &page);
	if (rc == 0)
		rc = find_sources(&l);
	l.entries = json_array();
	if (rc == 0)
		rc = take_entries(&l, page.after, &token);
	json_t *j = json_object();
	if (json_array_size(l.entries))
		json_object_set(j, "entries", l.entries);
	json_decref(l.entries);
	if (token.n)
		json_set_str(j, "nextPageToken", token);
	if (rc == 0) {
		google_reply(r, j);
		return;
	}
	json_decref(j);
	google_fail(r);
}

static void list_entries(struct front_request *r)
{
	google_body(r, list_with);
}

static const struct google_route routes[] = {
	{HTTP_POST, "entries:list", "logging.logEntries.list", list_entries},
};
static const char *const versions[] = {"v2", NULL};
static const struct google_api api = {
	.service = "logging.googleapis.com", .versions = versions, .routes = routes, .count = COUNT_OF(routes)};

static bool matches(const struct front_request *r)
{
	return google_api_matches(&api, r);
}

static void handle(struct front_request *r)
{
	google_api_handle(&api, r);
}

const struct pocket_service logging_service = {.name = "logging",
	.matches = matches,
	.handle = handle,
	.fail = google_fail,
	.trouble = google_trouble};
