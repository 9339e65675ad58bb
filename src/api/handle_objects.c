// SPDX-License-Identifier: Apache-2.0
// Routes that act on one object or on all below a place: copy, sync, move, remove, usage, verify. What happens to each
// object is told as it happens; a request that leaves objects undone ends with the first of their errors.
#include <pthread.h>

#include "api/handlers.h"
#include "api/objects_impl.h"
#include "base/time.h"
#include "data/bulk.h"
#include "net/url.h"

struct many { // one request
	struct api_request *request;
	struct objects objects;
	struct bulk_options options;
	const char *step; // what progress is called
	pthread_mutex_t lock;
	uint64_t objects_total, bytes_total, bytes_done;
};

// ---------------------------------------------------------------- what is told
static void emit_progress(struct many *m)
{
	json_t *event = json_pack("{s:s, s:s, s:f, s:f, s:s}", "step", m->step, "what", "", "done",
		(double)m->bytes_done, "total", (double)m->bytes_total, "unit", "bytes");
	session_emit(m->request, "progress", event);
}

static void on_begin(void *ctx, uint64_t objects, uint64_t bytes)
{
	struct many *m = ctx;
	m->objects_total = objects;
	m->bytes_total = bytes;
}

static void on_event(void *ctx, const struct bulk_event *e)
{
	struct many *m = ctx;
	json_t *event = json_pack("{s:s, s:I, s:b}", "action", e->action, "bytes", (json_int_t)e->bytes, "dry_run",
		(int)m->options.dry_run);
	json_set_str(event, "from", e->from);
	if (e->to.n)
		json_set_str(event, "to", e->to);
	if (e->why.n)
		json_set_str(event, "error", e->why);
	session_emit(m->request, "object", event);
	pthread_mutex_lock(&m->lock);
	m->bytes_done += e->bytes;
	if (m->bytes_total && !m->options.dry_run)
		emit_progress(m);
	pthread_mutex_unlock(&m->lock);
}

// ---------------------------------------------------------------- reading the request
static int read_patterns(struct api_request *r, const char *name, const struct str **out, size_t *count)
{
	const json_t *list = json_object_get(r->body, name);
	size_t n = json_array_size(list);
	if (list && (!json_is_array(list) || n > 1000))
		return call_fail(r->call, ERR_INVALID, "\"%s\" is no list of at most 1000 patterns", name);
	struct str *patterns = arena_new_array(r->call->arena, n + 1, struct str);
	if (!patterns)
		return call_no_memory(r->call);
	for (size_t i = 0; i < n; i++) {
		patterns[i] = json_value_str(json_array_get(list, i));
		if (!patterns[i].n)
			return call_fail(r->call, ERR_INVALID, "\"%s\", item %zu is no pattern", name, i + 1);
	}
	*out = patterns;
	*count = n;
	return 0;
}

static int read_options(struct many *m)
{
	struct api_request *r = m->request;
	struct bulk_options *o = &m->options;
	int64_t parallel = json_int(r->body, "parallel", 0);
	o->env = &m->objects.env;
	o->checksum = json_flag(r->body, "checksum", false);
	o->dry_run = json_flag(r->body, "dry_run", false);
	o->begin = on_begin;
	o->tell = on_event;
	o->ctx = m;
	if (parallel < 0 || parallel > BULK_PARALLEL_MOST)
		return call_fail(r->call, ERR_INVALID, "\"parallel\" is not between 1 and %d", BULK_PARALLEL_MOST);
	o->parallel = (size_t)parallel;
	int rc = read_patterns(r, "include", &o->select.include, &o->select.include_count);
	return rc < 0 ? rc : read_patterns(r, "exclude", &o->select.exclude, &o->select.exclude_count);
}

// to may be absent where the route says so.
static int open_many(struct many *m, struct api_request *r, bool needs_to)
{
	struct str texts[2] = {S(""), json_str(r->body, "to")};
	*m = (struct many){.request = r, .step = "data"};
	pthread_mutex_init(&m->lock, NULL);
	int rc = json_need_str(r->body, "from", &texts[0], &r->call->err);
	if (rc == 0 && needs_to)
		rc = json_need_str(r->body, "to", &texts[1], &r->call->err);
	if (rc == 0)
		rc = read_options(m);
	if (rc == 0)
		rc = objects_session_open(r, &m->objects, texts, texts[1].n ? 2 : 1);
	if (rc == 0)
		rc = object_place_parse(r->call, &m->objects.env, texts[0], &m->options.from);
	if (rc == 0 && texts[1].n)
		rc = object_place_parse(r->call, &m->objects.env, texts[1], &m->options.to);
	return rc;
}

static int close_many(struct many *m, int rc, const struct bulk_result *done, json_t **result)
{
	if (rc == 0 && done->failed) {
		m->request->call->err = done->first;
		rc = call_context(m->request->call, "%llu of %llu objects failed; the first",
			(unsigned long long)done->failed,
			(unsigned long long)(done->failed + done->copied + done->deleted));
	}
	if (rc == 0)
		*result = json_pack("{s:I, s:I, s:I, s:I}", "objects", (json_int_t)done->copied, "skipped",
			(json_int_t)done->skipped, "deleted", (json_int_t)done->deleted, "bytes",
			(json_int_t)done->bytes);
	if (m->objects.session.call)
		objects_session_close(&m->objects);
	pthread_mutex_destroy(&m->lock);
	return rc;
}

// ---------------------------------------------------------------- copy, move
static int copy_one(struct many *m, json_t **result)
{
	struct call *c = m->request->call;
	const struct bulk_options *o = &m->options;
	struct copy_result copied = {0};
	struct object_row row;
	if (o->dry_run) {
		int rc = objects_head(c, &o->from, &row);
		*result = rc ? NULL : json_pack("{s:i, s:I}", "objects", 1, "bytes", (json_int_t)row.size);
		return rc;
	}
	int rc = objects_copy(c, o->env, &o->from, &o->to, &copied);
	if (rc == 0 && o->move)
		rc = bulk_remove(c, &o->from);
	if (rc == 0)
		*result = json_pack("{s:I, s:I, s:I, s:s}", "objects", (json_int_t)copied.objects, "skipped",
			(json_int_t)copied.skipped, "bytes", (json_int_t)copied.bytes, "sha256", copied.sha256);
	return rc;
}

static int copy(struct api_request *r, bool move, json_t **result)
{
	struct many m;
	struct bulk_result done = {0};
	json_t *one = NULL;
	int rc = open_many(&m, r, true);
	m.options.move = move;
	m.options.update = json_flag(r->body, "update", false);
	if (rc == 0 && !json_flag(r->body, "recursive", false)) {
		rc = copy_one(&m, &one);
		rc = close_many(&m, rc, &done, result);
		if (rc == 0)
			json_decref(*result);
		*result = one;
		return rc;
	}
	if (rc == 0)
		rc = bulk_run(r->call, &m.options, &done);
	return close_many(&m, rc, &done, result);
}

int handle_objects_copy(struct api_request *r, json_t **result)
{
	return copy(r, false, result);
}

int handle_objects_move(struct api_request *r, json_t **result)
{
	return copy(r, true, result);
}

int handle_objects_sync(struct api_request *r, json_t **result)
{
	struct many m;
	struct bulk_result done = {0};
	int rc = open_many(&m, r, true);
	m.options.update = true;
	m.options.delete_others = json_flag(r->body, "delete", false);
	if (rc == 0)
		rc = bulk_run(r->call, &m.options, &done);
	return close_many(&m, rc, &done, result);
}

// ---------------------------------------------------------------- remove, verify, usage
int handle_objects_clear(struct api_request *r, json_t **result)
{
	struct many m;
	struct bulk_result done = {0};
	int rc = open_many(&m, r, false);
	if (rc == 0 && m.options.to.text.n)
		rc = call_fail(r->call, ERR_INVALID, "objects are removed from one place");
	if (rc == 0)
		rc = bulk_clear(r->call, &m.options, &done);
	return close_many(&m, rc, &done, result);
}

int handle_objects_verify(struct api_request *r, json_t **result)
{
	struct many m;
	struct bulk_result done = {0};
	int rc = open_many(&m, r, false);
	if (rc == 0)
		rc = bulk_verify(r->call, &m.options, &done);
	return close_many(&m, rc, &done, result);
}

static json_t *usage_json(const struct bulk_usage *rows, size_t count)
{
	json_t *list = json_array();
	json_int_t objects = 0, bytes = 0;
	for (size_t i = 0; i < count; i++) {
		json_t *one = json_pack(
			"{s:I, s:I}", "objects", (json_int_t)rows[i].objects, "bytes", (json_int_t)rows[i].bytes);
		json_set_str(one, "name", rows[i].name);
		json_array_append_new(list, one);
		objects += (json_int_t)rows[i].objects;
		bytes += (json_int_t)rows[i].bytes;
	}
	return json_pack("{s:o, s:I, s:I}", "below", list, "objects", objects, "bytes", bytes);
}

int handle_objects_usage(struct api_request *r, json_t **result)
{
	struct many m;
	struct bulk_result done = {0};
	struct bulk_list list;
	struct bulk_usage *rows;
	size_t count;
	json_t *usage = NULL;
	int rc = open_many(&m, r, false);
	if (rc == 0)
		rc = bulk_list_source(r->call, &m.options.from, &m.options.select, &list);
	if (rc == 0)
		rc = bulk_usage(r->call, &list, &rows, &count);
	if (rc == 0)
		usage = usage_json(rows, count);
	rc = close_many(&m, rc, &done, result);
	if (rc == 0)
		json_decref(*result);
	*result = usage;
	return rc;
}
